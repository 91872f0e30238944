"""The body of an upload as a payload of aiohttp."""

import asyncio
from contextlib import aclosing

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from .._errors import ArtifactoryError, IntegrityError, TransportTimeoutError
from .._pacing import AdaptiveLimit
from .._protocol import Upload
from .state import SessionState


class UploadPayload(aiohttp.Payload):
    """The body of an upload, sent from the start each time, so that the request can be repeated."""

    def __init__(self, upload: Upload, state: SessionState, limit: AdaptiveLimit) -> None:
        super().__init__(upload, content_type="application/octet-stream")
        self._upload = upload
        self._stall = state.timeouts.stall
        self._rate = state.byte_rate
        self._limit = limit
        self._traffic = state.traffic
        self._now = state.clock.now
        # When the last byte was sent: the response time of the server counts from then on.
        self.sent_at: float | None = None
        self._size = upload.size
        # aiohttp reports an exception of a payload as a lost connection; the original exception is kept here.
        self.failure: Exception | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("an upload has no text form")

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self.sent_at, sent = None, 0
        last: bytes | memoryview = b""
        try:
            async with aclosing(self._upload.open()) as blocks:
                async for block in blocks:
                    sent += len(block)
                    if sent > self._upload.size:
                        break
                    if sent < self._upload.size:
                        await self._write_slowly(writer, block)
                    else:
                        last = block  # it completes the file on the server: first check that nothing follows
            if sent != self._upload.size:
                raise IntegrityError(
                    f"the file changed while it was sent: it has not {self._upload.size} bytes any more",
                    algorithm="size",
                    expected=str(self._upload.size),
                    hint="deploy it again when no program writes to it",
                )
            await self._write_slowly(writer, last)
            self.sent_at = self._now()
        except ArtifactoryError as error:
            self.failure = error
            raise

    async def _write_slowly(self, writer: AbstractStreamWriter, block: bytes | memoryview) -> None:
        """Send a block; in portions if bytes are limited, so that the server is never without bytes for long."""
        portion = max(1, int(min(len(block), self._rate.portion)))
        view = memoryview(block)
        for start in range(0, len(block), portion):
            part = view[start : start + portion]
            await self._rate.take(len(part))
            await self._write(writer, part)
            self._limit.add_bytes(len(part))
            self._traffic.sent(len(part))

    async def _write(self, writer: AbstractStreamWriter, block: bytes | memoryview) -> None:
        """
        Send a block.

        Raises:
            TransportTimeoutError: If the operating system accepts none of its bytes within the time limit.
        """
        left = _buffered(writer) + len(block)
        # A task of its own, since aiohttp's wait for the buffer cannot be repeated once it was cancelled.
        sending = asyncio.ensure_future(writer.write(block))
        try:
            while not (await asyncio.wait({sending}, timeout=self._stall))[0]:
                before, left = left, _buffered(writer)
                if left >= before:
                    raise TransportTimeoutError(f"stalled: the server took no byte for {self._stall:g} s")
            await sending
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.wait({sending})
            if not sending.cancelled():
                sending.exception()  # raised above, unless this was cancelled first: mark it as retrieved


def _buffered(writer: AbstractStreamWriter) -> int:
    """Return how many bytes have been written that the operating system has not accepted yet."""
    transport: asyncio.WriteTransport | None = getattr(writer, "transport", None)
    return 0 if transport is None else transport.get_write_buffer_size()


def upload_failure(body: object) -> Exception | None:
    return body.failure if isinstance(body, UploadPayload) else None


def is_replayable(body: object) -> bool:
    return not (isinstance(body, aiohttp.Payload) and body.consumed)
