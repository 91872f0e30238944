"""The server in a separate thread, for code without an event loop."""

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
    An embedded server in a thread; otherwise like :class:`ArtifactoryServer`, without ``await``.

    Use it as a context manager, which closes everything and ends the thread at its end.

    Args:
        data: Folder for repositories and items: missing, empty, or the folder of an earlier server. None uses a
            temporary folder. Users, grants and faults are not stored.
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
        """Stop as if by SIGKILL: reset all connections, and send no more responses."""
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
