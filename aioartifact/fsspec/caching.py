"""The cache of files open for reading, which reads ahead for sequential reads."""

from collections.abc import Callable
from typing import Any, cast

from fsspec.caching import register_cache

from .bases import BaseCache

# Of `aioartifact.open`, which requests and keeps such blocks.
_BLOCK = 256 * 1024


class AdaptiveCache(BaseCache):
    """
    Keeps the last fetched bytes, and reads ahead only for sequential reads.

    A file that is read from its start is fetched in blocks of *blocksize*. For reads at other positions, such as the
    columns of a parquet file, fetches are extended to the end of a block of :class:`aioartifact.RemoteFile`, which
    reads ahead itself while they are sequential.
    """

    name = "adaptive"

    def __init__(self, blocksize: int, fetcher: Callable[[int, int], bytes], size: int, **kwargs: Any) -> None:
        super().__init__(blocksize, fetcher, size)
        self._start = self._end = 0
        self._held = b""
        self._is_from_start = True

    def _fetch(self, start: int | None, end: int | None) -> bytes:
        start, end = start or 0, self.size if end is None else min(end, self.size)
        if start >= end:
            return b""
        follows = self._start <= start <= self._end
        kept = self._held[start - self._start :] if follows else b""
        if len(kept) < end - start:
            self._is_from_start = start == 0 or (follows and self._is_from_start)
            stop = end + self.blocksize if self._is_from_start else -(-end // _BLOCK) * _BLOCK
            begin, stop = start + len(kept), min(stop, self.size)
            kept += self.fetcher(begin, stop)
            self._start, self._end, self._held = start, stop, kept
        return kept[: end - start]


register_cache(cast("Any", AdaptiveCache), clobber=True)  # also if this module is loaded twice
