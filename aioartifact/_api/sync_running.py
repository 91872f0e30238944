"""Execute a plan: transfers first, and only if all of them succeeded, renames and deletions."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import anyio

from .._errors import ArtifactoryError
from .._reports import Outcome
from .._sync import ActionKind, SyncAction, SyncPlan
from .._transfer.accounting import failed
from .._transfer.many.fetcher import SmallTargets, Target
from .sync_endpoints import SyncEndpoint, SyncWork

# Each begins after all previous ones have succeeded.
_LAST_PHASES: tuple[ActionKind, ...] = ("rename", "delete")


class SyncRun:
    """Executes one plan, once."""

    def __init__(self, plan: SyncPlan, endpoint: SyncEndpoint) -> None:
        self._plan = plan
        self._endpoint = endpoint
        self._open = 0
        self._change = anyio.Event()
        self._has_failed = False

    async def jobs(self) -> AsyncGenerator[SyncWork, None]:
        """Yield the actions; a phase begins after the previous one has succeeded as a whole."""
        async with aclosing(self._first_phase()) as works:
            async for work in works:
                self._open += 1
                yield work
        for kind in _LAST_PHASES:
            await self._idle()
            if self._has_failed:
                return
            for action in self._plan.of(kind):
                self._open += 1
                yield action
            if kind == "rename":
                async with aclosing(self._claims()) as claims:
                    async for claim in claims:
                        yield claim

    async def _claims(self) -> AsyncGenerator[SyncWork, None]:
        """Yield the checksum files to send, after the files they belong to are in place."""
        claims = self._endpoint.checksum_files()
        if claims:
            await self._idle()
        if not self._has_failed:
            for claim in claims:
                self._open += 1
                yield claim

    async def _first_phase(self) -> AsyncGenerator[SyncWork, None]:
        if kept := [self._kept(action) for action in self._plan.of("keep")]:
            yield kept
        for action in self._plan.of("conflict", "copy"):
            yield action
        async with aclosing(self._endpoint.transfers()) as works:
            async for work in works:
                yield work

    async def _idle(self) -> None:
        while self._open:
            self._change = anyio.Event()
            await self._change.wait()

    async def do(self, work: SyncWork) -> Outcome | Sequence[Outcome]:
        """Execute one action; an error becomes part of the outcome."""
        result = await self._done(work) if isinstance(work, SyncAction | Target | SmallTargets) else work
        outcomes = (result,) if isinstance(result, Outcome) else result
        self._has_failed = self._has_failed or any(outcome.error for outcome in outcomes)
        self._open -= 1
        self._change.set()
        return result

    async def _done(self, work: SyncAction | Target | SmallTargets) -> Outcome | Sequence[Outcome]:
        if isinstance(work, SmallTargets):
            return await self._endpoint.do(work)
        started = time.perf_counter()
        try:
            return await self._endpoint.do(work)
        except ArtifactoryError as error:
            return failed(*self._endpoint.ends(work), started, error)

    def _kept(self, action: SyncAction) -> Outcome:
        known = [file.checksums.sha256 for file in (action.source, action.target) if file]
        sha256 = next(filter(None, known), None)
        return Outcome(*self._endpoint.ends(action), "unchanged", action.size, sha256)
