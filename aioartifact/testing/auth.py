"""Users, their credentials and permissions, and what a request's credentials mean."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from . import patterns
from .replies import refuse

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class User:
    """An account; *anonymous* is one too, without credentials."""

    name: str
    password: str | None = None
    api_key: str | None = None
    token: str | None = None
    admin: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether this stands for requests without credentials."""
        return self.name == ANONYMOUS


NOBODY = User(ANONYMOUS)
# Made-up secrets in the shapes of the real ones: by these clients tell an API key and a reference token apart.
ADMIN = User("admin", "password", api_key="AKCp8" + "k" * 68, token="cmVmdGtuOj" + "t" * 54, admin=True)


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission: letters of r (read), w (deploy), n (annotate), d (delete), m (manage) on a path pattern."""

    user: str
    repository: str
    actions: str
    pattern: str


class Accounts:
    """Every user and grant of one server; *admin* is there from the start."""

    def __init__(self, admin: User, *, allow_anonymous: bool) -> None:
        self.allow_anonymous = allow_anonymous
        self._users: dict[str, User] = {ANONYMOUS: NOBODY}
        self._by_secret: dict[str, User] = {}
        self._grants: list[Grant] = []
        self.add(admin)

    def add(self, user: User) -> None:
        """Add or replace a user."""
        self._users[user.name] = user
        self._by_secret = {
            secret: each for each in self._users.values() for secret in (each.api_key, each.token) if secret
        }

    def grant(self, grant: Grant) -> None:
        """Add a permission."""
        self._grants.append(grant)

    def can(self, user: User, action: str, repository: str, path: str) -> bool:
        """Tell whether *user* may do *action* (one letter) at *path*."""
        return user.admin or any(
            patterns.matches(each.pattern, path) for each in self._grants_of(user, action, repository)
        )

    def can_browse(self, user: User, repository: str, folder: str) -> bool:
        """Tell whether *user* may read *folder* or could read something below it."""
        return user.admin or any(
            patterns.may_hold_matches(each.pattern, folder) for each in self._grants_of(user, "r", repository)
        )

    def _grants_of(self, user: User, action: str, repository: str) -> list[Grant]:
        return [
            each
            for each in self._grants
            if each.user == user.name and action in each.actions and patterns.matches(each.repository, repository)
        ]

    def identify(self, headers: Mapping[str, str], query: Mapping[str, str], raw_query: str) -> User:
        """
        Find the user of a request, in the order the real server looks: API key, bearer, basic, query token.

        Credentials that are wrong never fall back to anonymous access.

        Raises:
            RefusalError: 401 or 403 with the text of the real server.
        """
        if key := headers.get("X-JFrog-Art-Api") or headers.get("X-Api-Key"):
            return self._by_secret.get(key) or _deny(f"Bad props auth token: apiKey={key}", 403)
        authorization = headers.get("Authorization", "")
        if authorization.startswith("Bearer "):
            token = authorization.removeprefix("Bearer ")
            return self._by_token(token) or _deny(f"Bad props auth token: basictoken={token}")
        if authorization.startswith("Basic "):
            name, secret = _decode_basic(authorization.removeprefix("Basic "))
            if name or secret:
                return self._by_name(name, secret)
        if raw_query.startswith("token="):
            token = query["token"]
            return self._by_token(token) or _deny(f"Failed to authenticate request with token {token}")
        if self.allow_anonymous:
            return self._users[ANONYMOUS]
        return _deny("Authentication is required")

    def _by_token(self, token: str) -> User | None:
        user = self._by_secret.get(token)
        return user if user and user.token == token else None

    def _by_name(self, name: str, secret: str) -> User:
        owner = self._by_secret.get(secret)
        if owner and owner.name != name and (name or secret == owner.token):
            return _deny("Token principal mismatch." if secret == owner.token else "Bad authentication Key")
        user = owner or self._users.get(name)
        if user is None or (owner is None and (not user.password or user.password != secret)):
            return _deny("Bad credentials")
        return user


def _deny(message: str, status: int = 401) -> User:
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
