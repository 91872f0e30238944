"""
The second origin: an object store behind signed URLs, in the manner of S3.

It knows nothing of Artifactory: no checksum headers, an ETag of its own, RFC 9110 ranges, and a refusal of every
request that brings credentials besides the signature.
"""

import re

from ..instance import Instance
from ..protocol import formats
from ..protocol.replies import FilePart, Reply
from ..storage.part_uploads import FOLDER
from ..storage.store import Item
from . import intake, signing
from .exchange import Exchange

_SINGLE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def respond(exchange: Exchange) -> Reply:
    """Answer a request for a signed URL."""
    instance, request, target = exchange.instance, exchange.request, exchange.target
    if exchange.record.had_credentials:
        return _refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    if request.method not in ("GET", "HEAD", "PUT") or (request.method == "PUT" and target.repository != FOLDER):
        return _refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    if not signing.is_signed(target.path, target.query):
        return _refusal(403, "SignatureDoesNotMatch", "The request signature does not match.")
    if signing.is_expired(instance, target.query):
        return _refusal(403, "AccessDenied", "Request has expired")
    if request.method == "PUT":
        return await _take_part(exchange)
    item = instance.store.get(target.repository, target.item_path)
    if item is None or item.is_folder:
        return _refusal(404, "NoSuchKey", "The specified key does not exist.")
    return _content(instance, item, exchange.asked_range, request.headers.get("If-Range"))


async def _take_part(exchange: Exchange) -> Reply:
    """Store one part of an upload; put again, it takes the place of the one before."""
    _, key, number = exchange.target.segments
    content = await intake.receive(exchange.instance, exchange.body())
    upload = exchange.instance.uploads.with_key(key)
    if upload is None or not upload.takes_parts:
        return _refusal(404, "NoSuchUpload", "The specified multipart upload does not exist.")
    upload.put_part(int(number), content)
    return Reply(200, {"ETag": f'"{content.md5}"'})


def _content(instance: Instance, item: Item, asked: str | None, if_range: str | None) -> Reply:
    tag = f'"{item.md5}"'
    headers = {
        "Content-Type": "application/octet-stream",
        "ETag": tag,
        "Last-Modified": formats.http(item.updated),
        "Accept-Ranges": "bytes",
    }
    path = instance.store.blob_of(item)
    match = _SINGLE_RANGE.fullmatch(asked or "")
    unchanged = if_range in (None, tag, headers["Last-Modified"])
    if not match or not any(match.groups()) or not unchanged:
        return Reply(200, headers, FilePart(path, 0, item.size))
    first, last = match.groups()
    start = int(first) if first else max(item.size - int(last), 0)
    stop = min(int(last) + 1 if first and last else item.size, item.size)
    if start >= stop:
        return _refusal(416, "InvalidRange", "The requested range is not satisfiable", f"bytes */{item.size}")
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{item.size}"
    return Reply(206, headers, FilePart(path, start, stop))


def _refusal(status: int, code: str, message: str, content_range: str | None = None) -> Reply:
    headers = {"Content-Type": "application/xml"}
    if content_range:
        headers["Content-Range"] = content_range
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Reply(status, headers, body.encode())
