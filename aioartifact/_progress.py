"""Progress of transfers: counted by the engine, reported to a sink as events, and available as snapshots."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeAlias

from ._errors import InvalidArgumentError

EventKind: TypeAlias = Literal["planned", "started", "advanced", "retrying", "finished", "failed", "skipped"]
Finish: TypeAlias = Literal["transferred", "skipped", "failed"]

_LOG = logging.getLogger("aioartifact.transfer")

# The rate is that of the last 20 half seconds: long enough to be steady, short enough to follow a change.
_SLOTS = 20
_SLOT_SECONDS = 0.5
# Below this, the first bytes after the start would look like a burst.
_MIN_RATE_SECONDS = 1.0
_MAX_ACTIVE = 16
_TELL_SECONDS = 0.1
_KINDS: dict[Finish, EventKind] = {"transferred": "finished", "skipped": "skipped", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class TransferEvent:
    """
    An event of a transfer.

    A file has one ``"started"`` event, then ``"advanced"`` events, at most ten per second, with fewer bytes if some are
    lost, a ``"retrying"`` event before each further attempt, and finally ``"finished"``, ``"failed"`` or ``"skipped"``,
    unless the call is cancelled. A file that needs no transfer may have only the final event. ``"planned"`` reports
    files that became known.

    Attributes:
        kind: Kind of the event.
        key: URL of the file, without secrets; ``""`` for ``"planned"``.
        bytes: Bytes of the file that were transferred and not lost.
        total: Bytes of the file to transfer, or None if not known.
        attempt: Number of the attempt that starts; 1 in other events.
        files_finished: Files of the whole transfer that are complete, skipped or failed.
        files_total: Files that are known so far.
        bytes_done: Bytes of the whole transfer that were transferred and not lost.
        bytes_total: Bytes to transfer, as far as known.
    """

    kind: EventKind
    key: str
    bytes: int
    total: int | None
    attempt: int
    files_finished: int
    files_total: int
    bytes_done: int
    bytes_total: int


ProgressSink: TypeAlias = Callable[[TransferEvent], object]
"""What takes events: called in the thread of the event loop, so it must not block; its result is not looked at."""


@dataclass(frozen=True, slots=True)
class ProgressSnapshot:
    """
    The state of a transfer at one moment.

    Attributes:
        files_done: Files that were transferred completely.
        files_skipped: Files that needed no transfer.
        files_failed: Files that failed.
        files_total: Files known so far, including those above; it grows while a listing arrives.
        bytes_done: Bytes that were transferred and not lost. It decreases if bytes must be transferred again.
        bytes_total: Bytes to transfer, as far as known, without skipped and failed files.
        elapsed: Seconds since the `Progress` was created.
        rate: Bytes per second, over the last 10 seconds.
        eta: Seconds until the bytes known so far are transferred, or None if unknown.
        active: Files in flight, the longest running first, at most 16; in a bulk call, as paths below the folder.
    """

    files_done: int
    files_skipped: int
    files_failed: int
    files_total: int
    bytes_done: int
    bytes_total: int
    elapsed: float
    rate: float
    eta: float | None
    active: tuple[str, ...]


class Progress:
    """
    Progress of one transfer, or of several together.

    Pass it as ``progress=``, and call :meth:`snapshot` at any time, from any thread; or pass a *sink*, which is called
    with each :class:`TransferEvent`. The other methods are for the transfer itself. Memory use does not depend on the
    number of files.

    Args:
        sink: Function called with each event, in the thread of the event loop, so it must return quickly. If it raises,
            the error is logged, it is not called again, and the transfer continues. None for no calls.
        clock: Function that returns monotonic seconds.

    Raises:
        InvalidArgumentError: If *sink* or *clock* is not callable.
    """

    __slots__ = (
        "_active",
        "_bytes_done",
        "_bytes_total",
        "_clock",
        "_files_total",
        "_finished",
        "_recent",
        "_sink",
        "_start",
    )

    def __init__(self, sink: ProgressSink | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        for name, value in (("sink", sink), ("clock", clock)):
            if value is not None and not callable(value):
                raise InvalidArgumentError(f"{name} is a {type(value).__name__}; expected a function")
        self._sink = sink
        self._clock = clock
        self._start = clock()
        self._finished: dict[Finish, int] = {"transferred": 0, "skipped": 0, "failed": 0}
        self._files_total = 0
        self._bytes_done = 0
        self._bytes_total = 0
        # Number of a half second since the start, and the bytes of it. Never resized: other threads may look.
        self._recent = [(0, 0)] * _SLOTS
        self._active: dict[str, int] = {}  # how often each name was started; several calls may share a progress

    def __repr__(self) -> str:
        finished = f"files={sum(self._finished.values())}/{self._files_total}, failed={self._finished['failed']}"
        return f"<{type(self).__name__} {finished}, bytes={self._bytes_done}/{self._bytes_total}>"

    def expect(self, *, files: int = 0, size: int = 0) -> None:
        """Add *files* and *size* bytes to the expected totals."""
        self._files_total += files
        self._bytes_total += size
        if files and self._sink:
            self.tell("planned")

    def started(self, name: str) -> None:
        """Add *name* to the files in flight."""
        self._active[name] = self._active.get(name, 0) + 1

    def ended(self, name: str) -> None:
        """Remove *name* from the files in flight."""
        self._active[name] -= 1
        if not self._active[name]:
            del self._active[name]

    def advance(self, size: int) -> None:
        """Count *size* more bytes as transferred; negative if counted bytes were lost."""
        self._bytes_done += size
        number = self._slot_number(self.elapsed())
        last, counted = self._recent[number % _SLOTS]
        self._recent[number % _SLOTS] = (number, counted + size if last == number else size)

    def finish(self, kind: Finish, size: int = 0) -> None:
        """
        Count one file as *kind*.

        Args:
            kind: ``"transferred"``, ``"skipped"`` (nothing to do) or ``"failed"``.
            size: Expected bytes that will not be transferred, to subtract from the total.
        """
        self._finished[kind] += 1
        self._bytes_total -= size

    def snapshot(self) -> ProgressSnapshot:
        """Return the current state."""
        elapsed = self.elapsed()
        rate = self._rate(elapsed)
        return ProgressSnapshot(
            files_done=self._finished["transferred"],
            files_skipped=self._finished["skipped"],
            files_failed=self._finished["failed"],
            files_total=self._files_total,
            bytes_done=self._bytes_done,
            bytes_total=self._bytes_total,
            elapsed=elapsed,
            rate=rate,
            eta=_eta(self._bytes_done, self._bytes_total, rate),
            active=tuple(self._active)[:_MAX_ACTIVE],
        )

    def elapsed(self) -> float:
        """Seconds since this object was created."""
        return self._clock() - self._start

    @property
    def is_heard(self) -> bool:
        """Whether there is a sink."""
        return self._sink is not None

    def tell(self, kind: EventKind, key: str = "", size: int = 0, total: int | None = None, attempt: int = 1) -> None:
        """Notify the sink, if there is one, of an event of the file at *key*."""
        if self._sink is None:
            return
        finished = sum(self._finished.values())
        whole = (finished, self._files_total, self._bytes_done, self._bytes_total)
        try:
            self._sink(TransferEvent(kind, key, size, total, attempt, *whole))
        except Exception:  # noqa: BLE001  # a failure of a display must not stop the transfer
            self._sink = None
            _LOG.warning("the sink of a progress failed and is not called any more", exc_info=True)

    @staticmethod
    def _slot_number(elapsed: float) -> int:
        return int(elapsed / _SLOT_SECONDS)

    def _rate(self, elapsed: float) -> float:
        oldest = max(0, self._slot_number(elapsed) - _SLOTS + 1)
        counted = sum(size for number, size in self._recent if number >= oldest)
        covered = max(elapsed - oldest * _SLOT_SECONDS, _MIN_RATE_SECONDS)
        return max(0, counted) / covered  # a rewind may outweigh what came in


def _eta(done: int, total: int, rate: float) -> float | None:
    remaining = total - done
    if not total or remaining < 0:  # sizes are not known
        return None
    if not remaining:
        return 0.0
    return remaining / rate if rate else None


class FileProgress:
    """
    Counts one file in a `Progress`.

    While it is entered, the file is in flight.

    Args:
        progress: The progress of all files.
        key: URL of the file, without secrets.
        name: Name of the file to display.
        size: Bytes of the file that *progress* already expects.
    """

    __slots__ = ("_bytes", "_expected", "_is_heard", "_key", "_name", "_progress", "_told")

    def __init__(self, progress: Progress, key: str, name: str, size: int = 0) -> None:
        self._progress = progress
        self._is_heard = progress.is_heard
        self._key = key
        self._name = name
        self._expected = size
        self._bytes = 0
        self._told = 0.0

    def __enter__(self) -> Self:
        self._progress.started(self._name)
        self._tell("started")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.ended(self._name)

    def expect(self, *, size: int) -> None:
        """Add *size* bytes to those expected."""
        self._progress.expect(size=size)
        self._expected += size

    def correct(self, size: int) -> None:
        """Set the size of the file to *size* bytes."""
        self.expect(size=size - self._expected)

    def advance(self, size: int) -> None:
        """Count *size* more bytes as transferred; negative if counted bytes were lost."""
        self._progress.advance(size)
        self._bytes += size
        if size and self._is_heard and (size < 0 or self._is_due()):
            self._tell("advanced")

    def _is_due(self) -> bool:
        return self._progress.elapsed() >= self._told + _TELL_SECONDS

    def retrying(self, attempt: int) -> None:
        """Report that the attempt with this number starts."""
        self._tell("retrying", attempt)

    def finish(self, kind: Finish) -> None:
        """Count the file as *kind*; bytes that were not transferred leave the total."""
        self._progress.finish(kind, self._expected - self._bytes)
        self._tell(_KINDS[kind])

    def _tell(self, kind: EventKind, attempt: int = 1) -> None:
        if self._is_heard:
            self._told = self._progress.elapsed()
            self._progress.tell(kind, self._key, self._bytes, self._expected or None, attempt)
