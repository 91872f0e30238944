"""A bound on how many may do something at the same time."""

from collections import deque

from .clocks import Clock, wait_until
from .protocol.replies import refuse
from .signals import Signal, first_of


class Turnstile:
    """
    Lets so many in, and others once one of these has left, in the order they came.

    Args:
        places: How many; None for any number.
    """

    def __init__(self, places: int | None) -> None:
        self._free = places
        self._queue: deque[Signal] = deque()

    async def enter(self, clock: Clock, patience: float) -> None:
        """
        Take a place, to be given back by :meth:`leave`.

        Args:
            clock: Returns epoch seconds.
            patience: Seconds to wait for a place.

        Raises:
            RefusalError: 429, there was none in time.
        """
        if self._free is None:
            return
        if self._free:
            self._free -= 1
            return
        turn = Signal()
        self._queue.append(turn)
        try:
            await first_of(turn.wait(), wait_until(clock, clock() + patience))
        except BaseException:
            self._give_up(turn)
            raise
        if not turn.is_set:
            self._give_up(turn)
            refuse(429, "Too Many Requests")

    def _give_up(self, turn: Signal) -> None:
        if turn.is_set:
            self.leave()
        else:
            self._queue.remove(turn)

    def leave(self) -> None:
        """Give a place back, to the one who has waited longest."""
        if self._queue:
            self._queue.popleft().set()
        elif self._free is not None:
            self._free += 1
