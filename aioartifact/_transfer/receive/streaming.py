"""A file, or a part of it, read into memory as it arrives; resumed after lost connections."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TypeAlias

import aiohttp
import anyio

from ..._address import ItemURL
from ..._bodies import can_decode, decoded
from ..._checksums import ALGORITHMS, NO_CHECKSUMS, Digests
from ..._errors import (
    ConnectionLostError,
    IntegrityError,
    ProtocolError,
    ResponseError,
    TransportError,
    TransportTimeoutError,
)
from ..._files import Spool
from ..._models import FileInfo
from ..._protocol import (
    ExpectedContent,
    Request,
    build_download,
    build_item_info,
    build_range,
    expect_file,
    is_folder_redirect,
    not_a_file,
    read_expected_content,
    read_file_headers,
    read_item_info,
    unsatisfied_size,
    with_condition,
)
from ..._retry import MIN_PROGRESS_BYTES
from ..._session import ProgressCheck, Reply, fetch_response, start_operation, stream
from ..._threads import run
from .content import (
    Pin,
    algorithms_for,
    check_is_file,
    check_pin,
    check_received,
    decoded_size,
    has_certain_end,
    is_same_content,
    meaning_of,
    pin_of,
    starts_at,
    with_pin,
)

_BATCH = 1024 * 1024
# An encoded body of up to this size is received whole: that costs less than a request for the size of the stored file.
_SMALL = 4 * 1024 * 1024


class Incoming:
    """
    Bytes *start* to *stop* of a file as received, over as many requests as it takes.

    The first response pins the content, unless one is *pinned* already; bytes of any other content are refused. A
    whole file is verified against its checksums at the end, or against those of a binding *pin*.

    Args:
        session: Session to use.
        item: The file.
        start: Offset of the first byte.
        stop: Offset after the last byte; None for the end of the file.
        pinned: Content that the bytes must belong to, or None.
        pin: What the caller or a listing says about the file, or None.
        unless_etag: Content that is not sent, or None.

    Attributes:
        expected: What the server says about the file; None before the first response.
        info: The file as the header fields of the first response describe it; None before.
        is_unchanged: Whether the file still is the content that is not sent.
        is_behind_end: Whether the requested part begins at or after the end of the file.
        is_part: Whether the latest response has only a part of the file.
        has_other_form: Whether a response was refused because its content codings differ from those of the first.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        item: ItemURL,
        start: int = 0,
        stop: int | None = None,
        pinned: ExpectedContent | None = None,
        pin: Pin | None = None,
        unless_etag: str | None = None,
    ) -> None:
        self.expected = pinned
        self.info: FileInfo | None = None
        self.is_unchanged = self.is_behind_end = False
        self.is_part = False
        self.has_other_form = False
        self._session = session
        self._item = item
        self._pinned = pinned
        self._pin = pin
        self._unless_etag = unless_etag
        self._has_ranges = True
        self._digests: Digests | None = None
        self._operation = start_operation(session)
        self._connection = AsyncExitStack()
        self._reply: Reply | None = None
        self._begin(start, stop)

    def _begin(self, start: int, stop: int | None) -> None:
        self._is_whole = start == 0 and stop is None
        self._start = self._position = start
        self._progress = ProgressCheck(MIN_PROGRESS_BYTES, reached=start)
        self._requested_stop = self._stop = stop
        self._offset = 0

    async def widen(self) -> None:
        """Receive the whole file instead; must be called before the first byte is received."""
        if self.is_part:
            await self.close()
        self._begin(0, None)
        self._start_digests()

    async def open(self) -> None:
        """
        Request the bytes.

        Raises:
            NotAFileError: If it is a folder.
            ResponseError: If the server refused.
            TransportError: If no response is received.
            IntegrityError: If it is not the pinned content any more, or contradicts a binding pin.
            ProtocolError: If the response has other bytes than requested, or is a web page.
        """
        request = self._request()
        self._reply = None
        self._reply = await self._connection.enter_async_context(stream(self._session, request, self._operation))
        reply = self._reply
        if reply.location is not None and is_folder_redirect(self._item, reply.location):
            raise not_a_file(self._item)
        meaning = meaning_of(
            reply.status, has_range="Range" in request.headers, is_conditional="If-None-Match" in request.headers
        )
        if meaning == "unchanged":
            self.is_unchanged, self._stop = True, self._position
            self.expected = ExpectedContent(None, NO_CHECKSUMS, reply.chain[-1].get("ETag"))
            return
        if meaning == "end":
            await self._end(unsatisfied_size(reply.chain[-1]))
            return
        if meaning != "body":
            raise await reply.error()
        described = read_expected_content(request, reply.chain, status=reply.status)
        check_pin(self._item, self._pin, described)
        if not starts_at(described, self._position):
            raise ProtocolError(f"{request.label}: answered with bytes from {described.start} on", hint="try again")
        if not has_certain_end(described, self.expected.size if self.expected else None):
            await self._open_whole()
            return
        if described.is_page and self._pin is None and not self._is_identified(described):
            await self.close()
            self._pin = pin_of(await self._info(), is_binding=False)
            check_is_file(self._item, described, is_identified=self._is_identified(described))
            await self.open()
            return
        check_is_file(self._item, described, is_identified=self._is_identified(described))
        self._take(described)
        self._unless_etag = None  # from now on, the bytes of this content are needed
        if self.info is None:
            self.info = read_file_headers(self._item, reply.chain, described)

    def _is_identified(self, described: ExpectedContent) -> bool:
        """
        Whether a web page is known to be the file, or will be verified.

        A whole page is verified by its checksum. A part is identified only by the size of the file, or by the range in
        a 206: the checksums in a redirect are those of the file, whatever the redirect leads to.
        """
        if self._is_whole:
            return bool(with_pin(described, self._pin).checksums)
        has_its_size = self._pin is not None and self._pin.size == described.size
        return has_its_size or (described.stop is not None and bool(described.checksums))

    def _request(self) -> Request:
        if not self._has_ranges:
            request = build_download(self._item)
        else:
            stop = self._requested_stop if self._position == self._start else self._stop
            request = build_range(self._item, self._position, stop, self.expected.etag if self.expected else None)
        return with_condition(request, self._unless_etag) if self._unless_etag else request

    async def _end(self, size: int | None) -> None:
        """Handle a response that states that a file of *size* bytes has none of the requested bytes."""
        if size is None and self._position == 0:
            # An empty file, or a server that refuses ranges: the whole file shows which.
            await self._open_whole()
            return
        known = self._pinned.size if self._pinned else size
        if self._position != self._start or size != known or (size is not None and size > self._start):
            raise self._changed()
        if self._pinned is None:
            self.expected = ExpectedContent(size, NO_CHECKSUMS, start=self._start)
        self.is_behind_end = True
        self._stop = self._start

    async def _open_whole(self) -> None:
        """Request the whole file from now on; what precedes the current position is dropped."""
        self._has_ranges = False
        await self.close()
        await self.open()

    def _take(self, described: ExpectedContent) -> None:
        """Pin the content, or make sure that it is the pinned one; then find the position to continue from."""
        is_first = self._pinned is None and self._position == self._start
        has_other_form = self.expected is not None and described.codings != self.expected.codings
        if not is_first and (self.expected is None or not is_same_content(self.expected, described)):
            raise self._changed()
        # A whole file is verified at its end, in either form; a part must have the form of the first response.
        if has_other_form and not (self._is_whole and self._position == 0):
            self.has_other_form = True
            raise self._changed()
        if is_first:
            self.expected, self._stop = with_pin(described, self._pin), self._requested_stop
        elif has_other_form and self.expected is not None:
            self.expected = replace(self.expected, size=described.size, codings=described.codings)
        if self._position == 0:
            self._start_digests()
        if described.stop is not None and described.size is not None:
            # The size says where the file ends: old servers announce a longer body, and send nothing more.
            self._stop = min(described.size, described.size if self._stop is None else self._stop)
        self._offset, self.is_part = described.start, described.stop is not None

    def _start_digests(self) -> None:
        if self._is_whole and self.expected is not None:
            # Checksums that are not known yet may be known at the end, when no byte can be read again.
            self._digests = Digests(algorithms_for(self.expected.checksums) or ALGORITHMS)

    async def must_be_verified(self) -> bool:
        """
        Whether only the checksum of the whole file can show if its coding was stored or added in transit.

        A file that was stored with a coding is read as it is stored. A whole body with a coding that cannot be removed
        is verified anyway. Must be called before the first byte is received.
        """
        expected = self.expected
        if expected is None or not expected.codings or (self._is_whole and not can_decode(expected.codings)):
            return False
        if expected.size is None or expected.size <= _SMALL:
            return True
        await self.close()
        info = await self._info()
        self._pin = self._pin or pin_of(info, is_binding=False)
        self.expected = with_pin(expected, self._pin)
        return bool(self.expected.checksums) and expected.size != (info.size if info else None)

    def _changed(self) -> IntegrityError:
        return IntegrityError(f"GET {self._item}: changed while it was read", hint="read it again from the start")

    async def next(self) -> Sequence[bytes]:
        """
        Wait for about 1 MiB, as chunks; empty at the end, once everything is verified.

        Raises:
            TransportError: If the body broke off, and could not be resumed.
            IntegrityError: If size or checksum differs, or the file changed meanwhile.
            ResponseError: If the server would not send the rest.
        """
        attempts = self._operation.attempts(
            ConnectionLostError,
            TransportTimeoutError,
            progressed=lambda: self._progress.has_advanced(self._position),
            may_retry=lambda: self._can_resume,
        )
        async for attempt in attempts:
            with attempt:
                chunks = await self._received()
                break
        else:
            raise self._located(attempts.failure())
        if not chunks:
            await self._check()
        return chunks

    def _located(self, error: Exception) -> Exception:
        """Add the position that was reached to *error*."""
        if isinstance(error, TransportError):
            error.message += f", at byte {self._position}"
        return error

    @property
    def _can_resume(self) -> bool:
        """Content without an ETag can only be requested from its start."""
        return self._position == self._start or (self.expected is not None and self.expected.etag is not None)

    async def _received(self) -> list[bytes]:
        try:
            if self._reply is None:
                await self.open()
            return await self._receive()
        except (ConnectionLostError, TransportTimeoutError):
            await self.close()
            raise

    async def _receive(self) -> list[bytes]:
        """Requested bytes as chunks; empty at their end."""
        assert self._reply is not None
        chunks: list[bytes] = []
        while not chunks and self._stop != self._position:
            expected = _BATCH if self._stop is None else min(_BATCH, self._stop - self._offset)
            batch = await self._reply.next_batch(expected)
            if not batch:
                break
            chunks = [part for chunk in batch if (part := self._clipped(chunk))]
        if self._digests is not None:
            await run(self._digest, chunks)
        return chunks

    def _clipped(self, chunk: bytes) -> bytes:
        """The requested bytes of a chunk: some servers respond to the request for a part with the whole."""
        start = self._position - self._offset
        self._offset += len(chunk)
        stop = None if self._stop is None else max(0, self._stop - self._offset + len(chunk))
        part = chunk if start == 0 and (stop is None or stop >= len(chunk)) else chunk[start:stop]
        self._position += len(part)
        return part

    def _digest(self, chunks: Sequence[bytes]) -> None:
        assert self._digests is not None
        for chunk in chunks:
            self._digests.update(chunk)

    async def _check(self) -> None:
        await self.close()
        assert self.expected is not None
        if self._digests is None:
            self._check_length(self.expected)
            return
        if not self.expected.checksums:
            self.expected = with_pin(self.expected, pin_of(await self._info(), is_binding=False))
        check_received(self._item, self.expected, self._position, self._digests.checksums())

    def _check_length(self, expected: ExpectedContent) -> None:
        if expected.size is None and not self.is_part and not expected.is_open_ended:
            return  # the last chunk of the file has arrived
        stop = min((each for each in (expected.size, self._stop) if each is not None), default=self._position)
        if self._position < stop:
            raise IntegrityError(
                f"GET {self._item}: {self._position - self._start} bytes arrived of {stop - self._start}",
                algorithm="size",
                expected=str(stop - self._start),
                actual=str(self._position - self._start),
                hint="try again; a proxy may cut long answers",
            )

    async def _info(self) -> FileInfo | None:
        """The file's info, with the checksums that storage behind a redirect does not know; None if it is refused."""
        request = build_item_info(self._item)
        try:
            return expect_file(
                self._item, read_item_info(self._item, request, await fetch_response(self._session, request))
            )
        except ResponseError:
            return None

    async def close(self) -> None:
        """Release the connection; it can be used again if the body was read to its end."""
        self._reply = None
        await self._connection.aclose()


class Spooled:
    """Bytes *start* to *stop* of a file that is in *spool*, verified; read as from :class:`Incoming`."""

    def __init__(self, spool: Spool, start: int = 0, stop: int | None = None) -> None:
        self.spool = spool
        self._position = start
        self._stop = spool.size if stop is None else min(stop, spool.size)

    async def next(self) -> Sequence[bytes]:
        """
        Return up to 1 MiB; empty at the end.

        Raises:
            LocalFileError: If the disk failed.
        """
        block = await run(self.spool.read, self._position, min(self._position + _BATCH, self._stop))
        self._position += len(block)
        return [block] if block else []

    async def close(self) -> None:
        """Delete the copy."""
        await run(self.spool.close)


Reading: TypeAlias = Incoming | Spooled


async def start_reading(
    session: aiohttp.ClientSession,
    item: ItemURL,
    start: int = 0,
    stop: int | None = None,
    pin: Pin | None = None,
    unless_etag: str | None = None,
) -> tuple[Reading, Incoming]:
    """
    Request bytes *start* to *stop* of a file, unless it still has the ETag *unless_etag*.

    A body with a content coding that may have been added in transit is received and verified first: only the
    checksum of the whole file shows whether to decode it.

    Returns:
        What reads the bytes, and the first response.

    Raises:
        ArtifactoryError: See :meth:`Incoming.open` and :meth:`Incoming.next`.
    """
    incoming = Incoming(session, item, start, stop, pin=pin, unless_etag=unless_etag)
    try:
        await incoming.open()
        if not await incoming.must_be_verified():
            return incoming, incoming
        await incoming.widen()
        return Spooled(await spool_file(incoming), start, stop), incoming
    except BaseException:
        await incoming.close()
        raise


async def spool_file(incoming: Incoming) -> Spool:
    """
    Receive a whole file, verify it, and remove a content coding that was added in transit.

    Raises:
        ArtifactoryError: See :meth:`Incoming.next`.
        LocalFileError: If the disk failed.
    """
    spool = Spool()
    try:
        try:
            while chunks := await incoming.next():
                await run(spool.append, chunks)
        except IntegrityError:
            if incoming.expected is None or await run(decoded_size, incoming.expected, spool.blocks()) is None:
                raise
            await run(spool.replace, decoded(spool.blocks(), incoming.expected.codings))
        finally:
            await incoming.close()
    except BaseException:
        with anyio.CancelScope(shield=True):
            await run(spool.close)
        raise
    return spool


async def read_range(
    session: aiohttp.ClientSession, item: ItemURL, start: int = 0, stop: int | None = None, pin: Pin | None = None
) -> bytes:
    """
    Read bytes *start* to *stop*, or to the end; fewer where the file is shorter.

    Bytes that were damaged in transit are read once more; a second mismatch is an error.

    Raises:
        NotAFileError: If it is a folder.
        ResponseError: If the server refused.
        TransportError: If no complete response is received.
        IntegrityError: If size or checksum differs.
    """
    try:
        return await _read_once(session, item, start, stop, pin)
    except IntegrityError:
        return await _read_once(session, item, start, stop, pin)


async def _read_once(
    session: aiohttp.ClientSession, item: ItemURL, start: int, stop: int | None, pin: Pin | None
) -> bytes:
    reading, _ = await start_reading(session, item, start, stop, pin)
    return await read_all(reading)


async def read_part(
    session: aiohttp.ClientSession, item: ItemURL, start: int, stop: int, pinned: ExpectedContent
) -> bytes | None:
    """
    Read bytes *start* to *stop* of the *pinned* content; None if the server sends the whole file instead.

    Raises:
        ArtifactoryError: See :meth:`Incoming.open` and :meth:`Incoming.next`.
    """
    incoming = Incoming(session, item, start, stop, pinned)
    try:
        await incoming.open()
        return await read_all(incoming) if incoming.is_part else None
    except IntegrityError:
        if incoming.has_other_form:
            return None
        raise
    finally:
        await incoming.close()


async def read_all(reading: Reading) -> bytes:
    """
    Read to the end, then close.

    Raises:
        ArtifactoryError: See :meth:`Incoming.next`.
    """
    pieces: list[bytes] = []
    try:
        while chunks := await reading.next():
            pieces += chunks
    finally:
        await reading.close()
    return b"".join(pieces)
