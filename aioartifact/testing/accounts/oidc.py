"""Which user an identity token of another issuer, such as a CI provider, belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol import ant_patterns
from .tokens import claims_of


@dataclass(frozen=True, slots=True)
class IdentityMapping:
    """
    A rule: tokens of *provider* whose claims fit stand for *username*.

    Attributes:
        name: Name of the rule, by which a request may ask for it.
        claims: Values that claims must have, each a pattern where ``*`` stands for anything but slashes.
        scope: Scope of the access token that is given for such a token.
        lifetime: Seconds until that access token expires.
    """

    provider: str
    name: str
    claims: Mapping[str, str]
    username: str
    scope: str
    lifetime: int = 3600

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Return whether *claims* are those of this rule."""
        return all(ant_patterns.matches(wanted, str(claims.get(key, ""))) for key, wanted in self.claims.items())


def match(
    mappings: Iterable[IdentityMapping], provider: str, name: str, identity_token: str, now: float
) -> IdentityMapping | None:
    """
    Return the first rule for a token, None where there is none, or the token has expired.

    The token's signature is not looked at: its provider is not there to ask.

    Args:
        mappings: The rules, in the order they are tried.
        provider: Name of the provider, as the request says.
        name: Name of the rule; ``""`` for any.
        identity_token: A JWT.
        now: Epoch seconds.
    """
    try:
        claims = claims_of(identity_token)
    except ValueError:
        return None
    if not isinstance(claims.get("exp", now), int | float) or claims.get("exp", now) < now:
        return None
    candidates = (each for each in mappings if each.provider == provider and name in ("", each.name))
    return next((each for each in candidates if each.fits(claims)), None)
