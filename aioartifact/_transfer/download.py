"""One file: from an answer into a staging file, checked, and into its place in one step."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import anyio

from .._address import ItemURL
from .._checksums import Checksums
from .._errors import (
    ConnectionLostError,
    IntegrityError,
    ProtocolError,
    ResponseError,
    TransportError,
    TransportTimeoutError,
)
from .._files import Staging
from .._models import FileInfo
from .._progress import Progress
from .._protocol import (
    Promise,
    Request,
    build_download,
    build_item_info,
    build_rest_of_download,
    expect_file,
    is_folder_redirect,
    not_a_file,
    read_item_info,
    read_promise,
)
from .._scheduler import collapsed
from .._session import Reply, ask, begin, rest, stream
from .._threads import run, run_short
from .plan import algorithms_for, check_received, complete_promise, continues

# One thread hop per batch; larger batches gain little and cost memory for every file in flight.
_BATCH = 1024 * 1024
_SHORT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    A file that is in its place.

    Attributes:
        size: Bytes.
        checksums: Those that the server promised, the strongest of which was computed; or all, computed.
        status: What the disk knew of the bytes right before they got their name.
    """

    size: int
    checksums: Checksums
    status: os.stat_result


async def fetch_file(
    session: aiohttp.ClientSession,
    item: ItemURL,
    target: str,
    *,
    listed: FileInfo | None = None,
    unless_sha1: str | None = None,
    durable: bool = False,
    progress: Progress,
) -> Fetched | None:
    """
    Fetch *item* to the local file *target*; None if it still has the SHA-1 *unless_sha1*.

    Where it must be *durable*, its bytes are on the disk itself at the end, and its name once its folder is synced.

    Raises:
        NotAFileError: *item* is a folder.
        ResponseError: The server said no.
        TransportError: No answer came, or not all of it.
        IntegrityError: Size or checksum differs.
        LocalFileError: The disk refused.
    """
    download = _Download(session, item, target, listed, unless_sha1, progress, durable=durable)
    try:
        return await download.run()
    except BaseException:
        await download.give_up()
        raise


class _Changed(Exception):
    """An answer that does not go on with what is kept."""


class _Download:
    """
    One file on its way, over as many requests as it takes.

    The first answer pins the content: its size, checksums and ETag. When the connection breaks, what is kept stays,
    and the rest of just that content is asked for; any doubt starts over from the first byte.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        item: ItemURL,
        target: str,
        listed: FileInfo | None,
        unless_sha1: str | None,
        progress: Progress,
        *,
        durable: bool,
    ) -> None:
        self._session = session
        self._item = item
        self._listed = listed
        self._unless_sha1 = unless_sha1
        self._progress = progress
        self._durable = durable
        self._operation = begin(session)
        self._pinned = Promise(None, Checksums())
        self._staging = Staging(target, ())
        self._announced = 0
        self._shown = 0
        self._reached = 0
        self._arrived = False
        self._damaged = False

    async def run(self) -> Fetched | None:
        """Try until the file is in its place, the attempts are used up, or trying again is of no use."""
        while True:
            try:
                return await self._try()
            except (ConnectionLostError, TransportTimeoutError) as error:
                # Bytes that came before are no progress: a server that ignores ranges could go on for ever.
                progressed = self._staging.size > self._reached
                self._reached = max(self._reached, self._staging.size)
                if not await self._may_go_on(progressed=progressed):
                    raise self._located(error) from error.__cause__
            except IntegrityError:
                # Bytes may be damaged on the way once; the same damage twice is no accident.
                if self._damaged or not await self._may_go_on():
                    raise
                self._damaged = True
                await self._start_over(self._pinned)
            except _Changed:
                await self._start_over(self._pinned)
                if not await self._may_go_on():
                    raise ProtocolError(
                        f"GET {self._item}: changed again and again while it was fetched", hint="try again later"
                    ) from None

    async def give_up(self) -> None:
        """Leave nothing behind."""
        self._show(0)
        self._announce(0)
        with anyio.CancelScope(shield=True):
            await run(self._staging.discard)

    async def _may_go_on(self, *, progressed: bool = False) -> bool:
        return await rest(self._session, self._operation, progressed=progressed)

    def _located(self, error: TransportError) -> TransportError:
        """Say how far it got."""
        if self._staging.size and not self._arrived:
            error.message += f", at byte {self._staging.size} of {self._pinned.size or 'unknown'}"
        return error

    async def _try(self) -> Fetched | None:
        last = () if self._arrived else await self._fetch()
        if last is None:
            return None
        await self._ask_checksums()
        short = self._staging.size + sum(map(len, last)) <= _SHORT
        fetched = await (run_short if short else run)(self._finish, last)
        self._show(fetched.size)
        return fetched

    async def _fetch(self) -> Sequence[bytes] | None:
        """Receive the body, and return what of it is still to be written; None if the file is unchanged."""
        request = self._request()
        async with stream(self._session, request, self._operation) as reply:
            if reply.location is not None and is_folder_redirect(self._item, reply.location):
                raise not_a_file(self._item)
            if reply.status == 304 and self._unless_sha1:
                return None
            if reply.status == 416 and self._staging.size:
                raise _Changed
            if reply.status not in (200, 206):
                raise await reply.error()
            promise = read_promise(request, reply.chain, status=reply.status)
            await self._accept(complete_promise(promise, self._listed))
            return await self._receive(reply)

    def _request(self) -> Request:
        if self._staging.size and self._pinned.etag:
            return build_rest_of_download(self._item, self._staging.size, self._pinned.etag)
        return build_download(self._item, unless_sha1=self._unless_sha1)

    async def _accept(self, promise: Promise) -> None:
        """Go on with what is kept, or start over: some servers answer the request for a rest with the whole."""
        if self._staging.size and continues(self._pinned, self._staging.size, promise):
            return
        if promise.start:
            raise _Changed
        await self._start_over(promise)

    async def _start_over(self, promise: Promise) -> None:
        """Forget what is kept, and pin the content anew."""
        self._arrived = False
        if self._staging.path:
            await run(self._staging.discard)
        self._show(0)
        self._pinned = promise
        self._staging = Staging(self._staging.target, algorithms_for(promise.checksums))
        self._announce(promise.size or 0)

    def _announce(self, size: int) -> None:
        """Tell the progress of bytes that no listing has told it of."""
        if self._listed is None or self._listed.size is None:
            self._progress.expect(size=size - self._announced)
            self._announced = size

    def _show(self, size: int) -> None:
        self._progress.advance(size - self._shown)
        self._shown = size

    async def _receive(self, reply: Reply) -> Sequence[bytes]:
        batch = await reply.next_batch(_BATCH)
        if reply.is_complete and self._pinned.checksums:
            # All of it is here: one hop writes, checks and commits.
            return batch
        while batch:
            # Each batch is hashed and written in a thread while the next one arrives.
            async with collapsed(), anyio.create_task_group() as group:
                group.start_soon(run, self._staging.write, batch)
                batch = await reply.next_batch(_BATCH)
            self._show(self._staging.size)
        self._arrived = True
        self._operation.attempts = 0  # what follows fails for the first time
        return ()

    async def _ask_checksums(self) -> None:
        """Storage behind a redirect knows no checksums; then Artifactory is asked, if it may tell."""
        if self._pinned.checksums:
            return
        request = build_item_info(self._item)
        try:
            answer = await ask(self._session, request, self._operation)
            info = expect_file(self._item, read_item_info(self._item, request, answer))
        except ResponseError:
            return
        self._pinned = complete_promise(self._pinned, info)

    def _finish(self, last: Sequence[bytes]) -> Fetched:
        """Write the rest, check everything, commit; blocks."""
        self._staging.write(last)
        checksums = self._staging.checksums()
        check_received(self._item, self._pinned, self._staging.size, checksums)
        status = self._staging.commit(durable=self._durable)
        return Fetched(self._staging.size, self._pinned.checksums or checksums, status)
