"""Progress that is made in one process and shown in another."""

from collections.abc import Callable
from contextvars import ContextVar

from .._progress import EventKind, Finish, Progress
from .messages import Moves

# The number of the job that runs in a task; tasks started by it are of that job, too.
JOB: ContextVar[int] = ContextVar("aioartifact_job")


class ProgressRelay(Progress):
    """
    Where work in a process tells its progress.

    Args:
        changed: Called when there is something to take.
        is_heard: Whether somebody listens at the other end.
    """

    def __init__(self, changed: Callable[[], None], *, is_heard: bool) -> None:
        super().__init__()
        self._is_heard = is_heard
        self._changed = changed
        self._moves = Moves()

    def take(self) -> Moves:
        """Take what happened since the last time."""
        moves, self._moves = self._moves, Moves()
        return moves

    def expect(self, *, files: int = 0, size: int = 0) -> None:
        """Add *size* bytes to what there is to do; the files are known where they were counted."""
        self._add(size, 0)

    def advance(self, size: int) -> None:
        """Count *size* more bytes as transferred."""
        self._add(0, size)

    def started(self, name: str) -> None:
        """Add *name* to the files in flight."""
        self._moves.started.append(name)
        self._changed()

    def ended(self, name: str) -> None:
        """Take *name* off the files in flight."""
        if name in self._moves.started:
            self._moves.started.remove(name)
        else:
            self._moves.ended.append(name)

    def finish(self, kind: Finish, size: int = 0) -> None:
        """Count one file as *kind*."""
        self._moves.finished.append((kind, size))

    @property
    def is_heard(self) -> bool:
        """Whether somebody listens at the other end."""
        return self._is_heard

    def tell(self, kind: EventKind, key: str = "", size: int = 0, total: int | None = None, attempt: int = 1) -> None:
        """Have the sink told, if there is one."""
        if self._is_heard:
            self._moves.told.append((JOB.get(), (kind, key, size, total, attempt)))
            self._changed()

    def _add(self, expected: int, moved: int) -> None:
        if not expected and not moved:
            return
        before = self._moves.bytes.get(JOB.get(), (0, 0))
        self._moves.bytes[JOB.get()] = before[0] + expected, before[1] + moved
        self._changed()


class Ledger:
    """
    What one process has done to the progress of the caller, as far as it would have to be undone.

    Args:
        progress: The progress of the caller.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bytes: dict[int, tuple[int, int]] = {}
        self._names: list[str] = []

    def apply(self, moves: Moves) -> None:
        """Show what has happened in the process."""
        for number, (expected, moved) in moves.bytes.items():
            self._show(expected, moved)
            before = self._bytes.get(number, (0, 0))
            self._bytes[number] = before[0] + expected, before[1] + moved
        for name in moves.started:
            self._progress.started(name)
            self._names.append(name)
        for name in moves.ended:
            self._progress.ended(name)
            self._names.remove(name)
        for kind, size in moves.finished:
            self._progress.finish(kind, size)

    def settle(self, number: int) -> None:
        """A job is done: what it did stays."""
        self._bytes.pop(number, None)

    def revert(self) -> None:
        """The process is gone: what its unfinished jobs did is lost."""
        for expected, moved in self._bytes.values():
            self._show(-expected, -moved)
        for name in self._names:
            self._progress.ended(name)
        self._bytes.clear()
        self._names.clear()

    def _show(self, expected: int, moved: int) -> None:
        if expected:
            self._progress.expect(size=expected)
        if moved:
            self._progress.advance(moved)
