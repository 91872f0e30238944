"""
Lists a tree by the first method that works, and by the next one from where that broke off.

Conditions that the query of a method cannot express are evaluated here, for each entry.
"""

from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

import aiohttp

from .._address import ItemURL
from .._errors import (
    ArtifactoryError,
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    IncompleteListingError,
    InvalidArgumentError,
    NotFoundError,
    ProtocolError,
    ResponseError,
    TransportError,
)
from .._filters import Filter
from .._models import FileInfo
from .._path_filter import ALL_FILES, PathFilter
from .._protocol import (
    Below,
    build_file_list,
    build_properties,
    missing_list,
    read_listed,
    read_listed_item,
    read_properties,
)
from .._retry import MIN_PROGRESS_ENTRIES
from .._scheduler import run_many
from .._session import Operation, ProgressCheck, fetch_response, is_anonymous, start_operation, state_of
from .arrays import ArrayAnswer
from .by_aql import list_by_aql
from .by_folders import fetch_info, list_by_folders, list_children
from .results import Batches, Entry, Listing, ListingStatus, Method
from .rows import SORT

METHODS: tuple[Method, ...] = ("file-list", "aql", "folders")

# Errors that rule out one method only: because of the licence, the user, or the query.
_TRY_NEXT_METHOD = (
    BadRequestError,
    ForbiddenError,
    IncompleteListingError,
    InvalidArgumentError,
    ProtocolError,
)
# Paths kept so that another method can continue without yielding them twice: about 12 MiB.
_MOST_SEEN = 100_000


async def list_with_fallback(
    session: aiohttp.ClientSession,
    folder: ItemURL,
    path_filter: PathFilter,
    status: ListingStatus,
    wanted: Filter | None = None,
    methods: Iterable[Method] = METHODS,
) -> Batches:
    """
    Yield the entries below *folder*, by the first of *methods* whose result is certain.

    Raises:
        NotFoundError: If the folder does not exist.
        NotAFolderError: If it is a file.
        AuthenticationError: If credentials are missing or wrong.
        ResponseError: If the server refused the last of the methods.
        TransportError: If no complete response is received.
        IncompleteListingError: If a method failed after too many entries for another one to continue.
    """
    seen = Seen()
    refused = state_of(session).refused[folder.server]
    for method in methods:
        if method in refused:
            continue
        status.method = method
        start = partial(_list_by, session, folder, path_filter, wanted, method)
        try:
            # A walk retries by itself what broke off, folder by folder.
            async with aclosing(_new(session, start, seen, repeats=method != "folders")) as batches:
                async for batch in batches:
                    yield batch
        except (AuthenticationError, *_TRY_NEXT_METHOD) as error:
            _demand_next(session, folder, method, seen, error)
        else:
            return


def list_folder(session: aiohttp.ClientSession, folder: ItemURL) -> Batches:
    """
    Yield the entries of one folder, as they arrive; one request.

    Raises:
        NotAFolderError: If it is a file.
        ResponseError: If the server refuses the request.
        TransportError: If no complete response is received.
        ProtocolError: If the response is not Artifactory's.
    """
    return _new(session, partial(list_children, session, folder), Seen(), repeats=True)


def _list_by(
    session: aiohttp.ClientSession,
    folder: ItemURL,
    path_filter: PathFilter,
    wanted: Filter | None,
    method: Method,
    operation: Operation,
) -> Batches:
    match method:
        case "file-list":
            batches = list_by_file_list(session, folder, path_filter, operation)
        case "aql":
            batches = list_by_aql(session, folder, path_filter, wanted, operation)
            # The query has checked the properties; its rows have all other fields.
            wanted = replace(wanted, properties={}) if wanted else None
        case "folders":
            batches = list_by_folders(session, folder, path_filter)
    return filtered(session, folder, batches, wanted) if wanted else batches


async def _new(
    session: aiohttp.ClientSession, start: Callable[[Operation], Batches], seen: "Seen", *, repeats: bool
) -> Batches:
    """Yield entries that were not yielded before; if it *repeats*, a response that broke off is requested again."""
    operation = start_operation(session)
    progress = ProgressCheck(MIN_PROGRESS_ENTRIES, reached=len(seen))
    attempts = operation.attempts(
        TransportError,
        progressed=lambda: progress.has_advanced(len(seen)),
        may_retry=lambda: repeats and not seen.is_overfull,
    )
    async for attempt in attempts:
        with attempt:
            async with aclosing(start(operation)) as batches:
                async for batch in batches:
                    if fresh := seen.fresh(batch):
                        yield fresh
            return
        seen.start_over()
    raise attempts.failure()


def _demand_next(
    session: aiohttp.ClientSession, folder: ItemURL, method: Method, seen: "Seen", error: ArtifactoryError
) -> None:
    """
    Prepare for the next method, if that may work.

    Raises:
        ArtifactoryError: *error*, if no other method can help.
        IncompleteListingError: If too many entries were yielded for another method to continue.
    """
    is_refused = isinstance(error, AuthenticationError) or state_of(session).refusal(folder.server) is not None
    # Further requests with refused credentials would make the server lock the user out.
    if method == "folders" or (is_refused and not is_anonymous(session, folder.server)):
        raise error
    if seen.is_overfull:
        raise IncompleteListingError(f"{folder}: the listing broke off: {error.message}") from error
    state_of(session).refused[folder.server] |= _refused_for_good(session, folder, method, error)
    seen.start_over()


def _refused_for_good(
    session: aiohttp.ClientSession, folder: ItemURL, method: Method, error: ArtifactoryError
) -> set[str]:
    """What the server would refuse for every other folder, too: it lacks the licence, or does not know the user."""
    if isinstance(error, AuthenticationError | ForbiddenError):
        return {method} if method == "aql" or is_anonymous(session, folder.server) else set()
    if isinstance(error, ResponseError) and "artifactory pro" in error.server_message.lower():
        return {method, SORT}  # both are missing in the open-source edition
    return set()


class Seen:
    """The paths that were yielded, up to the number that is kept."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._known: set[str] = set()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_overfull(self) -> bool:
        """Whether more paths were yielded than are kept."""
        return self._count > _MOST_SEEN

    def start_over(self) -> None:
        """Expect all entries once more."""
        self._known.update(self._paths)

    def fresh(self, entries: list[Entry]) -> list[Entry]:
        """Those that were not yielded before; they count as yielded from now on."""
        new = [entry for entry in entries if entry.path not in self._known] if self._known else entries
        self._count += len(new)
        if not self.is_overfull:
            # A growing set would block the event loop now and then, and is rarely needed.
            self._paths.extend(entry.path for entry in new)
        return new


async def list_files(
    session: aiohttp.ClientSession, folder: ItemURL, path_filter: PathFilter = ALL_FILES
) -> list[FileInfo]:
    """
    List the files below *folder* that match; they have sizes and checksums unless only the last method worked.

    Raises:
        ArtifactoryError: See :func:`list_with_fallback`.
    """
    listing = Listing(lambda status: list_with_fallback(session, folder, path_filter, status))
    return [entry async for entry in listing if isinstance(entry, FileInfo)]


async def list_by_file_list(
    session: aiohttp.ClientSession, folder: ItemURL, path_filter: PathFilter, operation: Operation
) -> Batches:
    """
    Yield the entries of the File List, as they arrive; one request.

    Raises:
        ResponseError: If the server refused; 400 if it has no Pro licence or *folder* is a file.
        TransportError: If no complete response is received.
        ProtocolError: If the response is not a File List.
    """
    request = build_file_list(folder, depth=path_filter.levels, folders=path_filter.folders)
    answer, below = ArrayAnswer(request, "files"), Below(folder)
    async with aclosing(answer.batches(session, operation)) as batches:
        async for batch in batches:
            located = [(*read_listed(request, entry), entry) for entry in batch]
            yield [
                read_listed_item(below, relative, entry)
                for relative, is_folder, entry in located
                if path_filter.matches(relative, is_folder=is_folder)
            ]
    if not answer.has_array:
        raise missing_list(request, "files")


async def filtered(session: aiohttp.ClientSession, folder: ItemURL, batches: Batches, wanted: Filter) -> Batches:
    """
    Yield the entries that are *wanted*.

    That takes one request for each entry without size or dates in the listing, and one for its properties.

    Raises:
        ResponseError, TransportError, ProtocolError: If a request for an entry fails.
    """
    workers = state_of(session).limits.max_concurrency

    async def judge(entry: Entry) -> Entry | None:
        item = ItemURL(folder.server, folder.repository, entry.path)
        return await _judged(session, item, entry, wanted)

    async with aclosing(batches):
        async for batch in batches:
            known = [entry for entry in batch if wanted.lacks(entry) or wanted.admits(entry)]
            if not wanted.properties and not any(map(wanted.lacks, known)):
                yield known
                continue
            async with run_many(known, judge, max_concurrency=workers) as judged:
                found = [entry async for entry in judged if entry is not None]
            yield found


async def _judged(session: aiohttp.ClientSession, item: ItemURL, entry: Entry, wanted: Filter) -> Entry | None:
    """The entry, with its info if that was requested, if it is wanted; None also if it does not exist any more."""
    try:
        known = await fetch_info(session, item) if wanted.lacks(entry) else entry
        if not wanted.admits(known):
            return None
        return known if await _has_properties(session, item, wanted) else None
    except NotFoundError:
        return None


async def _has_properties(session: aiohttp.ClientSession, item: ItemURL, wanted: Filter) -> bool:
    if not wanted.properties:
        return True
    request = build_properties(item)
    # An item without properties is a 404, and so is a missing item.
    return wanted.admits_properties(read_properties(request, await fetch_response(session, request)))
