"""A file, or a part of it, read into memory as it arrives; broken connections are mended on the way."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import aiohttp

from .._address import ItemURL
from .._checksums import ALGORITHMS, Checksums, Digests, digested
from .._errors import ConnectionLostError, IntegrityError, ProtocolError, ResponseError, TransportTimeoutError
from .._protocol import (
    ExpectedContent,
    build_item_info,
    build_range,
    expect_file,
    is_folder_redirect,
    not_a_file,
    read_expected_content,
    read_item_info,
    unsatisfied_size,
)
from .._retry import MIN_PROGRESS_BYTES
from .._session import Reply, ask, begin, rest, stream
from .._threads import run
from .codings import can_decode, decoded
from .content import (
    algorithms_for,
    check_is_file,
    check_received,
    is_same_content,
    meaning_of,
    pin_of,
    with_pin,
)

_BATCH = 1024 * 1024
_MAX_DECODED = 256 * _BATCH


class Incoming:
    """
    Bytes *start* to *stop* of a file, over as many requests as it takes.

    The first answer pins the content, unless one is *pinned* already; bytes of any other content are refused. A
    whole file is checked against its checksums at the end.

    Attributes:
        promise: What the server says of the file; None before the first answer.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        item: ItemURL,
        start: int = 0,
        stop: int | None = None,
        pinned: ExpectedContent | None = None,
    ) -> None:
        self.promise = pinned
        self._session = session
        self._item = item
        self._start = start
        self._stop = stop
        self._position = start
        self._reached = start
        self._offset = 0
        self._digests: Digests | None = None
        self._operation = begin(session)
        self._connection = AsyncExitStack()
        self._reply: Reply | None = None

    async def open(self) -> None:
        """
        Ask for the bytes.

        Raises:
            NotAFileError: It is a folder.
            ResponseError: The server said no.
            TransportError: No answer came.
            IntegrityError: It is not the pinned content any more.
        """
        request = build_range(self._item, self._position, self._stop, self.promise.etag if self.promise else None)
        self._reply = None
        self._reply = await self._connection.enter_async_context(stream(self._session, request, self._operation))
        reply = self._reply
        if reply.location is not None and is_folder_redirect(self._item, reply.location):
            raise not_a_file(self._item)
        meaning = meaning_of(reply.status, has_range="Range" in request.headers)
        if meaning == "end" and self._position == self._start:
            size = unsatisfied_size(reply.chain[-1])
            known = self.promise.size if self.promise else size
            if size != known or (size is not None and size > self._start):
                raise self._changed()
            if self.promise is not None:
                self._stop = self._start
                return
            self._take(ExpectedContent(unsatisfied_size(reply.chain[-1]), Checksums(), start=self._start))
            self._stop = self._start
            return
        if meaning != "body":
            raise await reply.error()
        answer = read_expected_content(request, reply.chain, status=reply.status)
        if answer.stop is not None and answer.start != self._position:
            raise ProtocolError(f"{request.label}: answered with bytes from {answer.start} on", hint="try again")
        if answer.is_page and not answer.checksums:
            answer = await self._asked(answer)
            check_is_file(self._item, answer)
        self._take(answer)

    def _take(self, promise: ExpectedContent) -> None:
        """Pin the content, or make sure that it is the pinned one; then find the place to go on from."""
        pinned = self.promise
        if pinned is None:
            self.promise = promise
            if self.is_whole:
                # What is not promised yet may be at the end, and nothing of it can be read again then.
                self._digests = Digests(algorithms_for(promise.checksums) or ALGORITHMS)
        elif not is_same_content(pinned, promise):
            raise self._changed()
        if promise.stop is not None and promise.size is not None:
            # The size says where the file ends: old servers announce a longer body, and send nothing more.
            self._stop = min(promise.size, promise.size if self._stop is None else self._stop)
        self._offset = promise.start

    @property
    def is_whole(self) -> bool:
        """Whether all of the file is requested."""
        return self._start == 0 and self._stop is None

    def _changed(self) -> IntegrityError:
        return IntegrityError(f"GET {self._item}: changed while it was read", hint="read it again from the start")

    async def next(self) -> Sequence[bytes]:
        """
        Wait for about 1 MiB, as chunks; empty at the end, once everything is checked.

        Raises:
            TransportError: The body broke off, and could not be mended.
            IntegrityError: Size or checksum differs, or the file changed meanwhile.
            ResponseError: The server would not send the rest.
        """
        while True:
            try:
                if self._reply is None:
                    await self.open()
                chunks = await self._receive()
            except (ConnectionLostError, TransportTimeoutError) as error:
                await self._mend(error)
            else:
                if not chunks:
                    await self._check()
                return chunks

    async def _receive(self) -> list[bytes]:
        """Chunks of the asked for bytes; empty at their end."""
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
        """What of a chunk was asked for: some servers answer the request for a part with the whole."""
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

    async def _mend(self, error: ConnectionLostError | TransportTimeoutError) -> None:
        """Wait before the rest is asked for; where the content has no name, only what has not begun can go on."""
        await self.close()
        if progressed := self._position - self._reached >= MIN_PROGRESS_BYTES:
            self._reached = self._position
        may_go_on = self._position == self._start or (self.promise is not None and self.promise.etag is not None)
        if not may_go_on or not await rest(self._session, self._operation, progressed=progressed):
            error.message += f", at byte {self._position}"
            raise error

    async def _check(self) -> None:
        await self.close()
        assert self.promise is not None
        if self._digests is None:
            self._check_length(self.promise.size)
            return
        promise = self.promise if self.promise.checksums else await self._asked(self.promise)
        check_received(self._item, promise, self._position, self._digests.checksums())

    def _check_length(self, size: int | None) -> None:
        stop = min((each for each in (size, self._stop) if each is not None), default=self._position)
        if self._position < stop:
            raise IntegrityError(
                f"GET {self._item}: {self._position - self._start} bytes arrived of {stop - self._start}",
                algorithm="size",
                expected=str(stop - self._start),
                actual=str(self._position - self._start),
                hint="try again; a proxy may cut long answers",
            )

    async def _asked(self, promise: ExpectedContent) -> ExpectedContent:
        """Storage behind a redirect knows no checksums; then Artifactory is asked, if it may tell."""
        request = build_item_info(self._item)
        try:
            info = read_item_info(self._item, request, await ask(self._session, request))
        except ResponseError:
            return promise
        return with_pin(promise, pin_of(expect_file(self._item, info), is_binding=False))

    async def close(self) -> None:
        """Let go of the connection; it can be used again if the body was read to its end."""
        self._reply = None
        await self._connection.aclose()


async def read_range(
    session: aiohttp.ClientSession,
    item: ItemURL,
    start: int = 0,
    stop: int | None = None,
    pinned: ExpectedContent | None = None,
) -> tuple[bytes, ExpectedContent]:
    """
    Read bytes *start* to *stop*, or to the end; fewer where the file is shorter.

    Bytes may be damaged on the way once, and are read again; the same damage twice is no accident.

    Returns:
        The bytes and what the server says of the file.

    Raises:
        NotAFileError: It is a folder.
        ResponseError: The server said no.
        TransportError: No answer came, or not all of it.
        IntegrityError: Size or checksum differs, or it is not the *pinned* content any more.
    """
    try:
        return await _read(Incoming(session, item, start, stop, pinned))
    except IntegrityError:
        if pinned is not None:
            raise
    return await _read(Incoming(session, item, start, stop, pinned))


async def _read(incoming: Incoming) -> tuple[bytes, ExpectedContent]:
    pieces: list[bytes] = []
    try:
        while chunks := await incoming.next():
            pieces += chunks
    except IntegrityError as error:
        return await _undone(incoming, pieces, error), incoming.promise or ExpectedContent(None, Checksums())
    finally:
        await incoming.close()
    assert incoming.promise is not None
    return b"".join(pieces), incoming.promise


async def _undone(incoming: Incoming, pieces: list[bytes], error: IntegrityError) -> bytes:
    """Remove a content coding that was added in transit: then the checksum is that of the decoded bytes."""
    expected = incoming.promise
    if expected is None or not (expected.checksums and can_decode(expected.codings)) or not incoming.is_whole:
        raise error
    content = await run(_decoded_within, pieces, expected.codings)
    if content is None or not digested([content], algorithms_for(expected.checksums)).agree_with(expected.checksums):
        raise error
    return content


def _decoded_within(pieces: list[bytes], codings: Sequence[str]) -> bytes | None:
    size, content = 0, list[bytes]()
    try:
        for piece in decoded(pieces, codings):
            size += len(piece)
            if size > _MAX_DECODED:
                return None
            content.append(piece)
    except ValueError:
        return None
    return b"".join(content)
