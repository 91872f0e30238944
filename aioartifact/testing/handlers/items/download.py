"""``GET|HEAD /{repository}/{path}``: files, ranges, conditions, checksum siblings, the redirect to storage."""

from functools import partial
from pathlib import Path
from urllib.parse import quote

from ...layouts import names
from ...lookup import latest, resolution
from ...lookup.resolution import Found
from ...protocol import media, ranges
from ...protocol.formats import http, parse_http
from ...protocol.replies import FilePart, Reply, refuse
from ...storage.store import Item
from ...wire import signing
from ...wire.exchange import Exchange
from ..request_checks import is_true
from ..storage_api import properties
from . import browse

_BOUNDARY = "BCD64322345343217845286A"  # the real server's, a constant there too
# What commons-httpclient leaves raw in a file name; decode with unquote, not unquote_plus.
RAW_IN_NAMES = "!$&'()*+,;=:@?/-._~"


async def retrieve(exchange: Exchange) -> Reply:
    """Answer a request for a file; one for a folder gets its index, or a redirect to it."""
    repository = exchange.repository()
    target = exchange.target
    if target.is_folder:
        return browse.index(exchange, repository)
    found = await resolution.find(exchange, repository, latest.translated(exchange))
    item = found.item
    if item.is_folder:
        return Reply(302, {"Location": exchange.link(repository.key, item.path) + "/"})
    headers = file_headers(exchange, found)
    if {"properties", "propertiesXml"} & target.query.keys() and exchange.request.method == "GET":
        return properties.of_download(exchange, item, headers)
    if _is_not_modified(exchange, item):
        del headers["Content-Type"]
        return Reply(304, headers)
    if found.checksum:
        return _checksum(exchange, found)
    if _goes_to_storage(exchange, found):
        return Reply(302, {"Location": signing.signed_url(exchange.instance, item)})
    return await _content(exchange, item, headers)


def file_headers(exchange: Exchange, found: Found) -> dict[str, str]:
    """Return the headers that describe a file on 200, 206, 304 and HEAD."""
    item = found.item
    encoded = quote(item.name, safe=RAW_IN_NAMES)
    headers = {
        "Last-Modified": http(item.modified),
        **_present({"ETag": item.sha1, "X-Checksum-Sha1": item.sha1}),
        **_present({"X-Checksum-Sha256": item.sha256, "X-Checksum-Md5": item.md5}),
        "Accept-Ranges": "bytes",
        "X-Artifactory-Filename": encoded,
        "Content-Type": media.content_type(item.name),
    }
    if names.is_expirable(item.path):
        headers["Cache-Control"] = "no-store"
    if not found.repository.content_browsing:
        headers["Content-Disposition"] = f"attachment; filename=\"{item.name}\"; filename*=UTF-8''{encoded}"
    elif exchange.request.headers.get("User-Agent", "").startswith("Mozilla"):
        headers["Content-Type"] = media.displayable(item.name)
    return headers


def _present(headers: dict[str, str | None]) -> dict[str, str]:
    """Leave out unknown values: an upstream may report no checksums."""
    return {name: value for name, value in headers.items() if value is not None}


def _is_not_modified(exchange: Exchange, item: Item) -> bool:
    headers = exchange.request.headers
    tag = headers.get("If-None-Match")
    since = parse_http(headers.get("If-Modified-Since"))
    if since is None:
        return tag == item.sha1
    return item.modified // 1000 <= since // 1000 and tag in (None, item.sha1)


def _goes_to_storage(exchange: Exchange, found: Found) -> bool:
    over = exchange.instance.redirect_over
    return (
        over is not None
        and found.item.size >= over
        and found.repository.download_redirect
        and found.is_stored
        and exchange.request.method == "GET"
        and not is_true(exchange.target.query.get("artifactory.disableRedirect"))
        and exchange.request.headers.get("X-JFrog-Download-Redirect-To") != "None"
    )


async def _content(exchange: Exchange, item: Item, headers: dict[str, str]) -> Reply:
    instance = exchange.instance
    if exchange.request.method == "HEAD":
        return Reply(200, headers, FilePart(Path(), 0, item.size))  # only its length counts
    assert item.sha1 is not None
    path = instance.store.blob_of(item)
    file = FilePart(path, 0, item.size)
    whole = Reply(200, headers, file)
    instance.store.count_download(item, exchange.user.name, instance.now_ms())
    asked = exchange.asked_range
    if asked is None:
        return whole
    spans = ranges.select(asked, item.size, suffixes=instance.profile.suffix_ranges)
    if spans == []:
        return Reply(416, {"Content-Range": f"bytes */{item.size}"})
    if spans is None or not ranges.is_unchanged(exchange.request.headers.get("If-Range"), item.sha1, item.modified):
        return whole
    if len(spans) > 1:
        return await instance.in_thread(partial(_multipart, headers, file, spans))
    headers["Content-Range"] = spans[0].content_range(item.size)
    return Reply(206, headers, FilePart(path, spans[0].start, spans[0].stop))


def _multipart(headers: dict[str, str], whole: FilePart, spans: list[ranges.Span]) -> Reply:
    """Build ``multipart/byteranges`` as 6.20 does: no line break before the closing boundary."""
    body = bytearray()
    with whole.path.open("rb") as file:
        for number, span in enumerate(spans):
            line_break = "\r\n" if number else ""
            body += (
                f"{line_break}--{_BOUNDARY}\r\nContent-Type: {headers['Content-Type']}\r\n"
                f"Content-Range: {span.content_range(whole.stop)}\r\n\r\n"
            ).encode()
            file.seek(span.start)
            body += file.read(span.stop - span.start)
    body += f"--{_BOUNDARY}--\r\n".encode()
    return Reply(206, headers | {"Content-Type": f"multipart/byteranges; boundary={_BOUNDARY}"}, bytes(body))


def _checksum(exchange: Exchange, found: Found) -> Reply:
    """Answer for ``<file>.sha1`` and other checksum files, which exist if the checksum of the file is known."""
    item = found.item
    digests = item.actual if _is_computed(found) else item.original
    digest = getattr(digests, found.checksum)
    if digest is None:
        refuse(404, f"Checksum not found for {item.repo}/{item.path}", servlet=True)
    headers = file_headers(exchange, found) if exchange.request.method == "HEAD" else {}
    headers |= {"Content-Type": media.CHECKSUM, "Last-Modified": http(exchange.instance.now_ms())}
    if names.is_expirable(item.path):
        headers["Cache-Control"] = "no-store"
    return _part_of_checksum(exchange, headers, digest.encode())


def _part_of_checksum(exchange: Exchange, headers: dict[str, str], body: bytes) -> Reply:
    asked = exchange.asked_range if exchange.request.method == "GET" else None
    spans = ranges.select(asked, len(body), suffixes=exchange.instance.profile.suffix_ranges) if asked else None
    if spans == []:
        return Reply(416, {"Content-Range": f"bytes */{len(body)}"})
    if spans is None or len(spans) > 1:
        return Reply(200, headers, body)
    (span,) = spans
    headers["Content-Range"] = span.content_range(len(body))
    return Reply(206, headers, body[span.start : span.stop])


def _is_computed(found: Found) -> bool:
    """Return whether the checksums of a file are the server's own, whatever came with the file."""
    return found.repository.checksum_policy == "server" or names.is_metadata(found.item.path)
