"""Searches by date: ``GET api/search/dates``, ``creation`` and ``usage``, for users with credentials."""

import re
from collections.abc import Sequence
from functools import partial
from typing import TypeGuard

from ...aql.fields import Kind
from ...aql.sql import SQL, some
from ...aql.syntax import AQLError
from ...aql.values import read_value
from ...protocol import jackson
from ...protocol.replies import Reply, refuse
from ...storage import searches
from ...storage.searches import DateField
from ...storage.store import Item, Stats
from ...wire.exchange import Exchange
from .search_results import NOTHING, Entry, Search, answer, refuse_anonymous, searched, uri

_FIELDS: tuple[DateField, ...] = ("lastModified", "created", "lastDownloaded", "remote_last_downloaded")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_NO_METADATA = SQL("name <> 'maven-metadata.xml'")


async def dates(exchange: Exchange) -> Reply:
    """Answer ``dates?from=&to=&dateFields=``: files with one of the dates after *from* and not after *to*."""
    fields = _fields(exchange)
    refuse_anonymous(exchange)
    after = _demand_start(_moment(exchange, "from"))
    entry = partial(_with_dates, fields)
    return await _in_range(exchange, "ArtifactResult", fields, after, _until(exchange, "to"), entry)


async def creation(exchange: Exchange) -> Reply:
    """Answer ``creation?from=&to=``: files created or modified in between, with the first of the two dates that is."""
    refuse_anonymous(exchange)
    after, until = _demand_start(_number(exchange, "from")), _number(exchange, "to")
    until = exchange.instance.now_ms() if until is None else until
    entry = partial(_with_first_date, after, until)
    return await _in_range(exchange, "ArtifactCreationResult", ("created", "lastModified"), after, until, entry)


async def usage(exchange: Exchange) -> Reply:
    """Answer ``usage?notUsedSince=&createdBefore=``: files not downloaded since, the longest unused first."""
    refuse_anonymous(exchange)
    since = _number(exchange, "notUsedSince")
    if since is None:
        refuse(404, NOTHING)
    before = _number(exchange, "createdBefore")
    unused = searches.unused(since, since if before is None else before)
    search = Search(
        media="ArtifactUsageResult",
        conditions=[searches.FILES, searches.in_repositories(searched(exchange)), unused],
        entry=_with_usage,
        order=searches.BY_LAST_DOWNLOAD,
        missing=NOTHING,
    )
    return await answer(exchange, search)


async def _in_range(
    exchange: Exchange, media: str, fields: Sequence[DateField], after: int, until: int, entry: Entry
) -> Reply:
    found = some([searches.dated(field, after, until) for field in fields])
    conditions = [searches.FILES, searches.in_repositories(searched(exchange)), _NO_METADATA, found]
    return await answer(exchange, Search(media=media, conditions=conditions, entry=entry, missing=NOTHING))


def _fields(exchange: Exchange) -> list[DateField]:
    asked = [name for name in exchange.target.query.get("dateFields", "").split(",") if name]
    if not asked:
        refuse(400, "'dateFields' parameter cannot be empty!")
    for name in asked:
        if not _is_field(name):
            refuse(400, f"Date field name '{name}' unknown!, possible values are: [{', '.join(_FIELDS)}]")
    return [name for name in asked if _is_field(name)]


def _is_field(name: str) -> TypeGuard[DateField]:
    return name in _FIELDS


def _demand_start(start: int | None) -> int:
    return refuse(400, "'from' parameter cannot be empty!") if start is None else start


def _until(exchange: Exchange, name: str) -> int:
    found = _moment(exchange, name)
    return exchange.instance.now_ms() if found is None else found


def _moment(exchange: Exchange, name: str) -> int | None:
    """Return a time as epoch milliseconds: a number, or an ISO date, recognized by its T."""
    text = exchange.target.query.get(name, "").strip()
    if "T" not in text:
        return _integer(text, 400, f'For input string: "{text}"')
    try:
        return int(read_value(Kind.DATE, text, exchange.instance.zone))
    except AQLError:
        refuse(400, f'Invalid format: "{text}"')


def _number(exchange: Exchange, name: str) -> int | None:
    """Return a number; a value that is not one is a 404, as in JAX-RS."""
    return _integer(exchange.target.query.get(name, "").strip(), 404, "Not Found")


def _integer(text: str, status: int, message: str) -> int | None:
    if text and not _NUMBER.fullmatch(text):
        refuse(status, message)
    return int(text) if text else None


def _with_dates(fields: Sequence[DateField], exchange: Exchange, item: Item, stats: Stats) -> jackson.JSON:
    iso = exchange.instance.iso
    downloaded = "" if stats.downloaded is None else iso(stats.downloaded)
    values = {"created": iso(item.created), "lastModified": iso(item.modified), "lastDownloaded": downloaded}
    return {"uri": uri(exchange, item), **{name: value for name, value in values.items() if name in fields}}


def _with_first_date(after: int, until: int, exchange: Exchange, item: Item, _stats: Stats) -> jackson.JSON:
    found = item.created if after < item.created <= until else item.modified
    return {"uri": uri(exchange, item), "created": exchange.instance.iso(found)}


def _with_usage(exchange: Exchange, item: Item, stats: Stats) -> jackson.JSON:
    """Print downloads; here, none is made through another server, and "never" is the year 1970."""
    iso = exchange.instance.iso
    return {
        "uri": uri(exchange, item),
        "downloadCount": stats.downloads,
        "lastDownloaded": iso(stats.downloaded or 0),
        "remoteDownloadCount": 0,
        "remoteLastDownloaded": iso(0),
    }
