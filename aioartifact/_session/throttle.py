"""A limit on how much happens per second, kept by waiting."""

from math import inf

from .._rate import TokenBucket
from .clock import Clock

# What may come at once after a pause: enough to make good what timers are late.
_BURST_SECONDS = 0.1
# So many portions per second, so that several takers share the rate evenly.
_PORTIONS = 8


class Throttle:
    """At most *rate* per second; None is no limit."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._clock = clock
        self._bucket = None if rate is None else TokenBucket.full(rate, max(1.0, rate * _BURST_SECONDS))
        self.portion: float = inf if rate is None else max(1, int(rate / _PORTIONS))

    async def take(self, amount: float) -> None:
        """Take *amount*, and wait until there was so much to take."""
        if self._bucket is None:
            return
        self._bucket = self._bucket.take(amount, self._clock.now())
        if self._bucket.delay:
            await self._clock.sleep(self._bucket.delay)
