"""session(): credentials per server and per hop, retries with a shared back-off, and where it may be used."""

import asyncio
import gc
import inspect
import math
import socket
import ssl
import threading
import weakref
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
import trustme

import aioartifact
from aioartifact import _session
from aioartifact._address import parse_server_url
from aioartifact._api.session import _look_up
from aioartifact._session.limits import BackoffGate
from aioartifact.testing import ArtifactoryServer, Fault

PATH = "generic-local/a.bin"


@pytest.fixture
def url(server):
    server.put(PATH, b"bytes")
    return f"{server.url}/{PATH}"


async def test_session_is_a_plain_aiohttp_session(server, session, url):
    """Whatever aiohttp's users know works, with credentials, retries and without cookies."""
    assert type(session) is aiohttp.ClientSession
    server.fail("GET", PATH, times=2, fault=Fault.status(503))
    async with session.get(url) as response:
        assert await response.read() == b"bytes"
    assert server.count("GET", PATH) == 3
    agent = server.requests[0].headers["user-agent"]
    assert agent.startswith("aioartifact/")
    assert f"aiohttp/{aiohttp.__version__}" in agent


async def test_session_keeps_no_cookies(server, session, url):
    """A cookie of the server is not sent back."""
    server.fail("GET", PATH, fault=Fault.status(404, headers={"Set-Cookie": "SESSION=1"}))
    await aioartifact.rest_api_get(url, session=session)
    await aioartifact.rest_api_get(url, session=session)
    assert "cookie" not in server.requests[1].headers


AUTHS = {
    "password": (("ci", "s3cret"), "authorization"),
    "basic": (aioartifact.Credentials.basic("ci", "s3cret"), "authorization"),
    "token": (aioartifact.Credentials.bearer("a-token"), "authorization"),
    "key": (aioartifact.Credentials.api_key("AKCp8" + "x" * 68), "x-jfrog-art-api"),
}


@pytest.mark.parametrize("kind", AUTHS)
async def test_every_kind_of_credentials(server, url, kind):
    """Password, token and API key each go in their own header field, and the server takes them."""
    server.add_user("ci", password="s3cret", token="a-token", api_key="AKCp8" + "x" * 68, admin=True)
    auth, header = AUTHS[kind]
    async with aioartifact.session(server.url, auth=auth) as session:
        assert await aioartifact.exists(url, session=session)
    assert header in server.requests[0].headers


@pytest.mark.parametrize("kind", AUTHS)
@pytest.mark.parametrize("by", ["library", "aiohttp"])
async def test_redirect_to_another_origin_carries_no_credentials(redirecting_server, tmp_path, kind, by):
    """On the hop to storage no header of ours is sent, on either path that follows the redirect."""
    server = redirecting_server
    server.put(PATH, b"bytes")
    server.add_user("ci", password="s3cret", token="a-token", api_key="AKCp8" + "x" * 68, admin=True)
    async with aioartifact.session(server.url, auth=AUTHS[kind][0]) as session:
        if by == "library":
            await aioartifact.download(f"{server.url}/{PATH}", tmp_path, session=session)
        else:
            async with session.get(f"{server.url}/{PATH}") as response:
                assert await response.read() == b"bytes"
    first, second, *_ = server.requests
    assert (first.origin, first.had_credentials) == ("main", True)
    assert (second.origin, second.had_credentials, second.status) == ("storage", False, 200)


async def test_redirect_takes_nothing_of_a_users_own_session_along(redirecting_server, tmp_path):
    """Header fields that a foreign session sends with every request are for its server, and storage refuses them."""
    server = redirecting_server
    server.put(PATH, b"bytes")
    headers = {
        "Authorization": aiohttp.encode_basic_auth(server.username, server.password),
        "x-jfrog-art-api": server.api_key,
        "X-Own": "secret",
        "user-agent": "own",
    }
    cookies = {"cookies": {"ACCESSTOKEN": "secret"}, "cookie_jar": aiohttp.CookieJar(unsafe=True)}
    async with aiohttp.ClientSession(headers=headers, **cookies) as own:
        await aioartifact.download(f"{server.url}/{PATH}", tmp_path, session=own)
    first, second, *_ = server.requests
    assert (first.origin, first.had_credentials, first.headers["x-own"]) == ("main", True, "secret")
    assert (second.origin, second.had_credentials, second.status) == ("storage", False, 200)
    assert "cookie" in first.headers
    assert not {"x-own", "cookie"} & set(second.headers)
    assert second.headers["user-agent"] == "own"


async def test_users_own_session_that_raises_by_itself(server):
    """What a status means is decided here, however the session is set up."""
    headers = {"Authorization": aiohttp.encode_basic_auth(server.username, server.password)}
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as own:
        assert not await aioartifact.exists(f"{server.url}/{PATH}", session=own)


async def test_environment_credentials_go_to_named_servers_only(server, url, monkeypatch):
    """Credentials for every server are still not for a host that a redirect names."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    async with ArtifactoryServer(anonymous=True) as other:
        other.grant("anonymous", "generic-local")
        other.put(PATH, b"other")
        server.fail("GET", PATH, fault=Fault.redirect(f"{other.url}/{PATH}"))
        async with aioartifact.session(server.url) as session, session.get(url) as response:
            assert await response.read() == b"other"
        assert [request.had_credentials for request in other.requests] == [False]


@pytest.mark.parametrize("up", ["%2e%2e", "..;", "..;a=b", "%2e%2e%3b", "..%2f", "x%2F..%2F..", "..%5c"])
async def test_redirect_out_of_the_context_path_carries_no_credentials(server, session, url, up):
    """What leads up, in any of the ways that servers and proxies read it, is not the server the path begins with."""
    server.fail("GET", PATH, fault=Fault.redirect(f"/artifactory/{up}/other/app"))
    await aioartifact.rest_api_get(url, session=session)
    first, hop, *_ = server.requests  # a refused hop is worth another try from the start
    assert [first.had_credentials, hop.had_credentials] == [True, False]


@pytest.mark.parametrize("forged", ["{server};@{other}", "{server};x=@{other}"])
async def test_host_behind_a_semicolon_gets_no_credentials(server, session, forged):
    """What looks like the server, and is the user name for another one, is refused before any request."""
    async with ArtifactoryServer() as other:
        host = forged.format(server=server.url.split("/")[2], other=other.url.split("/")[2])
        with pytest.raises(aioartifact.InvalidURLError, match="contains credentials"):
            await aioartifact.rest_api_get(f"http://{host}/artifactory/api/system/ping", session=session)
        assert [request.had_credentials for request in other.requests] == []


async def test_way_up_behind_a_semicolon_is_refused(server, session):
    """Parameters end at the next slash; a path must not lead out of the server after them."""
    with pytest.raises(aioartifact.InvalidURLError, match="another path"):
        await aioartifact.rest_api_get(f"{server.url}/a;b=c/../../other/app", session=session)
    server.assert_requests([])


async def test_one_session_serves_several_servers(server, url):
    """Each server gets its own credentials."""
    async with ArtifactoryServer() as other:
        other.add_user("second", password="other-secret", admin=True)
        other.put(PATH, b"other")
        auth = {server.url: (server.username, server.password), other.url: ("second", "other-secret")}
        async with aioartifact.session(auth=auth) as session:
            assert await aioartifact.checksum(url, session=session)
            assert await aioartifact.checksum(f"{other.url}/{PATH}", session=session)


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_request_with_its_own_authorization_keeps_it(server, session, url, name):
    """What the user sets on a request wins."""
    headers = {name: aiohttp.encode_basic_auth("admin", "wrong")}
    async with session.get(url, headers=headers) as response:
        assert response.status == 401


async def test_server_with_another_context_path(tmp_path):
    """A session that knows its server finds where the repository begins."""
    async with ArtifactoryServer(context_path="/binaries/repo-manager") as server:
        server.put(PATH, b"bytes")
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            described = await aioartifact.info(f"{server.url}/{PATH}", session=session)
    assert (described.repository, described.path) == ("generic-local", "a.bin")


async def test_platform_url_in_place_of_the_servers(server, url):
    """Who gives the platform's address, as JF_URL has it, means the Artifactory below it."""
    async with aioartifact.session(server.origin, auth=(server.username, server.password)) as session:
        assert (await aioartifact.info(url, session=session)).repository == "generic-local"


async def test_one_broken_answer_does_not_slow_the_others(server, url, timed):
    """A 500 is about one request: only that one waits."""
    session, clock = timed
    assert await aioartifact.exists(url, session=session)
    server.fail("GET", PATH, times=1, fault=Fault.status(500))
    _, slept = await aioartifact.rest_api_get(url, session=session), list(clock.slept)
    assert await aioartifact.exists(url, session=session)
    assert clock.slept == slept == [0.25]


@pytest.fixture
def deaf():
    """Base address of a server that takes no connection: its queue is full, and it never accepts."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):  # some fill the queue, and the others wait like later ones
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/artifactory"


async def test_server_that_takes_no_connection(deaf):
    """The limit for connecting is named, whatever the one for silence is."""
    timeouts = aioartifact.Timeouts(connect=0.2)
    async with aioartifact.session(timeouts=timeouts, retry=aioartifact.RetryPolicy.none()) as session:
        with pytest.raises(aioartifact.TransportTimeoutError, match=r"no connection within 0\.2 s"):
            await aioartifact.info(f"{deaf}/generic-local/a.bin", session=session)


async def test_auth_without_server():
    """Credentials need the server they belong to."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="without a server"):
        async with aioartifact.session(auth=("a", "b")):
            pass


# A clock for the retry loop: sleeping takes no time, and every pause is seen.


class FakeClock:
    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def draw(self) -> float:
        return 0.5


@pytest.fixture
async def timed(server):
    """A session on a clock of its own, and the clock."""
    fake = FakeClock()
    given = {_server(server): aioartifact.Credentials.basic(server.username, server.password)}
    clock = _session.Clock(fake.now, fake.wall, fake.sleep, fake.draw)
    state = _session.SessionState(lambda asked: _look_up(asked, given), clock=clock)
    async with await _session.new_session(state, verify=True, cert=None, proxy=None, user_agent=None) as opened:
        yield opened, fake


def _server(server):
    from aioartifact._address import parse_server_url

    return parse_server_url(server.url)


async def test_back_off_grows_and_is_drawn(server, url, timed):
    """Waits double, each drawn from its whole range."""
    session, clock = timed
    server.fail("GET", "api/storage/**", times=4, fault=Fault.status(500))
    assert await aioartifact.exists(url, session=session)
    assert clock.slept == [0.25, 0.5, 1.0, 2.0]


async def test_lost_connection_is_replaced_at_once(server, url, timed):
    """An idle connection that the server had closed says nothing of the server; a second loss does."""
    session, clock = timed
    assert await aioartifact.exists(url, session=session)
    server.fail("GET", "api/storage/**", times=2, fault=Fault.lose())
    assert await aioartifact.exists(url, session=session)
    assert clock.slept == [0.0, 0.5]


@pytest.mark.parametrize("fault", [Fault.reset(after=5), Fault.truncate(after=5)], ids=["reset", "short"])
async def test_answer_that_breaks_off_is_asked_for_again(server, url, timed, fault):
    """As one that never began, within the same attempts."""
    session, clock = timed
    server.fail("GET", "api/storage/**", times=2, fault=fault)
    assert await aioartifact.exists(url, session=session)
    assert clock.slept == [0.25, 0.5]
    server.fail("GET", "api/storage/**", times=None, fault=fault)
    with pytest.raises(aioartifact.ConnectionLostError) as caught:
        await aioartifact.exists(url, session=session)
    assert caught.value.attempts == 5


@pytest.mark.parametrize(
    "form", [str, lambda wait: format_datetime(datetime.now(UTC) + timedelta(seconds=wait), usegmt=True)]
)
async def test_retry_after_in_both_forms(server, url, timed, form):
    """Seconds, or a date by the server's own clock: no request is sent before."""
    session, clock = timed
    server.fail("GET", "api/storage/**", times=1, fault=Fault.retry_after(429, form(100)))
    assert await aioartifact.exists(url, session=session)
    assert 50 <= sum(clock.slept) <= 100  # a date counts from that of the response, which comes a little later


async def test_retry_after_holds_back_every_request_to_the_server(server, url, timed):
    """One 429 slows all tasks of that server, not one."""
    session, clock = timed
    assert await aioartifact.exists(url, session=session)
    server.fail("GET", "api/storage/**", times=1, fault=Fault.retry_after(429, "7"))
    await asyncio.gather(*(aioartifact.exists(url, session=session) for _ in range(5)))
    assert clock.time >= 7.0
    assert server.count("GET", "api/storage/**") == 7


async def test_shorter_pause_does_not_end_a_longer_one():
    """Two answers may ask for different pauses; the longer one counts, in either order."""
    for pauses in ([30.0, 2.0], [2.0, 30.0]):
        clock = FakeClock()
        gate = BackoffGate(clock)
        for seconds in pauses:
            gate.pause(seconds)
        await gate.wait()
        assert clock.time == 30.0


async def test_credentials_are_looked_up_once_for_calls_at_once(server, url, monkeypatch):
    """Calls that start together share one lookup: it may read files, or have side effects."""
    looked_up, both = [], threading.Barrier(2)

    def look_up(asked):
        looked_up.append(asked)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.2)  # passes only if a second lookup runs meanwhile
        return aioartifact.Credentials.basic(server.username, server.password)

    async with aioartifact.session() as session:
        monkeypatch.setattr(_session.STATES[session], "resolve", look_up)
        await asyncio.gather(*(aioartifact.exists(url, session=session) for _ in range(8)))
    assert len(looked_up) == 1


async def test_retry_after_that_is_too_long_gives_up(server, url, timed):
    """A wait beyond the limit is the caller's decision, and known to the error."""
    session, clock = timed
    server.fail("GET", "api/storage/**", times=1, fault=Fault.retry_after(429, "3600"))
    with pytest.raises(aioartifact.RateLimitedError) as caught:
        await aioartifact.exists(url, session=session)
    assert (caught.value.retry_after, clock.slept) == (3600.0, [])


async def test_suspended_login_is_waited_for(server, url, timed):
    """The 403 that requests a wait is distinguished from a final one."""
    session, clock = timed
    message = "This request is blocked due to recurrent login failures, please try again in 3 seconds"
    server.fail("GET", "api/storage/**", times=1, fault=Fault.status(403, message=message))
    assert await aioartifact.exists(url, session=session)
    assert sum(clock.slept) == 3.0


async def test_first_request_goes_alone(server, url, monkeypatch):
    """Until a server has answered once, nothing else is sent to it."""
    monkeypatch.setattr("aioartifact._session.limits._FIRST_ALONE", 3600.0)
    handle = server.fail("GET", "api/storage/**", times=1, fault=Fault.hold())
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
        calls = asyncio.gather(*(aioartifact.exists(url, session=session) for _ in range(10)))
        await handle.reached()
        assert len(server.requests) == 1
        handle.release()
        assert all(await calls)


async def test_slow_first_answer_does_not_hold_back_the_others_for_ever(server, url, monkeypatch):
    """A remote repository may take minutes for its first answer."""
    monkeypatch.setattr("aioartifact._session.limits._FIRST_ALONE", 0.05)
    handle = server.fail("GET", PATH, times=1, fault=Fault.hold())
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
        slow = asyncio.ensure_future(aioartifact.rest_api_get(url, session=session))
        await handle.reached()
        assert await aioartifact.exists(url, session=session)
        handle.release()
        assert (await slow).status_code == 200


async def test_no_limit_is_a_limit(server, url, tmp_path):
    """Infinity is how a limit is switched off, in both directions."""
    (tmp_path / "local").write_bytes(b"bytes")
    timeouts = aioartifact.Timeouts(connect=math.inf, stall=math.inf, reply=math.inf)
    auth = (server.username, server.password)
    async with aioartifact.session(server.url, auth=auth, timeouts=timeouts) as session:
        await aioartifact.deploy(tmp_path / "local", url, session=session)
        async with session.get(url) as response:
            assert await response.read() == b"bytes"


async def test_hops_of_a_redirect_are_one_attempt(redirecting_server, tmp_path):
    """The redirect to storage uses no attempts, neither of the policy nor in the count of an error."""
    server = redirecting_server
    server.put(PATH, b"bytes")
    auth, retry = (server.username, server.password), aioartifact.RetryPolicy(2, backoff_initial=0)
    async with aioartifact.session(server.url, auth=auth, retry=retry) as session:
        server.fail("GET", "storage:**", fault=Fault.status(503))
        await aioartifact.download(f"{server.url}/{PATH}", tmp_path, session=session)
        server.fail("GET", "storage:**", fault=Fault.status(404))
        with pytest.raises(aioartifact.NotFoundError) as caught:
            await aioartifact.download(f"{server.url}/{PATH}", tmp_path, session=session)
    assert caught.value.attempts == 1


async def test_refusal_in_a_charset_that_is_none(server, session, url):
    """The text of a refusal is read by the same rules wherever it is looked at."""
    server.fail("GET", "**", fault=Fault.status(403, b"no", headers={"Content-Type": "text/plain; charset=rot13"}))
    with pytest.raises(aioartifact.ForbiddenError, match="no"):
        await aioartifact.info(url, session=session)


async def test_post_is_not_repeated_by_the_session(server, session):
    """What is not idempotent is sent once (RFC 9110 section 9.2.2)."""
    server.fail("POST", "**", times=None, fault=Fault.status(503))
    async with session.post(f"{server.url}/api/move/a/b?to=/c") as response:
        assert response.status == 503
    assert server.count("POST") == 1


async def test_closed_session(server, url):
    """A closed session says so, and what to do."""
    async with aioartifact.session(server.url) as session:
        pass
    with pytest.raises(aioartifact.SessionError, match="closed"):
        await aioartifact.exists(url, session=session)


def test_session_in_another_loop():
    """A session of another loop is refused instead of hanging."""

    async def make():
        opening = aioartifact.session("https://host.invalid/artifactory")
        return opening, await opening.__aenter__()

    async def use(session):
        with pytest.raises(aioartifact.SessionError, match="another event loop"):
            await aioartifact.exists("https://host.invalid/artifactory/r/a", session=session)

    with asyncio.Runner() as first:
        opening, session = first.run(make())
        with asyncio.Runner() as second:
            second.run(use(session))
        first.run(opening.__aexit__(None, None, None))


async def test_open_session_until_it_is_closed(server, url):
    """It survives the collection of everything else, carries credentials, and is closed as often as one likes."""
    opened = await aioartifact.open_session(server.url, auth=(server.username, server.password))
    gc.collect()
    assert await aioartifact.read_bytes(url, session=opened) == b"bytes"
    state = weakref.ref(_session.STATES[opened].route(parse_server_url(server.url)).limits)
    await opened.close()
    await opened.close()
    with pytest.raises(aioartifact.SessionError, match="closed"):
        await aioartifact.exists(url, session=opened)
    del opened
    gc.collect()
    assert state() is None


async def test_open_session_takes_the_options_of_session():
    """Both have the same parameters, and refuse the same values."""
    options = [inspect.signature(each).parameters for each in (aioartifact.session, aioartifact.open_session)]
    assert options[0] == options[1]
    with pytest.raises(aioartifact.InvalidArgumentError, match="without a server"):
        await aioartifact.open_session(auth=("a", "b"))


async def test_open_session_that_is_never_closed():
    """It warns as any session of aiohttp does."""
    opened = await aioartifact.open_session("https://host.invalid/artifactory", auth=("a", "b"))
    only = [opened]
    del opened
    with pytest.warns(ResourceWarning, match="Unclosed client session"):
        only.clear()


def test_open_session_in_another_loop():
    """It belongs to the loop that it was opened in."""

    async def use(opened):
        with pytest.raises(aioartifact.SessionError, match="another event loop"):
            await aioartifact.exists("https://host.invalid/artifactory/r/a", session=opened)

    with asyncio.Runner() as first:
        opened = first.run(aioartifact.open_session("https://host.invalid/artifactory"))
        with asyncio.Runner() as second:
            second.run(use(opened))
        first.run(opened.close())


async def test_session_after_fork(server, url, session):
    """A session that came through a fork is refused instead of mixing two processes' bytes on one socket."""
    pid = _session.STATES[session].process
    _session.STATES[session].process = pid + 1
    with pytest.raises(aioartifact.SessionError, match="another process"):
        await aioartifact.exists(url, session=session)


@pytest.mark.parametrize("given", ["https://host/artifactory", 7, object()])
async def test_session_that_is_none(given):
    """Something else than a session is named."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=r"expected an aiohttp\.ClientSession"):
        await aioartifact.exists("https://host.invalid/artifactory/r/a", session=given)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
async def tls_server(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with ArtifactoryServer(ssl_context=context) as running:
        running.put(PATH, b"bytes")
        yield running


async def test_tls_is_verified(tls_server):
    """An unknown authority is refused at once: no attempt repairs it."""
    async with aioartifact.session(tls_server.url) as session:
        with pytest.raises(aioartifact.ConnectError, match="TLS refused") as caught:
            await aioartifact.exists(f"{tls_server.url}/{PATH}", session=session)
    assert (caught.value.retryable, caught.value.attempts) == (False, 1)
    assert "verify=" in caught.value.hint


@pytest.mark.parametrize("form", ["file", "context"])
async def test_tls_with_the_authority(tls_server, authority, tmp_path, form):
    """A CA file or an SSLContext make the server trusted."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    verify = tmp_path / "ca.pem" if form == "file" else ssl.create_default_context(cafile=tmp_path / "ca.pem")
    auth = (tls_server.username, tls_server.password)
    async with aioartifact.session(tls_server.url, auth=auth, verify=verify) as session:
        assert await aioartifact.exists(f"{tls_server.url}/{PATH}", session=session)


async def test_tls_unverified_warns(tls_server):
    """verify=False works, and warns."""
    auth = (tls_server.username, tls_server.password)
    with pytest.warns(UserWarning, match="not verified"):
        async with aioartifact.session(tls_server.url, auth=auth, verify=False) as session:
            assert await aioartifact.exists(f"{tls_server.url}/{PATH}", session=session)


async def test_client_certificate(authority, tmp_path):
    """A server that asks for a client certificate gets it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    async with ArtifactoryServer(ssl_context=context) as server:
        server.put(PATH, b"bytes")
        options = {"auth": (server.username, server.password), "verify": tmp_path / "ca.pem"}
        async with aioartifact.session(server.url, cert=tmp_path / "client.pem", **options) as session:
            assert await aioartifact.exists(f"{server.url}/{PATH}", session=session)


@pytest.mark.parametrize("option", ["verify", "cert"])
async def test_certificate_file_that_is_missing(tmp_path, option):
    """A missing certificate file is named when the session is opened."""
    with pytest.raises(aioartifact.ConfigurationError, match=r"none\.pem"):
        async with aioartifact.session(**{option: tmp_path / "none.pem"}):
            pass


async def test_redirect_from_https_to_http_is_refused(tls_server, authority, tmp_path):
    """What was asked for in secret does not travel in clear."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls_server.fail("GET", PATH, fault=Fault.redirect("http://127.0.0.1:9/a.bin"))
    auth = (tls_server.username, tls_server.password)
    async with aioartifact.session(tls_server.url, auth=auth, verify=tmp_path / "ca.pem") as session:
        with pytest.raises(aioartifact.ProtocolError, match="from https to http"):
            await aioartifact.download(f"{tls_server.url}/{PATH}", tmp_path, session=session)


async def test_redirect_loop_ends(server, session, url, tmp_path):
    """A server that redirects for ever is left after five hops."""
    server.fail("GET", PATH, times=None, fault=Fault.redirect(url))
    with pytest.raises(aioartifact.ProtocolError, match="more than 5 times"):
        await aioartifact.download(url, tmp_path, session=session)


async def test_proxy_of_the_environment(server, url, monkeypatch):
    """HTTP_PROXY is used by the library's requests, NO_PROXY and trust_env=False are obeyed."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    auth = (server.username, server.password)
    policy = aioartifact.RetryPolicy.none()
    async with aioartifact.session(server.url, auth=auth, retry=policy) as session:
        with pytest.raises(aioartifact.ConnectError):
            await aioartifact.exists(url, session=session)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with aioartifact.session(server.url, auth=auth, retry=policy) as session:
        assert await aioartifact.exists(url, session=session)
    monkeypatch.delenv("no_proxy")
    async with aioartifact.session(server.url, auth=auth, trust_env=False) as session:
        assert await aioartifact.exists(url, session=session)


@pytest.mark.parametrize(("status", "attempts"), [(407, 1), (403, 1), (502, 3)])
async def test_proxy_that_refuses(status, attempts):
    """It is named as what refused; wrong credentials are not repeated, which would lock a user out."""
    asked = 0

    async def refuse(reader, writer):
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listener:
        proxy = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        retry = aioartifact.RetryPolicy(3, backoff_initial=0)
        async with aioartifact.session(proxy=proxy, retry=retry) as session:
            with pytest.raises(aioartifact.ConnectError, match=f"the proxy refused: {status}") as caught:
                await aioartifact.info("https://host.example/artifactory/r/a", session=session)
    assert asked == attempts
    assert caught.value.retryable == (attempts > 1)


def test_every_aiohttp_error_is_translated():
    """An exception that aiohttp adds in a later release cannot slip out unnoticed."""
    kinds = [
        kind
        for kind in vars(aiohttp.client_exceptions).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    untouched = {"WSMessageTypeError"}
    assert {
        k.__name__ for k in kinds if not issubclass(k, aiohttp.ClientError | TimeoutError | OSError)
    } <= untouched | {
        "Exception",
        "TypeError",
        "ValueError",
    }
