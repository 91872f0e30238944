"""When credentials are renewed: pure decisions, tested with literals."""

import base64
import json
from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact import Credentials
from aioartifact._credentials import Validity, are_of_another_user, seconds_between_forced, user_of, validity
from aioartifact._credentials.validity import renewal_margin

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NOW = 1_700_000_000.0


def jwt(**claims: object) -> Credentials:
    """A token with an invalid signature."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Credentials.bearer(f"eyJ9.{payload}.c2ln")


@pytest.mark.parametrize(
    ("lifetime", "margin"),
    [
        pytest.param(HOUR, 10 * MINUTE, id="artifactory"),
        pytest.param(MINUTE, 10.0, id="minute"),
        pytest.param(3 * HOUR, 30 * MINUTE, id="half-an-hour-at-least"),
        pytest.param(5 * HOUR, 30 * MINUTE, id="tenth-is-half-an-hour"),
        pytest.param(DAY, 2.4 * HOUR, id="tenth"),
        pytest.param(365 * DAY, 7 * DAY, id="week-at-most"),
    ],
)
def test_thresholds(lifetime, margin):
    """Those of jfrog-client-go, and less for tokens that live for less than three hours."""
    assert renewal_margin(lifetime) == pytest.approx(margin)


@given(st.floats(0.001, 1e9), st.floats(0.001, 1e9))
def test_longer_lifetime_is_used_longer(first, second):
    """Whatever the lifetime, most of it is used, and more of a longer one."""
    shorter, longer = sorted((first, second))
    assert shorter - renewal_margin(shorter) <= longer - renewal_margin(longer) + 1e-6
    assert 0 < renewal_margin(longer) <= longer / 6


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        pytest.param(Credentials.bearer("opaque"), Validity(), id="no-expiry"),
        pytest.param(Credentials.basic("u", "p"), Validity(), id="password"),
        pytest.param(jwt(sub="x"), Validity(), id="jwt-without-expiry"),
        pytest.param(jwt(exp=NOW + HOUR), Validity(NOW + 3000, NOW + HOUR), id="jwt"),
        pytest.param(jwt(exp=NOW + HOUR, iat=NOW), Validity(NOW + 3000, NOW + HOUR), id="jwt-just-issued"),
        pytest.param(
            jwt(exp=NOW + 2 * HOUR, iat=NOW + HOUR), Validity(NOW + 3000, NOW + HOUR), id="jwt-of-a-clock-ahead"
        ),
        pytest.param(jwt(exp=NOW - 1), Validity(), id="expired-at-arrival"),
        pytest.param(jwt(exp="soon"), Validity(), id="odd-expiry"),
        pytest.param(jwt(exp=True), Validity(), id="boolean"),
        pytest.param(jwt(exp=1e300), Validity(), id="absurd"),
        pytest.param(jwt(exp=float("nan")), Validity(), id="not-a-number"),
        pytest.param(
            Credentials.bearer("x", expires_at=datetime.fromtimestamp(NOW + HOUR, UTC)),
            Validity(NOW + 3000, NOW + HOUR),
            id="stated",
        ),
    ],
)
def test_validity(credentials, expected):
    assert validity(credentials, NOW) == expected


def test_stated_expiry_counts_before_that_of_the_token():
    token = jwt(exp=NOW + DAY).secret
    found = validity(Credentials.bearer(token, expires_at=datetime.fromtimestamp(NOW + MINUTE, UTC)), NOW)
    assert found.expires == NOW + MINUTE


def test_pause_between_forced_renewals_grows_up_to_a_limit():
    assert [seconds_between_forced(number) for number in (0, 1, 2, 3, 4, 5, 6, 1000)] == [
        0.0,
        10.0,
        20.0,
        40.0,
        80.0,
        160.0,
        300.0,
        300.0,
    ]


@pytest.mark.parametrize(
    ("credentials", "user"),
    [
        (Credentials.basic("Ada", "p"), "ada"),
        (jwt(sub="jfac@01c3/users/ada"), "ada"),
        (jwt(sub="ada"), "ada"),
        (jwt(sub=5), ""),
        (Credentials.bearer("opaque"), ""),
        (Credentials.api_key("AKCp8" + "x" * 70), ""),
        (Credentials.anonymous(), "anonymous"),
    ],
)
def test_user_of_credentials(credentials, user):
    assert user_of(credentials) == user


@pytest.mark.parametrize(
    ("old", "new", "is_another"),
    [
        (None, jwt(sub="a"), False),
        (jwt(sub="a"), jwt(sub="b"), True),
        (jwt(sub="jfrt@1/users/a"), Credentials.basic("A", "p"), False),
        (Credentials.basic("a", "p"), Credentials.basic("b", "p"), True),
        (Credentials.basic("a", "p"), Credentials.bearer("opaque"), False),
        (Credentials.bearer("opaque"), jwt(sub="b"), False),
        (Credentials.basic("a", "p"), Credentials.anonymous(), True),
    ],
)
def test_another_user(old, new, is_another):
    assert are_of_another_user(old, new) is is_another


def test_infinite_validity_is_the_default():
    assert (Validity().renew_at, Validity().expires) == (inf, inf)
