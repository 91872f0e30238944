"""
Which names are semantic versions, and their order: semver.org's, made total over all strings.

The order is a key, not a comparison: keys are texts that always compare, so no list of names can raise or depend on
the order it came in. audeer, whose predicate the ancestor audfactory uses, sorts a
pre-release after its release and raises TypeError for some lists of valid versions; neither is kept.

Thousands of names are sorted without a regular expression and a key for each: their numbers are separated from the
rest, and get their keys, all in one text, by a few calls that run in C.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from .natural import key_part, natural_key

_OTHER, _IS_VERSION = "0", "1"
_END = "\x00"  # of a pre-release: the shorter of two that begin alike comes first
_RELEASE = "\x03"  # in the place of the pre-release: after every one; and, to have all numbers alike, after the others

_VERSION = re.compile(r"v?(?P<x>[0-9]+)\.(?P<y>[0-9]+)\.(?P<z>[0-9]+)(?P<ending>[-+].*)?", re.DOTALL)
# Lazy where a git-describe tail could also be read as (part of) the pre-release: the tail goes first.
_ENDING = re.compile(
    r"(?:-(?P<prerelease>[^+]*?))?? (?:-(?P<commits>[0-9]+)-g[0-9a-f]+)? (?:\+.*)?", re.VERBOSE | re.DOTALL
)
_PLAIN = r"[0-9]++\.[0-9]++\.[0-9]++"
_PLAIN_LINES = re.compile(rf"{_PLAIN}(?:\n{_PLAIN})*+")
_AROUND_NUMBERS = re.compile(r"^v|[-+].*", re.MULTILINE)
_OTHER_LINE = re.compile(rf"^(?!{_PLAIN}$).*", re.MULTILINE)
_STAND_IN = "0.0.0"


def is_semantic_version(text: str) -> bool:
    """
    Return whether *text* is X.Y.Z, perhaps with one ``v`` before it and with ``-`` or ``+`` and any tail after it.

    This is what audeer's function of the same name means to accept: leading zeros pass, and the tail is free and
    may be empty. What audeer accepts only because Python's ``int()`` does is refused: blanks (``" 1.2.3"``),
    underscores (``"1_0.0.0"``), signs (``"-1.0.0"``) and digits that are not ASCII. Other tools do not read those
    as the same version, if at all, and audeer itself raises TypeError when it sorts some of them.
    """
    return _VERSION.fullmatch(text) is not None


def semver_key(text: str) -> tuple[str, str]:
    """
    Sort key for version names, total over all strings: it never raises, and equal keys mean equal strings.

    From the first to the last::

        any other name          naturally: release-2 before release-10
        1.0.0-1                 a pre-release; numbers as numbers, and before text
        1.0.0-alpha             shorter before longer
        1.0.0-alpha.1
        1.0.0-alpha.1-2-gdeadbee    two commits after it (git describe)
        1.0.0, v1.0.0, 1.0.0+x  the release; "v" and build metadata decide nothing
        1.0.0-3-gabc1234        three commits after it
        1.0.1

    Names of equal precedence follow each other as plain text.

    See: https://semver.org/spec/v2.0.0.html, 9 to 11
    """
    return semver_precedence(text), text


def semver_precedence(text: str) -> str:
    """Sort key without the text: equal for versions that rank the same, such as ``1.0.0``, ``v1.0.0``, ``1.0.0+x``."""
    rank = _semver_rank(text)
    return _IS_VERSION + rank if rank else _OTHER + natural_key(text)


def _semver_rank(text: str) -> str:
    """Sort key among semantic versions alone, without the text; empty for what is none."""
    match = _VERSION.fullmatch(text)
    if not match:
        return ""
    x, y, z, ending = match.groups()
    return _RELEASE.join(map(key_part, (x, y, z))) + _rank_ending(ending or "")


@lru_cache(1024)  # many versions end alike: -SNAPSHOT, -rc.1
def _rank_ending(ending: str) -> str:
    """The end of a rank: of what follows the numbers, from a ``-`` or ``+`` on; :data:`_RELEASE` where nothing does."""
    prerelease, commits = _parts(ending)
    stage = _RELEASE if prerelease is None else "".join(map(key_part, prerelease.split("."))) + _END
    return stage if commits is None else stage + key_part(commits)


def _parts(ending: str) -> tuple[str | None, str | None]:
    match = _ENDING.fullmatch(ending)
    assert match is not None  # the pre-release may be anything
    return match["prerelease"], match["commits"]


def is_semantic_prerelease(text: str) -> bool:
    """Return whether *text* is a semantic version with a pre-release, as ``1.0.0-rc.1`` and commits after that are."""
    match = _VERSION.fullmatch(text)
    return match is not None and _parts(match["ending"] or "")[0] is not None


def sort_semantic_versions(names: Iterable[str]) -> list[str]:
    """Sort those of *names* that are semantic versions, oldest first, equals as text."""
    ordered = sorted(names)
    ranks = _ranks(ordered)
    # Sorting is stable, and what is no version ranks below all others.
    order = sorted(range(len(ordered)), key=ranks.__getitem__)
    return list(map(ordered.__getitem__, order[ranks.count("") :]))


def _ranks(names: list[str]) -> list[str]:
    """The same as :func:`_semver_rank` for each name."""
    text = "\n".join(names)
    if text.count("\n") >= len(names):
        return list(map(_semver_rank, names))  # none at all, or a line end in a name
    if _PLAIN_LINES.fullmatch(text):
        return _plain_ranks(text)
    lines = _OTHER_LINE.sub(_STAND_IN, _AROUND_NUMBERS.sub("", text))
    plain = zip(names, lines.split("\n"), _plain_ranks(lines), strict=True)
    return [rank if name == numbers else _rank(name, numbers, rank) for name, numbers, rank in plain]


def _rank(name: str, numbers: str, rank: str) -> str:
    """The rank of a version, made of that of its numbers alone; empty where they stand in for what is no version."""
    before, _, ending = name.partition(numbers)
    is_version = before in {"", "v"} and ending[:1] in {"-", "+", ""} and numbers in name
    return rank.removesuffix(_RELEASE) + _rank_ending(ending) if is_version else ""


def _plain_ranks(lines: str) -> list[str]:
    """Ranks of plain releases, one in each line."""
    parts = map(_Parts().__getitem__, lines.replace("\n", ".").split("."))
    return list(map("".join, zip(parts, parts, parts, strict=True)))


class _Parts(dict[str, str]):
    """Parts of the ranks of releases by the number they stand for, made on demand."""

    def __missing__(self, number: str) -> str:
        part = self[number] = key_part(number) + _RELEASE
        return part
