"""Setting and deleting properties: ``PUT`` and ``DELETE api/storage``, ``PATCH`` and ``DELETE api/metadata`` (Pro)."""

import json
from functools import partial

from ...lookup import views
from ...protocol import jackson, property_list
from ...protocol.replies import Reply, refuse
from ...storage.store import Item, Permitted
from ...wire.exchange import Exchange
from ..request_checks import demand_pro, number
from .properties import demand_valid_keys


async def set_on_item(exchange: Exchange) -> Reply:
    """Answer ``PUT api/storage/...?properties=<list>``: replace the values of each named key."""
    item, text = _annotated(exchange)
    wanted = property_list.parse(text)
    demand_valid_keys(wanted, servlet=False)
    recursive = number(exchange, "recursive", 1) != 0
    change = partial(exchange.instance.store.set_properties, item, wanted, recursive=recursive)
    await exchange.instance.in_thread(partial(change, permitted=_may_annotate(exchange)))
    return Reply(204)


async def delete_from_item(exchange: Exchange) -> Reply:
    """Answer ``DELETE api/storage/...?properties=a,b``; missing keys are ignored."""
    item, text = _annotated(exchange)
    recursive = number(exchange, "recursive", 1) != 0
    change = partial(exchange.instance.store.delete_properties, item, text.split(","), recursive=recursive)
    await exchange.instance.in_thread(partial(change, permitted=_may_annotate(exchange)))
    return Reply(204)


async def patch(exchange: Exchange) -> Reply:
    """
    Answer ``PATCH api/metadata/...``: merge ``props`` into the item's properties.

    Below a folder everything gets the folder's merged properties, not only what the request names. Statistics,
    which the real server accepts here as well, cannot be set.
    """
    demand_pro(exchange)
    _demand_annotate(exchange)
    changes = await _changes(exchange)
    demand_valid_keys(changes, servlet=False)
    recursive = number(exchange, "recursiveProperties", 1) != 0
    await exchange.instance.in_thread(partial(_merge, exchange, _item_to_patch(exchange), changes, recursive=recursive))
    return Reply(204)


async def clear(exchange: Exchange) -> Reply:
    """Answer ``DELETE api/metadata/...``: delete every property."""
    demand_pro(exchange)
    _demand_annotate(exchange)
    recursive = number(exchange, "recursive", 1) != 0
    change = partial(exchange.instance.store.delete_properties, _item_to_patch(exchange), None, recursive=recursive)
    await exchange.instance.in_thread(partial(change, permitted=_may_annotate(exchange)))
    return Reply(204)


def _annotated(exchange: Exchange) -> tuple[Item, str]:
    """Return the item whose properties the request changes, if the user may change them, and their list."""
    text = exchange.target.query.get("properties")
    if text is None:
        refuse(405, "Method Not Allowed")
    demand_pro(exchange)
    _demand_annotate(exchange)
    item = exchange.instance.store.get(exchange.target.repository, exchange.target.item_path)
    return item or refuse(404, "Unable to find item"), text


def _demand_annotate(exchange: Exchange) -> None:
    views.enter_cache(exchange)
    if not exchange.can("n"):
        message = (
            f"Request for '{exchange.address}' is forbidden for user: '{exchange.user.name}',"
            " You must have annotate permission on this path"
        )
        exchange.deny(message, servlet=False)


def _may_annotate(exchange: Exchange) -> Permitted:
    return partial(exchange.instance.accounts.can, exchange.user, "n")


def _item_to_patch(exchange: Exchange) -> Item:
    item = exchange.instance.store.get(exchange.target.repository, exchange.target.item_path)
    return item or refuse(400, f"Failed to set properties on {exchange.address}")


def _merge(exchange: Exchange, item: Item, changes: dict[str, list[str]], *, recursive: bool) -> None:
    store, permitted = exchange.instance.store, _may_annotate(exchange)
    with store.transaction():
        had = store.properties(item)
        merged = {key: values for key, values in (had | changes).items() if values}
        store.delete_properties(item, list(had), recursive=recursive, permitted=permitted)
        store.set_properties(item, merged, recursive=recursive, permitted=permitted)


async def _changes(exchange: Exchange) -> dict[str, list[str]]:
    """Read the values of each key in the body's ``props``; no values remove the key."""
    try:
        document = jackson.loads(await exchange.whole_body())
    except ValueError:
        refuse(400, "Error parsing json body")
    props = document.get("props") if isinstance(document, dict) else None
    if not isinstance(props, dict):
        refuse(400, "props or stats fields required")
    return {key: _values(value) for key, value in props.items()}


def _values(value: object) -> list[str]:
    values = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        refuse(400, f"Value:{json.dumps(value)} is not valid, please use string or array of string")
    return values
