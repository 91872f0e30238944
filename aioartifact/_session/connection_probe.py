"""Open a connection to a server as a session does, and examine it; no request is sent on it."""

import base64
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import unquote

import aiohttp
import anyio
import anyio.to_thread
from anyio.abc import ByteStream
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSAttribute, TLSStream
from yarl import URL

from .._address import ServerURL
from .proxies import environment_proxy, with_scheme
from .state import state_of
from .tls import system_context
from .translation import reason, tls_hint

_MAX_PROXY_HEAD = 64 * 1024
_DNS_HINT = "check the host name; inside a company network, check VPN and DNS, or whether a proxy is needed"
_REACH_HINT = "check host and port, and whether a proxy or a VPN is needed"
_PROXY_HINT = "check the address of the proxy, its login, and whether it allows this host"


class ProbeFailure(Exception):  # not public: it is converted to a finding
    """
    A connection that could not be opened.

    Attributes:
        stage: ``"dns"``, ``"connection"`` or ``"tls"``.
        problem: What happened.
        hint: What to do.
    """

    def __init__(self, stage: str, problem: str, hint: str) -> None:
        super().__init__(stage, problem, hint)
        self.stage, self.problem, self.hint = stage, problem, hint


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """
    A connection that was opened.

    Attributes:
        peer: Host and port it leads to, which may be those of a proxy.
        seconds: Time to open it, without TLS.
        tls_version: Version of TLS; None without TLS, or if it could not be examined.
        issuer: Names of the authority of its certificate, as ``ssl`` returns them.
        expires: When the certificate expires; None if it was not verified.
    """

    peer: str
    seconds: float
    tls_version: str | None = None
    issuer: Sequence[Sequence[tuple[str, str]]] = ()
    expires: datetime | None = None


def proxy_of(session: aiohttp.ClientSession, server: ServerURL) -> tuple[str | None, bool]:
    """
    Return the proxy for requests to *server*, or None, and whether the environment names it.

    Raises:
        ConfigurationError: If the environment names a proxy that is not an HTTP proxy.
    """
    state = state_of(session)
    if state.proxy:
        return state.proxy, False
    proxy = environment_proxy(URL(server.origin)) if state.trust_env and not state.foreign else None
    return proxy, proxy is not None


async def resolve_host(host: str, port: int) -> list[str]:
    """
    Return the addresses of *host*.

    Raises:
        ProbeFailure: If the host has no address.
    """
    try:
        found = await anyio.getaddrinfo(host, port)
    except (OSError, UnicodeError) as error:
        problem = getattr(error, "strerror", None) or "host name not found"
        raise ProbeFailure("dns", problem, _DNS_HINT) from None
    return list(dict.fromkeys(str(address[4][0]) for address in found))


async def probe_connection(
    session: aiohttp.ClientSession, server: ServerURL, proxy: str | None = None
) -> ConnectionFacts:
    """
    Open a connection to *server*, through *proxy* if there is one, with the TLS settings of *session*.

    Raises:
        ProbeFailure: If it cannot be opened.
    """
    state = state_of(session)
    through = URL(with_scheme(proxy)) if proxy else None
    host, port = (through.host or "", through.port or 80) if through else (server.host, server.port)
    started, peer, stage = monotonic(), f"{host}:{port}", "connection"
    try:
        with anyio.fail_after(state.timeouts.connect):
            async with await anyio.connect_tcp(host, port) as stream:
                seconds = monotonic() - started
                if server.scheme == "http" or (through and through.scheme == "https"):
                    return ConnectionFacts(peer, seconds)
                if through:
                    await _open_tunnel(stream, server, through)
                stage = "tls"
                context = await anyio.to_thread.run_sync(_context_of, session)  # it may read files
                return await _examine_tls(stream, server, context, peer, seconds)
    except TimeoutError:
        raise ProbeFailure(stage, f"no answer within {state.timeouts.connect:g} s", _REACH_HINT) from None
    except ssl.SSLError as error:
        raise ProbeFailure("tls", reason(error), tls_hint(error, is_foreign=state.foreign)) from None
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        problem = _innermost(error)
        hint = _PROXY_HINT if through and stage == "connection" else _REACH_HINT
        raise ProbeFailure(stage, problem, hint) from None


def _innermost(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error.__cause__, OSError | BaseExceptionGroup) else error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return getattr(cause, "strerror", None) or "the connection was closed"


def _context_of(session: aiohttp.ClientSession) -> ssl.SSLContext:
    context = getattr(session.connector, "_ssl", True)
    if isinstance(context, ssl.SSLContext):
        return context
    found = ssl.create_default_context() if context is False else system_context()
    if context is False:
        found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    return found


async def _open_tunnel(stream: ByteStream, server: ServerURL, proxy: URL) -> None:
    """
    Have a proxy connect to the server.

    Raises:
        ProbeFailure: If it refuses, or its answer is not valid HTTP.
    """
    host = f"[{server.host}]" if ":" in server.host else server.host
    head = [f"CONNECT {host}:{server.port} HTTP/1.1", f"Host: {host}:{server.port}"]
    if proxy.raw_user is not None:
        login = f"{unquote(proxy.raw_user)}:{unquote(proxy.raw_password or '')}".encode()
        head.append(f"Proxy-Authorization: Basic {base64.b64encode(login).decode()}")
    await stream.send("\r\n".join([*head, "", ""]).encode("latin-1"))
    try:
        answer = await BufferedByteReceiveStream(stream).receive_until(b"\r\n\r\n", _MAX_PROXY_HEAD)
    except (anyio.DelimiterNotFound, anyio.IncompleteRead):
        raise ProbeFailure("connection", "the answer of the proxy is not valid HTTP", _PROXY_HINT) from None
    status = answer.split(b" ", 2)[1:2]
    if status != [b"200"]:
        shown = status[0].decode("ascii", "replace")[:3] if status else "something else"
        raise ProbeFailure("connection", f"the proxy refused with {shown}", _PROXY_HINT)


async def _examine_tls(
    stream: ByteStream, server: ServerURL, context: ssl.SSLContext, peer: str, seconds: float
) -> ConnectionFacts:
    # Without the closing handshake of TLS: nothing was requested.
    tls = await TLSStream.wrap(stream, hostname=server.host, ssl_context=context, standard_compatible=False)
    known = tls.extra_attributes
    certificate = known[TLSAttribute.peer_certificate]() or {}
    version, expires = known[TLSAttribute.tls_version](), None
    if certificate:
        expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    await tls.aclose()
    return ConnectionFacts(peer, seconds, version, certificate.get("issuer", ()), expires)
