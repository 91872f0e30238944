"""audfactory's Lookup: a table in a CSV file that every change reads and writes again."""

import audfactory
import pytest

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
