"""Patterns agree with a matcher that knows nothing but the definition."""

import re

from hypothesis import given
from hypothesis import strategies as st

from aioartifact._path_filter import parse_pattern

NAMES = st.text(alphabet="ab*[", min_size=1, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=5)
SEGMENTS = st.lists(st.sampled_from(["a", "b", "*", "?", "[a]", "[!a]", "[*]", "ab"]), min_size=1, max_size=3)
PATTERNS = st.lists(SEGMENTS.map("".join) | st.just("**"), min_size=1, max_size=5)

_REGEX = {"*": "[^/]*", "?": "[^/]", "[a]": "a", "[!a]": "[^a/]", "[*]": r"\*"}


def defined(segments: list[str]) -> str:
    """The regular expression that the documentation of patterns describes."""
    regex = ""
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            regex += "[^/]+(/[^/]+)*" if last else "([^/]+/)*"
        else:
            tokens = re.findall(r"\[!?.\]|.", segment)
            regex += "".join(_REGEX.get(token, token) for token in tokens) + ("" if last else "/")
    return regex


@given(PATTERNS, PATHS)
def test_pattern_means_what_is_documented(segments, names):
    """Segment by segment, with ** for any number of them."""
    path = "/".join(names)
    assert parse_pattern("/".join(segments)).matches(path) == bool(re.fullmatch(defined(segments), path))
