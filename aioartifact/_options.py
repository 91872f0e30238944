"""Settings of a session: frozen values with defaults."""

import os
from collections.abc import AsyncIterable, Collection, Iterable
from dataclasses import dataclass, fields
from math import inf
from typing import TypeVar

from ._address import has_surrogates
from ._errors import InvalidArgumentError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """
    Limits in seconds for waits without progress. The duration of a transfer is not limited.

    Attributes:
        connect: Opening a connection, including TLS.
        stall: Waiting for the next bytes of a file, received or accepted by the server. Also between an interim
            response (100, 102, 103) and the final one, and for the whole body of an error.
        reply: Waiting for a response after the request was sent, and for the next bytes of a response that is neither a
            file nor an error. In this time, the server runs a query, deletes, hashes or stores. A request that exceeds
            it is not retried, because the server may still be working. (TCP keep-alive detects a dead connection within
            about a minute.)
        credentials: A call of a credentials provider, including its requests.

    Raises:
        InvalidArgumentError: If a value is not a positive number.
    """

    connect: float = 30.0
    stall: float = 60.0
    reply: float = 600.0
    credentials: float = 30.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
                raise InvalidArgumentError(f"{item.name} timeout {value!r}: expected seconds above 0")


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Concurrency and rate limits.

    A transfer in flight uses about 4 MiB of memory (two batches of 1 MiB, and the buffers of its socket), so a bulk
    call uses about ``max_concurrency`` times that. If only a few large files are in flight, their batches are larger:
    up to 10 MiB each, and 30 MiB in total.

    Attributes:
        max_concurrency: Files, or ranges of large files, in flight in one bulk call. Up to 50 % more files may be
            downloaded and waiting to be committed.
        max_connections: Connections of the session, and the maximum of requests in flight to one server; their number
            adapts to the server.
        max_bytes_per_second: Bytes of all bodies that the session receives and sends; None for no limit.
        max_requests_per_second: Requests of the session to all servers; None for no limit.

    Raises:
        InvalidArgumentError: If a count is not an integer of at least 1, or a rate is not a finite number above 0.
    """

    max_concurrency: int = 16
    max_connections: int = 32
    max_bytes_per_second: float | None = None
    max_requests_per_second: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_concurrency", "max_connections"):
            check_count(name, getattr(self, name))
        for name in ("max_bytes_per_second", "max_requests_per_second"):
            _check_rate(name, getattr(self, name))


def _check_rate(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < inf:
        raise InvalidArgumentError(f"{name}={value!r}: expected a finite number above 0, or None for no limit")


def check_count(name: str, value: object) -> int:
    """
    Return *value* if it is an integer of at least 1.

    Raises:
        InvalidArgumentError: If it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidArgumentError(f"{name}={value!r}: expected a whole number of at least 1")
    return value


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """
    Check that *value* is one of *choices*.

    Raises:
        InvalidArgumentError: If it is not.
    """
    if value not in choices:
        raise InvalidArgumentError(f"{name}={value!r}: expected one of {', '.join(map(repr, choices))}")


def check_texts(**values: object) -> None:
    """
    Check that each of *values* is None, or a non-empty text that can be sent.

    Raises:
        InvalidArgumentError: If one is not.
    """
    for name, value in values.items():
        if value is None:
            continue
        if not isinstance(value, str) or not value:
            raise InvalidArgumentError(f"{name}={value!r}: expected a text", hint="None leaves it out")
        if has_surrogates(value):
            raise InvalidArgumentError(f"{name}={value!r}: UTF-8 cannot express it")


def given_or(name: str, value: T | None, default: T) -> T:
    """
    Return *value*, or *default* for None; check that it has the type of *default*.

    Raises:
        InvalidArgumentError: If *value* has another type.
    """
    if value is None:
        return default
    if not isinstance(value, type(default)):
        raise InvalidArgumentError(f"{name} is a {type(value).__name__}; expected a {type(default).__name__}")
    return value


def check_several(name: str, values: object) -> None:
    """
    Check that *values* is iterable.

    Raises:
        InvalidArgumentError: If they cannot.
    """
    if not isinstance(values, Iterable | AsyncIterable):
        raise InvalidArgumentError(f"{name} is a {type(values).__name__}; expected several, such as a list")


def check_path(name: str, value: object, *, is_folder: bool = False) -> str:
    """
    Return *value* as a path of type str, with a leading ``~`` expanded.

    Args:
        name: Name of the argument, for messages.
        value: The path.
        is_folder: Whether the path is always that of a folder.

    Raises:
        InvalidArgumentError: If it is empty, has a NUL, or is neither ``str`` nor a path object.
    """
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else value
    if not isinstance(path, str):
        raise InvalidArgumentError(f"{name} is a {type(value).__name__}; expected a str or a path object")
    if not path:
        raise InvalidArgumentError(f"{name} is empty", hint="write '.' for the current folder" if is_folder else None)
    if "\0" in path:
        raise InvalidArgumentError(f"{name} {path!r}: no path has a NUL character")
    return os.path.expanduser(path)  # noqa: PTH111  # keeps a slash at the end, and a name of no user
