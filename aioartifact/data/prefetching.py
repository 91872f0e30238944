"""Files ahead of the loop that uses them, limited by a number of bytes."""

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

import aiohttp
import anyio

from .._api.session import using
from .._cache import CacheLike, OpenCache, cache_of, not_cached, opened_cache
from .._errors import ArtifactoryError, InvalidArgumentError
from .._models import FileInfo
from .._options import check_choice, check_count, check_path, check_several
from .._progress import Progress
from .._reports import Outcome
from .._scheduler import Slots
from .._session import state_of
from .._transfer.accounting import label_of
from .._transfer.many.fetcher import Fetcher, Item, Job, Target, job_of_item
from .._transfer.receive.content import pin_of
from .._transfer.receive.file_stream import open_stream
from .._transfer.receive.streaming import read_range
from .ahead import Ahead, Bounds, Turn, run_ahead

OnFailure: TypeAlias = Literal["raise", "yield"]

# Bytes reserved for a file until the response reports its size.
_UNKNOWN_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """
    A file of :func:`prefetch`.

    Attributes:
        index: Its position in the items, from 0 on.
        item: The item as it was passed.
        url: URL of the file, percent-encoded.
        data: Its bytes; None with *destination*, and for a failure.
        path: Absolute path of the local file with *destination*, else None.
        error: The error, with ``on_error="yield"``; None if the file was read.
    """

    index: int
    item: Any
    url: str
    data: bytes | None = field(default=None, repr=False)
    path: str | None = None
    error: ArtifactoryError | None = None


def prefetch(
    items: Iterable[Item] | AsyncIterable[Item],
    *,
    destination: str | os.PathLike[str] | None = None,
    ordered: bool = True,
    start: int = 0,
    buffer_bytes: int = 256 * 2**20,
    max_concurrency: int | None = None,
    on_error: OnFailure = "raise",
    cache: CacheLike | None = None,
    session: aiohttp.ClientSession | None = None,
) -> "Prefetch":
    """
    Read files ahead of the loop that uses them; open the result with ``async with`` and iterate over it.

    Files are verified as by :func:`read_bytes`, or, with *destination*, as by :func:`download_many`. Each file reserves
    its size in the buffer before it is requested, in the order of the items; a file that is larger than the buffer is
    read alone. Its bytes are released when the loop takes the next file. Leaving the block cancels requests in flight.
    Example::

        order = shuffled(files, seed=7, epoch=3)
        async with prefetch(order, start=position) as loaded:
            async for file in loaded:
                train(file.data)

    Args:
        items: Files to read, in the forms of :func:`download_many`; in any iterable or async iterable, from which items
            are pulled when they can start. A file must have the size and checksums of its :class:`FileInfo`. If the
            size is unknown, 1 MiB is reserved until the response reports it.
        destination: Folder to download to. Each file is written to its path in the repository, or to the path of a
            ``(url, path)`` pair; local files with the right content are kept. None reads the bytes into memory.
        ordered: Whether files are yielded in the order of the items. False yields them as they finish, which is faster
            if their sizes differ.
        start: Number of items to skip, such as the ``position`` of an earlier run.
        buffer_bytes: Maximum size in bytes of the files ahead of the loop, in memory, or on disk with *destination*.
        max_concurrency: Files in flight; None takes it from the session's :class:`Limits`.
        on_error: ``"raise"`` raises the error of a file when its turn comes, which ends the iteration; ``"yield"``
            yields it as :attr:`LoadedFile.error`.
        cache: A :class:`Cache`, or the path of its folder: files in the cache are taken from it, others are requested
            and added.
        session: Session to use; None opens one for the block.

    Returns:
        A :class:`Prefetch`, which yields a :class:`LoadedFile` for each item.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable, or an option has an invalid value.
        ArtifactoryError: From the iteration: an error of :func:`stream`, or of :func:`download_many`, for a file.
    """
    if isinstance(items, str):
        raise InvalidArgumentError("items is one str", hint="give a list of URLs")
    check_several("items", items)
    check_choice("on_error", on_error, ("raise", "yield"))
    check_count("buffer_bytes", buffer_bytes)
    if max_concurrency is not None:
        check_count("max_concurrency", max_concurrency)
    _check_start(start)
    folder = None
    if destination is not None:
        # A path stays valid when the caller changes the working directory.
        folder = os.path.abspath(check_path("destination", destination, is_folder=True))  # noqa: PTH100  # keeps links
    chosen = None if cache is None else cache_of(cache)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Ahead[Item, LoadedFile]]:
        async with (
            using(session) as used,
            nullcontext() if chosen is None else opened_cache(chosen) as used_cache,
        ):
            total = max_concurrency or state_of(used).limits.max_concurrency
            reader = _Reader(used, folder, used_cache, Slots(total))
            # While files are verified and committed, the bytes of others are received.
            in_work = total + total // 2 if folder else total
            bounds = Bounds(buffer_bytes, in_work, start, ordered)
            async with run_ahead(items, reader.read, size_of=_size_of, bounds=bounds) as ahead:
                yield ahead

    return Prefetch(opened, on_error, start)


def _check_start(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidArgumentError(f"start={value!r}: expected a whole number of at least 0")


def _size_of(item: Item) -> int:
    size = item.size if isinstance(item, FileInfo) else None
    return _UNKNOWN_SIZE if size is None else size


class Prefetch:
    """
    Files ahead of a loop; returned by :func:`prefetch`.

    Open it once with ``async with``, and iterate over it. Creating it needs no event loop, so it may be created in one
    process or thread and opened in another.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractAsyncContextManager[Ahead[Item, LoadedFile]]],
        on_error: OnFailure,
        start: int,
    ) -> None:
        self._opened = opened
        self._on_error = on_error
        self._start = start
        self._block = AsyncExitStack()
        self._ahead: Ahead[Item, LoadedFile] | None = None
        self._has_ended = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} position={self.position}>"

    @property
    def position(self) -> int:
        """
        Number of leading items that were all yielded.

        Pass it as *start* to a later call to continue there.
        """
        return self._start if self._ahead is None else self._ahead.position

    async def __aenter__(self) -> Self:
        if self._ahead is not None:
            raise InvalidArgumentError("this prefetch was opened before", hint="call prefetch() again")
        self._ahead = await self._block.enter_async_context(self._opened())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._has_ended = True
        await self._block.__aexit__(kind, error, traceback)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LoadedFile:
        """
        Wait for the next file.

        Raises:
            ArtifactoryError: The error of the file, with ``on_error="raise"``.
            StopAsyncIteration: If there are no more.
        """
        if self._ahead is None:
            raise InvalidArgumentError("files are taken inside the block", hint="async with prefetch(...) as loaded:")
        if self._has_ended:
            raise StopAsyncIteration
        loaded = await self._ahead.next()
        if loaded.error is not None and self._on_error == "raise":
            self._has_ended = True
            raise loaded.error
        return loaded


class _Reader:
    """Reads items: their bytes, or files into a folder."""

    def __init__(
        self, session: aiohttp.ClientSession, folder: str | None, cache: OpenCache | None, slots: Slots
    ) -> None:
        self._session = session
        self._folder = folder
        self._cache = cache
        self._slots = slots
        self._looks: _Looks | None = None
        self._used: set[str] = set()

    async def read(self, item: Item, turn: Turn) -> LoadedFile:
        """Read one item; an error becomes a part of the result."""
        url = label_of(item)
        try:
            job = job_of_item(item, state_of(self._session).servers, self._folder or "")
            url = str(job.item)
            await turn.expect(job.listed.size if job.listed else None)
            if self._folder is None:
                return LoadedFile(turn.index, item, url, data=await self._bytes(job, turn))
            relative = job.relative if isinstance(item, tuple) else job.item.path
            path = await self._downloaded(replace(job, relative=relative), self._folder, turn)
            return LoadedFile(turn.index, item, url, path=path)
        except ArtifactoryError as error:
            return LoadedFile(turn.index, item, url, error=error)

    async def _downloaded(self, job: Job, folder: str, turn: Turn) -> str:
        """
        Download a file, unless the local one has the right content; return its path.

        Raises:
            ArtifactoryError: If the file cannot be read.
        """
        # A loop may use a file twice, which a single bulk call refuses.
        again = job.relative in self._used
        self._used.add(job.relative)
        looks = _Looks(self._fetcher(folder)) if again else self._looks_at(folder)
        found = await looks.look(job)
        outcome = found if isinstance(found, Outcome) else await looks.fetcher.fetch(found)
        assert isinstance(outcome, Outcome), "one item has one outcome"
        if outcome.error:
            raise outcome.error
        assert outcome.path is not None, "it was downloaded"
        await turn.expect(outcome.size)
        return outcome.path

    def _looks_at(self, folder: str) -> "_Looks":
        if self._looks is None:
            self._looks = _Looks(self._fetcher(folder))
        return self._looks

    def _fetcher(self, folder: str) -> Fetcher:
        slots, cache = self._slots, self._cache
        return Fetcher(self._session, folder, "changed", Progress(), job_of=_as_job, slots=slots, cache=cache)

    async def _bytes(self, job: Job, turn: Turn) -> bytes:
        """
        Read the bytes of a file, from the cache if it has them.

        Raises:
            ArtifactoryError: If the file cannot be read.
        """
        if self._cache is None:
            return await self._requested(job, turn)
        sha256 = job.listed.checksums.sha256 if job.listed else None
        if sha256 is None and self._cache.offline and (known := await self._cache.find_item(job.item)):
            sha256 = known.checksums.sha256
        if sha256 and (data := await self._cache.read(sha256)) is not None:
            return data
        if self._cache.offline:
            raise not_cached(f"GET {job.item}")
        async with self._cache.filling(sha256 or self._cache.key_of(job.item)):
            if sha256 and (data := await self._cache.read(sha256)) is not None:
                return data
            data = await self._requested(job, turn)
            await self._cache.add_bytes(data)
            return data

    async def _requested(self, job: Job, turn: Turn) -> bytes:
        pin = pin_of(job.listed, is_binding=True)
        if job.listed and job.listed.size is not None:
            return await read_range(self._session, job.item, 0, None, pin)
        async with open_stream(self._session, job.item, 0, None, pin, None) as body:
            await turn.expect(body.info.size)
            data = b"".join([chunk async for chunk in body])
        await turn.expect(len(data))
        return data


class _Looks:
    """
    Checks local files in batches: files that arrive during a check share the next one, to save wake-ups of threads.

    Attributes:
        fetcher: Fetches the missing files.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self.fetcher = fetcher
        self._waiting: list[Job] = []
        self._found: dict[int, Target | Outcome] = {}
        self._turn = anyio.Lock(fast_acquire=True)

    async def look(self, job: Job) -> Target | Outcome:
        """Return the target of *job*, or its outcome if no request is needed."""
        self._waiting.append(job)
        async with self._turn:
            if id(job) not in self._found:
                jobs, self._waiting = self._waiting, []
                found = await self.fetcher.look(jobs)
                self._found.update(zip(map(id, jobs), found, strict=True))
            return self._found.pop(id(job))


def _as_job(job: Any, _: object) -> Job:
    assert isinstance(job, Job)
    return job
