"""How many requests a call sends when each fails: as many as its policy has attempts, whatever the call."""

import asyncio
from contextlib import suppress

import pytest
from raw_http import Close, checksum_headers, raw_server, response

import aioartifact
from aioartifact import query

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def connect(server, attempts, **options):
    retry = aioartifact.RetryPolicy(attempts, backoff_initial=0)
    return aioartifact.session(server.url, auth=("user", "secret"), retry=retry, **options)


async def downloaded(url, session, folder):
    await aioartifact.download(url, folder / "new", session=session)


async def deployed(url, session, folder):
    (folder / "f").write_bytes(b"content")
    await aioartifact.deploy(folder / "f", url, session=session)


async def offered(url, session, folder):
    (folder / "f").write_bytes(b"content")
    await aioartifact.deploy(folder / "f", url, min_checksum_deploy=1, session=session)


async def streamed(url, session, _):
    async with aioartifact.stream(url, session=session) as chunks:
        async for _ in chunks:
            pass


async def opened(url, session, _):
    async with aioartifact.open(url, session=session) as file:
        await file.read()


async def listed(url, session, _):
    async for _ in aioartifact.ls(url, session=session):
        pass


async def walked(url, session, _):
    async for _ in aioartifact.walk(url, session=session):
        pass


async def queried(url, session, _):
    async for _ in aioartifact.aql(url.rpartition("/r/")[0], query.items(repo="r"), session=session):
        pass


def simple(call):
    async def made(url, session, _):
        await call(url, session)

    return made


def base(url):
    return url.rpartition("/r/")[0]


CALLS = {
    "download": downloaded,
    "read_bytes": simple(lambda url, session: aioartifact.read_bytes(url, session=session)),
    "stream": streamed,
    "open": opened,
    "deploy": deployed,
    "deploy-by-checksum": offered,
    "write_bytes": simple(lambda url, session: aioartifact.write_bytes(url, b"x", session=session)),
    "info": simple(lambda url, session: aioartifact.info(url, session=session)),
    "exists": simple(lambda url, session: aioartifact.exists(url, session=session)),
    "checksum": simple(lambda url, session: aioartifact.checksum(url, "sha1", session=session)),
    "ls": listed,
    "walk": walked,
    "aql": queried,
    "versions": simple(lambda url, session: aioartifact.versions(base(url), "r", "g", "n", session=session)),
    "repositories": simple(lambda url, session: aioartifact.repositories(base(url), session=session)),
    "mkdir": simple(lambda url, session: aioartifact.mkdir(url, session=session)),
    "delete": simple(lambda url, session: aioartifact.delete(url, session=session)),
    "properties": simple(lambda url, session: aioartifact.properties(url, session=session)),
    "set_properties": simple(lambda url, session: aioartifact.set_properties(url, {"k": "v"}, session=session)),
    "update_properties": simple(lambda url, session: aioartifact.update_properties(url, {"k": "v"}, session=session)),
    "delete_properties": simple(lambda url, session: aioartifact.delete_properties(url, "k", session=session)),
    "copy": simple(lambda url, session: aioartifact.copy(url, f"{url}.copy", session=session)),
    "move": simple(lambda url, session: aioartifact.move(url, f"{url}.new", session=session)),
}


def unavailable(_):
    return response(status=503)


def broken(_):
    return response(status=500)


def closed(_):
    raise Close


def reset(request):
    request.writer.transport.abort()
    raise Close


def cut_off(_):
    raise Close(response(b"un", status=502, length=100))


@pytest.mark.parametrize("attempts", [1, 2, 5])
@pytest.mark.parametrize("failure", [unavailable, broken, closed, reset, cut_off])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_requests_of_a_call(call, failure, attempts, tmp_path):
    """Each failure is one attempt; what a call would look up afterwards is not requested."""
    async with raw_server(failure) as server, connect(server, attempts) as session:
        with pytest.raises((aioartifact.ServerError, aioartifact.TransportError)) as caught:
            await call(f"{server.url}/r/a", session, tmp_path)
        assert len(server.requests) == attempts
        assert caught.value.attempts == attempts


@pytest.mark.parametrize("method", ["copy", "move"])
@pytest.mark.parametrize("failure", [unavailable, broken, closed, reset, cut_off])
async def test_relocation_is_sent_once(method, failure):
    """The second time it would mean something else: the target exists then."""

    def handler(request):
        return failure(request) if request.method == "POST" else response(status=404)

    async with raw_server(handler) as server, connect(server, 5) as session:
        with pytest.raises((aioartifact.ServerError, aioartifact.TransportError)):
            await getattr(aioartifact, method)(f"{server.url}/r/a", f"{server.url}/r/b", session=session)
        assert [request.method for request in server.requests].count("POST") == 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_request_without_an_answer_is_sent_once(call, tmp_path):
    """The server may still work on it, and would do so twice."""
    released = asyncio.Event()

    async def handler(_):
        await released.wait()
        raise Close

    timeouts = aioartifact.Timeouts(stall=1000, reply=0.2)
    async with raw_server(handler) as server, connect(server, 5, timeouts=timeouts) as session:
        with pytest.raises(aioartifact.TransportTimeoutError, match=r"Timeouts\.reply"):
            await call(f"{server.url}/r/a", session, tmp_path)
        assert len(server.requests) == 1
        released.set()


@pytest.mark.parametrize("method", ["copy", "move"])
async def test_relocation_without_an_answer(method):
    """It is sent once; what became of it is looked up."""
    released = asyncio.Event()

    async def handler(request):
        if request.method == "POST":
            await released.wait()
        return response(status=404)

    timeouts = aioartifact.Timeouts(stall=1000, reply=0.2)
    async with raw_server(handler) as server, connect(server, 5, timeouts=timeouts) as session:
        with pytest.raises(aioartifact.TransportTimeoutError, match="before you retry"):
            await getattr(aioartifact, method)(f"{server.url}/r/a", f"{server.url}/r/b", session=session)
        assert [request.method for request in server.requests].count("POST") == 1
        released.set()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_long_work_is_waited_for(call, tmp_path):
    """A server that works for several stalls on a request gets it once."""

    async def handler(_):
        await asyncio.sleep(0.5)
        return response(status=404)

    timeouts = aioartifact.Timeouts(stall=0.1, reply=1000)
    async with raw_server(handler) as server, connect(server, 5, timeouts=timeouts) as session:
        with suppress(aioartifact.NotFoundError):
            await call(f"{server.url}/r/a", session, tmp_path)
        lines = [
            f"{request.method} {request.target} {request.headers.get('x-checksum-deploy')}"
            for request in server.requests
        ]
        assert len(lines) == len(set(lines))


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 407, 409, 413])
@pytest.mark.parametrize("ending", ["cut-off", "stalled"])
@pytest.mark.parametrize("name", ["download", "info", "ls", "aql", "delete_properties", "deploy"])
async def test_refusal_without_the_end_of_its_body(name, ending, status, tmp_path):
    """The status counts; neither is the body waited for as long as a reply, nor the request repeated."""
    released = asyncio.Event()

    async def handler(request):
        beginning = response(b"the beginning", status=status, headers={"Content-Type": "text/plain"}, length=100_000)
        if ending == "stalled":
            request.writer.write(beginning)
            await released.wait()
        raise Close(beginning)

    timeouts = aioartifact.Timeouts(stall=0.2, reply=1000)
    async with raw_server(handler) as server, connect(server, 5, timeouts=timeouts) as session:
        try:
            async with asyncio.timeout(100):
                with pytest.raises(aioartifact.ResponseError) as caught:
                    await CALLS[name](f"{server.url}/r/a", session, tmp_path)
        finally:
            released.set()
        assert caught.value.status == status
        assert len(server.requests) == 1


@pytest.mark.parametrize("attempts", [1, 5])
async def test_kept_connection_that_the_server_has_closed(attempts):
    """It is not used: the request goes over a new connection, and takes one attempt."""
    content = checksum_headers(b"content")

    def handler(_):
        raise Close(response(b"content", headers=content))

    async with raw_server(handler) as server, connect(server, attempts) as session:
        for number in range(1, 6):
            assert await aioartifact.read_bytes(f"{server.url}/r/a", session=session) == b"content"
            assert len(server.requests) == number
            await server.requests[-1].writer.wait_closed()


@pytest.mark.parametrize("attempts", [1, 5])
@pytest.mark.parametrize("failure", [closed, reset])
async def test_kept_connection_that_ends_with_the_next_request(attempts, failure):
    """Without retries, the request fails; neither aiohttp nor this library sends it again."""

    def handler(request):
        if len(server.requests) == 2:
            return failure(request)
        return response(b"content", headers=checksum_headers(b"content"))

    async with raw_server(handler) as server, connect(server, attempts) as session:
        await aioartifact.read_bytes(f"{server.url}/r/a", session=session)
        if attempts == 1:
            with pytest.raises(aioartifact.ConnectionLostError):
                await aioartifact.read_bytes(f"{server.url}/r/a", session=session)
            assert len(server.requests) == 2
        else:
            assert await aioartifact.read_bytes(f"{server.url}/r/a", session=session) == b"content"
            assert len(server.requests) == 3
