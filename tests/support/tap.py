"""A TCP forwarder that keeps every byte that clients send, credentials included."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
import anyio.abc
from anyio.abc import SocketStream

_HEAD = re.compile(rb"(?=(?:GET|HEAD|PUT|POST|PATCH|DELETE) \S+ HTTP/1\.1\r\n)")


@dataclass
class Tap:
    """
    What went through.

    Attributes:
        origin: Address that clients connect to.
        received: Bytes of each connection, as clients sent them.
    """

    origin: str = ""
    received: list[bytearray] = field(default_factory=list)

    @property
    def requests(self) -> list[bytes]:
        """Every request: its head, and the body that followed."""
        return [request for each in self.received for request in _HEAD.split(bytes(each)) if request]


@asynccontextmanager
async def tapped(port: int) -> AsyncIterator[Tap]:
    """Forward connections to *port* of this machine."""
    tap = Tap()

    async def forward(client: SocketStream) -> None:
        kept = bytearray()
        tap.received.append(kept)
        async with client, await anyio.connect_tcp("127.0.0.1", port) as server, anyio.create_task_group() as group:

            async def pump(source: SocketStream, target: SocketStream, copy: bytearray | None) -> None:
                with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                    while True:
                        data = await source.receive()
                        if copy is not None:
                            copy += data
                        await target.send(data)
                group.cancel_scope.cancel()

            group.start_soon(pump, client, server, kept)
            group.start_soon(pump, server, client, None)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, forward)
        tap.origin = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        yield tap
        group.cancel_scope.cancel()
