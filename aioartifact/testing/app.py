"""
From request to response: log, faults, credentials, routing, and the two origins.

This sits on aiohttp's low-level server rather than on its router, since Artifactory reads the raw request target:
``;``, ``%2F`` and a trailing slash mean something before any decoding.
"""

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from itertools import count

from aiohttp import web

from .clocks import wait_until
from .handlers.administration import repository_settings, storageinfo, system
from .handlers.builds import build_artifacts, build_listing, build_publication, build_removal, build_requests
from .handlers.items import deploy, folder_archive, methods, multipart, relocation, webdav
from .handlers.packages import package_upload, simple_index
from .handlers.search import aql_search, artifact_search, date_search, version_search
from .handlers.security import access, apikeys, groups, passwords, permissions, permissions_v2, token_forms, users
from .handlers.storage_api import annotate, item_info
from .instance import Instance
from .protocol import paths
from .protocol.paths import BadPathError, Target
from .protocol.replies import PAGE_NOT_FOUND, RefusalError, Reply, error, refuse
from .storage import full_disk
from .storage.leases import Lease
from .wire import object_storage
from .wire.exchange import Exchange
from .wire.faults import Fault, FaultHandle, Faults
from .wire.log import RequestLog, RequestRecord, has_credentials, masked
from .wire.transmission import Sender, Sent, UploadFault
from .wire.upstream import Upstream

Handler = Callable[[Exchange], Awaitable[Reply]]


def _exact(handler: Handler) -> Handler:
    """Route only the path itself to *handler*, and no path below it."""

    async def answer(exchange: Exchange) -> Reply:
        if exchange.target.segments:
            exchange.refuse_unknown()
        return await handler(exchange)

    return answer


_REST: tuple[tuple[str, dict[str, Handler]], ...] = (
    ("api/storage", {"GET": item_info.get, "PUT": annotate.set_on_item, "DELETE": annotate.delete_from_item}),
    ("api/metadata", {"PATCH": annotate.patch, "DELETE": annotate.clear}),
    ("api/copy", {"POST": relocation.copy}),
    ("api/move", {"POST": relocation.move}),
    ("api/archive/download", {"GET": folder_archive.download}),
    ("api/v1/uploads/config", {"GET": multipart.config}),
    ("api/v1/uploads/create", {"POST": multipart.create}),
    ("api/v1/uploads/urlPart", {"POST": multipart.url_of_part}),
    ("api/v1/uploads/complete", {"POST": multipart.complete}),
    ("api/v1/uploads/status", {"POST": multipart.status}),
    ("api/v1/uploads/abort", {"POST": multipart.abort}),
    (
        "api/build",
        {
            "GET": build_listing.get,
            "PUT": build_publication.publish,
            "POST": build_requests.post,
            "DELETE": build_removal.delete,
        },
    ),
    ("api/builds/buildArtifacts", {"GET": build_artifacts.list_artifacts}),
    ("api/search/dependency", {"GET": build_listing.search_dependents}),
    ("api/search/buildArtifacts", {"POST": build_artifacts.search_artifacts}),
    ("api/search/aql", {"POST": aql_search.aql}),
    ("api/search/artifact", {"GET": artifact_search.quick}),
    ("api/search/gavc", {"GET": artifact_search.gavc}),
    ("api/search/prop", {"GET": artifact_search.prop}),
    ("api/search/checksum", {"GET": artifact_search.checksum}),
    ("api/search/badChecksum", {"GET": artifact_search.bad_checksum}),
    ("api/search/pattern", {"GET": artifact_search.pattern}),
    ("api/search/dates", {"GET": date_search.dates}),
    ("api/search/creation", {"GET": date_search.creation}),
    ("api/search/usage", {"GET": date_search.usage}),
    ("api/search/versions", {"GET": version_search.versions}),
    ("api/search/latestVersion", {"GET": version_search.latest}),
    ("api/versions", {"GET": version_search.by_property}),
    (
        "api/repositories",
        {
            "GET": repository_settings.get,
            "PUT": repository_settings.create,
            "POST": repository_settings.update,
            "DELETE": repository_settings.delete,
        },
    ),
    ("api/pypi", {"GET": simple_index.get, "POST": package_upload.post}),
    ("api/system/ping", {"GET": system.ping}),
    ("api/system/info", {"GET": system.details}),
    ("api/system/usage", {"POST": system.usage}),
    ("api/plugins", {"GET": _exact(system.plugins)}),
    ("api/system/version", {"GET": system.version}),
    ("api/system/configuration", {"GET": system.configuration}),
    ("api/system", {"GET": _exact(system.info)}),
    ("api/storageinfo/calculate", {"POST": storageinfo.calculate}),
    ("api/storageinfo", {"GET": _exact(storageinfo.get)}),
    (
        "api/security/apiKey",
        {"GET": apikeys.get, "POST": apikeys.create, "PUT": apikeys.regenerate, "DELETE": apikeys.revoke},
    ),
    ("api/security/encryptedPassword", {"GET": passwords.get}),
    ("api/security/users/authorization/changePassword", {"POST": _exact(passwords.change)}),
    ("api/security/users", {"GET": users.get, "PUT": users.put, "POST": users.post, "DELETE": users.delete}),
    ("api/security/lockedUsers", {"GET": _exact(users.get_locked)}),
    ("api/security/unlockUsers", {"POST": users.unlock}),
    ("api/security/unlockAllUsers", {"POST": _exact(users.unlock_all)}),
    ("api/security/groups", {"GET": groups.get, "PUT": groups.put, "POST": groups.post, "DELETE": groups.delete}),
    ("api/security/permissions", {"GET": permissions.get, "PUT": permissions.put, "DELETE": permissions.delete}),
    ("api/v2/security/permissions/users", {"GET": permissions_v2.of_user}),
    ("api/v2/security/permissions/groups", {"GET": permissions_v2.of_group}),
    (
        "api/v2/security/permissions",
        {
            "GET": permissions_v2.get,
            "POST": permissions_v2.create,
            "PUT": permissions_v2.update,
            "DELETE": permissions_v2.delete,
        },
    ),
    ("api/security/token/revoke", {"POST": token_forms.revoke}),
    ("api/security/token", {"GET": _exact(token_forms.list_all), "POST": _exact(token_forms.create)}),
)
# Whose handlers look at credentials themselves, since some requests need none.
_OPEN = frozenset(
    {"api/system/ping", "api/security/token"}
    | {f"api/v1/uploads/{each}" for each in ("config", "create", "urlPart", "complete", "status", "abort")}
)
_REPOSITORY: dict[str, Handler] = {
    "GET": methods.get,
    "HEAD": methods.get,
    "PUT": methods.put,
    "DELETE": deploy.delete,
}


_FULL = (
    "Datastore disk usage is too high. Contact your Artifactory administrator to add additional storage space"
    " or change the disk quota limits."
)


@dataclass(frozen=True, slots=True)
class Origin:
    """One of the two listeners: its name in the log, what every head starts with, and who answers."""

    name: str
    context_path: str
    common_headers: str
    respond: Handler


class ConnectionNumbers(dict[object, int]):
    """Numbers TCP connections of both origins from 1, each for as long as it is open."""

    def __init__(self) -> None:
        super().__init__()
        self._next = count(1)

    def __missing__(self, connection: object) -> int:
        number = self[connection] = next(self._next)
        return number


class App:
    """
    Handles every request of one server, on the main origin and on the one of signed URLs.

    Args:
        instance: Settings and state.
        log: Records every request.
        faults: The script of faults.
        upstream: Fetches for remote repositories.
        latency: Seconds before each request is looked at.
    """

    def __init__(
        self, instance: Instance, log: RequestLog, faults: Faults, upstream: Upstream, *, latency: float = 0.0
    ) -> None:
        self._latency = latency
        self._instance = instance
        self._upstream = upstream
        self._log = log
        self._faults = faults
        self.connections: ConnectionNumbers = ConnectionNumbers()
        self._main = Origin("main", instance.context_path, _common_headers(instance), self._respond)
        self._storage = Origin("storage", "", "Server: AmazonS3", object_storage.respond)

    async def main(self, request: web.BaseRequest) -> Sent:
        """Handle a request to Artifactory itself."""
        return await self._handle(request, self._main)

    async def storage(self, request: web.BaseRequest) -> Sent:
        """Handle a request to the origin that serves signed URLs."""
        return await self._handle(request, self._storage)

    async def _handle(self, request: web.BaseRequest, origin: Origin) -> Sent:
        request = _read_as_latin(request)
        access_base = self._access_base(request)
        target = _parse(request.raw_path, origin.context_path if access_base is None else access_base)
        record = self._record(request, origin, target if isinstance(target, Target) else None)
        self._log.add(record)
        sender = Sender(request, record, origin.common_headers, self._instance.in_thread)
        try:
            with self._instance.store.lease() as lease:
                return await self._answer(request, origin, target, record, sender, lease)
        except ConnectionError:
            return Sent(keep_alive=False)
        finally:
            self._log.done(record)

    async def _answer(
        self,
        request: web.BaseRequest,
        origin: Origin,
        target: Target | Reply,
        record: RequestRecord,
        sender: Sender,
        lease: Lease,
    ) -> Sent:
        handle = self._faults.pick(record.method, record.pattern_path)
        upload_fault = UploadFault.of(request, handle)
        if self._latency:
            await wait_until(self._instance.clock, self._instance.clock() + self._latency)
        if handle:
            await self._suffer(handle, target)
        if handle and handle.fault.answer:
            reply = handle.fault.answer
        elif isinstance(target, Reply):
            record.is_known = target is not PAGE_NOT_FOUND
            reply = target
        else:
            exchange = Exchange(self._instance, request, target, record, self._upstream, upload_fault=upload_fault)
            exchange.ignores_range = handle is not None and handle.fault.ignores_range
            reply = await _with_space(origin.respond, exchange)
        if upload_fault:
            await upload_fault.strike()
            handle = None  # it has struck; the response goes out as it is
        record.status = reply.status
        if handle:
            reply = await _altered(handle.fault, reply)
        if isinstance(reply.body, bytes):  # before the client reads the response and relies on the space being free
            self._instance.store.end_lease(lease)
        return await sender.send(reply, handle)

    async def _suffer(self, handle: FaultHandle, target: Target | Reply) -> None:
        """Let a fault strike before the request is looked at."""
        if handle.fault.holds:
            await handle.pause()
        await handle.pause_until(self._instance.clock() + handle.fault.latency)
        content = handle.next_content()
        if content is not None and isinstance(target, Target):
            self._instance.store.overwrite(target.repository, target.item_path, content, self._instance.now_ms())

    def _record(self, request: web.BaseRequest, origin: Origin, target: Target | None) -> RequestRecord:
        return RequestRecord(
            method=request.method,
            path=target.path if target else request.raw_path.partition("?")[0].strip("/"),
            raw_path=request.raw_path,
            query=target.query if target else {},
            headers=masked(request.headers),
            origin=origin.name,
            connection=self.connections[request.protocol],
            had_credentials=has_credentials(request.headers),
        )

    def _access_base(self, request: web.BaseRequest) -> str | None:
        """Return what precedes the path of a request to Access, which answers beside the context path and below it."""
        if not self._instance.profile.is_platform:
            return None
        bases = ("", self._instance.context_path)
        return next((base for base in bases if request.raw_path.startswith(f"{base}/access/")), None)

    async def _respond(self, exchange: Exchange) -> Reply:
        try:
            if self._access_base(exchange.request) is not None:
                return await access.respond(exchange)
            if exchange.target.path not in _OPEN:
                exchange.identify()
            return await self._route(exchange)
        except RefusalError as refusal:
            return refusal.reply

    async def _route(self, exchange: Exchange) -> Reply:
        first = exchange.target.repository
        if first in ("api", "ui"):
            return await self._route_rest(exchange)
        if first in ("", "webapp"):
            return Reply(302, {"Location": exchange.web_application})
        if first in ("list", "simple"):
            exchange.target = exchange.target.below(1)
        if build_publication.is_document(exchange):
            return await build_publication.deploy_document(exchange)
        return await _REPOSITORY.get(exchange.request.method, webdav.answer)(exchange)

    async def _route_rest(self, exchange: Exchange) -> Reply:
        path = exchange.target.path
        for prefix, handlers in _REST:
            if path == prefix or path.startswith(prefix + "/"):
                method = exchange.request.method
                handler = handlers.get("GET" if method == "HEAD" else method)
                if handler is None:
                    exchange.record.is_known = False
                    refuse(405, "Method Not Allowed")
                exchange.target = exchange.target.below(prefix.count("/") + 1)
                return await handler(exchange)
        return exchange.refuse_unknown()


async def _with_space(respond: Handler, exchange: Exchange) -> Reply:
    """Respond as a real server does whose storage has reached its quota, if the disk is full."""
    try:
        return await respond(exchange)
    except (OSError, sqlite3.Error) as failure:
        if not full_disk.is_full(failure):
            raise
        return error(413, _FULL, servlet=True)


async def _altered(fault: Fault, reply: Reply) -> Reply:
    """Change *reply*, and close a stream that will not be sent."""
    altered = fault.alter(reply)
    if isinstance(reply.body, AsyncGenerator) and altered.body is not reply.body:
        await reply.body.aclose()
    return altered


def _common_headers(instance: Instance) -> str:
    lines = [f"Server: {instance.profile.server}", "X-Artifactory-Id: 6d70dcfd451c8e98:237a9c5d:1792f16ad1d:-8000"]
    if instance.profile.jfrog_version:
        lines.append(f"X-JFrog-Version: {instance.profile.jfrog_version}")
    if instance.edition == "pro" or instance.profile.is_platform:
        lines.append("X-Artifactory-Node-Id: artifactory-primary-0")
    return "\r\n".join(lines)


def _read_as_latin(request: web.BaseRequest) -> web.BaseRequest:
    """
    Read header values as Tomcat does, byte for character.

    aiohttp reads UTF-8, and what is none as halves of surrogate pairs, which no answer could repeat.
    """
    values = request.headers.items()
    if all(value.isascii() for _, value in values):
        return request
    return request.clone(
        headers=[(name, value.encode("utf-8", "surrogateescape").decode("latin-1")) for name, value in values]
    )


def _parse(raw_path: str, context_path: str) -> Target | Reply:
    """Take the request target apart, or answer at once where that cannot be done."""
    split = paths.split_target(raw_path, context_path)
    if split is None:
        return PAGE_NOT_FOUND
    try:
        return paths.parse_target(*split)
    except BadPathError as bad:
        return error(400, str(bad), servlet=True)
