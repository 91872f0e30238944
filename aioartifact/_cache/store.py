"""The files of a cache: entries by their SHA-256, and records of items and listings. All functions block."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from typing import Literal, TypeAlias

from .._checksums import Checksums, Digests, digested
from .._errors import LocalFileError, LocalNotFoundError
from .._files import Staging, blocks_of, hash_file, is_still, lock, opened, private_part, remove_left_behind
from .._threads import check_wanted
from .records import least_recently_used

LinkMode: TypeAlias = Literal["reflink", "copy", "hardlink"]
"""How a file of the cache gets into its place, see `Cache`."""
RecordKind: TypeAlias = Literal["items", "listings"]

_LAYOUT = "v1"  # of the folder; another layout gets another name
_ENTRIES = "sha256"
_RECORDS: tuple[RecordKind, ...] = ("items", "listings")
_DIGITS = frozenset("0123456789abcdef")
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of aioartifact. Backup tools leave it out: https://bford.info/cachedir/
"""
# On a disk without locks, locks and staging files that are younger, in seconds, are not removed.
_ABANDONED = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """
    A file in the cache.

    Attributes:
        sha256: SHA-256 of its bytes, which is its file name, too.
        size: Bytes.
        used: When it was last used or added, in UTC.
        path: Path of the file. Do not write to it.
    """

    sha256: str
    size: int
    used: datetime
    path: str


@dataclass(frozen=True, slots=True)
class _Stored:
    """A file of the cache that can be removed: an entry, or a record."""

    path: str
    used_ns: int
    size: int
    sha256: str | None


class Store:
    """
    The folder of a cache.

    Args:
        folder: Its path.
        link_mode: How files are copied to their targets, see `Cache`.
    """

    def __init__(self, folder: str, link_mode: LinkMode) -> None:
        self.folder = folder
        self._root = os.path.join(folder, _LAYOUT)
        self._link_mode = link_mode

    def prepare(self) -> None:
        """
        Create the folder, for its owner only, and mark it as a cache.

        Raises:
            OSError: If the disk fails.
        """
        os.makedirs(os.path.dirname(self.folder), exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(self.folder, 0o700)
        path = os.path.join(self.folder, "CACHEDIR.TAG")
        with suppress(FileExistsError), open(path, "x", encoding="ascii") as file:
            file.write(_TAG)

    def lock_path(self, key: str) -> str:
        """Return the path of the lock of an entry or a record."""
        return os.path.join(self._root, "locks", key)

    def has(self, sha256: str) -> bool:
        """Return whether there is such an entry, without reading it."""
        return os.path.lexists(self._entry(sha256))

    def place(self, checksums: Checksums, target: str, *, durable: bool) -> os.stat_result | None:
        """
        Copy or link a verified entry to *target* atomically; a damaged entry is removed.

        Args:
            checksums: The SHA-256 of the entry, and others that its bytes must have, too.
            target: Path to write to.
            durable: Whether to flush the bytes to the disk (fsync).

        Returns:
            The status of the file right before it was renamed onto the target; None if the entry is missing or damaged.

        Raises:
            LocalFileError: If the disk of *target* fails.
        """
        assert checksums.sha256 is not None, "entries are known by their SHA-256"
        path = self._entry(checksums.sha256)
        try:
            with _opened_entry(path) as file:
                status = self._placed(file, checksums, path, target, durable=durable)
                _touch(path, file)
                return status
        except LocalFileError:
            raise
        except _DamagedError:
            return None
        except OSError:
            return None  # it is missing or unreadable

    def _placed(self, file: FileIO, checksums: Checksums, path: str, target: str, *, durable: bool) -> os.stat_result:
        if self._link_mode == "hardlink" and (linked := _linked(file, checksums, path, target, durable=durable)):
            return linked
        file.seek(0)
        staging = Staging(target)
        try:
            is_shared = self._link_mode == "reflink" and staging.clone(file.fileno())
            digests = Digests(checksums.known())
            if is_shared:
                _hash_clone(staging, digests)
            else:
                _copy(file, staging, digests)
            _check(file, path, checksums, digests)
            return staging.commit(durable=durable)
        finally:
            staging.discard()

    def read(self, sha256: str) -> bytes | None:
        """Return the bytes of an entry; None if it is missing or damaged. A damaged one is removed."""
        path = self._entry(sha256)
        try:
            with _opened_entry(path) as file:
                data, digests = file.readall(), Digests(("sha256",))
                digests.update(data)
                _check(file, path, Checksums(sha256=sha256), digests)
                _touch(path, file)
                return data
        except (OSError, _DamagedError):
            return None

    def add_bytes(self, data: bytes) -> str:
        """
        Add *data*, and return its SHA-256.

        Raises:
            OSError: If the disk fails.
        """
        sha256 = digested([data], ("sha256",)).sha256
        assert sha256 is not None
        entry = self._entry(sha256)
        if not os.path.lexists(entry):
            os.makedirs(os.path.dirname(entry), exist_ok=True)
            _write(entry, data)
        return sha256

    def add(self, path: str, sha256: str | None) -> str | None:
        """
        Add the file at *path*.

        Args:
            path: A file that was just downloaded and verified.
            sha256: Its SHA-256; None if it is not known.

        Returns:
            The SHA-256; None if the file has changed, and was not added.

        Raises:
            OSError: If a disk fails.
        """
        sha256 = sha256 or hash_file(path, ("sha256",))[1].sha256
        assert sha256 is not None
        entry = self._entry(sha256)
        if os.path.lexists(entry):
            return sha256
        os.makedirs(os.path.dirname(entry), exist_ok=True)
        is_added = (self._link_mode == "hardlink" and _added_link(path, entry, sha256)) or _added(
            path, entry, sha256, shares=self._link_mode == "reflink"
        )
        return sha256 if is_added else None

    def remember(self, kind: RecordKind, key: str, record: bytes) -> None:
        """
        Store a record, unless it is unchanged.

        Raises:
            OSError: If the disk fails.
        """
        if self.recall(kind, key) == record:
            return
        path = self._record(kind, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(path, record)

    def recall(self, kind: RecordKind, key: str) -> bytes | None:
        """Return a record; None if it cannot be read."""
        path = self._record(kind, key)
        try:
            with _opened_entry(path) as file:
                record = file.readall()
                _touch(path, file)
                return record
        except OSError:
            return None

    def entries(self) -> list[CacheEntry]:
        """
        Return all entries, by name.

        Raises:
            LocalFileError: If the cache cannot be read.
        """
        found = (_public(stored) for stored in self._stored_in(_ENTRIES))
        return sorted((entry for entry in found if entry), key=lambda entry: entry.sha256)

    def prune(self, max_bytes: int | None = None, older_than: float | None = None) -> list[CacheEntry]:
        """
        Remove the least recently used entries and records.

        Args:
            max_bytes: Maximum total size of the others; None for no limit.
            older_than: Also remove entries that were not used for this number of seconds; None ignores their age.

        Returns:
            The entries that were removed.

        Raises:
            LocalFileError: If the cache cannot be read.
        """
        stored = sorted(self._all_stored(), key=lambda each: (each.used_ns, each.path))
        count = 0 if max_bytes is None else least_recently_used([(s.used_ns, s.size) for s in stored], max_bytes)
        if older_than is not None:
            newest = time.time_ns() - int(older_than * 1e9)
            count = max(count, sum(1 for each in stored if each.used_ns <= newest))
        removed = [each for each in stored[:count] if _unlinked(each.path)]
        return [entry for each in removed if (entry := _public(each))]

    def verify(self) -> list[CacheEntry]:
        """
        Hash all entries, and remove damaged ones.

        Returns:
            The entries that were removed.

        Raises:
            LocalFileError: If the cache cannot be read.
        """
        return [entry for entry in self.entries() if not self._is_right(entry)]

    def _is_right(self, entry: CacheEntry) -> bool:
        try:
            with _opened_entry(entry.path) as file:
                status, digests = os.fstat(file.fileno()), Digests(("sha256",))
                _hash(file, digests)
                with suppress(OSError):  # this does not count as a use of the entry
                    os.utime(entry.path, ns=(status.st_atime_ns, status.st_mtime_ns))
                _check(file, entry.path, Checksums(sha256=entry.sha256), digests)
        except FileNotFoundError:
            return True  # removed meanwhile
        except (OSError, _DamagedError):
            _unlinked(entry.path)
            return False
        return True

    def _entry(self, sha256: str) -> str:
        return os.path.join(self._root, _ENTRIES, sha256[:2], sha256)

    def _record(self, kind: RecordKind, key: str) -> str:
        return os.path.join(self._root, kind, key[:2], key)

    def _all_stored(self) -> Iterator[_Stored]:
        for kind in (_ENTRIES, *_RECORDS):
            yield from self._stored_in(kind)

    def _stored_in(self, kind: str) -> Iterator[_Stored]:
        for folder in _listed(os.path.join(self._root, kind)):
            check_wanted()
            for file in _listed(folder.path):
                if len(file.name) != 64 or not _DIGITS.issuperset(file.name):
                    continue
                with suppress(FileNotFoundError):
                    status = file.stat(follow_symlinks=False)
                    used_ns = max(status.st_atime_ns, status.st_mtime_ns)
                    yield _Stored(file.path, used_ns, status.st_size, file.name if kind == _ENTRIES else None)

    def clear_up(self) -> None:
        """
        Remove staging files and locks of killed processes.

        Raises:
            LocalFileError: If the cache cannot be read.
        """
        with suppress(LocalNotFoundError):
            remove_left_behind(self._root, None)
        newest = time.time() - _ABANDONED
        for file in _listed(os.path.join(self._root, "locks")):
            with suppress(OSError):
                if file.stat(follow_symlinks=False).st_mtime < newest:
                    os.unlink(file.path)


class _DamagedError(Exception):
    """Raised for an entry whose checksum differs from its name."""


def _opened_entry(path: str) -> FileIO:
    """
    Open a file of the cache for reading.

    Raises:
        OSError: If it does not exist, or is not a regular file.
    """
    file = FileIO(os.open(path, _READ), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file")
    return file


def _hash(file: FileIO, digests: Digests) -> None:
    for block in blocks_of(file):
        digests.update(block)


def _copy(file: FileIO, staging: Staging, digests: Digests) -> None:
    offset = 0
    staging.write(0, ())  # an empty file is valid
    for block in blocks_of(file):
        digests.update(block)
        staging.write(offset, [block])
        offset += len(block)


def _hash_clone(staging: Staging, digests: Digests) -> None:
    """Hash the clone, not the entry: another process may have written to the entry after it was cloned."""
    with open(staging.path, "rb", buffering=0) as file:
        _hash(file, digests)


def _check(file: FileIO, path: str, expected: Checksums, digests: Digests) -> None:
    """
    Check that an entry has the checksum in its name; remove it if not.

    Raises:
        _DamagedError: If it has another checksum.
    """
    if digests.checksums() != expected:
        if is_still(file.fileno(), path):
            _unlinked(path)
        raise _DamagedError


def _linked(file: FileIO, checksums: Checksums, path: str, target: str, *, durable: bool) -> os.stat_result | None:
    """Make *target* a read-only hard link to the entry; None if the file system does not support that."""
    digests = Digests(checksums.known())
    _hash(file, digests)
    _check(file, path, checksums, digests)
    with _hard_link(path, target) as part:
        if part is None:
            return None
        if durable:
            os.fsync(file.fileno())
        status = os.stat(part)
        _rename(part, target)
        return status


@contextmanager
def _hard_link(path: str, target: str) -> Iterator[str | None]:
    """Return a read-only link to *path* next to *target*, to be renamed onto it; None without hard links."""
    part = private_part(target)
    try:
        os.link(path, part)
    except OSError:
        yield None
        return
    descriptor = -1
    try:
        descriptor = os.open(part, _READ)
        # The lock shows a clean-up that the file is in use; it may also belong to another link to the same file.
        with suppress(OSError):
            lock(descriptor)
        os.chmod(part, 0o444)
        yield part
    finally:
        if descriptor != -1:
            os.close(descriptor)
        _unlinked(part)  # a rename onto another name of the same file does nothing


def _rename(part: str, target: str) -> None:
    try:
        os.replace(part, target)
    except OSError as error:
        raise LocalFileError.from_os_error("write", target, error) from error


def _added(path: str, entry: str, sha256: str, *, shares: bool) -> bool:
    staging = Staging(entry)
    try:
        with opened(path) as file:
            is_shared = shares and staging.clone(file.fileno())
            digests = Digests(("sha256",))
            if is_shared:
                _hash_clone(staging, digests)
            else:
                _copy(file, staging, digests)
        if digests.checksums().sha256 != sha256:
            return False
        staging.commit()
        return True
    finally:
        staging.discard()


def _added_link(path: str, entry: str, sha256: str) -> bool:
    """Make the entry a hard link to the file at *path*, which becomes read-only; return False if that is impossible."""
    with _hard_link(path, entry) as part:
        if part is None or hash_file(part, ("sha256",))[1].sha256 != sha256:
            return False
        os.replace(part, entry)
        return True


def _write(path: str, data: bytes) -> None:
    staging = Staging(path)
    try:
        staging.write(0, [data])
        staging.commit()
    finally:
        staging.discard()


def _touch(path: str, file: FileIO) -> None:
    """Record the use of a file of the cache, because the file system may not."""
    with suppress(OSError):  # the file of another user
        where: int | str = file.fileno() if os.utime in os.supports_fd else path
        os.utime(where, ns=(time.time_ns(), os.fstat(file.fileno()).st_mtime_ns))


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise LocalFileError.from_os_error("list", folder, error) from error


def _unlinked(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


def _public(stored: _Stored) -> CacheEntry | None:
    if stored.sha256 is None:
        return None
    used = datetime.fromtimestamp(stored.used_ns // 10**9, UTC)
    return CacheEntry(stored.sha256, stored.size, used, stored.path)
