"""
What this library needs of aiohttp's connections and aiohttp has no option for; works with aiohttp 3.14.2 to 3.14.5.

Each function names the behaviour of aiohttp that it corrects. Nothing else in the package relies on these internals.
"""

import asyncio
import select
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
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


class _Protocol(ResponseHandler):
    """
    A connection on which silence after an interim response (RFC 9110, 15.2) is a stall, and a malformed chunk an error.

    aiohttp stops its clock at an interim response and does not start it again. At a malformed chunk it closes the
    connection without notifying the reader of the body, who would wait forever.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stall: float) -> None:
        super().__init__(loop)
        self._stall = stall
        self._is_interim = False

    def feed_data(self, data: Any, size: int = 0) -> None:
        self._is_interim = 100 <= data[0].code < 200 and data[0].code != 101
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        failure = self.exception()
        super().data_received(data)
        if self.exception() is not failure:
            _fail_waiting(self._payload)
        if self._is_interim and self._read_timeout:
            self._is_interim = False
            self._read_timeout = min(self._read_timeout, self._stall)
            self._reschedule_timeout()


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
        limit = _TimeLimit(protocol.read_timeout, self, protocol)
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

    @property
    def is_requested(self) -> bool:
        """Whether the whole request has been sent."""
        return self._writer is None


class _TimeLimit:
    """Fails a connection if a response head is incomplete *seconds* after its request was seen to be sent."""

    def __init__(self, seconds: float, response: ResponseHead, protocol: Any) -> None:
        self._seconds = seconds
        self._response = response
        self._protocol = protocol
        self._start()

    def _start(self) -> None:
        self._is_requested = self._response.is_requested
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._check)

    def _check(self) -> None:
        if self._is_requested:
            self._protocol.set_exception(aiohttp.SocketTimeoutError("no response head in time"))
        else:  # until then, the payload has a limit of its own
            self._start()

    def cancel(self) -> None:
        self._timer.cancel()


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
