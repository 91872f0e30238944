"""
Semantic versions by the thousand.

Their numbers are told from what is around them, and given their keys, all in one text: a few calls that run in C,
instead of a regular expression and a key for each.
"""

import re
from collections.abc import Iterable

from .natural import key_part
from .semver import RELEASE, rank_ending, semver_rank

_PLAIN = r"[0-9]++\.[0-9]++\.[0-9]++"
_PLAIN_LINES = re.compile(rf"{_PLAIN}(?:\n{_PLAIN})*+")
_AROUND_NUMBERS = re.compile(r"^v|[-+].*", re.MULTILINE)
_OTHER_LINE = re.compile(rf"^(?!{_PLAIN}$).*", re.MULTILINE)
_STAND_IN = "0.0.0"


def sort_semantic_versions(names: Iterable[str]) -> list[str]:
    """Sort those of *names* that are semantic versions, oldest first, equals as text."""
    ordered = sorted(names)
    ranks = _ranks(ordered)
    # Sorting is stable, and what is no version ranks below all others.
    order = sorted(range(len(ordered)), key=ranks.__getitem__)
    return list(map(ordered.__getitem__, order[ranks.count("") :]))


def _ranks(names: list[str]) -> list[str]:
    """The same as :func:`semver_rank` for each name."""
    text = "\n".join(names)
    if text.count("\n") >= len(names):
        return list(map(semver_rank, names))  # none at all, or a line end in a name
    if _PLAIN_LINES.fullmatch(text):
        return _plain_ranks(text)
    lines = _OTHER_LINE.sub(_STAND_IN, _AROUND_NUMBERS.sub("", text))
    plain = zip(names, lines.split("\n"), _plain_ranks(lines), strict=True)
    return [rank if name == numbers else _rank(name, numbers, rank) for name, numbers, rank in plain]


def _rank(name: str, numbers: str, rank: str) -> str:
    """The rank of a version, made of that of its numbers alone; empty where they stand in for what is no version."""
    before, _, ending = name.partition(numbers)
    is_version = before in {"", "v"} and ending[:1] in {"-", "+", ""} and numbers in name
    return rank.removesuffix(RELEASE) + rank_ending(ending) if is_version else ""


def _plain_ranks(lines: str) -> list[str]:
    """Ranks of plain releases, one in each line."""
    parts = map(_Parts().__getitem__, lines.replace("\n", ".").split("."))
    return list(map("".join, zip(parts, parts, parts, strict=True)))


class _Parts(dict[str, str]):
    """Parts of the ranks of releases by the number they stand for, made on demand."""

    def __missing__(self, number: str) -> str:
        part = self[number] = key_part(number) + RELEASE
        return part
