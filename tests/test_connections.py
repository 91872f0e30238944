"""What is corrected of aiohttp's connections: unrequested bytes, interim responses, repeated requests."""

import asyncio
import json
import socket
from importlib.metadata import version
from pathlib import Path

import aiohttp
import anyio.lowlevel
import pytest
from packaging.specifiers import SpecifierSet
from raw_http import Close, checksum_headers, raw_server, response

import aioartifact
from aioartifact import AuthenticationError, ForbiddenError, RetryPolicy, Timeouts, TransportTimeoutError
from aioartifact._session.attempts import Clock
from aioartifact._session.state import STATES, state_of

AUTH = ("user", "secret")
FILES = {name: name.encode() * 5000 for name in ("a", "b", "c")}
JSON = {"Content-Type": "application/json"}


def test_internals_are_those_of_the_aiohttp_they_were_proven_with():
    """A newer aiohttp needs a look at ``_session/connections.py`` before its version is added here."""
    assert version("aiohttp") in SpecifierSet(">=3.14.2,<3.15")


def file_of(request):
    content = FILES[request.target.rpartition("/")[2]]
    return response(content, headers={**checksum_headers(content), "ETag": f'"{content[:1].decode()}"'})


async def idle_readable(session):
    """Wait until the idle connection of *session* has received something: no matter how slow the machine is."""
    (idle,) = session.connector._conns.values()
    (protocol, _) = idle[0]
    while not protocol.should_close and protocol.is_connected():
        await anyio.lowlevel.checkpoint()


STRAY = {
    "response": lambda answer: answer,
    "other-status": lambda _: response(b"{}", status=201, headers=JSON),
    "interim": lambda _: b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "no-body": lambda _: response(status=204, length=-1),
    "garbage": lambda _: b"\x00\xff garbage",
}


@pytest.mark.parametrize("stray", STRAY.values(), ids=STRAY)
@pytest.mark.parametrize("opened", ["ours", "foreign"])
async def test_bytes_received_on_an_idle_connection_are_not_the_next_response(tmp_path, transport, stray, opened):
    """A connection that received bytes while no request was under way is closed."""
    tls, verify = transport
    arrivals = []

    def handler(request):
        arrivals.append(request)
        return file_of(request)

    async with raw_server(handler, tls=tls) as server:
        if opened == "ours":
            manager = aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none(), verify=verify)
        else:
            manager = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=verify))
        async with manager as session:
            for name, content in FILES.items():
                path = await aioartifact.download(f"{server.url}/r/{name}", tmp_path, session=session)
                assert Path(path).read_bytes() == content
                writer = arrivals[-1].writer
                writer.write(stray(file_of(arrivals[-1])))
                await writer.drain()
                await idle_readable(session)
    assert len({id(request.writer) for request in arrivals}) == len(FILES)


@pytest.mark.parametrize("opened", ["ours", "foreign"])
async def test_bytes_still_in_the_socket_are_not_the_next_response(tmp_path, opened):
    """What the event loop has not read yet counts, too."""
    async with raw_server(file_of) as server:
        if opened == "ours":
            manager = aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none())
        else:
            manager = aiohttp.ClientSession()
        async with manager as session:
            await aioartifact.download(f"{server.url}/r/a", tmp_path, session=session)
            # Written to the socket itself: no turn of the event loop lies between it and the next request.
            writer = server.requests[0].writer
            descriptor = writer.get_extra_info("socket").fileno()
            with socket.socket(fileno=socket.dup(descriptor)) as raw:
                raw.send(file_of(server.requests[0]))
            path = await aioartifact.download(f"{server.url}/r/b", tmp_path, session=session)
            assert Path(path).read_bytes() == FILES["b"]


@pytest.mark.parametrize("extra", [b"H", b"HTTP/1.1 200 OK\r\nContent-Le", b"\r\nHTTP/1.1 404"])
async def test_beginning_of_a_second_response_is_not_forgotten(tmp_path, extra):
    """A response followed by a part of another one in the same packet ends its connection."""
    async with raw_server(lambda request: file_of(request) + extra) as server:
        async with aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none()) as session:
            for name, content in FILES.items():
                path = await aioartifact.download(f"{server.url}/r/{name}", tmp_path, session=session)
                assert Path(path).read_bytes() == content
        assert len({id(request.writer) for request in server.requests}) == len(FILES)


async def test_stray_success_does_not_hide_a_refused_upload(tmp_path):
    """An upload is reported as deployed only by the response to it."""
    created = response(b'{"repo":"r","path":"/up"}', status=201, headers=JSON)
    refused = response(b'{"errors":[{"status":403,"message":"no"}]}', status=403, headers=JSON)

    def handler(request):
        return file_of(request) + created if request.method == "GET" else refused

    async with (
        raw_server(handler) as server,
        aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none()) as session,
    ):
        await aioartifact.read_bytes(f"{server.url}/r/a", session=session)
        with pytest.raises(ForbiddenError):
            await aioartifact.write_bytes(f"{server.url}/r/up", b"new", session=session)


@pytest.mark.slow
@pytest.mark.parametrize(
    "broken", [b"HTTP/1.1 200 OK\r\nX: y", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 3000, b"HTTP/1.1 x"]
)
async def test_complete_body_survives_what_breaks_the_next_response(broken):
    """A connection is free as soon as a body has arrived, even if nothing of the body has been read yet."""

    def answer(request):
        if request.target.endswith("/a"):
            return file_of(request)
        raise Close(broken)

    limits = aioartifact.Limits(max_connections=1)
    async with (
        raw_server(answer) as server,
        aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none(), limits=limits) as session,
        aioartifact.stream(f"{server.url}/r/a", session=session) as chunks,
    ):
        while not any(session.connector._conns.values()):
            await anyio.lowlevel.checkpoint()
        with pytest.raises((aioartifact.TransportError, aioartifact.ProtocolError)):
            await aioartifact.read_bytes(f"{server.url}/r/b", session=session)
        assert b"".join([chunk async for chunk in chunks]) == FILES["a"]


async def test_clean_connection_is_reused(tmp_path):
    async with raw_server(file_of) as server:
        async with aioartifact.session(server.url, auth=AUTH) as session:
            for name in FILES:
                await aioartifact.download(f"{server.url}/r/{name}", tmp_path, session=session)
        assert len({id(request.writer) for request in server.requests}) == 1


INTERIM = {
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n",
    "processing": b"HTTP/1.1 102 Processing\r\n\r\n",
    "early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
    "several": b"HTTP/1.1 102 Processing\r\n\r\n" * 3,
}
CALLS = {
    "exists": lambda url, session, _: aioartifact.exists(f"{url}/r/a", session=session),
    "download": lambda url, session, folder: aioartifact.download(f"{url}/r/a", folder, session=session),
    "write": lambda url, session, _: aioartifact.write_bytes(f"{url}/r/a", b"x", session=session),
    "versions": lambda url, session, _: aioartifact.versions(url, "r", "g", "n", session=session),
    "delete": lambda url, session, _: aioartifact.delete(f"{url}/r/a", session=session),
}


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
async def test_silence_after_an_interim_response_is_a_stall(tmp_path, call, interim):
    """The limit holds until the final response head, and is reported as a timeout."""
    silent = asyncio.Event()

    async def handler(request):
        request.writer.write(interim)
        await silent.wait()
        return b""

    timeouts = Timeouts(stall=0.2, reply=1000)
    async with raw_server(handler) as server:
        async with aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none(), timeouts=timeouts) as session:
            with pytest.raises(TransportTimeoutError):
                await call(server.url, session, tmp_path)
        silent.set()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["processing", "early-hints"])
@pytest.mark.parametrize("call", ["exists", "write", "delete"])
@pytest.mark.parametrize("timeouts", [Timeouts(stall=0.3, reply=1000), Timeouts(stall=100, reply=0.3)])
async def test_endless_interim_responses_end(tmp_path, kind, call, timeouts):
    """Each of them arrives in time; the final response never does."""

    async def handler(request):
        while not request.writer.is_closing():
            request.writer.write(INTERIM[kind])
            await request.writer.drain()
            await asyncio.sleep(0.01)  # the pace of a server, not a wait for something to happen
        raise Close

    async with (
        raw_server(handler) as server,
        aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none(), timeouts=timeouts) as session,
    ):
        with pytest.raises(TransportTimeoutError):
            await CALLS[call](server.url, session, tmp_path)


async def test_stall_after_an_interim_response_is_named(tmp_path):
    silent = asyncio.Event()

    async def handler(request):
        request.writer.write(INTERIM["early-hints"])
        await silent.wait()
        return b""

    timeouts = Timeouts(stall=0.25, reply=1000)
    async with raw_server(handler) as server:
        async with aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none(), timeouts=timeouts) as session:
            with pytest.raises(TransportTimeoutError, match=r"within 0\.25 s of an interim one.*Timeouts\.stall"):
                await aioartifact.exists(f"{server.url}/r/a", session=session)
        silent.set()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["continue", "early-hints"])
async def test_interim_response_during_an_upload_does_not_limit_it(kind):
    """The client needs several stalls for the body, by its own limit; the server reports early that it accepts it."""
    content = b"x" * 100_000

    async def handler(request):
        request.writer.write(INTERIM[kind])
        await request.reader.readexactly(len(content))
        checksums = {
            name: checksum_headers(content)[f"X-Checksum-{name.title()}"] for name in ("sha1", "md5", "sha256")
        }
        stored = {"repo": "r", "path": "/f", "size": str(len(content)), "checksums": checksums}
        return response(json.dumps(stored).encode(), status=201, headers=JSON)

    async with (
        raw_server(handler, body_limit=lambda method, target, size: 0) as server,
        aioartifact.session(
            server.url,
            auth=AUTH,
            retry=RetryPolicy.none(),
            timeouts=Timeouts(stall=0.3, reply=1000),
            limits=aioartifact.Limits(max_bytes_per_second=len(content)),
        ) as session,
    ):
        assert await aioartifact.write_bytes(f"{server.url}/r/f", content, session=session) == len(content)


async def test_silence_after_an_interim_response_ends_in_a_session_of_the_user(tmp_path):
    """There aiohttp stops its clock, and the limits of its owner do not apply to calls of the library."""
    silent = asyncio.Event()

    async def handler(request):
        request.writer.write(INTERIM["early-hints"])
        await silent.wait()
        return b""

    async with raw_server(handler) as server, aiohttp.ClientSession() as session:
        state_of(session).timeouts = Timeouts(reply=0.3)
        with pytest.raises(TransportTimeoutError):
            await aioartifact.exists(f"{server.url}/r/a", session=session)
        silent.set()


async def test_interim_responses_before_a_file_are_ignored(tmp_path):
    async with (
        raw_server(lambda request: b"".join(INTERIM.values()) + file_of(request)) as server,
        aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none()) as session,
    ):
        assert await aioartifact.read_bytes(f"{server.url}/r/b", session=session) == FILES["b"]


def limits_of_heads():
    """The timers that would fail a connection for want of a response head."""
    timers = asyncio.get_running_loop()._scheduled
    return [each for each in timers if not each.cancelled() and "_TimeLimit" in each._callback.__qualname__]


async def test_limit_for_a_head_ends_with_the_head():
    """A body, or the next response on that connection, may come later than the head had to."""

    async def answer(_):
        while not limits_of_heads():
            await anyio.lowlevel.checkpoint()
        return response(b"abc")

    async with raw_server(answer) as server, aioartifact.session(server.url, auth=AUTH) as session:
        await aioartifact.rest_api_get(f"{server.url}/api/x", session=session)
        assert limits_of_heads() == []


@pytest.mark.parametrize("attempts", [1, 2, 5])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_as_many_requests_as_attempts(tmp_path, call, attempts):
    """Aiohttp's own repetition of idempotent requests is off."""

    def handler(_):
        raise Close

    async with raw_server(handler) as server:
        retry = RetryPolicy(attempts=attempts, backoff_initial=0)
        async with aioartifact.session(server.url, auth=AUTH, retry=retry) as session:
            with pytest.raises(aioartifact.TransportError):
                await call(server.url, session, tmp_path)
        assert len(server.requests) == attempts


@pytest.mark.parametrize("status", [401, 403, 404, 409])
@pytest.mark.parametrize("length", [100, 200_000])
async def test_refusal_whose_body_breaks_off_keeps_its_status(tmp_path, status, length):
    """The explanation is lost, the refusal is not, and it is not repeated."""

    def handler(_):
        raise Close(response(b'{"errors":[', status=status, headers=JSON, length=length))

    async with raw_server(handler) as server:
        retry = RetryPolicy(attempts=4, backoff_initial=0)
        async with aioartifact.session(server.url, auth=AUTH, retry=retry) as session:
            for call in (
                aioartifact.download(f"{server.url}/r/a", tmp_path, session=session),
                aioartifact.info(f"{server.url}/r/a", session=session),
            ):
                before = len(server.requests)
                with pytest.raises(aioartifact.ResponseError) as caught:
                    await call
                assert caught.value.status == status
                assert len(server.requests) - before == 1


@pytest.mark.parametrize("status", [401, 403, 404, 500])
@pytest.mark.parametrize("length", [None, 200_000], ids=["whole", "cut"])
async def test_raw_answer_that_is_a_refusal(status, length):
    """Its status is returned with what has arrived of its body, in which the secret is masked."""

    def handler(request):
        body = f'{{"errors":[{{"message":"{request.headers["authorization"]} secret"}}]}}'.encode()
        raise Close(response(body, status=status, headers=JSON, length=length))

    async with (
        raw_server(handler) as server,
        aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none()) as session,
    ):
        answer = await aioartifact.rest_api_get(f"{server.url}/api/system/ping", session=session)
    assert answer.status_code == status
    assert answer.content.startswith(b'{"errors":[{"message":"Basic ***')
    assert b"secret" not in answer.content


async def test_user_headers_of_our_session_stay_on_their_host(tmp_path):
    """A redirect to another host gets neither the session's header fields nor its credentials."""
    async with raw_server(file_of) as storage:
        redirect = response(status=302, headers={"Location": f"{storage.origin}/bucket/a"})
        async with raw_server(lambda _: redirect) as server:
            async with aioartifact.session(server.url, auth=AUTH) as session:
                session.headers["Authorization"] = "Bearer of-the-user"
                session.headers["X-JFrog-Art-Api"] = "key-of-the-user"
                session.headers["X-Secret"] = "another"
                await aioartifact.download(f"{server.url}/r/a", tmp_path, session=session)
            sent = server.requests[0].headers
            assert {"authorization", "x-jfrog-art-api", "x-secret"} <= sent.keys()
        received = storage.requests[0].headers
        assert not {"authorization", "x-jfrog-art-api", "x-secret", "cookie"} & received.keys()
        assert "user-agent" in received


async def test_refusal_of_a_redirect_target_is_not_an_empty_list():
    """Another host says nothing about which versions there are."""
    async with raw_server(lambda _: response(status=401)) as login:
        redirect = response(status=302, headers={"Location": f"{login.origin}/login"})
        async with (
            raw_server(lambda _: redirect) as server,
            aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none()) as session,
        ):
            with pytest.raises(aioartifact.ResponseError) as caught:
                await aioartifact.versions(server.url, "r", "g", "n", session=session)
    assert caught.value.status == 401
    assert not isinstance(caught.value, AuthenticationError)


@pytest.mark.parametrize("status", [401, 403])
async def test_refusal_after_a_redirect_on_the_same_server_is_not_an_empty_list(status):
    """The page of a login, for example; the refusal of Artifactory itself is an empty list, with a warning."""

    def handler(request):
        if request.target == "/artifactory/login":
            return response(b"{}", status=status, headers=JSON)
        return response(status=307, headers={"Location": "/artifactory/login"})

    async with (
        raw_server(handler) as server,
        aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none()) as session,
    ):
        for method in ("folder", "aql"):
            with pytest.raises(aioartifact.ResponseError) as caught:
                await aioartifact.versions(server.url, "r", "g", "n", method=method, session=session)
            assert caught.value.redirected


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://127.0.0.1:1", "http://", "http://h:99999"])
@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "ALL_PROXY"])
async def test_unusable_proxy_of_the_environment_is_refused(monkeypatch, proxy, variable):
    """Before anything is sent, as `proxy=` is."""
    async with raw_server(file_of) as server:
        monkeypatch.setenv(variable, proxy)
        async with aioartifact.session(server.url, auth=AUTH) as session:
            with pytest.raises(aioartifact.ConfigurationError, match=variable.lower()):
                await aioartifact.read_bytes(f"{server.url}/r/a", session=session)
        assert server.requests == []


async def test_pause_of_the_first_response_holds_for_those_behind_it():
    """Retry-After applies to the requests that waited for the first one, even if that one is not repeated."""

    def handler(request):
        if len(server.requests) == 1:
            return response(status=429, headers={"Retry-After": "100"})
        return file_of(request)

    now, slept = 1000.0, []

    async def sleep(seconds):
        nonlocal now
        slept.append(seconds)
        now += seconds

    async with (
        raw_server(handler) as server,
        aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none()) as session,
    ):
        STATES[session].clock = Clock(now=lambda: now, sleep=sleep)
        results = await asyncio.gather(
            *(aioartifact.read_bytes(f"{server.url}/r/{name}", session=session) for name in FILES),
            return_exceptions=True,
        )
    assert [type(result) for result in results].count(bytes) == 2
    assert slept == [100.0]
    assert len(server.requests) == 3


MALFORMED = [b"zz\r\n", b"-5\r\n", b"ffffffffffffffffff\r\n", b"3\r\nabcdef\r\n", b"\r\n", b"\0"]


@pytest.mark.slow
@pytest.mark.parametrize("opened", ["ours", "foreign"])
@pytest.mark.parametrize("malformed", MALFORMED)
async def test_malformed_chunk_ends_the_wait_for_the_body(opened, malformed):
    """With aiohttp alone, the connection and its timer end, and the reader of the body waits forever."""
    head = response(headers={"Transfer-Encoding": "chunked"}, length=-1)

    async def handler(request):
        request.writer.write(head + b"3\r\nabc\r\n")
        await received.wait()
        raise Close(malformed)

    manager = aioartifact.session(None, retry=RetryPolicy.none()) if opened == "ours" else aiohttp.ClientSession()
    received = anyio.Event()
    async with (
        raw_server(handler) as server,
        manager as session,
        aioartifact.stream(f"{server.url}/r/a", session=session) as chunks,
    ):
        received.set()
        assert await anext(chunks) == b"abc"
        with pytest.raises(aioartifact.ConnectionLostError):
            _ = [chunk async for chunk in chunks]


@pytest.mark.parametrize("status_line", [b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 099 Odd"])
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
async def test_status_that_ends_no_request_is_not_a_success(status_line, method):
    """An unrequested switch of protocols does not mean that a file was stored or deleted."""

    def handler(request):
        raise Close(status_line + b"\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")

    async with (
        raw_server(handler) as server,
        aioartifact.session(server.url, auth=AUTH, retry=RetryPolicy.none()) as session,
    ):
        url = f"{server.url}/r/a"
        call = {
            "PUT": lambda: aioartifact.write_bytes(url, b"x", session=session),
            "GET": lambda: aioartifact.read_bytes(url, session=session),
            "DELETE": lambda: aioartifact.delete(url, session=session),
        }[method]
        with pytest.raises(aioartifact.ArtifactoryError):
            await call()
