"""What every bulk call keeps account of: items that are known, and failures."""

import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence
from contextlib import aclosing
from itertools import islice
from typing import TypeVar

from .._errors import ArtifactoryError
from .._progress import Progress
from .._reports import Outcome
from .._scheduler import as_async

T = TypeVar("T")

# Enough that what is done once for each chunk costs nothing; the first has fewer, so that work begins at once.
_CHUNK = 256
_PULLED = 32


async def counted(
    items: Iterable[T] | AsyncIterable[T], size_of: Callable[[T], int], progress: Progress
) -> AsyncGenerator[T, None]:
    """Pass *items* on, one by one, and tell *progress* of all that are known."""
    async with aclosing(in_chunks(items, size_of, progress)) as chunks:
        async for chunk in chunks:
            for item in chunk:
                yield item


async def in_chunks(
    items: Iterable[T] | AsyncIterable[T], size_of: Callable[[T], int], progress: Progress
) -> AsyncGenerator[Sequence[T], None]:
    """The same, many at once where they are at hand; what may have to be waited for comes one by one."""
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
    # Few at first, so that work begins at once, and never many: the input may be endless, or slow to make items.
    iterator, size = iter(items), 1
    while chunk := tuple(islice(iterator, size)):
        yield chunk
        size = min(2 * size, _PULLED)


async def consumed(
    items: list[T], size_of: Callable[[T], int], progress: Progress
) -> AsyncGenerator[Sequence[T], None]:
    """The same of a list that nobody else needs: it is emptied on the way, so that memory holds its items only once."""
    progress.expect(files=len(items), size=sum(map(size_of, items)))
    items.reverse()
    while items:
        yield items[: -_CHUNK - 1 : -1]
        del items[-_CHUNK:]


def failed(url: str, path: str | None, started: float, error: ArtifactoryError) -> Outcome:
    """What became of a file that failed."""
    return Outcome(url, path, "failed", seconds=time.perf_counter() - started, error=_without_frames(error))


def _without_frames(error: ArtifactoryError) -> ArtifactoryError:
    """Let go of the frames, and with them the buffers, that tracebacks of *error* and its causes keep alive."""
    link: BaseException | None = error
    while link is not None:
        link = link.with_traceback(None).__context__
    return error
