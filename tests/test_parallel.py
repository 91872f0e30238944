"""One file over several connections: the right bytes, whatever one of them does."""

import os
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

import aioartifact
from aioartifact._transfer import body, segments
from aioartifact._transfer.journal import decode
from aioartifact.testing import Fault

KIB, MIB = 1024, 1024 * 1024
DATA = os.urandom(6 * MIB)
PATH = "generic-local/a/data.bin"
SLOW = Fault.slow(bandwidth=4 * MIB)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """A few megabytes and tenths of a second stand for gigabytes and minutes."""
    monkeypatch.setattr(segments, "_LEAST", 256 * KIB)
    monkeypatch.setattr(segments, "_WINDOW", 0.05)
    monkeypatch.setattr(segments, "_SAVES_SECONDS", 0.01)
    monkeypatch.setattr(segments, "_SAVES_REPLIES", 1)
    monkeypatch.setattr(segments, "_BUSY", 10.0)  # other tests of this machine are none of its business
    monkeypatch.setattr(body, "_LOOK_EVERY", 0.02)
    monkeypatch.setattr(body, "BATCH", 64 * KIB)


@pytest.fixture
def url(server):
    server.put(PATH, DATA)
    return f"{server.url}/{PATH}"


def asked(server) -> list[str | None]:
    return [request.headers.get("range") for request in server.requests]


async def fetched(url, folder, session) -> bytes:
    progress = aioartifact.Progress()
    path = await aioartifact.download(url, folder, session=session, progress=progress)
    seen = progress.snapshot()
    assert (seen.bytes_done, seen.bytes_total) == (len(DATA), len(DATA))
    assert os.listdir(folder) == ["data.bin"]
    return Path(path).read_bytes()


async def test_slow_line_gets_more_connections(server, session, url, tmp_path):
    """Each further request is for a part, under the condition that the content is the same."""
    server.fail("GET", PATH, times=None, fault=SLOW)
    assert await fetched(url, tmp_path, session) == DATA
    first, *others = server.requests
    assert first.headers.get("range") is None
    assert others
    assert all(request.status == 206 for request in others)
    assert {request.headers["if-range"] for request in others} == {server.checksums(PATH)["sha1"]}
    assert server.max_in_flight > 1


async def test_no_more_connections_than_allowed(server, url, tmp_path):
    """The limit is that of files in flight: a single file has no more than many would have."""
    server.fail("GET", PATH, times=None, fault=SLOW)
    for most in (1, 3):
        limits = aioartifact.Limits(max_concurrency=most)
        async with aioartifact.session(server.url, auth=(server.username, server.password), limits=limits) as session:
            assert await fetched(url, tmp_path, session) == DATA
        assert 1 <= server.max_in_flight <= most


async def test_server_that_takes_one_request_at_a_time(server, url, tmp_path):
    """Whoever waits for others holds no place that they need."""
    server.fail("GET", PATH, times=None, fault=SLOW)
    limits = aioartifact.Limits(max_connections=1)
    async with aioartifact.session(server.url, auth=(server.username, server.password), limits=limits) as session:
        assert await fetched(url, tmp_path, session) == DATA
    assert server.max_in_flight == 1


async def test_checksums_are_asked_for_in_the_place_of_the_body(redirecting_server, tmp_path):
    """With one connection in all, the question waits for the end of the body, and no longer."""
    server = redirecting_server
    server.put(PATH, DATA)
    limits = aioartifact.Limits(max_connections=1)
    async with aioartifact.session(server.url, auth=(server.username, server.password), limits=limits) as session:
        assert await fetched(f"{server.url}/{PATH}", tmp_path, session) == DATA
    assert server.count("GET", "api/storage/**") == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault.ignore_range(), id="whole-file"),
        pytest.param(Fault.status(500), id="500"),
        pytest.param(Fault.retry_after(429, "60"), id="429"),
        pytest.param(Fault.status(403), id="403"),
        pytest.param(Fault.status(206, b"x" * 100), id="206-of-nothing"),
        pytest.param(Fault.status(206, b"x" * 100, headers={"Content-Range": "bytes 0-99/100"}), id="other-part"),
        pytest.param(Fault.reset(after=100 * KIB), id="reset"),
        pytest.param(Fault.reset(after=0), id="reset-at-once"),
        pytest.param(Fault.truncate(after=100 * KIB), id="short"),
        pytest.param(Fault.cut(after=100 * KIB), id="short-without-length"),
        pytest.param(Fault.wrong_etag(), id="other-etag"),
        pytest.param(Fault.status(416, b""), id="416"),
        pytest.param(Fault.flip(at=100), id="flipped-byte"),
        pytest.param(Fault.redirect("http://127.0.0.1:9/gone"), id="redirect-to-nowhere"),
    ],
)
@pytest.mark.parametrize("times", [1, None])
async def test_part_that_goes_wrong(server, session, url, tmp_path, fault, times):
    """What one connection does not bring, another does; what it brings of other content is never used."""
    server.fail("GET", PATH, times=1, fault=SLOW)
    server.fail("GET", PATH, times=1, fault=fault)
    server.fail("GET", PATH, times=times, fault=SLOW)
    assert await fetched(url, tmp_path, session) == DATA
    assert asked(server)[1] is not None


@pytest.mark.parametrize("ending", ["reset", "truncate"])
async def test_first_connection_breaks(server, session, url, tmp_path, ending):
    """The others take over what is left of its share."""
    server.fail("GET", PATH, times=1, fault=replace(SLOW, after=3 * MIB // 2, ending=ending))
    server.fail("GET", PATH, times=None, fault=SLOW)
    assert await fetched(url, tmp_path, session) == DATA


async def test_content_that_changes_meanwhile(server, session, url, tmp_path):
    """All bytes are of one content, the earlier or the later."""
    later = os.urandom(len(DATA))
    server.fail("GET", PATH, times=1, fault=SLOW)
    server.fail("GET", PATH, times=1, fault=Fault.overwrite(later))
    assert await fetched(url, tmp_path, session) in (DATA, later)


async def test_stalled_connections_are_given_up(server, url, tmp_path):
    """A part that stops arriving ends after the stall limit; its rest comes another way."""
    server.fail("GET", PATH, times=1, fault=SLOW)
    handle = server.fail("GET", PATH, times=2, fault=Fault.stall(after=100 * KIB))
    auth, timeouts = (server.username, server.password), aioartifact.Timeouts(stall=0.5)
    async with aioartifact.session(server.url, auth=auth, timeouts=timeouts) as session:
        assert await fetched(url, tmp_path, session) == DATA
    handle.release()


async def test_cancelled_in_the_middle(server, session, url, tmp_path):
    """No connection goes on, and nothing is left; the server's fixture sees to its tasks."""
    server.fail("GET", PATH, times=1, fault=SLOW)
    handle = server.fail("GET", PATH, times=2, fault=Fault.stall(after=100 * KIB))
    before = len(os.listdir("/proc/self/fd"))
    async with anyio.create_task_group() as group:
        group.start_soon(fetched, url, tmp_path, session)
        await handle.reached()
        group.cancel_scope.cancel()
    handle.release()
    assert os.listdir(tmp_path) == []
    await session.close()
    while len(os.listdir("/proc/self/fd")) > before:  # the server hears of it a little later
        await anyio.lowlevel.checkpoint()


async def test_part_with_several_ranges_is_taken_up(server, session, url, tmp_path, monkeypatch):
    """The journal tells of all that is there, and a later run asks for the holes."""
    for module in ("journal", "plan", "download"):
        monkeypatch.setattr(f"aioartifact._transfer.{module}.WORTH_KEEPING", MIB)
    server.fail("GET", PATH, times=1, fault=replace(SLOW, after=2 * MIB, ending="stall"))
    server.fail("GET", PATH, times=1, fault=SLOW)
    handle = server.fail("GET", PATH, times=None, fault=Fault.stall(after=64 * KIB))
    async with anyio.create_task_group() as group:
        group.start_soon(fetched, url, tmp_path, session)
        await handle.reached()
        group.cancel_scope.cancel()
    server.clear_faults()
    server.clear_log()
    (journal,) = tmp_path.glob("*.journal")
    kept = decode(journal.read_bytes()).kept
    assert len(kept) > 1
    await aioartifact.download(url, tmp_path, session=session)
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert os.listdir(tmp_path) == ["data.bin"]
    assert asked(server)[0] == f"bytes={kept[0].stop}-{kept[1].start - 1}"


async def test_files_come_before_parts(server, url, tmp_path):
    """Connections that a large file has borrowed go back when another file wants one."""
    server.fail("GET", PATH, times=None, fault=SLOW)
    for number in range(12):
        server.put(f"generic-local/a/{number}.bin", DATA[: 300 * KIB])
    server.fail("GET", "generic-local/a/?.bin", times=None, fault=Fault.slow(bandwidth=2 * MIB))
    reached = anyio.Event()

    async def items():
        yield url
        await reached.wait()
        for number in range(12):
            yield f"{server.url}/generic-local/a/{number}.bin"

    async def wait_for_parts():
        while server.max_in_flight < 2:  # nothing tells when a request has come
            await anyio.lowlevel.checkpoint()
        reached.set()

    auth, limits = (server.username, server.password), aioartifact.Limits(max_concurrency=2)
    async with (
        aioartifact.session(server.url, auth=auth, limits=limits) as session,
        anyio.create_task_group() as group,
    ):
        group.start_soon(wait_for_parts)
        report = await aioartifact.download_many(items(), tmp_path, session=session)
    assert len(report.downloaded) == 13
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert server.max_in_flight <= 2 + 1  # the server may hear of a share that was left after the file in its place
