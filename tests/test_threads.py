import asyncio
import gc
import threading
import weakref
from contextlib import aclosing

import anyio
import pytest

from aioartifact import _threads
from aioartifact._files.source import read_blocks
from aioartifact._threads import _Job, check_wanted, run, run_short


async def test_function_runs_in_a_thread():
    """The loop is never blocked by a disk; arguments, result and error pass through."""
    assert await run(threading.get_ident) != threading.get_ident()
    assert await run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await run(divmod, 1, 0)


async def test_threads_are_few():
    """However many files are in flight, eight of them use the disk at a time."""
    inside, most, everyone = 0, 0, threading.Barrier(8, timeout=30)
    lock = threading.Lock()

    def meet():
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        everyone.wait()  # passes only in company of seven others
        with lock:
            inside -= 1

    async with anyio.create_task_group() as group:
        for _ in range(24):
            group.start_soon(run, meet)

    assert most == 8


async def test_cancelled_caller_waits_for_its_thread():
    """When the caller has left, nothing writes to its files any more."""
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        began.set()
        may_end.wait(30)
        ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run, work)
        await anyio.to_thread.run_sync(began.wait, 30)
        group.cancel_scope.cancel()
        may_end.set()

    assert ended.is_set()


async def test_long_job_ends_when_its_caller_has_left():
    """A cancelled caller does not wait until a hundred gigabytes are hashed; the next job is not affected."""
    began, ended = threading.Event(), threading.Event()

    def work():
        began.set()
        try:
            while True:
                check_wanted()
        finally:
            ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run, work)
        await anyio.to_thread.run_sync(began.wait, 30)
        group.cancel_scope.cancel()
    assert ended.is_set()
    check_wanted()
    await asyncio.gather(*(run(check_wanted) for _ in range(16)))


async def test_short_jobs_share_a_thread():
    """Many short jobs at once are taken by few threads, each job once, each result to its own caller."""
    taken = []

    def square(number):
        taken.append((number, threading.get_ident()))
        return number * number

    results = await asyncio.gather(*(run_short(square, number) for number in range(500)))
    assert results == [number * number for number in range(500)]
    assert sorted(number for number, _ in taken) == list(range(500))
    assert len({thread for _, thread in taken}) <= 8
    assert threading.get_ident() not in {thread for _, thread in taken}


@pytest.mark.parametrize("crowd", [1, 40])
async def test_short_job_waits_for_no_timer_where_no_thread_is_busy(monkeypatch, crowd):
    """The time after which a slow disk gets another thread holds up no job, whatever ran before it."""
    monkeypatch.setattr(_threads, "_PATIENCE", 3600.0)
    for _ in range(3):
        await asyncio.gather(*(run_short(threading.get_ident) for _ in range(crowd)))
        await run_short(threading.get_ident)


async def test_failing_short_job_fails_alone():
    """An error goes to the caller of its job."""

    def divide(number):
        return 12 // number

    results = await asyncio.gather(*(run_short(divide, number) for number in range(5)), return_exceptions=True)
    assert isinstance(results[0], ZeroDivisionError)
    assert results[1:] == [12, 6, 4, 3]


async def test_slow_disk_gets_more_threads():
    """Short jobs that turn out long are helped by further threads instead of waiting in one line."""
    company = threading.Barrier(2, timeout=30)  # passes only where two run at a time
    await asyncio.gather(*(run_short(company.wait) for _ in range(16)))


async def test_cancelled_caller_waits_for_its_short_job():
    """A short job that was asked for has run when its caller is gone."""
    may_end, ended = threading.Event(), threading.Event()

    def work():
        may_end.wait(30)
        ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run_short, work)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
        may_end.set()
    assert ended.is_set()


def test_threads_end_with_their_loop():
    """A loop that is gone leaves neither threads nor itself behind."""

    async def work():
        await asyncio.gather(run(threading.get_ident), run_short(threading.get_ident))
        return weakref.ref(asyncio.get_running_loop())

    before = set(threading.enumerate())
    loop = asyncio.run(work())
    gc.collect()
    while loop() is not None:  # a thread may have its last job in hand for a moment longer
        gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=30)
        assert not thread.is_alive()


def dropping_news(loop):
    """Replace the next callback that is scheduled for a disk thread's result with one that raises KeyboardInterrupt."""
    schedule, dropped = loop.call_soon_threadsafe, []

    def interrupt(*_):
        raise KeyboardInterrupt

    def replace(callback, *args, **kwargs):
        if callback != loop.stop and not dropped:
            dropped.append(callback)
            return schedule(interrupt, **kwargs)
        return schedule(callback, *args, **kwargs)

    loop.call_soon_threadsafe = replace


async def _read_blocks(path):
    async with aclosing(read_blocks(path)) as blocks:
        async for _ in blocks:
            pass


# A file that was opened while the event loop lost the news is closed by its collection.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("is_cancelled_first", [True, False], ids=["second Ctrl-C", "first Ctrl-C"])
@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda _: run(bool), id="long"),
        pytest.param(lambda _: run_short(bool), id="short"),
        pytest.param(lambda path: _read_blocks(path), id="aiofiles"),
    ],
)
def test_interrupt_in_place_of_the_result(tmp_path, use, is_cancelled_first):
    """KeyboardInterrupt drops the callback that would deliver a result; the event loop ends all the same."""
    path = tmp_path / "file"
    path.write_bytes(b"content")

    pools = []

    async def call():
        pools.append(_threads.executor())
        if is_cancelled_first:
            asyncio.current_task().cancel()  # as asyncio.run does at the first Ctrl-C
        dropping_news(asyncio.get_running_loop())
        with anyio.CancelScope(shield=True):
            await use(str(path))

    async def main():
        await asyncio.create_task(call())

    loop = asyncio.new_event_loop()
    # A loop that is stopped in its clean-up raises RuntimeError.
    watchdog = threading.Timer(30, lambda: loop.call_soon_threadsafe(loop.stop))
    watchdog.start()
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner, pytest.raises(KeyboardInterrupt):
            runner.run(main())
    finally:
        watchdog.cancel()
        pools[0].shutdown()  # what the thread has opened is garbage now, and not in a later test


async def test_job_whose_thread_was_never_called_runs():
    """KeyboardInterrupt may also drop the callback that calls a thread; the job still runs before its caller leaves."""
    loop, ran = asyncio.get_running_loop(), threading.Event()
    pool = _threads._pool(loop)
    pool._is_calling = True  # as where the callback was dropped: no other comes
    task = asyncio.create_task(run_short(ran.set))
    await anyio.lowlevel.checkpoint()
    task.cancel()
    with anyio.fail_after(30):
        await asyncio.wait([task])
    assert task.cancelled()
    assert ran.is_set()


async def test_caller_cancelled_as_its_short_job_is_delivered():
    """In the turn of the loop in which a job ends, a caller may leave as well; no other caller waits for that."""
    job = _Job(asyncio.get_running_loop(), lambda: None)
    task = asyncio.create_task(job.result())
    await anyio.lowlevel.checkpoint()
    job.run()
    task.cancel()
    job.deliver()
    with anyio.fail_after(30):
        await asyncio.wait([task])
    assert task.cancelled()
