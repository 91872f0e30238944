"""Locks that keep several processes from filling one entry; the operating system releases them with their process."""

import os
from contextlib import suppress

from .._files import is_still, lock

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


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
                return True
            os.close(descriptor)
            if not is_mine:
                return False

    def release(self) -> None:
        """Give the lock back, and remove its file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if os.name != "nt":  # an open file cannot be removed there, and one that is closed may be another owner's
            with suppress(OSError):
                os.unlink(self._path)
        os.close(descriptor)
