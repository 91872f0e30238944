"""Copy, move and delete many items, without transferring bytes."""

from collections.abc import AsyncIterable, Iterable
from functools import partial

import aiohttp

from .._address import ItemURL, URLLike
from .._errors import InvalidArgumentError
from .._models import Deletion
from .._progress import Progress
from .._protocol import Verb, check_scope
from .._reports import Outcome, Status
from .bulk import Batch, BulkOptions, OnError, Task, bulk_requests
from .mutations import files_to_delete, relocate, relocation_of, remove
from .session import item_of

_DONE: dict[Verb, Status] = {"copy": "copied", "move": "moved"}


def copy_many(
    items: Iterable[tuple[URLLike, URLLike]] | AsyncIterable[tuple[URLLike, URLLike]],
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Copy many files or folders within one server, each as by :func:`copy`. Needs Artifactory Pro.

    Await the result for a :class:`Report`, or open it with ``async with`` to process outcomes as they finish, see
    :class:`Batch`. Items are pulled when they can start, so the iterable may be endless. Memory holds all targets so
    far, which must be unique, and the outcomes of an awaited report. Example::

        builds = f"{server}/libs-staging/acme"
        pairs = [(f"{builds}/{name}", f"{server}/libs-release/acme/") for name in names]
        report = await copy_many(pairs)
        print(len(report.copied), "copied")

    Items are copied in no particular order, so no target should be inside another one.

    Args:
        items: ``(source, target)`` pairs of URLs, in any iterable or async iterable. A target with a final slash is the
            folder in which the copy keeps its name.
        overwrite: Whether existing files may be replaced, see :func:`copy`. If False, an item whose target exists
            fails.
        dry_run: Whether to only check that the copies would succeed; their status is ``"planned"``.
        max_concurrency: Items in flight; None takes it from the session's :class:`Limits`.
        on_error: What to do about failures: ``"raise"``, ``"stop"`` or ``"collect"``, see :class:`Batch`. The server
            may still complete a copy that is cancelled.
        session: Session to use; None opens one for this call.
        progress: Counts the items.

    Returns:
        A :class:`Batch`, to be awaited or opened. An outcome has the URL of the copy as ``url`` and the original as
        ``source``; its status is ``"copied"``, ``"planned"`` or ``"failed"``.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable, or an option has an invalid value.
        BatchError: When awaited or left: if items failed. Each failure is one of the errors of :func:`copy`, or
            InvalidArgumentError for an item that is not a pair, or for two items with the same target. If the server
            refuses the credentials, the remaining items fail with AuthenticationError, without requests.

    See: JFrog REST API, "Copy Item".
    """
    return _relocations(
        "copy", items, BulkOptions("copy_many", max_concurrency, on_error, session, progress), overwrite, dry_run
    )


def move_many(
    items: Iterable[tuple[URLLike, URLLike]] | AsyncIterable[tuple[URLLike, URLLike]],
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    whole_repository: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Move many files or folders within one server, each as by :func:`move`. Needs Artifactory Pro.

    Otherwise like :func:`copy_many`. Example::

        report = await move_many({f"{builds}/app-rc3.zip": f"{builds}/app-1.0.0.zip"}.items())

    Args:
        items: ``(source, target)`` pairs, see :func:`copy_many`. No source should be inside another one.
        overwrite: See :func:`copy_many`.
        dry_run: See :func:`copy_many`.
        whole_repository: Whether a source may be a repository, all of whose content is moved.
        max_concurrency: See :func:`copy_many`.
        on_error: See :func:`copy_many`.
        session: Session to use; None opens one for this call.
        progress: Counts the items.

    Returns:
        A :class:`Batch`, to be awaited or opened. An outcome has the new URL as ``url`` and the old one as ``source``;
        its status is ``"moved"``, ``"planned"`` or ``"failed"``.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable, or an option has an invalid value.
        BatchError: When awaited or left: if items failed. Each failure is one of the errors of :func:`move`; otherwise
            see :func:`copy_many`.

    See: JFrog REST API, "Move Item".
    """
    options = BulkOptions("move_many", max_concurrency, on_error, session, progress)
    return _relocations("move", items, options, overwrite, dry_run, whole_repository)


def _relocations(
    verb: Verb,
    items: Iterable[tuple[URLLike, URLLike]] | AsyncIterable[tuple[URLLike, URLLike]],
    options: BulkOptions,
    overwrite: bool,
    dry_run: bool,
    whole_repository: bool = False,
) -> Batch:
    async def do(session: aiohttp.ClientSession, source: ItemURL, goal: ItemURL) -> Outcome:
        await relocate(session, verb, source, goal, overwrite=overwrite, dry_run=dry_run)
        return Outcome(str(goal), None, "planned" if dry_run else _DONE[verb], source=str(source))

    def task_of(session: aiohttp.ClientSession, pair: object) -> Task:
        source, goal = relocation_of(session, verb, *_checked_pair(pair), whole_repository=whole_repository)
        return Task(goal, partial(do, session, source, goal), str(source))

    return bulk_requests(items, task_of, options, expected=f"a list of (source, target) pairs, or use {verb}() for one")


def _checked_pair(pair: object) -> tuple[URLLike, URLLike]:
    match pair:
        case (source, target) if isinstance(source, URLLike) and isinstance(target, URLLike):
            return source, target
    raise InvalidArgumentError(f"item is a {type(pair).__name__}; expected a (source, target) pair of URLs")


def delete_many(
    items: Iterable[URLLike] | AsyncIterable[URLLike],
    *,
    missing_ok: bool = False,
    dry_run: bool = False,
    whole_repository: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> Batch:
    """
    Delete many files or folders, each as by :func:`delete`; one request per item.

    Await the result for a :class:`Report`, or open it with ``async with`` to process outcomes as they finish, see
    :class:`Batch`. Items are pulled when they can start, so the iterable may be endless. Memory holds all URLs so far,
    which must be unique, and the outcomes of an awaited report. Example::

        files = [file async for file in walk(f"{server}/builds")]
        old = [file.url for file in files if file.modified and file.modified < limit]
        report = await delete_many(old, missing_ok=True, on_error="collect")
        print(len(report.deleted), "deleted,", len(report.failed), "failed")

    Items are deleted in no particular order, so none should be inside another one.

    Args:
        items: URLs of files, folders or repositories, in any iterable or async iterable.
        missing_ok: Whether to ignore missing items; their status is ``"unchanged"``.
        dry_run: Whether to delete nothing: the status is ``"planned"``, and the size of an outcome is that of the files
            that would be deleted. One request for a file, a listing for a folder.
        whole_repository: Whether a URL may be a repository, all of whose content is deleted.
        max_concurrency: Items in flight; None takes it from the session's :class:`Limits`.
        on_error: What to do about failures: ``"raise"``, ``"stop"`` or ``"collect"``, see :class:`Batch`. The server
            may still complete a deletion that is cancelled.
        session: Session to use; None opens one for this call.
        progress: Counts the items.

    Returns:
        A :class:`Batch`, to be awaited or opened. The status of an outcome is ``"deleted"``, ``"unchanged"``,
        ``"planned"`` or ``"failed"``.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable, or an option has an invalid value.
        BatchError: When awaited or left: if items failed. Each failure is one of the errors of :func:`delete`, or
            InvalidArgumentError for two items with the same URL. If the server refuses the credentials, the remaining
            items fail with AuthenticationError, without requests.

    See: JFrog REST API, "Delete Item".
    """

    async def do(session: aiohttp.ClientSession, item: ItemURL) -> Outcome:
        url = str(item)
        if dry_run:
            files = await files_to_delete(session, item, missing_ok=missing_ok)
            return Outcome(url, None, "planned", Deletion(url, dry_run=True, files=files).size or 0)
        is_gone = await remove(session, item, missing_ok=missing_ok, whole_repository=whole_repository)
        return Outcome(url, None, "deleted" if is_gone else "unchanged")

    def task_of(session: aiohttp.ClientSession, given: URLLike) -> Task:
        item = item_of(session, given)
        check_scope("delete", item, whole_repository=whole_repository)
        return Task(item, partial(do, session, item))

    options = BulkOptions("delete_many", max_concurrency, on_error, session, progress)
    return bulk_requests(items, task_of, options, expected="a list of URLs, or use delete() for one")
