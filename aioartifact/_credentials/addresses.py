"""How a source names a server, and whether that is the requested server."""

from collections.abc import Iterable

from .._address import ServerURL, parse_server_url
from .._errors import InvalidURLError


def read_address(text: str) -> ServerURL | None:
    try:
        return parse_server_url(text)
    except InvalidURLError:
        return None


def serves(address: ServerURL, server: ServerURL) -> bool:
    """Whether *address*, of a platform or of its Artifactory, stands for *server*."""
    return server in (address, _artifactory_below(address))


def over_tls(address: ServerURL) -> ServerURL:
    """Return *address* with https: the default port becomes that of https, any other port stays."""
    return ServerURL("https", address.host, 443 if address.port == 80 else address.port, address.context_path)


def with_context_path(addresses: Iterable[ServerURL]) -> tuple[ServerURL, ...]:
    """
    Return the servers whose context path cannot be seen in a URL, of a platform and of its Artifactory.

    A path with a segment ``artifactory`` is left out: such a URL says by itself where the server ends.
    """
    hidden = [a for a in addresses if a.context_path and "artifactory" not in a.context_path]
    return tuple(dict.fromkeys(server for a in hidden for server in (a, _artifactory_below(a))))


def _artifactory_below(address: ServerURL) -> ServerURL:
    return ServerURL(address.scheme, address.host, address.port, (*address.context_path, "artifactory"))
