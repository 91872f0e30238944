"""Samples of tar shards, in the layout of WebDataset."""

import posixpath
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import aclosing
from typing import Any, TypeAlias

import aiohttp

from .._address import URLLike, mask_url
from .._api.contents import stream
from .._api.session import using
from .._errors import ArchiveError, InvalidArgumentError
from .._options import check_count, check_several
from .._scheduler import as_async
from .tar_format import TarReader

Sample: TypeAlias = dict[str, Any]
"""
A sample of a tar shard: the bytes of each file by extension, such as ``"jpg"``, and two str values: ``"__key__"``, the
path up to the extension, and ``"__url__"``, the URL of the shard.
"""


async def tar_samples(
    shards: URLLike | Iterable[URLLike] | AsyncIterable[URLLike],
    *,
    max_bytes: int = 256 * 2**20,
    session: aiohttp.ClientSession | None = None,
) -> AsyncGenerator[Sample, None]:
    """
    Yield the samples of tar shards as they arrive, without a local copy; one request for each shard.

    The layout is that of WebDataset: consecutive files with the same name up to the first dot form a sample. For
    example, ``0017.jpg`` and ``0017.seg.png`` form the sample ``0017`` with ``"jpg"`` and ``"seg.png"``. Shards may be
    compressed with gzip. A shard is verified after its last sample; if its checksum differs, the iteration raises.

    Close the async generator as in the example, or use :func:`iter_in_thread`, which does. Example::

        async with aclosing(tar_samples(shard(urls, rank=rank, world=8))) as samples:
            async for sample in samples:
                train(sample["jpg"], int(sample["cls"]))

    Args:
        shards: URL of a shard, or several, which are read one after the other.
        max_bytes: Maximum size of a sample in bytes; a larger one is an error.
        session: Session to use; None opens one.

    Yields:
        A ``dict`` for each sample, see :data:`Sample`.

    Raises:
        InvalidArgumentError: If *shards* is not iterable, or *max_bytes* is not an integer of at least 1.
        ArchiveError: If a shard is not a tar archive, or is damaged or incomplete, or if a sample is too large or has
            two files with the same extension.
        ArtifactoryError: The errors of :func:`stream`.
    """
    check_count("max_bytes", max_bytes)
    if isinstance(shards, URLLike):
        shards = [shards]
    check_several("shards", shards)
    async with using(session) as opened, aclosing(as_async(shards)) as urls:
        async for url in urls:
            if not isinstance(url, URLLike):
                raise InvalidArgumentError(f"shards: a {type(url).__name__} in it; expected URLs")
            async with aclosing(_samples_of(opened, url, max_bytes)) as samples:
                async for sample in samples:
                    yield sample


async def _samples_of(session: aiohttp.ClientSession, url: URLLike, max_bytes: int) -> AsyncGenerator[Sample, None]:
    name = mask_url(str(url))
    reader, group = TarReader(name, max_bytes), _Group(name, max_bytes)
    async with stream(url, session=session) as body:
        async for chunk in body:
            for path, data in reader.feed(chunk):
                for sample in group.add(path, data):
                    yield sample
    reader.finish()
    for sample in group.rest():
        yield sample


class _Group:
    """The files of one sample, until the next one begins."""

    def __init__(self, url: str, max_bytes: int) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._key: str | None = None
        self._sample: Sample = {}
        self._size = 0

    def add(self, path: str, data: bytes) -> Iterator[Sample]:
        """Add a file; if it begins another sample, yield the complete one."""
        key, extension = _split(path)
        if not extension:
            return
        if key != self._key:
            yield from self.rest()
            self._key, self._sample, self._size = key, {"__key__": key, "__url__": self._url}, 0
        self._size += len(data)
        if extension in self._sample:
            raise ArchiveError(f"{self._url}: the sample {key} has two files {extension}")
        if self._size > self._max_bytes:
            raise ArchiveError(f"{self._url}: the sample {key} has more than {self._max_bytes} bytes")
        self._sample[extension] = data

    def rest(self) -> Iterator[Sample]:
        """Yield the last sample."""
        if self._key is not None:
            yield self._sample
        self._key = None


def _split(path: str) -> tuple[str, str]:
    """Return key and extension of a file: the parts before and after the first dot of its name."""
    folder, name = posixpath.split(path.removeprefix("./"))
    stem, _, extension = name.partition(".")
    if not stem:
        return "", ""  # a hidden file belongs to no sample
    return posixpath.join(folder, stem), extension.lower()
