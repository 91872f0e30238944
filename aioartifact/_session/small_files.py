"""Fast path to many small files of one server: what all of them share is worked out once."""

from typing import Self, cast

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from .._address import ItemURL, ServerURL
from .._credentials import Credentials
from .._protocol import IDENTITY
from .connections import Connector, is_reusable, request_bytes
from .limits import CredentialsRefused, credentials_in
from .small_responses import Begun, BegunRequest, is_direct, request_headers, request_plainly
from .state import Route, SessionState, state_of
from .telemetry import TELEMETRY, log_response


class SmallFiles:
    """
    Requests files of one server that are expected to be small.

    It keeps one connection between them, so `release` must follow. The requests observe the same limits and pauses as
    all others. What is out of the ordinary, an unusual response or a failure, is not judged here: the caller passes it
    to `stream`.
    """

    def __init__(self, session: aiohttp.ClientSession, server: ServerURL, state: SessionState, route: Route) -> None:
        assert isinstance(session.connector, Connector)
        self._connector = session.connector
        self._state = state
        self._limits = route.limits
        self._timeout = state.timeout()
        self._origin = URL(server.origin)
        self._skipped = len(server.origin)
        self._route = route
        self._bare_headers = request_headers(session, self._origin, IDENTITY)
        for name, value in route.added.items():
            self._bare_headers.setdefault(name, value)
        self._renewable = None if any(credentials_in(self._bare_headers)) else route.renewable
        self._attached: Credentials | None = None
        self._attach()
        self._connection: Connection | None = None

    def _attach(self) -> None:
        """Have the requests carry the present credentials, unless the user gave the session its own."""
        self._attached = None if self._renewable is None else self._renewable.current
        self._headers = self._bare_headers.copy()
        if not any(credentials_in(self._headers)):
            self._headers.update(self._route.sent_headers)
        self._credentials = credentials_in(self._headers)

    @classmethod
    async def of(cls, session: aiohttp.ClientSession, server: ServerURL) -> Self | None:
        """
        Prepare for files of *server*, by the present settings of the session.

        Returns:
            None if its requests must go the usual way: through something of the user's, as slowly as a limit on bytes
            demands, or observed.

        Raises:
            ArtifactoryError: If the session cannot be used here, or there are no valid credentials.
        """
        state = state_of(session)
        await state.admit(server)
        route = state.route(server)
        if TELEMETRY.observer is not None or state.byte_rate.is_limited or not is_direct(session, state, route):
            return None
        return cls(session, server, state, route)

    async def get(self, item: ItemURL) -> Begun | None:
        """
        Request the whole file.

        Returns:
            A plain response; or a request that holds its slot, for `stream`; None if nothing was sent, as the
            credentials must be renewed or are refused.
        """
        limits, url = self._limits, str(item)
        if not (limits.spare and limits.are_open):
            self.release()  # others may need the connection while this waits
        await limits.enter()
        has_slot = True
        try:
            with limits.queue.waiting:
                if limits.are_open:
                    begun = await self._request(url)
                else:
                    async with limits.turn(self._credentials):
                        begun = await self._request(url)
            if isinstance(begun, BegunRequest):
                begun.keep_slot(limits)
                has_slot = False
        except CredentialsRefused:
            return None
        finally:
            if has_slot:
                limits.leave()
        return begun

    async def _request(self, url: str) -> Begun | None:
        if self._renewable is not None:
            if not self._renewable.is_ready:
                return None
            if self._renewable.current is not self._attached:
                self._attach()
        sent = self._state.clock.now()
        try:
            connection = await self._connected()
        except aiohttp.ClientError as error:
            return BegunRequest(error=error)
        data = request_bytes(url[self._skipped :], self._headers)
        begun = await request_plainly(connection, url, data, self._timeout)
        if isinstance(begun, BegunRequest):
            begun.sent_with = self._attached
            return begun
        self._connection = connection
        self._state.traffic.requests += 1
        self._state.traffic.received(len(begun.body))
        self._limits.record_success(sent)
        self._limits.queue.limit.add_bytes(len(begun.body))
        if self._renewable is not None and self._attached is not None:
            self._renewable.accepted(self._attached)
        log_response(cast("aiohttp.ClientResponse", begun), len(begun.body), sent)
        return begun

    async def _connected(self) -> Connection:
        """The connection of the last file, or another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if is_reusable(connection):
                return connection
            connection.close()
        return await self._connector.connection(self._origin, self._timeout)

    def release(self) -> None:
        """Release the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()
