"""Responses that are read whole: bounded after decompression, and JSON that Python does not take is named as such."""

import asyncio
import tracemalloc
import zlib
from contextlib import asynccontextmanager

import pytest

import aioartifact

pytestmark = pytest.mark.slow

MIB = 1024 * 1024


@asynccontextmanager
async def answering(status: str, headers: str, body: bytes):
    """A server that sends the same response to every request."""
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()

    async def serve(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head + body)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with aioartifact.session(
            f"http://127.0.0.1:{port}/artifactory",
            auth=("user", "password"),
            retry=aioartifact.RetryPolicy(attempts=2, backoff_initial=0),
        ) as session:
            yield f"http://127.0.0.1:{port}/artifactory", session


def gzipped(block: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(block) for _ in range(times)]) + packer.flush()


JSON = "Content-Type: application/json\r\n"
GZIP = JSON + "Content-Encoding: gzip\r\n"


@pytest.mark.parametrize(
    "call",
    [
        lambda base, session: aioartifact.properties(f"{base}/r/a", session=session),
        lambda base, session: aioartifact.info(f"{base}/r/a", session=session),
        lambda base, session: aioartifact.rest_api_get(f"{base}/api/x", session=session),
    ],
    ids=["properties", "info", "rest"],
)
async def test_response_that_unpacks_to_too_much(call):
    """128 kB of gzip for 128 MiB: refused before all of it is in memory."""
    async with answering("200 OK", GZIP, gzipped(b" " * MIB, 128)) as (base, session):
        tracemalloc.start()
        try:
            with pytest.raises(aioartifact.ProtocolError, match="more than 64 MiB, decompressed"):
                await call(base, session)
            assert tracemalloc.get_traced_memory()[1] < 110 * MIB
        finally:
            tracemalloc.stop()


async def test_error_of_a_large_response_does_not_keep_it():
    """Reports and logs hold errors, and these the frames in which they were raised."""
    async with answering("200 OK", GZIP, gzipped(b" " * MIB, 80)) as (base, session):
        tracemalloc.start()
        try:
            with pytest.raises(aioartifact.ProtocolError) as caught:
                await aioartifact.info(f"{base}/r/a", session=session)
            assert tracemalloc.get_traced_memory()[0] < 16 * MIB
        finally:
            tracemalloc.stop()
    assert "64 MiB" in str(caught.value)


@pytest.mark.parametrize("key", ["results", "files"])
async def test_members_beside_the_array_of_a_listing_are_bounded(key):
    """They are kept until its end, which may never come."""
    body = b"{%b]}" % (b'"%s":[' % key.encode()).join(
        [b",".join(b'"k%d":%d' % (n, n) for n in range(200_000)) + b",", b""]
    )
    async with answering("200 OK", JSON, body) as (base, session):
        query, folder = aioartifact.aql(base, "items.find()", session=session), f"{base}/r/a"
        listing = query if key == "results" else aioartifact.walk(folder, session=session)
        with pytest.raises(aioartifact.ProtocolError, match="beside the array"):
            _ = [each async for each in listing]


@pytest.mark.parametrize("status", ["403 Forbidden", "400 Bad Request", "404 Not Found"])
async def test_refusal_that_unpacks_to_much(status):
    """The beginning of a refusal is enough for its error."""
    async with answering(status, GZIP, gzipped(b" " * MIB, 60)) as (base, session):
        tracemalloc.start()
        try:
            with pytest.raises(aioartifact.ResponseError, match=status[:3]):
                await aioartifact.read_bytes(f"{base}/r/a", session=session)
            assert tracemalloc.get_traced_memory()[1] < 50 * MIB
        finally:
            tracemalloc.stop()


DIGITS = b"9" * 5000
DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    ("value", "reason"), [(DIGITS, "a number of too many digits"), (DEEP, "nested too deeply")], ids=["digits", "deep"]
)
async def test_json_that_python_refuses(value, reason):
    """It is named in the error, and no reason to send the request again."""
    async with answering("200 OK", JSON, b'{"properties": ' + value + b"}") as (base, session):
        with pytest.raises(aioartifact.ProtocolError, match=reason):
            await aioartifact.properties(f"{base}/r/a", session=session)
    async with answering("200 OK", JSON, b'{"results": [{"size": ' + value + b"}]}") as (base, session):
        with pytest.raises(aioartifact.ProtocolError, match=reason):
            [row async for row in aioartifact.aql(base, "items.find()", session=session)]
