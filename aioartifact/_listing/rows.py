"""Rows of AQL, page after page where a server trims its responses."""

import re
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import aiohttp

from .._address import ServerURL
from .._aql import KEY, Items
from .._errors import BadRequestError, TransportError
from .._protocol import build_aql, check_count, missing_list, name_of, read_trimming, trimmed_error
from .._retry import MIN_PROGRESS_ENTRIES
from .._session import Operation, ProgressCheck, start_operation, state_of
from .arrays import ArrayAnswer, Entries

# What a session remembers of a server that does not sort rows, or does not know some fields.
SORT = "aql-sort"
OPTIONAL_FIELDS = "aql-optional-fields"
# The message quotes the full query after these words, so no other word in it is reliable.
_UNPARSED = re.compile(r"fail(ed)? to parse query", re.IGNORECASE)
_LIMIT = re.compile(r"\.\s*limit\s*\(\s*([0-9]+)\s*\)")


class Rows:
    """
    The rows of a query.

    If the query can be divided into pages, its rows are sorted, so that those that a server trims, or a lost connection
    does not deliver, are requested again from the last received row on. The open-source edition refuses to sort; there,
    one response must have all rows. Fields that older servers do not know are left out where a server refuses them.

    Args:
        session: Session to use.
        server: The server.
        query: The query.
        order: Fields that name an item, to sort by.
        operation: Operation that the requests are part of; None for one of their own.
        optional: Fields that the rows may lack.

    Attributes:
        is_sorted: Whether the rows come in that order; only known once there are rows.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        server: ServerURL,
        query: Items | str,
        order: Sequence[str] = KEY,
        operation: Operation | None = None,
        optional: Collection[str] = (),
    ) -> None:
        is_pageable = isinstance(query, Items) and query.is_pageable
        self._refused = state_of(session).refused[server]
        self.is_sorted = is_pageable and SORT not in self._refused
        self._optional = frozenset(optional if OPTIONAL_FIELDS not in self._refused else ())
        self._left_out = frozenset(optional) - self._optional
        self._newly_refused: set[str] = set()
        self._session = session
        self._operation = operation or start_operation(session)
        self._server = server
        self._query = query
        self._order = order
        self._last: tuple[str, ...] | None = None
        self._has_gap = False
        self._resumable = 0  # rows that need not be requested again
        self._progress = ProgressCheck(MIN_PROGRESS_ENTRIES)

    async def batches(self) -> AsyncGenerator[Entries, None]:
        """
        Yield rows as they arrive.

        Raises:
            ResponseError: If the server refused; 400 if it does not understand the query.
            TransportError: If no complete response is received.
            ProtocolError: If the response is not an AQL result.
            IncompleteListingError: If the server trimmed the rows, and the rest cannot be requested; or it sent fewer
                than it counts, or reports errors.
        """
        attempts = self._operation.attempts(
            TransportError,
            progressed=lambda: self._progress.has_advanced(self._resumable),
            may_retry=lambda: not self._has_gap,
        )
        async for attempt in attempts:
            before, answer = self._last, self._request()
            with attempt:
                try:
                    async with aclosing(answer.batches(self._session, self._operation)) as batches:
                        async for rows in batches:
                            self._note(answer, rows)
                            yield rows
                    is_whole = self._is_whole(answer, before)
                except BadRequestError as refusal:
                    self._simplify(refusal)
                    is_whole = False
                if is_whole:
                    return
                # The next page, or a simpler query, is a request of its own.
                self._operation.reset()
                self._progress.reached = self._resumable
        raise attempts.failure()

    def _request(self) -> ArrayAnswer:
        query = self._query
        if isinstance(query, Items):
            query = query.without(self._left_out)
            query = query.page(self._order, self._last) if self.is_sorted else query
        return ArrayAnswer(build_aql(self._server, str(query)), "results")

    def _note(self, answer: ArrayAnswer, rows: Entries) -> None:
        """Record how many rows need not be requested again: none unless they are sorted."""
        self._refused |= self._newly_refused
        if not rows:
            return
        self._has_gap = not self.is_sorted
        if self.is_sorted:
            self._resumable += len(rows)
            self._last = _key(answer, rows[-1], self._order)

    def _is_whole(self, answer: ArrayAnswer, before: tuple[str, ...] | None) -> bool:
        if not answer.has_array:
            raise missing_list(answer.request, "results")
        limit = _own_limit(self._query)
        trimmed = read_trimming(answer.members, own_limit=limit)
        if trimmed and (not self.is_sorted or self._last == before):
            raise trimmed_error(answer.request, trimmed)
        if not trimmed:
            # Any rows may be missing: the next page, which starts after the last row, would not contain them.
            check_count(answer.request, answer.members, answer.count, own_limit=limit)
        return not trimmed

    def _simplify(self, refusal: BadRequestError) -> None:
        """
        Continue without optional fields, or else without an order, if these may be the reason of the refusal.

        That the server refuses them is remembered only once the simpler query has succeeded.

        Raises:
            BadRequestError: If the reason is another one.
        """
        words = refusal.server_message
        if self._optional and _UNPARSED.search(words):
            self._left_out, self._optional = self._optional, frozenset()
            self._newly_refused.add(OPTIONAL_FIELDS)
        elif self.is_sorted and "sort" in words.lower():
            self.is_sorted = False
            self._newly_refused.add(SORT)
        else:
            raise refusal


def _own_limit(query: Items | str) -> int | None:
    if isinstance(query, Items):
        return query.most
    found = _LIMIT.findall(query)
    return int(found[-1]) if found else None


def _key(answer: ArrayAnswer, row: Mapping[str, Any], order: Sequence[str]) -> tuple[str, ...]:
    return tuple(name_of(answer.request, row, name) for name in order)
