"""A server whose responses are spelled out byte by byte, for tests in which HTTP itself misbehaves."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request as received; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader


@dataclass
class RawServer:
    """Where the server listens, and the requests it has received."""

    origin: str
    requests: list[RawRequest] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.origin}/artifactory"


class Close(Exception):
    """Raised by a handler: close the connection after the given bytes."""

    def __init__(self, last: bytes = b"") -> None:
        self.last = last


Handler = Callable[[RawRequest], bytes | Awaitable[bytes]]
BodyLimit = Callable[[str, str, int], int]
"""How many bytes of a request body to read, by method, target and Content-Length."""


@asynccontextmanager
async def raw_server(
    handler: Handler,
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    body_limit: BodyLimit = lambda method, target, size: size,
) -> AsyncIterator[RawServer]:
    """
    Serve the bytes that *handler* returns for each request, on connections that stay open.

    A handler that *body_limit* gave only the beginning of a body must read the rest, or raise Close.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        try:
            while True:
                request = await _read_request(reader, writer, body_limit)
                running.requests.append(request)
                answer = handler(request)
                writer.write(answer if isinstance(answer, bytes) else await answer)
                await writer.drain()
        except Close as close:
            writer.write(close.last)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            connections.discard(writer)

    connections: set[asyncio.StreamWriter] = set()
    listener = await asyncio.start_server(serve, host, port, ssl=tls, limit=2**20)
    scheme, port = "https" if tls else "http", listener.sockets[0].getsockname()[1]
    running = RawServer(f"{scheme}://{host}:{port}")
    async with listener:
        yield running
        for writer in [*connections]:
            writer.transport.abort()


async def _read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body_limit: BodyLimit
) -> RawRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(body_limit(method, target, int(headers.get("content-length", "0"))))
    return RawRequest(method, target, headers, body, writer, reader)


def response(
    body: bytes = b"",
    *,
    status: int = 200,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    length: int | None = None,
) -> bytes:
    """Spell out a response; *length* is its Content-Length, that of *body* unless given, and left out if negative."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    if length is None or length >= 0:
        pairs.append(("Content-Length", str(len(body) if length is None else length)))
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in pairs), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def checksum_headers(content: bytes) -> dict[str, str]:
    """Return the header fields with which Artifactory names the checksums of *content*."""
    names = {"Sha256": "sha256", "Sha1": "sha1", "Md5": "md5"}
    return {f"X-Checksum-{name}": hashlib.new(kind, content).hexdigest() for name, kind in names.items()}
