"""
Traces and metrics for OpenTelemetry: calls, their requests, and transferred bytes.

Install the extra ``otel``, and call :func:`instrument` once, where the program sets up OpenTelemetry::

    from aioartifact import otel

    otel.instrument()

Names and attributes follow OpenTelemetry's semantic conventions for HTTP (version 1.23 or newer); additional ones start
with ``aioartifact.``. Spans and metrics contain no credentials, header fields and queries of URLs. Without
:func:`instrument`, nothing is reported.

See: OpenTelemetry, "Semantic conventions for HTTP spans", "Semantic conventions for HTTP metrics".
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING

from yarl import URL

from aioartifact import ConfigurationError, __version__

from ._address import mask_url
from ._session import TELEMETRY

if TYPE_CHECKING:
    import opentelemetry.metrics
    import opentelemetry.trace
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Span, Tracer

__all__ = ["instrument", "uninstrument"]

_NAME = "aioartifact"
# Boundaries of the semantic conventions, in seconds.
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
# The methods of the semantic conventions; others would create any number of labels.
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})


def instrument(
    *,
    tracer_provider: "opentelemetry.trace.TracerProvider | None" = None,
    meter_provider: "opentelemetry.metrics.MeterProvider | None" = None,
) -> None:
    """
    Report the calls and requests of all sessions of this process to OpenTelemetry from now on.

    Each call of a public function is a span, such as ``aioartifact.download``, below the current span. Each request,
    including retries and redirects, is a client span below it, which ends when the response starts. The span of a call
    has these attributes if they are not 0: ``aioartifact.retries``, ``aioartifact.bytes_received``,
    ``aioartifact.bytes_sent``, ``aioartifact.bytes_resumed`` (bytes that were not transferred again), and
    ``aioartifact.cache_hits``.

    Metrics: ``http.client.request.duration`` in seconds and ``http.client.active_requests``, both until the response
    starts; ``aioartifact.retries``; ``aioartifact.io`` in bytes, with ``network.io.direction``;
    ``aioartifact.bytes_resumed``; ``aioartifact.cache_hits``. In ``http.client.request.duration``,
    ``http.response.status_code`` 429 indicates a rate limit of the server.

    Another call replaces the providers.

    Args:
        tracer_provider: Creates spans; None uses the global provider.
        meter_provider: Creates metrics; None uses the global provider.

    Raises:
        ConfigurationError: If OpenTelemetry is not installed.
    """
    try:
        from opentelemetry import metrics, trace
    except ImportError:
        raise ConfigurationError("OpenTelemetry is not installed", hint="pip install 'aioartifact[otel]'") from None
    tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
    meter = metrics.get_meter(_NAME, __version__, meter_provider)
    TELEMETRY.observer = _Observer(tracer, _Instruments(meter))


def uninstrument() -> None:
    """Stop reporting, and end open spans."""
    TELEMETRY.observer = None


class _Instruments:
    """The metrics."""

    def __init__(self, meter: "Meter") -> None:
        self.duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self.active = meter.create_up_down_counter(
            "http.client.active_requests", unit="{request}", description="Number of active HTTP requests."
        )
        self.retries = meter.create_counter(
            "aioartifact.retries", unit="{retry}", description="Attempts after a transient failure."
        )
        self.io = meter.create_counter(
            "aioartifact.io", unit="By", description="Bytes of response bodies and uploaded files."
        )
        self.resumed = meter.create_counter(
            "aioartifact.bytes_resumed", unit="By", description="Bytes that resumed downloads did not transfer again."
        )
        self.cache_hits = meter.create_counter(
            "aioartifact.cache_hits", unit="{file}", description="Downloads whose bytes were in the cache."
        )


class _Operation:
    """A call: its span and its counters."""

    def __init__(self, span: "Span", counts: Counter[str]) -> None:
        self._span = span
        self._counts = counts
        self._outer: Counter[str] | None = None

    @contextmanager
    def active(self) -> Iterator[None]:
        from opentelemetry import context, trace

        token = context.attach(trace.set_span_in_context(self._span))
        self._outer = _counts.get()
        _counts.set(self._counts)
        try:
            yield
        finally:
            # A block of an asynchronous generator may end in another context than it began in.
            if trace.get_current_span() is self._span:
                context.detach(token)
                _counts.set(self._outer)

    def end(self, error: BaseException | None) -> None:
        for name, count in self._counts.items():
            self._span.set_attribute(f"aioartifact.{name}", count)
        if self._outer is not None:
            self._outer.update(self._counts)
        if error is not None:
            _fail(self._span, type(error).__qualname__)
        self._span.end()


class _Request:
    """A request: its span and its metrics."""

    def __init__(self, span: "Span", instruments: _Instruments, attributes: dict[str, str | int]) -> None:
        self._span = span
        self._instruments = instruments
        self._attributes = attributes
        self._started = monotonic()
        instruments.active.add(1, attributes)

    def end(self, *, status: int | None = None, error: BaseException | None = None) -> None:
        self._instruments.active.add(-1, self._attributes)
        outcome: dict[str, str | int] = {}
        if status is not None:
            outcome["http.response.status_code"] = status
            self._span.set_attribute("http.response.status_code", status)
        kind = type(error).__qualname__ if error is not None else str(status) if (status or 0) >= 400 else None
        if kind is not None:
            outcome["error.type"] = kind
            _fail(self._span, kind)
        self._instruments.duration.record(monotonic() - self._started, {**self._attributes, **outcome})
        self._span.end()


class _Observer:
    """Reports calls and requests of sessions."""

    def __init__(self, tracer: "Tracer", instruments: _Instruments) -> None:
        self._tracer = tracer
        self._instruments = instruments

    def start_operation(self, name: str) -> _Operation:
        return _Operation(self._tracer.start_span(f"{_NAME}.{name}"), Counter())

    def start_request(self, method: str, url: URL, resends: int) -> _Request:
        from opentelemetry.trace import SpanKind

        known = method if method in _METHODS else "_OTHER"
        attributes: dict[str, str | int] = {
            "http.request.method": known,
            "server.address": url.host or "",
            "server.port": url.port or 0,
            "url.scheme": url.scheme,
        }
        span = self._tracer.start_span(
            known if known in _METHODS else "HTTP",
            kind=SpanKind.CLIENT,
            attributes={**attributes, "url.full": mask_url(str(url))},
        )
        if resends:
            span.set_attribute("http.request.resend_count", resends)
        return _Request(span, self._instruments, attributes)

    def retried(self) -> None:
        self._count("retries", 1)
        self._instruments.retries.add(1)

    def received(self, size: int) -> None:
        self._count("bytes_received", size)
        self._instruments.io.add(size, {"network.io.direction": "receive"})

    def sent(self, size: int) -> None:
        self._count("bytes_sent", size)
        self._instruments.io.add(size, {"network.io.direction": "transmit"})

    def resumed(self, size: int) -> None:
        self._count("bytes_resumed", size)
        self._instruments.resumed.add(size)

    def found_in_cache(self) -> None:
        self._count("cache_hits", 1)
        self._instruments.cache_hits.add(1)

    def _count(self, name: str, amount: int) -> None:
        counts = _counts.get()
        if counts is not None and amount:
            counts[name] += amount


_counts: ContextVar[Counter[str] | None] = ContextVar("_counts", default=None)


def _fail(span: "Span", kind: str) -> None:
    """Mark *span* as failed by the type of an error; its message may contain text of the server."""
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
