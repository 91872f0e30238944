import itertools

from hypothesis import given
from hypothesis import strategies as st

from aioartifact._progress import Progress

SIZES = st.integers(min_value=-(2**40), max_value=2**50)
PAUSES = st.floats(min_value=0, max_value=40)
STEPS = st.lists(st.tuples(PAUSES, SIZES), max_size=60)


def at_times(pauses):
    """Clock that starts at 0 and advances by the next of *pauses* each time it is read."""
    return map(float, itertools.accumulate(pauses, initial=0.0)).__next__


@given(steps=STEPS, expected=st.integers(min_value=0, max_value=2**50))
def test_bytes_done_is_the_sum_of_advances(steps, expected):
    """Whatever comes and is lost, at whatever times, the sum is what is done."""
    progress = Progress(clock=at_times([*(pause for pause, _ in steps), 0.0]))
    progress.expect(size=expected)
    for _, size in steps:
        progress.advance(size)

    snapshot = progress.snapshot()

    assert snapshot.bytes_done == sum(size for _, size in steps)
    assert snapshot.bytes_total == expected


@given(steps=STEPS, expected=st.integers(min_value=0, max_value=2**50), pause=PAUSES)
def test_rate_and_eta_are_never_negative(steps, expected, pause):
    """Rewinds and stalls end at zero; there is an estimate only for a known rest that moves."""
    progress = Progress(clock=at_times([*(pause for pause, _ in steps), pause]))
    progress.expect(size=expected)
    for _, size in steps:
        progress.advance(size)

    snapshot = progress.snapshot()
    remaining = expected - snapshot.bytes_done

    assert snapshot.rate >= 0
    if not expected or remaining < 0 or (remaining and not snapshot.rate):
        assert snapshot.eta is None
    else:
        assert snapshot.eta is not None
        assert snapshot.eta >= 0


@given(st.lists(st.tuples(PAUSES, st.integers(min_value=0, max_value=2**40)), max_size=60))
def test_rate_never_exceeds_what_the_last_ten_seconds_brought(steps):
    """The window forgets older bytes, and divides by a second at least."""
    pauses = [*(pause for pause, _ in steps), 0.0]
    times = list(itertools.accumulate(pauses, initial=0.0))[1:]
    progress = Progress(clock=at_times(pauses))
    for _, size in steps:
        progress.advance(size)

    recent = sum(size for time, (_, size) in zip(times, steps, strict=False) if time > times[-1] - 10)

    assert progress.snapshot().rate <= recent


@given(st.lists(st.tuples(PAUSES, SIZES), min_size=1, max_size=200))
def test_memory_does_not_grow_with_advances(steps):
    """What is kept for the rate has one fixed size."""
    progress = Progress(clock=at_times([pause for pause, _ in steps]))
    before = len(progress._recent)
    for _, size in steps:
        progress.advance(size)

    assert len(progress._recent) == before
