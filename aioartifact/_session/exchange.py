"""Send one request and read its response: redirects are followed here, and bodies are read as they arrive."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import NamedTuple, cast

import aiohttp
import anyio
from yarl import URL

from .._address import is_host, quote_location
from .._bodies import codings_of, decoded_beginning
from .._credentials import FOREIGN_HINT, Credentials
from .._errors import ArtifactoryError, ConnectionLostError, ProtocolError, TransportError, TransportTimeoutError
from .._models import Response
from .._protocol import Request, Upload, not_sent, read_error, refuse_page, too_large
from .._retry import read_retry_after
from .attempts import Operation
from .connections import (
    BodyBuffers,
    body_buffers,
    close_unusable_connections,
    limit_silence,
    limiting_head,
    middlewares_of,
)
from .limits import OF_THE_SESSION, RequestsRefused, ServerLimits, credentials_in
from .middlewares import MAX_ERROR_BODY, AuthRetryMiddleware, is_small, withholding
from .payload import UploadPayload
from .small_responses import Begun, BegunRequest, BegunResponse, SmallRequest, SmallSender, is_direct, request_headers
from .state import Route, SessionState, closed_session, state_of
from .telemetry import log_failure, log_response
from .translation import FOREIGN, RequestContext

_MAX_REDIRECTS = 5
# Bytes in memory are lost in a crash, and do not show in the progress.
_BATCH_SECONDS = 1.0
# Bytes of an upload that fit into the write buffer of a connection without waiting: asyncio's high-water mark.
_SENT_AT_ONCE = 64 * 1024
# Far more than any response of Artifactory that is not read piece by piece.
MAX_BODY = 64 * 1024 * 1024
# aiohttp raises the last two if a session is closed during a request.
_RAISED = (*FOREIGN, AssertionError, RuntimeError)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# How storage responds to an expired signed URL: S3, Azure and CloudFront with 403; 401 and 410 occur as well.
_EXPIRED = frozenset({401, 403, 410})


class _Answer(NamedTuple):
    """The last response after redirects, the header fields of all, the last target, the request and its start."""

    response: aiohttp.ClientResponse
    chain: list[Mapping[str, str]]
    location: str | None
    context: RequestContext
    started: float


class Reply:
    """
    A response whose header fields have been received and whose body is still arriving.

    Attributes:
        status: HTTP status code.
        chain: Header fields of every hop, the first server's first.
        location: Where the last redirect led, or None.
    """

    def __init__(self, session: aiohttp.ClientSession, answer: _Answer, limits: ServerLimits) -> None:
        self.status = answer.response.status
        self.chain = answer.chain
        self.location = answer.location
        self._response = answer.response
        self._session = session
        self._context = answer.context
        self._limits = limits
        self._is_held = True
        self._received = 0
        self._started = answer.started
        self._failure: TransportError | None = None
        self._buffers: BodyBuffers | None = None
        self._is_watched = answer.response.connection is not None  # else all of it has been received
        if self._is_watched:
            answer.context.state.watch.begin(session, answer.response.content)

    async def next_buffers(self, size: int) -> list[bytes | memoryview]:
        """
        Return the same as :meth:`next_batch`, if possible in memory that is reused after :meth:`give_back`.

        Raises:
            TransportError: See :meth:`next_batch`.
        """
        if self._buffers is None:
            self._buffers = body_buffers(self._response)
        return cast("list[bytes | memoryview]", await self.next_batch(size))

    def give_back(self, buffers: Sequence[bytes | memoryview]) -> None:
        """Allow the memory of *buffers* to be reused: their bytes have been stored."""
        if self._buffers is not None:
            self._buffers.give_back(buffers)

    async def next_batch(self, size: int) -> list[bytes]:
        """
        Wait for the next *size* bytes or a little more, as chunks; empty at the end of the body.

        If the body breaks off after some bytes, these are returned first. On a slow connection, the bytes that arrived
        within a second are returned, even if they are fewer.

        Raises:
            ConnectionLostError: If the body broke off.
            TransportTimeoutError: If no byte arrived within the time limit.
        """
        if self._failure is not None:
            raise self._failure
        rate = self._context.state.byte_rate
        missing = min(size, rate.portion)
        chunks: list[bytes] = []
        failure: ArtifactoryError | None = None
        latest = monotonic() + _BATCH_SECONDS
        try:
            with self._limits.queue.waiting:
                while missing > 0 and (chunk := await self._next_chunk()):
                    chunks.append(chunk)
                    missing -= len(chunk)
                    if monotonic() > latest or self.is_complete:
                        break
        except _RAISED as error:
            failure = _translate_error(error, self._session, self._context, is_body=True)
        if failure is not None:
            if not chunks or not isinstance(failure, TransportError):
                raise failure
            self._failure = failure
        arrived = sum(map(len, chunks))
        self._received += arrived
        self._limits.queue.limit.add_bytes(arrived)
        self._context.state.traffic.received(arrived)
        # While bytes are not read, TCP makes the server wait.
        await rate.take(arrived)
        return chunks

    async def _next_chunk(self) -> bytes:
        content = self._response.content
        if self._buffers is None:
            return await content.readany()
        return (await content.readchunk())[0]  # one buffer; readany() copies several into one

    @property
    def in_flight(self) -> int:
        """Requests in flight to its server, this one included; 0 in a foreign session."""
        return self._limits.queue.limit.in_flight

    @property
    def is_complete(self) -> bool:
        """Whether the body has been read to its proper end."""
        content = self._response.content
        return self._failure is None and content.at_eof() and content.exception() is None

    def drop(self) -> None:
        """Release the rest of the body, its connection, and the slot among the requests in flight to its server."""
        if not self._is_held:
            return
        self._is_held = False
        if self._is_watched:
            self._context.state.watch.end(self._response.content)
        log_response(self._response, self._received, self._started)
        try:
            # Returns the connection to the pool if the body was read to its end, and closes it otherwise.
            self._response.release()
        finally:
            self._limits.leave()

    async def read(self) -> Response:
        """
        Read and decode the whole body, or only the beginning of an error body.

        Raises:
            TransportError: See :meth:`next_batch`.
            ProtocolError: If the body of a success is larger than 64 MiB.
        """
        if self.status >= 300:
            return self._response_of(self._context.masked_body(await self._read_refusal()))
        return self._response_of(await self._read_all())

    def _response_of(self, content: bytes) -> Response:
        return Response(self.status, content, self.chain[-1], self._context.url, self._login_hint())

    def _login_hint(self) -> str:
        """Return which credentials were sent, if they may be the reason for the status."""
        request, state, headers = self._context.request, self._context.state, self._session.headers
        if request.redirected_to:
            return ""
        if self.status == 401 or (self.status == 403 and state.sends_no_credentials(request.server, headers)):
            return state.login_hint(request.server, headers)
        return ""

    async def _read_refusal(self) -> bytes:
        """Read the beginning of an error body; the status counts even if the body breaks off or stalls."""
        content = b""
        with anyio.move_on_after(self._context.state.timeouts.stall), suppress(TransportError):
            content = await (self._read_small() if is_small(self._response) else self._read_some())
        if self._context.request.is_for_file:  # aiohttp has passed the body on as received
            content = decoded_beginning(content, codings_of(self.chain[-1]), MAX_ERROR_BODY)
        return content

    async def _read_all(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while batch := await self.next_batch(MAX_BODY + 1 - size):
            size += sum(map(len, batch))
            if size > MAX_BODY:  # a few kilobytes of gzip can hold gigabytes
                chunks.clear()  # else the traceback keeps them
                batch.clear()
                raise too_large(self._context.request, MAX_BODY)
            chunks += batch
        return b"".join(chunks)

    async def _read_small(self) -> bytes:
        try:
            with self._limits.queue.waiting:
                content = await self._response.read()
        except _RAISED as error:
            failure = _translate_error(error, self._session, self._context, is_body=True)
        else:
            self._received += len(content)
            self._context.state.traffic.received(len(content))
            await self._context.state.byte_rate.take(len(content))
            return content
        raise failure

    async def _read_some(self) -> bytes:
        return b"".join(await self.next_batch(MAX_ERROR_BODY))[:MAX_ERROR_BODY]

    async def error(self) -> ArtifactoryError:
        """Read the beginning of an error body and return the error."""
        operation = self._context.operation
        retry_after = read_retry_after(self.chain[-1], now=self._context.state.clock.wall())
        return read_error(
            self._context.request,
            self._response_of(await self._read_refusal()),
            mask=self._context.masked,
            attempts=operation.number,
            retry_after=retry_after,
            waited=operation.seconds_starting,
        )


class stream:  # noqa: N801  # it is called like a function; a generator would cost several times as much per file
    """
    Send *request* and yield its response, whatever its status; the body is dropped at the end of the block.

    Up to five redirects are followed, never from https to http; for methods other than GET and HEAD only 307 and 308.
    Requests of one *operation* share its attempts; without one, the request is an operation of its own. A request that
    has *begun* is not sent again.

    Raises:
        TransportError: If no response is received.
        ProtocolError: If the response is not HTTP, or is a redirect that must not be followed.
        SessionError: If *session* is closed, or belongs to another event loop or process.
    """

    __slots__ = ("_begun", "_operation", "_reply", "_request", "_session")

    def __init__(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        operation: Operation | None = None,
        begun: Begun | None = None,
    ) -> None:
        self._session = session
        self._request = request
        self._operation = operation
        self._begun = begun

    async def __aenter__(self) -> Reply:
        request, state = self._request, state_of(self._session)
        await state.admit(request.server)
        await state.prepare(self._session, request.server)  # before it occupies a slot that others could use
        operation = self._operation or Operation(state.retry, state.clock, request.repeatable, traffic=state.traffic)
        context = RequestContext(request, state, operation)
        route = state.route(request.server)
        if not (isinstance(self._begun, BegunRequest) and self._begun.take_slot()):
            await route.limits.enter()
        try:
            with route.limits.queue.waiting:
                answer = await _fetch(self._session, context, route, self._begun)
        except BaseException:
            route.limits.leave()
            raise
        self._reply = Reply(self._session, answer, route.limits)
        return self._reply

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._reply.drop()


async def _fetch(session: aiohttp.ClientSession, context: RequestContext, route: Route, begun: Begun | None) -> _Answer:
    """Send the request, and once more from the first server on if a redirect led to a URL that has expired."""
    answer = await _follow(session, context, route, begun)
    if answer.location is None or answer.response.status not in _EXPIRED or not context.request.repeatable:
        return answer
    if answer.response.status == 401 and answer.context.request.redirected_to is None:
        return answer  # of the same server: it refuses the credentials
    answer.response.release()
    context.operation.continue_attempt()
    return await _follow(session, context, route)


async def _follow(
    session: aiohttp.ClientSession, context: RequestContext, route: Route, begun: Begun | None = None
) -> _Answer:
    url, location = URL(context.request.url, encoded=True), None
    chain: list[Mapping[str, str]] = []
    for _ in range(_MAX_REDIRECTS + 1):
        started = monotonic()
        response = await _request(session, context, url, route, begun)
        if response.status < 200:  # aiohttp passes on 101, and numbers that are not a status
            response.close()
            raise _unexpected_interim_status(context, response.status)
        chain.append(response.headers)
        target = response.headers.get("Location") if response.status in _REDIRECTS else None
        if target is None or not _may_follow(context.request, response.status):
            return _Answer(response, chain, location, context, started)
        response.release()
        log_response(response, 0, started)
        location, url, begun = target, _next_hop(context, url, target), None
        context, route = context.redirected(url), context.state.route_to(url)
        context.operation.continue_attempt()
    raise _bad_redirect(context, f"more than {_MAX_REDIRECTS} times")


def _unexpected_interim_status(context: RequestContext, status: int) -> ProtocolError:
    return ProtocolError(
        f"{context.request.label}: answered with {status}, which ends no request",
        hint="ask the administrator of the server or of the proxy before it",
    )


def _may_follow(request: Request, status: int) -> bool:
    # RFC 9110 15.4: only 307 and 308 keep method and body.
    return request.method in ("GET", "HEAD") or status in (307, 308)


def _next_hop(context: RequestContext, url: URL, location: str) -> URL:
    try:
        relative = URL(quote_location(location), encoded=True)
        target = url.join(relative)
        _ = target.port  # raises for one above 65535; aiohttp would raise in the middle of the request
        host = target.host or ""  # raises for a malformed internationalized name
    except ValueError:
        raise _bad_redirect(context, "to a malformed URL") from None
    if not is_host(host):
        raise _bad_redirect(context, "to a malformed URL")
    if target.scheme not in ("http", "https") or not host or (relative.scheme and not relative.host):
        raise _bad_redirect(context, "to a URL that is neither http nor https")
    if target.raw_user is not None or target.raw_password is not None:  # aiohttp rejects these beside Authorization
        raise _bad_redirect(context, "to a URL that contains credentials")
    if url.scheme == "https" and target.scheme == "http":
        raise _bad_redirect(context, "from https to http, which is not encrypted")
    return target


def _bad_redirect(context: RequestContext, where: str) -> ProtocolError:
    hint = "ask the administrator of the server or of the proxy before it"
    return ProtocolError(f"{context.request.label}: redirected {where}; refused", hint=hint)


async def _request(
    session: aiohttp.ClientSession, context: RequestContext, url: URL, route: Route, begun: Begun | None
) -> aiohttp.ClientResponse:
    request, state = context.request, context.state
    headers, payload = request.headers, _payload(request, state, route)
    if state.foreign:  # else the middleware counts: it may send the request several times
        context.operation.count_request()
        if begun is None:
            _raise_if_refused(request, route)
            state.traffic.requests += 1
    if isinstance(payload, UploadPayload):
        headers = {**headers, "Content-Length": str(payload.size)}
    if state.foreign and begun is None:
        close_unusable_connections(session, url)
    started = monotonic()
    try:
        if isinstance(begun, BegunResponse):
            response = begun.response()
        elif state.foreign and begun is not None:
            response = cast("aiohttp.ClientResponse", begun)
        elif begun is not None or (_may_take_fast_path(request, payload) and is_direct(session, state, route)):
            content = payload if isinstance(payload, bytes) else b""
            if request.method == "PUT":
                headers = {"Content-Type": "application/octet-stream", **headers, "Content-Length": str(len(content))}
            small = SmallRequest(session, request.method, url, request_headers(session, url, headers), content)
            sent_with = begun.sent_with if isinstance(begun, BegunRequest) else None
            response = await _retrying(context, route, sent_with)(
                cast("aiohttp.ClientRequest", small), SmallSender(state.timeout(), begun)
            )
        else:
            response = await session.request(
                request.method,
                url,
                headers=headers,
                data=payload,
                allow_redirects=False,
                # A foreign session may be set to raise errors itself; the status is interpreted here.
                raise_for_status=False,
                timeout=state.timeout(),
                auto_decompress=not request.is_for_file,  # a foreign session may have disabled it
                proxy=route.proxy,
                middlewares=_middlewares(session, context, route),
            )
    except RequestsRefused as refused:
        login_hint = state.login_hint(request.server, session.headers)
        failure: ArtifactoryError = not_sent(request, refused.status, login_hint=login_hint)
    except _RAISED as error:
        log_failure(request.method, str(url), error, started)
        failure = _translate_error(error, session, context, payload)
    else:
        if state.foreign and response.status == 401 and any(credentials_in(response.request_info.headers)):
            route.limits.breaker.refuse(OF_THE_SESSION, response.status)
        limit_silence(response, state.body_silence(request))
        return response
    raise failure


def _may_take_fast_path(request: Request, payload: object) -> bool:
    """Whether the response may be received as that of a small file; one that turns out to be large costs nothing."""
    if request.method == "PUT":
        return isinstance(request.body, Upload) and isinstance(payload, bytes) and not request.is_redirected
    return (
        request.is_for_file and request.method == "GET" and not request.is_redirected and "Range" not in request.headers
    )


def _raise_if_refused(request: Request, route: Route) -> None:
    if status := route.limits.breaker.refusal(OF_THE_SESSION):
        raise not_sent(request, status, login_hint=FOREIGN_HINT)


def _translate_error(
    error: Exception,
    session: aiohttp.ClientSession,
    context: RequestContext,
    payload: object = None,
    *,
    is_body: bool = False,
) -> ArtifactoryError:
    if session.closed:
        return closed_session()
    if not isinstance(error, FOREIGN):
        raise error
    return context.translated(error, payload, is_body=is_body)


def _payload(request: Request, state: SessionState, route: Route) -> bytes | UploadPayload | None:
    if not isinstance(request.body, Upload):
        return request.body
    content = request.body.content
    if content is None or len(content) > _SENT_AT_ONCE or state.byte_rate.is_limited:
        return UploadPayload(request.body, state, route.limits.queue.limit)
    # An UploadPayload would cost several times as much. These few bytes fit into the write buffer of the connection.
    route.limits.queue.limit.add_bytes(len(content))
    state.traffic.sent(len(content))
    return content


def _middlewares(
    session: aiohttp.ClientSession, context: RequestContext, route: Route
) -> Sequence[aiohttp.ClientMiddlewareType]:
    """Return the middlewares for the request; after a redirect to another host they remove the user's headers."""
    is_here, ours = context.request.redirected_to is None, list[aiohttp.ClientMiddlewareType]()
    if not is_here:
        kept = {"user-agent", *map(str.lower, context.request.headers)}
        # aiohttp sends the header fields and cookies that a session was opened with to every host.
        added = (*session.headers, "Authorization", "Cookie")
        ours.append(withholding([name for name in added if name.lower() not in kept]))
    if not context.state.foreign:
        return [*ours, *(context.state.additions.middlewares if is_here else ()), _retrying(context, route)]
    return [*ours, *(middlewares_of(session) if is_here else ()), limiting_head]


def _retrying(context: RequestContext, route: Route, sent_with: Credentials | None = None) -> AuthRetryMiddleware:
    first = context.state.route(context.request.server)
    return AuthRetryMiddleware(
        context.state,
        context.operation,
        route,
        is_own=True,
        is_raw=context.request.is_for_file,
        has_slot=route.limits is first.limits,
        sent_with=sent_with,
    )


async def send(session: aiohttp.ClientSession, request: Request) -> Response:
    """
    Send *request* and read its whole response, whatever its status.

    Raises:
        TransportError: If no complete response is received.
        ProtocolError: If the response is not HTTP, or is a redirect that must not be followed.
        SessionError: If *session* is closed, or belongs to another event loop or process.
    """
    async with stream(session, request) as reply:
        return await reply.read()


async def fetch_response(
    session: aiohttp.ClientSession,
    request: Request,
    operation: Operation | None = None,
    begun: BegunRequest | None = None,
) -> Response:
    """
    Send *request* and read its whole response; retry if the response breaks off.

    The request is part of *operation* if one is given. Its first attempt may have *begun*.

    Raises:
        ResponseError: If the server refuses the request; the error has the number of attempts.
        ProtocolError: If the response is a web page; also see :func:`send`.
        TransportError, SessionError: See :func:`send`.
    """
    operation = operation or start_operation(session, repeatable=request.repeatable)
    attempts = operation.attempts(ConnectionLostError, TransportTimeoutError)
    async for attempt in attempts:
        first, begun = begun, None
        async with stream(session, request, operation, first) as reply:
            if reply.status >= 300:
                raise await reply.error()
            with attempt:
                return refuse_page(request, await reply.read())
    raise attempts.failure()


def start_operation(
    session: aiohttp.ClientSession, *, repeatable: bool = True, on_retry: Callable[[int], None] | None = None
) -> Operation:
    """
    Start an operation of one or more requests; they are not retried unless they are *repeatable*.

    *on_retry* is called with the number of each further attempt.
    """
    state = state_of(session)
    return Operation(state.retry, state.clock, repeatable, on_retry, state.traffic)
