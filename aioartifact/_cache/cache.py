"""The cache as users configure it, and as one call uses it."""

import logging
import ntpath
import os
import posixpath
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, TypeVarTuple

import anyio

from .._address import ItemURL
from .._checksums import Checksums
from .._errors import InvalidArgumentError, NotCachedError
from .._files import check_folder
from .._models import FileInfo
from .._options import check_choice, check_path
from .._path_filter import ALL_FILES, PathFilter
from .._threads import run, run_short
from .entry_lock import EntryLock
from .records import KnownFile, key_of_item, key_of_listing, read_item, read_listing, write_item, write_listing
from .store import CacheEntry, LinkMode, Store

_LINK_MODES: tuple[LinkMode, ...] = ("reflink", "copy", "hardlink")
_FOLDER_NAME = "aioartifact"
_NOT_OFFLINE = {"", "0", "false", "no", "off"}
T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_LOG = logging.getLogger("aioartifact.cache")
_SHORT = 64 * 1024
# Seconds between two attempts to take a lock of another process.
_MIN_WAIT, _MAX_WAIT = 0.01, 0.25
# The size of the cache is checked whenever this fraction of its limit was added.
_CHECKED_PART = 16


@dataclass(frozen=True, slots=True, init=False)
class Cache:
    """
    A cache of downloaded files by their SHA-256, for any number of projects and processes.

    Pass it to a download function as ``cache=``. A file in the cache whose SHA-256 is known, from a listing or the
    caller, needs no request. If its SHA-256 is not known, one request without a body checks that the file at the URL
    has not changed since its last download. All other files are downloaded and added. If several processes need the
    same file, one of them downloads it. Each entry is hashed before it is used; a damaged one is removed, and the file
    is downloaded. If the disk of the cache is full or fails, downloads still succeed.

    Caches can be compared, pickled, and used in any event loop, thread and process. Example::

        cache = aioartifact.Cache(max_bytes=200 * 2**30)
        report = await aioartifact.download_folder(url, "emodb", cache=cache)
        print(len(report.from_cache), "of", len(report))

    Args:
        folder: Folder of the cache; it is created as needed, with access for this user only. None uses
            ``AIOARTIFACT_CACHE``, otherwise the cache folder of the operating system, such as ``~/.cache/aioartifact``.
        max_bytes: Maximum total size in bytes; the least recently used files are removed. A running call may exceed it
            by a sixteenth. None for no limit.
        offline: Whether to use only the cache, and send no requests: folders that were downloaded before are complete,
            and missing files raise :class:`NotCachedError`. None means True if ``AIOARTIFACT_OFFLINE`` is set and not
            ``0``.
        link_mode: How files are copied from the cache. ``"reflink"`` makes copy-on-write clones on file systems that
            support them (Btrfs, XFS, bcachefs on Linux), and copies elsewhere. ``"copy"`` always copies. ``"hardlink"``
            saves space on every file system, but the target is the same file as the cache entry: it is made read-only,
            and a program that writes to it nevertheless damages the entry and all its links.

    Attributes:
        folder: Absolute path of the folder.
        max_bytes: Maximum total size in bytes, or None.
        offline: Whether only the cache is used.
        link_mode: How files get into their places.

    Raises:
        InvalidArgumentError: If *folder* is empty or not a path, *max_bytes* is not a whole number of at least 0,
            *offline* is not a bool, or *link_mode* is not one of those above.
    """

    folder: str
    max_bytes: int | None
    offline: bool
    link_mode: LinkMode

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int | None = None,
        offline: bool | None = None,
        link_mode: LinkMode = "reflink",
    ) -> None:
        if folder is None:
            home = os.path.expanduser("~")  # Path.home() raises where there is none
            path = resolved(default_folder(os.environ, sys.platform, home))
        else:
            path = os.path.abspath(check_path("cache", folder, is_folder=True))
        if offline not in (None, True, False):
            raise InvalidArgumentError(f"offline={offline!r}: expected True, False, or None for the environment")
        check_choice("link_mode", link_mode, _LINK_MODES)
        object.__setattr__(self, "folder", path)
        object.__setattr__(self, "max_bytes", _checked_bytes(max_bytes))
        object.__setattr__(self, "offline", is_offline(os.environ) if offline is None else offline)
        object.__setattr__(self, "link_mode", link_mode)

    async def entries(self) -> list[CacheEntry]:
        """
        List the files in the cache, sorted by their SHA-256.

        Raises:
            LocalFileError: If the cache cannot be read.
        """
        return await run(self._store().entries)

    async def prune(self, *, max_bytes: int | None = None, older_than: float | None = None) -> list[CacheEntry]:
        """
        Remove the least recently used files, and leftovers of killed processes; running downloads are not affected.

        Args:
            max_bytes: Maximum total size of the remaining files in bytes; 0 empties the cache. None uses the limit of
                the cache.
            older_than: Also remove files that were not used for this number of seconds; None ignores their age.

        Returns:
            The files that were removed.

        Raises:
            InvalidArgumentError: If *max_bytes* is not a whole number of at least 0, or *older_than* is not a number
                of at least 0.
            LocalFileError: If the cache cannot be read.
        """
        most = self.max_bytes if max_bytes is None else _checked_bytes(max_bytes)
        return await run(_prune, self._store(), most, _checked_age(older_than))

    async def verify(self) -> list[CacheEntry]:
        """
        Hash all files in the cache, and remove damaged ones. Each use of a file checks it, too.

        Returns:
            The files that were damaged.

        Raises:
            LocalFileError: If the cache cannot be read.
        """
        return await run(self._store().verify)

    def _store(self) -> Store:
        return Store(self.folder, self.link_mode)


CacheLike: TypeAlias = Cache | str | os.PathLike[str]
"""A cache, or the path of its folder."""


def cache_of(cache: CacheLike) -> Cache:
    """
    Return the argument ``cache=`` as a cache.

    Raises:
        InvalidArgumentError: If it is neither a cache nor a path.
    """
    return cache if isinstance(cache, Cache) else Cache(cache)


def _prune(store: Store, max_bytes: int | None, older_than: float | None) -> list[CacheEntry]:
    store.clear_up()
    return store.prune(max_bytes, older_than)


def _checked_bytes(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise InvalidArgumentError(f"max_bytes={value!r}: expected a whole number of at least 0, or None")
    return value


def _checked_age(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise InvalidArgumentError(f"older_than={value!r}: expected seconds, at least 0, or None")
    return value


def default_folder(environ: Mapping[str, str], platform: str, home: str) -> str:
    """
    Return the cache folder by the rules of the operating system, like platformdirs.

    Args:
        environ: Variables of the environment; ``AIOARTIFACT_CACHE`` names another folder.
        platform: ``sys.platform``.
        home: The home folder.
    """
    if chosen := environ.get("AIOARTIFACT_CACHE", "").strip():
        return chosen
    if platform == "win32":
        local = environ.get("LOCALAPPDATA", "").strip() or ntpath.join(home, "AppData", "Local")
        return ntpath.join(local, _FOLDER_NAME, "Cache")
    if platform == "darwin":
        return posixpath.join(home, "Library", "Caches", _FOLDER_NAME)
    chosen = environ.get("XDG_CACHE_HOME", "").strip()
    # The specification of XDG ignores relative paths.
    return posixpath.join(chosen if posixpath.isabs(chosen) else posixpath.join(home, ".cache"), _FOLDER_NAME)


def is_offline(environ: Mapping[str, str]) -> bool:
    """Return whether the environment sets the offline mode."""
    return environ.get("AIOARTIFACT_OFFLINE", "").strip().lower() not in _NOT_OFFLINE


def resolved(folder: str) -> str:
    """Return *folder* as an absolute path, with a leading ``~`` expanded."""
    return os.path.abspath(os.path.expanduser(folder))  # keeps the ``~`` of an unknown user


class OpenCache:
    """
    A cache that one call uses; see `opened_cache`.

    Attributes:
        offline: Whether no request may be sent.
    """

    def __init__(self, cache: Cache) -> None:
        self.offline = cache.offline
        self._store = Store(cache.folder, cache.link_mode)
        self._max_bytes = cache.max_bytes
        self._added = 0
        self._has_failed = False
        self._is_prepared = False
        self._checking = anyio.Lock()

    @staticmethod
    def key_of(item: ItemURL) -> str:
        """Return the key of an item whose SHA-256 is not known, for `filling`."""
        return f"url-{key_of_item(str(item))}"

    async def has(self, sha256: str) -> bool:
        """Return whether there is such an entry, without reading it."""
        return await run_short(self._store.has, sha256)

    async def place(self, known: KnownFile, target: str, *, durable: bool) -> os.stat_result | None:
        """
        Copy or link an entry to *target*; None if the entry is missing or damaged.

        Raises:
            LocalFileError: If the disk of *target* fails.
        """
        hop = run_short if known.size is not None and known.size <= _SHORT else run
        checksums = known.checksums if known.is_recorded else Checksums(sha256=known.checksums.sha256)
        return await hop(lambda: self._store.place(checksums, target, durable=durable))

    @asynccontextmanager
    async def filling(self, key: str) -> AsyncIterator[None]:
        """Exclude downloads for this *key* in other tasks and processes; wait for a running one."""
        lock = EntryLock(self._store.lock_path(key))
        wait = _MIN_WAIT
        try:
            while not await run_short(self._acquired, lock):
                await anyio.sleep(wait)
                wait = min(2 * wait, _MAX_WAIT)
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await run_short(lock.release)

    def _acquired(self, lock: EntryLock) -> bool:
        self._prepare()
        return lock.acquire()

    async def read(self, sha256: str) -> bytes | None:
        """Return the bytes of an entry; None if it is missing or damaged."""
        return await run(self._store.read, sha256)

    async def add_bytes(self, data: bytes) -> str | None:
        """Add verified bytes, and return their SHA-256; None if that fails, which does not fail the caller."""
        if self._max_bytes is not None and len(data) > self._max_bytes:
            return None
        added = await self._tried(self._store.add_bytes, data)
        await self._count(len(data) if added else 0)
        return added

    async def add(self, path: str, sha256: str | None, size: int) -> str | None:
        """Add a verified file, and return its SHA-256; None if that fails, which does not fail the caller."""
        if self._max_bytes is not None and size > self._max_bytes:
            return None
        added = await self._tried(self._store.add, path, sha256)
        await self._count(size if added else 0)
        return added

    async def _count(self, size: int) -> None:
        if size:
            self._added += size
            await self._keep_limit(_CHECKED_PART)

    async def close(self) -> None:
        """Enforce the size limit of the cache."""
        if self._added:
            await self._keep_limit(0)

    async def _keep_limit(self, part: int) -> None:
        if self._max_bytes is None or (part and self._added < self._max_bytes // part):
            return
        async with self._checking:
            self._added = 0
            await self._tried(self._store.prune, self._max_bytes)

    async def find_item(self, item: ItemURL) -> KnownFile | None:
        """Return the record of an item at its last download, or None."""
        url = str(item)
        record = await run_short(self._store.recall, "items", key_of_item(url))
        known = read_item(url, record) if record else None
        return known if known and known.checksums.sha256 else None

    async def remember_item(self, item: ItemURL, known: KnownFile) -> None:
        """Record an item that was downloaded."""
        url = str(item)
        await self._tried(self._store.remember, "items", key_of_item(url), write_item(url, known))

    async def remember_files(self, folder: ItemURL, path_filter: PathFilter, files: Sequence[FileInfo]) -> None:
        """Record the *files* below a folder that *path_filter* selects."""

        def remember() -> None:
            url = str(folder)
            self._store.remember("listings", key_of_listing(url, path_filter), write_listing(url, files))

        await self._tried(remember)

    async def find_files(self, folder: ItemURL, path_filter: PathFilter) -> list[FileInfo] | None:
        """Return the matching files below a folder at its last listing; None without a listing."""
        return await run(self._files, folder, path_filter)

    def _files(self, folder: ItemURL, path_filter: PathFilter) -> list[FileInfo] | None:
        url = str(folder)
        for listed in (path_filter, ALL_FILES):
            record = self._store.recall("listings", key_of_listing(url, listed))
            rows = read_listing(url, record) if record else None
            if rows is not None:
                files = [_file(folder, *row) for row in rows]
                return [file for file in files if file and _matches(folder, path_filter, file.path)]
        return None

    async def _tried(self, function: Callable[[*Ts], T], *args: *Ts) -> T | None:
        """Run *function* in a thread; log the first failure of the cache's disk, and return None for each."""

        def tried() -> T | None:
            try:
                self._prepare()
                return function(*args)
            except OSError as error:
                self._complain(error)
                return None

        return await run(tried)

    def _prepare(self) -> None:
        if self._is_prepared:
            return
        self._is_prepared = True
        try:
            self._store.prepare()
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._has_failed:
            self._has_failed = True
            _LOG.warning("cache %s: files are not added: %s", self._store.folder, error)


def _file(folder: ItemURL, repository: str, path: str, known: KnownFile) -> FileInfo | None:
    below = path.removeprefix(f"{folder.path}/" if folder.path else "")
    if folder.path and below == path:
        return None
    return FileInfo(str(folder / below), repository, path, known.size, known.checksums)


def _matches(folder: ItemURL, path_filter: PathFilter, path: str) -> bool:
    below = path.removeprefix(f"{folder.path}/" if folder.path else "")
    return path_filter.matches(below, is_folder=False)


def not_cached(operation: str) -> NotCachedError:
    """Return the error for a file that an offline cache does not have."""
    return NotCachedError(f"{operation}: not in the cache, which is offline", hint="download it once without offline")


@asynccontextmanager
async def opened_cache(cache: Cache) -> AsyncIterator[OpenCache]:
    """
    Open a cache; at the end, enforce its size limit.

    Raises:
        LocalFileError: If its folder is a file.
    """
    await run(check_folder, cache.folder)
    opened = OpenCache(cache)
    try:
        yield opened
    finally:
        with anyio.CancelScope(shield=True):
            await opened.close()
