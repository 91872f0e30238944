"""
Artifactory Query Language over the tables of the embedded server.

A query is parsed (:mod:`.parser`), compiled to one SELECT (:mod:`.compiler`) and answered row by row
(:mod:`.results`); whatever it asks for is decided by SQLite and its indexes, except who may read a row.

See: JFrog, "Artifactory Query Language".
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo

from .compiler import NO_ROWS, Edition, select, shown, validate
from .criteria import Conditions
from .parser import parse
from .results import Page, Printing, Result, Row, Viewer, frame
from .sql import SQL
from .syntax import AQLError

__all__ = ["AQLError", "Edition", "Result", "Row", "Viewer", "frame", "parse", "run"]


def run(
    connection: sqlite3.Connection,
    text: str,
    *,
    viewer: Viewer,
    edition: Edition,
    now_ms: int,
    format_date: Callable[[int], str],
    virtual_members: Callable[[str], Sequence[str] | None],
    virtuals_of: Callable[[str], Sequence[str]] = lambda _repository: (),
    time_zone: tzinfo = UTC,
    hard_limit: int | None = None,
    archives: bool = True,
) -> Result:
    """
    Start a query.

    Items and builds are searched, with all that belongs to them; releases and archive entries do not exist here. A
    search for these is checked like every query and finds nothing. Only administrators find what is not an item.

    The rows are read while the result is iterated over, on *connection*: writes in between may or may not be
    seen, so a server that answers at length gives each answer a connection of its own.

    Args:
        connection: Database with the tables of the server.
        text: The query.
        viewer: Who asks.
        edition: ``"oss"`` refuses to sort and to filter the included properties.
        now_ms: Time that ``$last`` and ``$before`` count from, in epoch milliseconds.
        format_date: Writes epoch milliseconds as rows show them.
        virtual_members: Local and cache repositories of a virtual one; None for any other key.
        virtuals_of: Virtual repositories a repository belongs to, for the field ``virtual_repos``.
        time_zone: Zone of dates in the query that name none, and of the calendar for periods.
        hard_limit: Rows after which any answer is cut off, with a notification; None does not cut off.
        archives: Whether the domains of archives and their entries are known.

    Raises:
        AQLError: If the query is refused; nothing has been read yet.
    """
    try:
        query = parse(text, archives=archives)
        rows = shown(query)
        validate(query, rows, admin=viewer.admin, edition=edition)
        page = _page(query.offset, query.limit, hard_limit)
        conditions = Conditions(query.domain, now_ms, time_zone, virtual_members)
        most = query.limit if page.trimmed_at is None else page.trimmed_at + 1
        statement = select(query, rows, conditions, most=most)
        if query.domain != "item" and not viewer.admin:
            statement = NO_ROWS
    except RecursionError:
        raise AQLError("The query is nested too deeply") from None
    cursor = _execute(connection, statement)
    return Result(cursor, rows, viewer=viewer, page=page, printing=Printing(format_date, virtuals_of))


def _page(offset: int, limit: int | None, hard_limit: int | None) -> Page:
    if hard_limit is None:
        return Page(offset, limit, trimmed_at=None)
    if limit is not None and limit <= hard_limit:
        return Page(offset, limit, trimmed_at=None)
    return Page(offset, hard_limit, trimmed_at=hard_limit)


def _execute(connection: sqlite3.Connection, statement: SQL) -> sqlite3.Cursor:
    try:
        return connection.execute(statement.text, statement.parameters)
    except sqlite3.OperationalError as error:
        # Too many values, too deep an expression: SQLite's limits on statements share this code, while trouble
        # with the database itself has others.
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise AQLError(f"The query is too complex\ncause: {error}") from error
