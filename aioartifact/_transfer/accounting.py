"""The accounting of every bulk call: the items known so far, and the outcome of each."""

import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from .._address import URLLike, is_url, mask_url
from .._errors import ArtifactoryError
from .._progress import FileProgress, Finish, Progress
from .._reports import Outcome, Status
from .._scheduler import as_async

T = TypeVar("T")

# Large enough that the cost per chunk is negligible; the first chunk is smaller, so that work begins at once.
_CHUNK = 256
_PULLED = 32

# The statuses that a progress does not count as transferred.
_FINISH: dict[Status, Finish] = {"unchanged": "skipped", "planned": "skipped", "failed": "failed"}


async def counted(
    items: Iterable[T] | AsyncIterable[T], size_of: Callable[[T], int], progress: Progress
) -> AsyncGenerator[T, None]:
    """Yield *items* one by one, and report their known sizes to *progress*."""
    async with aclosing(in_chunks(items, size_of, progress)) as chunks:
        async for chunk in chunks:
            for item in chunk:
                yield item


async def in_chunks(
    items: Iterable[T] | AsyncIterable[T], size_of: Callable[[T], int], progress: Progress
) -> AsyncGenerator[Sequence[T], None]:
    """The same in chunks; items of an async iterable, which may have to be waited for, come one by one."""
    if isinstance(items, Sequence):
        progress.expect(files=len(items), size=sum(map(size_of, items)))
        if items:
            yield items[:_PULLED]
        for start in range(_PULLED, len(items), _CHUNK):
            yield items[start : start + _CHUNK]
        return
    async with aclosing(_pulled(items)) as chunks:
        async for chunk in chunks:
            progress.expect(files=len(chunk), size=sum(map(size_of, chunk)))
            yield chunk


async def _pulled(items: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[Sequence[T], None]:
    if isinstance(items, AsyncIterable):
        async with aclosing(as_async(items)) as source:
            async for item in source:
                yield (item,)
        return
    # Small at first, so that work begins at once, and never large: the input may be endless, or slow to make items.
    iterator, size = iter(items), 1
    while chunk := tuple(islice(iterator, size)):
        yield chunk
        size = min(2 * size, _PULLED)


async def consumed(
    items: list[T], size_of: Callable[[T], int], progress: Progress
) -> AsyncGenerator[Sequence[T], None]:
    """The same for a list, which is emptied meanwhile: it does not keep yielded items in memory."""
    progress.expect(files=len(items), size=sum(map(size_of, items)))
    items.reverse()
    while items:
        yield items[: -_CHUNK - 1 : -1]
        del items[-_CHUNK:]


async def tracked(
    progress: Progress,
    url: str,
    path: str | None,
    do: Callable[[FileProgress], Awaitable[Outcome]],
    *,
    name: str,
    size: int = 0,
    source: str | None = None,
) -> Outcome:
    """
    Run *do* for one item, and return its outcome with the time it took; an error becomes part of the outcome.

    Args:
        progress: Counts the item, which is in flight meanwhile.
        url: URL of the item, for the outcome of a failure.
        path: Local file, likewise.
        do: Function that processes the item; it may count bytes.
        name: Name of the item, for display.
        size: Bytes of it that *progress* already counts.
        source: URL of the item that it is made from, likewise.
    """
    started = time.perf_counter()
    file = FileProgress(progress, url, name, size)
    try:
        with file:
            outcome = await do(file)
    except ArtifactoryError as error:
        outcome = failed(url, path, started, error, source)
    file.finish(_FINISH.get(outcome.status, "transferred"))
    return replace(outcome, seconds=time.perf_counter() - started)


def settle(progress: Progress, outcome: Outcome, size: int = 0) -> Outcome:
    """Count an item that has its outcome without being in flight; *size* bytes of it were expected."""
    FileProgress(progress, outcome.url, "", size).finish(_FINISH.get(outcome.status, "transferred"))
    return outcome


def failed(url: str, path: str | None, started: float, error: ArtifactoryError, source: str | None = None) -> Outcome:
    """The outcome of an item that failed."""
    seconds = time.perf_counter() - started
    return Outcome(url, path, "failed", seconds=seconds, error=_without_frames(error), source=source)


def label_of(item: object) -> str:
    """A label for the outcome of *item*, which may be malformed: its URL if it has one, else its type."""
    first = item[0] if isinstance(item, tuple) and item else getattr(item, "url", None)
    named = item if isinstance(item, URLLike) else first
    return mask_url(str(named)) if isinstance(named, str) or is_url(named) else type(item).__name__


def _without_frames(error: ArtifactoryError) -> ArtifactoryError:
    """Let go of the frames, and with them the buffers, that tracebacks of *error* and its causes keep alive."""
    link: BaseException | None = error
    while link is not None:
        link = link.with_traceback(None).__context__
    return error
