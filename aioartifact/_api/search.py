"""Search by one criterion."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import aiohttp

from .._address import URLLike, parse_server_url
from .._checksums import ALGORITHMS, Checksums
from .._errors import InvalidArgumentError, NotFoundError
from .._filters import Filter
from .._listing import Entry, ListingStatus, Results, collect
from .._options import check_several, check_texts
from .._protocol import Request, build_search, missing_list, read_found
from .session import using

Parameters: TypeAlias = list[tuple[str, str]]

# search.userQueryLimit of the server, for anonymous users, since 7.x for all but administrators.
_CAP = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BY_LENGTH = {64: "sha256", 40: "sha1", 32: "md5"}


def search(
    server: URLLike,
    *,
    name: str | None = None,
    checksum: str | None = None,
    properties: Mapping[str, str] | None = None,
    group_id: str | None = None,
    artifact_id: str | None = None,
    version: str | None = None,
    classifier: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    modified_after: datetime | None = None,
    modified_before: datetime | None = None,
    repositories: str | Iterable[str] = (),
    session: aiohttp.ClientSession | None = None,
) -> Results[Entry]:
    """
    Find items by one criterion; one request.

    The criterion is a name, a checksum, properties, coordinates (any of *group_id*, *artifact_id*, *version* and
    *classifier*) or a date. To combine conditions, use :func:`glob` or :func:`aql`. Example::

        async for item in aioartifact.search(server, name="app-1.*.jar"):
            print(item.url)

    Args:
        server: Base address of the server, e.g. ``https://host/artifactory``.
        name: File name with ``*`` and ``?``. Without a wildcard at its end, longer names may match, too.
        checksum: SHA-256, SHA-1 or MD5 in hexadecimal, distinguished by length. Needs Artifactory Pro.
        properties: Values by key, with ``*`` and ``?``; ``""`` matches any value. The result may include folders.
        group_id: Organization of the artifact by the layout of its repository, with ``*`` and ``?``.
        artifact_id: Name of the artifact, with ``*`` and ``?``.
        version: Its version, with ``*`` and ``?``.
        classifier: Its classifier, with ``*`` and ``?``.
        created_after: Deployed after this date, which needs a time zone. Anonymous users cannot search by dates.
        created_before: Deployed before this date.
        modified_after: Last modified after this date.
        modified_before: Last modified before this date.
        repositories: Keys of the repositories to search; all by default.
        session: Session to use; None opens one for this search.

    Returns:
        An async iterator of :class:`FileInfo` and :class:`FolderInfo`, see :class:`Results`. Items have no sizes and
        checksums if they are found by date, or if a proxy drops unknown header fields. ``is_complete`` is False for
        exactly 1000 results, the limit of many servers.

    Raises:
        InvalidURLError: If *server* is not an absolute http or https URL.
        InvalidArgumentError: If there is no criterion, or more than one; or if a checksum is malformed, a value is
            empty or not a str, or a date has no time zone.
        BadRequestError: While iterating, as all below: if the server refuses the search, or is not Artifactory Pro.
        ForbiddenError: If the user may not search.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Artifact Search", "GAVC Search", "Property Search", "Checksum Search" and "Artifacts With
    Date in Date Range".
    """
    check_texts(
        name=name,
        checksum=checksum,
        group_id=group_id,
        artifact_id=artifact_id,
        version=version,
        classifier=classifier,
    )
    address = parse_server_url(server)
    check_several("repositories", repositories)
    keys = [repositories] if isinstance(repositories, str) else list(repositories)
    for key in keys:
        check_texts(repositories=key)
    dates = Filter(
        created_after=created_after,
        created_before=created_before,
        modified_after=modified_after,
        modified_before=modified_before,
    )
    coordinates = {"g": group_id, "a": artifact_id, "v": version, "c": classifier}
    asked = {
        "artifact": [("name", name)] if name else [],
        "checksum": _checksum(checksum) if checksum else [],
        "prop": _properties(properties) if properties else [],
        "gavc": [(key, value) for key, value in coordinates.items() if value],
        "dates": _dates(dates),
    }
    kinds = [kind for kind, parameters in asked.items() if parameters]
    if len(kinds) != 1:
        raise InvalidArgumentError(
            f"search by {' and '.join(kinds) or 'nothing'}: expected a name, a checksum, properties, coordinates, or "
            "dates of one kind",
            hint="glob() and aql() combine conditions",
        )
    request = build_search(address, kinds[0], asked[kinds[0]], keys)

    async def start(status: ListingStatus) -> AsyncGenerator[list[Entry], None]:
        async with using(session) as opened:
            found = await _found(opened, request)
        status.is_doubtful = len(found) == _CAP
        yield [entry for entry in found if dates.admits(entry)]

    return Results(start, "search")


async def _found(session: aiohttp.ClientSession, request: Request) -> list[Entry]:
    try:
        found, answer = await collect(session, request, "results", lambda entry: read_found(request, entry))
    except NotFoundError as error:
        # Searches by date respond with this 404 if they find nothing.
        if "No results found" not in error.server_message:
            raise
        return []
    if not answer.has_array:
        raise missing_list(request, "results")
    return found


def _checksum(value: str) -> Parameters:
    algorithm = _BY_LENGTH.get(len(value))
    if algorithm not in ALGORITHMS:
        raise InvalidArgumentError(f"checksum {value!r}: expected 64, 40 or 32 hexadecimal digits")
    return [(algorithm, Checksums(**{algorithm: value}).get(algorithm) or "")]


# Parameters of the search by properties that are not names of properties.
_TAKEN = {"repos", "properties"}


def _properties(values: Mapping[str, str]) -> Parameters:
    if not isinstance(values, Mapping):
        raise InvalidArgumentError(f"properties are a {type(values).__name__}; expected a mapping of keys to texts")
    for key, value in values.items():
        if not key or key in _TAKEN or not isinstance(value, str):
            raise InvalidArgumentError(
                f"properties: {key!r}: {value!r}: expected a key and a text",
                hint="aql() finds properties of any name" if key in _TAKEN else None,
            )
        check_texts(properties=f"{key}={value}")
    return list(values.items())


def _dates(dates: Filter) -> Parameters:
    """
    Require one kind of date: the server combines two kinds with "or".

    Raises:
        InvalidArgumentError: If both kinds are passed.
    """
    created, modified = (dates.created_after, dates.created_before), (dates.modified_after, dates.modified_before)
    if any(created) and any(modified):
        raise InvalidArgumentError(
            "created and modified: a search by date knows one of them", hint="use aql() for both"
        )
    after, before = created if any(created) else modified
    if after is None and before is None:
        return []
    until = [] if before is None else [("to", _milliseconds(before))]
    field = "created" if any(created) else "lastModified"
    return [("from", _milliseconds(after or _EPOCH)), *until, ("dateFields", field)]


def _milliseconds(moment: datetime) -> str:
    return str((moment - _EPOCH) // timedelta(milliseconds=1))
