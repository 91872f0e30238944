"""
Requests about a server: its repositories, its version, and whether it is up.

See: JFrog REST API, "Get Repositories", "Version and Add-ons Information", "System Health Ping".
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .._address import ItemURL, ServerURL
from .._models import Edition, Repository, Response, ServerInfo
from .error_responses import raise_for_status
from .json_values import name_of, not_artifactory, read_json, read_object, text_of
from .request import IDENTITY, Request

_ANY = ("aql", "checksum-deploy")
_PRO = ("archive-entries", "copy-move", "file-list", "folder-archive", "properties", "version-search")
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def build_repositories(server: ServerURL, kind: str | None, package_type: str | None) -> Request:
    """Request the repositories in which this user can read something."""
    wanted = {key: value for key, value in (("type", kind), ("packageType", package_type)) if value is not None}
    query = f"?{urlencode(wanted)}" if wanted else ""
    return Request("GET", f"{server}/api/repositories{query}", server)


def read_repositories(server: ServerURL, request: Request, response: Response) -> list[Repository]:
    """
    Read a list of repositories.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response is not such a list.
    """
    document = read_json(request, response)
    if not isinstance(document, list) or not all(isinstance(entry, dict) for entry in document):
        raise not_artifactory(request, "something that is not a list of repositories")
    return [_repository(server, request, entry) for entry in document]


def _repository(server: ServerURL, request: Request, entry: Mapping[str, Any]) -> Repository:
    key = name_of(request, entry, "key")
    kind = (text_of(entry.get("type")) or "").lower()
    return Repository(
        key,
        kind,
        (text_of(entry.get("packageType")) or "").lower(),
        str(ItemURL(server, key)),
        text_of(entry.get("description")) or "",
        text_of(entry.get("url")) if kind == "remote" else None,
    )


def build_version(server: ServerURL) -> Request:
    """Request the version."""
    return Request("GET", f"{server}/api/system/version", server)


def read_version(server: ServerURL, request: Request, response: Response) -> ServerInfo:
    """
    Read the version, and derive the capabilities of the server.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response has no version.
    """
    document = read_object(request, response)
    version = text_of(document.get("version"))
    if not version:
        raise not_artifactory(request, "an answer without a version")
    addons = document.get("addons")
    edition: Edition = "pro" if text_of(document.get("license")) else "oss"
    return ServerInfo(
        str(server),
        version,
        text_of(document.get("revision")),
        edition,
        tuple(sorted(filter(None, map(text_of, addons)))) if isinstance(addons, list) else (),
        frozenset(_capabilities(version, edition)),
    )


def _capabilities(version: str, edition: Edition) -> set[str]:
    match = _NUMBERS.match(version)
    release = tuple(map(int, match[0].split("."))) if match else ()
    found = {*_ANY}
    if release >= (5, 5):
        found.add("sha256")
    if edition == "pro":
        found.update(_PRO)
        if release >= (6, 1):
            found.add("merge-properties")
    return found


def build_ping(server: ServerURL) -> Request:
    """Request a ping; it is about this moment, so a negative response is not retried."""
    return Request("GET", f"{server}/api/system/ping", server, repeatable=False)


def read_ping(request: Request, response: Response) -> None:
    """
    Check that the server is up.

    Raises:
        ResponseError: If it reports that it is not, or refuses the request.
        ProtocolError: If the response is not that of a ping.
    """
    raise_for_status(request, response)
    if response.text.strip() != "OK":
        raise not_artifactory(request, "something else than OK")


_AUTHORITY = re.compile(r"^[^:/?#]*://[^/?#]*")


def build_rest(server: ServerURL, url: str) -> Request:
    """Request any URL of a server; escapes, queries and matrix parameters stay as they are given."""
    # The host must not be percent-encoded: outside ASCII it has another form, which is in the server's origin.
    path = quote(_AUTHORITY.sub("", url), safe="!#$%&'()*+,/:;=?@[]~")
    return Request("GET", f"{server.origin}{path}", server, IDENTITY)
