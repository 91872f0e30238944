"""The line before a server: who may send next."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from .._pace import Pace

# How long those in line look on while nobody in flight waits for the server, but for its own caller.
_PATIENCE = 1.0


class Lane:
    """
    Requests to one server wait here, first come, first served, until its pace allows one more.

    A request is in flight from its start to the end of its body. Bodies that their reader leaves lying, as that of a
    listing that is read as slowly as its files are fetched, must not keep out those the reader waits for: where
    nothing in flight is waited for, the next may go.

    Attributes:
        pace: How many there may be.
        awaited: Requests in flight whose answer or next bytes somebody waits for.
    """

    def __init__(self, maximum: int) -> None:
        self.pace = Pace(maximum)
        self.awaited = 0
        self._line: deque[anyio.Event] = deque()

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
        try:
            while not turn.is_set():
                with anyio.move_on_after(_PATIENCE):
                    await turn.wait()
                if not self.awaited and self._line and self._line[0] is turn:
                    self._let_one_in()
        except BaseException:
            if turn.is_set():
                self.leave()
            else:
                self._line.remove(turn)
            raise

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the block as waiting for the server."""
        self.awaited += 1
        try:
            yield
        finally:
            self.awaited -= 1

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
