"""
Displays of progress: sinks for :class:`aioartifact.Progress`.

Use them as context managers::

    with rich_sink() as sink:
        await aioartifact.download_folder(url, "data", progress=aioartifact.Progress(sink))

Importing this module imports neither rich nor tqdm.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aioartifact import ProgressSink, TransferEvent

if TYPE_CHECKING:
    import rich.console
    from rich.progress import Progress, TaskID

__all__ = ["log_sink", "rich_sink", "tqdm_sink"]

_LOG = logging.getLogger("aioartifact.progress")
# rich redraws all bars ten times a second: 50 of them would use half of a core.
_MAX_FILES = 8
_MEBIBYTE = 1024 * 1024


@contextmanager
def rich_sink(console: "rich.console.Console | None" = None, *, transient: bool = False) -> Iterator[ProgressSink]:
    """
    Show a bar for the whole transfer, and one for each of up to eight files in flight, with rich.

    Args:
        console: Console to draw on; None draws on stderr.
        transient: Whether to remove the bars at the end.

    Yields:
        The sink.

    Raises:
        ImportError: If rich is not installed; the extra ``progress`` installs it.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console or Console(stderr=True), transient=transient) as display:
        yield _RichBars(display)


class _RichBars:
    def __init__(self, display: "Progress") -> None:
        self._display = display
        self._whole = display.add_task("0/0 files", total=None)
        self._files: dict[str, TaskID] = {}

    def __call__(self, event: TransferEvent) -> None:
        self._display.update(
            self._whole,
            description=_files(event),
            completed=event.bytes_done,
            total=event.bytes_total or None,
        )
        if event.kind in ("finished", "failed", "skipped"):
            if event.key in self._files:
                self._display.remove_task(self._files.pop(event.key))
        elif event.kind != "planned":
            self._show(event)

    def _show(self, event: TransferEvent) -> None:
        """Show a file, if it has a bar or there is space for another one."""
        if event.key not in self._files and len(self._files) < _MAX_FILES:
            # Percent-encoded as in the URL, because a name may contain control sequences of terminals.
            self._files[event.key] = self._display.add_task(event.key.rpartition("/")[2])
        if event.key in self._files:
            self._display.update(self._files[event.key], completed=event.bytes, total=event.total)


@contextmanager
def tqdm_sink(tqdm: Callable[..., Any], **options: Any) -> Iterator[ProgressSink]:
    """
    Show one bar of bytes for the whole transfer, with tqdm.

    Args:
        tqdm: The class to use, such as ``tqdm.tqdm`` or ``tqdm.auto.tqdm``.
        options: Its arguments; they override ``unit``, ``unit_scale`` and ``unit_divisor``.

    Yields:
        The sink.
    """
    bar = tqdm(**{"total": 0, "unit": "B", "unit_scale": True, "unit_divisor": 1024} | options)

    def show(event: TransferEvent) -> None:
        bar.total = event.bytes_total
        bar.set_postfix_str(_files(event), refresh=False)
        bar.update(event.bytes_done - bar.n)

    try:
        yield show
    finally:
        bar.close()


@contextmanager
def log_sink(
    interval: float = 10.0,
    *,
    write: Callable[[str], object] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[ProgressSink]:
    """
    Write a line at intervals, for logs and other outputs that cannot be redrawn.

    Args:
        interval: Minimum seconds between two lines.
        write: Function called with each line; None logs it to ``aioartifact.progress`` at level INFO.
        clock: Function that returns monotonic seconds.

    Yields:
        The sink. If there was any progress, a last line is written at the end.
    """
    lines = _Lines(interval, write or _LOG.info, clock)
    try:
        yield lines
    finally:
        lines.end()


class _Lines:
    def __init__(self, interval: float, write: Callable[[str], object], clock: Callable[[], float]) -> None:
        self._interval = interval
        self._write = write
        self._clock = clock
        self._due = clock() + interval
        self._last: TransferEvent | None = None

    def __call__(self, event: TransferEvent) -> None:
        self._last = event
        if self._clock() >= self._due:
            self._due = self._clock() + self._interval
            self._write(_line(event))

    def end(self) -> None:
        if self._last is not None:
            self._write(_line(self._last))


def _line(event: TransferEvent) -> str:
    return f"{_files(event)}, {event.bytes_done / _MEBIBYTE:.1f} of {event.bytes_total / _MEBIBYTE:.1f} MiB"


def _files(event: TransferEvent) -> str:
    return f"{event.files_finished}/{event.files_total} files"
