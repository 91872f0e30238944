"""Time as the server sees it: that of the machine, or one that a test moves by hand."""

import asyncio
from collections.abc import Callable
from threading import Lock

from .signals import Signal

Clock = Callable[[], float]  # epoch seconds


class ManualClock:
    """
    A clock that stands still until it is moved; callable from any thread.

    As ``clock`` of a server it decides when tokens, signed URLs and suspensions expire, what a rate limit counts,
    and how long a slow answer takes, so that no test waits.

    Args:
        now: Epoch seconds it starts at.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._lock = Lock()
        self._alarms: list[tuple[float, Signal]] = []

    def __call__(self) -> float:
        """Return epoch seconds."""
        return self._now

    @property
    def waiting(self) -> int:
        """How many wait for a time that has not come."""
        return len(self._alarms)

    def advance(self, seconds: float) -> None:
        """Move on, and wake whoever waits for a time that has come."""
        with self._lock:
            self._now += seconds
            due = [signal for when, signal in self._alarms if when <= self._now]
            self._alarms = [alarm for alarm in self._alarms if alarm[0] > self._now]
        for signal in due:
            signal.set()

    async def wait_until(self, when: float) -> None:
        """Wait until the clock shows *when*."""
        with self._lock:
            if when <= self._now:
                return
            alarm = (when, Signal())
            self._alarms.append(alarm)
        try:
            await alarm[1].wait()
        finally:
            with self._lock:
                if alarm in self._alarms:
                    self._alarms.remove(alarm)


async def wait_until(clock: Clock, when: float) -> None:
    """Wait until *clock* shows *when*; one that is not a :class:`ManualClock` is taken to run like the machine's."""
    if isinstance(clock, ManualClock):
        await clock.wait_until(when)
        return
    while (left := when - clock()) > 0:  # noqa: ASYNC110  # a clock that is only a function signals nothing
        await asyncio.sleep(left)
