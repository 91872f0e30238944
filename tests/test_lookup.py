"""Lookup: tables on a server, with one writer at a time."""

import asyncio

import pytest

import aioartifact
from aioartifact import Lookup
from aioartifact._session import STATES, Clock
from aioartifact.testing import ArtifactoryServer, Fault

GROUP = "com.acme.models"
FOLDER = "generic-local/com/acme/models/lookup"
FILE = f"{FOLDER}/1.0.0/lookup-1.0.0.csv"


@pytest.fixture
def place(server):
    return server.url, "generic-local", GROUP


@pytest.fixture
async def lookup(server, session, place):
    await Lookup.create(*place, "1.0.0", ["rate", "purpose"], session=session)
    server.clear_log()
    return Lookup(*place, version="1.0.0", session=session)


@pytest.fixture
async def names(server):
    """What lies in the folder of the version, as somebody else sees it."""
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as other:

        async def look():
            folder = await aioartifact.info(f"{server.url}/{FOLDER}/1.0.0", session=other)
            return [child.name for child in folder.children]

        yield look


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


async def test_writers_at_once_lose_nothing(server, session, place, lookup, names):
    """Tasks with sessions of their own take turns; every row is there, and no flag."""
    auth = (server.username, server.password)

    async def write(number):
        async with aioartifact.session(server.url, auth=auth) as own:
            STATES[own].clock = Clock(sleep=lambda seconds: asyncio.sleep(seconds / 10))
            writer = Lookup(*place, version="1.0.0", session=own)
            return await writer.append({"purpose": "prod", "rate": number})

    uids = await asyncio.gather(*map(write, range(6)))
    assert sorted(await lookup.ids()) == sorted(uids)
    assert await names() == ["lookup-1.0.0.csv"]


async def test_writer_waits_for_another(server, session, lookup, names):
    """Nothing is read or written while somebody else's flag is up, and the own one is down."""
    flag = f"{FILE}.{'0' * 32}.writer"
    server.put(flag, b"")
    waits = []

    async def sleep(seconds):
        waits.append(seconds)
        assert await names() == ["lookup-1.0.0.csv", flag.rpartition("/")[2]]
        if len(waits) == 3:
            await aioartifact.delete(f"{server.url}/{flag}", session=session)

    STATES[session].clock = Clock(sleep=sleep, draw=lambda: 0.5)
    await lookup.append({"purpose": "prod", "rate": 1})
    assert waits == [0.05, 0.1, 0.2]
    assert await names() == ["lookup-1.0.0.csv"]


async def test_flag_of_a_writer_that_died_is_taken_down(server, session, lookup, names):
    """After a minute in sight it holds nobody up any more."""
    server.put(f"{FILE}.{'0' * 32}.writer", b"")
    now = 0.0

    async def sleep(seconds):
        nonlocal now
        now += 25.0

    STATES[session].clock = Clock(now=lambda: now, sleep=sleep)
    await lookup.append({"purpose": "prod", "rate": 1})
    assert now == 100.0
    assert await names() == ["lookup-1.0.0.csv"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(Fault.status(500), aioartifact.ServerError, id="server-error"),
        pytest.param(Fault.status(403), aioartifact.ForbiddenError, id="refused"),
        pytest.param(Fault.reset(), aioartifact.TransportError, id="cut"),
    ],
)
async def test_failed_write_leaves_the_table_and_no_flag(server, lookup, fault, error, names):
    """The old file stays, the error is told, and the next writer is not held up."""
    await lookup.append({"purpose": "prod", "rate": 1})
    before = server.read(FILE)
    server.fail("PUT", FILE, fault=fault, times=None)
    with pytest.raises(error):
        await lookup.append({"purpose": "prod", "rate": 2})
    assert server.read(FILE) == before
    assert await names() == ["lookup-1.0.0.csv"]


@pytest.mark.parametrize(("method", "path"), [("GET", FILE), ("PUT", FILE), ("PUT", f"{FILE}.*.writer")])
async def test_cancelled_writer_takes_its_flag_down(server, lookup, names, method, path):
    """Wherever it was cancelled."""
    before = server.read(FILE)
    held = server.fail(method, path, fault=Fault.hold())
    task = asyncio.create_task(lookup.append({"purpose": "prod", "rate": 2}))
    await held.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.read(FILE) == before
    assert await names() == ["lookup-1.0.0.csv"]
    held.release()


async def test_writer_that_took_too_long_says_so(server, session, lookup, names):
    """Somebody may have taken its flag down, and written."""
    now = 0.0
    STATES[session].clock = Clock(now=lambda: now)
    held = server.fail("GET", FILE, fault=Fault.hold())
    task = asyncio.create_task(lookup.append({"purpose": "prod", "rate": 2}))
    await held.reached()
    (flag,) = [name for name in await names() if name.endswith(".writer")]
    auth = (server.username, server.password)
    async with aioartifact.session(server.url, auth=auth) as other:
        await aioartifact.delete(f"{server.url}/{FOLDER}/1.0.0/{flag}", session=other)
    now = 100.0
    held.release()
    with pytest.raises(aioartifact.LookupTableError, match="took this one for dead"):
        await task


async def test_damaged_table_is_told(server, lookup):
    """Nothing is written over it."""
    server.put(FILE, b"<html>")
    with pytest.raises(aioartifact.LookupTableError, match=r"lookup-1\.0\.0\.csv: is no lookup table"):
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
