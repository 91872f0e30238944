"""What the endpoints of the Access service share: credentials, bodies, and JSON without spaces."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...protocol import jackson
from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from .entities import texts
from .token_forms import read_form

_PAGE = 10_000  # names in a page if the request has no limit
_FORM_VALUES = {"true": True, "false": False}


def identify(exchange: Exchange) -> None:
    """
    Accept only tokens; passwords are for Artifactory, unless an administrator has configured otherwise.

    Raises:
        RefusalError: 401 or 403.
    """
    exchange.identify()
    if exchange.mechanism != "token":
        refuse(401, "Invalid token")


def demand_admin(exchange: Exchange) -> None:
    """
    Accept only administrators.

    Raises:
        RefusalError: 401 without a token, 403 for others.
    """
    identify(exchange)
    if not exchange.user.admin:
        refuse(403, "Forbidden")


def access_base(exchange: Exchange) -> str:
    """Return the beginning of links to Access, which is beside the context path."""
    return f"{exchange.base_url.removesuffix(exchange.instance.context_path)}/access"


def page(exchange: Exchange, names: Sequence[str]) -> tuple[list[str], dict[str, jackson.JSON]]:
    """
    Return the names of one page, and the cursor for the next one; none on the last page.

    Raises:
        RefusalError: 400 if the limit is not a number.
    """
    query = exchange.target.query
    limit = query.get("limit", str(_PAGE))
    if not limit.isdecimal() or int(limit) == 0:
        refuse(400, f"Invalid value for limit: {limit}")
    left = [name for name in names if name > query.get("cursor", "")]
    shown = left[: int(limit)]
    return shown, {"cursor": shown[-1]} if len(left) > len(shown) else {}


def change_of_names(sent: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """
    Return the names to add and those to remove.

    Raises:
        RefusalError: 400 if they are not lists of texts.
    """
    return frozenset(texts(sent, "add") or ()), frozenset(texts(sent, "remove") or ())


async def read_body(exchange: Exchange) -> dict[str, Any]:
    """
    Read the request's body, JSON or a form.

    Raises:
        RefusalError: 400 if it is neither.
    """
    if exchange.request.content_type == "application/x-www-form-urlencoded":
        form: dict[str, Any] = dict(await read_form(exchange))
        return {name: _FORM_VALUES.get(value, value) for name, value in form.items()}
    try:
        document = jackson.loads(await exchange.whole_body())
    except ValueError:
        refuse(400, "Error parsing json body")
    return document if isinstance(document, dict) else refuse(400, "Error parsing json body")


def text_of(wishes: Mapping[str, Any], name: str) -> str:
    """Return a field as text, ``""`` if it is missing or null."""
    return str(wishes.get(name) or "")


def access_reply(document: jackson.JSON, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """Build a JSON response of Access."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Reply(status, {"Content-Type": "application/json", **(headers or {})}, text.encode())
