"""The retry loop and its budget, on a clock of its own."""

import gc
import weakref

import pytest

import aioartifact
from aioartifact._session import Clock, Operation, ProgressCheck

pytestmark = pytest.mark.anyio


class FakeTime:
    """A clock that a sleep advances; draws are always 0.5."""

    def __init__(self):
        self.time = 0.0
        self.sleeps = []
        self.clock = Clock(now=lambda: self.time, sleep=self._sleep, draw=lambda: 0.5)

    async def _sleep(self, seconds):
        self.sleeps.append(seconds)
        self.time += seconds


@pytest.fixture
def time():
    return FakeTime()


def operation_of(time, attempts=3, **options):
    return Operation(aioartifact.RetryPolicy(attempts, backoff_initial=2.0), time.clock, **options)


def lost(**attributes):
    error = aioartifact.ConnectionLostError("lost")
    vars(error).update(attributes)
    return error


async def fail(operation, errors, **options):
    """Raise *errors* one after the other, each in an attempt with one request; return how many were raised."""
    attempts, count = operation.attempts(aioartifact.ConnectionLostError, **options), 0
    async for attempt in attempts:
        with attempt:
            operation.count_request()
            count += 1
            if count > len(errors):
                return count - 1
            raise errors[count - 1]
    assert attempts.failure() is errors[count - 1]
    return count


async def test_failures_are_retried_until_the_attempts_are_used_up(time):
    """Delays grow, the callback hears of each further attempt, and the last error is the failure."""
    reported = []
    operation = operation_of(time, on_retry=reported.append)
    assert await fail(operation, [lost() for _ in range(10)]) == 3
    assert (time.sleeps, reported, operation.number) == ([1.0, 2.0], [2, 3], 3)


async def test_success_ends_the_loop(time):
    """What follows a success has its own failures, but no new budget."""
    operation = operation_of(time)
    assert await fail(operation, [lost()]) == 1
    assert await fail(operation, [lost() for _ in range(10)]) == 1


async def test_renewed_budget(time):
    operation = operation_of(time)
    assert await fail(operation, [lost(), lost()]) == 2
    operation.reset()
    assert await fail(operation, [lost(), lost()]) == 2


async def test_other_errors_are_raised_at_once(time):
    with pytest.raises(KeyError):
        await fail(operation_of(time), [lost(), KeyError()])
    assert time.sleeps == [1.0]


@pytest.mark.parametrize(
    ("options", "how_often"),
    [
        ({}, 5),
        ({"may_retry": lambda: False}, 1),
        ({"max_retries": 0}, 1),
        ({"max_retries": 2}, 3),
        ({"progressed": lambda: True}, 10),
    ],
)
async def test_what_bounds_retries(options, how_often, time):
    assert await fail(operation_of(time, 5), [lost() for _ in range(10)], **options) == how_often


async def test_errors_that_no_retry_can_help(time):
    assert await fail(operation_of(time), [lost(retryable=False)]) == 1


async def test_operation_that_must_not_be_repeated(time):
    assert await fail(operation_of(time, repeatable=False), [lost()]) == 1


async def test_operation_that_has_ended(time):
    """The server may still work on its last request."""
    operation = operation_of(time)
    operation.end()
    assert await fail(operation, [lost()], progressed=lambda: True) == 1


async def test_pass_without_a_failure_is_followed_by_the_next_at_once(time):
    """Pages follow each other; a request that only continues an attempt does not count."""
    operation, passes = operation_of(time, attempts=1), 0
    async for attempt in operation.attempts(aioartifact.ConnectionLostError):
        with attempt:
            operation.count_request()
            operation.continue_attempt()
            passes += 1
        if passes == 5:
            break
    assert (time.sleeps, operation.used, operation.number) == ([], 0, 1)


async def test_code_behind_the_block_runs_before_the_delay(time):
    """There a caller prepares the next attempt."""
    operation, seen = operation_of(time), []
    attempts = operation.attempts(aioartifact.ConnectionLostError)
    async for attempt in attempts:
        with attempt:
            operation.count_request()
            raise lost()
        seen.append((attempt.failures, time.time))
    assert seen == [(1, 0.0), (2, 1.0), (3, 3.0)]


async def test_failure_is_not_kept(time):
    """Its traceback refers to the frame of the loop, so buffers in that frame would live until the next collection."""

    class Buffer:
        pass

    async def receive():
        operation = operation_of(time, attempts=1)
        operation.count_request()
        attempts = operation.attempts(aioartifact.ConnectionLostError)
        buffer = Buffer()
        buffers.append(weakref.ref(buffer))
        async for attempt in attempts:
            with attempt:
                raise lost()
        raise attempts.failure()

    buffers = []
    gc.disable()
    try:
        with pytest.raises(aioartifact.ConnectionLostError) as caught:
            await receive()
        del caught
        assert buffers[0]() is None
    finally:
        gc.enable()


async def test_server_that_is_starting_up_uses_up_no_attempt(time):
    """The limit is a time, which starts anew once the server has started."""
    operation = operation_of(time, attempts=2)
    for _ in range(10):
        operation.count_request()
        time.time += operation.delay_at_start(None)
    assert operation.used == 0
    assert operation.seconds_starting == 30.0
    operation.count_request()
    assert operation.delay_at_start(91.0) is None  # longer than what is left of RetryPolicy.retry_after_max
    operation.note_started()
    assert operation.seconds_starting == 0.0
    assert operation.delay_at_start(91.0) == 91.0


@pytest.mark.parametrize(("was_lost", "delays"), [(True, [0.0, 2.0]), (False, [1.0, 2.0])])
async def test_first_lost_connection_is_retried_at_once(was_lost, delays, time):
    """Most often the server had just closed an idle one; the second time something is wrong."""
    operation, found = operation_of(time), []
    for _ in range(3):
        operation.count_request()
        found.append(operation.delay_after_loss(was_lost=was_lost))
    assert found == [*delays, None]


async def test_suspensions_count_as_attempts_of_every_call(time):
    """Whichever call caused them."""
    operation = operation_of(time)
    operation.count_request()
    assert operation.delay_after_refusal(7.0, suspensions=2) == 7.0
    assert operation.delay_after_refusal(7.0, suspensions=3) is None


def test_progress_adds_up_until_it_is_enough():
    progress = ProgressCheck(10, reached=5)
    assert [progress.has_advanced(total) for total in (9, 14, 15, 24, 25, 20, 40)] == [
        False,
        False,
        True,
        False,
        True,
        False,
        True,
    ]
