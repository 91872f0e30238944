"""When a request may be sent: all limits of one server together."""

import asyncio
from contextlib import suppress
from math import inf

import anyio
import pytest

from aioartifact._session import Clock
from aioartifact._session.limits import ActiveCalls, RateLimiter, RequestsRefused, ServerLimits

pytestmark = pytest.mark.anyio

ALICE, BOB = ("Bearer alice", None), ("Bearer bob", None)


class FakeTime:
    """A clock that a sleep advances; *meanwhile* is called during each."""

    def __init__(self):
        self.time = 0.0
        self.meanwhile = lambda: None
        self.clock = Clock(now=lambda: self.time, sleep=self._sleep)

    async def _sleep(self, seconds):
        self.meanwhile()
        self.time += seconds


@pytest.fixture
def time():
    return FakeTime()


@pytest.fixture
def limits_of(time):
    """Makes limits of a server, in a session that is in use."""
    calls = ActiveCalls()

    def make(*, rate=None, is_foreign=False):
        limiter = RateLimiter(rate, time.clock)
        return ServerLimits(8, limiter, calls, time.clock, longest_pause=120.0, is_foreign=is_foreign)

    with calls.call():
        yield make


@pytest.fixture
def limits(limits_of):
    return limits_of()


def respond(limits, status, *, credentials=ALICE, sent=0.0, retry_after=None, is_login_refused=False):
    limits.record_refusal(
        status, credentials, sent, uploaded=None, retry_after=retry_after, is_login_refused=is_login_refused
    )


async def test_first_request_goes_alone(limits):
    """The others follow once it is answered, or has failed."""
    entered = []

    async def send(number):
        async with limits.turn(ALICE):
            entered.append(number)

    with suppress(ConnectionError):
        async with limits.turn(ALICE):
            others = [asyncio.ensure_future(send(number)) for number in range(3)]
            await anyio.wait_all_tasks_blocked()
            assert entered == []
            raise ConnectionError
    await asyncio.gather(*others)
    assert entered == [0, 1, 2]


async def test_refused_credentials_are_not_sent(limits):
    """Neither by requests that come later, nor by those that waited for their turn; others may be sent."""

    async def send(credentials):
        async with limits.turn(credentials):
            pass

    async with limits.turn(ALICE):
        waiting = [asyncio.ensure_future(send(credentials)) for credentials in (ALICE, BOB, None)]
        await anyio.wait_all_tasks_blocked()
        respond(limits, 401)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [getattr(result, "status", None) for result in results] == [401, None, None]
    with pytest.raises(RequestsRefused):
        await send(ALICE)
    await send(BOB)


async def test_refusal_of_the_first_request_lets_the_others_pass(limits, time):
    """One that is not sent after all, as its credentials were refused while it waited, ends its turn."""
    limits.pause(5.0, alone=True)

    time.meanwhile = lambda: limits.breaker.refuse(ALICE, 401)
    with pytest.raises(RequestsRefused):
        async with limits.turn(ALICE):
            pass
    with anyio.fail_after(1):
        async with limits.turn(BOB):
            assert time.time == 5.0


@pytest.mark.parametrize("status", [429, 503])
async def test_all_wait_as_long_as_the_server_demands(status, limits, time):
    respond(limits, status, retry_after=30.0)
    async with limits.turn(BOB):
        assert time.time == 30.0


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_other_responses_make_no_request_wait(status, limits, time):
    respond(limits, status, retry_after=30.0)
    async with limits.turn(BOB):
        assert time.time == 0.0


async def test_demand_that_is_too_long(limits, time):
    """No request is sent, and the call does not wait."""
    respond(limits, 503, retry_after=121.0)
    with pytest.raises(RequestsRefused):
        async with limits.turn(BOB):
            pass
    assert time.time == 0.0


async def test_rate_holds_for_each_turn(limits_of, time):
    """Retries and redirects take turns of their own, so they count."""
    limits = limits_of(rate=10)
    for _ in range(11):
        async with limits.turn(ALICE):
            pass
    assert time.time == pytest.approx(1.0)


async def test_slot_is_independent_of_turns(limits, time):
    """A request keeps its slot while it waits to be sent again."""
    await limits.enter()
    free = limits.spare
    for _ in range(2):
        limits.pause(1.0, alone=False)
        async with limits.turn(ALICE):
            assert limits.spare == free
    limits.leave()
    assert (limits.spare, time.time) == (free + 1, 2.0)


async def test_slots_of_a_session_of_a_user(limits_of):
    """Their number is its owner's; the rest holds."""
    limits = limits_of(is_foreign=True)
    for _ in range(20):
        await limits.enter()
    assert (limits.spare, limits.queue.limit.in_flight) == (0, 0)
    limits.leave()
    assert limits.queue.limit.in_flight == 0


async def test_suspended_logins_are_counted_once_per_round_trip(limits, time):
    """Requests that were sent before the last suspension do not count; any success starts anew."""
    for sent, now, expected in [(0.0, 1.0, 1), (0.5, 1.1, 1), (2.0, 3.0, 2)]:
        time.time = now
        respond(limits, 403, sent=sent, is_login_refused=True)
        assert limits.breaker.suspensions == expected
    limits.record_success(4.0, 5.0)
    assert limits.breaker.suspensions == 0


def test_no_rate_is_no_limit(time):
    assert RateLimiter(None, time.clock).portion == inf
