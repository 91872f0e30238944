"""aioartifact.otel: spans and metrics for OpenTelemetry, by its own SDK."""

import asyncio
import re
import subprocess
import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import aioartifact
from aioartifact import blocking, otel
from aioartifact.testing import Fault

SECRET = "canary-8d1f"


class Telemetry:
    """What the program has reported."""

    def __init__(self):
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])

    @property
    def spans(self):
        return self._exporter.get_finished_spans()

    def named(self, name):
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def below(self, parent):
        return [span for span in self.spans if span.parent and span.parent.span_id == parent.context.span_id]

    def points(self, name):
        """Data points of a metric."""
        return [
            point
            for resource in self._reader.get_metrics_data().resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def total(self, name, **attributes):
        wanted = {key.replace("_", "."): value for key, value in attributes.items()}
        return sum(point.value for point in self.points(name) if wanted.items() <= dict(point.attributes).items())


@pytest.fixture
def telemetry():
    reported = Telemetry()
    otel.instrument(tracer_provider=reported.tracers, meter_provider=reported.meters)
    yield reported
    otel.uninstrument()


async def test_call_is_a_span_with_its_requests_below(server, session, telemetry):
    """With the names of the semantic conventions, below the span of the caller."""
    server.put("generic-local/a.bin", bytes(100))
    with telemetry.tracers.get_tracer("service").start_as_current_span("handler") as handler:
        await aioartifact.read_bytes(f"{server.url}/generic-local/a.bin", session=session)
    call = telemetry.named("aioartifact.read_bytes")
    assert call.parent.span_id == handler.get_span_context().span_id
    assert dict(call.attributes) == {"aioartifact.bytes_received": 100}
    (request,) = telemetry.below(call)
    assert (request.name, request.kind) == ("GET", SpanKind.CLIENT)
    assert dict(request.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(server.url.split(":")[2].split("/")[0]),
        "url.full": f"{server.url}/generic-local/a.bin",
        "url.scheme": "http",
    }
    assert request.status.status_code is call.status.status_code is StatusCode.UNSET


async def test_retries_and_resumed_bytes(server, session, telemetry, tmp_path):
    """They are attributes of the call, and each attempt is a span of its own."""
    server.put("generic-local/a.bin", bytes(3_000_000))
    server.fail("GET", "generic-local/a.bin", fault=Fault.status(503))
    server.fail("GET", "generic-local/a.bin", fault=Fault.truncate(after=2_000_000))
    await aioartifact.download(f"{server.url}/generic-local/a.bin", tmp_path, session=session)
    call = telemetry.named("aioartifact.download")
    assert call.attributes["aioartifact.retries"] == 2
    assert 0 < call.attributes["aioartifact.bytes_resumed"] == telemetry.total("aioartifact.bytes_resumed")
    refused, *rest = [span for span in telemetry.below(call) if span.attributes["http.request.method"] == "GET"]
    assert refused.attributes["error.type"] == "503"
    assert refused.status.status_code is StatusCode.ERROR
    assert "http.request.resend_count" not in refused.attributes
    assert rest[0].attributes["http.request.resend_count"] == 1
    assert telemetry.total("aioartifact.retries") == 2


async def test_failed_call(server, session, telemetry):
    """Its span has the type of the error, and no text."""
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.read_bytes(f"{server.url}/generic-local/none.bin", session=session)
    call = telemetry.named("aioartifact.read_bytes")
    assert call.attributes["error.type"] == "NotFoundError"
    assert (call.status.status_code, call.status.description, call.events) == (StatusCode.ERROR, None, ())


async def test_lost_connection(server, session, telemetry):
    """A request without a response ends with the type of its error."""
    server.fail("GET", "api/repositories", fault=Fault.lose(), times=None)
    with pytest.raises(aioartifact.TransportError):
        await aioartifact.repositories(server.url, session=session)
    requests = telemetry.below(telemetry.named("aioartifact.repositories"))
    assert len(requests) == 3
    assert {span.attributes["error.type"] for span in requests} <= {"ServerDisconnectedError", "ClientOSError"}
    assert telemetry.total("http.client.active_requests") == 0


async def test_bulk_call_holds_its_requests(server, session, telemetry, tmp_path):
    """Workers are tasks; what they send is below the call that they belong to."""
    for number in range(5):
        server.put(f"generic-local/{number}.bin", bytes(100))
    urls = [f"{server.url}/generic-local/{number}.bin" for number in range(5)]
    await aioartifact.download_many(urls, tmp_path, session=session)
    call = telemetry.named("aioartifact.download_many")
    assert len(telemetry.below(call)) == 5
    assert call.attributes["aioartifact.bytes_received"] == 500


async def test_listing_is_a_span_that_the_loop_over_it_is_not_in(server, session, telemetry):
    """What the caller does between two entries is not a part of the listing."""
    server.put("generic-local/a.bin", b"a")
    tracer = telemetry.tracers.get_tracer("service")
    with tracer.start_as_current_span("handler") as handler:
        async for _ in aioartifact.walk(f"{server.url}/generic-local", session=session):
            with tracer.start_as_current_span("work"):
                pass
    listing = telemetry.named("aioartifact.walk")
    assert telemetry.named("work").parent.span_id == handler.get_span_context().span_id
    assert telemetry.below(listing)


async def test_listing_that_is_left_early_ends_its_span(server, session, telemetry):
    """Also where the rest is never read."""
    server.put("generic-local/a.bin", b"a")
    async with aioartifact.walk(f"{server.url}/generic-local", session=session) as listing:
        await anext(listing)
    assert telemetry.named("aioartifact.walk").status.status_code is StatusCode.UNSET


async def test_calls_of_many_tasks_are_kept_apart(server, session, telemetry):
    """Each has its own requests."""
    for number in range(20):
        server.put(f"generic-local/{number}.bin", bytes(number))
    urls = [f"{server.url}/generic-local/{number}.bin" for number in range(20)]
    await asyncio.gather(*(aioartifact.read_bytes(url, session=session) for url in urls))
    calls = [span for span in telemetry.spans if span.name == "aioartifact.read_bytes"]
    assert [len(telemetry.below(call)) for call in calls] == [1] * 20
    assert sorted(call.attributes.get("aioartifact.bytes_received", 0) for call in calls) == [*range(20)]


async def test_stream_in_a_generator_that_another_task_ends(server, session, telemetry, caplog):
    """As the body of a response in a web framework."""
    server.put("generic-local/a.bin", bytes(1000))

    async def body():
        async with aioartifact.stream(f"{server.url}/generic-local/a.bin", session=session) as chunks:
            async for chunk in chunks:
                yield chunk

    chunks = body()
    assert await asyncio.create_task(anext(chunks))
    await asyncio.create_task(chunks.aclose())
    assert telemetry.named("aioartifact.stream")
    assert caplog.records == []


async def test_metrics(server, session, telemetry, tmp_path):
    """Requests by status, bytes in both directions, cache hits; nothing stays active."""
    server.put("generic-local/d/a.bin", bytes(1000))
    server.fail("GET", "generic-local/d/a.bin", fault=Fault.status(429))
    for target in ("one", "two"):
        await aioartifact.download_folder(
            f"{server.url}/generic-local/d", tmp_path / target, session=session, cache=tmp_path / "cache"
        )
    await aioartifact.deploy(tmp_path / "one" / "a.bin", f"{server.url}/generic-local/b.bin", session=session)
    durations = telemetry.points("http.client.request.duration")
    statuses = [point.attributes["http.response.status_code"] for point in durations]
    assert {200, 201, 429} <= {*statuses}
    assert sum(point.count for point in durations) == aioartifact.stats(session).requests
    assert telemetry.total("http.client.active_requests") == 0
    assert telemetry.total("aioartifact.io", network_io_direction="transmit") == 1000
    assert telemetry.total("aioartifact.io", network_io_direction="receive") >= 1000
    assert telemetry.total("aioartifact.cache_hits") == 1


async def test_no_secret_is_reported(server, telemetry):
    """Neither credentials, nor the query of a signed URL, nor what a server echoes."""
    server.put("generic-local/a.bin", b"a")
    server.fail("GET", "generic-local/a.bin", fault=Fault.redirect(f"{server.url}/generic-local/b.bin?sig={SECRET}"))
    server.fail("GET", "generic-local/b.bin", fault=Fault.status(400, message=f"wrong {SECRET}"), times=None)
    url = server.url.replace("://", f"://user:{SECRET}@")
    async with aioartifact.session(server.url, auth=("user", SECRET), headers={"X-Own": SECRET}) as session:
        with pytest.raises(aioartifact.ArtifactoryError):
            await aioartifact.read_bytes(f"{server.url}/generic-local/a.bin", session=session)
        with pytest.raises(aioartifact.ArtifactoryError):
            await aioartifact.aql(url, f'items.find({{"name": "{SECRET}"}})', session=session).__anext__()
    spans = "".join(span.to_json() for span in telemetry.spans)
    assert "GET" in spans
    assert SECRET not in spans
    assert SECRET not in telemetry._reader.get_metrics_data().to_json()


async def test_method_of_the_user_is_no_label(server, session, telemetry):
    """A method that the conventions do not know would make a series of its own."""
    async with session.request("BREW", f"{server.url}/generic-local/a.bin"):
        pass
    assert telemetry.named("HTTP").attributes["http.request.method"] == "_OTHER"


def test_blocking_call_is_below_the_span_of_its_thread(telemetry, artifactory_env):
    """The event loop runs in another thread, with the context of the call."""
    with telemetry.tracers.get_tracer("script").start_as_current_span("main") as main:
        blocking.ping(artifactory_env.url)
    assert telemetry.named("aioartifact.ping").parent.span_id == main.get_span_context().span_id


async def test_nothing_is_reported_without_it(server, session, telemetry):
    """From uninstrument() on, and before instrument()."""
    otel.uninstrument()
    await aioartifact.ping(server.url, session=session)
    assert telemetry.spans == ()


def test_missing_opentelemetry(monkeypatch):
    """The error names the extra; importing the module needs nothing."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(aioartifact.ConfigurationError, match=re.escape("pip install 'aioartifact[otel]'")):
        otel.instrument()
    code = "import sys; from aioartifact import otel; print([name for name in sys.modules if 'opentelemetry' in name])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
