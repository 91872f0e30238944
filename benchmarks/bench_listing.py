"""
A listing of 1,000,000 entries, consumed while it arrives: memory, and how long the event loop is held.

    python -m benchmarks.bench_listing [--entries N] [--output FOLDER]

The server is a process of its own that makes entries up as it sends them, in ``aiohttp.web``. Each way of reading is
a process of its own, too. A callback that arms itself again runs once in every turn of its loop, so the longest time
between two of them is how long nothing else could run: in seconds of the clock, and of the CPU of that thread, which
other programs on the machine add less to. What was imported is frozen first (``gc.freeze()``): the interpreter looks at
all of a program's objects now and then, which takes long if there are many, wherever new ones are made. Memory is the
highest resident set above the one after imports (Linux only). Results go to ``listing.json`` and ``listing.md`` in the
output folder.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

import aioartifact
from aioartifact import query

from . import machine
from .child import forget_peak, memory

PER_CHUNK = 500
PER_FOLDER = 1000
ARTIFACTORY = "/artifactory"
AIM_MEMORY, AIM_STALL = 64, 20  # MiB, milliseconds


@dataclass(frozen=True)
class Result:
    """What one way of reading took; times in seconds, but for the longest hold of the loop, in milliseconds."""

    way: str
    entries: int
    seconds: float
    cpu_seconds: float
    memory: float
    longest_turn: float
    longest_turn_cpu: float


# The server


def file_list_entry(number: int) -> str:
    """Print an entry as ``?list`` does."""
    return (
        f'{{ "uri" : "/folder-{number // PER_FOLDER}/artifact-{number}.bin", "size" : {number},'
        ' "lastModified" : "2024-03-05T10:12:31.219Z", "folder" : false,'
        f' "sha1" : "{number:040x}", "sha2" : "{number:064x}" }}'
    )


def row(number: int) -> str:
    """Print a row as AQL does."""
    return (
        f'{{ "repo" : "generic", "path" : "t/folder-{number // PER_FOLDER}", "name" : "artifact-{number}.bin",'
        f' "type" : "file", "size" : {number}, "created" : "2024-03-05T10:12:31.219Z",'
        f' "modified" : "2024-03-05T10:12:31.219Z", "actual_sha1" : "{number:040x}", "sha256" : "{number:064x}" }}'
    )


def child(number: int) -> str:
    """Print a child as Folder Info does."""
    return f'{{ "uri" : "/artifact-{number}.bin", "folder" : false }}'


def answering(
    entries: int, head: str, entry: Callable[[int], str], tail: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make a handler that prints so many entries as it sends them."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(head.encode())
        for start in range(0, entries, PER_CHUNK):
            text = ", ".join(map(entry, range(start, min(start + PER_CHUNK, entries))))
            await response.write(((", " if start else "") + text).encode())
        await response.write(tail.encode())
        return response

    return answer


async def serve(entries: int) -> None:
    """Serve one listing in three shapes, and print the port."""
    app = web.Application()
    file_list = answering(entries, '{ "files" : [ ', file_list_entry, " ] }")
    folder = answering(entries, '{ "repo" : "generic", "path" : "/t", "children" : [ ', child, " ] }")

    async def storage(request: web.Request) -> web.StreamResponse:
        return await (file_list if "list" in request.query else folder)(request)

    app.router.add_get(f"{ARTIFACTORY}/api/storage/generic/t", storage)
    ranged = f' ], "range" : {{ "start_pos" : 0, "end_pos" : {entries}, "total" : {entries} }} }}'
    app.router.add_post(f"{ARTIFACTORY}/api/search/aql", answering(entries, '{ "results" : [ ', row, ranged))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


@contextmanager
def serving(entries: int, home: Path) -> Iterator[str]:
    """Run the server, and yield its base URL."""
    command = [sys.executable, "-m", "benchmarks.bench_listing", "--serve", "--entries", str(entries)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=machine.python_environment(home))
    with process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}{ARTIFACTORY}"
        process.kill()


# The client


async def by_walk(server: str) -> int:
    """``walk()``, which the server answers with its File List."""
    return await _count(aioartifact.walk(f"{server}/generic/t"))


async def by_ls(server: str) -> int:
    """``ls()`` of one folder that holds everything."""
    return await _count(aioartifact.ls(f"{server}/generic/t"))


async def by_aql(server: str) -> int:
    """``aql()``, row by row."""
    return await _count(aioartifact.aql(server, query.items(repo="generic")))


async def by_json_loads(server: str) -> int:
    """Aiohttp and ``json.loads``, as one would without us."""
    async with aiohttp.ClientSession() as session, session.get(f"{server}/api/storage/generic/t?list") as response:
        return len(json.loads(await response.read())["files"])


async def by_dropping(server: str) -> int:
    """Aiohttp alone, reading and dropping the File List."""
    async with aiohttp.ClientSession() as session, session.get(f"{server}/api/storage/generic/t?list") as response:
        async for _ in response.content.iter_any():
            pass
    return 0


async def _count(results: AsyncIterator[object]) -> int:
    count = 0
    async for _ in results:
        count += 1
    return count


WAYS = {
    "`walk()`: File List": by_walk,
    "`ls()`: Folder Info": by_ls,
    "`aql()`": by_aql,
    "aiohttp and `json.loads`": by_json_loads,
    "aiohttp, read and dropped": by_dropping,
}


class Turns:
    """Watches how long each turn of the loop takes."""

    def __init__(self) -> None:
        self.longest = self.longest_cpu = 0.0
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()

    def start(self) -> None:
        """Watch from the next turn on."""
        now, cpu = time.perf_counter(), time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self.longest_cpu = max(self.longest_cpu, cpu - self._last_cpu)
        self._last, self._last_cpu = now, cpu
        asyncio.get_running_loop().call_soon(self.start)


async def consume(way: str, server: str) -> Result:
    """Read a listing, and measure."""
    async with aioartifact.session(server), aiohttp.ClientSession():
        pass  # what is imported and read for the first session, and for the names here, is no part of a listing
    _ = aioartifact.walk, aioartifact.ls, aioartifact.aql
    gc.collect()
    gc.freeze()
    forget_peak()
    baseline, turns = memory("VmRSS"), Turns()
    started, cpu = time.perf_counter(), time.process_time()
    turns.start()
    entries = await WAYS[way](server)
    return Result(
        way,
        entries,
        round(time.perf_counter() - started, 2),
        round(time.process_time() - cpu, 2),
        round((memory("VmHWM") - baseline) / (1 << 20), 1),
        round(turns.longest * 1000, 1),
        round(turns.longest_cpu * 1000, 1),
    )


def measure(way: str, server: str, home: Path) -> Result:
    """Let a process of its own read a listing."""
    command = [sys.executable, "-m", "benchmarks.bench_listing", "--consume", way, server]
    environment = machine.python_environment(home)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return Result(**json.loads(done.stdout))


def table(results: list[Result]) -> str:
    """Print results as Markdown."""
    lines = [
        "| way | entries | seconds | CPU seconds | memory, MiB | longest turn, ms | of it CPU, ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {each.way} | {each.entries:,} | {each.seconds:.1f} | {each.cpu_seconds:.1f} | {each.memory:.1f} |"
        f" {each.longest_turn:.1f} | {each.longest_turn_cpu:.1f} |"
        for each in results
    ]
    return "\n".join(lines)


def verdict(results: list[Result]) -> str:
    """Say whether our ways keep to what we aim at."""
    ours = [each for each in results if "()" in each.way]
    missed = [each.way for each in ours if each.memory > AIM_MEMORY or each.longest_turn_cpu > AIM_STALL]
    aim = f"Aim: at most {AIM_MEMORY} MiB, and {AIM_STALL} ms of CPU in a turn of the loop"
    return f"{aim}: {'missed by ' + ', '.join(missed) if missed else 'met'}."


def write(results: list[Result], facts: dict[str, str | int | float], output: Path) -> None:
    """Write JSON and Markdown, and print the latter."""
    document = {"machine": facts, "results": [asdict(each) for each in results]}
    output.mkdir(parents=True, exist_ok=True)
    (output / "listing.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    listed = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    text = (
        f"# A listing as it arrives\n\n`python -m benchmarks.bench_listing`, one run. {verdict(results)}\n\n"
        f"{table(results)}\n\n{listed}\n"
    )
    (output / "listing.md").write_text(text, "utf-8")
    print(text)


def main() -> None:
    """Be the server, be a client, or run all of them."""
    parser = argparse.ArgumentParser(description="Consume a listing of many entries.")
    parser.add_argument("--entries", type=int, default=1_000_000, help="how many")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results", help="folder of the results")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--consume", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.entries))
    elif options.consume:
        print(json.dumps(asdict(asyncio.run(consume(*options.consume)))))
    else:
        facts = machine.facts()
        with tempfile.TemporaryDirectory() as folder, serving(options.entries, Path(folder)) as server:
            results = [measure(way, server, Path(folder)) for way in WAYS]
        write(results, facts, options.output)


if __name__ == "__main__":
    main()
