"""
The engine of calls with many items.

Every public bulk function uses `bulk`: an item is pulled when a worker is free, a bounded number is in flight, each
becomes an outcome, and ``on_error`` decides about failures. `_transfer/accounting.py` counts and times each item. If
the server refuses the credentials, the remaining work of the call ends, see `_session/limits.py`.
"""

import os
import time
import warnings
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, NamedTuple, Self, TypeAlias, TypeVar

import aiohttp

from .._address import ItemURL, URLLike
from .._errors import ArtifactoryError, InvalidArgumentError
from .._options import check_choice, check_count, check_several, given_or
from .._progress import Progress
from .._reports import Outcome, Report
from .._scheduler import run_many
from .._session import state_of
from .._transfer.accounting import counted, failed, label_of, settle, tracked
from .session import using

T = TypeVar("T")

OnError: TypeAlias = Literal["raise", "stop", "collect"]
"""How a bulk call handles failures, see `Batch`."""


class Batch(Coroutine[Any, Any, Report]):
    """
    A bulk call that has not started yet: await it, or open it.

    Await it for a :class:`Report`::

        report = await download_many(urls, "data")

    It is a coroutine: ``asyncio.create_task``, ``gather``, ``wait_for`` and task groups accept it.

    Or open it, and process outcomes as they finish; leaving the block cancels the rest::

        async with download_many(urls, "data") as outcomes:
            async for outcome in outcomes:
                ...

    In both cases ``on_error`` decides about failures: ``"raise"`` finishes the other items, then raises one
    :class:`BatchError`; ``"stop"`` cancels them at the first failure, then raises; ``"collect"`` raises nothing, and
    reports failures as outcomes only.
    """

    def __init__(
        self,
        open_outcomes: Callable[[], AbstractAsyncContextManager[AsyncIterator[Outcome]]],
        on_error: OnError,
    ) -> None:
        self._open = open_outcomes
        self._on_error = on_error
        self._begun = 0.0
        self._block = AsyncExitStack()
        self._outcomes: AsyncIterator[Outcome] | None = None
        self._keeps_all = False
        self._kept: list[Outcome] = []
        self._stopped = False
        self._task: Coroutine[Any, Any, Report] | None = None

    def __repr__(self) -> str:
        state = "started" if self._begun else "not started"
        return f"<{type(self).__name__} {state}, on_error={self._on_error!r}>"

    def __await__(self) -> Generator[Any, None, Report]:
        return self._report().__await__()

    def send(self, value: Any) -> Any:
        """Continue to the next await; the event loop calls this."""
        return self._steps().send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error, such as a cancellation, at the current await; the event loop calls this."""
        return self._steps().throw(*error)

    def close(self) -> None:
        """Close the call. A call that was closed before its start issues no warning."""
        self._steps().close()

    def _steps(self) -> Coroutine[Any, Any, Report]:
        if self._task is None:
            self._task = self._report()
        return self._task

    async def _report(self) -> Report:
        self._keeps_all = True
        async with self:
            async for _ in self:
                pass
        return self._made()

    def _made(self) -> Report:
        return Report(tuple(self._kept), time.perf_counter() - self._begun)

    async def __aenter__(self) -> Self:
        if self._begun:
            raise InvalidArgumentError("this bulk call has already run", hint="make the call again")
        self._begun = time.perf_counter()
        self._outcomes = await self._block.enter_async_context(self._open())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._block.__aexit__(kind, error, traceback)
        if error is None and self._on_error != "collect":
            self._made().raise_for_failures()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        if self._outcomes is None:
            raise InvalidArgumentError("outcomes are taken inside the block", hint="async with ... as outcomes:")
        if self._stopped:
            raise StopAsyncIteration
        outcome = await anext(self._outcomes)
        if self._keeps_all or outcome.error:
            self._kept.append(outcome)
        self._stopped = outcome.error is not None and self._on_error == "stop"
        return outcome

    def __del__(self) -> None:
        if not self._begun and self._task is None:
            warnings.warn("a bulk call was made but neither awaited nor opened", RuntimeWarning, stacklevel=2)


class BulkOptions:
    """
    The validated arguments of all bulk calls.

    Raises:
        InvalidArgumentError: If one has an invalid value.
    """

    def __init__(
        self,
        name: str,
        max_concurrency: int | None,
        on_error: OnError,
        session: aiohttp.ClientSession | None,
        progress: Progress | None,
    ) -> None:
        if max_concurrency is not None:
            check_count("max_concurrency", max_concurrency)
        check_choice("on_error", on_error, ("raise", "stop", "collect"))
        self.name = name
        self.max_concurrency = max_concurrency
        self.on_error: OnError = on_error
        self.session = session
        self.progress = given_or("progress", progress, Progress())


@dataclass(frozen=True, slots=True)
class BulkCall:
    """
    A running bulk call.

    Attributes:
        session: The session, open until the call ends.
        concurrency: Items in flight.
        progress: Counts the items.
    """

    session: aiohttp.ClientSession
    concurrency: int
    progress: Progress


class Work(NamedTuple, Generic[T]):
    """
    The work of a bulk call.

    Attributes:
        items: The items, pulled when a worker is free.
        do: Processes one item; returns one outcome or several, which include its error.
        workers: Number of workers; None means one for each item in flight.
    """

    items: Iterable[T] | AsyncIterable[T]
    do: Callable[[T], Awaitable[Outcome | Sequence[Outcome]]]
    workers: int | None = None


def bulk(prepare: Callable[[BulkCall], AbstractAsyncContextManager[Work[T]]], options: BulkOptions) -> Batch:
    """Return a bulk call that does the work of the block that *prepare* opens."""

    @asynccontextmanager
    async def opened_outcomes() -> AsyncIterator[AsyncIterator[Outcome]]:
        async with using(options.session, options.name) as opened:
            call = BulkCall(
                opened, options.max_concurrency or state_of(opened).limits.max_concurrency, options.progress
            )
            async with (
                prepare(call) as (items, do, workers),
                run_many(items, do, max_concurrency=workers or call.concurrency) as results,
                aclosing(_one_by_one(results)) as outcomes,
            ):
                yield outcomes

    return Batch(opened_outcomes, options.on_error)


async def _one_by_one(results: AsyncIterable[Outcome | Sequence[Outcome]]) -> AsyncGenerator[Outcome, None]:
    async for result in results:
        if isinstance(result, Outcome):
            yield result
        else:
            for outcome in result:
                yield outcome


@dataclass(frozen=True, slots=True)
class Task:
    """
    The work for one item of `bulk_requests`.

    Attributes:
        item: The item that the outcome reports; unique within the call.
        do: Processes the item.
        source: URL of the source of a copy or a move, or None.
    """

    item: ItemURL
    do: Callable[[], Awaitable[Outcome]]
    source: str | None = None


def bulk_requests(
    items: Iterable[T] | AsyncIterable[T],
    task_of: Callable[[aiohttp.ClientSession, T], Task],
    options: BulkOptions,
    *,
    expected: str,
) -> Batch:
    """
    Return a bulk call that runs one task, without a transfer of bytes, for each item.

    Args:
        items: The argument of the caller.
        task_of: Returns the task of an item; raises if the item is malformed.
        options: The arguments of every bulk call.
        expected: Hint for the caller who passed a str.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable.
    """
    if isinstance(items, URLLike | os.PathLike):
        raise InvalidArgumentError(f"items is one {type(items).__name__}", hint=f"give {expected}")
    check_several("items", items)

    @asynccontextmanager
    async def prepare(call: BulkCall) -> AsyncIterator[Work[T]]:
        taken = set[ItemURL]()

        async def do(given: T) -> Outcome:
            started, url, source = time.perf_counter(), label_of(given), None
            try:
                task = task_of(call.session, given)
                url, source = str(task.item), task.source
                if task.item in taken:
                    raise InvalidArgumentError(f"{url}: another item of this call names it too")
            except ArtifactoryError as error:
                return settle(call.progress, failed(url, None, started, error, source))
            taken.add(task.item)
            return await tracked(call.progress, url, None, lambda _: task.do(), name=task.item.name, source=task.source)

        yield Work(counted(items, lambda _: 0, call.progress), do)

    return bulk(prepare, options)
