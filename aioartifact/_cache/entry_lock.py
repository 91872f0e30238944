"""Locks that prevent several processes from filling one entry; the system releases those of ended processes."""

import os
from contextlib import suppress

from .._files import is_still, lock

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


# A fork copies the descriptors; the copies would keep the locks of a parent that has ended.
_HELD: set["EntryLock"] = set()


class EntryLock:
    """
    The right to fill one entry. Both methods block for a short time.

    On a disk without locks, several processes may fill an entry, which only costs requests.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; return False if another owner has it."""
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
        """Release the lock, and remove its file."""
        descriptor, self._descriptor = self._descriptor, None
        _HELD.discard(self)
        if descriptor is None:
            return
        if os.name != "nt":  # Windows cannot remove an open file, and a closed one may belong to another owner
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
