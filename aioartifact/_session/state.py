"""The state of a session: its credentials, routes, limits and settings."""

import asyncio
import os
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import inf
from typing import TypeAlias
from urllib.parse import unquote
from weakref import WeakKeyDictionary

import aiohttp
import anyio
import anyio.to_thread
from yarl import URL

from .._address import ServerURL
from .._credentials import FOREIGN_HINT, HEADERS_HINT, Credentials, RegisteredProvider, SendToken, login_hint
from .._errors import InvalidArgumentError, SessionError
from .._options import Limits, Timeouts
from .._protocol import Request
from .._retry import RetryPolicy
from .additions import Additions
from .attempts import Clock
from .connections import fail_disconnected
from .limits import ActiveCalls, RateLimiter, ServerLimits, credentials_in
from .proxies import environment_proxy
from .renewal import RenewableCredentials
from .telemetry import Traffic

# Some servers treat text after a semicolon as a parameter, and an encoded slash or a backslash as a slash.
_LEADS_UP = re.compile(r"[/\\]\.\.(?:[/\\;]|\Z)")

Resolver: TypeAlias = Callable[[ServerURL], Credentials | RegisteredProvider]
_INTERVAL = 0.5


def closed_session() -> SessionError:
    return SessionError("session is closed", hint="use it inside its `async with` block")


class Watch:
    """
    Wakes the readers of bodies when their session is closed, or when their connection is closed without an error.

    aiohttp would let them wait forever: it drops the time limit together with the connection, without an error.
    """

    __slots__ = ("_bodies", "_timer")

    def __init__(self) -> None:
        self._bodies: set[aiohttp.StreamReader] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, session: aiohttp.ClientSession, body: aiohttp.StreamReader) -> None:
        """Watch *body*, unless all of it has been received; `end` must follow."""
        if not body.is_eof():
            self._bodies.add(body)
            if self._timer is None:
                self._look_later(session)

    def end(self, body: aiohttp.StreamReader) -> None:
        """Stop watching *body*."""
        self._bodies.discard(body)

    def _look_later(self, session: aiohttp.ClientSession) -> None:
        # One timer for all bodies, as one for each would cost more than reading a small one.
        self._timer = asyncio.get_running_loop().call_later(_INTERVAL, self._look, session)

    def _look(self, session: aiohttp.ClientSession) -> None:
        self._timer = None
        if session.closed:
            for body in self._bodies:
                body.set_exception(closed_session())
            self._bodies.clear()
        for body in self._bodies:
            fail_disconnected(body)
        if self._bodies:
            self._look_later(session)


@dataclass(frozen=True, slots=True)
class Route:
    """
    How requests get to one server.

    Attributes:
        limits: Whether a request may be sent now.
        headers: Header fields that carry the credentials, unless these are renewable.
        renewable: Renewable credentials, or None.
        added: Header fields that the user adds.
        proxy: The proxy of the environment, or None.
    """

    limits: ServerLimits
    headers: Mapping[str, str] = field(repr=False)  # some crash reporters keep the repr of every local variable
    proxy: str | None = field(repr=False)
    renewable: RenewableCredentials | None = field(default=None, repr=False)
    added: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def sent_headers(self) -> Mapping[str, str]:
        """Header fields that carry the current credentials."""
        if self.renewable is None:
            return self.headers
        return {} if self.renewable.current is None else self.renewable.current.headers()


@dataclass(slots=True)
class SessionState:
    """State of one session: credentials, the route to each server, and the event loop and process that may use it."""

    resolve: Resolver
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    trust_env: bool = True
    foreign: bool = False
    clock: Clock = field(default_factory=Clock)
    credentials: dict[ServerURL, Credentials | RenewableCredentials] = field(default_factory=dict)
    providers: dict[int, RenewableCredentials] = field(default_factory=dict)
    configured: tuple[ServerURL, ...] = ()
    home: ServerURL | None = None
    routes: dict[ServerURL | URL, Route] = field(default_factory=dict)
    server_limits: dict[ServerURL | URL, ServerLimits] = field(default_factory=dict)
    refused: defaultdict[ServerURL, set[str]] = field(default_factory=lambda: defaultdict(set))
    deploy_repositories: dict[tuple[ServerURL, str], str] = field(default_factory=dict)
    proxy: str | None = field(default=None, repr=False)
    additions: Additions = field(default_factory=Additions)
    token_sender: Callable[[aiohttp.ClientSession], SendToken] | None = None
    byte_rate: RateLimiter = field(init=False)
    request_rate: RateLimiter = field(init=False)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    process: int = field(default_factory=os.getpid)
    resolving: anyio.Lock = field(default_factory=anyio.Lock)
    watch: Watch = field(default_factory=Watch)
    calls: ActiveCalls = field(default_factory=ActiveCalls)
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self.byte_rate = RateLimiter(self.limits.max_bytes_per_second, self.clock)
        self.request_rate = RateLimiter(self.limits.max_requests_per_second, self.clock)

    def with_resolver(self, resolve: Resolver) -> "SessionState":
        """Return a state with other credentials and the same limits, back-off, clock and settings."""
        derived = SessionState(
            resolve,
            self.retry,
            self.timeouts,
            self.limits,
            self.trust_env,
            clock=self.clock,
            configured=self.configured,
            home=self.home,
            additions=self.additions,
        )
        derived.share_limits(self)
        return derived

    def share_limits(self, other: "SessionState") -> None:
        """Use the limits of *other*, and what it has learned about servers, from now on."""
        self.limits, self.server_limits, self.calls = other.limits, other.server_limits, other.calls
        self.byte_rate, self.request_rate = other.byte_rate, other.request_rate

    def owner(self, url: URL) -> ServerURL | None:
        """Return which of the servers named to this session *url* is on; the longest context path wins."""
        if ".." in url.path and _LEADS_UP.search(unquote(url.path)):
            return None  # servers resolve it, perhaps to another application on the same host
        segments = tuple(part for part in url.parts if part != "/")
        address = (url.scheme, url.host or "", url.port, segments)
        owners = [server for server in self.credentials if server.contains(*address)]
        # As requests and curl do, credentials follow a redirect from http to https of the same host.
        owners = owners or [server for server in self.credentials if server.upgrades_to(*address)]
        return max(owners, key=lambda server: len(server.context_path), default=None)

    @property
    def servers(self) -> tuple[ServerURL, ...]:
        """Servers whose context path is known: those named to this session, then those that the user configured."""
        named = tuple(self.credentials)
        if not self.configured:
            return named
        # Servers that calls have named take precedence: another one below them would only be a guess.
        return named + tuple(server for server in self.configured if not any(map(server.is_below, named)))

    async def admit(self, server: ServerURL) -> None:
        """Look up the credentials of *server*, once; from then on its requests carry them."""
        if self.foreign or server in self.credentials:
            return
        async with self.resolving:
            if server not in self.credentials:
                self._set(server, await anyio.to_thread.run_sync(self.resolve, server))

    def admit_now(self, server: ServerURL) -> None:
        """Set the credentials of *server* without a thread: the resolver reads no file."""
        self._set(server, self.resolve(server))

    def _set(self, server: ServerURL, found: Credentials | RegisteredProvider) -> None:
        self.credentials[server] = found if isinstance(found, Credentials) else self._renewable(server, found)

    def _renewable(self, server: ServerURL, provided: RegisteredProvider) -> RenewableCredentials:
        """Return the credentials of a provider; the same object for all servers that share *provided.key*."""
        known = self.providers.get(id(provided.key)) if provided.key is not None else None
        if known is None:
            known = RenewableCredentials(
                provided, server, _token_sender, self.timeouts.credentials, self.clock, self.calls
            )
            if provided.key is not None:
                self.providers[id(provided.key)] = known
        return known

    async def prepare(self, session: aiohttp.ClientSession, server: ServerURL) -> None:
        """
        Renew the credentials of *server*, which has been admitted, if they are due.

        Raises:
            CredentialsError: If there are no valid ones.
        """
        renewable = self.credentials.get(server)
        if not isinstance(renewable, RenewableCredentials) or renewable.is_ready:
            return
        if not any(credentials_in(session.headers)):
            await renewable.ready(session)

    def current(self, server: ServerURL | URL) -> Credentials | None:
        """The current credentials of *server*; None if it is not admitted, or its provider has not been called."""
        credentials = self.credentials.get(server) if isinstance(server, ServerURL) else None
        return credentials.current if isinstance(credentials, RenewableCredentials) else credentials

    def secrets(self, server: ServerURL) -> list[Credentials]:
        """The credentials that a response of *server* may quote."""
        credentials = self.credentials.get(server)
        if isinstance(credentials, RenewableCredentials):
            return [each for each in (credentials.current, credentials.recent) if each is not None]
        return [] if credentials is None else [credentials]

    def route(self, server: ServerURL) -> Route:
        """Return the route to *server*, which has been admitted."""
        return self.routes.get(server) or self._new_route(server, URL(server.origin))

    def refusal(self, server: ServerURL) -> int | None:
        """Return the status with which *server* has refused the credentials of active calls, or None."""
        route = self.routes.get(server)
        return None if route is None else route.limits.breaker.refusal(credentials_in(route.sent_headers))

    def login_hint(self, server: ServerURL, headers: Mapping[str, str] | None = None) -> str:
        """Return where the credentials for *server* come from; *headers* are those that the user gave the session."""
        if self.foreign:
            return FOREIGN_HINT
        if any(credentials_in(headers or {})):
            return HEADERS_HINT
        credentials = self.current(server)
        hint = "" if credentials is None else login_hint(credentials)
        renewable = self.credentials.get(server)
        if isinstance(renewable, RenewableCredentials) and renewable.problem:
            return f"{hint}; not renewed: {renewable.problem}"
        return hint

    def sends_no_credentials(self, server: ServerURL, headers: Mapping[str, str]) -> bool:
        """Whether requests to *server* are known to be anonymous, in a session with these *headers*."""
        credentials = self.current(server)
        return credentials is not None and credentials.kind == "anonymous" and not any(credentials_in(headers))

    def route_to(self, url: URL) -> Route:
        """Return the route to the server that *url* is on, or else to its origin."""
        origin = url.origin()
        key = self.owner(url) or origin
        return self.routes.get(key) or self._new_route(key, origin)

    def _new_route(self, key: ServerURL | URL, origin: URL) -> Route:
        # Made once: encoding credentials and reading the environment cost as much as a request.
        credentials = self.credentials.get(key) if isinstance(key, ServerURL) else None
        proxy = environment_proxy(origin) if self.trust_env and not self.foreign else None
        limits = self.server_limits.get(key) or self._new_limits(key)
        added = self.additions.headers if isinstance(key, ServerURL) else {}
        if isinstance(credentials, RenewableCredentials):
            route = Route(limits, {}, proxy, credentials, added)
        else:
            route = Route(limits, credentials.headers() if credentials else {}, proxy, None, added)
        self.routes[key] = route
        return route

    def _new_limits(self, key: ServerURL | URL) -> ServerLimits:
        limits = self.server_limits[key] = ServerLimits(
            self.limits.max_connections,
            self.request_rate,
            self.calls,
            self.clock,
            longest_pause=self.retry.retry_after_max,
            is_foreign=self.foreign,
        )
        return limits

    def check(self, session: aiohttp.ClientSession) -> None:
        """
        Raise an error if *session* cannot be used here.

        Raises:
            SessionError: If it is closed, or was opened in another process or another event loop.
        """
        if session.closed:
            raise closed_session()
        if self.process != os.getpid():
            raise SessionError("session was opened in another process", hint="open one after the fork")
        if self.loop is not _running_loop():
            raise SessionError("session belongs to another event loop", hint="open one in each loop")

    def timeout(self) -> aiohttp.ClientTimeout:
        """Return the time limits until the first byte of a response; there is no total limit."""
        return client_timeout(self.timeouts.connect, self.timeouts.reply)

    def body_silence(self, request: Request) -> float:
        """Return the seconds without a byte after which the body of a response has stalled."""
        return self.timeouts.stall if request.is_for_file else self.timeouts.reply


@cache
def client_timeout(connect: float, silence: float) -> aiohttp.ClientTimeout:
    """Return the time limits in aiohttp's form, which does not allow infinity."""
    return aiohttp.ClientTimeout(
        total=None,
        sock_connect=None if connect == inf else connect,
        sock_read=None if silence == inf else silence,
    )


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the running event loop, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


STATES: WeakKeyDictionary[aiohttp.ClientSession, SessionState] = WeakKeyDictionary()


def _token_sender(session: aiohttp.ClientSession) -> SendToken:
    # Not a method of the state: credentials that refer to their state would be a cycle for the garbage collector.
    sender = state_of(session).token_sender
    assert sender is not None, "sessions from elsewhere have no providers"
    return sender(session)


def state_of(session: aiohttp.ClientSession) -> SessionState:
    """
    Return the state of a session; a foreign session gets one without credentials and retries.

    Raises:
        SessionError: See :meth:`SessionState.check`.
        InvalidArgumentError: If *session* is not an aiohttp.ClientSession.
    """
    if not isinstance(session, aiohttp.ClientSession):
        raise InvalidArgumentError(
            f"session is a {type(session).__name__}; expected an aiohttp.ClientSession",
            hint="write `async with aioartifact.session(...) as session:`",
        )
    state = STATES.get(session)
    if state is None:
        state = _foreign_state(session)
        STATES[session] = state
    state.check(session)
    return state


def _foreign_state(session: aiohttp.ClientSession) -> SessionState:
    # The public attribute is deprecated and warns; a request from here would break a session of another loop.
    loop = getattr(session, "_loop", None) or asyncio.get_running_loop()
    return SessionState(lambda _: Credentials.anonymous(), retry=RetryPolicy.none(), foreign=True, loop=loop)


def is_anonymous(session: aiohttp.ClientSession, server: ServerURL) -> bool:
    """Whether this library adds no credentials to requests to *server*; a foreign session may add its own."""
    state = state_of(session)
    credentials = state.current(server)
    # A provider that has not been called yet counts as credentials: the user passed it because they are needed.
    return server not in state.credentials if credentials is None else credentials.kind == "anonymous"


def spare_requests(session: aiohttp.ClientSession, server: ServerURL) -> int:
    """Requests to *server* that could start at once; 0 for a foreign session, whose owner sets the limits."""
    return state_of(session).route(server).limits.spare
