"""
What this library needs of aiohttp's connections and aiohttp has no option for; works with aiohttp 3.14.2 to 3.14.5.

Each function names the behaviour of aiohttp that it corrects. Nothing else in the package relies on these internals.
"""

import asyncio
import select
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

if hasattr(select, "poll"):

    def _is_readable(descriptor: int) -> bool:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(0))

else:  # Windows

    def _is_readable(descriptor: int) -> bool:
        return bool(select.select([descriptor], [], [], 0)[0])


class StalledAfterInterim(aiohttp.SocketTimeoutError):
    """No final response head in time after an interim response."""


class _Protocol(ResponseHandler):
    """
    A connection on which interim responses (RFC 9110, 15.2) do not stop the clock, and a malformed chunk is an error.

    aiohttp stops its clock at an interim response and does not start it again, or starts it while the request is still
    being sent. At a malformed chunk it closes the connection without notifying the reader of the body, who would wait
    forever. A connection with TLS that it closes after a failure waits for the peer's goodbye, without being part of
    the session any more: where the event loop ends first, the socket stays open, and uvloop reports an error.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stall: float) -> None:
        super().__init__(loop)
        self._stall = stall
        self._is_requested = True
        self._awaits_head = False
        self._final_limit: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Close the connection; with TLS at once, as RFC 8446 (6.1) allows."""
        if self.transport is not None and self.transport.get_extra_info("sslcontext") is not None:
            self.abort()
        else:
            super().close()

    def set_response_params(self, **options: Any) -> None:
        self._is_requested, self._awaits_head = False, True
        super().set_response_params(**options)

    def start_timeout(self) -> None:
        """Start the clock: aiohttp calls this once the request is sent."""
        super().start_timeout()
        self._is_requested = True

    def feed_data(self, data: Any, size: int = 0) -> None:
        self._awaits_head = 100 <= data[0].code < 200 and data[0].code != 101
        super().feed_data(data, size)
        if not self._awaits_head:
            self._end_final_limit()
        elif self._is_requested and self._final_limit is None and self._stall < inf:
            # For the final head; further interim responses do not extend it. One that arrives before the end of an
            # upload, such as 100, does not count: it only means that the server accepts the bytes.
            self._final_limit = self._loop.call_later(self._stall, self._fail_after_interim)

    def data_received(self, data: bytes) -> None:
        failure = self.exception()
        super().data_received(data)
        if self.exception() is not failure:
            _fail_waiting(self._payload)
        if self._awaits_head and not self._is_requested:
            self._drop_timeout()  # the upload has a limit of its own

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._payload is not None and self._payload.is_eof():
            # aiohttp would fail this body for what broke a later response; its reader may not have read all of it yet.
            self._payload = None
        super().connection_lost(exc)
        self._end_final_limit()

    def _fail_after_interim(self) -> None:
        self.set_exception(StalledAfterInterim("no final response"))

    def _end_final_limit(self) -> None:
        if self._final_limit is not None:
            self._final_limit.cancel()
            self._final_limit = None


class Connector(aiohttp.TCPConnector):
    """
    A connector that never reuses a connection on which the server has sent bytes after its last response.

    Args:
        stall: Longest silence after an interim response, in seconds.
        options: Those of the base class.
    """

    def __init__(self, *, stall: float, **options: Any) -> None:
        super().__init__(**options)
        self._factory = partial(_Protocol, loop=self._loop, stall=stall)  # type: ignore[assignment]

    async def _get(self, key: Any, traces: Any) -> Connection | None:
        _close_unusable(self._conns.get(key, ()), self._keepalive_timeout)
        return await super()._get(key, traces)


class ResponseHead(aiohttp.ClientResponse):
    """
    A response whose head must be complete within the time limit for a reply, counted from the end of the request.

    Interim responses do not extend the limit.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        protocol = connection.protocol
        if protocol is None or not protocol.read_timeout:
            return await super().start(connection)
        limit = _TimeLimit(protocol.read_timeout, protocol)
        limit.start_after(self._writer)
        try:
            return await super().start(connection)
        finally:
            limit.cancel()

    async def read_beginning(self, limit: int) -> bytes:
        """Read the first *limit* bytes of the body; from then on, `read` returns these as if they were all."""
        chunks: list[bytes] = []
        missing = limit
        try:
            while missing > 0 and (chunk := await self.content.readany()):
                chunks.append(chunk)
                missing -= len(chunk)
        finally:
            self._body = b"".join(chunks)[:limit]
        return self._body

    @property
    def has_been_read(self) -> bool:
        """Whether `read` returns at once."""
        return self._body is not None


class _TimeLimit:
    """Fails a connection if a response head is incomplete *seconds* after its request was sent."""

    def __init__(self, seconds: float, protocol: Any) -> None:
        self._seconds = seconds
        self._protocol = protocol
        self._timer: asyncio.TimerHandle | None = None
        self._is_cancelled = False

    def start_after(self, writer: "asyncio.Task[None] | None") -> None:
        """Start once *writer* has sent the body of the request, which has a limit of its own."""
        if writer is None:
            self._start()
        else:
            writer.add_done_callback(self._start)

    def _start(self, _: object = None) -> None:
        if not self._is_cancelled:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._fail)

    def _fail(self) -> None:
        self._protocol.set_exception(aiohttp.SocketTimeoutError("no response head in time"))

    def cancel(self) -> None:
        self._is_cancelled = True
        if self._timer is not None:
            self._timer.cancel()


def middlewares_of(session: aiohttp.ClientSession) -> tuple[aiohttp.ClientMiddlewareType, ...]:
    """Return the middlewares that the owner of *session* gave it."""
    return (*getattr(session, "_middlewares", ()),)


async def limiting_head(
    request: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    """Limit the wait for a response head in a session that is not ours; a middleware."""
    if request.response_class is aiohttp.ClientResponse:  # else it is the owner's
        request.response_class = ResponseHead
    return await handler(request)


def fail_disconnected(body: Any) -> None:
    """Fail *body* if its connection is closed, and it has neither ended nor failed."""
    if getattr(getattr(body, "_protocol", None), "transport", body) is None:
        _fail_waiting(body)


def _fail_waiting(body: Any) -> None:
    if body is not None and not body.is_eof() and body.exception() is None:
        body.set_exception(aiohttp.ClientPayloadError("malformed body"))


def close_unusable_connections(session: aiohttp.ClientSession, url: URL) -> None:
    """Close those idle connections to the host of *url* that must not be reused, in a session that is not ours."""
    connections = getattr(session.connector, "_conns", None)
    if connections:
        keepalive = getattr(session.connector, "_keepalive_timeout", None)
        for key in [key for key in connections if (key.host, key.port) == (url.host, url.port)]:
            _close_unusable(connections[key], keepalive)


def disable_own_retry(session: aiohttp.ClientSession) -> None:
    """Send each request once: aiohttp repeats idempotent ones by itself, beside the attempts of a retry policy."""
    session._retry_connection = False  # noqa: SLF001


def _close_unusable(idle: Iterable[tuple[Any, float]], keepalive: float | None) -> None:
    """
    Close idle connections that have received bytes or their end, up to the one that aiohttp will take.

    A response that no request waits for would be used for the next request (aiohttp#13656).
    """
    now = monotonic()
    for protocol, since in idle:
        if _has_received(protocol):
            protocol.close()
        elif keepalive is None or now - since < keepalive / 2:
            return


def _has_received(protocol: Any) -> bool:
    """Whether anything arrived after the last response: parsed, in parts in the parser, or still in the socket."""
    if protocol.transport is None or protocol.should_close or _has_begun(getattr(protocol, "_parser", None)):
        return True
    socket = protocol.transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return False
    return _is_readable(socket.fileno())


def _has_begun(parser: Any) -> bool:
    """Whether *parser* has read the beginning of a message; it is not used for the next response."""
    if parser is None:
        return False
    with suppress(Exception):
        return parser.feed_eof() is not None
    return True
