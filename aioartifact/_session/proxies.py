"""The proxies of the environment."""

import urllib.request

from yarl import URL


def environment_proxy(url: URL) -> str | None:
    """
    The proxy that the environment names for *url*.

    aiohttp's own ``trust_env`` would also read ``~/.netrc`` and add its passwords to redirect targets.
    """
    host = url.host or ""
    # An entry of NO_PROXY may name a port, and then means no other.
    if any(map(urllib.request.proxy_bypass, (host, f"{host}:{url.port}"))):
        return None
    return urllib.request.getproxies().get(url.scheme)
