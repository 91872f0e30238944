"""``GET|HEAD /{repository}/{path}``: files, ranges, conditions, checksum siblings, the redirect to storage."""

from functools import partial
from urllib.parse import quote

from .. import media, ranges, signing
from ..dates import http, parse_http
from ..exchange import Exchange
from ..replies import FilePart, Reply, refuse
from ..repositories import Repository
from ..store import Item
from . import browse, properties

CHECKSUM_EXTENSIONS = ("sha1", "sha256", "md5")

_BOUNDARY = "BCD64322345343217845286A"  # the real server's, a constant there too
# What commons-httpclient leaves raw in a file name; decode with unquote, not unquote_plus.
_RAW_IN_NAMES = "!$&'()*+,;=:@?/-._~"


async def retrieve(exchange: Exchange) -> Reply:
    """Answer a request for a file, or send a folder's reader on."""
    repository = exchange.repository()
    target = exchange.target
    demand_read(exchange)
    if target.is_folder:
        return browse.index(exchange)
    item = exchange.instance.store.get(repository.key, target.item_path)
    if item is None:
        return _checksum_sibling(exchange, repository)
    if item.is_folder:
        return Reply(302, {"Location": exchange.link(repository.key, item.path) + "/"})
    if {"properties", "propertiesXml"} & target.query.keys() and exchange.request.method == "GET":
        return properties.of_download(exchange, item, file_headers(item))
    _demand_matrix(exchange, item)
    if _is_not_modified(exchange, item):
        return Reply(304, file_headers(item))
    if _goes_to_storage(exchange, item):
        return Reply(302, {"Location": signing.signed_url(exchange.instance, item)})
    return await _content(exchange, item)


def demand_read(exchange: Exchange) -> None:
    """
    Let only readers of the path through; for folders also those who may read something inside.

    Raises:
        RefusalError: 401, 403 or 404 by the rules for reading.
    """
    if exchange.can("r"):
        return
    item = exchange.instance.store.get(exchange.target.repository, exchange.target.item_path)
    if item and exchange.can_see(item):
        return
    message = f"Download request for repo:path '{exchange.address}' is forbidden for user: '{exchange.user.name}'."
    exchange.deny_read(message, servlet=True)


def file_headers(item: Item) -> dict[str, str]:
    """Return the headers that describe *item* on 200, 206, 304 and HEAD."""
    content = item.content
    encoded = quote(item.name, safe=_RAW_IN_NAMES)
    return {
        "Last-Modified": http(item.modified),
        "ETag": content.sha1,
        "X-Checksum-Sha1": content.sha1,
        "X-Checksum-Sha256": content.sha256,
        "X-Checksum-Md5": content.md5,
        "Accept-Ranges": "bytes",
        "X-Artifactory-Filename": encoded,
        "Content-Disposition": f"attachment; filename=\"{item.name}\"; filename*=UTF-8''{encoded}",
        "Content-Type": media.content_type(item.name),
    }


def _is_not_modified(exchange: Exchange, item: Item) -> bool:
    headers = exchange.request.headers
    tag = headers.get("If-None-Match")
    since = parse_http(headers.get("If-Modified-Since"))
    if since is None:
        return tag == item.sha1
    return item.modified // 1000 <= since // 1000 and tag in (None, item.sha1)


def _goes_to_storage(exchange: Exchange, item: Item) -> bool:
    over = exchange.instance.redirect_over
    return (
        over is not None
        and item.size >= over
        and exchange.request.method == "GET"
        and exchange.target.query.get("artifactory.disableRedirect") != "true"
        and exchange.request.headers.get("X-JFrog-Download-Redirect-To") != "None"
    )


async def _content(exchange: Exchange, item: Item) -> Reply:
    instance, headers = exchange.instance, file_headers(item)
    assert item.sha1 is not None
    path = instance.store.blob_of(item)
    file = FilePart(path, 0, item.size)
    whole = Reply(200, headers, file)
    if exchange.request.method == "HEAD":
        return whole
    instance.store.count_download(item, exchange.user.name, instance.now_ms())
    asked = exchange.asked_range
    if asked is None:
        return whole
    spans = ranges.select(asked, item.size)
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


def _checksum_sibling(exchange: Exchange, repository: Repository) -> Reply:
    """Answer for ``<file>.sha1`` and its kin, which exist where the checksum of the file is known."""
    path, _, extension = exchange.target.item_path.rpartition(".")
    item = exchange.instance.store.get(repository.key, path) if extension in CHECKSUM_EXTENSIONS else None
    if item is None or item.is_folder:
        refuse(404, "File not found.", servlet=True)
    digests = item.original if repository.checksum_policy == "client" else item.actual
    digest = getattr(digests, extension)
    if digest is None:
        refuse(404, f"Checksum not found for {exchange.target.item_path}", servlet=True)
    headers = {"Content-Type": media.CHECKSUM, "Last-Modified": http(exchange.instance.now_ms())}
    return Reply(200, headers, digest.encode())


def _demand_matrix(exchange: Exchange, item: Item) -> None:
    """
    Check matrix parameters against the item's properties; blank values do not count on either side.

    ``key=value`` conflicts where the item has the key with other values; ``key+=value`` also where it lacks it.
    """
    if not exchange.target.matrix:
        return
    has = {
        key: kept
        for key, values in exchange.instance.store.properties(item).items()
        if (kept := set(filter(None, values)))
    }
    wanted: dict[str, set[str]] = {}
    for key, value in exchange.target.matrix:
        wanted.setdefault(key, set()).update(filter(None, (value,)))
    if not all(_fits(key, values, has) for key, values in wanted.items()):
        message = f"File '{exchange.address}' was found, but mandatory properties do not match."
        refuse(404, message, servlet=True)


def _fits(key: str, values: set[str], has: dict[str, set[str]]) -> bool:
    found = has.get(key.removesuffix("+"))
    if key.endswith("+"):
        return found is not None and (not values or found == values)
    return not values or found is None or found == values
