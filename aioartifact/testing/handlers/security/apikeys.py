"""``api/security/apiKey``: the API key of the user. Responses are ``{"error": ...}`` and ``{"info": ...}``."""

import secrets
import string
from dataclasses import replace
from typing import NoReturn
from urllib.parse import unquote_plus

from ...accounts.principals import User
from ...protocol import jackson
from ...protocol.replies import RefusalError, Reply, json_reply
from ...wire.exchange import Exchange

_ALPHABET = string.ascii_letters + string.digits


async def get(exchange: Exchange) -> Reply:
    """Answer with the key, or with nothing where there is none."""
    user = _owner(exchange)
    return _reply({"apiKey": user.api_key} if user.api_key else {})


async def create(exchange: Exchange) -> Reply:
    """Make a key for a user who has none."""
    user = _owner(exchange)
    if user.api_key:
        _refuse(400, f"Api key already exists for user: {user.name}")
    return _reply({"apiKey": _renew(exchange, user)}, status=201)


async def regenerate(exchange: Exchange) -> Reply:
    """Replace the key of a user who has one."""
    user = _owner(exchange)
    _demand_other_credentials(exchange)
    if not user.api_key:
        _refuse(404, f"Api key does not exist for user: {user.name}")
    return _reply({"apiKey": _renew(exchange, user)})


async def revoke(exchange: Exchange) -> Reply:
    """Revoke the key of the user in the path, else that of the requesting user; with ``deleteAll=1`` every key."""
    user, accounts = _owner(exchange), exchange.instance.accounts
    if name := unquote_plus(exchange.target.path):
        if name != user.name:
            exchange.demand_admin()
        user = accounts.get(name) or _refuse(400, f"Error revoking api key for user: {name}")
    elif exchange.target.query.get("deleteAll") == "1":
        exchange.demand_admin()
        for each in accounts.users:
            accounts.add(replace(each, api_key=None))
        return _reply({"info": "All api keys have been successfully revoked"})
    else:
        _demand_other_credentials(exchange)
    accounts.add(replace(user, api_key=None))
    return _reply({"info": f"Api key for user: '{user.name}' has been successfully revoked"})


def new_key() -> str:
    """Generate a key in the form by which clients recognize one."""
    return "AKCp8" + "".join(secrets.choice(_ALPHABET) for _ in range(68))


def _owner(exchange: Exchange) -> User:
    exchange.demand_user()
    known = exchange.instance.accounts.get(exchange.user.name)
    return known or exchange.deny("Forbidden", servlet=False)  # a token without an account


def _renew(exchange: Exchange, user: User) -> str:
    key = new_key()
    exchange.instance.accounts.add(replace(user, api_key=key))
    return key


def _demand_other_credentials(exchange: Exchange) -> None:
    if exchange.mechanism == "api key":
        _refuse(403, "The use of apiKey as authentication is forbidden for this api call")


def _reply(document: jackson.JSON, status: int = 200) -> Reply:
    return json_reply(document, "application/json", status=status)


def _refuse(status: int, message: str) -> NoReturn:
    raise RefusalError(_reply({"error": message}, status))
