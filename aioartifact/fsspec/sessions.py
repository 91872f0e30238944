"""One session per event loop and process, and calls from threads into a loop."""

import asyncio
import atexit
import os
import sys
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

import aiohttp
from fsspec.asyn import sync

_SECONDS_AT_EXIT = 2.0
Manager: TypeAlias = AbstractAsyncContextManager[aiohttp.ClientSession]
_Holder: TypeAlias = AsyncGenerator[aiohttp.ClientSession, None]
# Sessions of the parent process: closing them here would break connections of the parent.
_INHERITED: list[object] = []


class Sessions:
    """
    Opens a session at the first use in an event loop, and reuses it there.

    A session is closed by :meth:`close`, when its loop is shut down by ``asyncio.run``, when this object is
    garbage-collected, or at exit.
    """

    def __init__(self, new_session: Callable[[], Manager]) -> None:
        self._new_session = new_session
        self._pid = os.getpid()
        self._entries: dict[asyncio.AbstractEventLoop, _Entry] = {}
        weakref.finalize(self, _close_all, self._pid, self._entries).atexit = False
        _EVERY.add(self)

    async def get(self) -> aiohttp.ClientSession:
        """
        Return the session of the running loop.

        Raises:
            ArtifactoryError: If a session cannot be opened, see :func:`aioartifact.session`.
        """
        if self._pid != os.getpid():
            _INHERITED.append(self._entries)
            self._pid, self._entries = os.getpid(), {}
            weakref.finalize(self, _close_all, self._pid, self._entries).atexit = False
        loop = asyncio.get_running_loop()
        entry = self._entries.get(loop)
        if entry is None:
            for other in [each for each in self._entries if each.is_closed()]:
                del self._entries[other]
            entry = self._entries[loop] = _Entry(self._new_session)
            # Exit functions run in reverse order: this one must run before that of the owner of the loop.
            atexit.unregister(_close_at_exit)
            atexit.register(_close_at_exit)
        return await entry.get()

    async def close(self) -> None:
        """Close the session of the running loop; the next call opens another."""
        if self._pid == os.getpid() and (entry := self._entries.pop(asyncio.get_running_loop(), None)):
            await entry.close()

    def close_all(self, seconds: float) -> None:
        """Close the sessions of loops in other threads, and wait up to *seconds* for each."""
        for closing in _close_all(self._pid, self._entries):
            try:
                closing(seconds)
            except (TimeoutError, RuntimeError):
                continue


class _Entry:
    """The session of one loop."""

    def __init__(self, new_session: Callable[[], Manager]) -> None:
        self._new_session = new_session
        self._opening = asyncio.Lock()
        self._holder: _Holder | None = None
        self._session: aiohttp.ClientSession | None = None

    async def get(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            async with self._opening:
                if self._session is None or self._session.closed:
                    self._holder = _hold(self._new_session())
                    self._session = await anext(self._holder)
        return self._session

    async def close(self) -> None:
        self._session = None
        if self._holder is not None:
            await self._holder.aclose()


async def _hold(manager: Manager) -> _Holder:
    """Hold a session in a generator: the shutdown of a loop closes the generators that it has started."""
    async with manager as session:
        yield session


def _close_all(pid: int, entries: dict[asyncio.AbstractEventLoop, _Entry]) -> list[Callable[[float], object]]:
    """Start to close the sessions of running loops; return functions that wait for that."""
    if pid != os.getpid():
        _INHERITED.append(entries)
        return []
    closing: list[Callable[[float], object]] = []
    for loop, entry in list(entries.items()):
        if loop.is_running():
            closing.append(asyncio.run_coroutine_threadsafe(entry.close(), loop).result)
    entries.clear()
    return closing


_EVERY: weakref.WeakSet[Sessions] = weakref.WeakSet()


def _close_at_exit() -> None:
    for sessions in list(_EVERY):
        sessions.close_all(_SECONDS_AT_EXIT)


P = ParamSpec("P")
T = TypeVar("T")


def wait_for(loop: Any, call: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Run a coroutine function in *loop*, and wait for its result.

    Raises:
        RuntimeError: If there is no loop, because the file system was created for coroutines.
        NotImplementedError: If this thread runs the loop.
    """
    return cast("T", sync(loop, call, *args, **kwargs))


def start(loop: asyncio.AbstractEventLoop | None, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Start a coroutine function in *loop* without waiting for it; do nothing if the loop no longer runs."""
    if loop is not None and loop.is_running() and not sys.is_finalizing():
        asyncio.run_coroutine_threadsafe(call(), loop)
