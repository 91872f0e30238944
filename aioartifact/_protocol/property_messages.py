"""
Properties of an item: reading, setting, merging, deleting.

See: JFrog REST API, "Item Properties", "Set Item Properties", "Delete Item Properties", "Update Item Properties".
"""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from .._address import ItemURL
from .._models import Response
from .json_values import not_artifactory, read_object
from .property_text import property_list
from .request import Request


def build_properties(item: ItemURL) -> Request:
    """Request all properties of an item."""
    return Request("GET", f"{item.server}/api/storage/{item.location}?properties", item.server)


def read_properties(request: Request, response: Response) -> dict[str, list[str]]:
    """
    Read the values of each property.

    Raises:
        NotFoundError: If there are no properties, or the item does not exist: the response is the same.
        ResponseError: If the server refuses the request for another reason.
        ProtocolError: If the response is not a list of properties.
    """
    found = read_object(request, response).get("properties")
    if not isinstance(found, dict) or not all(map(_are_texts, found.values())):
        raise not_artifactory(request, "an answer without 'properties', lists of texts")
    return found


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def build_merge_properties(item: ItemURL, changes: Mapping[str, Sequence[str] | None], *, recursive: bool) -> Request:
    """
    Request to replace the values of some properties, and to delete those that are None, in one step.

    With *recursive*, everything below the item gets all of its resulting properties, not only these.
    """
    url = f"{item.server}/api/metadata/{item.location}?recursiveProperties={int(bool(recursive))}&atomicProperties=1"
    body = json.dumps({"props": dict(changes)}).encode()
    return Request("PATCH", url, item.server, {"Content-Type": "application/json"}, body)


def build_set_properties(item: ItemURL, values: Mapping[str, Sequence[str]], *, recursive: bool) -> Request:
    """
    Request to replace the values of some properties of an item, with *recursive* also of everything below it.

    Raises:
        InvalidArgumentError: If a query cannot contain a value.
    """
    url = (
        f"{item.server}/api/storage/{item.location}?properties={property_list(values)}&recursive={int(bool(recursive))}"
    )
    return Request("PUT", url, item.server)


def build_delete_properties(item: ItemURL, names: Sequence[str], *, recursive: bool) -> Request:
    """Request to delete the named properties."""
    listed = quote(",".join(names), safe="")
    url = f"{item.server}/api/storage/{item.location}?properties={listed}&recursive={int(bool(recursive))}"
    return Request("DELETE", url, item.server)
