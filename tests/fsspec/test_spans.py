"""Byte ranges of files, against slices of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.fsspec.spans import Span, merge

CONTENT = bytes(range(100))
OFFSETS = st.integers(-120, 120)


def respond(span):
    """What a server sends for the request of a span."""
    start, end = span.request
    start = max(0, len(CONTENT) + start) if start < 0 else start
    return CONTENT[start : len(CONTENT) if end is None else end]


@given(st.one_of(st.none(), OFFSETS), st.one_of(st.none(), OFFSETS))
def test_span_is_the_slice(start, end):
    """Offsets mean what they mean in a slice of bytes, from either end of the file."""
    span = Span.of(start, end)
    assert span.cut(respond(span), len(CONTENT)) == CONTENT[start:end]


@given(st.lists(st.tuples(OFFSETS, st.one_of(st.none(), OFFSETS))), st.integers(0, 50), st.integers(1, 80))
def test_merged_spans_have_all_members(pairs, gap, size):
    """Whatever is merged, every span gets its bytes, once."""
    spans = [Span.of(*pair) for pair in pairs]
    found = {}
    for merged in merge(spans, gap, size):
        received = merged.span.cut(respond(merged.span), len(CONTENT))
        for index, piece in merged.pieces(received):
            assert index not in found
            found[index] = piece
    assert [found[index] for index in range(len(spans))] == [CONTENT[start:end] for start, end in pairs]


@pytest.mark.parametrize(
    ("pairs", "requests"),
    [
        ([(0, 10), (10, 20)], [(0, 20)]),
        ([(20, 30), (0, 10)], [(0, 30)]),
        ([(0, 10), (21, 30)], [(0, 10), (21, 30)]),
        ([(0, 50), (10, 20)], [(0, 50)]),
        ([(0, 60), (60, 110)], [(0, 60), (60, 110)]),
        ([(0, 200)], [(0, 200)]),
        ([(0, 10), (0, 10)], [(0, 10)]),
        ([(-8, None), (0, 10)], [(-8, None), (0, 10)]),
    ],
)
def test_near_spans_are_one_request(pairs, requests):
    """Gaps of up to 10 bytes are received in vain, up to 100 bytes at once."""
    merged = merge([Span.of(*pair) for pair in pairs], 10, 100)
    assert sorted((each.span.request for each in merged), key=str) == sorted(requests, key=str)
