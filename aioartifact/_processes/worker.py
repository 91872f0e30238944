"""What runs in a process that does jobs for the one that started it."""

import asyncio
import os
import pickle
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from math import inf
from threading import Thread
from time import sleep
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from .._address import ServerURL
from .._credentials import Credentials
from .._errors import WorkerError
from .._scheduler import collapsed, run_many
from .._session import SessionState, open_described, state_of, unpack
from .._threads import run
from .messages import Begin, Decoder, Done, End, FromProcess, Jobs, Raised, Ready, encode
from .relay import JOB, ProgressRelay

_READ_SIZE = 64 * 1024
# Results of this long go together: waking the caller for each would cost it more than the work itself.
_PAUSE = 0.01
# Whoever started this process has ended; what it holds is let go of within this time, or dropped.
_LAST_SECONDS = 2.0


def main() -> None:
    """Do what the process at the other end of the pipes says, until it is done or gone."""
    pipe = os.dup(1)
    os.dup2(2, 1)  # what some library prints must not get between the messages
    messages = _messages()
    begin = next(messages, None)
    if begin is None:
        return
    with suppress(BrokenPipeError), asyncio.Runner(loop_factory=_loop_factory(begin)) as runner:
        _send(pipe, Ready())
        try:
            runner.run(_Worker(begin, messages, pipe).run())
        except Exception as error:  # noqa: BLE001  # raised again where the call was made
            _send(pipe, Raised(_portable(error)))


def _portable(error: Exception) -> Exception:
    """The *error*, or one that tells of it where it cannot travel."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # what has just been written
    except Exception:  # noqa: BLE001  # anything may go wrong in classes of others
        return WorkerError(f"a worker process failed with {type(error).__name__}: {error}")
    return error


def _loop_factory(begin: Begin) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if not begin.uses_uvloop:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return factory


def _messages() -> Iterator[Any]:
    """Read messages until the pipe is closed; blocks."""
    decoder = Decoder()
    while data := os.read(0, _READ_SIZE):
        yield from decoder.feed(data)


def _send(pipe: int, message: FromProcess) -> None:
    """Write a message; blocks."""
    view = memoryview(encode(message))
    while view:
        view = view[os.write(pipe, view) :]


def _cancel_once(task: asyncio.Task[Any]) -> None:
    """Service managers send SIGTERM to the caller too, which then closes the pipe; that is not to end the clean-up."""
    if not task.cancelling():
        task.cancel()


class _Worker:
    """Does jobs in one event loop, with a session of its own."""

    def __init__(self, begin: Begin, messages: Iterator[Any], pipe: int) -> None:
        self._begin = begin
        self._messages = messages
        self._pipe = pipe
        self._credentials: dict[ServerURL, Credentials] = {}
        self._results: dict[int, Any] = {}
        self._changed = asyncio.Event()
        self._progress = ProgressRelay(self._changed.set, is_heard=begin.is_heard)
        self._ended = False

    async def run(self) -> None:
        """Do all jobs."""
        send, jobs = anyio.create_memory_object_stream[tuple[int, Any]](inf)
        task = asyncio.current_task()
        assert task is not None
        end = partial(_cancel_once, task)
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # Windows has nothing like it
            loop.add_signal_handler(signal.SIGTERM, end)
        Thread(target=self._receive, args=(loop, end, send), daemon=True, name="aioartifact-pipe").start()
        with jobs, suppress(asyncio.CancelledError):
            async with (
                await open_described(self._begin.session, self._credentials.__getitem__) as session,
                self._begin.work.opened(session, self._progress) as work,
                collapsed(),
                anyio.create_task_group() as group,
            ):
                state = state_of(session)
                group.start_soon(self._report, state)
                with state.calls.call():
                    await self._work(jobs, work)

    async def _work(self, jobs: AsyncIterator[tuple[int, Any]], work: Callable[[Any], Any]) -> None:
        async def do(numbered: tuple[int, Any]) -> tuple[int, Any]:
            JOB.set(numbered[0])
            return numbered[0], await work(numbered[1])

        async with run_many(jobs, do, max_concurrency=self._begin.max_concurrency) as results:
            async for number, result in results:
                self._results[number] = result
                self._changed.set()
        self._ended = True
        self._changed.set()

    async def _report(self, state: SessionState) -> None:
        """Send what is done, and how far the rest is, as long as there is anything."""
        ended = False
        while not ended:
            await self._changed.wait()
            if not self._ended:
                await anyio.sleep(_PAUSE)
            self._changed.clear()
            ended, results, self._results = self._ended, self._results, {}
            refused = {server: status for server in self._credentials if (status := state.refusal(server))}
            await run(_send, self._pipe, Done(results, self._progress.take(), refused))

    def _receive(
        self,
        loop: asyncio.AbstractEventLoop,
        end: Callable[[], None],
        jobs: MemoryObjectSendStream[tuple[int, Any]],
    ) -> None:
        """Pass jobs on as they arrive; end this process when the one that started it is gone. In a thread."""
        try:
            for message in self._messages:
                loop.call_soon_threadsafe(self._take, jobs, message)
            loop.call_soon_threadsafe(end)
        except RuntimeError:
            return  # the loop is closed, the work done
        sleep(_LAST_SECONDS)
        os._exit(1)

    def _take(self, jobs: MemoryObjectSendStream[tuple[int, Any]], message: Jobs | End) -> None:
        if isinstance(message, End):
            jobs.close()
            return
        self._credentials.update(unpack(message.credentials))
        for numbered in message.jobs.items():
            jobs.send_nowait(numbered)
