"""Which way a tree is listed, and how one way goes on where another broke off."""

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
    ProtocolError,
    ResponseError,
    TransportError,
)
from .._filters import Filter
from .._models import FileInfo
from .._retry import MIN_PROGRESS_ENTRIES
from .._scope import ALL_FILES, Scope
from .._session import Operation, begin, is_anonymous, rest, state_of
from .file_list import file_list
from .filtering import filtered
from .folders import children, walk
from .listing import Batches, Entry, Findings, Listing, Method
from .query import query
from .rows import SORT

METHODS: tuple[Method, ...] = ("file-list", "aql", "folders")

# What says "not by this way" rather than "no": the licence, the user, or the query stands in between.
_NEXT_RUNG = (
    BadRequestError,
    ForbiddenError,
    IncompleteListingError,
    InvalidArgumentError,
    ProtocolError,
)
# Paths kept to go on by another way without showing them twice: about 12 MiB.
_MOST_SEEN = 100_000


async def climb(
    session: aiohttp.ClientSession,
    folder: ItemURL,
    scope: Scope,
    findings: Findings,
    wanted: Filter | None = None,
    methods: Iterable[Method] = METHODS,
) -> Batches:
    """
    Yield what is below *folder*, by the first of *methods* that can answer for certain.

    Raises:
        NotFoundError: There is no such folder.
        NotAFolderError: It is a file.
        AuthenticationError: Credentials are missing or wrong.
        ResponseError: The server said no to the last of the methods.
        TransportError: No answer came, or not all of it.
        IncompleteListingError: A method failed after so many entries that no other can go on.
    """
    seen = Seen()
    refused = state_of(session).refused[folder.server]
    for method in methods:
        if method in refused:
            continue
        findings.method = method
        start = partial(_way, session, folder, scope, wanted, method)
        try:
            # A walk repeats by itself what broke off, folder by folder.
            async with aclosing(_new(session, start, seen, repeats=method != "folders")) as batches:
                async for batch in batches:
                    yield batch
        except (AuthenticationError, *_NEXT_RUNG) as error:
            _demand_next(session, folder, method, seen, error)
        else:
            return


def list_folder(session: aiohttp.ClientSession, folder: ItemURL) -> Batches:
    """
    Yield the entries of one folder, as they arrive; one request.

    Raises:
        NotAFolderError: It is a file.
        ResponseError: The server said no.
        TransportError: No answer came, or not all of it.
        ProtocolError: Something that is not Artifactory answered.
    """
    return _new(session, partial(children, session, folder), Seen(), repeats=True)


def _way(
    session: aiohttp.ClientSession,
    folder: ItemURL,
    scope: Scope,
    wanted: Filter | None,
    method: Method,
    operation: Operation,
) -> Batches:
    match method:
        case "file-list":
            batches = file_list(session, folder, scope, operation)
        case "aql":
            batches = query(session, folder, scope, wanted, operation)
            # What of properties it was asked for, it has looked at; its rows tell the rest.
            wanted = replace(wanted, properties={}) if wanted else None
        case "folders":
            batches = walk(session, folder, scope)
    return filtered(session, folder, batches, wanted) if wanted else batches


async def _new(
    session: aiohttp.ClientSession, start: Callable[[Operation], Batches], seen: "Seen", *, repeats: bool
) -> Batches:
    """Yield what was not shown yet; if it *repeats*, an answer that broke off is asked for again."""
    operation = begin(session)
    while True:
        before = len(seen)
        try:
            async with aclosing(start(operation)) as batches:
                async for batch in batches:
                    if fresh := seen.fresh(batch):
                        yield fresh
        except TransportError as error:
            if not repeats or not error.retryable or seen.is_overfull:
                raise
            if not await rest(session, operation, progressed=len(seen) - before >= MIN_PROGRESS_ENTRIES):
                raise
            seen.start_over()
        else:
            return


def _demand_next(
    session: aiohttp.ClientSession, folder: ItemURL, method: Method, seen: "Seen", error: ArtifactoryError
) -> None:
    """
    Do nothing where the next rung may answer.

    Raises:
        ArtifactoryError: *error*, where nothing else will help.
        IncompleteListingError: Too much was shown for another rung to go on.
    """
    is_refused = isinstance(error, AuthenticationError) or state_of(session).refusal(folder.server) is not None
    # Asking on with refused credentials would have the server lock the user out.
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
    """The paths that were shown, as far as there are not too many to be kept."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._known: set[str] = set()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_overfull(self) -> bool:
        """Whether more was shown than is known here."""
        return self._count > _MOST_SEEN

    def start_over(self) -> None:
        """Expect everything once more."""
        self._known.update(self._paths)

    def fresh(self, entries: list[Entry]) -> list[Entry]:
        """Those not shown yet, which they are from now on."""
        new = [entry for entry in entries if entry.path not in self._known] if self._known else entries
        self._count += len(new)
        if not self.is_overfull:
            # A set that grows would hold the loop now and then, and mostly for nothing.
            self._paths.extend(entry.path for entry in new)
        return new


async def list_files(session: aiohttp.ClientSession, folder: ItemURL, scope: Scope = ALL_FILES) -> list[FileInfo]:
    """
    List the files below *folder* in *scope*; sizes and checksums are there unless only the last rung could answer.

    Raises:
        ArtifactoryError: See :func:`climb`.
    """
    listing = Listing(lambda findings: climb(session, folder, scope, findings))
    return [entry async for entry in listing if isinstance(entry, FileInfo)]
