"""
The example of a web service under load: the right bytes, flat memory, no leak.

    python -m benchmarks.bench_service [--rounds 10] [--clients 200] [--size 2000000]

The embedded server, ``examples/service.py`` and the clients are processes of their own. In each round, all clients
request one file at once, and each second one breaks off in the middle. After each round, the open files and the memory
of the service are read. curl requests ranges and conditions before and after. The exit code is 1 if a byte is wrong, a
file remains open, or the memory still grows.
"""

import argparse
import asyncio
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import NamedTuple

import aiohttp

from aioartifact import Limits
from aioartifact.testing import ThreadedArtifactoryServer

ROOT = Path(__file__).parent.parent
FILE = "emodb/db/db.bin"
# Rounds until the allocator has taken what it needs, and the growth after them that is noise.
WARM_UP = 3
MOST_GROWTH = 8.0  # MiB
MIB = 1024 * 1024
# Have glibc return what is freed, so that memory that grows is in use.
MALLOC = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


class State(NamedTuple):
    """The resident memory of a process in MiB, and its number of open files."""

    memory: float
    files: int


def state_of(process: int) -> State:
    """Read the state of a process; Linux only."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return State(pages * 4096 / MIB, len(list(Path(f"/proc/{process}/fd").iterdir())))


@contextmanager
def service(server: ThreadedArtifactoryServer) -> Iterator[tuple[str, int]]:
    """Run the service before *server*; yield its address and its process."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'examples')!r}); import service; from aiohttp import web; "
        f"web.run_app(service.make_app({server.url!r}, 'data-public'), host='127.0.0.1', port={port}, access_log=None)"
    )
    environment = {
        "ARTIFACTORY_USERNAME": server.username,
        "ARTIFACTORY_API_KEY": server.password,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-u", "-c", code]
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, env={**environment, **MALLOC, "HOME": home}) as process,
    ):
        assert process.stdout is not None
        try:
            process.stdout.readline()  # it listens
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()


def check_with_curl(url: str, content: bytes) -> None:
    """Request ranges and conditions as curl does."""

    def curl(*arguments: str) -> bytes:
        return subprocess.run(["curl", "-sS", *arguments, url], capture_output=True, check=True).stdout

    for wanted, part in (("0-99", content[:100]), ("-7", content[-7:]), ("1000-", content[1000:])):
        assert curl("-r", wanted) == part, f"curl -r {wanted}: wrong bytes"
    head = curl("-I").decode()
    etag = re.search(r'^etag: (".*")\r$', head, re.MULTILINE | re.IGNORECASE)
    assert etag, f"no ETag: {head}"
    assert curl("-i", "-H", f"If-None-Match: {etag[1]}").startswith(b"HTTP/1.1 304"), "If-None-Match: no 304"


async def run_round(url: str, digest: str, clients: int) -> None:
    """Have *clients* request the file at once; each second one breaks off."""

    async def client(number: int) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            response = await session.get(url)
            assert response.status == 200
            if number % 2:
                await response.content.readany()
                response.close()
                return
            received = hashlib.sha256()
            async for chunk in response.content.iter_any():
                received.update(chunk)
            assert received.hexdigest() == digest, "wrong bytes"

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))


def settled(process: int, files: int) -> State:
    """Return the state of the service when it has closed what its clients have left: it reads on a little."""
    for _ in range(100):
        state = state_of(process)
        if state.files <= files:
            break
        asyncio.run(asyncio.sleep(0.1))
    return state


def main(arguments: list[str] | None = None) -> int:
    """Run the rounds and judge them."""
    parser = argparse.ArgumentParser(description="the example of a web service under load")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--size", type=int, default=2_000_000)
    options = parser.parse_args(arguments)
    content = hashlib.shake_256(b"service").digest(options.size)
    states = []
    with ThreadedArtifactoryServer() as server:
        server.create_repository("data-public")
        server.put("data-public/emodb/db/1.0.0/db.bin", content)
        with service(server) as (address, process):
            url = f"{address}/{FILE}"
            check_with_curl(url, content)
            files = state_of(process).files + Limits().max_connections  # those to Artifactory are kept
            for number in range(options.rounds):
                asyncio.run(run_round(url, hashlib.sha256(content).hexdigest(), options.clients))
                states.append(settled(process, files))
                print(f"round {number + 1}: {states[-1].memory:.1f} MiB, {states[-1].files} open files", flush=True)
            check_with_curl(url, content)
    warm = states[min(WARM_UP, len(states)) - 1]
    growth, left = states[-1].memory - warm.memory, max(0, states[-1].files - files)
    print(f"growth after {WARM_UP} rounds: {growth:+.1f} MiB; {left} open files too many")
    return int(growth > MOST_GROWTH or left > 0)


if __name__ == "__main__":
    sys.exit(main())
