"""Copies that share their bytes with the original until one of both is written to."""

import sys

if sys.platform == "linux":
    import fcntl

    _FICLONE = 0x40049409  # linux/fs.h

    def share_bytes(source: int, target: int) -> bool:
        """
        Let the open file *target* share the bytes of the open file *source*.

        Returns:
            False if the file system cannot do that, or the files are on two; *target* is as it was.
        """
        try:
            fcntl.ioctl(target, _FICLONE, source)
        except OSError:
            return False
        return True

else:

    def share_bytes(source: int, target: int) -> bool:
        """Python has no call for this here."""
        return False
