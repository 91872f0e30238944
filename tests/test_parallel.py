"""One file over several connections: the right bytes, whatever one of them does."""

import os
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

import aioartifact
from aioartifact._pacing import AdaptiveLimit
from aioartifact._transfer.receive import one_file, parallel, segments
from aioartifact._transfer.receive.content import Range
from aioartifact._transfer.receive.journal import decode
from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

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
    # What else this machine does decides nothing: neither a first answer that came late, nor a line that seems full.
    monkeypatch.setattr(segments, "_MOST_REPLY_SECONDS", 0.01)
    monkeypatch.setattr(segments, "_BUSY", 10.0)
    monkeypatch.setattr(segments, "_FULL_SECONDS", 0.0)
    monkeypatch.setattr(parallel, "_LOOK_EVERY", 0.02)
    for module in (parallel, one_file):
        monkeypatch.setattr(module, "BATCH", 64 * KIB)
    monkeypatch.setattr(parallel, "_LARGEST_BATCH", 64 * KIB)


@pytest.fixture
def url(server):
    server.put(PATH, DATA)
    return f"{server.url}/{PATH}"


@pytest.fixture
def most_open(monkeypatch):
    """The most answers that were open at once: the client knows, a server hears late of one that was left."""
    seen, start = [0], AdaptiveLimit.start

    def counted(limit):
        start(limit)
        seen.append(limit.in_flight)

    monkeypatch.setattr(AdaptiveLimit, "start", counted)
    return lambda: max(seen)


@pytest.fixture
async def stopping(server):
    """Makes answers stop in the middle until there is one more beside them, however long that takes."""
    async with anyio.create_task_group() as group:

        async def go_on(handle, others):
            while len(server.requests) <= others:  # nothing signals that a request has arrived
                await anyio.lowlevel.checkpoint()
            handle.release()

        def stop(times=1):
            handle = server.fail("GET", PATH, times=times, fault=Fault.stall(after=MIB // 2))
            group.start_soon(go_on, handle, times)

        yield stop
        group.cancel_scope.cancel()


def asked(server) -> list[str | None]:
    return [request.headers.get("range") for request in server.requests]


def saved(folder) -> tuple[Range, ...]:
    """The content of the journal."""
    return next((decode(journal.read_bytes()).kept for journal in folder.glob("*.journal")), ())


async def fetched(url, folder, session) -> bytes:
    progress = aioartifact.Progress()
    path = await aioartifact.download(url, folder, session=session, progress=progress)
    seen = progress.snapshot()
    assert (seen.bytes_done, seen.bytes_total) == (len(DATA), len(DATA))
    assert os.listdir(folder) == ["data.bin"]
    return Path(path).read_bytes()


async def test_slow_line_gets_more_connections(server, session, url, tmp_path, stopping):
    """Each further request is for a part, under the condition that the content is the same."""
    stopping()
    assert await fetched(url, tmp_path, session) == DATA
    first, *others = server.requests
    assert first.headers.get("range") is None
    assert others
    assert all(request.status == 206 for request in others)
    assert {request.headers["if-range"] for request in others} == {server.checksums(PATH)["sha1"]}
    assert server.max_in_flight > 1


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_connections_than_allowed(server, url, tmp_path, stopping, most_open, most):
    """The limit is that of files in flight: a single file has no more than many would have."""
    if most > 1:
        stopping(times=most - 1)
    server.fail("GET", PATH, times=None, fault=SLOW)
    limits = aioartifact.Limits(max_concurrency=most)
    async with aioartifact.session(server.url, auth=(server.username, server.password), limits=limits) as session:
        assert await fetched(url, tmp_path, session) == DATA
    assert most_open() == most


async def test_server_that_takes_one_request_at_a_time(server, url, tmp_path, most_open):
    """A transfer that waits for others holds no slot that they need."""
    server.fail("GET", PATH, times=None, fault=SLOW)
    limits = aioartifact.Limits(max_connections=1)
    async with aioartifact.session(server.url, auth=(server.username, server.password), limits=limits) as session:
        assert await fetched(url, tmp_path, session) == DATA
    assert most_open() == 1


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
        pytest.param(Fault.retry_after(429, "1"), id="429"),
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
async def test_part_that_goes_wrong(server, session, url, tmp_path, stopping, fault, times):
    """What one connection does not bring, another does; what it brings of other content is never used."""
    stopping()
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


async def test_content_that_changes_meanwhile(server, session, url, tmp_path, stopping):
    """All bytes are of one content, the earlier or the later."""
    later = os.urandom(len(DATA))
    stopping()
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
    first = server.fail("GET", PATH, times=1, fault=Fault.stall(after=MIB))
    handle = server.fail("GET", PATH, times=2, fault=Fault.stall(after=100 * KIB))
    before = len(os.listdir("/proc/self/fd"))
    async with anyio.create_task_group() as group:
        group.start_soon(fetched, url, tmp_path, session)
        await handle.reached()
        group.cancel_scope.cancel()
    first.release()
    handle.release()
    assert os.listdir(tmp_path) == []
    await session.close()
    while len(os.listdir("/proc/self/fd")) > before:  # the server hears of it a little later
        await anyio.lowlevel.checkpoint()


async def test_part_with_several_ranges_is_taken_up(server, session, url, tmp_path, monkeypatch):
    """The journal has everything that was received, and a later run requests the holes."""
    monkeypatch.setattr(one_file, "_SAVE_EVERY", 0.01)
    for module in ("journal", "one_file"):
        monkeypatch.setattr(f"aioartifact._transfer.receive.{module}.WORTH_KEEPING", MIB)
    server.fail("GET", PATH, times=1, fault=Fault.stall(after=2 * MIB))
    server.fail("GET", PATH, times=1, fault=Fault.stall(after=256 * KIB))
    server.fail("GET", PATH, times=None, fault=Fault.stall(after=0))
    async with anyio.create_task_group() as group:
        group.start_soon(fetched, url, tmp_path, session)
        while (
            len(kept := saved(tmp_path)) < 2 or sum(each.stop - each.start for each in kept) < MIB
        ):  # nothing records it
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    server.clear_faults()
    server.clear_log()
    kept = saved(tmp_path)
    assert len(kept) > 1
    await aioartifact.download(url, tmp_path, session=session)
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert os.listdir(tmp_path) == ["data.bin"]
    assert asked(server)[0] == f"bytes={kept[0].stop}-{kept[1].start - 1}"


async def test_files_come_before_parts(server, url, tmp_path, most_open):
    """Connections that a large file has borrowed go back when another file wants one."""
    handle = server.fail("GET", PATH, times=1, fault=Fault.stall(after=MIB))
    server.fail("GET", PATH, times=None, fault=Fault.slow(bandwidth=MIB))
    for number in range(4):
        server.put(f"generic-local/a/{number}.bin", DATA[: 300 * KIB])

    async def items():
        yield url
        while len(server.requests) < 2:  # nothing signals that a request has arrived
            await anyio.lowlevel.checkpoint()
        for number in range(4):
            yield f"{server.url}/generic-local/a/{number}.bin"
        handle.release()  # all of them were fetched in the place that was borrowed

    auth, limits = (server.username, server.password), aioartifact.Limits(max_concurrency=2)
    async with aioartifact.session(server.url, auth=auth, limits=limits) as session:
        report = await aioartifact.download_many(items(), tmp_path, session=session)
    assert len(report.downloaded) == 5
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert most_open() == 2
