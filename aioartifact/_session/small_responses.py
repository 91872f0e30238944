"""
Transfer small files without aiohttp's request and response objects, which take longer than all the rest.

The request is sent on a connection of the session's connector. A plain response, see `plain_head`, is received here.
Any other response is passed to aiohttp, together with its connection and the received bytes, so that nothing is
requested twice, and errors, redirects, interim responses, large or encoded bodies, broken connections and timeouts are
all handled in one place.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import inf
from time import perf_counter
from typing import TypeAlias, cast

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDict
from yarl import URL

from .._credentials import Credentials
from .connections import ClientProtocol, Connector, is_hooked, received_response, request_bytes
from .limits import ServerLimits
from .plain_head import PlainHead, header_fields, may_become_plain, read_plain_head
from .state import Route, SessionState

# If a body takes more seconds, the received bytes must show in the progress and be kept.
_BODY_SECONDS = 1.0
_SUCCESS = b"HTTP/1.1 200 "
# Servers send a head as a whole; one in this many pieces is left to aiohttp, and not parsed again with each piece.
_MOST_PIECES = 8


class SmallResponse:
    """
    A plain response that has been received completely, with the parts of `aiohttp.ClientResponse` used here.

    It is its own `content`, and reading it does not wait.

    Attributes:
        status: HTTP status code.
        method: Method of the request.
        url: URL of the request.
        fields: Lines of the header fields.
        body: The bytes.
        keeps_alive: Whether its connection can be used again.
        started: When it was requested, by `time.perf_counter`.
        connection: Always None: the response no longer needs it.
    """

    __slots__ = ("_headers", "_was_read", "body", "fields", "keeps_alive", "method", "started", "status", "url")

    connection = None

    def __init__(
        self,
        method: str,
        url: str,
        fields: bytes,
        body: bytes,
        started: float,
        *,
        status: int = 200,
        keeps_alive: bool = True,
    ) -> None:
        self.method = method
        self.status = status
        self.url = url
        self.fields = fields
        self.body = body
        self.started = started
        self.keeps_alive = keeps_alive
        self._headers: CIMultiDict[str] | None = None
        self._was_read = not body

    @property
    def headers(self) -> CIMultiDict[str]:
        """Header fields."""
        if self._headers is None:
            self._headers = header_fields(self.fields)
        return self._headers

    @property
    def content(self) -> "SmallResponse":
        return self

    async def readany(self) -> bytes:
        """Return the body; nothing the second time."""
        if self._was_read:
            return b""
        self._was_read = True
        return self.body

    def at_eof(self) -> bool:
        """Whether the body has been read."""
        return self._was_read

    def exception(self) -> None:
        """Return None: the body did not fail."""

    def release(self) -> None:
        """Do nothing: the connection has been released."""


class SmallRequest:
    """
    A request as the middleware needs it, see `aiohttp.ClientRequest`.

    Attributes:
        session: Session that sends it.
        method: GET or PUT.
        url: URL.
        headers: Header fields, which may be changed until it is sent.
        body: The bytes to send.
    """

    __slots__ = ("body", "headers", "method", "session", "url")

    def __init__(
        self, session: aiohttp.ClientSession, method: str, url: URL, headers: CIMultiDict[str], body: bytes = b""
    ) -> None:
        self.session = session
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body


class _Reception:
    """
    Sends requests on one connection, one after the other, and receives the responses as long as these are plain.

    Each request is sent in the iteration of the event loop in which the previous response ends: waking a task for each
    would take longer than the rest.

    Attributes:
        deadline: When to stop waiting, in the time of the event loop.
        outcome: Whether all responses were plain; if not, aiohttp reads the last one.
    """

    __slots__ = (
        "_chunks",
        "_head",
        "_loop",
        "_method",
        "_missing",
        "_pieces",
        "_protocol",
        "_requests",
        "_responses",
        "_sent",
        "_silence",
        "_started",
        "_status",
        "_url",
        "deadline",
        "outcome",
    )

    def __init__(
        self,
        method: str,
        requests: "Requests",
        responses: list[SmallResponse],
        connection: Connection,
        silence: float,
    ) -> None:
        protocol = connection.protocol
        assert isinstance(protocol, ClientProtocol)
        self._method = method
        self._status = 201 if method == "PUT" else 200
        self._requests = requests
        self._responses = responses
        self._protocol = protocol
        self._silence = silence
        self._loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[bool] = self._loop.create_future()

    def send_next(self) -> None:
        """
        Send the next request, or end.

        Raises:
            aiohttp.ClientConnectionResetError: If the connection has just been closed.
        """
        request = next(self._requests, None)
        if request is None:
            self._protocol.send_to(None)
            self._end(is_plain=True)
            return
        self._url, data = request
        self._chunks: list[bytes] = []
        self._head: PlainHead | None = None
        self._missing = 0
        self._pieces = 0
        self._started = perf_counter()
        self._sent = self._loop.time()
        self.deadline = self._sent + self._silence
        self._protocol.send(data, self)

    def receive(self, data: bytes) -> None:
        self._chunks.append(data)
        if self._head is None:
            self._receive_head()
        else:
            self._missing -= len(data)
        if self._head is None or self._missing > 0:
            return
        if self._missing:  # bytes that belong to no request
            self.pass_on()
        elif not self.outcome.done():
            self._complete(self._head)

    def _receive_head(self) -> None:
        self._pieces += 1
        if len(self._chunks) > 1:
            self._chunks = [b"".join(self._chunks)]
        data = self._chunks[0]
        self._head = head = read_plain_head(data)
        if head is not None and head.status == self._status:
            self._missing = head.body_start + head.body_size - len(data)
            if self._missing > 0:
                self.deadline = self._loop.time() + min(self._silence, _BODY_SECONDS)
                self._protocol.send_to(self)
        elif head is not None or self._pieces == _MOST_PIECES or not may_become_plain(data):
            self._head = None
            self.pass_on()

    def _complete(self, head: PlainHead) -> None:
        if not head.keeps_alive:
            self._protocol.force_close()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        body = data[head.body_start : head.body_start + head.body_size]
        response = SmallResponse(
            self._method,
            self._url,
            head.fields,
            body,
            self._started,
            status=head.status,
            keeps_alive=head.keeps_alive,
        )
        self._responses.append(response)
        try:
            self.send_next()
        except Exception as error:  # noqa: BLE001  # raised where the outcome is awaited
            self._protocol.send_to(None)
            with suppress(asyncio.InvalidStateError):
                self.outcome.set_exception(error)

    @property
    def is_success(self) -> bool:
        """Whether the response begins with the status 200, and the connection is still open."""
        return self._protocol.is_connected() and any(self._chunks) and self._chunks[0].startswith(_SUCCESS)

    @property
    def waited(self) -> float:
        """Seconds since the request was sent."""
        return self._loop.time() - self._sent

    def expire(self) -> None:
        """Stop waiting."""
        self.pass_on()
        if self._head is None:
            self._protocol.set_exception(aiohttp.SocketTimeoutError("no response head in time"))

    def pass_on(self) -> None:
        """Have aiohttp read the response."""
        self._protocol.read_from(b"".join(self._chunks), self._silence, decompress=self._method == "PUT")
        self._end(is_plain=False)

    def _end(self, *, is_plain: bool) -> None:
        # Without a check first: asyncio's Ctrl-C handler can cancel the waiter between any two bytecodes of the thread.
        with suppress(asyncio.InvalidStateError):
            self.outcome.set_result(is_plain)


def is_direct(session: aiohttp.ClientSession, state: SessionState, route: Route) -> bool:
    """Whether *session* connects to the server of *route* without a proxy, and without hooks of the user."""
    hooks = state.foreign or route.proxy or state.proxy or state.additions.middlewares
    return not hooks and not is_hooked(session)


def request_headers(session: aiohttp.ClientSession, url: URL, own: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the header fields that aiohttp would send with a request for *url* that has *own* header fields."""
    headers = CIMultiDict(session.headers)
    headers.update(own)
    headers.setdefault("Host", url.host_port_subcomponent or "")
    headers.setdefault("Accept", "*/*")
    return headers


class BegunRequest:
    """
    A request that has been sent and whose response is not plain, or that failed.

    It holds its connection: `response` or `discard` must follow. It may hold a slot among the requests in flight.

    Attributes:
        sent_with: Renewable credentials that it was sent with, or None.
    """

    __slots__ = ("_connection", "_error", "_limits", "_reception", "sent_with")

    def __init__(
        self,
        connection: Connection | None = None,
        reception: _Reception | None = None,
        error: aiohttp.ClientError | None = None,
    ) -> None:
        self._connection = connection
        self._reception = reception
        self._error = error
        self._limits: ServerLimits | None = None
        self.sent_with: Credentials | None = None

    @property
    def is_success(self) -> bool:
        """Whether the response is a success whose body is still arriving."""
        return self._reception is not None and self._reception.is_success

    def keep_slot(self, limits: ServerLimits) -> None:
        """Hold the slot that the request occupies."""
        self._limits = limits

    def take_slot(self) -> bool:
        """Pass the slot to the caller; return whether there is one."""
        limits, self._limits = self._limits, None
        return limits is not None

    async def response(self, request: SmallRequest) -> aiohttp.ClientResponse:
        """
        Have aiohttp read the head of the response to *request*.

        Raises:
            aiohttp.ClientError: As for any request.
        """
        connection, self._connection = self._connection, None
        if connection is None or self._reception is None:
            assert self._error is not None
            raise self._error
        try:
            return await received_response(
                request.session, request.method, request.url, request.headers, connection, self._reception.waited
            )
        except BaseException:
            connection.close()
            raise

    def discard(self) -> None:
        """Close the connection, and give back the slot."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if self._limits is not None:
            self._limits.leave()
            self._limits = None


Requests: TypeAlias = Iterator[tuple[str, bytes]]
"""URLs and the bytes of their requests; the next one is taken only after the response to the previous one."""


async def request_plainly(
    method: str,
    connection: Connection,
    requests: Requests,
    responses: list[SmallResponse],
    timeout: aiohttp.ClientTimeout,
) -> BegunRequest | None:
    """
    Send one request after the other, and receive their responses while these are plain.

    Args:
        method: GET, whose plain responses have status 200, or PUT, whose plain responses have 201.
        connection: Idle connection; is closed on failure and cancellation.
        requests: The requests.
        responses: List to which the responses are appended.
        timeout: Time limits.

    Returns:
        The last request if it failed or its response is not plain. None if all responses are plain: then the connection
        still belongs to the caller.
    """
    try:
        silence = inf if timeout.sock_read is None else timeout.sock_read
        reception = _Reception(method, requests, responses, connection, silence)
        reception.send_next()
        are_plain = await reception.outcome
    except aiohttp.ClientError as error:
        connection.close()
        return BegunRequest(error=error)
    except BaseException:
        connection.close()
        raise
    return None if are_plain else BegunRequest(connection, reception)


class BegunResponse:
    """
    The outcome of a request in a foreign session that is not plain: a response with its body unread, or an error.

    `response` or `discard` must follow.
    """

    __slots__ = ("_error", "_response")

    def __init__(self, response: aiohttp.ClientResponse | None = None, error: Exception | None = None) -> None:
        self._response = response
        self._error = error

    @property
    def is_success(self) -> bool:
        """Whether it is a success whose body is still arriving."""
        return self._response is not None and self._response.status == 200

    def response(self) -> aiohttp.ClientResponse:
        """
        Return the response.

        Raises:
            Exception: The error of the request.
        """
        if self._error is not None:
            raise self._error
        response, self._response = self._response, None
        assert response is not None, "it is taken once"
        return response

    def discard(self) -> None:
        """Close the connection, unless the response was taken."""
        if self._response is not None:
            self._response.close()


Begun: TypeAlias = SmallResponse | BegunRequest | BegunResponse
"""A request that has been sent, or its response."""


class SmallSender:
    """
    Sends a :class:`SmallRequest` as the last of the client middlewares; its first attempt may have *begun*.

    Args:
        timeout: Time limits.
        begun: The first attempt if it has begun, or None.
    """

    __slots__ = ("_begun", "_timeout")

    def __init__(self, timeout: aiohttp.ClientTimeout, begun: Begun | None) -> None:
        self._timeout = timeout
        self._begun = begun

    async def __call__(self, request: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        """
        Return the response; a plain one has been received completely.

        Raises:
            aiohttp.ClientError: As for any request.
        """
        small, connector = cast("SmallRequest", request), request.session.connector
        begun, self._begun = self._begun, None
        if begun is None:
            assert isinstance(connector, Connector)
            data = request_bytes(small.method, small.url.raw_path_qs, small.headers) + small.body
            connection = await connector.connection(small.url.origin(), self._timeout)
            responses: list[SmallResponse] = []
            begun = await request_plainly(
                small.method, connection, iter([(str(small.url), data)]), responses, self._timeout
            )
            if begun is None:
                connection.release()
                begun = responses[0]
        if isinstance(begun, BegunRequest):
            return await begun.response(small)
        return cast("aiohttp.ClientResponse", begun)
