"""Many files: each becomes an outcome, and no failure hides another."""

import os
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import aiohttp

from .._address import ItemURL, mask_url, parse_item_url
from .._checksums import Checksums
from .._errors import ArtifactoryError, InvalidArgumentError
from .._files import file_size, hash_file, is_file, list_names, make_folder, resolve_folder
from .._models import FileInfo
from .._progress import Progress
from .._reports import Outcome
from .._scheduler import as_async
from .._session import state_of
from .._threads import run
from .download import fetch_file
from .plan import check_inside, local_path, may_be_unchanged

Item: TypeAlias = str | tuple[str, str | os.PathLike[str]] | FileInfo
Overwrite: TypeAlias = Literal["changed", "always", "never"]


@dataclass(frozen=True, slots=True)
class Job:
    """
    One file to fetch.

    Attributes:
        item: Where it is.
        relative: Where it goes, below the destination, with slashes.
        listed: What a listing said of it, or None.
    """

    item: ItemURL
    relative: str
    listed: FileInfo | None = None


@dataclass(slots=True)
class Fetcher:
    """Fetches jobs into one destination folder."""

    session: aiohttp.ClientSession
    destination: str
    overwrite: Overwrite
    progress: Progress
    _names: dict[str, frozenset[str]] = field(default_factory=dict)
    _targets: set[str] = field(default_factory=set)

    async def counted(self, items: Iterable[Item | Job] | AsyncIterable[Item | Job]) -> AsyncIterator[Item | Job]:
        """Pass *items* on, one by one, and tell the progress of all that are known."""
        if known := isinstance(items, Sequence):
            self.progress.expect(files=len(items), size=sum(map(_listed_size, items)))
        async with aclosing(as_async(items)) as source:
            async for item in source:
                if not known:
                    self.progress.expect(files=1, size=_listed_size(item))
                yield item

    async def fetch(self, item: Item | Job) -> Outcome:
        """Fetch one file; what goes wrong with it becomes part of the outcome."""
        started = time.perf_counter()
        url, target = _name(item), None
        try:
            job = item if isinstance(item, Job) else self._job(item)
            url, target = str(job.item), local_path(self.destination, job.relative)
            self.progress.started(job.item.name)
            try:
                return await self._fetch(job, url, target, started)
            finally:
                self.progress.ended(job.item.name)
        except ArtifactoryError as error:
            self.progress.finish("failed", _listed_size(item))
            seconds = time.perf_counter() - started
            return Outcome(url, target, "failed", seconds=seconds, error=_without_frames(error))

    async def _fetch(self, job: Job, url: str, target: str, started: float) -> Outcome:
        if target in self._targets:
            raise InvalidArgumentError(
                f"{url}: another item of this call goes to {target} too", hint="give (url, path) pairs"
            )
        self._targets.add(target)
        local = await self._look(target, job.listed)
        fetched = None
        if not local.unchanged:
            fetched = await fetch_file(
                self.session,
                job.item,
                target,
                listed=job.listed,
                unless_sha1=local.checksums.sha1,
                progress=self.progress,
            )
        seconds = time.perf_counter() - started
        if fetched is None:
            self.progress.finish("skipped", job.listed.size or 0 if job.listed else 0)
            return Outcome(url, target, "unchanged", local.size, local.checksums.sha256, seconds)
        self.progress.finish("transferred")
        return Outcome(url, target, "downloaded", fetched.size, fetched.checksums.sha256, seconds)

    def _job(self, item: Item) -> Job:
        servers = state_of(self.session).credentials
        if isinstance(item, FileInfo):
            return Job(parse_item_url(item.url, servers), item.name, item)
        if isinstance(item, str):
            address = parse_item_url(item, servers)
            return Job(address, address.name)
        match item:
            case tuple((url, str() | os.PathLike() as path)) if isinstance(relative := os.fspath(path), str):
                return Job(parse_item_url(url, servers), relative.replace(os.sep, "/"))
        raise InvalidArgumentError(f"item is a {type(item).__name__}; expected a URL, a (url, path) pair or a FileInfo")

    async def _look(self, target: str, listed: FileInfo | None) -> "_Local":
        """
        Make the folder of *target*, and see whether it already holds what is wanted.

        Names are read once per folder: most files of a first run are not there, and need no thread of their own.
        """
        folder, name = os.path.split(target)
        if folder not in self._names:
            self._names[folder] = await run(self._enter, folder)
        if self.overwrite == "always" or name not in self._names[folder]:
            return _Local()
        return await run(self._compare, target, listed)

    def _enter(self, folder: str) -> frozenset[str]:
        """Make *folder*, unless a symbolic link puts it outside the destination, and list it; blocks."""
        make_folder(self.destination)
        # Looked at before anything is made below: makedirs would follow the link.
        check_inside(resolve_folder(self.destination), resolve_folder(folder))
        make_folder(folder)
        return list_names(folder)

    def _compare(self, target: str, listed: FileInfo | None) -> "_Local":
        """Compare an existing file with a listing; blocks."""
        if not is_file(target):
            return _Local()
        size = file_size(target)
        if self.overwrite == "never":
            return _Local(unchanged=True, size=size)
        strongest = listed.checksums.strongest() if listed else None
        if listed is None or strongest is None:
            # Nothing is known of the server's file: its SHA-1 is also its ETag, so one request can tell.
            return _Local(size=size, checksums=hash_file(target, ("sha1",))[1])
        if not may_be_unchanged(size, listed):
            return _Local()
        algorithm, expected = strongest
        _, checksums = hash_file(target, (algorithm,))
        return _Local(checksums.get(algorithm) == expected, size, checksums)


@dataclass(frozen=True, slots=True)
class _Local:
    """What is at the target already."""

    unchanged: bool = False
    size: int = 0
    checksums: Checksums = field(default_factory=Checksums)


def _without_frames(error: ArtifactoryError) -> ArtifactoryError:
    """Let go of the frames, and with them the buffers, that tracebacks of *error* and its causes keep alive."""
    link: BaseException | None = error
    while link is not None:
        link = link.with_traceback(None).__context__
    return error


def _listed_size(item: Item | Job) -> int:
    listed = item.listed if isinstance(item, Job) else item
    return listed.size or 0 if isinstance(listed, FileInfo) else 0


def _name(item: object) -> str:
    """A name for an item that may be malformed."""
    first = item[0] if isinstance(item, tuple) and item else item
    if isinstance(first, Job):
        return str(first.item)
    return mask_url(first) if isinstance(first, str) else getattr(first, "url", type(item).__name__)
