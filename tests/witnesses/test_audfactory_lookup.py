"""audfactory's Lookup: a table in a CSV file that every change reads and writes again."""

import asyncio

import audfactory
import pytest

import aioartifact

GROUP = "com.example.models"
FOLDER = "generic-local/com/example/models/lookup"


@pytest.fixture
def place(artifactory_env):
    """Where tables are: server, repository, group."""
    return artifactory_env.url, "generic-local", GROUP


@pytest.fixture
def lookup(place):
    """An empty table, version 1.0.0."""
    audfactory.Lookup.create(*place, "1.0.0", params=("rate", "purpose"))
    return audfactory.Lookup(*place, version="1.0.0")


def test_create_is_a_deploy_of_the_header(place, artifactory_env):
    """The table is a CSV file in the folder of its version."""
    url = audfactory.Lookup.create(*place, "1.0.0", params=("rate", "purpose"))
    assert url == f"{artifactory_env.url}/{FOLDER}/1.0.0/lookup-1.0.0.csv"
    assert artifactory_env.read(f"{FOLDER}/1.0.0/lookup-1.0.0.csv") == b"id,purpose,rate\r\n"
    with pytest.raises(RuntimeError, match="exists already"):
        audfactory.Lookup.create(*place, "1.0.0")


def test_rows_come_and_go(lookup):
    """Append, find, contains, remove and clear see each other's changes."""
    row = {"purpose": "prod", "rate": 16000}
    uid = lookup.append(row)
    assert lookup[uid] == row
    assert (lookup.find(row), lookup.contains(row), lookup.ids) == (uid, True, [uid])
    with pytest.raises(RuntimeError, match="already exists"):
        lookup.append(row)
    assert lookup.remove(row) == uid
    assert lookup.table == [["id", "purpose", "rate"]]
    lookup.append(row)
    lookup.clear()
    assert lookup.ids == []


def test_columns_are_added(lookup):
    """New columns hold the given value in every row; types survive the file."""
    lookup.append({"purpose": "prod", "rate": 8000.5})
    table = lookup.extend({"active": True, "note": None})
    assert table == lookup.table
    assert lookup.columns == ["active", "note", "purpose", "rate"]
    assert lookup.table[1][1:] == [True, None, "prod", 8000.5]
    assert str(lookup).splitlines()[0].split() == ["id", *lookup.columns]


def test_versions_of_a_table(place, lookup):
    """A version is a folder; with parameters only those whose table has the row."""
    audfactory.Lookup.create(*place, "2.0.0", params=("rate", "purpose"))
    row = {"purpose": "prod", "rate": 1}
    lookup.append(row)
    assert audfactory.Lookup.versions(*place) == ["1.0.0", "2.0.0"]
    assert audfactory.Lookup.versions(*place, row) == ["1.0.0"]
    assert audfactory.Lookup.latest_version(*place) == "2.0.0"
    assert audfactory.Lookup.latest_version(*place, params=row) == "1.0.0"
    assert audfactory.Lookup.latest_version(*place, params={"purpose": "test", "rate": 1}) is None
    assert audfactory.Lookup(*place).version == "2.0.0"


def test_delete_removes_the_folder(place, lookup, artifactory_env):
    """A table with rows is only deleted by force, and its folder with it."""
    lookup.append({"purpose": "prod", "rate": 1})
    with pytest.raises(RuntimeError, match="if it is not empty"):
        audfactory.Lookup.delete(*place, "1.0.0", force=False)
    audfactory.Lookup.delete(*place, "1.0.0")
    assert not artifactory_env.exists(f"{FOLDER}/1.0.0")
    assert not audfactory.Lookup.exists(*place, "1.0.0")


@pytest.mark.parametrize(
    ("version", "message"), [(None, "No lookup tables available"), ("1.0.0", "does not exist yet")]
)
def test_table_that_is_not_there(place, version, message):
    """The folder is 404, the client explains."""
    with pytest.raises(RuntimeError, match=message):
        audfactory.Lookup(*place, version=version)


ROWS = [
    {"active": True, "note": None, "rate": 16000, "scale": 0.5},
    {"active": False, "note": 'a "quoted", long text', "rate": -1, "scale": 1e300},
    {"active": None, "note": "ünïcödé", "rate": 0, "scale": 2.0},
    {"active": False, "note": "true", "rate": 12345678901234567890, "scale": -0.0},
]
COLUMNS = ("scale", "rate", "note", "active")


def test_table_of_aioartifact_is_read_by_audfactory(place):
    """Values, IDs and versions are those that were written."""

    async def write():
        await aioartifact.Lookup.create(*place, "1.0.0", COLUMNS)
        lookup = aioartifact.Lookup(*place, version="1.0.0")
        return [await lookup.append(row) for row in ROWS]

    uids = asyncio.run(write())
    lookup = audfactory.Lookup(*place)
    assert (lookup.version, lookup.ids) == ("1.0.0", uids)
    assert [lookup[uid] for uid in uids] == ROWS
    assert [lookup.find(row) for row in ROWS] == uids
    assert str(lookup) == asyncio.run(aioartifact.Lookup(*place, version="1.0.0").render())


def test_table_of_audfactory_is_read_by_aioartifact(place):
    """And the other way round, changes included; audfactory itself cuts a table off that is not all ASCII."""
    rows = [row for row in ROWS if str(row).isascii()]
    audfactory.Lookup.create(*place, "1.0.0", COLUMNS)
    theirs = audfactory.Lookup(*place)
    uids = [theirs.append(row) for row in rows]

    async def read():
        ours = await aioartifact.Lookup.open(*place)
        assert await ours.table() == theirs.table
        assert [await ours.find(row) for row in rows] == uids
        assert await ours.remove(rows[1]) == uids[1]
        await ours.extend({"extra": "x"})

    asyncio.run(read())
    assert theirs.ids == [uids[0], *uids[2:]]
    assert theirs.columns == ["active", "extra", "note", "rate", "scale"]


def test_both_write_the_same_files(place, artifactory_env):
    """Step by step, the bytes are the same."""
    file = f"{FOLDER}/1.0.0/lookup-1.0.0.csv"
    steps = [
        ("append", {"rate": 1, "purpose": "x, y"}),
        ("append", {"purpose": None, "rate": 2.5}),
        ("extend", {"active": True, "zone": None}),
        ("extend", ["more", "rate"]),
        ("remove", {"active": True, "more": None, "purpose": None, "rate": 2.5, "zone": None}),
        ("append", {"active": False, "more": "m", "purpose": "p", "rate": 0, "zone": -1}),
        ("clear",),
        ("extend", {"zzz": 5}),
    ]

    def do_theirs():
        lookup = audfactory.Lookup(*place)
        for name, *arguments in steps:
            getattr(lookup, name)(*arguments)
            yield artifactory_env.read(file)

    async def do_ours():
        lookup = await aioartifact.Lookup.open(*place)
        contents = []
        for name, *arguments in steps:
            await getattr(lookup, name)(*arguments)
            contents.append(artifactory_env.read(file))
        return contents

    audfactory.Lookup.create(*place, "1.0.0", ("rate", "purpose"))
    theirs = list(do_theirs())
    audfactory.Lookup.delete(*place, "1.0.0")
    asyncio.run(aioartifact.Lookup.create(*place, "1.0.0", ("rate", "purpose")))
    assert asyncio.run(do_ours()) == theirs


@pytest.mark.parametrize(
    "params", [{"a": "1"}, {"a": "4.0"}, {"a": "True"}, {"a": "None"}, {"a": [1]}, {"a": "1e5"}, {"a": " 7 "}]
)
def test_both_refuse_the_same_values_in_the_same_words(place, params):
    """A text that would come back as something else, and other types."""
    audfactory.Lookup.create(*place, "1.0.0", ("a",))
    with pytest.raises(ValueError, match=r"params|forbidden") as theirs:
        audfactory.Lookup(*place).append(params)
    with pytest.raises(ValueError, match=r"params|forbidden") as ours:
        asyncio.run(aioartifact.Lookup(*place, version="1.0.0").append(params))
    assert str(ours.value) == str(theirs.value)
