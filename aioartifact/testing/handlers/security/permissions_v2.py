"""``api/v2/security/permissions``: permission targets for items and builds, with names for actions."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NoReturn

from ...accounts.permission_targets import ACTIONS, BUILD_INFO, PermissionTarget, Section
from ...accounts.principals import User
from ...protocol import jackson
from ...protocol.replies import Reply, json_reply, refuse
from ...wire.exchange import Exchange
from ..request_checks import demand_pro
from .entities import Document, demand_name, demand_pro_admin, entity_name, mapping, name_list, read_document, texts
from .permission_sections import CONFLICT, demand_principals, letters_of_name, principals, repositories_of, validated

_PATH = "api/v2/security/permissions"
_MISSING = "Permission target request missing repositories, builds and release bundles. Must have at least one."
_JSON = "application/json"


async def get(exchange: Exchange) -> Reply:
    """List the permission targets that the user manages, or describe one of them."""
    _demand_pro_user(exchange)
    name = entity_name(exchange)
    if name:
        return json_reply(_details(_managed(exchange, name)), _JSON)
    targets = sorted(exchange.instance.accounts.targets, key=lambda target: target.name)
    managed = ({"name": each.name} for each in targets if each.is_managed_by(exchange.user))
    return name_list(exchange, _PATH, managed)


async def create(exchange: Exchange) -> Reply:
    """Create a permission target, or the sections that an existing one does not have."""
    demand_pro_admin(exchange)
    name, accounts = demand_name(exchange), exchange.instance.accounts
    old = accounts.target(name) or PermissionTarget(name)
    new = await _read(exchange, name, None)
    for kind, had, has in (("repo", old.repo, new.repo), ("build", old.build, new.build)):
        if had and has:
            refuse(409, f"Can't create permission target '{name}' for type {kind}. It already exists.")
    accounts.add_target(replace(new, repo=new.repo or old.repo, build=new.build or old.build))
    return Reply(201)


async def update(exchange: Exchange) -> Reply:
    """Create or replace a permission target; managers that are not administrators may only change the actions."""
    _demand_pro_user(exchange)
    name, accounts = demand_name(exchange), exchange.instance.accounts
    old = accounts.target(name)
    if old:
        _demand_managed(exchange, old)
    elif not exchange.user.admin:
        refuse(403, "Only an admin user can create permission targets.")
    new = await _read(exchange, name, old)
    if old and not exchange.user.admin:
        _demand_same_resources(old, new)
    accounts.add_target(new)
    return Reply(200)


async def delete(exchange: Exchange) -> Reply:
    """Remove a permission target."""
    demand_pro_admin(exchange)
    name, accounts = demand_name(exchange), exchange.instance.accounts
    if accounts.target(name) is None:
        _refuse_missing(name)
    accounts.remove_target(name)
    return Reply(200)


async def of_user(exchange: Exchange) -> Reply:
    """List what permission targets permit to a user, itself or as a member of its groups."""
    demand_pro_admin(exchange)
    user = exchange.instance.accounts.get(demand_name(exchange)) or refuse(404, "Not Found")
    return _permitted(exchange, user)


async def of_group(exchange: Exchange) -> Reply:
    """List what permission targets permit to a group."""
    demand_pro_admin(exchange)
    group = exchange.instance.accounts.group(demand_name(exchange)) or refuse(404, "Not Found")
    return _permitted(exchange, User("", groups=frozenset({group.name})))


def _demand_pro_user(exchange: Exchange) -> None:
    exchange.demand_user()
    demand_pro(exchange)


def _managed(exchange: Exchange, name: str) -> PermissionTarget:
    target = exchange.instance.accounts.target(name) or _refuse_missing(name)
    _demand_managed(exchange, target)
    return target


def _demand_managed(exchange: Exchange, target: PermissionTarget) -> None:
    """
    Accept users who manage *target*.

    Raises:
        RefusalError: 403, or 404 where existence is hidden.
    """
    if target.is_managed_by(exchange.user):
        return
    if exchange.instance.hide_unauthorized:
        refuse(404, "")
    kinds = ", ".join(kind for kind, section in (("repo", target.repo), ("build", target.build)) if section)
    refuse(403, f"Accessing permission target '{target.name}' of types: {kinds} is forbidden.")


def _demand_same_resources(old: PermissionTarget, new: PermissionTarget) -> None:
    """
    Accept a change of actions alone.

    Raises:
        RefusalError: 403 if repositories or patterns differ, or a section is added or removed.
    """
    for before, after in ((old.repo, new.repo), (old.build, new.build)):
        if (before is None) != (after is None):
            refuse(403, "Manager user cannot modify sections in a permission target")
        if before and after:
            for what, was, is_now in (
                ("repositories", before.repositories, after.repositories),
                ("include patterns", before.includes, after.includes),
                ("exclude patterns", before.excludes, after.excludes),
            ):
                if set(was) != set(is_now):
                    refuse(403, f"Manager user cannot modify {what} in a permission target")


async def _read(exchange: Exchange, name: str, old: PermissionTarget | None) -> PermissionTarget:
    sent = await read_document(exchange, name, CONFLICT)
    if mapping(sent, "releaseBundle") is not None:
        refuse(
            400, "Creating permission target with release bundles is only available with an Enterprise Plus license."
        )
    repo, build = mapping(sent, "repo"), mapping(sent, "build")
    if repo is None and build is None:
        refuse(400, _MISSING)
    return PermissionTarget(
        name,
        None if repo is None else validated(exchange, _section(repo), old),
        None if build is None else _build_section(exchange, build, old),
    )


def _build_section(exchange: Exchange, sent: Document, old: PermissionTarget | None) -> Section:
    section = _section(sent)
    demand_principals(exchange, section, old.sections if old else ())
    if not section.includes and not section.excludes:
        refuse(400, "Permission target of type: build must contain at least one include or exclude pattern")
    if section.repositories != (BUILD_INFO,):
        refuse(400, f"Build permission target repositories list must contain {BUILD_INFO} as the only repository key")
    return section


def _section(sent: Document) -> Section:
    repositories = repositories_of(sent)
    users, groups = principals(sent, "actions", letters_of_name)
    return Section(
        repositories,
        _patterns(texts(sent, "include-patterns"), ("**",)),
        _patterns(texts(sent, "exclude-patterns"), ()),
        users,
        groups,
    )


def _patterns(sent: tuple[str, ...] | None, default: tuple[str, ...]) -> tuple[str, ...]:
    return default if sent is None else tuple(filter(None, sent))


def _details(target: PermissionTarget) -> jackson.JSON:
    document: dict[str, jackson.JSON] = {"name": target.name}
    for kind, section in (("repo", target.repo), ("build", target.build)):
        if section:
            named = {"users": section.users, "groups": section.groups}
            actions = {
                each: {name: _names(actions) for name, actions in found.items()}
                for each, found in named.items()
                if found
            }
            document[kind] = _resources(section) | {"actions": actions}
    return document


def _permitted(exchange: Exchange, user: User) -> Reply:
    entries: list[jackson.JSON] = []
    for target in exchange.instance.accounts.targets:
        entry: dict[str, jackson.JSON] = {
            kind: _resources(section) | {"actions": _names(actions)}
            for kind, section in (("repo", target.repo), ("build", target.build))
            if section and (actions := section.actions_of(user))
        }
        if entry:
            entries.append({"name": target.name} | entry)
    return json_reply(entries, _JSON)


def _resources(section: Section) -> dict[str, jackson.JSON]:
    return {
        "include-patterns": list(section.includes),
        "exclude-patterns": list(section.excludes),
        "repositories": list(section.repositories),
    }


def _names(actions: Iterable[str]) -> list[str]:
    return [ACTIONS[letters] for letters in ACTIONS if letters in actions]


def _refuse_missing(name: str) -> NoReturn:
    refuse(404, f"No such permission target '{name}'")
