"""A session told to another process: how it was opened, and proof of who asks, packed for a pipe alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ssl import SSLContext
from typing import TypeAlias
from weakref import WeakKeyDictionary

import aiohttp

from .._address import ServerURL
from .._credentials import Credentials
from .._errors import InvalidArgumentError
from .._options import Limits, Timeouts, divided
from .._retry import RetryPolicy
from .tls import ClientCertificate, Verify

# Credentials refuse to be pickled, so that none gets into a file by accident; their fields pass through a pipe.
PackedCredentials: TypeAlias = list[tuple[ServerURL, tuple[str, str, str, str, tuple[str, ...]]]]


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """
    What it takes to open a session like another one; see :func:`session` for the values.

    Attributes:
        retry: Policy of retries.
        timeouts: Limits of waiting.
        limits: Limits of what happens at once.
        trust_env: Whether proxies of the environment are used.
        verify: Whom to trust.
        cert: What to show.
        proxy: Proxy for all requests; its URL may hold a password.
        user_agent: User-Agent to send.
    """

    retry: RetryPolicy
    timeouts: Timeouts
    limits: Limits
    trust_env: bool
    verify: Verify
    cert: ClientCertificate | None
    proxy: str | None = field(repr=False)
    user_agent: str | None

    def divided(self, parts: int) -> "SessionDescription":
        """The description of each of *parts* sessions that together keep to the limits of this one."""
        return replace(self, limits=divided(self.limits, parts))


DESCRIPTIONS: WeakKeyDictionary[aiohttp.ClientSession, SessionDescription] = WeakKeyDictionary()


def describe(session: object) -> SessionDescription:
    """
    Tell how *session* was opened.

    Raises:
        InvalidArgumentError: Somebody else opened it, or it holds what no other process can have.
    """
    found = DESCRIPTIONS.get(session) if isinstance(session, aiohttp.ClientSession) else None
    if found is None:
        raise InvalidArgumentError(
            "session was not opened by this library, so no other process can open one like it",
            hint="open it with aioartifact.session(), or leave processes out",
        )
    if isinstance(found.verify, SSLContext):
        raise InvalidArgumentError(
            "session has an ssl.SSLContext, which no other process can have",
            hint="give verify= as a file or a folder of CA certificates, or leave processes out",
        )
    return found


def pack(credentials: Mapping[ServerURL, Credentials], servers: Iterable[ServerURL]) -> PackedCredentials:
    """Write out the credentials of *servers*."""
    found = ((server, credentials[server]) for server in servers)
    return [
        (server, (known.kind, known.username, known.secret, known.source, known.skipped)) for server, known in found
    ]


def unpack(packed: PackedCredentials) -> dict[ServerURL, Credentials]:
    """Read what :func:`pack` wrote."""
    return {server: Credentials(*fields) for server, fields in packed}  # type: ignore[arg-type]  # kinds are texts
