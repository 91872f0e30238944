"""Patterns for paths."""

import pytest

from aioartifact import InvalidArgumentError
from aioartifact._path_filter import parse_pattern, parse_patterns


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        pytest.param("a.bin", "a.bin", id="name"),
        pytest.param("*.bin", ".bin", id="star-takes-nothing-and-leading-dots"),
        pytest.param("a*c*", "abcd", id="two-stars"),
        pytest.param("?.bin", "日.bin", id="one-character"),
        pytest.param("[a-c]", "b", id="range"),
        pytest.param("[!a-c]", "d", id="not-in-range"),
        pytest.param("[*]", "*", id="star-itself"),
        pytest.param("[[]x]", "[x]", id="bracket-itself"),
        pytest.param("a[", "a[", id="open-bracket-is-literal"),
        pytest.param("a\\b", "a\\b", id="backslash-is-literal"),
        pytest.param("a\nb*", "a\nbc", id="line-break"),
        pytest.param("**", "a", id="deep-alone"),
        pytest.param("**", "a/b/c", id="deep-alone-deeper"),
        pytest.param("**/*.bin", "a.bin", id="deep-takes-nothing"),
        pytest.param("**/*.bin", "a/b/c.bin", id="deep-takes-several"),
        pytest.param("a/**/b", "a/b", id="deep-between-nothing"),
        pytest.param("a/**/b", "a/x/b/b", id="deep-between-itself"),
        pytest.param("**/a/**/b/**/c", "x/a/a/b/c/b/c", id="three-deep"),
        pytest.param("a/**", "a/b/c", id="everything-inside"),
        pytest.param("a**b", "axxb", id="stars-inside-a-segment"),
    ],
)
def test_pattern_matches(pattern, path):
    """What the pattern describes fits."""
    assert parse_pattern(pattern).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        pytest.param("a.bin", "axbin", id="dot-is-literal"),
        pytest.param("*.bin", "a/b.bin", id="star-stays-in-its-segment"),
        pytest.param("a?b", "a/b", id="one-character-is-no-slash"),
        pytest.param("a[!x]b", "a/b", id="class-is-no-slash"),
        pytest.param("*.BIN", "a.bin", id="case"),
        pytest.param("a/**", "a", id="not-the-folder-itself"),
        pytest.param("**/a/*", "a", id="too-short"),
        pytest.param("a", "a/b", id="beginning-is-not-all"),
        pytest.param("b", "a/b", id="end-is-not-all"),
        pytest.param("**/a/**/b", "b/a", id="wrong-order"),
        pytest.param("*", "a\n/b", id="line-break-before-a-slash"),
        pytest.param("a", "a\n", id="trailing-line-break"),
    ],
)
def test_pattern_does_not_match(pattern, path):
    """What the pattern does not describe does not fit."""
    assert not parse_pattern(pattern).matches(path)


@pytest.mark.parametrize(
    ("pattern", "folder", "depth"),
    [
        pytest.param("a", "", 1, id="name"),
        pytest.param("a/b/c.bin", "a/b", 3, id="no-wildcard"),
        pytest.param("a/b*/c/d", "a", 4, id="wildcard-in-the-middle"),
        pytest.param("a/**/c", "a", None, id="any-depth"),
        pytest.param("**", "", None, id="everything"),
        pytest.param("a**b/c", "", 2, id="stars-inside-a-segment"),
    ],
)
def test_where_matches_lie(pattern, folder, depth):
    """What a pattern names outright need not be searched."""
    parsed = parse_pattern(pattern)
    assert (parsed.folder, parsed.depth) == (folder, depth)


@pytest.mark.parametrize("pattern", ["", "/a", "a/", "a//b", ".", "a/../b", "./a", "/", "\udcff", None, 1, b"a"])
def test_what_is_no_pattern(pattern):
    """What no path can match is a mistake."""
    with pytest.raises(InvalidArgumentError, match="pattern"):
        parse_pattern(pattern)


def test_one_pattern_or_several():
    """A text is one pattern, not its characters."""
    assert [each.text for each in parse_patterns("a*")] == ["a*"]
    assert [each.text for each in parse_patterns(["a", "b"])] == ["a", "b"]
    with pytest.raises(InvalidArgumentError, match="expected a text or several"):
        parse_patterns(1)


def test_many_wildcards_take_no_time():
    """No pattern makes the matcher try all ways to spread its wildcards."""
    assert not parse_pattern("/".join(["**", "*a*a*a*a*a*a*a*a*"] * 20)).matches("/".join(["a" * 200] * 60) + "/b")


@pytest.mark.parametrize(
    "text", ["a/**", "a/*", "**", "*", "**/*", "**/a/**", "a/**/*", "a/**/b", "*/b", "a/b?", "a", "**/*.b"]
)
def test_pattern_that_covers_a_folder_matches_all_in_it(text):
    """Whatever the name; and one that does not cover it leaves out some name."""
    pattern, names = parse_pattern(text), ["a", "b", "b.b", "x y", ".c", "*"]
    for folder in [*names, *(f"{one}/{two}" for one in names for two in names)]:
        assert pattern.covers_below(folder) == all(pattern.matches(f"{folder}/{name}") for name in names)
