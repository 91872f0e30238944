"""Connections that die without a word: TCP notices, as the time for a reply may be long."""

import asyncio
import math
import socket
import ssl
from contextlib import asynccontextmanager, suppress

import pytest
import trustme
from raw_http import raw_server, response

import aioartifact
from aioartifact._session.opening import socket_factory

pytestmark = pytest.mark.anyio

OPTIONS = {"TCP_KEEPIDLE": 30, "TCP_KEEPALIVE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


async def tcp_options(*names, **timeouts):
    """The options, of those that the platform has, of a connection that is in use; and whether keep-alive is on."""
    async with (
        raw_server(lambda _: response(b"x", length=10)) as server,
        aioartifact.session(server.url, auth=("user", "secret"), timeouts=aioartifact.Timeouts(**timeouts)) as session,
        session.get(f"{server.url}/r/a") as answer,
    ):
        opened = answer.connection.transport.get_extra_info("socket")
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        known = {name: getattr(socket, name) for name in names if hasattr(socket, name)}
        return {name: opened.getsockopt(socket.IPPROTO_TCP, option) for name, option in known.items()}


@pytest.mark.parametrize("timeouts", [{}, {"reply": math.inf, "stall": math.inf}])
async def test_probes(timeouts):
    """Half a minute of silence starts three probes, ten seconds apart, whatever the limits of time are."""
    found = await tcp_options(*OPTIONS, **timeouts)
    assert found == {name: OPTIONS[name] for name in found}
    assert found


@pytest.mark.parametrize(
    ("timeouts", "milliseconds"),
    [
        ({}, 60_000),
        ({"stall": 0.1, "connect": 1.0}, 60_000),
        ({"stall": 300.0}, 300_000),
        ({"connect": 90.5}, 90_500),
        ({"stall": 1e12}, 2**31 - 1),
        ({"stall": math.inf}, 0),
    ],
)
async def test_limit_of_unacknowledged_data(timeouts, milliseconds):
    """About a minute, unless the caller allows longer pauses: a server that takes nothing for a while is alive."""
    found = await tcp_options("TCP_USER_TIMEOUT", **timeouts)
    assert found in ({}, {"TCP_USER_TIMEOUT": milliseconds})


ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1))


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(["TCP_KEEPIDLE", "TCP_USER_TIMEOUT"], id="macos"),
        pytest.param(["TCP_USER_TIMEOUT", "TCP_KEEPALIVE"], id="windows"),
        pytest.param([*OPTIONS, "TCP_USER_TIMEOUT"], id="neither"),
    ],
)
def test_options_that_the_platform_lacks(missing, monkeypatch):
    """The others are set."""
    known = {name: getattr(socket, name) for name in OPTIONS if hasattr(socket, name)}
    for name in missing:
        monkeypatch.delattr(socket, name, raising=False)
    with socket_factory(aioartifact.Timeouts())(ADDRESS) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        for name, option in known.items():
            is_set = made.getsockopt(socket.IPPROTO_TCP, option) == OPTIONS[name]
            assert is_set is (name not in missing)


def test_name_of_macos(monkeypatch):
    """There, the time until the first probe has another name."""
    option = getattr(socket, "TCP_KEEPIDLE", None) or socket.TCP_KEEPALIVE
    monkeypatch.delattr(socket, "TCP_KEEPIDLE", raising=False)
    monkeypatch.setattr(socket, "TCP_KEEPALIVE", option, raising=False)
    with socket_factory(aioartifact.Timeouts())(ADDRESS) as made:
        assert made.getsockopt(socket.IPPROTO_TCP, option) == 30


def test_options_that_the_system_refuses(monkeypatch):
    """A socket without them is better than none, and none is left open."""

    class Refusing(socket.socket):
        def setsockopt(self, *_):
            raise OSError

    monkeypatch.setattr(socket, "socket", Refusing)
    with socket_factory(aioartifact.Timeouts())(ADDRESS) as made:
        assert made.fileno() >= 0


@pytest.fixture(scope="module")
def contexts():
    """TLS of a server and of a client that trusts it."""
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


@asynccontextmanager
async def tunnel():
    """A proxy that connects to any host; yields its URL."""
    tasks, writers = set(), set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        writers.add(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        host, port = head.split()[1].decode().rsplit(":", 1)
        other_reader, other_writer = await asyncio.open_connection(host, int(port))
        writers.add(other_writer)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(forward(reader, other_writer), forward(other_reader, writer))

    async def forward(reader, writer):
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


def assert_probed(answer):
    opened = answer.connection.transport.get_extra_info("socket")
    assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    known = {name: getattr(socket, name) for name in OPTIONS if hasattr(socket, name)}
    found = {name: opened.getsockopt(socket.IPPROTO_TCP, option) for name, option in known.items()}
    assert found == {name: OPTIONS[name] for name in found}


async def test_tls(contexts):
    """The socket below TLS is probed."""
    server_context, verify = contexts
    async with (
        raw_server(lambda _: response(b"x", length=10), tls=server_context) as server,
        aioartifact.session(server.url, auth=("user", "secret"), verify=verify) as session,
        session.get(f"{server.url}/r/a") as answer,
    ):
        assert_probed(answer)


async def test_tunnel_through_a_proxy(contexts):
    """The connection to the proxy is probed."""
    server_context, verify = contexts
    async with (
        raw_server(lambda _: response(b"x", length=10), tls=server_context) as server,
        tunnel() as proxy,
        aioartifact.session(server.url, auth=("user", "secret"), verify=verify, proxy=proxy) as session,
        session.get(f"{server.url}/r/a") as answer,
    ):
        assert_probed(answer)


async def test_proxy_without_a_tunnel():
    """The same for plain HTTP."""
    async with (
        raw_server(lambda _: response(b"x", length=10)) as proxy,
        aioartifact.session("http://host.example/artifactory", auth=("u", "secret"), proxy=proxy.origin) as session,
        session.get("http://host.example/artifactory/r/a") as answer,
    ):
        assert_probed(answer)
