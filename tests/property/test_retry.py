from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from aioartifact._retry import RetryPolicy, parse_retry_after, retry_after_from_message

SECONDS = st.floats(min_value=0, max_value=1e6)
DRAWS = st.floats(min_value=0, max_value=1, exclude_max=True)
ATTEMPTS = st.integers(min_value=1, max_value=10_000)
POLICIES = st.builds(
    RetryPolicy, attempts=ATTEMPTS, backoff_initial=SECONDS, backoff_max=SECONDS, retry_after_max=SECONDS
)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DATES = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2068, 12, 31))  # noqa: DTZ001  # hypothesis adds the zone
TIMES = DATES.map(lambda date: date.replace(microsecond=0, tzinfo=UTC))


@given(policy=POLICIES, attempt=ATTEMPTS, draw=DRAWS)
def test_delay_stays_within_the_backoff(policy, attempt, draw):
    """A pause is at least 0 and at most the maximum; there is one exactly while attempts are left."""
    delay = policy.next_delay(attempt, draw=draw)

    assert (delay is None) is (attempt >= policy.attempts)
    assert delay is None or 0 <= delay <= policy.backoff_max


@given(policy=POLICIES, attempt=ATTEMPTS, draw=DRAWS)
def test_delay_never_shrinks_with_attempts(policy, attempt, draw):
    """With the same luck, the next pause is at least as long."""
    delay, later = (policy.next_delay(number, draw=draw) for number in (attempt, attempt + 1))

    assert later is None or (delay is not None and delay <= later)


@given(policy=POLICIES, attempt=ATTEMPTS, draws=st.tuples(DRAWS, DRAWS))
def test_delay_grows_with_the_draw(policy, attempt, draws):
    """The whole interval is used: a larger draw never waits less."""
    delay, longer = (policy.next_delay(attempt, draw=draw) for draw in sorted(draws))

    assert delay is longer is None or delay <= longer


@given(policy=POLICIES, attempt=ATTEMPTS, draw=DRAWS, retry_after=SECONDS)
def test_delay_with_retry_after_waits_as_asked_or_gives_up(policy, attempt, draw, retry_after):
    """No retry is sent before its Retry-After, and no wait is longer than allowed."""
    delay = policy.next_delay(attempt, draw=draw, retry_after=retry_after)

    if attempt >= policy.attempts or retry_after > policy.retry_after_max:
        assert delay is None
    else:
        assert delay == max(retry_after, policy.next_delay(attempt, draw=draw))


@given(st.integers(min_value=0, max_value=10**9))
def test_retry_after_in_seconds_is_read_back(seconds):
    """Any number of seconds is itself."""
    assert parse_retry_after(str(seconds), now=NOW) == seconds


@given(TIMES)
def test_retry_after_as_date_is_the_distance_from_now(date):
    """A date is as far away as the calendar says, and a past one is now."""
    expected = max(timedelta(0), date - NOW).total_seconds()

    assert parse_retry_after(format_datetime(date, usegmt=True), now=NOW) == expected


@given(st.text() | st.text(alphabet="0123456789+-:,. GMTSunNov", max_size=40))
def test_retry_after_of_anything_is_none_or_not_negative(value):
    """No header field of a server can make the retry loop raise or wait backwards."""
    seconds = parse_retry_after(value, now=NOW)

    assert seconds is None or seconds >= 0


@given(status=st.integers(min_value=100, max_value=599), message=st.text())
def test_message_of_anything_is_none_or_not_negative(status, message):
    """No text of a server can make the retry loop raise or wait backwards."""
    seconds = retry_after_from_message(status, f"{message} recurrent login failures {message}")

    assert seconds is None or seconds >= 0
