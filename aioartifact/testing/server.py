"""The server in the event loop of the caller."""

import os
from types import TracebackType
from typing import Self, Unpack

from .control import Control
from .remote import RemoteControl
from .runner import Runner, ServerOptions


class ArtifactoryServer(Control):
    """
    An embedded server in the running event loop, with the repository ``generic-local``.

    Use it as an async context manager, which closes all connections, files and threads at its end::

        async with ArtifactoryServer() as server:
            server.put("generic-local/a.bin", b"...")
            ...  # talk to server.url

    Args:
        data: Folder for repositories and items: missing, empty, or the folder of an earlier server. None uses a
            temporary folder. Users, grants and faults are not stored.
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
        """Stop as if by SIGKILL: reset all connections, and send no more responses."""
        await self._runner.abort()
