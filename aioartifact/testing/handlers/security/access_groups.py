"""
``/access/api/v2/groups``: the groups of ``api/security/groups``, with the names and statuses of the Access service.

See: https://github.com/jfrog/terraform-provider-platform, ``pkg/platform/resource_group.go``
"""

from collections.abc import Iterable

from ...accounts.principals import Group
from ...protocol import jackson
from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from . import groups
from .access_requests import access_base, access_reply, change_of_names, demand_admin, page, read_body
from .entities import Document, text, texts

_FIELDS = {
    "auto_join": "autoJoin",
    "admin_privileges": "adminPrivileges",
    "realm_attributes": "realmAttributes",
}


async def list_all(exchange: Exchange) -> Reply:
    """List the groups, in pages of *limit* after *cursor*."""
    demand_admin(exchange)
    shown, cursor = page(exchange, sorted(group.name for group in exchange.instance.accounts.groups))
    base = f"{access_base(exchange)}/api/v2/groups"
    entries: list[jackson.JSON] = [{"group_name": name, "uri": f"{base}/{name}"} for name in shown]
    return access_reply({"groups": entries} | cursor)


async def create(exchange: Exchange) -> Reply:
    """Create a group, with members where these are sent."""
    demand_admin(exchange)
    sent = await read_body(exchange)
    name = text(sent, "name") or refuse(400, "name is required")
    if exchange.instance.accounts.group(name):
        refuse(409, f"Group {name} already exists")
    members = texts(sent, "members") or ()
    _demand_users(exchange, members)
    groups.save(exchange, Group(name), _translated(sent), members)
    return access_reply(_details(exchange, name), 201)


async def get(exchange: Exchange) -> Reply:
    """Describe a group with its members."""
    demand_admin(exchange)
    return access_reply(_details(exchange, _find(exchange).name))


async def update(exchange: Exchange) -> Reply:
    """Change the fields of a group that are sent; its name and its members stay."""
    demand_admin(exchange)
    group = _find(exchange)
    groups.save(exchange, group, _translated(await read_body(exchange)), None)
    return access_reply(_details(exchange, group.name))


async def delete(exchange: Exchange) -> Reply:
    """Remove a group; its users stay."""
    demand_admin(exchange)
    exchange.instance.accounts.remove_group(_find(exchange).name)
    return Reply(204)


async def update_members(exchange: Exchange) -> Reply:
    """Add users to a group, and remove others."""
    demand_admin(exchange)
    group, accounts = _find(exchange), exchange.instance.accounts
    added, removed = change_of_names(await read_body(exchange))
    _demand_users(exchange, added)
    accounts.add_group(group, (added | set(accounts.members(group.name))) - removed)
    return access_reply({"members": accounts.members(group.name)})


def _demand_users(exchange: Exchange, names: Iterable[str]) -> None:
    for name in names:
        if exchange.instance.accounts.get(name) is None:
            refuse(404, f"User {name} not found")


def _find(exchange: Exchange) -> Group:
    name = exchange.target.segments[4]
    return exchange.instance.accounts.group(name) or refuse(404, f"Group {name} not found")


def _translated(sent: Document) -> Document:
    return {_FIELDS.get(key, key): value for key, value in sent.items()}


def _details(exchange: Exchange, name: str) -> dict[str, jackson.JSON]:
    accounts = exchange.instance.accounts
    group = accounts.group(name)
    assert group is not None
    return {
        "name": name,
        "description": group.description,
        "auto_join": group.auto_join,
        "admin_privileges": group.admin,
        "realm": group.realm,
        **({"realm_attributes": group.realm_attributes} if group.realm_attributes else {}),
        "members": accounts.members(name),
    }
