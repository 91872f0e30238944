"""
A server that takes uploads, drops their bytes, and answers as Artifactory does.

    python -m benchmarks.sink

The first line printed is its address. It computes no checksums: those in its answers are the ones that the client
sent. Whatever is deployed by checksum alone is refused, as by a server that does not have the bytes.
"""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .machine import cpu_seconds, python_environment

_BUFFER = 1 << 20
_FIELD = re.compile(rb"\r\n([A-Za-z0-9-]+): *([^\r\n]*)")


class Connection(asyncio.BufferedProtocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_BUFFER))
        self._received = 0
        self._missing = 0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, _: int) -> memoryview:
        """Lend what is left of the buffer; bytes of a body overwrite each other."""
        return self._buffer[self._received :]

    def buffer_updated(self, count: int) -> None:
        """Read the head of a request, then count the bytes of its body."""
        if not self._missing:
            self._received += count
            data = self._buffer[: self._received].tobytes()
            end = data.find(b"\r\n\r\n") + 4
            if end < 4:
                return
            self._read_head(data[:end])
            count, self._received = len(data) - end, 0
        self._missing -= count
        if not self._missing:
            self._transport.write(self._answer)

    def _read_head(self, head: bytes) -> None:
        fields = {name.lower(): value for name, value in _FIELD.findall(head)}
        target = head.split(b" ", 2)[1].decode("ascii")
        self._missing = int(fields.get(b"content-length", 0))
        if fields.get(b"expect"):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if fields.get(b"x-checksum-deploy") == b"true":
            status = "404 Not Found"
            document: dict[str, object] = {"errors": [{"status": 404, "message": "not here"}]}
        else:
            repository, _, path = target.removeprefix("/artifactory/").partition("/")
            names = ("sha256", "sha1", "md5")
            checksums = {name: fields.get(f"x-checksum-{name}".encode(), b"").decode() for name in names}
            status, document = (
                "201 Created",
                {
                    "repo": repository,
                    "path": f"/{path}",
                    "size": str(self._missing),
                    "checksums": {name: value for name, value in checksums.items() if value},
                },
            )
        body = json.dumps(document).encode()
        self._answer = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            status.encode(),
            len(body),
            body,
        )


@dataclass(frozen=True, slots=True)
class Sink:
    """
    A running server that takes uploads.

    Attributes:
        url: Base address.
        pid: Its process id.
    """

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """Return the user and system time of the server so far."""
        return cpu_seconds(self.pid)


@contextmanager
def serving(folder: Path) -> Iterator[Sink]:
    """Run a server in a process of its own until the block ends."""
    command = [sys.executable, "-m", "benchmarks.sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=python_environment(folder)) as process:
        assert process.stdout is not None
        try:
            yield Sink(f"{process.stdout.readline().strip()}/artifactory", process.pid)
        finally:
            process.terminate()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(_serve())
