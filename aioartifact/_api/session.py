"""Sessions: the factory, how every other public function gets one and parses URLs with it, and what one has done."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from functools import partial
from typing import Any, TypeAlias

import aiohttp
import anyio.to_thread
from yarl import URL

from .._address import ItemURL, ServerURL, URLLike, names_folder, parse_item_url, parse_server_url
from .._credentials import Credentials, CredentialsProvider, RegisteredProvider, parse_auth
from .._errors import InvalidArgumentError, InvalidURLError
from .._models import SessionStats
from .._options import Limits, Timeouts, given_or
from .._retry import RetryPolicy
from .._session import (
    TELEMETRY,
    ClientCertificate,
    Middleware,
    ObservedOperation,
    SessionState,
    TraceConfig,
    Verify,
    check_additions,
    derived_session,
    new_session,
    state_of,
)
from .._transfer.local_paths import item_below
from .credentials import look_up_servers, look_up_with_changes

Auth: TypeAlias = Credentials | tuple[str, str] | CredentialsProvider | Callable[[], Awaitable[Credentials]]
"""
Credentials as `session` takes them: a value, user and password (or API key), or a provider.

A provider is an object with the method of :class:`CredentialsProvider`, or an async function without arguments. The
session renews what it provides before it expires, and after a 401.
"""


class SessionOpening(AbstractAsyncContextManager[aiohttp.ClientSession]):
    """
    The context manager that :func:`session` returns.

    It is not a generator: garbage collection would close the session of a generator that is still in use.

    Attributes:
        open: Opens the session.
    """

    def __init__(self, open_: Callable[[], Awaitable[aiohttp.ClientSession]]) -> None:
        self.open = open_

    async def __aenter__(self) -> aiohttp.ClientSession:
        self._session = await self.open()
        return self._session

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


def session(
    server: URLLike | None = None,
    *,
    auth: Auth | Mapping[URLLike, Auth] | None = None,
    retry: RetryPolicy | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | aiohttp.ClientSession | None = None,
    verify: Verify = True,
    cert: ClientCertificate | None = None,
    proxy: str | URL | None = None,
    trust_env: bool = True,
    user_agent: str | None = None,
    headers: Mapping[str, str] | None = None,
    middlewares: Iterable[Middleware] | None = None,
    trace_configs: Iterable[TraceConfig] | None = None,
    connector_options: Mapping[str, Any] | None = None,
) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    """
    Open a session that sends credentials to the servers that they belong to.

    The session is a plain ``aiohttp.ClientSession``. Credentials are sent to their own server only, never to another
    host or the storage that a server redirects to. Requests that you send with the session itself contain credentials
    for servers that were passed here, or used in an earlier call of this library. One session works with any number of
    servers, in one event loop and one process. Example::

        server = "https://artifactory.example.com/artifactory"
        async with aioartifact.session(server) as session:
            print(await aioartifact.repositories(server, session=session))

    Args:
        server: Base address of a server, e.g. ``https://host/artifactory``. Required if its path does not end in
            ``/artifactory`` and is not in the user's configuration, for *auth* that is not a mapping, and for requests
            that you send with the session itself.
        auth: :class:`Credentials`, ``(user, password)``, or a :class:`CredentialsProvider`, which is called again
            before the credentials expire and after a 401; for several servers, a mapping from base addresses to these.
            None looks credentials up, see :func:`resolve_credentials`.
        retry: How to retry transient failures; None means ``RetryPolicy()``.
        timeouts: Time limits in seconds; None means ``Timeouts()``.
        limits: Concurrency and rate limits; None means ``Limits()``. An open session of this library shares its limits
            with the new one, for instance for another client certificate: the limits then apply to both together.
        verify: True verifies TLS certificates with the CA certificates of the system, or those in ``SSL_CERT_FILE`` and
            ``SSL_CERT_DIR``. A path is a file or a folder of CA certificates; an ``ssl.SSLContext`` is used as it is.
            False does not verify certificates, and issues a warning.
        cert: Client certificate: a PEM file with certificate and key, or a pair of files.
        proxy: Proxy for all requests: a URL such as ``http://user:password@host:3128``, or ``host:3128`` for http. None
            uses the environment for requests of this library: ``HTTP_PROXY`` or ``HTTPS_PROXY``, else ``ALL_PROXY``;
            and ``NO_PROXY`` with host names, domains and networks such as ``10.0.0.0/8``.
        trust_env: Whether to use proxies of the environment.
        user_agent: User-Agent to send instead of the library's own.
        headers: Header fields for requests to the servers of the session; they are not sent to other hosts, and a
            request may override them. Credentials, and fields that describe one request, are not accepted.
        middlewares: Client middlewares of aiohttp, the first one outermost. Each is called once for all attempts of a
            request, before credentials are added; not for redirects of this library's requests to another host.
        trace_configs: ``TraceConfig`` objects of aiohttp, called for each request that is sent. They receive all header
            fields, including credentials.
        connector_options: Options of ``aiohttp.TCPConnector`` for DNS, addresses and idle connections: ``family``,
            ``local_addr``, ``resolver``, ``use_dns_cache``, ``ttl_dns_cache``, ``happy_eyeballs_delay``,
            ``interleave``, ``keepalive_timeout`` and ``force_close``.

    Returns:
        An async context manager, which closes the session at the end of the block. For a session without a block, see
        :func:`open_session`.

    Raises:
        InvalidURLError: If the address of a server is not an absolute http or https URL.
        InvalidArgumentError: If *auth* is passed without a server, *proxy* is not a URL, *user_agent* contains a line
            break, *cert* is combined with an ``ssl.SSLContext``, *connector_options* has an unsupported option, or an
            argument has the wrong type.
        CredentialsError: If credentials, or the entry for *server* in a file, are malformed.
        ConfigurationError: If certificates cannot be loaded.

    See: aiohttp, "Client Middleware"; JFrog REST API, "Authentication".
    """
    return SessionOpening(
        partial(
            open_session,
            server,
            auth=auth,
            retry=retry,
            timeouts=timeouts,
            limits=limits,
            verify=verify,
            cert=cert,
            proxy=proxy,
            trust_env=trust_env,
            user_agent=user_agent,
            headers=headers,
            middlewares=middlewares,
            trace_configs=trace_configs,
            connector_options=connector_options,
        )
    )


async def open_session(
    server: URLLike | None = None,
    *,
    auth: Auth | Mapping[URLLike, Auth] | None = None,
    retry: RetryPolicy | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | aiohttp.ClientSession | None = None,
    verify: Verify = True,
    cert: ClientCertificate | None = None,
    proxy: str | URL | None = None,
    trust_env: bool = True,
    user_agent: str | None = None,
    headers: Mapping[str, str] | None = None,
    middlewares: Iterable[Middleware] | None = None,
    trace_configs: Iterable[TraceConfig] | None = None,
    connector_options: Mapping[str, Any] | None = None,
) -> aiohttp.ClientSession:
    """
    Open a session without a block; close it with ``await session.close()``.

    For notebooks, and for objects that open a session in one method and close it in another. Where an ``async with``
    block is possible, prefer :func:`session`, which has the same arguments. Closing a session twice is harmless. If it
    is garbage-collected while open, aiohttp issues a ResourceWarning.

    Args:
        server: As in :func:`session`, like all other arguments.
        auth: Credentials or a provider; None looks them up.
        retry: Which failures to retry; None means ``RetryPolicy()``.
        timeouts: Timeouts in seconds; None means ``Timeouts()``.
        limits: Concurrency and rate limits; None means ``Limits()``.
        verify: How to verify TLS certificates.
        cert: Client certificate.
        proxy: Proxy for all requests, a URL or ``host:port``.
        trust_env: Whether to use proxies of the environment.
        user_agent: User-Agent to send instead of the library's own.
        headers: Header fields to add to requests.
        middlewares: Client middlewares of aiohttp.
        trace_configs: Traces of aiohttp.
        connector_options: Options of aiohttp's connector.

    Returns:
        The open session. It belongs to the running event loop; in another one, calls raise :class:`SessionError`.

    Raises:
        InvalidURLError, InvalidArgumentError, CredentialsError, ConfigurationError: As in :func:`session`.
    """
    given = _given_credentials(server, auth)
    additions = check_additions(headers, middlewares, trace_configs)
    sharing = _state_to_share(limits) if isinstance(limits, aiohttp.ClientSession) else None
    state = SessionState(
        resolve=lambda asked: _look_up(asked, given),
        retry=given_or("retry", retry, RetryPolicy()),
        timeouts=given_or("timeouts", timeouts, Timeouts()),
        limits=given_or("limits", None if isinstance(limits, aiohttp.ClientSession) else limits, Limits()),
        trust_env=trust_env and proxy is None,
        configured=await anyio.to_thread.run_sync(look_up_servers),
        home=None if server is None else parse_server_url(server),
        additions=additions,
    )
    if sharing is not None:
        state.share_limits(sharing)
    for known in given if state.home is None else [*given, state.home]:
        await state.admit(known)
    text = str(proxy) if isinstance(proxy, URL) else proxy
    return await new_session(
        state, verify=verify, cert=cert, proxy=text, user_agent=user_agent, connector_options=connector_options
    )


def _state_to_share(session: aiohttp.ClientSession) -> SessionState:
    state = state_of(session)
    if state.foreign:
        raise InvalidArgumentError(
            "limits is a session that was not opened by aioartifact",
            hint="the limits of such a session are its owner's",
        )
    return state


def with_credentials(
    session: aiohttp.ClientSession, auth: Auth | Mapping[URLLike, Auth], *, server: URLLike | None = None
) -> aiohttp.ClientSession:
    """
    Return a session with other credentials, for instance for each user of a service, over the connections of *session*.

    ::

        token = Credentials.bearer("...")
        async with aioartifact.session(server) as shared:
            async with aioartifact.with_credentials(shared, token) as session:
                await aioartifact.download(url, folder, session=session)

    Both share connections, settings, limits and back-off, but neither credentials nor what a server has allowed with
    them. The new session sends *auth* only: requests to other servers are anonymous, even if *session* or the
    configuration of this machine has credentials for them.

    Args:
        session: A session of :func:`session`, :func:`open_session` or this function; keep it open as long as the new
            one.
        auth: Credentials or a provider for one server, or a mapping as in :func:`session`.
        server: Server of *auth*, if that is not a mapping; None means the server passed to :func:`session`.

    Returns:
        A session for an ``async with`` block, or to be closed with ``await session.close()``. Closing it leaves the
        connections open. No request is sent.

    Raises:
        InvalidArgumentError: If *session* was not opened by this library; if *auth* is neither credentials nor a
            provider, or is given without a server.
        InvalidURLError: If an address of a server is not an absolute http or https URL.
        CredentialsError: If credentials cannot be sent.
        SessionError: If *session* is closed, or belongs to another event loop or process.
    """
    state = state_of(session)
    if state.foreign:
        raise InvalidArgumentError(
            "session was not opened by aioartifact, so credentials cannot be set for it",
            hint="open it with aioartifact.session(...), or set its headers",
        )
    if auth is None:
        raise InvalidArgumentError("auth is None", hint="Credentials.anonymous() sends none")
    given = _given_credentials(state.home if server is None else parse_server_url(server), auth)
    nothing = Credentials.anonymous(source="with_credentials(), which has none for this server")
    derived = state.with_resolver(lambda asked: _given_for(asked, given) or nothing)
    derived.home = state.home if server is None else parse_server_url(server)
    for known in given:
        derived.admit_now(known)
    return derived_session(session, derived)


def _given_credentials(
    server: URLLike | ServerURL | None, auth: Auth | Mapping[URLLike, Auth] | None
) -> dict[ServerURL, Credentials | RegisteredProvider]:
    if auth is None:
        return {}
    if isinstance(auth, Mapping):
        return {parse_server_url(address): parse_auth(value) for address, value in auth.items()}
    if server is None:
        raise InvalidArgumentError(
            "auth is given without a server",
            hint="name its server: session('https://host/artifactory', auth=...)",
        )
    return {server if isinstance(server, ServerURL) else parse_server_url(server): parse_auth(auth)}


def _look_up(
    server: ServerURL, given: Mapping[ServerURL, Credentials | RegisteredProvider]
) -> Credentials | RegisteredProvider:
    return _given_for(server, given) or look_up_with_changes(server)


def _given_for(
    server: ServerURL, given: Mapping[ServerURL, Credentials | RegisteredProvider]
) -> Credentials | RegisteredProvider | None:
    above = list(filter(server.is_below, given))
    return given[max(above, key=lambda s: len(s.context_path))] if above else None


@asynccontextmanager
async def using(given: aiohttp.ClientSession | None, operation: str = "") -> AsyncIterator[aiohttp.ClientSession]:
    """
    Yield the caller's session, or open one for the block.

    *operation* is the name of the public function for an observer; None means that the block is part of another call.
    """
    observer = TELEMETRY.observer if operation else None
    with nullcontext() if observer is None else _observed(observer.start_operation(operation)):
        if given is not None:
            with state_of(given).calls.call():
                yield given
        else:
            async with session() as opened:
                with state_of(opened).calls.call():
                    yield opened


@contextmanager
def _observed(operation: ObservedOperation) -> Iterator[None]:
    try:
        with operation.active():
            yield
    except BaseException as error:
        operation.end(error)
        raise
    operation.end(None)


def item_of(session: aiohttp.ClientSession, url: URLLike) -> ItemURL:
    """Parse the URL of an item, with the servers that the session knows."""
    return parse_item_url(url, state_of(session).servers)


def file_item_of(session: aiohttp.ClientSession, url: URLLike, name: str = "") -> ItemURL:
    """
    Parse the target URL of a file; with a final slash, it is the folder in which the file is called *name*.

    Raises:
        InvalidURLError: If *url* is not the URL of an item, has a final slash and *name* is empty, or Artifactory does
            not accept *name*.
    """
    item = item_of(session, url)
    if not names_folder(url):
        return item
    if not name:
        raise InvalidURLError(f"{item}/: names a folder", hint="end the URL with the name of the file")
    return item_below(item, name)


def stats(session: aiohttp.ClientSession) -> SessionStats:
    """
    Return statistics of a session since it was opened; no request.

    For the health endpoint or the log of a service. Each session of :func:`with_credentials` has its own statistics;
    only *in_flight* is shared. For traces and metrics of all sessions, see :mod:`aioartifact.otel`.

    Args:
        session: An open session.

    Raises:
        SessionError: If *session* is closed, or belongs to another event loop or process.
        InvalidArgumentError: If *session* is not an aiohttp.ClientSession.
    """
    state = state_of(session)
    traffic = state.traffic
    return SessionStats(
        requests=traffic.requests,
        retries=traffic.retries,
        rate_limited=traffic.rate_limited,
        in_flight=sum(limits.queue.limit.in_flight for limits in state.server_limits.values()),
        bytes_received=traffic.bytes_received,
        bytes_sent=traffic.bytes_sent,
        bytes_resumed=traffic.bytes_resumed,
        cache_hits=traffic.cache_hits,
    )
