"""
The order in which Artifactory puts versions, for every layout: that of an early Maven 3.

The order is a key, not a comparison. Compared pair by pair, as the original does, a few odd versions go round in
circles (``1 < 1-x < 1.0alpha < 1``); here zeros in front of a qualifier count no more than zeros at the end.

See: artifactory-http.md, 14.1, after Artifactory's ``MavenVersionComparator``
"""

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

# Side of the release, releases passed on the way, rank, length, text: what is compared, in this order. The side is
# -1 before the release and 1 after it; the length makes digits compare as numbers.
_Part: TypeAlias = tuple[int, int, int, int, str]
MavenKey: TypeAlias = tuple[_Part, ...]

_END: _Part = (0, 0, 0, 0, "")  # stands for ever more releases, so it lies between both sides
_QUALIFIERS = ("snapshot", "alpha", "beta", "milestone", "preview", "rc", "", "sp")
_ALIASES = {"cr": "rc", "mr": "milestone", "ga": "", "final": ""}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}  # only directly in front of a digit
_UNKNOWN, _LIST, _NUMBER = len(_QUALIFIERS), len(_QUALIFIERS) + 1, len(_QUALIFIERS) + 2
_RELEASE = _QUALIFIERS.index("")

_SUBLIST = re.compile(r"(?<=[0-9])[.-]*-(?=[0-9])")
_ITEM = re.compile(
    r"(?P<number>[0-9]+)|(?P<short>[abm])(?=[0-9])|(?P<text>[^0-9.-]+)|(?P<nothing>(?:^|(?<=[.-]))(?=[.-]))"
)
_Item: TypeAlias = tuple[int, int, str]  # rank, length, text
_ZERO: _Item = (_NUMBER, 0, "")
_NULL: _Item = (_RELEASE, 0, "")
_OPEN: _Item = (_LIST, 0, "")


def maven_key(version: str) -> MavenKey:
    """
    Sort key for versions, total over all strings: it never raises, and any two keys compare.

    Versions that mean the same have the same key: ``1``, ``1.0``, ``1-ga``. In front of and behind a release::

        1-snapshot < 1-alpha < 1-beta < 1-milestone < 1-preview < 1-rc < 1 < 1-sp < 1-anything < 1-1 < 1.1

    Note the place of the snapshot, and that unknown qualifiers (``1.0.dev1``) come after the release.
    """
    items: list[_Item] = []
    for sublist in reversed(_SUBLIST.split(version.lower())):
        # A list inside a list is always its last item, so the nested lists are one list with marks in it.
        inner = items if not items or items[0][0] < _LIST else [_OPEN, *items]
        items = _without_nulls(_items(sublist)) + inner
    return tuple(_parts(items))


def newest_first(versions: Iterable[str]) -> list[str]:
    """Sort *versions*, the newest first; of those that mean the same, the one whose text is greater."""
    return sorted(versions, key=lambda version: (maven_key(version), version), reverse=True)


def _items(text: str) -> Iterator[_Item]:
    for found in _ITEM.finditer(text):
        if found["number"]:
            digits = found["number"].lstrip("0")  # int() would refuse thousands of digits
            yield _NUMBER, len(digits), digits
        elif found["nothing"] is not None:
            yield _ZERO
        else:
            yield _qualifier(_SHORT[found["short"]] if found["short"] else found["text"])


def _qualifier(text: str) -> _Item:
    name = _ALIASES.get(text, text)
    return (_QUALIFIERS.index(name), 0, "") if name in _QUALIFIERS else (_UNKNOWN, 0, name)


def _without_nulls(items: Iterable[_Item]) -> list[_Item]:
    """Drop zeros and releases at the end, and zeros in front of a qualifier."""
    kept: list[_Item] = []
    for item in items:
        if item[0] < _LIST:
            _strip(kept, {_ZERO})
        kept.append(item)
    _strip(kept, {_ZERO, _NULL})
    return kept


def _strip(items: list[_Item], unwanted: set[_Item]) -> None:
    while items and items[-1] in unwanted:
        items.pop()


def _parts(items: Iterable[_Item]) -> Iterator[_Part]:
    """Say for each item on which side of the release it lies, and after how many releases: fewer lie farther off."""
    passed = 0
    for item in items:
        if item == _NULL:
            passed += 1
        else:
            side = 1 if item[0] > _RELEASE else -1
            yield side, -side * passed, *item
            passed = 0
    yield _END
