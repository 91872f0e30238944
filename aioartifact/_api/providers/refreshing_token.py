"""An access token that is renewed with its refresh token."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

import anyio

from ..._address import ServerURL, URLLike
from ..._credentials import (
    Credentials,
    IssuedToken,
    SendToken,
    access_refresh_request,
    artifactory_refresh_request,
    read_token,
)
from ..._errors import InvalidArgumentError
from ..._options import check_choice
from .standalone import StandaloneProvider

_LOG = logging.getLogger("aioartifact.credentials")

T = TypeVar("T")
# Wait for the response after a cancellation: without it, the only valid refresh token would be lost.
_GRACE = 5.0
_SOURCE = "RefreshingToken"


class RefreshingToken(StandaloneProvider):
    """
    An access token that is renewed with its refresh token before it expires.

    ::

        def save(access_token: str, refresh_token: str) -> None:
            keyring.set_password("artifactory", "tokens", json.dumps([access_token, refresh_token]))

        auth = aioartifact.RefreshingToken(access_token, refresh_token, on_refresh=save)
        async with aioartifact.session(server, auth=auth) as session:
            ...

    Each renewal replaces both tokens, and the old ones become invalid. So use one object for each pair of tokens, in
    any number of sessions, and save new pairs in *on_refresh* if another process needs them later. Do not use the
    refresh token of another program, such as jfrog-cli: that program would lose its login.

    Args:
        access_token: The current access token; it may have expired.
        refresh_token: Its refresh token.
        api: ``"access"`` for tokens of the Access service (Artifactory 7), ``"artifactory"`` for tokens of
            ``api/security/token``. None tries Access first, and Artifactory if there is no Access.
        on_refresh: Function or async function that is called with the new access token and the new refresh token. If it
            raises, the error is logged, and the new tokens are used.
        server: Base address of the server, for calls of :meth:`credentials` without a session.

    Raises:
        InvalidArgumentError: If an argument has the wrong type.
        CredentialsError: If a token is empty or cannot be sent.
    """

    def __init__(
        self,
        access_token: str,
        refresh_token: str,
        *,
        api: Literal["access", "artifactory"] | None = None,
        on_refresh: Callable[[str, str], object] | None = None,
        server: URLLike | None = None,
    ) -> None:
        super().__init__(server)
        if api is not None:
            check_choice("api", api, ("access", "artifactory"))
        if on_refresh is not None and not callable(on_refresh):
            raise InvalidArgumentError(f"on_refresh is a {type(on_refresh).__name__}; expected a function")
        self._current = Credentials.bearer(access_token, source=_SOURCE)
        self._refresh_token = Credentials.bearer(refresh_token, source=f"{_SOURCE}, refresh_token").secret
        self._api = api
        self._on_refresh = on_refresh
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return "RefreshingToken('***', '***')"

    async def fetch(
        self, server: ServerURL, send: SendToken, current: Credentials | None, *, is_refused: bool
    ) -> Credentials:
        """Return the current token, or the next one if the current one is *current*."""
        async with self._lock:  # of all sessions that share the tokens
            if current is not None and current == self._current:
                await _completed(self._refresh(server, send))
            return self._current

    async def _refresh(self, server: ServerURL, send: SendToken) -> None:
        issued = await self._request(server, send)
        self._current = issued.credentials(_SOURCE)
        self._refresh_token = issued.refresh or self._refresh_token
        if self._on_refresh is not None:
            try:
                result = self._on_refresh(self._current.secret, self._refresh_token)
                if inspect.isawaitable(result):
                    await result
            except Exception as error:  # noqa: BLE001  # the old tokens are invalid: keep the new ones
                _LOG.warning(
                    "RefreshingToken: on_refresh raised %s; the new tokens are not saved", type(error).__name__
                )

    async def _request(self, server: ServerURL, send: SendToken) -> IssuedToken:
        access, refresh = self._current.secret, self._refresh_token
        what = f"{_SOURCE}: {server} refreshed no token"
        if self._api != "artifactory":
            response = await send(access_refresh_request(server, access, refresh))
            if response.status not in (404, 405) or self._api == "access":
                return read_token(response, what, [access, refresh])
        response = await send(artifactory_refresh_request(server, access, refresh))
        return read_token(response, what, [access, refresh])


async def _completed(work: Coroutine[Any, Any, T]) -> T:
    """Await *work*; if the caller is cancelled, it has some seconds to complete."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            await asyncio.wait({task}, timeout=_GRACE)
        raise
    finally:
        if not task.done():
            task.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # has been raised, or concerns no caller any more
