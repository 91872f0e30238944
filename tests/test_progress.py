import dataclasses

import pytest

from aioartifact import InvalidArgumentError
from aioartifact._progress import Progress, ProgressSnapshot


class Clock:
    """Seconds that pass only when a test says so; they start anywhere, as those of the system do."""

    def __init__(self):
        self.now = 1234.5

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def progress(clock):
    return Progress(clock=clock)


def flow(progress, clock, *, seconds, rate):
    """Let *seconds* pass while *rate* bytes arrive in each, spread over tenths."""
    for _ in range(seconds * 10):
        progress.advance(rate // 10)
        clock.now += 0.1


def test_snapshot_before_anything_is_all_zero(progress):
    """Nothing is known, so there is no rate and no estimate."""
    assert progress.snapshot() == ProgressSnapshot(
        files_done=0,
        files_skipped=0,
        files_failed=0,
        files_total=0,
        bytes_done=0,
        bytes_total=0,
        elapsed=0.0,
        rate=0.0,
        eta=None,
        active=(),
    )


def test_repr_tells_how_far_it_is():
    """Files and bytes; neither the sink nor the names of files."""

    class Sink:
        def __repr__(self):
            return "s3cret"

        def __call__(self, event):
            pass

    progress = Progress(Sink())
    assert repr(progress) == "<Progress files=0/0, failed=0, bytes=0/0>"
    progress.expect(files=4, size=100)
    progress.started("s3cret.bin")
    progress.advance(30)
    progress.finish("transferred")
    progress.finish("skipped")
    progress.finish("failed", 20)
    assert repr(progress) == "<Progress files=3/4, failed=1, bytes=30/80>"


@pytest.mark.parametrize("name", ["sink", "clock"])
def test_what_cannot_be_called_is_refused(name):
    """At once, and not when something happens."""
    with pytest.raises(InvalidArgumentError, match=f"{name} is a int; expected a function"):
        Progress(**{name: 7})


def test_snapshot_is_a_value_that_stays(progress):
    """Later events do not change an earlier snapshot, and it is immutable."""
    snapshot = progress.snapshot()
    progress.expect(files=1, size=10)
    progress.started("a.bin")

    assert (snapshot.files_total, snapshot.active) == (0, ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.files_total = 7


def test_progress_without_clock_runs_on_the_clock_of_the_system():
    """Elapsed time does not go back."""
    progress = Progress()

    assert 0 <= progress.snapshot().elapsed <= progress.snapshot().elapsed


def test_totals_grow_as_they_are_discovered(progress):
    """A listing that still arrives adds to files and bytes."""
    progress.expect(files=2, size=100)
    progress.expect(files=1)
    progress.expect(size=50)

    snapshot = progress.snapshot()

    assert (snapshot.files_total, snapshot.bytes_total) == (3, 150)


def test_finished_files_are_counted_by_kind(progress):
    """Each file ends in exactly one of the three counts."""
    progress.expect(files=6)
    for kind in ("transferred", "skipped", "transferred", "failed", "transferred", "skipped"):
        progress.finish(kind)

    snapshot = progress.snapshot()

    assert (snapshot.files_done, snapshot.files_skipped, snapshot.files_failed) == (3, 2, 1)
    assert snapshot.files_total == 6


def test_finish_of_skipped_and_failed_files_takes_their_bytes_off_the_total(progress):
    """What will not come any more is not waited for: the rest of the total can be reached."""
    progress.expect(files=3, size=600)
    progress.finish("skipped", 300)
    progress.advance(50)
    progress.advance(-50)
    progress.finish("failed", 200)
    progress.advance(100)
    progress.finish("transferred")

    snapshot = progress.snapshot()

    assert (snapshot.bytes_done, snapshot.bytes_total, snapshot.eta) == (100, 100, 0.0)


def test_rewind_takes_lost_bytes_back(progress):
    """Bytes that must be sent again are not done."""
    progress.advance(100)
    progress.advance(-70)
    progress.advance(70)

    assert progress.snapshot().bytes_done == 100


def test_rewind_of_more_than_came_in_lately_leaves_the_rate_at_zero(progress, clock):
    """Losing an old part is no negative speed."""
    progress.expect(size=5000)
    progress.advance(1000)
    clock.now += 60
    progress.advance(-400)

    snapshot = progress.snapshot()

    assert (snapshot.bytes_done, snapshot.rate, snapshot.eta) == (600, 0.0, None)


def test_rate_of_a_steady_flow_is_that_flow(progress, clock):
    """A minute at one speed shows that speed, and the time left follows from it."""
    progress.expect(size=100_000)
    flow(progress, clock, seconds=60, rate=1000)

    snapshot = progress.snapshot()

    assert snapshot.rate == pytest.approx(1000, rel=0.02)
    assert snapshot.eta == pytest.approx(40, rel=0.02)
    assert snapshot.elapsed == pytest.approx(60)


def test_rate_follows_a_change_within_its_window(progress, clock):
    """Ten seconds after a change, nothing of the old speed is left; halfway, half of it is."""
    flow(progress, clock, seconds=30, rate=1000)
    flow(progress, clock, seconds=5, rate=3000)
    halfway = progress.snapshot().rate
    flow(progress, clock, seconds=5, rate=3000)

    assert halfway == pytest.approx(2000, rel=0.06)
    assert progress.snapshot().rate == pytest.approx(3000, rel=0.02)


def test_rate_after_a_stall_is_zero_and_there_is_no_estimate(progress, clock):
    """A transfer that stands still does not promise an end."""
    progress.expect(size=10_000)
    flow(progress, clock, seconds=3, rate=1000)
    clock.now += 10

    snapshot = progress.snapshot()

    assert (snapshot.bytes_done, snapshot.rate, snapshot.eta) == (3000, 0.0, None)


def test_rate_of_the_first_bytes_is_no_burst(progress, clock):
    """A megabyte in the first millisecond is a megabyte in that second."""
    clock.now += 0.001
    progress.advance(1_000_000)

    assert progress.snapshot().rate == 1_000_000


def test_eta_without_known_sizes_is_none(progress, clock):
    """Bytes beyond the total mean that the total is not known."""
    flow(progress, clock, seconds=2, rate=1000)
    assert progress.snapshot().eta is None

    progress.expect(files=1, size=500)
    assert progress.snapshot().eta is None


def test_eta_when_all_bytes_are_there_is_zero(progress, clock):
    """Also long after the last byte, when the rate is zero again."""
    progress.expect(size=100)
    progress.advance(100)
    assert progress.snapshot().eta == 0.0

    clock.now += 3600
    assert progress.snapshot().eta == 0.0


def test_active_files_are_named_in_the_order_they_started(progress):
    """A file that ends leaves its place; of two with one name, the name leaves with the last."""
    for name in ("a", "b", "a", "c"):
        progress.started(name)
    progress.ended("b")
    progress.ended("a")
    assert progress.snapshot().active == ("a", "c")

    progress.ended("a")
    assert progress.snapshot().active == ("c",)


def test_active_files_beyond_the_bound_wait_for_a_place(progress):
    """At most sixteen are named, the longest running; the next one moves up when one ends."""
    for number in range(20):
        progress.started(f"f{number}")
    assert progress.snapshot().active == tuple(f"f{number}" for number in range(16))

    progress.ended("f3")
    assert progress.snapshot().active[-1] == "f16"
