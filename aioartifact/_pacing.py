"""Decide how many requests may be in flight to a server, by its throughput, and how many per second; without I/O."""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Self

# Few enough for any server, and enough if the client itself is the bottleneck.
_START = 4
# Minimum responses in a window: fewer prove nothing.
_MIN_ANSWERS = 16
# Levels closer to each other than this cannot be distinguished.
_STEP = 1.25
# More requests in flight are worthwhile if throughput rises by this share of the increase...
_WORTH = 0.1
# ...and harmless while the first byte arrives within this multiple of its best time.
_SLOW = 2.0
# The best time grows by this factor with every window: routes and servers change.
_FORGET = 1.001
# Windows to wait before more requests are tried again; doubled each time they were not worthwhile.
_REST = 8
_MAX_REST = 256


@dataclass(slots=True)
class _Window:
    """Consecutive responses; at least as many as requests could be in flight when the window began."""

    since: float
    limit: int
    answers: int = 0
    size: int = 0
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class _Level:
    """A number of requests in flight, and its throughput in responses and in bytes per second."""

    limit: int
    answers: float
    size: float

    def gain(self, other: "_Level") -> float:
        """Return the throughput relative to that of *other*, in responses or in bytes, whichever is higher."""
        return max(self.answers / other.answers, self.size / other.size if other.size else 0.0)


@dataclass(slots=True)
class AdaptiveLimit:
    """
    The number of requests in flight to one server, from 1 to *maximum*.

    It doubles with every round trip at first (slow start); later it grows by one. A response that asks to slow down
    halves it, once per round trip. If more requests in flight only delayed the first byte, it goes back to the number
    that had the same throughput.

    The caller reports every request: `start`, then `answered` or `refused`, and `finish` in any case.

    See: RFC 5681 sections 3.1 and 3.2 (slow start, additive increase, multiplicative decrease).
    """

    maximum: int
    in_flight: int = 0
    _limit: float = field(init=False)
    _is_starting: bool = True
    _cut_at: float = -inf
    _best_wait: float = inf
    _window: _Window | None = None
    _best: _Level | None = None
    _resting: int = 0
    _rest: int = _REST

    def __post_init__(self) -> None:
        self._limit = float(min(_START, self.maximum))

    @property
    def current(self) -> int:
        """Requests that may be in flight."""
        return int(self._limit)

    @property
    def spare(self) -> int:
        """Requests that could start at once."""
        return max(0, self.current - self.in_flight)

    @property
    def is_kept(self) -> bool:
        """Whether the number of requests in flight is within the limit."""
        return self.in_flight <= self._limit

    def start(self) -> None:
        """Count a request that is about to be sent."""
        self.in_flight += 1

    def finish(self) -> None:
        """Count off a request whose response body has ended, or that failed."""
        self.in_flight -= 1

    def add_bytes(self, size: int) -> None:
        """Count *size* bytes of a body, received or sent."""
        if self._window is not None:
            self._window.size += size

    def answered(self, sent: float, now: float) -> None:
        """Note that the first byte of the response to a request sent at *sent* has arrived."""
        self._best_wait = min(self._best_wait, now - sent)
        if self._window is None:
            self._window = _Window(sent, self.current)
        self._window.answers += 1
        self._window.waited += now - sent
        # While the caller sends fewer requests than it may, responses say nothing about a higher limit.
        is_full = self.in_flight >= self.current
        if self._window.answers >= max(_MIN_ANSWERS, self._window.limit):
            window, self._window = self._window, _Window(now, self.current)
            if is_full:
                self._judge(window, now)
        if is_full and not self._resting:
            self._limit = min(self.maximum, self._limit + (1 if self._is_starting else 1 / self._limit))

    def refused(self, sent: float, now: float) -> None:
        """Note that the server asks to slow down, in response to a request sent at *sent*."""
        if sent < self._cut_at:
            return  # sent before the last cut took effect
        self._cut_at = now
        self._window = self._best = None
        self._go_back(self._limit / 2)

    def _go_back(self, limit: float) -> None:
        self._limit = max(1.0, limit)
        self._is_starting = False

    def _judge(self, window: _Window, now: float) -> None:
        """Compare a window with the best level so far, and go back if more requests in flight only did harm."""
        seconds = max(now - window.since, 1e-9)
        level = _Level(window.limit, window.answers / seconds, window.size / seconds)
        is_slow = window.waited / window.answers > _SLOW * self._best_wait
        self._best_wait *= _FORGET
        self._resting = max(0, self._resting - 1)
        best = self._best
        if best is None or level.limit <= best.limit:
            self._best = level
        elif level.limit >= best.limit * _STEP:
            if level.gain(best) >= 1 + _WORTH * (level.limit / best.limit - 1):
                self._best, self._rest = level, _REST
            elif is_slow:
                self._go_back(best.limit)
                self._resting, self._rest = self._rest, min(2 * self._rest, _MAX_REST)


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """
    A budget that is refilled at a constant rate.

    More may be taken than is available. The next taker then waits for the debt first, so that takers are served in
    order and no amount is too large.

    Attributes:
        rate: Amount added per second.
        burst: Maximum amount.
        level: Amount at the time *at*; negative for a debt.
        at: Time of the last change, in seconds.
    """

    rate: float
    burst: float
    level: float
    at: float = -inf

    @classmethod
    def full(cls, rate: float, burst: float) -> Self:
        """Return a full bucket."""
        return cls(rate, burst, burst)

    def take(self, amount: float, now: float) -> Self:
        """Return the bucket after *amount* was taken; see `delay` for when the amount may be used."""
        added = (now - self.at) * self.rate if now > self.at > -inf else 0.0
        return replace(self, level=min(self.burst, self.level + added) - amount, at=max(now, self.at))

    @property
    def delay(self) -> float:
        """Seconds until the amount taken last is available."""
        return max(0.0, -self.level / self.rate)
