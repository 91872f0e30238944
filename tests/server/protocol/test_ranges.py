"""Range headers, read as 6.20 reads them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.protocol.ranges import Span, is_unchanged, select


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("bytes=0-3", [(0, 4)], id="both ends"),
        pytest.param("bytes=3-", [(3, 10)], id="to the end"),
        pytest.param("bytes=8-99", [(8, 10)], id="end beyond the file"),
        pytest.param("bytes=9-9", [(9, 10)], id="last byte"),
        pytest.param("bytes=-3", [(0, 4)], id="a suffix is taken for a start"),
        pytest.param("bytes=5", [(0, 6)], id="no dash"),
        pytest.param("bytes=-", [(0, 10)], id="only a dash"),
        pytest.param("items=0-3", [(0, 4)], id="the unit does not matter"),
        pytest.param("bytes=10-", [], id="start at the end"),
        pytest.param("bytes=4-3", [], id="backwards"),
        pytest.param("bytes=x-y", [], id="no numbers"),
        pytest.param("bytes=20-30,2-3", [(2, 4)], id="the valid one of two"),
        pytest.param("bytes=6-7,0-1", [(0, 2), (6, 8)], id="sorted"),
        pytest.param("bytes=0-3,2-5", [(0, 6)], id="overlapping"),
        pytest.param("bytes=0-1,2-3", [(0, 4)], id="adjacent"),
        pytest.param("bytes 0-3", None, id="no equals sign"),
        pytest.param("bytes=0=3", None, id="two equals signs"),
    ],
)
def test_header_selects_spans_of_ten_bytes(header, expected):
    """Ranges are clipped, sorted and merged; a header of the wrong form is overlooked."""
    spans = select(header, 10)
    assert expected == (None if spans is None else [(each.start, each.stop) for each in spans])


@pytest.mark.parametrize(
    ("header", "expected"),
    [("bytes=-3", [Span(7, 10)]), ("bytes=-99", [Span(0, 10)]), ("bytes=-0", []), ("bytes=0-3", [Span(0, 4)])],
)
def test_suffixes_where_the_server_knows_them(header, expected):
    """A server may support ranges of the last bytes."""
    assert select(header, 10, suffixes=True) == expected


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-"])
def test_empty_file_has_no_range(header):
    """No range of an empty file can be satisfied."""
    assert select(header, 0) == []


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1), st.integers(1, 25))
def test_spans_cover_exactly_the_bytes_asked_for(pairs, size):
    """Merging neither loses nor adds a byte, and leaves gaps between the spans."""
    header = "bytes=" + ",".join(f"{first}-{last}" for first, last in pairs)
    spans = select(header, size)
    wanted = {at for first, last in pairs for at in range(first, min(last + 1, size))}
    assert {at for span in spans for at in range(span.start, span.stop)} == wanted
    assert all(one.stop < other.start for one, other in pairwise(spans))


def test_content_range_counts_inclusively():
    """The header names the last byte, not the one after."""
    assert Span(2, 4).content_range(10) == "bytes 2-3/10"


@pytest.mark.parametrize(
    ("if_range", "expected"),
    [
        pytest.param(None, True, id="absent"),
        pytest.param("abc", True, id="bare etag"),
        pytest.param('"abc"', False, id="quoted etag"),
        pytest.param("other", False, id="other etag"),
        pytest.param("Thu, 01 Jan 1970 00:00:05 GMT", True, id="same second"),
        pytest.param("Thu, 01 Jan 1970 00:00:04 GMT", False, id="older"),
    ],
)
def test_if_range_lets_a_range_through(if_range, expected):
    """A bare SHA-1 or a date not before the modification keeps the range."""
    assert is_unchanged(if_range, "abc", 5_900) is expected
