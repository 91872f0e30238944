"""
Random queries, answered twice: by the compiler, and by a slow evaluator that knows only the rules.

The evaluator works on the query's own tree of tuples, never on the text, and shares nothing with the package.
"""

import contextlib
import itertools
import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing import aql
from aioartifact.testing.storage.schema import SCHEMA

pytestmark = pytest.mark.slow

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
ADDRESS = ("repo", "path", "name")
DEFAULTS = (*ADDRESS, "type", "size", "created", "created_by", "modified", "modified_by", "updated")
PRINTED = (*DEFAULTS, "depth", "actual_sha1", "original_md5", "sha256")
REPOSITORIES = ("libs", "Libs", "tools")
PATHS = (".", "a", "a/b", "a/b/c", "ab", "A", "a_b")
NAMES = ("x.jar", "xy.jar", "[x]", "x%", "ä")
PROPERTY_SETS = ((), (("k", "v"),), (("k", "v"), ("k", "w*")), (("l", "v"), ("m", "")), (("k", "vw"), ("l", "w")))


def build_items():
    """Make every combination of addresses, the other values taking turns."""
    properties, users, ages = (itertools.cycle(each) for each in (PROPERTY_SETS, (None, "ann", "Bob"), (0, 1, 40)))
    items = []
    for number, (repo, path, name) in enumerate(itertools.product(REPOSITORIES, PATHS, NAMES), start=1):
        created = NOW_MS - next(ages) * DAY_MS
        items.append(
            dict.fromkeys(PRINTED)
            | {
                "id": number,
                "repo": repo,
                "path": path,
                "name": name,
                "depth": path.count("/") + 1,
                "type": "folder" if number % 7 == 0 else "file",
                "size": number % 11,
                "created": created,
                "modified": created,
                "updated": created,
                "created_by": next(users),
                "sha256": "00" if number % 2 else None,
                "actual_sha1": f"{number % 6}" if number % 5 else None,
                "properties": list(next(properties)),
                "downloads": number % 4 if number % 3 else None,
            }
        )
    return items


def build_builds():
    """Make builds of modules, with artifacts and dependencies that are items, several items, or none."""
    sha1s, names, scopes = (itertools.cycle(each) for each in ("0172", ("x.jar", "xy.jar", "z"), (None, "test", "b")))
    builds = []
    for name, number in itertools.product(("a", "ab"), ("1", "2", "10")):
        modules = [
            {
                "name": f"m{index}",
                "artifacts": [{"name": next(names), "sha1": next(sha1s)} for _ in range(index)],
                "dependencies": [
                    {"name": next(names), "scope": next(scopes), "sha1": next(sha1s)} for _ in range(index % 2)
                ],
            }
            for index in range(int(number) % 3)
        ]
        properties = [("k", name), ("l", "v")] if number == "1" else [("k", "v")][: int(number) % 2]
        builds.append({"name": name, "number": number, "properties": properties, "modules": modules})
    return builds


ITEMS = build_items()
BUILDS = build_builds()
ARTIFACTS = [
    {"kind": kind, **file, "module": module | {"build": build}}
    for build in BUILDS
    for module in build["modules"]
    for kind in ("artifacts", "dependencies")
    for file in module[kind]
]


def insert(connection, table, **values):
    marks = ", ".join("?" * len(values))
    return connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())
    ).lastrowid


def insert_builds(connection):
    for number, build in enumerate(BUILDS, start=1):
        dates = dict.fromkeys(("started", "created", "modified"), number)
        key = insert(connection, "builds", item_id=number, name=build["name"], number=build["number"], **dates)
        for name, value in build["properties"]:
            insert(connection, "build_properties", build_id=key, key=name, value=value)
        for module in build["modules"]:
            inside = insert(connection, "modules", build_id=key, name=module["name"])
            for kind in ("artifacts", "dependencies"):
                for file in module[kind]:
                    insert(connection, kind, module_id=inside, **file)


@pytest.fixture(scope="module")
def database():
    """The items in the tables of the server."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        for item in ITEMS:
            columns = [name for name in item if name not in ("properties", "downloads")]
            marks = ", ".join("?" * len(columns))
            connection.execute(
                f"INSERT INTO items ({', '.join(columns)}) VALUES ({marks})", [item[name] for name in columns]
            )
            connection.executemany(
                "INSERT INTO properties (item_id, key, value) VALUES (?, ?, ?)",
                [(item["id"], key, value) for key, value in item["properties"]],
            )
            if item["downloads"] is not None:
                connection.execute("INSERT INTO stats VALUES (?, ?, NULL, NULL)", (item["id"], item["downloads"]))
        insert_builds(connection)
        yield connection


def ask(database, text):
    """Put a question as administrator of a Pro server."""
    return aql.run(
        database,
        text,
        viewer=aql.Viewer(admin=True, can_read=lambda _repository, _path: False),
        edition="pro",
        now_ms=NOW_MS,
        format_date=str,
        virtual_members={"all": ("libs", "tools")}.get,
    )


# The tree: (subject, operator, value), where the subject is a field or "@key", or (junction, groups), where a
# group is a list of criteria.

ORDER = ("$gt", "$gte", "$lt", "$lte")
texts = st.sampled_from([*REPOSITORIES, "all", *PATHS, *NAMES, "x", "ann", "v", "w*", "vw", "", "*"])
patterns = st.lists(
    st.sampled_from(["*", "?", "a", "b", "/", "x", "%", "_", "[", "]", "[x]", ".jar", "ä", "L"]), max_size=4
)


def _text_criteria(subjects, words):
    subject = st.sampled_from(subjects)
    return st.one_of(
        st.tuples(subject, st.sampled_from(["$eq", "$ne"]), words | st.none()),
        st.tuples(subject, st.sampled_from(ORDER), words),
        st.tuples(subject, st.sampled_from(["$match", "$nmatch"]), patterns.map("".join)),
    )


field_criteria = st.one_of(
    _text_criteria([*ADDRESS, "created_by", "sha256"], texts),
    st.tuples(st.sampled_from(["size", "depth", "id"]), st.sampled_from(["$eq", "$ne", *ORDER]), st.integers(-1, 12)),
    st.tuples(st.just("stat.downloads"), st.sampled_from(["$eq", "$ne"]), st.integers(0, 3) | st.none()),
    st.tuples(st.just("type"), st.sampled_from(["$eq", "$ne"]), st.sampled_from(["file", "folder", "any"])),
    st.tuples(st.just("created"), st.sampled_from(["$last", "$before"]), st.sampled_from(["1d", "2d", "1mo", "1y"])),
)
property_criteria = _text_criteria(["@k", "@l", "@*"], st.sampled_from(["v", "w", "w*", "vw", "", "*", "x"])).filter(
    lambda criterion: criterion[2] is not None
)
leaves = field_criteria | property_criteria


def _groups(criteria):
    return st.lists(st.lists(criteria, min_size=1, max_size=3), min_size=1, max_size=3)


same_property = st.tuples(st.just("$msp"), _groups(property_criteria))
criteria = st.recursive(
    leaves | same_property, lambda inner: st.tuples(st.sampled_from(["$and", "$or"]), _groups(inner)), max_leaves=8
)
queries = st.lists(st.lists(criteria, min_size=1, max_size=3), max_size=2)


def write(criterion):
    """Write a criterion as AQL."""
    if len(criterion) == 2:
        junction, groups = criterion
        return f'"{junction}" : [{",".join(map(write_group, groups))}]'
    subject, operator, value = criterion
    written = "null" if value is None else str(value) if isinstance(value, int) else f'"{value}"'
    return f'"{subject}":{{"{operator}":{written}}}'


def write_group(group):
    return "{" + ", ".join(map(write, group)) + "}"


def find(groups):
    return f"items.find({','.join(map(write_group, groups))})"


# The rules.


def holds(criterion, item):
    """Decide a criterion for an item."""
    if len(criterion) == 2:
        junction, groups = criterion
        if junction == "$msp":
            return any(all(holds_on_row(each, row) for each in itertools.chain(*groups)) for row in item["properties"])
        return (any if junction == "$or" else all)(all(holds(each, item) for each in group) for group in groups)
    subject, operator, value = criterion
    if subject.startswith("@"):
        affirmative = (subject, {"$ne": "$eq", "$nmatch": "$match"}.get(operator, operator), value)
        found = any(holds_on_row(affirmative, row) for row in item["properties"])
        return found if affirmative == criterion else not found
    if subject == "type" and value == "any":
        return operator == "$eq"
    is_named = operator in ("$eq", "$ne") or (operator in ("$match", "$nmatch") and not set("*?") & set(value))
    if subject == "repo" and is_named and value == "all":
        return (item["repo"] in ("libs", "tools")) == (operator in ("$eq", "$match"))
    return compare(item[subject.removeprefix("stat.")], operator, value)


def holds_on_row(criterion, row):
    """Decide a property criterion for one property."""
    subject, operator, value = criterion
    negated = operator in ("$ne", "$nmatch")
    affirmative = {"$ne": "$eq", "$nmatch": "$match"}.get(operator, operator)
    is_key = subject in ("@*", "@" + row[0])
    is_value = (affirmative, value) == ("$eq", "*") or compare(row[1], affirmative, value)
    return (is_key and is_value) != negated


def compare(actual, operator, value):
    """Decide a comparison with a value that may be missing."""
    if operator in ("$ne", "$nmatch"):
        return not compare(actual, "$eq" if operator == "$ne" else "$match", value)
    if operator == "$eq":
        return actual == value
    if actual is None:
        return False
    if operator == "$match":
        wild = {"*": ".*", "?": "."}
        return bool(re.fullmatch("".join(wild.get(each, re.escape(each)) for each in value), actual, re.DOTALL))
    if operator in ("$last", "$before"):
        start = NOW_MS - {"1d": 1, "2d": 2, "1mo": 31, "1y": 365}[value] * DAY_MS
        return actual > start if operator == "$last" else actual < start
    relations = {"$gt": actual > value, "$gte": actual >= value, "$lt": actual < value, "$lte": actual <= value}
    return relations[operator]


def select(groups):
    """Find the items a query selects, in the order of their ids."""
    asks_for_type = '"type"' in find(groups)
    return [
        item
        for item in ITEMS
        if all(holds(each, item) for group in groups for each in group) and (asks_for_type or item["type"] == "file")
    ]


def address(row):
    return tuple(row[name] for name in ADDRESS)


@given(queries)
def test_criteria_select_what_the_rules_say(database, groups):
    """The compiled query and the evaluator agree on every item."""
    answer = sorted(map(address, ask(database, find(groups))))
    assert answer == sorted(map(address, select(groups)))


@given(queries, st.booleans(), st.integers(0, 20), st.none() | st.integers(0, 30))
def test_pages_are_slices_of_the_sorted_whole(database, groups, descending, offset, limit):
    """A page is a slice of the sorted rows, and its range counts it."""
    direction = "$desc" if descending else "$asc"
    sections = f'.sort({{"{direction}":["repo","path","name"]}}).offset({offset})'
    result = ask(database, find(groups) + sections + ("" if limit is None else f".limit({limit})"))
    stop = None if limit is None else offset + limit
    expected = sorted(map(address, select(groups)), reverse=descending)[offset:stop]
    assert [address(row) for row in result] == expected
    assert result.range["total"] == result.range["end_pos"] == len(expected)


def show(item, included):
    """Print an item with the entries of an include section."""
    fields = [each for each in PRINTED if each in included] or list(DEFAULTS)
    row = {
        name: str(item[name]) if name in ("created", "modified", "updated") else item[name]
        for name in fields
        if item[name] is not None
    }
    keys = {each[1:] for each in included if each.startswith("@")}
    if keys or "property" in included:
        shown = [pair for pair in item["properties"] if "property" in included or pair[0] in keys]
        row["properties"] = [{"key": key, "value": value} if value else {"key": key} for key, value in shown]
    if "stat" in included:
        row["stats"] = [{"downloads": item["downloads"] or 0}]
    return {name: value for name, value in row.items() if value != []}


def signature(row):
    return sorted((name, repr(value)) for name, value in row.items())


@given(queries, st.sets(st.sampled_from([*PRINTED, "property", "stat", "@k", "@l"]), min_size=1))
def test_included_fields_are_what_the_items_have(database, groups, included):
    """Rows show what was asked for and nothing else, equal flat rows once."""
    section = ",".join(f'"{each}"' for each in sorted(included))
    answer = [signature(row) for row in ask(database, f"{find(groups)}.include({section})")]
    expected = [signature(show(item, included)) for item in select(groups)]
    is_flat = not included & {"property", "stat", "@k", "@l"}
    if is_flat and not included >= set(ADDRESS) and included & set(PRINTED):
        expected = [each for each, _ in itertools.groupby(sorted(expected))]
    assert sorted(answer) == sorted(expected)


# Builds: criteria on one road are about the same row, so a query holds where it does for some choice of rows.

words = st.sampled_from(["a", "ab", "1", "2", "10", "x.jar", "z", "m1", "test", "v", "0", "*"])
of_artifact = ["artifact.name", "artifact.sha1", "artifact.module.name", "artifact.module.build.name"]
of_dependency = ["dependency.scope", "dependency.module.build.number", "dependency.name"]
of_owner = ["artifact.module.build.@k", "dependency.module.build.@l"]
build_leaves = _text_criteria(of_artifact + of_dependency, words) | _text_criteria(of_owner, words).filter(
    lambda criterion: criterion[2] is not None
)
build_criteria = st.recursive(
    build_leaves | field_criteria,
    lambda inner: st.tuples(st.sampled_from(["$and", "$or"]), _groups(inner)),
    max_leaves=6,
)


def value_of(file, road):
    """Follow a road from an artifact or dependency, None for none, to a value."""
    for step in road:
        file = None if file is None else file[step]
    return file


def holds_for(criterion, item, files):
    """Decide a criterion for an item and a choice of rows at the roads to artifacts and dependencies."""
    if len(criterion) == 2:
        junction, groups = criterion
        both = any if junction == "$or" else all
        return both(all(holds_for(each, item, files) for each in group) for group in groups)
    subject, operator, value = criterion
    kind, *road = subject.split(".")
    if kind not in files:
        return holds(criterion, item)
    if "@" not in subject:
        return compare(value_of(files[kind], road), operator, value)
    owner = value_of(files[kind], road[:-1]) or {"properties": []}
    return holds((road[-1], operator, value), owner)


@given(st.lists(st.lists(build_criteria, min_size=1, max_size=3), min_size=1, max_size=2))
def test_criteria_on_builds_select_what_the_rules_say(database, groups):
    """Items are found by what produced and what used them, each once."""
    asks_for_type = '"type"' in find(groups)
    expected = []
    for item in ITEMS:
        same = [each for each in ARTIFACTS if item["actual_sha1"] == each["sha1"]]
        choices = [[each for each in same if each["kind"] == kind] or [None] for kind in ("artifacts", "dependencies")]
        criteria = [each for group in groups for each in group]
        found = any(
            all(holds_for(each, item, {"artifact": artifact, "dependency": dependency}) for each in criteria)
            for artifact, dependency in itertools.product(*choices)
        )
        if found and (asks_for_type or item["type"] == "file"):
            expected.append(address(item))
    assert sorted(map(address, ask(database, find(groups)))) == sorted(expected)


owner_leaves = st.one_of(
    _text_criteria(["name", "number", "module.name", "module.artifact.name", "module.artifact.sha1"], words),
    _text_criteria(["@k", "@l", "@*"], words).filter(lambda criterion: criterion[2] is not None),
)


def holds_for_build(criterion, build, module, artifact):
    """Decide a criterion for a build and a choice of rows."""
    if len(criterion) == 2:
        junction, groups = criterion
        both = any if junction == "$or" else all
        return both(all(holds_for_build(each, build, module, artifact) for each in group) for group in groups)
    subject, operator, value = criterion
    *road, name = subject.split(".")
    row = {"module": module, "artifact": artifact}[road[-1]] if road else build
    return holds((name, operator, value), row or {name: None})


@given(
    st.lists(
        st.lists(
            st.recursive(
                owner_leaves, lambda inner: st.tuples(st.sampled_from(["$and", "$or"]), _groups(inner)), max_leaves=6
            ),
            min_size=1,
            max_size=3,
        ),
        max_size=2,
    )
)
def test_builds_are_what_the_rules_say(database, groups):
    """Builds are found by their modules and artifacts, each once."""
    text = f"builds.find({','.join(map(write_group, groups))})"
    expected = [
        (build["name"], build["number"])
        for build in BUILDS
        if any(
            all(holds_for_build(each, build, module, artifact) for group in groups for each in group)
            for module in build["modules"] or [None]
            for artifact in (module and module["artifacts"]) or [None]
        )
    ]
    found = [(row["build.name"], row["build.number"]) for row in ask(database, text)]
    assert sorted(found) == sorted(expected)


TOKENS = (
    *(
        "items",
        "builds",
        "modules",
        "artifacts",
        ".",
        "find",
        "include",
        "sort",
        "offset",
        "limit",
        "distinct",
        "transitive",
    ),
    *("(", ")", "{", "}", "[", "]", ",", ":", "1", "-1", "null", "true"),
    *('"name"', '"size"', '"created"', '"@k"', '"*"', '"property"', '"stat.downloads"', '"a*"', '"3d"'),
    *('"artifact.module.build"', '"module.artifact.item"', '"module.build.name"', '"item.@k"', '"promotion"'),
    *('"$or"', '"$msp"', '"$rf"', '"$eq"', '"$gt"', '"$match"', '"$last"', '"$asc"'),
)


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(TOKENS)).map("".join),
        st.text().map('items.find({{"name":{{"$match":"{}"}}}})'.format),
        st.tuples(st.sampled_from(["name", "size", "depth", "created", "type", "@k"]), st.text()).map(
            lambda pair: f'items.find({{"{pair[0]}":{{"$gt":"{pair[1]}"}}}})'
        ),
        st.text(alphabet="0123456789dmosyw").map('items.find({{"created":{{"$before":"{}"}}}})'.format),
        st.tuples(queries, st.integers(0, 200), st.text(max_size=2)).map(
            lambda parts: find(parts[0])[: parts[1]] + parts[2] + find(parts[0])[parts[1] :]
        ),
    )
)
def test_any_text_is_answered_or_refused(database, text):
    """Whatever comes in, the only error is a refusal, and an answer can be framed."""
    with contextlib.suppress(aql.AQLError):
        answer = b"".join(aql.frame(ask(database, text)))
        assert answer.startswith(b'\n{\n"results" : [ ')
