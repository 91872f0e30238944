"""A budget that fills up with time: arithmetic only, the time is the caller's."""

from dataclasses import dataclass, replace
from math import inf
from typing import Self


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
