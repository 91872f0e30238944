"""Servers that work long on a request: waited for within Timeouts.reply, and not asked to do the same twice."""

import asyncio
from contextlib import asynccontextmanager

import pytest

import aioartifact

pytestmark = pytest.mark.slow

FILE = b'{"repo": "r", "path": "/a", "size": "49", "": ""}'
ROWS = b'{"results": [{"repo": "r", "path": ".", "name": "a"}], "range": {"total": 1}}'
INFO = b'{"repo": "r", "path": "/a", "children": [], "created": "2020-01-01T00:00:00.000Z"}'


@asynccontextmanager
async def slow_server(delay, body, *, stall=0.2, reply=30.0, head_first=False):
    """A server that works for *delay* seconds on each request; yields its address, a session and its requests."""
    requests: list[str] = []

    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                requests.append(head.decode().split("\r\n")[0])
                length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
                await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
                start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                if head_first:
                    writer.write(start)
                await asyncio.sleep(delay)
                writer.write(body if head_first else start + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/artifactory"
    timeouts = aioartifact.Timeouts(stall=stall, reply=reply)
    retry = aioartifact.RetryPolicy(backoff_initial=0)
    try:
        async with aioartifact.session(base, auth=("user", "pass"), timeouts=timeouts, retry=retry) as session:
            yield base, session, requests
    finally:
        server.close()


async def query(base, session):
    return [row async for row in aioartifact.aql(base, 'items.find({"repo": "r"})', session=session)]


async def listing(base, session):
    return [entry async for entry in aioartifact.ls(f"{base}/r", session=session)]


async def removal(base, session):
    await aioartifact.delete_properties(f"{base}/r/a", "name", recursive=True, session=session)


async def reading(base, session):
    await aioartifact.read_bytes(f"{base}/r/a", session=session)


@pytest.mark.parametrize("head_first", [False, True], ids=["head", "body"])
@pytest.mark.parametrize(("call", "body"), [(query, ROWS), (listing, INFO), (removal, b"")], ids=["aql", "ls", "del"])
async def test_work_that_takes_longer_than_a_stall(call, body, head_first):
    """Silence of a server that works is no stall, before its response begins and within."""
    async with slow_server(0.6, body, head_first=head_first) as (base, session, requests):
        await call(base, session)
        assert len(requests) == 1


async def test_download_that_begins_late():
    """A remote repository fetches a file before it sends the first byte."""
    async with slow_server(0.6, FILE) as (base, session, requests):
        assert await aioartifact.read_bytes(f"{base}/r/a", session=session) == FILE
        assert sum("/artifactory/r/a " in line for line in requests) == 1


@pytest.mark.parametrize("call", [query, listing, removal, reading])
async def test_request_that_was_only_slow_is_sent_once(call):
    """No answer within Timeouts.reply is an error at once: the server may still work on the first request."""
    async with slow_server(3600, b"", reply=0.3) as (base, session, requests):
        with pytest.raises(aioartifact.TransportTimeoutError, match=r"no answer within 0\.3 s.*Timeouts\.reply"):
            await call(base, session)
        assert len(requests) == 1


async def test_file_that_stops_arriving():
    """The body of a download is bounded by Timeouts.stall, and sent again."""
    async with slow_server(3600, b"content", head_first=True) as (base, session, requests):
        with pytest.raises(aioartifact.TransportTimeoutError, match=r"no byte for 0\.2 s.*Timeouts\.stall"):
            await reading(base, session)
        assert len(requests) == 5
