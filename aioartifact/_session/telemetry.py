"""
What a session counts, logs, and reports to the observer of traces and metrics, if there is one.

Requests are logged at DEBUG, retries, pauses and renewed credentials at INFO, failed renewals at WARNING. Messages
contain the method, the URL without query and credentials, the status, and the type of an error, but not its text, which
may quote secrets that a server echoed. A level that is off costs one comparison.
"""

import logging
from contextlib import AbstractContextManager
from time import monotonic
from typing import Protocol

import aiohttp
from yarl import URL

from .._address import mask_url

_HTTP = logging.getLogger("aioartifact.http")
_RETRY = logging.getLogger("aioartifact.retry")
_CREDENTIALS = logging.getLogger("aioartifact.credentials")


class ObservedOperation(Protocol):
    """A call of a public function."""

    def active(self) -> AbstractContextManager[None]:
        """Have requests that are sent inside the block belong to the call."""
        ...

    def end(self, error: BaseException | None) -> None:
        """Note the end of the call."""
        ...


class ObservedRequest(Protocol):
    """A request that has been sent."""

    def end(self, *, status: int | None = None, error: BaseException | None = None) -> None:
        """Note the beginning of the response, or the error that came instead."""
        ...


class Observer(Protocol):
    """Receives notifications from all sessions of the process; see `aioartifact.otel`."""

    def start_operation(self, name: str) -> ObservedOperation: ...

    def start_request(self, method: str, url: URL, resends: int) -> ObservedRequest: ...

    def retried(self) -> None: ...

    def received(self, size: int) -> None: ...

    def sent(self, size: int) -> None: ...

    def resumed(self, size: int) -> None: ...

    def found_in_cache(self) -> None: ...


class Telemetry:
    """
    The one observer of the process.

    Attributes:
        observer: The observer, or None.
    """

    observer: Observer | None = None


TELEMETRY = Telemetry()


class Traffic:
    """
    Counts what a session does, and notifies the observer.

    Attributes:
        requests: Requests that were sent, repeated ones and redirects included.
        retries: Attempts after a failure.
        rate_limited: Responses with status 429.
        bytes_received: Bytes of response bodies.
        bytes_sent: Bytes of files that were uploaded.
        bytes_resumed: Bytes that resumed downloads did not transfer again.
        cache_hits: Files that the cache had.
    """

    __slots__ = (
        "bytes_received",
        "bytes_resumed",
        "bytes_sent",
        "cache_hits",
        "rate_limited",
        "requests",
        "retries",
    )

    def __init__(self) -> None:
        self.requests = self.retries = self.rate_limited = self.cache_hits = 0
        self.bytes_received = self.bytes_sent = self.bytes_resumed = 0

    def start_request(self, method: str, url: URL, resends: int) -> ObservedRequest | None:
        """Count a request that is about to be sent; return the object to notify of its end if there is an observer."""
        self.requests += 1
        observer = TELEMETRY.observer
        return None if observer is None else observer.start_request(method, url, max(0, resends))

    def answered(self, status: int) -> None:
        """Count a response."""
        if status == 429:
            self.rate_limited += 1

    def retried(self) -> None:
        """Count a retry."""
        self.retries += 1
        if TELEMETRY.observer is not None:
            TELEMETRY.observer.retried()

    def received(self, size: int) -> None:
        """Count bytes of a response body."""
        self.bytes_received += size
        if TELEMETRY.observer is not None:
            TELEMETRY.observer.received(size)

    def sent(self, size: int) -> None:
        """Count bytes of a file that is uploaded."""
        self.bytes_sent += size
        if TELEMETRY.observer is not None:
            TELEMETRY.observer.sent(size)

    def resumed(self, size: int) -> None:
        """Count bytes that a resumed download does not transfer again."""
        self.bytes_resumed += size
        if TELEMETRY.observer is not None:
            TELEMETRY.observer.resumed(size)

    def found_in_cache(self) -> None:
        """Count a file that the cache had."""
        self.cache_hits += 1
        if TELEMETRY.observer is not None:
            TELEMETRY.observer.found_in_cache()


def log_response(response: aiohttp.ClientResponse, received: int, started: float) -> None:
    """Log a response that will not be read any further: *received* bytes since *started*."""
    if _HTTP.isEnabledFor(logging.DEBUG):
        elapsed = (monotonic() - started) * 1000
        url = mask_url(str(response.url))
        _HTTP.debug("%s %s: %d, %d bytes, %.0f ms", response.method, url, response.status, received, elapsed)


def log_failure(method: str, url: str, error: Exception, started: float) -> None:
    """Log a request that got no response."""
    if _HTTP.isEnabledFor(logging.DEBUG):
        elapsed = (monotonic() - started) * 1000
        _HTTP.debug("%s %s: %s, %.0f ms", method, mask_url(url), type(error).__name__, elapsed)


def log_retry(method: str, url: str, reason: object, attempt: int, delay: float) -> None:
    """Log that a request is sent again, as its *attempt*-th time, after *delay* seconds."""
    if _RETRY.isEnabledFor(logging.INFO):
        _RETRY.info("%s %s: %s; attempt %d in %.1f s", method, mask_url(url), reason, attempt, delay)


def log_pause(request: aiohttp.ClientRequest, status: int, delay: float) -> None:
    """Log that all requests to a server wait."""
    if _RETRY.isEnabledFor(logging.INFO):
        _RETRY.info("%s: %d; all requests to it pause for %.1f s", request.url.origin(), status, delay)


def log_resume(attempt: int, delay: float, *, progressed: bool) -> None:
    """Log that an operation whose response broke off is resumed, or repeated where nothing new had arrived."""
    if _RETRY.isEnabledFor(logging.INFO):
        what = "resumed" if progressed else "repeated"
        _RETRY.info("response broke off; %s as attempt %d in %.1f s", what, attempt, delay)


def log_renewal(provider: str, server: str) -> None:
    """Log that a provider has returned credentials."""
    _CREDENTIALS.info("%s: credentials from %s", server, provider)


def log_renewal_failure(provider: str, server: str, failure: str) -> None:
    """Log that a provider has not returned credentials; the current ones are used while they are valid."""
    _CREDENTIALS.warning("%s: no credentials from %s: %s", server, provider, failure)
