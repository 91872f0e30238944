"""The bytes of uploads: local files, read in blocks or as a whole, and bytes in memory."""

import asyncio
import os
import stat
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

import aiofiles
from aiofiles.threadpool.binary import AsyncFileIO

from .._checksums import Algorithm, Checksums, Digests
from .._errors import LocalFileError
from .._threads import check_wanted, executor, finished, run, run_short
from .failures import check_regular, explained

_READ_SIZE = 1024 * 1024
SMALL = 64 * 1024
"""Maximum size of a file that `read_small` reads."""


def read_text_if_exists(path: Path) -> str | None:
    """
    Read a small text file, in UTF-8, or UTF-16 with a byte order mark; None if there is none.

    Bytes that are not UTF-8 become lone surrogates: they may be in a part of the file that is not used.

    Raises:
        OSError: If it exists but cannot be read.
        UnicodeDecodeError: If it is damaged UTF-16.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        content = path.read_bytes()
        is_utf16 = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        text = content.decode("utf-16") if is_utf16 else content.decode("utf-8-sig", "surrogateescape")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return None


def file_size(path: str) -> int:
    """
    Size of a regular file in bytes; blocks.

    Raises:
        LocalNotFoundError: If the file does not exist.
        LocalFileError: If it is a folder or not a regular file, or the disk failed.
    """
    with explained("read", path):
        status = os.stat(path)
        check_regular(status)
        return status.st_size


def hash_file(path: str, algorithms: Sequence[Algorithm]) -> tuple[int, Checksums]:
    """
    Size and checksums of a file, in one pass; blocks, and stops soon after its caller is cancelled.

    Raises:
        LocalNotFoundError: If the file does not exist.
        LocalFileError: If it is a folder, or cannot be read.
    """
    digests = Digests(algorithms)
    with opened(path) as file:
        return _feed(file, digests), digests.checksums()


@contextmanager
def opened(path: str) -> Iterator[FileIO]:
    """Open a regular file to be read; opening a pipe would wait for a writer."""
    with explained("read", path):
        check_regular(os.stat(path))
        with open(path, "rb", buffering=0) as file:
            yield file


def blocks_of(file: FileIO) -> Iterator[memoryview]:
    """The bytes of *file*; a block is valid until the next one is taken. Stops soon after the caller is cancelled."""
    buffer = bytearray(_READ_SIZE)
    view = memoryview(buffer)
    while count := file.readinto(buffer):
        check_wanted()
        yield view[:count]


def _feed(file: FileIO, digests: Digests) -> int:
    """Feed the bytes of *file* to *digests*, and count them."""
    size = 0
    for block in blocks_of(file):
        digests.update(block)
        size += len(block)
    return size


@dataclass(frozen=True, slots=True)
class Source:
    """
    The bytes of an upload: those of a local file, or of a caller who has them in memory.

    Attributes:
        path: Path of the file; empty for bytes of a caller.
        size: Bytes.
        checksums: Those that were computed.
        content: The bytes themselves, if they are in memory: those of a caller, or of a small file.
    """

    path: str
    size: int
    checksums: Checksums
    content: bytes | None = field(default=None, repr=False)

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """
        Yield the bytes: those in memory as one block, those of a file in blocks of 1 MiB.

        Raises:
            LocalFileError: If the file cannot be read.
        """
        if self.content is not None:
            yield self.content
            return
        async with aclosing(read_blocks(self.path)) as blocks:
            async for block in blocks:
                yield block


def read_small(path: str, algorithms: Sequence[Algorithm]) -> Source | None:
    """
    Read a file of at most 64 KiB as `read_source` does; None if it is larger; blocks for a moment.

    Raises:
        LocalNotFoundError: If the file does not exist.
        LocalFileError: If it is not a regular file, or cannot be read.
    """
    with explained("read", path):
        status = os.stat(path)
        check_regular(status)
        if status.st_size > SMALL:
            return None
        with open(path, "rb", buffering=0) as file:
            content = file.readall()
    return _in_memory(path, content, algorithms)


def are_small(paths: Sequence[str]) -> list[bool]:
    """Whether each of *paths* is, at present, a regular file of at most 64 KiB; blocks."""
    return [_is_small(path) for path in paths]


def _is_small(path: str) -> bool:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size <= SMALL


def read_several_small(paths: Sequence[str], algorithms: Sequence[Algorithm]) -> list[Source | LocalFileError | None]:
    """Read files as `read_small` does; for one that fails, the list has its error; blocks."""
    return [_read_or_fail(path, algorithms) for path in paths]


def _read_or_fail(path: str, algorithms: Sequence[Algorithm]) -> Source | LocalFileError | None:
    try:
        return read_small(path, algorithms)
    except LocalFileError as error:
        return error


def read_source(path: str, algorithms: Sequence[Algorithm]) -> Source:
    """
    Read a file of at most 1 MiB, and hash its bytes; of a larger one, only its size is known; blocks.

    Raises:
        LocalNotFoundError: If the file does not exist.
        LocalFileError: If it is not a regular file, or cannot be read.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= _READ_SIZE:
            return _in_memory(path, file.readall(), algorithms)
    return Source(path, size, Checksums())


async def source_of_bytes(content: bytes, algorithms: Sequence[Algorithm]) -> Source:
    """Hash bytes that a caller has in memory."""
    hashing = run_short if len(content) <= SMALL else run
    return await hashing(_in_memory, "", content, algorithms)


def _in_memory(path: str, content: bytes, algorithms: Sequence[Algorithm]) -> Source:
    digests = Digests(algorithms)
    digests.update(content)
    return Source(path, len(content), digests.checksums(), content)


async def read_blocks(path: str) -> AsyncGenerator[bytes, None]:
    """
    Read a file in blocks of 1 MiB.

    Raises:
        LocalFileError: If it cannot be read.
    """
    with explained("read", path):
        opening = asyncio.ensure_future(_open(path))
        try:
            file = await finished(opening)
            while block := await finished(file.read(_READ_SIZE)):
                yield block
        finally:
            # The file is opened even if the wait for that was cancelled.
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                await finished(opening.result().close())


async def _open(path: str) -> AsyncFileIO:
    return await aiofiles.open(path, "rb", buffering=0, executor=executor())
