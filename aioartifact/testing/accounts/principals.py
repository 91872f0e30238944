"""Users and groups: who can log in, and what they belong to."""

import secrets
from dataclasses import dataclass, replace

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class User:
    """
    An account; *anonymous* is one too, without credentials.

    Attributes:
        email: Address, ``""`` for none.
        profile_updatable: Whether the user may change its own profile; kept for clients, without effect.
        ui_disabled: Whether the user is kept from the web interface; kept for clients, without effect.
        password_disabled: Whether the user cannot log in with a password of this server.
        realm: Which kind of directory knows the user.
    """

    name: str
    password: str | None = None
    api_key: str | None = None
    token: str | None = None
    admin: bool = False
    groups: frozenset[str] = frozenset()
    password_expired: bool = False
    email: str = ""
    profile_updatable: bool = True
    ui_disabled: bool = False
    password_disabled: bool = False
    realm: str = "internal"

    @property
    def is_anonymous(self) -> bool:
        """Whether this stands for requests without credentials."""
        return self.name == ANONYMOUS


@dataclass(frozen=True, slots=True)
class Group:
    """
    A group of users.

    Attributes:
        auto_join: Whether a new user belongs to it unless its groups are given.
        admin: Whether its members are administrators.
        realm: Which kind of directory knows the group.
    """

    name: str
    description: str = ""
    auto_join: bool = False
    admin: bool = False
    realm: str = "internal"
    realm_attributes: str = ""


ANONYMOUS_USER = User(ANONYMOUS)
# Invented secrets in the format of real ones, by which clients distinguish an API key from a reference token.
ADMIN = User("admin", "password", api_key="AKCp8" + "k" * 68, token="cmVmdGtuOj" + "t" * 54, admin=True)


def administrator(password: str | None) -> User:
    """Return the first user: the well-known one, or one whose password was given and whose other secrets are new."""
    if password is None:
        return ADMIN
    key, token = ("AKCp8" + secrets.token_hex(34), "cmVmdGtuOj" + secrets.token_hex(27))
    return replace(ADMIN, password=password, api_key=key, token=token)
