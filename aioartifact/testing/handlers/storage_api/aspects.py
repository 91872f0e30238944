"""``GET api/storage/...`` with ``?lastModified`` or ``?permissions`` (Pro)."""

from functools import partial

from ...protocol import formats, jackson
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...storage.store import Item
from ...wire.exchange import Exchange
from ..request_checks import demand_pro

_LAST_MODIFIED = f"{VENDOR}storage.ItemLastModified+json"
_PERMISSIONS = f"{VENDOR}storage.ItemPermissions+json"


def demand_local(exchange: Exchange) -> None:
    """
    Accept a request only if the server is Artifactory Pro, and only for a local repository or a cache.

    Raises:
        RefusalError: 400 if it is another edition or repository; 404 if there is no such repository.
    """
    demand_pro(exchange)
    if exchange.repository("Unable to find item", servlet=False).kind not in ("local", "cache"):
        refuse(400, "This method can only be invoked on local/cached repositories.")


async def last_modified(exchange: Exchange, item: Item) -> Reply:
    """Answer which file at or below *item* changed last; the date's offset has no colon here."""
    instance = exchange.instance
    permitted = partial(instance.accounts.can, exchange.user, "r")
    newest = await instance.in_thread(partial(instance.store.last_modified, item, permitted))
    if newest is None:
        refuse(404, "Unable to find item")
    document: jackson.JSON = {
        "uri": exchange.link("api/storage", newest.repo, newest.path),
        "lastModified": formats.iso_without_colon(newest.modified, instance.zone),
    }
    return json_reply(document, _LAST_MODIFIED, headers={"Last-Modified": formats.http(newest.modified)})


def permissions(exchange: Exchange, item: Item) -> Reply:
    """Answer who may do what with *item*; only its managers may know."""
    if not exchange.can("m"):
        exchange.deny(f"Request for '{exchange.address}' is forbidden for user: '{exchange.user.name}'.", servlet=False)
    document: jackson.JSON = {
        "uri": exchange.link("api/storage", item.repo, item.path),
        "principals": exchange.instance.accounts.principals(item.repo, item.path),
    }
    return json_reply(document, _PERMISSIONS)
