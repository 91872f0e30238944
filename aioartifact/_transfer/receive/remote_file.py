"""A file on the server as a file object: read and seek, with ranges and a small cache."""

import operator
import os
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

import aiohttp
import anyio

from ..._address import ItemURL
from ..._checksums import NO_CHECKSUMS
from ..._errors import IntegrityError, InvalidArgumentError, ProtocolError, SessionError
from ..._files import Spool
from ..._models import FileInfo
from ..._protocol import ExpectedContent
from ..._threads import run
from .content import Pin, has_identity, is_same_content, pin_of
from .streaming import Incoming, read_all, read_part, spool_file

_BLOCK = 256 * 1024
_KEPT = 16  # blocks
# If the server ignores ranges, a file of up to this size is copied at once; of a larger one, the first block may do.
_COPIED_AT_ONCE = 32 * 1024 * 1024


class RemoteFile:
    """
    A file on the server, open for reading; returned by :func:`aioartifact.open`.

    Bytes are requested in blocks of 256 KiB; the last 4 MiB are cached. For sequential reads, requests grow up to 4
    MiB. If the file is replaced after it was opened, reading raises an error. Only one task at a time may use it.

    Attributes:
        url: URL of the file, percent-encoded.
        name: File name, not encoded.
        size: Size in bytes.
        info: The file as described by the header fields of the first response; other attributes are None.
        etag: ETag of the content, for a later ``if_none_match`` of :func:`aioartifact.stream`; None if the server does
            not send one.
    """

    def __init__(self, session: aiohttp.ClientSession, item: ItemURL, info: FileInfo, etag: str | None) -> None:
        self.url: str = str(item)
        self.name: str = item.name
        assert info.size is not None
        self.size: int = info.size
        self.info: FileInfo = info
        self.etag: str | None = etag
        self._session = session
        self._item = item
        self._expected = ExpectedContent(info.size, NO_CHECKSUMS)
        self._beginning = b""
        self._needs_copy = False
        self._pin: Pin | None = None
        self._copy: Spool | None = None
        self._is_closed = False
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0
        self._ahead = 1
        self._next_block = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, size={self.size}, position={self._position})"

    @classmethod
    @asynccontextmanager
    async def opened(cls, session: aiohttp.ClientSession, item: ItemURL) -> AsyncGenerator[Self, None]:
        """
        Open *item* for a block; one request, which returns the first 256 KiB.

        Raises:
            NotAFileError: If it is a folder.
            ResponseError: If the server refused.
            TransportError: If no response is received.
            IntegrityError: If size or checksum of a temporary copy differs.
            LocalFileError: If a temporary copy cannot be written.
        """
        file = await cls._open(session, item)
        try:
            yield file
        finally:
            await file.close()

    @classmethod
    @asynccontextmanager
    async def described(
        cls, session: aiohttp.ClientSession, item: ItemURL, info: FileInfo
    ) -> AsyncGenerator[Self, None]:
        """
        Open *item* for a block without a request: its size and a checksum are known.

        Raises:
            LocalFileError: If a temporary copy cannot be closed.
        """
        file = cls(session, item, info, None)
        file._expected = ExpectedContent(info.size, info.checksums)
        file._pin = pin_of(info, is_binding=True)
        try:
            yield file
        finally:
            await file.close()

    @classmethod
    async def _open(cls, session: aiohttp.ClientSession, item: ItemURL) -> Self:
        first = Incoming(session, item, 0, _BLOCK)
        try:
            await first.open()
            must_be_verified = await first.must_be_verified()
            expected = first.expected
            assert expected is not None
            is_whole = not first.is_part
            # An empty file is answered with 416, without header fields of the file.
            info = first.info or FileInfo(str(item), item.repository, item.path)
            if must_be_verified or expected.size is None or (is_whole and _BLOCK < expected.size <= _COPIED_AT_ONCE):
                await first.widen()
                copy = await spool_file(first)
                file = cls(session, item, replace(info, size=copy.size), expected.etag)
                file._copy = copy
                return file
            file = cls(session, item, replace(info, size=expected.size), expected.etag)
            file._expected = expected
            file._beginning = await read_all(first)
            if first.expected != expected and not is_same_content(expected, first.expected or expected):
                raise _changed(item)  # between the first response and the one whose bytes these are
            file._needs_copy = is_whole or not has_identity(expected)
            file._keep(0, file._beginning)
            return file
        finally:
            await first.close()

    async def close(self) -> None:
        """Close the file, and delete a temporary copy."""
        self._is_closed = True
        self._blocks.clear()
        if self._copy is not None:
            with anyio.CancelScope(shield=True):
                await run(self._copy.close)

    async def read(self, size: int | None = -1) -> bytes:
        """
        Read from the current position.

        Args:
            size: Number of bytes; fewer are returned only at the end of the file. A negative number or None reads to
                the end.

        Returns:
            The bytes; empty at the end.

        Raises:
            InvalidArgumentError: If *size* is not an integer.
            TransportError: If no complete response is received.
            IntegrityError: If the file has changed since it was opened.
            ResponseError: If the server refused.
            LocalFileError: If a temporary copy cannot be written or read.
            SessionError: If the file or the session is closed.
        """
        count = -1 if size is None else _whole("size", size)
        stop = self.size if count < 0 else min(self._position + count, self.size)
        pieces: list[bytes] = []
        while self._position < stop:
            piece = (self._kept() or await self._fetch(stop))[: stop - self._position]
            pieces.append(piece)
            self._position += len(piece)
        return b"".join(pieces)

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """
        Change the position; no request.

        Args:
            offset: Offset in bytes, relative to *whence*.
            whence: ``os.SEEK_SET``, ``os.SEEK_CUR`` or ``os.SEEK_END``.

        Returns:
            The new position, which may be after the end.

        Raises:
            InvalidArgumentError: If the position would be before the start, *offset* is not an integer, or *whence* is
                invalid.
        """
        offset = _whole("offset", offset)
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}
        if whence not in bases:
            raise InvalidArgumentError(f"whence={whence!r}: expected os.SEEK_SET, os.SEEK_CUR or os.SEEK_END")
        if bases[whence] + offset < 0:
            raise InvalidArgumentError(f"seek to {bases[whence] + offset}: lies before the start of the file")
        self._position = bases[whence] + offset
        return self._position

    async def tell(self) -> int:
        """Return the current position."""
        return self._position

    def _kept(self) -> bytes:
        """Return the cached bytes from the current position to the end of its block."""
        index, offset = divmod(self._position, _BLOCK)
        block = self._blocks.get(index, b"")
        if block:
            self._blocks.move_to_end(index)
        return block[offset:]

    async def _fetch(self, stop: int) -> bytes:
        """Request the bytes from the current position to *stop*, in whole blocks, and read ahead."""
        first = self._position // _BLOCK
        # Double the size for each sequential read.
        self._ahead = min(self._ahead * 2, _KEPT) if first == self._next_block else 1
        last = max(-(-stop // _BLOCK), first + self._ahead)
        start, stop = first * _BLOCK, min(last * _BLOCK, self.size)
        data = await self._bytes(start, stop)
        if len(data) < stop - start:
            raise ProtocolError(f"GET {self._item}: a part of it came with too few bytes", hint="try again")
        self._keep(first, data)
        return data[self._position - start :]

    async def _bytes(self, start: int, stop: int) -> bytes:
        if self._is_closed:
            raise SessionError(f"GET {self._item}: the file is closed", hint="read within the async with block")
        if not self._needs_copy and self._copy is None:
            part = await self._part(start, stop)
            if part is not None:
                return part
        if self._copy is None:
            self._copy = await self._copied()
        return await run(self._copy.read, start, stop)

    async def _part(self, start: int, stop: int) -> bytes | None:
        """Request a part; return None if only the whole file can be received or identified."""
        try:
            return await read_part(self._session, self._item, start, stop, self._expected)
        except IntegrityError:
            if self._pin is None:
                raise
            # Other content, or a response without an identifier of the content: only the whole file can be verified.
            return None

    async def _copied(self) -> Spool:
        """Receive the whole file once, if parts cannot be requested or identified."""
        if self._pin is not None:
            return await spool_file(Incoming(self._session, self._item, pin=self._pin))
        pinned = self._expected if has_identity(self._expected) else None
        copy = await spool_file(Incoming(self._session, self._item, pinned=pinned))
        is_same = False
        try:
            is_same = copy.size == self.size and await run(copy.read, 0, len(self._beginning)) == self._beginning
        finally:
            if not is_same:
                with anyio.CancelScope(shield=True):
                    await run(copy.close)
        if not is_same:
            raise _changed(self._item)
        return copy

    def _keep(self, first: int, data: bytes) -> None:
        count = -(-len(data) // _BLOCK)
        for number in range(max(0, count - _KEPT), count):
            self._blocks[first + number] = data[number * _BLOCK : (number + 1) * _BLOCK]
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        self._next_block = first + count


def _changed(item: ItemURL) -> IntegrityError:
    return IntegrityError(f"GET {item}: changed while it was read", hint="open it again")


def _whole(name: str, value: object) -> int:
    """
    Return *value* as an int if it is an integer, including one of NumPy.

    Raises:
        InvalidArgumentError: If it is not.
    """
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidArgumentError(f"{name}={value!r}: expected a whole number") from None
