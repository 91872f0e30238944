"""
The one home of aiohttp: sessions, client middlewares, and the seam where its exceptions become ours.

A session is a plain ``aiohttp.ClientSession``. What this library adds rides in it as client middlewares, which
run for every request on every hop of a redirect: credentials are attached only for servers that were named to the
session, never as session-wide headers, because those follow a redirect to any host.

aiohttp's own exceptions never leave this module: the repr of some carries the Authorization header.
"""

import asyncio
import os
import platform
import random
import ssl
import time
import urllib.request
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias
from weakref import WeakKeyDictionary

import aiohttp
import anyio
import anyio.to_thread
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from ._address import ServerURL, mask_url
from ._credentials import Credentials
from ._errors import (
    ArtifactoryError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    IntegrityError,
    InvalidArgumentError,
    ProtocolError,
    SessionError,
    TransportError,
    TransportTimeoutError,
)
from ._models import Response
from ._options import Limits, Timeouts
from ._protocol import Request, Upload, read_error
from ._retry import (
    RetryPolicy,
    is_idempotent,
    is_retryable_status,
    parse_retry_after,
    retry_after_from_message,
)

Verify: TypeAlias = bool | str | os.PathLike[str] | ssl.SSLContext
ClientCertificate: TypeAlias = str | os.PathLike[str] | tuple[str | os.PathLike[str], str | os.PathLike[str]]
Resolver: TypeAlias = Callable[[ServerURL], Credentials]
Handler: TypeAlias = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]

_MAX_REDIRECTS = 5
_MAX_ERROR_BODY = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Tomcat drops idle connections after 60 s; let go of them well before.
_KEEPALIVE = 30.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, as the retry loop sees them; tests give their own."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    draw: Callable[[], float] = random.random


@dataclass(slots=True)
class Operation:
    """One call of ours, however many requests it takes: the budget of attempts belongs to it."""

    repeatable: bool
    started: float
    attempts: int = 0
    lost: int = 0


_OPERATION: ContextVar[Operation | None] = ContextVar("aioartifact_operation", default=None)


class Gate:
    """
    What all requests to one server share: a back-off, and the rule that the very first request goes alone.

    A burst of first requests makes some servers answer some of them with 401 (astral-sh/uv#17485).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open_at = 0.0
        self._primed = False
        self._first = anyio.Lock()

    def pause(self, seconds: float) -> None:
        """Hold every request to this server back for *seconds* from now."""
        self._open_at = max(self._open_at, self._clock.now() + seconds)

    async def pass_through(self, call: Callable[[], Awaitable[aiohttp.ClientResponse]]) -> aiohttp.ClientResponse:
        """Run *call* when the server may be asked."""
        while (wait := self._open_at - self._clock.now()) > 0:
            await self._clock.sleep(wait)
        if not self._primed:
            async with self._first:
                if not self._primed:
                    response = await call()
                    self._primed = True
                    return response
        return await call()


@dataclass(slots=True)
class SessionState:
    """What is remembered for one session: credentials and gates per server, and where the session may be used."""

    resolve: Resolver
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    trust_env: bool = True
    foreign: bool = False
    clock: Clock = field(default_factory=Clock)
    credentials: dict[ServerURL, Credentials] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    process: int = field(default_factory=os.getpid)
    resolving: anyio.Lock = field(default_factory=anyio.Lock)

    def owner(self, url: URL) -> ServerURL | None:
        """The server that *url* lies on, of those named to this session; the longest context path wins."""
        segments = tuple(part for part in url.parts if part != "/")
        owners = [s for s in self.credentials if s.contains(url.scheme, url.host or "", url.port, segments)]
        return max(owners, key=lambda server: len(server.context_path), default=None)

    async def admit(self, server: ServerURL) -> None:
        """Look up the credentials of *server*, once; from then on its requests carry them."""
        if self.foreign or server in self.credentials:
            return
        async with self.resolving:
            if server not in self.credentials:
                self.credentials[server] = await anyio.to_thread.run_sync(self.resolve, server)

    def gate(self, url: URL) -> Gate:
        """The gate of the server, or else of the origin, that *url* lies on."""
        key = str(self.owner(url) or url.origin())
        return self.gates.setdefault(key, Gate(self.clock))

    def check(self, session: aiohttp.ClientSession) -> None:
        """
        Refuse a session that cannot work here.

        Raises:
            SessionError: It is closed, or was opened in another process or another event loop.
        """
        if session.closed:
            raise SessionError("session is closed", hint="use it inside its `async with` block")
        if self.process != os.getpid():
            raise SessionError("session was opened in another process", hint="open one after the fork")
        if self.loop is not asyncio.get_running_loop():
            raise SessionError("session belongs to another event loop", hint="open one in each loop")

    def timeout(self, request: Request) -> aiohttp.ClientTimeout:
        """No total limit; after an upload the server may hash and store for long."""
        stall = self.timeouts.reply if isinstance(request.body, Upload) else self.timeouts.stall
        return aiohttp.ClientTimeout(total=None, sock_connect=self.timeouts.connect, sock_read=stall)


_STATES: WeakKeyDictionary[aiohttp.ClientSession, SessionState] = WeakKeyDictionary()


def state_of(session: aiohttp.ClientSession) -> SessionState:
    """
    The state of a session; one that somebody else made gets a bare one: no credentials, no retries of ours.

    Raises:
        SessionError: See :meth:`SessionState.check`.
        InvalidArgumentError: *session* is no aiohttp.ClientSession.
    """
    if not isinstance(session, aiohttp.ClientSession):
        raise InvalidArgumentError(
            f"session is a {type(session).__name__}; expected an aiohttp.ClientSession",
            hint="write `async with aioartifact.session(...) as session:`",
        )
    state = _STATES.get(session)
    if state is None:
        state = SessionState(lambda _: Credentials.anonymous(), retry=RetryPolicy.none(), foreign=True)
        _STATES[session] = state
    state.check(session)
    return state


def is_anonymous(session: aiohttp.ClientSession, server: ServerURL) -> bool:
    """Whether requests to *server* carry no credentials of ours; a session from elsewhere may carry its own."""
    credentials = state_of(session).credentials.get(server)
    return credentials is None or credentials.kind == "anonymous"


@asynccontextmanager
async def open_session(
    state: SessionState,
    *,
    verify: Verify,
    cert: ClientCertificate | None,
    proxy: str | None,
    user_agent: str | None,
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session whose middlewares work on *state*, and close it at the end of the block."""
    connector = aiohttp.TCPConnector(
        limit=state.limits.max_connections,
        ssl=await anyio.to_thread.run_sync(_tls, verify, cert),
        # c-ares, which aiohttp prefers where it is installed, fails with VPNs and mDNS (aiohttp#10111).
        resolver=aiohttp.ThreadedResolver(),
        ttl_dns_cache=300,
        keepalive_timeout=_KEEPALIVE,
    )
    timeouts = state.timeouts
    async with aiohttp.ClientSession(
        connector=connector,
        # Artifactory sets cookies for its web pages only; sending them back pins requests to one node.
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent or default_user_agent()},
        middlewares=(_retrying(state), _authorizing(state)),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect, sock_read=timeouts.stall),
        # Re-quoting changes a signed URL, and the storage then refuses its signature.
        requote_redirect_url=False,
        proxy=proxy,
    ) as session:
        _STATES[session] = state
        yield session


@cache
def default_user_agent() -> str:
    """``aioartifact/<version> Python/<version> aiohttp/<version>``."""
    return f"aioartifact/{version('aioartifact')} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"


def _tls(verify: Verify, cert: ClientCertificate | None) -> ssl.SSLContext | bool:
    if isinstance(verify, ssl.SSLContext):
        context = verify
    elif verify is True and cert is None:
        return True
    else:
        context = _context(verify)
    if cert is not None:
        files = cert if isinstance(cert, tuple) else (cert,)
        try:
            context.load_cert_chain(*files)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"client certificate {files[0]}: {_reason(error)}", source=str(files[0])) from None
    return context


def _context(verify: bool | str | os.PathLike[str]) -> ssl.SSLContext:
    if verify is False:
        warnings.warn("TLS certificates are not verified: verify=False", UserWarning, stacklevel=2)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if verify is True:
        return ssl.create_default_context()
    path = Path(verify)
    try:
        folder = path.is_dir()
        return ssl.create_default_context(capath=path if folder else None, cafile=None if folder else path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"CA certificates {path}: {_reason(error)}", source=str(path)) from None


def _authorizing(state: SessionState) -> aiohttp.ClientMiddlewareType:
    """Attach credentials to requests for their own server, unless the request brings its own."""

    async def authorize(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        server = state.owner(request.url)
        if server is not None and not request.headers.keys() & {"Authorization", "X-JFrog-Art-Api"}:
            request.headers.update(state.credentials[server].headers())
        return await handler(request)

    return authorize


def _retrying(state: SessionState) -> aiohttp.ClientMiddlewareType:
    """Repeat what may be repeated, and make all requests to a server wait when it asks for that."""

    async def retry(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        gate = state.gate(request.url)
        operation = _OPERATION.get() or Operation(is_idempotent(request.method), state.clock.now())
        while True:
            operation.attempts += 1
            try:
                response = await gate.pass_through(lambda: handler(request))
            except (aiohttp.ClientError, TimeoutError) as error:
                delay = _delay_after_error(state, operation, request, error)
                if delay is None:
                    raise
                await state.clock.sleep(delay)
            else:
                delay = await _delay_after_response(state, operation, request, response)
                if delay is None:
                    return response
                response.release()
                gate.pause(delay)

    return retry


def _delay_after_error(
    state: SessionState, operation: Operation, request: aiohttp.ClientRequest, error: Exception
) -> float | None:
    if isinstance(error, _NOT_REPAIRED_BY_TIME) or _upload_failure(request.body) is not None:
        return None
    unsent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    if not unsent and not (operation.repeatable and _is_replayable(request.body)):
        return None
    delay = state.retry.next_delay(operation.attempts, draw=state.clock.draw())
    if delay is not None and isinstance(error, aiohttp.ServerDisconnectedError) and operation.lost == 0:
        # Most often an idle connection that the server had just closed: a fresh one will do.
        operation.lost += 1
        return 0.0
    return delay


async def _delay_after_response(
    state: SessionState,
    operation: Operation,
    request: aiohttp.ClientRequest,
    response: aiohttp.ClientResponse,
) -> float | None:
    if response.status < 400 or not operation.repeatable or not _is_replayable(request.body):
        return None
    asked = parse_retry_after(response.headers.get("Retry-After"), now=state.clock.wall())
    if not is_retryable_status(response.status):
        if response.status not in (400, 403) or not _is_small(response):
            return None
        # Two refusals are really requests to wait, told apart by their text alone.
        asked = retry_after_from_message(response.status, await response.text(errors="replace"))
        if asked is None:
            return None
    return state.retry.next_delay(operation.attempts, draw=state.clock.draw(), retry_after=asked)


def _is_small(response: aiohttp.ClientResponse) -> bool:
    """Whether a body may be read whole; aiohttp keeps it, so it can be read once more."""
    return response.content_length is not None and response.content_length <= _MAX_ERROR_BODY


def _is_replayable(body: object) -> bool:
    return not (isinstance(body, aiohttp.Payload) and body.consumed)


class _UploadPayload(aiohttp.Payload):
    """An upload as aiohttp wants it: sent from the start each time it is written."""

    def __init__(self, upload: Upload, stall: float) -> None:
        super().__init__(upload, content_type="application/octet-stream")
        self._upload = upload
        self._stall = stall
        self._size = upload.size
        # aiohttp wraps what a payload raises into a lost connection; the true reason is kept here.
        self.failure: Exception | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("an upload has no text form")

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        sent = 0
        try:
            async with aclosing(self._upload.open()) as blocks:
                async for block in blocks:
                    sent += len(block)
                    if sent > self._upload.size:
                        break
                    await self._write(writer, block)
            if sent != self._upload.size:
                raise IntegrityError(
                    f"the file changed while it was sent: it has not {self._upload.size} bytes any more",
                    algorithm="size",
                    expected=str(self._upload.size),
                    hint="deploy it again when nobody writes to it",
                )
        except ArtifactoryError as error:
            self.failure = error
            raise

    async def _write(self, writer: AbstractStreamWriter, block: bytes) -> None:
        try:
            async with asyncio.timeout(self._stall):
                await writer.write(block)
        except TimeoutError:
            raise TransportTimeoutError(f"stalled: the server took no byte for {self._stall:g} s") from None


def _upload_failure(body: object) -> Exception | None:
    return body.failure if isinstance(body, _UploadPayload) else None


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
        seam: "_Seam",
    ) -> None:
        self.status = response.status
        self.chain = chain
        self.location = location
        self._response = response
        self._seam = seam

    async def next_batch(self, size: int) -> list[bytes]:
        """
        Wait for the next *size* bytes or a little more, as chunks; empty at the end of the body.

        Raises:
            ConnectionLostError: The body broke off.
            TransportTimeoutError: No byte arrived for the time allowed.
        """
        chunks: list[bytes] = []
        missing = size
        with self._seam.translated():
            while missing > 0 and (chunk := await self._response.content.readany()):
                chunks.append(chunk)
                missing -= len(chunk)
        return chunks

    async def read(self) -> Response:
        """
        Read the whole body; of an error no more than its beginning.

        Raises:
            TransportError: See :meth:`next_batch`.
        """
        if self.status < 400 or _is_small(self._response):
            with self._seam.translated():
                content = await self._response.read()
        else:
            content = b"".join(await self.next_batch(_MAX_ERROR_BODY))[:_MAX_ERROR_BODY]
        content = self._seam.masked(content) if self.status >= 400 else content
        return Response(self.status, content, self.chain[-1], self._seam.url)

    async def error(self) -> ArtifactoryError:
        """Read the body of a refusal and make its error."""
        retry_after = parse_retry_after(self.chain[-1].get("Retry-After"), now=self._seam.state.clock.wall())
        attempts = self._seam.operation.attempts
        return read_error(self._seam.request, await self.read(), attempts=max(1, attempts), retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class _Seam:
    """One request on its way: knows how to name it in errors, and which secret must not show."""

    request: Request
    state: SessionState
    operation: Operation

    @property
    def url(self) -> str:
        return mask_url(self.request.url)

    def masked(self, content: bytes) -> bytes:
        """Some servers repeat in an error the credentials they refuse."""
        credentials = self.state.credentials.get(self.request.server)
        secret = credentials.secret.encode() if credentials else b""
        return content.replace(secret, b"***") if secret else content

    @contextmanager
    def translated(self, payload: object = None) -> Iterator[None]:
        """Turn what aiohttp raises in this block into an error of ours."""
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            translated = self._translate(_upload_failure(payload) or error)
        else:
            return
        # Raised outside the handler: a context would carry aiohttp's exception, and with it the headers.
        raise translated

    def _translate(self, error: Exception) -> ArtifactoryError:
        if isinstance(error, aiohttp.InvalidURL | aiohttp.ClientResponseError | aiohttp.NonHttpUrlClientError):
            return ProtocolError(
                f"{self.request.label}: the answer is not valid HTTP: {type(error).__name__}",
                hint=f"is {self.request.server} the base URL of an Artifactory?",
            )
        if isinstance(error, ArtifactoryError) and not isinstance(error, TransportError):
            return error
        kind, what, hint = self._judge(error)
        translated = kind(
            f"{self.request.label}: {what}",
            method=self.request.method,
            url=self.url,
            attempts=max(1, self.operation.attempts),
            elapsed=self.state.clock.now() - self.operation.started,
            hint=hint,
        )
        translated.retryable = not isinstance(error, _NOT_REPAIRED_BY_TIME)
        return translated

    def _judge(self, error: Exception) -> tuple[type[TransportError], str, str | None]:
        limits = self.state.timeout(self.request)
        if isinstance(error, TransportError):
            return type(error), error.message, error.hint
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return TransportTimeoutError, f"no connection within {limits.sock_connect:g} s", _REACH_HINT
        if isinstance(error, TimeoutError):
            return TransportTimeoutError, f"stalled: no byte for {limits.sock_read:g} s", _STALL_HINT
        if isinstance(error, _NOT_REPAIRED_BY_TIME):
            return ConnectError, f"TLS refused: {_reason(error)}", _TLS_HINT
        if isinstance(error, aiohttp.ClientConnectorError):
            return ConnectError, f"cannot connect: {_reason(error)}", _REACH_HINT
        return ConnectionLostError, f"connection lost: {_reason(error)}", "try again"


# Errors of TLS are errors of set-up: no retry repairs them.
_NOT_REPAIRED_BY_TIME = (
    aiohttp.ClientSSLError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ServerFingerprintMismatch,
)
_STALL_HINT = "raise Timeouts.stall for a slow server"
_TLS_HINT = "pass verify= with the CA certificates of the server"
_REACH_HINT = "check the host name, the port, and whether a proxy is needed"


def _reason(error: Exception) -> str:
    """Say what went wrong, without the text of aiohttp's exceptions: it may hold headers or passwords."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "host name not found"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _reason(error.certificate_error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    cause = getattr(error, "os_error", error)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed it before it answered"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the body ended early"
    return type(cause).__name__


@asynccontextmanager
async def stream(session: aiohttp.ClientSession, request: Request) -> AsyncIterator[Reply]:
    """
    Send *request* and yield its answer, whatever its status; the body is dropped at the end of the block.

    Redirects of GET and HEAD are followed, up to five, never from https to http.

    Raises:
        TransportError: No answer came.
        ProtocolError: The answer is not HTTP, or redirects badly.
        SessionError: The session cannot be used here.
    """
    state = state_of(session)
    await state.admit(request.server)
    seam = _Seam(request, state, Operation(request.repeatable, state.clock.now()))
    token = _OPERATION.set(seam.operation)
    try:
        response, chain, location = await _follow(session, seam)
    finally:
        _OPERATION.reset(token)
    try:
        yield Reply(response, chain, location, seam)
    finally:
        # Returns the connection to the pool if the body was read to its end, and closes it otherwise.
        response.release()


async def _follow(
    session: aiohttp.ClientSession, seam: _Seam
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
    raise _misled(seam, f"more than {_MAX_REDIRECTS} times")


def _may_follow(request: Request, status: int) -> bool:
    # RFC 9110 15.4: only 307 and 308 keep method and body.
    return request.method in ("GET", "HEAD") or status in (307, 308)


def _next_hop(seam: _Seam, url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location, encoded=True))
    except ValueError:
        raise _misled(seam, "to something that is no URL") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise _misled(seam, "to something that is no web address")
    if url.scheme == "https" and target.scheme == "http":
        raise _misled(seam, "from https to http, where everything travels in clear")
    return target


def _misled(seam: _Seam, where: str) -> ProtocolError:
    hint = "ask the administrator of the server or of the proxy before it"
    return ProtocolError(f"{seam.request.label}: redirected {where}; refused", hint=hint)


async def _request(session: aiohttp.ClientSession, seam: _Seam, url: URL) -> aiohttp.ClientResponse:
    request, state = seam.request, seam.state
    upload = isinstance(request.body, Upload)
    payload = _UploadPayload(request.body, state.timeouts.stall) if isinstance(request.body, Upload) else request.body
    length = {"Content-Length": str(request.body.size)} if isinstance(request.body, Upload) else {}
    with seam.translated(payload if upload else None):
        return await session.request(
            request.method,
            url,
            headers={**request.headers, **length},
            data=payload,
            allow_redirects=False,
            timeout=state.timeout(request),
            proxy=_environment_proxy(url) if state.trust_env and not state.foreign else None,
        )


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


async def ask(session: aiohttp.ClientSession, request: Request) -> Response:
    """
    Send *request* and read its answer whole.

    Raises:
        ResponseError: The server said no; the error knows the attempts.
        TransportError, ProtocolError, SessionError: See :func:`send`.
    """
    async with stream(session, request) as reply:
        if reply.status >= 300:
            raise await reply.error()
        return await reply.read()
