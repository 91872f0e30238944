"""Proxies: the one that is given, and those of the environment."""

import urllib.request

from yarl import URL

from .._address import mask_url
from .._errors import InvalidArgumentError


def check_proxy(proxy: object) -> None:
    """
    Make sure *proxy* is the URL of a proxy.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not isinstance(proxy, str):
        raise InvalidArgumentError(f"proxy is a {type(proxy).__name__}; expected a URL")
    try:
        url = URL(proxy)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidArgumentError(f"proxy={mask_url(proxy)!r}: expected a URL such as http://host:3128")


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
