"""
A server of canned answers, for cases where latency, bandwidth or the number of requests is what counts.

    python -m benchmarks.canned ROUTES

ROUTES is a file of JSON, see :class:`Route`. The first line printed is the server's address. Each answer comes a
given time after its request, each body at a given rate per connection; ``/stats`` tells how many requests came.
"""

import asyncio
import http.client
import json
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .machine import python_environment

_PIECE = 256 * 1024
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
    """Answers by the first route that fits."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(route, Path(route.file).read_bytes()) for route in routes]
        self._requests = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(head, writer)
        writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        arrived = asyncio.get_running_loop().time()
        target = head.split(b" ", 2)[1].decode("ascii")
        if target == "/stats":
            writer.write(_head(200, len(told := str(self._requests).encode())) + told)
            return
        self._requests += 1
        found = next((each for each in self._routes if target.startswith(each[0].prefix)), None)
        if found is None:
            writer.write(_head(404, 0))
            return
        route, content = found
        await _until(arrived + route.latency)
        await _send(writer, route, content, _RANGE.search(head))


async def _send(writer: asyncio.StreamWriter, route: Route, content: bytes, asked: re.Match[bytes] | None) -> None:
    """Send a file, or the part that is asked for, no faster than the route allows."""
    size = len(content)
    start, end, status, headers = 0, size, 200, route.headers
    if asked:
        start, end = int(asked[1]), min(int(asked[2]) + 1, size) if asked[2] else size
        status, headers = 206, headers | {"Content-Range": f"bytes {start}-{end - 1}/{size}"}
    head, body = _head(status, end - start, headers), memoryview(content)[start:end]
    if route.bandwidth is None or len(body) <= _PIECE:
        writer.write(head + body)
        await writer.drain()
        return
    began = asyncio.get_running_loop().time()
    writer.write(head)
    for sent in range(0, len(body), _PIECE):
        piece = body[sent : sent + _PIECE]
        await _until(began + (sent + len(piece)) / route.bandwidth)
        writer.write(piece)
        await writer.drain()


def _head(status: int, size: int, headers: dict[str, str] | None = None) -> bytes:
    fields = {"Content-Length": str(size), **(headers or {})}
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("ascii")


async def _until(when: float) -> None:
    if (left := when - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(left)


async def _serve(routes: Sequence[Route]) -> None:
    server = await asyncio.start_server(Server(routes).connected, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


@dataclass(frozen=True, slots=True)
class Canned:
    """A running server of canned answers: its address."""

    origin: str

    @property
    def url(self) -> str:
        """Base address of the Artifactory it stands in for."""
        return f"{self.origin}/artifactory"

    def requests(self) -> int:
        """How many requests came so far."""
        connection = http.client.HTTPConnection(urlsplit(self.origin).netloc)
        connection.request("GET", "/stats")
        count = int(connection.getresponse().read())
        connection.close()
        return count


@contextmanager
def serving(folder: Path, routes: Sequence[Route]) -> Iterator[Canned]:
    """Run a server in a process of its own until the block ends."""
    listed = folder / "routes.json"
    listed.write_text(json.dumps([asdict(route) for route in routes]), "utf-8")
    command = [sys.executable, "-m", "benchmarks.canned", str(listed)]
    environment = python_environment(folder)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield Canned(process.stdout.readline().strip())
        finally:
            process.terminate()


def main() -> None:
    """Serve until terminated."""
    routes = [Route(**each) for each in json.loads(Path(sys.argv[1]).read_text("utf-8"))]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # select() waits to the microsecond; epoll() is rounded up to the next millisecond, a twentieth of the latency.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(_serve(routes))


if __name__ == "__main__":
    main()
