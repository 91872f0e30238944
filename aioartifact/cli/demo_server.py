"""The demo's server: a process of its own that ends with the demo, however that ends."""

import multiprocessing
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aioartifact.testing import ThreadedArtifactoryServer

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


@dataclass(frozen=True, slots=True)
class DemoServer:
    """
    A running server.

    Attributes:
        url: Base address.
        username: Name of its administrator.
        password: Password of its administrator.
    """

    url: str
    username: str
    password: str
    _pipe: "Connection"

    def requests(self) -> int:
        """Return how many requests it has received."""
        self._pipe.send("count")
        seen: int = self._pipe.recv()
        return seen


@contextmanager
def demo_server(folder: Path) -> Iterator[DemoServer]:
    """Run a server that keeps its files below *folder*, and removes them."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, str(folder)), name="aioartifact demo server")
    process.start()
    theirs.close()
    try:
        yield DemoServer(*_greeting(ours), ours)
    finally:
        ours.close()
        process.join()


def _greeting(pipe: "Connection") -> tuple[str, str, str]:
    url, username, password = pipe.recv()
    return url, username, password


def _serve(pipe: "Connection", folder: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # both processes may get it; the demo handles it
    tempfile.tempdir = folder
    with ThreadedArtifactoryServer() as server:
        pipe.send((server.url, server.username, server.password))
        with suppress(EOFError):  # the demo has ended
            while pipe.recv():
                pipe.send(server.count())
