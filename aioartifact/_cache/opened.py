"""A cache in use by one call."""

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar, TypeVarTuple

import anyio

from .._address import ItemURL
from .._checksums import Checksums
from .._errors import NotCachedError
from .._files import check_folder
from .._models import FileInfo
from .._path_filter import ALL_FILES, PathFilter
from .._threads import run, run_short
from .cache import Cache
from .locks import EntryLock
from .records import KnownFile, key_of_item, key_of_listing, read_item, read_listing, write_item, write_listing
from .store import Store

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LOG = logging.getLogger("aioartifact.cache")
_SHORT = 64 * 1024
# Seconds between two looks at a lock that another process has.
_MIN_WAIT, _MAX_WAIT = 0.01, 0.25
# The size of the cache is checked whenever this part of its limit was added.
_CHECKED_PART = 16


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
        """The key of an item whose SHA-256 is not known, for `filling`."""
        return f"url-{key_of_item(str(item))}"

    async def has(self, sha256: str) -> bool:
        """Whether there is such an entry; its bytes are not read."""
        return await run_short(self._store.has, sha256)

    async def place(self, known: KnownFile, target: str, *, durable: bool) -> os.stat_result | None:
        """
        Give *target* the bytes of an entry; None if there is no such entry, or it was damaged.

        Raises:
            LocalFileError: If the disk of *target* failed.
        """
        hop = run_short if known.size is not None and known.size <= _SHORT else run
        checksums = known.checksums if known.is_recorded else Checksums(sha256=known.checksums.sha256)
        return await hop(lambda: self._store.place(checksums, target, durable=durable))

    @asynccontextmanager
    async def filling(self, key: str) -> AsyncIterator[None]:
        """Wait until no other task or process downloads what has this *key*, and let none begin."""
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
        """The bytes of an entry; None if there is no such entry, or it was damaged."""
        return await run(self._store.read, sha256)

    async def add_bytes(self, data: bytes) -> str | None:
        """Keep verified bytes; their SHA-256, or None if that failed, which is no failure of the caller."""
        if self._max_bytes is not None and len(data) > self._max_bytes:
            return None
        added = await self._tried(self._store.add_bytes, data)
        await self._count(len(data) if added else 0)
        return added

    async def add(self, path: str, sha256: str | None, size: int) -> str | None:
        """Keep the bytes of a verified file; its SHA-256, or None if that failed, which is no failure of the caller."""
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
        """Keep to the limit of the cache."""
        if self._added:
            await self._keep_limit(0)

    async def _keep_limit(self, part: int) -> None:
        if self._max_bytes is None or (part and self._added < self._max_bytes // part):
            return
        async with self._checking:
            self._added = 0
            await self._tried(self._store.prune, self._max_bytes)

    async def find_item(self, item: ItemURL) -> KnownFile | None:
        """What is remembered of an item, as it was when it was last downloaded."""
        url = str(item)
        record = await run_short(self._store.recall, "items", key_of_item(url))
        known = read_item(url, record) if record else None
        return known if known and known.checksums.sha256 else None

    async def remember_item(self, item: ItemURL, known: KnownFile) -> None:
        """Remember what an item was when it was downloaded."""
        url = str(item)
        await self._tried(self._store.remember, "items", key_of_item(url), write_item(url, known))

    async def remember_files(self, folder: ItemURL, path_filter: PathFilter, files: Sequence[FileInfo]) -> None:
        """Remember which *files* are below a folder, as far as *path_filter* selects them."""

        def remember() -> None:
            url = str(folder)
            self._store.remember("listings", key_of_listing(url, path_filter), write_listing(url, files))

        await self._tried(remember)

    async def find_files(self, folder: ItemURL, path_filter: PathFilter) -> list[FileInfo] | None:
        """The files below a folder that match, as they were when it was last listed; None if it was not."""
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
        """Run *function* in a thread; a failure of the disk of the cache is logged once, and is no failure."""

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
    """The error for what an offline cache does not have."""
    return NotCachedError(f"{operation}: not in the cache, which is offline", hint="download it once without offline")


@asynccontextmanager
async def opened_cache(cache: Cache | None) -> AsyncIterator[OpenCache | None]:
    """
    Open a cache if there is one; at the end, keep to its limit.

    Raises:
        LocalFileError: If its folder is a file.
    """
    if cache is None:
        yield None
        return
    await run(check_folder, cache.folder)
    opened = OpenCache(cache)
    try:
        yield opened
    finally:
        with anyio.CancelScope(shield=True):
            await opened.close()
