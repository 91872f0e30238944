"""A stream of the bytes of a file, with its attributes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol, Self

import aiohttp

from ..._address import ItemURL
from ..._errors import ProtocolError
from ..._models import FileInfo
from ..._protocol import build_item_info, expect_file, read_item_info
from ..._session import fetch_response
from .content import Pin, pin_of
from .streaming import Incoming, Reading, Spooled, start_reading


class FileStream:
    """
    The bytes of a file, or of a part of it, as they arrive; returned by :func:`aioartifact.stream`.

    An async iterator of non-empty chunks. The attributes are available before the first chunk, so that a service can
    send its own header fields.

    Attributes:
        info: The file as described by the header fields of the response; other attributes are None.
        status: 200 for the whole file; 206 for a part of it; 304 without bytes, if the file has the ETag
            *if_none_match*; 416 without bytes, if the range starts at or after the end of the file.
        etag: ETag of the content, for a later *if_none_match*; None if the server does not send one.
        content_range: Value of a ``Content-Range`` header field, for 206 and 416; None for other statuses, and if the
            size of the file is not known.
        content_length: Number of bytes; None if not known.
    """

    def __init__(
        self, info: FileInfo, etag: str | None, status: int, start: int, end: int | None, source: "_Chunks | None"
    ) -> None:
        size = info.size
        self.info: FileInfo = info
        self.etag: str | None = etag
        self.status: int = status
        stop = end if size is None else size if end is None else min(size, end)
        self.content_length: int | None = None if stop is None else max(0, stop - start)
        self.content_range: str | None = None
        if self.status in (304, 416):
            self.content_length = 0
        if size is not None and self.status == 416:
            self.content_range = f"bytes */{size}"
        elif size is not None and stop is not None and self.status == 206 and stop > start:
            self.content_range = f"bytes {start}-{stop - 1}/{size}"
        self._source = source
        self._batch: Sequence[bytes] = ()
        self._next = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.info.url!r}, status={self.status}, content_length={self.content_length})"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._next == len(self._batch):
            self._batch, self._next = (await self._source.next() if self._source is not None else ()), 0
            if not self._batch:
                self._source = None
                raise StopAsyncIteration
        self._next += 1
        return self._batch[self._next - 1]

    async def aclose(self) -> None:
        """Stop reading; the end of the block of :func:`aioartifact.stream` does the same."""
        source, self._source, self._batch, self._next = self._source, None, (), 0
        if source is not None:
            await source.close()


class _Chunks(Protocol):
    async def next(self) -> Sequence[bytes]: ...

    async def close(self) -> None: ...


def _stream_of(
    item: ItemURL, start: int, end: int | None, source: Reading | None, first: Incoming | None
) -> FileStream:
    expected = first.expected if first is not None else None
    info = first.info if first is not None else None
    size = source.spool.size if isinstance(source, Spooled) else expected.size if expected else None
    info = replace(info or FileInfo(str(item), item.repository, item.path), size=size)
    return FileStream(info, expected.etag if expected else None, _status(start, end, first), start, end, source)


def _status(start: int, end: int | None, first: Incoming | None) -> int:
    if first is not None and first.is_unchanged:
        return 304
    if first is not None and first.is_behind_end:
        return 416
    return 200 if start == 0 and end is None else 206


@asynccontextmanager
async def open_stream(
    session: aiohttp.ClientSession,
    item: ItemURL,
    start: int,
    end: int | None,
    pin: Pin | None,
    unless_etag: str | None,
) -> AsyncIterator[FileStream]:
    """
    Open bytes *start* to *end* of a file; a negative *start* counts from its end.

    Raises:
        ArtifactoryError: See :func:`aioartifact.stream`.
    """
    if start < 0:
        info = await _described(session, item)
        start, pin = max(0, (info.size or 0) + start), pin_of(info, is_binding=True)
    source = first = None
    if start != end:
        source, first = await start_reading(session, item, start, end, pin, unless_etag)
    try:
        yield _stream_of(item, start, end, source, first)
    finally:
        if source is not None:
            await source.close()


async def _described(session: aiohttp.ClientSession, item: ItemURL) -> FileInfo:
    request = build_item_info(item)
    info = expect_file(item, read_item_info(item, request, await fetch_response(session, request)))
    if info.size is None:
        raise ProtocolError(f"{request.label}: answered without the size of the file", hint="count from the start")
    return info
