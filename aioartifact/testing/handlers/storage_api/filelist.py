"""``GET /api/storage/{repository}/{folder}?list``: the file list, streamed from the database (Pro)."""

import sqlite3
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from itertools import islice

from ...lookup import views
from ...protocol import jackson
from ...protocol.replies import VENDOR, Reply, refuse
from ...storage.store import Item, with_properties
from ...wire.exchange import Exchange
from ..request_checks import demand_pro, number

_FILE_LIST = f"{VENDOR}storage.FileList+json"
_ROWS_PER_CHUNK = 500


async def get(exchange: Exchange) -> Reply:
    """Answer with everything below a folder that the parameters ask for and the user may read."""
    demand_pro(exchange)
    if exchange.user.is_anonymous:
        exchange.deny_read("This resource is available to authenticated users only.", servlet=False)
    found = views.visible(exchange)
    if not found and not views.is_virtual(exchange) and not exchange.can("r"):
        message = f"Request for '{exchange.address}' is forbidden for user: '{exchange.user.name}'."
        exchange.deny_read(message, servlet=False)
    if not found:
        refuse(404, "Unable to find item")
    if not found[0].is_folder:
        refuse(400, f"Expected a folder but found a file, at: {exchange.address}")
    folders = [item for item in found if item.is_folder]
    return Reply(200, {"Content-Type": _FILE_LIST}, _stream(exchange, folders, _max_depth(exchange)))


def _max_depth(exchange: Exchange) -> int | None:
    """Return how many levels are listed; None for all."""
    deep, depth = number(exchange, "deep"), number(exchange, "depth")
    return (depth or None) if deep else 1


async def _stream(exchange: Exchange, folders: list[Item], max_depth: int | None) -> AsyncGenerator[bytes, None]:
    """Yield the document; rows are read and printed in a thread, some hundred at a time."""
    instance, folder = exchange.instance, views.shown(exchange, folders[0])
    uri = exchange.link("api/storage", folder.repo, folder.path)
    head = f'{{\n  "uri" : {jackson.dumps(uri)},\n  "created" : "{instance.iso(instance.now_ms())}",\n  "files" : [ '
    yield head.encode()
    with instance.store.reader() as connection:
        below = views.walk_all(exchange, connection, folders)
        wanted = (item for item in below if _is_wanted(exchange, folder, item, max_depth))
        items = _with_root(exchange, folder, wanted)
        separator = ""
        while rows := await instance.in_thread(partial(_print, exchange, connection, folder, items)):
            yield (separator + rows).encode()
            separator = ", "
    yield b" ]\n}"


def _with_root(exchange: Exchange, folder: Item, items: Iterator[Item]) -> Iterator[Item]:
    if number(exchange, "includeRootPath"):
        yield folder
    yield from items


def _is_wanted(exchange: Exchange, folder: Item, item: Item, max_depth: int | None) -> bool:
    if item.is_folder and not number(exchange, "listFolders"):
        return False
    level = len(_relative(folder, item).split("/")) - 1
    return max_depth is None or level <= max_depth


def _relative(folder: Item, item: Item) -> str:
    return "/" + item.path.removeprefix(folder.path).removeprefix("/")


def _print(exchange: Exchange, connection: sqlite3.Connection, folder: Item, items: Iterator[Item]) -> str:
    batch = list(islice(items, _ROWS_PER_CHUNK))
    annotated = with_properties(connection, batch) if number(exchange, "mdTimestamps") else ()
    entries = (_entry(exchange, folder, item, is_annotated=item.id in annotated) for item in batch)
    return ", ".join(jackson.dumps(entry, "  ") for entry in entries)


def _entry(exchange: Exchange, folder: Item, item: Item, *, is_annotated: bool) -> jackson.JSON:
    iso = exchange.instance.iso
    entry: dict[str, jackson.JSON] = {
        "uri": _relative(folder, item),
        "size": -1 if item.is_folder else item.size,
        "lastModified": iso(item.modified),
        "folder": item.is_folder,
    }
    if not item.is_folder:
        entry |= {"sha1": item.sha1, "sha2": item.sha256}
    if is_annotated:
        entry["mdTimestamps"] = {"properties": iso(item.updated)}
    return entry
