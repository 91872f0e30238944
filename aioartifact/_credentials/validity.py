"""
When credentials are renewed, and whether renewed ones belong to the same user.

Expiry and user may be claims of a JSON Web Token, whose signature only the server verifies (RFC 7519).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from .value import Credentials

# Like jfrog-client-go: tokens of the platform are renewed when a tenth of their lifetime is left, but at least half an
# hour and at most a week before they expire; tokens of Artifactory, which live for an hour, when ten minutes are left.
_LEFT = 0.1
_LEAST, _MOST = 1800.0, 7 * 86400.0
# Ten minutes of an hour; the same share keeps shorter tokens in use for most of their lifetime.
_LEFT_OF_SHORT = 1 / 6
# Seconds until the next forced renewal, after one whose credentials the server has refused as well.
_FORCE_SECONDS, _MAX_FORCE_SECONDS = 10.0, 300.0


def claims_of(token: str) -> Mapping[str, Any]:
    """Return the claims of a JSON Web Token; empty for other tokens."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def number_in(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a claim that is a finite number; None for all others."""
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e12:
        return None
    return float(value)


def user_in(claims: Mapping[str, Any]) -> str:
    """Return the user of a token: the last segment of a subject such as ``jfrt@01.../users/ada``, else the subject."""
    subject = claims.get("sub")
    return subject.rpartition("/users/")[2] if isinstance(subject, str) else ""


@dataclass(frozen=True, slots=True)
class Validity:
    """
    How long credentials are used, by the clock of this machine, in epoch seconds.

    Attributes:
        renew_at: When to renew them; they are still used if that fails.
        expires: When to stop sending them.
    """

    renew_at: float = inf
    expires: float = inf


def validity(credentials: Credentials, now: float) -> Validity:
    """
    Decide when to renew credentials that were received at *now* (epoch seconds).

    The expiry is that of the credentials, otherwise that of the JSON Web Token. Without an expiry, they are used until
    the server refuses them. So are credentials that have already expired when they are received: then the clock of this
    machine is wrong, or there are no newer ones.
    """
    expires = _expiry(credentials, now)
    if expires is None or expires <= now:
        return Validity()
    return Validity(expires - renewal_margin(expires - now), expires)


def renewal_margin(lifetime: float) -> float:
    """Return how many seconds before its expiry a token with a lifetime of *lifetime* seconds is renewed."""
    return min(max(lifetime * _LEFT, _LEAST), _MOST, lifetime * _LEFT_OF_SHORT)


def seconds_between_forced(refused: int) -> float:
    """Return the seconds until the next forced renewal, after *refused* renewals in a row with refused credentials."""
    return min(_FORCE_SECONDS * 2.0 ** min(refused - 1, 10), _MAX_FORCE_SECONDS) if refused else 0.0


def are_of_another_user(old: Credentials | None, new: Credentials) -> bool:
    """Return whether both have a user, and the users differ; opaque tokens and API keys have none."""
    names = [user_of(old) if old else "", user_of(new)]
    return all(names) and names[0] != names[1]


def user_of(credentials: Credentials) -> str:
    """Return the user of credentials, normalized as Artifactory compares names; empty without a user."""
    if credentials.kind in ("basic", "anonymous"):
        return credentials.username.casefold()
    return user_in(claims_of(credentials.secret)).casefold()


def _expiry(credentials: Credentials, now: float) -> float | None:
    if credentials.expires_at is not None:
        return credentials.expires_at.timestamp()
    claims = claims_of(credentials.secret)
    expiry, issued = number_in(claims, "exp"), number_in(claims, "iat")
    if expiry is None or issued is None:
        return expiry
    # A token issued in the future shows that the local clock is behind that of the server.
    return min(expiry, now + max(0.0, expiry - issued))
