"""What all requests to one server share: a back-off, and that the first one goes alone."""

import anyio

from .clock import Clock

# A first answer may take long, where a remote repository fetches the file: the others do not wait for that.
_FIRST_ALONE = 5.0


class BackoffGate:
    """
    What all requests to one server share: a back-off, and the rule that the very first request goes alone.

    A burst of first requests makes some servers answer some of them with 401 (astral-sh/uv#17485).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open_at = 0.0
        self._answered: anyio.Event | None = None

    def pause(self, seconds: float) -> None:
        """Hold every request to this server back for *seconds* from now."""
        self._open_at = max(self._open_at, self._clock.now() + seconds)

    def start_over(self) -> None:
        """Let the next request go alone, as the very first one does."""
        self.release_others()
        self._answered = None

    async def wait(self) -> None:
        """Wait until a request may be sent; then it must be, and `passed` be called."""
        is_patient = True
        while True:
            await self._wait_for_pause()  # the first response may have demanded one, too
            if self._answered is None:
                self._answered = anyio.Event()
                return
            if self._answered.is_set() or not is_patient:
                return
            with anyio.move_on_after(_FIRST_ALONE) as scope:
                await self._answered.wait()
            is_patient = not scope.cancelled_caught

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent at once, beside others."""
        return self._answered is not None and self._answered.is_set() and self._open_at <= self._clock.now()

    async def _wait_for_pause(self) -> None:
        while (wait := self._open_at - self._clock.now()) > 0:
            await self._clock.sleep(wait)

    def release_others(self) -> None:
        """A request was answered, or failed."""
        if self._answered is not None:
            self._answered.set()
