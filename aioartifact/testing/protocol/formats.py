"""Dates and sizes as Artifactory prints and reads them; inside the server a time is epoch milliseconds (int)."""

from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(time_ms: int, zone: tzinfo = UTC) -> datetime:
    """Convert epoch milliseconds to a date in *zone*, exactly (no float in between)."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone)


def to_ms(date: datetime) -> int:
    """Convert a date with a zone to epoch milliseconds."""
    return (date - _EPOCH) // timedelta(milliseconds=1)


def iso(time_ms: int, zone: tzinfo = UTC) -> str:
    """Print ISO-8601 with milliseconds and offset, ``Z`` for a zero offset (Joda's format)."""
    text = at(time_ms, zone).isoformat(timespec="milliseconds")
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def iso_without_colon(time_ms: int, zone: tzinfo = UTC) -> str:
    """Print the same with the offset as ``+0200``, also where it is zero."""
    date = at(time_ms, zone)
    return f"{date:%Y-%m-%dT%H:%M:%S}.{date.microsecond // 1000:03}{date:%z}"


def http(time_ms: int) -> str:
    """Print the RFC 9110 date of a header; milliseconds are dropped."""
    return _http(time_ms // 1000)


@lru_cache(maxsize=4096)  # every head carries the present second, and files of one deploy share theirs
def _http(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def parse_http(text: str | None) -> int | None:
    """Read the date of a header as epoch milliseconds; None where there is none or it is not a date."""
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return to_ms(date if date.tzinfo else date.replace(tzinfo=UTC))


_UNITS = ("KB", "MB", "GB", "TB")


def human(size: int) -> str:
    """Print a number of bytes with the largest unit that leaves at least one."""
    if size < 1024:
        return f"{size} bytes"
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    return f"{size / 1024**power:.2f} {_UNITS[power - 1]}"


def percentage(part: int, whole: int) -> str:
    """Print what share of *whole* a *part* is; of nothing it is all."""
    return f"{100 * part / whole:.2f}%" if whole else "100%"
