"""A file whose bytes are all in memory, written under another name and renamed."""

import os
from collections.abc import Sequence
from contextlib import suppress

from .failures import explained
from .part_files import private_part

_FLAGS = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)  # the name may be a malicious symbolic link; Windows neither has nor needs the flag
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_TRIES = 20


def write_file(
    target: str, chunks: Sequence[bytes], *, durable: bool = False, needs_status: bool = True
) -> os.stat_result | None:
    """
    Make *chunks*, one after the other, the content of *target*, in one step; blocks.

    Nothing is locked, since that takes longer than to write a small file. If a clean-up removes the file before it is
    renamed, see `part_files`, it is written again.

    Args:
        target: Path of the file, in a folder that exists.
        chunks: The bytes.
        durable: Wait until the bytes are on the disk itself; the name is once its folder is synced, too.
        needs_status: Whether to return the status: each system call makes threads wait for each other.

    Returns:
        Status of the file right before it was renamed onto the target, or None.

    Raises:
        LocalFileError: If the disk failed; the target is unchanged.
    """
    with explained("write", target):
        for _ in range(_TRIES - 1):
            with suppress(FileNotFoundError):
                return _written(target, chunks, durable, needs_status)
        return _written(target, chunks, durable, needs_status)


def _written(target: str, chunks: Sequence[bytes], durable: bool, needs_status: bool) -> os.stat_result | None:
    part = private_part(target)
    descriptor = os.open(part, _FLAGS, 0o666)  # the umask decides the mode, as for any file the user writes
    try:
        try:
            for chunk in chunks:
                _write(descriptor, chunk)
            if durable:
                os.fsync(descriptor)
            status = os.fstat(descriptor) if needs_status else None
        finally:
            os.close(descriptor)  # a network disk reports only now that it did not store the bytes
        os.replace(part, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
    return status


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        data = data[written:]
        written = os.write(descriptor, data)
