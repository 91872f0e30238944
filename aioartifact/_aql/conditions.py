"""What a field may be asked to be: an operator and a value."""

import re
from dataclasses import dataclass
from datetime import datetime

from .._address import expect_text
from .._errors import InvalidArgumentError
from .values import Value, literal

_PERIOD = re.compile(r"[0-9]+(millis|ms|minutes|mi|days|d|months|mo|years|y|seconds|s|weeks|w)")


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
        InvalidArgumentError: AQL cannot express it.
    """
    return Condition("$eq", value)


def ne(value: Value) -> Condition:
    """
    Be another value, or none; ``ne(None)`` asks for any value.

    Raises:
        InvalidArgumentError: AQL cannot express it.
    """
    return Condition("$ne", value)


def match(pattern: str) -> Condition:
    """
    Fit a pattern: ``*`` is any run of characters, slashes included, ``?`` one character.

    Neither can be escaped.

    Raises:
        InvalidArgumentError: AQL cannot express it.
    """
    return Condition("$match", pattern)


def not_match(pattern: str) -> Condition:
    """
    Not fit a pattern, or have no value.

    Raises:
        InvalidArgumentError: AQL cannot express it.
    """
    return Condition("$nmatch", pattern)


def gt(value: str | int | datetime) -> Condition:
    """
    Be more or later than this.

    Raises:
        InvalidArgumentError: AQL cannot express it.
    """
    return Condition("$gt", value)


def ge(value: str | int | datetime) -> Condition:
    """
    Be this, or more or later.

    Raises:
        InvalidArgumentError: AQL cannot express it.
    """
    return Condition("$gte", value)


def lt(value: str | int | datetime) -> Condition:
    """
    Be less or earlier than this.

    Raises:
        InvalidArgumentError: AQL cannot express it.
    """
    return Condition("$lt", value)


def le(value: str | int | datetime) -> Condition:
    """
    Be this, or less or earlier.

    Raises:
        InvalidArgumentError: AQL cannot express it.
    """
    return Condition("$lte", value)


def last(period: str) -> Condition:
    """
    Be a date within the last *period*: ``"3d"``, ``"2weeks"``, ``"90mi"``.

    Raises:
        InvalidArgumentError: It is no number with a unit AQL knows: ms, s, mi, d, w, mo, y. There are no hours.
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
