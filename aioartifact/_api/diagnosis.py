"""``diagnose``: check a server and the connection to it."""

import json
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from time import monotonic
from typing import TypeVar

import aiohttp

from .._address import ItemURL, ServerURL, URLLike, parse_server_url, server_of, text_of_url
from .._diagnosis import (
    Diagnosis,
    Finding,
    address_candidates,
    is_artifactory,
    judge_address,
    judge_aql,
    judge_certificate,
    judge_checksums,
    judge_clock,
    judge_connection,
    judge_credentials,
    judge_failure,
    judge_latency,
    judge_listing,
    judge_names,
    judge_proxy,
    judge_range,
    judge_repositories,
    judge_storage,
    judge_version,
)
from .._errors import ArtifactoryError, CredentialsError
from .._models import FileInfo, FolderInfo, Repository
from .._options import Timeouts
from .._protocol import IDENTITY, Request, build_ping
from .._retry import RetryPolicy
from .._session import (
    ProbeFailure,
    derived_session,
    probe_connection,
    proxy_of,
    resolve_host,
    send,
    state_of,
    stream,
)
from .aql import aql
from .items import info
from .servers import repositories, server_info
from .session import session as open_session

T = TypeVar("T")

_PINGS = 3
_MOST_FOLDERS = 8
_MOST_REPOSITORIES = 3
_MOST_CHILDREN = 2
# Shorter than those of transfers: a user is waiting for the result.
_TIMEOUTS = Timeouts(connect=10.0, stall=20.0, reply=30.0)


async def diagnose(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> Diagnosis:
    """
    Check a server and the connection to it, and return a hint for each problem.

    The checks: host name, proxy, connection, certificate, address, clock, latency, version, credentials, repositories,
    listing and AQL; with one file that is found: ranges, redirects to storage and checksums. They take about twenty
    small requests. Nothing is changed, and at most one byte of a file is downloaded. Problems are returned as findings,
    not raised. The result contains no secret.

    Args:
        url: Base address of a server, or the URL of a repository, a folder or a file on it: then the checks of listing
            and of files use that item.
        session: Session to use; None opens one for this call, without retries and with short time limits.

    Returns:
        The findings; ``ok`` is False if a check failed.

    Raises:
        InvalidURLError: If *url* is not an absolute http or https URL.
        SessionError: If *session* is closed, or belongs to another event loop or process.
        ConfigurationError: If certificates cannot be loaded, or the proxy of the environment is not a URL.
    """
    written = parse_server_url(text_of_url(url))
    async with AsyncExitStack() as stack:
        if session is None:
            opened = open_session(retry=RetryPolicy.none(), timeouts=_TIMEOUTS)
            session = await stack.enter_async_context(opened)
        state = state_of(session)
        stack.enter_context(state.calls.call())
        examination = _Examination(session, written, server_of(url, state.servers), stack)
        return await examination.run()


class _Examination:
    """The checks of one call, in order; the failure of one that later checks depend on ends the call."""

    def __init__(
        self, session: aiohttp.ClientSession, written: ServerURL, expected: ServerURL, stack: AsyncExitStack
    ) -> None:
        self._session = session
        self._written = written
        self._expected = expected
        self._server = expected
        self._stack = stack
        self._findings: list[Finding] = []

    async def run(self) -> Diagnosis:
        if await self._can_connect() and await self._is_found():
            await self._check_server()
        return Diagnosis(str(self._server), tuple(self._findings))

    def _add(self, *findings: Finding) -> bool:
        """Add findings; return False if one of them is a failure."""
        self._findings += findings
        return all(finding.status != "fail" for finding in findings)

    async def _can_connect(self) -> bool:
        server = self._expected
        proxy, is_of_environment = proxy_of(self._session, server)
        try:
            if proxy is None:  # otherwise the proxy looks up the name
                self._add(judge_names(server.host, await resolve_host(server.host, server.port)))
            self._add(judge_proxy(proxy, is_of_environment=is_of_environment))
            facts = await probe_connection(self._session, server, proxy)
        except ProbeFailure as failure:
            return self._add(judge_failure(failure.stage, server, failure.problem, failure.hint))
        self._add(judge_connection(facts.peer, facts.seconds))
        if facts.tls_version:
            self._add(judge_certificate(facts.issuer, facts.expires, facts.tls_version, datetime.now(UTC)))
        return True

    async def _is_found(self) -> bool:
        """Ping each possible base address of the server."""
        problem = ""
        for candidate in address_candidates(self._expected, self._written):
            session = await self._session_of_its_own()
            try:
                response = await send(session, build_ping(candidate))
            except CredentialsError as error:
                return self._add(Finding("credentials", "fail", error.message, error.hint))
            except ArtifactoryError as error:
                problem = problem or error.message
                continue
            if is_artifactory(response):
                self._server, self._session = candidate, session
                now = datetime.now(UTC)
                self._add(judge_address(self._written, self._expected, candidate))
                self._add(judge_clock(response.headers.get("Date"), now))
                return True
            problem = problem or f"{response.url}: {response.status_code} {response.reason}"
        return self._add(judge_address(self._written, self._expected, None, problem))

    async def _session_of_its_own(self) -> aiohttp.ClientSession:
        """Return a session that knows no server: a wrong base address would change how it parses URLs."""
        state = state_of(self._session)
        if state.foreign:
            return self._session
        session = derived_session(self._session, state.with_resolver(state.resolve))
        return await self._stack.enter_async_context(session)

    async def _check_server(self) -> None:
        self._add(judge_latency(await self._latency()))
        version = await _outcome(server_info(str(self._server), session=self._session))
        found = await _outcome(repositories(str(self._server), session=self._session))
        refusal = next((each for each in (version, found) if isinstance(each, ArtifactoryError)), None)
        state = state_of(self._session)
        credentials = None if state.foreign else state.current(self._server)
        if not self._add(judge_credentials(credentials, refusal)):
            return
        self._add(judge_version(version), judge_repositories(found))
        folders = self._folders(found)
        if folders and (file := await self._check_listing(folders)):
            await self._check_download(file)

    async def _latency(self) -> float:
        """Return the shortest time of a few pings; the first one may include opening a connection."""
        times = []
        for _ in range(_PINGS):
            started = monotonic()
            await _outcome(send(self._session, build_ping(self._server)))
            times.append(monotonic() - started)
        return min(times)

    def _folders(self, found: Sequence[Repository] | ArtifactoryError) -> list[ItemURL]:
        """Return where to search for a file: the item of the URL, else some repositories, local ones first."""
        path = self._written.context_path[len(self._server.context_path) :]
        if path and self._written.is_below(self._server):
            return [ItemURL(self._server, path[0], "/".join(path[1:]))]
        if isinstance(found, ArtifactoryError):
            return []
        ordered = sorted(found, key=lambda repository: repository.kind != "local")
        return [ItemURL(self._server, repository.key) for repository in ordered[:_MOST_REPOSITORIES]]

    async def _check_listing(self, folders: Sequence[ItemURL]) -> ItemURL | None:
        """Check the listing methods; return a file, if one was found."""
        first = await _outcome(info(str(folders[0]), session=self._session))
        query = await _outcome(self._query(folders[0].repository))
        self._add(judge_listing(str(folders[0]), first if isinstance(first, ArtifactoryError) else None))
        self._add(judge_aql(query if isinstance(query, ArtifactoryError) else None))
        file = await self._first_file(folders)
        if file is None:
            hint = "give the URL of a folder with files, to check ranges, storage and checksums"
            self._add(Finding("ranges", "warn", "not checked: found no file", hint))
        return file

    async def _query(self, repository: str) -> None:
        text = f'items.find({{"repo": {json.dumps(repository)}}}).include("name").limit(1)'
        rows = aql(str(self._server), text, session=self._session)
        async with rows:
            async for _ in rows:
                return

    async def _first_file(self, folders: Sequence[ItemURL]) -> ItemURL | None:
        """Return a file that is not empty, if one is found in the first few folders."""
        pending = [*folders]
        for _ in range(_MOST_FOLDERS):
            if not pending:
                break
            item = pending.pop(0)
            found = await _outcome(info(str(item), session=self._session))
            if isinstance(found, FileInfo) and found.size:
                return item
            if isinstance(found, FolderInfo):
                children = sorted(found.children, key=lambda child: child.folder)
                pending[:0] = [item / child.name for child in children[:_MOST_CHILDREN]]
        return None

    async def _check_download(self, file: ItemURL) -> None:
        request = Request("GET", str(file), self._server, {"Range": "bytes=0-0", **IDENTITY}, is_for_file=True)
        try:
            async with stream(self._session, request) as reply:
                status, headers, location = reply.status, reply.chain, reply.location
                if status < 300:
                    await reply.next_batch(1)
        except ArtifactoryError as error:
            self._add(Finding("ranges", "fail", error.message, error.hint))
            return
        self._add(judge_range(status, headers[-1].get("Content-Range")))
        if status < 300:
            self._add(
                judge_storage(self._server, location), judge_checksums(headers[0], is_redirected=location is not None)
            )


async def _outcome(awaitable: Awaitable[T]) -> T | ArtifactoryError:
    """Return the result, or the error."""
    try:
        return await awaitable
    except ArtifactoryError as error:
        return error
