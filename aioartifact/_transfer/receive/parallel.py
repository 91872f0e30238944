"""The bytes of one content of a file, over as many connections at once as are useful."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

import aiohttp
import anyio
from anyio.abc import TaskGroup

from ..._address import ItemURL, mask_url
from ..._errors import ArtifactoryError, ConnectionLostError, LocalFileError, ProtocolError, TransportError
from ..._protocol import ExpectedContent, build_range, read_expected_content
from ..._retry import MIN_PROGRESS_BYTES
from ..._scheduler import Slots, collapsed
from ..._session import Reply, start_operation, state_of, stream
from ..._threads import finished, run, submit
from .content import WHOLE, Range, is_requested_part
from .partial_file import PartialFile
from .segments import RangeScaler, Segment, Segments, TransferSample

# One thread hop per batch: larger batches need fewer hops, but each connection has two of them in memory.
BATCH = 1024 * 1024
_LARGEST_BATCH = 4 * BATCH
_BATCHES_TOGETHER = 12 * BATCH
# Few enough that a cancelled transfer ends at once.
_CATCH_UP = 16 * 1024 * 1024
_LOOK_EVERY = 0.1

Chunks: TypeAlias = Sequence[bytes | memoryview]


class ContentChanged(Exception):
    """Raised for a response that does not continue the kept content."""


class Body:
    """
    Receives a body into a partial file.

    It begins with one connection. While slots are idle and the network is the bottleneck, others take halves of the
    missing ranges; each of their responses must be exactly the requested part of the same content. What one of them
    fails to fetch is left to the others; after as many failures in a row as a request has attempts, they take no more.
    The first connection counts: its failure is that of the body, unless the others fetch what it has left.

    Args:
        session: Session to use.
        item: The file.
        expected: The content.
        partial: Where the bytes go.
        slots: The connections that may be used.
        stored: Called when bytes were added to the partial file.
        reply_seconds: Seconds until the first response began.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        item: ItemURL,
        expected: ExpectedContent,
        partial: PartialFile,
        slots: Slots,
        stored: Callable[[], None],
        reply_seconds: float,
    ) -> None:
        self._session = session
        self._item = item
        self._expected = expected
        self._partial = partial
        self._slots = slots
        self._stored = stored
        self._blocked = 0.0
        self._catching_up = False
        self._ignores_ranges = False
        self._helpers = 0
        self._fruitless = 0
        self._left = anyio.Event()
        self._failure: Exception | None = None
        self._segments = Segments((), 0)
        self._scaler = RangeScaler(self._sample(), reply_seconds)

    async def receive(self, reply: Reply, asked: Range, batch: Chunks) -> bool:
        """
        Store the bytes *asked* for, the first *batch* of which was received, and all others that are missing.

        Returns:
            Whether this one response had the whole body, to its proper end.

        Raises:
            ContentChanged: If a response belongs to other content.
            TransportError: If the first connection ended early, and the others have not fetched the rest.
            LocalFileError: If the disk failed.
        """
        self._segments = self._divided(asked)
        first = self._segments.take()
        assert first is not None
        whole, lost = False, None
        async with collapsed(), anyio.create_task_group() as helpers:
            helpers.start_soon(self._widen_now_and_then, helpers)
            try:
                await self._keep(reply, first, batch, helpers)
            except TransportError as error:
                if not self._helpers:
                    raise
                lost = error  # others are at work, and fetch what it has left
            else:
                if whole := first.stop == WHOLE.stop:
                    first.stop = first.position
            finally:
                self._segments.end(first)
            # Later requests may need its connection.
            reply.drop()
            await self._fetch_remaining_shares(helpers)
            helpers.cancel_scope.cancel()
        if self._failure is not None:
            raise self._failure
        if lost is not None and self._expected.size and self._partial.missing(self._expected.size):
            raise lost
        return whole

    def _divided(self, asked: Range) -> Segments:
        """What is missing, the bytes *asked* for first."""
        if self._expected.size is None:
            return Segments([asked], asked.stop)
        missing = self._partial.missing(self._expected.size)
        return Segments([asked, *(gap for gap in missing if gap.start > asked.start)], self._expected.size)

    async def _keep(
        self, reply: Reply, segment: Segment, batch: Chunks, helpers: TaskGroup, *, borrowed: bool = False
    ) -> None:
        """
        Store the bytes of a response: a thread hashes and writes a batch while the next one arrives.

        Raises:
            TransportError: If it breaks off, or ends before the end of its segment.
        """
        batch = batch or await self._next_batch(reply, segment)
        while batch := first_bytes(batch, segment.rest):
            stored = batch
            storing = submit(self._partial.store, segment.position, stored)
            segment.position += sum(map(len, stored))
            # Bytes after the segment are not waited for: old servers announce a longer part, and send no more.
            ends = not segment.rest or (borrowed and self._slots.are_wanted)
            try:
                batch = [] if ends else await self._next_batch(reply, segment)
            finally:
                await self._finish(storing)
            reply.give_back(stored)
            if self._partial.is_behind and not self._catching_up:
                helpers.start_soon(self._catch_up)

    async def _next_batch(self, reply: Reply, segment: Segment) -> Chunks:
        batch = await reply.next_buffers(min(batch_size(reply.in_flight), segment.rest))
        if not batch and segment.stop != WHOLE.stop:
            # Shorter than announced: the same as a lost connection, and retried as often.
            raise ConnectionLostError(
                f"GET {self._item}: the part ended early", method="GET", url=mask_url(str(self._item)), hint="try again"
            )
        return batch

    async def _finish(self, storing: asyncio.Future[None]) -> None:
        began = time.monotonic()
        await finished(storing)
        self._blocked += time.monotonic() - began
        self._stored()

    async def _catch_up(self) -> None:
        """Hash stored bytes that were not hashed yet, while the rest arrives."""
        self._catching_up = True
        try:
            while self._partial.is_behind:
                await run(self._partial.catch_up, _CATCH_UP)
        except LocalFileError:
            return  # the end hashes the rest, and raises an error that persists
        finally:
            self._catching_up = False

    async def _widen_now_and_then(self, helpers: TaskGroup) -> None:
        """Borrow idle slots where that makes the transfer faster."""
        while self._expected.etag and self._expected.size and not self._ignores_ranges:
            await anyio.sleep(_LOOK_EVERY)
            for _ in range(self._scaler.more(self._sample(), 1 + self._helpers)):
                if not self._add_helper(helpers):
                    break

    def _sample(self) -> TransferSample:
        return TransferSample(time.monotonic(), self._partial.size, time.thread_time(), self._blocked)

    def _add_helper(self, helpers: TaskGroup) -> bool:
        if not self._slots.borrow():
            return False
        segment = self._next_share()
        if segment is None:
            self._slots.give_back()
            return False
        self._helpers += 1
        helpers.start_soon(self._help, segment, helpers)
        return True

    def _next_share(self) -> Segment | None:
        if self._ignores_ranges or self._fruitless >= state_of(self._session).retry.attempts:
            return None
        return self._segments.take() or self._segments.split(self._scaler.min_size)

    async def _help(self, segment: Segment | None, helpers: TaskGroup) -> None:
        """Fetch share after share, in a borrowed slot."""
        try:
            while segment and await self._fetch(segment, helpers, borrowed=True):
                segment = None if self._slots.are_wanted else self._next_share()
        except (ContentChanged, ArtifactoryError) as error:
            self._failure = error
            helpers.cancel_scope.cancel()
        finally:
            self._helpers -= 1
            self._slots.give_back()
            self._left.set()

    async def _fetch_remaining_shares(self, helpers: TaskGroup) -> None:
        """Fetch shares of what is missing until one fails or none is left, and wait for the other connections."""
        goes_well = True
        while True:
            segment = self._next_share() if goes_well else None
            if segment is not None:
                goes_well = await self._fetch(segment, helpers)
            elif self._helpers:
                self._left = anyio.Event()
                await self._left.wait()
            else:
                return

    async def _fetch(self, segment: Segment, helpers: TaskGroup, *, borrowed: bool = False) -> bool:
        """
        Request one share and store it; bytes that do not arrive are left to others.

        Returns:
            Whether all of it was received.

        Raises:
            ContentChanged: If the response belongs to other content.
            LocalFileError: If the disk failed.
        """
        asked, size = Range(segment.position, segment.stop), self._expected.size or 0
        stop = asked.stop if asked.stop < size else None
        request = build_range(self._item, asked.start, stop, self._expected.etag)
        try:
            async with stream(self._session, request, start_operation(self._session, repeatable=False)) as reply:
                if reply.status not in (206, 416):
                    self._ignores_ranges = True
                    return False
                if reply.status == 416 or not is_requested_part(
                    self._expected, asked, read_expected_content(request, reply.chain, status=reply.status)
                ):
                    raise ContentChanged
                await self._keep(reply, segment, (), helpers, borrowed=borrowed)
                self._fruitless = 0
                return not segment.rest
        except (TransportError, ProtocolError):
            self._fruitless = 0 if segment.position - asked.start >= MIN_PROGRESS_BYTES else self._fruitless + 1
            return False
        finally:
            self._segments.end(segment)


def batch_size(in_flight: int) -> int:
    """How many bytes to take at a time with this number of requests *in_flight* (0 if it is not known)."""
    return max(BATCH, min(_LARGEST_BATCH, _BATCHES_TOGETHER // in_flight)) if in_flight else BATCH


def first_bytes(chunks: Chunks, size: int) -> Chunks:
    """The first *size* bytes of *chunks*, or all there are."""
    kept: list[bytes | memoryview] = []
    for chunk in chunks:
        if size <= 0:
            break
        kept.append(chunk[:size])
        size -= len(chunk)
    return kept
