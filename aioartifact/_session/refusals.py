"""Circuit breaker for credentials that a server has refused, since each further failing login may lock the account."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import TypeAlias

from .backoff import BackoffGate
from .clock import Clock

# A call that runs for hours must not keep later ones from a server that has recovered.
_MAX_SECONDS = 300.0

CREDENTIAL_HEADERS = ("Authorization", "X-JFrog-Art-Api")

SentCredentials: TypeAlias = tuple[str | None, ...]
"""The values of the header fields that carry credentials."""

EVERYONE: SentCredentials = ("everyone",)
"""In place of credentials: the server refuses all requests."""


class CredentialsRefused(Exception):
    """
    A request was not sent; not an ArtifactoryError, since aiohttp turns each OSError into one of its own.

    Attributes:
        status: Status with which the credentials were refused.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def credentials_in(headers: Mapping[str, str]) -> SentCredentials:
    """Return what *headers* carry of credentials."""
    return headers.get(CREDENTIAL_HEADERS[0]), headers.get(CREDENTIAL_HEADERS[1])


class ActiveCalls:
    """The public calls that use a session at this moment."""

    def __init__(self) -> None:
        self._active: set[object] = set()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count one call as active inside the block."""
        token = object()
        self._active.add(token)
        try:
            yield
        finally:
            self._active.discard(token)

    def snapshot(self) -> frozenset[object]:
        """Return the calls that are active now."""
        return frozenset(self._active)

    def has_any_of(self, calls: frozenset[object]) -> bool:
        """Whether any of *calls* is still active."""
        return not calls.isdisjoint(self._active)


class CredentialBreaker:
    """
    Remembers which credentials one server has refused, and whether it accepts no requests for a while.

    A refusal ends the remaining work of all calls that were active when it arrived. Once these have ended, or after
    five minutes, one request may try the credentials again, alone.

    Attributes:
        suspensions: How often in a row the server has suspended logins, for whatever requests.
    """

    def __init__(self, calls: ActiveCalls, clock: Clock, backoff: BackoffGate) -> None:
        self._calls = calls
        self._backoff = backoff
        self._clock = clock
        self._refused: dict[SentCredentials, tuple[frozenset[object], float, int]] = {}
        self._suspended_at = -inf
        self.suspensions = 0

    def refuse(self, sent: SentCredentials, status: int, seconds: float = inf) -> None:
        """
        Record that the server refused the credentials *sent*; without any, nothing is recorded.

        Args:
            sent: The credentials, or EVERYONE.
            status: 401, 403 while the server refuses all logins of the user, or 429 or 503 for everyone.
            seconds: For how long, at most.
        """
        if any(sent):
            self._refused[sent] = (self._calls.snapshot(), self._clock.now() + min(seconds, _MAX_SECONDS), status)

    def answered(self, sent_at: float, *, is_suspended: bool) -> None:
        """
        Count suspensions of logins.

        Args:
            sent_at: When the request was sent; one that was sent before the last suspension does not count.
            is_suspended: Whether it was answered with a suspension.
        """
        if sent_at > self._suspended_at:
            self.suspensions = self.suspensions + 1 if is_suspended else 0
            self._suspended_at = self._clock.now() if is_suspended else self._suspended_at

    @property
    def is_clear(self) -> bool:
        """Whether no credentials are known to be refused."""
        return not self._refused

    def refusal(self, sent: SentCredentials) -> int | None:
        """Return the status with which *sent* were refused if a request with them must not be sent now, else None."""
        return self._refusal(EVERYONE) or self._refusal(sent) if self._refused else None

    def _refusal(self, sent: SentCredentials) -> int | None:
        if (refused := self._refused.get(sent)) is None:
            return None
        calls, until, status = refused
        if self._calls.has_any_of(calls) and self._clock.now() < until:
            return status
        del self._refused[sent]
        self._backoff.start_over()
        return None
