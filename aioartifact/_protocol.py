"""
Artifactory's REST API as functions: ``build_…`` makes a request, ``read_…`` makes a value of an answer, or raises.

Nothing here waits or opens anything. Links inside answers (``uri``, ``downloadUri``) are not percent-encoded and
may name a host behind a proxy, so they are never followed: every URL is rebuilt from the address asked for.

See: JFrog, "Artifactory REST API".
"""

import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from ._address import ItemURL, ServerURL, has_surrogates, mask_url
from ._checksums import ALGORITHMS, Checksums
from ._errors import (
    IncompleteListingError,
    IntegrityError,
    InvalidArgumentError,
    NotAFileError,
    NotAFolderError,
    ProtocolError,
    ResponseError,
    error_for_status,
)
from ._models import Child, FileInfo, FolderInfo, Response
from ._retry import is_retryable_status

# Stored bytes must arrive as they are stored: sizes, ranges and checksums are about those.
_IDENTITY = {"Accept-Encoding": "identity"}
_MAX_WORDS = 300


@dataclass(frozen=True, slots=True)
class Upload:
    """
    A request body that can be sent again.

    Attributes:
        open: Starts a fresh pass over the bytes.
        size: Their number.
    """

    open: Callable[[], AsyncGenerator[bytes, None]]
    size: int


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request to one server.

    Attributes:
        method: HTTP method.
        url: Complete URL, percent-encoded.
        server: Server whose credentials and back-off apply.
        headers: Header fields beside those the session adds.
        body: Bytes, or an upload, or None.
        repeatable: Whether sending it twice does no more than sending it once.
    """

    method: str
    url: str
    server: ServerURL
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Upload | None = None
    repeatable: bool = True

    @property
    def label(self) -> str:
        """Method and masked URL, as messages begin."""
        return f"{self.method} {mask_url(self.url)}"


@dataclass(frozen=True, slots=True)
class Promise:
    """
    What the server says about a body before it arrives.

    Attributes:
        size: Bytes of the whole file, or None where it does not say.
        checksums: Of the whole file.
        etag: What names this content of the file to the server that sends it, exactly as received, or None.
        start: Offset of the first byte that comes.
        is_open_ended: Whether the body ends with the connection, and so may break off unnoticed (RFC 9112, 6.3).
    """

    size: int | None
    checksums: Checksums
    etag: str | None = None
    start: int = 0
    is_open_ended: bool = False


def build_item_info(item: ItemURL) -> Request:
    """Ask for File Info or Folder Info, whichever the item is."""
    return Request("GET", f"{item.server}/api/storage/{item.location}", item.server)


def read_item_info(item: ItemURL, request: Request, response: Response) -> FileInfo | FolderInfo:
    """
    Read File Info or Folder Info; a folder is told by its ``children``.

    Raises:
        ResponseError: The server said no.
        ProtocolError: The answer is not what the storage API gives.
    """
    document = _read_object(request, response)
    common: dict[str, Any] = {
        "url": str(item),
        "repository": _name(request, document, "repo"),
        "path": _name(request, document, "path").strip("/"),
        "created": _date(document.get("created")),
        "modified": _date(document.get("lastModified")),
        "created_by": _text(document.get("createdBy")),
        "modified_by": _text(document.get("modifiedBy")),
    }
    if "children" in document:
        children = tuple(_child(request, entry) for entry in _objects(request, document, "children"))
        return FolderInfo(**common, children=children)
    return FileInfo(
        **common,
        size=_size(document.get("size")),
        checksums=_checksums(document.get("checksums")),
        mime_type=_text(document.get("mimeType")),
    )


def expect_folder(item: ItemURL, info: FileInfo | FolderInfo) -> FolderInfo:
    """
    Return *info* if it describes a folder.

    Raises:
        NotAFolderError: It describes a file.
    """
    if isinstance(info, FolderInfo):
        return info
    raise NotAFolderError(f"{item}: is a file, expected a folder", hint="leave the file name out of the URL")


def expect_file(item: ItemURL, info: FileInfo | FolderInfo) -> FileInfo:
    """
    Return *info* if it describes a file.

    Raises:
        NotAFileError: It describes a folder.
    """
    if isinstance(info, FileInfo):
        return info
    raise not_a_file(item)


def not_a_file(item: ItemURL) -> NotAFileError:
    """The error for a folder where a file is needed."""
    return NotAFileError(f"{item}: is a folder, expected a file", hint="use download_folder() for a whole folder")


def build_file_list(item: ItemURL) -> Request:
    """
    Ask for all files below a folder in one answer (Pro, not for anonymous users).

    See: JFrog REST API, "File List".
    """
    return Request("GET", f"{item.server}/api/storage/{item.location}?list&deep=1&listFolders=0", item.server)


def read_file_list(item: ItemURL, request: Request, response: Response) -> Iterator[FileInfo]:
    """
    Read a File List.

    Raises:
        ResponseError: The server said no; 400 where it has no Pro licence or *item* is a file.
        ProtocolError: The answer is not a File List.
    """
    document = _read_object(request, response)
    for entry in _objects(request, document, "files"):
        if not _is_true(entry.get("folder")):
            relative = _name(request, entry, "uri").lstrip("/")
            checksums = _checksums({"sha256": entry.get("sha2"), "sha1": entry.get("sha1")})
            modified = _date(entry.get("lastModified"))
            yield _listed(item, relative, _size(entry.get("size")), checksums, modified)


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
    document = _read_object(request, response)
    rows = _objects(request, document, "results")
    shown = document.get("range")
    if isinstance(shown, dict) and (notification := shown.get("notification")):
        raise IncompleteListingError(f"{request.label}: {_words(str(notification))}", hint="list a smaller folder")
    for row in rows:
        _name(request, row, "path")
        _name(request, row, "name")
    return rows


def read_aql_files(item: ItemURL, rows: Sequence[Mapping[str, Any]]) -> Iterator[FileInfo]:
    """Make file infos of AQL rows; rows outside *item*, which a wildcard in its path may add, are left out."""
    base = f"{item.path}/" if item.path else ""
    for row in rows:
        path = row["name"] if row["path"] == "." else f"{row['path']}/{row['name']}"
        if path.startswith(base):
            checksums = _checksums(
                {"sha256": row.get("sha256"), "sha1": row.get("actual_sha1"), "md5": row.get("actual_md5")}
            )
            yield _listed(item, path.removeprefix(base), _size(row.get("size")), checksums, _date(row.get("modified")))


def _listed(
    folder: ItemURL, relative: str, size: int | None, checksums: Checksums, modified: datetime | None
) -> FileInfo:
    item = folder / relative
    return FileInfo(str(item), item.repository, item.path, size, checksums, modified=modified)


def build_download(item: ItemURL, *, unless_sha1: str | None = None) -> Request:
    """
    Ask for the bytes of a file.

    Args:
        item: The file.
        unless_sha1: Answer 304 without a body if the file still has this SHA-1. Artifactory compares
            If-None-Match with the bare SHA-1, without quotes.

    See: JFrog REST API, "Retrieve Artifact"; RFC 9110 section 13.1.2.
    """
    condition = {"If-None-Match": unless_sha1} if unless_sha1 else {}
    return Request("GET", str(item), item.server, _IDENTITY | condition)


def build_rest_of_download(item: ItemURL, start: int, etag: str) -> Request:
    """
    Ask for the bytes of a file from *start* on, or for all of them if it is not *etag* any more.

    The ETag goes back as it came: Artifactory's is a bare SHA-1, and a quoted one would count as changed.

    See: RFC 9110 sections 13.1.5 and 14.2.
    """
    condition = {"Range": f"bytes={start}-", "If-Range": etag}
    return Request("GET", str(item), item.server, _IDENTITY | condition)


def is_folder_redirect(item: ItemURL, location: str) -> bool:
    """Whether a redirect of a file request only adds the slash that makes it a folder's listing."""
    folder = f"/{item.repository}/{item.path}".rstrip("/")
    return unquote(re.split(r"[?#]", location, maxsplit=1)[0]).endswith(f"{folder}/")


_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")


def read_promise(request: Request, chain: Sequence[Mapping[str, str]], *, status: int = HTTPStatus.OK) -> Promise:
    """
    Read what is promised about a body that comes with 200 or 206.

    Args:
        request: The request, for messages.
        chain: Header fields of each hop, Artifactory's own first; storage behind a redirect knows no checksums.
        status: HTTP status code of the last hop.

    Raises:
        ProtocolError: A web page of something that is not Artifactory, or a part that was not asked for.
    """
    final = chain[-1]
    if len(chain) == 1 and _is_html(final) and not _is_from_artifactory(final):
        raise _not_artifactory(request, "an HTML page")
    checksums = next(filter(None, map(_header_checksums, chain)), Checksums())
    etag = final.get("ETag")
    if etag and etag.startswith("W/"):
        etag = None  # it must not go into If-Range (RFC 9110, 13.1.5)
    if status == HTTPStatus.PARTIAL_CONTENT:
        start, size = _content_range(request, final.get("Content-Range", ""))
        return Promise(size, checksums, etag, start)
    if final.get("Content-Encoding", "identity") != "identity":
        # Length, offsets and ETag are those of the encoded bytes, which nobody sees.
        return Promise(None, checksums)
    size = _size(final.get("Content-Length"))
    return Promise(size, checksums, etag, is_open_ended=size is None and "Transfer-Encoding" not in final)


def _content_range(request: Request, value: str) -> tuple[int, int | None]:
    """Offset of the first byte and size of the whole, of an answer that runs to the end of the file."""
    match = _CONTENT_RANGE.match(value)
    if match is None or "Range" not in request.headers:
        raise ProtocolError(f"{request.label}: answered 206 with Content-Range {value!r}", hint="try again")
    return int(match[1]), _size(match[3])


_CHECKSUM_FIELDS = tuple((name, f"X-Checksum-{name.capitalize()}") for name in ALGORITHMS)


def _header_checksums(headers: Mapping[str, str]) -> Checksums:
    return _checksums({name: headers.get(field) for name, field in _CHECKSUM_FIELDS})


# Artifactory's own rule for property names, without what a URL cannot carry: names are not percent-decoded.
_PROPERTY_NAME = re.compile(r"[a-zA-Z][\w.:'-]*\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def build_deploy(
    item: ItemURL, upload: Upload, checksums: Checksums, parameters: Mapping[str, str | Sequence[str]]
) -> Request:
    """
    Send a file; the server refuses it (409) unless its bytes have the given checksums.

    Raises:
        InvalidArgumentError: A property name or value that a URL cannot carry.

    See: JFrog REST API, "Deploy Artifact".
    """
    headers = {"Content-Type": "application/octet-stream"}
    for name, value in (("Sha256", checksums.sha256), ("Sha1", checksums.sha1), ("Md5", checksums.md5)):
        if value:
            headers[f"X-Checksum-{name}"] = value
    return Request("PUT", f"{item}{matrix_parameters(parameters)}", item.server, headers, upload)


def matrix_parameters(parameters: Mapping[str, str | Sequence[str]]) -> str:
    """
    Write properties as matrix parameters, a key repeated for each of its values.

    Raises:
        InvalidArgumentError: A name that Artifactory refuses or a URL cannot carry; a value that is no text, or
            has a control character or half of a surrogate pair.
    """
    pairs = [(key, value) for key, values in parameters.items() for value in _values(key, values)]
    return "".join(f";{key}={quote(value, safe='')}" for key, value in pairs)


def _values(key: str, values: object) -> Sequence[str]:
    if not _PROPERTY_NAME.match(key):
        raise InvalidArgumentError(
            f"property name {key!r}: expected a letter, then letters, digits or any of . _ : - '"
        )
    if isinstance(values, Sequence) and not isinstance(values, str):
        return [_property_value(key, value) for value in values]
    return [_property_value(key, values)]


def _property_value(key: str, value: object) -> str:
    if not isinstance(value, str) or _CONTROL.search(value) or has_surrogates(value):
        raise InvalidArgumentError(f"property {key}: value {value!r} is not text that a URL can hold")
    return value


def read_deployed(item: ItemURL, request: Request, response: Response, sent: Checksums) -> None:
    """
    Check that the server recorded the bytes that were sent.

    Checksum siblings and Maven metadata are answered without a description; then there is nothing to compare.

    Raises:
        ResponseError: The server said no.
        IntegrityError: It recorded other checksums.
    """
    raise_for_status(request, response)
    if response.status_code != HTTPStatus.CREATED or not response.content:
        return
    recorded = _checksums(_read_object(request, response).get("checksums"))
    for algorithm in ("sha256", "sha1", "md5"):
        ours, theirs = sent.get(algorithm), recorded.get(algorithm)
        if ours and theirs and ours != theirs:
            raise IntegrityError(
                f"{request.method} {item}: {algorithm} is {ours}, server recorded {theirs}",
                algorithm=algorithm,
                expected=ours,
                actual=theirs,
                hint="the file may have changed while it was sent; deploy it again",
            )


_AUTHORITY = re.compile(r"^[^:/?#]*://[^/?#]*")


def build_rest(server: ServerURL, url: str) -> Request:
    """Ask for any URL of a server; escapes, queries and matrix parameters stay as they are given."""
    # The host alone is not percent-encoded: outside ASCII it has another form, which the server's origin has.
    path = quote(_AUTHORITY.sub("", url), safe="!#$%&'()*+,/:;=?@[]~")
    return Request("GET", f"{server.origin}{path}", server, _IDENTITY)


def raise_for_status(request: Request, response: Response, *, attempts: int = 1) -> None:
    """
    Do nothing for a success.

    Raises:
        ResponseError: The class of the status, with the server's words.
    """
    if response.status_code >= 300:
        raise read_error(request, response, attempts=attempts)


def read_error(
    request: Request, response: Response, *, attempts: int = 1, retry_after: float | None = None
) -> ResponseError:
    """Make the error of a refusal from whatever body came with it: JSON in several shapes, text, HTML, XML."""
    words = server_words(response)
    # A 404 of something before Artifactory says nothing about the item: it must not pass for "there is none".
    kind = ResponseError if _is_of_a_router(response, words) else error_for_status(response.status_code)
    error = kind(
        f"{request.label}: {_status_text(response.status_code)}" + (f": {words}" if words else ""),
        method=request.method,
        url=mask_url(request.url),
        status=response.status_code,
        server_message=words,
        request_id=response.headers.get("X-Request-Id"),
        attempts=attempts,
        retry_after=retry_after,
        hint=_hint(request, response, words),
    )
    error.retryable = is_retryable_status(response.status_code)
    return error


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _is_of_a_router(response: Response, words: str) -> bool:
    """Whether a 404 comes from JFrog's router or a web server, and not from Artifactory."""
    return response.status_code == 404 and (_is_html(response.headers) or words.startswith("404 page not found"))


def _hint(request: Request, response: Response, words: str) -> str | None:
    status, html = response.status_code, _is_html(response.headers)
    if _is_of_a_router(response, words):
        return f"what stands before Artifactory does not know this path; is {request.server} the base URL?"
    if html and status >= 500:
        return "a proxy before Artifactory answered; try again later"
    if html:
        return f"a web page answered; is {request.server} the base URL of an Artifactory?"
    if 300 <= status < 400:
        return "the server redirects this request; use the URL it redirects to (https instead of http?)"
    return _HINTS.get(status) or ("try again later" if status >= 500 else "look into the server's log for this request")


_HINTS = {
    400: "check the names and values in the call; this server cannot make sense of them",
    401: "check user and password, API key or token for this server; no credentials means anonymous",
    403: "ask for permission on this path, or use another user",
    404: "check repository, path and upper or lower case; a server may also hide what you may not see",
    405: "the repository does not exist or takes no uploads",
    409: "the bytes or the path conflict with what the server expects",
    413: "the storage quota or a proxy's limit for bodies is reached",
    429: "lower max_concurrency, or try again later",
}


def server_words(response: Response) -> str:
    """The server's own words in an error body, in one line, shortened, with echoed secrets masked."""
    text = response.text.strip()
    content_type = response.headers.get("Content-Type", "")
    if "html" in content_type or text[:1] == "<":
        match = re.search(r"<(title|message)[^>]*>(.*?)</\1>", text, re.IGNORECASE | re.DOTALL)
        return _words(unescape(match[2])) if match else ""
    try:
        document = _parse(text)
    except ValueError:
        return _words(text)
    return _words(_json_words(document) if isinstance(document, dict) else text)


def _json_words(document: Mapping[str, Any]) -> str:
    """Find the message in any of the shapes of error that Artifactory and its companions write."""
    for key in ("errors", "messages"):
        if isinstance(entries := document.get(key), list) and entries:
            return "; ".join(_texts(*(entry.get("message") for entry in entries if isinstance(entry, dict))))
    return ": ".join(_texts(*map(document.get, ("error", "error_description", "message"))))


def _texts(*values: object) -> Iterator[str]:
    return (value for value in values if isinstance(value, str) and value)


# Artifactory 6.20 repeats the credentials it refuses: "Bad props auth token: apiKey=<key>".
_ECHOED_SECRET = re.compile(
    r"(?i)\b((?:apikey|\w*token|password|signature|sig)[\"']?\s*[=:]\s*|with token )\S+"
    r"|(\b)(?:eyJ[\w-]+\.[\w.-]+|AKC\w{20,})"
)


def _words(text: str) -> str:
    line = " ".join(_ECHOED_SECRET.sub(r"\1\2***", text).split())
    return line if len(line) <= _MAX_WORDS else f"{line[:_MAX_WORDS]}…"


def _read_object(request: Request, response: Response) -> dict[str, Any]:
    raise_for_status(request, response)
    document = _parsed(response.text)
    if document is _NOT_JSON:
        what = "an HTML page" if _is_html(response.headers) else "something that is not JSON"
        raise _not_artifactory(request, what)
    if not isinstance(document, dict):
        raise _not_artifactory(request, f"a JSON {type(document).__name__}")
    return document


_NOT_JSON = object()


def _parsed(text: str) -> Any:
    """Parse JSON without its error, which would carry the whole text, whatever that holds."""
    try:
        return _parse(text)
    except ValueError:
        return _NOT_JSON


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _objects(request: Request, document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The list of objects that *document* must have as *key*."""
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _not_artifactory(request, f"an answer without {key!r}, a list of objects")
    return entries


def _name(request: Request, entry: Mapping[str, Any], key: str) -> str:
    """The name that *entry* must have as *key*; JSON can spell halves of surrogate pairs, no URL can."""
    name = entry.get(key)
    if not isinstance(name, str) or has_surrogates(name):
        raise _not_artifactory(request, f"an answer where {key!r} is no name")
    return name


def _not_artifactory(request: Request, what: str) -> ProtocolError:
    return ProtocolError(
        f"{request.label}: answered with {what}", hint=f"is {request.server} the base URL of an Artifactory?"
    )


def _is_html(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").lower().startswith("text/html")


def _is_from_artifactory(headers: Mapping[str, str]) -> bool:
    marks = ("X-Artifactory-Id", "X-JFrog-Version", "X-Artifactory-Filename", "X-Checksum-Sha1")
    return any(mark in headers for mark in marks) or headers.get("Server", "").startswith("Artifactory")


def _child(request: Request, entry: Mapping[str, Any]) -> Child:
    name = _name(request, entry, "uri").removeprefix("/")
    # A walk would follow such a name out of its folder, or in a circle.
    if name in ("", ".", "..") or "/" in name or "folder" not in entry:
        raise _not_artifactory(request, f"a child {name!r} that is neither file nor folder")
    return Child(name, _is_true(entry.get("folder")))


def _is_true(value: object) -> bool:
    """Read a flag; the documentation shows flags as text, real servers send booleans."""
    return value is True or value == "true"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _size(value: object) -> int | None:
    """Sizes are text in File Info, numbers in File List and AQL, -1 for folders."""
    try:
        size = int(str(value))
    except ValueError:
        return None
    return size if size >= 0 else None


def _checksums(values: object) -> Checksums:
    """Keep the checksums that are well formed; a proxy may have dropped or spoiled some."""
    if not isinstance(values, Mapping):
        return Checksums()
    with suppress(InvalidArgumentError):
        return Checksums(**{name: values.get(name) for name in ALGORITHMS})
    known: dict[str, str | None] = {}
    for name in ALGORITHMS:
        with suppress(InvalidArgumentError):
            known[name] = Checksums(**{name: values.get(name)}).get(name)
    return Checksums(**known)


def _date(value: object) -> datetime | None:
    try:
        date = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return date if date.tzinfo else None
