"""What the values in a query mean: numbers, dates, item types, and periods before now."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from ..protocol.formats import at, to_ms
from .fields import Kind
from .syntax import AQLError

_ITEM_TYPES = ("file", "folder", "any")
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_ISO_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?"
    r"(?:T(?:(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?)?"
    r"(?:(?P<zulu>Z)|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?)?)?",
    re.ASCII,
)
# Units follow each other in this order only, as the server's formatter has them. There are no hours.
_PERIOD = re.compile(
    r"(?:(?P<millis>\d+)(?:millis|ms))?(?:(?P<minutes>\d+)(?:minutes|mi))?(?:(?P<days>\d+)(?:days|d))?"
    r"(?:(?P<months>\d+)(?:months|mo))?(?:(?P<years>\d+)(?:years|y))?(?:(?P<seconds>\d+)(?:seconds|s))?"
    r"(?:(?P<weeks>\d+)(?:weeks|w))?",
    re.ASCII,
)


def read_value(kind: Kind, text: str, time_zone: tzinfo) -> str | int:
    """
    Read a value as its field wants it; dates become epoch milliseconds.

    Args:
        kind: What the field holds.
        text: Value as written.
        time_zone: Zone of dates that name none.

    Raises:
        AQLError: If the field cannot hold such a value.
    """
    if kind is Kind.LONG:
        return _whole(text, bits=64, noun="long")
    if kind is Kind.INTEGER:
        return _whole(text, bits=32, noun="integer")
    if kind is Kind.DATE:
        return _date(text, time_zone)
    if kind is Kind.ITEM_TYPE and text not in _ITEM_TYPES:
        raise AQLError(f"Invalid file type: {text}, valid types are : {', '.join(_ITEM_TYPES)}")
    return text


def period_start(text: str, now_ms: int, time_zone: tzinfo) -> int:
    """
    Go back from now by a period such as ``3d`` or ``2mo1y``.

    Args:
        text: The period.
        now_ms: Epoch milliseconds.
        time_zone: Zone whose calendar defines the length of days, months and years.

    Returns:
        Epoch milliseconds.

    Raises:
        AQLError: If *text* is not a period, or reaches further back than the calendar.
    """
    found = _PERIOD.fullmatch(text)
    if not text or found is None:
        raise AQLError(f"Invalid relative date format for: {text}")
    try:
        amounts = {unit: int(amount or 0) for unit, amount in found.groupdict().items()}
        day = _months_before(at(now_ms, time_zone), 12 * amounts["years"] + amounts["months"])
        day -= timedelta(weeks=amounts["weeks"], days=amounts["days"])
        exact = timedelta(minutes=amounts["minutes"], seconds=amounts["seconds"], milliseconds=amounts["millis"])
        return to_ms(day.astimezone(UTC) - exact)
    except (ValueError, OverflowError) as error:
        raise AQLError(f"Invalid relative date format for: {text}") from error


def _whole(text: str, *, bits: int, noun: str) -> int:
    bound = 2 ** (bits - 1)
    if not _WHOLE.fullmatch(text) or not -bound <= int(text) < bound:
        raise AQLError(f"AQL Expect {noun} value but found:{text}\n")
    return int(text)


def _date(text: str, time_zone: tzinfo) -> int:
    try:
        if _WHOLE.fullmatch(text):
            return _whole(text, bits=64, noun="long")
        return to_ms(_moment(text, time_zone))
    except (AQLError, ValueError, OverflowError) as error:
        raise AQLError(f"Invalid Date format: {text}, AQL expect ISODateTimeFormat or long number") from error


def _moment(text: str, time_zone: tzinfo) -> datetime:
    found = _ISO_DATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    parts = found.groupdict()
    microseconds = (parts["fraction"] or "").ljust(6, "0")[:6]
    return datetime(
        int(parts["year"] or 1),
        int(parts["month"] or 1),
        int(parts["day"] or 1),
        int(parts["hour"] or 0),
        int(parts["minute"] or 0),
        int(parts["second"] or 0),
        int(microseconds),
        tzinfo=_offset(parts) or time_zone,
    )


def _offset(parts: dict[str, str | None]) -> tzinfo | None:
    if parts["zulu"]:
        return UTC
    if not parts["sign"]:
        return None
    offset = timedelta(hours=int(parts["hours"] or 0), minutes=int(parts["minutes"] or 0))
    return timezone(-offset if parts["sign"] == "-" else offset)


def _months_before(moment: datetime, months: int) -> datetime:
    year, month = divmod(12 * moment.year + moment.month - 1 - months, 12)
    if not months:
        return moment
    if year < 1:
        raise OverflowError(months)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
