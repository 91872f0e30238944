"""Ant-style path patterns, as Artifactory's permission targets and our faults and counters use them."""

import re
from functools import lru_cache

_TOKENS = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|[^*?/]+|/")
_REGEX_OF = {"**/": "(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(map(_regex_of, _TOKENS.findall(pattern))), re.DOTALL)


def _regex_of(token: str) -> str:
    return _REGEX_OF[token] if token in _REGEX_OF else re.escape(token)


def matches(pattern: str, path: str) -> bool:
    """Return whether *path* matches: ``*`` and ``?`` stay inside a segment, ``**`` crosses any number of them."""
    return pattern == "**" or _compiled(pattern).fullmatch(path) is not None


def may_hold_matches(pattern: str, folder: str) -> bool:
    """Return whether something below *folder* could match *pattern*: such folders are shown on the way down."""
    if matches(pattern, folder):
        return True
    return _starts(pattern.split("/"), folder.split("/") if folder else [])


def _starts(pattern: list[str], folder: list[str]) -> bool:
    for wanted, found in zip(pattern, folder, strict=False):
        if wanted == "**":
            return True
        if not matches(wanted, found):
            return False
    return len(pattern) > len(folder)
