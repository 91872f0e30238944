"""Requests for the bytes of a file or a part of it, and the header fields of the responses."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import unquote

from .._address import ItemURL, quote_path
from .._bodies import codings_of, is_file, is_html, size_of
from .._checksums import ALGORITHMS, NO_CHECKSUMS, Checksums, checksums_of
from .._errors import ProtocolError
from .._models import FileInfo
from .._retry import parse_http_date
from .json_values import not_artifactory
from .request import IDENTITY, Request


@dataclass(frozen=True, slots=True)
class ExpectedContent:
    """
    The description of a body in its response head.

    Attributes:
        size: Bytes of the whole file; None if unknown.
        checksums: Checksums of the whole file.
        etag: ETag of this content at the server that sends it, exactly as received, or None.
        start: Offset of the first byte of the body.
        stop: Offset after the last byte of the body, if it is a part; None for the whole file.
        is_open_ended: Whether the body ends with the connection, and so may break off unnoticed (RFC 9112, 6.3).
        codings: Content codings that the body is labelled with; *size* is then that of the encoded body. Only a
            checksum shows whether they were stored with the file or added in transit.
        is_page: Whether it is a web page that only a checksum can identify as the file.
        is_contradictory: Whether it is a part that ends after *size*, although no such end was requested: *stop* is
            *size*, but that may be wrong.
    """

    size: int | None
    checksums: Checksums
    etag: str | None = None
    start: int = 0
    stop: int | None = None
    is_open_ended: bool = False
    codings: tuple[str, ...] = ()
    is_page: bool = False
    is_contradictory: bool = False


_QUOTED_SHA1 = re.compile(r'(?:W/)?"([0-9a-f]{40})"\Z')


def with_condition(request: Request, etag: str) -> Request:
    """
    Return *request* with ``If-None-Match``, so that the response is 304 if the file still has this *etag*.

    Artifactory compares the value with its bare SHA-1; caches and browsers send it back in quotes.

    See: RFC 9110 section 13.1.2.
    """
    match = _QUOTED_SHA1.match(etag)
    return replace(request, headers={**request.headers, "If-None-Match": match[1] if match else etag})


def read_file_headers(item: ItemURL, chain: Sequence[Mapping[str, str]], content: ExpectedContent) -> FileInfo:
    """
    Describe a file by the header fields of a download.

    Args:
        item: The file.
        chain: Header fields of each hop, Artifactory's own first; storage may not know the time and type.
        content: Their description of the body.
    """
    dates = (headers.get("Last-Modified") for headers in chain)
    types = (headers.get("Content-Type") for headers in reversed(chain))
    media_type = next(filter(None, types), "").partition(";")[0].strip()
    return FileInfo(
        str(item),
        item.repository,
        item.path,
        content.size,
        content.checksums,
        modified=next(filter(None, map(parse_http_date, filter(None, dates))), None),
        mime_type=media_type or None,
    )


def build_download(item: ItemURL, *, unless_sha1: str | None = None) -> Request:
    """
    Request the bytes of a file.

    Args:
        item: The file.
        unless_sha1: SHA-1 for which the server responds 304 without a body if the file still has it. Artifactory
            compares If-None-Match with the bare SHA-1, without quotes.

    See: JFrog REST API, "Retrieve Artifact"; RFC 9110 section 13.1.2.
    """
    condition = {"If-None-Match": unless_sha1} if unless_sha1 else {}
    return Request("GET", str(item), item.server, IDENTITY | condition, is_for_file=True)


def build_range(item: ItemURL, start: int, stop: int | None, etag: str | None) -> Request:
    """
    Request some bytes of a file, or all of them if it no longer has this *etag*.

    The ETag is sent as it was received: Artifactory's is a bare SHA-1, and a quoted one would count as changed.

    Args:
        item: The file.
        start: Offset of the first byte.
        stop: Offset after the last byte; None for the rest of the file.
        etag: ETag of the content that the bytes must belong to, exactly as received; None for any content.

    See: RFC 9110 sections 13.1.5 and 14.2.
    """
    if start == 0 and stop is None:
        return build_download(item)
    last = "" if stop is None else stop - 1
    condition = {"If-Range": etag} if etag else {}
    headers = IDENTITY | {"Range": f"bytes={start}-{last}"} | condition
    return Request("GET", str(item), item.server, headers, is_for_file=True)


def unsatisfied_size(headers: Mapping[str, str]) -> int | None:
    """Return the size of a file that ends before the requested part (416), if the server reports it."""
    return size_of(headers.get("Content-Range", "").removeprefix("bytes */"))


def is_folder_redirect(item: ItemURL, location: str) -> bool:
    """Whether a redirect of a file request only adds the slash that makes it a folder's listing."""
    folder = f"/{item.repository}/{item.path}".rstrip("/")
    return unquote(re.split(r"[?#]", location, maxsplit=1)[0]).endswith(f"{folder}/")


_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")


def read_expected_content(
    request: Request, chain: Sequence[Mapping[str, str]], *, status: int = HTTPStatus.OK
) -> ExpectedContent:
    """
    Read the description of a body from a response with status 200 or 206.

    Args:
        request: The request, for messages.
        chain: Header fields of each hop, Artifactory's own first; storage after a redirect sends no checksums.
        status: HTTP status code of the last hop.

    Raises:
        ProtocolError: If the response is a web page in place of a file, or has a malformed or unrequested range.
    """
    final = chain[-1]
    if len(chain) == 1 and is_html(final) and not is_file(final):
        raise not_artifactory(request, "an HTML page")
    is_page = is_html(final) and not is_file(final)
    checksums = next(filter(None, map(_header_checksums, chain)), NO_CHECKSUMS)
    etag = final.get("ETag")
    if etag and etag.startswith("W/"):
        etag = None  # it must not go into If-Range (RFC 9110, 13.1.5)
    codings = codings_of(final)
    if status == HTTPStatus.PARTIAL_CONTENT:
        start, stop, size = _content_range(request, final.get("Content-Range", ""))
        requested = request.headers["Range"].removeprefix("bytes=")
        return ExpectedContent(
            size,
            checksums,
            _without_range(etag, f"{start}-{stop - 1}", requested),
            start,
            stop if size is None else min(stop, size),
            codings=codings,
            is_page=is_page,
            # Old servers repeat the offset of the last requested byte, even if it lies after the end of the file.
            is_contradictory=size is not None and stop > size and not requested.endswith(f"-{stop - 1}"),
        )
    size = size_of(final.get("Content-Length"))
    # A body in any other transfer coding ends with the connection, like one without a length (RFC 9112, 6.3).
    is_chunked = final.get("Transfer-Encoding", "").lower().rpartition(",")[2].strip() == "chunked"
    is_open_ended = size is None and not is_chunked
    # Some proxies send an encoded body with the ETag of the file, and its ranges without a coding.
    etag = None if codings else etag
    return ExpectedContent(size, checksums, etag, is_open_ended=is_open_ended, codings=codings, is_page=is_page)


def _without_range(etag: str | None, *ranges: str) -> str | None:
    """Return the ETag of the whole file: before 5.8, Artifactory appends the range to it, unquoted."""
    for each in ranges if etag else ():
        etag = etag.removesuffix(f"-{each}") if etag else None
    return etag or None


def _content_range(request: Request, value: str) -> tuple[int, int, int | None]:
    """Return the offsets of the first byte and after the last one, and the size of the whole file."""
    match = _CONTENT_RANGE.match(value) if "Range" in request.headers else None
    first, last, size = map(size_of, match.groups()) if match else (None, None, None)
    if first is not None and last is not None and first <= last and (size is None or first < size):
        return first, last + 1, size
    raise ProtocolError(f"{request.label}: answered 206 with Content-Range {value!r}", hint="try again")


_CHECKSUM_FIELDS = tuple((name, f"X-Checksum-{name.capitalize()}") for name in ALGORITHMS)


def _header_checksums(headers: Mapping[str, str]) -> Checksums:
    found = {name: value for name, field in _CHECKSUM_FIELDS if (value := headers.get(field))}
    return checksums_of(found) if found else NO_CHECKSUMS


def build_archive_member(item: ItemURL, member: str) -> Request:
    """
    Request one member of an archive (Pro).

    See: JFrog REST API, "Archive Entry Download".
    """
    return Request("GET", f"{item}!/{quote_path(member)}", item.server, IDENTITY, is_for_file=True)


def build_folder_archive(item: ItemURL) -> Request:
    """
    Request a folder as a zip file (Pro, where the administrator allows it).

    Of the available types, only zip has a checksum for each file, and an end that shows that the archive is complete:
    the response has no length.

    See: JFrog REST API, "Retrieve Folder or Repository Archive".
    """
    url = f"{item.server}/api/archive/download/{item.location}?archiveType=zip"
    return Request("GET", url, item.server, IDENTITY, is_for_file=True)
