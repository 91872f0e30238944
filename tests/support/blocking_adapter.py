"""
A pytest plugin: tests of the public functions call those of `aioartifact.blocking`, each in a thread of its own.

It replaces the functions in `aioartifact` by asynchronous ones with the same names, which only wait for the thread.
"""

import inspect
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread

import aioartifact
from aioartifact import blocking
from aioartifact._blocking.functions import is_bulk, needs_event_loop

_END = object()


class Iterated:
    """An iterator of blocking code, as an asynchronous iterator and context manager."""

    def __init__(self, values):
        self._values = values

    def __getattr__(self, name):
        return getattr(self._values, name)

    def __repr__(self):
        return repr(self._values)

    def __aiter__(self):
        return self

    async def __anext__(self):
        value = await in_thread(next, self._values, _END)
        if value is _END:
            raise StopAsyncIteration
        return value

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback):
        await in_thread(self._values.__exit__, kind, error, traceback)

    async def aclose(self):
        await in_thread(self._values.close)


class BulkCall:
    """A bulk call of blocking code: awaited for its report, or opened for its outcomes."""

    def __init__(self, name, args, kwargs):
        self._call = partial(getattr(blocking, name), *args, **kwargs)
        self._outcomes = Iterated(getattr(blocking, f"iter_{name}")(*args, **kwargs))  # raises for bad arguments

    def __await__(self):
        self._outcomes._block._manager.close()  # or the call would warn that it was not made
        return in_thread(self._call).__await__()

    async def __aenter__(self):
        return self._outcomes

    async def __aexit__(self, *error):
        return await self._outcomes.__aexit__(*error)


async def in_thread(function, *args):
    return await anyio.to_thread.run_sync(partial(function, *args))


@asynccontextmanager
async def opened(block):
    """Open a context manager of blocking code."""
    value = await in_thread(block.__enter__)
    try:
        yield Iterated(value) if isinstance(value, blocking.FileStream) else value
    except BaseException as error:
        await in_thread(block.__exit__, type(error), error, None)
        raise
    else:
        await in_thread(block.__exit__, None, None, None)


def adapted(name, function):
    """Return the asynchronous function that calls the blocking one."""
    blocking_one = getattr(blocking, name)

    async def awaited(*args, **kwargs):
        return await in_thread(partial(blocking_one, *args, **kwargs))

    def bulk(*args, **kwargs):
        return BulkCall(name, args, kwargs)

    def other(*args, **kwargs):
        result = blocking_one(*args, **kwargs)
        if isinstance(result, blocking.Results):
            return Iterated(result)
        return opened(result) if hasattr(result, "__enter__") and not isinstance(result, blocking.Session) else result

    return awaited if inspect.iscoroutinefunction(function) else bulk if is_bulk(function) else other


def pytest_configure():
    for name in blocking.__all__:  # before any of them is replaced
        getattr(blocking, name)
    originals = {name: getattr(aioartifact, name) for name in aioartifact.__all__}
    functions = {name: value for name, value in originals.items() if inspect.isfunction(value)}
    vars(aioartifact).update(
        {name: adapted(name, function) for name, function in functions.items() if needs_event_loop(function)}
    )
