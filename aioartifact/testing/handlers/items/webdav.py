"""WebDAV, and all methods on a repository path except GET, HEAD, PUT and DELETE."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

from ...lookup import views
from ...lookup.resolution import demand_read
from ...protocol import media, paths
from ...protocol.formats import http, iso
from ...protocol.replies import Reply, refuse
from ...storage.store import Deployment, Item
from ...wire.exchange import Exchange
from . import relocation
from .deploy import demand_valid_path, make_folder

_METHODS = "mkcol,move,propfind,unlock,post,proppatch,options,lock,delete"
_WEBDAV_ONLY = frozenset({"COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "UNLOCK"})
_XML = {"Content-Type": "text/xml; charset=UTF-8"}
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


async def answer(exchange: Exchange) -> Reply:
    """Answer the methods of WebDAV, list the methods, and refuse the rest."""
    method = exchange.request.method
    if method in _WEBDAV_ONLY and exchange.target.repository not in exchange.instance.repositories:
        return Reply(403)
    exchange.repository()
    if method == "OPTIONS":
        return Reply(200, {"DAV": "1,2", "MS-Author-Via": "DAV", "Allow": _METHODS})
    if handler := _HANDLERS.get(method):
        return await handler(exchange)
    if method in ("POST", "PATCH"):
        is_virtual = exchange.repository().kind == "virtual"
        return Reply(405, {"Allow": "GET" if is_virtual else "GET,PUT,DELETE"})
    return Reply(405, {"Allow": _METHODS})


async def _make_folder(exchange: Exchange) -> Reply:
    target, store = exchange.target, exchange.instance.store
    if exchange.repository().kind not in ("local", "cache"):
        refuse(404, f"Could not find repo '{target.repository}'.", servlet=True)
    _demand_deploy(exchange)
    if store.get(target.repository, target.item_path):
        message = f"MKCOL can only be executed on non-existent resource: {exchange.address}"
        refuse(405, message, servlet=True)
    await demand_valid_path(exchange)
    parent = store.get(target.repository, target.item_path.rpartition("/")[0])
    if parent is None:
        refuse(409, f"Directory cannot be created: parent doesn't exist: {exchange.address}", servlet=True)
    make_folder(exchange, Deployment(exchange.user.name, exchange.instance.now_ms()))
    return Reply(201)


async def _find_properties(exchange: Exchange) -> Reply:
    """List an item, and with ``Depth`` other than 0 its children; the requested properties are ignored."""
    demand_read(exchange, exchange.repository(), exchange.target.item_path)
    items = views.visible(exchange)
    if not items:
        refuse(404, f"Couldn't find item: {exchange.address}", servlet=True)
    await exchange.whole_body()
    shown = [items[0]]
    if items[0].is_folder and exchange.request.headers.get("Depth", "").strip() != "0":
        shown += views.children(exchange, [item for item in items if item.is_folder])
    responses = "".join(_response(exchange, views.shown(exchange, item)) for item in shown)
    return Reply(207, _XML, f'{_DECLARATION}<D:multistatus xmlns:D="DAV:">\n{responses}</D:multistatus>\n'.encode())


def _response(exchange: Exchange, item: Item) -> str:
    path = f"{exchange.instance.context_path}/{item.repo}/{item.path}".rstrip("/") + "/" * item.is_folder
    properties = {
        "creationdate": iso(item.created),
        "displayname": escape(item.name if item.path else item.repo),
        "getlastmodified": http(item.modified),
        "resourcetype": "<D:collection/>" if item.is_folder else "",
    }
    if not item.is_folder:
        properties |= {
            "getcontentlength": str(item.size),
            "getcontenttype": media.content_type(item.name),
            "getetag": item.sha1 or "",
        }
    lines = "".join(f"<D:{name}>{value}</D:{name}>\n" for name, value in properties.items())
    return (
        f"<D:response>\n<D:href>{escape(quote(path))}</D:href>\n<D:propstat>\n<D:prop>\n{lines}</D:prop>\n"
        "<D:status>HTTP/1.1 200 OK</D:status>\n</D:propstat>\n</D:response>\n"
    )


async def _patch_properties(exchange: Exchange) -> Reply:
    """Accept a change of WebDAV properties, none of which is kept."""
    _demand_deploy(exchange)
    await exchange.whole_body()
    return Reply(200)


async def _lock(exchange: Exchange) -> Reply:
    """Return a lock that has no effect."""
    _demand_deploy(exchange)
    if not await exchange.whole_body():
        refuse(400, "Bad lock request", servlet=True)
    token = f"opaquelocktoken:{uuid4()}"
    document = (
        f'{_DECLARATION}<D:prop xmlns:D="DAV:">\n<D:lockdiscovery>\n<D:activelock>\n'
        "<D:locktype><D:write/></D:locktype>\n<D:lockscope><D:exclusive/></D:lockscope>\n"
        f"<D:locktoken><D:href>{token}</D:href></D:locktoken>\n"
        "</D:activelock>\n</D:lockdiscovery>\n</D:prop>\n"
    )
    return Reply(200, _XML | {"Lock-Token": f"<{token}>"}, document.encode())


async def _unlock(exchange: Exchange) -> Reply:
    _demand_deploy(exchange)
    return Reply(204)


async def _move(exchange: Exchange) -> Reply:
    destination = exchange.request.headers.get("Destination")
    if not destination:
        refuse(400, "Header 'Destination' is required.", servlet=True)
    try:  # both kinds of errors are a ValueError
        split = paths.split_target(urlsplit(destination).path, exchange.instance.context_path)
        target = paths.parse_target(*split) if split else None
    except ValueError:
        target = None
    if target is None:
        refuse(400, f"Header 'Destination' is not a path of this server: {destination}", servlet=True)
    return await relocation.move_to(exchange, target.repository, target.item_path)


def _demand_deploy(exchange: Exchange) -> None:
    if not exchange.can("w"):
        message = (
            f"The user: '{exchange.user.name}' is not permitted to deploy '{exchange.target.item_path}' into"
            f" '{exchange.address}'."
        )
        exchange.deny(message, servlet=True)


_HANDLERS: dict[str, Callable[[Exchange], Awaitable[Reply]]] = {
    "MKCOL": _make_folder,
    "PROPFIND": _find_properties,
    "PROPPATCH": _patch_properties,
    "LOCK": _lock,
    "UNLOCK": _unlock,
    "MOVE": _move,
}
