"""``GET /{repository}/{archive}!/{entry}``: a file out of a zip or tar file (Pro)."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import quote

from ...archive import unpacking
from ...archive.unpacking import BrokenArchiveError
from ...layouts import names
from ...lookup import resolution, views
from ...protocol import media
from ...protocol.formats import http
from ...protocol.replies import Body, FilePart, Reply, refuse
from ...storage.blobs import BATCH
from ...storage.store import Item
from ...wire.exchange import Exchange
from .download import RAW_IN_NAMES

_SMALL = 64 << 10  # bytes up to which an entry is sent with its length


def is_entry(exchange: Exchange) -> bool:
    """Whether the path leads into an archive, rather than into a folder whose name ends in ``!``."""
    path = exchange.target.item_path + "/" * exchange.target.is_folder
    if "!/" not in path:
        return False
    folder = path.partition("!/")[0] + "!"
    return not any(item.is_folder for item in views.stored(exchange, folder))


async def retrieve(exchange: Exchange) -> Reply:
    """Answer with an entry, or with the checksum of one."""
    if exchange.instance.edition == "oss":
        refuse(403, "Direct resource download from zip requires the Filtered resources add-on.", servlet=True)
    path, _, entry = exchange.target.item_path.partition("!/")
    found = await resolution.find(exchange, exchange.repository(), path)
    item = found.item
    if item.is_folder or found.checksum or not found.is_stored or not unpacking.is_archive(item.name):
        refuse(404, "File not found.", servlet=True)
    blob = exchange.instance.store.blob_of(item)
    try:
        size = await exchange.instance.in_thread(partial(_size, blob, item.name, entry))
        if size is None:
            return await _checksum(exchange, blob, item, entry)
        body = await _body(exchange, blob, item.name, entry, size)
    except BrokenArchiveError as broken:
        refuse(404, str(broken), servlet=True)
    return Reply(200, _headers(item, entry), body)


async def _body(exchange: Exchange, blob: Path, name: str, entry: str, size: int) -> Body:
    if exchange.request.method == "HEAD":
        return FilePart(Path(), 0, size)  # only its length counts
    if size > _SMALL:
        return _stream(exchange, blob, name, entry)
    return await exchange.instance.in_thread(partial(_read, blob, name, entry))


def _headers(item: Item, entry: str) -> dict[str, str]:
    encoded = quote(entry, safe=RAW_IN_NAMES)
    return {
        "Last-Modified": http(item.modified),
        "X-Artifactory-Filename": encoded,
        "Content-Disposition": f"attachment; filename=\"{entry}\"; filename*=UTF-8''{encoded}",
        "Content-Type": media.content_type(entry),
    }


async def _checksum(exchange: Exchange, blob: Path, item: Item, entry: str) -> Reply:
    """Answer for ``...!/entry.sha1`` and other checksum files with the digest of the entry."""
    path, algorithm = names.split_checksum(entry)
    if not algorithm:
        refuse(404, "File not found.", servlet=True)
    digest = await exchange.instance.in_thread(partial(_digest, blob, item.name, path, algorithm))
    if digest is None:
        refuse(404, "File not found.", servlet=True)
    headers = {"Content-Type": media.CHECKSUM, "Last-Modified": http(exchange.instance.now_ms())}
    return Reply(200, headers, digest.encode())


def _size(blob: Path, name: str, path: str) -> int | None:
    with unpacking.opened(blob, name) as archive:
        entry = unpacking.find(archive, path)
        return entry.size if entry else None


def _read(blob: Path, name: str, path: str) -> bytes:
    with unpacking.opened(blob, name) as archive:
        entry = unpacking.find(archive, path)
        assert entry is not None  # _size has found it
        with archive.open(entry) as file:
            return file.read()


def _digest(blob: Path, name: str, path: str, algorithm: str) -> str | None:
    with unpacking.opened(blob, name) as archive:
        entry = unpacking.find(archive, path)
        if entry is None:
            return None
        with archive.open(entry) as file:
            digest = hashlib.new(algorithm, usedforsecurity=False)
            while data := file.read(BATCH):
                digest.update(data)
            return digest.hexdigest()


async def _stream(exchange: Exchange, blob: Path, name: str, path: str) -> AsyncGenerator[bytes, None]:
    in_thread = exchange.instance.in_thread
    try:
        with ExitStack() as stack:
            archive = await in_thread(partial(stack.enter_context, unpacking.opened(blob, name)))
            entry = await in_thread(partial(unpacking.find, archive, path))
            assert entry is not None  # _size has found it
            file = stack.enter_context(archive.open(entry))
            while data := await in_thread(partial(file.read, BATCH)):
                yield data
    except BrokenArchiveError as broken:
        raise ConnectionAbortedError("the archive is damaged, and the status is sent already") from broken
