"""Locks that keep several processes from filling one entry; the operating system releases them with their process."""

import os
from contextlib import suppress

from .._files import is_still, lock

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


# A fork copies the descriptors: its copies would keep the locks of a process that is gone.
_HELD: set["EntryLock"] = set()


class EntryLock:
    """
    The right to fill one entry. Both methods block, and not for long.

    A disk that has no locks, or on which none can be created, lets everyone fill an entry: that costs requests, and
    nothing else.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another owner has it."""
        while True:
            try:
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
                descriptor = os.open(self._path, _FLAGS, 0o666)
            except OSError:
                return True
            try:
                is_mine = lock(descriptor)
            except OSError:
                os.close(descriptor)
                return True
            if is_mine and is_still(descriptor, self._path):
                self._descriptor = descriptor
                _HELD.add(self)
                return True
            os.close(descriptor)
            if not is_mine:
                return False

    def release(self) -> None:
        """Give the lock back, and remove its file."""
        descriptor, self._descriptor = self._descriptor, None
        _HELD.discard(self)
        if descriptor is None:
            return
        if os.name != "nt":  # an open file cannot be removed there, and one that is closed may be another owner's
            with suppress(OSError):
                os.unlink(self._path)
        os.close(descriptor)

    def forget(self) -> None:
        """Close this process's copy of a lock that belongs to the process it was forked from."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _forget_all() -> None:
    for held in _HELD:
        held.forget()
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
