"""What a session counts, and the observer that learns of operations and requests, if there is one."""

from contextlib import AbstractContextManager
from typing import Protocol

from yarl import URL


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
    """Is notified of what all sessions of the process do; see `aioartifact.otel`."""

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
        """Count a request that is about to be sent; the observer, if there is one, wants to know its end."""
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
