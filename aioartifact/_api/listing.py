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
from .items import item_of
from .session import using

# A query finds few among many; the other methods list everything first.
_QUERY_FIRST: tuple[Method, ...] = ("aql", "file-list", "folders")


def ls(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> Listing:
    """
    List the entries of a folder, one level, as they arrive; one request.

    It works for every user, edition and repository, and returns names only: ``walk(url, depth=1, folders=True)`` also
    returns sizes, checksums and dates, if the server reports them. Example::

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

    The first method that the server, its edition and this user allow is used: File List, one request; AQL, one request,
    or more if the server trims results; Folder Info, one request per folder, without sizes, checksums and dates. A
    session remembers what a server has refused for good.

    Memory does not grow with the tree, except for 100,000 paths that are kept to continue after a failure. Process
    entries as they arrive: a server does not wait long while its response is not read. Example::

        folder = f"{server}/libs-release/org/acme"
        async for file in aioartifact.walk(folder, include="**/*.jar"):
            print(file.path, file.size)

    Args:
        url: URL of a folder or a repository. Of a remote repository, its cache is listed.
        depth: Number of levels; 1 lists only the folder itself, None lists all.
        files: Whether to yield files.
        folders: Whether to yield folders.
        include: Patterns of paths below the folder, of which an entry must match one: ``*``, ``?`` and ``[...]``
            within a segment, ``**`` for any number of segments. No pattern means all.
        exclude: Patterns that neither an entry nor a folder above it may match.
        where: Conditions on size, dates and properties. Values that the listing lacks are requested for each entry.
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
        IncompleteListingError: If the listing breaks off after too many entries to be continued in another way.
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

    AQL is queried first, as far as it can express the pattern, so that only possible matches are transferred.
    Otherwise the folders that the pattern names are walked. The result is the same. Example::

        async for file in aioartifact.glob(f"{server}/libs-release", "org/**/app-1.*.jar"):
            print(file.url)

    Args:
        url: URL of a folder or a repository.
        pattern: Of paths below it, such as ``**/*.bin``: ``*``, ``?`` and ``[...]`` within a segment, ``**`` for any
            number of segments.
        folders: Whether to yield folders, too.
        exclude: See :func:`walk`.
        where: See :func:`walk`.
        session: Session to use; None opens one for this listing.

    Returns:
        An async iterator of :class:`FileInfo` and :class:`FolderInfo`, in no particular order, see :class:`Listing`;
        without *folders*, a :class:`FileListing`. A folder that the pattern names and that does not exist is empty.

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
    Raise at the call rather than at the first entry.

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
