"""Methods other than GET, HEAD, PUT and DELETE on a repository path."""

from ..exchange import Exchange
from ..replies import Reply, refuse
from ..store import Deployment
from .deploy import demand_valid_path, make_folder

_METHODS = "options, get, head, post, put, delete, propfind, proppatch, mkcol, move, lock, unlock"
_WEBDAV_ONLY = frozenset({"COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "UNLOCK"})


async def answer(exchange: Exchange) -> Reply:
    """
    Make folders, tell the methods, and refuse the rest.

    PROPFIND, PROPPATCH, LOCK, UNLOCK, COPY and MOVE are refused as methods nobody knows.
    """
    method = exchange.request.method
    if method in _WEBDAV_ONLY and exchange.target.repository not in exchange.instance.repositories:
        return Reply(403)
    exchange.repository()
    if method == "OPTIONS":
        return Reply(200, {"DAV": "1,2", "MS-Author-Via": "DAV", "Allow": _METHODS})
    if method == "MKCOL":
        return await _make_folder(exchange)
    if method in ("POST", "PATCH"):
        is_virtual = exchange.repository().kind == "virtual"
        return Reply(405, {"Allow": "GET" if is_virtual else "GET,PUT,DELETE"})
    return Reply(405, {"Allow": _METHODS})


async def _make_folder(exchange: Exchange) -> Reply:
    target, store = exchange.target, exchange.instance.store
    if exchange.repository().kind not in ("local", "cache"):
        refuse(404, f"Could not find repo '{target.repository}'.", servlet=True)
    if not exchange.can("w"):
        message = (
            f"The user: '{exchange.user.name}' is not permitted to deploy '{target.item_path}' into"
            f" '{exchange.address}'."
        )
        exchange.deny(message, servlet=True)
    if store.get(target.repository, target.item_path):
        message = f"MKCOL can only be executed on non-existent resource: {exchange.address}"
        refuse(405, message, servlet=True)
    await demand_valid_path(exchange)
    parent = store.get(target.repository, target.item_path.rpartition("/")[0])
    if parent is None:
        refuse(409, f"Directory cannot be created: parent doesn't exist: {exchange.address}", servlet=True)
    make_folder(exchange, Deployment(exchange.user.name, exchange.instance.now_ms()))
    return Reply(201)
