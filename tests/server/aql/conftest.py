"""A small tree in the tables of the server, and ways to put questions to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from aioartifact.testing import aql
from aioartifact.testing.protocol import formats
from aioartifact.testing.storage.schema import SCHEMA

DAY_MS = 86_400_000
NOW_MS = formats.to_ms(formats.at(0).replace(year=2024, month=6, day=30, hour=12))

# repo, path, name, type, depth, size, days before now, created_by
ITEMS = [
    ("libs", ".", ".", "folder", 0, 0, 900, None),
    ("libs", ".", "org", "folder", 1, 0, 900, None),
    ("libs", ".", "readme.txt", "file", 1, 5, 400, "ann"),
    ("libs", "org", "app", "folder", 2, 0, 900, None),
    ("libs", "org/app", "1.0", "folder", 3, 0, 90, None),
    ("libs", "org/app/1.0", "app-1.0.jar", "file", 4, 1000, 90, "ann"),
    ("libs", "org/app/1.0", "app-1.0.pom", "file", 4, 20, 90, "bob"),
    ("libs", "org/app/2.0", "app-2.0.jar", "file", 4, 2000, 2, "bob"),
    ("libs", "org/app-ui", "App_100%.jar", "file", 3, 3000, 1, None),
    ("tools", ".", "a[b]^c.zip", "file", 1, 7, 0, "ann"),
    ("tools", "bin", "größe.bin", "file", 2, 0, 30, "zoë"),
    ("auto-trashcan", "libs", "gone.jar", "file", 2, 9, 10, "ann"),
]
PROPERTIES = [
    ("app-1.0.jar", "os", "linux"),
    ("app-1.0.jar", "os", "mac"),
    ("app-1.0.jar", "license", "GPL-3"),
    ("app-1.0.jar", "license", "LGPL-2"),
    ("app-2.0.jar", "os", "linux"),
    ("app-2.0.jar", "license", "LGPL-2"),
    ("app-2.0.jar", "empty", ""),
    ("größe.bin", "build.name", "x*"),
]
STATS = [("app-1.0.jar", 7, NOW_MS - 5 * DAY_MS, "ann"), ("app-1.0.pom", 0, None, None)]


@pytest.fixture
def now_ms() -> int:
    """Noon of 30 June 2024: the time of every question."""
    return NOW_MS


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """The tables, filled."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        for number, (*address, age, user) in enumerate(ITEMS, start=1):
            times = [NOW_MS - age * DAY_MS] * 3
            sha1 = f"{number:040x}" if "file" in address else None
            connection.execute(
                "INSERT INTO items (id, repo, path, name, type, depth, size, created, modified, updated,"
                " created_by, actual_sha1) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, *address, *times, user, sha1),
            )
        connection.executemany(
            "INSERT INTO properties (item_id, key, value) VALUES ((SELECT id FROM items WHERE name = ?), ?, ?)",
            PROPERTIES,
        )
        connection.executemany("INSERT INTO stats VALUES ((SELECT id FROM items WHERE name = ?), ?, ?, ?)", STATS)
        yield connection


@pytest.fixture
def start(database):
    """Ask a question as an administrator of a Pro server, unless said otherwise; gives the Result."""

    def start(text: str, **changes) -> aql.Result:
        settings = {
            "viewer": aql.Viewer(admin=True, can_read=lambda _repository, _path: False),
            "edition": "pro",
            "now_ms": NOW_MS,
            "format_date": formats.iso,
            "virtual_members": {"all": ["libs", "tools"], "none": []}.get,
        }
        return aql.run(database, text, **settings | changes)

    return start


@pytest.fixture
def rows(start):
    """Ask a question; gives the rows."""

    def rows(text: str, **changes) -> list[aql.Row]:
        return list(start(text, **changes))

    return rows


@pytest.fixture
def names(rows):
    """Ask a question; gives the names of the items in the order of the answer."""

    def names(text: str, **changes) -> list[object]:
        return [row["name"] for row in rows(text, **changes)]

    return names


@pytest.fixture
def refusal(start):
    """Ask a question that is refused; gives the server's words."""

    def refusal(text: str, **changes) -> str:
        with pytest.raises(aql.AQLError) as caught:
            start(text, **changes)
        return caught.value.message

    return refusal
