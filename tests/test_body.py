"""How many bytes of a body are taken at a time."""

import pytest

from aioartifact._transfer.receive.parallel import BATCH, batch_size

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("in_flight", "size"),
    [
        pytest.param(1, 4 * MIB, id="alone"),
        pytest.param(3, 4 * MIB, id="few"),
        pytest.param(6, 2 * MIB, id="several"),
        pytest.param(16, BATCH, id="as-many-as-by-default"),
        pytest.param(1000, BATCH, id="very-many"),
        pytest.param(0, BATCH, id="unknown-in-a-session-from-elsewhere"),
    ],
)
def test_batch_is_larger_where_few_are_in_flight(in_flight, size):
    """A larger batch needs fewer turns of a thread, and costs memory for each connection."""
    assert batch_size(in_flight) == size


@pytest.mark.parametrize("in_flight", range(1, 13))
def test_batches_together_stay_bounded(in_flight):
    """Two batches of each connection need no more than 24 MiB, up to as many connections as get 1 MiB each."""
    assert 2 * in_flight * batch_size(in_flight) <= 24 * MIB
