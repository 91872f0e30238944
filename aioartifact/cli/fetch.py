"""What ``download`` does: find out what the URLs name, fetch it, show each outcome as it comes."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, TypedDict, Unpack

import aioartifact

from . import render
from .settings import Settings


class Options(TypedDict):
    """What is passed on, as `aioartifact.download_many` takes it."""

    overwrite: Literal["changed", "always", "never"]
    on_error: Literal["raise", "stop", "collect"]
    max_concurrency: int | None
    progress: aioartifact.Progress


async def fetch(
    urls: Sequence[str],
    destination: str,
    *,
    folder: bool,
    as_json: bool,
    settings: Settings,
    **options: Unpack[Options],
) -> list[aioartifact.ArtifactoryError]:
    """Fetch *urls*, a single one with all below it where it is a folder; return what failed."""
    async with aioartifact.session(**settings.at(urls[0])) as session:
        known = None
        if len(urls) == 1 and not folder:
            # 404 decides nothing: a remote repository does not describe a file before it has fetched it.
            with suppress(aioartifact.NotFoundError):
                known = await aioartifact.info(urls[0], session=session)
        if folder or isinstance(known, aioartifact.FolderInfo):
            batch = aioartifact.download_folder(urls[0], destination, session=session, **options)
        else:
            batch = aioartifact.download_many([known] if known else urls, destination, session=session, **options)
        return await _show(batch, as_json=as_json)


async def _show(batch: "aioartifact.Batch", *, as_json: bool) -> list[aioartifact.ArtifactoryError]:
    failures = []
    # What the group would say is said of each outcome.
    with suppress(aioartifact.BatchError):
        async with batch as outcomes:
            async for outcome in outcomes:
                render.outcome(outcome, as_json=as_json)
                if outcome.error:
                    failures.append(outcome.error)
    return failures
