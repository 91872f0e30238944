"""One upload: hashed first, so that the server can refuse damaged bytes, then sent from memory or from disk."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from typing import TypeAlias

import aiohttp
import anyio

from ..._address import ItemURL
from ..._checksums import ALGORITHMS, Algorithm, Checksums, checksum_file
from ..._errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    ResponseError,
)
from ..._files import Source, hash_file, read_small, read_source
from ..._models import Response
from ..._progress import FileProgress
from ..._protocol import (
    Request,
    Upload,
    build_checksum_deploy,
    build_deploy,
    build_item_info,
    read_deployed,
    read_item_info,
    stored_elsewhere,
)
from ..._scheduler import collapsed
from ..._session import BegunRequest, Operation, fetch_response, start_operation, state_of
from ..._threads import run, run_short

Parameters: TypeAlias = Mapping[str, str | Sequence[str]]

# How many bytes are sent at once, at first and at most: each slice takes about `_SLICE_SECONDS`, so that the progress
# moves.
_SLICE, _MAX_SLICE = 64 * 1024, 1024 * 1024
_SLICE_SECONDS = 0.02
# Checksums that are sent with a file, for the server to verify.
SENT: tuple[Algorithm, ...] = ("sha256", "sha1")
# How often, in seconds, to check whether the writers of a body have ended.
_CHECK = 0.05


async def read_file(path: str, known: Checksums) -> Source:
    """
    Read the local file *path*, and compute the checksums that the server verifies, unless the caller knows them.

    Each digest of a large file is computed in a thread of its own. MD5, the slowest one, is not needed.

    Raises:
        LocalFileError: If it cannot be read.
    """
    missing: list[Algorithm] = [name for name in SENT if known.get(name) is None]
    small = await run_short(read_small, path, missing)
    if small is not None and len(missing) == len(SENT) and known.md5 is None:
        return small
    source = small if small is not None else await run(read_source, path, missing)
    found = {name: source.checksums.get(name) for name in missing}

    async def compute(name: Algorithm) -> None:
        _, checksums = await run(hash_file, path, (name,))
        found[name] = checksums.get(name)

    uncomputed: list[Algorithm] = [name for name in missing if found[name] is None]
    if uncomputed:
        async with collapsed(), anyio.create_task_group() as group:
            for name in uncomputed:
                group.start_soon(compute, name)
    return replace(source, checksums=Checksums(**{name: known.get(name) or found.get(name) for name in ALGORITHMS}))


async def send_file(
    session: aiohttp.ClientSession,
    source: Source,
    item: ItemURL,
    *,
    parameters: Parameters,
    by_checksum: bool,
    progress: FileProgress,
    begun: BegunRequest | None = None,
) -> None:
    """
    Deploy *source* as *item*; with *by_checksum*, first try to deploy it without its bytes.

    *begun* is the first request that sends the bytes, if it was sent already.

    Raises:
        LocalFileError: If the file cannot be read.
        InvalidArgumentError: If *item* is a repository, or a property is one that a URL cannot carry.
        ResponseError: If the server refused; 409 if the bytes that it received differ from the checksums.
        TransportError: If no response is received.
        IntegrityError: If the server recorded other checksums.
        StoredElsewhereError: If the server stored the file under another path.
        ProtocolError: If the response is not Artifactory's.
    """
    if not item.path:
        raise InvalidArgumentError(f"deploy {item}: is a repository", hint="end the URL with the name the file gets")
    operation = start_operation(session, on_retry=progress.retrying)
    if by_checksum and await _send_checksums(session, operation, source, item, parameters):
        return
    body = _Body(source, progress)
    request = build_deploy(item, Upload(body.blocks, source.size, source.content), source.checksums, parameters)
    try:
        answer = await fetch_response(session, request, operation, begun)
        await check_deployed(session, item, request, answer, source.checksums)
        body.show(source.size)
    except (NotFoundError, ConflictError) as error:
        body.show(0)
        error.hint = _checksum_file_hint(item) or error.hint
        raise
    except BaseException:
        body.show(0)
        raise
    finally:
        await body.end()


def _checksum_file_hint(item: ItemURL) -> str | None:
    if (claim := checksum_file(item.path)) is None:
        return None
    main, algorithm = claim
    return (
        f"Artifactory takes {item.name} for the {algorithm} checksum of {main}, which must be deployed first and have"
        " that checksum; exclude it, or give it another name"
    )


async def _send_checksums(
    session: aiohttp.ClientSession,
    operation: Operation,
    source: Source,
    item: ItemURL,
    parameters: Parameters,
) -> bool:
    """Deploy without the bytes; False if the server needs them."""
    request = build_checksum_deploy(item, source.checksums, parameters)
    try:
        answer = await fetch_response(session, request, operation)
    except ResponseError as error:
        # 405 and 501: a server, or a proxy before it, that does not know this kind of upload.
        if not isinstance(error, BadRequestError | NotFoundError) and error.status not in (405, 501):
            raise
        operation.reset()
        return False
    await check_deployed(session, item, request, answer, source.checksums)
    return True


async def check_deployed(
    session: aiohttp.ClientSession, item: ItemURL, request: Request, answer: Response, sent: Checksums
) -> None:
    """
    Check what the server stored, and where.

    A virtual repository stores files in a local one. Another repository in the response is therefore accepted if the
    file is found under the URL requested too, which is checked once per session and repository.

    Raises:
        IntegrityError: If it recorded other checksums.
        StoredElsewhereError: If it stored the file elsewhere.
    """
    repository = read_deployed(item, request, answer, sent)
    if repository is None:
        return
    key, aliases = (item.server, item.repository), state_of(session).deploy_repositories
    if aliases.get(key) == repository:
        return
    info = build_item_info(item)
    try:
        read_item_info(item, info, await fetch_response(session, info))
    except NotFoundError:
        raise stored_elsewhere(request.method, item, repository, item.path) from None
    except ForbiddenError:
        pass  # a user may deploy through a virtual repository without the right to read
    aliases[key] = repository


class _Body:
    """The body of an upload; each request that sends it starts with the first byte."""

    def __init__(self, source: Source, progress: FileProgress) -> None:
        self._source = source
        self._progress = progress
        self._sent = 0
        self._writers: set[asyncio.Task[object]] = set()

    async def blocks(self) -> AsyncGenerator[memoryview, None]:
        if (writer := asyncio.current_task()) is not None:
            self._writers.add(writer)
        self.show(0)  # bytes that an earlier request sent do not count
        size = _SLICE
        async with aclosing(self._source.blocks()) as blocks:
            async for block in blocks:
                view = memoryview(block)
                while view:
                    began, part = monotonic(), view[:size]
                    yield part
                    self.show(self._sent + len(part))
                    view = view[len(part) :]
                    size = _next_size(size, monotonic() - began)

    def show(self, sent: int) -> None:
        self._progress.advance(sent - self._sent)
        self._sent = sent

    async def end(self) -> None:
        """Wait for the tasks that aiohttp writes a body in: each request that ended early leaves one behind."""
        if self._writers:
            for writer in self._writers:
                writer.cancel()
            with anyio.CancelScope(shield=True):
                # With a limit, as an interrupt can drop the callback that would end the wait.
                while any(not writer.done() for writer in self._writers):
                    await asyncio.wait(self._writers, timeout=_CHECK)


def _next_size(size: int, seconds: float) -> int:
    """How many bytes to send at once after *size* bytes took *seconds*."""
    return min(_MAX_SLICE, 2 * size) if seconds < _SLICE_SECONDS else max(_SLICE, size // 2)
