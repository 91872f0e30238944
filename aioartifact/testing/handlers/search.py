"""``POST /api/search/aql``."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from .. import aql as language
from ..exchange import Exchange
from ..replies import Reply, refuse

_LIMIT = 1 << 20  # bytes of a query


async def aql(exchange: Exchange) -> Reply:
    """Answer a query with streamed rows; what is wrong with it is told as bare text."""
    if exchange.user.is_anonymous:
        exchange.deny_read("Only non-anonymous users are allowed to access AQL queries\n", servlet=False)
    if exchange.request.headers.get("Content-Type", "text/plain").partition(";")[0].strip() != "text/plain":
        refuse(415, "Unsupported Media Type")
    text = await _read_query(exchange) or exchange.target.query.get("query") or refuse(400, "Bad Request")
    content_type = {"Content-Type": _content_type(exchange)}
    rows = _rows(exchange, text)
    try:
        await anext(rows)  # runs the query: what is wrong with it has to be known before the status
    except language.AQLError as wrong:
        # The resource answers text under its own media type, so the filter that wraps errors lets it pass.
        return Reply(400, content_type, wrong.message.encode())
    return Reply(200, content_type, rows)


async def _rows(exchange: Exchange, text: str) -> AsyncGenerator[bytes, None]:
    """Yield nothing when the query is accepted, then the answer, batch by batch."""
    in_thread = exchange.instance.in_thread
    with exchange.instance.store.reader() as connection:
        result = await in_thread(partial(_run, exchange, connection, text))
        yield b""
        batches = language.frame(result)
        while batch := await in_thread(partial(next, batches, b"")):
            yield batch


def _run(exchange: Exchange, connection: sqlite3.Connection, text: str) -> language.Result:
    instance, user = exchange.instance, exchange.user
    return language.run(
        connection,
        text,
        viewer=language.Viewer(user.admin, partial(instance.accounts.can, user, "r")),
        edition=instance.edition,
        now_ms=instance.now_ms(),
        format_date=instance.iso,
        virtual_members=lambda _key: None,  # there are local repositories only
        time_zone=instance.zone,
    )


async def _read_query(exchange: Exchange) -> str:
    body = bytearray()
    async with aclosing(exchange.body()) as chunks:
        async for data in chunks:
            body += data
            if len(body) > _LIMIT:
                refuse(413, "Request Entity Too Large")
    return body.decode("utf-8", "replace")


def _content_type(exchange: Exchange) -> str:
    return "text/plain" if exchange.request.headers.get("Accept") == "text/plain" else "application/json"
