"""Open a session: one connector, this library's middlewares, and nothing secret that follows a redirect."""

import platform
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from math import inf

import aiohttp
import anyio.to_thread
from aiohttp import AddrInfoType

from .._errors import InvalidArgumentError
from .._options import Timeouts
from .additions import check_connector_options
from .connections import MAX_HEADER, MAX_HEADERS, Connector, ResponseHead, disable_own_retry
from .limits import CREDENTIAL_HEADERS
from .middlewares import passing
from .proxies import check_proxy
from .state import STATES, SessionState, client_timeout, state_of
from .tls import ClientCertificate, Verify, tls_context
from .token_requests import token_sender

# TCP keep-alive: a dead connection is detected within about a minute, however long a live server may take to respond.
_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES = 30, 10, 3
_DEAD_SECONDS = _IDLE_SECONDS + _INTERVAL_SECONDS * _PROBES
# macOS names the first one TCP_KEEPALIVE. Options that a platform lacks keep their default, often two hours.
_KEEPALIVE_OPTIONS = {
    "TCP_KEEPIDLE": _IDLE_SECONDS,
    "TCP_KEEPALIVE": _IDLE_SECONDS,
    "TCP_KEEPINTVL": _INTERVAL_SECONDS,
    "TCP_KEEPCNT": _PROBES,
}
_MAX_MILLISECONDS = 2**31 - 1
# Tomcat drops idle connections after 60 s; close them well before.
_KEEPALIVE = 30.0
# Header fields that identify the sender of a request.
_PERSONAL_HEADERS = frozenset({"cookie", "proxy-authorization", *map(str.lower, CREDENTIAL_HEADERS)})
# RFC 9110 section 5.5.
_FIELD_VALUE = re.compile(r"[^\x00-\x1f\x7f]+")


async def new_session(
    state: SessionState,
    *,
    verify: Verify,
    cert: ClientCertificate | None,
    proxy: str | None,
    user_agent: str | None,
    connector_options: object = None,
) -> aiohttp.ClientSession:
    """
    Open a session whose middlewares use *state*; the caller closes it.

    Raises:
        InvalidArgumentError: If *proxy* is not a URL, *user_agent* has a control character, *cert* is given with a
            context, or the connector does not accept its options.
        ConfigurationError: If certificates cannot be loaded.
    """
    if proxy is not None:
        proxy = check_proxy(proxy)
    if user_agent is not None:
        _check_user_agent(user_agent)
    options = {
        # c-ares, which aiohttp prefers where it is installed, fails with VPNs and mDNS (aiohttp#10111).
        "resolver": aiohttp.ThreadedResolver(),
        "ttl_dns_cache": 300,
        "keepalive_timeout": _KEEPALIVE,
        "socket_factory": socket_factory(state.timeouts),
    } | check_connector_options(connector_options)
    if options.get("force_close"):
        del options["keepalive_timeout"]
    context = await anyio.to_thread.run_sync(tls_context, verify, cert)
    try:
        connector = Connector(stall=state.timeouts.stall, limit=state.limits.max_connections, ssl=context, **options)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"connector_options: {error}") from None
    headers = {"User-Agent": user_agent or default_user_agent()}
    return _client_session(state, connector, headers, proxy, is_owner=True)


def derived_session(session: aiohttp.ClientSession, state: SessionState) -> aiohttp.ClientSession:
    """Open a session that uses *state* and the connections of *session*, without its credentials."""
    assert session.connector is not None, "an open session has one"
    headers = {name: value for name, value in session.headers.items() if name.lower() not in _PERSONAL_HEADERS}
    return _client_session(state, session.connector, headers, state_of(session).proxy, is_owner=False)


def _client_session(
    state: SessionState,
    connector: aiohttp.BaseConnector,
    headers: Mapping[str, str],
    proxy: str | None,
    *,
    is_owner: bool,
) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=connector,
        connector_owner=is_owner,
        # Artifactory sets cookies for its web pages only; sending them back pins requests to one node.
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
        middlewares=(*state.additions.middlewares, passing(state)),
        trace_configs=list(state.additions.trace_configs),
        timeout=client_timeout(state.timeouts.connect, state.timeouts.stall),
        # Re-quoting changes a signed URL, and the storage then refuses its signature.
        requote_redirect_url=False,
        max_line_size=MAX_HEADER,
        max_field_size=MAX_HEADER,
        max_headers=MAX_HEADERS,
        response_class=ResponseHead,
        proxy=proxy,
    )
    disable_own_retry(session)
    state.token_sender = token_sender
    state.proxy = proxy
    STATES[session] = state
    return session


def _check_user_agent(text: object) -> None:
    if not isinstance(text, str) or not _FIELD_VALUE.fullmatch(text):
        raise InvalidArgumentError(f"user_agent={text!r}: expected text without control characters")


@cache
def default_user_agent() -> str:
    """``aioartifact/<version> Python/<version> aiohttp/<version>``."""
    return f"aioartifact/{version('aioartifact')} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"


def socket_factory(timeouts: Timeouts) -> Callable[[AddrInfoType], socket.socket]:
    """Return a factory of sockets that fail when the peer is gone, but not before *timeouts* would end the wait."""
    # On Linux, this also limits how long a server may accept no bytes of an upload: `stall` seconds are allowed.
    longest = max(_DEAD_SECONDS, timeouts.stall, timeouts.connect)
    options = dict(_KEEPALIVE_OPTIONS)
    if longest < inf:
        options["TCP_USER_TIMEOUT"] = min(int(longest * 1000), _MAX_MILLISECONDS)

    def make(address: AddrInfoType) -> socket.socket:
        made = socket.socket(*address[:3])
        with suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in options.items():
            if (option := getattr(socket, name, None)) is not None:
                with suppress(OSError):
                    made.setsockopt(socket.IPPROTO_TCP, option, value)
        return made

    return make
