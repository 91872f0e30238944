"""Transfers that break off again and again: bounded, unless each attempt brings a minimum of progress."""

import asyncio
import hashlib
import re
from contextlib import asynccontextmanager

import pytest

import aioartifact

CONTENT = bytes(range(256)) * 2048
SHA1 = hashlib.sha1(CONTENT).hexdigest()


@asynccontextmanager
async def breaking_server(step: int):
    """A server that breaks each response off after *step* bytes of its body; yields URL, session and requests."""
    requests: list[str] = []

    async def serve(reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            requests.append(head.split("\r\n")[0])
            found = re.search(r"(?i)range: bytes=(\d+)-", head)
            start = int(found[1]) if found else 0
            last = len(CONTENT) - 1
            status = f"206 Partial Content\r\nContent-Range: bytes {start}-{last}/{len(CONTENT)}" if found else "200 OK"
            writer.write(
                f"HTTP/1.1 {status}\r\nETag: {SHA1}\r\nX-Checksum-Sha1: {SHA1}\r\n"
                f"Content-Length: {len(CONTENT) - start}\r\n\r\n".encode()
            )
            writer.write(CONTENT[start : start + step])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/artifactory"
    retry = aioartifact.RetryPolicy(attempts=3, backoff_initial=0)
    try:
        async with aioartifact.session(base, auth=("user", "pass"), retry=retry) as session:
            yield f"{base}/r/f", session, requests
    finally:
        server.close()


async def downloaded(url, session, folder):
    await aioartifact.download(url, folder, session=session)
    return (folder / "f").read_bytes()


async def read(url, session, _):
    return await aioartifact.read_bytes(url, session=session)


async def streamed(url, session, _):
    async with aioartifact.stream(url, session=session) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def opened(url, session, _):
    async with aioartifact.open(url, session=session) as file:
        return await file.read()


CALLS = [downloaded, read, streamed, opened]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("step", [1, 1000])
async def test_a_few_bytes_are_no_progress(call, step, tmp_path):
    """The attempts are used up although each brings new bytes."""
    async with breaking_server(step) as (url, session, requests):
        with pytest.raises(aioartifact.ArtifactoryError):
            await call(url, session, tmp_path)
        assert len(requests) <= 8


@pytest.mark.parametrize("call", CALLS)
async def test_progress_goes_on(call, tmp_path):
    """A server that brings enough each time is resumed to the end, however often it breaks off."""
    async with breaking_server(80_000) as (url, session, _):
        assert await call(url, session, tmp_path) == CONTENT
