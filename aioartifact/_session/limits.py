"""Whether a request may be sent now: one object for each server, which combines all limits."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from types import TracebackType

import anyio

from .._adaptive_limit import AdaptiveLimit
from .._rate import TokenBucket
from .._retry import asks_to_slow_down
from .backoff import BackoffGate
from .clock import Clock
from .refusals import EVERYONE, ActiveCalls, CredentialBreaker, CredentialsRefused, SentCredentials

# A burst after a pause compensates for late timers.
_BURST_SECONDS = 0.1
# Portions per second: small enough that several transfers share the rate evenly.
_PORTIONS = 8
# Seconds after which a queued request may exceed the limit, where no request in flight waits for the server.
_PATIENCE = 1.0


class RateLimiter:
    """At most *rate* per second, kept by waiting; None is no limit."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._clock = clock
        self._bucket = None if rate is None else TokenBucket.full(rate, max(1.0, rate * _BURST_SECONDS))
        self.portion: float = inf if rate is None else max(1, int(rate / _PORTIONS))

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit."""
        return self._bucket is not None

    async def take(self, amount: float) -> None:
        """Take *amount*, and wait until there was so much to take."""
        if self._bucket is None:
            return
        self._bucket = self._bucket.take(amount, self._clock.now())
        if self._bucket.delay:
            await self._clock.sleep(self._bucket.delay)


class Waiters:
    """How many are inside the block."""

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

    A request is in flight from its start to the end of its body. Bodies that are not being read, as that of a listing
    that is read as slowly as its files are fetched, must not keep out the requests that their reader waits for: where
    none in flight is waited for, the next may start.

    Attributes:
        limit: How many may be in flight.
        waiting: Enter it while waiting for the answer or the next bytes of a request in flight.
    """

    def __init__(self, maximum: int) -> None:
        self.limit = AdaptiveLimit(maximum)
        self.waiting = Waiters()
        self._queued: deque[anyio.Event] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def awaited(self) -> int:
        """Requests in flight whose answer or next bytes are waited for."""
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
        """Check after a while; one timer for all, as one for each would cost more than their waiting."""
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
    Whether a request to one server may be sent now: all limits that decide it.

    A request enters the queue once, and leaves it when its response has been read. Each time it is sent, a retry or a
    redirect included, it takes a turn: its credentials are not refused, the rate allows it, and the server has not
    asked to wait.

    Args:
        maximum: The most requests that may be in flight.
        request_rate: Limit of the session on requests per second.
        calls: Calls that use the session.
        clock: Time.
        longest_pause: The most seconds to wait where the server asks for it.
        is_foreign: Whether the session is a user's own: then its owner decides how many requests are in flight.

    Attributes:
        queue: Which request is next, and how many may be in flight.
        backoff: Until when the server has asked to wait.
        breaker: Which credentials it has refused.
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
        self.breaker = CredentialBreaker(calls, clock, self.backoff)
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
        """Note that the response of a request has been read, or that it came to nothing."""
        if not self._is_foreign:
            self.queue.leave()

    @asynccontextmanager
    async def without_slot(self) -> AsyncIterator[None]:
        """Have a request that is in flight, and waits for something else, occupy no slot inside the block."""
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
            credentials: Those that it carries; None to send it even if they are refused.

        Raises:
            CredentialsRefused: If the server has refused them. No request was sent.
        """
        return _Turn(self.breaker, self._request_rate, self.backoff, credentials)

    @property
    def are_open(self) -> bool:
        """Whether a request may be sent without a turn: there is nothing to wait for, and nothing is refused."""
        return not self._request_rate.is_limited and self.breaker.is_clear and self.backoff.is_open

    def record_success(self, sent: float) -> None:
        """Learn from a response that came for a request that was *sent* then, and is no refusal."""
        self.breaker.answered(sent, is_suspended=False)
        self.queue.limit.answered(sent, self._clock.now())
        self.queue.start_queued()

    def record_response(
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
        Learn from a response how many requests the server can take, and whether it accepts the credentials.

        Args:
            status: Its status.
            credentials: Those that the request carried.
            sent: When the request was sent.
            uploaded: When the last byte of its body was sent, if it is an upload.
            retry_after: Seconds that the server demands, or None.
            is_login_refused: Whether it refuses all logins of the user.
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
            self.breaker.refuse(EVERYONE, status, retry_after)

    def pause(self, seconds: float, *, alone: bool) -> None:
        """Hold all requests to the server back for *seconds*; where *alone*, the next one then goes first."""
        self.backoff.pause(seconds)
        if alone:
            self.backoff.start_over()


class _Turn:
    """See :meth:`ServerLimits.turn`; a generator would cost more per request."""

    __slots__ = ("_backoff", "_breaker", "_credentials", "_request_rate")

    def __init__(
        self,
        breaker: CredentialBreaker,
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
            self._raise_if_refused()  # others have been answered meanwhile
        except CredentialsRefused:
            self._backoff.release_others()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._backoff.release_others()

    def _raise_if_refused(self) -> None:
        if self._credentials is not None and (status := self._breaker.refusal(self._credentials)):
            raise CredentialsRefused(status)
