"""One file: received, verified, and written to its target in one step."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass

import aiohttp
import anyio

from ..._address import ItemURL
from ..._bodies import decoded
from ..._checksums import NO_CHECKSUMS, Checksums, digested
from ..._errors import (
    ArtifactoryError,
    ConnectionLostError,
    IntegrityError,
    LocalFileError,
    ProtocolError,
    ResponseError,
    TransportError,
    TransportTimeoutError,
)
from ..._files import Staging, write_file
from ..._models import FileInfo
from ..._progress import FileProgress
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
    read_item_info,
)
from ..._retry import MIN_PROGRESS_BYTES
from ..._scheduler import Slots, collapsed
from ..._session import Begun, ProgressCheck, Reply, fetch_response, start_operation, state_of, stream
from ..._threads import check_wanted, run, run_short
from .content import (
    WHOLE,
    Pin,
    Range,
    algorithms_for,
    check_pin,
    check_pinned_size,
    check_received,
    contradicts,
    decoded_size,
    first_missing,
    is_requested_part,
    meaning_of,
    pin_error,
    pin_of,
    with_pin,
)
from .journal import WORTH_KEEPING, adopt, can_outlive, decode, is_worth_leaving, journal_of
from .parallel import BATCH, Body, ContentChanged
from .partial_file import PartialFile

_SHORT = 64 * 1024
# What a crash may cost, in seconds of transfer; a file that takes less is never synced.
_SAVE_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    A committed file.

    Attributes:
        size: Bytes.
        checksums: Those that the server reports, the strongest of which was verified; none if it reports none.
        status: Status of the file right before it was renamed onto the target.
        was_replaced: Whether the file was replaced after it was listed, which its info confirmed.
        is_cached: Whether the bytes came from the cache.
    """

    size: int
    checksums: Checksums
    status: os.stat_result
    was_replaced: bool = False
    is_cached: bool = False


@dataclass(frozen=True, slots=True)
class WantedFile:
    """
    A file to fetch, and how.

    Attributes:
        item: The file.
        target: Where it goes, in a folder that exists.
        check_replaceable: Called before any bytes are written; raises if *target* must keep its content.
        progress: Counts its bytes.
        pin: What a listing or the caller says of it, or None. If the response contradicts a pin that is not binding,
            the file's info decides whether it was replaced since it was listed.
        unless_sha1: SHA-1 of the existing file at *target*, or None.
        has_partial: Whether an earlier run may have left a partial download, see `may_have_partial`.
        durable: Whether its bytes must be synced to the disk at the end; the caller syncs its folder, for its name.
        slots: Slots for connections: one is held until all bytes are received, more are borrowed while no other job
            needs them. None for as many as a bulk call would have.
        begun: The first request, if it was sent already.
    """

    item: ItemURL
    target: str
    check_replaceable: Callable[[], None]
    progress: FileProgress
    pin: Pin | None = None
    unless_sha1: str | None = None
    has_partial: bool = False
    durable: bool = False
    slots: Slots | None = None
    begun: Begun | None = None


async def fetch_file(session: aiohttp.ClientSession, wanted: WantedFile) -> Fetched | None:
    """
    Fetch *wanted* to its target; None if it still has the SHA-1 *unless_sha1*.

    Raises:
        NotAFileError: If *item* is a folder.
        ResponseError: If the server refuses the request.
        TransportError: If no complete response is received.
        IntegrityError: If size or checksum differs.
        LocalFileError: If the disk failed.
    """
    download = _Download(session, wanted)
    try:
        if wanted.has_partial:
            await download.adopt_partial()
        return await download.run()
    except BaseException as error:
        await download.clean_up(error)
        raise


@contextmanager
def _left_on_failure(staging: Staging) -> Iterator[None]:
    try:
        yield
    except BaseException:
        staging.leave()
        raise


def may_have_partial(item: ItemURL, target: str, listed: FileInfo | None) -> bool:
    """Whether an earlier run may have left a partial download of *item* to *target*; blocks."""
    if listed is not None and listed.size is not None and listed.size < WORTH_KEEPING:
        return False
    return Staging.has_record(target, str(item))


class _Download:
    """
    The download of one file, over as many requests as it takes.

    The first response pins the content: its size, checksums and ETag. When the connection breaks, the received bytes
    are kept, and the rest of exactly that content is requested; in any doubt, the download starts over from the first
    byte. The kept bytes of a large file outlive even this process, see `journal`.
    """

    def __init__(self, session: aiohttp.ClientSession, wanted: WantedFile) -> None:
        self._session = session
        self._wanted = wanted
        self._item = wanted.item
        self._key = str(wanted.item)
        self._pin = wanted.pin
        self._was_replaced = False
        self._progress = wanted.progress
        self._begun = wanted.begun
        self._operation = start_operation(session, on_retry=wanted.progress.retrying)
        self._described = self._pinned = ExpectedContent(None, NO_CHECKSUMS)
        self._is_doubtful = False
        self._partial: PartialFile | None = None
        self._adopted = 0
        self._announced = 0
        self._shown = 0
        self._check = ProgressCheck(MIN_PROGRESS_BYTES)
        self._is_received = False
        self._info_requested = False

    async def adopt_partial(self) -> None:
        """Resume an earlier run, if it is known which of its bytes are valid."""
        await run(self._adopt)
        self._check.reached = self._adopted
        if self._adopted:
            self._announce()

    def _adopt(self) -> None:
        """Look for the partial download of an earlier run; blocks."""
        staging = Staging.shared(self._wanted.target, self._key)
        if staging is None:
            return
        with _left_on_failure(staging):
            journal = decode(staging.record())
            kept = adopt(journal, self._item, staging.size(), self._wanted.pin)
            if journal is None or kept is None:
                staging.discard()
                return
            self._partial = PartialFile(staging, journal.size, kept)
        self._described, self._adopted = journal.expected, kept.total
        self._pinned = with_pin(self._described, self._pin)
        self._partial.hash_with(algorithms_for(self._pinned.checksums))

    async def run(self) -> Fetched | None:
        """Receive, verify and commit the file; None if it is unchanged."""
        # Bytes may be damaged in transit once; a second mismatch is not an accident.
        attempts = self._operation.attempts(IntegrityError, max_retries=1)
        async for attempt in attempts:
            if attempt.failures:
                await self._start_over(self._described)
            async with self._wanted.slots or nullcontext():
                last = await self._fetched()
                if last is None:
                    await self._discard()  # left by an interrupted 200
                    return None
                await self._ask_checksums()
            with attempt:
                return await self._place_rechecked(last)
        raise attempts.failure()

    async def clean_up(self, error: BaseException) -> None:
        """Leave nothing behind, unless it saves a later run much work."""
        self._progress.advance(-self._shown)
        self._progress.expect(size=-self._announced)
        if self._partial is not None:
            with anyio.CancelScope(shield=True):
                await run(self._leave, self._partial, error)

    def _leave(self, partial: PartialFile, error: BaseException) -> None:
        if partial.staging.is_shared and is_worth_leaving(partial.size, error):
            with suppress(LocalFileError):
                if self._save(partial):
                    partial.staging.leave()
                    return
        partial.staging.discard()

    async def _discard(self) -> None:
        """Forget the bytes that are kept."""
        if self._partial is not None:
            await run(self._partial.staging.discard)
            self._partial = None

    @property
    def _size(self) -> int:
        """How many bytes are kept."""
        return 0 if self._partial is None else self._partial.size

    def _opened_partial(self) -> PartialFile:
        """The partial file, created on first use: a body that arrives at once does not need one."""
        if self._partial is None:
            self._partial = PartialFile(Staging(self._wanted.target))
        return self._partial

    def _located(self, error: Exception) -> Exception:
        """Return *error* with the position that was reached, or what to raise for content that keeps changing."""
        if isinstance(error, ContentChanged):
            what = f"GET {self._item}: changed again and again while it was fetched"
            return ProtocolError(what, hint="try again later")
        if isinstance(error, TransportError) and self._size:
            error.message += f", at byte {self._size} of {self._pinned.size or 'unknown'}"
        return error

    async def _fetched(self) -> Sequence[bytes] | None:
        """Receive the body, and resume it; return what is still to be written, None if the file is unchanged."""
        attempts = self._operation.attempts(
            ConnectionLostError, TransportTimeoutError, ContentChanged, progressed=self._has_progressed
        )
        async for attempt in attempts:
            with attempt:
                try:
                    while (missing := self._next_range()) is not None:
                        last = await self._fetch(missing)
                        if last is None or last:
                            return last
                except ContentChanged:
                    await self._start_over(self._described)
                    raise
                return ()
        raise self._located(attempts.failure())

    def _next_range(self) -> Range | None:
        """What to request next; None if all bytes are here."""
        if self._is_received:
            return None
        return WHOLE if self._partial is None else first_missing(self._pinned, self._partial.kept)

    async def _fetch(self, asked: Range) -> Sequence[bytes] | None:
        """Receive some of the body, and return what is still to be written; None if the file is unchanged."""
        request, began = self._request(asked), time.monotonic()
        begun, self._begun = self._begun, None
        async with stream(self._session, request, self._operation, begun) as reply:
            reply_seconds = time.monotonic() - began
            if reply.location is not None and is_folder_redirect(self._item, reply.location):
                raise not_a_file(self._item)
            meaning = meaning_of(
                reply.status, has_range="Range" in request.headers, is_conditional="If-None-Match" in request.headers
            )
            if meaning == "unchanged":
                return None
            if meaning == "end":
                raise ContentChanged
            if meaning == "refusal":
                raise await reply.error()
            self._wanted.check_replaceable()
            described = read_expected_content(request, reply.chain, status=reply.status)
            if asked == WHOLE or not is_requested_part(self._pinned, asked, described):
                # Some servers respond to the request for a part with the whole file.
                if described.stop is not None:
                    raise ContentChanged
                await self._start_over(described)
                asked = WHOLE
            if asked != WHOLE:
                state_of(self._session).traffic.resumed(self._size)
            return await self._receive(reply, asked, reply_seconds)

    def _request(self, asked: Range) -> Request:
        if asked == WHOLE or self._pinned.etag is None:
            return build_download(self._item, unless_sha1=self._wanted.unless_sha1)
        stop = asked.stop if asked.stop < (self._pinned.size or 0) else None
        return build_range(self._item, asked.start, stop, self._pinned.etag)

    async def _start_over(self, described: ExpectedContent) -> None:
        """
        Forget what is kept, and pin the content anew.

        Raises:
            IntegrityError: If it is not the content that the caller requires.
        """
        check_pin(self._item, self._pin, described)
        is_other = contradicts(self._pin, described)
        await self._discard()
        self._described, self._is_doubtful = described, is_other
        self._pinned = described if is_other else with_pin(described, self._pin)
        self._adopted = 0
        self._is_received = self._info_requested = False
        self._count(0)
        self._announce()

    def _announce(self) -> None:
        """Report to the progress the bytes that no listing has reported, less those that need not be received again."""
        unlisted = self._wanted.pin is None or self._wanted.pin.size is None
        size = (self._pinned.size or 0 if unlisted else 0) - self._adopted
        self._progress.expect(size=size - self._announced)
        self._announced = size

    def _show(self) -> None:
        self._count(self._size - self._adopted)

    def _count(self, size: int) -> None:
        """Report to the progress that *size* bytes were received."""
        if size != self._shown:
            self._progress.advance(size - self._shown)
            self._shown = size

    async def _receive(self, reply: Reply, asked: Range, reply_seconds: float) -> Sequence[bytes]:
        before = self._size
        batch = await reply.next_batch(min(BATCH, asked.stop - asked.start))
        if reply.is_complete and asked == WHOLE:
            # The whole body is here: one thread hop verifies, writes and commits it.
            self._is_received = True
            return batch
        if asked == WHOLE and can_outlive(self._pinned):
            await run(self._use_shared_staging)
        partial = self._opened_partial()
        # This request already uses one of the connections.
        slots = self._wanted.slots or Slots(state_of(self._session).limits.max_concurrency - 1)
        async with collapsed(), anyio.create_task_group() as questions:
            if self._pinned.checksums:
                partial.hash_with(algorithms_for(self._pinned.checksums))
            if self._needs_info and not self._is_doubtful:  # else later: a remote repository still has its old copy
                questions.start_soon(self._ask_meanwhile)
            async with collapsed(), anyio.create_task_group() as helpers:
                if partial.staging.is_shared:
                    helpers.start_soon(self._save_now_and_then, partial)
                body = Body(self._session, self._item, self._pinned, partial, slots, self._show, reply_seconds)
                self._is_received = await body.receive(reply, asked, batch)
                helpers.cancel_scope.cancel()
        if self._size == before and self._pinned.size:
            raise ContentChanged  # a part without any bytes
        if self._has_progressed():
            self._operation.reset()
        return ()

    def _has_progressed(self) -> bool:
        # Bytes received before do not count as progress: a server that ignores ranges could send them forever.
        return self._check.has_advanced(self._size)

    def _use_shared_staging(self) -> None:
        """Keep the bytes for a later run, unless another process does so; blocks."""
        staging = Staging.shared(self._wanted.target, self._key)
        if staging is not None:
            try:
                staging.empty()
                self._partial = PartialFile(staging, self._pinned.size)
            except BaseException:
                staging.discard()  # there is nothing in it
                raise

    async def _save_now_and_then(self, partial: PartialFile) -> None:
        while True:
            await anyio.sleep(_SAVE_EVERY)
            with suppress(LocalFileError):  # a journal is useful, but nothing depends on it
                await run(self._save, partial)

    def _save(self, partial: PartialFile) -> bool:
        """Save a journal, so that a later run can use the received bytes; return whether one can; blocks."""
        journal = journal_of(self._item, self._pinned, partial.snapshot())
        if journal is not None:
            partial.save(journal)
        return journal is not None

    async def _ask_meanwhile(self) -> None:
        """Request the file's info while the body arrives; if that fails, it is requested again at the end."""
        with suppress(ArtifactoryError):
            await self._ask_checksums()

    @property
    def _needs_info(self) -> bool:
        return not self._info_requested and (self._is_doubtful or not self._pinned.checksums)

    async def _ask_checksums(self) -> None:
        """
        Request the file's info where the response has no checksums, as from storage, or contradicts the listing.

        Raises:
            IntegrityError: If the info does not confirm that the file was replaced since it was listed.
        """
        if not self._needs_info:
            return
        current = pin_of(await self._ask_info(), is_binding=False)
        if self._is_doubtful and self._pin is not None:
            if current is None or contradicts(current, self._described):
                raise pin_error(self._item, self._pin, self._described)
            self._replace_pin(current)
        self._info_requested = True
        self._pinned = self._pinned if self._pinned.checksums else with_pin(self._pinned, current)
        if self._partial is not None:
            self._partial.hash_with(algorithms_for(self._pinned.checksums))

    def _replace_pin(self, current: Pin) -> None:
        self._pin, self._was_replaced, self._is_doubtful = current, True, False

    async def _place_rechecked(self, last: Sequence[bytes]) -> Fetched:
        """Verify and commit; on a mismatch with a listing, check whether the file was replaced since it was listed."""
        try:
            return await self._place(last)
        except IntegrityError:
            if self._pin is None or self._pin.is_binding or self._described.checksums:
                raise
            current = pin_of(await self._ask_info(), is_binding=False)
            if current is None or not contradicts(self._pin, ExpectedContent(current.size, current.checksums)):
                raise
        self._replace_pin(current)
        self._pinned = with_pin(self._described, current)
        return await self._place(last)

    async def _ask_info(self) -> FileInfo | None:
        request = build_item_info(self._item)
        try:
            return expect_file(
                self._item, read_item_info(self._item, request, await fetch_response(self._session, request))
            )
        except ResponseError:
            return None

    async def _place(self, last: Sequence[bytes]) -> Fetched:
        """Verify and commit the file."""
        size = self._size or sum(map(len, last))
        finishing = run_short if size <= _SHORT else run
        if last:
            fetched = await finishing(self._finish_whole, last, size)
        else:
            fetched = await finishing(self._finish, self._opened_partial(), size)
        self._count(size - self._adopted)
        return fetched

    def _finish_whole(self, chunks: Sequence[bytes], size: int) -> Fetched:
        """Verify, write and commit a body that arrived in one piece; blocks."""
        checksums = digested(chunks, algorithms_for(self._pinned.checksums))
        if (content_size := self._checked(size, checksums, chunks)) is not None:
            return self._commit_decoded(chunks, content_size)
        status = write_file(self._wanted.target, chunks, durable=self._wanted.durable)
        assert status is not None
        return Fetched(size, self._pinned.checksums, status, self._was_replaced)

    def _checked(self, size: int, checksums: Checksums, chunks: Iterable[bytes]) -> int | None:
        """
        Compare the received bytes, which *chunks* iterates over, with the expected content; blocks.

        Returns:
            None if they are the file; its size if they are the file with a coding that was added in transit.

        Raises:
            IntegrityError: If they are neither.
            ProtocolError: If they are a web page, see `check_received`.
        """
        try:
            check_received(self._item, self._pinned, size, checksums)
        except IntegrityError:
            content_size = decoded_size(self._pinned, chunks)
            if content_size is None:
                raise
        else:
            content_size = None
        check_pinned_size(self._item, self._pin, size if content_size is None else content_size)
        return content_size

    def _commit_decoded(self, chunks: Iterable[bytes], size: int) -> Fetched:
        """Write and commit the content of an encoded body, whose checksum has been verified; blocks."""
        staging, offset = Staging(self._wanted.target), 0
        try:
            for piece in decoded(chunks, self._pinned.codings):
                check_wanted()
                staging.write(offset, (piece,))
                offset += len(piece)
            status = staging.commit(durable=self._wanted.durable)
        finally:
            staging.discard()
        if self._partial is not None:
            self._partial.staging.discard()
        return Fetched(size, self._pinned.checksums, status, self._was_replaced)

    def _blocks(self, partial: PartialFile, size: int) -> Iterator[bytes]:
        """The written bytes, from the first on; blocks."""
        buffer, offset = memoryview(bytearray(BATCH)), 0
        while offset < size:
            check_wanted()
            count = partial.staging.read_into(offset, buffer[: size - offset])
            yield bytes(buffer[:count])
            offset += count

    def _finish(self, partial: PartialFile, size: int) -> Fetched:
        """Verify the written bytes, and commit the file; blocks."""
        partial.hash_with(algorithms_for(self._pinned.checksums))
        content_size = self._checked(size, partial.checksums(), self._blocks(partial, size))
        if content_size is not None:
            return self._commit_decoded(self._blocks(partial, size), content_size)
        status = partial.staging.commit(durable=self._wanted.durable)
        return Fetched(size, self._pinned.checksums, status, self._was_replaced)
