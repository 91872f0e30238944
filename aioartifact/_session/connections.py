"""
Changes to aiohttp's connections for which aiohttp has no option; they work with aiohttp 3.14.2 to 3.14.5.

What corrects a behaviour of aiohttp names it. No other module of the package relies on how aiohttp works inside.
"""

import asyncio
import select
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from typing import Any, Protocol

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_writer import _serialize_headers
from multidict import CIMultiDict
from yarl import URL

MAX_HEADER = 64 * 1024
"""Content-Security-Policy and the cookies of single sign-on exceed the 8190 bytes that aiohttp accepts by default."""

MAX_HEADERS = 1024
"""How many header fields a response may have."""

_READ_SIZE = 256 * 1024
_BODY_BUFFER = 1024 * 1024
_SMALLEST_READ = 64 * 1024

# The original methods, to detect replaced ones, such as in tests.
_SENDING = (aiohttp.ClientSession.request, aiohttp.ClientSession._request)  # noqa: SLF001
_CONNECT = aiohttp.TCPConnector.connect

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


class Receiver(Protocol):
    """
    Takes the bytes of a response in place of aiohttp.

    Attributes:
        deadline: Time of the event loop at which `expire` is called.
    """

    deadline: float

    def receive(self, data: bytes) -> None:
        """Take the next bytes."""

    def expire(self) -> None:
        """Stop waiting."""

    def pass_on(self) -> None:
        """Have aiohttp read the response, see :meth:`ClientProtocol.read_from`."""


class _Buffer(bytearray):
    """
    Memory for bytes of a body.

    Attributes:
        in_use: How many bytes of it have been handed out and not given back.
    """

    in_use = 0


class BodyBuffers:
    """
    Buffers for the rest of a large body; memory that is given back is reused.

    Without them, each byte is copied twice before it is stored: out of the buffer that all connections share, and by
    the HTTP parser, which has nothing to do in a body of known length.
    """

    def __init__(self) -> None:
        self._current = _Buffer(_BODY_BUFFER)
        self._filled = 0
        self._free: list[_Buffer] = []

    def rest(self) -> memoryview:
        """Return the free part of the current buffer, or another buffer if that part is small."""
        if _BODY_BUFFER - self._filled < _SMALLEST_READ:
            if self._current.in_use:
                self._current = self._free.pop() if self._free else _Buffer(_BODY_BUFFER)
            self._filled = 0
        return memoryview(self._current)[self._filled :]

    def hand_out(self, count: int) -> memoryview:
        """Return the *count* bytes that were just read into `rest`."""
        begin, self._filled = self._filled, self._filled + count
        self._current.in_use += count
        return memoryview(self._current)[begin : self._filled]

    def give_back(self, chunks: Iterable[bytes | memoryview]) -> None:
        """Take back memory that was handed out and whose bytes are no longer needed."""
        for chunk in chunks:
            if isinstance(chunk, memoryview) and isinstance(chunk.obj, _Buffer):
                chunk.obj.in_use -= len(chunk)
                if not chunk.obj.in_use and chunk.obj is not self._current:
                    self._free.append(chunk.obj)


class ClientProtocol(ResponseHandler, asyncio.BufferedProtocol):
    """
    A connection whose timeout survives interim responses (RFC 9110, 15.2), and on which a malformed chunk is an error.

    aiohttp stops its timer at an interim response and does not restart it, or starts it while the request is still
    being sent. At a malformed chunk it closes the connection without notifying the reader of the body, which would wait
    forever. A TLS connection that it closes after a failure waits for the peer's close_notify, but no longer belongs to
    the session: if the event loop ends first, the socket stays open, and uvloop reports an error.

    For one response, the bytes can go to a :class:`Receiver`, or those of its body to :class:`BodyBuffers`. Otherwise,
    the protocols of a connector share one buffer to read into: asyncio would allocate 256 KiB for each read.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stall: float, buffer: memoryview) -> None:
        super().__init__(loop)
        self._read_buffer = buffer
        self._stall = stall
        self._is_requested = True
        self._awaits_head = False
        self._final_limit: asyncio.TimerHandle | None = None
        self._receiver: Receiver | None = None
        self._receiver_timer: asyncio.TimerHandle | None = None
        self._body_buffers: BodyBuffers | None = None
        self._body_missing = 0
        self._reads_into: BodyBuffers | None = None

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer to read into; until `buffer_updated`, nothing else is read."""
        self._reads_into = self._body_buffers
        return self._read_buffer if self._reads_into is None else self._reads_into.rest()

    def buffer_updated(self, nbytes: int) -> None:
        """Take the bytes that were read."""
        if self._reads_into is None:
            self.data_received(bytes(self._read_buffer[:nbytes]))
        else:
            self._take(self._reads_into.hand_out(nbytes))

    def read_body(self, body: aiohttp.StreamReader, size: int) -> BodyBuffers | None:
        """
        From now on, read *body* without parsing it, into buffers of its own; return these.

        Args:
            body: Body of the response that is being received, without any coding.
            size: Total size of the body in bytes.

        Returns:
            None if that is not worth it, or the parser holds some of its bytes.
        """
        missing = size - body.total_bytes
        if self._payload is not body or body.is_eof() or self._reading_paused or missing < _BODY_BUFFER:
            return None
        self._body_missing, self._body_buffers = missing, BodyBuffers()
        return self._body_buffers

    def _take(self, data: bytes | memoryview) -> None:
        """Take bytes of a body that need not be parsed."""
        body = self._payload
        if not data or body is None:
            return  # aiohttp flushes its parser, which holds nothing
        self._reschedule_timeout()
        if len(data) > self._body_missing:
            data = data[: self._body_missing]
            self.force_close()  # the rest belongs to no request
        self._body_missing -= len(data)
        body.feed_data(data)  # type: ignore[arg-type]  # it passes on what it is given
        if not self._body_missing:
            # Drop the parser: it has not read the end of the body, and would wait for it before the next response.
            self._body_buffers, self._parser = None, None
            body.feed_eof()

    def send(self, request: bytes, receiver: Receiver) -> None:
        """
        Send a request in one piece, with its body if it has one, and have *receiver* take the response.

        Raises:
            aiohttp.ClientConnectionResetError: If the connection has just been closed.
        """
        if self.transport is None or self.transport.is_closing():
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        self.send_to(receiver)
        self.transport.write(request)

    def send_to(self, receiver: Receiver | None) -> None:
        """Have *receiver* take all bytes from now on, until it has expired or the connection is lost."""
        self._receiver = receiver
        if receiver is None or receiver.deadline == inf:
            return
        timer = self._receiver_timer
        if timer is not None and timer.when() > receiver.deadline:
            timer.cancel()
            timer = None
        if timer is None:  # else it checks again when it fires: one timer for many short responses
            self._receiver_timer = self._loop.call_at(receiver.deadline, self._look_at_receiver)

    def _look_at_receiver(self) -> None:
        self._receiver_timer, receiver = None, self._receiver
        if receiver is not None and receiver.deadline > self._loop.time():
            self.send_to(receiver)
        elif receiver is not None:
            receiver.expire()

    def read_from(self, data: bytes, seconds: float, *, decompress: bool) -> None:
        """
        Have aiohttp read the response that begins with *data*; its further bytes will follow.

        Args:
            data: The bytes that have arrived.
            seconds: Longest silence.
            decompress: Whether to decode an encoded body.
        """
        self._receiver = None
        self.set_response_params(
            read_until_eof=True,
            auto_decompress=decompress,
            read_timeout=None if seconds == inf else seconds,
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
            max_headers=MAX_HEADERS,
        )
        self.start_timeout()
        if data:
            self.data_received(data)

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
        """Start the timer: aiohttp calls this once the request is sent."""
        super().start_timeout()
        self._is_requested = True

    def feed_data(self, data: Any, size: int = 0) -> None:
        self._awaits_head = 100 <= data[0].code < 200 and data[0].code != 101
        super().feed_data(data, size)
        if not self._awaits_head:
            self._end_final_limit()
        elif self._is_requested and self._final_limit is None and self._stall < inf:
            # A limit for the final head; further interim responses do not extend it. One that arrives before the end of
            # an upload, such as 100, does not start it: it only means that the server accepts the bytes.
            self._final_limit = self._loop.call_later(self._stall, self._fail_after_interim)

    def data_received(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.receive(data)
            return
        if self._body_buffers is not None:
            self._take(data)
            return
        failure = self.exception()
        super().data_received(data)
        if self.exception() is not failure:
            _fail_waiting(self._payload)
        if self._awaits_head and not self._is_requested:
            self._drop_timeout()  # the upload has a limit of its own

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._receiver_timer is not None:
            self._receiver_timer.cancel()
        if self._receiver is not None:
            self._receiver.pass_on()
            # Only after the received bytes have been read: a body that has failed returns none.
            self._loop.call_soon(self.connection_lost, exc)
            return
        if self._payload is not None and self._payload.is_eof():
            # aiohttp would fail this complete body, of which its reader may not have read all bytes yet.
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
        options: Options of the base class.
    """

    def __init__(self, *, stall: float, **options: Any) -> None:
        super().__init__(**options)
        buffer = memoryview(bytearray(_READ_SIZE))
        self._factory = partial(ClientProtocol, loop=self._loop, stall=stall, buffer=buffer)  # type: ignore[assignment]
        self._requests: dict[URL, aiohttp.ClientRequest] = {}

    async def connection(self, origin: URL, timeout: aiohttp.ClientTimeout) -> Connection:
        """
        Connect to *origin*, without a proxy, as for a request of aiohttp.

        Raises:
            aiohttp.ClientError: If that fails, or takes too long.
        """
        request = self._requests.get(origin)
        if request is None:
            request = self._requests[origin] = aiohttp.ClientRequest("GET", origin, loop=self._loop)
        try:
            return await self.connect(request, traces=[], timeout=timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError(f"Connection timeout to host {origin}") from error

    async def _get(self, key: Any, traces: Any) -> Connection | None:
        _close_unusable(self._conns.get(key, ()), self._keepalive_timeout)
        return await super()._get(key, traces)


class ResponseHead(aiohttp.ClientResponse):
    """
    A response whose head must be complete within the time limit for a reply, counted from the end of the request.

    Interim responses do not extend the limit.

    Attributes:
        waited: Seconds that have already passed since the end of the request.
    """

    waited = 0.0

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        protocol = connection.protocol
        if protocol is None or not protocol.read_timeout:
            return await super().start(connection)
        limit = _TimeLimit(max(0.0, protocol.read_timeout - self.waited), protocol)
        limit.start_after(self._writer)
        try:
            return await super().start(connection)
        finally:
            limit.cancel()

    async def read_beginning(self, limit: int) -> bytes:
        """Read the first *limit* bytes of the body; from then on, `read` returns these as if they were the whole."""
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


class _NoWriter:
    """Replaces the writer of a request that has been sent completely."""

    output_size = 0


async def received_response(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: CIMultiDict[str],
    connection: Connection,
    waited: float,
) -> aiohttp.ClientResponse:
    """
    Read the head of the response to a request that was sent on *connection* *waited* seconds ago.

    Raises:
        aiohttp.ClientError: As for any request.
    """
    request = aiohttp.ClientRequest(method, url, headers=headers, loop=connection._loop, session=session)  # noqa: SLF001
    response = ResponseHead(
        method,
        url,
        writer=None,
        continue100=None,
        timer=request._timer,  # noqa: SLF001
        request_info=request.request_info,
        traces=[],
        loop=request.loop,
        session=session,
        stream_writer=_NoWriter(),  # type: ignore[arg-type]
    )
    response.waited = waited
    try:
        await response.start(connection)
    except BaseException:
        response.close()
        raise
    return response


def request_bytes(method: str, target: str, headers: CIMultiDict[str]) -> bytes:
    """
    Return the head of a request for *target*, the path and query of a URL.

    Raises:
        ValueError: If a header field has a line break.
    """
    return _serialize_headers(f"{method} {target} HTTP/1.1", headers)


def is_hooked(session: aiohttp.ClientSession) -> bool:
    """Whether something intercepts the requests of *session*: a trace, a subclass, or a replaced method."""
    if type(session) is not aiohttp.ClientSession or not isinstance(session.connector, Connector):
        return True
    sending = getattr(session.request, "__func__", None), getattr(session._request, "__func__", None)  # noqa: SLF001
    return sending != _SENDING or bool(session.trace_configs) or type(session.connector).connect is not _CONNECT


def middlewares_of(session: aiohttp.ClientSession) -> tuple[aiohttp.ClientMiddlewareType, ...]:
    """Return the middlewares that the owner of *session* gave it."""
    return (*getattr(session, "_middlewares", ()),)


async def limiting_head(
    request: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    """Middleware that limits the wait for a response head in a foreign session."""
    if request.response_class is aiohttp.ClientResponse:  # else the owner of the session has chosen it
        request.response_class = ResponseHead
    return await handler(request)


def body_buffers(response: aiohttp.ClientResponse) -> BodyBuffers | None:
    """Have the rest of the body of *response* read by `ClientProtocol.read_body`, if that is possible."""
    protocol = response.connection.protocol if response.connection is not None else None
    headers = response.headers
    if not isinstance(protocol, ClientProtocol) or "Transfer-Encoding" in headers or "Content-Encoding" in headers:
        return None
    return protocol.read_body(response.content, response.content_length or 0)


def limit_silence(response: aiohttp.ClientResponse, seconds: float) -> None:
    """Have the body of *response* fail after *seconds* without a byte; aiohttp has one limit for head and body."""
    connection = response.connection
    if connection is not None and connection.protocol is not None:  # else all of it has arrived
        connection.protocol.read_timeout = None if seconds == inf else seconds
        connection.protocol.start_timeout()  # the running timer is still that of the head


def fail_disconnected(body: Any) -> None:
    """Fail *body* if its connection is closed, and it has neither ended nor failed."""
    if getattr(getattr(body, "_protocol", None), "transport", body) is None:
        _fail_waiting(body)


def _fail_waiting(body: Any) -> None:
    if body is not None and not body.is_eof() and body.exception() is None:
        body.set_exception(aiohttp.ClientPayloadError("malformed body"))


def close_unusable_connections(session: aiohttp.ClientSession, url: URL) -> None:
    """Close the idle connections of a foreign session to the host of *url* that must not be reused."""
    connections = getattr(session.connector, "_conns", None)
    if connections:
        keepalive = getattr(session.connector, "_keepalive_timeout", None)
        for key in [key for key in connections if (key.host, key.port) == (url.host, url.port)]:
            _close_unusable(connections[key], keepalive)


def disable_own_retry(session: aiohttp.ClientSession) -> None:
    """Send each request once: aiohttp retries idempotent ones itself, in addition to the attempts of a retry policy."""
    session._retry_connection = False  # noqa: SLF001


def _close_unusable(idle: Iterable[tuple[Any, float]], keepalive: float | None) -> None:
    """
    Close idle connections on which bytes or an end of file arrived, up to the one that aiohttp will reuse.

    A response that no request waits for would be treated as that of the next request (aiohttp#13656).
    """
    now = monotonic()
    for protocol, since in idle:
        if _has_received(protocol):
            protocol.close()
        elif keepalive is None or now - since < keepalive / 2:
            return


def is_reusable(connection: Connection) -> bool:
    """Whether *connection*, whose last response is complete, can take another request: see `_close_unusable`."""
    protocol = connection.protocol
    return protocol is not None and protocol.is_connected() and not _has_received(protocol)


def _has_received(protocol: Any) -> bool:
    """Whether anything arrived after the last response: parsed, partly parsed, or still in the socket."""
    if protocol.transport is None or protocol.should_close or _has_begun(getattr(protocol, "_parser", None)):
        return True
    socket = protocol.transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return False
    return _is_readable(socket.fileno())


def _has_begun(parser: Any) -> bool:
    """Whether *parser* has read the beginning of a message. This ends the parser; the next response gets another."""
    if parser is None:
        return False
    with suppress(Exception):
        return parser.feed_eof() is not None
    return True
