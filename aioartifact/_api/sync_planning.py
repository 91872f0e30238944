"""Plan a sync: list both sides, and read local files whose checksums are needed."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice

import aiohttp

from .._address import ItemURL
from .._cache import Cache, OpenCache, opened_cache
from .._checksums import Algorithm, Checksums, checksum_file, checksum_in
from .._errors import InvalidURLError, LocalNotFoundError, NotFoundError, ProtocolError, UnsafePathError
from .._files import (
    Manifest,
    Stamp,
    TreeFile,
    check_folder,
    file_status,
    folds_names,
    hash_file,
    is_folder,
    is_left_behind,
    list_tree,
    read_source,
    resolve_folder,
)
from .._listing import Listing, fetch_info
from .._models import FileInfo
from .._path_filter import ALL_FILES, PathFilter
from .._scheduler import run_many
from .._session import state_of
from .._sync import Direction, Sides, SyncFile, SyncPlan, decide, has_twins, needed_digests
from .._threads import run
from .._transfer.local_paths import folded, item_below, local_path, path_below, relative_path
from .._transfer.many.fetcher import opened_manifest
from .listing import recall_files, walk
from .session import item_of

_AT_ONCE = 500
# Bytes: Artifactory does not accept a larger checksum file.
_MAX_CLAIM = 1024
_OBSTACLE = "a symbolic link or special file"


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """
    The validated arguments of a sync.

    Attributes:
        folder: Absolute path of the local folder.
        url: URL of the folder on the server.
        direction: Which of them is the source.
        delete: Whether to delete files that the source does not have.
        include: Patterns, see `walk`.
        exclude: Patterns.
        path_filter: The same patterns, parsed.
        manifest: Absolute path of the manifest, or None.
        cache: The cache of a download, or None.
    """

    folder: str
    url: str
    direction: Direction
    delete: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    path_filter: PathFilter
    manifest: str | None
    cache: Cache | None = None


async def make_plan(session: aiohttp.ClientSession, request: SyncRequest) -> SyncPlan:
    """
    List both sides, and decide.

    Raises:
        ArtifactoryError: See `plan_sync`.
    """
    item = item_of(session, request.url)
    root = await run(resolve_folder, request.folder)
    async with (
        opened_manifest(request.manifest) as manifest,
        nullcontext() if request.cache is None else opened_cache(request.cache) as cache,
    ):
        trees = await run(_list_local, request, root)
        listing, remote = await _list_remote(session, item, request, cache)
        is_empty_source = request.direction == "download" and not remote and not request.path_filter.has_patterns
        remote = [file for file in remote if not _is_ours(file.path, root, request)]
        keyed = await run(_keyed, request, item, root, trees, remote)
        local = await _with_checksums(session, keyed, request, root, manifest)
        if request.direction == "upload":
            await run(_add_claims, local, keyed.remote, request.folder, manifest)
    source, destination = str(item), request.folder
    if request.direction == "upload":
        sides = Sides(local, keyed.remote, keyed.obstacles, keyed.unfit)
        source, destination = destination, source
    else:
        sides = Sides(keyed.remote, local, keyed.obstacles, keyed.unfit, frozenset(keyed.shared))
    return SyncPlan(
        source,
        destination,
        request.direction,
        decide(sides, request.direction, delete=request.delete),
        is_complete=listing is None or listing.is_complete,
        method=listing.method if listing else "cache" if cache is not None and cache.offline else None,
        manifest=request.manifest,
        creates_folder=is_empty_source and not await run(is_folder, request.folder),
    )


def _list_local(request: SyncRequest, root: str) -> list[TreeFile]:
    """Return the matching files of the local folder, and everything that may be in the way of others; blocks."""
    is_source = request.direction == "upload"
    if not is_source:
        check_folder(request.folder)
    try:
        # Nothing is deleted behind a link to a folder. An obstacle at the destination may differ in case,
        # which patterns distinguish and the disk does not.
        path_filter = request.path_filter if is_source else ALL_FILES
        trees = list_tree(request.folder, path_filter, follows_links=is_source, required=request.path_filter)
    except LocalNotFoundError:
        if is_source:
            raise
        return []
    return [
        tree
        for tree in trees
        if not _is_ours(tree.relative, root, request)
        and (request.path_filter.matches(tree.relative, is_folder=False) or (_may_obstruct(tree) and not is_source))
    ]


def _may_obstruct(tree: TreeFile) -> bool:
    return tree.stamp is None or tree.is_link


def _is_ours(relative: str, root: str, request: SyncRequest) -> bool:
    """Return whether a file is the manifest or a partial file, so not content of the folder."""
    if is_left_behind(relative.rpartition("/")[2]):
        return True
    if request.manifest is None:
        return False
    path = os.path.join(root, relative)
    return path in (request.manifest, f"{request.manifest}-journal")


async def _list_remote(
    session: aiohttp.ClientSession, item: ItemURL, request: SyncRequest, cache: OpenCache | None
) -> tuple[Listing | None, list[SyncFile]]:
    """Return the matching files of the server's folder, or of an offline cache; none if the folder is missing."""
    if cache is not None and cache.offline:
        files = await recall_files(cache, item, request.path_filter)
        return None, [_remote_file(item, file) for file in files]
    listing = walk(str(item), include=request.include, exclude=request.exclude, session=session)
    try:
        found = [file async for file in listing]
    except NotFoundError:
        if request.direction == "download":
            raise
        return None, []
    described = [file for file in found if _is_described(file)]
    if len(described) < len(found):
        described += await _asked(session, item, [file for file in found if not _is_described(file)])
    if cache is not None:
        await cache.remember_files(item, request.path_filter, described)
    return listing, [_remote_file(item, file) for file in described]


def _is_described(file: FileInfo) -> bool:
    return file.size is not None and bool(file.checksums)


async def _asked(session: aiohttp.ClientSession, folder: ItemURL, files: Iterable[FileInfo]) -> list[FileInfo]:
    """Return *files* with sizes and checksums, without those that no longer exist."""

    async def ask(file: FileInfo) -> FileInfo | None:
        try:
            info = await fetch_info(session, ItemURL(folder.server, folder.repository, file.path))
        except NotFoundError:
            return None
        return info if isinstance(info, FileInfo) else None

    async with run_many(files, ask, max_concurrency=state_of(session).limits.max_concurrency) as described:
        return [file async for file in described if file is not None]


def _remote_file(folder: ItemURL, file: FileInfo) -> SyncFile:
    if file.size is None:
        raise ProtocolError(f"{file.url}: the server does not report its size")
    return SyncFile(relative_path(folder.path, file.path), file.size, file.checksums)


@dataclass(slots=True)
class _Keyed:
    """Both sides, by the keys by which the destination distinguishes paths; and the conflicts."""

    local: dict[str, SyncFile] = field(default_factory=dict)
    remote: dict[str, SyncFile] = field(default_factory=dict)
    obstacles: dict[str, str] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    # The real paths of symbolic links to files, by key; and the keys of these links and of the files they lead to.
    linked: dict[str, str] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)


def _keyed(
    request: SyncRequest, item: ItemURL, root: str, trees: Iterable[TreeFile], remote: Iterable[SyncFile]
) -> _Keyed:
    """Map each file to its path at the destination; blocks."""
    keyed = _Keyed()
    local, links = dict[str, SyncFile](), list[str]()
    for tree in trees:
        if tree.stamp is not None:
            if tree.is_link:
                links.append(tree.relative)
            local[tree.relative] = SyncFile(tree.relative, tree.size, modified_ns=tree.stamp.mtime_ns)
            keyed.stamps[tree.relative] = tree.stamp
        elif request.direction == "upload":
            keyed.unfit[tree.relative] = "no regular file"
        else:
            keyed.obstacles[tree.relative] = _OBSTACLE
    if request.direction == "upload":
        keyed.remote = {file.path: file for file in remote}
        keyed.local = _placed(local.values(), lambda path: _path_there(item, path), keyed.unfit)
        return keyed
    places = _placed(remote, lambda path: _path_here(root, path), keyed.unfit)
    key_of = _key_of(root, [*places, *local])
    keyed.local = {key_of(path): file for path, file in local.items()}
    keyed.obstacles = {key_of(path): what for path, what in keyed.obstacles.items()}
    for path, file in places.items():
        first = keyed.remote.setdefault(key_of(path), file)
        if first is not file:
            keyed.unfit[file.path] = f"the file system treats it as {first.path}"
    _follow_links(keyed, {key_of(path): os.path.realpath(os.path.join(root, path)) for path in links})
    _protect_linked(keyed, request, root, key_of)
    return keyed


def _follow_links(keyed: _Keyed, links: Mapping[str, str]) -> None:
    """Keep the links to files, by key, at the paths of wanted files; any other link is left alone."""
    for key, real in links.items():
        if key in keyed.remote:
            keyed.linked[key] = real
        else:
            _obstruct(keyed, key, _OBSTACLE)


def _protect_linked(keyed: _Keyed, request: SyncRequest, root: str, key_of: Callable[[str], str]) -> None:
    """Treat links to a file with another use in this sync as obstacles: one of the two would get wrong content."""
    uses = Counter(keyed.linked.values())
    for key, real in list(keyed.linked.items()):
        inner = key_of(real.removeprefix(os.path.join(root, "")).replace(os.sep, "/"))
        if uses[real] > 1 or (inner in keyed.local and (request.delete or inner in keyed.remote)):
            del keyed.linked[key]
            _obstruct(keyed, key, "a symbolic link to a file of the same sync")
        else:
            keyed.shared |= {key, inner}


def _obstruct(keyed: _Keyed, key: str, what: str) -> None:
    del keyed.local[key]
    keyed.obstacles[key] = what


def _placed(files: Iterable[SyncFile], place_of: Callable[[str], str], unfit: dict[str, str]) -> dict[str, SyncFile]:
    """Return files by their path at the destination; add the reasons why others have none to *unfit*."""
    places = dict[str, SyncFile]()
    for file in files:
        try:
            places[place_of(file.path)] = file
        except (InvalidURLError, UnsafePathError) as error:
            unfit[file.path] = error.message
    return places


def _path_there(folder: ItemURL, relative: str) -> str:
    item_below(folder, relative)
    return relative


def _path_here(root: str, relative: str) -> str:
    """Return the path below *root* for a file of the server."""
    return local_path(root, relative).removeprefix(os.path.join(root, "")).replace(os.sep, "/")


def _key_of(root: str, paths: list[str]) -> Callable[[str], str]:
    """Return the keys by which the disk distinguishes *paths*; the disk is queried only if necessary."""
    return folded if has_twins(map(folded, paths), paths) and folds_names(root) else str


async def _with_checksums(
    session: aiohttp.ClientSession, keyed: _Keyed, request: SyncRequest, root: str, manifest: Manifest | None
) -> dict[str, SyncFile]:
    """Return the local files, with the checksums that are needed."""
    needed = needed_digests(keyed.local, keyed.remote, request.direction)
    paths = {key: keyed.linked.get(key) or os.path.join(root, keyed.local[key].path) for key in needed}
    stamps = {paths[key]: keyed.stamps[keyed.local[key].path] for key in needed}
    known = await run(_find, manifest, stamps) if manifest else {}
    local = dict(keyed.local)

    async def look(key: str) -> None:
        checksums = known.get(paths[key], Checksums())
        if not needed[key].issubset(checksums.known()):
            checksums = await run(_read, paths[key], needed[key], manifest)
        local[key] = replace(local[key], checksums=checksums)

    limit = state_of(session).limits.max_concurrency
    async with run_many(needed, look, max_concurrency=limit) as looked:
        async for _ in looked:
            pass
    return local


def _find(manifest: Manifest, stamps: Mapping[str, Stamp]) -> dict[str, Checksums]:
    """Return the entries of the *manifest* for files, in the largest groups that SQLite allows; blocks."""
    items, known = iter(stamps.items()), dict[str, Checksums]()
    while some := dict(islice(items, _AT_ONCE)):
        known |= manifest.find(some)
    return known


def _read(path: str, algorithms: Iterable[Algorithm], manifest: Manifest | None) -> Checksums:
    """Return the checksums of a local file, and add them to the *manifest*; blocks."""
    looked_ns, status = time.time_ns(), file_status(path)
    _, checksums = hash_file(path, tuple(algorithms))
    if manifest is not None and status is not None and manifest.add_read(path, status, looked_ns, checksums):
        manifest.flush()
    return checksums


def _add_claims(
    local: dict[str, SyncFile], remote: dict[str, SyncFile], folder: str, manifest: Manifest | None
) -> None:
    """
    Add the checksum files that match the server's checksums to both sides; blocks.

    Listings do not contain them: the server stores only the checksum, and serves it under their names.
    """
    for path, file in list(local.items()):
        claim = checksum_file(path)
        if claim is None or path in remote or file.size > _MAX_CLAIM or claim[0] not in remote:
            continue
        source = read_source(path_below(folder, path), ("sha256",))
        claimed = checksum_in(source.content or b"", claim[1])
        if claimed and claimed == _recorded(claim, local, remote[claim[0]], folder, manifest):
            local[path] = replace(file, checksums=source.checksums)
            remote[path] = SyncFile(path, file.size, source.checksums)


def _recorded(
    claim: tuple[str, Algorithm],
    local: Mapping[str, SyncFile],
    found: SyncFile,
    folder: str,
    manifest: Manifest | None,
) -> str | None:
    """Return the checksum of a file on the server: as listed, or that of a local file with the same bytes."""
    path, algorithm = claim
    same = local.get(path)
    if (listed := found.checksums.get(algorithm)) or same is None or not found.has_content_of(same):
        return listed
    return same.checksums.get(algorithm) or _read(path_below(folder, path), (algorithm,), manifest).get(algorithm)
