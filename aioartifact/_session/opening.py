"""Opening a session: one connector, our middlewares, nothing that follows a request to another host."""

import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version

import aiohttp
import anyio.to_thread

from .middlewares import passing
from .state import STATES, SessionState, client_timeout
from .tls import ClientCertificate, Verify, tls_context

# Tomcat drops idle connections after 60 s; let go of them well before.
_KEEPALIVE = 30.0


@asynccontextmanager
async def open_session(
    state: SessionState,
    *,
    verify: Verify,
    cert: ClientCertificate | None,
    proxy: str | None,
    user_agent: str | None,
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session whose middlewares work on *state*, and close it at the end of the block."""
    connector = aiohttp.TCPConnector(
        limit=state.limits.max_connections,
        ssl=await anyio.to_thread.run_sync(tls_context, verify, cert),
        # c-ares, which aiohttp prefers where it is installed, fails with VPNs and mDNS (aiohttp#10111).
        resolver=aiohttp.ThreadedResolver(),
        ttl_dns_cache=300,
        keepalive_timeout=_KEEPALIVE,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        # Artifactory sets cookies for its web pages only; sending them back pins requests to one node.
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent or default_user_agent()},
        middlewares=(passing(state),),
        timeout=client_timeout(state.timeouts.connect, state.timeouts.stall),
        # Re-quoting changes a signed URL, and the storage then refuses its signature.
        requote_redirect_url=False,
        proxy=proxy,
    ) as session:
        STATES[session] = state
        yield session


@cache
def default_user_agent() -> str:
    """``aioartifact/<version> Python/<version> aiohttp/<version>``."""
    return f"aioartifact/{version('aioartifact')} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"
