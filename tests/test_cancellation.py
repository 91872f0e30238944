"""Cancellation at every await: no partial file under the target's name, nothing left open or running."""

import asyncio
import gc
import os
from typing import Any

import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault

pytestmark = pytest.mark.slow

DATA = os.urandom(2_500_000)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def url(server):
    server.put("generic-local/a/data.bin", DATA)
    return f"{server.url}/generic-local/a/data.bin"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "destination"
    folder.mkdir()
    return folder


async def test_download_cancelled_at_every_await(session, url, folder, cancel_at_every_await):
    """The older file stays whole until the new one is, and no staging file is left, wherever the call is cut."""
    target = folder / "data.bin"
    target.write_bytes(b"old and good")

    def check(cancelled: bool) -> None:
        assert os.listdir(folder) == ["data.bin"]
        assert target.read_bytes() in ((b"old and good", DATA) if cancelled else (DATA,))

    awaits = await cancel_at_every_await(lambda: aioartifact.download(url, folder, session=session), check)
    assert awaits > 5


async def test_download_without_session_cancelled_at_every_await(
    url, server, folder, monkeypatch, cancel_at_every_await
):
    """A call that opens its own session closes it, too: no socket and no file stays open."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)

    def check(cancelled: bool) -> None:
        assert set(os.listdir(folder)) <= {"data.bin"}

    await aioartifact.download(url, folder)
    before = open_files()
    await cancel_at_every_await(lambda: aioartifact.download(url, folder), check)
    async with asyncio.timeout(10):
        while open_files() > before:  # noqa: ASYNC110  # the server's end closes when it hears of ours
            await asyncio.sleep(0)  # a turn of the loop, not a wait


async def test_download_many_cancelled_at_every_await_of_the_caller(server, session, folder, cancel_at_every_await):
    """Every file of a cut batch is whole or not there."""
    urls = _several(server)

    def check(cancelled: bool) -> None:
        _assert_whole(folder)

    await cancel_at_every_await(
        lambda: aioartifact.download_many(urls, folder, overwrite="always", session=session), check
    )


async def test_download_many_cancelled_at_every_await_of_a_worker(
    server, session, folder, monkeypatch, cancelled_at_await
):
    """The same, with the cut timed by what one of the workers does."""
    from aioartifact._transfer.many.fetcher import Fetcher

    urls = _several(server)
    fetch = Fetcher.fetch
    number = 0
    got_through = False
    while not got_through:
        number += 1
        batch = asyncio.ensure_future(
            _await(aioartifact.download_many(urls, folder, overwrite="always", session=session))
        )
        watched: list[Any] = []

        async def watched_fetch(self, item, number=number, batch=batch, watched=watched):
            watched.append(cancelled_at_await(fetch(self, item), number, batch))
            return await watched[-1]

        monkeypatch.setattr(Fetcher, "fetch", watched_fetch)
        await asyncio.wait([batch])
        got_through = not batch.cancelled()
        _assert_whole(folder)
    assert number > 3


async def _await(awaitable):
    return await awaitable


def _several(server) -> list[str]:
    contents = {f"{number}.bin": bytes([number]) * 1_500_000 for number in range(4)}
    for name, content in contents.items():
        server.put(f"generic-local/many/{name}", content)
    return [f"{server.url}/generic-local/many/{name}" for name in contents]


def _assert_whole(folder) -> None:
    for name in os.listdir(folder):
        number = int(name.removesuffix(".bin"))
        assert (folder / name).read_bytes() == bytes([number]) * 1_500_000


async def test_deploy_cancelled_at_every_await(server, session, tmp_path, cancel_at_every_await):
    """The server has the old artifact or the new one."""
    local = tmp_path / "new.bin"
    local.write_bytes(DATA)
    server.put("generic-local/up.bin", b"old and good")

    def check(cancelled: bool) -> None:
        assert server.read("generic-local/up.bin") in ((b"old and good", DATA) if cancelled else (DATA,))

    await cancel_at_every_await(
        lambda: aioartifact.deploy(local, f"{server.url}/generic-local/up.bin", session=session), check
    )


async def test_deploy_many_cancelled_at_every_await_of_a_worker(
    server, session, tmp_path, monkeypatch, cancelled_at_await
):
    """Every file of a group is whole or not there, and the session works on."""
    from aioartifact._transfer.send.deployer import Deployer, SmallGroup

    paths = [tmp_path / f"{number}.bin" for number in range(6)]
    for path in paths:
        path.write_bytes(path.name.encode() * 1000)
    monkeypatch.setattr("aioartifact._transfer.send.deployer._GROUP_SECONDS", 1e9)
    do = Deployer.do
    number = 0
    got_through = False
    while not got_through:
        number += 1
        batch = asyncio.ensure_future(
            _await(
                aioartifact.deploy_many(
                    paths, f"{server.url}/generic-local/g/", overwrite="always", max_concurrency=1, session=session
                )
            )
        )
        watched: list[Any] = []

        async def watched_do(self, work, number=number, batch=batch, watched=watched):
            if not isinstance(work, SmallGroup) or len(work.files) == 1:
                return await do(self, work)
            watched.append(cancelled_at_await(do(self, work), number, batch))
            return await watched[-1]

        monkeypatch.setattr(Deployer, "do", watched_do)
        await asyncio.wait([batch])
        got_through = not batch.cancelled()
        stored = [path for path in paths if server.exists(f"generic-local/g/{path.name}")]
        assert all(server.read(f"generic-local/g/{path.name}") == path.read_bytes() for path in stored)
        assert not session.connector._acquired
    assert number > 2
    assert stored == paths


async def test_sync_cancelled_at_every_await(server, session, folder, cancel_at_every_await):
    """Old files stay until new ones are whole, and nothing is deleted before all are."""
    new = {f"{n}.bin": os.urandom(n * 1000) for n in range(3)} | {"moved": b"moved content"}
    for name, content in new.items():
        server.put(f"generic-local/s/{name}", content)
    old = {"1.bin": b"old and good", "before": b"moved content", "extra": b"not on the server"}

    def restore() -> None:
        for path in folder.iterdir():
            path.unlink()
        for name, content in old.items():
            (folder / name).write_bytes(content)

    def check(cancelled: bool) -> None:
        there = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert all(content in (old.get(name), new.get(name)) for name, content in there.items())
        assert "1.bin" in there
        assert "before" in there or "moved" in there
        assert "extra" in there or new.items() <= there.items()
        assert "before" in there or {*new} <= {*there}
        if cancelled:
            restore()
        else:
            assert there == new

    restore()
    url = f"{server.url}/generic-local/s"
    awaits = await cancel_at_every_await(
        lambda: aioartifact.sync(url, folder, delete=True, max_concurrency=1, session=session), check
    )
    assert awaits > 5


async def test_leaving_the_block_of_a_batch_cancels_the_rest(server, session, folder):
    """If a loop ends early, existing files are complete, and missing ones were not started or are removed."""
    urls = _several(server)
    async with aioartifact.download_many(urls, folder, max_concurrency=2, session=session) as outcomes:
        async for outcome in outcomes:
            assert outcome.status == "downloaded"
            break
    _assert_whole(folder)


async def test_deadline_around_a_batch(server, session, folder):
    """A deadline of the user's own works like any cancellation."""
    urls = _several(server)
    handle = server.fail("GET", "generic-local/many/2.bin", fault=Fault.stall(after=700_000))
    batch = asyncio.ensure_future(_await(aioartifact.download_many(urls, folder, session=session)))
    await handle.reached()
    batch.cancel()
    await asyncio.wait([batch])
    handle.release()
    assert batch.cancelled()
    assert not (folder / "2.bin").exists()
    _assert_whole(folder)


@pytest.mark.parametrize(("edition", "way"), [("pro", "file-list"), ("oss", "aql"), ("oss", "folders")])
async def test_listing_cancelled_at_every_await(edition, way, cancel_at_every_await):
    """No connection and no task is left, wherever it is cut, and what came is not taken for the whole."""
    listings = []

    async def entries() -> None:
        listings.append(aioartifact.walk(f"{server.url}/generic-local/tree", session=session))
        assert len([entry async for entry in listings[-1]]) == 12

    def check(cancelled: bool) -> None:
        assert any(listing.is_complete for listing in listings) is not cancelled
        assert not session.connector._acquired

    async with ArtifactoryServer(edition=edition) as server:
        for number in range(12):
            server.put(f"generic-local/tree/{number % 3}/{number}.bin", b"1")
        if way == "folders":
            server.fail("POST", "api/search/aql", fault=Fault.status(403), times=None)
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            await cancel_at_every_await(entries, check)
    assert listings[-1].method == way


LISTINGS = {
    "aql": lambda server: aioartifact.aql(server.url, 'items.find({"repo":"generic-local"})'),
    "glob": lambda server: aioartifact.glob(f"{server.url}/generic-local", "many/*"),
    "iterdir": lambda server: aioartifact.path(f"{server.url}/generic-local/many").iterdir(),
    "ls": lambda server: aioartifact.ls(f"{server.url}/generic-local/many"),
    "search": lambda server: aioartifact.search(server.url, name="*.bin"),
    "walk": lambda server: aioartifact.walk(f"{server.url}/generic-local"),
}


@pytest.mark.parametrize("name", LISTINGS)
async def test_listing_that_is_dropped_closes_its_session(server, monkeypatch, name):
    """Who breaks out of the loop and lets go leaves no task, no session and no complaint of the loop."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    for number in range(600):
        server.put(f"generic-local/many/{number}.bin", b"1")
    complaints: list[object] = []
    loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    async for _ in LISTINGS[name](server):
        break
    gc.collect()  # for what it finds, it would make the loop close generators
    async with asyncio.timeout(10):
        # The loop signals neither that it closes a generator, nor that it has closed it.
        while is_connected(server) or asyncio.all_tasks() != before:  # noqa: ASYNC110
            await asyncio.sleep(0)  # a turn of the loop, not a wait
    assert complaints == []


def is_connected(server) -> bool:
    """Whether anybody still has a connection to the server."""
    return any(listener.connections for listener in server._runner._servers)
