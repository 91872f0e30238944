"""The order people expect of names: digits as numbers, and before text."""

import re
from typing import TypeAlias

from .parts import digits_of

# Kind, length, text. The kind decides between unlike parts; the length makes digits compare as numbers.
Part: TypeAlias = tuple[int, int, str]

_NUMBER, _TEXT = 1, 2
_DIGITS_OR_NOT = re.compile(r"[0-9]+|[^0-9]+")
_DIGIT = re.compile(r"[0-9]")


def natural_parts(text: str) -> tuple[Part, ...]:
    """Sort key for any names, total over all strings: ``release-2`` before ``release-10``."""
    return tuple(part_of(run) for run in _DIGITS_OR_NOT.findall(text))


def part_of(text: str) -> Part:
    return (_NUMBER, *digits_of(text)) if text.isascii() and text.isdigit() else (_TEXT, 0, text)


def has_digit(text: str) -> bool:
    """Tell whether *text* could be a version where anything may be one."""
    return _DIGIT.search(text) is not None
