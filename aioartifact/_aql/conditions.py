"""
Conditions of a field: an operator and a value.

AQL strings have no escapes: a value ends at the next double quote, and leading blanks are lost. Values that AQL cannot
express are rejected, so that no value can change the query.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from .._address import expect_text, has_surrogates
from .._errors import InvalidArgumentError

Value: TypeAlias = str | int | datetime | None
_PERIOD = re.compile(r"[0-9]+(millis|ms|minutes|mi|days|d|months|mo|years|y|seconds|s|weeks|w)")


def string(value: str) -> str:
    """
    Write *value* as an AQL string.

    Raises:
        InvalidArgumentError: If *value* is not a str, or contains a double quote or a leading blank, which AQL cannot
            express, or half of a surrogate pair, which UTF-8 cannot.
    """
    expect_text("a name or value in AQL", value)
    if '"' in value or value != value.lstrip() or has_surrogates(value):
        raise InvalidArgumentError(f"{value!r}: AQL cannot express a double quote or a leading blank")
    return f'"{value}"'


def literal(value: object) -> str:
    """
    Write a value of any supported type.

    Raises:
        InvalidArgumentError: See :func:`string`; or if a date has no time zone, or the type is not supported.
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


@dataclass(frozen=True, slots=True)
class Condition:
    """
    A comparison with a value; returned by :func:`match`, :func:`gt` and similar functions.

    Attributes:
        operator: Operator of AQL, such as ``"$gt"``.
        value: str, int, datetime with time zone, or None.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """

    operator: str
    value: Value

    def __post_init__(self) -> None:
        literal(self.value)

    def __str__(self) -> str:
        written = literal(self.value)
        return written if self.operator == "$eq" else f'{{"{self.operator}":{written}}}'


def eq(value: Value) -> Condition:
    """
    Equal to *value*; a value without a condition means the same. Wildcards are literal, except for properties.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """
    return Condition("$eq", value)


def ne(value: Value) -> Condition:
    """
    Not equal to *value*, or without a value; ``ne(None)`` matches any value.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """
    return Condition("$ne", value)


def match(pattern: str) -> Condition:
    """
    Matches a pattern: ``*`` is any number of characters, including slashes, ``?`` one character.

    Wildcards cannot be escaped.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """
    return Condition("$match", pattern)


def not_match(pattern: str) -> Condition:
    """
    Does not match a pattern, or has no value.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """
    return Condition("$nmatch", pattern)


def gt(value: str | int | datetime) -> Condition:
    """
    Greater or later than *value*.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """
    return Condition("$gt", value)


def ge(value: str | int | datetime) -> Condition:
    """
    Greater or later than *value*, or equal.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """
    return Condition("$gte", value)


def lt(value: str | int | datetime) -> Condition:
    """
    Less or earlier than *value*.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """
    return Condition("$lt", value)


def le(value: str | int | datetime) -> Condition:
    """
    Less or earlier than *value*, or equal.

    Raises:
        InvalidArgumentError: If AQL cannot express the value.
    """
    return Condition("$lte", value)


def last(period: str) -> Condition:
    """
    A date within the last *period*, such as ``"3d"``, ``"2weeks"`` or ``"90mi"``.

    Raises:
        InvalidArgumentError: If *period* is not a number with a unit of AQL: ms, s, mi, d, w, mo or y; there are no
            hours.
    """
    return Condition("$last", _period(period))


def before(period: str) -> Condition:
    """
    A date before the last *period*, see :func:`last`.

    Raises:
        InvalidArgumentError: See :func:`last`.
    """
    return Condition("$before", _period(period))


def _period(text: str) -> str:
    if not _PERIOD.fullmatch(expect_text("period", text)):
        raise InvalidArgumentError(
            f"period {text!r}: expected a number and one of ms, s, mi, d, w, mo, y", hint="AQL has no hours: say 60mi"
        )
    return text
