"""
What the searches below ``api/search`` look for, as SQL over items.

A search goes through an index of what it compares: the property's value, the checksum, the path, or the whole index
of names where a name may begin with anything. Dates have no index; they are compared item by item, in SQL.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Literal

from ..aql.sql import FALSE, SQL, Bounds, Parameter, every, literal_prefix, matches, some, within
from .store import Item, Stats, select, split_path

Algorithm = Literal["md5", "sha1", "sha256"]
DateField = Literal["created", "lastModified", "lastDownloaded", "remote_last_downloaded"]

FILES = SQL("type = 'file'")
BY_LAST_DOWNLOAD = "ORDER BY coalesce(downloaded, 0), items.id"

_ACTUAL: dict[Algorithm, str] = {"md5": "actual_md5", "sha1": "actual_sha1", "sha256": "sha256"}
_DATE: dict[DateField, str] = {"created": "created", "lastModified": "modified"}


def find(connection: sqlite3.Connection, conditions: Sequence[SQL], order: str = "") -> Iterator[tuple[Item, Stats]]:
    """Yield the items that meet all *conditions*, with their downloads."""
    condition = every(conditions)
    return select(connection, condition.text, condition.parameters, order)


def in_repositories(keys: Sequence[str]) -> SQL:
    """Look in these repositories only; in none at all nothing is found."""
    # The plus keeps SQLite from walking a repository where there is a better index.
    return SQL(f"+repo IN ({_marks(keys)})", tuple(keys)) if keys else FALSE


def named(pattern: str) -> SQL:
    """Look for a name; ``*`` is any text and ``?`` one character."""
    return _ids("items", "id", matches("name", pattern))


def having(key: str, value: str) -> SQL:
    """Look for a property; both may have wildcards, and an empty value or ``*`` is any."""
    conditions = [matches("key", key)]
    if value.strip() not in ("", "*"):
        conditions.append(matches("value", value))
    return _ids("properties", "item_id", every(conditions))


def having_checksum(algorithm: Algorithm, pattern: str) -> SQL:
    """Look for content."""
    return matches(_ACTUAL[algorithm], pattern)


def having_bad_checksum(algorithm: Algorithm) -> SQL:
    """Look for files whose client supplied another checksum than the actual one, or none."""
    return SQL(f"original_{algorithm} IS NOT {_ACTUAL[algorithm]}")


def at(keys: Sequence[str], pattern: str) -> SQL:
    """Look in repositories for a whole path; here ``*`` is any text, slashes too."""
    if not keys:
        return FALSE
    folder = literal_prefix(pattern).rpartition("/")[0]
    path = "path || '/' || name"
    conditions = [SQL(f"repo IN ({_marks(keys)})", tuple(keys)), matches(path, pattern)]
    if folder:
        conditions.append(within("path", Bounds(folder, folder + "0")))  # "0" is the character after "/"
    return _ids("items", "id", every(conditions))


def below(path: str) -> SQL:
    """Look for *path* and everything below it."""
    itself = SQL("(path = ? AND name = ?)", split_path(path))
    return some([itself, SQL("path = ?", (path,)), within("path", Bounds(path + "/", path + "0"))])


def dated(field: DateField, after: int, until: int) -> SQL:
    """Look for a date later than *after* and not later than *until*, both in epoch milliseconds."""
    if field == "lastDownloaded":
        return _ids("stats", "item_id", SQL("downloaded > ? AND downloaded <= ?", (after, until)))
    if field == "remote_last_downloaded":  # no other server reports its downloads here
        return FALSE
    return SQL(f"({_DATE[field]} > ? AND {_DATE[field]} <= ?)", (after, until))


def unused(since: int, created_before: int) -> SQL:
    """Find items not downloaded since a time, and created before another; epoch milliseconds."""
    return SQL("(coalesce(downloaded, 0) < ? AND created < ?)", (since, created_before))


def _ids(table: str, column: str, condition: SQL) -> SQL:
    text = f"items.id IN (SELECT {column} FROM {table} WHERE {condition.text})"  # noqa: S608  # constants
    return SQL(text, condition.parameters)


def _marks(values: Sequence[Parameter]) -> str:
    return ", ".join("?" * len(values))
