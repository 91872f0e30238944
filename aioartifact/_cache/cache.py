"""The cache as users have it: a value that names a folder and says how it is used."""

import os
import sys
from dataclasses import dataclass
from typing import Any, TypeAlias

from .._errors import InvalidArgumentError
from .._options import check_choice, check_path
from .._threads import run
from .location import default_folder, is_offline, resolved
from .store import CacheEntry, LinkMode, Store

_LINK_MODES: tuple[LinkMode, ...] = ("reflink", "copy", "hardlink")


@dataclass(frozen=True, slots=True, init=False)
class Cache:
    """
    A cache of downloaded files by their SHA-256, for any number of projects and processes.

    Give it to a download function as ``cache=``: a file whose SHA-256 is known, from a listing or from the caller, and
    which is in the cache, costs no request. Another one costs a request without a body if it is still the one that
    was downloaded from that URL before. Everything else is downloaded and added. If several processes need the same
    file, one downloads it. Whatever is taken from the cache is hashed first; a damaged entry is removed, and the file
    downloaded. If the disk of the cache is full or fails, the download still succeeds.

    A cache is a value: it can be compared, pickled, and used in any event loop, thread and process. Example::

        cache = aioartifact.Cache(max_bytes=200 * 2**30)
        report = await aioartifact.download_folder(url, "emodb", cache=cache)
        print(len(report.from_cache), "of", len(report))

    Args:
        folder: Its folder, which is created as needed, for this user only. None: ``AIOARTIFACT_CACHE``, or else the
            folder for caches of the operating system, such as ``~/.cache/aioartifact``.
        max_bytes: Bytes of the files in it; the least recently used ones are removed. A running call may exceed
            it by a sixteenth. None for no limit.
        offline: Whether to use the cache alone and send no request: a folder that was downloaded before is complete,
            and anything else raises :class:`NotCachedError`. None: if ``AIOARTIFACT_OFFLINE`` is set and not ``0``.
        link_mode: How files get into their places. ``"reflink"`` shares the bytes until one of both is written to,
            where the file system can do that (Btrfs, XFS, bcachefs on Linux), and copies them elsewhere. ``"copy"``
            always copies. ``"hardlink"`` saves the space on every file system, but all copies are then one file: they
            are made read-only, and a program that writes to one nevertheless damages all of them.

    Attributes:
        folder: Absolute path of its folder.
        max_bytes: Bytes of the files in it, or None.
        offline: Whether no request is sent.
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
        Remove the least recently used files, and what killed processes have left; running downloads go on.

        Args:
            max_bytes: Bytes of the files that may stay; 0 empties the cache. None: that of the cache.
            older_than: Remove files that were not used for so many seconds; None removes none for its age.

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
        Hash every file in the cache, and remove those that are damaged; each use does so for the file it needs.

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


def cache_of(cache: CacheLike | None) -> Cache | None:
    """
    Return what a caller gave as ``cache=`` as a cache.

    Raises:
        InvalidArgumentError: If it is neither a cache nor a path.
    """
    return cache if cache is None or isinstance(cache, Cache) else Cache(cache)


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
