"""Rows of AQL, page after page where a server trims its answers."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import aiohttp

from .._address import ServerURL
from .._aql import KEY, Items
from .._errors import BadRequestError, TransportError
from .._protocol import build_aql, check_count, missing_list, name_of, read_trimming, trimmed_error
from .._retry import MIN_PROGRESS_ENTRIES
from .._session import Operation, begin, rest, state_of
from .arrays import ArrayAnswer, Entries

# What a session remembers of a server that sorts no rows.
SORT = "aql-sort"
_LIMIT = re.compile(r"\.\s*limit\s*\(\s*([0-9]+)\s*\)")


class Rows:
    """
    The rows of a query.

    Where the query is a value and leaves that open, rows are sorted, so that what a server trims, or a lost
    connection swallows, is asked for again behind the last row that came. The open-source edition refuses to sort;
    there one answer must have all.

    Args:
        session: Session to ask with.
        server: The server.
        query: What is asked.
        order: Fields that name an item, to sort by.
        operation: What the requests are part of; None for one of their own.

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
    ) -> None:
        is_pageable = isinstance(query, Items) and query.is_pageable
        self.is_sorted = is_pageable and SORT not in state_of(session).refused[server]
        self._session = session
        self._operation = operation or begin(session)
        self._server = server
        self._query = query
        self._order = order
        self._last: tuple[str, ...] | None = None
        self._has_gap = False

    async def batches(self) -> AsyncGenerator[Entries, None]:
        """
        Yield rows as they arrive.

        Raises:
            ResponseError: The server said no; 400 where it does not understand the query.
            TransportError: No answer came, or not all of it.
            ProtocolError: The answer is not an AQL result.
            IncompleteListingError: The server trimmed the rows, and those behind cannot be asked for; or it sent
                fewer than it counts, or reports errors.
        """
        operation, is_whole = self._operation, False
        while not is_whole:
            before, arrived = self._last, 0
            answer = self._ask()
            try:
                async with aclosing(answer.batches(self._session, operation)) as batches:
                    async for rows in batches:
                        self._note(answer, rows)
                        arrived += len(rows) if self.is_sorted else 0
                        yield rows
                is_whole = self._is_whole(answer, before)
            except BadRequestError as refusal:
                self._give_up_sorting(refusal)
            except TransportError as error:
                if self._has_gap or not error.retryable:
                    raise
                if not await rest(self._session, operation, progressed=arrived >= MIN_PROGRESS_ENTRIES):
                    raise

    def _ask(self) -> ArrayAnswer:
        query = self._query
        if self.is_sorted and isinstance(query, Items):
            query = query.page(self._order, self._last)
        return ArrayAnswer(build_aql(self._server, str(query)), "results")

    def _note(self, answer: ArrayAnswer, rows: Entries) -> None:
        """Keep in mind how far it got; without an order that says nothing."""
        if not rows:
            return
        self._has_gap = not self.is_sorted
        if self.is_sorted:
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

    def _give_up_sorting(self, refusal: BadRequestError) -> None:
        """
        Go on without an order where it is the order that is refused.

        Raises:
            BadRequestError: It is something else.
        """
        if not self.is_sorted or "sort" not in refusal.server_message.lower():
            raise refusal
        state_of(self._session).refused[self._server].add(SORT)
        self.is_sorted = False


def _own_limit(query: Items | str) -> int | None:
    if isinstance(query, Items):
        return query.most
    found = _LIMIT.findall(query)
    return int(found[-1]) if found else None


def _key(answer: ArrayAnswer, row: Mapping[str, Any], order: Sequence[str]) -> tuple[str, ...]:
    return tuple(name_of(answer.request, row, name) for name in order)
