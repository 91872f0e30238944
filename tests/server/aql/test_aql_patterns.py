import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aioartifact.testing.aql.sql import Bounds, pattern_bounds

literals = st.text().filter(lambda text: not set("*?") & set(text))


@given(literals, st.text())
@example("\ud7ff", "\ue000")
@example("a\U0010ffff", "b")
def test_bounds_hold_every_text_with_the_prefix(prefix, tail):
    """Whatever starts as the pattern does lies within its bounds, and SQLite can take them."""
    bounds = pattern_bounds(prefix + "*")
    assert bounds is None or bounds.start <= prefix + tail < bounds.stop
    assert bounds is None or (bounds.start + bounds.stop).encode()


@pytest.mark.parametrize(
    ("pattern", "bounds"),
    [
        pytest.param("a/b/*", Bounds("a/b/", "a/b0"), id="folder"),
        pytest.param("a?c", Bounds("a", "b"), id="one-character"),
        pytest.param("a", Bounds("a", "a\0"), id="no-wildcard"),
        pytest.param("\ud7ff*", Bounds("\ud7ff", "\ue000"), id="before-the-surrogates"),
        pytest.param("a\U0010ffff*", Bounds("a\U0010ffff", "b"), id="highest-character"),
        pytest.param("*", None, id="anything"),
        pytest.param("\U0010ffff*", None, id="nothing-above"),
    ],
)
def test_bounds_are_as_tight_as_the_prefix(pattern, bounds):
    """The bounds end right behind the last text with the prefix."""
    assert pattern_bounds(pattern) == bounds
