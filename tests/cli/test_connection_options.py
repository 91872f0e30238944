"""Each option for connections against the embedded server, with a client certificate and a proxy with a login."""

import socket
import ssl
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from proxy import authenticating_proxy

from aioartifact.testing import Fault, ThreadedArtifactoryServer

CONTENT = b"0123456789" * 100


class Place(NamedTuple):
    """A server that requires a client certificate, and files for it."""

    server: ThreadedArtifactoryServer
    ca: Path
    cert: Path
    key: Path

    @property
    def trust(self):
        """Options that both sides need."""
        return ("--ca", self.ca, "--cert", self.cert, "--key", self.key)


@pytest.fixture
def mutual(tmp_path, monkeypatch):
    """A server that requires a client certificate of its authority; its administrator is in the environment."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    client = authority.issue_cert("client")
    client.private_key_pem.write_to_path(tmp_path / "key.pem")
    client.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    with ThreadedArtifactoryServer(ssl_context=context) as server:
        server.put("generic-local/x/a.bin", CONTENT)
        monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
        monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
        yield Place(server, tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem")


# None of these changes the result if all is well: what they do is tested below and in test_cli.py.
OPTIONS = [
    pytest.param((), id="none"),
    pytest.param(("--timeout", "30"), id="timeout"),
    pytest.param(("--stall", "30"), id="stall"),
    pytest.param(("--retries", "1"), id="retries"),
    pytest.param(("--user-agent", "build/7"), id="user-agent"),
    pytest.param(("-v",), id="verbose"),
    pytest.param(("-vv",), id="very-verbose"),
]


@pytest.mark.slow
@pytest.mark.parametrize("through_proxy", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
def test_option_with_tls_client_certificate_and_proxy(mutual, cli, tmp_path, monkeypatch, options, through_proxy):
    """Browse, upload and download with each option, directly and through a proxy with a login."""
    folder = f"{mutual.server.url}/generic-local/x"
    (tmp_path / "b.bin").write_bytes(CONTENT)
    with authenticating_proxy() as proxy:
        if through_proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        given = (*mutual.trust, *options)
        assert cli(*given, "ls", folder).out == "a.bin\n"
        assert cli(*given, "deploy", tmp_path / "b.bin", f"{folder}/").code == 0
        run = cli(*given, "download", f"{folder}/b.bin", "-d", tmp_path / "new")
    assert run.code == 0
    assert (tmp_path / "new/b.bin").read_bytes() == CONTENT
    assert bool(proxy.requests) is through_proxy
    assert all(line.startswith("CONNECT 127.0.0.1:") for line in proxy.requests)
    if "--user-agent" in options:
        assert {record.headers["user-agent"] for record in mutual.server.requests} == {"build/7"}
    assert ("aioartifact.http: GET" in run.err) is ("-vv" in options)
    assert "canary" not in run.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "fault", "count"),
    [
        pytest.param(("--timeout", "0.2", "--retries", "0"), Fault.hold(), 1, id="timeout"),
        pytest.param(("--retries", "2"), Fault.retry_after(503, "0"), 3, id="retries"),
    ],
)
def test_limits_with_tls_client_certificate_and_proxy(mutual, cli, monkeypatch, options, fault, count):
    """The limit applies to requests through a tunnel, too."""
    mutual.server.fail("GET", "**", times=None, fault=fault)
    with authenticating_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        run = cli(*mutual.trust, *options, "info", mutual.server.url)
        mutual.server.clear_faults()
    assert (run.code, len(mutual.server.requests)) == (1, count)
    assert "canary" not in run.err


def test_stall_with_tls_client_certificate_and_proxy(mutual, cli, monkeypatch):
    """A body that pauses for longer is a failure."""
    mutual.server.fail("GET", "**", times=None, fault=Fault.stall(after=3))
    with authenticating_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        words = (*mutual.trust, "--stall", "0.2", "--retries", "0", "cat", f"{mutual.server.url}/generic-local/x/a.bin")
        run = cli(*words)
        mutual.server.clear_faults()
    assert run.code == 1
    assert "0.2 s" in run.err


@pytest.mark.parametrize("way", ["option", "environment"])
def test_plain_http_through_a_proxy_with_a_login(server, cli, folder, monkeypatch, way):
    """The login comes from the environment; --proxy, which has none, is answered 407."""
    with authenticating_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        given = ("--proxy", f"http://127.0.0.1:{proxy.port}") if way == "option" else ()
        run = cli(*given, "--retries", "0", "ls", folder)
    if way == "environment":
        assert (run.code, run.out) == (0, "1.0.0/\n1.10.0/\n1.9.0/\n")
        assert proxy.requests[0].startswith(f"GET {server.origin}/")
    else:
        assert (run.code, proxy.requests) == (1, [])
        assert proxy.refused
    assert "canary" not in run.err


def test_login_in_the_proxy_option(cli, folder):
    """A secret is never an argument."""
    run = cli("--proxy", "http://ada:canary@127.0.0.1:1", "ls", folder)
    assert run.code == 2
    assert "canary" not in run.err


@pytest.mark.parametrize("missing", ["--ca", "--cert"])
def test_missing_certificate(mutual, cli, missing):
    """Without the authority the client refuses the server, without the client certificate it is the reverse."""
    options = ("--cert", mutual.cert, "--key", mutual.key) if missing == "--ca" else ("--ca", mutual.ca)
    run = cli(*options, "--retries", "0", "ls", f"{mutual.server.url}/generic-local/x")
    assert (run.code, run.out, mutual.server.requests) == (1, "", [])


@pytest.mark.parametrize(
    "options",
    [
        ("--timeout", "0"),
        ("--timeout", "-1"),
        ("--timeout", "nan"),
        ("--stall", "x"),
        ("--retries", "-1"),
        ("--user-agent", "a\nb"),
        ("--key", "KEY"),
        ("--cert", "missing.pem"),
        ("--proxy", "ftp://h"),
        ("--proxy", ""),
    ],
)
def test_invalid_option(server, cli, folder, tmp_path, options):
    """It is a usage error, before any request."""
    (tmp_path / "key.pem").touch()
    run = cli(*(word.replace("KEY", str(tmp_path / "key.pem")) for word in options), "ls", folder)
    assert (run.code, run.out, server.requests) == (2, "", [])
    assert run.err.startswith("error: ")


def test_unreachable_proxy(cli):
    """The error names the proxy, not the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        proxy = f"127.0.0.1:{free.getsockname()[1]}"
        run = cli("--proxy", proxy, "--retries", "0", "ls", "https://host.invalid/artifactory/generic-local")
    assert run.code == 1
    assert "cannot connect to the proxy" in run.err
