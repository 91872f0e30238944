from datetime import UTC, timedelta, tzinfo

import pytest

from aioartifact.testing.aql import AQLError
from aioartifact.testing.aql.fields import Kind
from aioartifact.testing.aql.values import period_start, read_value
from aioartifact.testing.protocol import formats


class MiddleEurope(tzinfo):
    """An hour ahead of UTC, two from April to 26 October: as good as the real one, without files of zones."""

    def dst(self, dt):
        return timedelta(hours=(4, 1) <= (dt.month, dt.day) < (10, 27))

    def utcoffset(self, dt):
        return timedelta(hours=1) + self.dst(dt)

    def tzname(self, dt):
        return "CEST" if self.dst(dt) else "CET"


BERLIN = MiddleEurope()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1709633551219", "2024-03-05T10:12:31.219Z", id="epoch-ms"),
        pytest.param("-1", "1969-12-31T23:59:59.999Z", id="before-the-epoch"),
        pytest.param("2024-03", "2024-03-01T00:00:00.000Z", id="month"),
        pytest.param("2024-03-05", "2024-03-05T00:00:00.000Z", id="day"),
        pytest.param("2024-03-05T10:12", "2024-03-05T10:12:00.000Z", id="minute"),
        pytest.param("2024-03-05T10:12:31.2", "2024-03-05T10:12:31.200Z", id="tenth"),
        pytest.param("2024-03-05T10:12:31.219456789", "2024-03-05T10:12:31.219Z", id="nanoseconds"),
        pytest.param("2024-03-05T10:12:31.219+02:00", "2024-03-05T08:12:31.219Z", id="offset"),
        pytest.param("2024-03-05T10:12:31.219-0930", "2024-03-05T19:42:31.219Z", id="offset-without-colon"),
        pytest.param("2024-03-05T10:12:31Z", "2024-03-05T10:12:31.000Z", id="zulu"),
    ],
)
def test_date_is_read(text, expected):
    """Dates are milliseconds or ISO-8601, as exact as they are given."""
    assert formats.iso(int(read_value(Kind.DATE, text, UTC))) == expected


def test_date_without_offset_is_in_the_servers_zone():
    """A date that names no zone means the server's, summer time included."""
    assert read_value(Kind.DATE, "2024-07-01", BERLIN) == read_value(Kind.DATE, "2024-07-01T00:00+02:00", UTC)
    assert read_value(Kind.DATE, "2024-01-01", BERLIN) == read_value(Kind.DATE, "2024-01-01T00:00+01:00", UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2024-13-01",
        "2024-02-30",
        "24-01-01",
        "2024-01-01 10:00",
        "2024-01-01T25",
        "9" * 30,
        "\u0662\u0660\u0662\u0664",
    ],
)
def test_date_that_is_none_is_refused(text):
    """Anything else is refused in the server's words."""
    with pytest.raises(AQLError) as caught:
        read_value(Kind.DATE, text, UTC)
    assert caught.value.message == f"Invalid Date format: {text}, AQL expect ISODateTimeFormat or long number"


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        pytest.param("5millis", "2024-03-31T09:59:59.995Z", id="millis"),
        pytest.param("5ms", "2024-03-31T09:59:59.995Z", id="ms"),
        pytest.param("60minutes", "2024-03-31T09:00:00.000Z", id="minutes"),
        pytest.param("60mi", "2024-03-31T09:00:00.000Z", id="mi"),
        pytest.param("30seconds", "2024-03-31T09:59:30.000Z", id="seconds"),
        pytest.param("30s", "2024-03-31T09:59:30.000Z", id="s"),
        pytest.param("3days", "2024-03-28T10:00:00.000Z", id="days"),
        pytest.param("3d", "2024-03-28T10:00:00.000Z", id="d"),
        pytest.param("2weeks", "2024-03-17T10:00:00.000Z", id="weeks"),
        pytest.param("2w", "2024-03-17T10:00:00.000Z", id="w"),
        pytest.param("1months", "2024-02-29T10:00:00.000Z", id="months-end"),
        pytest.param("3mo", "2023-12-31T10:00:00.000Z", id="mo-over-the-year"),
        pytest.param("1years", "2023-03-31T10:00:00.000Z", id="years"),
        pytest.param("1y", "2023-03-31T10:00:00.000Z", id="y"),
        pytest.param("1d2mo1y3s", "2023-01-30T09:59:57.000Z", id="several-in-order"),
    ],
)
def test_period_counts_back(period, expected):
    """Units count back by the calendar, the last day of a month standing in for days it has not."""
    now_ms = int(read_value(Kind.DATE, "2024-03-31T10:00:00Z", UTC))
    assert formats.iso(period_start(period, now_ms, UTC)) == expected


def test_period_of_days_keeps_the_time_of_day():
    """A day is a day of the server's calendar, an hour longer when summer time ends."""
    now_ms = int(read_value(Kind.DATE, "2024-10-27T12:00:00", BERLIN))
    assert period_start("1d", now_ms, BERLIN) == read_value(Kind.DATE, "2024-10-26T12:00:00", BERLIN)


@pytest.mark.parametrize(
    "period", ["", "1", "d", "1m", "1h", "1 d", "1d1d", "1y1d", "9999y", "9" * 5000 + "d", "-1d", "1.5d", "1D"]
)
def test_period_that_is_none_is_refused(period):
    """Unknown units, other orders and periods beyond the calendar are refused."""
    with pytest.raises(AQLError) as caught:
        period_start(period, 0, UTC)
    assert caught.value.message == f"Invalid relative date format for: {period}"
