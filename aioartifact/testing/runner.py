"""Start and stop everything one server consists of; the public classes wrap this."""

import asyncio
import ipaddress
import os
import sqlite3
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import UTC, tzinfo
from functools import partial
from tempfile import TemporaryDirectory
from typing import TypedDict

from aiohttp import web

from .accounts.auth import Accounts, User, administrator
from .accounts.lockouts import Lockouts
from .app import App, ConnectionNumbers
from .clocks import Clock
from .instance import Edition, Instance
from .profiles import PROFILES, Profile, ProfileName
from .repositories.definitions import Repository
from .storage.data_folder import DataFolder, DataFolderError
from .storage.store import Store
from .wire.faults import Faults
from .wire.log import RequestLog
from .wire.transmission import Sent, reset
from .wire.upstream import Upstream

Handler = Callable[[web.BaseRequest], Awaitable[Sent]]

DEFAULT_REPOSITORY = "generic-local"

_LINE_LIMIT = 64 << 10  # bytes of a request line or header: long paths and property lists
_READ_BUFFER = 1 << 20  # bytes; a larger one than aiohttp's spares pausing and resuming on uploads
_THREADS = 4
_ACCEPTING = 4  # turns of the loop without an open connection, after which none is on its way any more


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


class ServerOptions(TypedDict, total=False):
    """
    Settings of a server; each may be left out.

    Attributes:
        host: Address to listen on; ``127.0.0.1`` if left out.
        password: Password of the administrator; a well-known one if left out, which is refused for addresses that
            other machines reach.
        port: Port to listen on; any free one if left out or 0.
        context_path: Path in front of everything, ``""`` for none; ``/artifactory`` if left out.
        edition: ``oss`` refuses what needs Artifactory Pro; ``pro`` if left out.
        profile: The release to be: ``6.20``, ``7.x``, or one made of these; ``6.20`` if left out.
        anonymous: Whether requests without credentials are let in, with what was granted to ``anonymous``;
            false if left out.
        hide_unauthorized: Answer 404 where a user may not read, instead of 401 and 403; false if left out.
        ssl_context: Serve HTTPS with it, on both origins; HTTP if left out.
        time_zone: Zone of the dates in answers; UTC if left out.
        redirect_over: Files of at least this many bytes answer 302 to a signed URL on the second origin; none do
            if left out.
        storage_host: Host name in the URLs of the second origin; if left out ``localhost`` where *host* is
            ``127.0.0.1`` without TLS, since clients that drop credentials on redirects compare host names, else *host*.
        base_url: What links in answers start with, context path included, where no proxy says otherwise; the
            address a request went to if left out.
        suspend_logins: Make users whose logins failed twice in a row wait before the next one, half a second
            more with each failure, as real servers do; false if left out.
        lock_after: Lock a user after that many failed logins in a row; never if left out.
        clock: Returns epoch seconds, or a :class:`ManualClock`; ``time.time`` if left out.
        strict: Fail on leaving the server where endpoints were asked for that it does not serve; false if left out.
    """

    host: str
    password: str | None
    port: int
    context_path: str
    edition: Edition
    profile: ProfileName | Profile
    anonymous: bool
    hide_unauthorized: bool
    ssl_context: ssl.SSLContext | None
    time_zone: tzinfo
    redirect_over: int | None
    storage_host: str | None
    base_url: str
    suspend_logins: bool
    lock_after: int | None
    clock: Clock
    strict: bool


class Runner:
    """
    One server: its state, its two listeners, its threads.

    Args:
        data: Folder that keeps repositories and items: a missing or empty one, or one that a server used before;
            None for a temporary one, removed at the end. Users,
            grants and faults are never kept.
        options: The settings.
    """

    instance: Instance

    def __init__(
        self,
        data: str | os.PathLike[str] | None = None,
        *,
        host: str = "127.0.0.1",
        password: str | None = None,
        port: int = 0,
        context_path: str = "/artifactory",
        edition: Edition = "pro",
        profile: ProfileName | Profile = "6.20",
        anonymous: bool = False,
        hide_unauthorized: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        time_zone: tzinfo = UTC,
        redirect_over: int | None = None,
        storage_host: str | None = None,
        base_url: str = "",
        suspend_logins: bool = False,
        lock_after: int | None = None,
        clock: Clock = time.time,
        strict: bool = False,
    ) -> None:
        if password == "" or (password is None and not _is_loopback(host)):
            raise ValueError(f"the administrator needs a password of its own to listen on {host}")
        self.admin: User = administrator(password)
        self.strict = strict
        release = profile if isinstance(profile, Profile) else PROFILES[profile]
        lockouts = Lockouts(suspend_logins, lock_after, release.longest_suspension)
        self.log: RequestLog = RequestLog()
        self.faults: Faults = Faults()
        self._data = None if data is None else DataFolder(data)
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        default = "localhost" if host == "127.0.0.1" and ssl_context is None else host
        self._storage_host = storage_host or default
        self._make_instance = partial(
            Instance,
            accounts=Accounts(self.admin, allow_anonymous=anonymous, profile=release, lockouts=lockouts, clock=clock),
            context_path=context_path.rstrip("/"),
            edition=edition,
            profile=release,
            hide_unauthorized=hide_unauthorized,
            zone=time_zone,
            redirect_over=redirect_over,
            base_url=base_url.rstrip("/"),
            clock=clock,
        )
        self._listeners: list[asyncio.Server] = []
        self._servers: list[web.Server] = []
        self._resources = AsyncExitStack()

    async def start(self) -> None:
        """Open the data and listen on both origins; on failure nothing stays open."""
        async with AsyncExitStack() as resources:
            folder = self._data or DataFolder(resources.enter_context(TemporaryDirectory(prefix="aioartifact-")))
            resources.enter_context(folder)
            store = _open_store(folder, durable=self._data is not None)
            resources.callback(store.close)
            folder.set_ready()
            executor = resources.enter_context(ThreadPoolExecutor(_THREADS, "aioartifact-server"))
            self.instance = self._make_instance(store=store, executor=executor)
            if DEFAULT_REPOSITORY not in self.instance.repositories:
                self.instance.add_repository(Repository(DEFAULT_REPOSITORY))
            upstream = await resources.enter_async_context(Upstream(self.instance))
            app = App(self.instance, self.log, self.faults, upstream)
            resources.push_async_callback(self._end, _abort)
            self.instance.origin = await self._listen(app.main, app.connections, self._port, self._host)
            self.instance.storage_origin = await self._listen(app.storage, app.connections, 0, self._storage_host)
            self._resources = resources.pop_all()

    async def stop(self) -> None:
        """Close every connection, listener, thread and file."""
        await self._resources.aclose()

    async def abort(self) -> None:
        """Reset every connection and stop listening; :meth:`stop` is still to be called."""
        await self._end(reset)

    async def _listen(self, handler: Handler, numbers: ConnectionNumbers, port: int, name: str) -> str:
        server = _Listener(handler, numbers)
        self._servers.append(server)
        listener = await asyncio.get_running_loop().create_server(
            server, self._host, port, ssl=self._ssl_context, backlog=1024
        )
        self._listeners.append(listener)
        scheme = "https" if self._ssl_context else "http"
        host = f"[{name}]" if ":" in name else name
        return f"{scheme}://{host}:{listener.sockets[0].getsockname()[1]}"

    async def _end(self, end: Callable[[asyncio.Transport], None]) -> None:
        """Stop listening, *end* connections; requests under way are cancelled and waited for."""
        _stop_accepting(self._listeners)
        self.faults.clear()
        # aiohttp drops a connection when its task has ended, and tells nobody; neither does the loop when one that
        # it has accepted joins, which takes a few turns.
        quiet = 0
        while quiet < _ACCEPTING:
            open_connections = [each for server in self._servers for each in server.connections]
            for connection in open_connections:
                if connection.transport:
                    end(connection.transport)
            quiet = 0 if open_connections else quiet + 1
            await asyncio.sleep(0)
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        self._servers.clear()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _open_store(folder: DataFolder, *, durable: bool) -> Store:
    try:
        return Store(folder.path, durable=durable)
    except (OSError, sqlite3.Error) as error:
        raise DataFolderError(folder.path, str(error)) from error


def _stop_accepting(listeners: Iterable[asyncio.Server]) -> None:
    """Leave new connections to the system: asyncio never ends one that it accepts in closing."""
    loop = asyncio.get_running_loop()
    for listener in listeners:
        for each in listener.sockets:
            with suppress(NotImplementedError):  # Windows: there nothing is watched, but accepted beforehand
                loop.remove_reader(each.fileno())


def _abort(transport: asyncio.Transport) -> None:
    transport.abort()
