"""``PUT`` and ``DELETE /{repository}/{path}``: files, checksums, folders."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import NoReturn

from .. import jackson, media
from ..blobs import BATCH, Content, Upload
from ..dates import parse_http
from ..exchange import Exchange
from ..instance import settled
from ..replies import VENDOR, Reply, refuse
from ..repositories import Repository
from ..store import Checksums, ConflictError, Deployment, Item
from . import properties
from .download import CHECKSUM_EXTENSIONS
from .storage import checksums_of, original_checksums_of

SMALL = 64 << 10  # bytes up to which a body is kept in memory and stored without a thread

_CONTENT_TYPE = f"{VENDOR}storage.ItemCreated+json;charset=ISO-8859-1"
_CHECKSUM_FILE_LIMIT = 1024  # bytes
_LENGTHS = {"sha1": 40, "md5": 32, "sha256": 64}


async def put(exchange: Exchange) -> Reply:
    """Deploy a file, its bytes by reference, the checksum of a file, or a folder."""
    repository = exchange.repository()
    target = exchange.target
    if target.is_folder or not target.item_path:
        return await _put_folder(exchange, repository)
    if exchange.request.headers.get("X-Checksum-Deploy") == "true":
        return await _put_by_checksum(exchange, repository)
    if target.item_path.endswith(tuple(f".{each}" for each in CHECKSUM_EXTENSIONS)):
        return await _put_checksum(exchange)
    return await _put_file(exchange, repository)


async def _put_file(exchange: Exchange, repository: Repository) -> Reply:
    supplied = _supplied(exchange)
    await _demand_deploy(exchange, supplied)
    properties.demand_valid_keys([key for key, _ in exchange.target.matrix])
    content = await receive(exchange)
    if repository.checksum_policy == "client":
        _verify(exchange, supplied, content)
    return _store(exchange, repository, content, supplied)


async def _put_by_checksum(exchange: Exchange, repository: Repository) -> Reply:
    supplied = _supplied(exchange)
    if not supplied.sha1 and not supplied.sha256:
        refuse(400, "Checksum values not provided", servlet=True)
    source = _known_content(exchange, supplied)
    await _demand_deploy(exchange, supplied)
    properties.demand_valid_keys([key for key, _ in exchange.target.matrix])
    return _store(exchange, repository, source, supplied)


def _known_content(exchange: Exchange, supplied: Checksums) -> Content:
    """Find the content a checksum deploy refers to, among what the user may read."""
    kind, digest = ("SHA-256", supplied.sha256) if supplied.sha256 else ("SHA-1", supplied.sha1)
    if len(digest or "") != _LENGTHS[kind.replace("-", "").lower()]:
        refuse(404, f"Checksum deploy failed. Invalid {kind}: {digest}", servlet=True)
    lower = (digest or "").lower()
    store, accounts, user = exchange.instance.store, exchange.instance.accounts, exchange.user
    found = store.find_content(sha256=lower) if kind == "SHA-256" else store.find_content(sha1=lower)
    readable = next((item for item in found if accounts.can(user, "r", item.repo, item.path)), None)
    if readable is None and not user.admin:
        checked = f"SHA-1:{supplied.sha1}" if supplied.sha1 else f"SHA-256:{supplied.sha256}"
        refuse(404, f"{checked} not found", servlet=True)
    if readable is None:
        refuse(404, f"Checksum deploy failed. No existing file with {kind}: {digest}", servlet=True)
    return readable.content


async def _put_checksum(exchange: Exchange) -> Reply:
    """Set a client-supplied checksum of a file that is there already."""
    store, target = exchange.instance.store, exchange.target
    path, _, algorithm = target.item_path.rpartition(".")
    await _demand_deploy(exchange, Checksums(), overwrites=False)
    body = await _read_at_most(exchange, _CHECKSUM_FILE_LIMIT)
    item = store.get(target.repository, path)
    if item is None:
        message = f"Target file to set checksum on doesn't exist: {target.repository}:{path}"
        refuse(404, message, servlet=True)
    if item.is_folder:
        message = f"Checksum only supported for files (but found folder): {target.repository}:{path}"
        refuse(409, message, servlet=True)
    words = body.decode("latin-1").split()
    digest, actual = (words[0] if words else ""), getattr(item.actual, algorithm)
    store.set_original(item, algorithm, digest)
    if exchange.repository().checksum_policy == "client" and digest.lower() != actual:
        message = f"Checksum error for '{target.item_path}': received '{digest}' but actual is '{actual}'"
        refuse(409, message, servlet=True)
    return Reply(201, {"Location": exchange.link(item.repo, item.path)})


async def _put_folder(exchange: Exchange, repository: Repository) -> Reply:
    target = exchange.target
    if not target.item_path:
        refuse(500, "Repository '' is not a local repository", servlet=True)
    await _demand_deploy(exchange, Checksums(), overwrites=False)
    properties.demand_valid_keys([key for key, _ in target.matrix])
    try:
        item = exchange.instance.store.make_folder(repository.key, target.item_path, _deployment(exchange, Checksums()))
    except ConflictError as conflict:
        refuse(409, str(conflict), servlet=True)
    uri = exchange.link(item.repo, item.path) + "/"
    document: jackson.JSON = {
        "repo": item.repo,
        "path": f"/{item.path}/",
        "created": exchange.instance.iso(item.created),
        "createdBy": item.created_by or "",
        "uri": uri,
    }
    return _created(document, uri)


async def _demand_deploy(exchange: Exchange, supplied: Checksums, *, overwrites: bool = True) -> None:
    """
    Check the right to deploy, and to overwrite what is there.

    Raises:
        RefusalError: 401 after the body was read (the real server drains it first), 403 or 404.
    """
    target, user = exchange.target, exchange.user
    if not exchange.can("w"):
        message = f"The user: '{user.name}' is not permitted to deploy '{target.item_path}' into '{exchange.address}'."
        if user.is_anonymous:
            await _drain(exchange)
        exchange.deny(message, servlet=True)
    item = exchange.instance.store.get(target.repository, target.item_path) if overwrites else None
    if item and not item.is_folder and not exchange.can("d") and not _repeats(item, supplied):
        deny_delete(exchange)


def _repeats(item: Item, supplied: Checksums) -> bool:
    """Tell whether a deploy announces the content that is there already: that needs no right to delete."""
    return item.sha1 == (supplied.sha1 or "").lower() or item.sha256 == (supplied.sha256 or "").lower()


def deny_delete(exchange: Exchange) -> NoReturn:
    """
    Refuse to delete or overwrite the item of the request.

    Raises:
        RefusalError: Always; 404 where existence is hidden.
    """
    if exchange.instance.hide_unauthorized:
        refuse(404, f"Could not locate artifact '{exchange.address}'.", servlet=True)
    message = (
        f"Not enough permissions to delete/overwrite artifact '{exchange.address}'"
        f" (user: '{exchange.user.name}' needs DELETE permission)."
    )
    refuse(403, message, servlet=True)


def _supplied(exchange: Exchange) -> Checksums:
    headers = exchange.request.headers
    found = {name: headers.get(f"X-Checksum-{name}") for name in ("Sha1", "Md5", "Sha256")}
    digests = {name.lower(): value for name, value in found.items() if value}
    if any_kind := headers.get("X-Checksum"):
        digests |= {name: any_kind for name, length in _LENGTHS.items() if length == len(any_kind)}
    return Checksums(**digests)


def _verify(exchange: Exchange, supplied: Checksums, content: Content) -> None:
    pairs = [
        ("SHA-1", supplied.sha1, content.sha1),
        ("MD5", supplied.md5, content.md5),
        ("SHA-256", supplied.sha256, content.sha256),
    ]
    if all(sent is None or sent.lower() == actual for _, sent, actual in pairs):
        return
    infos = ", ".join(
        f"{kind}=ChecksumInfo{{type={kind}, original='{sent or 'null'}', actual='{actual}'}}"
        for kind, sent, actual in pairs
    )
    message = (
        f"Checksum policy 'LocalRepoChecksumPolicy: CLIENT' rejected the artifact '{exchange.address}'."
        f" Checksums info: ChecksumsInfo{{checksums={{{infos}}}}}"
    )
    refuse(409, message, servlet=True)


def _store(exchange: Exchange, repository: Repository, content: Content, supplied: Checksums) -> Reply:
    original = supplied
    if repository.checksum_policy != "client":
        original = Checksums(content.sha1, content.md5, content.sha256)
    try:
        item = exchange.instance.store.put(
            repository.key, exchange.target.item_path, content, _deployment(exchange, original)
        )
    except ConflictError as conflict:
        refuse(409, str(conflict), servlet=True)
    link = exchange.link(item.repo, item.path)
    document: jackson.JSON = {
        "repo": item.repo,
        "path": f"/{item.path}",
        "created": exchange.instance.iso(item.created),
        "createdBy": item.created_by or "",
        "downloadUri": link,
        "mimeType": media.content_type(item.name),
        "size": str(item.size),
        "checksums": checksums_of(item),
        "originalChecksums": original_checksums_of(item),
        "uri": link,
    }
    return _created(document, link)


def _created(document: jackson.JSON, location: str) -> Reply:
    headers = {"Location": location, "Content-Type": _CONTENT_TYPE}
    return Reply(201, headers, jackson.dumps(document).encode("latin-1", "replace"))


def _deployment(exchange: Exchange, original: Checksums) -> Deployment:
    wanted: dict[str, list[str]] = {}
    for key, value in exchange.target.matrix if exchange.can("n") else ():
        wanted.setdefault(key, []).append(value)
    headers = exchange.request.headers
    admin_only = headers if exchange.user.admin else {}
    modified = _epoch_ms(admin_only.get("X-Artifactory-Last-Modified"))
    return Deployment(
        by=exchange.user.name,
        now=exchange.instance.now_ms(),
        created=_epoch_ms(admin_only.get("X-Artifactory-Created")),
        modified=parse_http(headers.get("Last-Modified")) if modified is None else modified,
        original=original,
        properties=wanted,
    )


def _epoch_ms(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


async def delete(exchange: Exchange) -> Reply:
    """Delete a file, or a folder with everything below it."""
    exchange.repository()
    store, target = exchange.instance.store, exchange.target
    if not target.item_path and not exchange.user.admin:
        message = (
            f"Not enough permissions to delete content of repository '{target.repository}'"
            f" (by user: '{exchange.user.name}'). This requires admin privileges."
        )
        refuse(403, message, servlet=True)
    if not exchange.can("d"):
        deny_delete(exchange)
    item = store.get(target.repository, target.item_path)
    if item is None:
        refuse(404, f"Could not locate artifact '{exchange.address}' (Nothing to delete).", servlet=True)
    permitted = partial(exchange.instance.accounts.can, exchange.user, "d")
    atomic = target.query.get("atomic") == "true"
    if not await exchange.instance.in_thread(partial(store.delete, item, permitted, atomic=atomic)):
        message = (
            f"Not enough permissions to delete/overwrite all artifacts under '{exchange.address}'"
            f" (user: '{exchange.user.name}' needs DELETE permission)."
        )
        refuse(403, message, servlet=True)
    return Reply(204)


async def receive(exchange: Exchange) -> Content:
    """Read the request's body into a blob: small ones at once, big ones a batch behind the network."""
    async with aclosing(exchange.body()) as body:
        start = bytearray()
        async for data in body:
            start += data
            if len(start) > SMALL:
                return await _receive_big(exchange, start, body)
        return exchange.instance.store.blobs.add(start)


async def _receive_big(exchange: Exchange, batch: bytearray, body: AsyncGenerator[bytes, None]) -> Content:
    """Hash and write one batch in a thread while the next arrives."""
    in_thread = exchange.instance.in_thread
    with exchange.instance.store.blobs.upload() as upload:
        writing = asyncio.create_task(in_thread(partial(upload.write, batch)))
        batch = bytearray()
        try:
            async for data in body:
                batch += data
                if len(batch) >= BATCH:
                    await writing
                    writing = asyncio.create_task(in_thread(partial(upload.write, batch)))
                    batch = bytearray()
        finally:
            await settled(writing)  # the thread must let go of the file before it is closed
        writing.result()
        return await in_thread(partial(_finish, upload, batch))


def _finish(upload: Upload, batch: bytearray) -> Content:
    upload.write(batch)
    content = upload.finish()
    upload.commit(content)
    return content


async def _read_at_most(exchange: Exchange, limit: int) -> bytes:
    body = bytearray()
    async with aclosing(exchange.body()) as chunks:
        async for data in chunks:
            body += data
            if len(body) > limit:
                size = exchange.request.content_length or len(body)
                message = f"Suspicious checksum file, content length of {size} bytes is bigger than allowed."
                refuse(409, message, servlet=True)
    return bytes(body)


async def _drain(exchange: Exchange) -> None:
    async with aclosing(exchange.body()) as body:
        async for _ in body:
            pass
