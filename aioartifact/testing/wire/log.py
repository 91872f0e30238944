"""The request log: records, counts, and comparisons for tests."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from threading import Lock
from time import monotonic

from ..protocol import ant_patterns

_SECRET_HEADERS = frozenset({"authorization", "x-jfrog-art-api", "x-api-key", "cookie"})
_MASK = "***"


@dataclass(slots=True)
class RequestRecord:
    """
    A request in the log.

    Attributes:
        method: HTTP method.
        path: Decoded path below the context path, without leading slash, matrix parameters and query.
        raw_path: The request target as sent, with the query.
        query: Query parameters; the last value of a repeated one, ``""`` for one without a value.
        headers: Header fields by lower-case name; credentials are ``"***"``.
        origin: ``"main"``, or ``"storage"`` for the origin of signed URLs.
        connection: Number of the TCP connection, starting with 1.
        had_credentials: Whether the request had credentials.
        status: Status of the response; 0 before it is known, or if a fault closed the connection first.
        bytes_sent: Body bytes of the response.
        bytes_received: Body bytes of the request that the server read.
        is_known: Whether the server serves this endpoint, with this method.
        started: When the request arrived, in seconds of ``time.monotonic()``.
        first_byte: When the response started, or None.
        ended: When the response was complete or failed; None before.
    """

    method: str
    path: str
    raw_path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    origin: str
    connection: int
    had_credentials: bool
    status: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    is_known: bool = True
    started: float = field(default_factory=monotonic)
    first_byte: float | None = None
    ended: float | None = None

    @property
    def line(self) -> str:
        """Method and path, as :meth:`ArtifactoryServer.assert_requests` compares them."""
        return f"{self.method} {self.pattern_path}"

    @property
    def pattern_path(self) -> str:
        """The path that patterns are matched with, behind ``storage:`` for the second origin."""
        return f"storage:{self.path}" if self.origin == "storage" else self.path

    @property
    def line_with_query(self) -> str:
        """The same with the query as sent."""
        _, mark, query = self.raw_path.partition("?")
        return self.line + mark + query

    def as_dict(self) -> dict[str, object]:
        """Return what JSON can hold; ``seconds`` is how long the answer took, None until it has left."""
        names = ("method", "origin", "raw_path", "status", "connection", "had_credentials", "is_known")
        return {
            "line": self.line,
            "path": self.pattern_path,
            **{name: getattr(self, name) for name in names},
            "query": dict(self.query),
            "headers": dict(self.headers),
            "bytes_sent": self.bytes_sent,
            "bytes_received": self.bytes_received,
            "seconds": None if self.ended is None else self.ended - self.started,
        }


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Copy request headers with lower-case names and without secrets."""
    return {name.lower(): _MASK if name.lower() in _SECRET_HEADERS else value for name, value in headers.items()}


def has_credentials(headers: Mapping[str, str]) -> bool:
    """Return whether a request carries credentials or cookies."""
    return any(name in headers for name in _SECRET_HEADERS)


@dataclass(slots=True)
class RequestLog:
    """
    Records in the order in which the requests arrived.

    Attributes:
        on_done: Called with each request once it is answered.
    """

    records: list[RequestRecord] = field(default_factory=list)
    in_flight: int = 0
    max_in_flight: int = 0
    on_done: Callable[[RequestRecord], None] | None = None
    _lock: Lock = field(default_factory=Lock)

    def add(self, record: RequestRecord) -> None:
        """Record the arrival of a request."""
        with self._lock:
            self.records.append(record)
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def done(self, record: RequestRecord) -> None:
        """Record that a request was answered or gave up."""
        record.ended = monotonic()
        with self._lock:
            self.in_flight -= 1
        if self.on_done:
            self.on_done(record)

    def clear(self) -> None:
        """Forget every record; the highest number in flight starts again from the present one."""
        with self._lock:
            self.records.clear()
            self.max_in_flight = self.in_flight

    def count(self, method: str | None, pattern: str | None) -> int:
        """Count requests; None stands for any method, any path."""
        return sum(
            (method is None or method == each.method)
            and (pattern is None or ant_patterns.matches(pattern, each.pattern_path))
            for each in list(self.records)
        )

    def connections(self) -> int:
        """Count the distinct TCP connections of all recorded requests."""
        return len({each.connection for each in list(self.records)})

    def check(self, expected: Sequence[str]) -> None:
        """
        Compare with ``"GET generic-local/a.bin"`` lines; a line with ``?`` compares the query too, as sent.

        Raises:
            AssertionError: If they differ; the message is a diff.
        """
        seen = [_as_expected(record, expected, index) for index, record in enumerate(list(self.records))]
        if seen != list(expected):
            diff = "\n".join(unified_diff(list(expected), seen, "expected requests", "seen requests", lineterm=""))
            raise AssertionError(f"the server saw other requests than expected\n{diff}")

    def check_counts(self, expected: Mapping[str, int]) -> None:
        """
        Compare the number of requests per ``"GET generic-local/**"`` line; others count as themselves.

        Raises:
            AssertionError: If they differ; the message is a diff.
        """
        seen = Counter(_line_for(record, expected) for record in list(self.records))
        lines = sorted({*expected, *seen})
        wanted = [f"{expected.get(line, 0):>6}  {line}" for line in lines]
        found = [f"{seen[line]:>6}  {line}" for line in lines]
        if wanted != found:
            diff = "\n".join(unified_diff(wanted, found, "expected requests", "seen requests", lineterm=""))
            raise AssertionError(f"the server saw other numbers of requests than expected\n{diff}")

    def unknown(self) -> list[str]:
        """Return the lines of requests to endpoints that are not served, each once, in order of arrival."""
        return list(dict.fromkeys(record.line for record in list(self.records) if not record.is_known))


def _line_for(record: RequestRecord, lines: Iterable[str]) -> str:
    for line in lines:
        method, _, pattern = line.partition(" ")
        if method in ("*", record.method) and ant_patterns.matches(pattern, record.pattern_path):
            return line
    return record.line


def _as_expected(record: RequestRecord, expected: Sequence[str], index: int) -> str:
    asks_for_query = index < len(expected) and "?" in expected[index]
    return record.line_with_query if asks_for_query else record.line
