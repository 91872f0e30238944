"""Providers of credentials: called once for all, before they expire and after a 401; what they may do wrong."""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import anyio
import anyio.lowlevel
import pytest

import aioartifact
from aioartifact import Credentials
from aioartifact._session import Clock, SessionState, state_of
from aioartifact.testing import ArtifactoryServer, Fault, ManualClock

PATH = "generic-local/a.bin"
CANARY = "canary-5ecret"


class VirtualTime:
    """The clock of a client that a test moves; pauses of the client take no time."""

    def __init__(self, source: Callable[[], float]) -> None:
        self.source = source
        self.offset = 0.0

    def now(self) -> float:
        return self.source() + self.offset

    def clock(self) -> Clock:
        return Clock(
            self.now,
            lambda: datetime.fromtimestamp(self.now(), UTC),
            lambda _: anyio.lowlevel.checkpoint(),
            lambda: 0.5,
        )


@pytest.fixture
def time():
    """The clock of the server, which stands still until it is moved."""
    return ManualClock()


@pytest.fixture
async def server(time):
    before = asyncio.all_tasks()
    async with ArtifactoryServer(clock=time) as running:
        running.put(PATH, b"bytes")
        running.add_user("ci", password="pw", admin=True)
        running.clear_log()
        yield running
    left = {str(task) for task in asyncio.all_tasks() - before if "_call_in_runner_task" not in str(task)}
    assert left == set(), "the test left tasks running"


@pytest.fixture
def url(server):
    return f"{server.url}/{PATH}"


@pytest.fixture
def client_time(time, monkeypatch):
    """The clock of sessions, which agrees with that of the server unless a test moves it."""
    virtual = VirtualTime(time)
    made = partial(SessionState, clock=virtual.clock())
    monkeypatch.setattr("aioartifact._api.session.SessionState", made)
    return virtual


class Issuer:
    """A provider of tokens of the server that live for a while."""

    def __init__(self, server: ArtifactoryServer, username: str = "ci", seconds: int | None = 60) -> None:
        self.server, self.username, self.seconds = server, username, seconds
        self.calls: list[bool] = []
        self.secrets: list[str] = []

    async def credentials(self, *, force: bool) -> Credentials:
        self.calls.append(force)
        await anyio.lowlevel.checkpoint()
        self.secrets.append(self.server.issue_token(self.username, expires_in=self.seconds))
        return Credentials.bearer(self.secrets[-1])


class Scripted:
    """A provider that does what a test says, one thing after the other; the last one again and again."""

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps)
        self.calls: list[bool] = []

    async def credentials(self, *, force: bool) -> Credentials:
        self.calls.append(force)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, BaseException):
            raise step
        return await step() if callable(step) else step


async def test_token_is_renewed_before_it_expires(server, url, time, client_time):
    """One call of the provider for each lifetime, and no request with an expired token."""
    issuer = Issuer(server)
    async with aioartifact.session(server.url, auth=issuer) as session:
        for second in range(0, 180, 5):
            assert await aioartifact.read_bytes(url, session=session) == b"bytes", second
            time.advance(5)
    assert issuer.calls == [False] * 4  # at 0, 50, 100 and 150 seconds
    assert {request.status for request in server.requests} == {200}


async def test_clock_that_does_not_move_is_repaired_by_the_401(server, url, time, client_time):
    """If the client cannot know of the expiry, the first 401 renews the token, and the request is repeated once."""
    client_time.source = lambda: 1_700_000_000.0
    issuer = Issuer(server)
    async with aioartifact.session(server.url, auth=issuer) as session:
        for _ in range(5):
            assert await aioartifact.read_bytes(url, session=session) == b"bytes"
            time.advance(61)
    assert issuer.calls == [False, True, True, True, True]
    assert [request.status for request in server.requests] == [200, *[401, 200] * 4]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_clock_that_is_an_hour_off(server, url, time, client_time, hours):
    """Tokens are used until the server refuses them, or renewed as if the clock were right; never at each request."""
    client_time.offset = hours * 3600
    issuer = Issuer(server)
    async with aioartifact.session(server.url, auth=issuer) as session:
        for _ in range(36):
            assert await aioartifact.read_bytes(url, session=session) == b"bytes"
            time.advance(5)
    assert len(issuer.calls) in (3, 4)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_expiry_by_a_clock_that_is_an_hour_off(server, url, client_time, hours, time):
    """The same for a time of expiry that the provider states."""
    client_time.offset = hours * 3600
    issuer = Issuer(server)

    async def opaque() -> Credentials:
        token = (await issuer.credentials(force=False)).secret
        return Credentials.bearer(token, expires_at=datetime.fromtimestamp(time() + 60, UTC))

    async with aioartifact.session(server.url, auth=opaque) as session:
        for _ in range(36):
            assert await aioartifact.read_bytes(url, session=session) == b"bytes"
            time.advance(5)
    assert len(issuer.calls) in (3, 4)


async def test_token_without_expiry(server, url, time, client_time):
    """It is used until the server refuses it."""
    issuer = Issuer(server, seconds=None)
    async with aioartifact.session(server.url, auth=issuer) as session:
        await aioartifact.info(url, session=session)
        time.advance(1e6)
        await aioartifact.info(url, session=session)
        assert issuer.calls == [False]
        server.fail("GET", "api/storage/**", times=1, fault=Fault.expired_token())
        await aioartifact.info(url, session=session)
    assert issuer.calls == [False, True]


async def test_async_function(server, url):
    """A function without arguments is enough, and its pairs are credentials, too."""
    calls = []

    async def provide():
        calls.append(1)
        return "ci", "pw"

    async with aioartifact.session(server.url, auth=provide) as session:
        assert await aioartifact.exists(url, session=session)
        async with session.get(url) as response:  # requests of the user on the session as well
            assert response.status == 200
    assert calls == [1]


async def test_storm_of_refused_requests_is_one_renewal(server, url, time, client_time):
    """500 requests at once with a revoked token: one forced renewal, and each is repeated at most once."""
    client_time.source = lambda: 1_700_000_000.0
    issuer = Issuer(server)
    limits = aioartifact.Limits(max_connections=64)
    async with aioartifact.session(server.url, auth=issuer, limits=limits) as session:
        await asyncio.gather(*(aioartifact.info(url, session=session) for _ in range(64)))
        time.advance(61)
        server.clear_log()
        await asyncio.gather(*(aioartifact.info(url, session=session) for _ in range(500)))
    assert issuer.calls == [False, True]
    statuses = [request.status for request in server.requests]
    assert statuses.count(200) == 500
    assert statuses.count(401) <= 64


async def test_first_requests_at_once_call_the_provider_once(server, url):
    issuer = Issuer(server)
    async with aioartifact.session(server.url, auth=issuer) as session:
        await asyncio.gather(*(aioartifact.info(url, session=session) for _ in range(50)))
    assert issuer.calls == [False]


async def test_provider_that_returns_the_refused_token_again(server, url):
    """The 401 stands: one forced renewal, and no request after those that were in flight."""
    provider = Scripted(Credentials.bearer(CANARY))
    async with aioartifact.session(server.url, auth=provider) as session:
        calls = (aioartifact.info(url, session=session) for _ in range(100))
        errors = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(error) for error in errors} == {aioartifact.AuthenticationError}
    assert provider.calls == [False, True]
    assert len(server.requests) <= 32
    assert CANARY not in repr(errors)


async def test_renewed_token_that_is_refused_too(server, url, client_time, time):
    """However many calls follow, the provider is forced again only after a while, which grows."""
    tokens = (Credentials.bearer(f"{CANARY}-{n}") for n in range(100))
    provider = Scripted(lambda: asyncio.sleep(0, next(tokens)))
    async with aioartifact.session(server.url, auth=provider) as session:
        for _ in range(20):
            with pytest.raises(aioartifact.AuthenticationError):
                await aioartifact.info(url, session=session)
        assert provider.calls == [False, True]
        time.advance(11)
        for _ in range(20):
            with pytest.raises(aioartifact.AuthenticationError):
                await aioartifact.info(url, session=session)
        assert provider.calls == [False, True, True]
        time.advance(11)
        with pytest.raises(aioartifact.AuthenticationError):
            await aioartifact.info(url, session=session)
        assert provider.calls == [False, True, True]


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), OSError(5, "disk"), TimeoutError(), aioartifact.ConnectError("no route")]
)
async def test_provider_that_raises(server, url, error):
    """A typed error with the provider's as its cause; no request is sent."""
    async with aioartifact.session(server.url, auth=Scripted(error)) as session:
        with pytest.raises(aioartifact.CredentialsError, match="provider Scripted") as caught:
            await aioartifact.info(url, session=session)
        async with anyio.create_task_group() as group:
            group.start_soon(expect_error, session, url)
    if not isinstance(error, aioartifact.ArtifactoryError):
        assert caught.value.__cause__ is error
    assert server.requests == []


async def expect_error(session, url) -> None:
    with pytest.raises(aioartifact.CredentialsError):
        async with session.get(url):
            pass


async def test_failure_counts_for_all_calls_that_wait(server, url):
    """One call of the provider for 100 requests at once; each error has its own traceback."""
    provider = Scripted(lambda: asyncio.sleep(0.01, None))
    async with aioartifact.session(server.url, auth=provider) as session:
        errors = await asyncio.gather(
            *(aioartifact.info(url, session=session) for _ in range(100)), return_exceptions=True
        )
    assert {type(error) for error in errors} == {aioartifact.CredentialsError}
    assert len({id(error) for error in errors}) == 100
    assert len(provider.calls) == 1


async def test_batch_whose_provider_fails_calls_it_once(server, url, tmp_path):
    """The items of a bulk call share the failure, one after the other, too."""
    provider = Scripted(RuntimeError("boom"))
    items = [(url, str(number)) for number in range(100)]
    async with aioartifact.session(server.url, auth=provider) as session:
        report = await aioartifact.download_many(
            items, tmp_path, on_error="collect", max_concurrency=1, session=session
        )
    assert {type(outcome.error) for outcome in report.failed} == {aioartifact.CredentialsError}
    assert len(provider.calls) == 1
    assert list(tmp_path.iterdir()) == []


async def test_later_call_after_a_failure_asks_again(server, url, client_time, time):
    """A failure is not final."""
    provider = Scripted(RuntimeError("boom"), Credentials.basic("ci", "pw"))
    async with aioartifact.session(server.url, auth=provider) as session:
        with pytest.raises(aioartifact.CredentialsError):
            await aioartifact.info(url, session=session)
        time.advance(1)
        assert await aioartifact.exists(url, session=session)


async def test_provider_that_hangs(server, url):
    """It is limited by a timeout, and then the error says which one."""
    timeouts = aioartifact.Timeouts(credentials=0.05)
    async with aioartifact.session(server.url, auth=Scripted(anyio.sleep_forever), timeouts=timeouts) as session:
        with pytest.raises(aioartifact.CredentialsError, match=r"nothing within 0\.05 s") as caught:
            await aioartifact.info(url, session=session)
    assert "Timeouts.credentials" in str(caught.value.hint)


async def test_provider_that_hangs_can_be_cancelled(server, url):
    """Cancelling the request that called it cancels the call, and the next request calls it anew."""
    started = anyio.Event()

    async def hang() -> Credentials:
        started.set()
        await anyio.sleep_forever()
        raise AssertionError

    provider = Scripted(hang, Credentials.basic("ci", "pw"))
    async with aioartifact.session(server.url, auth=provider) as session:
        first = asyncio.ensure_future(aioartifact.info(url, session=session))
        await started.wait()
        waiting = asyncio.ensure_future(aioartifact.info(url, session=session))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await waiting).size == 5
    assert len(provider.calls) == 2


async def test_failed_renewal_does_not_fail_while_the_token_is_valid(server, url, time, client_time, caplog):
    """The token is used until it expires, the provider called again after a pause; then the error is about it."""
    token = Credentials.bearer(server.issue_token("ci", expires_in=60))
    provider = Scripted(token, RuntimeError(CANARY))
    async with aioartifact.session(server.url, auth=provider) as session:
        await aioartifact.info(url, session=session)
        for _ in range(9):
            time.advance(6)
            assert (await aioartifact.info(url, session=session)).size == 5
        assert len(provider.calls) == 2
        time.advance(6)
        with pytest.raises(aioartifact.CredentialsError, match="raised RuntimeError"):
            await aioartifact.info(url, session=session)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings
    assert all("provider Scripted" in line and CANARY not in line for line in warnings)


async def test_refused_renewal_is_in_the_hint_of_the_401(server, url, time, client_time):
    """The server refuses the token and the provider fails: an AuthenticationError that says both."""
    client_time.source = lambda: 1_700_000_000.0
    provider = Scripted(Credentials.bearer(server.issue_token("ci", expires_in=60)), RuntimeError("boom"))
    async with aioartifact.session(server.url, auth=provider) as session:
        await aioartifact.info(url, session=session)
        time.advance(61)
        with pytest.raises(aioartifact.AuthenticationError) as caught:
            await aioartifact.info(url, session=session)
    assert "from provider Scripted; not renewed: provider Scripted raised RuntimeError" in str(caught.value)


@pytest.mark.parametrize(
    "returned", [None, "a-token", 5, ("user", 5), Credentials, {"token": "x"}, ("us:er", "x"), ("user", "a\nb")]
)
async def test_provider_that_returns_something_else(server, url, returned):
    async with aioartifact.session(server.url, auth=Scripted(lambda: asyncio.sleep(0, returned))) as session:
        with pytest.raises(aioartifact.CredentialsError, match="provider Scripted returned") as caught:
            await aioartifact.info(url, session=session)
    assert "a-token" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_function_that_is_not_async(server, url):
    async with aioartifact.session(server.url, auth=lambda: ("ci", "pw")) as session:
        with pytest.raises(aioartifact.CredentialsError, match="expected an awaitable"):
            await aioartifact.info(url, session=session)


@pytest.mark.parametrize("auth", [5, "token", object(), ["ci"], Issuer, b"x", ("a",)])
async def test_auth_that_is_no_provider(server, auth):
    with pytest.raises(aioartifact.InvalidArgumentError, match="auth is"):
        await aioartifact.open_session(server.url, auth=auth)


@pytest.mark.parametrize("first", ["token", "basic"])
async def test_token_of_another_user(server, url, time, client_time, first):
    """A renewal must not make a session another user's; the present token is used while it is valid."""
    server.add_user("other", password="pw")
    pair = Credentials.basic("ci", "pw", expires_at=datetime.fromtimestamp(time() + 60, UTC))
    mine = Credentials.bearer(server.issue_token("ci", expires_in=60)) if first == "token" else pair
    foreign = Credentials.bearer(server.issue_token("other", expires_in=600))
    async with aioartifact.session(server.url, auth=Scripted(mine, foreign)) as session:
        await aioartifact.info(url, session=session)
        time.advance(55)
        await aioartifact.info(url, session=session)
        time.advance(55)
        with pytest.raises(aioartifact.CredentialsError, match="of another user") as caught:
            await aioartifact.info(url, session=session)
    assert foreign.secret not in str(caught.value)
    assert {request.status for request in server.requests} == {200}


async def test_provider_whose_users_change(server, url, time, client_time):
    """Dynamic users, as a vault makes them, are announced by the provider."""
    server.add_user("other", password="pw")
    steps = [Credentials.bearer(server.issue_token(name, expires_in=60)) for name in ("ci", "other")]
    provider = Scripted(*steps)
    provider.may_change_user = True
    async with aioartifact.session(server.url, auth=provider) as session:
        await aioartifact.info(url, session=session)
        time.advance(55)
        with pytest.raises(aioartifact.ResponseError, match=r"40[34]"):
            await aioartifact.info(url, session=session)
    assert provider.calls == [False, False]


@pytest.mark.parametrize("knows_time", [True, False], ids=["client-knows", "only-401"])
async def test_expiry_in_the_middle_of_a_bulk_download(server, time, client_time, tmp_path, knows_time):
    """The files that follow are requested with a new token; nothing fails."""
    names = [f"generic-local/many/{number}" for number in range(200)]
    for name in names:
        server.put(name, name.encode())
    issuer = Issuer(server)
    if not knows_time:
        client_time.source = lambda: 1_700_000_000.0

    def advance(event: aioartifact.TransferEvent) -> None:
        time.advance(0.5)

    async with aioartifact.session(server.url, auth=issuer) as session:
        urls = [f"{server.url}/{name}" for name in names]
        progress = aioartifact.Progress(advance)
        # Small files are reported in groups, and a token must outlive the events of all groups in flight.
        report = await aioartifact.download_many(urls, tmp_path, max_concurrency=1, progress=progress, session=session)
    assert len(report.downloaded) == 200
    assert len(issuer.calls) >= 3
    for name in names:
        assert (tmp_path / name.rpartition("/")[2]).read_bytes() == name.encode()


@pytest.mark.parametrize("knows_time", [True, False], ids=["client-knows", "only-401"])
async def test_expiry_before_a_download_is_resumed(server, time, client_time, tmp_path, knows_time):
    """The connection breaks after the token has expired: the rest is requested with a new one."""
    content = random.Random(5).randbytes(9 * 1024 * 1024)
    server.put("generic-local/large", content)
    server.fail("GET", "generic-local/large", times=1, fault=Fault.truncate(after=5 * 1024 * 1024))
    issuer = Issuer(server)
    if not knows_time:
        client_time.source = lambda: 1_700_000_000.0

    def expire(event: aioartifact.TransferEvent) -> None:
        time.advance(61)

    retry = aioartifact.RetryPolicy(backoff_initial=0)
    async with aioartifact.session(server.url, auth=issuer, retry=retry) as session:
        progress = aioartifact.Progress(expire)
        url = f"{server.url}/generic-local/large"
        await aioartifact.download(url, tmp_path / "large", progress=progress, session=session)
    assert (tmp_path / "large").read_bytes() == content
    assert any("range" in request.headers for request in server.requests)
    assert len(issuer.calls) >= 2


CALLS = {
    "info": lambda url, folder, session: aioartifact.info(url, session=session),
    "download": lambda url, folder, session: aioartifact.download(url, folder, session=session),
    "download_folder": lambda url, folder, session: aioartifact.download_folder(
        url.rpartition("/")[0], folder, session=session
    ),
    "deploy": lambda url, folder, session: aioartifact.write_bytes(url, b"x", session=session),
    "walk": lambda url, folder, session: drained(aioartifact.walk(url.rpartition("/")[0], session=session)),
    "glob": lambda url, folder, session: drained(aioartifact.glob(url.rpartition("/")[0], "*", session=session)),
    "aql": lambda url, folder, session: drained(
        aioartifact.aql(url.partition("/generic")[0], 'items.find({"name": "a"})', session=session)
    ),
    "search": lambda url, folder, session: drained(
        aioartifact.search(url.partition("/generic")[0], name="a", session=session)
    ),
    "versions": lambda url, folder, session: aioartifact.versions(
        url.partition("/generic")[0], "generic-local", "g", "n", session=session
    ),
    "sync": lambda url, folder, session: aioartifact.sync(url.rpartition("/")[0], folder, session=session),
    "delete": lambda url, folder, session: aioartifact.delete(url, session=session),
}


async def drained(items) -> list[object]:
    return [item async for item in items]


@pytest.mark.parametrize("name", CALLS)
async def test_every_kind_of_call_reports_the_provider(server, url, tmp_path, name):
    """No call takes the failure of a provider for an answer, tries other ways, or leaves a file."""
    provider = Scripted(RuntimeError(CANARY))
    async with aioartifact.session(server.url, auth=provider) as session:
        with pytest.raises(aioartifact.CredentialsError, match="provider Scripted raised RuntimeError") as caught:
            await CALLS[name](url, tmp_path, session)
    assert CANARY not in f"{caught.value!r}{caught.value}"
    assert server.requests == []
    assert len(provider.calls) == 1
    assert list(tmp_path.iterdir()) == []


async def test_upload_is_repeated_if_its_body_can_be_sent_again(server, url, time, client_time, tmp_path):
    """A file is sent again from the start after a renewal."""
    client_time.source = lambda: 1_700_000_000.0
    (tmp_path / "new").write_bytes(b"content")
    issuer = Issuer(server)
    async with aioartifact.session(server.url, auth=issuer) as session:
        await aioartifact.info(url, session=session)
        time.advance(61)
        await aioartifact.deploy(tmp_path / "new", f"{server.url}/generic-local/new", session=session)
    assert server.read("generic-local/new") == b"content"
    assert issuer.calls == [False, True]


async def test_body_that_is_consumed_is_not_repeated(server, url, time, client_time):
    """A generator cannot be sent twice: the 401 stands, but the next request has a new token."""
    client_time.source = lambda: 1_700_000_000.0
    issuer = Issuer(server)

    async def body():
        yield b"content"

    async with aioartifact.session(server.url, auth=issuer) as session:
        await aioartifact.info(url, session=session)
        time.advance(61)
        server.clear_log()
        for status in (401, 201):
            async with session.put(f"{server.url}/generic-local/new", data=body()) as response:
                assert response.status == status
    assert [request.status for request in server.requests] == [401, 201]
    assert issuer.calls == [False, True]


async def test_provider_for_several_servers_is_called_once(server, url):
    """A provider does not know for which server it is called: one renewal at a time for all of them."""
    issuer = Scripted(lambda: asyncio.sleep(0.01, Credentials.basic("ci", "pw")))
    async with ArtifactoryServer() as other:
        other.add_user("ci", password="pw", admin=True)
        other.put(PATH, b"x")
        auth = {server.url: issuer, other.url: issuer}
        async with aioartifact.session(auth=auth) as session:
            await asyncio.gather(
                aioartifact.info(url, session=session), aioartifact.info(f"{other.url}/{PATH}", session=session)
            )
    assert issuer.calls == [False]


async def test_redirect_to_a_server_with_a_provider(server, url):
    """Its credentials are renewed on the way; the slots that count are those of the first server."""
    async with ArtifactoryServer() as other:
        other.add_user("ci", password="pw", admin=True)
        other.put(PATH, b"other")
        server.fail("GET", PATH, times=None, fault=Fault.redirect(f"{other.url}/{PATH}"))
        provider = Scripted(Credentials.basic("ci", "old"), Credentials.basic("ci", "pw"))
        auth = {server.url: ("ci", "pw"), other.url: provider}
        async with aioartifact.session(auth=auth) as session:
            got = await asyncio.gather(*(aioartifact.read_bytes(url, session=session) for _ in range(20)))
            slots = state_of(session).server_limits.values()
            assert {limits.queue.limit.in_flight for limits in slots} == {0}
            assert {limits.queue.awaited for limits in slots} == {0}
        assert set(got) == {b"other"}
        assert provider.calls == [False, True]
        assert {request.had_credentials for request in other.requests} == {True}


async def test_foreign_session_has_no_provider(server, url):
    """auth= is an argument of our sessions only; a session from elsewhere says so."""
    import aiohttp

    async with aiohttp.ClientSession() as own:
        with pytest.raises(aioartifact.InvalidArgumentError, match="was not opened by aioartifact"):
            aioartifact.with_credentials(own, ("ci", "pw"), server=server.url)
        with pytest.raises(aioartifact.AuthenticationError, match="adds none to a session that it has not opened"):
            await aioartifact.info(url, session=own)


async def test_no_secret_in_any_repr(server, url):
    """Neither of values, nor of what the library keeps."""
    provider = Scripted(Credentials.bearer(CANARY, expires_at=datetime.now(UTC) + timedelta(hours=1)))
    async with aioartifact.session(server.url, auth=provider) as session:
        with pytest.raises(aioartifact.AuthenticationError):
            await aioartifact.info(url, session=session)
        assert CANARY not in repr(state_of(session))
    assert "expires_at=" in repr(provider.steps[0])
    assert CANARY not in repr(provider.steps[0])


@pytest.mark.parametrize("expiry", [datetime(2030, 1, 1), 5, "2030-01-01"])  # noqa: DTZ001
def test_expiry_without_a_time_zone(expiry):
    with pytest.raises(aioartifact.InvalidArgumentError, match="expires_at"):
        Credentials.bearer("x", expires_at=expiry)
