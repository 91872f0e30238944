"""Results of blocking functions, in place of awaitables and async iterators."""

import atexit
import errno
import io
import os
import warnings
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar
from weakref import WeakSet

import aiohttp

from .._api.bulk import Batch
from .._listing import Entry, Method
from .._listing import Listing as AsyncListing
from .._listing import Results as AsyncResults
from .._models import FileInfo
from .._reports import Outcome
from .._transfer.receive.file_stream import FileStream as AsyncFileStream
from .._transfer.receive.remote_file import RemoteFile as AsyncRemoteFile
from .loop import Lease, run_aside
from .tasks import Block, Caller, call

T = TypeVar("T")
R = TypeVar("R")

_BUFFER = 64 * 1024


class Session:
    """
    An open session for blocking calls; returned by :func:`session`, :func:`open_session` and :func:`with_credentials`.

    Any number of threads of one process may use it at once.
    """

    __module__ = "aioartifact.blocking"

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self._lease = Lease()
        self._process = os.getpid()
        self._is_closed = False
        _open_sessions.add(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'closed' if self._is_closed else 'open'}>"

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._is_closed

    def close(self) -> None:
        """Close its connections; further calls do nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        _open_sessions.discard(self)
        if self._process == os.getpid():  # else its event loop is in the process that opened it
            _close(self.session, self._lease)

    def __del__(self) -> None:
        if not self._is_closed and self._process == os.getpid():
            warnings.warn("a session was not closed", ResourceWarning, stacklevel=2, source=self)
            run_aside(partial(_close, self.session, self._lease))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _close(session: aiohttp.ClientSession, lease: Lease) -> None:
    try:
        call(session.close)
    finally:
        lease.release()


_open_sessions: WeakSet[Session] = WeakSet()


@atexit.register
def _close_sessions() -> None:
    """Close the sessions that are still open when the interpreter exits."""
    for session in list(_open_sessions):
        session.close()


def one_of(values: AsyncIterator[T]) -> Callable[[], Awaitable[list[T]]]:
    """Return a function that awaits the next of *values*, as a list, which is empty at the end."""

    async def take() -> list[T]:
        try:
            return [await anext(values)]
        except StopAsyncIteration:
            return []

    return take


class Iteration(Iterator[T]):
    """
    The values of an async iterator, for ``for`` loops of any thread.

    Args:
        source: Opens the iterator; entered when the first value is requested.
        take: Awaits the next values; none at the end.
        caller: Runs functions of the event loop in the threads that wait for a value.
    """

    def __init__(
        self,
        source: AbstractAsyncContextManager[object],
        take: Callable[[], Awaitable[list[T]]],
        caller: Caller | None = None,
    ) -> None:
        self._block: Block[object] = Block(source, caller)
        self._take = take
        self._waiting: deque[T] = deque()
        self._has_begun = False
        self._is_over = False
        self._turn = RLock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        with self._turn:
            if not self._waiting and not self._is_over:
                self._waiting.extend(self._next_values())
            if not self._waiting:
                raise StopIteration
            return self._waiting.popleft()

    def _next_values(self) -> list[T]:
        try:
            if not self._has_begun:
                self._has_begun = True
                self._block.enter()
            values = self._block.run(self._take)
        except BaseException:
            self._end(is_cancelled=True)
            raise
        if not values:
            self._end()
        return values

    def _end(self, *, is_cancelled: bool = False) -> None:
        self._is_over = True
        self._waiting.clear()
        self._block.leave(is_cancelled=is_cancelled)

    def close(self) -> None:
        """End the iteration, and cancel what is still running."""
        with self._turn:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._turn:
            self._end(is_cancelled=error is not None)

    def __del__(self) -> None:
        self._block.discard()


class Results(Iteration[T]):
    """
    Results as they arrive: iterate over them with ``for``.

    No request is sent before the first result is requested. The connection is closed if the loop ends early, and at the
    end of a ``with`` block.

    Attributes:
        is_complete: Whether all results that the user may see have arrived. False until the end is reached, after an
            error, and if *is_doubtful*.
    """

    __module__ = "aioartifact.blocking"

    def __init__(self, results: AsyncResults[T]) -> None:
        super().__init__(results, results._next_results)  # noqa: SLF001  # its counterpart
        self._results = results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(is_complete={self.is_complete}, is_doubtful={self.is_doubtful})"

    @property
    def is_complete(self) -> bool:
        return self._results.is_complete and not self._waiting

    @property
    def is_doubtful(self) -> bool:
        """Whether the server may have omitted results without notice."""
        return self._results.is_doubtful


class Listing(Results[Entry]):
    """The entries of a tree, :class:`FileInfo` and :class:`FolderInfo`, as they arrive; see :class:`Results`."""

    __module__ = "aioartifact.blocking"
    _results: AsyncListing

    def __repr__(self) -> str:
        return f"{type(self).__name__}(method={self.method!r}, is_complete={self.is_complete})"

    @property
    def method(self) -> Method | None:
        """The listing method, ``"file-list"``, ``"aql"`` or ``"folders"``; None before the first entry."""
        return self._results.method

    def _repr_html_(self) -> str:
        return self._results._repr_html_()  # its counterpart


class FileListing(Listing):
    """The files of a tree as they arrive: a :class:`Listing` of :class:`FileInfo` only, for type checkers."""

    __module__ = "aioartifact.blocking"

    if TYPE_CHECKING:

        def __next__(self) -> FileInfo: ...


class Outcomes(Iteration[Outcome]):
    """
    The outcomes of a bulk call as they finish: iterate over them with ``for``.

    The call starts when the first outcome is requested. If the loop ends early, the rest is cancelled. With
    ``on_error="raise"`` and ``"stop"``, the error is raised at the end of the loop, or of the ``with`` block around it.
    """

    __module__ = "aioartifact.blocking"

    def __init__(self, batch: Batch, caller: Caller) -> None:
        super().__init__(batch, one_of(batch), caller)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'ended' if self._is_over else 'begun' if self._has_begun else 'not begun'}>"


class FileStream(Iterator[bytes]):
    """
    The bytes of a file, or of a part of it, as they arrive; returned by :func:`stream`.

    An iterator of non-empty chunks. The attributes are available before the first chunk.

    Attributes:
        info: The file as described by the header fields of the response; other attributes are None.
        status: 200 for the whole file; 206 for a part of it; 304 without bytes, if the file has the ETag
            *if_none_match*; 416 without bytes, if the range starts at or after the end of the file.
        etag: ETag of the content, for a later *if_none_match*; None if the server does not send one.
        content_range: Value of a ``Content-Range`` header field, for 206 and 416; None for other statuses, and if the
            size of the file is not known.
        content_length: Number of bytes; None if not known.
    """

    __module__ = "aioartifact.blocking"

    def __init__(self, stream: AsyncFileStream, block: Block[AsyncFileStream]) -> None:
        self.info: FileInfo = stream.info
        self.status: int = stream.status
        self.etag: str | None = stream.etag
        self.content_range: str | None = stream.content_range
        self.content_length: int | None = stream.content_length
        self._block = block
        self._take = one_of(stream)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.info.url!r}, status={self.status}, content_length={self.content_length})"

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        for chunk in self._block.run(self._take):
            return chunk
        raise StopIteration


class RemoteFile(io.BufferedReader):
    """
    A file on the server, open for reading; returned by :func:`open`.

    A binary file object like those of the built-in ``open()``, for ``zipfile``, ``json.load()`` or pandas. Bytes are
    requested in blocks of 256 KiB; the last 4 MiB are cached.

    Attributes:
        url: URL of the file, percent-encoded.
        size: Size in bytes.
        info: The file as described by the header fields of the first response; other attributes are None.
        etag: ETag of the content, for a later *if_none_match* of :func:`stream`; None if the server does not send one.
    """

    __module__ = "aioartifact.blocking"

    def __init__(self, file: AsyncRemoteFile, block: Block[AsyncRemoteFile]) -> None:
        super().__init__(_RawFile(file, block), _BUFFER)
        self.url: str = file.url
        self.size: int = file.size
        self.info: FileInfo = file.info
        self.etag: str | None = file.etag

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, size={self.size})"

    @property
    def name(self) -> str:
        """Name of the file, not encoded."""
        return str(getattr(self.raw, "name"))  # noqa: B009  # types of the standard library do not have it


class _RawFile(io.RawIOBase):
    def __init__(self, file: AsyncRemoteFile, block: Block[AsyncRemoteFile]) -> None:
        self.name = file.name
        self._file = file
        self._block = block
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}
        if whence not in bases:
            raise ValueError(f"whence={whence!r}: expected os.SEEK_SET, os.SEEK_CUR or os.SEEK_END")
        if bases[whence] + offset < 0:
            # As files do; the standard library relies on it.
            raise OSError(errno.EINVAL, f"seek to {bases[whence] + offset}: before the start of the file")
        self._position = bases[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readall(self) -> bytes:
        return self._read(-1)

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # io passes a memoryview
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        async def read() -> bytes:
            await self._file.seek(self._position)
            return await self._file.read(size)

        data = self._block.run(read)
        self._position += len(data)
        return data


class Opening(AbstractContextManager[R], Generic[T, R]):
    """
    Opens something for a ``with`` block.

    Args:
        manager: Opens it in the event loop.
        wrap: Makes the value that the ``with`` block gets; calls of that value run in the same task.
    """

    def __init__(self, manager: AbstractAsyncContextManager[T], wrap: Callable[[T, Block[T]], R]) -> None:
        self._block = Block(manager)
        self._wrap = wrap

    def __enter__(self) -> R:
        return self._wrap(self._block.enter(), self._block)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._block.leave(is_cancelled=error is not None)

    def __del__(self) -> None:
        self._block.discard()


class SessionOpening(AbstractContextManager[Session]):
    """Opens a session for a ``with`` block."""

    def __init__(self, open_: Callable[[], Awaitable[aiohttp.ClientSession]]) -> None:
        self._open = open_

    def __enter__(self) -> Session:
        with Lease():  # the event loop must not end before the session holds its own lease
            self._session = Session(call(self._open))
        return self._session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()
