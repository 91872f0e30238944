"""What a user adds to a session: header fields, middlewares, traces."""

import socket

import aiohttp
import aiohttp.abc
import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault

PATH = "generic-local/a.bin"
HEADERS = {"X-Tenant": "t1", "Accept-Language": "en"}


@pytest.fixture
def auth(redirecting_server):
    redirecting_server.put(PATH, b"bytes")
    return redirecting_server.username, redirecting_server.password


async def test_header_fields_go_to_the_server_and_not_to_storage(redirecting_server, auth, tmp_path):
    """In requests of the library, in those of the user, and after redirects."""
    server = redirecting_server
    async with aioartifact.session(server.url, auth=auth, headers=HEADERS) as session:
        await aioartifact.download(f"{server.url}/{PATH}", tmp_path / "a", session=session)
        async with session.get(f"{server.url}/{PATH}") as response:
            assert await response.read() == b"bytes"
        (tmp_path / "b").write_bytes(b"b")
        await aioartifact.deploy(tmp_path / "b", f"{server.url}/generic-local/b", session=session)
    assert {request.origin for request in server.requests} == {"main", "storage"}
    for request in server.requests:
        assert (request.headers.get("x-tenant") == "t1") is (request.origin == "main")


async def test_header_fields_do_not_go_to_a_server_that_is_not_known(redirecting_server, auth):
    """A redirect target, and whatever the user requests on the session itself."""
    server = redirecting_server
    async with ArtifactoryServer(anonymous=True) as other:
        other.grant("anonymous", "generic-local")
        other.put(PATH, b"other")
        server.fail("GET", PATH, fault=Fault.redirect(f"{other.url}/{PATH}"))
        async with aioartifact.session(server.url, auth=auth, headers=HEADERS) as session:
            assert await aioartifact.read_bytes(f"{server.url}/{PATH}", session=session) == b"other"
            async with session.get(f"{other.url}/{PATH}"):
                pass
        assert other.requests
        assert not any("x-tenant" in request.headers for request in other.requests)


async def test_header_field_of_a_request_wins(redirecting_server, auth):
    server = redirecting_server
    async with aioartifact.session(server.url, auth=auth, headers=HEADERS | {"Accept": "text/x-own"}) as session:
        async with session.get(f"{server.url}/api/system/ping", headers={"x-tenant": "t2"}):
            pass
        await aioartifact.info(f"{server.url}/{PATH}", session=session)
    assert server.requests[0].headers["x-tenant"] == "t2"
    assert server.requests[1].headers["x-tenant"] == "t1"


async def test_tenants_inherit_additions(redirecting_server, auth):
    server, seen = redirecting_server, []

    async def note(request, handler):
        seen.append(request.method)
        return await handler(request)

    async with (
        aioartifact.session(server.url, headers=HEADERS, middlewares=[note]) as shared,
        aioartifact.with_credentials(shared, auth) as session,
    ):
        assert await aioartifact.exists(f"{server.url}/{PATH}", session=session)
    assert server.requests[-1].headers["x-tenant"] == "t1"
    assert seen == ["GET"]


async def test_middleware_runs_around_all_attempts_and_sees_no_credentials(redirecting_server, auth, tmp_path):
    """Once for a request that is retried, and not for the redirect to storage."""
    server, seen = redirecting_server, []
    server.fail("GET", PATH, times=2, fault=Fault.status(503))

    async def note(request, handler):
        seen.append((request.url.port, "Authorization" in request.headers))
        request.headers["X-Trace"] = "1"
        return await handler(request)

    retry = aioartifact.RetryPolicy(backoff_initial=0)
    async with aioartifact.session(server.url, auth=auth, retry=retry, middlewares=[note]) as session:
        await aioartifact.download(f"{server.url}/{PATH}", tmp_path / "a", session=session)
    port = int(server.origin.rpartition(":")[2])
    main = [request for request in server.requests if request.origin == "main"]
    assert len(main) > 2
    assert {request.headers["x-trace"] for request in main} == {"1"}
    assert set(seen) == {(port, False)}
    assert len(seen) == len(main) - 2


@pytest.mark.parametrize("error", [aiohttp.ClientConnectionError("x"), ValueError("mine")])
async def test_middleware_that_raises(redirecting_server, auth, error):
    """An error of aiohttp is translated, any other one is the user's own."""

    async def fail(request, handler):
        raise error

    retry = aioartifact.RetryPolicy.none()
    async with aioartifact.session(redirecting_server.url, auth=auth, middlewares=[fail], retry=retry) as session:
        expected = aioartifact.ConnectionLostError if isinstance(error, aiohttp.ClientError) else ValueError
        with pytest.raises(expected):
            await aioartifact.info(f"{redirecting_server.url}/{PATH}", session=session)


async def test_traces(redirecting_server, auth):
    """Each request that is sent is traced, retries included."""
    server, started = redirecting_server, []
    server.fail("GET", "api/storage/**", times=1, fault=Fault.status(503))
    config = aiohttp.TraceConfig()

    async def note(session, context, params):
        started.append(params.url.path)

    config.on_request_headers_sent.append(note)
    retry = aioartifact.RetryPolicy(backoff_initial=0)
    async with aioartifact.session(server.url, auth=auth, trace_configs=[config], retry=retry) as session:
        assert await aioartifact.exists(f"{server.url}/{PATH}", session=session)
    assert started == [f"/artifactory/api/storage/{PATH}"] * 2


class _Names(aiohttp.abc.AbstractResolver):
    """Resolves every name to this machine."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.host = host
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self):
        pass


async def test_connector_options(server, auth):
    """Names and the local address are the user's."""
    server.put("generic-local/a", b"a")
    names = _Names()
    options = {"resolver": names, "local_addr": ("127.0.0.2", 0), "family": socket.AF_INET}
    url = server.url.replace("127.0.0.1", "artifacts.example")
    async with aioartifact.session(url, auth=auth, connector_options=options) as session:
        assert await aioartifact.read_bytes(f"{url}/generic-local/a", session=session) == b"a"
    assert names.host == "artifacts.example"


async def test_connections_that_are_not_kept(server, auth):
    server.put("generic-local/a", b"a")
    async with aioartifact.session(server.url, auth=auth, connector_options={"force_close": True}) as session:
        for _ in range(2):
            assert await aioartifact.read_bytes(f"{server.url}/generic-local/a", session=session) == b"a"
        assert not session.connector._conns


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"headers": 5}, id="headers-number"),
        pytest.param({"headers": [("a", "b")]}, id="headers-list"),
        pytest.param({"headers": {"a b": "x"}}, id="name"),
        pytest.param({"headers": {5: "x"}}, id="name-number"),
        pytest.param({"headers": {"a": 5}}, id="value-number"),
        pytest.param({"headers": {"a": "s3cret\r\nb: c"}}, id="line-break"),
        pytest.param({"headers": {"a": "s3crét"}}, id="not-ascii"),
        *(
            pytest.param({"headers": {name: "s3cret"}}, id=name)
            for name in ("Authorization", "x-jfrog-art-api", "COOKIE", "Proxy-Authorization", "Host", "Range")
        ),
        pytest.param({"headers": {"User-Agent": "s3cret"}}, id="user-agent"),
        pytest.param({"middlewares": 5}, id="middlewares-number"),
        pytest.param({"middlewares": [5]}, id="middleware-number"),
        pytest.param({"middlewares": "text"}, id="middlewares-text"),
        pytest.param({"trace_configs": aiohttp.TraceConfig}, id="trace-class"),
        pytest.param({"trace_configs": [aiohttp.TraceConfig]}, id="trace-class-in-a-list"),
        pytest.param({"connector_options": ["limit"]}, id="options-list"),
        pytest.param({"connector_options": {"limit": 5}}, id="option-of-ours"),
        pytest.param({"connector_options": {"ssl": False}}, id="option-ssl"),
        pytest.param({"connector_options": {5: 5}}, id="option-number"),
        pytest.param({"connector_options": {"happy_eyeballs_delay": "s3cret", "local_addr": 5}}, id="odd-values"),
    ],
)
async def test_bad_additions(options):
    """A clear error, which quotes no value."""
    with pytest.raises(aioartifact.InvalidArgumentError) as caught:
        await aioartifact.open_session("https://host.example/artifactory", **options)
    assert next(iter(options)) in str(caught.value)
    assert "s3cr" not in str(caught.value)
