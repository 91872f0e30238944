"""Small files, uploaded in groups: one thread job reads and hashes several, and their requests share a connection."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import aiohttp

from ..._address import ItemURL, mask_url
from ..._errors import ArtifactoryError
from ..._files import Source, read_several_small
from ..._models import Response
from ..._progress import FileProgress, Progress
from ..._protocol import Request, Upload, build_deploy, is_stored_as_sent, refuse_page
from ..._reports import Outcome
from ..._session import BegunRequest, SmallResponse, SmallUploads
from ..._threads import run_short
from ..accounting import tracked
from .file_upload import SENT, Parameters, check_deployed, send_file


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """
    A file to deploy.

    Attributes:
        path: Local file.
        item: Where it goes.
        name: Its name, for display.
        size: Bytes of it that the progress already counts.
    """

    path: str
    item: ItemURL
    name: str
    size: int

    def is_beside(self, other: "PlannedFile") -> bool:
        """Whether both go to the same server."""
        mine, others = self.item.server, other.item.server
        return mine is others or mine == others


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A file whose bytes are in memory, and its request."""

    file: PlannedFile
    source: Source
    request: Request


class SmallUploader:
    """
    Uploads small files to one server.

    An unusual response, or a failure, is passed to `send_file`, together with its request, and handled there before
    the next file is sent.
    """

    def __init__(
        self, session: aiohttp.ClientSession, uploads: SmallUploads, parameters: Parameters, progress: Progress
    ) -> None:
        self._session = session
        self._uploads = uploads
        self._parameters = parameters
        self._progress = progress

    async def upload(self, files: Sequence[PlannedFile]) -> AsyncGenerator[tuple[PlannedFile, Outcome | None], None]:
        """Upload *files* in order, and yield each with its outcome; None for one that is not small any more."""
        sources = await run_short(read_several_small, [file.path for file in files], SENT)
        start = 0
        while start < len(files):
            file, source = files[start], sources[start]
            if not isinstance(source, Source):
                yield file, None if source is None else await self._failed(file, source)
                start += 1
                continue
            ready = self._ready(files[start:], sources[start:])
            for sent in await self._send(ready):
                yield sent
                start += 1

    def _ready(
        self, files: Sequence[PlannedFile], sources: Sequence[Source | ArtifactoryError | None]
    ) -> list[_ReadFile]:
        """The first of *files*, up to one that could not be read."""
        ready: list[_ReadFile] = []
        for file, source in zip(files, sources, strict=True):
            if not isinstance(source, Source):
                break
            body = Upload(partial(_blocks_of, source.content or b""), source.size, source.content)
            ready.append(_ReadFile(file, source, build_deploy(file.item, body, source.checksums, self._parameters)))
        return ready

    async def _send(self, files: Sequence[_ReadFile]) -> list[tuple[PlannedFile, Outcome]]:
        """Send *files* until one has an unusual response, which is the last one; return the outcomes."""
        responses: list[SmallResponse] = []
        last: Outcome | None = None
        begun = await self._put(files, responses)
        # At once: it holds its slot, and nothing else may be sent before it is known what a refusal means for others.
        if len(responses) < len(files):
            last = await self._send_usual_way(files[len(responses)], begun)
        outcomes = [
            (read.file, await self._finished(read, response)) for read, response in zip(files, responses, strict=False)
        ]
        if last is not None:
            outcomes.append((files[len(responses)].file, last))
        return outcomes

    async def _put(self, files: Sequence[_ReadFile], responses: list[SmallResponse]) -> BegunRequest | None:
        for read in files:
            self._progress.started(read.file.name)
        try:
            return await self._uploads.put([read.request for read in files], responses)
        finally:
            for read in files:
                self._progress.ended(read.file.name)

    async def _finished(self, read: _ReadFile, response: SmallResponse) -> Outcome:
        """The outcome of a file whose response is plain."""
        file, source = read.file, read.source
        is_page = b"html" in response.fields.lower()
        if is_page or not is_stored_as_sent(file.item, response.body, source.checksums):
            return await self._checked(read, response)
        progress = FileProgress(self._progress, str(file.item), file.name, file.size)
        with progress:
            progress.correct(source.size)
            progress.advance(source.size)
        progress.finish("transferred")
        return _deployed(read, time.perf_counter() - response.started)

    async def _checked(self, read: _ReadFile, response: SmallResponse) -> Outcome:
        """The same where the response has another form than usual."""

        async def check(progress: FileProgress) -> Outcome:
            progress.correct(read.source.size)
            url = mask_url(read.request.url)
            answer = Response(response.status, response.body, response.headers, url)
            refuse_page(read.request, answer)
            await check_deployed(self._session, read.file.item, read.request, answer, read.source.checksums)
            progress.advance(read.source.size)
            return _deployed(read)

        return await self._tracked(read.file, check)

    async def _send_usual_way(self, read: _ReadFile, begun: BegunRequest | None) -> Outcome:
        async def send(progress: FileProgress) -> Outcome:
            progress.correct(read.source.size)
            await send_file(
                self._session,
                read.source,
                read.file.item,
                parameters=self._parameters,
                by_checksum=False,
                progress=progress,
                begun=begun,
            )
            return _deployed(read)

        try:
            return await self._tracked(read.file, send)
        finally:
            if begun is not None:
                begun.discard()

    async def _failed(self, file: PlannedFile, error: ArtifactoryError) -> Outcome:
        async def fail(_: FileProgress) -> Outcome:
            raise error

        return await self._tracked(file, fail)

    async def _tracked(self, file: PlannedFile, do: Callable[[FileProgress], Awaitable[Outcome]]) -> Outcome:
        return await tracked(self._progress, str(file.item), file.path, do, name=file.name, size=file.size)


def _deployed(read: _ReadFile, seconds: float = 0.0) -> Outcome:
    source = read.source
    return Outcome(str(read.file.item), read.file.path, "deployed", source.size, source.checksums.sha256, seconds)


async def _blocks_of(content: bytes) -> AsyncGenerator[memoryview, None]:
    yield memoryview(content)
