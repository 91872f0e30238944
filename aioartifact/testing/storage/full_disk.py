"""Recognises a full disk, and keeps some space in reserve for deleting when it is."""

import errno
import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

RESERVE_SIZE = 1 << 20  # bytes that a transaction of SQLite needs to delete some items

_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC})
# The latter is how SQLite reports that its shared memory file cannot grow.
_SQLITE_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})


def is_full(error: BaseException) -> bool:
    """Return whether *error* says that the disk, or the quota of the user there, is full."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _SQLITE_CODES
    return isinstance(error, OSError) and error.errno in _ERRNOS


class Reserve:
    """
    A file that takes up space until the disk is full and something is to be deleted.

    SQLite needs space to delete rows. Without a reserve nothing could be deleted once the disk is full.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._is_missing = not file.exists()

    def spend(self) -> None:
        """Give the space back if the disk is nearly full."""
        if not self._is_missing and self._free() < RESERVE_SIZE:
            self._delete()

    def restore(self) -> None:
        """Take up the space again, where the disk has more than that."""
        if not self._is_missing or self._free() < 2 * RESERVE_SIZE:
            return
        try:
            with self._file.open("xb", buffering=0) as file:
                _allocate(file.fileno())
            self._is_missing = False
        except OSError:
            self._delete()

    def _free(self) -> int:
        return shutil.disk_usage(self._file.parent).free

    def _delete(self) -> None:
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
        self._is_missing = True


def _allocate(descriptor: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, RESERVE_SIZE)
    else:
        os.write(descriptor, bytes(RESERVE_SIZE))
