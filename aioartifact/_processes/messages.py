"""What goes through the pipes between the processes, and how its bytes are told apart: no pipe is touched here."""

import pickle
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import aiohttp

from .._address import ServerURL
from .._errors import ArtifactoryError
from .._progress import EventKind, Finish, Progress
from .._session import PackedCredentials, SessionDescription

# Bytes of the length that stands before each message.
_PREFIX = 4


class Work(Protocol):
    """What is to be done with jobs: a value that can be pickled, as can its jobs and their results."""

    def settled(self, job: Any) -> Any:
        """The result of a *job* that no process is needed for, or None."""
        ...

    def server(self, job: Any) -> ServerURL:
        """The server that *job* needs credentials for."""
        ...

    def lost(self, job: Any, error: ArtifactoryError, progress: Progress) -> Any:
        """Return the result of a *job* that no process has finished, because of *error*."""
        ...

    def opened(
        self, session: aiohttp.ClientSession, progress: Progress
    ) -> AbstractAsyncContextManager[Callable[[Any], Awaitable[Any]]]:
        """Yield the function that does a job; this and what it calls run in the processes."""
        ...


@dataclass(frozen=True, slots=True)
class Begin:
    """
    First message to a process: what it needs to know.

    Attributes:
        session: How to open a session.
        work: What to do.
        max_concurrency: Jobs at a time.
        is_heard: Whether somebody listens to the progress.
        uses_uvloop: Whether the caller's event loop is uvloop's.
    """

    session: SessionDescription
    work: Work
    max_concurrency: int
    is_heard: bool
    uses_uvloop: bool


@dataclass(frozen=True, slots=True)
class Jobs:
    """
    Message to a process: jobs, each with its number, and credentials it has not been told before.

    Attributes:
        jobs: Jobs by number.
        credentials: Credentials of servers that no earlier message named.
    """

    jobs: dict[int, Any]
    credentials: PackedCredentials = field(repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """Last message to a process: there are no more jobs."""


@dataclass(frozen=True, slots=True)
class Ready:
    """First message from a process: it could be started, and has read what it needs to know."""


Told: TypeAlias = tuple[EventKind, str, int, int | None, int]


@dataclass(slots=True)
class Moves:
    """
    What happened to the progress since the last message.

    Attributes:
        bytes: Bytes expected and bytes moved, by number of the job.
        finished: Files finished, and the bytes that left the total with each.
        started: Names of files that are in flight now.
        ended: Names of files that are not any more.
        told: What a sink is to be told: the number of the job, and the arguments of `Progress.tell`.
    """

    bytes: dict[int, tuple[int, int]] = field(default_factory=dict)
    finished: list[tuple[Finish, int]] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    told: list[tuple[int, Told]] = field(default_factory=list)


@dataclass(slots=True)
class Done:
    """
    Message from a process: jobs that are done, and progress.

    Attributes:
        results: Results by number of the job.
        moves: Progress of these jobs and of others.
        refused: Servers that have refused their credentials, and with which status.
    """

    results: dict[int, Any] = field(default_factory=dict)
    moves: Moves = field(default_factory=Moves)
    refused: dict[ServerURL, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raised:
    """
    Last message from a process: an error that ends the whole call.

    Attributes:
        error: What was raised.
    """

    error: Exception


ToProcess: TypeAlias = Begin | Jobs | End
FromProcess: TypeAlias = Ready | Done | Raised


def encode(message: ToProcess | FromProcess) -> bytes:
    """Write *message* as bytes that tell where they end."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(_PREFIX, "big") + content


class Decoder:
    """Finds messages in bytes, however these are cut. It trusts them: both ends of the pipe are ours."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take more bytes, and yield the messages that are complete."""
        self._bytes += data
        while (end := self._end()) is not None:
            message = bytes(self._bytes[_PREFIX:end])
            del self._bytes[:end]
            yield pickle.loads(message)  # noqa: S301  # nobody else can write to the pipe

    def _end(self) -> int | None:
        if len(self._bytes) < _PREFIX:
            return None
        end = _PREFIX + int.from_bytes(self._bytes[:_PREFIX], "big")
        return end if len(self._bytes) >= end else None
