"""Users, groups and permissions of one server, and what a request's credentials mean."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NoReturn
from urllib.parse import unquote

from ..clocks import Clock
from ..profiles import Profile
from ..protocol import ant_patterns
from ..protocol.replies import refuse
from .lockouts import Lockouts
from .oidc import IdentityMapping
from .permission_targets import ANY, ANY_LOCAL, ANY_REMOTE, BUILD_INFO, LETTERS, Grant, PermissionTarget
from .principals import ANONYMOUS, ANONYMOUS_USER, Group, User
from .tokens import RejectedTokenError, Token, Tokens, demand_api_scope, groups_of_scope, is_admin_scope

Mechanism = Literal["none", "password", "api key", "token"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and by what it was recognised."""

    user: User
    mechanism: Mechanism


class Accounts:
    """
    Every user, group, grant, permission target and token of one server; *admin* is there from the start.

    Args:
        admin: The first user.
        allow_anonymous: Whether requests without credentials are let in.
        profile: The release that says how wrong credentials are refused.
        lockouts: What failed logins lead to.
        clock: Returns epoch seconds.
    """

    def __init__(
        self, admin: User, *, allow_anonymous: bool, profile: Profile, lockouts: Lockouts, clock: Clock
    ) -> None:
        self.allow_anonymous = allow_anonymous
        self.lockouts = lockouts
        self.tokens: Tokens = Tokens()
        self.remote_of: dict[str, str] = {}  # by the key of the cache: what is granted on one counts for the other
        self.mappings: list[IdentityMapping] = []
        self.projects: dict[str, dict[str, Any]] = {}  # by key, as clients see them
        self._profile = profile
        self._clock = clock
        self._users: dict[str, User] = {ANONYMOUS: ANONYMOUS_USER}
        self._by_secret: dict[str, User] = {}
        self._groups: dict[str, Group] = {}
        self._targets: dict[str, PermissionTarget] = {}
        self._grants: list[Grant] = []
        self._target_grants: list[Grant] = []  # what the permission targets permit
        self._last_logins: dict[str, float] = {}
        self._encryption_key = secrets.token_bytes(32)
        self.add(admin)

    @property
    def users(self) -> list[User]:
        """Every user, *anonymous* included."""
        return list(self._users.values())

    @property
    def groups(self) -> list[Group]:
        """Every group."""
        return list(self._groups.values())

    @property
    def targets(self) -> list[PermissionTarget]:
        """Every permission target."""
        return list(self._targets.values())

    def get(self, name: str) -> User | None:
        """Return the user of this name."""
        return self._users.get(name)

    def add(self, user: User) -> None:
        """Add or replace a user; groups that do not exist yet are made."""
        self._users[user.name] = user
        for name in user.groups:
            self._groups.setdefault(name, Group(name))
        self._index_secrets()

    def remove(self, name: str) -> None:
        """Remove a user with everything that was permitted to it."""
        self._users.pop(name, None)
        self._last_logins.pop(name, None)
        self.lockouts.unlock(name)
        self._index_secrets()
        self._revoke(name, is_group=False)

    def group(self, name: str) -> Group | None:
        """Return the group of this name."""
        return self._groups.get(name)

    def members(self, group: str) -> list[str]:
        """Return the names of the users of a group."""
        return sorted(user.name for user in self._users.values() if group in user.groups)

    def add_group(self, group: Group, members: Iterable[str] | None = None) -> None:
        """Add or replace a group; *members* become its users if given, names without a user are ignored."""
        self._groups[group.name] = group
        if members is not None:
            self._set_members(group.name, frozenset(members))

    def remove_group(self, name: str) -> None:
        """Remove a group with everything that was permitted to it."""
        self._set_members(name, frozenset())
        self._groups.pop(name, None)
        self._revoke(name, is_group=True)

    def target(self, name: str) -> PermissionTarget | None:
        """Return the permission target of this name."""
        return self._targets.get(name)

    def add_target(self, target: PermissionTarget) -> None:
        """Add or replace a permission target; one without sections is removed."""
        self._targets[target.name] = target
        self._set_targets(self.targets)

    def remove_target(self, name: str) -> None:
        """Remove a permission target."""
        self._set_targets(each for each in self.targets if each.name != name)

    def is_admin(self, user: User) -> bool:
        """Return whether *user* is an administrator, itself or by one of its groups."""
        return user.admin or any(group.admin for name in user.groups if (group := self._groups.get(name)))

    def last_login(self, name: str) -> float | None:
        """Return when a user last used its credentials, in epoch seconds."""
        return self._last_logins.get(name)

    def encrypted_password(self, user: User) -> str:
        """Return what stands for the password of *user* until it changes or the server ends; ``""`` without one."""
        if not user.password:
            return ""
        digest = hmac.digest(self._encryption_key, f"{user.name}:{user.password}".encode(), "sha256")
        return "AP" + base64.b32encode(digest).decode().rstrip("=")

    def grant(self, grant: Grant) -> None:
        """Add a permission."""
        self._grants.append(grant)
        if grant.is_group:
            self._groups.setdefault(grant.user, Group(grant.user))

    @property
    def grants(self) -> list[Grant]:
        """Every permission, in the order in which they were granted."""
        return list(self._grants)

    def clear_grants(self) -> None:
        """Withdraw every permission."""
        self._grants.clear()

    def can(self, user: User, action: str, repository: str, path: str) -> bool:
        """Return whether *user* may do *action* (one letter) at *path*."""
        if user.admin:
            return True
        decoded = unquote(path) if repository == BUILD_INFO else path
        return any(each.covers(decoded) for each in self._grants_of(user, action, repository))

    def can_browse(self, user: User, repository: str, folder: str) -> bool:
        """Return whether *user* may read *folder* or could read something below it."""
        return user.admin or any(each.may_cover_below(folder) for each in self._grants_of(user, "r", repository))

    def principals(self, repository: str, path: str) -> dict[str, dict[str, list[str]]]:
        """Return the letters of what ``users`` and ``groups`` were permitted to do at *path*, by name."""
        found: dict[str, dict[str, list[str]]] = {"users": {}, "groups": {}}
        for each in sorted((*self._grants, *self._target_grants), key=lambda grant: grant.user):
            if each.actions and self._is_for(each, repository) and each.covers(path):
                names = found["groups" if each.is_group else "users"]
                may = {*names.get(each.user, ()), *each.actions}
                names[each.user] = sorted(may, key=LETTERS.index)
        return found

    def _grants_of(self, user: User, action: str, repository: str) -> list[Grant]:
        return [
            each
            for grants in (self._grants, self._target_grants)
            for each in grants
            if each.concerns(user) and action in each.actions and self._is_for(each, repository)
        ]

    def _is_for(self, grant: Grant, repository: str) -> bool:
        """Return whether *grant* names *repository*: a remote repository and its cache stand for each other."""
        remote = self.remote_of.get(repository)
        is_remote = remote is not None or repository in self.remote_of.values()
        if grant.repository in (ANY, ANY_REMOTE if is_remote else ANY_LOCAL):
            return repository != BUILD_INFO
        return any(ant_patterns.matches(grant.repository, key) for key in (repository, remote) if key is not None)

    def _set_targets(self, targets: Iterable[PermissionTarget]) -> None:
        self._targets = {each.name: each for each in targets if each.sections}
        self._target_grants = [
            grant for each in self._targets.values() for section in each.sections for grant in section.grants()
        ]

    def _set_members(self, group: str, names: frozenset[str]) -> None:
        for user in self.users:
            groups = user.groups | {group} if user.name in names else user.groups - {group}
            self._users[user.name] = replace(user, groups=groups)
        self._index_secrets()

    def _revoke(self, name: str, *, is_group: bool) -> None:
        """Remove everything that is permitted to a user or a group."""
        self._grants = [each for each in self._grants if (each.user, each.is_group) != (name, is_group)]
        self._set_targets([each.without(name, is_group=is_group) for each in self.targets])

    def _index_secrets(self) -> None:
        self._by_secret = {
            secret: each for each in self._users.values() for secret in (each.api_key, each.token) if secret
        }

    def identify(self, headers: Mapping[str, str], query: Mapping[str, str], raw_query: str) -> Identity:
        """
        Find the user of a request, in the order the real server looks: API key, bearer, basic, query token.

        Credentials that are wrong never fall back to anonymous access.

        Raises:
            RefusalError: 401 or 403 with the text of the real server.
        """
        if key := headers.get("X-JFrog-Art-Api") or headers.get("X-Api-Key"):
            return self._by_key(key) or _deny(f"Bad props auth token: apiKey={key}", self._profile.bad_key_status)
        authorization = headers.get("Authorization", "")
        if authorization.startswith("Bearer "):
            token = authorization.removeprefix("Bearer ")
            return self._by_token(token) or _deny(f"Bad props auth token: basictoken={token}")
        if authorization.startswith("Basic "):
            name, secret = _decode_basic(authorization.removeprefix("Basic "))
            if (name or secret) and not (self.allow_anonymous and (name, secret) == (ANONYMOUS, "")):
                return self._by_name(name, secret)
        if raw_query.startswith("token="):
            token = query["token"]
            return self._by_token(token) or _deny(f"Failed to authenticate request with token {token}")
        if not self.allow_anonymous:
            _deny("Authentication is required")
        return Identity(self._users[ANONYMOUS], "none")

    def _by_key(self, key: str) -> Identity | None:
        owner = self._by_secret.get(key)
        if owner and owner.api_key == key:
            return self._admitted(owner, "api key")
        return self._by_token(key)

    def _by_token(self, text: str) -> Identity | None:
        owner = self._by_secret.get(text)
        if owner and owner.token == text:
            return self._admitted(owner, "token")
        try:
            token = self.tokens.verify(text, self._clock())
        except RejectedTokenError as rejected:
            _deny(f"Token failed verification: {rejected}")
        return self._admitted(self._user_of(token), "token") if token else None

    def _user_of(self, token: Token) -> User:
        username, scope = token.order.username, token.order.scope
        demand_api_scope(scope)
        user = self._users.get(username) or User(f"token:{username}")
        if is_admin_scope(scope):
            return replace(user, admin=True)
        groups = groups_of_scope(scope)
        return user if groups is None else replace(user, admin=False, groups=groups)

    def _by_name(self, name: str, secret: str) -> Identity:
        if identity := self._by_token(secret):
            if identity.user.name.removeprefix("token:") != name:
                _deny("Token principal mismatch.")
            return identity
        owner = self._by_secret.get(secret)
        if owner and name not in ("", owner.name):
            _deny("Bad authentication Key")
        return self._admitted(owner, "api key") if owner else self._by_password(name, secret)

    def _by_password(self, name: str, password: str) -> Identity:
        user = self._users.get(name)
        if user is None or not user.password or user.password_disabled:
            _deny("Bad credentials")
        self.lockouts.check(name, self._clock())
        if password not in (user.password, self.encrypted_password(user)):
            self.lockouts.failed(name, self._clock())
            _deny("Bad credentials")
        self.lockouts.succeeded(name)
        if user.password_expired:
            message = "Your credentials have expired, You must change your password before trying to login again"
            _deny(message, 403)
        return self._identity(user, "password")

    def _admitted(self, user: User, mechanism: Mechanism) -> Identity:
        self.lockouts.check(user.name, self._clock())
        return self._identity(user, mechanism)

    def _identity(self, user: User, mechanism: Mechanism) -> Identity:
        if user.name in self._users:
            self._last_logins[user.name] = self._clock()
        return Identity(replace(user, admin=self.is_admin(user)), mechanism)


def _deny(message: str, status: int = 401) -> NoReturn:
    refuse(status, message, servlet=True, challenge=True)


def _decode_basic(value: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        refuse(401, "Failed to decode basic authentication token", servlet=True, challenge=True)
    name, colon, secret = decoded.partition(":")
    if not colon:
        refuse(401, "Invalid basic authentication token", servlet=True, challenge=True)
    return name, secret
