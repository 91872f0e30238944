"""The queue of requests to one server."""

import asyncio
from collections import deque
from types import TracebackType

import anyio

from .._adaptive_limit import AdaptiveLimit

# How long requests are queued while none in flight waits for the server, but for its own caller.
_PATIENCE = 1.0


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
