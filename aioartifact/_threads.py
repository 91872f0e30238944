"""
Threads of this library for work that may block on a disk.

They are not shared with anyio or asyncio: a user's own jobs must not wait for this library's disk access, nor the other
way around. Threads are started as needed and end with their event loop.

Waking a thread and being woken by it costs more than writing a small file. Short jobs therefore share a thread, which
runs them one after the other while more arrive, and returns their results together. Other threads help if the disk is
slow.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

import anyio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_THREADS = 8
_BUNDLE = 16
# If many jobs arrive at a time, the first one waits this many seconds for others to share its thread.
_GATHER = 0.001
# If no thread has begun a job for this many seconds, the disk is slow, and one more thread is added. The time that a
# job waits says less: in a long queue it also waits long on a fast disk, where more threads only slow each other down.
# A job that writes a group of files then takes up to 20 ms, most of which it waits for the interpreter.
_PATIENCE = 0.1
# How often, in seconds, a cancelled caller checks the threads themselves. An exception in a callback of the event loop,
# such as KeyboardInterrupt at a second Ctrl-C, can drop the callback that would have woken the caller.
_CHECK = 0.05


class _Executor(ThreadPoolExecutor):
    """
    Threads that count their unfinished calls.

    Attributes:
        unfinished: Calls that wait for a thread or run in one.
    """

    def __init__(self) -> None:
        super().__init__(_THREADS, thread_name_prefix="aioartifact-disk")
        self._counting = threading.Lock()
        self.unfinished = 0

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        call = super().submit(function, *args, **kwargs)
        with self._counting:
            self.unfinished += 1
        call.add_done_callback(self._finish)
        return call

    def _finish(self, _: Future[Any]) -> None:
        with self._counting:
            self.unfinished -= 1


class _Job:
    """A short job, and its result or error."""

    __slots__ = ("_error", "_function", "_is_over", "_late", "_result", "future", "since")

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[[], Any]) -> None:
        self.future: asyncio.Future[Any] = loop.create_future()
        self.since = monotonic()
        self._function: Callable[[], Any] | None = function
        self._late: asyncio.Future[None] | None = None
        self._is_over = False
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Run the job; in a thread."""
        function, self._function = self._function, None
        try:
            self._result = function() if function else None
        except BaseException as error:  # noqa: BLE001  # raised where the job is awaited
            self._error = error

    def deliver(self) -> None:
        self._is_over = True
        # The waiter may have been cancelled, and then sees that the job is over. A check first would not suffice, since
        # asyncio's Ctrl-C handler can cancel between any two bytecodes of this thread.
        with suppress(asyncio.InvalidStateError):
            if self._late is not None:
                self._late.set_result(None)
            elif self._error is None:
                self.future.set_result(self._result)
            else:
                self.future.set_exception(self._error)

    async def result(self) -> Any:
        """Wait for the end of the job, whatever happens; only then let a cancellation through."""
        try:
            return await self.future
        except asyncio.CancelledError:
            if self.future.cancelled() and not self._is_over:
                self._late = self.future.get_loop().create_future()
                await _ended(self._late)
            raise


class _Pool:
    """
    The threads of one event loop; it must not refer to the loop, or neither would ever be collected.

    Two threads that run Python slow each other down. So one runs all short jobs, unless the disk blocks it.
    """

    def __init__(self) -> None:
        self.executor = _Executor()
        self._waiting: deque[_Job] = deque()
        self._takers = 0
        self._taken_at = 0.0
        self._gather = 0.0
        self._is_calling = False
        self._is_watching = False

    def add(self, loop: asyncio.AbstractEventLoop, function: Callable[[], Any]) -> _Job:
        job = _Job(loop, function)
        self._waiting.append(job)
        if not self._takers:
            self._call_soon(loop)
        else:
            self._watch(loop)
        return job

    def _call_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Call a thread, but not at once: other callbacks of the loop may add more jobs."""
        if self._is_calling:
            return
        self._is_calling = True
        if self._gather:
            loop.call_later(self._gather, self._call, loop)
        else:
            loop.call_soon(self._call, loop)

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_calling = False
        self._takers += 1
        self.executor.submit(self._take, loop)
        self._watch(loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_watching:
            self._is_watching = True
            loop.call_later(_PATIENCE, self._look, loop)

    def is_idle(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether no thread is working; short jobs whose thread was never called get one now."""
        if self.executor.unfinished:
            return False
        if self._waiting:
            self._call(loop)
            return False
        return True

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Call one more thread if the disk blocks the present ones, and a job waits."""
        self._is_watching = False
        try:
            waited = monotonic() - max(self._waiting[0].since, self._taken_at)
        except IndexError:  # threads take jobs at any moment
            return
        if waited > _PATIENCE and 0 < self._takers < _THREADS:
            self._call(loop)
        else:
            self._watch(loop)

    def _take(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the waiting jobs until there are none; in a thread."""
        taken = 0
        done: list[_Job] = []
        while True:
            try:
                job = self._waiting.popleft()
            except IndexError:
                break
            self._taken_at = monotonic()
            job.run()
            taken += 1
            done.append(job)
            if len(done) >= _BUNDLE:
                loop.call_soon_threadsafe(_deliver, done)
                done = []
        # A loop that was closed before its tasks ended has no waiter left.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._leave, loop, done, taken)

    def _leave(self, loop: asyncio.AbstractEventLoop, done: list[_Job], taken: int) -> None:
        _deliver(done)
        self._takers -= 1
        self._gather = _GATHER if taken > 1 else 0.0
        if self._waiting and not self._takers:
            self._call_soon(loop)


def _deliver(done: list[_Job]) -> None:
    for job in done:
        job.deliver()


_POOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool] = WeakKeyDictionary()


def _pool(loop: asyncio.AbstractEventLoop) -> _Pool:
    pool = _POOLS.get(loop)
    if pool is None:
        pool = _POOLS[loop] = _Pool()
    return pool


def executor() -> ThreadPoolExecutor:
    """Return the threads themselves, for aiofiles, which would otherwise use those of asyncio."""
    return _pool(asyncio.get_running_loop()).executor


class _Caller:
    """The caller that waits for a job; it has left once it is cancelled."""

    __slots__ = ("has_left",)

    def __init__(self) -> None:
        self.has_left = False


class _Unwanted(Exception):
    """Ends a job whose result is no longer needed."""


_CALLERS = threading.local()


def check_wanted() -> None:
    """End the job that runs in this thread if its caller was cancelled; long jobs call this now and then."""
    caller: _Caller | None = getattr(_CALLERS, "caller", None)
    if caller is not None and caller.has_left:
        raise _Unwanted


def _run_for(caller: _Caller, function: Callable[[*Ts], T], *args: *Ts) -> T:
    _CALLERS.caller = caller
    try:
        return function(*args)
    finally:
        _CALLERS.caller = None


def submit(function: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
    """Start a blocking *function* in a thread; its result must be awaited with `finished`, whatever happens."""
    loop = asyncio.get_running_loop()
    return loop.run_in_executor(_pool(loop).executor, function, *args)


async def run(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run a blocking *function* in a thread; even a cancelled caller waits for its end, see `check_wanted`."""
    caller = _Caller()
    return await finished(submit(_run_for, caller, function, *args), caller)


async def run_short(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run a *function* of a few milliseconds at most in a thread, in which it may wait for other short ones."""
    loop = asyncio.get_running_loop()
    result: T = await _pool(loop).add(loop, partial(function, *args)).result()
    return result


async def finished(work: Awaitable[T], caller: _Caller | None = None) -> T:
    """
    Await *work* to its end, whatever happens; only then let a cancellation through.

    A thread cannot be cancelled. The caller must not close a descriptor that the thread uses before it is done:
    its number may already belong to another file.
    """
    job = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        if caller is not None:
            caller.has_left = True
        await _ended(job)
        if not job.done():
            job.cancel()  # its thread has finished, and the event loop has lost the callback
        elif not job.cancelled():
            job.exception()  # the caller leaves, so mark the exception as retrieved
        raise


async def _ended(future: asyncio.Future[Any]) -> None:
    """Wait until *future* is done, or no thread is left that could finish it, however often this is cancelled."""
    loop = asyncio.get_running_loop()
    pool, idle_checks = _pool(loop), 0
    with anyio.CancelScope(shield=True):
        # Twice: the callback of a thread that has just finished may still be pending.
        while not future.done() and idle_checks < 2:
            began = loop.time()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({future}, timeout=_CHECK)
            if loop.time() - began >= _CHECK:
                idle_checks = idle_checks + 1 if pool.is_idle(loop) else 0
