"""Faults that follow the server's clock, and those that go on from one request to the next."""

import asyncio
import time

import pytest

from aioartifact.testing import ArtifactoryServer, Fault, ManualClock, ThreadedArtifactoryServer

DATA = bytes(range(250)) * 4
FILE = "/generic-local/a.bin"
SHA1 = "X-Checksum-Sha1".lower()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def slow(clock):
    async with ArtifactoryServer(clock=clock) as server:
        server.put("generic-local/a.bin", DATA)
        yield server


@pytest.fixture
def connect(slow, admin):
    """Send a request and leave the answer to be read."""

    async def connect(method="GET", extra="", body=b""):
        host, _, port = slow.origin.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"{method} /artifactory{FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: {admin['Authorization']}\r\n"
        writer.write(f"{head}{extra}\r\n".encode() + body)
        return reader, writer

    return connect


async def close(writer):
    writer.close()
    await writer.wait_closed()


async def test_latency_lasts_until_its_time(slow, connect, clock):
    """Nothing is answered a moment before, and everything at the second."""
    fault = slow.fail(times=None, fault=Fault.slow(latency=5))
    reader, writer = await connect()
    await fault.reached()
    clock.advance(4.999)
    assert (clock.waiting, slow.requests[0].status) == (1, 0)
    clock.advance(0.001)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    assert await reader.readexactly(len(DATA)) == DATA
    await close(writer)
    assert clock.waiting == 0


async def test_latency_ends_with_its_release(slow, connect, clock):
    """To forget the faults lets go who waits, whatever the clock shows."""
    fault = slow.fail(times=None, fault=Fault.slow(latency=5))
    reader, writer = await connect()
    await fault.reached()
    slow.clear_faults()
    await reader.readuntil(b"\r\n\r\n")
    await close(writer)
    assert clock.waiting == 0


async def test_bandwidth_of_a_download(slow, connect, clock):
    """Each second brings as many bytes as it may, on a connection that stays usable."""
    fault = slow.fail(times=1, fault=Fault.slow(bandwidth=128))
    reader, writer = await connect()
    await reader.readuntil(b"\r\n\r\n")
    await fault.reached()
    received = b""
    for _ in range(16):
        await waiting(clock)
        assert slow.requests[0].bytes_sent == len(received)
        clock.advance(0.125)  # a power of two: sums of it are exact
        received += await reader.readexactly(16)
    assert received == DATA[:256]
    fault.release()
    assert await reader.readexactly(744) == DATA[256:]
    writer.write(b"GET /artifactory/api/system/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
    await close(writer)


async def waiting(clock):
    while not clock.waiting:  # noqa: ASYNC110  # the clock does not signal a new waiter
        await asyncio.sleep(0)


async def test_bandwidth_of_an_upload(slow, connect, clock):
    """The server takes bytes no faster; when their time is over the file is there."""
    fault = slow.fail("PUT", fault=Fault.slow(bandwidth=100))
    reader, writer = await connect("PUT", "Content-Length: 1000\r\n", b"x" * 1000)
    await fault.reached()
    clock.advance(9.99)
    assert slow.read("generic-local/a.bin") == DATA
    clock.advance(0.02)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 201 ")
    await close(writer)
    assert slow.read("generic-local/a.bin") == b"x" * 1000


async def test_slow_by_the_clock_of_the_machine(server, ask):
    """Without a clock of its own the server really waits, and the log says for how long."""
    server.put("generic-local/a.bin", DATA)
    server.fail(fault=Fault.slow(latency=0.01, bandwidth=100_000))
    assert (await ask(server, "GET", FILE)).body == DATA
    (record,) = server.requests
    assert record.first_byte - record.started >= 0.01


async def test_rate_limit(slow, ask, clock):
    """A number of requests within any interval pass; others get 429 with a Retry-After for its end."""
    limit = slow.fail("GET", "generic-local/**", times=None, fault=Fault.rate_limit(2, per=1.5))

    async def statuses(count):
        return [(await ask(slow, "GET", FILE)).status for _ in range(count)]

    assert await statuses(3) == [200, 200, 429]
    refused = await ask(slow, "GET", FILE)
    assert refused.headers["retry-after"] == "2"
    clock.advance(1.4)
    assert await statuses(1) == [429]
    clock.advance(0.1)
    assert await statuses(1) == [200]
    clock.advance(1)
    assert await statuses(2) == [200, 429]
    assert limit.hits == 4
    assert (await ask(slow, "GET", "/api/system/version")).status == 200


async def test_other_faults_hit_what_a_rate_limit_lets_through(slow, ask):
    """A limit takes only the requests it refuses."""
    slow.fail(times=None, fault=Fault.rate_limit(1))
    slow.fail(times=None, fault=Fault.status(503))
    assert [(await ask(slow, "GET", FILE)).status for _ in range(2)] == [503, 429]


async def test_content_that_changes_between_requests(slow, ask, admin):
    """Each answer is true for itself: checksums, ETag and dates belong to what is sent."""
    before = (await ask(slow, "GET", FILE)).headers["etag"]
    slow.fail("GET", "generic-local/a.bin", times=None, fault=Fault.overwrite(b"first", b"second, longer"))
    answers = [await ask(slow, "GET", FILE) for _ in range(3)]
    assert [each.body for each in answers] == [b"first", b"second, longer", b"second, longer"]
    assert len({before, *(each.headers["etag"] for each in answers)}) == 3
    for answer in answers:
        assert answer.headers["etag"] == answer.headers[SHA1]
    assert answers[2].headers[SHA1] == slow.checksums("generic-local/a.bin")["sha1"]
    resumed = await ask(slow, "GET", FILE, headers=admin | {"Range": "bytes=2-", "If-Range": before})
    assert (resumed.status, resumed.body) == (200, b"second, longer")


async def test_what_is_not_there_is_not_overwritten(slow, ask):
    """The fault changes files; it makes none."""
    slow.fail(times=None, fault=Fault.overwrite(b"x"))
    for path in ("/generic-local/missing", "/generic-local/", "/generic-local/%zz"):
        assert (await ask(slow, "GET", path)).status in (200, 400, 404)
    assert not slow.exists("generic-local/missing")


async def test_expired_token(slow, ask):
    """For one request the token counts as expired."""
    slow.fail(fault=Fault.expired_token())
    answer = await ask(slow, "GET", FILE)
    assert (answer.status, answer.message) == (401, "Token failed verification: expired")
    assert "www-authenticate" in answer.headers
    assert (await ask(slow, "GET", FILE)).status == 200


async def test_clock_is_moved_by_other_threads(ask):
    """A test without a loop moves the clock of a threaded server."""
    clock = ManualClock(1_000.0)
    with ThreadedArtifactoryServer(clock=clock) as server:
        fault = server.fail(fault=Fault.slow(latency=60))
        asking = asyncio.create_task(ask(server, "GET", "/api/system/ping"))
        await fault.reached()
        await asyncio.to_thread(clock.advance, 60)
        assert (await asking).status == 200
    assert clock() == 1_060.0


async def test_server_can_be_left_while_somebody_waits(clock):
    """Nothing keeps a server from ending, not even a request whose time never comes."""
    async with ArtifactoryServer(clock=clock) as server:
        fault = server.fail(fault=Fault.slow(latency=60))
        host, _, port = server.origin.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await fault.reached()
    writer.close()
    assert await reader.read() == b""
    assert clock.waiting == 0


async def test_times_in_the_log_are_in_order(slow, ask, clock):
    """Arrival, first byte and end are times of the machine, whatever the server's clock shows."""
    before = time.monotonic()
    await ask(slow, "GET", FILE)
    (record,) = slow.requests
    assert before <= record.started <= record.first_byte <= record.ended <= time.monotonic()
