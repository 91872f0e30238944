"""What is remembered for one session, and the time and chance its retries work with."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import TypeAlias
from weakref import WeakKeyDictionary

import aiohttp
import anyio
import anyio.to_thread
from yarl import URL

from .._address import ServerURL
from .._credentials import Credentials
from .._errors import InvalidArgumentError, SessionError
from .._options import Limits, Timeouts
from .._protocol import Request, Upload
from .._retry import RetryPolicy

Resolver: TypeAlias = Callable[[ServerURL], Credentials]


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


OPERATION: ContextVar[Operation | None] = ContextVar("aioartifact_operation", default=None)


# A first answer may take long, where a remote repository fetches the file: the others do not wait for that.
_FIRST_ALONE = 5.0


class Gate:
    """
    What all requests to one server share: a back-off, and the rule that the very first request goes alone.

    A burst of first requests makes some servers answer some of them with 401 (astral-sh/uv#17485).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open_at = 0.0
        self._answered: anyio.Event | None = None

    def pause(self, seconds: float) -> None:
        """Hold every request to this server back for *seconds* from now."""
        self._open_at = max(self._open_at, self._clock.now() + seconds)

    async def pass_through(self, call: Callable[[], Awaitable[aiohttp.ClientResponse]]) -> aiohttp.ClientResponse:
        """Run *call* when the server may be asked."""
        while (wait := self._open_at - self._clock.now()) > 0:
            await self._clock.sleep(wait)
        if self._answered is None:
            self._answered = anyio.Event()
            try:
                return await call()
            finally:
                self._answered.set()
        if not self._answered.is_set():
            with anyio.move_on_after(_FIRST_ALONE):
                await self._answered.wait()
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
    proxies: dict[URL, str | None] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    process: int = field(default_factory=os.getpid)
    resolving: anyio.Lock = field(default_factory=anyio.Lock)

    def owner(self, url: URL) -> ServerURL | None:
        """The server that *url* lies on, of those named to this session; the longest context path wins."""
        segments = tuple(part for part in url.parts if part != "/")
        if ".." in segments:
            return None  # servers resolve it, perhaps to another application on the same host
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
        silence = self.timeouts.reply if isinstance(request.body, Upload) else self.timeouts.stall
        return client_timeout(self.timeouts.connect, silence)


def client_timeout(connect: float, silence: float) -> aiohttp.ClientTimeout:
    """Limits as aiohttp wants them: it stumbles over infinity."""
    return aiohttp.ClientTimeout(
        total=None,
        sock_connect=None if connect == inf else connect,
        sock_read=None if silence == inf else silence,
    )


STATES: WeakKeyDictionary[aiohttp.ClientSession, SessionState] = WeakKeyDictionary()


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
    state = STATES.get(session)
    if state is None:
        state = SessionState(lambda _: Credentials.anonymous(), retry=RetryPolicy.none(), foreign=True)
        STATES[session] = state
    state.check(session)
    return state


def is_anonymous(session: aiohttp.ClientSession, server: ServerURL) -> bool:
    """Whether requests to *server* carry no credentials of ours; a session from elsewhere may carry its own."""
    credentials = state_of(session).credentials.get(server)
    return credentials is None or credentials.kind == "anonymous"
