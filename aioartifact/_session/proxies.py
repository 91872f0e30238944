"""Proxies: the one that is given, and those of the environment."""

import urllib.request
from ipaddress import ip_address, ip_network

from yarl import URL

from .._address import mask_url
from .._errors import ConfigurationError, InvalidArgumentError


def check_proxy(proxy: object) -> str:
    """
    Return the URL of *proxy*; ``host:port`` without a scheme means ``http://host:port``.

    Raises:
        InvalidArgumentError: If *proxy* is not the URL of a proxy.
    """
    if not isinstance(proxy, str):
        raise InvalidArgumentError(f"proxy is a {type(proxy).__name__}; expected a URL")
    url = with_scheme(proxy)
    if not _is_http_url(url):
        raise InvalidArgumentError(f"proxy={mask_url(proxy)!r}: expected a URL such as http://host:3128")
    return url


def with_scheme(proxy: str) -> str:
    """Add the scheme to ``host:port``, which curl, requests and pip accept."""
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_http_url(proxy: str) -> bool:
    try:
        url = URL(proxy)
        return url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        return False


def environment_proxy(url: URL) -> str | None:
    """
    The proxy that the environment names for *url*.

    aiohttp's own ``trust_env`` would also read ``~/.netrc`` and add its passwords to redirect targets.

    Raises:
        ConfigurationError: It is not an HTTP proxy; nothing has been sent.
    """
    host = url.host or ""
    # An entry of NO_PROXY may name a port, and then means no other.
    if any(map(urllib.request.proxy_bypass, (host, f"{host}:{url.port}"))) or _is_in_excluded_network(host):
        return None
    proxy = urllib.request.getproxies().get(url.scheme)
    if not proxy:
        return None
    address = with_scheme(proxy)
    if not _is_http_url(address):
        raise ConfigurationError(
            f"{url.scheme}_proxy={mask_url(address)!r} in the environment: expected a URL such as http://host:3128",
            hint="set an HTTP proxy, or pass trust_env=False",
        )
    return address


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
