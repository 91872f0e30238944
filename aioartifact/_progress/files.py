"""The progress of one file, as part of a whole."""

from types import TracebackType
from typing import Self

from .counting import Finish, Progress
from .events import EventKind

_TELL_SECONDS = 0.1
_KINDS: dict[Finish, EventKind] = {"transferred": "finished", "skipped": "skipped", "failed": "failed"}


class FileProgress:
    """
    Counts one file, for a `Progress` that counts them all.

    While it is entered, the file is in flight.

    Args:
        progress: The whole.
        key: URL of the file, without secrets.
        name: Name of the file, for people.
        size: Bytes of it that *progress* was told of before.
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
        """Add *size* bytes to those that are to come."""
        self._progress.expect(size=size)
        self._expected += size

    def correct(self, size: int) -> None:
        """The file has *size* bytes, whatever was said before."""
        self.expect(size=size - self._expected)

    def advance(self, size: int) -> None:
        """Count *size* more bytes as transferred; negative if bytes counted before are lost."""
        self._progress.advance(size)
        self._bytes += size
        if size and self._is_heard and (size < 0 or self._is_due()):
            self._tell("advanced")

    def _is_due(self) -> bool:
        return self._progress.elapsed() >= self._told + _TELL_SECONDS

    def retrying(self, attempt: int) -> None:
        """The attempt of this number begins, after a pause."""
        self._tell("retrying", attempt)

    def finish(self, kind: Finish) -> None:
        """Count the file as *kind*; what has not been transferred will not come any more."""
        self._progress.finish(kind, self._expected - self._bytes)
        self._tell(_KINDS[kind])

    def _tell(self, kind: EventKind, attempt: int = 1) -> None:
        if self._is_heard:
            self._told = self._progress.elapsed()
            self._progress.tell(kind, self._key, self._bytes, self._expected or None, attempt)
