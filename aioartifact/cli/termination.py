"""SIGTERM ends a command as Ctrl-C does: what it is at is cancelled, and cleans up."""

import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

# A reader of stdout that does not read holds the event loop up: what it would clean up stays, then.
_PATIENCE = 5.0


class Terminated(BaseException):
    """SIGTERM has come: this process is to end."""


@contextmanager
def heeding_sigterm() -> Iterator[None]:
    """Have SIGTERM raise `Terminated` in the block, unless it already means something else to this process."""
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


async def cancelled_by_sigterm(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """
    Run a coroutine function; within `heeding_sigterm`, SIGTERM cancels it.

    Raises:
        Terminated: SIGTERM has come, and the function has cleaned up.
    """
    import asyncio

    if signal.getsignal(signal.SIGTERM) is not _raise_terminated:
        return await function()
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def cancel(number: int, frame: FrameType | None) -> None:
        _ignore(number)
        _die_in(_PATIENCE)
        task.cancel()
        loop.call_soon_threadsafe(_die_in, 0)  # not at all; this also wakes the loop

    signal.signal(signal.SIGTERM, cancel)
    try:
        return await function()
    except asyncio.CancelledError:
        if signal.getsignal(signal.SIGTERM) is cancel:
            raise  # Ctrl-C
        raise Terminated from None
    finally:
        if signal.getsignal(signal.SIGTERM) is cancel:
            signal.signal(signal.SIGTERM, _raise_terminated)


def _die_in(seconds: float) -> None:
    """Have SIGTERM end this process after all, where the event loop does not turn; 0 takes that back."""
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.signal(signal.SIGALRM, _die)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _die(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.raise_signal(signal.SIGTERM)


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    _ignore(number)
    raise Terminated


def _ignore(number: int) -> None:
    """The clean-up is not to be cancelled by a second one: timeout(1) sends two, to the process and to its group."""
    signal.signal(number, signal.SIG_IGN)
