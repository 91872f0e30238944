"""Clients that stop in the middle of a request: they are closed after a time, and others do not wait for them."""

import asyncio
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from aioartifact.testing import ArtifactoryServer, Fault, ManualClock, read_timeouts

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
SMALL, LARGE = b"x" * 10, b"x" * 3_000_000
LIMIT = 60.0


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def at_once(monkeypatch):
    """Let the server close connections in the turn of the loop in which their time is up."""
    monkeypatch.setattr(read_timeouts, "_ON_THE_WAY", 0)


async def turns() -> None:
    """Let everything happen that needs no waiting."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
async def server(tmp_path, clock):
    async with ArtifactoryServer(tmp_path / "data", clock=clock, control=True) as running:
        running.put("generic-local/there", b"content")
        yield running


def head(method: str, path: str, *lines: str) -> bytes:
    lines = ("Host: x", "Authorization: Basic YWRtaW46cGFzc3dvcmQ=", *lines)
    return "\r\n".join([f"{method} /artifactory{path} HTTP/1.1", *lines, "", ""]).encode()


PUT = head("PUT", "/generic-local/new", "Content-Length: 5000000")
CHUNKED = head("PUT", "/generic-local/new", "Transfer-Encoding: chunked")
GET = head("GET", "/generic-local/there")


async def connect(origin: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = origin.removeprefix("http://").partition(":")
    return await asyncio.open_connection("127.0.0.1" if host == "localhost" else host, int(port))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def awaited(server) -> None:
    """Wait until the server waits for a client."""
    while not server._instance.read_timeouts:  # noqa: ASYNC110  # nothing reports it
        await asyncio.sleep(0)


async def received(server, bytes_received: int) -> None:
    """Wait until a request has got as far as that."""
    while not server.requests or server.requests[-1].bytes_received < bytes_received:  # noqa: ASYNC110
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"G", id="a byte"),
        pytest.param(GET[:30], id="request line"),
        pytest.param(GET[:-2], id="all but the empty line"),
        pytest.param(b"\r\n\r\n", id="empty lines"),
    ],
)
@pytest.mark.parametrize("origin", ["origin", "storage_origin", "control_origin"])
@pytest.mark.usefixtures("at_once")
async def test_half_a_head(server, clock, sent, origin):
    origin = server.control_url if origin == "control_origin" else getattr(server, origin)
    reader, writer = await connect(origin)
    writer.write(sent)
    await awaited(server)
    clock.advance(LIMIT - 1)
    await turns()
    assert not reader.at_eof()
    clock.advance(1)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(PUT, id="no body"),
        pytest.param(PUT + SMALL, id="what is kept in memory"),
        pytest.param(PUT + LARGE, id="part file"),
        pytest.param(head("PUT", "/generic-local/x", "Content-Length: 9", "Expect: 100-continue"), id="expect"),
        pytest.param(CHUNKED, id="no chunk"),
        pytest.param(CHUNKED + b"5\r\nab", id="half a chunk"),
        pytest.param(CHUNKED + b"2\r\nab\r\n", id="no last chunk"),
        pytest.param(CHUNKED + b"2\r\nab\r\n0\r\n", id="no end of trailers"),
        pytest.param(head("POST", "/api/search/aql", "Content-Length: 99") + b"items", id="query"),
        pytest.param(head("PUT", "/api/repositories/r", "Content-Length: 99") + b"{", id="JSON"),
    ],
)
async def test_half_a_body(server, clock, tmp_path, sent):
    """No task, descriptor or part file is left."""
    tasks, files = asyncio.all_tasks(), descriptors()
    reader, writer = await connect(server.origin)
    writer.write(sent)
    await received(server, len(sent.partition(b"\r\n\r\n")[2]) if sent in (PUT + SMALL, PUT + LARGE) else 0)
    clock.advance(LIMIT)
    with suppress(ConnectionError):
        assert b" 201 " not in await reader.read()  # until the connection is closed
    writer.close()
    while asyncio.all_tasks() - tasks or descriptors() > files:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert list((tmp_path / "data" / "uploads").iterdir()) == []
    assert not server.exists("generic-local/new")


@pytest.mark.parametrize("body", [b"xyz\r\nab\r\n0\r\n\r\n", b"2\r\nabcdef\r\n0\r\n\r\n", b"-1\r\n\r\n"])
@pytest.mark.parametrize("expect", [(), ("Expect: 100-continue",)])
async def test_framing_that_breaks_after_the_head(server, clock, tmp_path, body, expect):
    """An answer or a closed connection, and nothing is stored."""
    tasks = asyncio.all_tasks()
    reader, writer = await connect(server.origin)
    writer.write(head("PUT", "/generic-local/new", "Transfer-Encoding: chunked", *expect))
    await received(server, 0)
    writer.write(body)
    answer = asyncio.ensure_future(reader.read())
    while not answer.done():
        clock.advance(LIMIT)
        await asyncio.sleep(0)
    assert answer.exception() or b" 201 " not in answer.result()
    writer.close()
    while asyncio.all_tasks() - tasks:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert not server.exists("generic-local/new")
    assert list((tmp_path / "data" / "uploads").iterdir()) == []


@pytest.mark.usefixtures("at_once")
async def test_second_request_of_a_connection(server, clock):
    """Between requests a connection may be idle; the rest of a head that has begun must follow."""
    reader, writer = await connect(server.origin)
    for _ in range(2):
        writer.write(GET)
        assert (await reader.readuntil(b"content")).startswith(b"HTTP/1.1 200")
        clock.advance(10 * LIMIT)
        await turns()
    writer.write(GET[:10])
    await awaited(server)
    clock.advance(LIMIT)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()


@pytest.mark.usefixtures("at_once")
async def test_slow_body_is_not_closed(server, clock):
    """Every piece gives the next one the whole time; so does a fault that keeps the server from reading."""
    hold = server.fail("PUT", "**/new", fault=Fault.hold())
    reader, writer = await connect(server.origin)
    writer.write(head("PUT", "/generic-local/new", "Content-Length: 5"))
    await hold.reached()
    clock.advance(10 * LIMIT)
    await turns()
    hold.release()
    for count in range(1, 5):
        writer.write(b"x")
        await received(server, count)
        clock.advance(LIMIT - 1)
        await turns()
    writer.write(b"x")
    assert (await reader.readline()) == b"HTTP/1.1 201 Created\r\n"
    writer.close()


async def test_bytes_on_the_way_when_the_clock_jumps(server, clock):
    reader, writer = await connect(server.origin)
    clock.advance(1000 * LIMIT)
    writer.write(GET)
    assert (await reader.readuntil(b"content")).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.usefixtures("at_once")
async def test_request_that_was_complete_at_once(clock):
    """A head that needs no time does not end the limits of later ones."""
    timeouts, closed = read_timeouts.ReadTimeouts(clock, LIMIT), []
    running = asyncio.create_task(timeouts.run())
    await turns()
    timeouts.start("first", lambda: closed.append("first"))
    timeouts.stop("first")
    await turns()
    timeouts.start("second", lambda: closed.append("second"))
    await turns()
    clock.advance(LIMIT)
    await turns()
    assert closed == ["second"]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_limit_must_be_a_time(limit):
    with pytest.raises(ValueError, match="request timeout"):
        ArtifactoryServer(request_timeout=limit)


async def test_limit_is_a_setting(clock):
    async with ArtifactoryServer(clock=clock, request_timeout=5) as server:
        reader, writer = await connect(server.origin)
        await awaited(server)
        clock.advance(5)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()


SERVE = """
import sys
from pathlib import Path
from aioartifact.testing import serve
show = lambda server: print(server.describe("json"), end="", flush=True)
serve(Path(sys.argv[1]), port=0, control=True, on_ready=show)
"""
MANY = 2_000


@pytest.fixture
def process(tmp_path):
    """A server that starts with the usual limit of open files, as its command does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    command = [sys.executable, "-W", "error", "-c", SERVE, tmp_path / "data"]
    limit = (min(1024, hard), hard)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
    ) as child:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        yield child, json.loads(child.stdout.readline())
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        child.terminate()


@pytest.mark.slow
def test_many_half_open_connections(process, tmp_path):
    """The server answers while 2,000 clients have stopped in the middle of a request, and closes them in the end."""
    child, server = process
    host, _, port = server["url"].removeprefix("http://").removesuffix("/artifactory").partition(":")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(MANY, most - 200)
    starts = [GET[:40], b"", PUT + b"x" * 100_000, CHUNKED + b"5\r\nab", PUT + b"x"]

    def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            connection.request(method, f"/artifactory{path}", body, {"Authorization": "Basic YWRtaW46cGFzc3dvcmQ="})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def open_in_server() -> int:
        return len(list(Path(f"/proc/{child.pid}/fd").iterdir()))

    assert ask("PUT", "/generic-local/there", b"content")[0] == 201
    before = open_in_server()
    with ExitStack() as resources:
        clients = []
        for number in range(count):
            client = resources.enter_context(socket.create_connection((host, int(port)), timeout=60))
            client.sendall(starts[number % len(starts)])
            clients.append(client)
        for number in range(20):
            assert ask("PUT", f"/generic-local/{number}", b"%d" % number)[0] == 201
            assert ask("GET", f"/generic-local/{number}") == (200, b"%d" % number)
        while open_in_server() < before + count:
            os.sched_yield()
        control = http.client.HTTPConnection(server["control_url"].removeprefix("http://"), timeout=60)
        control.request(
            "POST",
            "/clock",
            json.dumps({"advance": 61}),
            {"Authorization": f"Bearer {server['control_token']}"},
        )
        assert control.getresponse().status == 200
        control.close()
        for client in clients:
            with suppress(ConnectionError):
                assert client.recv(1) == b""
        assert ask("GET", "/generic-local/there") == (200, b"content")
    while open_in_server() > before:
        os.sched_yield()
    assert list((tmp_path / "data" / "uploads").iterdir()) == []
