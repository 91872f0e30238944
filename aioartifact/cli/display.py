"""Progress on stderr: a live display on a terminal, otherwise a line every few seconds."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Event, Thread
from typing import TYPE_CHECKING

import aioartifact

from . import units
from .errors import say

if TYPE_CHECKING:
    from rich.console import RenderableType

_LINE_SECONDS = 5.0
_FRAMES_PER_SECOND = 8
_SHOWN_NAMES = 8


def shown(progress: aioartifact.Progress, *, quiet: bool) -> AbstractContextManager[None]:
    """Show *progress* while the block runs."""
    if quiet:
        return nullcontext()
    return live(progress) if _can_redraw() else lines(progress)


def _can_redraw() -> bool:
    # rich itself treats a log file as a terminal if FORCE_COLOR is set.
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def lines(
    progress: aioartifact.Progress, *, every: float = _LINE_SECONDS, write: Callable[[str], None] = say
) -> Iterator[None]:
    """Write a line *every* that many seconds; nothing if the block ends sooner."""
    ended = Event()

    def report() -> None:
        while not ended.wait(every):
            write(line(progress.snapshot()))

    thread = Thread(target=report, name="aioartifact progress")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def line(now: aioartifact.ProgressSnapshot) -> str:
    """``12/2000 files, 3.4 MiB of 1.2 GiB, 12.3 MiB/s``."""
    return f"{_finished(now)}/{units.files(now.files_total)}, {_bytes(now)}, {units.size(now.rate)}/s"


def summary(now: aioartifact.ProgressSnapshot, done: str) -> str:
    """``12 files downloaded, 3 unchanged, 1 failed: 3.4 MiB in 0.7 s``."""
    counts = {"unchanged": now.files_skipped, "failed": now.files_failed}
    others = "".join(f", {count} {what}" for what, count in counts.items() if count)
    return f"{units.files(now.files_done)} {done}{others}: {units.size(now.bytes_done)} in {now.elapsed:.1f} s"


def _finished(now: aioartifact.ProgressSnapshot) -> int:
    return now.files_done + now.files_skipped + now.files_failed


def _bytes(now: aioartifact.ProgressSnapshot) -> str:
    total = f" of {units.size(now.bytes_total)}" if now.bytes_total >= now.bytes_done > 0 else ""
    return units.size(now.bytes_done) + total


@contextmanager
def live(progress: aioartifact.Progress) -> Iterator[None]:
    """Redraw one bar for all files, and the names in flight below it; cleared at the end."""
    from rich.console import Console
    from rich.live import Live

    with Live(
        get_renderable=lambda: _frame(progress.snapshot()),
        console=Console(stderr=True),
        refresh_per_second=_FRAMES_PER_SECOND,
        redirect_stdout=sys.stdout.isatty(),  # on the same screen, results go above the bar; in a pipe, they stay there
        transient=True,
    ):
        yield


def _frame(now: aioartifact.ProgressSnapshot) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    if not now.files_total:
        return Text("listing …", style="dim")
    names = [f"  {units.printable(name)}" for name in now.active[:_SHOWN_NAMES]]
    return Group(_overall(now), *(Text(name, style="dim", no_wrap=True, overflow="ellipsis") for name in names))


def _overall(now: aioartifact.ProgressSnapshot) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    row = Table.grid(padding=(0, 2))
    left = units.duration(now.eta) if now.eta is not None else "-:--"
    row.add_row(
        ProgressBar(total=1, completed=_fraction(now), width=30),
        f"{_finished(now)}/{units.files(now.files_total)}",
        _bytes(now),
        f"{units.size(now.rate)}/s",
        f"{left} left",
    )
    return row


def _fraction(now: aioartifact.ProgressSnapshot) -> float:
    """Completed fraction: of the bytes, or of the files if sizes are unknown."""
    if now.bytes_total >= now.bytes_done > 0:
        return now.bytes_done / now.bytes_total
    return _finished(now) / now.files_total
