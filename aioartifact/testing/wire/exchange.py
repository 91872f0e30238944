"""One request on its way through the server, and the refusals that depend on who asks."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import NoReturn

from aiohttp import web

from ..accounts.auth import Mechanism
from ..accounts.principals import ANONYMOUS_USER, User
from ..instance import Instance
from ..protocol.paths import Target
from ..protocol.replies import PAGE_NOT_FOUND, RefusalError, refuse
from ..repositories.definitions import Repository
from ..storage.store import Item
from .log import RequestRecord
from .transmission import UploadFault
from .upstream import Upstream


@dataclass(slots=True)
class Exchange:
    """
    What a handler is given.

    Attributes:
        target: The request path; handlers below ``api/`` get it without their own prefix.
        record: The entry of the request log, where the handler counts the body bytes it reads.
        upstream: Fetches for remote repositories.
        user: Who asks, once the credentials were looked at.
        mechanism: What kind of credentials they were.
        ignores_range: Whether a fault lets the server ignore ``Range``.
        upload_fault: A fault that strikes while the body is read.
    """

    instance: Instance
    request: web.BaseRequest
    target: Target
    record: RequestRecord
    upstream: Upstream
    user: User = ANONYMOUS_USER
    mechanism: Mechanism = "none"
    ignores_range: bool = False
    upload_fault: UploadFault | None = None

    def identify(self) -> None:
        """
        Look at the credentials.

        Raises:
            RefusalError: 401 or 403, they are wrong, or there are none where some are needed.
        """
        target = self.target
        identity = self.instance.accounts.identify(self.request.headers, target.query, target.raw_query)
        self.user, self.mechanism = identity.user, identity.mechanism

    @property
    def asked_range(self) -> str | None:
        """The ``Range`` header, unless a fault wants it overlooked."""
        return None if self.ignores_range else self.request.headers.get("Range")

    async def body(self) -> AsyncGenerator[bytes, None]:
        """
        Yield the request's body as it arrives, from 100-continue to the last byte.

        Raises:
            RefusalError: 400, the framing of the body is broken.
        """
        is_awaited = self.request.headers.get("Expect", "").lower() == "100-continue"
        if is_awaited and not self.request.content.at_eof():  # who reads on after the end must not ask for more
            await self.request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async for data in self.instance.read_timeouts.body(self.request):
                self.record.bytes_received += len(data)
                if self.upload_fault:
                    await self.upload_fault.arrive(self.record.bytes_received)
                yield data
        except web.RequestPayloadError as broken:
            refuse(400, str(broken), servlet=True)

    async def whole_body(self, limit: int = 1 << 20) -> bytes:
        """
        Read the request's body into memory.

        Raises:
            RefusalError: 413, it has more than *limit* bytes; 400, its framing is broken.
        """
        body = bytearray()
        async with aclosing(self.body()) as chunks:
            async for data in chunks:
                body += data
                if len(body) > limit:
                    refuse(413, "Request Entity Too Large")
        return bytes(body)

    @property
    def base_url(self) -> str:
        """
        The base of links in answers: what a proxy says, else what is configured, else where the request went.

        What is configured takes the scheme of the request. Links are this plus repository and path as they are;
        Artifactory does not percent-encode them.
        """
        headers = self.request.headers
        if host := headers.get("X-JFrog-Override-Base-Url"):
            return host.rstrip("/") + self.instance.context_path
        if base := headers.get("X-Artifactory-Override-Base-Url"):
            return base.rstrip("/")
        scheme = "https" if self.request.secure else "http"
        if self.instance.base_url:
            return f"{scheme}://{self.instance.base_url.partition('://')[2]}"
        return f"{scheme}://{self.request.host}{self.instance.context_path}"

    @property
    def web_application(self) -> str:
        """Where browsers that come to the bare base URL are sent."""
        if self.instance.profile.is_platform:
            return self.base_url.removesuffix(self.instance.context_path) + "/ui/"
        return f"{self.base_url}/webapp/"

    def link(self, *parts: str) -> str:
        """Join *parts* to the base URL, leaving empty ones out."""
        return "/".join((self.base_url, *filter(None, parts)))

    def repository(self, message: str = "Not Found", *, servlet: bool = True) -> Repository:
        """
        Return the repository the path names.

        Raises:
            RefusalError: 404 with *message*: there is none.
        """
        found = self.instance.repositories.get(self.target.repository)
        if found is None and servlet and self.instance.profile.is_platform:
            raise RefusalError(PAGE_NOT_FOUND)
        return found or refuse(404, message, servlet=servlet)

    def demand_user(self) -> None:
        """
        Let everybody through who is not anonymous.

        Raises:
            RefusalError: 401, or 404 where existence is hidden.
        """
        if self.user.is_anonymous:
            self.deny_read("Unauthorized", servlet=False)

    def demand_admin(self) -> None:
        """
        Let administrators through.

        Raises:
            RefusalError: 401 for the anonymous, else 403.
        """
        if not self.user.admin:
            self.deny("Forbidden", servlet=False)

    def refuse_unknown(self) -> NoReturn:
        """
        Answer for an endpoint that is not served, and note that it was asked for.

        Raises:
            RefusalError: 404.
        """
        self.record.is_known = False
        refuse(404, "Not Found")

    def can(self, action: str) -> bool:
        """Return whether the user may do *action* (a letter of ``rwndm``) at the path of the request."""
        return self.instance.accounts.can(self.user, action, self.target.repository, self.target.item_path)

    def can_see(self, item: Item) -> bool:
        """Return whether *item* shows up in listings for the user: readable, or a folder on the way to such."""
        accounts = self.instance.accounts
        return accounts.can(self.user, "r", item.repo, item.path) or (
            item.is_folder and accounts.can_browse(self.user, item.repo, item.path)
        )

    @property
    def address(self) -> str:
        """``repository:path``, the way messages name an item."""
        return f"{self.target.repository}:{self.target.item_path}"

    def deny_read(self, message: str, *, servlet: bool) -> NoReturn:
        """
        Refuse to show an item: 404 where existence is hidden, a challenge to the anonymous, else 403.

        Raises:
            RefusalError: Always.
        """
        if self.instance.hide_unauthorized:
            refuse(404, "Resource not found", servlet=servlet)
        self.deny(message, servlet=servlet)

    def deny(self, message: str, *, servlet: bool) -> NoReturn:
        """
        Refuse something other than reading: a challenge to the anonymous, else 403.

        Raises:
            RefusalError: Always.
        """
        if self.user.is_anonymous:
            refuse(401, "Unauthorized", servlet=servlet, challenge=True)
        refuse(403, message, servlet=servlet)
