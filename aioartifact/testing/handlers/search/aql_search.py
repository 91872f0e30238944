"""``POST /api/search/aql``."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cache, partial

from ... import aql as language
from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange

_LIMIT = 1 << 20  # bytes of a query
_STEPS = 1_000  # of SQLite's virtual machine between two checks of the time


async def aql(exchange: Exchange) -> Reply:
    """Answer a query with streamed rows; most errors are plain text."""
    if exchange.user.is_anonymous:
        exchange.deny_read("Only non-anonymous users are allowed to access AQL queries\n", servlet=False)
    if exchange.request.headers.get("Content-Type", "text/plain").partition(";")[0].strip() != "text/plain":
        refuse(415, "Unsupported Media Type")
    text = await _read_query(exchange) or exchange.target.query.get("query") or refuse(400, "Bad Request")
    is_text = exchange.request.headers.get("Accept") == "text/plain"
    content_type = {"Content-Type": "text/plain" if is_text else "application/json"}
    rows = _rows(exchange, text)
    try:
        _demand_size(exchange, text)
        await anext(rows)  # runs the query: its errors must be known before the status is sent
    except language.AQLError as wrong:
        # The resource returns text, which the filter that wraps errors leaves if its media type is JSON already.
        if exchange.instance.profile.aql_json_errors or content_type["Content-Type"] != "application/json":
            refuse(400, wrong.message)
        return Reply(400, content_type, wrong.message.encode())
    return Reply(200, content_type, rows)


async def _rows(exchange: Exchange, text: str) -> AsyncGenerator[bytes, None]:
    """Yield empty bytes when the query is accepted, then the response, batch by batch."""
    instance = exchange.instance
    await instance.aql_turnstile.enter(instance.clock, instance.profile.aql_patience)
    try:
        with instance.store.reader() as connection:
            async with aclosing(_batches(exchange, connection, text)) as batches:
                async for batch in batches:
                    yield batch
    finally:
        instance.aql_turnstile.leave()


async def _batches(exchange: Exchange, connection: sqlite3.Connection, text: str) -> AsyncGenerator[bytes, None]:
    in_thread = exchange.instance.in_thread
    _limit_time(exchange, connection)
    try:
        result = await in_thread(partial(_run, exchange, connection, text))
    except sqlite3.OperationalError as error:
        _demand_interruption(error)
        refuse(408, "Request Timeout")
    yield b""
    batches = language.frame(result)
    try:
        while batch := await in_thread(partial(next, batches, b"")):
            yield batch
    except sqlite3.OperationalError as error:
        _demand_interruption(error)
        raise ConnectionAbortedError("the query took too long, and its status is sent already") from error


def _demand_interruption(error: sqlite3.OperationalError) -> None:
    if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
        raise error


def _limit_time(exchange: Exchange, connection: sqlite3.Connection) -> None:
    """Interrupt queries of *connection* when their time is over."""
    instance = exchange.instance
    if instance.profile.aql_seconds is None:
        return
    end = instance.clock() + instance.profile.aql_seconds
    connection.set_progress_handler(lambda: instance.clock() > end, _STEPS)


def _demand_size(exchange: Exchange, text: str) -> None:
    limit = exchange.instance.profile.aql_size
    if limit is not None and len(text) > limit:
        raise language.AQLError(f"The query has {len(text)} characters, which exceeds the limit of {limit}")


def _run(exchange: Exchange, connection: sqlite3.Connection, text: str) -> language.Result:
    instance, user = exchange.instance, exchange.user
    return language.run(
        connection,
        text,
        viewer=language.Viewer(user.admin, partial(instance.accounts.can, user, "r")),
        edition=instance.edition,
        now_ms=instance.now_ms(),
        format_date=instance.iso,
        virtual_members=instance.virtual_members,
        virtuals_of=cache(instance.virtuals_of),
        time_zone=instance.zone,
        hard_limit=instance.profile.aql_rows,
        archives=instance.profile.aql_archives,
    )


async def _read_query(exchange: Exchange) -> str:
    body = bytearray()
    async with aclosing(exchange.body()) as chunks:
        async for data in chunks:
            body += data
            if len(body) > _LIMIT:
                refuse(413, "Request Entity Too Large")
    return body.decode("utf-8", "replace")
