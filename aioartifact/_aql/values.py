"""
How values are written.

AQL strings know no escape: a value runs to the next double quote, and leading blanks are lost. What cannot be
said is refused here instead of becoming another query.
"""

from datetime import datetime
from typing import TypeAlias

from .._address import expect_text, has_surrogates
from .._errors import InvalidArgumentError

Value: TypeAlias = str | int | datetime | None


def string(value: str) -> str:
    """
    Write *value* as an AQL string.

    Raises:
        InvalidArgumentError: It has a double quote or a leading blank, which AQL cannot express, or half of a
            surrogate pair, which UTF-8 cannot; or it is no text.
    """
    expect_text("a name or value in AQL", value)
    if '"' in value or value != value.lstrip() or has_surrogates(value):
        raise InvalidArgumentError(f"{value!r}: AQL cannot express a double quote or a leading blank")
    return f'"{value}"'


def literal(value: object) -> str:
    """
    Write any value.

    Raises:
        InvalidArgumentError: See :func:`string`; or a date without time zone, or a value of another type.
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, datetime):
        return string(_date(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidArgumentError(f"{value!r}: AQL compares with text, whole numbers, dates and None")


def _date(value: datetime) -> str:
    if value.utcoffset() is None:
        raise InvalidArgumentError(f"{value!r}: has no time zone; give datetime(..., tzinfo=UTC)")
    return value.isoformat(timespec="milliseconds")
