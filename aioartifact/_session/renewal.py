"""Credentials that are renewed while a session is open: one renewal at a time, for all requests that wait for it."""

import inspect
from collections.abc import Callable
from math import inf

import aiohttp
import anyio

from .._address import ServerURL
from .._credentials import (
    Credentials,
    RegisteredProvider,
    SendToken,
    Validity,
    are_of_another_user,
    read_provided,
    seconds_between_forced,
    validity,
)
from .._errors import ArtifactoryError, CredentialsError
from .attempts import Clock
from .limits import ActiveCalls
from .telemetry import log_renewal, log_renewal_failure

# Seconds for which a failed renewal is not repeated: for all calls, and for those that were active when it failed.
_PAUSE, _PAUSE_OF_CALLS = 1.0, 10.0

Sender = Callable[[aiohttp.ClientSession], SendToken]


class RenewableCredentials:
    """
    Credentials of a provider, for one session.

    The first request that finds them due renews them; the others use the current ones while these are valid, and wait
    otherwise. Requests fail after a failed renewal only if there are no valid credentials.

    Args:
        provided: The provider.
        server: Server that they are for.
        sender: Makes the function that sends requests for tokens.
        seconds: How long the provider may take.
        clock: Time.
        calls: Calls that use the session.

    Attributes:
        current: The current credentials; None before the first request.
        recent: The previous credentials, whose secret may still be quoted by responses to earlier requests.
    """

    def __init__(
        self,
        provided: RegisteredProvider,
        server: ServerURL,
        sender: Sender,
        seconds: float,
        clock: Clock,
        calls: ActiveCalls,
    ) -> None:
        self.current: Credentials | None = None
        self.recent: Credentials | None = None
        self._provided = provided
        self._server = server
        self._sender = sender
        self._seconds = seconds
        self._clock = clock
        self._calls = calls
        self._lock = anyio.Lock()
        self._validity = Validity()
        self._fetched = 0  # how often the provider has returned or failed
        self._was_forced = False
        self._doubted: Credentials | None = None  # refused, and being renewed
        self._failure: CredentialsError | None = None
        self._failed_at = -inf
        self._failed_calls: frozenset[object] = frozenset()
        self._forced_at = -inf
        self._refused = 0  # how many renewals in a row have brought refused credentials
        if provided.first is not None:
            self._accept(provided.first)

    @property
    def source(self) -> str:
        """Where the credentials come from, for messages."""
        return self.current.source if self.current is not None else self._provided.name

    @property
    def problem(self) -> str:
        """Why the last renewal failed; empty if it did not."""
        return "" if self._failure is None else self._failure.message

    @property
    def is_ready(self) -> bool:
        """Whether the current credentials can be sent without a renewal."""
        current = self.current
        if current is None or current is self._doubted:
            return False
        return self._clock.wall().timestamp() < self._validity.renew_at

    async def ready(self, session: aiohttp.ClientSession) -> Credentials:
        """
        Return credentials that are valid, and renew them first if they are due.

        Raises:
            CredentialsError: If there are none, and the provider has not returned any.
        """
        current = self.current
        if current is not None and self.is_ready:
            return current
        if current is not None and current is self._doubted:  # another request was refused, and is renewing them
            return await self.renew(session, current) or current
        is_valid = current is not None and self._clock.wall().timestamp() < self._validity.expires
        if is_valid and (self._lock.locked() or self._may_not_fetch()):
            assert current is not None
            return current
        try:
            return await self._renew(session, None)
        except CredentialsError:
            if not is_valid or current is None:
                raise
            return current

    async def renew(self, session: aiohttp.ClientSession, refused: Credentials) -> Credentials | None:
        """
        Return credentials other than those that the server has refused; None if there are none.

        The provider is called once, however many requests were refused, and not again for a while if the server also
        refuses the credentials that it returns.
        """
        if self.current != refused:
            return self.current
        if self._may_not_force():
            return None
        self._doubted = self.current
        try:
            renewed = await self._renew(session, refused)
        except CredentialsError:
            return None
        return renewed if renewed != refused else None

    def accepted(self, credentials: Credentials) -> None:
        """Note that the server has not refused *credentials*."""
        if self._refused and credentials is self.current:
            self._refused = 0

    async def _renew(self, session: aiohttp.ClientSession, refused: Credentials | None) -> Credentials:
        fetched = self._fetched
        async with self._lock:
            if self._fetched == fetched or self._is_stale(refused):
                if self._may_not_fetch():
                    raise self._failed_again()
                await self._fetch(session, refused)
        if self._failure is not None:
            raise self._failed_again()
        assert self.current is not None
        return self.current

    def _is_stale(self, refused: Credentials | None) -> bool:
        """Whether a renewal that was not forced has meanwhile returned the *refused* credentials again."""
        return refused is not None and self.current == refused and not self._was_forced and self._failure is None

    def _may_not_fetch(self) -> bool:
        """Whether the last renewal failed so recently that the active calls must not repeat it."""
        if self._failure is None:
            return False
        elapsed = self._clock.now() - self._failed_at
        return elapsed < _PAUSE or (elapsed < _PAUSE_OF_CALLS and self._calls.has_any_of(self._failed_calls))

    def _may_not_force(self) -> bool:
        """Whether the last forced renewal, whose credentials were refused, was too recent for another one."""
        if self._provided.interval is not None:  # it only reads files
            return False
        return self._clock.now() < self._forced_at + seconds_between_forced(self._refused)

    def _failed_again(self) -> CredentialsError:
        """Return a copy of the last failure: each request adds its own traceback."""
        failure = self._failure
        assert failure is not None
        again = CredentialsError(failure.message, source=failure.source, hint=failure.hint)
        again.__cause__ = failure.__cause__
        return again

    async def _fetch(self, session: aiohttp.ClientSession, refused: Credentials | None) -> None:
        """Call the provider once. If it is cancelled, nothing is recorded, and the next request calls it again."""
        before = self.current
        try:
            credentials = await self._provide(session, is_refused=refused is not None)
        except CredentialsError as error:
            failure: CredentialsError | None = error.with_traceback(None)
        except ArtifactoryError as error:
            failure = self._error(error.message, error.hint)
        except Exception as error:  # noqa: BLE001  # whatever a provider of the user raises
            failure = self._error(f"raised {type(error).__name__}")
            failure.__cause__ = error
        else:
            failure = self._refusal_of(credentials)
            if failure is None:
                self._accept(credentials)
        self._doubted = None
        self._fetched += 1
        self._failure = failure
        self._was_forced = refused is not None
        if failure is not None:
            self._failed_at = self._clock.now()
            self._failed_calls = self._calls.snapshot()
            log_renewal_failure(self._provided.name, str(self._server), failure.message)
            return
        if self.current != before:
            log_renewal(self._provided.name, str(self._server))
        if refused is not None:
            self._refused += 1
            self._forced_at = self._clock.now()

    def _refusal_of(self, credentials: Credentials) -> CredentialsError | None:
        if self._provided.may_change_user or not are_of_another_user(self.current, credentials):
            return None
        return self._error(
            "returned the credentials of another user",
            "open a session for each user, see with_credentials(); a provider whose users change sets "
            "may_change_user = True",
        )

    def _accept(self, credentials: Credentials) -> None:
        now = self._clock.wall().timestamp()
        valid = validity(credentials, now)
        if credentials != self.current:
            self.recent = self.current
        elif now >= self._validity.renew_at:
            # The provider has no new ones yet: call it again after half of the time until they expire.
            valid = Validity(now + (valid.expires - now) / 2, valid.expires)
        self.current = credentials
        if self._provided.interval is not None:
            valid = Validity(min(valid.renew_at, now + self._provided.interval), valid.expires)
        self._validity = valid

    async def _provide(self, session: aiohttp.ClientSession, *, is_refused: bool) -> Credentials:
        value: object = None
        with anyio.move_on_after(self._seconds) as scope:
            send = self._sender(session)
            pending = self._provided.fetch(self._server, send, self.current, is_refused=is_refused)
            if not inspect.isawaitable(pending):
                raise self._error(
                    f"returned a {type(pending).__name__}; expected an awaitable", "define it with `async def`"
                )
            value = await pending
        if scope.cancelled_caught:
            raise self._error(
                f"returned nothing within {self._seconds:g} s", "increase Timeouts.credentials if it needs longer"
            )
        return read_provided(value, self._provided.name)

    def _error(self, what: str, hint: str | None = None) -> CredentialsError:
        return CredentialsError(f"{self._provided.name} {what}", source=self._provided.name, hint=hint)
