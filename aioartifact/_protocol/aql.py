"""Queries in AQL, and the rows that come back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._address import ItemURL, ServerURL
from .._errors import IncompleteListingError
from .._models import FileInfo, Response
from .errors import shortened
from .listing import listed_file
from .reading import checksums_of, date_of, name_of, objects_of, read_object, size_of
from .request import Request


def build_aql(server: ServerURL, query: str) -> Request:
    """
    Send an AQL query; it only reads, so it may be repeated although it is a POST.

    See: JFrog REST API, "Artifactory Query Language (AQL)".
    """
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return Request("POST", f"{server}/api/search/aql", server, headers, query.encode())


def read_aql(request: Request, response: Response) -> list[dict[str, Any]]:
    """
    Read the rows of an AQL answer; each has at least the texts ``path`` and ``name``.

    Raises:
        ResponseError: The server said no.
        ProtocolError: The answer is not an AQL result.
        IncompleteListingError: The server trimmed the rows, and said so in ``range.notification``.
    """
    document = read_object(request, response)
    rows = objects_of(request, document, "results")
    shown = document.get("range")
    if isinstance(shown, dict) and (notification := shown.get("notification")):
        raise IncompleteListingError(f"{request.label}: {shortened(str(notification))}", hint="list a smaller folder")
    for row in rows:
        name_of(request, row, "path")
        name_of(request, row, "name")
    return rows


def read_aql_files(item: ItemURL, rows: Sequence[Mapping[str, Any]]) -> Iterator[FileInfo]:
    """Make file infos of AQL rows; rows outside *item*, which a wildcard in its path may add, are left out."""
    base = f"{item.path}/" if item.path else ""
    for row in rows:
        path = row["name"] if row["path"] == "." else f"{row['path']}/{row['name']}"
        if path.startswith(base):
            checksums = checksums_of(
                {"sha256": row.get("sha256"), "sha1": row.get("actual_sha1"), "md5": row.get("actual_md5")}
            )
            yield listed_file(
                item, path.removeprefix(base), size_of(row.get("size")), checksums, date_of(row.get("modified"))
            )
