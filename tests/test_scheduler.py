from collections import Counter

import anyio
import anyio.lowlevel
import pytest

from aioartifact._scheduler import Slots, as_async, collapsed, run_many


class Gates:
    """A job that starts is counted, and ends when its gate is opened."""

    def __init__(self):
        self.started = []
        self.running = self.most = 0
        self._gates = {}
        self._change = anyio.Condition()

    async def run(self, job):
        self.running += 1
        self.most = max(self.most, self.running)
        self.started.append(job)
        try:
            async with self._change:
                self._change.notify_all()
            await self._gate(job).wait()
        finally:
            self.running -= 1
        return job

    def _gate(self, job):
        return self._gates.setdefault(job, anyio.Event())

    def open(self, job):
        self._gate(job).set()

    async def until_started(self, count):
        async with self._change:
            while len(self.started) < count:
                await self._change.wait()


async def same(job):
    return job


async def collected(jobs, run=same, *, max_concurrency=3):
    async with run_many(jobs, run, max_concurrency=max_concurrency) as results:
        return [result async for result in results]


async def numbers(count):
    for number in range(count):
        yield number


def endless(pulled):
    """All whole numbers, each noted as it is pulled."""
    number = 0
    while True:
        pulled.append(number)
        yield number
        number += 1


@pytest.mark.parametrize("max_concurrency", [1, 2, 50, 200])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: range(100), id="sequence"),
        pytest.param(lambda: iter(range(100)), id="iterator"),
        pytest.param(lambda: numbers(100), id="async-generator"),
    ],
)
async def test_every_job_is_run_once(make, max_concurrency):
    """Whatever the input is and however many run at a time, there is one result for each job."""
    assert Counter(await collected(make(), max_concurrency=max_concurrency)) == Counter(range(100))


@pytest.mark.parametrize("jobs", [[], iter(()), numbers(0)], ids=["list", "iterator", "async-generator"])
async def test_no_job_is_no_result(jobs):
    """The stream ends at once."""
    assert await collected(jobs) == []


async def test_no_more_than_the_limit_run_at_once():
    """A job that ends makes room for one other."""
    gates = Gates()
    async with run_many(range(6), gates.run, max_concurrency=2) as results:
        await gates.until_started(2)
        assert gates.started == [0, 1]
        for done in range(6):
            gates.open(done)
            assert await results.receive() == done
            await gates.until_started(min(done + 3, 6))

    assert (gates.most, gates.started) == (2, list(range(6)))


async def test_results_come_in_the_order_they_finish():
    """A slow job delays no other."""
    gates = Gates()
    order = [2, 0, 1]
    async with run_many(range(3), gates.run, max_concurrency=3) as results:
        await gates.until_started(3)
        for job in order:
            gates.open(job)
            assert await results.receive() == job


async def test_input_is_pulled_only_when_a_worker_is_free():
    """An endless input, and a list of a million, cost what is in flight."""
    pulled, gates = [], Gates()
    async with run_many(endless(pulled), gates.run, max_concurrency=3) as results:
        await gates.until_started(3)
        await anyio.wait_all_tasks_blocked()
        assert pulled == [0, 1, 2]
        gates.open(1)
        await results.receive()
        await gates.until_started(4)
        await anyio.wait_all_tasks_blocked()
        assert pulled == [0, 1, 2, 3]


async def test_slow_consumer_stops_the_work():
    """Results that are not taken do not pile up: a short queue, one more for each worker, and no further."""
    pulled = []
    async with run_many(endless(pulled), same, max_concurrency=3) as results:
        await anyio.wait_all_tasks_blocked()
        assert len(pulled) == 6
        assert await results.receive() == 0
        await anyio.wait_all_tasks_blocked()
        assert len(pulled) == 7


async def test_endless_input_can_be_left():
    """Taking what is needed and leaving is an end like any other."""
    async with run_many(endless([]), same, max_concurrency=2) as results:
        taken = [await results.receive() for _ in range(5)]

    assert sorted(taken) == [0, 1, 2, 3, 4]


async def test_leaving_cancels_what_runs():
    """After the block nothing of it is running, and jobs could clean up."""
    gates = Gates()
    async with run_many(range(9), gates.run, max_concurrency=3):
        await gates.until_started(3)
        assert gates.running == 3

    assert gates.running == 0
    assert gates.started == [0, 1, 2]


async def test_leaving_closes_an_async_generator():
    """Its last lines have run when the block is left, not at some later time."""
    log = []

    async def source():
        try:
            while True:
                yield 0
        finally:
            await anyio.lowlevel.checkpoint()
            log.append("closed")

    jobs = source()
    async with run_many(jobs, same, max_concurrency=2) as results:
        await results.receive()

    assert log == ["closed"]


class OddError(Exception):
    """One that nothing here knows."""


GROUP = ExceptionGroup("the caller's own", [OddError("only one")])


@pytest.mark.parametrize("error", [OddError("odd"), KeyError(1), GROUP], ids=["own", "builtin", "group-of-one"])
async def test_error_of_the_block_arrives_as_itself(error):
    """What a user raises between results is what a user catches, even a group with one member."""
    gates = Gates()

    async def use():
        async with run_many(range(3), gates.run, max_concurrency=2):
            await gates.until_started(2)
            raise error

    with pytest.raises(type(error)) as caught:
        await use()

    assert caught.value is error
    assert gates.running == 0


@pytest.mark.parametrize("error", [OddError("odd"), KeyError(1), GROUP], ids=["own", "builtin", "group-of-one"])
async def test_error_of_a_job_ends_all_work(error):
    """It arrives as itself, and the other jobs are cancelled."""
    gates = Gates()

    async def run(job):
        if job == 2:
            raise error
        return await gates.run(job)

    with pytest.raises(type(error)) as caught:
        await collected(range(9), run)

    assert caught.value is error
    assert error.__context__ is None, "not the group that holds it"
    assert (gates.running, gates.started) == (0, [0, 1])


def failing():
    yield 0
    raise OddError("input")


async def failing_later():
    yield 0
    await anyio.lowlevel.checkpoint()
    raise OddError("input")


@pytest.mark.parametrize("make", [failing, failing_later])
@pytest.mark.parametrize("max_concurrency", [1, 4])
async def test_error_of_the_input_ends_all_work(make, max_concurrency):
    """It arrives as itself, once, however many workers wait for the next job."""
    with pytest.raises(OddError, match=r"^input$"):
        await collected(make(), max_concurrency=max_concurrency)


async def test_cancellation_from_outside_is_passed_on():
    """The block is no shield: nothing runs after its scope was cancelled."""
    gates = Gates()
    with anyio.CancelScope() as scope:
        async with run_many(range(9), gates.run, max_concurrency=3) as results:
            await gates.until_started(3)
            scope.cancel()
            await results.receive()

    assert scope.cancelled_caught
    assert gates.running == 0


async def test_several_errors_stay_together():
    """Only a lone error is taken out of its group; of two none is hidden."""

    async def fail():
        raise OddError

    async def fail_twice():
        async with collapsed(), anyio.create_task_group() as group:
            group.start_soon(fail)
            group.start_soon(fail)

    with pytest.raises(ExceptionGroup) as caught:
        await fail_twice()

    assert [type(error) for error in caught.value.exceptions] == [OddError, OddError]


@pytest.mark.parametrize("make", [lambda: [0, 1, 2], lambda: iter(range(3)), lambda: numbers(3)])
async def test_either_kind_of_iterable(make):
    """One loop reads both."""
    assert [item async for item in as_async(make())] == [0, 1, 2]


async def test_stream_of_somebody_else_stays_open():
    """Only generators are closed, since no one else could continue them; a stream has an owner."""
    send, receive = anyio.create_memory_object_stream[int](3)
    async with send, receive:
        for number in range(3):
            await send.send(number)
        async with run_many(receive, same, max_concurrency=1) as results:
            assert await results.receive() == 0
        await send.send(9)
        assert receive.statistics().open_receive_streams == 1


async def test_results_that_wait_keep_their_order():
    """A worker whose result has no room yet is not overtaken by one that finishes later."""
    async with run_many(range(50), same, max_concurrency=2) as results:
        await anyio.wait_all_tasks_blocked()
        assert [result async for result in results] == list(range(50))


async def test_stream_cannot_be_read_after_its_block():
    """There is no task left that could add a result."""
    async with run_many(range(9), same, max_concurrency=2) as results:
        await results.receive()
    with pytest.raises(anyio.ClosedResourceError):
        await results.receive()


async def test_idle_places_are_lent():
    """A borrowed slot is no claim: a later job is noticed, and gets the first released slot."""
    slots, order = Slots(2), []
    async with slots:
        assert slots.borrow()
        assert not slots.borrow()

        async def job():
            async with slots:
                order.append("job")

        async with anyio.create_task_group() as group:
            group.start_soon(job)
            await anyio.wait_all_tasks_blocked()
            assert slots.are_wanted
            assert order == []
            slots.give_back()
            assert not slots.borrow()
        assert order == ["job"]
        assert not slots.are_wanted
        assert slots.borrow()
        slots.give_back()


@pytest.mark.parametrize("given", [False, True])
async def test_job_that_is_cancelled_while_it_waits(given):
    """It leaves the queue, or passes its place on."""
    slots = Slots(1)
    assert slots.borrow()

    async def job():
        async with slots:
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(job)
        await anyio.wait_all_tasks_blocked()
        if given:
            slots.give_back()
        group.cancel_scope.cancel()
    if not given:
        slots.give_back()
    async with slots:
        assert not slots.borrow()
    assert slots.borrow()
