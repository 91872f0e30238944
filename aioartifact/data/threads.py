"""Async iterables for code without an event loop."""

import asyncio
import os
import queue
import threading
import weakref
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import Any, Generic, Self, TypeVar

from .._errors import InvalidArgumentError, SessionError
from .._options import check_count

T = TypeVar("T")


def iter_in_thread(make: Callable[[], AsyncIterable[T]], *, buffer: int = 8) -> "ThreadIterator[T]":
    """
    Iterate over an async iterable in code without an event loop.

    For PyTorch's ``IterableDataset``, Keras, and plain loops. An event loop runs in a separate thread, which starts
    with the first ``next()``, so the iterator may be created before a fork. The thread ends with the iteration, with
    :meth:`ThreadIterator.close`, when the iterator is garbage-collected, for instance after a ``break``, or with the
    program. Then the async iterable and its connections are closed. Example::

        for file in iter_in_thread(lambda: prefetch(files, ordered=True)):
            train(file.data)

    Args:
        make: Function, called in the thread, that returns an async iterable, such as a :class:`Prefetch`. If that is a
            context manager, it is entered.
        buffer: Maximum number of results waiting for the loop.

    Raises:
        InvalidArgumentError: If *make* is not callable, or *buffer* is not an integer of at least 1.
        SessionError: From the iteration: if it was started in another process.
        Exception: From the iteration: any exception of *make* or of the async iterable.
    """
    if not callable(make):
        raise InvalidArgumentError(
            f"make is a {type(make).__name__}; expected a function", hint="put lambda: before it"
        )
    return ThreadIterator(make, check_count("buffer", buffer))


class ThreadIterator(Iterator[T]):
    """Results of an async iterable; returned by :func:`iter_in_thread`. As a context manager, it closes itself."""

    def __init__(self, make: Callable[[], AsyncIterable[T]], buffer: int) -> None:
        self._make = make
        self._buffer = buffer
        self._pump: _Pump[T] | None = None
        self._has_ended = False
        self._process = 0
        self._finalizer: weakref.finalize[..., Any] | None = None

    def __next__(self) -> T:
        if self._has_ended:
            raise StopIteration
        if self._pump is None:
            self._start()
        elif self._process != os.getpid():
            raise SessionError("iter_in_thread(): began in another process", hint="make one in each process")
        assert self._pump is not None
        try:
            return self._pump.take()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        self._process = os.getpid()
        self._pump = _Pump(self._make, self._buffer)
        # At exit, too: a thread with an event loop must not outlive the interpreter.
        self._finalizer = weakref.finalize(self, _stop, self._pump, self._process)
        self._pump.start()

    def close(self) -> None:
        """End the iteration and its thread; further calls do nothing."""
        self._has_ended = True
        if self._finalizer is not None:
            self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _stop(pump: "_Pump[Any]", process: int) -> None:
    if os.getpid() == process:  # a fork has no threads of its parent
        pump.stop()


class _Pump(Generic[T]):
    """The thread and its queue of results."""

    def __init__(self, make: Callable[[], AsyncIterable[T]], buffer: int) -> None:
        self._make = make
        self._buffer = buffer
        # A result, or the end of the iteration.
        self._results: queue.SimpleQueue[tuple[T] | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="aioartifact-data", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Semaphore | None = None
        self._is_stopped = False
        self._lock = threading.Lock()

    def start(self) -> None:
        self._thread.start()

    def take(self) -> T:
        """
        Wait for the next result.

        Raises:
            StopIteration: If there are no more.
            BaseException: The exception of the iterable.
        """
        result = self._results.get()
        if not isinstance(result, tuple):
            raise result
        with self._lock:
            if self._loop is not None and self._room is not None:
                self._loop.call_soon_threadsafe(self._room.release)
        return result[0]

    def stop(self) -> None:
        """Cancel the iteration, and wait until its thread has ended."""
        with self._lock:
            self._is_stopped = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
        if self._thread is not threading.current_thread():  # garbage collection may run in any thread
            self._thread.join()

    def _run(self) -> None:
        end: BaseException = StopIteration()
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001  # raised where the results are taken
            end = error
        self._results.put(end)

    async def _main(self) -> None:
        with self._lock:
            if self._is_stopped:
                return
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            self._room = asyncio.Semaphore(self._buffer)
        try:
            await self._iterate(self._room)
        finally:
            with self._lock:
                self._loop = self._task = None

    async def _iterate(self, room: asyncio.Semaphore) -> None:
        async with AsyncExitStack() as stack:
            source: Any = self._make()
            if isinstance(source, AbstractAsyncContextManager):
                source = await stack.enter_async_context(source)
            elif hasattr(source, "aclose"):
                source = await stack.enter_async_context(aclosing(source))
            if not isinstance(source, AsyncIterable):
                raise InvalidArgumentError(f"make() returned a {type(source).__name__}; expected an async iterable")
            await room.acquire()
            async for result in source:
                self._results.put((result,))
                await room.acquire()
