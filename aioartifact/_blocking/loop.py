"""The event loop of all blocking calls: it runs in a thread of its own while one of them needs it."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock, Thread
from types import TracebackType
from typing import Self

import anyio
from anyio.from_thread import BlockingPortal

from .._errors import SessionError

_LONGEST_WAIT = 10.0  # seconds


class _SharedLoop:
    """
    An event loop that runs while there are leases.

    Like `anyio.from_thread.BlockingPortalProvider`, whose copy in a forked process would wait for the end of a thread
    that the process does not have.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._leases = 0
        self._portal: BlockingPortal | None = None
        self._thread: Thread | None = None

    def take(self) -> BlockingPortal:
        """Take a lease; `give_back` must follow."""
        with self._lock:
            if self._portal is None:
                self._start()
            self._leases += 1
            assert self._portal is not None
            return self._portal

    def _start(self) -> None:
        started: Future[BlockingPortal] = Future()
        self._thread = Thread(target=_run, args=(started,), name="aioartifact-blocking", daemon=True)
        self._thread.start()
        self._portal = started.result()

    def give_back(self) -> None:
        """Give a lease back; after the last one, the loop ends."""
        with self._lock:
            self._leases -= 1
            if self._leases:
                return
            portal, thread = self._portal, self._thread
            self._portal = self._thread = None
        assert portal is not None
        assert thread is not None
        portal.start_task_soon(portal.stop)
        thread.join()


def _run(started: "Future[BlockingPortal]") -> None:
    async def serve() -> None:
        async with BlockingPortal() as portal:
            started.set_result(portal)
            await portal.sleep_until_stopped()

    try:
        anyio.run(serve, backend="asyncio")
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)


_shared = [_SharedLoop()]
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _shared.__setitem__(0, _SharedLoop()))


class Lease:
    """
    The right to use the event loop, which runs until the last lease is released.

    Attributes:
        portal: Starts tasks in the loop.
    """

    def __init__(self) -> None:
        self._loop = _shared[0]
        self.portal: BlockingPortal = self._loop.take()
        self._is_held = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let the loop end if no other lease is held; further calls do nothing, nor do calls after a fork."""
        if self._is_held:
            self._is_held = False
            if self._loop is _shared[0]:
                self._loop.give_back()


def run_aside(function: Callable[[], object]) -> None:
    """
    Run *function* for an object that was dropped, in another thread, and wait unless this one runs an event loop.

    The garbage collector may drop the object at any point of any thread, even in the loop that *function* needs.
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
