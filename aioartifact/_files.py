"""
The one home of local files: everything that may block on a disk happens in a thread of ours.

A thread hop costs more than writing a small file, so hops are few and large: callers hand over whole batches.
"""

import asyncio
import errno
import os
import secrets
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import aiofiles
import anyio
import anyio.to_thread
from aiofiles.threadpool.binary import AsyncFileIO
from anyio.lowlevel import RunVar

from ._checksums import Algorithm, Checksums, Digests
from ._errors import LocalFileError, LocalNotFoundError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_READ_SIZE = 1024 * 1024
_THREADS = 8
_MAX_NAME = 255  # bytes, on every common file system
# Not shared with anyio's default: a user's own threads must not wait for our disk, nor we for theirs.
_LIMITER: RunVar[anyio.CapacityLimiter] = RunVar("aioartifact_disk")
# A staging name in a shared folder may be a trap laid as a symbolic link; Windows has neither flag nor need.
_STAGING_FLAGS = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


async def run(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run a blocking *function* in a thread of ours; a cancelled caller still waits for its end."""
    try:
        limiter = _LIMITER.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_THREADS)
        _LIMITER.set(limiter)
    return await finished(anyio.to_thread.run_sync(function, *args, limiter=limiter))


async def finished(work: Awaitable[T]) -> T:
    """
    Await *work* to its end, whatever happens; only then let a cancellation through.

    A thread cannot be cancelled. Whoever gave it a descriptor must not close that before the thread is done:
    its number may already belong to another file.
    """
    job = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            while not job.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({job})
        if not job.cancelled():
            job.exception()  # the caller is leaving; nobody else will look at it
        raise


@contextmanager
def _explained(operation: str, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LocalFileError.from_os_error(operation, path, error) from error


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
    with _explained("read", path), open(path, "rb", buffering=0) as file:
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
    with _explained("read", path):
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
    return await aiofiles.open(path, "rb", buffering=0)


def check_target(path: str) -> None:
    """
    Make sure a file of this name can be written, as far as that can be told before writing.

    Raises:
        LocalNotFoundError: Its folder does not exist.
        LocalFileError: A folder has its name.
    """
    if os.path.isdir(path):
        raise LocalFileError.from_os_error("write", path, _os_error(errno.EISDIR))
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise LocalNotFoundError(
            f"write {path}: its folder does not exist",
            errno=errno.ENOENT,
            filename=path,
            hint=f"create {folder} first",
        )


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class Staging:
    """
    The bytes of one file on their way: beside the target, under a name of their own, until they are complete.

    Every method blocks. Use :meth:`write`, then :meth:`commit`; or :meth:`discard` at any time.
    """

    def __init__(self, target: str, algorithms: Iterable[Algorithm]) -> None:
        self.target = target
        self.size = 0
        self._digests = Digests(algorithms)
        self._descriptor: int | None = None
        folder, name = os.path.split(target)
        suffix = f".{secrets.token_hex(8)}.part"
        stem = os.fsencode(name)[: _MAX_NAME - len(suffix) - 1].decode(errors="ignore")
        self.path = os.path.join(folder, f".{stem}{suffix}")

    def write(self, chunks: Sequence[bytes]) -> None:
        """
        Append *chunks*, and feed them to the digests.

        Raises:
            LocalFileError: The disk refused.
        """
        with _explained("write", self.target):
            if self._descriptor is None:
                # The umask decides the mode, as for any file the user writes.
                self._descriptor = os.open(self.path, _STAGING_FLAGS, 0o666)
            for chunk in chunks:
                self._digests.update(chunk)
                _write_all(self._descriptor, chunk)
                self.size += len(chunk)

    def checksums(self) -> Checksums:
        """Checksums of all that was written."""
        return self._digests.checksums()

    def commit(self) -> None:
        """
        Make the bytes the content of the target, in one step.

        Raises:
            LocalFileError: The disk refused; the target is as it was.
        """
        with _explained("write", self.target):
            self._close()
            os.replace(self.path, self.target)

    def discard(self) -> None:
        """Forget the bytes; does nothing after a commit."""
        # A disk that fails here has nothing more to say than the failure that led here.
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            os.unlink(self.path)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def make_folder(path: str) -> None:
    """
    Create a folder and its parents; blocks.

    Raises:
        LocalFileError: The disk refused, or a file is in the way.
    """
    with _explained("create folder", path):
        os.makedirs(path, exist_ok=True)


def resolve_folder(path: str) -> str:
    """The real path of a folder, all symbolic links followed; blocks."""
    return os.path.realpath(path)


def is_folder(path: str) -> bool:
    """Whether *path* is an existing folder; blocks."""
    return os.path.isdir(path)


def is_file(path: str) -> bool:
    """Whether *path* is an existing regular file; blocks."""
    return os.path.isfile(path)


def file_size(path: str) -> int:
    """
    Size of a regular file in bytes; blocks.

    Raises:
        LocalNotFoundError: There is no such file.
        LocalFileError: It is a folder, or the disk refused to tell.
    """
    with _explained("read", path):
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise _os_error(errno.EISDIR)
        return status.st_size
