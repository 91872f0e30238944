"""A staging file: the bytes of an incomplete file, until one rename makes them the target's content."""

import errno
import os
import stat
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Self

from .failures import explained, os_error
from .open_files import is_still, lock, share_bytes
from .part_files import is_record, private_part, record_of, shared_part

# In a shared folder, a staging name may be a malicious symbolic link; Windows neither has nor needs the flag.
_FLAGS = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO of that name must not block the call
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_MAX_RECORD = 1024 * 1024
# In a folder with more entries, looking for one name costs less than reading them all.
_MAX_LOOK = 1000
_MOST_BUFFERS = 1024  # of one call; IOV_MAX of Linux and macOS
# Another writer may commit the part after it was opened here and before it is locked; then a new one is opened.
_TRIES = 3


class Staging:
    """
    A file beside its target, under another name, that accepts bytes at any offset.

    A private one is created at the first write, and is not used by another call. A shared one is found by a later
    run; it is locked, so that it has one owner at a time. Every method blocks; writes may run in several threads
    at once. End with :meth:`commit`, :meth:`discard` or :meth:`leave`.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.path = ""
        self.is_shared = False
        self._descriptor: int | None = None
        self._opening = threading.Lock()
        self._has_ended = False

    @classmethod
    def shared(cls, target: str, key: str) -> Self | None:
        """
        Open the part that is shared by all runs that fetch *key* to *target*, with its content.

        Returns:
            None if another process uses it, it is not a file of this user, or this file system has no locks.

        Raises:
            LocalFileError: If the disk failed.
        """
        path = shared_part(target, key)
        with explained("write", target):
            for _ in range(_TRIES):
                descriptor = _locked(path)
                if descriptor is None:
                    return None
                if is_still(descriptor, path):
                    staging = cls(target)
                    staging.path, staging.is_shared, staging._descriptor = path, True, descriptor
                    return staging
                os.close(descriptor)
        return None

    @staticmethod
    def may_have_records(folder: str) -> bool:
        """Whether *folder* may have records of earlier runs; a quick check."""
        try:
            with os.scandir(folder or os.curdir) as entries:
                names = [entry.name for entry in islice(entries, _MAX_LOOK)]
        except OSError:
            return True  # the files of a folder that cannot be listed may still be accessible
        return len(names) == _MAX_LOOK or any(map(is_record, names))

    @staticmethod
    def has_record(target: str, key: str) -> bool:
        """Whether an earlier run has left a record of a partial download of *key*."""
        return os.path.lexists(record_of(shared_part(target, key)))

    def write(self, offset: int, chunks: Sequence[bytes | memoryview]) -> None:
        """
        Write *chunks*, one after the other, from *offset* on.

        Raises:
            LocalFileError: If the disk failed; some of the bytes may be written.
        """
        with explained("write", self.target):
            write_at(self._opened(), offset, chunks)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """
        Read bytes from *offset* on, as many as there are and fit into *buffer*.

        Raises:
            LocalFileError: If the disk failed, or the file has become shorter.
        """
        with explained("read", self.target):
            count = read_at(self._opened(), offset, buffer)
            if not count:
                raise os_error(errno.EIO)
            return count

    def size(self) -> int:
        """How long the file is, holes included."""
        with explained("read", self.target):
            return os.fstat(self._opened()).st_size

    def allocate(self, size: int) -> None:
        """Make the file *size* bytes long, with a hole where nothing is written."""
        with explained("write", self.target):
            os.ftruncate(self._opened(), size)

    def clone(self, descriptor: int) -> bool:
        """
        Share the bytes of an open file until one of the two is written to (reflink).

        Returns:
            False if this file system cannot do that; nothing was written.

        Raises:
            LocalFileError: If the file cannot be created.
        """
        with explained("write", self.target):
            return share_bytes(descriptor, self._opened())

    def empty(self) -> None:
        """Remove the content of the file, and its record."""
        with explained("write", self.target):
            self._forget_record()
            os.ftruncate(self._opened(), 0)

    def record(self) -> bytes:
        """The record of a shared part; empty if there is none, or it is not a file of this user."""
        with suppress(OSError):
            descriptor = os.open(record_of(self.path), _FLAGS & ~os.O_CREAT)
            with os.fdopen(descriptor, "rb", buffering=0) as file:
                if _is_ours(descriptor):
                    return file.read(_MAX_RECORD)
        return b""

    def save(self, record: bytes) -> None:
        """
        Sync the written bytes to the disk, and then *record*, which lists the usable ones.

        Raises:
            LocalFileError: If the disk failed; the earlier record is still valid.
        """
        with explained("write", self.target):
            _sync_data(self._opened())
        draft = type(self)(record_of(self.path))
        try:
            draft.write(0, [record])
            draft.commit(durable=True)
        finally:
            draft.discard()

    def commit(self, *, durable: bool = False) -> os.stat_result:
        """
        Make the bytes the content of the target, in one step.

        Args:
            durable: Wait until the bytes are on the disk itself; the name is once its folder is synced, too.

        Returns:
            Status of the file right before it was renamed onto the target.

        Raises:
            LocalFileError: If the disk failed; the target is unchanged.
        """
        with explained("write", self.target):
            descriptor = self._opened()
            if durable:
                os.fsync(descriptor)
            status = os.fstat(descriptor)
            if os.name == "nt":
                self._close()  # an open file cannot be renamed there
            else:
                os.close(os.dup(descriptor))  # a network disk reports only now that it did not store the bytes
            os.replace(self.path, self.target)
            if self.is_shared:
                self._forget_record()
            self.path = ""
            self._close()
        return status

    def discard(self) -> None:
        """Delete the file and its record; does nothing after a commit."""
        # An error of the disk here adds nothing to the failure that led here.
        with suppress(OSError):
            if self.is_shared and self._descriptor is not None:
                self._forget_record()
        if os.name == "nt":
            self.leave()
        if self.path:
            with suppress(OSError):
                os.unlink(self.path)
            self.path = ""
        self.leave()

    def leave(self) -> None:
        """Close the file and leave it to a later run."""
        self._has_ended = True
        with suppress(OSError):
            self._close()

    def _opened(self) -> int:
        descriptor = self._descriptor
        return self._new() if descriptor is None else descriptor

    def _new(self) -> int:
        with self._opening:
            if self._has_ended:
                raise os_error(errno.EBADF)  # a late writer must not begin another file
            if self._descriptor is None:
                self.path, self._descriptor = _private(self.target)
            return self._descriptor

    def _forget_record(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(record_of(self.path))

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _private(target: str) -> tuple[str, int]:
    """Create a private file; until it is locked, a clean-up treats it as abandoned."""
    while True:
        path = private_part(target)
        # The umask decides the mode, as for any file the user writes.
        descriptor = os.open(path, _FLAGS | os.O_EXCL, 0o666)
        if _is_kept(descriptor, path):
            return path, descriptor
        os.close(descriptor)
        with suppress(OSError):
            os.unlink(path)


def _is_kept(descriptor: int, path: str) -> bool:
    try:
        return lock(descriptor) and os.path.lexists(path)
    except OSError:
        return True  # without locks, a clean-up does not remove recent files


def _locked(path: str) -> int | None:
    """Open and lock the part at *path*; None if it cannot be used."""
    try:
        descriptor = os.open(path, _FLAGS, 0o666)
    except OSError as error:
        # A symbolic link, a folder, a file of another user: use a private name instead.
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM):
            return None
        raise
    with suppress(OSError):
        if _is_ours(descriptor) and lock(descriptor):
            return descriptor
    os.close(descriptor)
    return None


def _is_ours(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    owner = getattr(os, "geteuid", lambda: status.st_uid)()
    return stat.S_ISREG(status.st_mode) and status.st_uid == owner and status.st_nlink == 1


def _sync_data(descriptor: int) -> None:
    """Wait until the bytes of a file, and the metadata needed to read them, are on the disk itself."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


if hasattr(os, "pwritev"):

    def write_at(descriptor: int, offset: int, chunks: Sequence[bytes | memoryview]) -> None:
        """Write all of *chunks* from *offset* on, regardless of the file position."""
        for first in range(0, len(chunks), _MOST_BUFFERS):
            rest = chunks[first : first + _MOST_BUFFERS]
            while rest:
                written = os.pwritev(descriptor, rest, offset)
                offset += written
                rest = _unwritten(rest, written)

    def read_at(descriptor: int, offset: int, buffer: memoryview) -> int:
        """Read into *buffer* from *offset* on, regardless of the file position."""
        return os.preadv(descriptor, [buffer], offset)

else:
    # Windows has no writes at an offset: threads share the file position, and take turns.
    _TURN = threading.Lock()

    def write_at(descriptor: int, offset: int, chunks: Sequence[bytes | memoryview]) -> None:
        """Write all of *chunks* from *offset* on."""
        with _TURN:
            os.lseek(descriptor, offset, os.SEEK_SET)
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[os.write(descriptor, view) :]

    def read_at(descriptor: int, offset: int, buffer: memoryview) -> int:
        """Read into *buffer* from *offset* on."""
        with _TURN:
            os.lseek(descriptor, offset, os.SEEK_SET)
            data = os.read(descriptor, len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _unwritten(chunks: Sequence[bytes | memoryview], written: int) -> Sequence[bytes | memoryview]:
    """What of *chunks* is left after the first *written* bytes; empty chunks before that are dropped, too."""
    for index, chunk in enumerate(chunks):
        if written < len(chunk):
            return [memoryview(chunk)[written:], *chunks[index + 1 :]]
        written -= len(chunk)
    return []
