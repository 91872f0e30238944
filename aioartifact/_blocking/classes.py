"""Classes with methods that send requests, for code that blocks."""

import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import Any, TypeVar, get_origin, get_type_hints

from .._address import ItemURL
from .._api.path import ArtifactoryPath as AsyncPath
from .._cache import Cache as AsyncCache
from .._lookup import Lookup as AsyncLookup
from .functions import blocking_text, invoke, register_twin, with_class

C = TypeVar("C", bound=type)


def _blocking_class(cls: C) -> C:
    """Make the methods of *cls* block that need an event loop in its base class, and have calls return *cls*."""
    (original,) = cls.__bases__
    for name, member in vars(original).items():
        if not name.startswith("_") and needs_event_loop(member):
            setattr(cls, name, _blocking_member(original, name, member))
    cls.__doc__ = blocking_text(original.__doc__ or "")
    cls.__module__ = "aioartifact.blocking"
    register_twin(original, cls)
    return cls


def needs_event_loop(member: object) -> bool:
    """Whether a method sends requests, or works on a session."""
    function = member.__func__ if isinstance(member, classmethod) else member
    if not inspect.isfunction(function):
        return False
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return True
    # A method that returns a context manager, or that checks a session, or parses a URL for one.
    result = get_type_hints(function).get("return")
    return get_origin(result) is AbstractAsyncContextManager or bool({"session", "other"} & {*_parameters(function)})


def _parameters(function: Callable[..., object]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def _blocking_member(original: type, name: str, member: Any) -> Any:
    """Return a method that calls that of *original* on a copy of the object: those methods call each other."""
    if isinstance(member, classmethod):

        @wraps(member.__func__)
        def method_of_class(cls: type, *args: Any, **kwargs: Any) -> Any:
            return invoke(getattr(original, name), args, kwargs)

        method_of_class.__doc__ = blocking_text(member.__func__.__doc__ or "")
        return classmethod(method_of_class)

    is_simple = not inspect.isasyncgenfunction(member) and not inspect.iscoroutinefunction(member)

    @wraps(member)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return invoke(member, (with_class(self, original), *args), kwargs, in_loop=is_simple)

    method.__doc__ = blocking_text(member.__doc__ or "")
    return method


@_blocking_class
class ArtifactoryPath(AsyncPath):
    __slots__ = ()

    def __reduce__(self) -> tuple[Callable[[ItemURL, bool], "ArtifactoryPath"], tuple[ItemURL, bool]]:
        return _unpickled, (self._item, self._names_folder)


def _unpickled(item: ItemURL, names_folder: bool) -> ArtifactoryPath:
    return ArtifactoryPath(item, names_folder=names_folder)


@_blocking_class
class Lookup(AsyncLookup):
    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        table = invoke(AsyncLookup, args, kwargs)
        for name in AsyncLookup.__slots__:
            setattr(self, name, getattr(table, name))


@_blocking_class
class Cache(AsyncCache):
    __slots__ = ()


BLOCKING_CLASSES = frozenset({ArtifactoryPath.__name__, Cache.__name__, Lookup.__name__})
