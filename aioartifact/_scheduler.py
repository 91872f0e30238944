"""
The one scheduler: many jobs, few at a time, results as they finish.

Jobs are pulled only when a worker is free, so the input may be endless, and results wait in a short queue, so a
slow consumer slows the work down instead of filling memory. No task outlives the block that started it.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import TypeVar

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream

T = TypeVar("T")
R = TypeVar("R")


@asynccontextmanager
async def collapsed() -> AsyncIterator[None]:
    """Raise a lone exception out of a task group as itself, so that nobody meets a group of ours."""
    try:
        yield
    except BaseExceptionGroup as group:
        # One layer is the task group's; a group below it is the caller's own, even with one member.
        error = group.exceptions[0] if len(group.exceptions) == 1 else group
    else:
        return
    raise error


async def as_async(items: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[T, None]:
    """Iterate over either kind of iterable, one item at a time; an async generator is closed at the end."""
    if isinstance(items, AsyncIterable):
        # Left to the garbage collector, a generator would run its last lines in a task of the loop's, at any time.
        async with aclosing(items) if isinstance(items, AsyncGenerator) else nullcontext():
            async for item in items:
                yield item
    else:
        for item in items:
            yield item


@asynccontextmanager
async def run_many(
    jobs: Iterable[T] | AsyncIterable[T], run: Callable[[T], Awaitable[R]], *, max_concurrency: int
) -> AsyncIterator[ObjectReceiveStream[R]]:
    """
    Run *run(job)* for every job, at most *max_concurrency* at a time.

    Yields a stream of results in the order they finish. Leaving the block cancels what still runs. What *run* or
    the input raises ends all work and is raised from the block, as itself.
    """
    results, receive = anyio.create_memory_object_stream[R](max_concurrency)
    turn = anyio.Lock()

    async def work(out: ObjectSendStream[R]) -> None:
        async with out:
            while True:
                async with turn:
                    try:
                        job = await anext(source)
                    except StopAsyncIteration:
                        return
                await out.send(await run(job))

    async with aclosing(as_async(jobs)) as source, collapsed(), anyio.create_task_group() as group, receive:
        async with results:
            for _ in range(max_concurrency):
                group.start_soon(work, results.clone())
        try:
            yield receive
        finally:
            group.cancel_scope.cancel()
