"""One writer at a time: lock files beside a lookup table."""

import asyncio

import pytest

import aioartifact
from aioartifact import Lookup
from aioartifact._session import STATES, Clock
from aioartifact.testing import Fault

FOLDER = "generic-local/com/acme/models/lookup"
FILE = f"{FOLDER}/1.0.0/lookup-1.0.0.csv"


async def test_writers_at_once_lose_nothing(server, session, place, lookup, names):
    """Tasks with sessions of their own take turns: no row is lost, and no lock file is left."""
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
    """Nothing is read or written while another writer holds the lock, and no second lock file exists."""
    lock = f"{FILE}.{'0' * 32}.writer"
    server.put(lock, b"")
    waits = []

    async def sleep(seconds):
        waits.append(seconds)
        assert await names() == ["lookup-1.0.0.csv", lock.rpartition("/")[2]]
        if len(waits) == 3:
            await aioartifact.delete(f"{server.url}/{lock}", session=session)

    STATES[session].clock = Clock(sleep=sleep, draw=lambda: 0.5)
    await lookup.append({"purpose": "prod", "rate": 1})
    assert waits == [0.05, 0.1, 0.2]
    assert await names() == ["lookup-1.0.0.csv"]


async def test_lock_of_a_killed_writer_expires(server, session, lookup, names):
    """A lock that was seen for a minute is removed."""
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
async def test_failed_write_leaves_the_table_and_no_lock(server, lookup, fault, error, names):
    """The old file stays, the error is raised, and the next writer does not wait."""
    await lookup.append({"purpose": "prod", "rate": 1})
    before = server.read(FILE)
    server.fail("PUT", FILE, fault=fault, times=None)
    with pytest.raises(error):
        await lookup.append({"purpose": "prod", "rate": 2})
    assert server.read(FILE) == before
    assert await names() == ["lookup-1.0.0.csv"]


@pytest.mark.parametrize(("method", "path"), [("GET", FILE), ("PUT", FILE), ("PUT", f"{FILE}.*.writer")])
async def test_cancelled_writer_removes_its_lock(server, lookup, names, method, path):
    """At each request that a change sends."""
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


async def test_writer_whose_lock_expired_fails(server, session, lookup, names):
    """Another writer may have removed its lock file and written the table."""
    now = 0.0
    STATES[session].clock = Clock(now=lambda: now)
    held = server.fail("GET", FILE, fault=Fault.hold())
    task = asyncio.create_task(lookup.append({"purpose": "prod", "rate": 2}))
    await held.reached()
    (lock,) = [name for name in await names() if name.endswith(".writer")]
    auth = (server.username, server.password)
    async with aioartifact.session(server.url, auth=auth) as other:
        await aioartifact.delete(f"{server.url}/{FOLDER}/1.0.0/{lock}", session=other)
    now = 100.0
    held.release()
    with pytest.raises(aioartifact.LookupTableError, match="the lock expired and another writer took over"):
        await task
