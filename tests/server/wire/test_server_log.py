"""The request log."""

import asyncio

import pytest

from aioartifact.testing import ArtifactoryServer, Fault


async def test_record_of_a_request(server, ask, admin):
    """Everything a test may ask about, with credentials masked."""
    server.put("generic-local/a b", b"xyz")
    await ask(server, "GET", "/generic-local/a%20b;k=v?x=1&y&x=2", headers=admin | {"Cookie": "s=1", "X-Y": "z"})
    (record,) = server.requests
    assert (record.method, record.path, record.status) == ("GET", "generic-local/a b", 200)
    assert record.raw_path == "/artifactory/generic-local/a%20b;k=v?x=1&y&x=2"
    assert record.query == {"x": "2", "y": ""}
    assert record.headers["authorization"] == record.headers["cookie"] == "***"
    assert (record.headers["x-y"], record.had_credentials, record.origin) == ("z", True, "main")
    assert (record.bytes_sent, record.bytes_received, record.connection) == (3, 0, 1)
    assert "YWRtaW46" not in repr(record)


async def test_counts(server, ask):
    """Requests are counted by method and pattern, connections by number."""
    for path in ("/generic-local/a", "/generic-local/b", "/api/storage/generic-local"):
        await ask(server, "GET", path)
    await ask(server, "PUT", "/generic-local/a", body=b"")
    assert server.count() == 4
    assert server.count("GET") == 3
    assert server.count(pattern="generic-local/*") == 3
    assert server.count("GET", "generic-local/a") == 1
    assert server.connections == 4
    assert server.max_in_flight == 1
    server.clear_log()
    assert (server.count(), server.connections, server.max_in_flight) == (0, 0, 0)


async def test_one_connection_serves_many_requests(server, talk, admin):
    """Pipelined requests are answered in order on one connection."""
    head = f"Host: x\r\nAuthorization: {admin['Authorization']}\r\n"
    raw = "".join(f"HEAD /artifactory/generic-local/{n} HTTP/1.1\r\n{head}\r\n" for n in range(3))
    raw += f"GET /artifactory/api/system/ping HTTP/1.1\r\n{head}Connection: close\r\n\r\n"
    answer = await talk(server.origin, raw.encode())
    assert answer.count(b"HTTP/1.1 404 ") == 3
    assert answer.endswith(b"\r\n\r\nOK")
    assert server.connections == 1
    assert [each.path for each in server.requests[:3]] == [f"generic-local/{n}" for n in range(3)]


async def test_http_1_0(server, talk, admin):
    """An old client gets no chunks, and its connection closes unless it asks otherwise."""
    head = f"Authorization: {admin['Authorization']}\r\n"
    ping = await talk(server.origin, f"GET /artifactory/api/system/ping HTTP/1.0\r\n{head}\r\n".encode())
    listed = f"GET /artifactory/api/storage/generic-local?list HTTP/1.0\r\n{head}Connection: keep-alive\r\n\r\n"
    stream = await talk(server.origin, listed.encode())
    assert b"Connection: close\r\n" in ping
    assert b"Transfer-Encoding" not in stream
    assert stream.endswith(b"]\n}")


async def test_assert_requests(server, ask):
    """Lines compare exactly and in order; those with a question mark compare the query too."""
    await ask(server, "GET", "/generic-local/a?x=1")
    await ask(server, "HEAD", "/generic-local/a%20b")
    server.assert_requests(["GET generic-local/a", "HEAD generic-local/a b"])
    server.assert_requests(["GET generic-local/a?x=1", "HEAD generic-local/a b"])
    with pytest.raises(AssertionError, match=r"-GET generic-local/a\?x=2\n\+GET generic-local/a\?x=1"):
        server.assert_requests(["GET generic-local/a?x=2", "HEAD generic-local/a b"])
    with pytest.raises(AssertionError, match=r"\+HEAD generic-local/a b"):
        server.assert_requests(["GET generic-local/a"])


async def test_requests_in_flight(ask):
    """The highest number at the same time is kept."""
    async with ArtifactoryServer() as server:
        handles = [server.fail(fault=Fault.hold()) for _ in range(3)]
        requests = [asyncio.create_task(ask(server, "GET", "/generic-local/a")) for _ in handles]
        for handle in handles:
            await handle.reached()
        assert server.max_in_flight == 3
        for handle in handles:
            handle.release()
        await asyncio.wait(requests)
        assert server.max_in_flight == 3


async def test_unreadable_targets_are_recorded_as_sent(server, ask):
    """A path that cannot be decoded stands in the log raw."""
    await ask(server, "GET", "/generic-local/%zz?x")
    assert server.requests[0].path == "artifactory/generic-local/%zz"
    assert server.requests[0].status == 400


async def test_bytes_of_a_download_that_was_given_up(server, admin):
    """The record has the bytes that were sent before the client left."""
    server.put_synthetic("generic-local/a", 50_000_000)
    host, _, port = server.origin.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"GET /artifactory/generic-local/a HTTP/1.1\r\nHost: x\r\nAuthorization: {admin['Authorization']}\r\n\r\n"
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(100_000)
    writer.transport.abort()
    while server._runner.log.in_flight:  # noqa: ASYNC110  # the client cannot see when the server gave up
        await asyncio.sleep(0)
    assert 100_000 <= server.requests[0].bytes_sent < 50_000_000
