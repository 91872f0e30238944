"""Copy, move, delete, create folders."""

import aiohttp

from .._address import ItemURL, URLLike
from .._errors import (
    AlreadyExistsError,
    ArtifactoryError,
    ConflictError,
    ConnectionLostError,
    InvalidArgumentError,
    NotAFolderError,
    NotFoundError,
    ServerError,
    TransportTimeoutError,
)
from .._listing import fetch_info, list_files
from .._models import Deletion, FileInfo, FolderInfo, Relocation
from .._protocol import (
    Verb,
    build_delete,
    build_folder,
    build_relocation,
    check_relocation,
    check_scope,
    destination_of,
    expect_folder,
    read_folder_made,
    read_relocation,
)
from .._session import fetch_response
from .session import file_item_of, item_of, using


async def copy(
    source: URLLike,
    target: URLLike,
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    session: aiohttp.ClientSession | None = None,
) -> Relocation:
    """
    Copy a file, or a folder with its content, within one server; two requests, no transfer. Needs Artifactory Pro.

    *target* is the URL of the copy; with a final slash, it is the folder in which the copy keeps its name.
    (Artifactory's own rule depends on whether the target is an existing folder, so the first request checks that.)
    Missing folders are created. Properties are copied. Example::

        staged = f"{server}/libs-staging/app-1.0.jar"
        await aioartifact.copy(staged, f"{server}/libs-release/org/acme/app/1.0/")

    The request is not retried. If its response is lost, source and target are compared: if they are equal, the copy has
    succeeded; otherwise the call raises.

    Args:
        source: URL of a file, a folder or a repository.
        target: URL of the copy; with a final slash, URL of its parent folder.
        overwrite: Whether existing files may be replaced; two folders of the same name are merged. False raises if the
            target exists.
        dry_run: Whether to only check that the copy would succeed.
        session: Session to use; None opens one for this call.

    Returns:
        The URL of the copy and the messages of the server.

    Raises:
        InvalidArgumentError: If *target* is on another server, or below *source*; no request was sent.
        InvalidURLError: If *source* or *target* is not the URL of an item.
        AlreadyExistsError: If the target exists and *overwrite* is False, or if it is a folder of another name.
        NotFoundError: If the source does not exist.
        ForbiddenError: If the user may not read the source or write the target.
        ConflictError: If the rules of the repository exclude the path, or a parent folder in it is a file.
        BadRequestError: If the target repository is not local, or the server is not Artifactory Pro.
        TransportError: If no response is received; a folder may have been copied partly.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Copy Item".
    """
    async with using(session, "copy") as opened:
        start, goal = relocation_of(opened, "copy", source, target)
        return await relocate(opened, "copy", start, goal, overwrite=overwrite, dry_run=dry_run)


async def move(
    source: URLLike,
    target: URLLike,
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    whole_repository: bool = False,
    session: aiohttp.ClientSession | None = None,
) -> Relocation:
    """
    Move a file, or a folder with its content, within one server; two requests. Needs Artifactory Pro.

    Otherwise like :func:`copy`. If the response is lost, the move has succeeded if the source no longer exists and the
    target is new.
    Example::

        staged = f"{server}/libs-staging/app-1.0.jar"
        await aioartifact.move(staged, f"{server}/libs-release/org/acme/app/1.0/")

    Args:
        source: URL of a file, a folder or a repository.
        target: The new URL; with a final slash, URL of the new parent folder.
        overwrite: See :func:`copy`.
        dry_run: Whether to only check that the move would succeed.
        whole_repository: Whether *source* may be a repository, all of whose content is moved.
        session: Session to use; None opens one for this call.

    Returns:
        The new URL and the messages of the server.

    Raises:
        InvalidArgumentError: See :func:`copy`; also for a repository without *whole_repository*.
        ForbiddenError: If the user may not read and delete the source, or may not write the target.
        InvalidURLError, AlreadyExistsError, ResponseError, TransportError, ProtocolError: See :func:`copy`.

    See: JFrog REST API, "Move Item".
    """
    async with using(session, "move") as opened:
        start, goal = relocation_of(opened, "move", source, target, whole_repository=whole_repository)
        return await relocate(opened, "move", start, goal, overwrite=overwrite, dry_run=dry_run)


async def delete(
    url: URLLike,
    *,
    missing_ok: bool = False,
    dry_run: bool = False,
    whole_repository: bool = False,
    session: aiohttp.ClientSession | None = None,
) -> Deletion:
    """
    Delete a file, or a folder with its content; one request. The server moves it to its trash can, if it has one.

    If the context path of the server is neither ``/artifactory`` nor configured, the URL of a folder may really be that
    of a repository. Then one more request checks the item first.

    The request is retried if its response is lost. If the item is missing then, the first request has deleted it.

    Args:
        url: URL of a file, a folder or a repository. In a remote repository, the item is deleted from its cache.
        missing_ok: Whether to ignore a missing item.
        dry_run: Whether to only list the files that would be deleted: one request for a file, a listing for a folder.
        whole_repository: Whether *url* may be a repository, all of whose content is deleted.
        session: Session to use; None opens one for this call.

    Returns:
        The deleted item; with *dry_run* also the files.

    Raises:
        InvalidArgumentError: If *url* is a repository, and *whole_repository* is False; no request was sent.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the item does not exist, or is in a virtual repository, which does not support deletion.
        ForbiddenError: If the user may not delete the item, or something in the folder; the rest has been deleted.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Delete Item".
    """
    async with using(session, "delete") as opened:
        item = item_of(opened, url)
        check_scope("delete", item, whole_repository=whole_repository)
        if dry_run:
            return Deletion(str(item), dry_run=True, files=await files_to_delete(opened, item, missing_ok=missing_ok))
        await remove(opened, item, missing_ok=missing_ok, whole_repository=whole_repository)
        return Deletion(str(item), dry_run=False)


async def mkdir(
    url: URLLike, *, parents: bool = True, exist_ok: bool = True, session: aiohttp.ClientSession | None = None
) -> None:
    """
    Create a folder; one request, and one check each if *parents* or *exist_ok* is False.

    Args:
        url: URL of the folder, in a local repository.
        parents: Whether to create missing parent folders, which is what the server does.
        exist_ok: Whether to accept an existing folder.
        session: Session to use; None opens one for this call.

    Raises:
        InvalidArgumentError: If *url* is a repository, which only an administrator can create; no request was sent.
        InvalidURLError: If *url* is not the URL of an item, or Artifactory does not accept a name in it.
        AlreadyExistsError: If the folder exists and *exist_ok* is False.
        NotFoundError: If the parent folder does not exist and *parents* is False, or the repository does not exist.
        NotAFolderError: If the URL is that of an existing file.
        StoredElsewhereError: If the server created the folder under another path.
        ForbiddenError: If the user may not deploy to this path.
        ConflictError: If a parent folder in the URL is a file.
        ServerError: If the repository is virtual.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Create Directory".
    """
    async with using(session, "mkdir") as opened:
        item = item_of(opened, url)
        if not item.path:
            raise InvalidArgumentError(
                f"mkdir {item}: is a repository", hint="name a folder in it; only administrators create repositories"
            )
        if not exist_ok and await _look(opened, item) is not None:
            raise AlreadyExistsError(f"mkdir {item}: exists")
        if not parents:
            expect_folder(item.parent, await fetch_info(opened, item.parent))
        try:
            request = build_folder(item)
            read_folder_made(item, request, await fetch_response(opened, request))
        except (ConflictError, ServerError) as error:
            if not error.retryable and await _is_file(opened, item):
                raise NotAFolderError(f"mkdir {item}: is a file") from None
            raise


async def remove(session: aiohttp.ClientSession, item: ItemURL, *, missing_ok: bool, whole_repository: bool) -> bool:
    """
    Delete *item*; see :func:`delete`.

    Returns:
        Whether something was deleted; False for a missing item, with *missing_ok*.
    """
    if not await _is_certain(session, item, missing_ok=missing_ok, whole_repository=whole_repository):
        return False
    try:
        await fetch_response(session, build_delete(item))
    except NotFoundError as error:
        return await _was_deleted(session, item, error, missing_ok=missing_ok)
    return True


async def files_to_delete(session: aiohttp.ClientSession, item: ItemURL, *, missing_ok: bool) -> tuple[FileInfo, ...]:
    """List the files of *item*, a file or a folder; no files if it is missing and *missing_ok*."""
    found = await (_look if missing_ok else fetch_info)(session, item)
    if found is None:
        return ()
    return (found,) if isinstance(found, FileInfo) else tuple(await list_files(session, item))


def relocation_of(
    session: aiohttp.ClientSession, verb: Verb, source: URLLike, target: URLLike, *, whole_repository: bool = False
) -> tuple[ItemURL, ItemURL]:
    """
    Parse the URLs of source and target.

    Raises:
        InvalidURLError: If one is not the URL of an item.
        InvalidArgumentError: If they are on two servers, one is below the other, or *source* is a repository to move.
    """
    start = item_of(session, source)
    if verb == "move":
        check_scope(verb, start, whole_repository=whole_repository)
    goal = file_item_of(session, target, start.name)
    check_relocation(verb, start, goal)
    return start, goal


async def _is_certain(
    session: aiohttp.ClientSession, item: ItemURL, *, missing_ok: bool, whole_repository: bool
) -> bool:
    """
    Return whether *item* is certainly not a repository below an unknown context path.

    Raises:
        NotFoundError: If the item does not exist; with *missing_ok* the result is False.
        ResponseError: If there is no Artifactory at this base address.
    """
    if item.server.context_path or whole_repository:
        return True
    return await (_look if missing_ok else fetch_info)(session, item) is not None


async def _look(session: aiohttp.ClientSession, item: ItemURL) -> FileInfo | FolderInfo | None:
    try:
        return await fetch_info(session, item)
    except NotFoundError:
        return None


async def _is_file(session: aiohttp.ClientSession, item: ItemURL) -> bool:
    try:
        return isinstance(await _look(session, item), FileInfo)
    except ArtifactoryError:
        return False


async def relocate(
    session: aiohttp.ClientSession, verb: Verb, source: ItemURL, goal: ItemURL, *, overwrite: bool, dry_run: bool
) -> Relocation:
    """Copy or move *source* to *goal*; see :func:`copy` and :func:`move`."""
    there = await _look(session, goal)
    destination = destination_of(verb, source, goal, there, overwrite=overwrite)
    request = build_relocation(verb, source, destination, dry_run=dry_run)
    try:
        messages = read_relocation(request, await fetch_response(session, request))
    except (ConnectionLostError, TransportTimeoutError) as error:
        if dry_run or not await _is_done(session, verb, source, goal, was_there=there is not None):
            error.hint = f"the server may have done it, or may still be working; check {goal} before you retry"
            raise
        messages = ()
    return Relocation(str(goal), dry_run, messages)


async def _is_done(
    session: aiohttp.ClientSession, verb: Verb, source: ItemURL, goal: ItemURL, *, was_there: bool
) -> bool:
    """Return whether a copy or a move whose response was lost is complete."""
    try:
        if verb == "copy":
            wanted = await _contents(session, source)
            return all(sha1 for _, sha1 in wanted) and wanted <= await _contents(session, goal)
        return not was_there and await _look(session, source) is None and await _look(session, goal) is not None
    except ArtifactoryError:
        return False


async def _contents(session: aiohttp.ClientSession, item: ItemURL) -> set[tuple[str, str | None]]:
    """Return path below *item* and SHA-1 of each file."""
    found = await fetch_info(session, item)
    files = await list_files(session, item) if isinstance(found, FolderInfo) else [found]
    return {(file.path.removeprefix(item.path), file.checksums.sha1) for file in files}


async def _was_deleted(
    session: aiohttp.ClientSession, item: ItemURL, error: NotFoundError, *, missing_ok: bool
) -> bool:
    """Return True if an earlier attempt deleted *item*; otherwise raise *error*."""
    if await _look(session, item) is not None:
        error.hint = "it exists: delete it in its local repository, not in a virtual one"
        raise error
    if not missing_ok and error.attempts == 1:
        raise error
    return error.attempts > 1
