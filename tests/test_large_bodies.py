"""Large bodies are read into memory that is used again, without being parsed: right bytes, or a typed error."""

import asyncio
import os
import random
import re
from pathlib import Path

import pytest
from raw_http import Close, checksum_headers, raw_server, response

import aioartifact
from aioartifact import ArtifactoryError, RetryPolicy, Timeouts, TransportTimeoutError
from aioartifact._session import connections
from aioartifact._session.connections import BodyBuffers, ClientProtocol

AUTH = ("user", "secret")
MIB = 1024 * 1024
CONTENT = os.urandom(5 * MIB + 123)
HEADERS = {**checksum_headers(CONTENT), "ETag": '"large"', "Accept-Ranges": "bytes"}


@pytest.fixture
def unparsed(monkeypatch):
    """Sizes of the pieces that were read into buffers of their own."""
    sizes = []
    take = ClientProtocol._take

    def counted(self, data):
        sizes.append(len(data))
        take(self, data)

    monkeypatch.setattr(ClientProtocol, "_take", counted)
    return sizes


def opened(server, verify=True, **options):
    options = {"retry": RetryPolicy.none(), "limits": aioartifact.Limits(max_connections=1), **options}
    return aioartifact.session(server.url, auth=AUTH, verify=verify, **options)


async def test_connection_is_used_again(tmp_path, transport, unparsed):
    """Nothing of a body that is not parsed is taken for the beginning of the next response."""
    context, verify = transport
    async with (
        raw_server(lambda request: response(CONTENT, headers=HEADERS), tls=context) as server,
        opened(server, verify) as session,
    ):
        for number in range(3):
            path = await aioartifact.download(f"{server.url}/r/{number}", tmp_path, session=session)
            assert Path(path).read_bytes() == CONTENT
            assert await aioartifact.read_bytes(f"{server.url}/r/{number}", session=session) == CONTENT
        assert len({id(request.writer) for request in server.requests}) == 1
    assert sum(unparsed) > 6 * MIB


@pytest.mark.parametrize("extra", [b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", bytes(MIB)])
async def test_bytes_behind_the_body_belong_to_no_request(tmp_path, transport, unparsed, extra):
    """They are in no file, and end the connection."""
    context, verify = transport
    async with (
        raw_server(lambda request: response(CONTENT, headers=HEADERS) + extra, tls=context) as server,
        opened(server, verify) as session,
    ):
        for number in range(3):
            path = await aioartifact.download(f"{server.url}/r/{number}", tmp_path, session=session)
            assert Path(path).read_bytes() == CONTENT
        assert len({id(request.writer) for request in server.requests}) == 3
    assert sum(unparsed) > 6 * MIB


class Trouble:
    """Answers, each of which may break off, or be damaged, at random."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def answer(self, request):
        if "/api/" in request.target:
            return response(b"{}", status=404)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", "bytes=0-"))
        start, stop = int(asked[1]), int(asked[2] or len(CONTENT) - 1) + 1
        body, headers = CONTENT[start:stop], HEADERS
        if "range" in request.headers:
            headers = {**HEADERS, "Content-Range": f"bytes {start}-{stop - 1}/{len(CONTENT)}"}
        whole = response(body, status=206 if "range" in request.headers else 200, headers=headers)
        match self._random.randrange(5):
            case 0 | 1:
                return whole
            case 2:
                where = len(whole) - self._random.randrange(1, len(body) + 1)
                raise Close(whole[:where] + bytes([whole[where] ^ 1]) + whole[where + 1 :])
        raise Close(whole[: self._random.randrange(len(whole))])


@pytest.mark.parametrize("seed", range(16))
async def test_same_outcome_as_by_the_parser(tmp_path, monkeypatch, unparsed, seed):
    """Bodies that break off or are damaged anywhere: the same file, or the same error, as if aiohttp read them."""
    outcomes = []
    for least in (connections._BODY_BUFFER, 1 << 40):
        monkeypatch.setattr(connections, "_BODY_BUFFER", least)
        folder = tmp_path / str(least)
        folder.mkdir()
        (folder / "file").write_bytes(b"old")
        async with (
            raw_server(Trouble(seed).answer) as server,
            opened(server, retry=RetryPolicy(attempts=2, backoff_initial=0)) as session,
        ):
            failure = None
            try:
                await aioartifact.download(f"{server.url}/r/file", folder / "file", session=session)
            except ArtifactoryError as error:
                failure = type(error)
            outcomes.append((failure, len(server.requests)))
        assert (folder / "file").read_bytes() == (b"old" if failure else CONTENT)
    assert outcomes[0] == outcomes[1]


@pytest.mark.slow
async def test_body_that_stalls(tmp_path, unparsed):
    """Silence in the midst of it is an error in time, and the file that was there is as it was."""
    released = asyncio.Event()

    async def answer(request):
        request.writer.write(response(CONTENT, headers=HEADERS)[: 3 * MIB])
        await released.wait()
        raise Close

    (tmp_path / "file").write_bytes(b"old")
    async with raw_server(answer) as server, opened(server, timeouts=Timeouts(stall=3)) as session:
        with pytest.raises(TransportTimeoutError):
            await aioartifact.download(f"{server.url}/r/file", tmp_path, session=session)
        released.set()
    assert (tmp_path / "file").read_bytes() == b"old"
    assert sum(unparsed) > MIB


@pytest.mark.slow
async def test_few_buffers_for_a_very_large_body(tmp_path, monkeypatch):
    """The memory is used again: no more of it than two batches of the largest size and what arrives meanwhile."""
    made = []

    class Counted(connections._Buffer):
        def __init__(self, size):
            super().__init__(size)
            made.append(size)

    monkeypatch.setattr(connections, "_Buffer", Counted)
    content = CONTENT * 20
    whole = response(content, headers={**checksum_headers(content), "ETag": '"very-large"'})
    async with raw_server(lambda request: whole) as server, opened(server) as session:
        path = await aioartifact.download(f"{server.url}/r/file", tmp_path, session=session)
    assert Path(path).read_bytes() == content
    assert 1 <= len(made) <= 16


def test_memory_in_use_is_not_read_into():
    """A buffer is read into again when all that was handed out of it is given back, and not before."""
    buffers = BodyBuffers()

    def read():
        return buffers.hand_out(len(buffers.rest()))

    first, second = read(), read()
    buffers.give_back([first[:10]])
    third = read()
    buffers.give_back([first[10:], b"not of a buffer"])
    fourth = read()
    assert len({id(view.obj) for view in (first, second, third)}) == 3
    assert fourth.obj is first.obj
