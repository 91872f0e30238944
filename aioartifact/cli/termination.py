"""Ctrl-C and SIGTERM cancel a command, which then cleans up; a second signal limits the time for that."""

import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

# Seconds. A reader of stdout that does not read blocks the event loop; then nothing is cleaned up. After a second
# signal the clean-up itself may take as long as this; so may the rest, when it is complete: DNS queries run in threads.
_PATIENCE = 5.0


class Terminated(BaseException):
    """SIGTERM arrived: the process must end."""


@contextmanager
def heeding_signals() -> Iterator[None]:
    """
    Let SIGTERM raise `Terminated` in the block, unless the process already handles it in another way.

    After a signal has cancelled a command, further ones are ignored until the end of the block.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if before[signal.SIGTERM] is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is _die:
            _die_in(0)
        for number, handler in before.items():
            if handler is not None:  # None: not installed by Python
                signal.signal(number, handler)


async def cancelled_by_signals(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """
    Run a coroutine function; within `heeding_signals`, Ctrl-C and SIGTERM cancel it.

    After a second signal, the clean-up has a few seconds until the process is killed by SIGTERM; a third Ctrl-C
    kills it at once. None of them raises an exception inside the event loop, which could drop a callback that the
    clean-up waits for.

    Raises:
        KeyboardInterrupt: After Ctrl-C, when the function has cleaned up.
        Terminated: After SIGTERM, when the function has cleaned up.
    """
    import asyncio

    task = asyncio.current_task()
    assert task is not None
    cancellation = _Cancellation(task)
    with cancellation.heeding(signal.SIGINT), cancellation.heeding(signal.SIGTERM):
        try:
            result = await function()
            cancellation.end()
            if cancellation.received:
                await asyncio.sleep(0)  # if it arrived at the last moment, the task is not yet cancelled
        except asyncio.CancelledError:
            match cancellation.received:
                case [signal.SIGINT, *_]:
                    raise KeyboardInterrupt from None
                case [_, *_]:
                    raise Terminated from None
            raise
        else:
            return result
        finally:
            cancellation.end()


class _Cancellation:
    """
    Cancels one task when a signal arrives.

    Attributes:
        received: The signals so far.
    """

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self.received: list[int] = []
        self._task = task
        self._loop = task.get_loop()
        self._is_ended = False

    @contextmanager
    def heeding(self, number: int) -> Iterator[None]:
        """Handle a signal in the block, where Ctrl-C or `heeding_signals` would otherwise raise an exception."""
        before = signal.getsignal(number)
        is_main = current_thread() is main_thread()
        if not is_main or not (before is _raise_terminated or (number == signal.SIGINT and callable(before))):
            yield
            return
        signal.signal(number, self._handle)
        try:
            yield
        finally:
            signal.signal(number, signal.SIG_IGN if self.received else before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._is_ended:
            return
        self.received.append(number)
        if len(self.received) == 1:
            _die_in(_PATIENCE)
            # Not cancelled here, between any two bytecodes: a callback may have seen that the future which the task
            # waits for is not done, and be about to set its result.
            self._loop.call_soon_threadsafe(self._cancel)  # this also wakes the loop
        elif self.received.count(signal.SIGINT) > 2:
            _kill_by(signal.SIGINT)
        else:
            _die_in(_PATIENCE)

    def _cancel(self) -> None:
        self._task.cancel()
        if len(self.received) == 1:
            _die_in(0)
            if len(self.received) > 1:  # it arrived in between, and its alarm may just have been revoked
                _die_in(_PATIENCE)

    def end(self) -> None:
        """The clean-up is complete; the time for the rest is limited."""
        self._is_ended = True
        if self.received:
            _die_in(_PATIENCE)


def _die_in(seconds: float) -> None:
    """Kill this process by SIGTERM after *seconds*, whether or not the event loop is responsive; 0 revokes that."""
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.signal(signal.SIGALRM, _die)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _die(number: int, frame: FrameType | None) -> None:
    _kill_by(signal.SIGTERM)


def _kill_by(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    _ignore(number)
    raise Terminated


def _ignore(number: int) -> None:
    """A second signal must not cancel the clean-up: timeout(1) sends two, to the process and to its group."""
    signal.signal(number, signal.SIG_IGN)
