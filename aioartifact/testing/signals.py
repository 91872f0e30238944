"""Events that coroutines of any loop and blocking code in any thread can wait for."""

import asyncio
from collections.abc import Coroutine
from threading import Event, Lock


class Signal:
    """Something that happens once; callable from any thread."""

    def __init__(self) -> None:
        self._event = Event()
        self._lock = Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def set(self) -> None:
        """Set the event: waiters continue."""
        with self._lock:
            self._event.set()
            waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            loop.call_soon_threadsafe(_resolve, future)

    @property
    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Wait until it has happened."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._event.is_set():
                return
            entry = (loop, loop.create_future())
            self._waiting.append(entry)
        try:
            await entry[1]
        finally:
            with self._lock:
                if entry in self._waiting:
                    self._waiting.remove(entry)

    def wait_blocking(self, timeout: float | None) -> bool:
        """Block until it has happened, at most *timeout* seconds; return whether it has."""
        return self._event.wait(timeout)


async def first_of(*waits: Coroutine[None, None, None]) -> None:
    """Wait until one of *waits* is over, and end the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
