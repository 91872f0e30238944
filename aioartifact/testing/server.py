"""The server in the caller's event loop."""

import os
from types import TracebackType
from typing import Self, Unpack

from .control import Control
from .remote import RemoteControl
from .runner import Runner, ServerOptions


class ArtifactoryServer(Control):
    """
    An Artifactory in the running event loop; the repository ``generic-local`` exists from the start.

    Use it as an async context manager; leaving it closes every connection, file and thread::

        async with ArtifactoryServer() as server:
            server.put("generic-local/a.bin", b"...")
            ...  # talk to server.url

    Args:
        data: Folder that keeps repositories and items: a missing or empty one, or one that a server used before;
            None for a temporary one, removed at exit. Users, grants and faults are never kept.
        options: The settings in :class:`ServerOptions`.
    """

    def __init__(self, data: str | os.PathLike[str] | None = None, **options: Unpack[ServerOptions]) -> None:
        super().__init__(Runner(data, **options))

    async def __aenter__(self) -> Self:
        await self._runner.start(self._prepare, RemoteControl(self, self._runner).answer)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.stop()
        if error is None:
            self._demand_known_endpoints()

    async def abort(self) -> None:
        """Die as by SIGKILL: reset every connection, stop listening; nothing is answered after."""
        await self._runner.abort()
