"""Proxies: the one that the user passes, and those of the environment."""

import re
import urllib.request
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from yarl import URL

from .._address import is_host, mask_url
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
        return url.scheme in ("http", "https") and bool(url.host) and is_host(url.host or "") and url.port is not None
    except ValueError:
        return False


def environment_proxy(url: URL) -> str | None:
    """
    Return the proxy that the environment names for *url*: ``http_proxy`` or ``https_proxy``, else ``all_proxy``.

    aiohttp's own ``trust_env`` would also read ``~/.netrc`` and add its passwords to redirect targets.

    Raises:
        ConfigurationError: If it is not an HTTP proxy; nothing has been sent.
    """
    host = url.host or ""
    if urllib.request.proxy_bypass(host) or any(_excludes(entry, host, url.port) for entry in _no_proxy()):
        return None
    proxies = urllib.request.getproxies()
    kind = url.scheme if proxies.get(url.scheme) else "all"
    proxy = proxies.get(kind)
    if not proxy:
        return None
    address = with_scheme(proxy.strip())
    if not _is_http_url(address):
        raise ConfigurationError(
            f"{kind}_proxy={mask_url(address)!r} in the environment: expected a URL such as http://host:3128",
            hint="set an HTTP proxy, or pass trust_env=False",
        )
    return address


def _no_proxy() -> list[str]:
    return re.split(r"[\s,]+", urllib.request.getproxies_environment().get("no", "").strip())


def _excludes(entry: str, host: str, port: int | None) -> bool:
    """Whether *entry* of NO_PROXY matches: ``*``, a network, an address or a name, optionally with a port."""
    name, named_port = _name_and_port(entry)
    if named_port not in ("", str(port)):
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return name == "*" or _is_in_domain(host.lower().rstrip("."), name.lower().removeprefix("*").strip("."))
    return name == "*" or _is_in_network(address, name)


def _name_and_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        return name, port.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _is_in_domain(host: str, domain: str) -> bool:
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _is_in_network(address: IPv4Address | IPv6Address, network: str) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False
