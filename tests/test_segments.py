"""Who fetches what, decided without a connection."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact._transfer.receive.content import Range
from aioartifact._transfer.receive.segments import RangeScaler, Segments, TransferSample

MIB = 1024 * 1024


STEPS = st.lists(st.tuples(st.sampled_from(["receive", "end", "take", "split"]), st.integers(0, 50)), max_size=60)


@given(st.integers(1, 200), STEPS)
def test_every_byte_is_fetched_once(size, steps):
    """Whatever is split, given back and taken again, the shares are the file, without gap or overlap."""
    segments, got = Segments([Range(0, size)], size), []

    def receive(segment, count):
        got.append((segment.position, segment.position + count))
        segment.position += count

    for step, number in steps:
        busy = segments.busy[number % len(segments.busy)] if segments.busy else None
        if step == "take":
            segments.take()
        elif step == "split":
            segments.split(1)
        elif busy and step == "receive":
            receive(busy, min(number, busy.rest))
        elif busy:
            segments.end(busy)
    for busy in tuple(segments.busy):
        segments.end(busy)
    while (segment := segments.take()) is not None:
        receive(segment, segment.rest)
    covered = sorted(piece for piece in got if piece[0] < piece[1])
    assert (covered[0][0], covered[-1][1]) == (0, size)
    assert all(before[1] == after[0] for before, after in pairwise(covered))


def test_largest_share_is_halved():
    """Of what is still to come; the one who had it stops earlier."""
    segments = Segments([Range(0, 10), Range(20, 100)], 100)
    first, second = segments.take(), segments.take()
    second.position = 40
    third = segments.split(30)
    assert (first.stop, second.stop) == (10, 70)
    assert (third.position, third.stop) == (70, 100)
    assert segments.split(30) is None


def test_share_without_end_is_halved_at_the_end_of_the_file():
    """A request for the whole file does not know where it ends; the plan does."""
    segments = Segments([Range(0, 1 << 62)], 100)
    first = segments.take()
    second = segments.split(1)
    assert (first.stop, second.position, second.stop) == (50, 50, 100)
    segments.end(second)
    assert segments.take().rest == 50


def test_nothing_to_take():
    """A complete file needs no connection."""
    segments = Segments([], 100)
    assert segments.take() is None
    assert segments.split(1) is None


def samples(*sizes, working=0.0, blocked=0.0):
    """One look each second."""
    return [TransferSample(second, size * MIB, working * second, blocked * second) for second, size in enumerate(sizes)]


def widened(looks, reply_seconds=0.01):
    """How many connections each look adds to those there are."""
    first, *others = looks
    scaler, connections, added = RangeScaler(first, reply_seconds), 1, []
    for look in others:
        added.append(scaler.more(look, connections))
        connections += added[-1]
    return added


@pytest.mark.parametrize(
    ("looks", "added"),
    [
        pytest.param(samples(0, 10, 30, 70), [1, 2, 4], id="twice-as-many-bring-twice-as-much"),
        pytest.param(samples(0, 10, 20, 30), [1, 0, 0], id="line-is-full"),
        pytest.param(samples(0, 10, 24, 50), [1, 2, 4], id="not-quite-twice"),
        pytest.param(samples(0, 0, 0), [1, 2], id="stalled-from-the-beginning"),
        pytest.param(samples(0, 10, 30, working=0.9), [0, 0], id="loop-is-busy"),
        pytest.param(samples(0, 10, 30, blocked=0.9), [0, 0], id="disk-is-slow"),
        pytest.param(samples(0, 10, 30, working=0.4, blocked=0.4), [0, 0], id="loop-and-disk-take-turns"),
        pytest.param(samples(0, 10, 30, 70, working=0.2, blocked=0.2), [1, 2, 4], id="loop-and-disk-are-mostly-idle"),
        pytest.param(samples(*range(0, 130, 10)), [1, *[0] * 10, 2], id="line-is-tried-again"),
    ],
)
def test_connections_are_added_where_they_help(looks, added):
    """As long as the network is what is slow, and more connections bring more."""
    assert widened(looks) == added


def test_first_look_is_not_too_early():
    """A rate over a few milliseconds is chance, and over less than two replies as well."""
    first, later = TransferSample(0.0, 0, 0.0, 0.0), TransferSample(0.1, MIB, 0.0, 0.0)
    assert RangeScaler(first, 0.001).more(later, 1) == 0
    assert RangeScaler(first, 0.5).more(later._replace(now=0.9), 1) == 0
    assert RangeScaler(first, 0.5).more(later._replace(now=1.1), 1) == 1


@pytest.mark.parametrize(
    ("size", "reply_seconds", "least"),
    [
        pytest.param(1, 0.01, 4 * MIB, id="slow-line"),
        pytest.param(100, 0.01, 25 * MIB, id="fast-line"),
        pytest.param(100, 0.05, 50 * MIB, id="far-server"),
        pytest.param(1, 3600.0, 10 * MIB, id="server-that-was-waited-for"),
    ],
)
def test_share_worth_a_request(size, reply_seconds, least):
    """One that takes noticeably longer than the answer to it, and never a few bytes."""
    first, later = samples(0, size)
    scaler = RangeScaler(first, reply_seconds)
    assert scaler.min_size == 4 * MIB
    scaler.more(later._replace(now=1.0), 1)
    assert scaler.min_size == (least if reply_seconds < 1 else 4 * MIB)
