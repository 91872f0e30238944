"""Users, their credentials and permissions, and what a request's credentials mean."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from ..clocks import Clock
from ..profiles import Profile
from ..protocol import ant_patterns
from ..protocol.replies import refuse
from .lockouts import Lockouts
from .oidc import IdentityMapping
from .tokens import RejectedTokenError, Token, Tokens, demand_api_scope, groups_of_scope, is_admin_scope

ANONYMOUS = "anonymous"

Mechanism = Literal["none", "password", "api key", "token"]

_LETTERS = "rwndm"


@dataclass(frozen=True, slots=True)
class User:
    """An account; *anonymous* is one too, without credentials."""

    name: str
    password: str | None = None
    api_key: str | None = None
    token: str | None = None
    admin: bool = False
    groups: frozenset[str] = frozenset()
    password_expired: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether this stands for requests without credentials."""
        return self.name == ANONYMOUS


NOBODY = User(ANONYMOUS)
# Made-up secrets in the shapes of the real ones: by these clients tell an API key and a reference token apart.
ADMIN = User("admin", "password", api_key="AKCp8" + "k" * 68, token="cmVmdGtuOj" + "t" * 54, admin=True)


def administrator(password: str | None) -> User:
    """Return the first user: the well-known one, or one whose password was given and whose other secrets are new."""
    if password is None:
        return ADMIN
    key, token = ("AKCp8" + secrets.token_hex(34), "cmVmdGtuOj" + secrets.token_hex(27))
    return replace(ADMIN, password=password, api_key=key, token=token)


@dataclass(frozen=True, slots=True)
class Grant:
    """
    A permission: letters of r (read), w (deploy), n (annotate), d (delete), m (manage) on a path pattern.

    Attributes:
        user: Name of a user, or of a group if *is_group*.
    """

    user: str
    repository: str
    actions: str
    pattern: str
    is_group: bool = False

    def concerns(self, user: User) -> bool:
        """Tell whether this is granted to *user*."""
        return self.user in user.groups if self.is_group else self.user == user.name


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and by what it was recognised."""

    user: User
    mechanism: Mechanism


class Accounts:
    """
    Every user, grant and token of one server; *admin* is there from the start.

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
        self._profile = profile
        self._clock = clock
        self._users: dict[str, User] = {ANONYMOUS: NOBODY}
        self._by_secret: dict[str, User] = {}
        self._grants: list[Grant] = []
        self._encryption_key = secrets.token_bytes(32)
        self.add(admin)

    @property
    def users(self) -> list[User]:
        """Every user, *anonymous* included."""
        return list(self._users.values())

    def get(self, name: str) -> User | None:
        """Return the user of this name."""
        return self._users.get(name)

    def add(self, user: User) -> None:
        """Add or replace a user."""
        self._users[user.name] = user
        self._by_secret = {
            secret: each for each in self._users.values() for secret in (each.api_key, each.token) if secret
        }

    def remove(self, name: str) -> None:
        """Remove a user, with the permissions of that name."""
        del self._users[name]
        self._by_secret = {secret: each for secret, each in self._by_secret.items() if each.name != name}
        self._grants = [each for each in self._grants if each.is_group or each.user != name]

    def encrypted_password(self, user: User) -> str:
        """Return what stands for the password of *user* until it changes or the server ends; ``""`` without one."""
        if not user.password:
            return ""
        digest = hmac.digest(self._encryption_key, f"{user.name}:{user.password}".encode(), "sha256")
        return "AP" + base64.b32encode(digest).decode().rstrip("=")

    def grant(self, grant: Grant) -> None:
        """Add a permission."""
        self._grants.append(grant)

    @property
    def grants(self) -> list[Grant]:
        """Every permission, in the order in which they were granted."""
        return list(self._grants)

    def clear_grants(self) -> None:
        """Withdraw every permission."""
        self._grants.clear()

    def can(self, user: User, action: str, repository: str, path: str) -> bool:
        """Tell whether *user* may do *action* (one letter) at *path*."""
        return user.admin or any(
            ant_patterns.matches(each.pattern, path) for each in self._grants_of(user, action, repository)
        )

    def can_browse(self, user: User, repository: str, folder: str) -> bool:
        """Tell whether *user* may read *folder* or could read something below it."""
        return user.admin or any(
            ant_patterns.may_hold_matches(each.pattern, folder) for each in self._grants_of(user, "r", repository)
        )

    def principals(self, repository: str, path: str) -> dict[str, dict[str, list[str]]]:
        """Return the letters of what ``users`` and ``groups`` were permitted to do at *path*, by name."""
        found: dict[str, dict[str, list[str]]] = {"users": {}, "groups": {}}
        for each in sorted(self._grants, key=lambda grant: grant.user):
            if ant_patterns.matches(each.repository, repository) and ant_patterns.matches(each.pattern, path):
                names = found["groups" if each.is_group else "users"]
                may = {*names.get(each.user, ()), *each.actions}
                names[each.user] = sorted(may, key=_LETTERS.index)
        return found

    def _grants_of(self, user: User, action: str, repository: str) -> list[Grant]:
        return [
            each
            for each in self._grants
            if each.concerns(user) and action in each.actions and self._covers(each.repository, repository)
        ]

    def _covers(self, pattern: str, repository: str) -> bool:
        remote = self.remote_of.get(repository)
        return any(ant_patterns.matches(pattern, key) for key in (repository, remote) if key is not None)

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
        if user is None or not user.password:
            _deny("Bad credentials")
        self.lockouts.check(name, self._clock())
        if password not in (user.password, self.encrypted_password(user)):
            self.lockouts.failed(name, self._clock())
            _deny("Bad credentials")
        self.lockouts.succeeded(name)
        if user.password_expired:
            message = "Your credentials have expired, You must change your password before trying to login again"
            _deny(message, 403)
        return Identity(user, "password")

    def _admitted(self, user: User, mechanism: Mechanism) -> Identity:
        self.lockouts.check(user.name, self._clock())
        return Identity(user, mechanism)


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
