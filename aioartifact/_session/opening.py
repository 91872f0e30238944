"""Opening a session: one connector, our middlewares, nothing that follows a request to another host."""

import platform
import re
from functools import cache, partial
from importlib.metadata import version

import aiohttp
import anyio.to_thread

from .._errors import InvalidArgumentError
from .connections import Connector, ResponseHead, disable_own_retry
from .keepalive import socket_factory
from .middlewares import passing
from .proxies import check_proxy
from .state import STATES, SessionState, client_timeout
from .tls import ClientCertificate, Verify, tls_context
from .token_requests import token_sender

# Tomcat drops idle connections after 60 s; let go of them well before.
_KEEPALIVE = 30.0
# Content-Security-Policy and the cookies of single sign-on exceed the 8190 bytes that aiohttp accepts by default.
_MAX_HEADER = 64 * 1024
_MAX_HEADERS = 1024
# RFC 9110 section 5.5.
_FIELD_VALUE = re.compile(r"[^\x00-\x1f\x7f]+")


async def new_session(
    state: SessionState,
    *,
    verify: Verify,
    cert: ClientCertificate | None,
    proxy: str | None,
    user_agent: str | None,
) -> aiohttp.ClientSession:
    """
    Open a session whose middlewares work on *state*; the caller closes it.

    Raises:
        InvalidArgumentError: *proxy* is no URL, *user_agent* has a control character, or *cert* comes with a context.
        ConfigurationError: Certificates cannot be loaded.
    """
    if proxy is not None:
        proxy = check_proxy(proxy)
    if user_agent is not None:
        _check_user_agent(user_agent)
    connector = Connector(
        stall=state.timeouts.stall,
        limit=state.limits.max_connections,
        ssl=await anyio.to_thread.run_sync(tls_context, verify, cert),
        # c-ares, which aiohttp prefers where it is installed, fails with VPNs and mDNS (aiohttp#10111).
        resolver=aiohttp.ThreadedResolver(),
        ttl_dns_cache=300,
        keepalive_timeout=_KEEPALIVE,
        socket_factory=socket_factory(state.timeouts),
    )
    session = aiohttp.ClientSession(
        connector=connector,
        # Artifactory sets cookies for its web pages only; sending them back pins requests to one node.
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent or default_user_agent()},
        middlewares=(passing(state),),
        timeout=client_timeout(state.timeouts.connect, state.timeouts.stall),
        # Re-quoting changes a signed URL, and the storage then refuses its signature.
        requote_redirect_url=False,
        max_line_size=_MAX_HEADER,
        max_field_size=_MAX_HEADER,
        max_headers=_MAX_HEADERS,
        response_class=ResponseHead,
        proxy=proxy,
    )
    disable_own_retry(session)
    state.token_sender = partial(token_sender, state)
    STATES[session] = state
    return session


def _check_user_agent(text: object) -> None:
    if not isinstance(text, str) or not _FIELD_VALUE.fullmatch(text):
        raise InvalidArgumentError(f"user_agent={text!r}: expected text without control characters")


@cache
def default_user_agent() -> str:
    """``aioartifact/<version> Python/<version> aiohttp/<version>``."""
    return f"aioartifact/{version('aioartifact')} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"
