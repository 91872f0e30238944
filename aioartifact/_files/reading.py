"""Reading local files: in blocks, and never more than is looked at."""

import asyncio
import errno
import os
import stat
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path

import aiofiles
from aiofiles.threadpool.binary import AsyncFileIO

from .._checksums import Algorithm, Checksums, Digests
from .._threads import executor, finished
from .failures import explained, os_error

_READ_SIZE = 1024 * 1024


def read_text_if_exists(path: Path) -> str | None:
    """
    Read a small text file; None if there is none.

    Raises:
        OSError: It exists but cannot be read.
        UnicodeDecodeError: It is not UTF-8.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        return path.read_text(encoding="utf-8")
    return None


def file_size(path: str) -> int:
    """
    Size of a regular file in bytes; blocks.

    Raises:
        LocalNotFoundError: There is no such file.
        LocalFileError: It is a folder, or the disk refused to tell.
    """
    with explained("read", path):
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise os_error(errno.EISDIR)
        return status.st_size


def hash_file(path: str, algorithms: Sequence[Algorithm]) -> tuple[int, Checksums]:
    """
    Size and checksums of a file, in one pass; blocks.

    Raises:
        LocalNotFoundError: There is no such file.
        LocalFileError: It is a folder, or cannot be read.
    """
    digests, size = Digests(algorithms), 0
    buffer = bytearray(_READ_SIZE)
    view = memoryview(buffer)
    with explained("read", path), open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digests.update(view[:count])
            size += count
    return size, digests.checksums()


async def read_blocks(path: str) -> AsyncGenerator[bytes, None]:
    """
    Read a file in blocks of 1 MiB.

    Raises:
        LocalFileError: It cannot be read.
    """
    with explained("read", path):
        opening = asyncio.ensure_future(_open(path))
        try:
            file = await finished(opening)
            while block := await finished(file.read(_READ_SIZE)):
                yield block
        finally:
            # A cancelled wait for the opening has still opened it.
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                await finished(opening.result().close())


async def _open(path: str) -> AsyncFileIO:
    return await aiofiles.open(path, "rb", buffering=0, executor=executor())
