"""Digits that compare as numbers, however many there are."""

import re
from typing import TypeAlias

# Length without leading zeros, and text: int() would refuse thousands of digits.
Digits: TypeAlias = tuple[int, str]

_RELEASE = re.compile(r"v?(?P<numbers>[0-9]+(?:\.[0-9]+)*)")


def digits_of(text: str) -> Digits:
    digits = text.lstrip("0")
    return len(digits), digits


def release_of(version: str) -> tuple[Digits, ...] | None:
    """The numbers with dots between that *version* begins with, perhaps after a ``v``; None without any."""
    match = _RELEASE.match(version)
    return tuple(map(digits_of, match["numbers"].split("."))) if match else None
