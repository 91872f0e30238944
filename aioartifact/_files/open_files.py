"""What differs between operating systems for open files: locks, and copies that share bytes until one is written."""

import os
import sys

if sys.platform == "win32":
    import msvcrt

    # A lock on Windows prevents others from reading what it covers: it is placed where no file has bytes.
    _BEYOND = 2**62

    def lock(descriptor: int) -> bool:
        """
        Lock an open file until it is closed; False if another process has locked it.

        Raises:
            OSError: If this file system has no locks.
        """
        os.lseek(descriptor, _BEYOND, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def lock(descriptor: int) -> bool:
        """
        Lock an open file until it is closed; False if another process has locked it.

        Raises:
            OSError: If this file system has no locks.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_still(descriptor: int, path: str) -> bool:
    """Whether an open file is the one at *path*: its former owner may have renamed or removed it."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)


if sys.platform == "linux":
    import fcntl

    _FICLONE = 0x40049409  # linux/fs.h

    def share_bytes(source: int, target: int) -> bool:
        """
        Let the open file *target* share the bytes of the open file *source*.

        Returns:
            False if the file system cannot do that, or the files are on different ones; *target* is unchanged.
        """
        try:
            fcntl.ioctl(target, _FICLONE, source)
        except OSError:
            return False
        return True

else:

    def share_bytes(source: int, target: int) -> bool:
        """Return False: Python has no call for this on this system."""
        return False
