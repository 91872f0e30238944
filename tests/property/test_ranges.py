from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aioartifact._transfer.receive.content import Range, Ranges

SIZE = 40
PAIRS = st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)), max_size=12)


def bytes_of(pairs) -> set[int]:
    return {offset for start, stop in pairs for offset in range(start, stop)}


@given(PAIRS)
def test_ranges_are_the_set_of_their_bytes(pairs):
    """However they were added: disjoint, ascending, and never two that touch."""
    ranges = Ranges(pairs)
    kept = list(ranges)

    assert bytes_of(kept) == bytes_of(pairs)
    assert ranges.total == len(bytes_of(pairs))
    assert all(start < stop for start, stop in kept)
    assert all(first.stop < second.start for first, second in pairwise(kept))


@given(PAIRS, st.integers(0, SIZE))
def test_missing_bytes_are_the_others(pairs, size):
    """What is missing of a file, and what is not, is the file."""
    missing = Ranges(pairs).missing(size)

    assert bytes_of(missing) == set(range(size)) - bytes_of(pairs)
    assert missing == list(Ranges(missing))


@given(PAIRS, st.integers(0, SIZE))
def test_reach_is_the_first_gap(pairs, offset):
    """All bytes from the offset up to there are here, and the next one is not."""
    kept, reach = bytes_of(pairs), Ranges(pairs).reach(offset)

    assert set(range(offset, reach)) <= kept
    assert reach not in kept


@given(PAIRS, st.integers(0, SIZE))
def test_one_byte_less(pairs, offset):
    """Only that byte goes, and the ranges themselves stay as they were."""
    ranges = Ranges(pairs)

    assert bytes_of(ranges.without(offset)) == bytes_of(pairs) - {offset}
    assert bytes_of(ranges) == bytes_of(pairs)


def test_first_missing_range_of_nothing():
    """A file of which nothing is here is missing in one piece; an empty file misses nothing."""
    assert Ranges().missing(3) == [Range(0, 3)]
    assert Ranges().missing(0) == []
