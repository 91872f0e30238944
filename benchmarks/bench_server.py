"""
How the embedded server answers over a repository of 100,000 files, and how much memory that takes.

    python -m benchmarks.bench_server [--items N] [--runs N] [--output FOLDER]

The server is a process of its own over a folder on disk; the client is ``http.client`` on one connection. Each request
is made once to warm up and then timed several times. Memory is what the kernel says of the server's process: resident
before a request, and at its highest while the answer was read (Linux only). Results go to ``server.json`` and
``server.md`` in the output folder.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path

from aioartifact.testing import ThreadedArtifactoryServer
from aioartifact.testing.control import synthetic

from . import machine

REPOSITORY = "generic-local"
WIDE = 10_000  # files in one folder, part of the items
PER_MODULE, MODULES_PER_GROUP = 10, 100
BIG = 512 << 20  # bytes of the file that is downloaded, and of the one that is uploaded
CHUNK = 1 << 20  # bytes the client reads and writes at once
SERVE = """
import sys
from pathlib import Path
from aioartifact.testing import serve
serve(Path(sys.argv[1]), port=0, on_ready=lambda server: print(server.origin, server.api_key, flush=True))
"""


@dataclass(frozen=True)
class Case:
    """One kind of request: what it is, what is sent, and how rows are counted in its answer."""

    name: str
    method: str
    path: str
    body: bytes | None = None
    rows: Callable[[bytes], int] = lambda _: 1


@dataclass(frozen=True)
class Result:
    """What was measured; times in milliseconds, memory in MiB."""

    name: str
    rows: int
    bytes: int
    first_byte: float
    median: float
    fastest: float
    slowest: float
    resident: float | None
    peak: float | None


def aql(name: str, text: str) -> Case:
    """Ask a query, and count the rows of its answer."""
    return Case(name, "POST", "api/search/aql", text.encode(), lambda body: len(json.loads(body)["results"]))


def cases(items: int) -> list[Case]:
    """Every request; the modules of group 42 hold 1,000 files."""
    fields = '.include("repo","path","name","size")'
    folder = f"api/storage/{REPOSITORY}"
    return [
        Case("HEAD of a file", "HEAD", f"{REPOSITORY}/org/g42/m7/f3.bin"),
        Case("GET of a small file", "GET", f"{REPOSITORY}/org/g42/m7/f3.bin"),
        Case("file info", "GET", f"{folder}/org/g42/m7/f3.bin"),
        Case("folder info, 10 files", "GET", f"{folder}/org/g42/m7", rows=children),
        Case(f"folder info, {WIDE:,} files", "GET", f"{folder}/wide", rows=children),
        aql("AQL, one path", f'items.find({{"repo":"{REPOSITORY}","path":"org/g42/m7"}}){fields}'),
        aql("AQL, path prefix", f'items.find({{"repo":"{REPOSITORY}","path":{{"$match":"org/g42/*"}}}}){fields}'),
        aql("AQL, rare property", f'items.find({{"@build":"4242"}}){fields}'),
        aql("AQL, frequent property", f'items.find({{"@qa":"passed"}}){fields}'),
        aql("AQL, property under a prefix", f'items.find({{"path":{{"$match":"org/g42/*"}},"@qa":"passed"}}){fields}'),
        aql("AQL, exact name", f'items.find({{"name":"w4242.bin"}}){fields}'),
        aql(f"AQL, all {items:,}", f'items.find({{"repo":"{REPOSITORY}"}}){fields}'),
        Case("file list, deep, of a group", "GET", f"{folder}/org/g42?list&deep=1", rows=files),
        Case(f"file list, deep, all {items:,}", "GET", f"{folder}?list&deep=1", rows=files),
    ]


def children(body: bytes) -> int:
    """Count what a folder info lists."""
    return len(json.loads(body)["children"])


def files(body: bytes) -> int:
    """Count what a file list lists."""
    return len(json.loads(body)["files"])


def fill(data: Path, items: int) -> float:
    """Fill a data folder and return the seconds it took."""
    started = time.perf_counter()
    with ThreadedArtifactoryServer(data) as server:
        for number in range(min(WIDE, items)):
            server.put(f"{REPOSITORY}/wide/w{number}.bin", b"wide")
        for number in range(items - WIDE):
            module, file = divmod(number, PER_MODULE)
            group, module = divmod(module, MODULES_PER_GROUP)
            properties = {"build": str(number // 10)} | ({"qa": "passed"} if number % 100 == 0 else {})
            address = f"{REPOSITORY}/org/g{group}/m{module}/f{file}.bin"
            server.put(address, b"content of %d" % (number % 1_000), properties=properties)
    return time.perf_counter() - started


class Server:
    """The server's process, and one connection to it."""

    def __init__(self, process: subprocess.Popen[str], origin: str, api_key: str) -> None:
        self._process = process
        self._credentials = {"X-JFrog-Art-Api": api_key}
        self._connection = http.client.HTTPConnection(origin.removeprefix("http://"))

    def ask(self, case: Case) -> tuple[http.client.HTTPResponse, float]:
        """Make a request and return the answer and the milliseconds until its head."""
        started = time.perf_counter()
        headers = self._credentials | ({"Content-Type": "text/plain"} if case.body else {})
        self._connection.request(case.method, f"/artifactory/{case.path}", body=case.body, headers=headers)
        answer = self._connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer, (time.perf_counter() - started) * 1000

    def upload(self, path: str, size: int) -> None:
        """Deploy *size* bytes, the same mebibyte over and over: making others would take the client's time."""
        (block,) = synthetic(CHUNK)
        headers = self._credentials | {"Content-Length": str(size)}
        body = repeat(block, size // CHUNK)
        self._connection.request("PUT", f"/artifactory/{path}", body=body, headers=headers)
        answer = self._connection.getresponse()
        assert (answer.status, bool(answer.read())) == (201, True)

    def forget_peak(self) -> None:
        """Let the highest memory so far be the present one."""
        if sys.platform == "linux":
            Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def memory(self, field: str) -> float | None:
        """Return ``VmRSS`` (resident now) or ``VmHWM`` (highest since forgotten) in MiB."""
        if sys.platform != "linux":
            return None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith(f"{field}:"))
        return round(int(line.split()[1]) / 1024, 1)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """Run a server over a folder."""
    command = [sys.executable, "-c", SERVE, str(data)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        server = Server(process, *process.stdout.readline().split())
        try:
            yield server
        finally:
            server.close()
            process.terminate()


def drain(answer: http.client.HTTPResponse) -> int:
    """Read a body without keeping it, and return its size."""
    size = 0
    while chunk := answer.read(CHUNK):
        size += len(chunk)
    return size


def measure(server: Server, case: Case, runs: int) -> Result:
    """Make a request once to warm up, and time it some more times."""
    answer, _ = server.ask(case)
    rows = case.rows(answer.read())
    server.forget_peak()
    resident, firsts, totals, size = server.memory("VmRSS"), [], [], 0
    for _ in range(runs):
        started = time.perf_counter()
        answer, first = server.ask(case)
        size = drain(answer)
        firsts.append(first)
        totals.append((time.perf_counter() - started) * 1000)
    return result(case.name, rows, size, firsts, totals, resident, server.memory("VmHWM"))


def measure_upload(server: Server, runs: int) -> Result:
    """Time deploys of a big file."""
    server.forget_peak()
    resident, totals = server.memory("VmRSS"), []
    for _ in range(runs):
        started = time.perf_counter()
        server.upload(f"{REPOSITORY}/uploaded.bin", BIG)
        totals.append((time.perf_counter() - started) * 1000)
    return result(f"PUT of {BIG >> 20} MiB", 1, BIG, totals, totals, resident, server.memory("VmHWM"))


def result(
    name: str,
    rows: int,
    size: int,
    firsts: list[float],
    totals: list[float],
    resident: float | None,
    peak: float | None,
) -> Result:
    """Sum up the times of several requests."""
    first, median = round(statistics.median(firsts), 2), round(statistics.median(totals), 2)
    fastest, slowest = round(min(totals), 2), round(max(totals), 2)
    return Result(name, rows, size, first, median, fastest, slowest, resident, peak)


def table(results: list[Result]) -> str:
    """Print results as Markdown."""
    lines = [
        "| request | rows | bytes | first byte, ms | whole, ms | fastest to slowest, ms | server, MiB | peak, MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {each.name} | {each.rows:,} | {each.bytes:,} | {each.first_byte:.1f} | {each.median:.1f} |"
        f" {each.fastest:.1f} to {each.slowest:.1f} | {each.resident} | {each.peak} |"
        for each in results
    ]
    return "\n".join(lines)


def main() -> None:
    """Fill a repository, ask for everything, write the results."""
    parser = argparse.ArgumentParser(description="Time the embedded server over a big repository.")
    parser.add_argument("--items", type=int, default=100_000, help="files in the repository, at least 60,000")
    parser.add_argument("--runs", type=int, default=7, help="timed requests of each kind")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results", help="folder of the results")
    options = parser.parse_args()
    facts = machine.facts()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        filled = fill(data, options.items)
        with serving(data) as server:
            results = [measure(server, case, options.runs) for case in cases(options.items)]
            results.append(measure_upload(server, 3))
            big = Case(f"GET of {BIG >> 20} MiB", "GET", f"{REPOSITORY}/uploaded.bin", rows=lambda _: 1)
            results.append(measure(server, big, 3))
    document = {
        "machine": facts,
        "items": options.items,
        "runs": options.runs,
        "filled_seconds": round(filled, 1),
        "results": [asdict(each) for each in results],
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "server.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    listed = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    text = (
        f"# The server over {options.items:,} files\n\n`python -m benchmarks.bench_server`, {options.runs} runs,"
        f" 3 of big files; times are medians. Filling took {filled:.0f} s.\n\n{table(results)}\n\n{listed}\n"
    )
    (options.output / "server.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
