"""The destinations of a sync: a local folder, and a folder of a server; each checks a file before changing it."""

import os
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Protocol, TypeAlias

import aiohttp

from .._address import ItemURL
from .._cache import OpenCache
from .._checksums import Checksums, checksum_file
from .._errors import AlreadyExistsError, ArtifactoryError, ChangedError, InvalidURLError
from .._files import Manifest, TreeFile, check_reachable, check_seen, copy_file, delete_file, rename_file
from .._models import FileInfo
from .._progress import FileProgress, Progress
from .._reports import Outcome, Status
from .._scheduler import Slots
from .._sync import SyncAction, SyncFile, SyncPlan
from .._threads import run, run_short
from .._transfer.accounting import failed, in_chunks, settle
from .._transfer.local_paths import item_below, listed_below, local_path, path_below
from .._transfer.many.fetcher import Fetcher, FetchWork, Job, SmallTargets, Target, listed_size
from .._transfer.send.deployer import MIN_CHECKSUM_DEPLOY, Deployer, DeployOptions
from .._transfer.send.remote_state import RemoteState
from .mutations import delete

SyncWork: TypeAlias = SyncAction | FetchWork


class SyncEndpoint(Protocol):
    """The destination of a sync, and its changes."""

    def transfers(self) -> AsyncGenerator[SyncWork, None]:
        """Yield the transfers of missing files."""
        ...

    def checksum_files(self) -> Sequence[SyncAction]:
        """Return the transfers that follow all others: checksum files of other files."""
        ...

    async def do(self, work: SyncAction | Target | SmallTargets) -> Outcome | Sequence[Outcome]:
        """
        Execute one action, or fetch a group of small files, whose failures become outcomes.

        Raises:
            ChangedError: If something differs from the plan.
            ArtifactoryError: If it failed for another reason.
        """
        ...

    def ends(self, work: SyncAction | Target) -> tuple[str, str]:
        """URL and local path of an action."""
        ...


class LocalEndpoint:
    """A local folder as the destination of a sync."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        plan: SyncPlan,
        folder: ItemURL,
        root: str,
        manifest: Manifest | None,
        slots: Slots,
        progress: Progress,
        cache: OpenCache | None,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._root = root
        self._manifest = manifest
        self._progress = progress
        self._session = session
        self._remote_state: RemoteState | None = None
        self._is_offline = cache is not None and cache.offline
        self._jobs = [self._job(action) for action in plan.of("fetch")]
        self._actions = {action.path: action for action in plan.of("fetch")}
        self._fetcher = Fetcher(
            session,
            plan.destination,
            "always",
            progress,
            job_of=lambda job, _: job,
            slots=slots,
            manifest=manifest,
            cache=cache,
        )

    def _job(self, action: SyncAction) -> Job:
        item = listed_below(self._folder, action.path)
        checksums = action.source.checksums if action.source else Checksums()
        return Job(item, action.path, FileInfo(str(item), item.repository, item.path, action.size, checksums))

    async def check_space(self) -> None:
        """
        Check that the files to download fit on the disk.

        Raises:
            LocalFileError: If they do not fit.
        """
        await self._fetcher.check_space(self._jobs)

    def ends(self, work: SyncAction | Target) -> tuple[str, str]:
        if isinstance(work, Target):
            return work.url, work.path
        return _url(self._folder, work.path), os.path.join(self._plan.destination, work.path)

    async def transfers(self) -> AsyncGenerator[SyncWork, None]:
        targets = self._fetcher.targets(in_chunks(self._jobs, listed_size, self._progress), ahead=True)
        async with aclosing(targets):
            async for work in targets:
                yield work

    def checksum_files(self) -> Sequence[SyncAction]:
        return ()

    async def do(self, work: SyncAction | Target | SmallTargets) -> Outcome | Sequence[Outcome]:
        if isinstance(work, Target):
            action = self._actions[work.job.relative]
            with _counted(self._progress, work.url, action):
                await run_short(self._check_target, action)
            return await self._fetcher.fetch(work)
        if isinstance(work, SmallTargets):
            return await self._fetch_small(work.targets)
        if not self._is_offline and (lost := _lost(work)) and await self._is_at_source(lost):
            raise _is_back(self._folder / lost.path)
        return await run(self._change, work)

    async def _fetch_small(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        refused = await run_short(self._refused, targets)
        outcomes = [settle(self._progress, outcome, listed_size(target.job)) for target, outcome in refused]
        changed = [target for target, _ in refused]
        fetched = await self._fetcher.fetch_small([target for target in targets if target not in changed])
        return [*outcomes, *fetched]

    def _refused(self, targets: Sequence[Target]) -> list[tuple[Target, Outcome]]:
        """Return the *targets* that have changed since the plan, and their outcomes; blocks."""
        refused = []
        for target in targets:
            started = time.perf_counter()
            try:
                self._check_target(self._actions[target.job.relative])
            except ArtifactoryError as error:
                refused.append((target, failed(target.url, target.path, started, error)))
        return refused

    async def _is_at_source(self, file: SyncFile) -> bool:
        try:
            item = item_below(self._folder, file.path)
        except InvalidURLError:
            return False  # a name that no server accepts
        self._remote_state = self._remote_state or RemoteState(self._session)
        return await self._remote_state.has(item)

    def _change(self, action: SyncAction) -> Outcome:
        """Execute an action without a transfer; blocks."""
        started = time.perf_counter()
        path = self._target(action)
        if action.kind == "conflict":
            raise _in_the_way(path, action)
        self._check_target(action)
        if action.source and action.origin:
            self._take(action.kind, action.source.checksums, action.origin, path)
        else:
            delete_file(self._root, path)
        return Outcome(*self.ends(action), _STATUS[action.kind], action.size, None, time.perf_counter() - started)

    def _take(self, kind: str, checksums: Checksums, origin: SyncFile, path: str) -> None:
        """Copy or rename *origin* to *path*."""
        start = path_below(self._root, origin.path)
        check_seen(start, _look(origin))
        if kind == "copy":
            status = copy_file(self._root, start, path, checksums)
        else:
            status = rename_file(self._root, start, path)
        if self._manifest is not None and self._manifest.add_written(path, status, checksums):
            self._manifest.flush()

    def _check_target(self, action: SyncAction) -> None:
        # Only a transfer writes through a link.
        follows = action.kind == "fetch"
        check_seen(self._target(action), _look(action.target), follows_links=follows, may_be_gone=True)

    def _target(self, action: SyncAction) -> str:
        # On a case-insensitive disk, the existing file may be spelled differently.
        if action.target:
            return path_below(self._root, action.target.path)
        return local_path(self._root, action.path)


class RemoteEndpoint:
    """A folder of a server as the destination of a sync."""

    def __init__(self, session: aiohttp.ClientSession, plan: SyncPlan, folder: ItemURL, progress: Progress) -> None:
        self._session = session
        self._plan = plan
        self._folder = folder
        self._progress = progress
        self._remote_state = RemoteState(session)
        self._sender = self._deployer(MIN_CHECKSUM_DEPLOY)
        # Files that the server has under another name are offered by their checksums, whatever their size.
        self._copier = self._deployer(1)

    def _deployer(self, min_checksum_deploy: int) -> Deployer:
        options = DeployOptions({}, min_checksum_deploy)
        return Deployer(self._session, self._folder, self._remote_state, options, self._progress)

    def ends(self, work: SyncAction | Target) -> tuple[str, str]:
        if isinstance(work, Target):
            return work.url, work.path
        return _url(self._folder, work.path), os.path.join(self._plan.source, work.path)

    async def transfers(self) -> AsyncGenerator[SyncWork, None]:
        actions = self._plan.of("send")
        self._progress.expect(files=len(actions), size=sum(action.size for action in actions))
        for action in actions:
            if checksum_file(action.path) is None:
                yield action

    def checksum_files(self) -> Sequence[SyncAction]:
        return [action for action in self._plan.of("send") if checksum_file(action.path) is not None]

    async def do(self, work: SyncAction | Target | SmallTargets) -> Outcome:
        assert isinstance(work, SyncAction), "nothing is fetched"
        started = time.perf_counter()
        item = item_below(self._folder, work.path)
        match work.kind:
            case "send":
                with _counted(self._progress, str(item), work):
                    await self._check(work, item)
                return await self._sender.deploy(self._local(work))
            case "copy" | "rename":
                return await self._take(work, item)
            case "delete" if work.target:
                await self._delete(work.target)
                return Outcome(*self.ends(work), "deleted", work.size, None, time.perf_counter() - started)
        raise _in_the_way(str(item), work)

    async def _take(self, action: SyncAction, item: ItemURL) -> Outcome:
        """Deploy a file by its checksums; if the server no longer has the bytes, they are sent."""
        await self._check(action, item)
        self._progress.expect(files=1, size=action.size)
        outcome = await self._copier.deploy(self._local(action))
        if outcome.error:
            return outcome
        if lost := _lost(action):
            await self._delete(lost)
        return replace(outcome, status=_STATUS[action.kind])

    def _local(self, action: SyncAction) -> TreeFile:
        return TreeFile(action.path, path_below(self._plan.source, action.path), action.size)

    async def _check(self, action: SyncAction, item: ItemURL) -> None:
        """Check that the file to send, and the one that it replaces, have not changed since the plan."""
        path = path_below(self._plan.source, action.path)
        await run_short(lambda: check_seen(path, _look(action.source), follows_links=True))
        await self._find(item, action.target)

    async def _find(self, item: ItemURL, seen: SyncFile | None) -> bool:
        """
        Return whether the file that was *seen* still exists.

        Raises:
            ChangedError: If another file is there.
        """
        found = await self._remote_state.find(item)
        if found is None:
            return False
        if seen is None or not found.checksums.agree_with(seen.checksums):
            raise ChangedError(f"{item}: is another file than before; it was left alone", hint="make a new plan")
        return True

    async def _delete(self, lost: SyncFile) -> None:
        item = item_below(self._folder, lost.path)
        path = path_below(self._plan.source, lost.path)
        if await run_short(os.path.lexists, path):
            raise _is_back(path)
        await run_short(check_reachable, self._plan.source, path)
        if await self._find(item, lost):
            await delete(str(item), missing_ok=True, session=self._session)


_STATUS: dict[str, Status] = {"copy": "copied", "rename": "renamed", "delete": "deleted"}


def _look(file: SyncFile | None) -> tuple[int, int | None] | None:
    return None if file is None else (file.size, file.modified_ns)


def _lost(action: SyncAction) -> SyncFile | None:
    """Return the file that *action* removes from the destination."""
    return {"rename": action.origin, "delete": action.target}.get(action.kind)


def _is_back(where: object) -> ChangedError:
    return ChangedError(f"{where}: is at the source again; nothing was deleted for it", hint="make a new plan")


def _url(folder: ItemURL, relative: str) -> str:
    """Return the URL of a file, or that of its folder if no server accepts the name."""
    try:
        return str(item_below(folder, relative))
    except InvalidURLError:
        return str(folder)


def _in_the_way(where: str, action: SyncAction) -> AlreadyExistsError:
    return AlreadyExistsError(f"sync {where}: {action.reason}", hint="move or remove what is in the way")


@contextmanager
def _counted(progress: Progress, url: str, action: SyncAction) -> Iterator[None]:
    """Count a file as failed if it is refused before its transfer, since only a transfer counts its file."""
    try:
        yield
    except ArtifactoryError:
        FileProgress(progress, url, os.path.basename(action.path), action.size).finish("failed")
        raise
