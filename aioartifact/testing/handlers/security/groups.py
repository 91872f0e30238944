"""``api/security/groups``: groups of users, which may make administrators of their members."""

from dataclasses import replace

from ...accounts.principals import Group
from ...protocol import jackson
from ...protocol.replies import Reply, json_reply, refuse
from ...wire.exchange import Exchange
from ..request_checks import is_true
from .entities import (
    Document,
    demand_name,
    demand_pro_admin,
    entity_name,
    flag,
    media_type,
    name_list,
    read_document,
    text,
    texts,
)

_PATH = "api/security/groups"
_CONFLICT = (
    "The group name that was provided in the request path does not match the group name in the provided group"
    " configuration object."
)


async def get(exchange: Exchange) -> Reply:
    """List the groups, or describe one, with its users on request."""
    demand_pro_admin(exchange)
    name = entity_name(exchange)
    if name:
        return json_reply(_details(exchange, _find(exchange, name)), media_type("Group"))
    names = sorted(group.name for group in exchange.instance.accounts.groups)
    return name_list(exchange, _PATH, ({"name": each} for each in names), "Groups")


async def put(exchange: Exchange) -> Reply:
    """Create or replace a group; fields that are left out have their defaults, but the users stay."""
    demand_pro_admin(exchange)
    name = demand_name(exchange)
    sent = await read_document(exchange, name, _CONFLICT)
    is_new = exchange.instance.accounts.group(name) is None
    save(exchange, Group(name), sent, texts(sent, "userNames"))
    return Reply(201 if is_new else 200)


async def post(exchange: Exchange) -> Reply:
    """Change the fields of a group that are sent; users are added, and none is removed."""
    demand_pro_admin(exchange)
    name = demand_name(exchange)
    group = _find(exchange, name)
    sent = await read_document(exchange, name, _CONFLICT)
    added = texts(sent, "userNames")
    members = None if added is None else (*exchange.instance.accounts.members(name), *added)
    save(exchange, group, sent, members)
    return Reply(200)


async def delete(exchange: Exchange) -> Reply:
    """Remove a group; its users stay."""
    demand_pro_admin(exchange)
    name = _find(exchange, demand_name(exchange)).name
    exchange.instance.accounts.remove_group(name)
    text_ = f"Group '{name}' has been removed successfully."
    return Reply(200, {"Content-Type": "text/plain"}, text_.encode())


def _find(exchange: Exchange, name: str) -> Group:
    return exchange.instance.accounts.group(name) or refuse(404, f"No such group '{name}'")


def save(exchange: Exchange, group: Group, sent: Document, members: tuple[str, ...] | None) -> None:
    """
    Save *group* with the fields that are sent, and with *members* if given.

    Raises:
        RefusalError: 400 if a value has another type, or new users would become administrators.
    """
    changed = replace(
        group,
        description=text(sent, "description", group.description),
        auto_join=flag(sent, "autoJoin", default=group.auto_join),
        admin=flag(sent, "adminPrivileges", default=group.admin),
        realm=text(sent, "realm", group.realm),
        realm_attributes=text(sent, "realmAttributes", group.realm_attributes),
    )
    if changed.auto_join and changed.admin:
        refuse(400, f"The group '{group.name}' cannot have admin privileges and be joined automatically")
    exchange.instance.accounts.add_group(changed, members)


def _details(exchange: Exchange, group: Group) -> jackson.JSON:
    instance = exchange.instance
    has_users = is_true(exchange.target.query.get("includeUsers", str(instance.profile.is_platform)))
    return {
        "name": group.name,
        **({"description": group.description} if group.description else {}),
        "autoJoin": group.auto_join,
        "realm": group.realm,
        **({"realmAttributes": group.realm_attributes} if group.realm_attributes else {}),
        "adminPrivileges": group.admin,
        **({"userNames": instance.accounts.members(group.name)} if has_users else {}),
    }
