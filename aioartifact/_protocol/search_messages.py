"""Searches by one known attribute of items."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from .._address import ItemURL, ServerURL, has_surrogates
from .._bodies import readable_text
from .._models import FileInfo, FolderInfo, Response
from .error_responses import raise_for_status
from .item_messages import read_item
from .json_values import date_of, name_of, not_artifactory, text_of
from .request import Request

_STORAGE = "/api/storage/"
# Without it, the results are only links, without size and checksum.
_DETAILS = {"X-Result-Detail": "info"}


def build_search(
    server: ServerURL, kind: str, parameters: Sequence[tuple[str, str]], repositories: Sequence[str] = ()
) -> Request:
    """
    Request the items that match.

    Args:
        server: The server.
        kind: Last segment of the address: ``"artifact"``, ``"gavc"``, ``"prop"``, ``"checksum"``, ``"dates"``.
        parameters: Search parameters.
        repositories: Keys of the repositories to search; all if empty.

    See: JFrog REST API, "Searches".
    """
    limited = [("repos", ",".join(repositories))] if repositories else []
    query = urlencode([*parameters, *limited], quote_via=quote)
    return Request("GET", f"{server}/api/search/{kind}?{query}", server, _DETAILS)


def read_found(request: Request, entry: Mapping[str, Any]) -> FileInfo | FolderInfo:
    """
    Read one result, by its repository and path; a server or a proxy may omit everything but the link.

    Raises:
        ProtocolError: If it does not say where the item is.
    """
    if text_of(entry.get("repo")) and text_of(entry.get("path")):
        repository, path = name_of(request, entry, "repo"), name_of(request, entry, "path").strip("/")
        return read_item(ItemURL(request.server, repository, path), request, entry)
    item = _item_of_link(request, name_of(request, entry, "uri"))
    created, modified = date_of(entry.get("created")), date_of(entry.get("lastModified"))
    return FileInfo(str(item), item.repository, item.path, created=created, modified=modified)


def _item_of_link(request: Request, link: str) -> ItemURL:
    """Read a link; it is not percent-encoded and may name an internal host, so only the part after the API counts."""
    repository, _, path = link.partition(_STORAGE)[2].partition("/")
    if not repository:
        raise not_artifactory(request, "a result that is nowhere")
    return ItemURL(request.server, repository, path.strip("/"))


def build_latest_version(server: ServerURL, repository: str, group_id: str, name: str) -> Request:
    """
    Request the newest release; the server responds 404 if there is none.

    See: JFrog REST API, "Artifact Latest Version Search Based on Layout".
    """
    query = urlencode({"g": group_id, "a": name, "repos": repository})
    return Request("GET", f"{server}/api/search/latestVersion?{query}", server)


def read_latest_version(request: Request, response: Response) -> str:
    """
    Read the version, which is the whole text.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response is not a version.
    """
    raise_for_status(request, response)
    version = readable_text(response.content, response.headers)
    if not version or version[0] in "<{[" or "<" in version or "\n" in version or has_surrogates(version):
        raise not_artifactory(request, "something that is not a version")
    return version
