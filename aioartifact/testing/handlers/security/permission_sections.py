"""What both APIs of permission targets check before a section is stored; the texts are those of the 6.20 sources."""

from collections.abc import Callable, Sequence
from typing import NoReturn

from ...accounts.permission_targets import ACTIONS, ANY_KEYS, BUILD_INFO, PermissionTarget, Principals, Section
from ...protocol.replies import refuse
from ...wire.exchange import Exchange
from .entities import Document, mapping, texts

CONFLICT = (
    "The permission target name that was provided in the request path does not match the permission name in the"
    " provided permission configuration object."
)
_LETTERS = {name.lower(): letters for letters, name in ACTIONS.items()}


def letters_of(action: str) -> str:
    """
    Return *action*, the letters of an action.

    Raises:
        RefusalError: 400 if there is no such action.
    """
    return action if action in ACTIONS else _refuse_action(action)


def letters_of_name(action: str) -> str:
    """
    Return the letters of an action, given its name in any case.

    Raises:
        RefusalError: 400 if there is no such action.
    """
    return _LETTERS.get(action.lower()) or _refuse_action(action)


def principals(sent: Document, field: str, letters: Callable[[str], str]) -> tuple[Principals, Principals]:
    """
    Return the actions of users and of groups; those without any are left out.

    Args:
        sent: The document.
        field: Name of the field that holds ``users`` and ``groups``.
        letters: Turns an action of the document into its letters.

    Raises:
        RefusalError: 400 if the field is something else, or names an unknown action.
    """
    named = mapping(sent, field) or {}
    users, groups = (_principals(mapping(named, kind) or {}, letters) for kind in ("users", "groups"))
    return users, groups


def repositories_of(sent: Document) -> tuple[str, ...]:
    """
    Return the keys of repositories.

    Raises:
        RefusalError: 400 if there are none.
    """
    found = texts(sent, "repositories")
    return refuse(400, "Permission target request missing repositories.") if found is None else found


def validated(exchange: Exchange, section: Section, old: PermissionTarget | None) -> Section:
    """
    Return the section for items if everything it names exists.

    Args:
        exchange: The request.
        section: The new section.
        old: The permission target that it changes; administrators stay in it, but are not added.

    Raises:
        RefusalError: 400 if it names a repository, user or group that does not exist, or adds an administrator.
    """
    if BUILD_INFO in section.repositories:
        refuse(400, "Setting repository permissions on Build Info Repository is not allowed.")
    for key in section.repositories:
        if key not in ANY_KEYS and key not in exchange.instance.repositories:
            refuse(400, f"Permission target contains a reference to a non-existing repository '{key}'.")
    demand_principals(exchange, section, old.sections if old else ())
    return section


def demand_principals(exchange: Exchange, section: Section, old: Sequence[Section]) -> None:
    """
    Accept users and groups that exist and, unless *old* has them already, are not administrators.

    Raises:
        RefusalError: 400, naming the first that is not accepted.
    """
    accounts = exchange.instance.accounts
    for name in section.users:
        user = accounts.get(name) or _refuse_principal("user", name)
        if accounts.is_admin(user) and not any(name in each.users for each in old):
            # the second quotation mark is the real server's
            refuse(400, f"The user: '{name}'' has admin privileges, and cannot be added to a Permission Target.")
    for name in section.groups:
        group = accounts.group(name) or _refuse_principal("group", name)
        if group.admin and not any(name in each.groups for each in old):
            refuse(400, f"Group '{name}' has admin privileges, and cannot be added to a Permission Target.")


def _principals(sent: Document, letters: Callable[[str], str]) -> Principals:
    actions = {name: texts(sent, name) for name in sent}
    return {name: frozenset(map(letters, found)) for name, found in actions.items() if found}


def _refuse_principal(kind: str, name: str) -> NoReturn:
    refuse(400, f"Permission target contains a reference to a non-existing {kind} '{name}'.")


def _refuse_action(action: str) -> NoReturn:
    refuse(400, f"'{action}' is not a valid Artifactory permission.")
