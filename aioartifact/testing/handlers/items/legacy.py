"""``/{repository}/{path}:properties``, the notation for metadata from before the storage API."""

from xml.etree import ElementTree as ET

from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from ..storage_api.properties import demand_valid_keys

_PROPERTIES = ":properties"
_UNSUPPORTED = (":metadata", ":statistics")


def is_properties(path: str) -> bool:
    """Return whether *path* asks for the properties of the item before the colon."""
    return path.endswith(_PROPERTIES)


def is_metadata(path: str) -> bool:
    """Return whether *path* names metadata rather than an item."""
    return path.endswith((_PROPERTIES, *_UNSUPPORTED))


def redirect(exchange: Exchange) -> Reply:
    """Redirect a request for properties to the storage API."""
    target = exchange.target
    exchange.repository()
    item = exchange.link("api/storage", target.repository, target.item_path.removesuffix(_PROPERTIES))
    return Reply(302, {"Location": f"{item}?propertiesXml"})


async def put(exchange: Exchange) -> Reply:
    """Set the properties of an item to those in an XML document; other metadata cannot be put any more."""
    repository, path = exchange.repository(), exchange.target.item_path
    if not is_properties(path):
        refuse(409, f"Old metadata notation is not supported anymore: {exchange.address}", servlet=True)
    exchange.target = exchange.target.at(path.removesuffix(_PROPERTIES))
    if not exchange.can("n"):
        message = f"The user: '{exchange.user.name}' is not permitted to annotate '{exchange.address}'."
        exchange.deny(message, servlet=True)
    properties = _parse(await exchange.whole_body())
    demand_valid_keys(properties)
    store = exchange.instance.store
    item = store.get(repository.key, exchange.target.item_path)
    if item is None:
        refuse(404, f"Could not find item at {exchange.address}", servlet=True)
    with store.transaction():
        store.delete_properties(item, None, recursive=False)
        store.set_properties(item, properties, recursive=False)
    return Reply(201, {"Location": exchange.link(item.repo, item.path)})


def _parse(document: bytes) -> dict[str, list[str]]:
    try:
        root = ET.fromstring(document)  # noqa: S314  # expat itself bounds what entities grow to
    except ET.ParseError as wrong:
        refuse(400, f"Failed to read properties: {wrong}", servlet=True)
    found: dict[str, list[str]] = {}
    for element in root:
        found.setdefault(element.tag, []).append(element.text or "")
    return found
