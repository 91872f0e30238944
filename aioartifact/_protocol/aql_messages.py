"""Queries in AQL, and the rows of their results."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from .._address import ServerURL
from .._bodies import size_of
from .._checksums import checksums_of
from .._errors import IncompleteListingError
from .._models import FileInfo, FolderInfo, Response
from .error_responses import shortened
from .json_values import date_of, name_of, not_artifactory, objects_of, read_object, text_of
from .listing_messages import Below
from .request import Request


def build_aql(server: ServerURL, query: str) -> Request:
    """
    Send an AQL query; it only reads, so it may be repeated although it is a POST.

    See: JFrog REST API, "Artifactory Query Language (AQL)".
    """
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    place = partial(point_at, query)
    return Request("POST", f"{server}/api/search/aql", server, headers, query.encode(), locate=place)


def read_aql(request: Request, response: Response) -> list[dict[str, Any]]:
    """
    Read the rows of an AQL response; each has at least the texts ``path`` and ``name``.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response is not an AQL result.
        IncompleteListingError: If the server trimmed the rows, or sent fewer than it counts.
    """
    document = read_object(request, response)
    rows = objects_of(request, document, "results")
    if trimmed := read_trimming(document):
        raise trimmed_error(request, trimmed)
    check_count(request, document, len(rows))
    for row in rows:
        name_of(request, row, "path")
        name_of(request, row, "name")
    return rows


def read_trimming(document: Mapping[str, Any], *, own_limit: int | None = None) -> str | None:
    """
    Return what an AQL response says about omitted rows; None if it has all of them.

    Servers state their own limit even if the query has none.

    Args:
        document: The response.
        own_limit: The limit of the query itself, which is not one of the server.
    """
    shown = document.get("range")
    if not isinstance(shown, dict):
        return None
    if notification := shown.get("notification"):
        return shortened(str(notification))
    limit, total = size_of(shown.get("limit")), size_of(shown.get("total"))
    return f"limited to {limit} rows" if limit and total and total >= limit != own_limit else None


def check_count(request: Request, document: Mapping[str, Any], count: int, *, own_limit: int | None = None) -> None:
    """
    Check that an AQL response has the number of rows that it states.

    Servers count the rows of the response. Even if one counted the rows of all pages, a full page would be accepted.

    Args:
        request: The request.
        document: The response.
        count: Number of rows received.
        own_limit: The limit of the query.

    Raises:
        IncompleteListingError: If there are fewer.
    """
    shown = document.get("range")
    if not isinstance(shown, dict) or count == own_limit:
        return
    total, start = size_of(shown.get("total")) or 0, size_of(shown.get("start_pos")) or 0
    if start + count < total:
        raise IncompleteListingError(
            f"{request.label}: answered with {count} rows, and counts {total}",
            hint="try again; something between here and the server may have dropped some",
        )


def trimmed_error(request: Request, words: str) -> IncompleteListingError:
    """Return the error for omitted rows."""
    return IncompleteListingError(f"{request.label}: {words}", hint="ask for less: a smaller folder, a narrower query")


def read_row_path(request: Request, row: Mapping[str, Any]) -> str:
    """
    Read the path of an AQL row's item in its repository; ``"."`` means the repository itself.

    Raises:
        ProtocolError: If the row has no path or no name.
    """
    folder, name = name_of(request, row, "path"), name_of(request, row, "name")
    return name if folder == "." else f"{folder}/{name}"


def is_folder_row(request: Request, row: Mapping[str, Any]) -> bool:
    """
    Whether an AQL row with the fields of an item describes a folder.

    Raises:
        ProtocolError: If the row does not state its type.
    """
    kind = text_of(row.get("type"))
    if kind not in ("file", "folder"):
        raise not_artifactory(request, "a row that is neither file nor folder")
    return kind == "folder"


def read_row_item(below: Below, relative: str, row: Mapping[str, Any]) -> FileInfo | FolderInfo:
    """Read an AQL row with the fields of an item."""
    created, modified = date_of(row.get("created")), date_of(row.get("modified"))
    if row.get("type") == "folder":
        return below.folder(relative, created=created, modified=modified)
    known = {"sha256": row.get("sha256"), "sha1": row.get("actual_sha1"), "md5": row.get("actual_md5")}
    return below.file(relative, size_of(row.get("size")), checksums_of(known), created=created, modified=modified)


def merge_rows(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """
    Merge consecutive rows of the same item: a server may send one row for each of its properties.

    Nested lists are joined. Rows that do not name an item stay as they are.
    """
    last: dict[str, Any] | None = None
    for row in rows:
        if last is not None and _is_same_item(last, row):
            last = {**last, **{key: _joined(last.get(key), value) for key, value in row.items()}}
            continue
        if last is not None:
            yield last
        last = row
    if last is not None:
        yield last


def _is_same_item(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(name in one and one[name] == other.get(name) for name in ("repo", "path", "name"))


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, list) and isinstance(other, list):
        return one + [each for each in other if each not in one]
    return other


_NEAR = "near the following sub-query: "
_BEFORE, _BEHIND = 60, 40


def point_at(query: str, words: str) -> str | None:
    """
    Point at the position in *query* that the *words* of a refusal name; None if they do not name one.

    ::

        items.find({"nam": "a.jar"})
                    ^
    """
    rest = words.partition(_NEAR)[2].strip()
    at = query.rfind(rest) if rest else -1
    if at < 0:
        return None
    start = max(0, at - _BEFORE)
    line = query[start : at + _BEHIND].replace("\n", " ").replace("\t", " ")
    return f"    {line}\n    {' ' * (at - start)}^"
