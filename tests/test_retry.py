import dataclasses
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from aioartifact._errors import InvalidArgumentError
from aioartifact._retry import (
    RetryPolicy,
    is_idempotent,
    is_retryable_status,
    parse_retry_after,
    read_retry_after,
    retry_after_from_message,
)

RETRYABLE = [408, 425, 429, 500, 502, 503, 504]
NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
SUSPENDED = "This request is blocked due to recurrent login failures, please try again in 3 seconds"
BUSY = "There are too many folder download requests currently running. Try again later."


def test_policy_without_arguments_tries_five_times_within_seconds():
    """The defaults are the documented ones."""
    expected = {"attempts": 5, "backoff_initial": 0.5, "backoff_max": 30.0, "retry_after_max": 120.0}

    assert dataclasses.asdict(RetryPolicy()) == expected


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"attempts": 0}, id="no-attempt"),
        pytest.param({"attempts": -1}, id="negative-attempts"),
        pytest.param({"attempts": 2.0}, id="fraction-of-attempts"),
        pytest.param({"attempts": True}, id="flag-for-attempts"),
        pytest.param({"attempts": "5"}, id="text-for-attempts"),
        pytest.param({"backoff_initial": -0.1}, id="negative-initial"),
        pytest.param({"backoff_initial": math.nan}, id="initial-not-a-number"),
        pytest.param({"backoff_max": math.inf}, id="endless-maximum"),
        pytest.param({"backoff_max": "30"}, id="text-for-maximum"),
        pytest.param({"retry_after_max": None}, id="none-for-retry-after"),
        pytest.param({"retry_after_max": False}, id="flag-for-retry-after"),
    ],
)
def test_policy_with_senseless_value_names_it(settings):
    """The error says which setting is wrong and what it was."""
    ((name, value),) = settings.items()

    with pytest.raises(InvalidArgumentError) as caught:
        RetryPolicy(**settings)

    assert str(caught.value).startswith(f"{name}={value!r}: expected ")


def test_policy_none_gives_up_after_the_first_attempt():
    """There is no second try, whatever the server asks."""
    assert RetryPolicy.none().next_delay(1, draw=0.5) is None
    assert RetryPolicy.none().next_delay(1, draw=0.5, retry_after=0.0) is None


@pytest.mark.parametrize(("attempt", "bound"), [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (5000, 30.0)])
def test_delay_doubles_up_to_its_maximum(attempt, bound):
    """Half of the interval is drawn by 0.5, and no number of attempts overflows."""
    policy = RetryPolicy(attempts=10_000)

    assert policy.next_delay(attempt, draw=0.5) == bound / 2
    assert policy.next_delay(attempt, draw=0.0) == 0.0


def test_delay_after_last_attempt_gives_up():
    """Five attempts have four pauses."""
    delays = [RetryPolicy().next_delay(attempt, draw=0.5) for attempt in range(1, 7)]

    assert delays == [0.25, 0.5, 1.0, 2.0, None, None]


def test_delay_without_backoff_is_zero():
    """A policy for tests repeats at once."""
    assert RetryPolicy(backoff_initial=0).next_delay(3, draw=0.9) == 0.0


@pytest.mark.parametrize(
    ("retry_after", "delay"),
    [
        pytest.param(None, 0.25, id="not-asked"),
        pytest.param(0.0, 0.25, id="asked-for-nothing"),
        pytest.param(0.1, 0.25, id="shorter-than-backoff"),
        pytest.param(7.0, 7.0, id="longer-than-backoff"),
        pytest.param(45.0, 45.0, id="longer-than-backoff-max"),
        pytest.param(120.0, 120.0, id="as-long-as-allowed"),
        pytest.param(120.1, None, id="too-long"),
        pytest.param(math.inf, None, id="endless"),
    ],
)
def test_delay_with_retry_after_is_never_shorter(retry_after, delay):
    """The server's wish is a lower bound; a wish beyond the maximum gives up."""
    assert RetryPolicy().next_delay(1, draw=0.5, retry_after=retry_after) == delay


def test_retryable_statuses_among_all():
    """Exactly the statuses that time may cure are tried again: of 100 to 599, these seven."""
    assert [status for status in range(100, 600) if is_retryable_status(status)] == RETRYABLE


@pytest.mark.parametrize(
    ("method", "idempotent"),
    [
        *((method, True) for method in ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")),
        *((method, False) for method in ("POST", "PATCH", "CONNECT", "get", "")),
    ],
)
def test_idempotent_methods_are_those_of_the_rfc(method, idempotent):
    """Methods are case-sensitive (RFC 9110 9.1); unknown ones are taken for not repeatable."""
    assert is_idempotent(method) is idempotent


@pytest.mark.parametrize(
    ("status", "message", "seconds"),
    [
        pytest.param(403, SUSPENDED, 3.0, id="logins-suspended"),
        pytest.param(403, '{"errors":[{"status":403,"message":"' + SUSPENDED + '"}]}', 3.0, id="within-json"),
        pytest.param(403, SUSPENDED.replace("3 seconds", "1 second"), 1.0, id="one-second"),
        pytest.param(403, SUSPENDED.replace("3 seconds", "N seconds"), None, id="no-number"),
        pytest.param(403, "This request is locked due to recurrent log on errors", None, id="session-locked"),
        pytest.param(403, BUSY, None, id="folders-busy-as-403"),
        pytest.param(403, "", None, id="forbidden"),
        pytest.param(400, BUSY, 1.0, id="folders-busy"),
        pytest.param(400, SUSPENDED, None, id="logins-suspended-as-400"),
        pytest.param(400, "Bad Request", None, id="bad-request"),
        pytest.param(401, SUSPENDED, None, id="unauthorized"),
        pytest.param(404, BUSY, None, id="not-found"),
    ],
)
def test_message_that_asks_to_wait_is_recognised_with_its_status(status, message, seconds):
    """Only the two known pairs of status and text turn a final refusal into a pause."""
    assert retry_after_from_message(status, message) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("0", 0.0, id="at-once"),
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 7\t", 7.0, id="blanks-around"),
        pytest.param("9" * 5000, math.inf, id="absurdly-many-seconds"),
        pytest.param("Sun, 06 Nov 1994 08:50:37 GMT", 60.0, id="imf-fixdate"),
        pytest.param("Sunday, 06-Nov-94 08:50:37 GMT", 60.0, id="rfc850-date"),
        pytest.param("Sun Nov  6 08:50:37 1994", 60.0, id="asctime-date"),
        pytest.param("Sun, 06 Nov 1994 09:50:37 +0100", 60.0, id="other-zone"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", 0.0, id="now"),
        pytest.param("Sat, 05 Nov 1994 08:49:37 GMT", 0.0, id="past"),
    ],
)
def test_retry_after_in_both_forms_is_seconds(value, seconds):
    """Seconds and all three forms of dates count from now, and never backwards."""
    assert parse_retry_after(value, now=NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="no-field"),
        pytest.param("", id="empty"),
        pytest.param("soon", id="word"),
        pytest.param("-1", id="negative"),
        pytest.param("1.5", id="fraction"),
        pytest.param("1e3", id="exponent"),
        pytest.param("\uff11\uff12", id="full-width-digits"),
        pytest.param("7, 8", id="two-values"),
        pytest.param("Sun, 32 Nov 1994 08:49:37 GMT", id="no-such-day"),
        pytest.param("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", id="year-beyond-machine-words"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 +99999999999999999", id="zone-beyond-calendar"),
    ],
)
def test_retry_after_that_makes_no_sense_is_none(value):
    """Nonsense neither raises nor asks for anything."""
    assert parse_retry_after(value, now=NOW) is None


@pytest.mark.parametrize("offset", [-3600, 0, 3600])
def test_date_counts_from_that_of_the_response(offset):
    """The clock of a server may be wrong; what it asks for is the time between its own two dates."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    sent = now + timedelta(seconds=offset)
    headers = {"Date": format_datetime(sent, usegmt=True)}
    headers["Retry-After"] = format_datetime(sent + timedelta(seconds=3), usegmt=True)
    assert read_retry_after(headers, now=now) == 3
    assert read_retry_after({"Retry-After": headers["Retry-After"]}, now=now) == max(0, offset + 3)
