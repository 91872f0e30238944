"""Work of a blocked thread in the event loop: one call, or a block that one task enters, uses and leaves."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Generic, TypeVar

from anyio.from_thread import BlockingPortal

from .._errors import SessionError
from .loop import Lease, loop_cannot_wait, run_aside

T = TypeVar("T")
R = TypeVar("R")

# Seconds. Windows reports Ctrl-C only between two waits; elsewhere, CPython may miss one that comes as a wait begins.
_LONGEST_WAIT = 0.1 if sys.platform == "win32" else 0.5


class Caller:
    """A thread that waits for the event loop, and runs meanwhile what the loop passes to it."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | Job[Any]] = SimpleQueue()

    def wait(self, job: "Job[Any]", *, is_serving: bool) -> None:
        """Wait for the end of *job*; if *is_serving*, run what `run` passes."""
        while (task := self._next()) is not job:
            if is_serving and not isinstance(task, Job):
                task()

    def _next(self) -> "Callable[[], None] | Job[Any]":
        while True:
            try:
                return self._tasks.get(timeout=_LONGEST_WAIT)
            except Empty:
                continue

    def wake(self, job: "Job[Any]") -> None:
        """End the wait for *job*."""
        self._tasks.put(job)

    async def run(self, function: Callable[[], R]) -> R:
        """Run *function* in the waiting thread; what it raises other than an `Exception` is raised there."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[R] = loop.create_future()

        def task() -> None:
            try:
                value = function()
            except Exception as error:  # noqa: BLE001  # raised by the task that waits for it
                loop.call_soon_threadsafe(_settle, result, None, error)
            else:
                loop.call_soon_threadsafe(_settle, result, value, None)

        self._tasks.put(task)
        return await result


def _settle(future: asyncio.Future[Any], value: object, error: Exception | None) -> None:
    if future.done():  # the task that waited was cancelled
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)


class Job(Generic[R]):
    """
    Something to await in the event loop for a thread that waits for it.

    Attributes:
        has_succeeded: Whether it was awaited without an error.
    """

    def __init__(self, work: Callable[[], Awaitable[R]], caller: Caller) -> None:
        self.has_succeeded: bool = False
        self._work = work
        self._caller = caller
        self._task: asyncio.Task[Any] | None = None
        self._is_aborted = False
        self._value: R | None = None
        self._error: BaseException | None = None

    async def perform(self) -> None:
        """Await the work, and wake the thread."""
        if self._is_aborted:
            return
        self._task = task = asyncio.current_task()
        assert task is not None
        try:
            self._value = await self._work()
            self.has_succeeded = True
        except BaseException as error:  # noqa: BLE001
            self._error = error  # raised in the thread, and not in the loop
            if isinstance(error, asyncio.CancelledError):
                self._swallow_own(task, error)
        finally:
            self._task = None
            self._caller.wake(self)

    def _swallow_own(self, task: asyncio.Task[Any], error: asyncio.CancelledError) -> None:
        """Raise a cancellation unless it is that of `abort`."""
        if not self._is_aborted:
            raise error
        task.uncancel()

    async def abort(self) -> None:
        """Cancel the work, in the event loop."""
        self._is_aborted = True
        if self._task is not None:
            self._task.cancel()
        else:  # not begun, or over: then the interrupt may have come between the wake and its receipt
            self._caller.wake(self)

    def result(self, portal: BlockingPortal, begin: Callable[[], Awaitable[object]], *, is_serving: bool = True) -> R:
        """
        Have *begin* perform the job in the event loop; an exception in this thread, such as Ctrl-C, cancels the work.

        If *is_serving*, this thread runs meanwhile what :meth:`Caller.run` passes to it.

        Raises:
            SessionError: If this thread runs the event loop.
        """
        try:
            _start(portal, begin)
            self._caller.wait(self, is_serving=is_serving)
        except BaseException:
            self._abort_and_wait(portal)
            raise
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error, self  # else the error would refer to itself through this frame
        return self._value  # type: ignore[return-value]  # it has been set

    def _abort_and_wait(self, portal: BlockingPortal) -> None:
        try:
            portal.start_task_soon(self.abort)
        except RuntimeError:  # this is the thread of the loop, or the loop has ended
            return
        self._caller.wait(self, is_serving=False)


def _start(portal: BlockingPortal, function: Callable[[], Awaitable[object]]) -> None:
    try:
        portal.start_task_soon(function)
    except RuntimeError:
        raise loop_cannot_wait() from None


def call(work: Callable[[], Awaitable[R]], caller: Caller | None = None) -> R:
    """
    Await *work* in the event loop, and wait for it.

    Raises:
        SessionError: If this thread runs the event loop.
    """
    with Lease() as lease:
        job = Job(work, caller or Caller())
        return job.result(lease.portal, job.perform)


class Block(Generic[T]):
    """
    An asynchronous context manager that one task enters, uses and leaves, for threads that block.

    One task, since a context manager must be left in the task that entered it: time limits and task groups depend on
    that. Calls of several threads take turns.
    """

    def __init__(self, manager: AbstractAsyncContextManager[T], caller: Caller | None = None) -> None:
        self._manager = manager
        self._caller = caller or Caller()
        self._turn = Lock()
        self._lease: Lease | None = None
        self._jobs: asyncio.Queue[tuple[Job[Any], bool]] | None = None
        self._has_left = False

    @property
    def is_open(self) -> bool:
        """Whether the block has been entered and not been left."""
        return self._lease is not None

    def enter(self) -> T:
        """Enter the block and return its value."""
        lease = Lease()
        job = Job(self._manager.__aenter__, self._caller)
        try:
            value = job.result(lease.portal, lambda: self._live(job))
        except BaseException:
            if job.has_succeeded:  # an interrupt came just after that
                self._lease = lease
                self.leave(is_cancelled=True)
            else:
                lease.release()
            raise
        self._lease = lease
        return value

    async def _live(self, entering: Job[T]) -> None:
        self._jobs = asyncio.Queue()
        await entering.perform()
        if not entering.has_succeeded:
            return
        try:
            is_last = False
            while not is_last:
                job, is_last = await self._jobs.get()
                await job.perform()
        finally:
            if not self._has_left:
                await self._exit_cancelled()

    def run(self, work: Callable[[], Awaitable[R]]) -> R:
        """
        Await *work* in the task of the block, and wait for it.

        Raises:
            SessionError: If the block is not open, or this thread runs the event loop.
        """
        with self._turn:
            if self._lease is None:
                raise SessionError("this is closed", hint="use it inside its `with` block")
            return self._perform(self._lease, work)

    def leave(self, *, is_cancelled: bool = False) -> None:
        """Leave the block, as a cancelled task does if *is_cancelled*; further calls do nothing."""
        with self._turn:
            lease, self._lease = self._lease, None
            if lease is None:
                return
            try:
                self._perform(lease, self._exit_cancelled if is_cancelled else self._exit, is_last=True)
            finally:
                lease.release()

    def discard(self) -> None:
        """Leave a block that was dropped, which may happen at any point of any thread."""
        if not self.is_open:
            return
        run_aside(lambda: self.leave(is_cancelled=True))

    def _perform(self, lease: Lease, work: Callable[[], Awaitable[R]], *, is_last: bool = False) -> R:
        job, jobs = Job(work, self._caller), self._jobs
        assert jobs is not None
        return job.result(lease.portal, lambda: jobs.put((job, is_last)), is_serving=not is_last)

    async def _exit(self) -> None:
        self._has_left = True
        await self._manager.__aexit__(None, None, None)

    async def _exit_cancelled(self) -> None:
        self._has_left = True
        error = asyncio.CancelledError()
        with suppress(asyncio.CancelledError):
            await self._manager.__aexit__(type(error), error, None)
