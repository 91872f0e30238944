"""
Decide whether a request may be sent now: one object for each server combines all limits.

The limits are: a back-off that the server demanded, credentials that it refused (each further failing login may lock
the account), the adaptive limit with its queue, and the rate limit.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from math import inf
from types import TracebackType
from typing import TypeAlias

import anyio

from .._pacing import AdaptiveLimit, TokenBucket
from .._retry import asks_to_slow_down
from .attempts import Clock

# Seconds that others wait for the first response, which may take longer if a remote repository fetches the file.
_FIRST_ALONE = 5.0


class BackoffGate:
    """
    Holds back requests to one server: during a back-off, and while the very first one is sent alone.

    If the first requests arrive in a burst, some servers respond to some of them with 401 (astral-sh/uv#17485).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open_at = 0.0
        self._answered: anyio.Event | None = None

    def pause(self, seconds: float) -> None:
        """Hold every request to this server back for *seconds* from now."""
        self._open_at = max(self._open_at, self._clock.now() + seconds)

    def start_over(self) -> None:
        """Send the next request alone, like the very first one."""
        self.release_others()
        self._answered = None

    async def wait(self) -> None:
        """Wait until a request may be sent; then it must be sent, and `release_others` be called."""
        is_patient = True
        while True:
            await self._wait_for_pause()  # the first response may have demanded a pause, too
            if self._answered is None:
                self._answered = anyio.Event()
                return
            if self._answered.is_set() or not is_patient:
                return
            with anyio.move_on_after(_FIRST_ALONE) as scope:
                await self._answered.wait()
            is_patient = not scope.cancelled_caught

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent at once, beside others."""
        return self._answered is not None and self._answered.is_set() and self._open_at <= self._clock.now()

    async def _wait_for_pause(self) -> None:
        while (wait := self._open_at - self._clock.now()) > 0:
            await self._clock.sleep(wait)

    def release_others(self) -> None:
        """Stop holding back other requests: the first one was answered, or failed."""
        if self._answered is not None:
            self._answered.set()


# A call that runs for hours must not keep later ones from a server that has recovered.
_MAX_REFUSED_SECONDS = 300.0

CREDENTIAL_HEADERS = ("Authorization", "X-JFrog-Art-Api")

SentCredentials: TypeAlias = tuple[str | None, ...]
"""The values of the header fields that carry credentials."""

ALL_REQUESTS: SentCredentials = ("all requests",)
"""Used in place of credentials if the server refuses all requests."""

OF_THE_SESSION: SentCredentials = ("of the session",)
"""Used in place of the credentials of a foreign session: it adds them itself, the same ones to every request."""


class RequestsRefused(Exception):
    """
    A request was not sent: the server refuses its credentials, or all requests for a while.

    Not an ArtifactoryError that is also an OSError, since aiohttp turns each OSError into one of its own.

    Attributes:
        status: Status of the refusal: 401 or 403 for credentials, 429 or 503 for all requests.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def credentials_in(headers: Mapping[str, str]) -> SentCredentials:
    """Return the credentials in *headers*."""
    return headers.get(CREDENTIAL_HEADERS[0]), headers.get(CREDENTIAL_HEADERS[1])


class ActiveCalls:
    """The public calls that use a session at this moment."""

    def __init__(self) -> None:
        self._active: set[object] = set()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count one call as active inside the block."""
        token = object()
        self._active.add(token)
        try:
            yield
        finally:
            self._active.discard(token)

    def snapshot(self) -> frozenset[object]:
        """Return the calls that are active now."""
        return frozenset(self._active)

    def has_any_of(self, calls: frozenset[object]) -> bool:
        """Whether any of *calls* is still active."""
        return not calls.isdisjoint(self._active)


class RequestBreaker:
    """
    Blocks requests that one server would refuse: it has already refused their credentials, or all requests.

    A refusal ends the remaining work of all calls that were active when it arrived. Once these have ended, or after
    five minutes, one request may try again, alone.

    Attributes:
        suspensions: How many times in a row the server has suspended logins, for any request.
    """

    def __init__(self, calls: ActiveCalls, clock: Clock, backoff: BackoffGate) -> None:
        self._calls = calls
        self._backoff = backoff
        self._clock = clock
        self._refused: dict[SentCredentials, tuple[frozenset[object], float, int]] = {}
        self._suspended_at = -inf
        self.suspensions = 0

    def refuse(self, sent: SentCredentials, status: int, seconds: float = inf) -> None:
        """
        Record that the server refuses requests with the credentials *sent*; without any, nothing is recorded.

        Args:
            sent: The credentials, or ALL_REQUESTS.
            status: 401; 403 while the server refuses all logins of the user; or, for all requests, 429 or 503 with a
                ``Retry-After`` that is too long to wait for.
            seconds: For how long, at most.
        """
        if any(sent):
            self._refused[sent] = (
                self._calls.snapshot(),
                self._clock.now() + min(seconds, _MAX_REFUSED_SECONDS),
                status,
            )

    def answered(self, sent_at: float, *, is_suspended: bool) -> None:
        """
        Count suspensions of logins.

        Args:
            sent_at: When the request was sent; one that was sent before the last suspension does not count.
            is_suspended: Whether it was answered with a suspension.
        """
        if sent_at > self._suspended_at:
            self.suspensions = self.suspensions + 1 if is_suspended else 0
            self._suspended_at = self._clock.now() if is_suspended else self._suspended_at

    @property
    def is_clear(self) -> bool:
        """Whether no requests are known to be refused."""
        return not self._refused

    def refusal(self, sent: SentCredentials) -> int | None:
        """Return the status with which *sent* were refused if a request with them must not be sent now, else None."""
        return self._refusal(ALL_REQUESTS) or self._refusal(sent) if self._refused else None

    def _refusal(self, sent: SentCredentials) -> int | None:
        if (refused := self._refused.get(sent)) is None:
            return None
        calls, until, status = refused
        if self._calls.has_any_of(calls) and self._clock.now() < until:
            return status
        del self._refused[sent]
        self._backoff.start_over()
        return None


# A burst after a pause compensates for late timers.
_BURST_SECONDS = 0.1
# Portions per second: small enough that several transfers share the rate evenly.
_PORTIONS = 8
# Seconds after which a queued request may exceed the limit, if no request in flight waits for the server.
_PATIENCE = 1.0


class RateLimiter:
    """Waits so that no more than *rate* per second is taken; None means no limit."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._clock = clock
        self._bucket = None if rate is None else TokenBucket.full(rate, max(1.0, rate * _BURST_SECONDS))
        self.portion: float = inf if rate is None else max(1, int(rate / _PORTIONS))

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit."""
        return self._bucket is not None

    async def take(self, amount: float) -> None:
        """Take *amount*, and wait until the rate allows it."""
        if self._bucket is None:
            return
        self._bucket = self._bucket.take(amount, self._clock.now())
        if self._bucket.delay:
            await self._clock.sleep(self._bucket.delay)


class Waiters:
    """Counts the tasks inside its ``with`` block."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.count -= 1


class RequestQueue:
    """
    Requests to one server wait here, first come, first served, until its adaptive limit allows one more.

    A request is in flight from its start to the end of its body. Bodies that are not being read, such as that of a
    listing that is read only as fast as its files are fetched, must not block the requests that their reader waits for:
    if no task waits for a request in flight, the next one may start.

    Attributes:
        limit: How many may be in flight.
        waiting: Enter it while waiting for the response or the next bytes of a request in flight.
    """

    def __init__(self, maximum: int) -> None:
        self.limit = AdaptiveLimit(maximum)
        self.waiting = Waiters()
        self._queued: deque[anyio.Event] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def awaited(self) -> int:
        """Requests in flight for whose response or next bytes a task waits."""
        return self.waiting.count

    @property
    def spare(self) -> int:
        """Requests that could start at once."""
        return 0 if self._queued else self.limit.spare

    async def enter(self) -> None:
        """Wait until a request may start; then `leave` must follow."""
        if self.spare:
            self.limit.start()
            return
        turn = anyio.Event()
        self._queued.append(turn)
        self._check_later()
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.leave()
            else:
                self._queued.remove(turn)
            raise

    def _check_later(self) -> None:
        """Check the queue after a while; with one timer for all requests, as one for each would cost more."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._queued and not self.awaited:
            self._start_next()
        if self._queued:
            self._check_later()

    def leave(self) -> None:
        """Note that a request has ended; the next may start."""
        self.limit.finish()
        self.start_queued()

    def start_queued(self) -> None:
        """Start queued requests while the limit allows more."""
        while self._queued and self.limit.spare:
            self._start_next()

    def _start_next(self) -> None:
        self.limit.start()
        self._queued.popleft().set()


class ServerLimits:
    """
    All limits that decide whether a request to one server may be sent now.

    A request enters the queue once, and leaves it when its response has been read. Each time it is sent, retries and
    redirects included, it waits for its turn: the credentials must not have been refused, the rate must allow it, and
    a back-off must have ended.

    Args:
        maximum: The most requests that may be in flight.
        request_rate: Limit of the session on requests per second.
        calls: Calls that use the session.
        clock: Time.
        longest_pause: Maximum seconds to wait if the server demands it.
        is_foreign: Whether the session is a user's own: then its owner decides how many requests are in flight.

    Attributes:
        queue: Which request is next, and how many may be in flight.
        backoff: Until when the server has asked to wait.
        breaker: Which credentials it has refused, and whether it refuses all requests.
    """

    def __init__(
        self,
        maximum: int,
        request_rate: RateLimiter,
        calls: ActiveCalls,
        clock: Clock,
        *,
        longest_pause: float,
        is_foreign: bool,
    ) -> None:
        self.queue = RequestQueue(maximum)
        self.backoff = BackoffGate(clock)
        self.breaker = RequestBreaker(calls, clock, self.backoff)
        self._request_rate = request_rate
        self._clock = clock
        self._longest_pause = longest_pause
        self._is_foreign = is_foreign

    @property
    def spare(self) -> int:
        """Requests that could start at once; 0 in a session whose limits are its owner's."""
        return 0 if self._is_foreign else self.queue.spare

    async def enter(self) -> None:
        """Wait until one more request may be in flight; then `leave` must follow."""
        if not self._is_foreign:
            await self.queue.enter()

    def leave(self) -> None:
        """Note that the response of a request has been read, or that the request failed."""
        if not self._is_foreign:
            self.queue.leave()

    @asynccontextmanager
    async def without_slot(self) -> AsyncIterator[None]:
        """Free the slot of a request in flight inside the block, while it waits for something else."""
        self.queue.waiting.count -= 1
        self.queue.leave()
        has_slot = False
        try:
            yield
            await self.queue.enter()
            has_slot = True
        finally:
            self.queue.waiting.count += 1
            if not has_slot:
                self.queue.limit.start()  # `leave` follows in any case

    def turn(self, credentials: SentCredentials | None) -> "_Turn":
        """
        Wait until a request may be sent, and stay inside the block until its response has begun.

        Args:
            credentials: Credentials of the request; None to send it even if they are refused.

        Raises:
            RequestsRefused: If the server refuses them, or all requests. No request was sent.
        """
        return _Turn(self.breaker, self._request_rate, self.backoff, credentials)

    @property
    def are_open(self) -> bool:
        """Whether a request may be sent without a turn: there is nothing to wait for, and nothing is refused."""
        return not self._request_rate.is_limited and self.breaker.is_clear and self.backoff.is_open

    @property
    def may_continue(self) -> bool:
        """Whether a request may follow one that has ended, in its slot: nothing has changed meanwhile."""
        return self.queue.limit.is_kept and self.are_open

    def record_success(self, sent: float, now: float, *, uploaded: float | None = None) -> None:
        """
        Adjust the adaptive limit after a response that is not a refusal.

        Args:
            sent: When the request was sent.
            now: When the response arrived.
            uploaded: When the last byte of the request body was sent, for an upload.
        """
        self.breaker.answered(sent, is_suspended=False)
        self.queue.limit.answered(uploaded or sent, now)
        self.queue.start_queued()

    def record_refusal(
        self,
        status: int,
        credentials: SentCredentials,
        sent: float,
        *,
        uploaded: float | None,
        retry_after: float | None,
        is_login_refused: bool,
        may_renew: bool = False,
    ) -> None:
        """
        Adjust the adaptive limit after a refusal, and note refused credentials and a demanded back-off.

        Args:
            status: Status of the refusal.
            credentials: Credentials of the request.
            sent: When the request was sent.
            uploaded: When the last byte of the request body was sent, for an upload.
            retry_after: Seconds that the server demands, or None.
            is_login_refused: Whether the server refuses all logins of the user.
            may_renew: Whether the credentials may be renewed, so that a 401 is not final.
        """
        now = self._clock.now()
        if status == 401 and not may_renew:
            self.breaker.refuse(credentials, status)
        self.breaker.answered(sent, is_suspended=is_login_refused)
        if not asks_to_slow_down(status):
            self.queue.limit.answered(uploaded or sent, now)
            self.queue.start_queued()
            return
        self.queue.limit.refused(sent, now)
        # Other requests wait as long as the server demands, even if this one is not repeated.
        if retry_after is not None and retry_after <= self._longest_pause:
            self.backoff.pause(retry_after)
        elif retry_after is not None:
            self.breaker.refuse(ALL_REQUESTS, status, retry_after)

    def pause(self, seconds: float, *, alone: bool) -> None:
        """Hold back all requests to the server for *seconds*; if *alone*, the next one is then sent alone."""
        self.backoff.pause(seconds)
        if alone:
            self.backoff.start_over()


class _Turn:
    """See :meth:`ServerLimits.turn`; a generator would cost more per request."""

    __slots__ = ("_backoff", "_breaker", "_credentials", "_request_rate")

    def __init__(
        self,
        breaker: RequestBreaker,
        request_rate: RateLimiter,
        backoff: BackoffGate,
        credentials: SentCredentials | None,
    ) -> None:
        self._breaker = breaker
        self._request_rate = request_rate
        self._backoff = backoff
        self._credentials = credentials

    async def __aenter__(self) -> None:
        self._raise_if_refused()
        await self._request_rate.take(1)
        await self._backoff.wait()
        try:
            self._raise_if_refused()  # other responses have arrived meanwhile
        except RequestsRefused:
            self._backoff.release_others()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._backoff.release_others()

    def _raise_if_refused(self) -> None:
        if self._credentials is not None and (status := self._breaker.refusal(self._credentials)):
            raise RequestsRefused(status)
