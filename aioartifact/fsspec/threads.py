"""Calls from threads into an event loop."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

from fsspec.asyn import sync

P = ParamSpec("P")
T = TypeVar("T")


def wait_for(loop: Any, call: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Run a coroutine function in *loop*, and wait for its result.

    Raises:
        RuntimeError: If there is no loop: the file system was opened for coroutines.
        NotImplementedError: If this thread is that of the loop.
    """
    return cast("T", sync(loop, call, *args, **kwargs))


def start(loop: asyncio.AbstractEventLoop | None, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Start a coroutine function in *loop* without waiting for it; nothing, if the loop does not run any more."""
    if loop is not None and loop.is_running() and not sys.is_finalizing():
        asyncio.run_coroutine_threadsafe(call(), loop)
