"""Upload many files, or a tree."""

import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import aiohttp

from .._address import ItemURL, URLLike
from .._errors import ForbiddenError, InvalidArgumentError, NotFoundError
from .._files import TreeFile, list_tree
from .._listing import list_files
from .._models import FileInfo
from .._options import check_path, check_several
from .._path_filter import PathFilter, files_matching
from .._progress import Progress
from .._threads import run
from .._transfer.overwrite import Overwrite
from .._transfer.send.deployer import (
    MIN_CHECKSUM_DEPLOY,
    Deployer,
    DeployItem,
    DeployOptions,
    DeployWork,
    LocalPath,
    checked_options,
)
from .._transfer.send.file_upload import Parameters
from .._transfer.send.remote_state import RemoteState
from .bulk import Batch, BulkCall, BulkOptions, OnError, Work, bulk
from .session import item_of

# The files to deploy, and the files of the server, if they were listed.
Planned: TypeAlias = tuple[
    Iterable[DeployItem | TreeFile] | AsyncIterable[DeployItem | TreeFile], Mapping[str, FileInfo] | None
]

# For a few files, one request each is cheaper than listing a folder that may be large.
_FEW = 8


def deploy_many(
    items: Iterable[DeployItem] | AsyncIterable[DeployItem],
    url: URLLike,
    *,
    parameters: Parameters | None = None,
    overwrite: Overwrite = "changed",
    min_checksum_deploy: int | None = MIN_CHECKSUM_DEPLOY,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Upload many local files, several at a time, each as by :func:`deploy`.

    Await the result for a :class:`Report`, or open it with ``async with`` to process outcomes as they finish, see
    :class:`Batch`. Items are pulled when they can start, so the iterable may be endless. Memory holds about 2 MiB for
    each file in flight, all URLs so far, which must be unique, the file names in their folders, and the outcomes of an
    awaited report.

    Args:
        items: Paths of local files, which keep their names, or ``(path, url)`` pairs with a URL, or a path below the
            target folder; in any iterable or async iterable. A target with a final slash is the folder in which the
            file keeps its name.
        url: URL of the target folder or repository. The server creates missing folders.
        parameters: Properties to set on every file; each value is a str or several. An unchanged file is deployed once
            more by its checksums to set them, in a request without bytes, unless *overwrite* is ``"never"``.
        overwrite: Which files on the server to replace. ``"changed"`` keeps files with the right content; it needs one
            request per folder and one per existing file. ``"always"`` replaces all. ``"never"`` keeps all, whatever
            their content; it needs one request per folder.
        min_checksum_deploy: See :func:`deploy`.
        max_concurrency: Files in flight; None takes it from the session's :class:`Limits`.
        on_error: What to do about failures: ``"raise"``, ``"stop"`` or ``"collect"``, see :class:`Batch`.
        session: Session to use; None opens one for this call.
        progress: Counts files and sent bytes.

    Returns:
        A :class:`Batch`, to be awaited or opened.

    Raises:
        InvalidArgumentError: If an argument has another type, an option has an invalid value, or a property is
            malformed.
        InvalidURLError: When awaited or opened: if *url* is not the URL of an item.
        BatchError: When awaited or left: if files failed. Each failure is one of the errors of :func:`deploy`, or
            InvalidArgumentError for an invalid item and for two items with the same URL.

    See: JFrog REST API, "Deploy Artifact" and "Deploy Artifact by Checksum".
    """
    if isinstance(items, str | os.PathLike):
        raise InvalidArgumentError(
            f"items is one {type(items).__name__}", hint="give a list of paths, or use deploy_folder() or deploy()"
        )
    check_several("items", items)

    async def source(_: aiohttp.ClientSession, __: ItemURL) -> Planned:
        return items, None

    how = checked_options(parameters, min_checksum_deploy, overwrite)
    return _deploys(source, url, how, BulkOptions("deploy_many", max_concurrency, on_error, session, progress))


def deploy_folder(
    folder: LocalPath,
    url: URLLike,
    *,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    parameters: Parameters | None = None,
    overwrite: Overwrite = "changed",
    min_checksum_deploy: int | None = MIN_CHECKSUM_DEPLOY,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Upload the files of a local folder with their subfolders: all, or those that match patterns.

    Files are deployed in the order of their paths, checksum files (``.sha1``, ``.sha256``, ``.md5``) after the files
    they belong to: Artifactory does not store checksum files, but compares them. Symbolic links to files and folders
    are followed; empty folders are not created. The target is listed first, as by :func:`download_folder`, unless
    there are only a few files. Example::

        target = f"{server}/libs-release/org/acme/app/1.0"
        report = await aioartifact.deploy_folder("dist", target)
        print(len(report.deployed), len(report.unchanged))

    Args:
        folder: Local folder.
        url: URL of the target folder or repository. Items there that the local folder does not have are left alone.
        include: Patterns, see :func:`walk`: a file is uploaded if its path below the folder matches one of them. If no
            file matches, the report is empty.
        exclude: Patterns of files and folders to leave out; matching folders are not read.
        parameters: See :func:`deploy_many`.
        overwrite: See :func:`deploy_many`. If the server offers File List or AQL to the user, one listing replaces the
            requests per folder and per file.
        min_checksum_deploy: See :func:`deploy`.
        max_concurrency: See :func:`deploy_many`.
        on_error: See :func:`deploy_many`.
        session: Session to use; None opens one for this call.
        progress: Counts files and sent bytes.

    Returns:
        A :class:`Batch`, to be awaited or opened.

    Raises:
        InvalidArgumentError: If an argument has another type, an option has an invalid value, a pattern is invalid, or
            a property is malformed.
        InvalidURLError: When awaited or opened, as all below: if *url* is not the URL of an item.
        FileNotFoundError: If the local folder does not exist (:class:`LocalNotFoundError`).
        LocalFileError: If the local folder is a file, or if it or a folder below it that is not excluded cannot be read
            or is a symbolic link to one of its own parents.
        NotAFolderError: If *url* is a file. If the target is not listed, each file fails instead.
        IncompleteListingError: If the listing breaks off, and cannot be continued by another method.
        ResponseError, TransportError, ProtocolError: If the target cannot be listed, see
            :ref:`errors-of-every-function`.
        BatchError: If files failed, see :func:`deploy_many`.

    See: JFrog REST API, "Deploy Artifact", "Deploy Artifact by Checksum" and "File List".
    """
    local = check_path("folder", folder, is_folder=True)
    path_filter = files_matching(include, exclude)

    async def source(opened: aiohttp.ClientSession, target: ItemURL) -> Planned:
        tree = await run(list_tree, local, path_filter)
        files = [file for file in tree if path_filter.matches(file.relative, is_folder=False)]
        lists = overwrite != "always" and len(files) > _FEW
        return files, await _listed(opened, target, path_filter, files) if lists else None

    how = checked_options(parameters, min_checksum_deploy, overwrite)
    return _deploys(source, url, how, BulkOptions("deploy_folder", max_concurrency, on_error, session, progress))


async def _listed(
    session: aiohttp.ClientSession, target: ItemURL, path_filter: PathFilter, files: Sequence[TreeFile]
) -> dict[str, FileInfo] | None:
    """Return the files of the server by path; None if the user may not list them."""
    wanted = {(target / file.relative).path for file in files}
    try:
        return {found.path: found for found in await list_files(session, target, path_filter) if found.path in wanted}
    except NotFoundError:
        return {}
    except ForbiddenError:
        return None


def _deploys(
    source: Callable[[aiohttp.ClientSession, ItemURL], Awaitable[Planned]],
    url: URLLike,
    how: DeployOptions,
    options: BulkOptions,
) -> Batch:
    @asynccontextmanager
    async def prepare(call: BulkCall) -> AsyncIterator[Work[DeployWork]]:
        target = item_of(call.session, url)
        items, listed = await source(call.session, target)
        deployer = Deployer(call.session, target, RemoteState(call.session, listed), how, call.progress)
        yield Work(deployer.work(items), deployer.do)

    return bulk(prepare, options)
