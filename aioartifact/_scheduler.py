"""
The scheduler: run many jobs, a limited number at a time, and yield results as they finish.

Jobs are pulled only when a worker is free, so the input may be endless. Results wait in a short queue, so a slow
consumer slows the work down instead of filling memory. No task outlives the block that started it.
"""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import TypeVar

import anyio
from anyio.abc import ObjectReceiveStream

T = TypeVar("T")
R = TypeVar("R")


@asynccontextmanager
async def collapsed() -> AsyncIterator[None]:
    """Raise the single exception of a task group as itself, so that users do not see the group."""
    try:
        yield
    except BaseExceptionGroup as group:
        # One layer is the task group's; a group below it is the caller's own, even with one member.
        error = group.exceptions[0] if len(group.exceptions) == 1 else group
    else:
        return
    context = error.__context__
    try:
        raise error
    finally:
        # It would be the group, which contains the error: following the contexts would never end.
        error.__context__ = context


async def as_async(items: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[T, None]:
    """Iterate over either kind of iterable, one item at a time; an async generator is closed at the end."""
    if isinstance(items, AsyncIterable):
        # The garbage collector would have the event loop run the generator's cleanup in another task, at any time.
        async with aclosing(items) if isinstance(items, AsyncGenerator) else nullcontext():
            async for item in items:
                yield item
    else:
        for item in items:
            yield item


class Slots:
    """
    A concurrency limit: each job takes a slot, and idle slots may be borrowed until a job needs them.

    A job enters the block, and waits if all slots are taken::

        async with slots:
            ...
    """

    def __init__(self, total: int) -> None:
        self._idle = total
        self._waiting: deque[anyio.Event] = deque()

    async def __aenter__(self) -> None:
        if self._idle:
            self._idle -= 1
            return
        turn = anyio.Event()
        self._waiting.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.give_back()
            else:
                self._waiting.remove(turn)
            raise

    async def __aexit__(self, *_: object) -> None:
        self.give_back()

    def borrow(self) -> bool:
        """Borrow a free slot, to be released; False if there is none."""
        if not self._idle:
            return False
        self._idle -= 1
        return True

    def give_back(self) -> None:
        """Pass a slot to the job that has waited longest, or free it."""
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._idle += 1

    @property
    def are_wanted(self) -> bool:
        """Whether a job waits, so that a borrowed slot should be released soon."""
        return bool(self._waiting)


class InSlot(Slots):
    """*slots* for a job that already has one: it enters at once, and may borrow others."""

    def __init__(self, slots: Slots) -> None:
        super().__init__(0)
        self._slots = slots

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass

    def borrow(self) -> bool:
        return self._slots.borrow()

    def give_back(self) -> None:
        self._slots.give_back()

    @property
    def are_wanted(self) -> bool:
        return self._slots.are_wanted


class _Results(ObjectReceiveStream[R]):
    """
    Results that have not been consumed: up to the size of the buffer, and one for each worker.

    A memory stream of anyio would work, but wakes its reader for every single result.
    """

    def __init__(self, room: int, workers: int) -> None:
        self._room = room
        self._workers = workers
        self._waiting: deque[R] = deque()
        self._taken = 0
        self._arrival = anyio.Event()
        self._departure = anyio.Event()
        self._closed = False

    async def add(self, result: R) -> None:
        """Add a result, and wait until there is room for it."""
        self._waiting.append(result)
        self._arrival.set()
        fits = self._taken + len(self._waiting) - self._room
        while self._taken < fits:
            self._departure = anyio.Event() if self._departure.is_set() else self._departure
            await self._departure.wait()

    def leave(self) -> None:
        """State that a worker will add no more."""
        self._workers -= 1
        self._arrival.set()

    async def receive(self) -> R:
        """
        Take the result that finished first.

        Raises:
            EndOfStream: If there will be no more.
            ClosedResourceError: If the block that yielded the stream was left.
        """
        while not self._closed:
            if self._waiting:
                self._taken += 1
                self._departure.set()
                return self._waiting.popleft()
            if not self._workers:
                raise anyio.EndOfStream
            self._arrival = anyio.Event() if self._arrival.is_set() else self._arrival
            await self._arrival.wait()
        raise anyio.ClosedResourceError

    async def aclose(self) -> None:
        self._closed = True


@asynccontextmanager
async def run_many(
    jobs: Iterable[T] | AsyncIterable[T], run: Callable[[T], Awaitable[R]], *, max_concurrency: int
) -> AsyncIterator[ObjectReceiveStream[R]]:
    """
    Run *run(job)* for every job, at most *max_concurrency* at a time.

    Yields a stream of results in the order they finish. Leaving the block cancels running jobs. An exception of *run*
    or of the input ends all work and is raised from the block, as itself.
    """
    results: _Results[R] = _Results(room=max_concurrency, workers=max_concurrency)
    turn = anyio.Lock(fast_acquire=True)

    async def work() -> None:
        while True:
            async with turn:
                try:
                    job = await anext(source)
                except StopAsyncIteration:
                    break
            await results.add(await run(job))
        # Not after a failure or a cancellation: then the reader is cancelled as well.
        results.leave()

    async with aclosing(as_async(jobs)) as source, collapsed(), anyio.create_task_group() as group, results:
        for _ in range(max_concurrency):
            group.start_soon(work)
        try:
            yield results
        finally:
            group.cancel_scope.cancel()
