"""How a source names a server, and whether that is the server asked about."""

from .._address import ServerURL, parse_server_url
from .._errors import InvalidURLError


def read_address(text: str) -> ServerURL | None:
    try:
        return parse_server_url(text)
    except InvalidURLError:
        return None


def serves(address: ServerURL, server: ServerURL) -> bool:
    """Whether *address*, of a platform or of its Artifactory, stands for *server*."""
    paths = (address.context_path, (*address.context_path, "artifactory"))
    return address.origin == server.origin and server.context_path in paths


def covers(address: ServerURL, server: ServerURL) -> bool:
    return address.contains(server.scheme, server.host, server.port, server.context_path)
