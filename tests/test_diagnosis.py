"""``diagnose``: each fault of a server, or of the way to it, is a finding that says what to do."""

import asyncio
import datetime as dt
import json
import socket
import ssl
from email.utils import format_datetime

import aiohttp
import pytest
import trustme
from proxy import authenticating_proxy
from raw_http import raw_server, response

import aioartifact
from aioartifact._address import parse_server_url
from aioartifact._diagnosis import (
    address_candidates,
    judge_certificate,
    judge_clock,
    judge_latency,
    judge_storage,
)
from aioartifact._session import state_of
from aioartifact.testing import ArtifactoryServer, Fault

CHECKS = ["dns", "proxy", "connection", "address", "clock", "latency", "credentials", "version", "repositories"]
CHECKS += ["listing", "aql", "ranges", "storage", "checksums"]
CANARY = "s3cr3t-canary"
ONCE = aioartifact.RetryPolicy.none()


def statuses(found):
    return {finding.check: finding.status for finding in found.findings}


def problems(found):
    """The checks that are not ok."""
    return {check: status for check, status in statuses(found).items() if status != "ok"}


@pytest.fixture
def filled(server):
    """A server with a file in a folder."""
    server.put("generic-local/a/b.bin", b"123")
    return server


async def test_nothing_is_wrong(filled, session):
    """All checks are made, with less than thirty requests, and nothing is changed."""
    found = await aioartifact.diagnose(filled.url, session=session)
    assert found.ok
    assert found.url == filled.url
    assert [finding.check for finding in found.findings] == CHECKS
    assert problems(found) == {}
    assert {record.method for record in filled.requests} <= {"GET", "POST"}
    assert [record.path for record in filled.requests if record.method == "POST"] == ["api/search/aql"]
    assert len(filled.requests) < 30
    assert "Artifactory 6.20.0, with a Pro licence" in found["version"].text
    assert found["credentials"].text == "user 'admin', from the argument auth"
    assert str(found).startswith(f"{filled.url}\nok    dns")


async def test_without_a_session(filled, monkeypatch):
    """One is opened; credentials are looked up, and their source is named."""
    monkeypatch.setenv("JF_URL", filled.origin)
    monkeypatch.setenv("JF_ACCESS_TOKEN", filled.token)
    found = await aioartifact.diagnose(filled.url)
    assert found.ok
    assert found["credentials"].text == "access token from environment JF_ACCESS_TOKEN"


# Name, connection, proxy


async def test_unknown_host():
    """Nothing else is checked."""
    found = await aioartifact.diagnose("https://nothing.invalid/artifactory")
    assert statuses(found) == {"dns": "fail"}
    assert not found.ok
    assert "check the host name" in found["dns"].hint


async def test_closed_port():
    """The message of the system."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = await aioartifact.diagnose(f"http://127.0.0.1:{free.getsockname()[1]}/artifactory")
    assert problems(found) == {"connection": "fail"}
    assert "check host and port" in found["connection"].hint


async def test_silent_server():
    """A connection on which nothing answers ends after the time limit of the session."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/artifactory"
        limits = aioartifact.Timeouts(connect=0.2, reply=0.2)
        async with aioartifact.session(timeouts=limits, retry=ONCE) as session:
            found = await aioartifact.diagnose(url, session=session)
            assert problems(found) == {"tls": "fail"}
            assert "no answer within 0.2 s" in found["tls"].text
            found = await aioartifact.diagnose(url.replace("https", "http"), session=session)
            assert problems(found) == {"address": "fail"}


@pytest.mark.parametrize("login", ["ada:pr0xy-canary", "ada:wrong-canary"])
async def test_proxy_with_a_login(filled, monkeypatch, login):
    """The proxy is named without its login; one that refuses is a failure of all requests."""
    with authenticating_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{login}@127.0.0.1:{proxy.port}")
        async with aioartifact.session(filled.url, auth=("admin", filled.password), retry=ONCE) as session:
            found = await aioartifact.diagnose(filled.url, session=session)
    assert "dns" not in statuses(found)
    assert found["proxy"].text.endswith(f"127.0.0.1:{proxy.port}, from the environment")
    assert "canary" not in str(found)
    assert found.ok is (login == proxy.login)
    if not found.ok:
        assert "407" in found["address"].text


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        pytest.param(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "refused with 407", id="login"),
        pytest.param(b"HTTP/1.1 503 \xff\r\n\r\n", "refused with 503", id="down"),
        pytest.param(b"what\r\n\r\n", "refused with something else", id="not-http"),
        pytest.param(b"HTTP/1.1 200", "not valid HTTP", id="cut"),
        pytest.param(b"x" * 70_000, "not valid HTTP", id="endless"),
        pytest.param(b"", "not valid HTTP", id="closed"),
    ],
)
async def test_proxy_that_refuses_a_tunnel(answer, problem):
    """The connection to the proxy fails, not the server's."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        async with aioartifact.session(proxy=f"http://ada:{CANARY}@{address}", retry=ONCE) as session:
            found = await aioartifact.diagnose("https://nothing.invalid/artifactory", session=session)
    assert problems(found) == {"connection": "fail"}
    assert problem in found["connection"].text
    assert "check the address of the proxy" in found["connection"].hint
    assert CANARY not in f"{found}{found!r}"


async def test_proxy_that_does_not_exist(monkeypatch):
    """The connection that fails is the one to the proxy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        async with aioartifact.session(proxy=f"http://{address}") as session:
            found = await aioartifact.diagnose("https://nothing.invalid/artifactory", session=session)
    assert problems(found) == {"connection": "fail"}
    assert found["proxy"].text == f"http://{address}, from the argument proxy"
    assert "check the address of the proxy" in found["connection"].hint


async def test_unusable_proxy_of_the_environment(monkeypatch):
    """The same error as that of other calls."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example")
    with pytest.raises(aioartifact.ConfigurationError, match="https_proxy"):
        await aioartifact.diagnose("https://nothing.invalid/artifactory")


# TLS


def tls_server(authority, name="127.0.0.1", **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


@pytest.fixture
def authority(tmp_path):
    """An authority, whose certificate is in ``ca.pem``."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    return made


@pytest.mark.parametrize(
    ("name", "is_trusted", "not_after", "hint"),
    [
        pytest.param("127.0.0.1", False, None, "CA certificates", id="unknown-authority"),
        pytest.param("other.example", True, None, "host name", id="wrong-name"),
        pytest.param("127.0.0.1", True, dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "clock", id="expired"),
    ],
)
async def test_certificate_that_is_refused(authority, tmp_path, name, is_trusted, not_after, hint):
    """The hint fits the fault."""
    dates = {"not_after": not_after, "not_before": dt.datetime(2019, 1, 1, tzinfo=dt.UTC)} if not_after else {}
    verify = tmp_path / "ca.pem" if is_trusted else True
    async with (
        ArtifactoryServer(ssl_context=tls_server(authority, name, **dates)) as server,
        aioartifact.session(verify=verify) as session,
    ):
        found = await aioartifact.diagnose(server.url, session=session)
        assert problems(found) == {"tls": "fail"}
        assert hint in found["tls"].hint
        assert server.requests == []


@pytest.mark.parametrize("proxied", [False, True])
async def test_certificate_that_is_accepted(authority, tmp_path, monkeypatch, proxied):
    """Authority and end of validity are reported, through a proxy, too."""
    with authenticating_proxy() as proxy:
        if proxied:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with (
            ArtifactoryServer(ssl_context=tls_server(authority)) as server,
            aioartifact.session(server.url, auth=("admin", "password"), verify=tmp_path / "ca.pem") as session,
        ):
            found = await aioartifact.diagnose(server.url, session=session)
    assert problems(found) == {"ranges": "warn"}  # there is no file
    assert found["tls"].text.startswith("TLSv1.3; certificate of trustme")
    assert bool(proxy.requests) is proxied


async def test_certificate_that_expires_soon(authority, tmp_path):
    """A warning."""
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=3, hours=1)
    async with (
        ArtifactoryServer(ssl_context=tls_server(authority, not_after=soon)) as server,
        aioartifact.session(server.url, auth=("admin", "password"), verify=tmp_path / "ca.pem") as session,
    ):
        found = await aioartifact.diagnose(server.url, session=session)
    assert found["tls"].status == "warn"
    assert "in 3 days" in found["tls"].text


async def test_certificate_that_is_not_verified(authority):
    """A warning."""
    with pytest.warns(UserWarning, match="not verified"):
        async with (
            ArtifactoryServer(ssl_context=tls_server(authority)) as server,
            aioartifact.session(server.url, auth=("admin", "password"), verify=False) as session,
        ):
            found = await aioartifact.diagnose(server.url, session=session)
    assert found["tls"].status == "warn"
    assert "was not verified" in found["tls"].text


async def test_plain_http_at_a_port_for_tls(filled):
    """The port does not speak TLS."""
    found = await aioartifact.diagnose(filled.url.replace("http:", "https:"))
    assert problems(found) == {"tls": "fail"}
    assert "check that the port serves HTTPS" in found["tls"].hint


async def test_missing_client_certificate(authority, tmp_path):
    """With TLS 1.3 the server refuses after the handshake, so the first request fails."""
    context = tls_server(authority)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    async with (
        ArtifactoryServer(ssl_context=context) as server,
        aioartifact.session(verify=tmp_path / "ca.pem", retry=ONCE) as session,
    ):
        found = await aioartifact.diagnose(server.url, session=session)
    assert not found.ok
    assert set(problems(found)) <= {"tls", "address"}


# Address


@pytest.mark.parametrize(
    ("context_path", "path", "status"),
    [
        pytest.param("/artifactory", "", "fail", id="host-alone"),
        pytest.param("/artifactory", "/generic-local/a", "fail", id="artifactory-left-out"),
        pytest.param("/artifactory", "/artifactory", "ok", id="right"),
        pytest.param("/artifactory", "/artifactory/generic-local", "ok", id="repository"),
        pytest.param("/artifactory", "/artifactory/generic-local/a/b.bin", "ok", id="file"),
        pytest.param("/tools/repo", "/tools/repo", "ok", id="context-path"),
        pytest.param("/tools/repo", "/tools/repo/generic-local", "fail", id="hidden-context-path"),
        pytest.param("/tools/repo", "/tools", "fail", id="too-short"),
        pytest.param("", "", "ok", id="root"),
    ],
)
async def test_address(context_path, path, status):
    """Where it is not the one in the URL, the right one is looked for on the way up, and named."""
    async with ArtifactoryServer(context_path=context_path) as server:
        server.put("generic-local/a/b.bin", b"123")
        auth = {server.origin: ("admin", server.password)}
        async with aioartifact.session(auth=auth, retry=ONCE) as session:
            found = await aioartifact.diagnose(f"{server.origin}{path}", session=session)
            assert [str(known) for known in state_of(session).servers] == [server.origin]
    if path == "/tools":
        assert problems(found) == {"address": "fail"}
        return
    assert found.url == server.url
    assert problems(found) == ({} if status == "ok" else {"address": "fail"})
    if status == "fail":
        assert found["address"].hint.startswith(f"use {server.url}")
        assert ("AIOARTIFACT_SERVER" in found["address"].hint) is (context_path != "/artifactory")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(response(b"<html>OK</html>", status=200, headers={"Content-Type": "text/html"}), id="web-page"),
        pytest.param(response(b"{}", status=404), id="not-found"),
        pytest.param(response(b"", status=404, headers={"X-JFrog-Version": "7.90.8"}), id="router-of-a-platform"),
        pytest.param(response(b"[1]", status=403), id="forbidden"),
        pytest.param(response(b"\xff" + b"[" * 5000, status=401), id="unreadable"),
        pytest.param(response(b"", status=500), id="error"),
    ],
)
async def test_something_else_than_artifactory(answer):
    """The first response is described."""
    async with raw_server(lambda request: answer) as other:
        found = await aioartifact.diagnose(other.url)
    assert problems(found) == {"address": "fail"}
    assert other.url in found["address"].text


@pytest.mark.parametrize("url", ["host/artifactory", f"https://ada:{CANARY}@host", "https://host?x", "", 3])
async def test_what_is_not_a_url(url):
    """An error at the call, without a secret."""
    with pytest.raises(aioartifact.InvalidURLError) as raised:
        await aioartifact.diagnose(url)
    assert CANARY not in str(raised.value)


def test_candidates():
    """The expected address first; each once; no more than a few requests for a long path."""
    written = parse_server_url("https://h/a/b/c/d/e/f/g/h/i")
    found = [str(each) for each in address_candidates(parse_server_url("https://h"), written)]
    assert found[0] == "https://h"
    assert len(found) == len(set(found)) == 8
    assert "https://h/artifactory" in found


# Credentials


@pytest.mark.parametrize("profile", ["6.20", "7.x"])
async def test_refused_credentials(profile):
    """User and source are named, the secret is not; no check follows that would lock the account."""
    async with ArtifactoryServer(profile=profile) as server:
        async with aioartifact.session(server.url, auth=("admin", CANARY), retry=ONCE) as session:
            found = await aioartifact.diagnose(server.url, session=session)
        assert problems(found) == {"credentials": "fail"}
        assert "user 'admin', from the argument auth: refused" in found["credentials"].text
        assert CANARY not in f"{found}{found!r}"
        assert sum(record.status == 401 for record in server.requests) == 1


async def test_server_that_requires_credentials(filled):
    """Where there are none, the sources that were searched are listed."""
    found = await aioartifact.diagnose(filled.url)
    assert problems(found) == {"credentials": "fail"}
    assert "the server requires credentials" in found["credentials"].text
    assert "~/.netrc" in found["credentials"].hint


async def test_anonymous_access():
    """Allowed anonymous access is ok; queries are for users only."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/a/b.bin", b"123")
        server.grant("anonymous", "generic-local")
        found = await aioartifact.diagnose(server.url)
    assert found.ok
    assert found["credentials"].text.startswith("anonymous: none found in the environment")
    assert problems(found) == {"aql": "warn"}


async def test_skipped_sources(filled, home, monkeypatch):
    """A file that cannot be read is a warning, although other credentials are accepted."""
    (home / ".artifactory_python.cfg").mkdir()
    monkeypatch.setenv("JF_URL", filled.origin)
    monkeypatch.setenv("JF_ACCESS_TOKEN", filled.token)
    (home / ".jfrog").mkdir()
    (home / ".jfrog/jfrog-cli.conf.v6").write_text("{", encoding="utf-8")
    monkeypatch.delenv("JF_ACCESS_TOKEN")
    (home / ".netrc").write_text(f"machine 127.0.0.1 login admin password {filled.password}\n", encoding="utf-8")
    (home / ".netrc").chmod(0o600)
    found = await aioartifact.diagnose(filled.url)
    assert problems(found) == {"credentials": "warn"}
    assert "~/.artifactory_python.cfg" in found["credentials"].hint
    assert "jfrog-cli.conf.v6" in found["credentials"].hint


async def test_provider_that_fails(filled):
    """Its error is the finding."""

    async def provide():
        raise RuntimeError(CANARY)

    async with aioartifact.session(filled.url, auth=provide, retry=ONCE) as session:
        found = await aioartifact.diagnose(filled.url, session=session)
    assert problems(found) == {"credentials": "fail"}
    assert CANARY not in str(found)


async def test_session_of_aiohttp(filled):
    """A session that this library has not opened works; its credentials are not known."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {filled.token}"}) as session:
        found = await aioartifact.diagnose(filled.url, session=session)
    assert found.ok
    assert found["credentials"].text == "of the session"


# What the server allows, and what a proxy before it changes


@pytest.mark.parametrize(
    ("method", "pattern", "fault", "check", "status"),
    [
        pytest.param("POST", "api/search/aql", Fault.status(403), "aql", "warn", id="no-aql"),
        pytest.param("POST", "api/search/aql", Fault.status(404), "aql", "warn", id="aql-unknown"),
        pytest.param("GET", "generic-local/**", Fault.ignore_range(), "ranges", "warn", id="no-ranges"),
        pytest.param("GET", "generic-local/**", Fault.drop_checksums(), "checksums", "warn", id="no-checksums"),
        pytest.param("GET", "api/repositories", Fault.status(500), "repositories", "warn", id="no-repositories"),
        pytest.param("GET", "api/system/version", Fault.status(500), "version", "warn", id="no-version"),
    ],
)
async def test_fault_of_the_server(filled, session, method, pattern, fault, check, status):
    """One check is not ok, and says what that means."""
    filled.fail(method, pattern, times=None, fault=fault)
    found = await aioartifact.diagnose(f"{filled.url}/generic-local", session=session)
    assert problems(found) == {check: status}
    assert found.ok
    assert found[check].hint


@pytest.mark.parametrize(
    ("method", "pattern", "fault", "check"),
    [
        pytest.param("GET", "api/storage/**", Fault.status(403), "listing", id="no-listing"),
        pytest.param("GET", "generic-local/a/b.bin", Fault.status(403), "ranges", id="no-download"),
        pytest.param("GET", "generic-local/a/b.bin", Fault.reset(), "ranges", id="download-breaks-off"),
    ],
)
async def test_fault_that_calls_fail_with(filled, session, method, pattern, fault, check):
    """A failure."""
    filled.fail(method, pattern, times=None, fault=fault)
    found = await aioartifact.diagnose(filled.url, session=session)
    assert not found.ok
    assert found[check].status == "fail"


async def test_folder_that_does_not_exist(filled, session):
    """A failure, with the message of the server."""
    found = await aioartifact.diagnose(f"{filled.url}/generic-local/none", session=session)
    assert problems(found) == {"listing": "fail", "ranges": "warn"}


async def test_user_without_permissions(server):
    """No repository is a warning."""
    server.add_user("ada", password="password")
    async with aioartifact.session(server.url, auth=("ada", "password")) as session:
        found = await aioartifact.diagnose(server.url, session=session)
    assert found["repositories"].status == "warn"
    assert "ask the administrator" in found["repositories"].hint


async def test_redirects_to_storage(redirecting_server):
    """The other host is named, without the signature."""
    redirecting_server.put("generic-local/a/b.bin", b"123")
    login = (redirecting_server.username, redirecting_server.password)
    async with aioartifact.session(redirecting_server.url, auth=login) as session:
        found = await aioartifact.diagnose(redirecting_server.url, session=session)
    assert problems(found) == {}
    assert redirecting_server.storage_origin.partition("://")[2] in found["storage"].text
    assert "X-Amz" not in str(found)


async def test_empty_folders_and_files(server, session):
    """Where no file has a byte, the checks of downloads are left out, with a hint."""
    server.make_folder("generic-local/a/b/c")
    server.put("generic-local/a/empty", b"")
    found = await aioartifact.diagnose(server.url, session=session)
    assert problems(found) == {"ranges": "warn"}
    assert "give the URL of a folder with files" in found["ranges"].hint


async def test_names_that_are_encoded(server, session):
    """A file is found below names that a URL cannot hold as they are."""
    server.put("generic-local/ä b/c#d?.bin", b"123")
    assert problems(await aioartifact.diagnose(server.url, session=session)) == {}


# Clock, latency


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "same time"),
        (59, "same time"),
        (-59, "same time"),
        (61, "61 seconds behind"),
        (-90, "90 seconds ahead of"),
        (7200, "2 hours behind"),
        (-86400 * 3, "3 days ahead of"),
    ],
)
def test_clock(seconds, text):
    """A difference of more than a minute is a warning."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    found = judge_clock(format_datetime(now + dt.timedelta(seconds=seconds), usegmt=True), now)
    assert text in found.text
    assert found.status == ("ok" if abs(seconds) < 60 else "warn")


@pytest.mark.parametrize("date", [None, "", "yesterday", "Thu, 99 Jan 2026 00:00:00 GMT"])
def test_date_that_is_none(date):
    """A warning, not an error."""
    assert judge_clock(date, dt.datetime.now(dt.UTC)).status == "warn"


async def test_clock_of_the_server():
    """The date of its response is compared."""
    date = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(hours=5), usegmt=True)
    async with raw_server(lambda request: response(b"OK", status=200, headers={"Date": date})) as server:
        found = await aioartifact.diagnose(server.url)
    assert found["clock"].status == "warn"
    assert "5 hours behind" in found["clock"].text


@pytest.mark.parametrize(("seconds", "status"), [(0.02, "ok"), (0.7, "warn")])
def test_latency(seconds, status):
    """Slow responses are a warning."""
    assert judge_latency(seconds).status == status


def test_certificate_without_names():
    """An issuer may have no name."""
    end, now = dt.datetime(2030, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    found = judge_certificate((), end, "TLSv1.3", now)
    assert (found.status, found.text) == ("ok", "TLSv1.3; certificate of an unnamed authority, valid until 2030-01-01")


def test_redirect_within_the_server():
    """A relative location, or one on the same host, is no other storage; a login in it is not shown."""
    server = parse_server_url("https://h.example/artifactory")
    for location in (None, "/elsewhere", "https://h.example/x"):
        assert "server itself" in judge_storage(server, location).text
    assert judge_storage(server, f"https://u:{CANARY}@s.example/x").text.startswith(
        "downloads are redirected to s.example"
    )


def test_finding_by_its_check():
    """A check that was not made has no finding."""
    finding = aioartifact.Finding("dns", "ok", "127.0.0.1")
    found = aioartifact.Diagnosis("https://h", (finding,))
    assert found["dns"] is finding
    with pytest.raises(KeyError):
        found["tls"]
    assert json.dumps([str(each) for each in found.findings]) == '["ok    dns           127.0.0.1"]'
