"""
``/access/api/v2/users``: the accounts of ``api/security/users``, with the names and statuses of the Access service.

See: https://github.com/jfrog/terraform-provider-artifactory, ``pkg/artifactory/resource/user``
"""

from dataclasses import replace

from ...accounts.principals import ANONYMOUS, User
from ...protocol import jackson
from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from . import users
from .access_requests import access_base, access_reply, change_of_names, demand_admin, page, read_body
from .entities import Document, text

_FIELDS = {
    "profile_updatable": "profileUpdatable",
    "disable_ui_access": "disableUIAccess",
    "internal_password_disabled": "internalPasswordDisabled",
}


async def list_all(exchange: Exchange) -> Reply:
    """List the users, in pages of *limit* after *cursor*."""
    demand_admin(exchange)
    names = sorted(user.name for user in exchange.instance.accounts.users)
    shown, cursor = page(exchange, names)
    entries: list[jackson.JSON] = [_entry(exchange, name) for name in shown]
    return access_reply({"users": entries} | cursor)


async def create(exchange: Exchange) -> Reply:
    """Create a user; it joins the groups that are sent, and those that every new user joins."""
    demand_admin(exchange)
    sent = await read_body(exchange)
    accounts, name = exchange.instance.accounts, text(sent, "username")
    if not name or not text(sent, "email"):
        refuse(400, "username and email are required")
    if accounts.get(name):
        refuse(409, f"User {name} already exists")
    user = users.changed(exchange, User(name), _translated(sent))
    if not (user.password or user.password_disabled):
        refuse(400, "password is required")
    joined = {group.name for group in accounts.groups if group.auto_join}
    accounts.add(replace(user, groups=user.groups | joined))
    return access_reply(_details(exchange, name), 201)


async def get(exchange: Exchange) -> Reply:
    """Describe a user."""
    demand_admin(exchange)
    return access_reply(_details(exchange, _find(exchange).name))


async def update(exchange: Exchange) -> Reply:
    """Change the fields of a user that are sent; its name and its groups stay."""
    demand_admin(exchange)
    user, sent = _find(exchange), await read_body(exchange)
    changed = users.changed(exchange, user, {key: value for key, value in _translated(sent).items() if key != "groups"})
    exchange.instance.accounts.add(changed)
    return access_reply(_details(exchange, user.name))


async def delete(exchange: Exchange) -> Reply:
    """Remove a user."""
    demand_admin(exchange)
    name = _find(exchange).name
    if name == ANONYMOUS:
        refuse(400, f"User {name} cannot be removed")
    exchange.instance.accounts.remove(name)
    return Reply(204)


async def update_groups(exchange: Exchange) -> Reply:
    """Let a user join groups and leave others."""
    demand_admin(exchange)
    user = _find(exchange)
    accounts = exchange.instance.accounts
    added, removed = change_of_names(await read_body(exchange))
    for name in added:
        if accounts.group(name) is None:
            refuse(404, f"Group {name} not found")
    accounts.add(replace(user, groups=(user.groups | added) - removed))
    return access_reply({"groups": sorted((user.groups | added) - removed)})


def _find(exchange: Exchange) -> User:
    name = exchange.target.segments[4]
    return exchange.instance.accounts.get(name) or refuse(404, f"User {name} not found")


def _translated(sent: Document) -> Document:
    return {_FIELDS.get(key, key): value for key, value in sent.items()}


def _entry(exchange: Exchange, name: str) -> dict[str, jackson.JSON]:
    user = exchange.instance.accounts.get(name)
    assert user is not None
    uri = f"{access_base(exchange)}/api/v2/users/{name}"
    return {"username": name, "uri": uri, "realm": user.realm, "status": "enabled"}


def _details(exchange: Exchange, name: str) -> dict[str, jackson.JSON]:
    accounts = exchange.instance.accounts
    user = accounts.get(name)
    assert user is not None
    is_admin = user.admin or any(group.admin for group in accounts.groups if group.name in user.groups)
    return {
        "username": name,
        "email": user.email,
        "admin": user.admin,
        "effective_admin": is_admin,
        "profile_updatable": user.profile_updatable,
        "disable_ui_access": user.ui_disabled,
        "internal_password_disabled": user.password_disabled,
        "realm": user.realm,
        "groups": sorted(user.groups),
        "status": "enabled",
    }
