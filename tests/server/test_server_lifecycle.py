"""Starting, stopping, dying, and coming back; threads, processes, TLS."""

import asyncio
import gc
import os
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from aioartifact.testing import ArtifactoryServer, Fault, ThreadedArtifactoryServer

ROOT = Path(__file__).parents[2]
SERVE = """
import sys
from pathlib import Path
from aioartifact.testing import serve
data, ready, *certificate = map(Path, sys.argv[1:])
serve(data, port=0, ready_file=ready, on_ready=lambda server: print(server.url, flush=True),
      certificate=certificate[0] if certificate else None)
"""


def fetch(server, path, data=None, method=None):
    """Make a request with the standard library's client, from a thread without a loop."""
    request = urllib.request.Request(f"{server.url}{path}", data=data, method=method)
    request.add_header("X-JFrog-Art-Api", server.api_key)
    with urllib.request.urlopen(request) as response:
        return response.read()


async def test_items_and_repositories_survive_a_restart(tmp_path, ask):
    """A folder that is given keeps content, properties, counts and repositories; users are not kept."""
    async with ArtifactoryServer(tmp_path) as first:
        first.create_repository("libs", package_type="maven", checksum_policy="server")
        first.add_user("user", password="pw")
        first.put("libs/a", b"content", properties={"k": ["v", "w"]})
        await ask(first, "GET", "/libs/a")
    async with ArtifactoryServer(tmp_path) as second:
        assert second.read("libs/a") == b"content"
        assert second.properties("libs/a") == {"k": ["v", "w"]}
        assert (await ask(second, "GET", "/api/storage/libs/a?stats")).json()["downloadCount"] == 1
        keys = [each["key"] for each in (await ask(second, "GET", "/api/repositories")).json()]
        assert keys == ["generic-local", "libs"]
        assert (await ask(second, "GET", "/libs/a.sha1")).status == 200
        assert (await ask(second, "GET", "/libs/a", headers={"Authorization": "Basic dXNlcjpwdw=="})).status == 401


async def test_restart_clears_what_nobody_refers_to(tmp_path):
    """Blobs without an item and uploads that were cut off are gone after a restart."""
    async with ArtifactoryServer(tmp_path) as first:
        first.put("generic-local/a", b"old")
        first.put("generic-local/a", b"new")
        (tmp_path / "uploads" / f"{'0' * 32}-1").write_bytes(b"half")
    async with ArtifactoryServer(tmp_path) as second:
        assert second.read("generic-local/a") == b"new"
    assert len([each for each in (tmp_path / "blobs").rglob("*") if each.is_file()]) == 1
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_upload_that_breaks_off_leaves_nothing(server, admin):
    """A client that goes away in the middle of a big upload leaves no item and no file."""
    host, _, port = server.origin.removeprefix("http://").partition(":")
    handle = server.fail("PUT", fault=Fault.stall(after=3_000_000))
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"PUT /artifactory/generic-local/a HTTP/1.1\r\nHost: x\r\nAuthorization: {admin['Authorization']}\r\n"
    writer.write(f"{head}Content-Length: 9000000\r\n\r\n".encode() + b"x" * 3_000_000)
    await handle.reached()
    uploads = server._instance.store.blobs._staging
    assert len(list(uploads.iterdir())) == 1
    writer.transport.abort()
    while server._runner.log.in_flight:  # noqa: ASYNC110  # the client cannot see when the server gave up
        await asyncio.sleep(0)
    assert not server.exists("generic-local/a")
    assert list(uploads.iterdir()) == []


async def test_leaving_closes_everything(admin):
    """No task, thread, socket or file is left, whatever was going on."""
    before, tasks = threading.enumerate(), asyncio.all_tasks()
    async with ArtifactoryServer() as server:
        server.put_synthetic("generic-local/a.bin", 1_000_000)
        host, _, port = server.origin.removeprefix("http://").partition(":")
        handle = server.fail(fault=Fault.stall(after=10))
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET /artifactory/generic-local/a.bin HTTP/1.1\r\nHost: x\r\nAuthorization: {admin['Authorization']}"
        writer.write(f"{head}\r\n\r\n".encode())
        await handle.reached()
        data = server._instance.store.blobs._folder
    await reader.read()
    writer.close()
    await writer.wait_closed()
    assert asyncio.all_tasks() <= tasks
    assert set(threading.enumerate()) <= set(before)
    assert not data.exists()
    gc.collect()  # a leak shows as ResourceWarning, which is an error here


@pytest.mark.parametrize("turns", range(6))
async def test_connection_that_is_being_accepted_is_closed(turns):
    """Whatever the state of a new connection when the server stops, its client is notified, and nothing is left."""
    before = asyncio.all_tasks()
    async with ArtifactoryServer() as server:
        address = urlsplit(server.origin)
        client = socket.create_connection((address.hostname, address.port))
        for _ in range(turns):
            await asyncio.sleep(0)  # a turn of the loop, not a wait
    with client, suppress(ConnectionResetError):
        client.settimeout(60)
        assert client.recv(1) == b""
    assert asyncio.all_tasks() <= before


async def test_port_in_use_leaves_nothing_open(server):
    """A server that cannot listen raises, and closes what it had opened."""
    port = int(server.origin.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await ArtifactoryServer(port=port).__aenter__()
    gc.collect()


async def test_tls(tmp_path, ask):
    """Both origins speak HTTPS, small and big bodies alike."""
    authority = trustme.CA()
    server_side, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    authority.configure_trust(client_side)
    async with ArtifactoryServer(ssl_context=server_side) as server:
        server.put_synthetic("generic-local/a.bin", 5_000_000)
        assert server.url.startswith("https://")
        assert server.storage_origin.startswith("https://")
        big = await ask(server, "GET", "/generic-local/a.bin", context=client_side)
        info = await ask(server, "GET", "/api/storage/generic-local/a.bin", context=client_side)
        assert big.body == server.read("generic-local/a.bin")
        assert info.json()["downloadUri"] == f"{server.url}/generic-local/a.bin"


def test_threaded_server_serves_synchronous_code():
    """The same surface without a loop: content, faults, log, abort."""
    before = threading.enumerate()
    with ThreadedArtifactoryServer(redirect_over=1_000_000) as server:
        server.put("generic-local/a", b"content")
        assert fetch(server, "/generic-local/a") == b"content"
        server.fail(fault=Fault.status(503))
        with pytest.raises(urllib.error.HTTPError, match="503") as caught:
            fetch(server, "/generic-local/a")
        caught.value.close()
        fetch(server, "/generic-local/b", b"new", "PUT")
        assert server.read("generic-local/b") == b"new"
        server.assert_requests(["GET generic-local/a", "GET generic-local/a", "PUT generic-local/b"])
        server.abort()
        with pytest.raises(urllib.error.URLError):
            fetch(server, "/generic-local/a")
    assert set(threading.enumerate()) <= set(before)


def test_threaded_fault_is_released_from_another_thread():
    """Handles work across threads."""
    with ThreadedArtifactoryServer() as server:
        server.put("generic-local/a", b"content")
        handle = server.fail(fault=Fault.hold())
        answers = []
        client = threading.Thread(target=lambda: answers.append(fetch(server, "/generic-local/a")))
        client.start()
        assert handle.wait_reached(timeout=30)
        assert answers == []
        handle.release()
        client.join()
        assert answers == [b"content"]


def test_threaded_server_that_cannot_start():
    """The error of the thread comes out where the server is entered."""
    with (
        ThreadedArtifactoryServer() as server,
        pytest.raises(OSError, match="address already in use"),
        ThreadedArtifactoryServer(port=int(server.origin.rpartition(":")[2])),
    ):
        pass


@pytest.fixture
def start(tmp_path):
    """Start ``serve`` in a process of its own and return it with its URL; it is killed at the end."""
    running = []

    def start(*certificate: Path) -> tuple[subprocess.Popen, str]:
        command = [sys.executable, "-W", "error", "-c", SERVE, tmp_path / "data", tmp_path / "ready", *certificate]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
        running.append(child)
        return child, child.stdout.readline().strip()

    yield start
    for child in running:
        with child:
            child.kill()


def request(url, *, data=None, context=None):
    made = urllib.request.Request(url, data=data, method="PUT" if data is not None else "GET")
    made.add_header("Authorization", "Basic YWRtaW46cGFzc3dvcmQ=")
    with urllib.request.urlopen(made, context=context) as response:
        return response.read()


def test_acknowledged_deploys_survive_sigkill(start):
    """What was answered with 201 is there after the process was killed."""
    child, url = start()
    for number in range(20):
        request(f"{url}/generic-local/{number}", data=b"%d" % number * 70_000)
    child.kill()
    child.wait()
    _, url = start()
    for number in range(20):
        assert request(f"{url}/generic-local/{number}") == b"%d" % number * 70_000


def test_serve_announces_itself_and_stops_in_order(start, tmp_path):
    """The ready file holds the URL while the server listens, and SIGTERM ends it without a word."""
    child, url = start()
    assert wait_for(tmp_path / "ready") == f"{url}\n"
    assert request(f"{url}/api/system/ping") == b"OK"
    child.terminate()
    assert (child.wait(), child.stdout.read()) == (0, "")
    assert not (tmp_path / "ready").exists()


def wait_for(path: Path) -> str:
    """Return the content of a file that is about to appear."""
    while not path.exists():
        os.sched_yield()
    return path.read_text()


def test_serve_speaks_tls(start, tmp_path):
    """With a certificate the process serves HTTPS."""
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    _, url = start(tmp_path / "server.pem")
    assert url.startswith("https://")
    assert request(f"{url}/api/system/ping", context=trusting) == b"OK"
