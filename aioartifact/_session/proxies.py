"""Proxies: the one that is given, and those of the environment."""

import urllib.request
from ipaddress import ip_address, ip_network

from yarl import URL

from .._address import mask_url
from .._errors import InvalidArgumentError


def check_proxy(proxy: object) -> str:
    """
    Return the URL of *proxy*; ``host:port`` without a scheme means ``http://host:port``.

    Raises:
        InvalidArgumentError: If *proxy* is not the URL of a proxy.
    """
    if not isinstance(proxy, str):
        raise InvalidArgumentError(f"proxy is a {type(proxy).__name__}; expected a URL")
    try:
        url = URL(with_scheme(proxy))
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidArgumentError(f"proxy={mask_url(proxy)!r}: expected a URL such as http://host:3128")
    return with_scheme(proxy)


def with_scheme(proxy: str) -> str:
    """Add the scheme to ``host:port``, which curl, requests and pip accept."""
    return proxy if "://" in proxy else f"http://{proxy}"


def environment_proxy(url: URL) -> str | None:
    """
    The proxy that the environment names for *url*.

    aiohttp's own ``trust_env`` would also read ``~/.netrc`` and add its passwords to redirect targets.
    """
    host = url.host or ""
    # An entry of NO_PROXY may name a port, and then means no other.
    if any(map(urllib.request.proxy_bypass, (host, f"{host}:{url.port}"))) or _is_in_excluded_network(host):
        return None
    proxy = urllib.request.getproxies().get(url.scheme)
    return with_scheme(proxy) if proxy else None


def _is_in_excluded_network(host: str) -> bool:
    """Whether an entry of NO_PROXY is a network such as 10.0.0.0/8 that contains the address *host*."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(_contains(entry.strip(), str(address)) for entry in _no_proxy().split(",") if "/" in entry)


def _no_proxy() -> str:
    return urllib.request.getproxies_environment().get("no", "")


def _contains(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False
