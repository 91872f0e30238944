"""The event loop of all blocking calls: it runs in a thread of its own while one of them needs it."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self

from anyio.from_thread import BlockingPortal, BlockingPortalProvider

from .._errors import SessionError

_LONGEST_WAIT = 10.0  # seconds


class Lease:
    """
    The right to use the event loop, which runs until the last lease is released.

    Attributes:
        portal: Starts tasks in the loop.
    """

    def __init__(self) -> None:
        self._provider = _provider()
        self._process = os.getpid()
        self.portal: BlockingPortal = self._provider.__enter__()
        self._is_held = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let the loop end if no other lease is held; further calls do nothing."""
        if not self._is_held:
            return
        self._is_held = False
        if self._process != os.getpid():
            return  # a fork has no threads but its own
        self._provider.__exit__(None, None, None)


_providers: list[BlockingPortalProvider] = []


def _provider() -> BlockingPortalProvider:
    if not _providers:
        _providers.append(BlockingPortalProvider("asyncio"))
    return _providers[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_providers.clear)


def run_aside(function: Callable[[], object]) -> None:
    """
    Run *function* for an object that was dropped, in another thread, and wait unless this one runs an event loop.

    The garbage collector may drop it at any point of any thread, also in the loop that *function* needs.
    """
    thread = Thread(target=function, daemon=True)
    with suppress(RuntimeError):  # the interpreter exits
        thread.start()
        if not _runs_event_loop():
            # Not longer: this thread may hold a lock that the other one needs.
            thread.join(_LONGEST_WAIT)


def _runs_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def loop_cannot_wait() -> SessionError:
    return SessionError(
        "a blocking call was made in the event loop that runs it, so neither could continue",
        hint="make no blocking call in a callback such as a progress sink, a filter or a credentials provider",
    )
