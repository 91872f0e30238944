"""Circuit breaker for credentials that a server has refused: each further failing login may lock the account."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from .clock import Clock
from .gate import Gate

# A call that runs for hours must not keep later ones from a server that has recovered.
_MAX_SECONDS = 300.0

SentCredentials: TypeAlias = tuple[str | None, ...]
"""The values of the header fields that carry credentials."""


class CredentialsRefused(Exception):
    """A request was not sent; not an ArtifactoryError, since aiohttp turns each OSError into one of its own."""


def credentials_in(headers: Mapping[str, str]) -> SentCredentials:
    """Return what *headers* carry of credentials."""
    return headers.get("Authorization"), headers.get("X-JFrog-Art-Api")


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
    Remembers which credentials one server has refused.

    A refusal ends the remaining work of all calls that were active when it arrived. Once these have ended, or after
    five minutes, one request may try the credentials again, alone.
    """

    def __init__(self, calls: ActiveCalls, clock: Clock, gate: Gate) -> None:
        self._calls = calls
        self._gate = gate
        self._clock = clock
        self._refused: dict[SentCredentials, tuple[frozenset[object], float]] = {}

    def refuse(self, sent: SentCredentials) -> None:
        """Record that the server answered 401 to the credentials *sent*; without any, nothing is recorded."""
        if any(sent):
            self._refused[sent] = (self._calls.snapshot(), self._clock.now() + _MAX_SECONDS)

    def is_refused(self, sent: SentCredentials) -> bool:
        """Whether a request with the credentials *sent* must not be sent now."""
        if not self._refused or (refusal := self._refused.get(sent)) is None:
            return False
        calls, until = refusal
        if self._calls.has_any_of(calls) and self._clock.now() < until:
            return True
        del self._refused[sent]
        self._gate.start_over()
        return False
