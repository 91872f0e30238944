"""The clock and the source of random numbers."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio


@dataclass(frozen=True, slots=True)
class Clock:
    """Clock and random numbers of the retry loop; tests pass their own."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    draw: Callable[[], float] = random.random
