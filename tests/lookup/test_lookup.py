"""Lookup: tables on a server."""

import pytest

import aioartifact
from aioartifact import Lookup
from aioartifact.testing import ArtifactoryServer

GROUP = "com.acme.models"
FOLDER = "generic-local/com/acme/models/lookup"
FILE = f"{FOLDER}/1.0.0/lookup-1.0.0.csv"


async def test_create_deploys_the_header(server, session, place):
    """Columns are sorted, the ID first; a table that is there is only replaced by force."""
    url = await Lookup.create(*place, "1.0.0", ("rate", "purpose"), session=session)
    assert url == f"{server.url}/{FILE}"
    assert server.read(FILE) == b"id,purpose,rate\r\n"
    assert len(server.requests) == 5
    with pytest.raises(aioartifact.LookupTableError, match=r"'lookup-1\.0\.0' exists already"):
        await Lookup.create(*place, "1.0.0", session=session)
    await Lookup.create(*place, "1.0.0", force=True, session=session)
    assert server.read(FILE) == b"id\r\n"


async def test_rows_come_and_go(server, lookup, names):
    """Each call sees what those before have changed, for the requests promised."""
    row = {"rate": 16000, "purpose": "prod"}
    uid = await lookup.append(row)
    assert len(server.requests) == 5
    assert uid == Lookup.generate_uid(
        params={"purpose": "prod", "rate": 16000},
        name="lookup",
        group_id=GROUP,
        version="1.0.0",
        repository="generic-local",
    )
    server.clear_log()
    assert await lookup.get(uid) == row
    assert await lookup.get("none") == {}
    assert await lookup.find(row) == uid
    assert await lookup.contains(row)
    assert not await lookup.contains({"rate": 16000})
    assert await lookup.ids() == [uid]
    assert await lookup.columns() == ["purpose", "rate"]
    assert await lookup.table() == [["id", "purpose", "rate"], [uid, "prod", 16000]]
    assert (await lookup.render()).splitlines()[1] == f"{uid}  prod     16000"
    assert len(server.requests) == 9
    with pytest.raises(aioartifact.LookupTableError, match="already exists"):
        await lookup.append(row)
    assert await lookup.remove(row) == uid
    with pytest.raises(RuntimeError, match="Could not find requested entry"):
        await lookup.remove(row)
    with pytest.raises(RuntimeError, match="Could not find requested entry"):
        await lookup.find(row)
    await lookup.append(row)
    await lookup.clear()
    assert server.read(FILE) == b"id,purpose,rate\r\n"
    assert await names() == ["lookup-1.0.0.csv"]


@pytest.mark.parametrize(
    ("params", "columns"),
    [
        ("note", ["note", "purpose", "rate"]),
        (["note", "active"], ["active", "note", "purpose", "rate"]),
        ({"note": None, "rate": 2}, ["note", "purpose", "rate"]),
    ],
)
async def test_columns_are_added(lookup, params, columns):
    """By name or with a value; what is there stays."""
    uid = await lookup.append({"purpose": "prod", "rate": 1})
    assert await lookup.extend(params) == await lookup.table()
    assert await lookup.columns() == columns
    assert await lookup.get(uid) == dict.fromkeys(columns) | {"purpose": "prod", "rate": 1}


async def test_what_changes_nothing_writes_nothing(server, lookup):
    """A column that is there needs no deployment of the table."""
    await lookup.extend({"rate": 5})
    assert [request.path for request in server.requests if request.method == "PUT"][1:] == []


async def test_versions_of_a_table(server, session, place, lookup):
    """All, or those that have a row; the latest of them."""
    await Lookup.create(*place, "2.0.0", ["rate", "purpose"], session=session)
    server.put(f"{FOLDER}/3.0.0/other.txt", b"a version without a table")
    row = {"purpose": "prod", "rate": 1}
    await lookup.append(row)
    server.clear_log()
    assert await Lookup.versions(*place, session=session) == ["1.0.0", "2.0.0", "3.0.0"]
    assert len(server.requests) == 1
    assert await Lookup.versions(*place, row, session=session) == ["1.0.0"]
    assert len(server.requests) == 5
    assert await Lookup.latest_version(*place, session=session) == "3.0.0"
    assert await Lookup.latest_version(*place, params=row, session=session) == "1.0.0"
    assert await Lookup.latest_version(*place, params={"rate": 1}, session=session) is None
    assert (await Lookup.open(*place, session=session)).version == "3.0.0"
    assert (await Lookup.open(*place, version="2.0.0", session=session)).version == "2.0.0"
    assert await Lookup.exists(*place, "2.0.0", session=session)
    assert not await Lookup.exists(*place, "2.0.1", session=session)


async def test_delete_takes_the_folder(server, session, place, lookup, names):
    """A table with rows only by force, which is the default."""
    await lookup.append({"purpose": "prod", "rate": 1})
    with pytest.raises(RuntimeError, match=r"Cannot remove lookup table 'lookup-1\.0\.0' if it is not empty"):
        await Lookup.delete(*place, "1.0.0", force=False, session=session)
    assert await names() == ["lookup-1.0.0.csv"]
    await Lookup.delete(*place, "1.0.0", session=session)
    assert await Lookup.versions(*place, session=session) == []
    with pytest.raises(RuntimeError, match="does not exist yet"):
        await Lookup.delete(*place, "1.0.0", session=session)


@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "No lookup tables available under 'http.*/lookup'"), ("1.0.0", r"lookup-1.0.0.csv' does not exist yet\.")],
)
async def test_table_that_is_not_there(session, place, version, message):
    """The words of audfactory, and an error it has, too."""
    with pytest.raises(RuntimeError, match=message):
        await Lookup.open(*place, version=version, session=session)


async def test_table_on_a_server_with_another_context_path(monkeypatch):
    """Without a session, and without "artifactory" in the address."""
    async with ArtifactoryServer(context_path="/binaries") as other:
        monkeypatch.setenv("ARTIFACTORY_USERNAME", other.username)
        monkeypatch.setenv("ARTIFACTORY_API_KEY", other.password)
        place = (other.url, "generic-local", GROUP)
        await Lookup.create(*place, "1.0.0", ["a"], name="flavors")
        found = await Lookup.open(*place, name="flavors")
        await found.append({"a": 1})
        assert repr(found) == f"Lookup('{other.url}/{FOLDER.removesuffix('lookup')}flavors/1.0.0/flavors-1.0.0.csv')"
        assert await found.contains({"a": 1})


async def test_damaged_table_is_told(server, lookup):
    """Nothing is written over it."""
    server.put(FILE, b"<html>")
    with pytest.raises(aioartifact.LookupTableError, match=r"lookup-1\.0\.0\.csv: is not a lookup table"):
        await lookup.append({"purpose": "prod", "rate": 2})
    assert server.read(FILE) == b"<html>"


async def test_refused_access_is_no_missing_table(server, place):
    """The ancestor would say there is none."""
    async with aioartifact.session(server.url, auth=("admin", "wrong")) as session:
        with pytest.raises(aioartifact.AuthenticationError):
            await Lookup.open(*place, session=session)


OFFLINE = ("https://host.invalid/artifactory", "r", "g")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: Lookup.create(*OFFLINE, "1.0"), "expected a semantic version", id="version"),
        pytest.param(lambda: Lookup.create(*OFFLINE, "1.0.0", ["id"]), "cannot be a column", id="column"),
        pytest.param(lambda: Lookup.versions(*OFFLINE, ["a"]), "params is a list", id="versions-with-a-list"),
        pytest.param(lambda: Lookup(*OFFLINE, version="1.0.0").append({"a": "1"}), "use the int 1", id="append"),
        pytest.param(lambda: Lookup(*OFFLINE, version="1.0.0").extend(5), "params is a int", id="extend"),
        pytest.param(lambda: Lookup(*OFFLINE, version="1.0.0").extend({"a": []}), "of type", id="extend-type"),
        pytest.param(lambda: Lookup(*OFFLINE, version="1.0.0").find("a"), "params is a str", id="find"),
        pytest.param(lambda: Lookup(*OFFLINE, version="1.0.0").contains(1), "params is a int", id="contains"),
        pytest.param(lambda: Lookup(*OFFLINE, version="1.0.0").remove(None), "params is a NoneType", id="remove"),
    ],
)
async def test_bad_arguments_are_told_at_the_call(call, message):
    """Before any request, as a ValueError like audfactory's."""
    with pytest.raises(ValueError, match=message):
        await call()


@pytest.mark.parametrize("version", ["..", "", "a/b"])
def test_version_that_no_url_can_hold(version):
    """A table never leaves its folder."""
    with pytest.raises(aioartifact.InvalidURLError):
        Lookup(*OFFLINE, version=version)
