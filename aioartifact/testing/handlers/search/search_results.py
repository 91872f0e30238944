"""What all searches share: the repositories to search, the results that the user may read, and streamed rows."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from ...aql.sql import SQL
from ...protocol import jackson
from ...protocol.replies import VENDOR, Reply, refuse
from ...storage import searches
from ...storage.store import Item, Stats
from ...wire.exchange import Exchange
from ..request_checks import negotiated
from ..storage_api import item_info

NOTHING = "No results found."

_ROWS_PER_CHUNK = 500
_USER_LIMIT = 1_000  # search.userQueryLimit


Entry = Callable[[Exchange, Item, Stats], jackson.JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """
    One search.

    Attributes:
        media: The part between ``search.`` and ``+json`` in the media type.
        conditions: What an item has to meet.
        entry: Prints an item.
        order: SQL that sorts the rows.
        meets: Decides conditions that SQL cannot express.
        missing: Message of the 404 where nothing is found; None answers with an empty list.
    """

    media: str
    conditions: Sequence[SQL]
    entry: Entry
    order: str = ""
    meets: Callable[[Item], bool] = lambda _item: True
    missing: str | None = None


def media_type(name: str) -> str:
    """Return the vendor's media type for a kind of search result."""
    return f"{VENDOR}search.{name}+json"


def searched(exchange: Exchange) -> list[str]:
    """Return the keys of the repositories to look in: those of ``repos``, or all that hold items."""
    repositories = exchange.instance.repositories
    asked = list(filter(None, map(str.strip, exchange.target.query.get("repos", "").split(","))))
    return expanded(exchange, asked or list(repositories))


def expanded(exchange: Exchange, keys: Sequence[str]) -> list[str]:
    """Return the keys of the repositories that hold the items of those named: members, caches."""
    return list(dict.fromkeys(each.key for key in keys for each in exchange.instance.storing(key)))


def refuse_anonymous(exchange: Exchange) -> None:
    """
    Refuse users without credentials, even if anonymous users may read.

    Raises:
        RefusalError: 401, or 404 where existence is hidden.
    """
    if exchange.user.is_anonymous:
        exchange.deny_read("Forbidden", servlet=False)


def limit(exchange: Exchange) -> int | None:
    """Return after how many rows a search ends: 1,000 for the anonymous, since 7.x for all but administrators."""
    is_limited = exchange.user.is_anonymous or (exchange.instance.profile.is_platform and not exchange.user.admin)
    return _USER_LIMIT if is_limited else None


def readable(exchange: Exchange, rows: Iterator[tuple[Item, Stats]]) -> Iterator[tuple[Item, Stats]]:
    """Drop what the user may not read."""
    can = partial(exchange.instance.accounts.can, exchange.user, "r")
    return (row for row in rows if can(row[0].repo, row[0].path))


def uri(exchange: Exchange, item: Item) -> str:
    """Return where the storage API has *item*."""
    return exchange.link("api/storage", item.repo, item.path)


def detailed(exchange: Exchange, item: Item, _stats: Stats) -> jackson.JSON:
    """Print an item as far as ``X-Result-Detail`` asks for it."""
    detail = exchange.request.headers.get("X-Result-Detail", "")
    document: dict[str, jackson.JSON] = {"uri": uri(exchange, item)}
    if "info" in detail:
        document = item_info.search_document(exchange, item)
    if "properties" in detail:
        document["properties"] = exchange.instance.store.properties(item)
    return document


async def answer(exchange: Exchange, search: Search) -> Reply:
    """
    Answer with the rows of *search* that the user may read.

    Raises:
        RefusalError: 406 if the client does not accept such a document; 404 if nothing is found and that is an error.
    """
    content_type = negotiated(exchange, media_type(search.media))
    chunks = _stream(exchange, search)
    if not await anext(chunks) and search.missing:
        await chunks.aclose()
        refuse(404, search.missing)
    return Reply(200, {"Content-Type": content_type}, chunks)


async def _stream(exchange: Exchange, search: Search) -> AsyncGenerator[bytes, None]:
    """Yield the first rows for :func:`answer` to check, then the document from its beginning."""
    in_thread = exchange.instance.in_thread
    with exchange.instance.store.reader() as connection:
        rows = _found(exchange, search, connection)
        following = partial(_print, exchange, search, rows)
        batch = await in_thread(following)
        yield batch
        yield b'{\n  "results" : [ ' + batch
        end = b" ]\n}" if batch else b"]\n}"
        while batch and (batch := await in_thread(following)):
            yield b", " + batch
        yield end


def _found(exchange: Exchange, search: Search, connection: sqlite3.Connection) -> Iterator[tuple[Item, Stats]]:
    rows = readable(exchange, searches.find(connection, search.conditions, search.order))
    return islice((row for row in rows if search.meets(row[0])), limit(exchange))


def _print(exchange: Exchange, search: Search, rows: Iterator[tuple[Item, Stats]]) -> bytes:
    entries = (search.entry(exchange, item, stats) for item, stats in islice(rows, _ROWS_PER_CHUNK))
    return ", ".join(jackson.dumps(entry, "  ") for entry in entries).encode()
