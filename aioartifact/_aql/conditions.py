"""
Conditions of a field: an operator and a value.

AQL strings know no escape: a value runs to the next double quote, and leading blanks are lost. What AQL cannot
express is refused here, so that no value can turn into another query.
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
        InvalidArgumentError: If it has a double quote or a leading blank, which AQL cannot express, or half of a
            surrogate pair, which UTF-8 cannot; or it is not a str.
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


@dataclass(frozen=True, slots=True)
class Condition:
    """
    An operator and what it compares with; made by :func:`match`, :func:`gt` and their like.

    Attributes:
        operator: As AQL spells it, ``"$gt"``.
        value: Text, whole number, date with time zone, or None.

    Raises:
        InvalidArgumentError: AQL cannot express the value.
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
    Be this value, wildcards taken literally except for properties; a bare value means the same.

    Raises:
        InvalidArgumentError: If AQL cannot express it.
    """
    return Condition("$eq", value)


def ne(value: Value) -> Condition:
    """
    Be another value, or none; ``ne(None)`` asks for any value.

    Raises:
        InvalidArgumentError: If AQL cannot express it.
    """
    return Condition("$ne", value)


def match(pattern: str) -> Condition:
    """
    Fit a pattern: ``*`` is any run of characters, slashes included, ``?`` one character.

    Neither can be escaped.

    Raises:
        InvalidArgumentError: If AQL cannot express it.
    """
    return Condition("$match", pattern)


def not_match(pattern: str) -> Condition:
    """
    Not fit a pattern, or have no value.

    Raises:
        InvalidArgumentError: If AQL cannot express it.
    """
    return Condition("$nmatch", pattern)


def gt(value: str | int | datetime) -> Condition:
    """
    Be more or later than this.

    Raises:
        InvalidArgumentError: If AQL cannot express it.
    """
    return Condition("$gt", value)


def ge(value: str | int | datetime) -> Condition:
    """
    Be this, or more or later.

    Raises:
        InvalidArgumentError: If AQL cannot express it.
    """
    return Condition("$gte", value)


def lt(value: str | int | datetime) -> Condition:
    """
    Be less or earlier than this.

    Raises:
        InvalidArgumentError: If AQL cannot express it.
    """
    return Condition("$lt", value)


def le(value: str | int | datetime) -> Condition:
    """
    Be this, or less or earlier.

    Raises:
        InvalidArgumentError: If AQL cannot express it.
    """
    return Condition("$lte", value)


def last(period: str) -> Condition:
    """
    Be a date within the last *period*: ``"3d"``, ``"2weeks"``, ``"90mi"``.

    Raises:
        InvalidArgumentError: If it is not a number with a unit AQL knows: ms, s, mi, d, w, mo, y. There are no hours.
    """
    return Condition("$last", _period(period))


def before(period: str) -> Condition:
    """
    Be a date longer ago than *period*, see :func:`last`.

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
