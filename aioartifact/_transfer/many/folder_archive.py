"""
A folder fetched as one archive, which the server makes of it.

The archive is not trusted: only files whose path, size and checksum match a listing are unpacked; all others are left
to be fetched file by file. So paths that lead elsewhere, links and zip bombs have no effect.
"""

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

import aiohttp
import anyio

from ..._address import ItemURL
from ..._archives import Archive, opened
from ..._checksums import Checksums, Digests
from ..._errors import ArchiveError, ArtifactoryError
from ..._files import Staging, find_target, make_folder, resolve_folder, sync_folder
from ..._models import FileInfo
from ..._protocol import build_folder_archive
from ..._reports import Outcome
from ..._session import stream
from ..._threads import check_wanted, run
from ..local_paths import folded, local_path
from ..overwrite import Overwrite, decide
from ..receive.content import algorithms_for
from .destination import Destination
from .fetcher import Job

_BATCH = 1024 * 1024
# Overhead of a zip file: two headers with the path for each member, and an end record.
_HEAD, _END = 4096, 1024 * 1024


async def unpack_folder(
    session: aiohttp.ClientSession,
    folder: ItemURL,
    jobs: Sequence[Job],
    files: Sequence[FileInfo],
    root: str,
    *,
    overwrite: Overwrite,
    durable: bool,
) -> list[Outcome]:
    """
    Fetch *folder*, which has these *files*, as an archive, and unpack those of *jobs* that need it.

    Returns:
        Outcomes of the files that were verified and committed, and of no others. Empty if most of the archive would not
        be needed, or the server does not send one.
    """
    wanted = await run(_wanted, jobs, root, overwrite)
    if not _is_worth_it(wanted.values(), files):
        return []
    staging = Staging(os.path.join(root, "archive.zip"))
    unpacking = _Unpacking(wanted, root, durable=durable)
    try:
        # After any failure here, the files are downloaded one by one, or raise the error.
        with suppress(ArtifactoryError):
            await run(make_folder, root)
            await _receive(session, folder, staging, _largest(files))
            await run(unpacking.run, staging.path, str(folder))
    finally:
        with anyio.CancelScope(shield=True):
            await run(staging.discard)
    return unpacking.outcomes


def _wanted(jobs: Sequence[Job], root: str, overwrite: Overwrite) -> dict[str, Job]:
    """The jobs to be fetched, by their paths in the archive; empty if two may be the same local file; blocks."""
    real = _RealPaths(root)
    if len({folded(real.of(job.relative)) for job in jobs}) < len(jobs):
        return {}
    return {job.relative: job for job in jobs if _is_wanted(job, root, overwrite)}


class _RealPaths:
    """Paths below a folder with all symbolic links followed; blocks."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders: dict[str, str] = {}

    def of(self, relative: str) -> str:
        """The real path of a file; *relative* itself where nothing can be written."""
        try:
            path = local_path(self._root, relative)
            file = find_target(path)
        except ArtifactoryError:
            return relative  # its outcome reports the error
        if file.is_link:
            return file.path
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = resolve_folder(folder)
        return os.path.join(self._folders[folder], name)


def _is_wanted(job: Job, root: str, overwrite: Overwrite) -> bool:
    listed = job.listed
    if listed is None or listed.size is None or not listed.checksums:
        return False
    try:
        path = local_path(root, job.relative)
        file = find_target(path)
        file.check_replaceable(path)
    except ArtifactoryError:
        return False  # its outcome reports the error
    return decide(overwrite, file.status.st_size if file.status else None, listed, Checksums()) == "fetch"


def _is_worth_it(wanted: Collection[Job], files: Collection[FileInfo]) -> bool:
    """Whether an archive of all *files* consists mostly of what is *wanted*, by number and by bytes."""
    needed = _bytes_of(job.listed for job in wanted)
    return len(wanted) >= max(2, len(files) / 2) and needed >= _bytes_of(files) / 2


def _largest(files: Collection[FileInfo]) -> int:
    """Maximum size of an archive of these files."""
    return _bytes_of(files) + len(files) * _HEAD + _END


def _bytes_of(files: Iterable[FileInfo | None]) -> int:
    return sum(file.size or 0 for file in files if file)


async def _receive(session: aiohttp.ClientSession, folder: ItemURL, staging: Staging, largest: int) -> None:
    """
    Write the archive to the disk.

    Raises:
        ArchiveError: If it is larger than its files.
        ArtifactoryError: If it is not received.
    """
    size = 0
    async with stream(session, build_folder_archive(folder)) as reply:
        if reply.status != 200:
            raise await reply.error()
        while batch := await reply.next_batch(_BATCH):
            await run(staging.write, size, batch)
            size += sum(map(len, batch))
            if size > largest:
                raise ArchiveError(f"{folder}: its archive is larger than its files")
    if not size:
        raise ArchiveError(f"{folder}: its archive is empty")


class _Unpacking:
    """
    Unpacks files of an archive; blocks.

    Attributes:
        outcomes: Outcomes of the committed files.
    """

    def __init__(self, wanted: Mapping[str, Job], root: str, *, durable: bool) -> None:
        self.outcomes: list[Outcome] = []
        self._wanted = wanted
        self._root = root
        self._durable = durable
        self._folders: set[str] = set()
        self._destination = Destination(root, durable=durable)

    def run(self, path: str, name: str) -> None:
        """
        Unpack what is wanted.

        Raises:
            ArchiveError: If it is not an archive, or damaged.
            LocalFileError: If the disk failed.
        """
        with open(path, "rb") as file, opened(file, name) as archive:
            for member, handle in archive.members():
                job = self._wanted.get(member.name)
                listed = job.listed if job else None
                if job and listed and member.kind == "file" and member.size == listed.size:
                    self._unpack(archive, handle, job, listed)
        if self._durable:
            for folder in self._folders:
                sync_folder(folder)

    def _unpack(self, archive: Archive, handle: object, job: Job, listed: FileInfo) -> None:
        started = time.perf_counter()
        url, path = str(job.item), local_path(self._root, job.relative)
        real, file = self._destination.claim(path, url)
        file.check_replaceable(path)
        with _staged(real) as staging, archive.open(handle) as content:
            digests = Digests(algorithms_for(listed.checksums))
            size = _copy(content, staging, digests)
            checksums = digests.checksums()
            if size == listed.size and checksums.strongest() == listed.checksums.strongest():
                staging.commit(durable=self._durable)
                self._folders.add(os.path.dirname(real))
                seconds = time.perf_counter() - started
                self.outcomes.append(Outcome(url, path, "downloaded", size, checksums.sha256, seconds))


@contextmanager
def _staged(target: str) -> Iterator[Staging]:
    staging = Staging(target)
    try:
        yield staging
    finally:
        staging.discard()  # does nothing once it is committed


def _copy(content: IO[bytes], staging: Staging, digests: Digests) -> int:
    size = 0
    staging.write(0, ())  # creates the file even if it is empty
    while block := content.read(_BATCH):
        check_wanted()
        staging.write(size, (block,))
        digests.update(block)
        size += len(block)
    return size
