"""The retry loop, its clock, and the budget of attempts that one call of the library spends."""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Self

import anyio

from .._errors import TransportError
from .._retry import RetryPolicy
from .telemetry import Traffic, log_resume


@dataclass(frozen=True, slots=True)
class Clock:
    """Clock and random numbers of the retry loop; tests pass their own."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    draw: Callable[[], float] = random.random


class Attempts(ABC):
    """
    Iterates over the attempts of an operation, and waits between them.

    ::

        attempts = operation.attempts(ConnectionLostError)
        async for attempt in attempts:
            with attempt:
                return await receive()
        raise attempts.failure()

    The object is its own iterator and context manager. Each pass of the loop is an attempt. After a failed one, the
    next follows with a delay; if none may follow, the loop ends. In both cases, the code after the ``with`` block runs
    first. After a pass without a failure, such as one page of several, the next follows at once.

    Attributes:
        failures: How many attempts have failed.
    """

    __slots__ = ("_delay", "_error", "_errors", "_operation", "failures")

    def __init__(self, operation: "Operation", errors: tuple[type[Exception], ...]) -> None:
        self.failures = 0
        self._operation = operation
        self._errors = errors
        self._delay: float | None = None
        self._error: Exception | None = None

    @abstractmethod
    def _delay_after(self, error: Exception) -> float | None:
        """Return the seconds to wait after *error*; None if it is final."""

    @abstractmethod
    def _log(self, number: int, delay: float, reason: object) -> None:
        """Log that attempt *number* follows in *delay* seconds."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Self:
        if self._error is not None:
            raise StopAsyncIteration
        delay, self._delay = self._delay, None
        if delay is not None:
            await self._operation.clock.sleep(delay)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, self._errors):
            return False
        self.failures += 1
        delay = self._delay_after(error)
        if delay is None:
            self._error = error
        else:
            self.schedule_retry(delay, type(error).__name__)
        return True

    def schedule_retry(self, delay: float, reason: object) -> None:
        """Have the next attempt wait for *delay* seconds."""
        self.announce(delay, reason)
        self._delay = delay

    def announce(self, delay: float, reason: object) -> None:
        """Report and log the next attempt, which follows in *delay* seconds."""
        self._operation.notify_retry()
        self._log(self._operation.used + 1, delay, reason)

    def failure(self) -> Exception:
        """Return the error that ended the loop, and drop it, as its traceback refers to this object."""
        error, self._error = self._error, None
        assert error is not None
        return error


class _BodyAttempts(Attempts):
    """Attempts to receive a body: those after the first resume or repeat it. See :meth:`Operation.attempts`."""

    __slots__ = ("_has_progressed", "_max_retries", "_may_retry", "_progressed")

    def __init__(
        self,
        operation: "Operation",
        errors: tuple[type[Exception], ...],
        progressed: Callable[[], bool],
        may_retry: Callable[[], bool],
        max_retries: float,
    ) -> None:
        super().__init__(operation, errors)
        self._max_retries = max_retries
        self._progressed = progressed
        self._may_retry = may_retry
        self._has_progressed = False

    def _delay_after(self, error: Exception) -> float | None:
        self._has_progressed = self._progressed()
        if isinstance(error, TransportError) and not error.retryable:
            return None
        if self.failures > self._max_retries or not self._may_retry():
            return None
        return self._operation.delay_after_interruption(progressed=self._has_progressed)

    def _log(self, number: int, delay: float, reason: object) -> None:
        log_resume(number, delay, progressed=self._has_progressed)


@dataclass(slots=True)
class ProgressCheck:
    """Whether a transfer advances: at least *minimum* more must have arrived since it last did."""

    minimum: int
    reached: int = 0

    def has_advanced(self, total: int) -> bool:
        """Whether *total*, the amount received by now, is progress; if so, the next check counts from it."""
        advanced = total - self.reached >= self.minimum
        self.reached = total if advanced else self.reached
        return advanced


@dataclass(slots=True)
class Operation:
    """
    One call of the library, however many requests it takes, and its budget of attempts.

    Each request uses up an attempt, except one that continues an attempt, such as after a redirect, and those to which
    the server responds that it is starting up: these are limited by time. Progress renews the budget. No attempt is
    left once a request got no response in time: the server may still work on it, and would do the work twice.

    Args:
        policy: How often, and after which delays, to retry.
        clock: Clock and random numbers.
        repeatable: Whether its requests may be sent more than once.
        on_retry: Called with the number of each further attempt.
        traffic: Counts the retries.

    Attributes:
        used: Attempts used up.
    """

    policy: RetryPolicy
    clock: Clock
    repeatable: bool = True
    on_retry: Callable[[int], None] | None = None
    traffic: Traffic = field(default_factory=Traffic)
    used: int = field(default=0, init=False)
    _started: float = field(init=False)
    _starting_since: float | None = field(default=None, init=False)
    _has_lost: bool = field(default=False, init=False)
    _is_over: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._started = self.clock.now()

    @property
    def number(self) -> int:
        """Number of the current attempt."""
        return max(1, self.used)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.clock.now() - self._started

    @property
    def seconds_starting(self) -> float:
        """Seconds since the server first responded that it is starting up; 0 if it did not."""
        return 0.0 if self._starting_since is None else self.clock.now() - self._starting_since

    def attempts(
        self,
        *errors: type[Exception],
        progressed: Callable[[], bool] = lambda: False,
        may_retry: Callable[[], bool] = lambda: True,
        max_retries: float = inf,
    ) -> Attempts:
        """
        Iterate over the attempts to receive a body: those after the first resume or repeat it.

        Args:
            errors: Types of errors after which to retry; after a TransportError only if it is retryable.
            progressed: Called after a failure; returns whether enough has arrived to renew the budget, since then only
                the connection is flaky.
            may_retry: Called after that; returns whether another attempt could succeed.
            max_retries: Maximum number of retries, whatever the budget allows.
        """
        return _BodyAttempts(self, errors, progressed, may_retry, max_retries)

    def count_request(self) -> None:
        """Use up an attempt for a request that is about to be sent."""
        self.used += 1

    def continue_attempt(self) -> None:
        """Count the next request as part of the current attempt."""
        self.used -= 1

    def reset(self) -> None:
        """Reset the number of used attempts."""
        self.used = 0

    def end(self) -> None:
        """Allow no further attempt: the server may still work on the last request."""
        self._is_over = True

    def notify_retry(self) -> None:
        """Count the next attempt, and report its number to the caller's callback."""
        self.traffic.retried()
        if self.on_retry is not None:
            self.on_retry(self.used + 1)

    def delay_after_interruption(self, *, progressed: bool) -> float | None:
        """Return the seconds to wait before a body that broke off is resumed; None if it must not be."""
        if self._is_over or not self.repeatable:
            return None
        self.used = 1 if progressed else self.used
        return self._next_delay(self.used)

    def delay_after_loss(self, *, was_lost: bool) -> float | None:
        """Return the seconds to wait after a connection failed before a response came; None for no further attempt."""
        delay = self._next_delay(self.used)
        if delay is None or not was_lost or self._has_lost:
            return delay
        # Usually an idle connection that the server had just closed: a new one works without a delay.
        self._has_lost = True
        return 0.0

    def delay_after_refusal(self, retry_after: float | None, *, suspensions: int = 0) -> float | None:
        """
        Return the seconds to wait after a response with a transient failure; None for no further attempt.

        Args:
            retry_after: Seconds that the server demands, or None.
            suspensions: How many times in a row it has suspended logins, in any call.
        """
        return self._next_delay(max(self.used, suspensions), retry_after)

    def delay_at_start(self, retry_after: float | None) -> float | None:
        """Return the seconds to wait for a server that is starting up; None to stop waiting. Uses up no attempt."""
        if self._starting_since is None:
            self._starting_since = self.clock.now()
        delay = self.policy.delay_at_start(self.seconds_starting, draw=self.clock.draw(), retry_after=retry_after)
        if delay is not None:
            self.continue_attempt()
        return delay

    def note_started(self) -> None:
        """Note that the server has started up, or never said otherwise."""
        self._starting_since = None

    def _next_delay(self, failures: int, retry_after: float | None = None) -> float | None:
        return self.policy.next_delay(failures, draw=self.clock.draw(), retry_after=retry_after)
