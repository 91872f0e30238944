"""The two faces of a bulk call: awaited for its report, or opened for its outcomes."""

import time
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from .._errors import InvalidArgumentError
from .._reports import Outcome, Report

OnError: TypeAlias = Literal["raise", "stop", "collect"]
"""What becomes of failures in a bulk call, see `Batch`."""


class Batch(Coroutine[Any, Any, Report]):
    """
    A bulk call that has not begun yet; it has two faces.

    Await it for a :class:`Report`::

        report = await download_many(urls, "data")

    It is a coroutine: ``asyncio.create_task``, ``gather``, ``wait_for`` and a task group take it as one.

    Or open it and take outcomes as they finish; leaving the block cancels what still runs::

        async with download_many(urls, "data") as outcomes:
            async for outcome in outcomes:
                ...

    Either way ``on_error`` decides about failures: ``"raise"`` finishes the rest and then raises one
    :class:`BatchError`; ``"stop"`` cancels the rest at the first failure and raises it; ``"collect"`` raises
    nothing and leaves the failures in the outcomes.
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
        state = "begun" if self._begun else "not begun"
        return f"<{type(self).__name__} {state}, on_error={self._on_error!r}>"

    def __await__(self) -> Generator[Any, None, Report]:
        return self._report().__await__()

    def send(self, value: Any) -> Any:
        """Go on to the next await; the event loop calls this."""
        return self._steps().send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error, such as a cancellation, where the call waits; the event loop calls this."""
        return self._steps().throw(*error)

    def close(self) -> None:
        """End the call where it stands; one that never began will not warn of it."""
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
