"""Faults: changes of responses, and the list that selects the affected requests."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import count
from math import ceil
from typing import Literal

from ..clocks import Clock, wait_until
from ..protocol import ant_patterns
from ..protocol.replies import CHALLENGE, Reply, error
from ..signals import Signal, first_of

BodyKind = Literal["json", "html", "text"]

_NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A fault of a response, created by a class method; offsets and counts are in bytes of the body.

    A fault is a value, which may be injected for several patterns. ``fault | other`` combines two faults, for instance
    ``Fault.ignore_range() | Fault.cut(after=10)``.
    """

    # A new kind of fault needs a field, a class method, its arguments over HTTP in remote/fault_input.py, and the code
    # that applies it: `alter` for a reply that a value can express; `bends_body` and transmission.Sender for bytes that
    # differ from the reply, and UploadFault.of for the same in the body of a PUT; exchange.Exchange for what a handler
    # does differently; App._suffer for what happens before the request is handled.
    answer: Reply | None = None
    after: int | None = None
    ending: Literal["reset", "cut", "truncate", "stall", "lose"] | None = None
    holds: bool = False
    flip_at: int | None = None
    ignores_range: bool = False
    etag: str | None = None
    content: bytes | None = None
    drops_checksums: bool = False
    latency: float = 0.0
    bandwidth: float | None = None
    contents: tuple[bytes, ...] = ()
    allowance: tuple[int, float] | None = None

    def __or__(self, other: "Fault") -> "Fault":
        """
        Combine two faults.

        Raises:
            ValueError: If both set the same thing, such as how the body ends, to different values.
        """
        changes = {}
        for each in fields(Fault):
            ours, theirs = getattr(self, each.name), getattr(other, each.name)
            if each.default not in (ours, theirs) and ours != theirs:
                raise ValueError(f"both faults set {each.name!r}: {ours!r} and {theirs!r}")
            changes[each.name] = theirs if ours == each.default else ours
        return replace(self, **changes)

    @classmethod
    def status(
        cls,
        status: int,
        body: BodyKind | bytes = "json",
        headers: Mapping[str, str] | None = None,
        message: str = "",
    ) -> "Fault":
        """
        Respond with *status* instead of the real response.

        Args:
            status: HTTP status.
            body: ``"json"`` for an error of Artifactory, ``"html"`` for one of nginx, ``"text"`` for plain text; bytes
                are sent as they are.
            headers: Additional header fields.
            message: Text of the error; empty for the phrase of the status.
        """
        reply = _error_body(status, body, message or f"scripted {status}")
        reply.headers.update(headers or {})
        return cls(answer=reply)

    @classmethod
    def retry_after(cls, status: int, value: str) -> "Fault":
        """Respond with *status* and ``Retry-After``: seconds, or an HTTP date."""
        return cls.status(status, headers={"Retry-After": value})

    @classmethod
    def rate_limit(cls, requests: int, per: float = 1.0) -> "Fault":
        """
        Respond with 429 and ``Retry-After`` to requests beyond *requests* within *per* seconds.

        Seconds are those of the server's clock. Accepted requests do not count, and other faults may affect them;
        inject it with ``times=None``.
        """
        return replace(cls.retry_after(429, str(ceil(per))), allowance=(requests, per))

    @classmethod
    def expired_token(cls) -> "Fault":
        """Respond with 401, as if the token of the request had just expired."""
        headers = {"WWW-Authenticate": CHALLENGE}
        return cls.status(401, headers=headers, message="Token failed verification: expired")

    @classmethod
    def slow(cls, latency: float = 0.0, bandwidth: float | None = None) -> "Fault":
        """
        Delay the response, or limit its bandwidth.

        Args:
            latency: Seconds before the request is processed.
            bandwidth: Bytes per second of a connection, for bodies in both directions; None for no limit.

        Time is that of the server's clock: with a :class:`ManualClock`, the test controls it.
        """
        return cls(latency=latency, bandwidth=bandwidth)

    @classmethod
    def overwrite(cls, *contents: bytes) -> "Fault":
        """
        Replace the file before each request, by each of *contents* in turn, as if another client deployed it.

        After the last one, the file stays as it is. Each response is consistent, but different ones have different
        content. The path must be that of a file in a local repository.
        """
        return cls(contents=contents)

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> "Fault":
        """Respond with a redirect to *location*."""
        return cls(answer=Reply(status, {"Location": location}))

    @classmethod
    def reset(cls, after: int = 0) -> "Fault":
        """Send the header and *after* bytes of the body, then reset the TCP connection."""
        return cls(after=after, ending="reset")

    @classmethod
    def lose(cls) -> "Fault":
        """Execute the request, then reset the TCP connection without a response."""
        return cls(ending="lose")

    @classmethod
    def cut(cls, after: int = 0) -> "Fault":
        """Send *after* bytes without ``Content-Length``, and close: to HTTP, the shorter body is complete."""
        return cls(after=after, ending="cut")

    @classmethod
    def truncate(cls, after: int = 0) -> "Fault":
        """Send the whole ``Content-Length``, but only *after* bytes, then close the connection."""
        return cls(after=after, ending="truncate")

    @classmethod
    def stall(cls, after: int = 0) -> "Fault":
        """Send the header and *after* bytes, and the rest after :meth:`FaultHandle.release`."""
        return cls(after=after, ending="stall")

    @classmethod
    def hold(cls) -> "Fault":
        """Send nothing until :meth:`FaultHandle.release`."""
        return cls(holds=True)

    @classmethod
    def flip(cls, at: int = 0) -> "Fault":
        """Invert the byte at this offset of the body; header fields describe the real content."""
        return cls(flip_at=at)

    @classmethod
    def ignore_range(cls) -> "Fault":
        """Respond to a range request with 200 and the whole file."""
        return cls(ignores_range=True)

    @classmethod
    def wrong_etag(cls, etag: str = "0" * 40) -> "Fault":
        """Send an ``ETag`` and ``X-Checksum-Sha1`` of other content."""
        return cls(etag=etag)

    @classmethod
    def replace(cls, data: bytes) -> "Fault":
        """Send *data* as a complete body, with the checksums of the real file."""
        return cls(content=data)

    @classmethod
    def drop_checksums(cls) -> "Fault":
        """Send no ``X-Checksum-*`` and no ``ETag``, as behind some proxies."""
        return cls(drops_checksums=True)

    @property
    def bends_body(self) -> bool:
        """Whether the body goes out otherwise than the reply says."""
        return self.ending is not None or self.flip_at is not None or self.bandwidth is not None

    def alter(self, reply: Reply) -> Reply:
        """Return what goes out in place of *reply*, as far as values can say it."""
        headers = dict(reply.headers)
        if self.drops_checksums:
            headers = {name: value for name, value in headers.items() if not _is_checksum(name)}
        if self.etag is not None:
            headers |= {"ETag": self.etag, "X-Checksum-Sha1": self.etag}
        body = reply.body if self.content is None else self.content
        return replace(reply, headers=headers, body=body)


def _is_checksum(header: str) -> bool:
    return header == "ETag" or header.startswith("X-Checksum-")


def _error_body(status: int, body: BodyKind | bytes, message: str) -> Reply:
    if isinstance(body, bytes):
        return Reply(status, {"Content-Type": "application/octet-stream"}, body)
    if body == "html":
        return Reply(status, {"Content-Type": "text/html"}, _NGINX.format(f"{status} {message}").encode())
    if body == "text":
        return Reply(status, {"Content-Type": "text/plain"}, message.encode())
    return error(status, message)


class FaultHandle:
    """
    An injected fault: counts its requests, and releases a stall or hold.

    Attributes:
        id: Number of the fault on its server, from 1.
        description: JSON of a fault that was injected over HTTP; otherwise None.
        method: HTTP method, ``*`` for any.
        pattern: Pattern of paths.
        left: Number of further requests to affect; None for all.
        hits: Number of affected requests.
    """

    def __init__(self, method: str, pattern: str, times: int | None, fault: Fault, clock: Clock) -> None:
        self.fault = fault
        self.id: int = 0
        self.description: object = None
        self.hits: int = 0
        self.clock = clock
        self.method = method
        self.pattern = pattern
        self.left = times
        self._reached = Signal()
        self._released = Signal()
        self._passed: deque[float] = deque()  # when requests within the allowance came

    def release(self) -> None:
        """Continue all requests that wait in this fault, and do not affect later ones; any thread may call it."""
        self._released.set()

    @property
    def is_reached(self) -> bool:
        """Whether a request waits in this fault."""
        return self._reached.is_set

    async def reached(self) -> None:
        """Wait until a request waits in this fault."""
        await self._reached.wait()

    def wait_reached(self, timeout: float | None = None) -> bool:
        """Block until a request waits in this fault, at most *timeout* seconds; for code without an event loop."""
        return self._reached.wait_blocking(timeout)

    async def pause(self) -> None:
        """Sit in this fault until it is released; for the server's side."""
        self._reached.set()
        await self._released.wait()

    async def pause_until(self, when: float) -> None:
        """Sit in this fault until the clock shows *when*, or it is released; for the server's side."""
        if when > self.clock() and not self._released.is_set:
            self._reached.set()
            await first_of(self._released.wait(), wait_until(self.clock, when))

    def take(self, method: str, path: str) -> bool:
        """Claim one hit for a request, where it matches and times are left."""
        if self.left == 0 or self.method not in ("*", method) or not ant_patterns.matches(self.pattern, path):
            return False
        if self.fault.allowance and self._is_within(*self.fault.allowance):
            return False
        if self.left is not None:
            self.left -= 1
        self.hits += 1
        return True

    def next_content(self) -> bytes | None:
        """Return what the file is overwritten with at the present hit; None to leave it."""
        contents = self.fault.contents
        return contents[self.hits - 1] if self.hits <= len(contents) else None

    def _is_within(self, requests: int, per: float) -> bool:
        now = self.clock()
        while self._passed and self._passed[0] <= now - per:
            self._passed.popleft()
        if len(self._passed) >= requests:
            return False
        self._passed.append(now)
        return True


@dataclass(slots=True)
class Faults:
    """The script: faults in the order they were added; the first that matches and has times left hits."""

    _handles: list[FaultHandle] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, handle: FaultHandle) -> None:
        """Append to the script."""
        handle.id = next(self._ids)
        self._handles.append(handle)

    def all(self) -> list[FaultHandle]:
        """Return the script, with those faults that have no times left."""
        return list(self._handles)

    def remove(self, handle: FaultHandle) -> None:
        """Remove one fault and let go every request that waits in it."""
        self._handles = [each for each in self._handles if each is not handle]
        handle.release()

    def clear(self) -> None:
        """Empty the script and let go every request that waits in it."""
        handles, self._handles = self._handles, []
        for handle in handles:
            handle.release()

    def pick(self, method: str, path: str) -> FaultHandle | None:
        """Claim the fault for a request, None for none."""
        return next((handle for handle in self._handles if handle.take(method, path)), None)
