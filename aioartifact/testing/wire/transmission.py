"""
Put a reply onto the connection, or as much of it as the script of faults allows.

Heads are written by hand: Artifactory sends raw Latin-1 header values, unquoted ETags, and (with a fault) bodies
whose framing is wrong on purpose, none of which a response object of aiohttp would let through.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from io import FileIO
from time import monotonic, time_ns
from typing import Self

from aiohttp import HttpVersion11, web

from ..instance import InThread
from ..protocol import formats
from ..protocol.replies import Body, FilePart, Reply
from ..storage.blobs import BATCH
from .faults import Fault, FaultHandle
from .log import RequestRecord

if sys.platform == "linux":
    import fcntl
    import termios

SMALL = 64 << 10  # bytes up to which a file goes out in one write together with the head

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_UNSAFE = {ord("\r"): " ", ord("\n"): " ", 0: " "}


class Sent(web.StreamResponse):
    """Signals to aiohttp that the response is already sent, and whether the connection stays open."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._stays = keep_alive

    @property
    def keep_alive(self) -> bool:
        """Whether another request may follow on this connection."""
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> None:
        """Do nothing: the head is sent."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: the body is sent."""


class Sender:
    """
    Sends one reply.

    The record counts bytes before they are sent, so a client that has received them finds them counted.
    """

    def __init__(
        self, request: web.BaseRequest, record: RequestRecord, common_headers: str, in_thread: InThread
    ) -> None:
        self._request = request
        self._record = record
        self._common_headers = common_headers
        self._in_thread = in_thread
        self._is_head = request.method == "HEAD"
        self._chunked = False

    async def send(self, reply: Reply, handle: FaultHandle | None = None) -> Sent:
        """Send *reply*, with the breaks and flips of the fault behind *handle*."""
        self._record.first_byte = monotonic()
        if handle and handle.fault.ending == "lose":
            reset(self._transport())
            return Sent(keep_alive=False)
        if handle and handle.fault.bends_body:
            return await self._send_bent(reply, handle)
        length = length_of(reply.body)
        self._chunked = length is None and self._request.version >= HttpVersion11
        keep_alive = self._request.keep_alive and not reply.close and (self._chunked or length is not None)
        head = self._head(reply, length, keep_alive=keep_alive)
        await self._send_body(head, b"" if self._is_head else reply.body)
        return Sent(keep_alive=keep_alive)

    async def _send_body(self, head: bytes, body: Body) -> None:
        if isinstance(body, bytes):
            self._record.bytes_sent = len(body)
            await self._request.writer.write(head + body)
        elif isinstance(body, FilePart):
            await self._send_file(head, body)
        else:
            await self._request.writer.write(head)
            async with aclosing(body):
                await self._write_up_to(None, body)
            await self._write_end()

    async def _send_file(self, head: bytes, part: FilePart) -> None:
        size = part.stop - part.start
        with part.path.open("rb", buffering=0) as file:  # from the page cache
            if size <= SMALL:
                file.seek(part.start)
                await self._send_body(head, file.read(size))
                return
            await self._request.writer.write(head)
            if await self._sendfile(file, part):
                return
        async with aclosing(pieces(part, self._in_thread)) as chunks:
            await self._write_up_to(None, chunks)

    async def _sendfile(self, file: FileIO, part: FilePart) -> bool:
        """Let the kernel copy file to socket; False where the connection is encrypted or the loop cannot."""
        transport = self._transport()
        if transport.get_extra_info("sslcontext"):
            return False
        file.seek(part.start)
        try:
            await asyncio.get_running_loop().sendfile(transport, file, part.start, part.stop - part.start)
        except NotImplementedError:  # uvloop
            return False
        finally:
            self._record.bytes_sent = file.tell() - part.start
        return True

    async def _send_bent(self, reply: Reply, handle: FaultHandle) -> Sent:
        fault = handle.fault
        length = None if fault.ending == "cut" else length_of(reply.body)
        self._chunked = length is None and fault.ending != "cut" and self._request.version >= HttpVersion11
        is_whole = fault.ending in (None, "stall") and (self._chunked or length is not None)
        keep_alive = is_whole and self._request.keep_alive and not self._is_complete_before(fault, length)
        await self._request.writer.write(self._head(reply, length, keep_alive=keep_alive))
        body = b"" if self._is_head else reply.body
        batches = pieces(body, self._in_thread, fault.flip_at)
        async with aclosing(paced(batches, handle) if fault.bandwidth else batches) as chunks:
            rest = await self._write_up_to(fault.after, chunks)
            if fault.ending == "stall":
                await handle.pause()
                await self._write(rest)
                await self._write_up_to(None, chunks)
        if is_whole:
            await self._write_end()
        if fault.ending == "reset":
            await self._flush()
            reset(self._transport())
        return Sent(keep_alive=keep_alive)

    def _is_complete_before(self, fault: Fault, length: int | None) -> bool:
        """Whether a stall finds nothing left to hold back: the client would reuse a connection that never answers."""
        if fault.ending != "stall":
            return False
        return self._is_head or (not self._chunked and (length or 0) <= (fault.after or 0))

    async def _write_up_to(self, stop: int | None, chunks: AsyncGenerator[bytes, None]) -> bytes:
        """Write the body up to the offset *stop*, return what was read beyond it; None writes all."""
        async for data in chunks:
            if stop is not None and self._record.bytes_sent + len(data) >= stop:
                left = stop - self._record.bytes_sent
                await self._write(data[:left])
                return data[left:]
            await self._write(data)
        return b""

    async def _write(self, data: bytes) -> None:
        if data:  # an empty chunk would be the last one
            self._record.bytes_sent += len(data)
            await self._request.writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    async def _write_end(self) -> None:
        if self._chunked and not self._is_head:
            await self._request.writer.write(b"0\r\n\r\n")

    async def _flush(self) -> None:
        """Wait until the peer's kernel has every byte: a reset throws away what is still on this side."""
        transport = self._transport()
        transport.set_write_buffer_limits(high=0)
        await self._request.writer.drain()
        while unsent(transport):  # noqa: ASYNC110  # the kernel signals nothing when its queue is empty
            await asyncio.sleep(0.001)

    def _transport(self) -> asyncio.Transport:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client went away")
        return transport

    def _head(self, reply: Reply, length: int | None, *, keep_alive: bool) -> bytes:
        headers = [f"{name}: {_one_line(value)}" for name, value in reply.headers.items()]
        lines = [f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, '')}", self._common_headers, *headers]
        if length is not None and reply.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            lines.append(f"Content-Length: {length}")
        if self._chunked:
            lines.append("Transfer-Encoding: chunked")
        if not keep_alive:
            lines.append("Connection: close")
        elif self._request.version < HttpVersion11:
            lines.append("Connection: keep-alive")
        lines.append(f"Date: {formats.http(time_ns() // 1_000_000)}\r\n\r\n")
        return "\r\n".join(lines).encode("latin-1", "replace")


def _one_line(value: str) -> str:
    """Keep a file name with line breaks from ending a header."""
    return value if value.isprintable() else value.translate(_UNSAFE)


class UploadFault:
    """A reset, stall or trickle of a PUT, whose bytes are those of the request's body."""

    def __init__(self, request: web.BaseRequest, handle: FaultHandle) -> None:
        self._request = request
        self._handle = handle
        self._started = handle.clock()

    @classmethod
    def of(cls, request: web.BaseRequest, handle: FaultHandle | None) -> Self | None:
        """Return the fault of an upload, None where *handle* does something else."""
        if handle is None or request.method != "PUT":
            return None
        strikes = handle.fault.ending in ("reset", "stall") or handle.fault.bandwidth is not None
        return cls(request, handle) if strikes else None

    async def arrive(self, received: int) -> None:
        """
        Let *received* bytes have come: none too early, and not too many.

        Raises:
            ConnectionResetError: If the connection is reset.
        """
        if self._handle.fault.bandwidth:
            await self._handle.pause_until(self._started + received / self._handle.fault.bandwidth)
        else:
            await self.strike(received)

    async def strike(self, received: int = sys.maxsize) -> None:
        """
        Reset or stall once enough bytes are *received*; without a number, instead of the response at the latest.

        Raises:
            ConnectionResetError: If the connection is reset.
        """
        if self._handle.fault.bandwidth:
            return
        if received < (self._handle.fault.after or 0):
            return
        if self._handle.fault.ending == "stall":
            await self._handle.pause()
            return
        if self._request.transport:
            reset(self._request.transport)
        raise ConnectionResetError("a fault reset the upload")


def length_of(body: Body) -> int | None:
    """Return the length of a body in bytes; None if it is known only at the end."""
    if isinstance(body, bytes):
        return len(body)
    return body.stop - body.start if isinstance(body, FilePart) else None


async def pieces(body: Body, in_thread: InThread, flip_at: int | None = None) -> AsyncGenerator[bytes, None]:
    """Yield a body in batches, with the byte at *flip_at* inverted."""
    position = 0
    async with aclosing(_batches(body, in_thread)) as batches:
        async for data in batches:
            if flip_at is not None and 0 <= flip_at - position < len(data):
                yield _flipped(data, flip_at - position)
            else:
                yield data
            position += len(data)


async def paced(batches: AsyncGenerator[bytes, None], handle: FaultHandle) -> AsyncGenerator[bytes, None]:
    """Yield no byte before its time at the bandwidth of the fault behind *handle*, eight times a second."""
    bandwidth, started, position = handle.fault.bandwidth or 0.0, handle.clock(), 0
    most = max(1, int(bandwidth / 8))
    async with aclosing(batches):
        async for batch in batches:
            for start in range(0, len(batch), most):
                data = batch[start : start + most]
                position += len(data)
                await handle.pause_until(started + position / bandwidth)
                yield data


async def _batches(body: Body, in_thread: InThread) -> AsyncGenerator[bytes, None]:
    if isinstance(body, bytes):
        yield body
    elif isinstance(body, FilePart):
        with body.path.open("rb", buffering=0) as file:
            file.seek(body.start)
            left = body.stop - body.start
            while left and (data := await in_thread(partial(file.read, min(left, BATCH)))):
                left -= len(data)
                yield data
    else:
        async with aclosing(body):
            async for data in body:
                yield data


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def reset(transport: asyncio.Transport) -> None:
    """Close a connection with RST instead of FIN."""
    if sock := transport.get_extra_info("socket"):
        # Linger of zero seconds: close() then discards the queue and resets (POSIX, SO_LINGER).
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def unsent(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel still holds for the peer; 0 if the platform does not report it."""
    sock = transport.get_extra_info("socket")
    if sock is None or sys.platform != "linux":
        return 0
    answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    return int.from_bytes(answer, sys.byteorder)
