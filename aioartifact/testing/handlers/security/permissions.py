"""``api/security/permissions``: permission targets for items, with letters for actions."""

from dataclasses import replace

from ...accounts.permission_targets import PermissionTarget, Section
from ...protocol import jackson
from ...protocol.replies import Reply, json_reply, refuse
from ...wire.exchange import Exchange
from .entities import demand_name, demand_pro_admin, entity_name, media_type, name_list, read_document, text
from .permission_sections import CONFLICT, letters_of, principals, repositories_of, validated

_PATH = "api/security/permissions"


async def get(exchange: Exchange) -> Reply:
    """List the permission targets, or describe one."""
    demand_pro_admin(exchange)
    name = entity_name(exchange)
    if name:
        target, section = _find(exchange, name)
        return json_reply(_details(target, section), media_type("PermissionTarget"))
    names = sorted(target.name for target in exchange.instance.accounts.targets if target.repo)
    return name_list(exchange, _PATH, ({"name": each} for each in names), "PermissionTargets")


async def put(exchange: Exchange) -> Reply:
    """Create or replace the permissions on items; those on builds stay."""
    demand_pro_admin(exchange)
    name, accounts = demand_name(exchange), exchange.instance.accounts
    sent = await read_document(exchange, name, CONFLICT)
    old = accounts.target(name)
    users, groups = principals(sent, "principals", letters_of)
    section = Section(
        repositories_of(sent),
        _patterns(text(sent, "includesPattern", "**")),
        _patterns(text(sent, "excludesPattern")),
        users,
        groups,
    )
    validated(exchange, section, old)
    accounts.add_target(replace(old or PermissionTarget(name), repo=section))
    return Reply(200 if old and old.repo else 201)


async def delete(exchange: Exchange) -> Reply:
    """Remove the permissions on items; those on builds stay."""
    demand_pro_admin(exchange)
    target, _ = _find(exchange, demand_name(exchange))
    exchange.instance.accounts.add_target(replace(target, repo=None))
    message = f"Permission Target '{target.name}' has been removed successfully."
    return Reply(200, {"Content-Type": "text/plain"}, message.encode())


def _find(exchange: Exchange, name: str) -> tuple[PermissionTarget, Section]:
    target = exchange.instance.accounts.target(name)
    if target is None or target.repo is None:
        refuse(404, f"No such permission target '{name}'")
    return target, target.repo


def _patterns(text_: str) -> tuple[str, ...]:
    return tuple(filter(None, (pattern.strip() for pattern in text_.split(","))))


def _details(target: PermissionTarget, section: Section) -> jackson.JSON:
    named = {"users": section.users, "groups": section.groups}
    return {
        "name": target.name,
        "includesPattern": ",".join(section.includes),
        "excludesPattern": ",".join(section.excludes),
        "repositories": list(section.repositories),
        "principals": {
            kind: {name: sorted(actions) for name, actions in found.items()} for kind, found in named.items() if found
        },
    }
