"""The server with a loop and a thread of its own, for code that has no loop."""

import asyncio
import os
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Self, Unpack

from .control import Control
from .remote import RemoteControl
from .runner import Runner, ServerOptions


class ThreadedArtifactoryServer(Control):
    """
    An Artifactory in a thread; otherwise the same as :class:`ArtifactoryServer`, without ``await``.

    Use it as a context manager; leaving it closes everything and ends the thread.

    Args:
        data: Folder that keeps repositories and items: a missing or empty one, or one that a server used before;
            None for a temporary one, removed at exit. Users, grants and faults are never kept.
        options: The settings in :class:`ServerOptions`.
    """

    def __init__(self, data: str | os.PathLike[str] | None = None, **options: Unpack[ServerOptions]) -> None:
        super().__init__(Runner(data, **options))
        self._thread = Thread(target=self._run, name="aioartifact-server-loop")
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._stopping = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started.result().call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        if error is None:
            self._demand_known_endpoints()

    def abort(self) -> None:
        """Die as by SIGKILL: reset every connection, stop listening; nothing is answered after."""
        asyncio.run_coroutine_threadsafe(self._runner.abort(), self._started.result()).result()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        try:
            await self._runner.start(self._prepare, RemoteControl(self, self._runner).answer)
        except BaseException as error:  # noqa: BLE001  # raised again where the server was entered
            self._started.set_exception(error)
            return
        self._started.set_result(asyncio.get_running_loop())
        try:
            await self._stopping.wait()
        finally:
            await self._runner.stop()
