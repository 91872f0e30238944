"""
The folders in a Folder Info, taken out of its text at once.

A server prints each entry alike, so what stands between the names of two folders is the same text everywhere: splitting
there costs a fraction of making objects. What else the answer holds is left to the JSON parser.
"""

import re

_BLANK = r"[ \t\n\r]*+"
_SEAM = re.compile(
    rf'"{_BLANK},{_BLANK}"folder"{_BLANK}:{_BLANK}true{_BLANK}\}}{_BLANK},{_BLANK}\{{{_BLANK}"uri"{_BLANK}:{_BLANK}"/'
)
_NOT_NAMES = {"", ".", ".."}


def take_child_folders(text: str) -> tuple[list[str], str]:
    """
    Split the text of a Folder Info in the names of folders in it and the text without their entries.

    With what is left read as JSON, its children and the folders taken are those of the whole; and if it is no JSON,
    the whole is none. Nothing is taken where that is not certain. As no name that is taken has a quote or a backslash,
    a seam that is not inside an array of objects leaves something that is no JSON; and there is one array only.
    """
    found = _SEAM.search(text)
    if not found:
        return [], text
    # str.split() prepares the search for a text of this length anew behind each place where it finds it.
    first, *names, last = re.split(re.escape(found[0]), text)
    others: list[str] = []
    if '"' in "".join(names):
        others = [other for other in names if '"' in other]
        names = [name for name in names if '"' not in name]
    rest = found[0].join([first, *others, last])
    is_certain = rest.count("[") == 1 and _are_names(names)
    return (names, rest) if is_certain else ([], text)


def _are_names(names: list[str]) -> bool:
    """Whether all of them are spelled as they are, and fit for one segment of a path; some that are fit may fail."""
    joined = "".join(names)
    return joined.isprintable() and "\\" not in joined and "/" not in joined and _NOT_NAMES.isdisjoint(names)
