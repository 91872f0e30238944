"""Settings of a session: small frozen values, each usable without arguments."""

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
    How long to wait for a sign of life, in seconds. There is no limit on the whole of a transfer.

    Attributes:
        connect: To open a connection, TLS included.
        stall: Without a single byte of a file arriving, or being accepted by the server; also from an interim response
            (100, 102, 103) to the request until the final one, and for the body of a refusal in all, whose status
            counts without it.
        reply: From the last byte of a request to the first of its response, and without a byte of any response that
            is not a file or a refusal. The server runs a query, deletes, hashes or stores in that time. A request whose
            response does not begin in time is not repeated: the server may still work on it. Where the other end of the
            connection is gone, TCP keep-alive notices that within about a minute.
        credentials: For a provider to return credentials, all requests that it sends for them included.

    Raises:
        InvalidArgumentError: A value is not a positive number.
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
    How much happens at once.

    A transfer in flight costs about 4 MiB of memory (two batches of 1 MiB, and the buffers of its socket), so a bulk
    call costs about ``max_concurrency`` times that. A few large files get larger batches: up to 10 MiB each, and 30 MiB
    in all.

    Attributes:
        max_concurrency: Files whose bytes arrive at a time in one bulk call; where there are fewer, parts of large ones
            take their places. Half as many more may be here and on their way into their folder.
        max_connections: Sockets the session opens in all, and requests in flight to one server at most; how many
            there are, up to that, is found out by what the server makes of them.
        max_bytes_per_second: Bytes of bodies, of all downloads and uploads of the session together; None is no
            limit.
        max_requests_per_second: Requests of the session, to whichever server; None is no limit.

    Raises:
        InvalidArgumentError: A count is not a whole number of at least 1, or a rate is not a finite number above 0.
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
    Return *value* if it is a whole number of at least 1.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidArgumentError(f"{name}={value!r}: expected a whole number of at least 1")
    return value


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """
    Make sure *value* is one of *choices*.

    Raises:
        InvalidArgumentError: It is not.
    """
    if value not in choices:
        raise InvalidArgumentError(f"{name}={value!r}: expected one of {', '.join(map(repr, choices))}")


def check_texts(**values: object) -> None:
    """
    Make sure that each of *values* is a text that is not empty and can be sent, or None.

    Raises:
        InvalidArgumentError: One is not.
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
    Return *value*, which is to be of the type of *default*; or *default* in place of None.

    Raises:
        InvalidArgumentError: *value* is something else.
    """
    if value is None:
        return default
    if not isinstance(value, type(default)):
        raise InvalidArgumentError(f"{name} is a {type(value).__name__}; expected a {type(default).__name__}")
    return value


def check_several(name: str, values: object) -> None:
    """
    Make sure *values* can be iterated over.

    Raises:
        InvalidArgumentError: They cannot.
    """
    if not isinstance(values, Iterable | AsyncIterable):
        raise InvalidArgumentError(f"{name} is a {type(values).__name__}; expected several, such as a list")


def check_path(name: str, value: object, *, is_folder: bool = False) -> str:
    """
    Return *value* as text if it can be the path of a file or a folder; a leading ``~`` becomes the home folder.

    Args:
        name: Name of the argument, for messages.
        value: The path.
        is_folder: Whether it is always the path of a folder.

    Raises:
        InvalidArgumentError: It is empty, has a NUL, or is neither ``str`` nor a path object.
    """
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else value
    if not isinstance(path, str):
        raise InvalidArgumentError(f"{name} is a {type(value).__name__}; expected a str or a path object")
    if not path:
        raise InvalidArgumentError(f"{name} is empty", hint="write '.' for the current folder" if is_folder else None)
    if "\0" in path:
        raise InvalidArgumentError(f"{name} {path!r}: no path has a NUL character")
    return os.path.expanduser(path)  # noqa: PTH111  # keeps a slash at the end, and a name of no user
