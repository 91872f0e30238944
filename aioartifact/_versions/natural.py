"""
The order people expect of names: digits as numbers, and before text.

A key is one text, made of parts whose texts compare as the parts do: sorting thousands of names compares texts,
which costs a fraction of comparing tuples. The other schemes compare their numbers with the functions of this module.
"""

import re
from functools import lru_cache
from typing import TypeAlias

# Digits that compare as numbers. Length without leading zeros, and text: int() would refuse thousands of digits.
Digits: TypeAlias = tuple[int, str]

_RELEASE = re.compile(r"v?(?P<numbers>[0-9]+(?:\.[0-9]+)*)")
# The kind of a part comes first and decides between unlike parts; the end of a text is before any other character.
_NUMBER, _TEXT, _END_OF_TEXT = "\x01", "\x02", "\x00"
_HIGHEST = 0x10FFFF  # code point
_DIGITS_OR_NOT = re.compile(r"[0-9]+|[^0-9]+")
_DIGIT = re.compile(r"[0-9]")


def digits_of(text: str) -> Digits:
    digits = text.lstrip("0")
    return len(digits), digits


def release_of(version: str) -> tuple[Digits, ...] | None:
    """The numbers with dots between that *version* begins with, perhaps after a ``v``; None without any."""
    match = _RELEASE.match(version)
    return tuple(map(digits_of, match["numbers"].split("."))) if match else None


def natural_key(text: str) -> str:
    """Sort key for any names, total over all strings: ``release-2`` before ``release-10``."""
    return "".join(map(key_part, _DIGITS_OR_NOT.findall(text)))


@lru_cache(1024)  # versions are made of few numbers
def key_part(text: str) -> str:
    """The part of a key that stands for a number or a text; longer numbers are greater, however many digits."""
    if not (text.isascii() and text.isdigit()):
        return f"{_TEXT}{text}{_END_OF_TEXT}"
    digits = text.lstrip("0")
    return f"{_NUMBER}{chr(min(len(digits), _HIGHEST))}{digits}"


def has_digit(text: str) -> bool:
    """Return whether *text* could be a version where anything may be one."""
    return _DIGIT.search(text) is not None
