"""Clocks of a server: that of the machine, or one that a test controls."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

from .signals import Signal

Clock = Callable[[], float]  # epoch seconds


class ManualClock:
    """
    A clock that only advances when a test does so; any thread may call it.

    As ``clock`` of a server, it controls the expiry of tokens, signed URLs and suspensions, rate limits, and the delay
    of slow responses, so that no test waits.

    Args:
        now: Start in epoch seconds.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._lock = Lock()
        self._alarms: list[tuple[float, Signal]] = []
        self._uncounted: list[Signal] = []

    def __call__(self) -> float:
        """Return epoch seconds."""
        return self._now

    @property
    def waiting(self) -> int:
        """Number of requests that wait for a later time, without time limits of connections."""
        return len(self._alarms) - len(self._uncounted)

    def advance(self, seconds: float) -> None:
        """Advance the clock, and wake the waiters that are due."""
        with self._lock:
            self._now += seconds
            due = [signal for when, signal in self._alarms if when <= self._now]
            self._alarms = [alarm for alarm in self._alarms if alarm[0] > self._now]
            self._uncounted = [each for each in self._uncounted if each not in due]
        for signal in due:
            signal.set()

    async def wait_until(self, when: float, *, is_counted: bool = True) -> None:
        """Wait until the clock shows *when*; :attr:`waiting` counts this if *is_counted*."""
        with self._lock:
            if when <= self._now:
                return
            alarm = (when, Signal())
            self._alarms.append(alarm)
            if not is_counted:
                self._uncounted.append(alarm[1])
        try:
            await alarm[1].wait()
        finally:
            with self._lock:
                if alarm in self._alarms:
                    self._alarms.remove(alarm)
                if alarm[1] in self._uncounted:
                    self._uncounted.remove(alarm[1])


class AdjustableClock:
    """The clock of the machine, which can be moved forward and stopped; callable from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._offset = 0.0
        self._stopped_at: float | None = None
        self._changed = Signal()

    def __call__(self) -> float:
        """Return epoch seconds."""
        stopped_at = self._stopped_at
        return time.time() + self._offset if stopped_at is None else stopped_at

    @property
    def is_frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._stopped_at is not None

    def advance(self, seconds: float) -> None:
        """Move forward by *seconds*."""
        with self._lock:
            if self._stopped_at is None:
                self._offset += seconds
            else:
                self._stopped_at += seconds
            self._notify()

    def freeze(self) -> None:
        """Stop at the present time."""
        with self._lock:
            self._stopped_at = self()
            self._notify()

    def resume(self) -> None:
        """Run again, from the time at which the clock stands."""
        with self._lock:
            if self._stopped_at is not None:
                self._offset = self._stopped_at - time.time()
                self._stopped_at = None
            self._notify()

    def reset(self) -> None:
        """Show the time of the machine again."""
        with self._lock:
            self._offset, self._stopped_at = 0.0, None
            self._notify()

    async def wait_until(self, when: float) -> None:
        """Wait until the clock shows *when*."""
        while True:
            with self._lock:
                changed, left, is_frozen = self._changed, when - self(), self.is_frozen
            if left <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(None if is_frozen else left):  # without a task, which users' tests may count
                    await changed.wait()

    def _notify(self) -> None:
        changed, self._changed = self._changed, Signal()
        changed.set()


async def wait_until(clock: Clock, when: float, *, is_counted: bool = True) -> None:
    """
    Wait until *clock* shows *when*; one that is only a function is taken to run like the machine's.

    Args:
        clock: Returns epoch seconds.
        when: Epoch seconds.
        is_counted: Whether ``ManualClock.waiting`` counts this.
    """
    if isinstance(clock, ManualClock):
        await clock.wait_until(when, is_counted=is_counted)
        return
    if isinstance(clock, AdjustableClock):
        await clock.wait_until(when)
        return
    while (left := when - clock()) > 0:  # noqa: ASYNC110  # a clock that is only a function signals nothing
        await asyncio.sleep(left)
