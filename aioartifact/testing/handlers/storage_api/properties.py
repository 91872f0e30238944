"""Properties: reading them, and which keys are valid."""

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

from ...lookup import views
from ...protocol import jackson
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...storage.store import Item
from ...wire.exchange import Exchange

CONTENT_TYPE = f"{VENDOR}storage.ItemProperties+json"

_KEY = re.compile(r"[a-zA-Z][^\s)(}{\]\[*+^$\\/~`!@#%&<>;=,±§]*")
_NONE_FOUND = "No properties could be found."


def demand_valid_keys(keys: Iterable[str], *, servlet: bool = True) -> None:
    """
    Check property keys before anything is stored.

    Raises:
        RefusalError: 400, naming the first key that is not allowed.
    """
    for key in keys:
        if not _KEY.fullmatch(key):
            reason = "Name must start with a letter and cannot contain whitespace or special characters"
            refuse(400, f"Property key: {key} is invalid due to {reason}", servlet=servlet)


def of_storage(exchange: Exchange) -> Reply:
    """
    Answer ``api/storage/...?properties[=a,b]``.

    A missing item, one without properties and one that the user may not read are the same 404, as in 6.20.
    """
    target = exchange.target
    found = _stored(exchange)
    if wanted := list(filter(None, target.query["properties"].split(","))):
        found = {key: values for key, values in found.items() if key in wanted}
    if not found:
        refuse(404, _NONE_FOUND)
    uri = exchange.link("api/storage", target.repository, target.item_path)
    return json_reply(_document(found, uri), CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def xml_of_storage(exchange: Exchange) -> Reply:
    """Answer ``api/storage/...?propertiesXml``."""
    found = _stored(exchange)
    if not found:
        refuse(404, _NONE_FOUND)
    return Reply(200, {"Content-Type": "application/xml", "Cache-Control": "no-store"}, _xml(found))


def _stored(exchange: Exchange) -> dict[str, list[str]]:
    """Return the readable properties at the path; of several members with the item, those of the first with some."""
    each = map(exchange.instance.store.properties, views.visible(exchange))
    return next(filter(None, each), {})


def of_download(exchange: Exchange, item: Item, headers: dict[str, str]) -> Reply:
    """Answer ``/{repository}/{path}`` with ``?properties`` or ``?propertiesXml``, under the headers of the file."""
    found = exchange.instance.store.properties(item)
    if not found:
        refuse(404, _NONE_FOUND, servlet=True)
    if "properties" not in exchange.target.query:
        changed = {"Content-Type": "application/xml", "Cache-Control": "no-store"}
        return Reply(200, headers | changed, _xml(found))
    changed = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    return Reply(200, headers | changed, jackson.dumps(_document(found, f"{item.repo}/{item.path}")).encode())


def _xml(found: dict[str, list[str]]) -> bytes:
    """Print an element for each value; not every key is a valid name in XML, which the real server ignores, too."""
    values = "".join(f"  <{key}>{escape(value)}</{key}>\n" for key, each in found.items() for value in each)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<properties>\n{values}</properties>\n'.encode()


def _document(found: dict[str, list[str]], uri: str) -> jackson.JSON:
    return {"properties": found, "uri": uri}
