"""with_credentials(): one session for each tenant over shared connections, and never the secret of another."""

import asyncio
import logging
import traceback
from datetime import UTC, datetime
from functools import partial

import aiohttp
import anyio
import anyio.lowlevel
import pytest
from tap import tapped

import aioartifact
from aioartifact import Credentials
from aioartifact._session import Clock, SessionState, state_of
from aioartifact.testing import ArtifactoryServer, Fault, ManualClock

MIB = 1024 * 1024
SECRETS = {name: f"canary-{name}-s3cr3t" for name in ("service", "ada", "bob")}
TENANTS = ("ada", "bob")


@pytest.fixture
async def server():
    """A server with a repository and a user for each tenant, whose larger files come from storage."""
    async with ArtifactoryServer(redirect_over=MIB) as running:
        for name, secret in SECRETS.items():
            running.add_user(name, token=secret)
            running.create_repository(f"{name}-local")
            running.grant(name, f"{name}-local", "rwdn")
            running.put(f"{name}-local/small.bin", name.encode())
            running.put(f"{name}-local/large.bin", name.encode() * 4 * MIB)
            running.put(f"{name}-local/deep/er/x.txt", b"x")
        running.clear_log()
        yield running


@pytest.fixture
async def tap(server):
    """The same server, at an address where every byte of requests is kept."""
    async with tapped(int(server.origin.rpartition(":")[2])) as running:
        yield running


@pytest.fixture
async def shared(tap):
    """The session of a service, with credentials of its own."""
    retry = aioartifact.RetryPolicy(attempts=5, backoff_initial=0)
    auth = Credentials.bearer(SECRETS["service"])
    async with aioartifact.session(f"{tap.origin}/artifactory", auth=auth, retry=retry) as opened:
        yield opened


def provider_of(name: str):
    """An async function that returns the credentials of a tenant."""

    async def provide() -> Credentials:
        await anyio.lowlevel.checkpoint()
        return Credentials.bearer(SECRETS[name])

    return provide


async def use(shared, base: str, name: str, folder) -> list[BaseException]:
    """Do everything that sends requests as one tenant; return the errors that were to be expected."""
    errors: list[BaseException] = []
    mine = f"{base}/{name}-local"
    other = f"{base}/{'bob' if name == 'ada' else 'ada'}-local"
    async with aioartifact.with_credentials(shared, provider_of(name)) as session:
        assert await aioartifact.read_bytes(f"{mine}/small.bin", session=session) == name.encode()
        await aioartifact.download(f"{mine}/large.bin", folder / "large.bin", session=session)
        assert (folder / "large.bin").read_bytes() == name.encode() * 4 * MIB
        assert [each async for each in aioartifact.walk(mine, session=session)]
        assert [each async for each in aioartifact.ls(mine, session=session)]
        found = aioartifact.search(base, name="*.bin", repositories=[f"{name}-local"], session=session)
        assert [each async for each in found]
        await aioartifact.deploy(folder / "large.bin", f"{mine}/copy.bin", session=session)
        await aioartifact.set_properties(f"{mine}/copy.bin", {"a": "b"}, session=session)
        async with session.get(f"{mine}/large.bin") as response:
            assert response.status == 200
            assert len(await response.read()) == len(name) * 4 * MIB
        for failing in (f"{mine}/missing", f"{other}/small.bin"):
            try:
                await aioartifact.info(failing, session=session)
            except aioartifact.ResponseError as error:
                errors.append(error)
        assert SECRETS[name] not in repr(state_of(session)) + repr(session)
    return errors


async def test_no_secret_of_one_tenant_reaches_another(server, tap, shared, tmp_path, caplog):
    """Over redirects, resumes, retries, listings and uploads: requests, log lines, reprs and errors."""
    caplog.set_level(logging.DEBUG)
    base = f"{tap.origin}/artifactory"
    server.fail("GET", "storage:**", times=2, fault=Fault.reset(after=9 * MIB))
    server.fail("GET", "storage:**", times=1, fault=Fault.status(403))  # as if the signed URLs had expired
    for name in TENANTS:
        (tmp_path / name).mkdir()
        server.fail("GET", f"{name}-local/large.bin", times=1, fault=Fault.status(502))
        server.fail("GET", f"{name}-local/small.bin", times=2, fault=Fault.status(503))
        server.fail("PUT", f"{name}-local/**", times=1, fault=Fault.reset())
    await aioartifact.info(f"{base}/service-local/small.bin", session=shared)
    errors = await asyncio.gather(*(use(shared, base, name, tmp_path / name) for name in TENANTS))

    requests = tap.requests
    for name, secret in SECRETS.items():
        own = [request for request in requests if f"{name}-local".encode() in request]
        carrying = [request for request in requests if secret.encode() in request]
        assert own
        assert carrying
        foreign = [each for other, each in SECRETS.items() if other != name]
        allowed = [request for request in carrying if b"-local/small.bin" in request]  # that of the other is tried
        assert not [request for request in carrying if request not in own and request not in allowed]
        for request in carrying:
            assert not any(each.encode() in request for each in foreign)
    stored = [request for request in server.requests if request.origin == "storage"]
    assert any("range" in request.headers for request in stored)
    assert not any(request.had_credentials for request in stored)
    assert [len(each) for each in errors] == [2, 2]
    shown = "".join(record.getMessage() for record in caplog.records)
    shown += "".join("".join(traceback.format_exception(error)) + repr(error) for each in errors for error in each)
    assert not any(secret in shown for secret in SECRETS.values())


async def test_refusal_of_one_tenant_does_not_concern_the_other(server, tap, shared):
    """The credentials that the server refuses are those of one tenant; the other's calls go on."""
    base = f"{tap.origin}/artifactory"
    wrong, right = Credentials.bearer("canary-wrong"), Credentials.bearer(SECRETS["bob"])
    async with (
        aioartifact.with_credentials(shared, wrong) as ada,
        aioartifact.with_credentials(shared, right) as bob,
    ):
        calls = [aioartifact.exists(f"{base}/bob-local/small.bin", session=each) for each in [ada, bob] * 20]
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert results[1::2] == [True] * 20
    assert {type(each) for each in results[::2]} == {aioartifact.AuthenticationError}
    assert "canary-wrong" not in repr(results)


async def test_tenant_whose_provider_hangs_holds_no_request_of_the_other(server, tap):
    """More requests of one tenant wait for credentials than may be in flight; the other's are sent."""
    base, released = f"{tap.origin}/artifactory", anyio.Event()

    async def hang() -> Credentials:
        await released.wait()
        return Credentials.bearer(SECRETS["ada"])

    limits = aioartifact.Limits(max_connections=2)
    async with (
        aioartifact.session(base, limits=limits) as shared,
        aioartifact.with_credentials(shared, hang) as ada,
        aioartifact.with_credentials(shared, provider_of("bob")) as bob,
    ):
        waiting = [
            asyncio.ensure_future(aioartifact.exists(f"{base}/ada-local/small.bin", session=ada)) for _ in range(10)
        ]
        await asyncio.sleep(0)
        assert await aioartifact.exists(f"{base}/bob-local/small.bin", session=bob)
        assert not any(each.done() for each in waiting)
        released.set()
        assert await asyncio.gather(*waiting) == [True] * 10


async def test_tenant_whose_renewal_hangs_holds_no_request_of_the_other(server, tap):
    """The same after a 401: requests that wait for the renewal leave their slots, and take them again."""
    base, released, forced = f"{tap.origin}/artifactory", anyio.Event(), anyio.Event()

    class Ada:
        async def credentials(self, *, force: bool) -> Credentials:
            if force:
                forced.set()
                await released.wait()
            return Credentials.bearer(SECRETS["ada"] if force else "wrong")

    limits = aioartifact.Limits(max_connections=2)
    async with (
        aioartifact.session(base, limits=limits) as shared,
        aioartifact.with_credentials(shared, Ada()) as ada,
        aioartifact.with_credentials(shared, provider_of("bob")) as bob,
    ):
        urls = [f"{base}/ada-local/small.bin"] * 10
        waiting = [asyncio.ensure_future(aioartifact.exists(url, session=ada)) for url in urls]
        await forced.wait()
        for _ in range(5):
            assert await aioartifact.exists(f"{base}/bob-local/small.bin", session=bob)
        waiting.pop().cancel()
        refused = server.count("GET", "api/storage/ada-local/**")
        assert 1 <= refused <= 2  # what was in flight; the others wait for the renewal before they are sent
        released.set()
        assert await asyncio.gather(*waiting) == [True] * 9
        slots = state_of(shared).server_limits
        assert {limits.queue.limit.in_flight for limits in slots.values()} == {0}
        assert {limits.queue.awaited for limits in slots.values()} == {0}


async def test_tenants_share_connections_and_limits(server, tap):
    """However many sessions there are, together they are one client to the server."""
    base = f"{tap.origin}/artifactory"
    limits = aioartifact.Limits(max_connections=3)
    async with aioartifact.session(base, limits=limits) as shared:
        for _ in range(20):
            async with aioartifact.with_credentials(shared, provider_of("ada")) as session:
                assert await aioartifact.exists(f"{base}/ada-local/small.bin", session=session)
        assert len(tap.received) == 1
        sessions = [aioartifact.with_credentials(shared, provider_of(name)) for name in TENANTS * 10]
        urls = [f"{base}/{name}-local/small.bin" for name in TENANTS * 10]
        await asyncio.gather(*(aioartifact.info(url, session=each) for url, each in zip(urls, sessions, strict=True)))
        for each in sessions:
            await each.close()
        assert not shared.closed
    assert server.max_in_flight <= 3


async def test_sessions_that_share_limits(server, tap):
    """Sessions with connections of their own, which together send no more than one would."""
    base = f"{tap.origin}/artifactory"
    limits = aioartifact.Limits(max_connections=3)
    async with (
        aioartifact.session(base, auth=provider_of("ada"), limits=limits) as ada,
        aioartifact.session(base, auth=provider_of("bob"), limits=ada) as bob,
    ):
        calls = [
            aioartifact.info(f"{base}/{name}-local/small.bin", session=each)
            for name, each in (("ada", ada), ("bob", bob)) * 20
        ]
        await asyncio.gather(*calls)
        assert state_of(bob).limits == limits
        await ada.close()
        assert await aioartifact.exists(f"{base}/bob-local/small.bin", session=bob)
        with pytest.raises(aioartifact.SessionError, match="closed"):
            await aioartifact.open_session(base, limits=ada)
    assert server.max_in_flight <= 3


async def test_limits_of_a_session_from_elsewhere():
    async with aiohttp.ClientSession() as own:
        with pytest.raises(aioartifact.InvalidArgumentError, match="not opened by aioartifact"):
            await aioartifact.open_session(limits=own)


async def test_tenant_has_nothing_of_the_configuration(server, tap, monkeypatch):
    """A server that auth is not for gets no credentials: not those of the service, nor of its environment."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", "service")
    monkeypatch.setenv("ARTIFACTORY_API_KEY", SECRETS["service"])
    async with ArtifactoryServer() as other, aioartifact.session(f"{tap.origin}/artifactory") as shared:
        other.put("generic-local/x", b"x")
        async with aioartifact.with_credentials(shared, provider_of("ada")) as session:
            with pytest.raises(aioartifact.AuthenticationError, match="with_credentials"):
                await aioartifact.info(f"{other.url}/generic-local/x", session=session)
        assert [request.had_credentials for request in other.requests] == [False]


async def test_header_fields_of_the_shared_session_are_not_inherited_if_they_are_credentials(server, tap):
    base = f"{tap.origin}/artifactory"
    async with aioartifact.session(base, auth=Credentials.anonymous()) as shared:
        shared.headers["Authorization"] = f"Bearer {SECRETS['service']}"
        shared.headers["x-jfrog-art-api"] = SECRETS["service"]
        shared.headers["X-Trace"] = "1"
        async with aioartifact.with_credentials(shared, Credentials.bearer(SECRETS["ada"])) as session:
            assert await aioartifact.exists(f"{base}/ada-local/small.bin", session=session)
    assert SECRETS["service"].encode() not in b"".join(tap.requests)
    assert b"X-Trace: 1" in tap.requests[0]


async def test_closed_tenant_and_closed_service(server, tap, shared):
    """A closed tenant session leaves the shared one open; with the shared one, all are closed."""
    url = f"{tap.origin}/artifactory/ada-local/small.bin"
    session = aioartifact.with_credentials(shared, provider_of("ada"))
    assert await aioartifact.exists(url, session=session)
    await session.close()
    with pytest.raises(aioartifact.SessionError, match="closed"):
        await aioartifact.exists(url, session=session)
    later = aioartifact.with_credentials(shared, provider_of("ada"))
    assert await aioartifact.exists(url, session=later)
    await shared.close()
    with pytest.raises(aioartifact.SessionError, match="closed"):
        await aioartifact.exists(url, session=later)
    with pytest.raises(aioartifact.SessionError, match="closed"):
        aioartifact.with_credentials(shared, provider_of("ada"))
    await later.close()


async def test_tenant_of_a_tenant(server, tap, shared):
    url = f"{tap.origin}/artifactory/bob-local/small.bin"
    async with (
        aioartifact.with_credentials(shared, provider_of("ada")) as first,
        aioartifact.with_credentials(first, provider_of("bob")) as second,
    ):
        assert await aioartifact.exists(url, session=second)
    assert SECRETS["ada"].encode() not in b"".join(tap.requests)


def test_tenant_in_another_loop_or_in_none():
    """A session of a service is used in its loop; elsewhere the error says so."""
    with asyncio.Runner() as first, asyncio.Runner() as second:
        shared = first.run(aioartifact.open_session("https://host.invalid/artifactory"))

        async def derive():
            return aioartifact.with_credentials(shared, ("ada", "pw"))

        with pytest.raises(aioartifact.SessionError, match="another event loop"):
            second.run(derive())
        with pytest.raises(aioartifact.SessionError, match="another event loop"):
            aioartifact.with_credentials(shared, ("ada", "pw"))
        first.run(first.run(derive()).close())
        first.run(shared.close())


@pytest.mark.parametrize("auth", [None, 5, "token", object()])
async def test_auth_that_is_none(shared, auth):
    with pytest.raises(aioartifact.InvalidArgumentError, match="auth is"):
        aioartifact.with_credentials(shared, auth)


async def test_auth_without_a_server():
    async with aioartifact.session() as shared:
        with pytest.raises(aioartifact.InvalidArgumentError, match="without a server"):
            aioartifact.with_credentials(shared, ("ada", "pw"))


@pytest.mark.slow
@pytest.mark.parametrize("knows_time", [True, False], ids=["client-knows", "only-401"])
async def test_ten_minutes_with_tokens_of_a_minute(monkeypatch, knows_time):
    """
    200 tasks of two tenants, for ten minutes of the server's clock, with tokens that expire after 60 s.

    No request of a task fails, and there is one renewal per expiry and tenant, whether the client sees the time pass
    and renews before, or learns from the 401 that the token has expired.
    """
    time = ManualClock()
    start = time()
    now = time if knows_time else (lambda: start)
    clock = Clock(now, lambda: datetime.fromtimestamp(now(), UTC), lambda _: anyio.lowlevel.checkpoint(), lambda: 0.5)
    monkeypatch.setattr("aioartifact._api.session.SessionState", partial(SessionState, clock=clock))
    calls: dict[str, list[tuple[float, bool]]] = {name: [] for name in TENANTS}

    class Tenant:
        def __init__(self, name: str) -> None:
            self.name = name

        async def credentials(self, *, force: bool) -> Credentials:
            calls[self.name].append((time() - start, force))
            await anyio.lowlevel.checkpoint()
            return Credentials.bearer(server.issue_token(self.name, expires_in=60))

    async with ArtifactoryServer(clock=time) as server:
        for name in TENANTS:
            server.add_user(name, password="pw")
            server.create_repository(f"{name}-local")
            server.grant(name, f"{name}-local", "r")
            server.put(f"{name}-local/a", name.encode())
        server.clear_log()
        async with (
            aioartifact.session(server.url, auth=Credentials.anonymous()) as shared,
            aioartifact.with_credentials(shared, Tenant("ada")) as ada,
            aioartifact.with_credentials(shared, Tenant("bob")) as bob,
        ):
            sessions = {"ada": ada, "bob": bob}

            async def work(name: str) -> None:
                got = await aioartifact.read_bytes(f"{server.url}/{name}-local/a", session=sessions[name])
                assert got == name.encode()

            for _ in range(60):  # the whole of each round is in flight at once
                await asyncio.gather(*(work(name) for name in TENANTS * 100))
                time.advance(10)
        statuses = [request.status for request in server.requests]
    assert statuses.count(200) == 60 * 200
    for name in TENANTS:
        if knows_time:
            assert calls[name] == [(seconds, False) for seconds in range(0, 600, 50)]
        else:
            assert calls[name] == [(0, False), *((seconds, True) for seconds in range(60, 600, 60))]
    if knows_time:
        assert set(statuses) == {200}
