"""List a folder: one level, all levels, or by pattern; and through a cache, which replaces the server when offline."""

from collections.abc import Iterable
from contextlib import aclosing
from typing import Literal, overload

import aiohttp

from .._address import ItemURL, URLLike, parse_item_url
from .._cache import OpenCache, not_cached
from .._errors import InvalidArgumentError, NotAFolderError, NotFoundError
from .._filters import Filter
from .._listing import (
    METHODS,
    Batches,
    FileListing,
    Listing,
    ListingStatus,
    Method,
    list_files,
    list_folder,
    list_with_fallback,
)
from .._models import FileInfo
from .._options import check_count
from .._path_filter import PathFilter, parse_pattern, parse_patterns
from .session import item_of, using

# A query returns the few matches; the other methods list everything first.
_QUERY_FIRST: tuple[Method, ...] = ("aql", "file-list", "folders")


def ls(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> Listing:
    """
    List the entries of a folder, one level, as they arrive; one request.

    Works for every user, edition and repository. The entries have names only; for sizes, checksums and dates use
    ``walk(url, depth=1, folders=True)``. Example::

        async for entry in aioartifact.ls(f"{server}/libs-release/org/acme"):
            print(entry.name)

    Args:
        url: URL of a folder or a repository. Of a remote repository, its cache is listed.
        session: Session to use; None opens one for this listing.

    Returns:
        An async iterator of :class:`FileInfo` and :class:`FolderInfo`, see :class:`Listing`.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: While iterating, as all below: if the folder does not exist, or the user may not read it.
        NotAFolderError: If it is a file.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Folder Info".
    """
    _check_url(session, url)

    async def start(status: ListingStatus) -> Batches:
        async with using(session) as opened:
            status.method = "folders"
            async with aclosing(list_folder(opened, item_of(opened, url))) as batches:
                async for batch in batches:
                    yield batch

    return Listing(start, "ls")


@overload
def walk(
    url: URLLike,
    *,
    depth: int | None = None,
    files: Literal[True] = True,
    folders: Literal[False] = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: aiohttp.ClientSession | None = None,
) -> FileListing: ...
@overload
def walk(
    url: URLLike,
    *,
    depth: int | None = None,
    files: bool = True,
    folders: bool = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: aiohttp.ClientSession | None = None,
) -> Listing: ...
def walk(
    url: URLLike,
    *,
    depth: int | None = None,
    files: bool = True,
    folders: bool = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: aiohttp.ClientSession | None = None,
) -> Listing:
    """
    List a folder on all levels, as entries arrive.

    The first of three methods that the server supports and the user may use is chosen: File List, one request; AQL, one
    request, or more if the server limits the number of rows; Folder Info, one request per folder, without sizes,
    checksums and dates. A session remembers which methods a server does not support.

    Memory use does not depend on the size of the tree: at most 100,000 paths are kept, to continue after a failure.
    Process entries without long pauses: a server closes the connection if its response is not read. Example::

        folder = f"{server}/libs-release/org/acme"
        async for file in aioartifact.walk(folder, include="**/*.jar"):
            print(file.path, file.size)

    Args:
        url: URL of a folder or a repository. Of a remote repository, its cache is listed.
        depth: Number of levels; 1 lists only the folder itself, None lists all.
        files: Whether to yield files.
        folders: Whether to yield folders.
        include: Patterns of paths relative to the folder; entries that match one of them are listed. ``*``, ``?`` and
            ``[...]`` match within a segment, ``**`` matches any number of segments. Empty lists everything.
        exclude: Patterns of files and folders to leave out; the content of such a folder is left out, too.
        where: Conditions on size, dates and properties. Values that are not in the listing are requested for each
            entry.
        session: Session to use; None opens one for this listing.

    Returns:
        An async iterator of :class:`FileInfo` and :class:`FolderInfo`, in no particular order, see :class:`Listing`.
        Without *folders*, a :class:`FileListing`.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        InvalidArgumentError: If *depth* is not an integer of at least 1, a pattern is invalid, or both *files* and
            *folders* are False.
        NotFoundError: While iterating, as all below: if the folder does not exist, or the user may not read it.
        NotAFolderError: If it is a file.
        IncompleteListingError: If the listing breaks off, and cannot be continued by another method.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "File List", "Artifactory Query Language (AQL)" and "Folder Info".
    """
    _check_url(session, url)
    if depth is not None:
        check_count("depth", depth)
    if not (files or folders):
        raise InvalidArgumentError("neither files nor folders: nothing would be listed")
    path_filter = PathFilter(depth, files, folders, parse_patterns(include), parse_patterns(exclude))
    condition = _condition(where)
    methods = _QUERY_FIRST if condition else METHODS

    async def start(status: ListingStatus) -> Batches:
        async with using(session) as opened:
            item = item_of(opened, url)
            async with aclosing(list_with_fallback(opened, item, path_filter, status, condition, methods)) as batches:
                async for batch in batches:
                    yield batch

    return Listing(start, "walk") if folders else FileListing(start, "walk")


@overload
def glob(
    url: URLLike,
    pattern: str,
    *,
    folders: Literal[False] = False,
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: aiohttp.ClientSession | None = None,
) -> FileListing: ...
@overload
def glob(
    url: URLLike,
    pattern: str,
    *,
    folders: bool = False,
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: aiohttp.ClientSession | None = None,
) -> Listing: ...
def glob(
    url: URLLike,
    pattern: str,
    *,
    folders: bool = False,
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: aiohttp.ClientSession | None = None,
) -> Listing:
    """
    List the entries below a folder that match a pattern.

    If possible, AQL is used, so that the server sends only entries that may match. Otherwise the folders in question
    are listed. The result is the same. Example::

        async for file in aioartifact.glob(f"{server}/libs-release", "org/**/app-1.*.jar"):
            print(file.url)

    Args:
        url: URL of a folder or a repository.
        pattern: Pattern of paths relative to the folder, such as ``**/*.bin``, see :func:`walk`.
        folders: Whether to yield folders, too.
        exclude: See :func:`walk`.
        where: See :func:`walk`.
        session: Session to use; None opens one for this listing.

    Returns:
        An async iterator of :class:`FileInfo` and :class:`FolderInfo`, in no particular order, see :class:`Listing`;
        without *folders*, a :class:`FileListing`. It is empty if a folder in the pattern does not exist.

    Raises:
        InvalidArgumentError: If *pattern* or *exclude* is invalid.
        ArtifactoryError: Otherwise the errors of :func:`walk`, under the same conditions.
    """
    _check_url(session, url)
    parsed, condition = parse_pattern(pattern), _condition(where)
    base = f"{parsed.folder}/" if parsed.folder else ""
    path_filter = PathFilter(parsed.depth, True, folders, (parsed,), parse_patterns(exclude), base)

    async def start(status: ListingStatus) -> Batches:
        async with using(session) as opened:
            root = item_of(opened, url)
            folder = root / parsed.folder if parsed.folder else root
            found = list_with_fallback(opened, folder, path_filter, status, condition, _QUERY_FIRST)
            async with aclosing(found) as batches:
                try:
                    async for batch in batches:
                        yield batch
                except (NotFoundError, NotAFolderError):
                    if not parsed.folder:
                        raise

    return Listing(start, "glob") if folders else FileListing(start, "glob")


def _check_url(session: aiohttp.ClientSession | None, url: URLLike) -> None:
    """
    Check *url* at the call, not at the first entry.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
    """
    if session is None:
        parse_item_url(url)
    else:
        item_of(session, url)


def _condition(where: Filter | None) -> Filter | None:
    """
    Return *where*, or None if it has no condition.

    Raises:
        InvalidArgumentError: If *where* is not a filter.
    """
    if where is not None and not isinstance(where, Filter):
        raise InvalidArgumentError(f"where={where!r}: expected a Filter")
    return None if where is None or where.is_empty else where


async def list_through(
    cache: OpenCache | None, session: aiohttp.ClientSession, folder: ItemURL, path_filter: PathFilter
) -> list[FileInfo]:
    """
    List the matching files below *folder*, and store the listing in the *cache*; an offline cache replaces the server.

    Raises:
        NotCachedError: If the cache is offline, and has no listing of the folder.
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
    Return the listing of *folder* from an offline cache.

    Raises:
        NotCachedError: If the cache has no listing of the folder.
    """
    files = await cache.find_files(folder, path_filter)
    if files is None:
        raise not_cached(f"list {folder}")
    return files
