"""Proxies, TLS and response headers as networks outside the laboratory have them."""

import asyncio
import datetime as dt
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
from yarl import URL

import aioartifact
from aioartifact._session.proxies import check_proxy, environment_proxy
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


@pytest.mark.parametrize("proxy", ["", "socks5://h:1", "http://", "ftp://h:1"])
def test_unusable_proxy_is_refused(proxy):
    """A missing scheme is added, another scheme is not accepted."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected a URL"):
        check_proxy(proxy)


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
    ],
)
def test_no_proxy_with_networks(monkeypatch, excluded, url, is_used):
    """NO_PROXY accepts networks, as curl and requests do."""
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
