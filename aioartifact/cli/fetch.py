"""What ``download`` does: find out what the URLs name, fetch it, show each outcome as it comes."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Literal, TypedDict, Unpack

import aioartifact

from .lists import Entry, folder_below, items_of
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
    entries: Sequence[Entry],
    destination: str,
    *,
    tree: bool,
    folder: bool,
    include: Sequence[str],
    exclude: Sequence[str],
    archive: bool,
    limits: aioartifact.Limits,
    as_json: bool,
    settings: Settings,
    **options: Unpack[Options],
) -> Failures:
    """Fetch *entries*, a single one with all below it where it is a folder; return what failed."""
    first = entries[0]
    async with aioartifact.session(**settings.at(first.text), limits=limits) as session:
        parse = partial(aioartifact.path, session=session)
        items = items_of(entries, destination, parse, tree=tree)
        if len(items) == 1 and not folder and not first.path:
            # 404 decides nothing: a remote repository does not describe a file before it has fetched it. The info
            # of a file may be that of an older one there, so it is not required of the download.
            with suppress(aioartifact.NotFoundError):
                folder = isinstance(await aioartifact.info(first.text, session=session), aioartifact.FolderInfo)
        if folder:
            url = parse(first.text)
            batch = aioartifact.download_folder(
                url,
                folder_below(destination, url) if tree else destination,
                include=include,
                exclude=exclude,
                archive=archive,
                session=session,
                **options,
            )
        else:
            batch = aioartifact.download_many(items, destination, session=session, **options)
        return await show_outcomes(batch, as_json=as_json)
