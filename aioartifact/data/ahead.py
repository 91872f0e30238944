"""Work ahead of its consumer, limited by a number of bytes."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from .._scheduler import as_async, collapsed

T = TypeVar("T")
R = TypeVar("R")

# Even an empty file takes memory.
_OVERHEAD = 1024


class Budget:
    """
    The number of bytes in memory at a time.

    Bytes are reserved in the order of the items. An item that is larger than the budget is admitted alone. If an item
    is larger than its reservation, it waits until it fits; if the consumer is waiting for that item, it continues at
    once, because no other item would release bytes.

    Attributes:
        used: Bytes that are reserved.
    """

    def __init__(self, size: int) -> None:
        self.used: int = 0
        self._size = size
        self._favoured: int | None = None
        self._change = anyio.Event()

    async def reserve(self, count: int) -> None:
        """Wait until *count* bytes fit; call it for one item after the other."""
        while self.used and self.used + count > self._size:
            await self._change.wait()
        self.used += count

    async def grow(self, index: int, count: int) -> None:
        """Wait until the item at *index* may use *count* more bytes."""
        while self.used + count > self._size and self._favoured != index:
            await self._change.wait()
        self.used += count

    def release(self, count: int) -> None:
        """Release *count* bytes."""
        self.used -= count
        self._wake()

    def favour(self, index: int | None) -> None:
        """Admit all bytes of the item at *index*, because the consumer is waiting for it."""
        if self._favoured != index:
            self._favoured = index
            self._wake()

    def _wake(self) -> None:
        self._change.set()
        self._change = anyio.Event()


class Turn:
    """
    One item, and the bytes that are reserved for it.

    Attributes:
        index: Its position in the items.
    """

    def __init__(self, budget: Budget, index: int, reserved: int) -> None:
        self.index = index
        self._budget = budget
        self._reserved = reserved

    async def expect(self, size: int | None) -> None:
        """Correct the reservation when the size is known; wait if it grows."""
        if size is None:
            return
        more = size + _OVERHEAD - self._reserved
        if more > 0:
            await self._budget.grow(self.index, more)
        elif more:
            self._budget.release(-more)
        self._reserved += more

    def end(self) -> None:
        """Release the whole reservation."""
        self._budget.release(self._reserved)
        self._reserved = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    Limits of the work ahead.

    Attributes:
        buffer_bytes: Bytes.
        total: Items in work.
        start: Items to skip.
        ordered: Whether results are taken in the order of the items.
    """

    buffer_bytes: int
    total: int
    start: int
    ordered: bool


class Ahead(Generic[T, R]):
    """
    Results of items, taken one after the other; `run_ahead` makes it.

    Attributes:
        position: Number of leading items that were all taken.
    """

    def __init__(
        self,
        group: TaskGroup,
        read: Callable[[T, Turn], Awaitable[R]],
        size_of: Callable[[T], int],
        bounds: Bounds,
    ) -> None:
        self.position: int = bounds.start
        self._group = group
        self._read = read
        self._size_of = size_of
        self._bounds = bounds
        self._budget = Budget(bounds.buffer_bytes)
        self._running: set[int] = set()
        self._ready: dict[int, tuple[Turn, R]] = {}
        self._taken: set[int] = set()
        self._held: Turn | None = None
        self._has_ended = False
        self._change = anyio.Event()

    async def feed(self, items: Iterable[T] | AsyncIterable[T]) -> None:
        """Start one item after the other, within the bounds."""
        index = -1
        async with aclosing(as_async(items)) as source:
            async for item in source:
                index += 1
                if index >= self._bounds.start:
                    await self._begin(index, item)
        self._has_ended = True
        self._wake()

    async def _begin(self, index: int, item: T) -> None:
        while len(self._running) >= self._bounds.total:
            await self._change.wait()
        reserved = self._size_of(item) + _OVERHEAD
        await self._budget.reserve(reserved)
        if not self._running:
            self._wake()  # the consumer may be waiting for this item
        self._running.add(index)
        self._group.start_soon(self._run, item, Turn(self._budget, index, reserved))

    async def _run(self, item: T, turn: Turn) -> None:
        result = await self._read(item, turn)
        self._running.remove(turn.index)
        self._ready[turn.index] = (turn, result)
        self._wake()

    async def next(self) -> R:
        """
        Take the next result, and release the previous one.

        Raises:
            StopAsyncIteration: If there are no more.
        """
        if self._held is not None:
            self._held.end()
            self._held = None
        while (index := self._deliverable()) is None:
            if self._has_ended and not self._running:
                raise StopAsyncIteration
            self._budget.favour(min(self._running, default=None))
            await self._change.wait()
        self._budget.favour(None)
        self._held, result = self._ready.pop(index)
        self._taken.add(index)
        while self.position in self._taken:
            self._taken.remove(self.position)
            self.position += 1
        return result

    def _deliverable(self) -> int | None:
        if self._bounds.ordered:
            return self.position if self.position in self._ready else None
        return next(iter(self._ready), None)

    def _wake(self) -> None:
        self._change.set()
        self._change = anyio.Event()


@asynccontextmanager
async def run_ahead(
    items: Iterable[T] | AsyncIterable[T],
    read: Callable[[T, Turn], Awaitable[R]],
    *,
    size_of: Callable[[T], int],
    bounds: Bounds,
) -> AsyncIterator[Ahead[T, R]]:
    """
    Run *read* for the items, ahead of the consumer of the results; leaving the block cancels running work.

    An exception of *read* or the input ends all work, and is raised from the block unchanged.

    Args:
        items: The items, taken when they can start.
        read: Returns the result of an item.
        size_of: Bytes to reserve for an item.
        bounds: Limits of the work ahead.
    """
    async with collapsed(), anyio.create_task_group() as group:
        ahead = Ahead(group, read, size_of, bounds)
        group.start_soon(ahead.feed, items)
        try:
            yield ahead
        finally:
            group.cancel_scope.cancel()
