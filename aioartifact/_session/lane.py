"""The line before a server: who may send next."""

import asyncio
from collections import deque
from types import TracebackType

import anyio

from .._pace import Pace

# How long those in line look on while nobody in flight waits for the server, but for its own caller.
_PATIENCE = 1.0


class Waiting:
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


class Lane:
    """
    Requests to one server wait here, first come, first served, until its pace allows one more.

    A request is in flight from its start to the end of its body. Bodies that their reader leaves lying, as that of a
    listing that is read as slowly as its files are fetched, must not keep out those the reader waits for: where
    nothing in flight is waited for, the next may go.

    Attributes:
        pace: How many there may be.
        waiting: Enter it while somebody waits for the answer or the next bytes of a request in flight.
    """

    def __init__(self, maximum: int) -> None:
        self.pace = Pace(maximum)
        self.waiting = Waiting()
        self._line: deque[anyio.Event] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def awaited(self) -> int:
        """Requests in flight whose answer or next bytes somebody waits for."""
        return self.waiting.count

    @property
    def spare(self) -> int:
        """Requests that could start at once."""
        return 0 if self._line else self.pace.spare

    async def enter(self) -> None:
        """Wait until a request may start; then `leave` must follow."""
        if self.spare:
            self.pace.start()
            return
        turn = anyio.Event()
        self._line.append(turn)
        self._watch()
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.leave()
            else:
                self._line.remove(turn)
            raise

    def _watch(self) -> None:
        """Look on after a while; one timer for all in line, as one for each would cost more than their waiting."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._look_on)

    def _look_on(self) -> None:
        self._timer = None
        if self._line and not self.awaited:
            self._let_one_in()
        if self._line:
            self._watch()

    def leave(self) -> None:
        """A request has ended; the next may start."""
        self.pace.finish()
        self.let_in()

    def let_in(self) -> None:
        """Let those in line start for whom there is room."""
        while self._line and self.pace.spare:
            self._let_one_in()

    def _let_one_in(self) -> None:
        self.pace.start()
        self._line.popleft().set()
