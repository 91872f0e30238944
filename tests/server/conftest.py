"""A client for the server's tests that is neither ours nor aiohttp's: bytes out, bytes in."""

import asyncio
import base64
import json
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

ADMIN = {"Authorization": "Basic " + base64.b64encode(b"admin:password").decode()}


@dataclass(frozen=True)
class Answer:
    """One response, taken apart by hand; header names in lower case, the body as it came if it is not chunked."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """Message of the standard JSON error, whose status must be the response's."""
        (error,) = self.json()["errors"]
        assert error["status"] == self.status
        return error["message"]


def parse(raw: bytes) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = dechunked(body)
    return Answer(int(status_line.split(" ")[1]), headers, body)


def dechunked(data: bytes) -> bytes:
    parts = []
    while data:
        size, _, data = data.partition(b"\r\n")
        parts.append(data[: int(size, 16)])
        assert data[int(size, 16) :].startswith(b"\r\n")
        data = data[int(size, 16) + 2 :]
    assert parts.pop() == b"", "the last chunk is missing"
    return b"".join(parts)


@pytest.fixture
def talk():
    """Send raw bytes to an origin and return everything that comes back until the server closes."""

    async def talk(origin: str, raw: bytes, context: ssl.SSLContext | None = None) -> bytes:
        where = urlsplit(origin)
        reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=context)
        try:
            writer.write(raw)
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()

    return talk


@pytest.fixture
def ask(talk):
    """
    Make one request on a connection of its own, as the administrator unless *headers* say otherwise.

    The path is sent as it stands, below the context path; with ``origin`` it is the whole target.
    """

    async def ask(server, method, path, *, headers=None, body=None, origin=None, context=None) -> Answer:
        headers = ADMIN if headers is None else headers
        prefix = server.url.removeprefix(server.origin) if origin is None else ""
        lines = [f"{method} {prefix}{path} HTTP/1.1", f"Host: {urlsplit(server.origin).netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        raw = "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
        return parse(await talk(origin or server.origin, raw, context))

    return ask


@pytest.fixture
def admin():
    """Headers of the administrator."""
    return dict(ADMIN)


@pytest.fixture
def basic():
    """Make the header of Basic credentials."""

    def basic(name: str, secret: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}

    return basic
