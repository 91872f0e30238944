"""Providers of credentials for open sessions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias, runtime_checkable

from .._address import ServerURL
from .._errors import CredentialsError, InvalidArgumentError
from .value import Credentials, parse_credentials


@runtime_checkable
class CredentialsProvider(Protocol):
    """
    Provides credentials that a session renews while it is open. Any object with this method is accepted as *auth*.

    ::

        class Vault:
            async def credentials(self, *, force: bool) -> aioartifact.Credentials:
                lease = await self.client.read("artifactory/token/ci")
                return aioartifact.Credentials.bearer(lease.token, expires_at=lease.expires)

        async with aioartifact.session(server, auth=Vault()) as session:
            ...

    A session calls the method before its first request, before the credentials expire, and after a 401, but never
    concurrently. All credentials must belong to the same user. If the user may change, set the attribute
    ``may_change_user = True`` on the provider.
    """

    def credentials(self, *, force: bool) -> Awaitable[Credentials]:
        """
        Return credentials; an ``async def`` method.

        Args:
            force: Whether the server has refused the previous credentials, so that cached ones must not be returned.

        Returns:
            Credentials, with ``expires_at`` if they expire. Without it, the expiry of a JSON Web Token is used.
        """
        ...


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """
    A request for a token; sent without credentials of the session, and without following redirects.

    Attributes:
        content: The body, or None.
        is_for_issuer: Whether it is sent to an issuer of identity tokens, so that ``verify`` and ``cert`` of the
            session do not apply.
    """

    method: str
    url: str = field(repr=False)  # that of GitHub contains an ID of the job
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    is_for_issuer: bool = False


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """
    The response to a :class:`TokenRequest`.

    Attributes:
        received: When it was received, in epoch seconds by the clock of the session.
    """

    status: int
    content: bytes = field(repr=False)
    received: float


SendToken: TypeAlias = Callable[[TokenRequest], Awaitable[TokenResponse]]
"""Sends a request for a token over the connections of a session."""


class ServerProvider:
    """A provider of this library that requests credentials from the server they are for."""

    def fetch(
        self, server: ServerURL, send: SendToken, current: Credentials | None, *, is_refused: bool
    ) -> Awaitable[object]:
        """
        Return credentials for *server*.

        Args:
            server: Requested server.
            send: Sends requests for tokens.
            current: Credentials to replace, because they are due or refused; None on the first call of a session.
            is_refused: Whether the server has refused *current*.
        """
        raise NotImplementedError


class FetchCredentials(Protocol):
    """See :meth:`ServerProvider.fetch`."""

    def __call__(
        self, server: ServerURL, send: SendToken, current: Credentials | None, /, *, is_refused: bool
    ) -> Awaitable[object]:
        """Return credentials for *server*."""
        ...


@dataclass(frozen=True, slots=True)
class RegisteredProvider:
    """
    A provider, as a session uses it.

    Attributes:
        name: Its name in messages.
        fetch: Returns credentials; see :meth:`ServerProvider.fetch`.
        key: Object whose renewals exclude each other; None if renewals exclude each other per server.
        may_change_user: Whether the user of its credentials may change.
        interval: Seconds after which to check for new credentials, even if the current ones are valid; None for never.
        first: Credentials that it has already provided, or None.
    """

    name: str
    fetch: FetchCredentials = field(repr=False)
    key: object = field(default=None, repr=False)
    may_change_user: bool = False
    interval: float | None = None
    first: Credentials | None = None


def parse_auth(value: object) -> Credentials | RegisteredProvider:
    """
    Read the argument ``auth`` for one server: credentials or a provider.

    Raises:
        InvalidArgumentError: If it is something else. The message does not contain it.
        CredentialsError: See :meth:`Credentials.basic`.
    """
    if isinstance(value, Credentials | tuple | str):
        return parse_credentials(value)
    if isinstance(value, type):
        raise InvalidArgumentError(
            f"auth is the class {value.__name__}; expected an object, such as {value.__name__}()"
        )
    name, may_change_user = provider_name(value), getattr(value, "may_change_user", False) is True
    if isinstance(value, ServerProvider):
        return RegisteredProvider(name, value.fetch, None, may_change_user)
    if isinstance(value, CredentialsProvider):
        return RegisteredProvider(name, _method_of(value), value, may_change_user)
    if callable(value):
        return RegisteredProvider(name, _function(value), value, may_change_user)
    return parse_credentials(value)


def _method_of(provider: CredentialsProvider) -> FetchCredentials:
    def fetch(_server: object, _send: object, _current: object, *, is_refused: bool) -> Awaitable[object]:
        return provider.credentials(force=is_refused)

    return fetch


def _function(provide: Callable[[], Any]) -> FetchCredentials:
    def fetch(*_: object, is_refused: bool) -> Awaitable[object]:
        awaitable: Awaitable[object] = provide()
        return awaitable

    return fetch


def provider_name(value: object) -> str:
    """Return the name of a provider for messages: its type or its function; its repr may contain secrets."""
    name = getattr(value, "__qualname__", None) or type(value).__qualname__
    return f"provider {str(name).rpartition('.<locals>.')[2] or 'function'}"


def read_provided(value: object, name: str) -> Credentials:
    """
    Return the credentials from a provider, with the provider as their source.

    Raises:
        CredentialsError: If they are something else, or cannot be sent. The message does not contain them.
    """
    fault = f"returned a {type(value).__name__}; expected Credentials"
    try:
        credentials = parse_credentials(value)
    except InvalidArgumentError:
        pass
    except CredentialsError as error:
        fault = f"returned credentials that cannot be sent: {error.message.rpartition(': ')[2]}"
    else:
        return replace(credentials, source=name) if credentials.source == "argument" else credentials
    raise CredentialsError(f"{name} {fault}", source=name)
