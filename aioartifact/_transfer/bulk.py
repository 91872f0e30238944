"""Many files: each becomes an outcome, and no failure hides another."""

import os
import time
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
from .._session import state_of
from .._threads import run
from .accounting import failed, in_flight
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

    async def fetch(self, item: Item | Job) -> Outcome:
        """Fetch one file; what goes wrong with it becomes part of the outcome."""
        started = time.perf_counter()
        url, target = _name(item), None
        try:
            job = item if isinstance(item, Job) else self._job(item)
            url, target = str(job.item), local_path(self.destination, job.relative)
            with in_flight(self.progress, job.item.name):
                return await self._fetch(job, url, target, started)
        except ArtifactoryError as error:
            self.progress.finish("failed", listed_size(item))
            return failed(url, target, started, error)

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


def listed_size(item: Item | Job) -> int:
    """Bytes of an item, as far as a listing told."""
    listed = item.listed if isinstance(item, Job) else item
    return listed.size or 0 if isinstance(listed, FileInfo) else 0


def _name(item: object) -> str:
    """A name for an item that may be malformed."""
    first = item[0] if isinstance(item, tuple) and item else item
    if isinstance(first, Job):
        return str(first.item)
    return mask_url(first) if isinstance(first, str) else getattr(first, "url", type(item).__name__)
