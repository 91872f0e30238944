"""stream(), read_bytes(), open() and write_bytes(): the right bytes or an error, in as few requests as there can be."""

import asyncio
import io
import os
import random

import anyio
import pytest

import aioartifact
from aioartifact._address import parse_item_url
from aioartifact._transfer.receive import remote_file
from aioartifact._transfer.receive.streaming import Incoming
from aioartifact.testing import Fault

DATA = random.Random(4).randbytes(3_000_000)
FILE = "generic-local/a/data.bin"
BLOCK = 256 * 1024


@pytest.fixture
def url(server):
    server.put(FILE, DATA)
    return f"{server.url}/{FILE}"


async def read_all(url, session, **span):
    async with aioartifact.stream(url, **span, session=session) as chunks:
        return b"".join([chunk async for chunk in chunks])


READERS = pytest.mark.parametrize(
    "read",
    [
        pytest.param(
            lambda url, session, **span: aioartifact.read_bytes(url, **span, session=session), id="read_bytes"
        ),
        pytest.param(read_all, id="stream"),
    ],
)


@READERS
async def test_whole_file_costs_one_request(server, session, url, read):
    """The whole of a file is one plain GET."""
    assert await read(url, session) == DATA
    server.assert_requests([f"GET {FILE}"])
    assert "range" not in server.requests[0].headers


@READERS
@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(0, 1, id="first"),
        pytest.param(5, 2_500_000, id="middle"),
        pytest.param(2_999_999, None, id="last"),
        pytest.param(7, None, id="rest"),
        pytest.param(0, 3_000_000, id="exactly-all"),
        pytest.param(2_999_999, 5_000_000, id="beyond-the-end"),
        pytest.param(3_000_000, None, id="behind-the-end"),
        pytest.param(4_000_000, 5_000_000, id="far-behind-the-end"),
    ],
)
async def test_part_is_a_slice(server, session, url, read, start, end):
    """Offsets mean what they mean in a slice; one request."""
    assert await read(url, session, start=start, end=end) == DATA[start:end]
    server.assert_requests([f"GET {FILE}"])


@READERS
async def test_empty_part_asks_nothing(server, session, url, read):
    """No bytes are no request."""
    assert await read(url, session, start=5, end=5) == b""
    server.assert_requests([])


@READERS
async def test_empty_file(server, session, read):
    """A file without bytes is a file, also where a part of it is asked for."""
    server.put("generic-local/empty", b"")
    assert await read(f"{server.url}/generic-local/empty", session) == b""
    assert await read(f"{server.url}/generic-local/empty", session, end=10) == b""


@READERS
@pytest.mark.parametrize(
    ("span", "fault"),
    [
        pytest.param({}, Fault.reset(after=1_000_000), id="whole-reset"),
        pytest.param({}, Fault.truncate(after=1_000_000), id="whole-truncated"),
        pytest.param({"start": 100}, Fault.reset(after=1_000_000), id="part-reset"),
        pytest.param({"start": 100, "end": 2_000_000}, Fault.truncate(after=1_000_000), id="part-truncated"),
    ],
)
async def test_broken_connection_is_mended(server, session, url, read, span, fault):
    """The rest of just that content is asked for, and the bytes come out as if nothing had been."""
    server.fail("GET", fault=fault)
    assert await read(url, session, **span) == DATA[span.get("start", 0) : span.get("end")]
    start = span.get("start", 0) + 1_000_000
    assert server.requests[1].headers["range"].startswith(f"bytes={start}-")
    assert server.requests[1].headers["if-range"] == server.checksums(FILE)["sha1"]
    assert len(server.requests) == 2


@READERS
async def test_connection_that_breaks_for_good(server, session, url, read):
    """No progress ends it, with an error that says how far it got."""
    server.fail("GET", times=None, fault=Fault.reset())
    with pytest.raises(aioartifact.ConnectionLostError, match="at byte 0"):
        await read(url, session)
    assert len(server.requests) == 3


@READERS
async def test_file_that_changes_while_it_is_read(server, session, url, read):
    """Bytes of two contents are never put together."""
    server.fail("GET", fault=Fault.reset(after=1_000_000))
    server.fail("GET", fault=Fault.overwrite(DATA[::-1]))
    if read is read_all:
        with pytest.raises(aioartifact.IntegrityError, match="changed"):
            await read(url, session)
    else:  # the caller has not seen the old bytes, so it is read once more
        assert await read(url, session) == DATA[::-1]


@READERS
async def test_server_that_ignores_ranges(server, session, url, read):
    """The whole is sent where a part was asked for: what is before and behind it is dropped."""
    server.fail("GET", times=None, fault=Fault.ignore_range())
    assert await read(url, session, start=10, end=1_500_000) == DATA[10:1_500_000]
    assert await read(url, session, start=2_000_000) == DATA[2_000_000:]


@pytest.mark.parametrize("size", [1, 7, 300, 999, 1000, 1001, 4000])
async def test_part_of_a_whole_that_arrives_in_pieces_of_any_size(session, url, size):
    """No boundary of pieces need be one of the part."""
    incoming = Incoming(session, parse_item_url(url), 1000, 2500)
    pieces = [incoming._clipped(DATA[start : min(start + size, 4000)]) for start in range(0, 4000, size)]
    assert b"".join(pieces) == DATA[1000:2500]


@READERS
async def test_damage_is_noticed(server, session, url, read):
    """A byte that is spoilt on the way, each time, is an error at the end."""
    server.fail("GET", times=None, fault=Fault.flip(at=1_500_000))
    with pytest.raises(aioartifact.IntegrityError, match="sha256"):
        await read(url, session)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda path: aioartifact.read_bytes(str(path)), id="whole"),
        pytest.param(lambda path: aioartifact.read_bytes(str(path), start=2, end=5), id="part"),
        pytest.param(lambda path: path.open().__aenter__(), id="open"),
        pytest.param(lambda path: aioartifact.list_archive(str(path)), id="archive"),
    ],
)
async def test_web_page_in_place_of_a_file(server, session, url, read):
    """A login page is never the content of a file, nor is a part of it."""
    server.fail("GET", FILE, times=None, fault=Fault.status(200, "html"))
    with pytest.raises(aioartifact.ProtocolError, match="HTML page"):
        await read(aioartifact.path(url, session=session))


async def test_damage_that_happens_once(server, session, url):
    """Bytes that the caller has not seen yet are read again."""
    server.fail("GET", fault=Fault.flip(at=1_500_000))
    assert await aioartifact.read_bytes(url, session=session) == DATA


@READERS
async def test_body_that_ends_early_without_a_length(server, session, url, read):
    """An orderly end is no proof of all bytes: the checksum is."""
    server.fail("GET", times=None, fault=Fault.cut(after=1_000_000))
    with pytest.raises(aioartifact.IntegrityError):
        await read(url, session)


@READERS
async def test_storage_behind_a_redirect(redirecting_server, read):
    """Artifactory is asked for the checksums that storage does not know; a part has none to compare."""
    redirecting_server.put(FILE, DATA)
    url = f"{redirecting_server.url}/{FILE}"
    auth = (redirecting_server.username, redirecting_server.password)
    async with aioartifact.session(redirecting_server.url, auth=auth) as session:
        assert await read(url, session) == DATA
        redirecting_server.assert_requests([f"GET {FILE}", f"GET storage:{FILE}", f"GET api/storage/{FILE}"])
        redirecting_server.clear_log()
        assert await read(url, session, start=5, end=10) == DATA[5:10]
        redirecting_server.assert_requests([f"GET {FILE}", f"GET storage:{FILE}"])


@READERS
async def test_what_is_no_file(server, session, url, read):
    """Folders and missing files are errors, whole or in part."""
    for span in ({}, {"start": 5}):
        with pytest.raises(aioartifact.NotAFileError):
            await read(f"{server.url}/generic-local/a", session, **span)
        with pytest.raises(FileNotFoundError):
            await read(f"{url}x", session, **span)


@READERS
@pytest.mark.parametrize(
    "span",
    [
        pytest.param({"start": -1, "end": 5}, id="negative-start"),
        pytest.param({"end": -1}, id="negative-end"),
        pytest.param({"start": 2, "end": 1}, id="backwards"),
        pytest.param({"start": 1.5}, id="fraction"),
        pytest.param({"start": True}, id="truth"),
        pytest.param({"end": "1"}, id="text"),
    ],
)
async def test_senseless_parts(server, session, url, read, span):
    """What is no part of a file is refused before any request."""
    with pytest.raises(aioartifact.InvalidArgumentError):
        await read(url, session, **span)
    server.assert_requests([])


async def test_stream_that_is_left_early(server, session, url):
    """A loop may end early; the session can still be used."""
    async with aioartifact.stream(url, session=session) as chunks:
        assert DATA.startswith(await anext(chunks))
    assert await aioartifact.read_bytes(url, end=5, session=session) == DATA[:5]


async def test_stream_that_is_cancelled(server, session, url):
    """A reader that is cancelled in the middle of a body leaves no connection and no task."""
    stalled = server.fail("GET", fault=Fault.stall(after=1_000_000))
    reading = asyncio.ensure_future(read_all(url, session))
    await stalled.reached()
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert not session.connector._acquired
    stalled.release()


async def test_stream_without_a_session(server, url, monkeypatch):
    """Without a session the environment's credentials are looked up for this one block."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    assert await read_all(url, None) == DATA


async def test_stream_that_stalls(server, url):
    """Silence ends at the stall limit, and the rest is asked for, as often as this machine is silent for so long."""
    server.fail("GET", fault=Fault.stall(after=1_000_000))
    timeouts = aioartifact.Timeouts(stall=0.2)
    retry = aioartifact.RetryPolicy(attempts=20, backoff_initial=0)
    auth = (server.username, server.password)
    async with aioartifact.session(server.url, auth=auth, timeouts=timeouts, retry=retry) as session:
        assert await read_all(url, session) == DATA
    server.clear_faults()


async def test_open_reads_like_a_file(server, session, url):
    """Any sequence of seeks and reads gives what a local file gives."""
    chance, local = random.Random(7), io.BytesIO(DATA)
    async with aioartifact.open(url, session=session) as file:
        assert (file.url, file.name, file.size) == (url, "data.bin", len(DATA))
        for _ in range(60):
            if chance.random() < 0.6:
                whence = chance.choice([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END])
                base = {os.SEEK_SET: 0, os.SEEK_CUR: local.tell(), os.SEEK_END: len(DATA)}[whence]
                offset = chance.randrange(len(DATA) + 10) - base
                assert await file.seek(offset, whence) == local.seek(offset, whence)
            size = chance.choice([0, 1, 100, BLOCK, 700_000, -1])
            assert await file.read(size) == local.read(size)
            assert await file.tell() == local.tell()


async def test_open_brings_the_first_block(server, session, url):
    """Opening and reading the start cost one request; so does what is in memory."""
    async with aioartifact.open(url, session=session) as file:
        assert await file.read(100) == DATA[:100]
        await file.seek(BLOCK - 10)
        assert await file.read(10) == DATA[BLOCK - 10 : BLOCK]
        assert len(server.requests) == 1
        await file.seek(-10, os.SEEK_END)
        assert await file.read() == DATA[-10:]
        assert await file.read() == b""
    assert len(server.requests) == 2


async def test_open_reads_ahead(server, session, url):
    """Who reads on gets twice as much with each request: twelve blocks in four."""
    async with aioartifact.open(url, session=session) as file:
        pieces = [piece async for piece in iterate(file, 10_000)]
    assert b"".join(pieces) == DATA
    assert len(server.requests) == 4


async def iterate(file, size):
    while piece := await file.read(size):
        yield piece


async def test_open_reads_the_rest_at_once(server, session, url):
    """What is asked for in one call comes in one request."""
    async with aioartifact.open(url, session=session) as file:
        assert await file.read() == DATA
    assert len(server.requests) == 2


async def test_open_notices_a_change(server, session, url):
    """All bytes belong to the content that was opened."""
    async with aioartifact.open(url, session=session) as file:
        server.put(FILE, DATA[::-1])
        assert await file.read(5) == DATA[:5]
        await file.seek(1_000_000)
        with pytest.raises(aioartifact.IntegrityError, match="changed"):
            await file.read(5)


async def test_open_where_ranges_are_ignored(server, session, url):
    """The file is downloaded once, however often parts of it are read."""
    server.fail("GET", times=None, fault=Fault.ignore_range())
    async with aioartifact.open(url, session=session) as file:
        assert b"".join([piece async for piece in iterate(file, 100_000)]) == DATA
        for start in (2_999_990, 0, 1_234_567):
            await file.seek(start)
            assert await file.read(10) == DATA[start : start + 10]
    assert sum(request.bytes_sent for request in server.requests) < 1.1 * len(DATA)


async def test_open_where_ranges_of_a_large_file_are_ignored(server, session, url, monkeypatch):
    """The first block may be all that is needed: the file is downloaded once more parts are read, and only once."""
    monkeypatch.setattr(remote_file, "_COPIED_AT_ONCE", 1_000_000)
    server.fail("GET", times=None, fault=Fault.ignore_range())
    async with aioartifact.open(url, session=session) as file:
        assert await file.read(100) == DATA[:100]
        assert len(server.requests) == 1
        await file.seek(2_000_000)
        assert await file.read() == DATA[2_000_000:]
        await file.seek(0)
        assert await file.read() == DATA
    assert len(server.requests) == 2


async def test_open_where_ranges_are_ignored_later(server, session, url):
    """As behind a load balancer, where only some servers support them."""
    async with aioartifact.open(url, session=session) as file:
        server.fail("GET", times=None, fault=Fault.ignore_range())
        for start in (1_000_000, 2_900_000, 500_000):
            await file.seek(start)
            assert await file.read(10) == DATA[start : start + 10]
    assert len(server.requests) == 3  # the second response shows it, the third is the copy


@pytest.mark.parametrize("changes", [True, False])
@pytest.mark.parametrize("ignores_ranges", [True, False])
async def test_open_of_content_without_a_name(server, session, url, monkeypatch, changes, ignores_ranges):
    """Without ETag and checksums, only a copy of the whole file has one content for certain."""
    monkeypatch.setattr(remote_file, "_COPIED_AT_ONCE", 1_000_000)
    server.fail("GET", times=None, fault=Fault.drop_checksums() | (Fault.ignore_range() if ignores_ranges else Fault()))
    async with aioartifact.open(url, session=session) as file:
        assert await file.read(5) == DATA[:5]
        if changes:
            server.put(FILE, DATA[::-1])
            with pytest.raises(aioartifact.IntegrityError, match="changed"):
                await file.seek(1_000_000) and await file.read(5)
        else:
            await file.seek(1_000_000)
            assert await file.read() == DATA[1_000_000:]
            assert [request.path for request in server.requests].count(FILE) == 2


async def test_open_notices_a_change_before_the_copy(server, session, url, monkeypatch):
    """The copy must be of the content that was opened."""
    monkeypatch.setattr(remote_file, "_COPIED_AT_ONCE", 1_000_000)
    server.fail("GET", times=None, fault=Fault.ignore_range())
    async with aioartifact.open(url, session=session) as file:
        server.put(FILE, DATA[::-1])
        await file.seek(1_000_000)
        with pytest.raises(aioartifact.IntegrityError, match="changed"):
            await file.read(5)


async def test_damage_of_a_copy(server, session, url):
    """A copy of the whole file is verified before its first byte is read."""
    server.fail("GET", times=None, fault=Fault.ignore_range() | Fault.flip(at=2_000_000))
    with pytest.raises(aioartifact.IntegrityError, match="sha256"):
        async with aioartifact.open(url, session=session):
            pass


async def test_closed_file(session, url):
    """After the block, the file cannot be read."""
    async with aioartifact.open(url, session=session) as file:
        pass
    with pytest.raises(aioartifact.SessionError, match="closed"):
        await file.read(1)


async def test_open_of_an_empty_file(server, session):
    """There is nothing to read, and nothing wrong with that."""
    server.put("generic-local/empty", b"")
    async with aioartifact.open(f"{server.url}/generic-local/empty", session=session) as file:
        assert (file.size, await file.read()) == (0, b"")


async def test_open_of_what_is_no_file(server, session, url):
    """Folders and missing files are errors where the block begins."""
    for wrong, error in ((f"{url}x", FileNotFoundError), (f"{server.url}/generic-local/a", IsADirectoryError)):
        with pytest.raises(error):
            async with aioartifact.open(wrong, session=session):
                pass


async def test_seek_nowhere(session, url):
    """A position before the start is refused, as is an unknown whence."""
    async with aioartifact.open(url, session=session) as file:
        with pytest.raises(aioartifact.InvalidArgumentError, match="before the start"):
            await file.seek(-1)
        with pytest.raises(aioartifact.InvalidArgumentError, match="whence"):
            await file.seek(0, 7)
        assert await file.tell() == 0


@pytest.mark.parametrize("data", [b"some bytes", b"", bytearray(b"x"), memoryview(DATA)], ids=type)
async def test_write_bytes(server, session, data):
    """One request, with checksums and properties."""
    url = f"{server.url}/generic-local/new/file"
    assert await aioartifact.write_bytes(url, data, parameters={"k": "v"}, session=session) == len(data)
    assert server.read("generic-local/new/file") == bytes(data)
    assert server.properties("generic-local/new/file") == {"k": ["v"]}
    server.assert_requests(["PUT generic-local/new/file"])


async def test_write_bytes_that_are_none(server, session, url):
    """Text has no bytes until it is encoded."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected bytes"):
        await aioartifact.write_bytes(url, "text", session=session)
    server.assert_requests([])


async def test_write_bytes_that_breaks(server, session):
    """Bytes in memory are sent again."""
    server.fail("PUT", fault=Fault.reset(after=100_000))
    with anyio.fail_after(30):
        await aioartifact.write_bytes(f"{server.url}/generic-local/new", DATA, session=session)
    assert server.read("generic-local/new") == DATA
