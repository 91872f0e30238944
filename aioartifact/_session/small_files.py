"""Fast path for downloads and uploads of many small files: everything that they share is computed once."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from time import perf_counter
from typing import Generic, Protocol, TypeVar, cast

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from .._address import ItemURL, ServerURL
from .._credentials import Credentials
from .._protocol import IDENTITY, Request, Upload
from .connections import (
    Connector,
    close_unusable_connections,
    is_reusable,
    limiting_head,
    middlewares_of,
    request_bytes,
)
from .limits import OF_THE_SESSION, RequestsRefused, credentials_in
from .plain_head import LARGEST_BODY
from .small_responses import (
    BegunRequest,
    BegunResponse,
    SmallResponse,
    is_direct,
    request_headers,
    request_plainly,
)
from .state import Route, SessionState, state_of
from .telemetry import TELEMETRY, log_response

T = TypeVar("T")

# The body of a small file usually arrives together with its head, or within this many seconds.
_BODY_SECONDS = 0.1


class SmallFiles(Protocol):
    """
    Requests files of one server that are expected to be small.

    The requests observe the same limits and pauses as all others. Unusual responses and failures are not handled here:
    the caller passes them to `stream`.
    """

    async def get(
        self, items: Sequence[ItemURL], responses: list[SmallResponse]
    ) -> BegunRequest | BegunResponse | None:
        """
        Request whole files, one after the other, while the responses are plain.

        Args:
            items: The files.
            responses: List to which the responses are appended.

        Returns:
            The first request whose response is not plain, or that failed; it holds its slot, for `stream`. None if
            there is no such request: then all *responses* have been received, or no request was sent for the first
            file without one, because the credentials must be renewed or are refused.
        """
        ...


class SmallUploads(Protocol):
    """Uploads small files to one server; otherwise like :class:`SmallFiles`."""

    async def put(self, requests: Sequence[Request], responses: list[SmallResponse]) -> BegunRequest | None:
        """
        Send files, one after the other, while the responses are plain.

        Args:
            requests: Requests whose bodies are in memory.
            responses: List to which the responses are appended.

        Returns:
            See :meth:`SmallFiles.get`.
        """
        ...


async def prepare_small_files(session: aiohttp.ClientSession, server: ServerURL) -> SmallFiles | None:
    """
    Prepare downloads of small files from *server*, with the current settings of the session.

    Returns:
        None if the requests must take the usual path: because of a proxy or of hooks in a session of this library, a
        limit on bytes, or an observer.

    Raises:
        ArtifactoryError: If the session cannot be used here, or there are no valid credentials.
    """
    state = state_of(session)
    await state.admit(server)
    route = state.route(server)
    if TELEMETRY.observer is not None or state.byte_rate.is_limited:
        return None
    if state.foreign:
        return _ForeignFiles(session, state, route)
    return _DirectFiles(session, server, state, route) if is_direct(session, state, route) else None


async def prepare_small_uploads(session: aiohttp.ClientSession, server: ServerURL) -> SmallUploads | None:
    """
    Prepare uploads of small files, like :func:`prepare_small_files`; return None also for a foreign session.

    Raises:
        ArtifactoryError: See :func:`prepare_small_files`.
    """
    state = state_of(session)
    await state.admit(server)
    route = state.route(server)
    if TELEMETRY.observer is not None or state.byte_rate.is_limited or not is_direct(session, state, route):
        return None
    return _DirectUploads(session, server, state, route)


class _DirectRequests(ABC, Generic[T]):
    """
    Requests that are sent directly on the connections of a session of this library.

    Args:
        method: HTTP method of all requests.
        own: Header fields of all requests, in addition to those of the session.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        server: ServerURL,
        state: SessionState,
        route: Route,
        *,
        method: str,
        own: Mapping[str, str],
    ) -> None:
        assert isinstance(session.connector, Connector)
        self._connector = session.connector
        self._state = state
        self._limits = route.limits
        self._timeout = state.timeout()
        self._method = method
        self._origin = URL(server.origin)
        self._skipped = len(server.origin)
        self._route = route
        self._bare_headers = request_headers(session, self._origin, own)
        for name, value in route.added.items():
            self._bare_headers.setdefault(name, value)
        self._renewable = None if any(credentials_in(self._bare_headers)) else route.renewable
        self._attached: Credentials | None = None
        self._attach()
        self._connection: Connection | None = None

    @abstractmethod
    def _request_to(self, item: T) -> tuple[str, bytes, int]:
        """Return the URL of a request, its bytes, and how many of them are file content."""

    def _attach(self) -> None:
        """Add the current credentials to the requests, unless the user gave the session its own."""
        self._attached = None if self._renewable is None else self._renewable.current
        headers = self._bare_headers.copy()
        if not any(credentials_in(headers)):
            headers.update(self._route.sent_headers)
        self._credentials = credentials_in(headers)
        self._request_end = request_bytes(self._method, "", headers).removeprefix(f"{self._method} ".encode())

    async def _send(self, items: Sequence[T], responses: list[SmallResponse]) -> BegunRequest | None:
        """See :meth:`SmallFiles.get`."""
        try:
            return await self._send_in_turn(items, responses)
        finally:
            self._release()

    async def _send_in_turn(self, items: Sequence[T], responses: list[SmallResponse]) -> BegunRequest | None:
        limits = self._limits
        while (count := len(responses)) < len(items):
            if not (limits.spare and limits.are_open):
                self._release()  # others may need the connection while this waits
            await limits.enter()
            has_slot = True
            try:
                with limits.queue.waiting:
                    if limits.are_open:
                        begun = await self._request(items, responses)
                    else:
                        async with limits.turn(self._credentials):
                            begun = await self._request(items, responses)
                if begun is not None:
                    begun.keep_slot(limits)
                    has_slot = False
                    return begun
            except RequestsRefused:
                return None
            finally:
                if has_slot:
                    limits.leave()
            if len(responses) == count:
                return None
        return None

    async def _request(self, items: Sequence[T], responses: list[SmallResponse]) -> BegunRequest | None:
        """Send the requests for *items* without a response on one connection, while limits and credentials allow it."""
        if self._renewable is not None:
            if not self._renewable.is_ready:
                return None
            if self._renewable.current is not self._attached:
                self._attach()
        try:
            connection = await self._connected()
        except aiohttp.ClientError as error:
            return BegunRequest(error=error)
        begun = await request_plainly(
            self._method, connection, self._requests(items, responses), responses, self._timeout
        )
        if begun is None:
            self._connection = connection
        else:
            begun.sent_with = self._attached
        return begun

    def _requests(self, items: Sequence[T], responses: list[SmallResponse]) -> Iterator[tuple[str, bytes]]:
        """Yield the requests; record the response to each before the next one."""
        state, limits = self._state, self._limits
        sent = state.clock.now()
        for item in islice(items, len(responses), None):
            url, data, uploaded = self._request_to(item)
            yield url, data
            response, now = responses[-1], state.clock.now()
            state.traffic.requests += 1
            state.traffic.bytes_sent += uploaded
            state.traffic.received(len(response.body))
            limits.record_success(sent, now)
            limits.queue.limit.add_bytes(uploaded + len(response.body))
            if self._renewable is not None and self._attached is not None:
                self._renewable.accepted(self._attached)
            log_response(cast("aiohttp.ClientResponse", response), len(response.body), sent)
            if not (response.keeps_alive and limits.may_continue and self._has_ready_credentials):
                return
            sent = now

    @property
    def _has_ready_credentials(self) -> bool:
        """Whether the credentials that the requests carry are still current, and not due for renewal."""
        return self._renewable is None or (self._renewable.is_ready and self._renewable.current is self._attached)

    async def _connected(self) -> Connection:
        """Return the connection of the last request, or another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if is_reusable(connection):
                return connection
            connection.close()
        return await self._connector.connection(self._origin, self._timeout)

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()


class _DirectFiles(_DirectRequests[ItemURL]):
    """Downloads in a session of this library."""

    def __init__(self, session: aiohttp.ClientSession, server: ServerURL, state: SessionState, route: Route) -> None:
        super().__init__(session, server, state, route, method="GET", own=IDENTITY)

    async def get(self, items: Sequence[ItemURL], responses: list[SmallResponse]) -> BegunRequest | None:
        """See :meth:`SmallFiles.get`."""
        return await self._send(items, responses)

    def _request_to(self, item: ItemURL) -> tuple[str, bytes, int]:
        url = str(item)
        return url, b"GET %b%b" % (url[self._skipped :].encode("ascii"), self._request_end), 0


# Fields whose values differ for each upload.
_OF_EACH_UPLOAD = ("Content-Type", "Content-Length", "X-Checksum-Sha256", "X-Checksum-Sha1")


class _DirectUploads(_DirectRequests[Request]):
    """Uploads in a session of this library."""

    def __init__(self, session: aiohttp.ClientSession, server: ServerURL, state: SessionState, route: Route) -> None:
        super().__init__(session, server, state, route, method="PUT", own={})

    async def put(self, requests: Sequence[Request], responses: list[SmallResponse]) -> BegunRequest | None:
        """See :meth:`SmallUploads.put`."""
        return await self._send(requests, responses)

    def _attach(self) -> None:
        for name in _OF_EACH_UPLOAD:
            self._bare_headers.popall(name, None)
        super()._attach()
        self._request_end = self._request_end.removesuffix(b"\r\n")

    def _request_to(self, item: Request) -> tuple[str, bytes, int]:
        assert isinstance(item.body, Upload)
        content = item.body.content
        assert content is not None, "it is in memory"
        fields = "".join([f"{name}: {value}\r\n" for name, value in item.headers.items()])
        end = f"{fields}Content-Length: {len(content)}\r\n\r\n".encode("ascii")
        target = item.url[self._skipped :].encode("ascii")
        return item.url, b"PUT %b%b%b%b" % (target, self._request_end, end, content), len(content)


class _ForeignFiles:
    """Downloads in a foreign session: each request passes through everything that its owner configured."""

    def __init__(self, session: aiohttp.ClientSession, state: SessionState, route: Route) -> None:
        self._session = session
        self._state = state
        self._route = route
        self._middlewares = (*middlewares_of(session), limiting_head)

    async def get(self, items: Sequence[ItemURL], responses: list[SmallResponse]) -> BegunResponse | None:
        """See :meth:`SmallFiles.get`."""
        for item in islice(items, len(responses), None):
            if self._route.limits.breaker.refusal(OF_THE_SESSION):
                return None
            begun = await self._request(str(item))
            if isinstance(begun, BegunResponse):
                return begun
            responses.append(begun)
        return None

    async def _request(self, url: str) -> SmallResponse | BegunResponse:
        parsed = URL(url, encoded=True)
        close_unusable_connections(self._session, parsed)
        self._state.traffic.requests += 1
        sent, started = self._state.clock.now(), perf_counter()
        try:
            response = await self._session.request(
                "GET",
                parsed,
                headers=IDENTITY,
                allow_redirects=False,
                raise_for_status=False,
                timeout=self._state.timeout(),
                auto_decompress=False,
                proxy=self._route.proxy,
                middlewares=self._middlewares,
            )
        except Exception as error:  # noqa: BLE001  # raised by BegunResponse.response()
            return BegunResponse(error=error)
        try:
            is_small = _is_plain(response) and await _is_here(response.content)
        except BaseException:  # cancelled
            response.close()
            raise
        if not is_small:
            return BegunResponse(response)
        body = response.content.read_nowait()
        self._state.traffic.received(len(body))
        log_response(response, len(body), sent)
        fields = b"".join(b"%b: %b\r\n" % field for field in response.raw_headers)
        return SmallResponse("GET", url, fields, body, started)


def _is_plain(response: aiohttp.ClientResponse) -> bool:
    """Whether *response* is a success with a small body that is not encoded."""
    headers = response.headers
    coded = "Content-Encoding" in headers or "Transfer-Encoding" in headers
    return response.status == 200 and not coded and 0 < (response.content_length or 0) <= LARGEST_BODY


async def _is_here(content: aiohttp.StreamReader) -> bool:
    """Whether all of *content* has arrived; waits a moment for it."""
    if not content.is_eof():
        arrived = asyncio.Event()
        content.on_eof(arrived.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(_BODY_SECONDS):
                await arrived.wait()
    return content.is_eof() and content.exception() is None
