"""The bytes of a file that is not complete yet."""

import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import count

from .._checksums import Algorithm, Checksums, Digests
from .failures import explained

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
        with explained("write", self.target):
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

    def commit(self, *, durable: bool = False) -> os.stat_result:
        """
        Make the bytes the content of the target, in one step.

        Args:
            durable: Wait until the bytes are on the disk itself; the name is once its folder is synced, too.

        Returns:
            What the disk knew of the bytes right before they got their name.

        Raises:
            LocalFileError: The disk refused; the target is as it was.
        """
        with explained("write", self.target):
            assert self._descriptor is not None, "nothing was written, not even an empty file"
            if durable:
                os.fsync(self._descriptor)
            status = os.fstat(self._descriptor)
            self._close()
            os.replace(self.path, self.target)
        return status

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
