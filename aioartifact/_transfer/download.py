"""One file: from an answer into a staging file, checked, and into its place in one step."""

from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import anyio

from .._address import ItemURL
from .._checksums import Checksums
from .._errors import ResponseError
from .._files import Staging, run
from .._models import FileInfo
from .._progress import Progress
from .._protocol import (
    Promise,
    Request,
    build_download,
    build_item_info,
    expect_file,
    is_folder_redirect,
    not_a_file,
    read_item_info,
    read_promise,
)
from .._scheduler import collapsed
from .._session import Reply, ask, stream
from .plan import algorithms_for, check_received, complete_promise

# One thread hop per batch; larger batches gain little and cost memory for every file in flight.
_BATCH = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    A file that is in its place.

    Attributes:
        size: Bytes.
        checksums: Those that were computed, and matched where something was promised.
    """

    size: int
    checksums: Checksums


async def fetch_file(
    session: aiohttp.ClientSession,
    item: ItemURL,
    target: str,
    *,
    listed: FileInfo | None = None,
    unless_sha1: str | None = None,
    progress: Progress,
) -> Fetched | None:
    """
    Fetch *item* to the local file *target*; None if it still has the SHA-1 *unless_sha1*.

    Raises:
        NotAFileError: *item* is a folder.
        ResponseError: The server said no.
        TransportError: No answer came, or not all of it.
        IntegrityError: Size or checksum differs.
        LocalFileError: The disk refused.
    """
    request = build_download(item, unless_sha1=unless_sha1)
    async with stream(session, request) as reply:
        if reply.location is not None and is_folder_redirect(item, reply.location):
            raise not_a_file(item)
        if reply.status == 304 and unless_sha1:
            return None
        if reply.status != 200:
            raise await reply.error()
        promise = complete_promise(read_promise(request, reply.chain), listed)
        staging = Staging(target, algorithms_for(promise.checksums))
        news = promise.size or 0 if listed is None or listed.size is None else 0
        return await _Transfer(session, item, request, promise, staging, progress, news).run(reply)


@dataclass(slots=True)
class _Transfer:
    session: aiohttp.ClientSession
    item: ItemURL
    request: Request
    promise: Promise
    staging: Staging
    progress: Progress
    news: int  # bytes that nobody expected before this answer promised them
    shown: int = 0

    async def run(self, reply: Reply) -> Fetched:
        """Receive, check, commit; on any other end the staging file is gone, and so is its progress."""
        self.progress.expect(size=self.news)
        try:
            batch = await reply.next_batch(_BATCH)
            if self.promise.checksums and sum(map(len, batch)) < _BATCH:
                fetched = await run(self._finish, batch)  # all of it is here: one hop does everything
            else:
                await self._receive(reply, batch)
                await self._ask_checksums()
                fetched = await run(self._finish, ())
        except BaseException:
            self._show(0)
            self.progress.expect(size=-self.news)
            with anyio.CancelScope(shield=True):
                await run(self.staging.discard)
            raise
        self._show(fetched.size)
        return fetched

    def _show(self, size: int) -> None:
        self.progress.advance(size - self.shown)
        self.shown = size

    async def _receive(self, reply: Reply, batch: Sequence[bytes]) -> None:
        """Write each batch while the next one arrives."""
        while batch:
            async with collapsed(), anyio.create_task_group() as group:
                group.start_soon(run, self.staging.write, batch)
                batch = await reply.next_batch(_BATCH)
            self._show(self.staging.size)

    async def _ask_checksums(self) -> None:
        """Storage behind a redirect knows no checksums; then Artifactory is asked, if it may tell."""
        if self.promise.checksums:
            return
        request = build_item_info(self.item)
        try:
            info = expect_file(self.item, read_item_info(self.item, request, await ask(self.session, request)))
        except ResponseError:
            return
        self.promise = complete_promise(self.promise, info)

    def _finish(self, last: Sequence[bytes]) -> Fetched:
        """Write the rest, check everything, commit; blocks."""
        self.staging.write(last)
        checksums = self.staging.checksums()
        check_received(self.request.label, self.promise, self.staging.size, checksums)
        self.staging.commit()
        return Fetched(self.staging.size, checksums)
