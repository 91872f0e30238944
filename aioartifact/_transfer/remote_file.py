"""A file on the server as a file: read and seek, by ranges, with a small cache."""

import operator
import os
from collections import OrderedDict

import aiohttp

from .._address import ItemURL
from .._errors import InvalidArgumentError, ProtocolError
from .._protocol import ExpectedContent
from .reading import read_range

_BLOCK = 256 * 1024
_KEPT = 16  # blocks


class RemoteFile:
    """
    A file on the server, open for reading; :func:`aioartifact.open` makes it.

    Bytes come in blocks of 256 KiB, of which the last 4 MiB are kept. Who reads on and on gets more with each
    request, up to these 4 MiB. All bytes are of the content that the file had when it was opened. One task at a time
    may use it.

    Attributes:
        url: URL of the file, percent-encoded.
        name: Its raw name.
        size: Bytes.
    """

    def __init__(
        self, session: aiohttp.ClientSession, item: ItemURL, promise: ExpectedContent, beginning: bytes
    ) -> None:
        self.url: str = str(item)
        self.name: str = item.name
        self.size: int = promise.size or 0
        self._session = session
        self._item = item
        self._promise = promise
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0
        self._ahead = 1
        self._expected = 0
        self._keep(0, beginning)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, size={self.size}, position={self._position})"

    @classmethod
    async def open(cls, session: aiohttp.ClientSession, item: ItemURL) -> "RemoteFile":
        """
        Open *item*; one request, which brings the first block.

        Raises:
            NotAFileError: It is a folder.
            ResponseError: The server said no.
            TransportError: No answer came.
            ProtocolError: The server does not tell the size.
        """
        beginning, promise = await read_range(session, item, 0, _BLOCK)
        if promise.size is None and beginning:
            raise ProtocolError(f"GET {item}: the server does not tell its size", hint="use stream() or read_bytes()")
        return cls(session, item, promise, beginning)

    async def read(self, size: int | None = -1) -> bytes:
        """
        Read from the current position on.

        Args:
            size: Number of bytes; fewer are returned only at the end of the file. Negative or None reads to the end.

        Returns:
            The bytes; none at the end.

        Raises:
            InvalidArgumentError: *size* is not a whole number.
            TransportError: No answer came, or not all of it.
            IntegrityError: The file is not what it was when it was opened.
            ResponseError: The server said no.
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
        Go to another position; no request.

        Args:
            offset: Bytes, from where *whence* says.
            whence: ``os.SEEK_SET``, ``os.SEEK_CUR`` or ``os.SEEK_END``.

        Returns:
            The position; it may lie behind the end.

        Raises:
            InvalidArgumentError: It would lie before the start, *offset* is not a whole number, or *whence* is not one
                of these.
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
        """Tell the current position."""
        return self._position

    def _kept(self) -> bytes:
        """What is in memory from the current position to the end of its block."""
        index, offset = divmod(self._position, _BLOCK)
        block = self._blocks.get(index, b"")
        if block:
            self._blocks.move_to_end(index)
        return block[offset:]

    async def _fetch(self, stop: int) -> bytes:
        """Ask for the bytes from the current position to *stop*, in whole blocks, and for some more."""
        first = self._position // _BLOCK
        # Twice as much each time, as long as nothing is skipped.
        self._ahead = min(self._ahead * 2, _KEPT) if first == self._expected else 1
        last = max(-(-stop // _BLOCK), first + self._ahead)
        start, stop = first * _BLOCK, min(last * _BLOCK, self.size)
        data, _ = await read_range(self._session, self._item, start, stop, self._promise)
        if len(data) < stop - start:
            raise ProtocolError(f"GET {self._item}: a part of it came with too few bytes", hint="try again")
        self._keep(first, data)
        return data[self._position - start :]

    def _keep(self, first: int, data: bytes) -> None:
        count = -(-len(data) // _BLOCK)
        for number in range(max(0, count - _KEPT), count):
            self._blocks[first + number] = data[number * _BLOCK : (number + 1) * _BLOCK]
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        self._expected = first + count


def _whole(name: str, value: object) -> int:
    """
    Return *value* as an int if it is a whole number; those of NumPy are.

    Raises:
        InvalidArgumentError: It is not.
    """
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidArgumentError(f"{name}={value!r}: expected a whole number") from None
