"""How many requests a server gets at a time, by what it makes of them, and how many per second. Decisions only."""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Self

# Few enough for any server, and enough for a client that is itself the slower one.
_START = 4
# A window has so many answers at least: fewer prove nothing.
_MIN_ANSWERS = 16
# Levels closer to each other than this cannot be distinguished.
_STEP = 1.25
# More in flight is worth it where this share of it comes back as throughput...
_WORTH = 0.1
# ...and does no harm as long as the first byte comes within this multiple of its best time,
_SLOW = 2.0
# which is forgotten little by little with every window: routes and servers change.
_FORGET = 1.001
# Windows to wait before more is tried again; doubled each time it was of no use.
_REST = 8
_MAX_REST = 256


@dataclass(slots=True)
class _Window:
    """Some answers after each other, as many as were in flight when it began."""

    since: float
    limit: int
    answers: int = 0
    size: int = 0
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class _Level:
    """A number of requests in flight, and what came of it per second."""

    limit: int
    answers: float
    size: float

    def gain(self, other: "_Level") -> float:
        """How many times the throughput of *other* this is, in answers or in bytes, whichever says more."""
        return max(self.answers / other.answers, self.size / other.size if other.size else 0.0)


@dataclass(slots=True)
class AdaptiveLimit:
    """
    The number of requests in flight to one server, from 1 to *maximum*.

    It doubles with every round trip at first (slow start); later it grows by one. A response that asks to slow down
    halves it, once per round trip. Where more in flight only made the first byte come later, it goes back to the
    number that gave as much.

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
        """Whether no more requests are in flight than may be."""
        return self.in_flight <= self._limit

    def start(self) -> None:
        """A request is about to be sent."""
        self.in_flight += 1

    def finish(self) -> None:
        """The body of a request has ended, or the request has come to nothing."""
        self.in_flight -= 1

    def add_bytes(self, size: int) -> None:
        """Count *size* bytes of a body, received or sent."""
        if self._window is not None:
            self._window.size += size

    def answered(self, sent: float, now: float) -> None:
        """The first byte of the answer to a request that was sent at *sent* has arrived."""
        self._best_wait = min(self._best_wait, now - sent)
        if self._window is None:
            self._window = _Window(sent, self.current)
        self._window.answers += 1
        self._window.waited += now - sent
        # Where the caller asks for less than it may, nothing is learnt about more.
        is_full = self.in_flight >= self.current
        if self._window.answers >= max(_MIN_ANSWERS, self._window.limit):
            window, self._window = self._window, _Window(now, self.current)
            if is_full:
                self._judge(window, now)
        if is_full and not self._resting:
            self._limit = min(self.maximum, self._limit + (1 if self._is_starting else 1 / self._limit))

    def refused(self, sent: float, now: float) -> None:
        """The server asks for less, in answer to a request that was sent at *sent*."""
        if sent < self._cut_at:
            return  # before the last cut could show
        self._cut_at = now
        self._window = self._best = None
        self._go_back(self._limit / 2)

    def _go_back(self, limit: float) -> None:
        self._limit = max(1.0, limit)
        self._is_starting = False

    def _judge(self, window: _Window, now: float) -> None:
        """Compare a window with the best level so far, and go back where more in flight did only harm."""
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
    A budget of so much per second.

    More may be taken than available; the next taker then waits for the debt first, so that takers are served in the
    order they came and no amount is too large.

    Attributes:
        rate: What is added per second.
        burst: How much it holds at most, and at first.
        level: What is in it at *at*; below 0 where it is owed.
        at: Time of the last change, in seconds.
    """

    rate: float
    burst: float
    level: float
    at: float = -inf

    @classmethod
    def full(cls, rate: float, burst: float) -> Self:
        """Make a bucket that is full."""
        return cls(rate, burst, burst)

    def take(self, amount: float, now: float) -> Self:
        """The bucket after *amount* is taken out of it; see `delay` for when it may be used."""
        added = (now - self.at) * self.rate if now > self.at > -inf else 0.0
        return replace(self, level=min(self.burst, self.level + added) - amount, at=max(now, self.at))

    @property
    def delay(self) -> float:
        """Seconds until what was taken last is there."""
        return max(0.0, -self.level / self.rate)
