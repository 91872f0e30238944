"""``GET /api/archive/download/{repository}/{folder}?archiveType=...``: a folder as one file (Pro)."""

import sqlite3
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing
from functools import partial
from typing import get_args

from ...archive import packing
from ...archive.packing import ArchiveType, Member
from ...instance import MEGABYTE, FolderDownload
from ...layouts import names
from ...protocol.replies import Reply, refuse
from ...storage.store import Item, walk
from ...wire.exchange import Exchange
from ..request_checks import demand_pro, is_true

_TYPES: dict[str, ArchiveType] = {each: each for each in get_args(ArchiveType)}


async def download(exchange: Exchange) -> Reply:
    """Answer with an archive that is made while it is sent."""
    demand_pro(exchange)
    settings = exchange.instance.folder_download
    if exchange.user.is_anonymous and not (settings and settings.anonymous):
        refuse(401, "You must be logged in to download a folder or repository.", challenge=True)
    name = exchange.target.query.get("archiveType", "")
    archive_type = _TYPES.get(name) or refuse(400, f"Unknown archive type: '{name}'")
    if settings is None:
        refuse(403, "Download Folder functionality is disabled.")
    folder = _folder(exchange)
    _demand_limits(exchange, settings, folder)
    content_type = {"Content-Type": "application/octet-stream"}
    if exchange.request.method == "HEAD":
        return Reply(200, content_type)
    archive = _stream(exchange, settings, folder, archive_type)
    await anext(archive)  # from here on it counts as running
    return Reply(200, content_type, archive)


def _folder(exchange: Exchange) -> Item:
    target = exchange.target
    repository = exchange.repository(f"{target.repository} is not a repository.", servlet=False)
    if repository.kind not in ("local", "cache"):
        message = "Downloading a folder or a repository's root is only available for local (or cache) repositories"
        refuse(404, message)
    item = exchange.instance.store.get(target.repository, target.item_path)
    if not exchange.can("r") and not (item and exchange.can_see(item)):
        refuse(403, f"You don't have the required permissions to download {target.path}.")
    if item is None:
        refuse(404, f"Path '{target.path}' does not exist, aborting folder download")
    if not item.is_folder:
        refuse(400, f"Path '{target.path}' is not a folder, aborting folder download")
    return item


def _demand_limits(exchange: Exchange, settings: FolderDownload, folder: Item) -> None:
    """
    Accept a folder that is small enough, unless too many others are being downloaded.

    Raises:
        RefusalError: 400.
    """
    path = exchange.target.path
    count, size = exchange.instance.store.weight(folder)
    if size > settings.max_size:
        limit = f"{settings.max_size / MEGABYTE:g}MB"
        message = (
            f"Size of path '{path}' ({size / MEGABYTE:.2f}MB) exceeds the max allowed folder download size ({limit})."
        )
        refuse(400, message)
    if count > settings.max_files:
        message = (
            f"Number of files under the path '{path}' ({count}) exceeds the max allowed file count for folder"
            f" download ({settings.max_files})."
        )
        refuse(400, message)
    if settings.running >= settings.max_parallel:
        refuse(400, "There are too many folder download requests currently running. Try again later.")


async def _stream(
    exchange: Exchange, settings: FolderDownload, folder: Item, archive_type: ArchiveType
) -> AsyncGenerator[bytes, None]:
    """Yield empty bytes once it counts as running, then the archive."""
    settings.running += 1
    exchange.instance.store.blobs.leases.hold_all()  # all that the snapshot lists
    try:
        yield b""
        with (
            exchange.instance.store.reader() as connection,
            closing(packing.packed(_members(exchange, connection, folder), archive_type)) as batches,
        ):
            while batch := await exchange.instance.in_thread(partial(next, batches, b"")):
                yield batch
    finally:
        settings.running -= 1


def _members(exchange: Exchange, connection: sqlite3.Connection, folder: Item) -> Iterator[Member]:
    """Yield the files the user may read, each before its checksums where these are asked for."""
    with_checksums = is_true(exchange.target.query.get("includeChecksumFiles"))
    repository = exchange.repository()
    for item in walk(connection, folder):
        if item.is_folder or not exchange.can_see(item):
            continue
        path = item.path.removeprefix(folder.path).lstrip("/")
        yield Member(path, item.size, item.modified, exchange.instance.store.blob_of(item))
        digests = item.actual if repository.checksum_policy == "server" else item.original
        for extension in names.CHECKSUM_EXTENSIONS if with_checksums else ():
            if digest := getattr(digests, extension):
                yield Member(f"{path}.{extension}", len(digest), item.modified, digest.encode())
