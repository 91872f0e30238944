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
from .._transfer.accounting import counted
from .._transfer.overwrite import Overwrite
from .._transfer.send.deployer import (
    MIN_CHECKSUM_DEPLOY,
    Deployer,
    DeployItem,
    DeployOptions,
    LocalPath,
    Parameters,
    checked_options,
    listed_size,
)
from .._transfer.send.remote_state import RemoteState
from .bulk import Batch, BulkCall, BulkOptions, OnError, Work, bulk
from .items import item_of

# The files to deploy, and those of the server, if these were listed.
Planned: TypeAlias = tuple[
    Iterable[DeployItem | TreeFile] | AsyncIterable[DeployItem | TreeFile], Mapping[str, FileInfo] | None
]

# For few files, one request each is cheaper than the listing of a folder that may have many more.
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
    Upload many local files, a bounded number at a time; each is hashed, sent and verified as by :func:`deploy`.

    Await the result for a :class:`Report`, or open it with ``async with`` to process outcomes as they finish, see
    :class:`Batch`. Items are pulled when they can start, so the iterable may be endless. Memory is bounded by
    *max_concurrency* times about 2 MiB, the URLs so far (which no other item may have), the names in their folders,
    and the outcomes of an awaited report.

    Args:
        items: Paths, which keep their file names, or ``(path, url)`` pairs with a path below the target folder, or
            a full URL; in any iterable or async iterable. A path or URL that ends in a slash is the folder that
            the file goes into under its own name.
        url: URL of the target folder or repository. The server creates folders as needed.
        parameters: Properties to set on every file; a value may be a text or several. To set them on an
            unchanged file, it is deployed once more by its checksums, which costs a request and no bytes, unless
            *overwrite* is ``"never"``.
        overwrite: Which files on the server to replace: ``"changed"`` keeps those with the right content, which costs
            one request per folder and one per existing file; ``"always"`` replaces all; ``"never"`` keeps all,
            whatever their content, which costs one request per folder.
        min_checksum_deploy: See :func:`deploy`.
        max_concurrency: Files in flight; None takes it from the session's :class:`Limits`.
        on_error: ``"raise"`` finishes the rest, then raises one :class:`BatchError`; ``"stop"`` cancels the rest
            at the first failure, then raises; ``"collect"`` only reports.
        session: Session to use; None opens one for this call.
        progress: Counts files and bytes as they are sent.

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
    Upload all files below a local folder, or those that patterns choose; the tree below it is kept.

    Files are deployed in the order of their paths, checksum files (``.sha1``, ``.sha256``, ``.md5``) after the files
    they belong to: Artifactory does not store those, but compares them. One that the server already agrees with is
    unchanged. Symbolic links are followed, to files and to folders; empty folders are not created. The target is
    listed first, as by :func:`download_folder`, unless there are only a few files. Example::

        target = f"{server}/libs-release/org/acme/app/1.0"
        report = await aioartifact.deploy_folder("dist", target)
        print(len(report.deployed), len(report.unchanged))

    Args:
        folder: Local folder.
        url: URL of the target folder or repository. Items there that the local folder does not have are left alone.
        include: Patterns of paths below the folder, of which a file must match one, see :func:`walk`. If no file does,
            nothing is deployed, and the report is empty.
        exclude: Patterns that neither a file nor a folder above it may match; matching folders are not read.
        parameters: See :func:`deploy_many`.
        overwrite: See :func:`deploy_many`; a listing costs one request if the server offers File List or AQL to
            this user, and then existing files cost no further one.
        min_checksum_deploy: See :func:`deploy`.
        max_concurrency: See :func:`deploy_many`.
        on_error: See :func:`deploy_many`.
        session: Session to use; None opens one for this call.
        progress: Counts files and bytes as they are sent.

    Returns:
        A :class:`Batch`, to be awaited or opened.

    Raises:
        InvalidArgumentError: If an argument has another type, an option has an invalid value, a pattern is invalid, or
            a property is malformed.
        InvalidURLError: When awaited or opened: if *url* is not the URL of an item.
        FileNotFoundError: When awaited or opened: if the local folder does not exist (:class:`LocalNotFoundError`).
        LocalFileError: When awaited or opened: if it is a file, it or a folder below it that is not excluded cannot be
            read, or such a folder is a symbolic link that leads back to a folder above it.
        NotAFolderError: When awaited or opened: if *url* is a file. If nothing is listed, each file fails instead.
        ResponseError: When awaited or opened: if the target cannot be listed.
        TransportError: When awaited or opened: if the listing cannot be received.
        IncompleteListingError: When awaited or opened: if the listing breaks off, and cannot be continued in another
            way.
        ProtocolError: When awaited or opened: if the response is not Artifactory's.
        BatchError: When awaited or left: if files failed, see :func:`deploy_many`.

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
    """The files of the server, by path; None if this user may not list them."""
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
    async def prepare(call: BulkCall) -> AsyncIterator[Work[DeployItem | TreeFile]]:
        target = item_of(call.session, url)
        items, listed = await source(call.session, target)
        deployer = Deployer(call.session, target, RemoteState(call.session, listed), how, call.progress)
        yield Work(deployer.files_first(counted(items, listed_size, call.progress)), deployer.deploy)

    return bulk(prepare, options)
