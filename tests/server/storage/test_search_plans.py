"""Searches go through an index where there is one, however large the tables grow."""

import sqlite3

import pytest

from aioartifact.testing.layouts.layout import LAYOUTS
from aioartifact.testing.storage import searches
from aioartifact.testing.storage.schema import SCHEMA
from aioartifact.testing.storage.store import select

HERE = searches.in_repositories(["libs", "tools"])
MODULE = LAYOUTS["maven-2-default"].glob({"orgPath": "org/acme", "module": "app"})
BY_ID = "SEARCH items USING INTEGER PRIMARY KEY (rowid=?)"
ALL_PATHS = "SEARCH items USING COVERING INDEX sqlite_autoindex_items_1 (repo=?)"
BY_PATH = "SEARCH items USING COVERING INDEX sqlite_autoindex_items_1 (repo=? AND path>? AND path<?)"


@pytest.fixture
def plan():
    """Return SQLite's plan for a search."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)

    def plan(conditions) -> list[str]:
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        assert list(searches.find(connection, conditions)) == []
        connection.set_trace_callback(None)
        (statement,) = statements
        return [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]

    yield plan
    connection.close()


@pytest.mark.parametrize(
    ("conditions", "steps"),
    [
        pytest.param([searches.named("*app*")], {BY_ID, "SCAN items USING COVERING INDEX items_by_name"}, id="name"),
        pytest.param(
            [searches.having("os", "linux"), searches.having("stage", "")],
            {
                BY_ID,
                "SEARCH properties USING INDEX properties_by_value (key=? AND value=?)",
                "SEARCH properties USING INDEX properties_by_value (key=?)",
            },
            id="properties",
        ),
        pytest.param(
            [searches.having_checksum("sha1", "0" * 40)],
            {"SEARCH items USING INDEX items_by_sha1 (actual_sha1=?)"},
            id="checksum",
        ),
        pytest.param(
            [searches.having_checksum("sha256", "0123456789ab*")],
            {"SEARCH items USING INDEX items_by_sha256 (sha256>? AND sha256<?)"},
            id="beginning-of-a-checksum",
        ),
        pytest.param([searches.at(["libs"], MODULE)], {BY_ID, BY_PATH}, id="module"),
        pytest.param([searches.at(["libs"], "*/app/*/app-*.*")], {BY_ID, ALL_PATHS}, id="module-of-any-organization"),
        pytest.param(
            [searches.having("version", ""), searches.below("a/b")],
            {BY_ID, "SEARCH properties USING INDEX properties_by_value (key=?)"},
            id="versions-below-a-folder",
        ),
        pytest.param(
            [searches.dated("lastDownloaded", 1, 2)],
            {BY_ID, "SCAN stats"},
            id="downloads",
        ),
    ],
)
def test_search_uses_an_index(plan, conditions, steps):
    """The items are reached by the index of what is searched for, and by nothing else."""
    ways = {step for step in plan([searches.FILES, HERE, *conditions]) if not step.startswith("LIST SUBQUERY")}
    assert ways == {*steps, "SEARCH stats USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN"}


def test_search_in_no_repository_finds_nothing(plan):
    """None is not all."""
    assert searches.in_repositories([]) == searches.at([], "*") == searches.FALSE
    assert plan([searches.in_repositories([])])


def test_select_in_an_order():
    """Rows come in the order that is asked for, with their downloads."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    for number in (1, 2, 3):
        connection.execute(
            "INSERT INTO items (id, repo, path, name, type, depth, created, modified, updated)"
            " VALUES (?, 'r', '.', ?, 'file', 1, 0, 0, 0)",
            (number, str(number)),
        )
    connection.execute("INSERT INTO stats VALUES (1, 5, 100, 'me')")
    rows = list(select(connection, "repo = ?", ("r",), searches.BY_LAST_DOWNLOAD))
    connection.close()
    assert [(item.name, stats.downloads, stats.downloaded) for item, stats in rows] == [
        ("2", 0, None),
        ("3", 0, None),
        ("1", 5, 100),
    ]
