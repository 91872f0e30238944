"""Download one file, many files, or a tree."""

import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import aiohttp

from .._address import ItemURL, ServerURL, URLLike
from .._cache import Cache, CacheLike, OpenCache, cache_of, opened_cache
from .._checksums import Checksums
from .._errors import InvalidArgumentError
from .._files import (
    TargetFile,
    check_folder,
    check_target,
    hash_file,
    is_file,
    is_folder,
    make_folder,
    remove_left_behind,
    sync_folder,
)
from .._models import FileInfo
from .._options import check_path, check_several, given_or
from .._path_filter import ALL_FILES, files_matching
from .._progress import FileProgress, Progress
from .._reports import Outcome
from .._scheduler import Slots
from .._threads import run
from .._transfer.accounting import consumed, in_chunks
from .._transfer.local_paths import local_name, relative_path
from .._transfer.many.fetcher import Fetcher, FetchWork, Item, Job, JobOf, job_of_item, listed_size, opened_manifest
from .._transfer.many.folder_archive import unpack_folder
from .._transfer.overwrite import Overwrite, check_overwrite
from .._transfer.receive.cached_file import fetch_through
from .._transfer.receive.content import required_pin
from .._transfer.receive.one_file import WantedFile, fetch_file, may_have_partial
from .bulk import Batch, BulkCall, BulkOptions, OnError, Work, bulk
from .listing import list_through
from .session import item_of, using


async def download(
    url: URLLike,
    destination: str | os.PathLike[str] = ".",
    *,
    force_download: bool = True,
    sha256: str | None = None,
    durable: bool = False,
    cache: CacheLike | None = None,
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> str:
    """
    Download one file; one request, two if its response has no checksums, as after a redirect to storage.

    The bytes are written to a staging file next to the target. When size and SHA-256 (else SHA-1, else MD5) are
    verified, it is renamed onto the target. A failure leaves the target as it was. If the target is a symbolic link to
    a file, that file is replaced, and the link is kept. If the call fails or is cancelled, the received bytes of a file
    of at least 8 MiB are kept, and a later call resumes, see :func:`remove_parts`. If one connection is slow, ranges
    are fetched in parallel, up to the ``max_concurrency`` of the session.

    A file that is stored with a ``Content-Encoding`` is saved as it is stored; a coding that a proxy added is removed.
    Example::

        url = f"{server}/libs-release/org/acme/app/1.0/app-1.0.jar"
        path = await aioartifact.download(url, ".")

    Args:
        url: URL of the file.
        destination: Path of the new file in an existing folder, or an existing folder, in which the file keeps its
            name. In all local paths, a leading ``~`` is the home folder.
        force_download: Whether to download if the local file exists. False returns its path without a request,
            whatever its content; with *sha256*, only if the local file has that checksum.
        sha256: Required SHA-256 in hexadecimal; the target is not written if the file has another one. None verifies
            the checksums that the server reports.
        durable: Whether to return only when the file would survive a power failure: its bytes and its name are written
            to the disk (fsync), which takes some milliseconds.
        cache: A :class:`Cache`, or the path of its folder: the file is taken from the cache if its bytes are there,
            otherwise downloaded and added.
        session: Session to use; None opens one for this call.
        progress: Counts the file and its received bytes.

    Returns:
        Absolute path of the local file.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        InvalidArgumentError: If *destination* is empty or not a path, *sha256* is not 64 hexadecimal digits,
            *progress* is not a :class:`Progress`, or *cache* is neither a :class:`Cache` nor a path.
        FileNotFoundError: If the destination folder does not exist (:class:`LocalNotFoundError`), or the file does not
            exist on the server (:class:`NotFoundError`).
        NotAFileError: If *url* is that of a folder.
        LocalFileError: If the target is a folder, a pipe, a device, or a symbolic link to a missing or read-only file;
            or if the disk is full, or fails for another reason.
        NotCachedError: If the *cache* is offline and does not have the file.
        IntegrityError: If size or checksum differs from what the server reports, or from *sha256*.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Retrieve Artifact".
    """
    folder = check_path("destination", destination, is_folder=True)
    required, chosen = Checksums(sha256=sha256), None if cache is None else cache_of(cache)
    shown = given_or("progress", progress, Progress())
    async with (
        using(session, "download") as opened,
        nullcontext() if chosen is None else opened_cache(chosen) as used_cache,
    ):
        item = item_of(opened, url)
        target, replaced, has_partial = await run(_target, folder, item)
        shown.expect(files=1)
        file = FileProgress(shown, str(item), item.name)
        if not force_download and await run(_is_current, target, required):
            file.finish("skipped")
            return target
        try:
            with file:
                wanted = WantedFile(
                    item,
                    replaced.path,
                    pin=required_pin(required),
                    check_replaceable=partial(replaced.check_replaceable, target),
                    durable=durable,
                    has_partial=has_partial,
                    progress=file,
                )
                if used_cache is None:
                    await fetch_file(opened, wanted)
                else:
                    await fetch_through(used_cache, opened, wanted)
            if durable:
                await run(sync_folder, os.path.dirname(replaced.path))
        except BaseException:
            file.finish("failed")
            raise
        file.finish("transferred")
        return target


def _is_current(path: str, required: Checksums) -> bool:
    """Return whether a local file exists, and has the *required* checksum, if not None; blocks."""
    return is_file(path) and (not required or hash_file(path, required.known())[1] == required)


def _target(destination: str, item: ItemURL) -> tuple[str, TargetFile, bool]:
    """
    Find out where to write *item*; blocks.

    Returns:
        The path of the local file; the path that is written, which differs for a link; and whether an earlier download
        has left some of the item there.
    """
    target = os.path.join(destination, local_name(item.name)) if is_folder(destination) else destination
    found = check_target(target)
    # The result is valid even after the caller changes the working directory.
    written = replace(found, path=os.path.abspath(found.path))
    return os.path.abspath(target), written, may_have_partial(item, written.path, None)


def download_many(
    items: Iterable[Item] | AsyncIterable[Item],
    destination: str | os.PathLike[str] = ".",
    *,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    overwrite: Overwrite = "changed",
    manifest: str | os.PathLike[str] | None = None,
    durable: bool = False,
    cache: CacheLike | None = None,
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Download many files, several at a time, each as by :func:`download`.

    Await the result for a :class:`Report`, or open it with ``async with`` to process outcomes as they finish, see
    :class:`Batch`. Items are pulled when they can start, so the iterable may be endless. Memory holds about 4 MiB for
    each file in flight, all local paths so far, which must be unique, and the outcomes of an awaited report.
    Example::

        async with aioartifact.download_many(urls, "data") as outcomes:
            async for outcome in outcomes:
                print(outcome.path)

    Args:
        items: URLs, ``(url, path)`` pairs with a path below the destination, relative or absolute, ``(url, path,
            Checksums)`` triples, or :class:`FileInfo` values; in any iterable or async iterable. Without a path, a file
            keeps its name; a path with a final slash is the folder in which it keeps its name. The checksums of a
            triple, and size and checksums of a FileInfo, are required: if the file on the server differs, its download
            fails, and the local file stays as it was.
        destination: Folder to write to; it and folders below it are created as needed.
        max_concurrency: Files in flight; None takes it from the session's :class:`Limits`.
        on_error: What to do about failures: ``"raise"``, ``"stop"`` or ``"collect"``, see :class:`Batch`.
        overwrite: Which existing files to replace. ``"changed"`` keeps files with the right content, which needs no
            request if the item has checksums, otherwise one request without a body. ``"always"`` replaces all.
            ``"never"`` keeps all, whatever their content.
        manifest: File that records verified files: a later call with ``overwrite="changed"`` does not read local files
            whose size, times and inode are unchanged. It is created as needed, with its folder. Several calls and
            processes may share it, and it may be deleted at any time. None reads the local files.
        durable: Whether to report a file only when it would survive a power failure, see :func:`download`. Files of one
            folder that are complete at the same time share one fsync of the folder.
        cache: A :class:`Cache`, or the path of its folder: files whose bytes are in the cache are taken from it, see
            :attr:`Report.from_cache`; others are downloaded and added.
        session: Session to use; None opens one for this call.
        progress: Counts files and received bytes.

    Returns:
        A :class:`Batch`, to be awaited or opened.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable, an option has an invalid value, *destination* is
            empty or not a path, *progress* is not a :class:`Progress`, *cache* is neither a :class:`Cache` nor a path,
            or, when awaited or opened, *manifest* is a file of another kind.
        LocalFileError: When awaited or opened: if *destination* or the folder of the *cache* is a file, *manifest*
            cannot be opened, or the known sizes exceed the free space; nothing was downloaded.
        BatchError: When awaited or left: if files failed. Each failure is one of the errors of :func:`download`;
            UnsafePathError for a path outside the destination; or InvalidArgumentError for an invalid item, or for two
            items with the same target.
    """
    if isinstance(items, str):
        raise InvalidArgumentError("items is one str", hint="give a list of URLs, or use download() for one file")
    check_several("items", items)

    async def source(_: aiohttp.ClientSession, __: OpenCache | None) -> _DownloadItems:
        return _DownloadItems(items, partial(job_of_item, root=where.destination), in_chunks)

    where = _checked(destination, overwrite, manifest, durable, cache)
    return _downloads(source, where, BulkOptions("download_many", max_concurrency, on_error, session, progress))


def download_folder(
    url: URLLike,
    destination: str | os.PathLike[str] = ".",
    *,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    overwrite: Overwrite = "changed",
    manifest: str | os.PathLike[str] | None = None,
    durable: bool = False,
    archive: bool = False,
    cache: CacheLike | None = None,
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Download the files of a folder with its subfolders: all, or those that match patterns.

    The files are listed first: one request if the server offers File List or AQL to the user, otherwise one request per
    folder. Then each missing or changed file takes one request. If a file was replaced after it was listed, and its
    info confirms that, the new content is downloaded, see :attr:`Report.replaced`.

    An empty folder on the server becomes an empty local folder; empty folders below it are not created. Example::

        url = f"{server}/data/emodb/1.1.0"
        report = await aioartifact.download_folder(url, "emodb", include="**/*.wav")
        print(len(report.downloaded), len(report.unchanged))

    Args:
        url: URL of a folder or a repository.
        destination: Folder to write to; it and folders below it are created as needed. Other local files in it are not
            changed.
        include: Patterns, see :func:`walk`: a file is downloaded if its path below the folder matches one of them. If
            no file matches, the report is empty.
        exclude: Patterns of files and folders to leave out.
        max_concurrency: See :func:`download_many`.
        on_error: See :func:`download_many`.
        overwrite: See :func:`download_many`.
        manifest: See :func:`download_many`.
        durable: See :func:`download_many`.
        archive: Whether to request the folder as one archive: one request instead of one for each file, if the server
            is Artifactory Pro and its administrator allows it. Files that are listed with size and checksum are
            unpacked and verified; all others, or all files if there is no archive, are downloaded one by one. The
            archive takes its size in additional disk space until it is unpacked. It contains the whole folder, so it is
            not requested if most files, or most bytes, are unchanged or not selected. Cannot be combined with *cache*.
        cache: See :func:`download_many`. The cache also stores the listing of the folder: an offline cache sends no
            request, and uses the last listing.
        session: Session to use; None opens one for this call.
        progress: Counts files and received bytes.

    Returns:
        A :class:`Batch`, to be awaited or opened.

    Raises:
        InvalidArgumentError: If an option has an invalid value, *destination* is empty or not a path, a pattern is
            invalid, *progress* is not a :class:`Progress`, *cache* is neither a :class:`Cache` nor a path or is given
            with *archive*, or, when awaited or opened, *manifest* is a file of another kind.
        LocalFileError: When awaited or opened, as all below: if *destination* or the folder of the *cache* is a file,
            *manifest* cannot be opened, the known sizes exceed the free space, or a folder cannot be created.
        NotCachedError: If the *cache* is offline, and has no listing of the folder.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the folder does not exist.
        NotAFolderError: If *url* is a file.
        IncompleteListingError: If the listing breaks off, and cannot be continued by another method.
        ResponseError, TransportError, ProtocolError: If the folder cannot be listed, see
            :ref:`errors-of-every-function`.
        BatchError: If files failed, see :func:`download_many`.

    See: JFrog REST API, "File List", "Artifactory Query Language (AQL)" and "Folder Info"; with *archive*
    "Retrieve Folder or Repository Archive".
    """
    where = _checked(destination, overwrite, manifest, durable, cache)
    path_filter = files_matching(include, exclude)
    if archive and where.cache:
        raise InvalidArgumentError("archive and cache exclude each other", hint="a cache needs the files one by one")

    async def source(opened: aiohttp.ClientSession, used_cache: OpenCache | None) -> _DownloadItems:
        folder = item_of(opened, url)

        def job_of(file: FileInfo, _: Iterable[ServerURL]) -> Job:
            relative = relative_path(folder.path, file.path)
            return Job(folder / relative, relative, file)

        # The server packs the whole folder, so all of its files must be listed.
        files = await list_through(used_cache, opened, folder, ALL_FILES if archive else path_filter)
        if not files and not path_filter.has_patterns:
            await run(partial(make_folder, where.destination, durable=where.durable))
        if not archive:
            return _DownloadItems(files, job_of, consumed)
        jobs = [job_of(file, ()) for file in files]
        chosen = [job for job in jobs if path_filter.matches(job.relative, is_folder=False)]
        unpacked = await unpack_folder(
            opened, folder, chosen, files, where.destination, overwrite=overwrite, durable=where.durable
        )
        done = {outcome.url for outcome in unpacked}
        rest = [job.listed for job in chosen if str(job.item) not in done]
        return _DownloadItems(rest, job_of, consumed, unpacked)

    return _downloads(source, where, BulkOptions("download_folder", max_concurrency, on_error, session, progress))


class _DownloadItems(NamedTuple):
    """
    The work of a bulk call.

    Attributes:
        items: The items to download.
        job_of: Returns the job of an item.
        chunks_of: Yields the items in chunks, and reports their known sizes to a progress.
        settled: Outcomes of files that are already complete.
    """

    items: Iterable[Any] | AsyncIterable[Any]
    job_of: JobOf
    chunks_of: Callable[[Any, Callable[[Any], int], Progress], AsyncGenerator[Sequence[Any], None]]
    settled: Sequence[Outcome] = ()


@dataclass(frozen=True, slots=True)
class _Where:
    """The validated destination and options of bulk downloads."""

    destination: str
    overwrite: Overwrite
    manifest: str | None
    durable: bool
    cache: Cache | None


async def remove_parts(folder: str | os.PathLike[str], *, older_than: float | None = None) -> list[str]:
    """
    Remove partial files of interrupted downloads in and below a folder; no request.

    An interrupted download of a large file leaves a partial file and its journal next to the target, named
    ``.<target>.<16 digits>.part`` and ``.<target>.<16 digits>.journal``, so that a later call can resume. Remove them
    if the download will not be resumed. Files with other names, and files of running transfers of any process, are not
    touched.

    Args:
        folder: Folder to search. Symbolic links in it are not followed.
        older_than: Minimum seconds since a file was last written; None for any age. On a file system without locks,
            where files in use cannot be detected, files are removed only if this is set.

    Returns:
        Paths of the files that were removed.

    Raises:
        InvalidArgumentError: If *folder* is empty or not a path, or *older_than* is not a number of at least 0.
        LocalNotFoundError: If the folder does not exist.
        LocalFileError: If it cannot be listed.
    """
    if older_than is not None and not (_is_number(older_than) and older_than >= 0):
        raise InvalidArgumentError(f"older_than={older_than!r}: expected seconds, at least 0, or None")
    return await run(remove_left_behind, check_path("folder", folder, is_folder=True), older_than)


def _checked(
    destination: str | os.PathLike[str],
    overwrite: Overwrite,
    manifest: str | os.PathLike[str] | None,
    durable: bool,
    cache: CacheLike | None,
) -> _Where:
    check_overwrite(overwrite)
    return _Where(
        check_path("destination", destination, is_folder=True),
        overwrite,
        None if manifest is None else check_path("manifest", manifest),
        durable,
        None if cache is None else cache_of(cache),
    )


def _downloads(
    source: Callable[[aiohttp.ClientSession, OpenCache | None], Awaitable[_DownloadItems]],
    where: _Where,
    options: BulkOptions,
) -> Batch:
    @asynccontextmanager
    async def prepare(call: BulkCall) -> AsyncIterator[Work[FetchWork]]:
        await run(check_folder, where.destination)
        async with (
            opened_manifest(where.manifest) as manifest,
            nullcontext() if where.cache is None else opened_cache(where.cache) as cache,
        ):
            items, job_of, chunks_of, settled = await source(call.session, cache)
            fetcher = Fetcher(
                call.session,
                where.destination,
                where.overwrite,
                call.progress,
                job_of=job_of,
                slots=Slots(call.concurrency),
                manifest=manifest,
                durable=where.durable,
                cache=cache,
            )
            await fetcher.check_space(items)
            _count(settled, call.progress)
            chunks = chunks_of(items, listed_size, call.progress)
            targets = fetcher.targets(chunks, ahead=isinstance(items, Sequence))
            # While files are verified and committed, the bytes of others are received.
            yield Work(_after(settled, targets), fetcher.fetch, workers=call.concurrency + call.concurrency // 2)

    return bulk(prepare, options)


def _count(settled: Sequence[Outcome], progress: Progress) -> None:
    progress.expect(files=len(settled), size=sum(outcome.size for outcome in settled))
    for outcome in settled:
        file = FileProgress(progress, outcome.url, os.path.basename(outcome.path or ""), outcome.size)
        file.advance(outcome.size)
        file.finish("transferred")


async def _after(
    settled: Sequence[Outcome], targets: AsyncGenerator[FetchWork, None]
) -> AsyncGenerator[FetchWork, None]:
    if settled:
        yield settled
    async with aclosing(targets):
        async for target in targets:
            yield target


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
