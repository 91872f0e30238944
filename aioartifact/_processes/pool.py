"""One stream of jobs for several processes, and one stream of their results."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp
import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream

from .._address import ServerURL
from .._errors import WorkerError
from .._progress import EventKind, Progress
from .._protocol import not_sent
from .._scheduler import as_async, collapsed
from .._session import SessionState, describe, pack, state_of
from .child import Child, started
from .messages import Begin, Done, End, Jobs, Raised, Told, Work
from .relay import Ledger

# Jobs that go out together.
_CHUNK = 32
# Jobs that may wait in a process beyond those it is on.
_MAX_AHEAD = 256
# A job that was in the hands of so many processes when they died is not tried again: it may be what kills them.
_MAX_DEATHS = 2


@asynccontextmanager
async def run_in_processes(
    jobs: AsyncIterable[Any],
    work: Work,
    *,
    session: aiohttp.ClientSession,
    progress: Progress,
    processes: int,
    max_concurrency: int,
) -> AsyncIterator[ObjectReceiveStream[Any]]:
    """
    Have *work* done on every job, in several processes, with at most *max_concurrency* jobs at a time in all.

    Yields a stream of results in the order they arrive. Leaving the block ends the processes. What the work or the
    input raises ends everything and is raised from the block, as itself.

    Args:
        jobs: The jobs.
        work: What to do with them.
        session: Session like which each process opens one.
        progress: Shows the progress of all processes.
        processes: How many processes.
        max_concurrency: Jobs at a time in all processes together.

    Raises:
        InvalidArgumentError: No other process can open a session like this one.
        WorkerError: No process could be started.
    """
    processes = min(processes, max_concurrency)
    begin = Begin(
        describe(session).divided(processes),
        work,
        max_concurrency // processes,
        progress.is_heard,
        type(asyncio.get_running_loop()).__module__.startswith("uvloop"),
    )
    results, receive = anyio.create_memory_object_stream[Any](max_concurrency)
    async with _first_error(), anyio.create_task_group() as group, receive:
        async with results:
            supply = _Supply()
            crew = _Crew(begin, supply, state_of(session), progress)
            group.start_soon(supply.fill, jobs, work, results.clone())
            for _ in range(processes):
                group.start_soon(crew.work, results.clone())
        try:
            yield receive
        finally:
            group.cancel_scope.cancel()


@asynccontextmanager
async def _first_error() -> AsyncIterator[None]:
    """Raise one error out of a task group as itself: several processes may fail at once, for the same reason."""
    try:
        yield
    except BaseExceptionGroup as group:
        error = group.exceptions[0]
    else:
        return
    raise error


@dataclass(slots=True)
class _Ticket:
    """A job, how many processes have died of it, perhaps, and whether a sink knows that it was started."""

    job: Any
    deaths: int = 0
    is_begun: bool = False


class _Supply:
    """Jobs that were pulled a little ahead of the processes that will do them."""

    def __init__(self) -> None:
        self._tickets: deque[_Ticket] = deque()
        self._ended = False
        self._changed = anyio.Event()

    async def fill(self, jobs: AsyncIterable[Any], work: Work, results: ObjectSendStream[Any]) -> None:
        """Pull jobs as there is room for them; what is settled goes straight to the *results*."""
        async with results, aclosing(as_async(jobs)) as pulled:
            async for job in pulled:
                if (result := work.settled(job)) is not None:
                    await results.send(result)
                    continue
                while len(self._tickets) >= _CHUNK:
                    await self._change()
                self._tickets.append(_Ticket(job))
                self._notify()
        self._ended = True
        self._notify()

    async def ready(self) -> bool:
        """Wait for a job; False if there will be none."""
        while not self._tickets and not self._ended:
            await self._change()
        return bool(self._tickets)

    def take(self, number: int) -> list[_Ticket]:
        """Take up to *number* jobs that are there. It does not wait, so none is lost between two hands."""
        taken = [self._tickets.popleft() for _ in range(min(number, len(self._tickets)))]
        self._notify()
        return taken

    def give_back(self, tickets: Iterable[_Ticket]) -> None:
        """Have others do jobs that were taken."""
        self._tickets.extendleft(tickets)
        self._notify()

    async def _change(self) -> None:
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


@dataclass(frozen=True, slots=True)
class _Crew:
    """What all processes of a call have in common."""

    begin: Begin
    supply: _Supply
    state: SessionState
    progress: Progress

    async def work(self, results: ObjectSendStream[Any]) -> None:
        """Keep one process at work as long as there are jobs; the place of one that dies is taken by another."""
        async with results:
            while await self.supply.ready():
                async with self._started() as (child, messages):
                    shift = _Shift(self, child)
                    await shift.run(results, messages)
                    code = await child.end()
                await self._retry(shift.held.values(), code, results)

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[tuple[Child, AsyncIterable[Any]]]:
        """Start a process, and another one if it is killed at once."""
        async with AsyncExitStack() as stack:
            try:
                process = await stack.enter_async_context(started(self.begin))
            except WorkerError as error:
                if error.exit_code is None or error.exit_code >= 0:
                    raise
                process = await stack.enter_async_context(started(self.begin))
            yield process

    async def _retry(self, tickets: Iterable[_Ticket], code: int, results: ObjectSendStream[Any]) -> None:
        """Have jobs that a dead process was on done by another, once."""
        kept: list[_Ticket] = []
        for ticket in tickets:
            ticket.deaths += 1
            if ticket.deaths < _MAX_DEATHS:
                kept.append(ticket)
            else:
                await results.send(self.begin.work.lost(ticket.job, _death(code), self.progress))
        self.supply.give_back(kept)


def _death(code: int) -> WorkerError:
    return WorkerError(
        f"the worker process died with exit code {code}, and so did the one before it",
        exit_code=code,
        hint="systems kill processes when memory runs out: lower max_concurrency or processes",
    )


class _Shift:
    """The time of one process: what it is told, and what it has not done yet."""

    def __init__(self, crew: _Crew, child: Child) -> None:
        self.held: dict[int, _Ticket] = {}
        self._crew = crew
        self._child = child
        self._ledger = Ledger(crew.progress)
        self._numbers = count()
        self._window = crew.begin.max_concurrency
        self._room = anyio.Event()
        self._told: set[ServerURL] = set()

    async def run(self, results: ObjectSendStream[Any], messages: AsyncIterable[Any]) -> None:
        """Hand out jobs and pass on results until the process ends."""
        async with collapsed(), anyio.create_task_group() as group:
            group.start_soon(self._feed, results)
            async for message in messages:
                if isinstance(message, Raised):
                    raise message.error
                if isinstance(message, Done):
                    await self._settle(message, results)
            group.cancel_scope.cancel()
        self._ledger.revert()

    async def _feed(self, results: ObjectSendStream[Any]) -> None:
        while await self._crew.supply.ready():
            while not (room := self._window - len(self.held)) > 0:
                self._room = anyio.Event()
                await self._room.wait()
            # Others may have been quicker.
            tickets = self._crew.supply.take(min(room, _CHUNK))
            if tickets := await self._without_refused(tickets, results):
                await self._hand_out(tickets)
        await self._child.send(End())

    async def _without_refused(self, tickets: list[_Ticket], results: ObjectSendStream[Any]) -> list[_Ticket]:
        """Fail the jobs whose server has refused its credentials to another process; return the others."""
        kept: list[_Ticket] = []
        work = self._crew.begin.work
        for ticket in tickets:
            server = work.server(ticket.job)
            if status := self._crew.state.refusal(server):
                error = not_sent(server, status, login_hint=self._crew.state.login_hint(server))
                await results.send(work.lost(ticket.job, error, self._crew.progress))
            else:
                kept.append(ticket)
        return kept

    async def _hand_out(self, tickets: list[_Ticket]) -> None:
        numbered = {next(self._numbers): ticket for ticket in tickets}
        self.held.update(numbered)
        state = self._crew.state
        servers = {self._crew.begin.work.server(ticket.job) for ticket in tickets} - self._told
        for server in servers:
            await state.admit(server)
        self._told |= servers
        jobs = {number: ticket.job for number, ticket in numbered.items()}
        await self._child.send(Jobs(jobs, pack(state.credentials, servers)))

    async def _settle(self, done: Done, results: ObjectSendStream[Any]) -> None:
        """Pass results on; as many jobs may wait in the process as it does between two messages."""
        self._ledger.apply(done.moves)
        self._tell(done.moves.told)
        for server, status in done.refused.items():
            self._crew.state.refuse_credentials(server, status)
        self._window = self._crew.begin.max_concurrency + min(2 * len(done.results), _MAX_AHEAD)
        for number, result in done.results.items():
            self._ledger.settle(number)
            del self.held[number]
            await results.send(result)
        self._room.set()

    def _tell(self, told: Iterable[tuple[int, Told]]) -> None:
        """Tell the sink what happened in the process; a job that was begun by another one does not start twice."""
        for number, (event, key, size, total, attempt) in told:
            ticket = self.held[number]
            kind: EventKind = "retrying" if event == "started" and ticket.is_begun else event
            ticket.is_begun = ticket.is_begun or event == "started"
            self._crew.progress.tell(kind, key, size, total, attempt if kind == event else attempt + 1)
