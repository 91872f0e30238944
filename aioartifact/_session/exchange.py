"""One request and its answer: redirects followed by hand, bodies read as they arrive."""

import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from .._errors import ArtifactoryError, ProtocolError, TransportError
from .._models import Response
from .._protocol import Request, Upload, read_error
from .._retry import parse_retry_after
from .middlewares import MAX_ERROR_BODY, is_small, withholding
from .payload import UploadPayload
from .state import OPERATION, Operation, SessionState, state_of
from .translation import Seam

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Reply:
    """
    An answer whose header fields are here and whose body still arrives.

    Attributes:
        status: HTTP status code.
        chain: Header fields of every hop, the first server's first.
        location: Where the last redirect led, or None.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        chain: list[Mapping[str, str]],
        location: str | None,
        seam: "Seam",
    ) -> None:
        self.status = response.status
        self.chain = chain
        self.location = location
        self._response = response
        self._seam = seam
        self._failure: TransportError | None = None

    async def next_batch(self, size: int) -> list[bytes]:
        """
        Wait for the next *size* bytes or a little more, as chunks; empty at the end of the body.

        Raises:
            ConnectionLostError: The body broke off.
            TransportTimeoutError: No byte arrived for the time allowed.
        """
        chunks: list[bytes] = []
        missing = size
        while missing > 0 and (chunk := await self._next_chunk(chunks)):
            chunks.append(chunk)
            missing -= len(chunk)
        return chunks

    async def _next_chunk(self, before: list[bytes]) -> bytes:
        """Wait for some bytes; where the body breaks off after others, those are handed out first."""
        if self._failure is not None:
            raise self._failure
        try:
            with self._seam.translated():
                return await self._response.content.readany()
        except TransportError as failure:
            if not before:
                raise
            self._failure = failure
            return b""

    @property
    def is_complete(self) -> bool:
        """Whether the body has been read to its proper end."""
        return self._failure is None and self._response.content.at_eof()

    async def read(self) -> Response:
        """
        Read the whole body; of an error no more than its beginning.

        Raises:
            TransportError: See :meth:`next_batch`.
        """
        if self.status < 400 or is_small(self._response):
            with self._seam.translated():
                content = await self._response.read()
        else:
            content = b"".join(await self.next_batch(MAX_ERROR_BODY))[:MAX_ERROR_BODY]
        content = self._seam.masked(content) if self.status >= 300 else content
        return Response(self.status, content, self.chain[-1], self._seam.url)

    async def error(self) -> ArtifactoryError:
        """Read the body of a refusal and make its error."""
        retry_after = parse_retry_after(self.chain[-1].get("Retry-After"), now=self._seam.state.clock.wall())
        attempts = self._seam.operation.attempts
        return read_error(self._seam.request, await self.read(), attempts=max(1, attempts), retry_after=retry_after)


@asynccontextmanager
async def stream(
    session: aiohttp.ClientSession, request: Request, operation: Operation | None = None
) -> AsyncIterator[Reply]:
    """
    Send *request* and yield its answer, whatever its status; the body is dropped at the end of the block.

    Redirects of GET and HEAD are followed, up to five, never from https to http. Requests of one *operation* share
    its attempts; without one, the request is an operation of its own.

    Raises:
        TransportError: No answer came.
        ProtocolError: The answer is not HTTP, or redirects badly.
        SessionError: The session cannot be used here.
    """
    state = state_of(session)
    await state.admit(request.server)
    seam = Seam(request, state, operation or Operation(request.repeatable, state.clock.now()))
    token = OPERATION.set(seam.operation)
    try:
        response, chain, location = await _follow(session, seam)
    finally:
        OPERATION.reset(token)
    try:
        yield Reply(response, chain, location, seam)
    finally:
        # Returns the connection to the pool if the body was read to its end, and closes it otherwise.
        response.release()


async def _follow(
    session: aiohttp.ClientSession, seam: Seam
) -> tuple[aiohttp.ClientResponse, list[Mapping[str, str]], str | None]:
    url, location = URL(seam.request.url, encoded=True), None
    chain: list[Mapping[str, str]] = []
    for _ in range(_MAX_REDIRECTS + 1):
        response = await _request(session, seam, url)
        chain.append(response.headers)
        target = response.headers.get("Location") if response.status in _REDIRECTS else None
        if target is None or not _may_follow(seam.request, response.status):
            return response, chain, location
        response.release()
        location, url = target, _next_hop(seam, url, target)
        seam.operation.attempts -= 1  # it is still the same one
    raise _misled(seam, f"more than {_MAX_REDIRECTS} times")


def _may_follow(request: Request, status: int) -> bool:
    # RFC 9110 15.4: only 307 and 308 keep method and body.
    return request.method in ("GET", "HEAD") or status in (307, 308)


def _next_hop(seam: Seam, url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location, encoded=True))
    except ValueError:
        raise _misled(seam, "to something that is no URL") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise _misled(seam, "to something that is no web address")
    if url.scheme == "https" and target.scheme == "http":
        raise _misled(seam, "from https to http, where everything travels in clear")
    return target


def _misled(seam: Seam, where: str) -> ProtocolError:
    hint = "ask the administrator of the server or of the proxy before it"
    return ProtocolError(f"{seam.request.label}: redirected {where}; refused", hint=hint)


async def _request(session: aiohttp.ClientSession, seam: Seam, url: URL) -> aiohttp.ClientResponse:
    request, state = seam.request, seam.state
    upload = isinstance(request.body, Upload)
    payload = UploadPayload(request.body, state.timeouts.stall) if isinstance(request.body, Upload) else request.body
    length = {"Content-Length": str(request.body.size)} if isinstance(request.body, Upload) else {}
    with seam.translated(payload if upload else None):
        return await session.request(
            request.method,
            url,
            headers={**request.headers, **length},
            data=payload,
            allow_redirects=False,
            # A user's session may be set to raise by itself; what a status means is decided here.
            raise_for_status=False,
            timeout=state.timeout(request),
            proxy=_proxy(state, url),
            middlewares=_middlewares(session, seam, url),
        )


def _middlewares(session: aiohttp.ClientSession, seam: Seam, url: URL) -> Sequence[aiohttp.ClientMiddlewareType] | None:
    """None for the session's own; a redirect takes a user's session where its header fields must not go."""
    if not seam.state.foreign or url.origin() == URL(seam.request.url, encoded=True).origin():
        return None
    kept = {"user-agent", *map(str.lower, seam.request.headers)}
    return (withholding([name for name in (*session.headers, "Authorization") if name.lower() not in kept]),)


def _proxy(state: SessionState, url: URL) -> str | None:
    """The proxy of the environment, looked up once for each origin: reading the environment costs a request's time."""
    if state.foreign or not state.trust_env:
        return None
    origin = url.origin()
    if origin not in state.proxies:
        state.proxies[origin] = _environment_proxy(url)
    return state.proxies[origin]


def _environment_proxy(url: URL) -> str | None:
    """
    The proxy that the environment names for *url*.

    aiohttp's own ``trust_env`` would also read ``~/.netrc`` and add its passwords to redirect targets.
    """
    if urllib.request.proxy_bypass(url.host or ""):
        return None
    return urllib.request.getproxies().get(url.scheme)


async def send(session: aiohttp.ClientSession, request: Request) -> Response:
    """
    Send *request* and read its answer whole, whatever its status.

    Raises:
        TransportError: No answer came, or not all of it.
        ProtocolError: The answer is not HTTP, or redirects badly.
        SessionError: The session cannot be used here.
    """
    async with stream(session, request) as reply:
        return await reply.read()


async def ask(session: aiohttp.ClientSession, request: Request, operation: Operation | None = None) -> Response:
    """
    Send *request*, as part of an *operation* if there is one, and read its answer whole.

    Raises:
        ResponseError: The server said no; the error knows the attempts.
        TransportError, ProtocolError, SessionError: See :func:`send`.
    """
    async with stream(session, request, operation) as reply:
        if reply.status >= 300:
            raise await reply.error()
        return await reply.read()


def begin(session: aiohttp.ClientSession) -> Operation:
    """Start an operation of several repeatable requests."""
    return Operation(repeatable=True, started=state_of(session).clock.now())


async def rest(session: aiohttp.ClientSession, operation: Operation, *, progressed: bool) -> bool:
    """
    Wait before *operation* goes on after a failure; False if its attempts are used up.

    An operation that has *progressed* counts as one that failed for the first time: it is the server that is
    flaky, not the work that is hopeless.
    """
    state = state_of(session)
    operation.attempts = 1 if progressed else operation.attempts
    delay = state.retry.next_delay(operation.attempts, draw=state.clock.draw())
    if delay is None:
        return False
    await state.clock.sleep(delay)
    return True
