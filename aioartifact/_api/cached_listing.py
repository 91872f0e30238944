"""Listings of folders, which an offline cache answers."""

import aiohttp

from .._address import ItemURL
from .._cache import OpenCache, not_cached
from .._listing import list_files
from .._models import FileInfo
from .._path_filter import PathFilter


async def list_through(
    cache: OpenCache | None, session: aiohttp.ClientSession, folder: ItemURL, path_filter: PathFilter
) -> list[FileInfo]:
    """
    List the files below *folder* that match, and let a *cache* remember them; one that is offline is asked instead.

    Raises:
        NotCachedError: If the cache is offline, and has never seen the folder.
        ArtifactoryError: See `list_with_fallback`.
    """
    if cache is not None and cache.offline:
        return await recall_files(cache, folder, path_filter)
    files = await list_files(session, folder, path_filter)
    if cache is not None:
        await cache.remember_files(folder, path_filter, files)
    return files


async def recall_files(cache: OpenCache, folder: ItemURL, path_filter: PathFilter) -> list[FileInfo]:
    """
    Return what an offline cache remembers of *folder*.

    Raises:
        NotCachedError: If it has never seen it.
    """
    files = await cache.find_files(folder, path_filter)
    if files is None:
        raise not_cached(f"list {folder}")
    return files
