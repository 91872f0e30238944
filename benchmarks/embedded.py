"""
The library's own server with files in it, in a process of its own, for clients that need all of Artifactory.

    python -m benchmarks.embedded COUNT SIZE LATENCY

The first line printed holds its address, a user, the password and an API key.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .machine import python_environment
from .task import Files

if TYPE_CHECKING:
    from aioartifact.testing import ArtifactoryServer

FOLDER = "generic-local/tree"


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running server: its address, and user, password and API key."""

    url: str
    credentials: tuple[str, str, str]


@contextmanager
def serving(folder: Path, count: int, size: int, latency: float) -> Iterator[Embedded]:
    """Run a server with *count* files of *size* bytes, each answer late by *latency* seconds."""
    command = [sys.executable, "-m", "benchmarks.embedded", str(count), str(size), str(latency)]
    environment = python_environment(folder)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            url, user, password, api_key = process.stdout.readline().split()
            yield Embedded(url, (user, password, api_key))
        finally:
            process.terminate()


def main() -> None:
    """Serve until terminated."""
    # Not above: a parent's memory counts as that of each child it starts.
    from aioartifact.testing import Fault, serve

    count, size, latency = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])

    def fill(server: "ArtifactoryServer") -> None:
        for name in Files(FOLDER, count, size, "").names():
            server.put_synthetic(f"{FOLDER}/{name}", size)
        if latency:
            server.fail("*", "**", times=None, fault=Fault.slow(latency))
        print(server.url, server.username, server.password, server.api_key, flush=True)

    serve(port=0, on_ready=fill)


if __name__ == "__main__":
    main()
