"""Access tokens: signed, short-lived, revocable, and exchanged for new ones."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from ..protocol import jackson
from ..protocol.replies import refuse

SERVICE_ID = "jfrt@01c3gffhg2e8w614903a1pw3az"  # made up, in the shape of a real one

_API_SCOPES = ("api:", "applied-permissions/", "member-of-groups:")


class RejectedTokenError(Exception):
    """A token that is none of ours, or not any more; the text is the reason the server gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    The requested properties of a token.

    Attributes:
        username: Who it stands for.
        scope: What it permits, words between spaces.
        audience: Which services it is for.
        lifetime: Seconds; None for a token that does not expire.
        is_refreshable: Whether it comes with a refresh token.
        has_reference: Whether it comes with a reference token.
    """

    username: str
    scope: str
    audience: str
    lifetime: int | None
    description: str = ""
    is_refreshable: bool = False
    has_reference: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """
    A token that was issued.

    Attributes:
        text: The token itself, a JWT.
        order: What it is.
        issued: Epoch seconds.
        refresh: What a new token is given for; None where it cannot be refreshed.
        reference: A short text that stands for the JWT; None where none was asked for.
    """

    id: str
    text: str
    order: Order
    issued: int
    refresh: str | None
    reference: str | None

    @property
    def subject(self) -> str:
        """Its user, as JWTs name one."""
        return _subject(self.order)

    @property
    def expires(self) -> int | None:
        """Epoch seconds; None for never."""
        return None if self.order.lifetime is None else self.issued + self.order.lifetime


@dataclass(slots=True)
class Tokens:
    """Every token of one server, with the key it signs them with."""

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _live: dict[str, Token] = field(default_factory=dict)  # by id; revoked ones are gone

    def __iter__(self) -> Iterator[Token]:
        return iter(list(self._live.values()))

    def issue(self, order: Order, now: float) -> Token:
        """Make a token at *now* (epoch seconds)."""
        token_id, issued = str(uuid4()), int(now)
        claims = {
            "sub": _subject(order),
            "scp": order.scope,
            "aud": order.audience,
            "iss": SERVICE_ID,
            **({} if order.lifetime is None else {"exp": issued + order.lifetime}),
            "iat": issued,
            "jti": token_id,
        }
        token = self._live[token_id] = Token(
            token_id,
            self._sign(claims),
            order,
            issued,
            str(uuid4()) if order.is_refreshable else None,
            _reference() if order.has_reference else None,
        )
        return token

    def verify(self, text: str, now: float) -> Token | None:
        """
        Find the token that *text* is, a JWT or a reference; None where it has the shape of neither.

        Raises:
            RejectedTokenError: If a JWT that is not ours, has been revoked, or has expired.
        """
        token = self.find(text) if _is_jwt(text) else self.by_reference(text)
        if token and token.expires is not None and token.expires <= now:
            raise RejectedTokenError("expired")
        return token

    def find(self, text: str) -> Token:
        """
        Find the token that a JWT is, expired or not.

        Raises:
            RejectedTokenError: If it is not ours, or has been revoked.
        """
        payload, _, signature = text.rpartition(".")
        if not hmac.compare_digest(_bytes(self._signature(payload)), _bytes(signature)):
            raise RejectedTokenError("signature")
        token = self._live.get(claims_of(text)["jti"])
        if token is None:
            raise RejectedTokenError("revoked")
        return token

    def refreshed_by(self, refresh: str) -> Token | None:
        """Find the token that *refresh* renews."""
        return next((token for token in self if token.refresh == refresh), None)

    def get(self, token_id: str) -> Token | None:
        """Find a token by its id."""
        return self._live.get(token_id)

    def revoke(self, token: Token) -> None:
        """Let a token be worth nothing from now on."""
        self._live.pop(token.id, None)

    def by_reference(self, text: str) -> Token | None:
        """Find the token that a reference token stands for."""
        return next((token for token in self if token.reference == text), None)

    def _sign(self, claims: Mapping[str, object]) -> str:
        header = {"ver": "2", "typ": "JWT", "alg": "HS256", "kid": hashlib.sha256(self._key).hexdigest()[:16]}
        payload = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
        return f"{payload}.{self._signature(payload)}"

    def _signature(self, payload: str) -> str:
        return _encode(hmac.new(self._key, _bytes(payload), hashlib.sha256).digest())


def demand_api_scope(scope: str) -> None:
    """
    Let tokens whose scope is for Artifactory's API through.

    Raises:
        RefusalError: 403, the scope is for something else, such as ``system:metrics:r``.
    """
    if not any(word.startswith(_API_SCOPES) or _is_admin(word) for word in scope.split()):
        refuse(403, "Request path not allowed", servlet=True, challenge=True)


def is_admin_scope(scope: str) -> bool:
    """Return whether a scope makes an administrator of its holder."""
    return any(map(_is_admin, scope.split()))


def groups_of_scope(scope: str) -> frozenset[str] | None:
    """Return the groups a scope limits its holder to; None where it keeps those of the user."""
    named = [word.partition(":")[2] for word in scope.split() if _names_groups(word)]
    names = frozenset(name.strip('"') for text in named for name in text.split(",") if name)
    return names if names and "*" not in names else None


def _subject(order: Order) -> str:
    return f"{SERVICE_ID}/users/{order.username}"


def _names_groups(word: str) -> bool:
    return word.startswith(("member-of-groups:", "applied-permissions/groups:"))


def _is_admin(word: str) -> bool:
    return word == "applied-permissions/admin" or (word.startswith("jfrt@") and word.endswith(":admin"))


def claims_of(jwt: str) -> dict[str, Any]:
    """
    Read the claims of a JWT, without checking its signature.

    Raises:
        ValueError: If it is not one.
    """
    claims = jackson.loads(_decode(jwt.split(".")[1])) if jwt.count(".") == 2 else None
    if not isinstance(claims, dict):
        raise ValueError("not a JWT")  # noqa: TRY004  # about the text, not about a type
    return claims


def _is_jwt(text: str) -> bool:
    return text.count(".") == 2 and text.startswith("ey")


def _reference() -> str:
    """Make a reference token: 64 characters, base64 of ``reftkn:`` and more."""
    return base64.b64encode(f"reftkn:01:{secrets.token_hex(19)}".encode()).decode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # whatever a header holds
