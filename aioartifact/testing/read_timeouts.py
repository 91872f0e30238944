"""
Closes connections whose clients stop in the middle of a request.

A client may send half a head or half a body and then nothing: it was suspended, its network is gone, or the framing of
its body is broken, so that the rest is never recognised. Each such connection would keep a descriptor, a task and the
file of an upload for ever.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from aiohttp import web

from .clocks import Clock, wait_until

_ON_THE_WAY = 0.1  # seconds for bytes that were sent before a clock jumped


class ReadTimeouts:
    """
    Closes connections that have waited too long for their client.

    Args:
        clock: Returns epoch seconds.
        limit: Seconds that a client may take for a head, and between two pieces of a body.
    """

    def __init__(self, clock: Clock, limit: float) -> None:
        self._clock = clock
        self._limit = limit
        self._waiting: dict[object, tuple[float, Callable[[], None]]] = {}  # since when, oldest first, and how to end
        self._has_some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def start(self, waiter: object, end: Callable[[], None]) -> None:
        """Call *end* unless :meth:`stop` is called for *waiter* in time; no effect if it has started before."""
        if waiter not in self._waiting:
            self._waiting[waiter] = (self._clock(), end)
            self._has_some.set()

    def stop(self, waiter: object) -> None:
        """Stop the time of *waiter*."""
        self._waiting.pop(waiter, None)

    async def body(self, request: web.BaseRequest) -> AsyncGenerator[bytes, None]:
        """Yield the body of *request* as it arrives; the connection is closed if nothing arrives for too long."""
        waiter = object()
        while True:
            self.start(waiter, lambda: _abort(request.transport))
            try:
                data = await request.content.readany()
            finally:
                self.stop(waiter)
            if not data:
                return
            yield data

    async def run(self) -> None:
        """Close what has waited too long, until cancelled."""
        while True:
            while not self._waiting:
                self._has_some.clear()
                await self._has_some.wait()
            since, _ = next(iter(self._waiting.values()))
            await wait_until(self._clock, since + self._limit, is_counted=False)
            latest = self._clock() - self._limit
            await asyncio.sleep(_ON_THE_WAY)
            self._end_those_since(latest)

    def _end_those_since(self, latest: float) -> None:
        for waiter, (since, end) in list(self._waiting.items()):
            if since > latest:
                return
            del self._waiting[waiter]
            end()


class Connection(web.RequestHandler):
    """A connection that limits the time for each head: of the first from the start, of others from their first byte."""

    def __init__(self, server: web.Server, timeouts: ReadTimeouts, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._timeouts = timeouts
        self._request: web.BaseRequest | None = None
        self._has_more = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the time for the first head."""
        self._await_head()
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the time for a head."""
        self._timeouts.stop(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the time for a head, unless this is the body of the request in progress."""
        if self._request is None:
            self._await_head()
        elif self._request.content.is_eof():
            self._has_more = True
        super().data_received(data)

    def request_started(self, request: web.BaseRequest) -> None:
        """Stop the time: the head of *request* is complete."""
        self._timeouts.stop(self)
        self._request, self._has_more = request, False

    def request_ended(self) -> None:
        """Start the time for a next head that has begun to arrive."""
        self._request = None
        if self._has_more:
            self._await_head()

    def _await_head(self) -> None:
        self._timeouts.start(self, lambda: _abort(self.transport))


def _abort(transport: asyncio.BaseTransport | None) -> None:
    if isinstance(transport, asyncio.Transport):
        transport.abort()
