"""Whether a session, and the connection of a body, are still open while the body is read."""

import asyncio

import aiohttp

from .._errors import SessionError
from .connections import fail_disconnected

_INTERVAL = 0.5


def closed_session() -> SessionError:
    return SessionError("session is closed", hint="use it inside its `async with` block")


class Watch:
    """
    Wakes those who read a body when their session is closed, or their connection without an error.

    aiohttp would let them wait for ever: with the connection it gives up the time limit, too, and tells nobody.
    """

    __slots__ = ("_bodies", "_timer")

    def __init__(self) -> None:
        self._bodies: set[aiohttp.StreamReader] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, session: aiohttp.ClientSession, body: aiohttp.StreamReader) -> None:
        """Watch over *body*, unless all of it is here; `end` must follow."""
        if not body.is_eof():
            self._bodies.add(body)
            if self._timer is None:
                self._look_later(session)

    def end(self, body: aiohttp.StreamReader) -> None:
        """Nobody reads *body* any more."""
        self._bodies.discard(body)

    def _look_later(self, session: aiohttp.ClientSession) -> None:
        # One timer for all bodies, as one for each would cost more than reading a small one.
        self._timer = asyncio.get_running_loop().call_later(_INTERVAL, self._look, session)

    def _look(self, session: aiohttp.ClientSession) -> None:
        self._timer = None
        if session.closed:
            for body in self._bodies:
                body.set_exception(closed_session())
            self._bodies.clear()
        for body in self._bodies:
            fail_disconnected(body)
        if self._bodies:
            self._look_later(session)
