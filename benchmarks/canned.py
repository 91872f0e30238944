"""
A server of canned answers, for cases where latency, bandwidth or the number of requests is what counts.

    python -m benchmarks.canned ROUTES [CERTIFICATE KEY]

ROUTES is a file of JSON, see :class:`Route`; with a certificate, connections use TLS. The first line printed is the
server's address. Each answer comes a given time after its request, each body at a given rate per connection;
``/stats`` returns how many requests came.
"""

import asyncio
import gc
import http.client
import json
import re
import selectors
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .machine import cpu_seconds, python_environment
from .nginx import Certificate

_PIECE = 256 * 1024
_LONGEST_HEAD = 64 * 1024
_BEHIND = 4 * _PIECE  # bytes that wait for a slow client
_RANGE = re.compile(rb"\r\nrange: *bytes=(\d+)-(\d*)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Route:
    """
    Answer to every GET below a path.

    Attributes:
        prefix: The path.
        file: File that holds the body.
        headers: Header fields, beside length and range.
        latency: Seconds from request to answer.
        bandwidth: Bytes per second of one connection; None for as fast as it goes.
    """

    prefix: str
    file: str
    headers: dict[str, str] = field(default_factory=dict)
    latency: float = 0.0
    bandwidth: float | None = None


class Server:
    """What all connections share: contents, by the first route that fits, and the number of requests."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(route, Path(route.file).read_bytes()) for route in routes]
        self._whole = {route.prefix: _cut(route, content, None) for route, content in self._routes}
        self._requests = 0

    def answer(self, head: bytes) -> "Answer":
        """Find what to send for the head of a request."""
        target = head.split(b" ", 2)[1].decode("ascii")
        if target == "/stats":
            count = str(self._requests).encode()
            return Answer(_head(200, len(count)), memoryview(count))
        self._requests += 1
        for route, content in self._routes:
            if target.startswith(route.prefix):
                asked = _RANGE.search(head)
                return _cut(route, content, asked) if asked else self._whole[route.prefix]
        return Answer(_head(404, 0), memoryview(b""))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and when it may go out: seconds after its request, and bytes per second of its body."""

    head: bytes
    body: memoryview
    latency: float = 0.0
    bandwidth: float | None = None


def _cut(route: Route, content: bytes, asked: re.Match[bytes] | None) -> Answer:
    """Send a file, or the part of it that is asked for."""
    size = len(content)
    start, end, status, headers = 0, size, 200, route.headers
    if asked:
        start, end = int(asked[1]), min(int(asked[2]) + 1, size) if asked[2] else size
        status, headers = 206, headers | {"Content-Range": f"bytes {start}-{end - 1}/{size}"}
    head = _head(status, end - start, headers)
    return Answer(head, memoryview(content)[start:end], route.latency, route.bandwidth)


def _head(status: int, size: int, headers: dict[str, str] | None = None) -> bytes:
    fields = {"Content-Length": str(size), **(headers or {})}
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("ascii")


class Waiter(selectors.SelectSelector):
    """
    Waits for sockets and timers, and records when it last woke up.

    select() waits to the microsecond; epoll() is rounded up to the next millisecond, a twentieth of the latency.
    """

    woken = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as always."""
        ready = super().select(timeout)
        self.woken = time.monotonic()
        return ready


class Connection(asyncio.BufferedProtocol):
    """
    One connection, one request at a time.

    No streams and no tasks: what the server takes for a request comes on top of every latency, and streams take
    twice as much.
    """

    def __init__(self, server: Server, waiter: Waiter) -> None:
        self._server = server
        self._waiter = waiter
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(_LONGEST_HEAD))
        self._received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, _: int) -> memoryview:
        """Lend what is left of the buffer."""
        return self._buffer[self._received :]

    def buffer_updated(self, count: int) -> None:
        """
        Once the head of a request is complete, answer in due time.

        Requests that came together were all here when the loop woke up; that some are read after others is no latency.
        """
        self._received += count
        head = self._buffer[: self._received].tobytes()
        if head.endswith(b"\r\n\r\n"):
            answer = self._server.answer(head)
            self._received = 0
            self._loop.call_at(self._waiter.woken + answer.latency, self._send, answer)

    def _send(self, answer: Answer) -> None:
        if answer.bandwidth is None or len(answer.body) <= _PIECE:
            self._transport.write(answer.head + answer.body)
            return
        self._transport.write(answer.head)
        self._send_piece(answer.body, answer.bandwidth, self._loop.time())

    def _send_piece(self, body: memoryview, bandwidth: float, sent_at: float) -> None:
        """Send a piece once its last byte may have arrived; a client that reads slower is waited for."""
        due = sent_at + len(body[:_PIECE]) / bandwidth
        self._loop.call_at(due, self._continue, body, bandwidth, due)

    def _continue(self, body: memoryview, bandwidth: float, due: float) -> None:
        if self._transport.get_write_buffer_size() > _BEHIND and not self._transport.is_closing():
            self._loop.call_later(_PIECE / bandwidth, self._continue, body, bandwidth, due + _PIECE / bandwidth)
            return
        self._transport.write(body[:_PIECE])
        if len(body) > _PIECE and not self._transport.is_closing():
            self._send_piece(body[_PIECE:], bandwidth, due)


async def _serve(routes: Sequence[Route], waiter: Waiter, context: ssl.SSLContext | None) -> None:
    shared = Server(routes)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(shared, waiter), "127.0.0.1", 0, ssl=context)
    print(f"{'https' if context else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


@dataclass(frozen=True, slots=True)
class Canned:
    """
    A running server of canned answers.

    Attributes:
        origin: Its address.
        pid: Its process id.
    """

    origin: str
    pid: int

    @property
    def url(self) -> str:
        """Base address of the Artifactory it stands in for."""
        return f"{self.origin}/artifactory"

    def cpu_seconds(self) -> float:
        """Return the user and system time of the server so far."""
        return cpu_seconds(self.pid)

    def requests(self) -> int:
        """How many requests came so far."""
        connection = http.client.HTTPConnection(urlsplit(self.origin).netloc)
        connection.request("GET", "/stats")
        count = int(connection.getresponse().read())
        connection.close()
        return count


@contextmanager
def serving(folder: Path, routes: Sequence[Route], certificate: Certificate | None) -> Iterator[Canned]:
    """Run a server in a process of its own until the block ends; over TLS if it has a certificate."""
    listed = folder / "routes.json"
    listed.write_text(json.dumps([asdict(route) for route in routes]), "utf-8")
    command = [sys.executable, "-m", "benchmarks.canned", str(listed)]
    if certificate:
        command += [str(certificate.certificate), str(certificate.key)]
    environment = python_environment(folder)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield Canned(process.stdout.readline().strip(), process.pid)
        finally:
            process.terminate()


def main() -> None:
    """Serve until terminated."""
    listed, *certificate = sys.argv[1:]
    routes = [Route(**each) for each in json.loads(Path(listed).read_text("utf-8"))]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
    if context:
        context.load_cert_chain(*certificate)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()  # nothing here goes in circles, and a pause would look like latency
    waiter = Waiter()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(waiter)) as runner:
        runner.run(_serve(routes, waiter, context))


if __name__ == "__main__":
    main()
