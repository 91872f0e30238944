"""What ``download`` does: find out what the URLs name, fetch it, show each outcome as it comes."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, TypedDict, Unpack

import aioartifact

from .settings import Settings
from .transfers import Failures, show_outcomes


class Options(TypedDict):
    """What is passed on, as `aioartifact.download_many` takes it."""

    overwrite: Literal["changed", "always", "never"]
    on_error: Literal["raise", "stop", "collect"]
    max_concurrency: int | None
    manifest: str | None
    durable: bool
    processes: int | None
    progress: aioartifact.Progress


async def fetch(
    urls: Sequence[str],
    destination: str,
    *,
    folder: bool,
    include: Sequence[str],
    exclude: Sequence[str],
    archive: bool,
    limits: aioartifact.Limits,
    as_json: bool,
    settings: Settings,
    **options: Unpack[Options],
) -> Failures:
    """Fetch *urls*, a single one with all below it where it is a folder; return what failed."""
    async with aioartifact.session(**settings.at(urls[0]), limits=limits) as session:
        known = None
        if len(urls) == 1 and not folder:
            # 404 decides nothing: a remote repository does not describe a file before it has fetched it.
            with suppress(aioartifact.NotFoundError):
                known = await aioartifact.info(urls[0], session=session)
        if folder or isinstance(known, aioartifact.FolderInfo):
            batch = aioartifact.download_folder(
                urls[0], destination, include=include, exclude=exclude, archive=archive, session=session, **options
            )
        else:
            batch = aioartifact.download_many([known] if known else urls, destination, session=session, **options)
        return await show_outcomes(batch, as_json=as_json)
