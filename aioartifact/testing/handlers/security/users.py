"""``api/security/users``: accounts, and those that failed logins have locked."""

from dataclasses import replace

from ...accounts.principals import ANONYMOUS, User
from ...protocol import jackson
from ...protocol.replies import Reply, json_reply, refuse
from ...wire.exchange import Exchange
from .entities import (
    Document,
    demand_name,
    demand_pro_admin,
    entity_name,
    flag,
    media_type,
    name_list,
    read_document,
    read_names,
    text,
    texts,
)

_PATH = "api/security/users"
_CONFLICT = (
    "The user name that was provided in the request path does not match the user name in the provided user"
    " configuration object."
)
_TEXT = {"Content-Type": "text/plain"}


async def get(exchange: Exchange) -> Reply:
    """List the users, or describe one."""
    demand_pro_admin(exchange)
    name = entity_name(exchange)
    if name:
        return json_reply(_details(exchange, _find(exchange, name)), media_type("User"))
    users = sorted(exchange.instance.accounts.users, key=lambda user: user.name)
    return name_list(exchange, _PATH, ({"name": each.name, "realm": each.realm} for each in users), "Users")


async def put(exchange: Exchange) -> Reply:
    """Create or replace a user; fields that are left out have their defaults."""
    demand_pro_admin(exchange)
    name = demand_name(exchange)
    sent = await read_document(exchange, name, _CONFLICT)
    accounts = exchange.instance.accounts
    old = accounts.get(name)
    user = User(name, groups=frozenset(group.name for group in accounts.groups if group.auto_join))
    if old:  # credentials that are made elsewhere stay
        user = replace(user, api_key=old.api_key, token=old.token)
    user = changed(exchange, user, sent)
    if not user.email:
        refuse(400, f"The email of the user '{name}' is missing")
    if not (user.password or user.password_disabled):
        refuse(400, f"The password of the user '{name}' is missing")
    accounts.add(user)
    return Reply(200 if old else 201)


async def post(exchange: Exchange) -> Reply:
    """Change the fields of a user that are sent."""
    demand_pro_admin(exchange)
    name = demand_name(exchange)
    user = _find(exchange, name)
    sent = await read_document(exchange, name, _CONFLICT)
    exchange.instance.accounts.add(changed(exchange, user, sent))
    return Reply(200)


async def delete(exchange: Exchange) -> Reply:
    """Remove a user."""
    demand_pro_admin(exchange)
    name = _find(exchange, demand_name(exchange)).name
    if name == ANONYMOUS:
        refuse(400, f"The user '{name}' cannot be removed")
    exchange.instance.accounts.remove(name)
    return Reply(200, _TEXT, f"User '{name}' has been removed successfully.".encode())


async def get_locked(exchange: Exchange) -> Reply:
    """List the names of the users that are locked."""
    exchange.demand_admin()
    return json_reply(exchange.instance.accounts.lockouts.locked, "application/json")


async def unlock(exchange: Exchange) -> Reply:
    """Unlock the user in the path, or those in the body; one that is not locked, or missing, is not an error."""
    exchange.demand_admin()
    lockouts, name = exchange.instance.accounts.lockouts, entity_name(exchange)
    if name:
        lockouts.unlock(name)
        return Reply(200, _TEXT, f"The user: '{name}' was successfully unlocked".encode())
    for each in await read_names(exchange):
        lockouts.unlock(each)
    return Reply(200, _TEXT, b"Specified users were successfully unlocked")


async def unlock_all(exchange: Exchange) -> Reply:
    """Unlock every user."""
    exchange.demand_admin()
    lockouts = exchange.instance.accounts.lockouts
    for name in lockouts.locked:
        lockouts.unlock(name)
    return Reply(200, _TEXT, b"All users were successfully unlocked")


def _find(exchange: Exchange, name: str) -> User:
    return exchange.instance.accounts.get(name) or refuse(404, f"No such user '{name}'")


def changed(exchange: Exchange, user: User, sent: Document) -> User:
    """
    Return *user* with the fields that are sent.

    Raises:
        RefusalError: 400 if a value has another type, or a group does not exist.
    """
    groups = texts(sent, "groups")
    for name in groups or ():
        if exchange.instance.accounts.group(name) is None:
            refuse(400, f"The user '{user.name}' contains a reference to a non-existing group '{name}'")
    password = text(sent, "password") or user.password
    return replace(
        user,
        password=password,
        password_expired=user.password_expired and password == user.password,
        email=text(sent, "email", user.email),
        admin=flag(sent, "admin", default=user.admin),
        profile_updatable=flag(sent, "profileUpdatable", default=user.profile_updatable),
        ui_disabled=flag(sent, "disableUIAccess", default=user.ui_disabled),
        password_disabled=flag(sent, "internalPasswordDisabled", default=user.password_disabled),
        groups=user.groups if groups is None else frozenset(groups),
    )


def _details(exchange: Exchange, user: User) -> jackson.JSON:
    instance = exchange.instance
    last_login = instance.accounts.last_login(user.name)
    last_ms = None if last_login is None else int(last_login * 1000)
    return {
        "name": user.name,
        **({"email": user.email} if user.email else {}),
        "admin": user.admin,
        "profileUpdatable": user.profile_updatable,
        "internalPasswordDisabled": user.password_disabled,
        **({"groups": sorted(user.groups)} if user.groups else {}),
        **({} if last_ms is None else {"lastLoggedIn": instance.iso(last_ms)}),
        "lastLoggedInMillis": last_ms or 0,
        "realm": user.realm,
        "offlineMode": False,
        "disableUIAccess": user.ui_disabled,
    }
