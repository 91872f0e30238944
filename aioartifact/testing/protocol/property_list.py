"""
The list in ``?properties=``: ``k=v1,v2;k2=v``, read as Artifactory 6.20 does.

A backslash makes the separator after it a character; before anything else, another backslash included, it is one
itself. So a value can end in a backslash only where the list does.

See: https://docs.jfrog.com/artifactory/reference/setitemproperties
"""

import re
from collections.abc import Iterator

_ESCAPED = re.compile(r"\\([,=|;])")


def parse(text: str) -> dict[str, list[str]]:
    """
    Read the values of each key; of a key given twice, all of them.

    As the real server does, this drops a pair with two equals signs, and empty values at the end of a list; a key
    without a value has the empty one.

    Args:
        text: The list after the decoding of the query, in which ``;`` or ``|`` ends a pair.
    """
    found: dict[str, list[str]] = {}
    for key, values in _pairs(text):
        found.setdefault(key, []).extend(values)
    return found


def _pairs(text: str) -> Iterator[tuple[str, list[str]]]:
    for pair in filter(None, map(str.strip, _split(";|", text))):
        key, *rest = _split("=", pair)
        if len(rest) < 2:
            values = _split(",", rest[0] if rest else "")
            while len(values) > 1 and not values[-1]:
                values.pop()
            yield _unescape(key), [_unescape(each) for each in values]


def _split(separators: str, text: str) -> list[str]:
    return re.split(rf"(?<!\\)[{separators}]", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
