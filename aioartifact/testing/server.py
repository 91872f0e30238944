"""The servers: one that lives in the caller's event loop, one that brings a loop and a thread of its own."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from aiohttp import web

from .app import App, ConnectionNumbers
from .auth import Accounts
from .control import ADMIN, Control
from .instance import Edition, Instance
from .store import Repository, Store
from .wire import Sent, reset

Handler = Callable[[web.BaseRequest], Awaitable[Sent]]

_LINE_LIMIT = 64 << 10  # bytes of a request line or header: long paths and property lists
_READ_BUFFER = 1 << 20  # bytes; a larger one than aiohttp's spares pausing and resuming on uploads
_THREADS = 4


class _Listener(web.Server):
    """An aiohttp server that forgets the number of a connection with the connection."""

    def __init__(self, handler: Handler, numbers: ConnectionNumbers) -> None:
        super().__init__(
            handler,
            handler_cancellation=True,  # a request that sits in a stall ends with its client
            access_log=None,
            auto_decompress=False,  # artifacts are stored as they are sent
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
            read_bufsize=_READ_BUFFER,
        )
        self._numbers = numbers

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        self._numbers.pop(handler, None)
        super().connection_lost(handler, exc)


class ArtifactoryServer(Control):
    """
    An Artifactory in the running event loop; the repository ``generic-local`` exists from the start.

    Use it as an async context manager; leaving it closes every connection, file and thread. Items and
    repositories persist in *data*; users, grants and faults do not.

    Args:
        data: Folder that keeps repositories and items; None for a temporary one, removed at exit.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        context_path: Path in front of everything, ``""`` for none.
        edition: ``oss`` refuses what needs Artifactory Pro.
        anonymous: Whether requests without credentials are let in, with the rights of the user ``anonymous``.
        hide_unauthorized: Answer 404 where a user may not read, instead of 401 and 403.
        ssl_context: Serve HTTPS with it, on both origins.
        time_zone: Zone of the dates in answers.
        redirect_over: Files of at least this many bytes answer 302 to a signed URL on the second origin; None
            for never.
        clock: Returns epoch seconds; a test may bring its own.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        context_path: str = "/artifactory",
        edition: Edition = "pro",
        anonymous: bool = False,
        hide_unauthorized: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        time_zone: tzinfo = UTC,
        redirect_over: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._data = data
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._accounts = Accounts(allow_anonymous=anonymous)
        self._accounts.add(ADMIN)
        self._make_instance = partial(
            Instance,
            accounts=self._accounts,
            context_path=context_path.rstrip("/"),
            edition=edition,
            hide_unauthorized=hide_unauthorized,
            zone=time_zone,
            redirect_over=redirect_over,
            clock=clock,
        )
        self._listeners: list[asyncio.Server] = []
        self._servers: list[web.Server] = []
        self._resources = AsyncExitStack()
        self._origin = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port: ``http://127.0.0.1:PORT``."""
        return self._origin

    @property
    def url(self) -> str:
        """Base URL of the server: the origin and the context path."""
        return self._origin + self._instance.context_path

    @property
    def storage_origin(self) -> str:
        """Scheme, host and port of the second origin, which serves signed URLs and refuses credentials."""
        return self._instance.storage_origin

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as resources:
            data = self._data or Path(resources.enter_context(TemporaryDirectory(prefix="aioartifact-")))
            store = Store(data, durable=self._data is not None)
            resources.callback(store.close)
            executor = resources.enter_context(ThreadPoolExecutor(_THREADS, "aioartifact-server"))
            self._instance = self._make_instance(store=store, executor=executor)
            if "generic-local" not in self._instance.repositories:
                self._instance.add_repository(Repository("generic-local"))
            app = App(self._instance, self._log, self._faults)
            resources.push_async_callback(self._stop)
            self._origin = await self._listen(app.main, app.connections, self._port)
            self._instance.storage_origin = await self._listen(app.storage, app.connections, 0)
            self._resources = resources.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._resources.aclose()

    async def abort(self) -> None:
        """Die as by SIGKILL: reset every connection, stop listening; nothing is answered after."""
        for listener in self._listeners:
            listener.close()
        for server in self._servers:
            for connection in server.connections:
                if connection.transport:
                    reset(connection.transport)
        await self._stop()

    async def _listen(self, handler: Handler, numbers: ConnectionNumbers, port: int) -> str:
        server = _Listener(handler, numbers)
        self._servers.append(server)
        listener = await asyncio.get_running_loop().create_server(
            server, self._host, port, ssl=self._ssl_context, backlog=1024
        )
        self._listeners.append(listener)
        scheme = "https" if self._ssl_context else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{listener.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        """Close listeners and connections; requests under way are cancelled."""
        self._faults.clear()
        for listener in self._listeners:
            listener.close()
        for server in self._servers:
            await server.shutdown(timeout=0)
        self._listeners.clear()
        self._servers.clear()
