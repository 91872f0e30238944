"""
The order of Maven: of its versions, and of snapshots under the name of their base version.

See: https://maven.apache.org/pom.html, "Version Order Specification"
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

from .natural import Digits, digits_of

# Rank, number, text. Ranks below that of the end are of pre-releases, those above it come after the release.
_Token: TypeAlias = tuple[int, Digits, str]
MavenKey: TypeAlias = tuple[_Token, ...]

_NOTHING = digits_of("0")
_BEFORE_RELEASE = ("alpha", "beta", "milestone", "rc", "snapshot")
_RELEASE, _SERVICE_PACK, _UNKNOWN, _HYPHENATED, _DOTTED = range(5)
_RANKS = {name: rank - len(_BEFORE_RELEASE) for rank, name in enumerate(_BEFORE_RELEASE)} | {
    "": _RELEASE,
    "sp": _SERVICE_PACK,
}
_ALIASES = {"cr": "rc", "ga": "", "final": "", "release": ""}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}  # only directly in front of a digit
_END: _Token = (_RELEASE, _NOTHING, "")
_NULLS = {_END, (_DOTTED, _NOTHING, ""), (_HYPHENATED, _NOTHING, "")}

_TOKEN = re.compile(
    r"(?P<separator>[.-]|^|(?<=[0-9])(?=[^0-9.-])|(?<=[^0-9.-])(?=[0-9]))"
    r"(?:(?P<number>[0-9]+)|(?P<short>[abm])(?=[0-9])|(?P<text>[^0-9.-]*))"
)
_TIMESTAMP = re.compile(r"(?P<base>.+)-[0-9]{8}\.[0-9]{6}-[0-9]+")


def maven_key(version: str) -> MavenKey:
    """
    Sort key of Maven 3.8 and later, total over all strings; versions that mean the same have the same key.

    From the first to the last::

        1-alpha < 1-beta < 1-milestone < 1-rc < 1-SNAPSHOT < 1 = 1.0 = 1-ga < 1-sp < 1-other < 1-1 < 1.1

    See: https://maven.apache.org/pom.html, "Version Order Specification"
    """
    kept: list[_Token] = []
    for token in _tokens(version.lower()):
        if token[0] < _DOTTED:
            _trim(kept)
        kept.append(token)
    _trim(kept)
    return *kept, _END


def _trim(tokens: list[_Token]) -> None:
    """Drop what means nothing at the end: zeros, ``ga``, ``final``."""
    while tokens and tokens[-1] in _NULLS:
        tokens.pop()


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        if found["number"] or not (found["short"] or found["text"]):
            # A change between letters and digits separates like a hyphen.
            rank = _HYPHENATED if found["separator"] != "." and found.start() > 0 else _DOTTED
            yield rank, digits_of(found["number"] or "0"), ""
        else:
            yield _qualifier(_SHORT[found["short"]] if found["short"] else found["text"])


def _qualifier(text: str) -> _Token:
    name = _ALIASES.get(text, text)
    return (_RANKS[name], _NOTHING, "") if name in _RANKS else (_UNKNOWN, _NOTHING, name)


def is_maven_prerelease(version: str) -> bool:
    """Return whether *version* comes before the release of its number: an alpha, a beta, … or a snapshot."""
    return any(rank < _RELEASE for rank, _, _ in maven_key(version))


def base_version(version: str) -> str:
    """Name of the snapshot that a timestamped one is a build of; any other version as it is."""
    match = _TIMESTAMP.fullmatch(version)
    return f"{match['base']}-SNAPSHOT" if match else version
