"""Start and stop all parts of a server; the public classes wrap this."""

import asyncio
import ipaddress
import json
import os
import secrets
import sqlite3
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import UTC, tzinfo
from functools import partial
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypedDict

from aiohttp import web

from .accounts.auth import Accounts
from .accounts.lockouts import Lockouts
from .accounts.principals import User, administrator
from .app import App, ConnectionNumbers
from .clocks import AdjustableClock, Clock
from .instance import Edition, Instance
from .profiles import PROFILES, Profile, ProfileName
from .read_timeouts import Connection, ReadTimeouts
from .repositories.definitions import Repository
from .storage.data_folder import DataFolder, DataFolderError
from .storage.store import Store
from .wire.faults import Faults
from .wire.log import RequestLog, RequestRecord
from .wire.transmission import reset
from .wire.upstream import Upstream

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Seed = Callable[[Any], None]  # takes the server, whose class is above this module

DEFAULT_REPOSITORY = "generic-local"

_LINE_LIMIT = 64 << 10  # bytes of a request line or header: long paths and property lists
_READ_BUFFER = 1 << 20  # bytes; a larger one than aiohttp's spares pausing and resuming on uploads
_THREADS = 4
_LOOPBACK = "127.0.0.1"
_ACCEPTING = 4  # turns of the loop without an open connection, after which none is on its way any more


class _Listener(web.Server):
    """An aiohttp server whose connections have read timeouts, and numbers as long as they are open."""

    def __init__(self, handler: Handler, numbers: ConnectionNumbers, timeouts: ReadTimeouts) -> None:
        # With cancellation a request that sits in a stall ends with its client.
        super().__init__(self._handled, handler_cancellation=True)
        self._handle = handler
        self._numbers = numbers
        self._connect = partial(
            Connection,
            self,
            timeouts,
            loop=asyncio.get_running_loop(),
            access_log=None,
            auto_decompress=False,  # artifacts are stored as they are sent
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
            read_bufsize=_READ_BUFFER,
        )

    def __call__(self) -> web.RequestHandler:
        return self._connect()

    async def _handled(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.request_started(request)
        try:
            return await self._handle(request)
        finally:
            connection.request_ended()

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        self._numbers.pop(handler, None)
        super().connection_lost(handler, exc)


class ServerOptions(TypedDict, total=False):
    """
    Settings of a server; all are optional.

    Attributes:
        host: Address to listen on; default: ``127.0.0.1``.
        password: Password of the administrator; default: ``password``. Required if other machines can reach *host*.
        port: Port to listen on; 0 (default) for any free one.
        context_path: Context path, ``""`` for none; default: ``/artifactory``.
        edition: ``pro`` (default), or ``oss``, which refuses requests that need Artifactory Pro.
        profile: Release to emulate: ``6.20`` (default), ``7.x``, or a :class:`Profile` derived from these.
        anonymous: Whether to accept requests without credentials, with the permissions of the user ``anonymous``;
            default: False.
        hide_unauthorized: Whether to respond with 404 instead of 401 and 403 if a user has no read permission; default:
            False.
        ssl_context: Context to serve HTTPS with, on both origins; default: HTTP.
        time_zone: Time zone of dates in responses; default: UTC.
        redirect_over: Minimum size in bytes of files that are redirected (302) to a signed URL on the second origin;
            default: none are.
        storage_host: Host name in URLs of the second origin. Default: ``localhost`` if *host* is ``127.0.0.1`` without
            TLS, because clients compare host names to drop credentials on redirects; otherwise *host*.
        base_url: Start of links in responses, with the context path, unless a proxy sends another one; default: the
            address of the request.
        suspend_logins: Whether to delay the logins of a user after two failed ones in a row, by half a second more with
            each, as real servers do; default: False.
        lock_after: Number of failed logins in a row after which a user is locked; default: never.
        clock: Function that returns epoch seconds, or a :class:`ManualClock`; default: the time of the machine.
        strict: Whether to fail at the end if endpoints were requested that the server does not serve; default: False.
        seed: Function that fills the server, called with it before it listens and after each reset; default: None.
        log_file: File to which each request is appended as a line of JSON; default: None.
        latency: Delay of every response in seconds of *clock*; default: 0.
        control: Whether programs in other languages may control the server over HTTP, at ``control_url`` with
            ``control_token``. It listens on 127.0.0.1 without TLS, whatever *host* is; default: False.
        request_timeout: Seconds of *clock* after which a connection is closed if its client stops in the middle of a
            request; default: 60, as with Tomcat.
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
    seed: Seed | None
    log_file: str | os.PathLike[str] | None
    latency: float
    control: bool
    request_timeout: float


class Runner:
    """
    One server: its state, its two listeners, its threads.

    Args:
        data: Folder that keeps repositories and items: a missing or empty one, or one that a server used before;
            None for a temporary one, removed at the end. Users,
            permissions, tokens and faults are never kept.
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
        clock: Clock | None = None,
        strict: bool = False,
        seed: Seed | None = None,
        log_file: str | os.PathLike[str] | None = None,
        latency: float = 0.0,
        control: bool = False,
        request_timeout: float = 60.0,
    ) -> None:
        if not request_timeout > 0:
            raise ValueError(f"the request timeout must be a number of seconds above 0, not {request_timeout}")
        if not 0 <= latency < inf:
            raise ValueError(f"the latency must be a number of seconds of at least 0, not {latency}")
        if password == "" or (password is None and not _is_loopback(host)):
            raise ValueError(f"the administrator needs a password of its own to listen on {host}")
        self.admin: User = administrator(password)
        self.strict = strict
        self.seed = seed
        self.clock: Clock = clock or AdjustableClock()
        self.control_token: str = secrets.token_urlsafe(24) if control else ""
        self.control_origin: str = ""
        release = profile if isinstance(profile, Profile) else PROFILES[profile]
        self.log: RequestLog = RequestLog()
        self.faults: Faults = Faults()
        self._data = None if data is None else DataFolder(data)
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        default = "localhost" if host == "127.0.0.1" and ssl_context is None else host
        self._storage_host = storage_host or default
        self._log_file = log_file
        self._latency = latency
        self._request_timeout = request_timeout
        self._make_lockouts = partial(Lockouts, suspend_logins, lock_after, release.longest_suspension)
        self._make_accounts = partial(
            Accounts, self.admin, allow_anonymous=anonymous, profile=release, clock=self.clock
        )
        self._make_instance = partial(
            Instance,
            context_path=context_path.rstrip("/"),
            edition=edition,
            profile=release,
            hide_unauthorized=hide_unauthorized,
            zone=time_zone,
            redirect_over=redirect_over,
            base_url=base_url.rstrip("/"),
            clock=self.clock,
        )
        self._listeners: list[asyncio.Server] = []
        self._servers: list[web.Server] = []
        self._resources = AsyncExitStack()

    @property
    def keeps_data(self) -> bool:
        """Whether repositories and items outlive the server."""
        return self._data is not None

    async def start(self, prepare: Callable[[], None], control: Handler) -> None:
        """
        Open the data and listen on both origins; on failure nothing stays open.

        Args:
            prepare: Called before anything is served.
            control: Handles requests that control the server, where these are let in.
        """
        async with AsyncExitStack() as resources:
            folder = self._data or DataFolder(resources.enter_context(TemporaryDirectory(prefix="aioartifact-")))
            resources.enter_context(folder)
            store = _open_store(folder, durable=self._data is not None)
            resources.callback(store.close)
            folder.set_ready()
            executor = resources.enter_context(ThreadPoolExecutor(_THREADS, "aioartifact-server"))
            accounts = self._make_accounts(lockouts=self._make_lockouts())
            read_timeouts = ReadTimeouts(self.clock, self._request_timeout)
            self.instance = self._make_instance(
                store=store, executor=executor, accounts=accounts, read_timeouts=read_timeouts
            )
            self._add_default_repository()
            if self._log_file is not None:
                self.log.on_done = resources.enter_context(_RequestFile(self._log_file)).write
            prepare()
            self._upstream = await resources.enter_async_context(Upstream(self.instance))
            app = App(self.instance, self.log, self.faults, self._upstream, latency=self._latency)
            resources.push_async_callback(_cancelled, asyncio.create_task(read_timeouts.run()))
            resources.push_async_callback(self._end, _abort)
            context = self._ssl_context
            address = (self._host, self._port)
            self.instance.origin = await self._listen(app.main, app.connections, address, self._host, context)
            address = (self._host, 0)
            name = self._storage_host
            self.instance.storage_origin = await self._listen(app.storage, app.connections, address, name, context)
            if self.control_token:
                numbers = ConnectionNumbers()
                self.control_origin = await self._listen(control, numbers, (_LOOPBACK, 0), _LOOPBACK, None)
            self._resources = resources.pop_all()

    async def stop(self) -> None:
        """Close every connection, listener, thread and file."""
        await self._resources.aclose()

    def reset(self) -> None:
        """Forget items, repositories, accounts, faults and requests, and set the clock right."""
        self.faults.clear()
        self.instance.clear(self._make_accounts(lockouts=self._make_lockouts()))
        self._upstream.forget()
        self._add_default_repository()
        self.log.clear()
        if isinstance(self.clock, AdjustableClock):
            self.clock.reset()

    async def abort(self) -> None:
        """Reset every connection and stop listening; :meth:`stop` is still to be called."""
        await self._end(reset)

    def _add_default_repository(self) -> None:
        if DEFAULT_REPOSITORY not in self.instance.repositories:
            self.instance.add_repository(Repository(DEFAULT_REPOSITORY))

    async def _listen(
        self,
        handler: Handler,
        numbers: ConnectionNumbers,
        address: tuple[str, int],
        name: str,
        context: ssl.SSLContext | None,
    ) -> str:
        server = _Listener(handler, numbers, self.instance.read_timeouts)
        self._servers.append(server)
        listener = await asyncio.get_running_loop().create_server(server, *address, ssl=context, backlog=1024)
        self._listeners.append(listener)
        scheme = "https" if context else "http"
        host = f"[{name}]" if ":" in name else name
        return f"{scheme}://{host}:{listener.sockets[0].getsockname()[1]}"

    async def _end(self, end: Callable[[asyncio.Transport], None]) -> None:
        """Stop listening, *end* connections; requests under way are cancelled and waited for."""
        _stop_accepting(self._listeners)
        self.faults.clear()
        # aiohttp drops a connection when its task has ended, without notice; so does the loop when one that
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


class _RequestFile:
    """A file to which each request is appended as a line of JSON, as long as its disk has space."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115  # closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.close()

    def write(self, record: RequestRecord) -> None:
        with suppress(OSError):  # the response is sent: its connection must not fail for this
            self._file.write(json.dumps(record.as_dict()) + "\n")


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


async def _cancelled(task: asyncio.Task[None]) -> None:
    """End a task that runs until it is cancelled."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _abort(transport: asyncio.Transport) -> None:
    transport.abort()
