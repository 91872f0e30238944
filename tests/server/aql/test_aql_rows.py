import json
import sqlite3

import pytest

from aioartifact.testing import aql

JAR = '{"name":"app-1.0.jar"}'
ALL_READABLE = aql.Viewer(admin=False, can_read=lambda _repository, _path: True)
ADDRESS_DEMANDED = "For permissions reasons AQL demands the following fields: repo, path and name."


def test_row_has_the_default_fields_in_order(rows):
    """Without an include section a row has these fields in this order; what is NULL is left out."""
    (row,) = rows(f"items.find({JAR})")
    assert list(row.items()) == [
        ("repo", "libs"),
        ("path", "org/app/1.0"),
        ("name", "app-1.0.jar"),
        ("type", "file"),
        ("size", 1000),
        ("created", "2024-04-01T12:00:00.000Z"),
        ("created_by", "ann"),
        ("modified", "2024-04-01T12:00:00.000Z"),
        ("updated", "2024-04-01T12:00:00.000Z"),
    ]


@pytest.mark.parametrize(
    ("include", "keys"),
    [
        pytest.param('"size"', ["size"], id="field-replaces-defaults"),
        pytest.param('"name","size","path"', ["path", "name", "size"], id="order-is-the-servers"),
        pytest.param('"sha256","depth","actual_sha1"', ["depth", "actual_sha1"], id="null-is-left-out"),
        pytest.param('"id"', [], id="id-is-never-printed"),
        pytest.param('"stat.downloads","name"', ["name", "stats"], id="nested-beside-a-field"),
        pytest.param('"@os","actual_sha1"', ["actual_sha1", "properties"], id="nested-in-alphabetical-order"),
        pytest.param('"artifact.module.build","name"', ["name"], id="what-the-server-has-not"),
    ],
)
def test_include_chooses_the_fields(rows, include, keys):
    """Listed fields replace the defaults, and print in the server's order."""
    (row,) = rows(f"items.find({JAR}).include({include})")
    assert list(row) == keys


def test_include_of_another_domain_keeps_the_defaults(rows):
    """A field of another domain adds a nested array to the default fields."""
    plain, nested = rows(f"items.find({JAR})"), rows(f'items.find({JAR}).include("property","stat")')
    assert [{key: row[key] for key in row if key not in ("properties", "stats")} for row in nested] == plain
    assert list(nested[0])[-3:] == ["updated", "properties", "stats"]


def test_include_star_shows_all_fields(rows):
    """A star shows every field of the searched domain that has a value."""
    (row,) = rows(f'items.find({JAR}).include("*")', virtuals_of=lambda _repository: ["all"])
    assert {"depth", "actual_sha1", "updated"} < row.keys()
    assert row["virtual_repos"] == ["all"]
    assert "properties" not in row


LICENSES = [{"key": "license", "value": "GPL-3"}, {"key": "license", "value": "LGPL-2"}]
SYSTEMS = [{"key": "os", "value": "linux"}, {"key": "os", "value": "mac"}]


@pytest.mark.parametrize(
    ("query", "properties"),
    [
        pytest.param(f'items.find({JAR}).include("property")', SYSTEMS + LICENSES, id="all"),
        pytest.param(f'items.find({JAR}).include("property.*")', SYSTEMS + LICENSES, id="star"),
        pytest.param(f'items.find({JAR}).include("@os")', SYSTEMS, id="one-key"),
        pytest.param(f'items.find({JAR}).include("@os","@license")', SYSTEMS + LICENSES, id="two-keys"),
        pytest.param(f'items.find({JAR}).include("@*")', SYSTEMS + LICENSES, id="any-key"),
        pytest.param(f'items.find({JAR}).include("property.key")', [{"key": "license"}, {"key": "os"}], id="keys-once"),
        pytest.param(
            f'items.find({JAR}).include("property.key").distinct(false)',
            [{"key": each["key"]} for each in SYSTEMS + LICENSES],
            id="keys-as-often-as-they-are",
        ),
        pytest.param(
            f'items.find({JAR},{{"$rf":[{{"@license":{{"$match":"L*"}}}}]}}).include("property")',
            LICENSES[1:],
            id="result-filter",
        ),
        pytest.param(
            f'items.find({JAR},{{"$rf":[{{"property.key":{{"$ne":"os"}}}}]}}).include("property")',
            LICENSES,
            id="result-filter-on-the-key",
        ),
        pytest.param('items.find({"name":"readme.txt"}).include("property")', None, id="item-without-any"),
        pytest.param('items.find({"name":"app-1.0.pom"}).include("@os")', None, id="item-without-the-key"),
        pytest.param('items.find({"name":"app-2.0.jar"}).include("@empty")', [{"key": "empty"}], id="empty-value"),
    ],
)
def test_included_properties(rows, query, properties):
    """Properties are nested in the row of their item; an item without the wanted ones has no such key."""
    (row,) = rows(query)
    by_key = sorted(row["properties"], key=lambda each: each["key"]) if "properties" in row else None
    assert by_key == (properties and sorted(properties, key=lambda each: each["key"]))


@pytest.mark.parametrize(
    ("name", "stats"),
    [
        pytest.param(
            "app-1.0.jar",
            {"downloaded": "2024-06-25T12:00:00.000Z", "downloads": 7, "downloaded_by": "ann"},
            id="downloaded",
        ),
        pytest.param("app-1.0.pom", {"downloads": 0}, id="never"),
        pytest.param("readme.txt", {"downloads": 0}, id="no-statistics-yet"),
    ],
)
def test_included_statistics(rows, name, stats):
    """Statistics are one nested object; who and when only after a download."""
    (row,) = rows(f'items.find({{"name":"{name}"}}).include("name","stat")')
    assert [list(each.items()) for each in row["stats"]] == [list(stats.items())]


def test_equal_rows_are_given_once(rows):
    """Rows that show the same are one row, unless distinct(false)."""
    query = 'items.find().include("repo").sort({"$asc":["repo"]})'
    assert rows(query) == [{"repo": "libs"}, {"repo": "tools"}]
    assert len(rows(f"{query}.distinct(false)")) == 7


@pytest.mark.parametrize(
    ("sort", "names_found"),
    [
        pytest.param('{"$asc":["name"]}', ["app-1.0.jar", "app-1.0.pom", "readme.txt"], id="ascending"),
        pytest.param('{"$desc":["size"]}', ["app-1.0.jar", "app-1.0.pom", "readme.txt"], id="descending-number"),
        pytest.param('{"$desc":["path","name"]}', ["app-1.0.pom", "app-1.0.jar", "readme.txt"], id="two-fields"),
    ],
)
def test_sort_orders_the_rows(names, sort, names_found):
    """One direction holds for all fields, the first field first."""
    criteria = '{"$or":[{"path":"org/app/1.0"},{"name":"readme.txt"}]}'
    assert names(f"items.find({criteria}).sort({sort})") == names_found


def test_sort_is_lost_when_rows_are_nested(names):
    """With another domain included the order is that of the items' ids."""
    query = 'items.find({"repo":"libs","path":{"$match":"org/*"}})'
    by_id = ["app-1.0.jar", "app-1.0.pom", "app-2.0.jar", "App_100%.jar"]
    assert names(f'{query}.include("property").sort({{"$asc":["path"]}})') == by_id
    assert names(f'{query}.include("stat").sort({{"$desc":["name"]}})') == by_id


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param(
            'items.find().include("repo","path","name").sort({"$asc":["size"]})',
            "Only the result fields are allowed to use in the sort section.",
            id="field-not-shown",
        ),
        pytest.param(
            'items.find().sort({"$asc":["stat.downloads"]})',
            "Only the result fields are allowed to use in the sort section.",
            id="domain-not-shown",
        ),
        pytest.param(
            'items.find().sort({"$asc":["name","size","name"]})',
            "Duplicate fields, all the fields in the sort section should be unique.",
            id="twice",
        ),
        pytest.param(
            'items.find().include("name","virtual_repos")',
            "When including virtual_repos field, the following fields are also required: repo, path and name.",
            id="virtual-repos-without-address",
        ),
    ],
)
def test_sections_that_contradict_each_other_are_refused(refusal, query, message):
    """Sort fields must be shown, once each; virtual repositories need the address."""
    assert refusal(query) == message


def test_open_source_edition_refuses_sort(refusal, rows):
    """The open-source edition does not sort."""
    assert refusal('items.find().sort({"$asc":["name"]})', edition="oss") == (
        "Sorting is not supported by AQL in the open source version\n"
    )
    assert rows('items.find().include("property")', edition="oss")


@pytest.mark.parametrize("query", ['items.find().include("@os")', 'items.find({"$rf":[{"@os":"*"}]})'])
def test_open_source_edition_refuses_property_filters(refusal, query):
    """The open-source edition shows all properties or none."""
    assert refusal(query, edition="oss") == (
        "Filtering properties result is not supported by AQL in the open source version\n"
    )


def test_limit_and_offset_cut_a_page(start):
    """A page has what its bounds say, and its range states the rows printed, not those that exist."""
    result = start('items.find({"repo":"libs"}).sort({"$asc":["name"]}).offset(1).limit(2)')
    assert [row["name"] for row in result] == ["app-1.0.jar", "app-1.0.pom"]
    assert result.range == {"start_pos": 1, "end_pos": 2, "total": 2, "limit": 2}


def test_limit_counts_joined_rows(start):
    """With properties included a page is measured in properties, so it holds fewer items."""
    result = start('items.find({"path":{"$match":"org/app/*"}}).include("name","@os","@license").limit(5)')
    assert [row["name"] for row in result] == ["app-1.0.jar", "app-1.0.pom"]
    assert result.range["total"] == 2


def test_limit_zero_has_no_rows(start):
    """A limit of zero is a page without rows."""
    result = start("items.find().limit(0)")
    assert list(result) == []
    assert result.range == {"start_pos": 0, "end_pos": 0, "total": 0, "limit": 0}


def test_range_is_unknown_before_the_last_row(start):
    """A range that is not known yet cannot be read."""
    with pytest.raises(RuntimeError, match="after its last row"):
        _ = start("items.find()").range


@pytest.mark.parametrize(
    ("query", "hard_limit", "expected"),
    [
        pytest.param("items.find()", 3, (3, 3, True), id="cut"),
        pytest.param("items.find()", 7, (7, 7, False), id="just-enough"),
        pytest.param("items.find().limit(3)", 3, (3, 3, False), id="limit-below"),
        pytest.param("items.find().limit(9)", 5, (5, 5, True), id="limit-above"),
        pytest.param('items.find().include("name","property").limit(9)', 4, (4, 4, True), id="nested"),
    ],
)
def test_hard_limit_trims_and_says_so(start, query, hard_limit, expected):
    """A server with a hard limit states it, cuts at it, and notifies only when something was cut off."""
    result = start(query, hard_limit=hard_limit)
    lines = sum(len(row.get("properties", [0])) for row in result)
    notified = result.range.get("notification") == ("AQL query reached the search hard limit, results are trimmed.")
    assert (lines, result.range["limit"], notified) == expected


def test_user_gets_readable_rows_only(start):
    """Rows that may not be read are left out after the limit was counted."""
    asked = []
    viewer = aql.Viewer(admin=False, can_read=lambda *address: asked.append(address) or address[0] == "libs")
    result = start('items.find({"path":"."}).sort({"$asc":["name"]}).limit(2)', viewer=viewer)
    assert [row["name"] for row in result] == ["readme.txt"]
    assert asked == [("tools", "a[b]^c.zip"), ("libs", "readme.txt")]
    assert result.range["total"] == 1


def test_user_is_asked_for_paths_below_the_repository(start):
    """The path to be judged has no dots for the root: the root itself is the empty path."""
    asked = []
    viewer = aql.Viewer(admin=False, can_read=lambda _repository, path: bool(asked.append(path)))
    assert list(start('items.find({"repo":"libs","type":"folder"})', viewer=viewer)) == []
    assert asked == ["", "org", "org/app", "org/app/1.0"]


@pytest.mark.parametrize("include", ['"name"', '"repo","name","property"', '"size"'])
def test_user_must_show_the_address(refusal, include):
    """Without repo, path and name the server cannot determine what a user may read."""
    assert refusal(f"items.find().include({include})", viewer=ALL_READABLE) == ADDRESS_DEMANDED


def test_user_may_ask_for_other_domains(rows):
    """Other domains answer a user without rows, not with a refusal."""
    assert rows("builds.find()", viewer=ALL_READABLE) == []


def test_virtual_repositories_are_shown_when_asked_for(rows):
    """Rows name the real repository; the virtual ones it belongs to are an array of their own."""
    shown = rows(
        'items.find({"repo":"all","path":"."}).include("repo","path","name","virtual_repos").sort({"$asc":["repo"]})',
        virtuals_of={"libs": ["all"], "tools": []}.__getitem__,
    )
    assert [(row["repo"], row.get("virtual_repos")) for row in shown] == [("libs", ["all"]), ("tools", None)]


def test_dates_without_a_time_are_left_out(rows, database):
    """A date of zero was never set."""
    database.execute("UPDATE items SET created = 0")
    assert all("created" not in row for row in rows("items.find()"))


def test_frame_writes_the_servers_bytes(start):
    """The answer is framed to the byte as Artifactory does."""
    result = start('items.find({"path":"org/app/1.0"}).include("name","size","@os").limit(9)')
    assert b"".join(aql.frame(result)).decode() == (
        '\n{\n"results" : [ {\n'
        '  "name" : "app-1.0.jar",\n'
        '  "size" : 1000,\n'
        '  "properties" : [ {\n    "key" : "os",\n    "value" : "linux"\n  }, {\n'
        '    "key" : "os",\n    "value" : "mac"\n  } ]\n'
        '},{\n  "name" : "app-1.0.pom",\n  "size" : 20\n} ],\n'
        '"range" : {\n  "start_pos" : 0,\n  "end_pos" : 2,\n  "total" : 2,\n  "limit" : 9\n}\n}\n'
    )


def test_frame_without_rows(start):
    """No rows leave two blanks between the brackets."""
    assert b"".join(aql.frame(start('items.find({"repo":"nowhere"})'))).decode() == (
        '\n{\n"results" : [  ],\n"range" : {\n  "start_pos" : 0,\n  "end_pos" : 0,\n  "total" : 0\n}\n}\n'
    )


@pytest.mark.parametrize("batch_size", [1, 100, 1_000_000])
def test_frame_gathers_batches(start, batch_size):
    """However the bytes are cut, they are the same answer."""
    chunks = list(aql.frame(start('items.find({"type":"any"})'), batch_size=batch_size))
    assert all(len(chunk) >= batch_size for chunk in chunks[:-1])
    assert len(json.loads(b"".join(chunks))["results"]) == 11


def test_frame_reads_rows_as_it_goes(start):
    """Bytes are given out before the last row is read: an answer never sits in memory whole."""
    first = next(aql.frame(start("items.find()"), batch_size=1))
    assert first.count(b'"repo"') == 1


def test_close_lets_go_of_the_database(start):
    """A response that is no longer needed can be closed in the middle."""
    result = start("items.find()")
    next(iter(result))
    result.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed cursor"):
        list(result)
