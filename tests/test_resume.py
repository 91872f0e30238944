"""A transfer that breaks goes on where it broke, and only with the bytes of the same content."""

import os
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

import aioartifact
from aioartifact.testing import Fault

DATA = os.urandom(5_000_000)
PATH = "generic-local/a/data.bin"
MIDDLE = 2_345_678


@pytest.fixture
def url(server):
    server.put(PATH, DATA)
    return f"{server.url}/{PATH}"


def ranges(server) -> list[str | None]:
    """The Range header of each request for the file."""
    return [request.headers.get("range") for request in server.requests]


def assert_goes_on(requests) -> None:
    """Each request asks for the rest; what socket and parser had not handed out by the break is asked for again."""
    first, *others = requests
    assert first.headers.get("range") is None
    assert others
    reached = first.bytes_sent
    for request in others:
        asked = request.headers["range"]
        assert asked.startswith("bytes=")
        assert asked.endswith("-")
        assert reached - 512 * 1024 < int(asked[6:-1]) <= reached
        reached = int(asked[6:-1]) + request.bytes_sent


@pytest.fixture
def fetched(session, url, tmp_path):
    """Downloads the file and returns what arrived, and the progress at the end."""

    async def fetch():
        progress = aioartifact.Progress()
        path = await aioartifact.download(url, tmp_path, session=session, progress=progress)
        assert os.listdir(tmp_path) == ["data.bin"]
        return Path(path).read_bytes(), progress.snapshot()

    return fetch


@pytest.mark.parametrize("fault", [Fault.reset(after=MIDDLE), Fault.truncate(after=MIDDLE)], ids=["reset", "truncate"])
async def test_broken_body_goes_on_from_the_last_byte(server, fetched, fault):
    """Only the rest is asked for, under the condition that the content is the same, and progress adds up."""
    server.fail("GET", PATH, fault=fault)
    data, seen = await fetched()
    assert data == DATA
    assert_goes_on(server.requests)
    assert server.requests[1].headers["if-range"] == server.checksums(PATH)["sha1"]
    assert server.requests[1].status == 206
    assert (seen.bytes_done, seen.bytes_total, seen.files_done) == (len(DATA), len(DATA), 1)


async def test_stalled_body_goes_on_from_the_last_byte(server, url, tmp_path):
    """A stall is a loss like any other, and so is one of a machine that is busy elsewhere."""
    handle = server.fail("GET", PATH, fault=Fault.stall(after=MIDDLE))
    auth, timeouts = (server.username, server.password), aioartifact.Timeouts(stall=0.2)
    async with aioartifact.session(server.url, auth=auth, timeouts=timeouts) as session:
        path = await aioartifact.download(url, tmp_path, session=session)
    assert Path(path).read_bytes() == DATA
    assert_goes_on(server.requests)
    handle.release()


async def test_progress_resets_the_attempts(server, fetched):
    """A line that breaks more often than the policy allows still carries the file, as long as bytes arrive."""
    # Each answer brings more than socket and parser hold, and so lose, at a break.
    server.fail("GET", PATH, times=5, fault=Fault.reset(after=900_000))
    data, _ = await fetched()
    assert data == DATA
    assert len(server.requests) == 6


async def test_line_that_carries_nothing_is_given_up(server, session, url, tmp_path):
    """Without progress the policy counts."""
    server.fail("GET", PATH, times=1, fault=Fault.reset(after=MIDDLE))
    server.fail("GET", PATH, times=None, fault=Fault.reset(after=0))
    with pytest.raises(aioartifact.ConnectionLostError, match=rf"at byte \d+ of {len(DATA)}"):
        await aioartifact.download(url, tmp_path, session=session)
    assert len(server.requests) == 3
    assert os.listdir(tmp_path) == []


async def test_server_that_ignores_ranges_starts_over_in_the_same_answer(server, fetched):
    """A 200 to a request for the rest is the whole file: it is taken from its first byte, without another request."""
    server.fail("GET", PATH, times=1, fault=Fault.reset(after=MIDDLE))
    server.fail("GET", PATH, times=1, fault=Fault.ignore_range())
    data, seen = await fetched()
    assert data == DATA
    assert [request.status for request in server.requests] == [200, 200]
    assert (seen.bytes_done, seen.bytes_total) == (len(DATA), len(DATA))


@pytest.mark.slow
@pytest.mark.parametrize("size", [len(DATA), 3_000_000, 100], ids=["same-size", "shorter", "shorter-than-kept"])
async def test_file_that_is_replaced_meanwhile_starts_over(server, url, tmp_path, size):
    """Two contents are never mixed: the new one is fetched whole, and verified as such."""
    replacement = os.urandom(size)
    handle = server.fail("GET", PATH, times=1, fault=Fault.stall(after=MIDDLE))
    progress = aioartifact.Progress()
    auth, timeouts = (server.username, server.password), aioartifact.Timeouts(stall=0.3)
    async with (
        aioartifact.session(server.url, auth=auth, timeouts=timeouts) as session,
        anyio.create_task_group() as group,
    ):
        group.start_soon(_replace_when_reached, server, handle, replacement)
        path = await aioartifact.download(url, tmp_path, session=session, progress=progress)
    handle.release()
    seen = progress.snapshot()
    assert Path(path).read_bytes() == replacement
    assert (seen.bytes_done, seen.bytes_total) == (size, size)


async def _replace_when_reached(server, handle, replacement):
    await handle.reached()
    server.put(PATH, replacement)


async def test_rest_of_another_content_is_refused(server, fetched):
    """A 206 whose ETag or checksum is not the pinned one is not appended; the file is fetched anew."""
    server.fail("GET", PATH, times=1, fault=Fault.reset(after=MIDDLE))
    server.fail("GET", PATH, times=1, fault=Fault.wrong_etag())
    data, _ = await fetched()
    assert data == DATA
    assert [bool(asked) for asked in ranges(server)] == [False, True, False]


async def test_range_that_is_refused_starts_over(server, fetched):
    """A 416 to a request for the rest means that the rest does not exist: from the first byte, then."""
    server.fail("GET", PATH, times=1, fault=Fault.reset(after=MIDDLE))
    server.fail("GET", PATH, times=1, fault=Fault.status(416, b""))
    data, _ = await fetched()
    assert data == DATA
    assert [bool(asked) for asked in ranges(server)] == [False, True, False]


@pytest.mark.parametrize(
    "content_range", ["", "bytes 0-4/10", "bytes */5000000", "items 1-2/3", f"bytes {MIDDLE + 1}-4999999/5000000"]
)
async def test_content_range_that_does_not_fit(server, session, url, tmp_path, content_range):
    """A part that is not the one asked for is never appended: the right bytes or a typed error."""
    server.fail("GET", PATH, times=1, fault=Fault.reset(after=MIDDLE))
    answer = Fault.status(206, DATA[MIDDLE:], headers={"Content-Range": content_range})
    server.fail("GET", PATH, times=1, fault=answer)
    try:
        path = await aioartifact.download(url, tmp_path, session=session)
    except aioartifact.ProtocolError:
        assert os.listdir(tmp_path) == []
    else:
        assert Path(path).read_bytes() == DATA


async def test_part_that_nobody_asked_for(server, session, url, tmp_path):
    """A 206 to a request for the whole file is an error of the server's."""
    answer = Fault.status(206, DATA[:10], headers={"Content-Range": "bytes 0-9/5000000"})
    server.fail("GET", PATH, times=None, fault=answer)
    with pytest.raises(aioartifact.ProtocolError, match="206"):
        await aioartifact.download(url, tmp_path, session=session)
    assert os.listdir(tmp_path) == []


async def test_damaged_bytes_are_fetched_once_more(server, fetched):
    """Bytes may be damaged on the way: the file is fetched once more, from its first byte."""
    server.fail("GET", PATH, times=1, fault=Fault.flip(at=MIDDLE))
    data, seen = await fetched()
    assert data == DATA
    assert ranges(server) == [None, None]
    assert (seen.bytes_done, seen.bytes_total) == (len(DATA), len(DATA))


async def test_without_etag_the_file_is_fetched_anew(server, fetched):
    """What cannot be pinned is not resumed."""
    server.fail("GET", PATH, times=1, fault=Fault.drop_checksums())
    data, _ = await fetched()
    assert data == DATA


async def test_signed_url_that_expires_is_asked_for_again(redirecting_server, tmp_path):
    """After a loss the way starts at Artifactory again, which signs a new URL; storage sees a range, no credentials."""
    server = redirecting_server
    server.put(PATH, DATA)
    server.fail("GET", "storage:**", times=1, fault=Fault.reset(after=MIDDLE))
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
        path = await aioartifact.download(f"{server.url}/{PATH}", tmp_path, session=session)
    assert Path(path).read_bytes() == DATA
    stored = [request for request in server.requests if request.origin == "storage"]
    assert_goes_on(stored)
    assert not any(request.had_credentials for request in stored)


async def test_body_that_is_empty_by_mistake_leaves_no_staging_file(server, fetched):
    """Starting over also removes a staging file that nothing was written to."""
    server.fail("GET", PATH, times=1, fault=Fault.cut(after=0))
    data, _ = await fetched()
    assert data == DATA


async def test_server_that_ignores_ranges_and_breaks_is_given_up(server, session, url, tmp_path):
    """Bytes that came before are no progress, wherever each try breaks."""
    for after in (3_000_000, 1_000_000, 3_000_000, 1_000_000, 3_000_000, 1_000_000):
        server.fail("GET", PATH, times=1, fault=replace(Fault.reset(after=after), ignores_range=True))
    with pytest.raises(aioartifact.ConnectionLostError):
        await aioartifact.download(url, tmp_path, session=session)
    assert os.listdir(tmp_path) == []


async def test_lost_question_for_checksums_is_asked_again(redirecting_server, tmp_path):
    """The bytes are there already, and are not fetched again."""
    server = redirecting_server
    path = await _without_checksums(server, tmp_path, times=3)
    assert Path(path).read_bytes() == DATA
    assert server.count("GET", "storage:**") == 1
    assert server.count("GET", "api/storage/**") == 4


async def test_question_for_checksums_that_is_always_lost(redirecting_server, tmp_path):
    """It is given up when the attempts are used up; its failure is no progress."""
    with pytest.raises(aioartifact.ConnectionLostError, match="api/storage"):
        await _without_checksums(redirecting_server, tmp_path, times=None)
    assert redirecting_server.count("GET", "storage:**") == 1
    assert os.listdir(tmp_path) == []


async def _without_checksums(server, folder, times):
    server.put(PATH, DATA)
    server.fail("GET", PATH, fault=Fault.drop_checksums())
    server.fail("GET", "api/storage/**", times=times, fault=Fault.reset(after=0))
    auth, retry = (server.username, server.password), aioartifact.RetryPolicy(5, backoff_initial=0)
    async with aioartifact.session(server.url, auth=auth, retry=retry) as session:
        return await aioartifact.download(f"{server.url}/{PATH}", folder, session=session)
