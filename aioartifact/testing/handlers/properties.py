"""Properties: reading, setting and deleting them, and what a key may look like."""

import re
from collections.abc import Iterable, Iterator
from functools import partial

from .. import jackson
from ..exchange import Exchange
from ..replies import VENDOR, Reply, json_reply, refuse
from ..store import Item
from .editions import demand_pro

CONTENT_TYPE = f"{VENDOR}storage.ItemProperties+json"

_KEY = re.compile(r"[a-zA-Z][^\s)(}{\]\[*+^$\\/~`!@#%&<>;=,±§]*")
_ESCAPED = re.compile(r"\\([,=|;])")
_NONE_FOUND = "No properties could be found."


def demand_valid_keys(keys: Iterable[str]) -> None:
    """
    Check property keys before anything is stored.

    Raises:
        RefusalError: 400, naming the first key that is not allowed.
    """
    for key in keys:
        if not _KEY.fullmatch(key):
            reason = "Name must start with a letter and cannot contain whitespace or special characters"
            refuse(400, f"Property key: {key} is invalid due to {reason}", servlet=True)


def of_storage(exchange: Exchange) -> Reply:
    """
    Answer ``api/storage/...?properties[=a,b]``.

    A missing item and one without properties are the same 404, as on the real server.
    """
    store, target = exchange.instance.store, exchange.target
    item = store.get(target.repository, target.item_path)
    found = store.properties(item) if item else {}
    if wanted := list(filter(None, target.query["properties"].split(","))):
        found = {key: values for key, values in found.items() if key in wanted}
    if not found:
        refuse(404, _NONE_FOUND)
    uri = exchange.link("api/storage", target.repository, target.item_path)
    return json_reply(_document(found, uri), CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def of_download(exchange: Exchange, item: Item, headers: dict[str, str]) -> Reply:
    """Answer ``/{repository}/{path}?properties``: the properties under the headers of the file."""
    found = exchange.instance.store.properties(item)
    if not found:
        refuse(404, _NONE_FOUND, servlet=True)
    changed = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    return Reply(200, headers | changed, jackson.dumps(_document(found, f"{item.repo}/{item.path}")).encode())


async def set_on_item(exchange: Exchange) -> Reply:
    """Answer ``PUT api/storage/...?properties=<list>``: replace the values of each named key."""
    item = _annotatable(exchange)
    wanted = dict(parse_list(exchange.target.query["properties"]))
    demand_valid_keys(wanted)
    store, instance = exchange.instance.store, exchange.instance
    await instance.in_thread(partial(store.set_properties, item, wanted, recursive=_is_recursive(exchange)))
    return Reply(204)


async def delete_from_item(exchange: Exchange) -> Reply:
    """Answer ``DELETE api/storage/...?properties=a,b``; keys that are not there do not matter."""
    item = _annotatable(exchange)
    keys = exchange.target.query["properties"].split(",")
    store, instance = exchange.instance.store, exchange.instance
    await instance.in_thread(partial(store.delete_properties, item, keys, recursive=_is_recursive(exchange)))
    return Reply(204)


def _annotatable(exchange: Exchange) -> Item:
    """Return the item whose properties the user is about to change, and may."""
    if "properties" not in exchange.target.query:
        refuse(405, "Method Not Allowed")
    demand_pro(exchange)
    if not exchange.can("n"):
        message = (
            f"Request for '{exchange.address}' is forbidden for user: '{exchange.user.name}',"
            " You must have annotate permission on this path"
        )
        exchange.deny(message, servlet=False)
    item = exchange.instance.store.get(exchange.target.repository, exchange.target.item_path)
    return item or refuse(404, "Unable to find item")


def _is_recursive(exchange: Exchange) -> bool:
    return exchange.target.query.get("recursive", "1") == "1"


def parse_list(text: str) -> Iterator[tuple[str, list[str]]]:
    """
    Read ``k=v1,v2;k2=v``, where ``;`` or ``|`` ends a pair and a backslash makes a separator a character.

    As the real server does, this drops a pair with two equals signs, and empty values at the end of a list.
    """
    for pair in filter(None, map(str.strip, _split(";|", text))):
        key, *value = _split("=", pair)
        if len(value) > 1:
            continue
        values = _split(",", value[0] if value else "")
        while len(values) > 1 and not values[-1]:
            values.pop()
        yield _unescape(key), [_unescape(each) for each in values]


def _split(separators: str, text: str) -> list[str]:
    return re.split(rf"(?<!\\)[{separators}]", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _document(found: dict[str, list[str]], uri: str) -> jackson.JSON:
    return {"properties": found, "uri": uri}
