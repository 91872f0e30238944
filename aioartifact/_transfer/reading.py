"""A file, or a part of it, read into memory as it arrives; broken connections are mended on the way."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import aiohttp

from .._address import ItemURL
from .._checksums import ALGORITHMS, Checksums, Digests
from .._errors import ConnectionLostError, IntegrityError, ResponseError, TransportTimeoutError
from .._protocol import (
    Promise,
    build_item_info,
    build_range,
    expect_file,
    is_folder_redirect,
    not_a_file,
    read_item_info,
    read_promise,
    unsatisfied_size,
)
from .._retry import MIN_PROGRESS_BYTES
from .._session import Reply, ask, begin, rest, stream
from .._threads import run
from .plan import algorithms_for, check_received, complete_promise

_BATCH = 1024 * 1024


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
        pinned: Promise | None = None,
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
        if reply.status == 416 and self._position == self._start:
            self._take(Promise(unsatisfied_size(reply.chain[-1]), Checksums(), start=self._start))
            self._stop = self._start
            return
        if reply.status not in (200, 206):
            raise await reply.error()
        self._take(read_promise(request, reply.chain, status=reply.status))

    def _take(self, promise: Promise) -> None:
        """Pin the content, or make sure that it is the pinned one; then find the place to go on from."""
        pinned = self.promise
        if pinned is None:
            self.promise = promise
            if self._is_whole:
                # What is not promised yet may be at the end, and nothing of it can be read again then.
                self._digests = Digests(algorithms_for(promise.checksums) or ALGORITHMS)
        elif not _is_same(pinned, promise):
            raise self._changed()
        if promise.start > self._position:
            raise self._changed()
        self._offset = promise.start

    @property
    def _is_whole(self) -> bool:
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
            batch = await self._reply.next_batch(_BATCH)
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

    async def _asked(self, promise: Promise) -> Promise:
        """Storage behind a redirect knows no checksums; then Artifactory is asked, if it may tell."""
        request = build_item_info(self._item)
        try:
            info = read_item_info(self._item, request, await ask(self._session, request))
        except ResponseError:
            return promise
        return complete_promise(promise, expect_file(self._item, info))

    async def close(self) -> None:
        """Let go of the connection; it can be used again if the body was read to its end."""
        self._reply = None
        await self._connection.aclose()


def _is_same(pinned: Promise, promise: Promise) -> bool:
    return (
        promise.etag == pinned.etag
        and (promise.size is None or promise.size == pinned.size)
        and (not promise.checksums or promise.checksums == pinned.checksums)
    )


async def read_range(
    session: aiohttp.ClientSession,
    item: ItemURL,
    start: int = 0,
    stop: int | None = None,
    pinned: Promise | None = None,
) -> tuple[bytes, Promise]:
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


async def _read(incoming: Incoming) -> tuple[bytes, Promise]:
    pieces: list[bytes] = []
    try:
        while chunks := await incoming.next():
            pieces += chunks
    finally:
        await incoming.close()
    assert incoming.promise is not None
    return b"".join(pieces), incoming.promise
