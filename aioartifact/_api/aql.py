"""Queries in AQL."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, TypeAlias

import aiohttp

from .._address import URLLike, has_surrogates, parse_server_url
from .._aql import Items
from .._errors import InvalidArgumentError
from .._listing import ListingStatus, Results, Rows
from .._protocol import merge_rows
from .session import using

Row: TypeAlias = dict[str, Any]

# "items.delete" and "properties.update" are valid AQL, too, and change items.
_FINDS = re.compile(r"\s*[a-z]+(\.[a-z]+)*\.find\s*\(")


def aql(server: URLLike, query: str | Items, *, session: aiohttp.ClientSession | None = None) -> Results[Row]:
    """
    Run a query in Artifactory Query Language, and yield its rows as they arrive; one request.

    The server does not accept queries of anonymous users. If it limits the number of rows, further requests continue
    after the last row. That requires a query of :mod:`aioartifact.query` without order, limit and nested fields.
    Consecutive rows of one item are joined. Example::

        from aioartifact import query

        large = query.items(repo="libs-release", size=query.gt(1_000_000))
        async for row in aioartifact.aql(server, large):
            print(row["path"], row["name"])

    Args:
        server: Base address of the server, e.g. ``https://host/artifactory``.
        query: A query of :func:`aioartifact.query.items`, or text. Text is sent unchanged: never put untrusted values
            into it.
        session: Session to use; None opens one for this query.

    Returns:
        An async iterator of rows: dicts with the included fields, see :class:`Results`.

    Raises:
        InvalidURLError: If *server* is not an absolute http or https URL.
        InvalidArgumentError: If *query* is not a ``find`` query.
        BadRequestError: While iterating, as all below: if the query has a syntax error; the hint shows its position.
        ForbiddenError: If the user may not query.
        IncompleteListingError: If the server limits the number of rows, and the query cannot be continued.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Artifactory Query Language (AQL)".
    """
    address, asked = parse_server_url(server), _checked(query)

    async def start(_: ListingStatus) -> AsyncGenerator[list[Row], None]:
        last: list[Row] = []
        async with using(session) as opened, aclosing(Rows(opened, address, asked).batches()) as batches:
            async for batch in batches:
                merged = [*merge_rows([*last, *batch])]
                # The last item of a batch may continue in the next one.
                last = merged[-1:]
                yield merged[:-1]
        yield last

    return Results(start, "aql")


def _checked(query: object) -> str | Items:
    """
    Return *query* if it is a ``find`` query.

    Raises:
        InvalidArgumentError: If it is not a query, or one that changes items.
    """
    if isinstance(query, Items) or (isinstance(query, str) and _FINDS.match(query)):
        if isinstance(query, str) and has_surrogates(query):
            raise InvalidArgumentError(f"query {query!r:.80}: UTF-8 cannot express it")
        return query
    raise InvalidArgumentError(f"query {query!r:.80}: expected text such as 'items.find(...)', or query.items(...)")
