"""Queries in AQL: what they look like, and what cannot become one."""

from datetime import UTC, datetime

import pytest

from aioartifact import InvalidArgumentError, query
from aioartifact._aql import entries_below, files_with_property, folders_in, folders_in_each
from aioartifact._aql.conditions import string
from aioartifact._protocol.aql_messages import point_at

FIELDS = '"repo","path","name","type","size","created","modified","sha256","actual_sha1","actual_md5"'
NOON = datetime(2026, 3, 5, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["", "a", "a b ", "it's", "a\\b", "a\\", "*?", "%_", "{}[]:,$", "ü日本", "a\nb"],
)
def test_string_is_taken_literally(value):
    """AQL knows no escape: all characters but the quote stand for themselves."""
    assert string(value) == f'"{value}"'


@pytest.mark.parametrize("value", ['"', 'a"b', '"},"type":"any"', " a", "\ta", "\n", "\u2003a", "\ud800"])
def test_string_that_aql_cannot_say(value):
    """A quote would end the string and a leading blank is lost: no query is sent rather than another one."""
    with pytest.raises(InvalidArgumentError, match="AQL cannot express"):
        string(value)


@pytest.mark.parametrize(
    ("path", "criterion"),
    [
        pytest.param("com/acme", '"path":"com/acme"', id="folder"),
        pytest.param("", '"path":"."', id="repository"),
    ],
)
def test_query_for_folders(path, criterion):
    """The root of a repository is called "."; repo, path and name must be asked for."""
    assert folders_in("maven", path) == (
        f'items.find({{"repo":"maven",{criterion},"type":"folder"}}).include("repo","path","name")'
    )


def test_query_for_files_of_a_folder():
    """Files lie in the folder itself or in one whose path begins with it."""
    assert str(entries_below("maven", "com/acme", item_type="file")) == (
        'items.find({"repo":"maven","type":"file","$or":[{"path":"com/acme"},{"path":{"$match":"com/acme/*"}}]})'
        f".include({FIELDS})"
    )


@pytest.mark.parametrize(("path", "depth"), [("", 2), ("com/acme", 4)])
def test_query_for_some_levels(path, depth):
    """Levels are counted from the repository."""
    assert f'"depth":{{"$lte":{depth}}}' in str(entries_below("maven", path, item_type="any", depth=2))


@pytest.mark.parametrize("place", [('r"', "a"), ("r", 'a"b'), (" r", ""), ("r", " a")])
def test_query_for_what_aql_cannot_say(place):
    """Repository and path are both checked."""
    for build in (folders_in, lambda *place: entries_below(*place, item_type="file")):
        with pytest.raises(InvalidArgumentError):
            build(*place)


@pytest.mark.parametrize(
    ("built", "text"),
    [
        pytest.param(query.items(), "items.find()", id="everything"),
        pytest.param(query.items(repo="r", size=5), 'items.find({"repo":"r","size":5})', id="values"),
        pytest.param(
            query.items(name=query.match("*.jar"), size=query.gt(5)),
            'items.find({"name":{"$match":"*.jar"},"size":{"$gt":5}})',
            id="conditions",
        ),
        pytest.param(
            query.items(created=query.ge(NOON), modified=query.last("3d")),
            'items.find({"created":{"$gte":"2026-03-05T12:30:00.000+00:00"},"modified":{"$last":"3d"}})',
            id="dates",
        ),
        pytest.param(query.items(created_by=None), 'items.find({"created_by":null})', id="no-value"),
        pytest.param(
            query.items(query.any_of(query.where(name="a"), query.where(name=query.ne("b"), depth=query.le(2)))),
            'items.find({"$or":[{"name":"a"},{"name":{"$ne":"b"},"depth":{"$lte":2}}]})',
            id="any",
        ),
        pytest.param(
            query.items(query.all_of(query.has_property("os", query.not_match("l*")), query.has_property("n"))),
            'items.find({"$and":[{"@os":{"$nmatch":"l*"}},{"@n":"*"}]})',
            id="properties",
        ),
        pytest.param(
            query.items(query.field("stat.downloads", query.lt(1))).where(repo=query.eq("r")),
            'items.find({"stat.downloads":{"$lt":1},"repo":"r"})',
            id="other-nouns",
        ),
        pytest.param(
            query.items().include("size").include("@os", "size"),
            'items.find().include("repo","path","name","size","@os")',
            id="fields-come-with-what-names-the-item",
        ),
        pytest.param(query.items().include("property"), 'items.find().include("property")', id="other-nouns-do-not"),
        pytest.param(
            query.items(created=query.before("2mo")).sort("name", "size", descending=True).offset(2).limit(3),
            'items.find({"created":{"$before":"2mo"}}).sort({"$desc":["name","size"]}).offset(2).limit(3)',
            id="page",
        ),
    ],
)
def test_query_is_printed_as_aql(built, text):
    """Sections come in the one order AQL allows."""
    assert str(built) == text


def test_queries_are_values():
    """Each step makes a new query, and equal ones are equal."""
    base = query.items(repo="r")
    assert base.limit(1) == query.items(repo="r").limit(1) != base
    assert hash(base.where(name="a")) == hash(query.items(repo="r", name="a"))


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: query.items(name='a"}).include("*'), id="quote"),
        pytest.param(lambda: query.items(nam="a"), id="unknown-field"),
        pytest.param(lambda: query.items(size=1.5), id="float"),
        pytest.param(lambda: query.items(size=True), id="flag"),
        pytest.param(lambda: query.items(created=NOON.replace(tzinfo=None)), id="no-time-zone"),
        pytest.param(lambda: query.items(created=query.last("3h")), id="hours"),
        pytest.param(lambda: query.items("repo"), id="text-as-criteria"),
        pytest.param(lambda: query.items(query.where(), query.any_of()), id="any-of-nothing"),
        pytest.param(lambda: query.any_of(query.where()), id="any-of-everything"),
        pytest.param(lambda: query.match(' a"'), id="pattern"),
        pytest.param(lambda: query.field('a":"b', 1), id="field-with-quote"),
        pytest.param(lambda: query.field("Size", 1), id="field-with-capital"),
        pytest.param(lambda: query.has_property('k":"v","@x'), id="key-with-quote"),
        pytest.param(lambda: query.has_property("a key"), id="key-with-blank"),
        pytest.param(lambda: query.items().include('a"'), id="include"),
        pytest.param(lambda: query.items().sort(), id="sort-by-nothing"),
        pytest.param(lambda: query.items().sort("stat.downloads"), id="sort-by-other-nouns"),
        pytest.param(lambda: query.items().limit(0), id="limit"),
        pytest.param(lambda: query.items().offset(-1), id="offset"),
        pytest.param(lambda: query.items().limit(True), id="limit-flag"),
    ],
)
def test_what_cannot_become_a_query(build):
    """Mistakes and attempts to smuggle in another query are refused where the query is built."""
    with pytest.raises(InvalidArgumentError):
        build()


def test_rows_behind_a_row():
    """Later in the first field, or the same there and later in the next."""
    assert str(query.items(repo="r").page(("path", "name"), ("p", "n"))) == (
        'items.find({"repo":"r","$or":[{"path":{"$gt":"p"}},{"path":"p","name":{"$gt":"n"}}]})'
        '.sort({"$asc":["path","name"]})'
    )


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (query.items(), True),
        (query.items().include("size"), True),
        (query.items().include("property"), False),
        (query.items().sort("size"), False),
        (query.items().limit(3), False),
        (query.items().offset(3), False),
    ],
)
def test_which_queries_can_be_continued(built, expected):
    """Those whose order is free, and whose rows are items."""
    assert built.is_pageable is expected


ASKED = 'items.find({"repo":"r"},{"nam":"a.jar"}).sort({"$asc":["name"]})'


def test_place_that_a_refusal_complains_about():
    """The place is shown below the query."""
    rest = ASKED[ASKED.index('"nam"') :]
    words = f"Failed to parse query: {ASKED}, it looks like there is syntax error near the following sub-query: {rest}"
    shown = point_at(ASKED, words)
    line, caret = shown.splitlines()
    assert line[caret.index("^") :].startswith('"nam"')


@pytest.mark.parametrize(
    "words", ["", "Sorting is not supported", "near the following sub-query: ", "near the following sub-query: x"]
)
def test_refusal_that_names_no_place(words):
    """Nothing is pointed at where the server does not say."""
    assert point_at(ASKED, words) is None


def test_place_in_a_long_query():
    """Only the surroundings are shown, in one line."""
    asked = "items.find({" + '"name":"a",\n' * 500 + '"nam":"a"' + ',"name":"a"' * 500 + "})"
    line, caret = point_at(asked, "near the following sub-query: " + asked[asked.index('"nam"') :]).splitlines()
    assert line[caret.index("^") :].startswith('"nam":"a"')
    assert len(line) < 120


@pytest.mark.parametrize(
    ("paths", "queries"),
    [
        pytest.param(["a/b"], 1, id="one"),
        pytest.param([f"com/acme/lib{n:04}" for n in range(500)], 3, id="short"),
        pytest.param([f"com/acme/g{n % 9}/{'long' * 9}{n}" for n in range(500)], 3, id="in-few-groups"),
        pytest.param([f"{'long' * 9}/{n}/x" for n in range(500)], 5, id="without-neighbours"),
        pytest.param([f"{'long' * 9}{n}" for n in range(300)], 3, id="in-the-root"),
        pytest.param(["x" * 7000, "y"], 2, id="too-long-by-itself"),
    ],
)
def test_folders_in_each_fit_into_few_queries(paths, queries):
    """No query is longer than Artifactory 7 takes, but where one name is; neighbours share a criterion."""
    made = list(folders_in_each("libs-release-local", paths))
    assert len(made) == queries
    assert all(len(query) < 6000 for query in made if "x" * 7000 not in query)


def test_folders_in_each_name_every_path_where_they_fit():
    """Whole groups are asked for only where that saves queries."""
    (query,) = folders_in_each("r", ["g/a", "g/b*"])
    criteria = '"$or":[{"path":"g/a"},{"path":"g/b*"}],"repo":"r","type":"folder"'
    assert query == f'items.find({{{criteria}}}).include("repo","path","name")'


def test_folders_in_each_refuse_what_cannot_be_said():
    """A double quote would end the text, in a name as in its group."""
    for path in ('g/a"b', 'g"h/a'):
        with pytest.raises(InvalidArgumentError, match="double quote"):
            list(folders_in_each("r", [path]))


def test_query_for_files_with_a_property():
    """All properties come with them, since the open-source edition sends all or none."""
    assert files_with_property("r", "g/n", "version") == (
        'items.find({"@version":"*","$or":[{"path":"g/n"},{"path":{"$match":"g/n/*"}}],"repo":"r"})'
        '.include("repo","path","name","property")'
    )
