"""The providers that come with the library: OIDC, RefreshingToken, Keyring and Command."""

import asyncio
import base64
import json
import logging
import re
import ssl
import sys
import warnings
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import keyring
import keyring.backend
import keyring.errors
import pytest
import trustme
from keyring.credentials import SimpleCredential
from raw_http import raw_server, response

import aioartifact
from aioartifact import OIDC, Command, Keyring, RefreshingToken
from aioartifact._credentials import read_helper_output
from aioartifact._session import Clock, SessionState
from aioartifact.testing import ArtifactoryServer, Fault, ManualClock

pytestmark = pytest.mark.slow

PATH = "generic-local/a.bin"
CANARY = "canary-5ecret"


@pytest.fixture
def time(monkeypatch):
    """The clock of the server and of sessions."""
    clock = ManualClock()
    virtual = Clock(
        clock, lambda: datetime.fromtimestamp(clock(), UTC), lambda _: anyio.lowlevel.checkpoint(), lambda: 0.5
    )
    monkeypatch.setattr("aioartifact._api.session.SessionState", partial(SessionState, clock=virtual))
    return clock


@pytest.fixture
async def server(time):
    async with ArtifactoryServer(clock=time, profile="7.x") as running:
        running.put(PATH, b"bytes")
        running.add_user("ci", password="pw", admin=True)
        running.map_identity("github", "ci", claims={"sub": "repo:org/*"}, expires_in=60)
        running.clear_log()
        yield running


@pytest.fixture
def url(server):
    return f"{server.url}/{PATH}"


def identity_token(**claims: object) -> str:
    """A token as a CI provider makes one."""
    parts = [{"alg": "none"}, {"sub": "repo:org/project", "canary": CANARY} | claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2ln"])


async def use_for(seconds: int, time: ManualClock, url: str, session) -> None:
    """Send a request every five seconds."""
    for _ in range(0, seconds, 5):
        assert await aioartifact.read_bytes(url, session=session) == b"bytes"
        time.advance(5)


# OIDC


async def test_token_of_github_actions(server, url, time, monkeypatch):
    """The identity token is requested with the audience, and exchanged; both again before the expiry."""
    seen = []

    def github(request):
        seen.append(request)
        return response(json.dumps({"value": identity_token()}).encode())

    async with raw_server(github) as issuer:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{issuer.origin}/token?api-version=2.0")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-token")
        async with aioartifact.session(server.url, auth=OIDC("github", audience="jfrog & co")) as session:
            await use_for(120, time, url, session)
    assert len(seen) == 3
    assert seen[0].target == "/token?api-version=2.0&audience=jfrog%20%26%20co"
    assert seen[0].headers["authorization"] == "Bearer job-token"
    assert server.count("POST", "access/api/v1/oidc/token") == 3
    assert {request.status for request in server.requests} == {200}


@pytest.mark.parametrize("source", ["variable", "file", "function", "async function", "jfrog variable"])
async def test_identity_token_of_other_ci_systems(server, url, tmp_path, monkeypatch, source):
    token = identity_token()
    (tmp_path / "token").write_text(f"{token}\n")
    monkeypatch.setenv("JFROG_ID_TOKEN", token)

    async def provide() -> str:
        return token

    options = {
        "variable": {"variable": "JFROG_ID_TOKEN"},
        "file": {"file": tmp_path / "token"},
        "function": {"id_token": lambda: token},
        "async function": {"id_token": provide},
        "jfrog variable": {},
    }
    if source == "jfrog variable":
        monkeypatch.setenv("JFROG_CLI_OIDC_EXCHANGE_TOKEN_ID", token)
    async with aioartifact.session(server.url, auth=OIDC("github", **options[source])) as session:
        assert await aioartifact.exists(url, session=session)


async def test_options_of_the_exchange(tmp_path):
    """They are sent by the names that the server has for them."""
    bodies = []

    def answer(request):
        bodies.append(json.loads(request.body))
        return response(json.dumps({"access_token": "t", "expires_in": 3600}).encode())

    options = {"project_key": "p", "identity_mapping": "m", "application_key": "a", "provider_type": "GitHub"}
    async with raw_server(answer) as issuer:
        provider = OIDC("github", id_token=lambda: "jwt", server=issuer.url, **options)
        found = await provider.credentials(force=False)
    assert (found.kind, found.secret, found.source) == ("bearer", "t", "OIDC provider 'github'")
    assert found.expires_at is not None
    assert bodies == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "subject_token": "jwt",
            "provider_name": "github",
            "project_key": "p",
            "identity_mapping_name": "m",
            "application_key": "a",
            "provider_type": "GitHub",
        }
    ]


async def test_identity_token_that_the_server_refuses(server, url, caplog):
    """The error has the server's reason, and none of the tokens."""
    token = identity_token(sub="someone-else")
    async with aioartifact.session(server.url, auth=OIDC("github", id_token=lambda: token)) as session:
        with pytest.raises(
            aioartifact.CredentialsError, match="exchanged no token: status 401, Bad Credentials"
        ) as caught:
            await aioartifact.info(url, session=session)
    for secret in (CANARY, token):
        assert secret not in f"{caught.value!r}{caplog.text}"


async def test_server_that_quotes_the_token(time):
    """What the server says is shown without what it was sent."""
    token = identity_token()
    body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": f"bad token {token}"}]}).encode()
    async with raw_server(lambda _: response(body, status=401)) as issuer:
        provider = OIDC("github", id_token=lambda: token, server=issuer.url)
        with pytest.raises(aioartifact.CredentialsError, match=r"bad token \*\*\*") as caught:
            await provider.credentials(force=False)
    assert token not in repr(caught.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({}, "no identity token", id="nothing"),
        pytest.param({"variable": "NOT_SET"}, "environment NOT_SET", id="variable"),
        pytest.param({"file": "/does/not/exist"}, "/does/not/exist", id="file"),
        pytest.param({"file": "/"}, "Is a directory", id="folder"),
        pytest.param({"id_token": lambda: None}, "id_token", id="function"),
    ],
)
async def test_no_identity_token(server, url, options, reason):
    async with aioartifact.session(server.url, auth=OIDC("github", **options)) as session:
        with pytest.raises(aioartifact.CredentialsError, match=reason):
            await aioartifact.info(url, session=session)
    assert server.requests == []


@pytest.mark.parametrize(("status", "body"), [(403, b"{}"), (200, b"{}"), (200, b"<html>"), (200, b"[]")])
async def test_github_that_issues_no_token(server, url, monkeypatch, status, body):
    async with raw_server(lambda _: response(body, status=status)) as issuer:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{issuer.origin}/{CANARY}?a=b")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY)
        async with aioartifact.session(server.url, auth=OIDC("github")) as session:
            with pytest.raises(aioartifact.CredentialsError, match=f"no identity token: status {status}") as caught:
                await aioartifact.info(url, session=session)
    assert "id-token: write" in str(caught.value)
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize("verify", ["other", False], ids=["other-ca", "none"])
async def test_certificate_of_github_is_verified_by_the_system(server, url, tmp_path, monkeypatch, verify):
    """verify= is about the server: neither another CA nor no verification there has an effect on GitHub."""
    ca, other = trustme.CA(), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    for name, each in (("ca", ca), ("other", other)):
        each.cert_pem.write_to_path(tmp_path / name)
    answer = response(json.dumps({"value": identity_token()}).encode())
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY)
    options = {"auth": OIDC("github"), "verify": verify and tmp_path / "other"}
    async with raw_server(lambda _: answer, tls=context) as issuer:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{issuer.origin}/token")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of verify=False
            async with aioartifact.session(server.url, **options) as session:
                with pytest.raises(aioartifact.CredentialsError, match="no token from https"):
                    await aioartifact.info(url, session=session)
            assert issuer.requests == []
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca"))
            async with aioartifact.session(server.url, **options) as session:
                assert await aioartifact.exists(url, session=session)


async def test_exchange_is_retried_if_the_failure_may_pass(server, url, caplog):
    """A 503 and a lost connection are not the end; a third failure is. Retries are logged, and not counted."""
    caplog.set_level(logging.INFO, "aioartifact.retry")
    for fault in (Fault.status(503), Fault.reset()):
        server.fail("POST", "access/**", times=1, fault=fault)
    async with aioartifact.session(server.url, auth=OIDC("github", id_token=identity_token)) as session:
        assert await aioartifact.exists(url, session=session)
        assert aioartifact.stats(session).retries == 0
    assert [
        re.sub(r"(Client|Server)\w+Error|\d+\.\d s|http\S+/access", "*", message) for message in caplog.messages
    ] == [
        "POST */api/v1/oidc/token: 503; attempt 2 in *",
        "POST */api/v1/oidc/token: *; attempt 3 in *",
    ]
    server.fail("POST", "access/**", times=None, fault=Fault.reset())
    server.clear_log()
    async with aioartifact.session(server.url, auth=OIDC("github", id_token=identity_token)) as session:
        with pytest.raises(aioartifact.CredentialsError, match=r"no token from http.*oidc/token: "):
            await aioartifact.info(url, session=session)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("20", 20.0), ("0", 0.5), ("later", 0.5)],  # 0.5 is the back-off: half of a second
)
async def test_exchange_waits_as_long_as_the_response_demands(server, url, monkeypatch, time, value, seconds):
    """``Retry-After`` of a token request is honoured; back-off is never shorter than it."""
    waits = []

    async def sleep(duration):
        waits.append(duration)
        await anyio.lowlevel.checkpoint()

    clock = Clock(time, lambda: datetime.fromtimestamp(time(), UTC), sleep, lambda: 0.5)
    monkeypatch.setattr("aioartifact._api.session.SessionState", partial(SessionState, clock=clock))
    server.fail("POST", "access/**", times=1, fault=Fault.retry_after(429, value))
    async with aioartifact.session(server.url, auth=OIDC("github", id_token=identity_token)) as session:
        assert await aioartifact.exists(url, session=session)
    assert waits == [seconds]


async def test_exchange_is_not_retried_after_the_time_that_a_provider_has(server, url):
    """A ``Retry-After`` that is longer than ``Timeouts.credentials`` ends the exchange at once, with its status."""
    server.fail("POST", "access/**", fault=Fault.retry_after(503, "31"))
    async with aioartifact.session(server.url, auth=OIDC("github", id_token=identity_token)) as session:
        with pytest.raises(aioartifact.CredentialsError, match="503"):
            await aioartifact.info(url, session=session)
    assert len(server.requests) == 1


async def test_exchange_does_not_follow_a_redirect(server, url):
    """The identity token is for this server."""
    async with ArtifactoryServer() as other:
        server.fail("POST", "access/**", fault=Fault.redirect(f"{other.url}/x"))
        async with aioartifact.session(server.url, auth=OIDC("github", id_token=identity_token)) as session:
            with pytest.raises(aioartifact.CredentialsError, match="status 30"):
                await aioartifact.info(url, session=session)
        assert other.requests == []


@pytest.mark.parametrize("occupied", [1, 4])
async def test_exchange_needs_no_slot_of_the_requests_that_wait_for_it(server, url, time, occupied):
    """However few requests may be in flight, and even if all of them were refused and wait."""
    limits = aioartifact.Limits(max_connections=occupied)
    async with aioartifact.session(server.url, auth=OIDC("github", id_token=identity_token), limits=limits) as session:
        await aioartifact.info(url, session=session)
        server.fail("GET", "api/storage/**", times=occupied, fault=Fault.expired_token())
        found = await asyncio.gather(*(aioartifact.info(url, session=session) for _ in range(20)))
    assert {each.size for each in found} == {5}
    assert server.count("POST", "access/api/v1/oidc/token") == 2


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: OIDC(""), id="empty"),
        pytest.param(lambda: OIDC(None), id="none"),
        pytest.param(lambda: OIDC(5), id="number"),
        pytest.param(lambda: OIDC("x", variable=""), id="variable"),
        pytest.param(lambda: OIDC("x", file=5), id="file"),
        pytest.param(lambda: OIDC("x", id_token="jwt"), id="token-itself"),
        pytest.param(lambda: OIDC("x", variable="A", file="b"), id="two-sources"),
        pytest.param(lambda: OIDC("x", project_key=5), id="project"),
        pytest.param(lambda: OIDC("x", server="host"), id="server"),
        pytest.param(lambda: RefreshingToken("a", "b", api="x"), id="api"),
        pytest.param(lambda: RefreshingToken("a", 5), id="refresh-number"),
        pytest.param(lambda: RefreshingToken(None, "b"), id="access-none"),
        pytest.param(lambda: RefreshingToken("a", "b", on_refresh=5), id="on_refresh"),
        pytest.param(lambda: Keyring(""), id="service"),
        pytest.param(lambda: Keyring(username=5), id="username"),
        pytest.param(lambda: Command("helper get"), id="command-line"),
        pytest.param(lambda: Command([]), id="no-command"),
        pytest.param(lambda: Command([5]), id="command-number"),
        pytest.param(lambda: Command(["a\0b"]), id="command-nul"),
        pytest.param(lambda: Command(["x"], stdin="x"), id="stdin"),
        pytest.param(lambda: Command(["x"], timeout=0), id="timeout"),
        pytest.param(lambda: Command(["x"], env=5), id="env"),
        pytest.param(lambda: Command(["x"], env={"A": 1}), id="env-number"),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(aioartifact.InvalidArgumentError) as caught:
        make()
    assert str(caught.value)


def test_empty_tokens():
    for pair in (("", "b"), ("a", ""), ("a b", "c")):
        with pytest.raises(aioartifact.CredentialsError) as caught:
            RefreshingToken(*pair)
        assert "a b" not in str(caught.value)


async def test_provider_by_itself_needs_a_server():
    with pytest.raises(aioartifact.InvalidArgumentError, match="does not know the server"):
        await OIDC("github").credentials(force=False)


def test_reprs_have_no_secret():
    made = [OIDC("x", id_token=lambda: CANARY), RefreshingToken(CANARY, CANARY), Command(["x", CANARY])]
    assert CANARY not in repr(made)


# RefreshingToken


async def issue_pair(server, *, api: str = "access", expires_in: int = 60, username: str = "ci") -> tuple[str, str]:
    """Have the server issue a token that can be refreshed."""
    import aiohttp

    basic = aiohttp.encode_basic_auth("ci", "pw")
    authorization = {"Authorization": basic if api == "artifactory" else f"Bearer {server.issue_token('ci')}"}
    wishes = {"refreshable": True, "expires_in": expires_in, "username": username}
    if api == "access":
        address, body = f"{server.origin}/access/api/v1/tokens", {"json": wishes}
    else:
        address, body = f"{server.url}/api/security/token", {"data": {k: str(v).lower() for k, v in wishes.items()}}
    async with aiohttp.ClientSession(headers=authorization) as session, session.post(address, **body) as reply:
        assert reply.status == 200, await reply.text()
        document = await reply.json()
    server.clear_log()
    return document["access_token"], document["refresh_token"]


@pytest.mark.parametrize(("issued", "api"), [("access", None), ("access", "access"), ("artifactory", "artifactory")])
async def test_refresh(server, url, time, issued, api):
    """The token is refreshed before it expires, and each pair is handed to the callback."""
    pair = await issue_pair(server, api=issued)
    saved = []
    provider = RefreshingToken(*pair, api=api, on_refresh=lambda access, refresh: saved.append((access, refresh)))
    async with aioartifact.session(server.url, auth=provider) as session:
        await use_for(180, time, url, session)
    assert len(saved) == 3
    assert len({*saved, pair}) == 4
    assert {request.status for request in server.requests} == {200}


async def test_server_without_access(url, time):
    """A server before 7 has no Access: its own end point refreshes."""
    async with ArtifactoryServer(clock=time, profile="6.20") as server:
        server.put(PATH, b"bytes")
        server.add_user("ci", password="pw", admin=True)
        provider = RefreshingToken(*await issue_pair(server, api="artifactory"))
        async with aioartifact.session(server.url, auth=provider) as session:
            await use_for(120, time, f"{server.url}/{PATH}", session)
        assert server.count("POST", "api/security/token") == 2


async def test_expired_token_is_refreshed_after_the_401(server, url, time):
    provider = RefreshingToken(*await issue_pair(server))
    time.advance(3600)
    async with aioartifact.session(server.url, auth=provider) as session:
        assert await aioartifact.exists(url, session=session)


async def test_refused_refresh(server, url, time):
    """An AuthenticationError that names the refusal, and neither token."""
    access, _ = await issue_pair(server)
    time.advance(3600)
    async with aioartifact.session(server.url, auth=RefreshingToken(access, CANARY)) as session:
        with pytest.raises(aioartifact.AuthenticationError) as caught:
            await aioartifact.info(url, session=session)
    assert "refreshed no token: status 401, The refresh token is invalid" in str(caught.value)
    assert access not in repr(caught.value)
    assert CANARY not in repr(caught.value)


async def test_sessions_share_the_tokens(server, url, time):
    """Two sessions find the token refused at once: one refresh, since the second one would end the first."""
    provider = RefreshingToken(*await issue_pair(server))
    async with (
        aioartifact.session(server.url, auth=provider) as first,
        aioartifact.session(server.url, auth=provider) as second,
    ):
        for _ in range(4):
            await asyncio.gather(*(aioartifact.info(url, session=each) for each in [first, second] * 10))
            time.advance(61)
    assert server.count("POST", "access/api/v1/tokens") == 3


async def test_callback_that_raises_loses_nothing(server, url, time, caplog):
    def fail(access: str, refresh: str) -> None:
        raise RuntimeError(refresh)

    pair = await issue_pair(server)
    async with aioartifact.session(server.url, auth=RefreshingToken(*pair, on_refresh=fail)) as session:
        await use_for(120, time, url, session)
    assert "on_refresh raised RuntimeError" in caplog.text
    assert not any(secret in caplog.text for secret in pair)


async def test_cancelled_refresh_keeps_the_new_pair(server, url, time, monkeypatch):
    """Whenever the request is cancelled, the refresh token that is valid is not lost."""
    provider = RefreshingToken(*await issue_pair(server, expires_in=10_000))
    released, started = anyio.Event(), anyio.Event()

    async def save(access: str, refresh: str) -> None:
        started.set()
        await released.wait()

    provider._on_refresh = save
    async with aioartifact.session(server.url, auth=provider) as session:
        await aioartifact.info(url, session=session)
        server.fail("GET", "api/storage/**", times=1, fault=Fault.expired_token())
        task = asyncio.ensure_future(aioartifact.info(url, session=session))
        await started.wait()
        task.cancel()
        released.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        provider._on_refresh = None
        assert await aioartifact.exists(url, session=session)


# Keyring


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring of entries in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, tuple[str, str]] = {}
        self.error: Exception | None = None

    def get_credential(self, service, username):
        if self.error:
            raise self.error
        found = self.entries.get(service)
        return SimpleCredential(*found) if found and username in (None, found[0]) else None

    def get_password(self, service, username):
        found = self.get_credential(service, username)
        return found and found.password

    def set_password(self, service, username, password):
        self.entries[service] = (username, password)


@pytest.fixture
def entries():
    backend, before = MemoryKeyring(), keyring.get_keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.mark.parametrize(("service", "username"), [(None, None), (None, "ci"), ("own", "ci")])
async def test_entry_of_the_keyring(server, url, entries, service, username):
    entries.set_password(service or server.url, "ci", "pw")
    async with aioartifact.session(server.url, auth=Keyring(service, username=username)) as session:
        assert await aioartifact.exists(url, session=session)


async def test_token_in_the_keyring(server, url, entries):
    entries.set_password(server.url, "__token__", server.issue_token("ci"))
    async with aioartifact.session(server.url, auth=Keyring()) as session:
        assert await aioartifact.exists(url, session=session)


async def test_password_that_was_changed_in_the_keyring(server, url, entries):
    """A 401 reads it again."""
    entries.set_password(server.url, "ci", "pw")
    async with aioartifact.session(server.url, auth=Keyring()) as session:
        assert await aioartifact.exists(url, session=session)
        server.add_user("ci", password="changed", admin=True)
        entries.set_password(server.url, "ci", "changed")
        assert await aioartifact.exists(url, session=session)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, "no entry of user 'ci'"), (keyring.errors.KeyringLocked(CANARY), "KeyringLocked")],
    ids=["missing", "locked"],
)
async def test_keyring_without_an_entry(server, url, entries, error, reason):
    entries.error = error
    async with aioartifact.session(server.url, auth=Keyring(username="ci")) as session:
        with pytest.raises(aioartifact.CredentialsError, match=reason) as caught:
            await aioartifact.info(url, session=session)
    assert CANARY not in repr(caught.value)


def test_keyring_that_is_not_installed(monkeypatch):
    monkeypatch.setattr("aioartifact._api.providers.keyring.find_spec", lambda _: None)
    with pytest.raises(aioartifact.ConfigurationError, match=r"aioartifact\[keyring\]"):
        Keyring()


# Command


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


OUTPUTS = {
    "token": "{token}",
    "json-token": '{{"token": "{token}"}}',
    "oauth": '{{"access_token": "{token}", "expires_in": 3600}}',
    "json-pair": '{{"username": "ci", "password": "pw", "expires_at": "2030-01-01T00:00:00Z"}}',
    "docker": '{{"ServerURL": "x", "Username": "ci", "Secret": "pw"}}',
    "docker-token": '{{"Username": "<token>", "Secret": "{token}"}}',
    "kubectl": '{{"kind": "ExecCredential", "status": {{"token": "{token}"}}}}',
    "git": "protocol=https\nhost=x\nusername=ci\npassword=pw\npassword_expiry_utc=1900000000\n",
}


@pytest.mark.parametrize("form", OUTPUTS)
async def test_helper_program(server, url, form, tmp_path):
    """Each known format of output is understood."""
    (tmp_path / "output").write_text(OUTPUTS[form].format(token=server.issue_token("ci")))
    code = f"print(open({str(tmp_path / 'output')!r}).read())"
    async with aioartifact.session(server.url, auth=Command(python(code))) as session:
        assert await aioartifact.exists(url, session=session)


@pytest.mark.parametrize(
    ("output", "expiry"),
    [
        ('{"token": "x", "expires_in": 60}', 1060),
        ('{"token": "x", "expires_in": "60"}', 1060),
        ('{"token": "x", "expires_at": "1970-01-01T01:00:00Z"}', 3600),
        ('{"token": "x", "expires_at": "1970-01-01T01:00:00"}', 3600),
        ('{"status": {"token": "x", "expirationTimestamp": "1970-01-01T01:00:00+00:00"}}', 3600),
        ("username=a\npassword=b=c\npassword_expiry_utc=2000", 2000),
        ('{"token": "x"}', None),
        ('{"token": "x", "expires_at": "soon"}', None),
        ('{"token": "x", "expires_in": 1e300}', None),
        ('{"token": "x", "expires_in": []}', None),
        ('{"token": "x", "expires_at": 5}', None),
    ],
)
def test_expiry_in_the_output(output, expiry):
    found = read_helper_output(output.encode(), "command x", 1000.0)
    assert (found.expires_at and found.expires_at.timestamp()) == expiry


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"two words " + CANARY.encode(),
        b"{" + CANARY.encode(),
        b"[1]",
        b'{"error": "x"}',
        b'{"username": "ci"}',
        b'{"token": 5}',
        b'{"token": "a b"}',
        b"\xff" + CANARY.encode(),
        b"username=ci\n",
        b"password=x\n",
        b"[" * 100_000,
        b"{" + b'"a":{' * 100_000,
    ],
    ids=range(13),
)
def test_output_without_credentials(output):
    with pytest.raises(aioartifact.CredentialsError, match="command x") as caught:
        read_helper_output(output, "command x", 0.0)
    assert CANARY not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("stdin", "received"), [("none", ""), ("url", "{url}\n"), ("git", "{git}")])
async def test_input_and_variables_of_the_helper(server, url, tmp_path, stdin, received, monkeypatch):
    """It learns the server, and whether its last answer was refused."""
    log = tmp_path / "log"
    code = (
        "import os, sys, json; e = os.environ; print('wrong' if not e.get('AIOARTIFACT_FORCE') else e['RIGHT'])\n"
        f"f = open({str(log)!r}, 'a')\n"
        "f.write(json.dumps([sys.stdin.read(), e['AIOARTIFACT_SERVER'], e.get('AIOARTIFACT_FORCE')]) + '\\n')"
    )
    helper = Command(python(code), stdin=stdin, env={"RIGHT": server.issue_token("ci")})
    async with aioartifact.session(server.url, auth=helper) as session:
        assert await aioartifact.exists(url, session=session)
    host = server.origin.partition("://")[2]
    expected = received.format(url=server.url, git=f"protocol=http\nhost={host}\npath=artifactory\n\n")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines == [[expected, server.url, ""], [expected, server.url, "1"]]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        pytest.param(
            python(f"import sys; sys.stderr.write('{CANARY}'); sys.exit(3)"), "ended with status 3", id="exit"
        ),
        pytest.param(["/does/not/exist", CANARY], "cannot be run: No such file", id="missing"),
        pytest.param(python("print('x' * 100_000)"), "printed more than 65536 bytes", id="large"),
        pytest.param(python(f"print('{CANARY} and more')"), "printed no credentials", id="text"),
        pytest.param(python("import os; os.kill(os.getpid(), 9)"), "ended with status -9", id="killed"),
    ],
)
async def test_helper_that_fails(server, url, command, reason, capfd, caplog):
    """The error says how; nothing that the program prints is shown, nor its arguments."""
    async with aioartifact.session(server.url, auth=Command(command)) as session:
        with pytest.raises(aioartifact.CredentialsError, match=reason) as caught:
            await aioartifact.info(url, session=session)
    shown = capfd.readouterr()
    assert CANARY not in f"{caught.value!r}{shown.out}{shown.err}{caplog.text}"


def is_alive(pid: int) -> bool:
    """Whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


HANGING = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1], sys.argv[1] + ".done")
time.sleep(1000)
"""


async def pids_in(file: Path) -> list[int]:
    while not file.exists():  # noqa: ASYNC110  # another process writes it
        await asyncio.sleep(0.01)
    return list(map(int, file.read_text().split()))


async def assert_ended(pids: list[int]) -> None:
    with anyio.fail_after(30):
        while any(map(is_alive, pids)):  # noqa: ASYNC110  # the kernel ends them when it does
            await asyncio.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_helper_that_hangs_is_killed_when_cancelled(server, url, tmp_path):
    """With its children, and at once."""
    helper = Command([sys.executable, "-c", HANGING, str(tmp_path / "pid")], timeout=1000)
    timeouts = aioartifact.Timeouts(credentials=1000)
    async with aioartifact.session(server.url, auth=helper, timeouts=timeouts) as session:
        task = asyncio.ensure_future(aioartifact.info(url, session=session))
        pids = await pids_in(tmp_path / "pid.done")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await assert_ended(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_helper_is_killed_when_cancelled_in_the_midst_of_its_start(server, url, tmp_path, monkeypatch):
    """The program runs already when the event loop has yet to connect its pipes."""
    helper = Command([sys.executable, "-c", HANGING, str(tmp_path / "pid")], timeout=1000)
    real, goes_on = anyio.open_process, asyncio.Event()

    async def slow(*arguments, **options):
        process = await real(*arguments, **options)
        await goes_on.wait()
        return process

    monkeypatch.setattr(anyio, "open_process", slow)
    async with aioartifact.session(server.url, auth=helper) as session:
        task = asyncio.ensure_future(aioartifact.info(url, session=session))
        pids = await pids_in(tmp_path / "pid.done")
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # an impatient user
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    await assert_ended(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_helper_that_hangs_is_killed_after_its_time(server, url, tmp_path):
    helper = Command([sys.executable, "-c", HANGING, str(tmp_path / "pid")], timeout=2)
    async with aioartifact.session(server.url, auth=helper) as session:
        with pytest.raises(aioartifact.CredentialsError, match="did not end within 2 s"):
            await aioartifact.info(url, session=session)
    if (tmp_path / "pid.done").exists():
        await assert_ended(await pids_in(tmp_path / "pid.done"))
