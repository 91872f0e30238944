"""SIGTERM ends a command as Ctrl-C does: what it is at is cancelled, and cleans up."""

import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


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
        task.cancel()
        loop.call_soon_threadsafe(lambda: None)  # or the loop would go on to sleep until something else happens

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


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    _ignore(number)
    raise Terminated


def _ignore(number: int) -> None:
    """The clean-up is not to be cancelled by a second one: timeout(1) sends two, to the process and to its group."""
    signal.signal(number, signal.SIG_IGN)
