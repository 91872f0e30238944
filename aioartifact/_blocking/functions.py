"""
Public functions for code that blocks.

Each is made from the asynchronous one: its arguments are converted, it runs in the event loop, and what it returns is
converted back. No function is written twice.
"""

import inspect
import os
import re
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing
from functools import wraps
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import aiohttp

from .._address import URLLike
from .._api.bulk import Batch
from .._api.session import SessionOpening as AsyncSessionOpening
from .._listing import FileListing as AsyncFileListing
from .._listing import Listing as AsyncListing
from .._listing import Results as AsyncResults
from .._reports import Report
from .._transfer.receive.file_stream import FileStream as AsyncFileStream
from .._transfer.receive.remote_file import RemoteFile as AsyncRemoteFile
from .loop import Lease
from .tasks import Caller, call
from .values import (
    FileListing,
    FileStream,
    Iteration,
    Listing,
    Opening,
    Outcomes,
    RemoteFile,
    Results,
    Session,
    SessionOpening,
    one_of,
)

# Iterables that cannot block: others are read in the thread that makes the call, as its own loops would read them.
_VALUES = (list, tuple, set, frozenset, dict, deque, URLLike, os.PathLike, bytes)
_END = object()
_WRAPPERS: dict[type, Callable[..., object]] = {AsyncFileStream: FileStream, AsyncRemoteFile: RemoteFile}

_TYPES: dict[Any, Any] = {
    AbstractAsyncContextManager: AbstractContextManager,
    AsyncFileListing: FileListing,
    AsyncFileStream: FileStream,
    AsyncListing: Listing,
    AsyncRemoteFile: RemoteFile,
    AsyncResults: Results,
    Batch: Report,
    aiohttp.ClientSession: Session,
}

_twins: dict[type, type] = {}
_originals: dict[type, type] = {}


def register_twin(original: type, twin: type) -> None:
    """Have calls return values of *twin*, a subclass with the same attributes, where they would return *original*."""
    _twins[original] = twin
    _originals[twin] = original
    _TYPES[original] = twin


def needs_event_loop(function: Callable[..., object]) -> bool:
    """Whether a public function sends requests, now or later; others are the same for code that blocks."""
    if inspect.iscoroutinefunction(function) or "session" in inspect.signature(function).parameters:
        return True
    result = get_type_hints(function).get("return")
    return (get_origin(result) or result) is AbstractAsyncContextManager


def is_bulk(function: Callable[..., object]) -> bool:
    """Whether a public function returns a `Batch`."""
    return get_type_hints(function).get("return") is Batch


def blocking_function(function: Callable[..., object], *, iterates: bool = False) -> Callable[..., Any]:
    """
    Return *function* as one that blocks.

    Args:
        function: A public function that needs an event loop.
        iterates: Whether a bulk call returns its outcomes one by one, not a report.
    """
    lazy = _lazy_parameters(function)

    @wraps(function)
    def blocking(*args: Any, **kwargs: Any) -> Any:
        return invoke(function, args, kwargs, lazy=lazy, iterates=iterates)

    vars(blocking)["__signature__"] = _blocking_signature(function, Outcomes if iterates else None)
    blocking.__module__ = "aioartifact.blocking"
    blocking.__doc__ = blocking_text(function.__doc__ or "")
    if iterates:
        blocking.__name__ = blocking.__qualname__ = f"iter_{function.__name__}"
        blocking.__doc__ = f"Yield the outcomes of :func:`{function.__name__}` as they finish.\n\n{blocking.__doc__}"
    return blocking


def _blocking_signature(function: Callable[..., object], result: type | None) -> inspect.Signature:
    """Return the signature of *function* with the types of code that blocks, and *result* unless it is None."""
    signature = inspect.signature(function)
    returns = _blocking_type(signature.return_annotation) if result is None else result
    if get_origin(returns) is AsyncIterator:
        returns = AbstractContextManager[get_args(returns)]  # type: ignore[misc]  # of a decorated generator
    parameters = [each.replace(annotation=_blocking_type(each.annotation)) for each in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=returns)


def _blocking_type(annotation: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is UnionType:
        return Union[tuple(map(_blocking_type, arguments))]  # noqa: UP007  # of a tuple
    if origin in _TYPES and arguments:
        return _TYPES[origin][tuple(map(_blocking_type, arguments))]
    return _TYPES.get(annotation, annotation) if isinstance(annotation, Hashable) else annotation


def _lazy_parameters(function: Callable[..., object]) -> frozenset[int | str]:
    """Return the names and positions of parameters that accept asynchronous iterables."""
    return frozenset(
        key
        for position, parameter in enumerate(inspect.signature(function).parameters.values())
        if any(get_origin(each) is AsyncIterable for each in get_args(parameter.annotation))
        for key in (position, parameter.name)
    )


def invoke(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    lazy: Collection[int | str] = (),
    iterates: bool = False,
    in_loop: bool = False,
) -> Any:
    """
    Call *function* for code that blocks.

    Args:
        function: A function of this library that needs an event loop.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        lazy: Positions and names of arguments that are read one by one.
        iterates: Whether a bulk call returns its outcomes one by one, not a report.
        in_loop: Whether it needs the event loop though it is not a coroutine function and gets no session.
    """
    caller = Caller()
    positional = [_converted(value, caller, is_lazy=number in lazy) for number, value in enumerate(args)]
    named = {name: _converted(value, caller, is_lazy=name in lazy) for name, value in kwargs.items()}

    async def work() -> object:
        result = function(*positional, **named)
        return await result if inspect.iscoroutine(result) else result

    has_session = any(isinstance(value, Session) for value in (*args, *kwargs.values()))
    in_loop = in_loop or has_session or inspect.iscoroutinefunction(function)
    if in_loop:
        with Lease():  # the event loop must not end before a session that is opened holds its own lease
            return _finished(call(work, caller), caller, iterates=iterates)
    return _finished(function(*positional, **named), caller, iterates=iterates)


def _finished(result: Any, caller: Caller, *, iterates: bool) -> Any:
    if isinstance(result, Batch):
        return Outcomes(result, caller) if iterates else call(lambda: result, caller)
    return adapted(result)


def _converted(value: Any, caller: Caller, *, is_lazy: bool) -> Any:
    if isinstance(value, Session):
        return value.session
    if (original := _originals.get(type(value))) is not None:
        return with_class(value, original)
    if is_lazy and isinstance(value, Iterable) and not isinstance(value, (*_VALUES, AsyncIterable)):
        return _read_in_caller(value, caller)
    return value


async def _read_in_caller(values: Iterable[Any], caller: Caller) -> AsyncGenerator[Any, None]:
    """Read *values* in the thread that waits for the event loop: it may block, and what it uses may belong there."""
    iterator: Iterator[Any] = await caller.run(lambda: iter(values))
    while (value := await caller.run(lambda: next(iterator, _END))) is not _END:
        yield value


def adapted(result: Any) -> Any:
    """Return what replaces *result* in code that blocks."""
    if isinstance(result, AsyncFileListing):
        return FileListing(result)
    if isinstance(result, AsyncListing):
        return Listing(result)
    if isinstance(result, AsyncResults):
        return Results(result)
    if isinstance(result, aiohttp.ClientSession):
        return Session(result)
    if isinstance(result, AsyncSessionOpening):
        return SessionOpening(result.open)
    if isinstance(result, AbstractAsyncContextManager):
        return Opening(result, lambda value, block: _WRAPPERS[type(value)](value, block))
    if isinstance(result, AsyncGenerator):
        return Iteration(aclosing(result), one_of(_each_adapted(result)))
    twin = _twins.get(type(result))
    return result if twin is None else with_class(result, twin)


async def _each_adapted(values: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    async for value in values:
        yield adapted(value)


def with_class(value: Any, cls: type) -> Any:
    """Return a copy of *value* as an instance of *cls*, which has the same slots."""
    copy: Any = object.__new__(cls)
    for base in type(value).__mro__:
        for name in getattr(base, "__slots__", ()):
            object.__setattr__(copy, name, getattr(value, name))
    return copy


_REWRITTEN = (
    (re.compile(r"\basync (?=for|with)"), ""),
    (re.compile(r"\bawait (?=\w)"), ""),
    (re.compile(r"\baioartifact\.(?=\w+\()"), "blocking."),
    (re.compile(r"\b[Aa]n? async(hronous)? iterator"), "An iterator"),
    (re.compile(r"``aiohttp.ClientSession``"), "session of this module"),
)


def blocking_text(text: str) -> str:
    """Return the docstring of an asynchronous function for one that blocks."""
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    return text
