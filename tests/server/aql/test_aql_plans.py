"""Queries that clients send all day must be served by indexes, however large the tables grow."""

import pytest

from aioartifact.testing.aql import Viewer, run


@pytest.fixture
def plan(database):
    """Return SQLite's plan for the statement of a query."""

    def plan(text: str) -> list[str]:
        statements: list[str] = []
        database.set_trace_callback(statements.append)
        list(
            run(
                database,
                text,
                viewer=Viewer(admin=True, can_read=lambda _repository, _path: True),
                edition="pro",
                now_ms=0,
                format_date=str,
                virtual_members={"all": ["libs", "tools"]}.get,
            )
        )
        database.set_trace_callback(None)
        (statement,) = statements
        return [step[3] for step in database.execute(f"EXPLAIN QUERY PLAN {statement}")]

    return plan


BY_PATH = "SEARCH i USING INDEX sqlite_autoindex_items_1 (repo=? AND path>? AND path<?)"
BY_ADDRESS = "SEARCH i USING INDEX sqlite_autoindex_items_1 (repo=? AND path=? AND name=?)"
BY_ID = "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)"
BY_PROPERTY = "SEARCH p USING INDEX properties_by_value (key=? AND value=?)"
PROPERTIES_OF_ITEM = "SEARCH p USING INDEX properties_by_item (item_id=?) LEFT-JOIN"


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        pytest.param('items.find({"repo":"r","path":"a","name":"b"})', {BY_ADDRESS}, id="address"),
        pytest.param('items.find({"repo":"all","path":"a","name":"b"})', {BY_ADDRESS}, id="address-in-virtual"),
        pytest.param('items.find({"repo":"r","path":{"$match":"a/b/*"}})', {BY_PATH}, id="path-prefix"),
        pytest.param(
            'items.find({"repo":"r","$or":[{"path":"a/b"},{"path":{"$match":"a/b/*"}}]})', {BY_PATH}, id="below"
        ),
        pytest.param(
            'items.find({"repo":"r","$or":[{"$and":[{"path":{"$match":"a"},"name":{"$match":"*.zip"}}]},'
            '{"$and":[{"path":{"$match":"a/*"},"name":{"$match":"*.zip"}}]}]}).include("name","path","repo","property")',
            {BY_PATH, PROPERTIES_OF_ITEM},
            id="jfrog-cli",
        ),
        pytest.param(
            'items.find({"repo":"r"}).include("property")',
            {"SEARCH i USING INDEX sqlite_autoindex_items_1 (repo=?)", PROPERTIES_OF_ITEM},
            id="repository-with-properties",
        ),
        pytest.param(
            'items.find({"repo":"r","$rf":[{"@k":"v"}]}).include("property")', {PROPERTIES_OF_ITEM}, id="result-filter"
        ),
        pytest.param(
            'items.find({"name":{"$match":"app-*"}})',
            {"SEARCH i USING INDEX items_by_name (name>? AND name<?)"},
            id="name",
        ),
        pytest.param('items.find({"sha256":"00"})', {"SEARCH i USING INDEX items_by_sha256 (sha256=?)"}, id="sha256"),
        pytest.param('items.find({"@k":"v"})', {BY_ID, BY_PROPERTY}, id="property"),
        pytest.param(
            'items.find({"$or":[{"$and":[{"artifact.module.build.name":"b","artifact.module.build.number":"1"}]}]})',
            {
                "SEARCH b_a_m USING COVERING INDEX builds_by_name (name=? AND number=?)",
                "SEARCH m_a USING COVERING INDEX modules_by_build (build_id=?)",
                "SEARCH a USING INDEX artifacts_by_module (module_id=?)",
                "SEARCH i USING INDEX items_by_sha1 (actual_sha1=?)",
            },
            id="build-as-jfrog-cli",
        ),
        pytest.param('items.find({"@k":"*"})', {BY_ID, "SEARCH p USING INDEX properties_by_value (key=?)"}, id="key"),
        pytest.param(
            'items.find({"@k":{"$match":"v*"}})',
            {BY_ID, "SEARCH p USING INDEX properties_by_value (key=? AND value>? AND value<?)"},
            id="property-prefix",
        ),
        pytest.param('items.find({"$or":[{"@k":"v"},{"@k":"w"}]})', {BY_ID, BY_PROPERTY}, id="properties"),
        pytest.param(
            'items.find({"$msp":[{"@k":"v"},{"property.value":{"$ne":"w"}}]})', {BY_ID, BY_PROPERTY}, id="same-property"
        ),
        pytest.param(
            'items.find({"@k":"v"}).include("@w")', {BY_ID, BY_PROPERTY, PROPERTIES_OF_ITEM}, id="include-key"
        ),
    ],
)
def test_query_is_served_by_indexes(plan, query, steps):
    """No table is walked from end to end, and these searches are used."""
    taken = plan(query)
    assert steps <= set(taken)
    assert not [step for step in taken if step.startswith("SCAN")]


def test_sort_by_address_needs_no_sorting(plan):
    """Pages in the order of repo, path and name are read off the index."""
    steps = plan('items.find({"repo":"r"}).sort({"$asc":["repo","path","name"]}).offset(1000).limit(100)')
    assert steps == ["SEARCH i USING INDEX sqlite_autoindex_items_1 (repo=?)"]


@pytest.fixture
def measured(database):
    """Fill the tables and let SQLite measure them: one repository, each item with thirty properties."""
    database.executemany(
        "INSERT INTO items (id, repo, path, name, type, depth, created, modified, updated)"
        " VALUES (?, 'r', ?, ?, 'file', 1, 0, 0, 0)",
        [(number, str(number % 50), str(number)) for number in range(100, 2100)],
    )
    database.executemany(
        "INSERT INTO properties (item_id, key, value) VALUES (?, ?, ?)",
        [(number, f"k{key}", str(number)) for number in range(100, 2100) for key in range(30)],
    )
    database.execute("ANALYZE")


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("filtered", ["", ',"$rf":[{"@k":"*"}]', ',"$rf":[{"@k":"v"}]'])
def test_measured_tables_do_not_change_the_way(plan, filtered):
    """Statistics tempt SQLite to walk all items in order, or all properties of a key; it must not."""
    steps = plan(f'items.find({{"repo":"r","path":{{"$match":"a*"}}{filtered}}}).include("property")')
    assert steps == [BY_PATH, PROPERTIES_OF_ITEM, "USE TEMP B-TREE FOR ORDER BY"]
