"""What the endpoints of the Access service share: credentials, bodies, and JSON without spaces."""

import json
from collections.abc import Mapping
from typing import Any

from ...protocol import jackson
from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from .token_forms import read_form

_FORM_VALUES = {"true": True, "false": False}


def identify(exchange: Exchange) -> None:
    """
    Let only the holders of tokens in; passwords are for Artifactory, unless an administrator says otherwise.

    Raises:
        RefusalError: 401 or 403.
    """
    exchange.identify()
    if exchange.mechanism != "token":
        refuse(401, "Invalid token")


async def read_body(exchange: Exchange) -> dict[str, Any]:
    """
    Read the request's body, JSON or a form.

    Raises:
        RefusalError: 400, it is neither.
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
