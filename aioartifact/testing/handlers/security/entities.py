"""What the endpoints of users, groups and permission targets share: who may call them, names, JSON fields."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from urllib.parse import quote, unquote_plus

from ...protocol import jackson
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...wire.exchange import Exchange
from ..request_checks import demand_pro

Document = Mapping[str, Any]


def demand_pro_admin(exchange: Exchange) -> None:
    """
    Only let administrators call an endpoint of Artifactory Pro.

    Raises:
        RefusalError: 401 or 403 for others; 400 in the open source edition.
    """
    exchange.demand_admin()
    demand_pro(exchange)


def entity_name(exchange: Exchange) -> str:
    """Return the name in the path, ``""`` for none; ``+`` is a blank, as Artifactory decodes names twice."""
    return unquote_plus(exchange.target.path)


def demand_name(exchange: Exchange) -> str:
    """
    Return the name in the path.

    Raises:
        RefusalError: 405 without one.
    """
    return entity_name(exchange) or refuse(405, "Method Not Allowed")


def name_list(exchange: Exchange, path: str, entities: Iterable[Document], media_kind: str = "") -> Reply:
    """
    List *entities*, each with a link to its details.

    Args:
        exchange: The request.
        path: Path of the endpoint, such as ``api/security/users``.
        entities: What is shown of each; ``name`` is required.
        media_kind: Last part of the media type; ``""`` for plain JSON.
    """
    entries: list[jackson.JSON] = [
        {"name": each["name"], "uri": exchange.link(path, quote(each["name"], safe=""))} | dict(each)
        for each in entities
    ]
    return json_reply(entries, media_type(media_kind))


def media_type(kind: str) -> str:
    """Return the media type of a kind of document, ``""`` for plain JSON."""
    return f"{VENDOR}security.{kind}+json" if kind else "application/json"


async def read_object(exchange: Exchange) -> Document:
    """
    Read the JSON object in the body.

    Raises:
        RefusalError: 400 if it is something else.
    """
    try:
        sent = jackson.loads(await exchange.whole_body())
    except ValueError:
        sent = None
    return sent if isinstance(sent, dict) else refuse(400, "Error parsing json body")


async def read_document(exchange: Exchange, name: str, conflict: str) -> Document:
    """
    Read the JSON object in the body, which describes what the path names.

    Args:
        exchange: The request.
        name: The name in the path.
        conflict: Message for a document with another name.

    Raises:
        RefusalError: 400 if it is something else; 409 if it has another name than the path.
    """
    sent = await read_object(exchange)
    if text(sent, "name") not in ("", name):
        refuse(409, conflict)
    return sent


async def read_names(exchange: Exchange) -> list[str]:
    """
    Read the JSON list of names in the body.

    Raises:
        RefusalError: 400 if it is something else.
    """
    try:
        sent = jackson.loads(await exchange.whole_body())
    except ValueError:
        sent = None
    if not isinstance(sent, list) or not all(isinstance(each, str) for each in sent):
        refuse(400, "Error parsing json body")
    return sent


def text(sent: Document, field: str, default: str = "") -> str:
    """
    Return a text field; *default* if it is missing or null.

    Raises:
        RefusalError: 400 if it is not text.
    """
    value = sent.get(field)
    return default if value is None else value if isinstance(value, str) else _refuse_field(field)


def flag(sent: Document, field: str, *, default: bool) -> bool:
    """
    Return a boolean field; *default* if it is missing or null.

    Raises:
        RefusalError: 400 if it is not a boolean.
    """
    value = sent.get(field)
    return default if value is None else value if isinstance(value, bool) else _refuse_field(field)


def texts(sent: Document, field: str) -> tuple[str, ...] | None:
    """
    Return a field that is a list of texts; None if it is missing or null.

    Raises:
        RefusalError: 400 if it is something else.
    """
    value = sent.get(field)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        _refuse_field(field)
    return tuple(value)


def mapping(sent: Document, field: str) -> Document | None:
    """
    Return a field that is an object; None if it is missing or null.

    Raises:
        RefusalError: 400 if it is something else.
    """
    value = sent.get(field)
    return value if value is None or isinstance(value, dict) else _refuse_field(field)


def _refuse_field(field: str) -> NoReturn:
    refuse(400, f"Invalid value of the field '{field}'")
