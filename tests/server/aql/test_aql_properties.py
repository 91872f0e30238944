"""``properties.find``: the properties of items, rather than items."""

import pytest

from aioartifact.testing.aql import Viewer


def pairs(rows):
    """Key and value of each row, sorted; an empty value is not printed."""
    return sorted((row["key"], row.get("value", "")) for row in rows)


OS = [("os", "linux"), ("os", "mac")]
LICENSES = [("license", "GPL-3"), ("license", "LGPL-2")]
ALL = [("build.name", "x*"), ("empty", ""), *LICENSES, *OS]


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        pytest.param("", ALL, id="all"),
        pytest.param('{"key":"os"}', OS, id="key"),
        pytest.param('{"key":"nothing"}', [], id="no-such-key"),
        pytest.param('{"value":"linux"}', OS[:1], id="value"),
        pytest.param('{"value":""}', [("empty", "")], id="empty-value"),
        pytest.param('{"key":{"$match":"*e*"},"value":{"$match":"*GPL*"}}', LICENSES, id="same-row"),
        pytest.param('{"key":"os","value":"GPL-3"}', [], id="not-another-row"),
        pytest.param('{"$or":[{"value":"mac"},{"value":"GPL-3"}]}', [LICENSES[0], OS[1]], id="or"),
        pytest.param('{"key":{"$ne":"os"}}', [ALL[0], ALL[1], *LICENSES], id="not-equal"),
        pytest.param('{"key":{"$nmatch":"*s*"}}', ALL[:2], id="not-matching"),
        pytest.param('{"item.name":"app-2.0.jar"}', [("empty", ""), LICENSES[1], OS[0]], id="of-an-item"),
        pytest.param('{"item.repo":"tools"}', [("build.name", "x*")], id="of-a-repository"),
        pytest.param('{"item.repo":"all","key":"os"}', OS, id="of-a-virtual-repository"),
        pytest.param('{"item.size":{"$gt":1500}}', [("empty", ""), LICENSES[1], OS[0]], id="number"),
        pytest.param('{"item.stat.downloads":{"$gt":0}}', [*LICENSES, *OS], id="statistics"),
        pytest.param('{"item.@os":"mac","key":"license"}', LICENSES, id="other-property-of-the-item"),
        pytest.param('{"item.@os":{"$ne":"mac"},"key":"license"}', LICENSES[1:], id="item-without"),
    ],
)
def test_criteria(rows, criteria, found):
    """Each row is one key and one value; criteria on both are about the same row, those on the item about its item."""
    assert pairs(rows(f"properties.find({criteria})")) == found


def test_properties_of_folders_are_found(rows, database):
    """Only searches for items leave out folders."""
    database.execute(
        "INSERT INTO properties (item_id, key, value) SELECT id, 'of', 'a folder' FROM items WHERE name = '1.0'"
    )
    assert rows('properties.find({"key":"of"})') == [{"key": "of", "value": "a folder"}]


def test_properties_in_the_trash_are_left_out(rows, database):
    """As for items: a query that names the trash can gets them."""
    database.execute(
        "INSERT INTO properties (item_id, key, value) SELECT id, 'is', 'gone' FROM items WHERE name = 'gone.jar'"
    )
    assert rows('properties.find({"key":"is"})') == []
    assert pairs(rows('properties.find({"key":"is","item.repo":"auto-trashcan"})')) == [("is", "gone")]


def test_equal_rows_are_given_once(rows):
    """Two items have the same license; with distinct off, or with the item shown, there are two rows."""
    query = 'properties.find({"value":"LGPL-2"})'
    assert len(rows(query)) == 1
    assert len(rows(f"{query}.distinct(false)")) == 2
    assert len(rows(f'{query}.include("item.name")')) == 2


def test_include(rows):
    """Fields of the property replace the defaults; fields of the item are an array of its own."""
    query = 'properties.find({"value":"mac"})'
    assert rows(f'{query}.include("value")') == [{"value": "mac"}]
    item = {"repo": "libs", "path": "org/app/1.0", "name": "app-1.0.jar"}
    found = rows(f'{query}.include("item.name","item.path","item.repo","item.id")')
    assert found == [{"items": [item], "key": "os", "value": "mac"}]
    assert list(found[0]["items"][0]) == ["repo", "path", "name"]
    assert rows(f'{query}.include("item")')[0]["items"][0]["size"] == 1000


def test_sort_offset_and_limit(rows):
    """They work as in searches for items."""
    query = 'properties.find().sort({"$desc":["key","value"]})'
    descending = [(row["key"], row.get("value", "")) for row in rows(query)]
    assert descending == ALL[::-1]
    assert rows(f"{query}.offset(1).limit(1)") == [{"key": "os", "value": "linux"}]


def test_only_administrators_find_properties(rows, refusal):
    """Others get no row, as 6.20 does in every domain but that of items; what is wrong is refused all the same."""
    everything = Viewer(admin=False, can_read=lambda _repository, _path: True)
    assert rows("properties.find()", viewer=everything) == []
    assert refusal('properties.find({"item.size":"big"})', viewer=everything).startswith("AQL Expect long value")
