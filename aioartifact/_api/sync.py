"""
Make one folder equal to another: plan, then execute.

Transfers are executed first, and only if all of them succeeded, renames and deletions.
"""

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import TypeAlias

import aiohttp
import anyio

from .._address import URLLike, is_url, parse_item_url
from .._cache import Cache, CacheLike, cache_of, opened_cache
from .._errors import ArtifactoryError, IncompleteListingError, InvalidArgumentError
from .._files import check_folder, make_folder, resolve_folder
from .._options import check_path
from .._path_filter import files_matching
from .._progress import Progress
from .._reports import Outcome
from .._scheduler import Slots
from .._sync import ActionKind, Direction, SyncAction, SyncPlan
from .._threads import run
from .._transfer.accounting import failed
from .._transfer.many.fetcher import SmallTargets, Target, opened_manifest
from .bulk import Batch, BulkCall, BulkOptions, OnError, Work, bulk
from .session import item_of, using
from .sync_endpoints import LocalEndpoint, RemoteEndpoint, SyncEndpoint, SyncWork
from .sync_planning import SyncRequest, make_plan

Folder: TypeAlias = URLLike | os.PathLike[str]
# Each phase starts after all previous ones have succeeded.
_LAST_PHASES: tuple[ActionKind, ...] = ("rename", "delete")


async def plan_sync(
    source: Folder,
    destination: Folder,
    *,
    delete: bool = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    manifest: str | os.PathLike[str] | None = None,
    cache: CacheLike | None = None,
    session: aiohttp.ClientSession | None = None,
) -> SyncPlan:
    """
    Compare two folders, and plan how to make one equal to the other; changes nothing.

    One of them is the URL of a folder, the other a local folder. The folder on the server is listed as by :func:`walk`;
    if the listing has no checksums, each file takes one more request. A local file is read only if the server has a
    file of the same path and size, or to detect a renamed file. Example::

        plan = await aioartifact.plan_sync("dist", f"{server}/site-local/docs", delete=True)
        print(plan)

    Args:
        source: Folder to copy from: a URL, or a local path.
        destination: Folder to change; it may be missing.
        delete: Whether to delete files that the source does not have.
        include: Patterns, see :func:`walk`: a file takes part if its path below the folder matches one of them. Other
            files are neither compared nor deleted.
        exclude: Patterns of files and folders to leave out; they are neither compared nor deleted.
        manifest: File that records checksums of local files, so that a later call does not read unchanged ones, see
            :func:`download_many`. None reads them.
        cache: A :class:`Cache`, or the path of its folder; for downloads only. The cache stores the listing of the
            server's folder: an offline cache sends no request, and uses the last listing.
        session: Session to use; None opens one for this call.

    Returns:
        The plan: print it, store it, or pass it to :func:`run_sync`.

    Raises:
        InvalidArgumentError: If not exactly one of the folders is a URL, the local one is empty or not a path, a
            pattern is invalid, *manifest* is a file of another kind, or *cache* is neither a :class:`Cache` nor a path
            or is passed for an upload. No request was sent.
        InvalidURLError: If the URL is not that of an item.
        FileNotFoundError: If the source does not exist (:class:`LocalNotFoundError`, :class:`NotFoundError`).
        LocalFileError: If the local folder is a file, or if the folder or a file in it cannot be read.
        NotAFolderError: If the URL is that of a file.
        IncompleteListingError: If the listing breaks off, and cannot be continued by another method.
        NotCachedError: If the *cache* is offline, and has no listing of the folder.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "File List", "Artifactory Query Language (AQL)" and "Folder Info".
    """
    request = _sync_request(source, destination, delete, include, exclude, manifest, cache)
    async with using(session, "plan_sync") as opened:
        return await make_plan(opened, request)


def run_sync(
    plan: SyncPlan,
    *,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    cache: CacheLike | None = None,
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Execute a plan.

    Files are transferred and copied first. If all transfers succeed, files are renamed; if all renames succeed, files
    are deleted, and local folders that are then empty. Before a file is replaced, renamed or deleted, it is checked
    again: if it has changed since the plan, or exists at the source again, it is not touched, and its action fails. On
    a server, the checks take one request for each folder with uploads or deletions, and one for each file to replace or
    delete. Downloads fetch the current content.

    Args:
        plan: A plan of :func:`plan_sync`, of any age.
        max_concurrency: Files in flight; None takes it from the session's :class:`Limits`.
        on_error: See :class:`Batch`. After a failure, nothing is deleted in any case.
        cache: A :class:`Cache`, or the path of its folder; for downloads only, see :func:`download_many`.
        session: Session to use; None opens one for this call.
        progress: Counts transferred files and bytes.

    Returns:
        A :class:`Batch`, to be awaited or opened. Each path has an outcome, except for renames and deletions that were
        not started because of a failure.

    Raises:
        InvalidArgumentError: If *plan* is not a plan, or is inconsistent, an option has an invalid value, *progress* is
            not a :class:`Progress`, or *cache* is neither a :class:`Cache` nor a path or is passed for an upload.
        IncompleteListingError: If the plan deletes or renames files although the listing was incomplete.
        InvalidURLError: When awaited or opened, as all below: if a path in the plan cannot be a part of a URL.
        LocalFileError: If the local folder is a file or cannot be created, or the files to download exceed the free
            space.
        BatchError: If files failed. Each failure is one of the errors of :func:`download`, :func:`deploy` or
            :func:`delete`; ChangedError for a file that has changed since the plan; AlreadyExistsError for a conflict;
            or InvalidURLError or UnsafePathError for a path outside the folder.

    See: JFrog REST API, "Retrieve Artifact", "Deploy Artifact", "Deploy Artifact by Checksum", "Delete Item".
    """
    _check_plan(plan)
    chosen = _cache_for(plan.direction, cache)

    async def planned(_: aiohttp.ClientSession) -> SyncPlan:
        return plan

    return _syncs(planned, BulkOptions("run_sync", max_concurrency, on_error, session, progress), chosen)


def sync(
    source: Folder,
    destination: Folder,
    *,
    delete: bool = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    manifest: str | os.PathLike[str] | None = None,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    cache: CacheLike | None = None,
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Make one folder equal to another: :func:`plan_sync` and :func:`run_sync` in one call.

    If both are equal, only the listing is requested; with *manifest*, no local file is read. An empty folder on the
    server becomes an empty local folder; empty folders below it are not created. Example::

        source = f"{server}/data/emodb"
        report = await aioartifact.sync(source, "emodb", manifest="emodb.manifest")

    Args:
        source: See :func:`plan_sync`.
        destination: See :func:`plan_sync`.
        delete: See :func:`plan_sync`. Nothing is deleted unless all transfers succeed.
        include: See :func:`plan_sync`.
        exclude: See :func:`plan_sync`.
        manifest: See :func:`plan_sync`.
        max_concurrency: See :func:`run_sync`.
        on_error: See :func:`run_sync`.
        cache: See :func:`plan_sync` and :func:`run_sync`.
        session: Session to use; None opens one for this call.
        progress: See :func:`run_sync`.

    Returns:
        A :class:`Batch`, to be awaited or opened.

    Raises:
        InvalidArgumentError: See :func:`plan_sync`; or if an option has an invalid value, or *progress* is not a
            :class:`Progress`.
        BatchError: When awaited or left: if files failed, see :func:`run_sync`.
        ArtifactoryError: When awaited or opened: otherwise the errors of :func:`plan_sync`, under the same conditions.
    """
    request = _sync_request(source, destination, delete, include, exclude, manifest, cache)

    async def planned(opened: aiohttp.ClientSession) -> SyncPlan:
        return await make_plan(opened, request)

    return _syncs(planned, BulkOptions("sync", max_concurrency, on_error, session, progress), request.cache)


def _sync_request(
    source: Folder,
    destination: Folder,
    delete: bool,
    include: str | Iterable[str],
    exclude: str | Iterable[str],
    manifest: str | os.PathLike[str] | None,
    cache: CacheLike | None,
) -> SyncRequest:
    """
    Validate the arguments.

    Raises:
        InvalidArgumentError: If they are invalid.
    """
    direction = _direction(source, destination)
    here, there = (destination, source) if direction == "download" else (source, destination)
    parse_item_url(str(there))
    path_filter = files_matching(include, exclude)
    return SyncRequest(
        folder=_absolute("destination" if direction == "download" else "source", here, is_folder=True),
        url=str(there),
        direction=direction,
        delete=delete,
        include=tuple(pattern.text for pattern in path_filter.include),
        exclude=tuple(pattern.text for pattern in path_filter.exclude),
        path_filter=path_filter,
        manifest=None if manifest is None else os.path.realpath(_absolute("manifest", manifest)),
        cache=_cache_for(direction, cache),
    )


def _cache_for(direction: Direction, cache: CacheLike | None) -> Cache | None:
    if cache is not None and direction == "upload":
        raise InvalidArgumentError("cache: this sync is an upload; a cache serves downloads")
    return None if cache is None else cache_of(cache)


def _direction(source: object, destination: object) -> Direction:
    if is_url(source) == is_url(destination):
        which = "both are" if is_url(source) else "neither is"
        raise InvalidArgumentError(
            f"source and destination: {which} a URL; expected one URL and one local folder",
            hint="copy() copies on a server" if is_url(source) else "URLs begin with http:// or https://",
        )
    return "download" if is_url(source) else "upload"


def _absolute(name: str, path: Folder, *, is_folder: bool = False) -> str:
    return os.path.abspath(check_path(name, path, is_folder=is_folder))


def _check_plan(plan: object) -> None:
    """
    Check that *plan* is valid and consistent: it may have been read from a file.

    Raises:
        InvalidArgumentError: If the plan is not valid.
        IncompleteListingError: If it deletes or renames files although the server's folder was not listed completely.
    """
    if not isinstance(plan, SyncPlan):
        raise InvalidArgumentError(
            f"plan is a {type(plan).__name__}; expected a SyncPlan", hint="plan_sync() returns one"
        )
    foreign = plan.of("send" if plan.direction == "download" else "fetch")
    if foreign or _direction(plan.source, plan.destination) != plan.direction:
        raise InvalidArgumentError(
            f"sync plan: {plan.direction!r} does not match {plan.source} to {plan.destination} and the actions"
        )
    folder = plan.destination if plan.direction == "download" else plan.source
    for path in (folder, plan.manifest or folder):
        if not os.path.isabs(path):
            raise InvalidArgumentError(f"sync plan: {path!r} is not an absolute path; it could mean any folder")
    if not plan.is_complete and plan.of("delete", "rename"):
        raise IncompleteListingError(
            f"sync {plan.source}: the listing was not complete; nothing is deleted by it", hint="make a new plan"
        )


def _syncs(
    planned: Callable[[aiohttp.ClientSession], Awaitable[SyncPlan]], options: BulkOptions, cache: Cache | None
) -> Batch:
    @asynccontextmanager
    async def prepare(call: BulkCall) -> AsyncIterator[Work[SyncWork]]:
        plan = await planned(call.session)
        _check_plan(plan)
        async with _opened_endpoint(call, plan, cache) as endpoint:
            work = SyncRun(plan, endpoint)
            yield Work(work.jobs(), work.do)

    return bulk(prepare, options)


@asynccontextmanager
async def _opened_endpoint(call: BulkCall, plan: SyncPlan, chosen: Cache | None) -> AsyncIterator[SyncEndpoint]:
    """Open the destination of *plan*; a local one is created if needed, and the manifest is saved at the end."""
    if plan.direction == "upload":
        yield RemoteEndpoint(call.session, plan, item_of(call.session, plan.destination), call.progress)
        return
    await run(check_folder, plan.destination)
    root = await run(resolve_folder, plan.destination)
    async with (
        opened_manifest(plan.manifest) as manifest,
        nullcontext() if chosen is None else opened_cache(chosen) as cache,
    ):
        folder = item_of(call.session, plan.source)
        slots = Slots(call.concurrency)
        endpoint = LocalEndpoint(call.session, plan, folder, root, manifest, slots, call.progress, cache)
        await endpoint.check_space()
        if plan.creates_folder:
            await run(make_folder, plan.destination)
        yield endpoint


class SyncRun:
    """Executes one plan, once."""

    def __init__(self, plan: SyncPlan, endpoint: SyncEndpoint) -> None:
        self._plan = plan
        self._endpoint = endpoint
        self._open = 0
        self._change = anyio.Event()
        self._has_failed = False

    async def jobs(self) -> AsyncGenerator[SyncWork, None]:
        """Yield the actions; a phase starts only if the previous one has succeeded completely."""
        async with aclosing(self._first_phase()) as works:
            async for work in works:
                self._open += 1
                yield work
        for kind in _LAST_PHASES:
            await self._idle()
            if self._has_failed:
                return
            for action in self._plan.of(kind):
                self._open += 1
                yield action
            if kind == "rename":
                async with aclosing(self._claims()) as claims:
                    async for claim in claims:
                        yield claim

    async def _claims(self) -> AsyncGenerator[SyncWork, None]:
        """Yield the checksum files to send, after the files they belong to."""
        claims = self._endpoint.checksum_files()
        if claims:
            await self._idle()
        if not self._has_failed:
            for claim in claims:
                self._open += 1
                yield claim

    async def _first_phase(self) -> AsyncGenerator[SyncWork, None]:
        if kept := [self._kept(action) for action in self._plan.of("keep")]:
            yield kept
        for action in self._plan.of("conflict", "copy"):
            yield action
        async with aclosing(self._endpoint.transfers()) as works:
            async for work in works:
                yield work

    async def _idle(self) -> None:
        while self._open:
            self._change = anyio.Event()
            await self._change.wait()

    async def do(self, work: SyncWork) -> Outcome | Sequence[Outcome]:
        """Execute one action; an error becomes part of the outcome."""
        result = await self._done(work) if isinstance(work, SyncAction | Target | SmallTargets) else work
        outcomes = (result,) if isinstance(result, Outcome) else result
        self._has_failed = self._has_failed or any(outcome.error for outcome in outcomes)
        self._open -= 1
        self._change.set()
        return result

    async def _done(self, work: SyncAction | Target | SmallTargets) -> Outcome | Sequence[Outcome]:
        if isinstance(work, SmallTargets):
            return await self._endpoint.do(work)
        started = time.perf_counter()
        try:
            return await self._endpoint.do(work)
        except ArtifactoryError as error:
            return failed(*self._endpoint.ends(work), started, error)

    def _kept(self, action: SyncAction) -> Outcome:
        known = [file.checksums.sha256 for file in (action.source, action.target) if file]
        sha256 = next(filter(None, known), None)
        return Outcome(*self._endpoint.ends(action), "unchanged", action.size, sha256)
