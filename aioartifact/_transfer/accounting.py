"""What every bulk call keeps account of: items that are known, and failures."""

import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import TypeVar

from .._errors import ArtifactoryError
from .._progress import Progress
from .._reports import Outcome
from .._scheduler import as_async

T = TypeVar("T")

# Enough that what is done once for each chunk costs nothing, and few enough to begin at once.
_CHUNK = 256


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
    """The same, of a list many at once; others are pulled one by one, as they are needed."""
    if isinstance(items, Sequence):
        progress.expect(files=len(items), size=sum(map(size_of, items)))
        for start in range(0, len(items), _CHUNK):
            yield items[start : start + _CHUNK]
        return
    async with aclosing(as_async(items)) as source:
        async for item in source:
            progress.expect(files=1, size=size_of(item))
            yield (item,)


def largest_first(items: Iterable[T] | AsyncIterable[T], size_of: Callable[[T], int]) -> Iterable[T] | AsyncIterable[T]:
    """The items of a list by their sizes, so that no large one is left for the end; others as they come."""
    return sorted(items, key=size_of, reverse=True) if isinstance(items, Sequence) else items


def failed(url: str, path: str | None, started: float, error: ArtifactoryError) -> Outcome:
    """What became of a file that failed."""
    return Outcome(url, path, "failed", seconds=time.perf_counter() - started, error=_without_frames(error))


def _without_frames(error: ArtifactoryError) -> ArtifactoryError:
    """Let go of the frames, and with them the buffers, that tracebacks of *error* and its causes keep alive."""
    link: BaseException | None = error
    while link is not None:
        link = link.with_traceback(None).__context__
    return error
