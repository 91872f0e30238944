"""Proxies, TLS and response headers as networks outside the laboratory have them."""

import asyncio
import datetime as dt
import os
import ssl
import subprocess
from contextlib import asynccontextmanager

import aiohttp
import pytest
import trustme
from raw_http import checksum_headers, raw_server, response
from yarl import URL

import aioartifact
from aioartifact._address import quote_location
from aioartifact._session.proxies import check_proxy, environment_proxy
from aioartifact._session.translation import tls_hint
from aioartifact.testing import ArtifactoryServer

ONCE = {"retry": aioartifact.RetryPolicy.none(), "auth": ("u", "p")}


@asynccontextmanager
async def answering(head: bytes):
    """A raw server that sends the same response to each request; yields its port and the request lines."""
    lines = []

    async def serve(reader, writer):
        lines.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        writer.write(head)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1], lines


@pytest.mark.parametrize("way", ["environment", "argument"])
async def test_proxy_without_a_scheme_is_http(monkeypatch, way):
    """host:port is used as http://host:port."""
    async with answering(b"HTTP/1.1 404 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}") as (port, lines):
        given = {"proxy": f"127.0.0.1:{port}"} if way == "argument" else {}
        if not given:
            monkeypatch.setenv("http_proxy", f"127.0.0.1:{port}")
        async with aioartifact.session("http://a.test/artifactory", **ONCE, **given) as session:
            assert not await aioartifact.exists("http://a.test/artifactory/r/a", session=session)
    assert lines[0].split()[1].startswith(b"http://a.test/artifactory/")


@pytest.mark.parametrize("proxy", ["", "socks5://h:1", "http://", "ftp://h:1", "a..b:1", "xn--:1"])
def test_unusable_proxy_is_refused(proxy):
    """A missing scheme is added, another scheme is not accepted."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected a URL"):
        check_proxy(proxy)


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        pytest.param({"all_proxy": "p.test:1"}, "http://p.test:1", id="all"),
        pytest.param({"ALL_PROXY": "http://p.test:1"}, "http://p.test:1", id="capital"),
        pytest.param({"http_proxy": "q.test:2", "all_proxy": "p.test:1"}, "http://q.test:2", id="of-the-scheme"),
        pytest.param({"http_proxy": "q.test:2", "all_proxy": "socks5://p.test:1"}, "http://q.test:2", id="unused"),
        pytest.param({"http_proxy": "", "all_proxy": "p.test:1"}, "http://p.test:1", id="empty"),
        pytest.param({"https_proxy": "q.test:2"}, None, id="of-another-scheme"),
        pytest.param({"all_proxy": "p.test:1", "no_proxy": "host.test"}, None, id="excluded"),
        pytest.param({"http_proxy": " q.test:2 "}, "http://q.test:2", id="blanks"),
    ],
)
def test_proxy_of_all_schemes(monkeypatch, variables, proxy):
    """As curl, httpx and requests do; ``http_proxy`` and ``https_proxy`` take precedence."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(URL("http://host.test")) == proxy


@pytest.mark.parametrize(
    ("excluded", "url", "is_used"),
    [
        pytest.param("10.0.0.0/8", "http://10.1.2.3", False, id="network"),
        pytest.param("a.test, 10.1.0.0/16 ,b.test", "http://10.1.2.3:8081", False, id="among-others"),
        pytest.param("10.1.2.3/8", "http://10.9.9.9", False, id="host-bits"),
        pytest.param("fd00::/8", "http://[fd00::1]", False, id="ipv6"),
        pytest.param("10.0.0.0/8", "http://11.1.2.3", True, id="outside"),
        pytest.param("10.0.0.0/8", "http://[fd00::1]", True, id="other-family"),
        pytest.param("10.0.0.0/99,x/y", "http://10.1.2.3", True, id="malformed"),
        pytest.param("10.0.0.0/8", "http://host.test", True, id="name"),
        pytest.param(" * ", "http://host.test", False, id="all-with-blanks"),
        pytest.param("a.test,*", "http://10.1.2.3", False, id="all-among-others"),
        pytest.param("a.test host.test", "http://host.test", False, id="separated-by-blanks"),
        pytest.param("*.test", "http://host.test", False, id="wildcard"),
        pytest.param("*.test", "http://host.test.example", True, id="wildcard-elsewhere"),
        pytest.param("Host.Test.", "http://host.test", False, id="root-dot"),
        pytest.param("host.test:8081", "http://x.host.test:8081", False, id="domain-and-port"),
        pytest.param("host.test:8081", "http://host.test:8082", True, id="another-port"),
        pytest.param("[::1]", "http://[::1]:8081", False, id="brackets"),
        pytest.param("[::1]:8081", "http://[::1]:8081", False, id="brackets-and-port"),
        pytest.param("[::1]:8081", "http://[::1]:8082", True, id="brackets-and-another-port"),
        pytest.param("0:0:0:0:0:0:0:1", "http://[::1]", False, id="another-spelling"),
        pytest.param("host.test", "http://otherhost.test", True, id="no-whole-label"),
        pytest.param(",", "http://host.test", True, id="empty-entries"),
    ],
)
def test_no_proxy_with_networks(monkeypatch, excluded, url, is_used):
    """NO_PROXY accepts networks, wildcards, ports and blanks, as curl and requests do."""
    monkeypatch.setenv("http_proxy", "p.test:3128")
    monkeypatch.setenv("no_proxy", excluded)
    assert environment_proxy(URL(url)) == ("http://p.test:3128" if is_used else None)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
async def test_407_is_about_the_proxy(scheme, kind):
    """The hint names the proxy's login, with and without a tunnel, whatever the body is."""
    head = f"HTTP/1.1 407 No\r\nContent-Type: {kind}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    async with (
        answering(head) as (port, _),
        aioartifact.session(proxy=f"http://127.0.0.1:{port}", retry=ONCE["retry"]) as session,
    ):
        with pytest.raises(aioartifact.ArtifactoryError) as caught:
            await aioartifact.info(f"{scheme}://a.test/artifactory/r/a", session=session)
    assert "the proxy requires a login" in caught.value.hint


@pytest.mark.parametrize("size", [9_000, 60_000])
async def test_long_response_header_is_accepted(size):
    """A field of up to 64 KiB is read; aiohttp's default is 8190 bytes."""
    head = b"HTTP/1.1 404 No\r\nX-Policy: %s\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}" % (b"a" * size)
    async with (
        answering(head) as (port, _),
        aioartifact.session(f"http://127.0.0.1:{port}/artifactory", **ONCE) as session,
    ):
        assert not await aioartifact.exists(f"http://127.0.0.1:{port}/artifactory/r/a", session=session)


@pytest.mark.parametrize(
    ("name", "is_trusted", "not_after", "expected"),
    [
        pytest.param("127.0.0.1", False, None, "SSL_CERT_FILE", id="unknown-authority"),
        pytest.param("other.test", True, None, "another host name", id="host-name"),
        pytest.param("127.0.0.1", True, dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "clock", id="expired"),
    ],
)
async def test_tls_hint_fits_the_fault(tmp_path, name, is_trusted, not_after, expected):
    """CA certificates are suggested only where the authority is unknown."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=not_after, not_before=dt.datetime(2019, 1, 1, tzinfo=dt.UTC)).configure_cert(
        context
    )
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    verify = tmp_path / "ca.pem" if is_trusted else True
    async with (
        ArtifactoryServer(ssl_context=context) as server,
        aioartifact.session(server.url, verify=verify, **ONCE) as session,
    ):
        with pytest.raises(aioartifact.ConnectError) as caught:
            await aioartifact.exists(f"{server.url}/r/a", session=session)
    assert expected in caught.value.hint
    assert ("verify=" in caught.value.hint) is not is_trusted


@pytest.fixture
def authority(tmp_path):
    """A certificate authority that no system trusts, in ca.pem, and the context of a server that it vouches for."""
    made, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("127.0.0.1").configure_cert(context)
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    return context


def name_as_openssl_wants_it(certificate):
    """Copy a certificate to the name by which OpenSSL finds it in its folder: a hash of the subject."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(certificate)]
    subject = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    certificate.with_name(f"{subject}.0").write_bytes(certificate.read_bytes())


@pytest.mark.parametrize("way", ["file", "folder"])
async def test_certificates_of_the_environment(authority, tmp_path, monkeypatch, way):
    """SSL_CERT_FILE and SSL_CERT_DIR count whenever they are set: aiohttp was imported long before."""
    if way == "folder":
        name_as_openssl_wants_it(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    else:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with (
        ArtifactoryServer(ssl_context=authority) as server,
        aioartifact.session(server.url, auth=(server.username, server.password)) as session,
    ):
        assert await aioartifact.ping(server.url, session=session)
    monkeypatch.delenv("SSL_CERT_DIR" if way == "folder" else "SSL_CERT_FILE")
    async with ArtifactoryServer(ssl_context=authority) as server, aioartifact.session(server.url, **ONCE) as session:
        with pytest.raises(aioartifact.ConnectError, match="TLS refused"):
            await aioartifact.exists(f"{server.url}/r/a", session=session)


async def test_certificate_file_that_is_replaced(authority, tmp_path, monkeypatch):
    """A session opened after the file has changed trusts what is in it now."""
    file = tmp_path / "bundle.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    trustme.CA().cert_pem.write_to_path(file)
    os.utime(file, ns=(1, 1))
    async with ArtifactoryServer(ssl_context=authority) as server:
        async with aioartifact.session(server.url, **ONCE) as session:
            with pytest.raises(aioartifact.ConnectError, match="TLS refused"):
                await aioartifact.exists(f"{server.url}/r/a", session=session)
        file.write_bytes((tmp_path / "ca.pem").read_bytes())
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            assert await aioartifact.ping(server.url, session=session)


async def test_certificate_file_that_does_not_exist(authority, tmp_path, monkeypatch):
    """OpenSSL ignores it, the hint does not; a server without TLS does not mind."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no.pem"))
    async with ArtifactoryServer(ssl_context=authority) as server, aioartifact.session(server.url, **ONCE) as session:
        with pytest.raises(aioartifact.ConnectError) as caught:
            await aioartifact.exists(f"{server.url}/r/a", session=session)
    assert f"SSL_CERT_FILE names {tmp_path / 'no.pem'}, which does not exist" in caught.value.hint
    async with (
        ArtifactoryServer() as server,
        aioartifact.session(server.url, auth=(server.username, server.password)) as session,
    ):
        assert await aioartifact.ping(server.url, session=session)


async def test_tls_hint_of_a_session_from_elsewhere(authority):
    """verify= and SSL_CERT_FILE are not for a session whose connector is the user's."""
    async with ArtifactoryServer(ssl_context=authority) as server, aiohttp.ClientSession() as session:
        with pytest.raises(aioartifact.ConnectError) as caught:
            await aioartifact.exists(f"{server.url}/r/a", session=session)
    assert "connector" in caught.value.hint
    assert "verify=" not in caught.value.hint


# Response headers


@pytest.mark.parametrize(
    ("headers", "own", "foreign"),
    [
        pytest.param([("X-Policy", "a" * 70_000)], "more than 65536 bytes", "more than 8190 bytes", id="value"),
        pytest.param([("X" * 70_000, "a")], "more than 65536 bytes", "more than 8190 bytes", id="name"),
        pytest.param([(f"X-{n}", "a") for n in range(1100)], "too many response", "too many response", id="number"),
    ],
)
async def test_response_headers_beyond_the_limit(headers, own, foreign):
    """The error is about the headers, not about the base URL, and the hint is one for the session that was used."""
    async with raw_server(lambda _: response(b"{}", status=404, headers=headers)) as server:
        async with aioartifact.session(server.url, **ONCE) as session:
            with pytest.raises(aioartifact.ProtocolError, match=own) as caught:
                await aioartifact.exists(f"{server.url}/r/a", session=session)
        assert "administrator" in caught.value.hint
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aioartifact.ProtocolError, match=foreign) as caught:
                await aioartifact.exists(f"{server.url}/r/a", session=session)
        assert "max_field_size" in caught.value.hint


async def test_many_response_headers_are_accepted():
    """By default, aiohttp accepts 128."""
    headers = [(f"X-{number}", "a" * 50) for number in range(1000)]
    async with (
        raw_server(lambda _: response(b"{}", status=404, headers=headers)) as server,
        aioartifact.session(server.url, **ONCE) as session,
    ):
        assert not await aioartifact.exists(f"{server.url}/r/a", session=session)


# Location


@pytest.mark.parametrize(
    ("location", "target"),
    [
        pytest.param("/storage/a b.txt?sig=x y", "/storage/a%20b.txt?sig=x%20y", id="blanks"),
        pytest.param("/storage/ä/日本.txt?n=ü", "/storage/%C3%A4/%E6%97%A5%E6%9C%AC.txt?n=%C3%BC", id="utf-8"),
        pytest.param(b"/storage/\xe4", "/storage/%E4", id="latin-1"),
        pytest.param("/storage/%C3%A4%20b?sig=a%2Bb%2f%3D+c", None, id="already-quoted"),
        pytest.param("/storage/a%20b c?sig=%zz|{}^\\", "/storage/a%20b%20c?sig=%zz|{}^\\", id="in-part"),
        pytest.param("../r/a b", "/artifactory/r/a%20b", id="relative"),
        pytest.param('/storage/"<a>`', "/storage/%22%3Ca%3E%60", id="delimiters"),
        pytest.param("ORIGIN/storage/ä b?n=ü", "/storage/%C3%A4%20b?n=%C3%BC", id="absolute"),
    ],
)
async def test_location_is_quoted(location, target):
    """What no URL can contain is quoted, and nothing else: a signature may be about the exact text."""
    raw = (location if isinstance(location, bytes) else location.encode()).decode("latin-1")

    def answer(request):
        if request.target == "/artifactory/r/a":
            return response(status=302, headers={"Location": raw.replace("ORIGIN", server.origin)})
        return response(b"x", headers=checksum_headers(b"x"))

    async with raw_server(answer) as server, aioartifact.session(server.url, **ONCE) as session:
        assert await aioartifact.read_bytes(f"{server.url}/r/a", session=session) == b"x"
    assert server.requests[-1].target == (target or location)


def test_host_of_a_location_is_ascii():
    """An international host name becomes IDNA; its path is quoted like any other."""
    assert quote_location("https://bücher.example:81/ä b") == "https://xn--bcher-kva.example:81/%C3%A4%20b"
    assert quote_location("//bücher.example?x") == "//xn--bcher-kva.example?x"


@pytest.mark.parametrize("location", ["https://b\xe4\xff.x/", "http://a b/", "http://\xc3\xa4:99999/", "http://["])
async def test_location_with_a_malformed_host(location):
    """It is a typed error, whatever is wrong with the host."""
    async with (
        raw_server(lambda _: response(status=302, headers={"Location": location})) as server,
        aioartifact.session(server.url, **ONCE) as session,
    ):
        with pytest.raises(aioartifact.ProtocolError, match="redirected to a malformed URL"):
            await aioartifact.read_bytes(f"{server.url}/r/a", session=session)


# What cannot be reached


@pytest.mark.parametrize("proxy", ["http://no-such-proxy.invalid:3128", "127.0.0.1:1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_unreachable_proxy_is_named(proxy, scheme):
    """It is the proxy that cannot be reached, not the server."""
    async with aioartifact.session(proxy=proxy, retry=ONCE["retry"]) as session:
        with pytest.raises(aioartifact.ConnectError, match="cannot connect to the proxy: ") as caught:
            await aioartifact.info(f"{scheme}://127.0.0.1/artifactory/r/a", session=session)
    assert "URL of the proxy" in caught.value.hint


async def test_unreachable_server_and_redirect_target():
    """A name that is not found is blamed on the proxy only if there is one."""
    missing = "http://no-such-host.invalid/artifactory/r/a"
    async with (
        raw_server(lambda _: response(status=302, headers={"Location": missing})) as server,
        aioartifact.session(server.url, **ONCE) as session,
    ):
        for url in (missing, f"{server.url}/r/a"):
            with pytest.raises(aioartifact.ConnectError, match="cannot connect: host name not found"):
                await aioartifact.read_bytes(url, session=session)


async def test_invalid_http():
    """The hint is about scheme and port; that of a redirect target is not about the base URL."""
    async with raw_server(lambda _: b"\x15\x03\x01\x00\x02\x02\x50\r\n\r\n") as other:
        location = {"Location": f"{other.origin}/x"}
        async with (
            raw_server(lambda _: response(status=302, headers=location)) as server,
            aioartifact.session(server.url, **ONCE) as session,
        ):
            for url, hint in ((other.url, "check http or https and the port"), (server.url, "administrator")):
                with pytest.raises(aioartifact.ProtocolError, match="not valid HTTP") as caught:
                    await aioartifact.read_bytes(f"{url}/r/a", session=session)
                assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(18, "verify=", id="self-signed"),
        pytest.param(20, "verify=", id="issuer-not-found"),
        pytest.param(10, "clock", id="expired"),
        pytest.param(62, "another host name", id="host-name"),
        pytest.param(23, "administrator", id="revoked"),
        pytest.param(66, "administrator", id="key-too-small"),
    ],
)
def test_tls_hint_of_each_code(code, expected):
    """CA certificates help against an unknown authority only."""
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    assert expected in tls_hint(error, is_foreign=False)
