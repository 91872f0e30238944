"""
What remote repositories fetch, over HTTP, from wherever they point to.

A file is asked for with HEAD, as the real server does, then fetched whole into the cache, then served from there.
What the upstream refuses is remembered as missing, and an upstream that cannot be reached is left alone for a while;
both by the clock of the server, and only for the settings of the repository they happened with.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import NoReturn, Self
from urllib.parse import quote
from weakref import WeakValueDictionary

import aiohttp
from yarl import URL

from ..indexes import arrivals, python_packages
from ..instance import Instance
from ..layouts import names
from ..protocol import formats
from ..repositories.definitions import Repository
from ..storage import checksum_policies
from ..storage.blobs import Content
from ..storage.checksum_policies import ChecksumPolicyError
from ..storage.store import Checksums, Deployment, Item, split_path
from .intake import receive

ORIGINATED = "X-Artifactory-Originated"  # names each server a request has passed, so that none of them asks itself

_PAGE_LIMIT = 32 << 20  # bytes
_FOLDER = "Expected file response but received directory response."


class UpstreamError(Exception):
    """A remote repository has nothing to serve; the text is the message of the answer, *status* its status."""

    def __init__(self, message: str, status: int = 404) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Order:
    """
    What is fetched, and for whom.

    Attributes:
        remote: The remote repository.
        path: Path of a file inside it.
        by: Name of the user who asked.
        origins: Servers the request has passed already.
    """

    remote: Repository
    path: str
    by: str
    origins: tuple[str, ...] = ()

    @property
    def cache_key(self) -> str:
        """Key of the repository that keeps what is fetched."""
        return self.remote.cache.key


@dataclass(frozen=True, slots=True)
class Facts:
    """What an upstream says of a file: size in bytes, modification in epoch milliseconds, checksums."""

    size: int
    modified: int | None
    checksums: Checksums

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """Read them from the headers of an answer."""
        given = {kind.lower(): headers.get(f"X-Checksum-{kind}") for kind in ("Sha1", "Md5", "Sha256")}
        size = headers.get("Content-Length", "")
        modified = formats.parse_http(headers.get("Last-Modified"))
        return cls(int(size) if size.isdecimal() else 0, modified, Checksums(**given))


@dataclass(frozen=True, slots=True)
class Page:
    """A document of an upstream: the URL at which it was found in the end, and its text."""

    url: str
    text: str


class Upstream:
    """Fetches for the remote repositories of one server. An async context manager; connections open when needed."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._session: aiohttp.ClientSession | None = None
        self._missed: dict[tuple[Repository, str], tuple[float, str]] = {}  # until when, and why
        self._offline: dict[Repository, float] = {}  # until when
        self._pages: dict[tuple[Repository, str], tuple[float, Page]] = {}  # until when, and what was fetched
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    def forget(self) -> None:
        """Forget pages, missing files and unreachable upstreams."""
        self._missed.clear()
        self._offline.clear()
        self._pages.clear()

    def is_fresh(self, remote: Repository, item: Item) -> bool:
        """Return whether a cached file may be served without a look at the upstream."""
        if item.is_folder or not names.is_expirable(item.path):
            return True
        return item.updated + remote.metadata_seconds * 1000 > self._instance.now_ms()

    async def keep(self, order: Order) -> Item:
        """
        Return the file, from the cache if it is there and fresh, else fetched into it.

        Raises:
            UpstreamError: If the file is not to be had, neither fresh nor stale.
        """
        store = self._instance.store
        async with self._lock(order):
            cached = store.get(order.cache_key, order.path)
            if cached and self.is_fresh(order.remote, cached):
                return cached
            try:
                facts = await self.look(order)
                unchanged = cached is not None and cached.sha1 == facts.checksums.sha1
                content = cached.content if cached and unchanged else await self._download(order)
                return await self._store(order, facts, content)
            except UpstreamError:
                if cached:
                    return cached  # what is stale is better than nothing
                raise

    async def pass_through(self, order: Order, *, only_look: bool) -> Item:
        """
        Return a file that is not stored: an item outside of the database, its bytes in an unlisted blob.

        Args:
            order: What to fetch.
            only_look: Request the headers only; then the item has the checksums that the upstream reports.

        Raises:
            UpstreamError: If the file is not to be had.
        """
        facts = await self.look(order)
        if only_look:
            return self._unlisted(order, facts, facts.size, facts.checksums)
        content = await self._download(order)
        self._kept(order, facts, content)
        return self._unlisted(order, facts, content.size, Checksums(content.sha1, content.md5, content.sha256))

    async def page(self, order: Order) -> Page:
        """
        Return a document of the upstream, which is kept in memory as long as metadata is.

        Raises:
            UpstreamError: The document is not to be had, neither fresh nor stale.
        """
        key, now = (order.remote, order.path), self._instance.clock()
        until, known = self._pages.get(key, (0.0, None))
        if known and until > now:
            return known
        try:
            found = await self._fetch_page(order)
        except UpstreamError:
            if known:
                return known
            raise
        self._pages[key] = (now + order.remote.metadata_seconds, found)
        return found

    async def _fetch_page(self, order: Order) -> Page:
        self._demand_online(order)
        if reason := self._missed_because(order):
            raise UpstreamError(reason[0])
        try:
            async with self._request("GET", order) as response:
                if response.status != HTTPStatus.OK:
                    self._miss(order, response.reason or "")
                body = bytearray()
                async for data in response.content.iter_any():
                    body += data
                    if len(body) > _PAGE_LIMIT:
                        raise UpstreamError(f"{order.remote.key}: {order.path} has more than {_PAGE_LIMIT} bytes")
                return Page(str(response.url.with_user(None)), body.decode("utf-8", "replace"))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(order, error) from error

    async def look(self, order: Order) -> Facts:
        """
        Ask the upstream about a file.

        Raises:
            UpstreamError: If it is offline or unreachable, or has no such file, or had none a while ago.
        """
        self._demand_online(order)
        if reason := self._missed_because(order):
            raise UpstreamError(reason[0])
        try:
            async with self._request("HEAD", order) as response:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    self._miss(order, response.reason or "")
                if response.url.path.endswith("/"):
                    self._miss(order, _FOLDER)
                return Facts.of(response.headers)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(order, error) from error

    def _unreachable(self, order: Order, error: Exception) -> UpstreamError:
        """Leave an upstream alone for a while that cannot be reached."""
        remote = order.remote
        message = f"{remote.key}: Error in getting information for '{order.path}' ({_text(error)})."
        if remote.hard_fail:
            return _hard(message)
        self._offline[remote] = self._instance.clock() + remote.offline_seconds
        return UpstreamError(message)

    async def _download(self, order: Order) -> Content:
        try:
            async with self._request("GET", order) as response:
                if response.status != HTTPStatus.OK:
                    self._miss(order, response.reason or "")
                return await receive(self._instance, _chunks(response))
        except TimeoutError as error:
            address = f"{order.remote.key}:{order.path}"
            message = f"{order.remote.key}: Timed out when retrieving data for {address} ({_text(error)})."
            raise self._failure(order, message) from error
        except aiohttp.ClientError as error:
            raise self._failure(order, _text(error)) from error

    def _failure(self, order: Order, message: str) -> UpstreamError:
        return _hard(message) if order.remote.hard_fail else UpstreamError(message)

    @asynccontextmanager
    async def _request(self, method: str, order: Order) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        remote = order.remote
        passed = [(ORIGINATED, origin) for origin in (*order.origins, self._instance.origin)]
        credentials = (
            [("Authorization", aiohttp.encode_basic_auth(remote.username, remote.password))] if remote.username else []
        )
        silence = remote.timeout_seconds
        async with self._open_session().request(
            method,
            URL(f"{remote.url.rstrip('/')}/{quote(order.path)}", encoded=True),
            headers=[
                ("User-Agent", self._instance.profile.server),
                ("Accept-Encoding", "identity"),
                *credentials,
                *passed,
            ],
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=silence, sock_read=silence),
        ) as response:
            yield response

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _lock(self, order: Order) -> asyncio.Lock:
        """Return the lock of a path: of two requests for it at the same time one fetches, the other waits."""
        return self._locks.setdefault((order.remote.key, order.path), asyncio.Lock())

    def _demand_online(self, order: Order) -> None:
        assumed = self._offline.get(order.remote, 0) > self._instance.clock()
        if not (assumed or order.remote.offline):
            return
        key, path = order.remote.key, order.path
        state = "offline" if order.remote.offline else "assumed offline"
        raise UpstreamError(f"{key}: is {state}, '{key}:{path}' is not found at '{path}'.")

    def _missed_because(self, order: Order) -> tuple[str] | None:
        until, reason = self._missed.get((order.remote, order.path), (0, ""))
        return (reason,) if until > self._instance.clock() else None

    def _miss(self, order: Order, reason: str) -> NoReturn:
        until = self._instance.clock() + order.remote.missed_seconds
        self._missed[order.remote, order.path] = (until, reason)
        raise UpstreamError(reason)

    async def _store(self, order: Order, facts: Facts, content: Content) -> Item:
        deployment = Deployment(
            by=order.by,
            now=self._instance.now_ms(),
            modified=facts.modified,
            original=self._kept(order, facts, content),
        )
        cache, store = order.remote.cache, self._instance.store
        if python_packages.is_indexed(cache, order.path):
            put = partial(arrivals.store_file, store, cache, order.path, content, deployment)
            return await self._instance.in_thread(put)
        return store.put(cache.key, order.path, content, deployment)

    def _kept(self, order: Order, facts: Facts, content: Content) -> Checksums:
        try:
            return checksum_policies.kept(order.remote, order.path, facts.checksums, content)
        except ChecksumPolicyError as error:
            raise UpstreamError(str(error), HTTPStatus.CONFLICT) from error

    def _unlisted(self, order: Order, facts: Facts, size: int, checksums: Checksums) -> Item:
        now = self._instance.now_ms()
        modified = now if facts.modified is None else facts.modified
        return Item(
            0,
            order.remote.key,
            *split_path(order.path),
            type="file",
            size=size,
            created=now,
            modified=modified,
            updated=now,
            created_by=order.by,
            modified_by=order.by,
            sha1=checksums.sha1,
            md5=checksums.md5,
            sha256=checksums.sha256,
            original_sha1=facts.checksums.sha1,
            original_md5=facts.checksums.md5,
            original_sha256=facts.checksums.sha256,
        )


def _hard(message: str) -> UpstreamError:
    return UpstreamError(f"Could not process download request: {message}", HTTPStatus.INTERNAL_SERVER_ERROR)


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _chunks(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    async for data in response.content.iter_any():
        yield data
