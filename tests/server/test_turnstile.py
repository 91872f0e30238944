"""The bound on how many may do something at the same time."""

import asyncio

import pytest

from aioartifact.testing.clocks import ManualClock
from aioartifact.testing.protocol.replies import RefusalError
from aioartifact.testing.turnstile import Turnstile


@pytest.fixture
def clock():
    return ManualClock()


async def queued(turnstile: Turnstile, clock: ManualClock) -> asyncio.Task[None]:
    """Line up, and come back once the task waits."""
    before = clock.waiting
    task = asyncio.create_task(turnstile.enter(clock, 10))
    while clock.waiting == before:  # noqa: ASYNC110  # the clock does not signal a new waiter
        await asyncio.sleep(0)
    return task


async def test_places_are_given_in_the_order_of_arrival(clock):
    """Who has waited longest is next."""
    turnstile = Turnstile(1)
    await turnstile.enter(clock, 10)
    first, second = await queued(turnstile, clock), await queued(turnstile, clock)
    turnstile.leave()
    await first
    assert not second.done()
    turnstile.leave()
    await second


async def test_patience_ends(clock):
    """Who waits in vain is refused, and is not in the way of others."""
    turnstile = Turnstile(1)
    await turnstile.enter(clock, 10)
    waiting = await queued(turnstile, clock)
    clock.advance(10)
    with pytest.raises(RefusalError) as caught:
        await waiting
    assert caught.value.reply.status == 429
    turnstile.leave()
    await turnstile.enter(clock, 0)


async def test_who_gives_up_leaves_the_queue(clock):
    """A place goes past those who have gone."""
    turnstile = Turnstile(1)
    await turnstile.enter(clock, 10)
    first, second = await queued(turnstile, clock), await queued(turnstile, clock)
    first.cancel()
    await asyncio.wait({first})
    turnstile.leave()
    await second


async def test_place_of_who_gives_up_at_that_moment_is_not_lost(clock):
    """A slot that was given to a waiter who is being cancelled goes to the next."""
    turnstile = Turnstile(1)
    await turnstile.enter(clock, 10)
    first, second = await queued(turnstile, clock), await queued(turnstile, clock)
    turnstile.leave()
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    await second


async def test_no_bound(clock):
    """Without a limit, all enter, and none has to leave first."""
    turnstile = Turnstile(None)
    for _ in range(100):
        await turnstile.enter(clock, 0)
    turnstile.leave()
    assert clock.waiting == 0
