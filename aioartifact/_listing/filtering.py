"""Conditions on entries, looked at here where no query has."""

from contextlib import aclosing

import aiohttp

from .._address import ItemURL
from .._errors import NotFoundError
from .._filters import Filter
from .._protocol import build_properties, read_properties
from .._scheduler import run_many
from .._session import fetch_response, state_of
from .by_folders import fetch_info
from .results import Batches, Entry


async def filtered(session: aiohttp.ClientSession, folder: ItemURL, batches: Batches, wanted: Filter) -> Batches:
    """
    Yield the entries that are *wanted*.

    That takes one request for each entry without size or dates in the listing, and one for its properties.

    Raises:
        ResponseError, TransportError, ProtocolError: If an entry cannot be asked for.
    """
    workers = state_of(session).limits.max_concurrency

    async def judge(entry: Entry) -> Entry | None:
        return await _judged(session, _item(folder, entry), entry, wanted)

    async with aclosing(batches):
        async for batch in batches:
            known = [entry for entry in batch if wanted.lacks(entry) or wanted.admits(entry)]
            if not wanted.properties and not any(map(wanted.lacks, known)):
                yield known
                continue
            async with run_many(known, judge, max_concurrency=workers) as judged:
                found = [entry async for entry in judged if entry is not None]
            yield found


def _item(folder: ItemURL, entry: Entry) -> ItemURL:
    return ItemURL(folder.server, folder.repository, entry.path)


async def _judged(session: aiohttp.ClientSession, item: ItemURL, entry: Entry, wanted: Filter) -> Entry | None:
    """The entry, with what was asked for it, if it is wanted; None also where it is there no more."""
    try:
        known = await fetch_info(session, item) if wanted.lacks(entry) else entry
        if not wanted.admits(known):
            return None
        return known if await _has_properties(session, item, wanted) else None
    except NotFoundError:
        return None


async def _has_properties(session: aiohttp.ClientSession, item: ItemURL, wanted: Filter) -> bool:
    if not wanted.properties:
        return True
    request = build_properties(item)
    # No properties at all is a 404, and so is no item.
    return wanted.admits_properties(read_properties(request, await fetch_response(session, request)))
