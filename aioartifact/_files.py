"""
The one home of local files.

What blocks says so, and belongs into a thread (`_threads`). Callers hand over whole batches: a hop into a thread
costs more than a small write.
"""

import asyncio
import errno
import os
import secrets
import stat
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import aiofiles
from aiofiles.threadpool.binary import AsyncFileIO

from ._checksums import Algorithm, Checksums, Digests
from ._errors import LocalFileError, LocalNotFoundError
from ._threads import executor, finished

_READ_SIZE = 1024 * 1024
_MAX_NAME = 255  # bytes, on every common file system
# A staging name in a shared folder may be a trap laid as a symbolic link; Windows has neither flag nor need.
_STAGING_FLAGS = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


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
    return await aiofiles.open(path, "rb", buffering=0, executor=executor())


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
        self.path = ""
        self._digests = Digests(algorithms)
        self._descriptor: int | None = None

    def write(self, chunks: Sequence[bytes]) -> None:
        """
        Append *chunks*, and feed them to the digests.

        Raises:
            LocalFileError: The disk refused.
        """
        with _explained("write", self.target):
            if self._descriptor is None:
                path = _staging_path(self.target)
                # The umask decides the mode, as for any file the user writes.
                self._descriptor = os.open(path, _STAGING_FLAGS, 0o666)
                self.path = path
            # A write that failed in the middle of a chunk may be followed by one that does not.
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
            for chunk in chunks:
                _write_all(self._descriptor, chunk)
                self._digests.update(chunk)
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
        if self.path:
            with suppress(OSError):
                os.unlink(self.path)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


_NUMBERS = count()
_OWNER = ""


def _staging_path(target: str) -> str:
    """A name that no other process, thread or machine gives; reading random numbers for each file would cost more."""
    global _OWNER  # one draw per process, and none at import
    _OWNER = _OWNER or secrets.token_hex(8)
    folder, name = os.path.split(target)
    suffix = f".{_OWNER}-{os.getpid():x}-{next(_NUMBERS):x}.part"
    stem = os.fsencode(name)[: _MAX_NAME - len(suffix) - 1].decode(errors="ignore")
    return os.path.join(folder, f".{stem}{suffix}")


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


def list_names(folder: str) -> frozenset[str]:
    """
    Names of the entries of a folder; blocks.

    Raises:
        LocalFileError: The disk refused to tell.
    """
    with _explained("list", folder):
        return frozenset(os.listdir(folder))


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
