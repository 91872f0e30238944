"""Any URL of a server."""

import re
from urllib.parse import quote

from .._address import ServerURL
from .request import IDENTITY, Request

_AUTHORITY = re.compile(r"^[^:/?#]*://[^/?#]*")


def build_rest(server: ServerURL, url: str) -> Request:
    """Ask for any URL of a server; escapes, queries and matrix parameters stay as they are given."""
    # The host alone is not percent-encoded: outside ASCII it has another form, which the server's origin has.
    path = quote(_AUTHORITY.sub("", url), safe="!#$%&'()*+,/:;=?@[]~")
    return Request("GET", f"{server.origin}{path}", server, IDENTITY)
