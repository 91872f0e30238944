"""Many downloads: where each file goes, whether it is fetched at all, and the outcome."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from math import inf
from typing import Any, TypeAlias, TypeVar

import aiohttp
import anyio
from anyio.abc import TaskGroup

from ..._address import ItemURL, ServerURL, URLLike, names_folder, parse_item_url
from ..._cache import OpenCache
from ..._checksums import NO_CHECKSUMS, Algorithm, Checksums
from ..._errors import ArtifactoryError, InvalidArgumentError
from ..._files import Manifest, Stamp, TargetFile, hash_file
from ..._models import FileInfo
from ..._progress import FileProgress, Progress
from ..._reports import Outcome
from ..._scheduler import InSlot, Slots, collapsed
from ..._session import Begun, BegunRequest, BegunResponse, SmallFiles, SmallResponse, prepare_small_files, state_of
from ..._threads import finished, run, run_short
from ..accounting import failed, label_of, settle, tracked
from ..local_paths import local_path, path_below_root
from ..overwrite import Decision, Overwrite, decide
from ..receive.cached_file import fetch_through
from ..receive.content import pin_of
from ..receive.one_file import Fetched, WantedFile, fetch_file, may_have_partial
from ..receive.small_file import SmallFile, place_small, small_checksums
from .destination import Destination, FolderSyncs, check_space

T = TypeVar("T")
R = TypeVar("R")

# A file of up to this size, or of unknown size, takes the fast path.
_SMALL = 64 * 1024
# Limits of a group that one worker fetches: the number of files, and the seconds that they take.
_MOST_IN_GROUP = 16
_GROUP_SECONDS = 0.1

Item: TypeAlias = (
    URLLike | tuple[URLLike, str | os.PathLike[str]] | tuple[URLLike, str | os.PathLike[str], Checksums] | FileInfo
)
"""
A file to download: its URL; its URL and a path below the destination, with or without the checksums that it must
have; or the entry of a listing, whose size and checksums it must still have.
"""


@dataclass(frozen=True, slots=True)
class Job:
    """
    One file to fetch.

    Attributes:
        item: Where it is.
        relative: Where it goes, below the destination, with slashes.
        listed: What a listing said of it, or None.
        is_binding: Whether the caller gave *listed*: then its size and checksums are required.
    """

    item: ItemURL
    relative: str
    listed: FileInfo | None = None
    is_binding: bool = False


@dataclass(slots=True)
class Target:
    """
    A job with its target path, and the file that exists there.

    Attributes:
        job: The job.
        url: URL of the item.
        path: The target, as the caller sees it.
        real: The same with all symbolic links followed.
        file: The file that is written.
        looked_ns: When its status was read.
        has_partial: Whether an earlier run has left a partial download of the item.
        known: Checksums of the existing file, as far as they are known.
        decision: What to do.
    """

    job: Job
    url: str
    path: str
    real: str
    file: TargetFile
    looked_ns: int
    has_partial: bool
    known: Checksums = NO_CHECKSUMS
    decision: Decision = "fetch"

    @property
    def status(self) -> os.stat_result | None:
        """Status of the existing file; None if there is none."""
        return self.file.status

    @property
    def size(self) -> int | None:
        """Bytes of the existing file, or None."""
        return self.status.st_size if self.status else None


@dataclass(slots=True)
class SmallTargets:
    """
    Targets whose files are probably small, all from one server: one worker fetches them, one after the other.

    Attributes:
        targets: The targets.
    """

    targets: list[Target]


@dataclass(frozen=True, slots=True)
class _Received:
    """
    A small file that was received.

    Attributes:
        target: Where it goes.
        response: Its response.
        file: What is to be written; None if the response must be handled the usual way.
    """

    target: Target
    response: SmallResponse
    file: SmallFile | None


FetchWork: TypeAlias = Target | SmallTargets | Sequence[Outcome]
Chunks: TypeAlias = AsyncGenerator[Sequence[Any], None]
Looked: TypeAlias = tuple[Sequence[Any], list[Target | Outcome]]
JobOf: TypeAlias = Callable[[Any, Iterable[ServerURL]], Job]


class Fetcher:
    """Fetches items into one destination folder."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        destination: str,
        overwrite: Overwrite,
        progress: Progress,
        *,
        job_of: JobOf,
        slots: Slots,
        manifest: Manifest | None = None,
        durable: bool = False,
        cache: OpenCache | None = None,
    ) -> None:
        self._session = session
        self._destination = Destination(destination, durable=durable)
        self._syncs = FolderSyncs() if durable else None
        self._root = destination
        self._overwrite: Overwrite = overwrite
        self._progress = progress
        self._job_of = job_of
        self._manifest = manifest
        self._slots = slots
        self._cache = cache
        self._takes_small = not durable and cache is None
        self._expects_small = True
        self._seconds_per_file = inf

    async def targets(self, chunks: Chunks, *, ahead: bool) -> AsyncGenerator[FetchWork, None]:
        """
        Find the target of each item of *chunks*, check the file that exists there, and yield what is to be fetched.

        Outcomes of items that this check settles come together, and so do files that are probably small.

        Args:
            chunks: The items.
            ahead: Whether to check the next chunk while the current one is in use; for items that are all in memory.
        """
        async with aclosing((self._looked_ahead if ahead else self._looked)(chunks)) as looks:
            async for chunk, looked in looks:
                settled = [
                    settle(self._progress, found, listed_size(item))
                    for item, found in zip(chunk, looked, strict=True)
                    if isinstance(found, Outcome)
                ]
                if settled:
                    yield settled
                targets = [found for found in looked if isinstance(found, Target)]
                small = [target for target in targets if self._takes_small and _is_probably_small(target)]
                while small:
                    group = self._group(small)
                    small = small[len(group) :]
                    yield SmallTargets(group)
                for target in targets:
                    if not (self._takes_small and _is_probably_small(target)):
                        yield target

    def _group(self, small: Sequence[Target]) -> list[Target]:
        """The first of *small* that one worker is to fetch: of one server, and no more than fit in `_GROUP_SECONDS`."""
        first = small[0].job
        count = max(1, min(_MOST_IN_GROUP, int(_GROUP_SECONDS / self._seconds_per_file)))
        if first.listed is None and not self._expects_small:
            count = 1  # the next may be large, too, and a group is reported as a whole
        server = first.item.server
        return list(takewhile(lambda target: target.job.item.server == server, small[:count]))

    async def look(self, items: Sequence[Any]) -> list[Target | Outcome]:
        """Find the target of each item, and check the file that exists there; to be called by one task at a time."""
        return await run(self._look, items, self._servers)

    async def _looked(self, chunks: Chunks) -> AsyncGenerator[Looked, None]:
        """Yield each chunk with its targets and outcomes."""
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk, await run_short(self._look, chunk, self._servers)

    async def _looked_ahead(self, chunks: Chunks) -> AsyncGenerator[Looked, None]:
        """The same, while a thread checks the next chunk."""
        before: Sequence[Any] = ()
        looking: asyncio.Task[list[Target | Outcome]] | None = None
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    looked = [] if looking is None else await finished(looking)
                    looking = asyncio.create_task(run_short(self._look, chunk, self._servers))
                    yield before, looked
                    before = chunk
            if looking is not None:
                yield before, await finished(looking)
        finally:
            if looking is not None:
                await finished(looking)

    @property
    def _servers(self) -> tuple[ServerURL, ...]:
        return state_of(self._session).servers

    async def check_space(self, items: Iterable[Any] | AsyncIterable[Any]) -> None:
        """
        Make sure that *items* fit on the disk, as far as their sizes are known in advance.

        Raises:
            LocalFileError: If they do not.
        """
        if isinstance(items, Sequence):
            servers = self._servers
            await run(check_space, items, lambda item: self._path_of(item, servers), self._overwrite, self._root)

    def _path_of(self, item: Any, servers: Iterable[ServerURL]) -> tuple[str, FileInfo | None]:
        job = self._job_of(item, servers)
        return local_path(self._root, job.relative), job.listed

    def _look(self, chunk: Sequence[Any], servers: Iterable[ServerURL]) -> list[Target | Outcome]:
        """Find the targets of a chunk of items, and decide what to do about each; blocks."""
        placed = [self._place(item, servers) for item in chunk]
        there = [target for target in placed if isinstance(target, Target) and target.status]
        if self._manifest is not None and self._overwrite == "changed" and there:
            found = self._manifest.find({target.real: Stamp.of(target.status) for target in there if target.status})
            for target in there:
                target.known = found.get(target.real, target.known)
        return [self._decided(target) if isinstance(target, Target) else target for target in placed]

    def _place(self, item: Any, servers: Iterable[ServerURL]) -> Target | Outcome:
        started = time.perf_counter()
        url, path = None, None
        try:
            job = self._job_of(item, servers)
            url = job.listed.url if job.listed else str(job.item)
            path = local_path(self._root, job.relative)
            looked_ns = time.time_ns()
            real, file = self._destination.claim(path, url)
            has_partial = self._destination.may_have_record(file) and may_have_partial(job.item, file.path, job.listed)
            return Target(job, url, path, real, file, looked_ns, has_partial)
        except ArtifactoryError as error:
            return failed(url or label_of(item), path, started, error)

    def _decided(self, target: Target) -> Target | Outcome:
        target.decision = decide(self._overwrite, target.size, target.job.listed, target.known)
        if target.decision != "keep":
            return target
        if target.known and target.job.listed:
            target.known = target.job.listed.checksums  # equal, and in memory already
        return _unchanged(target)

    async def fetch(self, work: FetchWork) -> Outcome | Sequence[Outcome]:
        """Fetch one file, or a group of small ones; what goes wrong with one becomes part of its outcome."""
        if isinstance(work, Target):
            return await self._fetch_tracked(work)
        return await self.fetch_small(work.targets) if isinstance(work, SmallTargets) else work

    async def fetch_small(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        """Request files of one server, one after the other; then have one thread job verify and write them."""
        outcomes, received, waiting = list[Outcome](), list[_Received](), targets
        if not targets:
            return outcomes
        started = time.perf_counter()
        files = await self._prepared(targets[0].job.item.server)
        async with collapsed(), anyio.create_task_group() as usual:
            while waiting:
                await self._slots.__aenter__()
                waiting = await self._receive_in_slot(files, waiting, received, usual, outcomes)
            if whole := [each.file for each in received if each.file is not None]:
                await run_short(place_small, whole)
            for each in received:
                outcomes.append(await self._placed(each))
            self._seconds_per_file = (time.perf_counter() - started) / len(targets)
        return outcomes

    async def _prepared(self, server: ServerURL) -> SmallFiles | None:
        try:
            return await prepare_small_files(self._session, server)
        except ArtifactoryError:
            return None  # the fetch of each file raises this error

    async def _receive_in_slot(
        self,
        files: SmallFiles | None,
        targets: Sequence[Target],
        received: list[_Received],
        usual: TaskGroup,
        outcomes: list[Outcome],
    ) -> Sequence[Target]:
        """
        Receive files in a slot that the caller has taken; fetch the usual way those whose responses are not plain.

        Returns:
            The remaining targets, which need another slot: the caller's slot was passed to a file that may be large.
        """
        has_slot = True
        try:
            while targets and has_slot:
                responses, begun = await self._receive(files, targets)
                received += map(self._received, targets, responses)
                other, targets = targets[len(responses) : len(responses) + 1], targets[len(responses) + 1 :]
                if other and (files is None or (begun is not None and begun.is_success)):
                    # It may be large: the others do not wait for it, and it keeps the slot.
                    has_slot = False
                    usual.start_soon(self._fetch_and_leave, other[0], begun, outcomes)
                elif other:
                    # At once: nothing else may be sent before it is known what a refusal means for others.
                    outcomes.append(await self._fetch_in_slot(other[0], begun))
        finally:
            if has_slot:
                self._slots.give_back()
        return targets

    async def _receive(
        self, files: SmallFiles | None, targets: Sequence[Target]
    ) -> tuple[list[SmallResponse], BegunRequest | BegunResponse | None]:
        """Request files; return the plain responses, and the begun request of the first file without one."""
        responses = list[SmallResponse]()
        if files is None:
            return responses, None
        names = [target.job.relative for target in targets]
        for name in names:
            self._progress.started(name)
        try:
            begun = await files.get([target.job.item for target in targets], responses)
        finally:
            for name in names:
                self._progress.ended(name)
        # A response may be unusual for once, such as one that took long; the next small file shows that.
        self._expects_small = len(responses) == len(targets)
        return responses, begun

    def _received(self, target: Target, response: SmallResponse) -> "_Received":
        pin = pin_of(target.job.listed, is_binding=target.job.is_binding)
        is_recorded = self._manifest is not None
        checksums = small_checksums(target.job.item, pin, response, needs_all=is_recorded)
        if not checksums:
            return _Received(target, response, None)
        return _Received(target, response, SmallFile(target.file.path, response.body, checksums, is_recorded))

    async def _fetch_in_slot(self, target: Target, begun: Begun | None) -> Outcome:
        """Fetch a file the usual way, in the caller's slot."""
        try:
            return await self._fetch_tracked(target, begun, InSlot(self._slots))
        finally:
            if isinstance(begun, BegunRequest | BegunResponse):
                begun.discard()

    async def _fetch_and_leave(self, target: Target, begun: Begun | None, outcomes: list[Outcome]) -> None:
        """The same, in a slot that this call releases; add the outcome to *outcomes*."""
        try:
            outcomes.append(await self._fetch_in_slot(target, begun))
        finally:
            self._slots.give_back()

    async def _placed(self, received: "_Received") -> Outcome:
        """The outcome of a written file; one without checksums, or damaged in transit, is fetched the usual way."""
        target, small = received.target, received.file
        if small is None or small.is_damaged:
            return await self._fetch_tracked(target, received.response)
        file = FileProgress(self._progress, target.url, target.job.relative, listed_size(target.job))
        if small.error is not None:
            with file:
                pass
            file.finish("failed")
            return failed(target.url, target.path, received.response.started, small.error)
        size = len(small.body)
        if small.status is not None:
            await self._record(target, Fetched(size, small.checksums, small.status))
        with file:
            file.correct(size)
            file.advance(size)
        file.finish("transferred")
        seconds = time.perf_counter() - received.response.started
        return Outcome(target.url, target.path, "downloaded", size, small.checksums.sha256, seconds)

    async def _fetch_tracked(self, target: Target, begun: Begun | None = None, slots: Slots | None = None) -> Outcome:
        return await tracked(
            self._progress,
            target.url,
            target.path,
            partial(self._fetch, target, begun, slots or self._slots),
            name=target.job.relative,
            size=listed_size(target.job),
        )

    async def _fetch(self, target: Target, begun: Begun | None, slots: Slots, file: FileProgress) -> Outcome:
        if target.decision == "read" and await self._is_same(target):
            return _unchanged(target)
        if target.decision == "ask" and target.known.sha1 is None:
            # Nothing is known of the server's file: its SHA-1 is also its ETag, so one request decides.
            target.known = await run(_hash, target, ("sha1",))
        wanted = WantedFile(
            target.job.item,
            target.file.path,
            pin=pin_of(target.job.listed, is_binding=target.job.is_binding),
            check_replaceable=partial(target.file.check_replaceable, target.path),
            unless_sha1=target.known.sha1 if target.decision == "ask" else None,
            durable=self._syncs is not None,
            has_partial=target.has_partial,
            slots=slots,
            progress=file,
            begun=begun,
        )
        if self._cache is None:
            fetched = await fetch_file(self._session, wanted)
        else:
            fetched = await fetch_through(self._cache, self._session, wanted)
        if fetched is not None and self._syncs is not None:
            await self._syncs.sync(os.path.dirname(target.file.path))
        await self._record(target, fetched)
        if fetched is None:
            return _unchanged(target)
        return Outcome(
            target.url,
            target.path,
            "downloaded",
            fetched.size,
            fetched.checksums.sha256,
            was_replaced=fetched.was_replaced,
            from_cache=fetched.is_cached,
        )

    async def _is_same(self, target: Target) -> bool:
        """Read the local file, and compare it with what was listed."""
        listed = target.job.listed
        strongest = listed.checksums.strongest() if listed else None
        assert listed is not None
        assert strongest is not None, "there is something to compare with"
        target.known = await run(_hash, target, (strongest[0],))
        if decide(self._overwrite, target.size, listed, target.known) != "keep":
            return False
        target.known = listed.checksums
        await self._record(target, None)
        return True

    async def _record(self, target: Target, fetched: Fetched | None) -> None:
        """Record the content of the file in the manifest: what was fetched, or what it already had."""
        if self._manifest is None:
            return
        if fetched is not None and not fetched.checksums:
            return  # nothing to report
        if fetched is not None:
            due = self._manifest.add_written(target.real, fetched.status, fetched.checksums)
        else:
            assert target.status is not None
            due = self._manifest.add_read(target.real, target.status, target.looked_ns, target.known)
        if due:
            await run(self._manifest.flush)


@asynccontextmanager
async def opened_manifest(path: str | None) -> AsyncIterator[Manifest | None]:
    """Open a manifest if one is wanted; what was verified is written to it even if the call is cancelled."""
    if path is None:
        yield None
        return
    manifest = await run(Manifest, path)
    try:
        yield manifest
    finally:
        with anyio.CancelScope(shield=True):
            await run(manifest.close)


def job_of_item(item: Item, servers: Iterable[ServerURL], root: str = "") -> Job:
    """
    Make a job of an item of the caller; an absolute path must lie below *root*; blocks.

    Raises:
        InvalidArgumentError: If it is not one.
        UnsafePathError: If its path is absolute and lies elsewhere.
    """
    if isinstance(item, FileInfo):
        return Job(parse_item_url(item.url, servers), item.name, item, is_binding=True)
    if isinstance(item, URLLike):
        address = parse_item_url(item, servers)
        return Job(address, address.name)
    match item:
        case tuple((url, str() | os.PathLike() as path)) if isinstance(relative := os.fspath(path), str):
            return _job_below(root, parse_item_url(url, servers), relative)
        case tuple((url, str() | os.PathLike() as path, Checksums() as checksums)) if isinstance(
            relative := os.fspath(path), str
        ):
            address = parse_item_url(url, servers)
            pinned = FileInfo(str(address), address.repository, address.path, checksums=checksums)
            return _job_below(root, address, relative, pinned)
    raise InvalidArgumentError(
        f"item is a {type(item).__name__}; expected a URL, a (url, path) pair, (url, path, Checksums) or a FileInfo"
    )


def _job_below(root: str, address: ItemURL, path: str, pinned: FileInfo | None = None) -> Job:
    path = path.replace(os.sep, "/")
    where = path_below_root(root, path).replace(os.sep, "/")
    relative = where + address.name if names_folder(path) else where
    return Job(address, relative, pinned, is_binding=pinned is not None)


def _unchanged(target: Target) -> Outcome:
    return Outcome(target.url, target.path, "unchanged", target.size or 0, target.known.sha256)


def _hash(target: Target, algorithms: Sequence[Algorithm]) -> Checksums:
    """Checksums of the existing file; blocks."""
    return hash_file(target.path, algorithms)[1]


def _is_probably_small(target: Target) -> bool:
    """Whether to try the fast path: nothing of the file was fetched before, and its size, if it is known, is small."""
    listed = target.job.listed
    if target.decision != "fetch" or target.has_partial or target.file.is_link:
        return False
    return listed is None or listed.size is None or listed.size <= _SMALL


def listed_size(item: object) -> int:
    listed = item.listed if isinstance(item, Job) else item
    return listed.size or 0 if isinstance(listed, FileInfo) else 0
