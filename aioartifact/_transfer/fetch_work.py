"""Fetching as it is told to other processes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import anyio

from .._address import ServerURL
from .._errors import ArtifactoryError
from .._files import Manifest
from .._progress import FileProgress, Progress
from .._reports import Outcome
from .._scheduler import Slots
from .._threads import run
from .accounting import failed
from .bulk import Fetcher, Target, job_of_item, listed_size
from .plan import Overwrite


@dataclass(frozen=True, slots=True)
class FetchWork:
    """
    Fetches the targets that another process has chosen.

    Attributes:
        destination: Folder to write to.
        overwrite: What to do about files that exist.
        manifest: Path of the manifest, or None.
        durable: Whether a file must survive a crash of the machine before it is done.
        slots: Connections of one process, for files and for parts of them.
    """

    destination: str
    overwrite: Overwrite
    manifest: str | None
    durable: bool
    slots: int

    def settled(self, job: Target | Sequence[Outcome]) -> Sequence[Outcome] | None:
        """Outcomes of items that needed no more than a look."""
        return None if isinstance(job, Target) else job

    def server(self, job: Target) -> ServerURL:
        """Where the file is."""
        return job.job.item.server

    def lost(self, job: Target, error: ArtifactoryError, progress: Progress) -> Outcome:
        """A file like any other that failed."""
        FileProgress(progress, job.url, job.job.item.name, listed_size(job.job)).finish("failed")
        return failed(job.url, job.path, 0.0, error)

    @asynccontextmanager
    async def opened(
        self, session: aiohttp.ClientSession, progress: Progress
    ) -> AsyncIterator[Callable[[Target], Awaitable[Outcome | Sequence[Outcome]]]]:
        """Yield what fetches one target."""
        async with opened_manifest(self.manifest) as manifest:
            fetcher = Fetcher(
                session,
                self.destination,
                self.overwrite,
                progress,
                job_of=job_of_item,
                slots=Slots(self.slots),
                manifest=manifest,
                durable=self.durable,
            )
            yield fetcher.fetch


@asynccontextmanager
async def opened_manifest(path: str | None) -> AsyncIterator[Manifest | None]:
    """Open a manifest if one is wanted; what was verified is written to it even if the call is cut."""
    if path is None:
        yield None
        return
    manifest = await run(Manifest, path)
    try:
        yield manifest
    finally:
        with anyio.CancelScope(shield=True):
            await run(manifest.close)
