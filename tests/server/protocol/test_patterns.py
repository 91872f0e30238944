"""Path patterns."""

import pytest

from aioartifact.testing.protocol.ant_patterns import matches, may_hold_matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**", "", True),
        ("**", "a/b", True),
        ("repo/**", "repo", True),
        ("repo/**", "repo/a/b", True),
        ("repo/**", "repository/a", False),
        ("repo/*", "repo/a", True),
        ("repo/*", "repo/a/b", False),
        ("repo/*.bin", "repo/a.bin", True),
        ("repo/*.bin", "repo/axbin", False),
        ("repo/**/*.bin", "repo/a.bin", True),
        ("repo/**/*.bin", "repo/a/b/c.bin", True),
        ("repo/a?c", "repo/abc", True),
        ("repo/a?c", "repo/a/c", False),
        ("repo/[x]", "repo/[x]", True),
        ("repo/[x]", "repo/x", False),
        ("repo/a", "repo/a\n", False),
        ("storage:**", "storage:repo/a", True),
        ("storage:**", "repo/a", False),
    ],
)
def test_pattern_matches_whole_path(pattern, path, expected):
    """``*`` and ``?`` stay in a segment, ``**`` crosses segments, everything else is literal."""
    assert matches(pattern, path) is expected


@pytest.mark.parametrize(
    ("pattern", "folder", "expected"),
    [
        ("a/b/**", "", True),
        ("a/b/**", "a", True),
        ("a/b/**", "a/b", True),
        ("a/b/**", "a/b/c", True),
        ("a/b/**", "a/c", False),
        ("**/x.jar", "any/where", True),
        ("a/*/x.jar", "a/b", True),
        ("a/x.jar", "a/b", False),
        ("a/x.jar", "a/x.jar/y", False),
    ],
)
def test_folder_on_the_way_to_a_match(pattern, folder, expected):
    """A folder counts when something below it could match."""
    assert may_hold_matches(pattern, folder) is expected
