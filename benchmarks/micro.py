"""
Guard of the functions that run once per file or per batch: what one call costs, against a loop of plain Python.

    python -m benchmarks.micro [--quick] [--update]

The unit is one turn of a calibrating loop, timed between the functions: it cancels most of what differs from machine
to machine, so figures can be compared with those committed in ``results/micro.json``. A function that takes more than
twice what stands there fails the run; ``--update`` writes new figures there instead.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aioartifact import url
from aioartifact._address import parse_item_url
from aioartifact._files import Staging
from aioartifact._protocol import build_download, read_expected_content
from aioartifact._scheduler import run_many
from aioartifact._threads import run_short
from aioartifact._transfer.receive.partial_file import PartialFile
from aioartifact._versions.semver import semver_key

BASELINE = Path(__file__).parent / "results" / "micro.json"
TOLERANCE = 2.0
_TURNS = 1_000
_FOLDER = "https://host.example.com/artifactory/generic-local/com/example/data/db/1.2.3/media%20files"
_ADDRESS = f"{_FOLDER}/file.bin"
_HEADERS = {
    "Content-Length": "10240",
    "Content-Type": "application/octet-stream",
    "ETag": "0" * 40,
    "X-Checksum-Md5": "0" * 32,
    "X-Checksum-Sha1": "0" * 40,
    "X-Checksum-Sha256": "0" * 64,
}
_BATCH = [bytes(64 * 1024)] * 16
_BATCH_SIZE = sum(map(len, _BATCH))

Work = Callable[[int], None]  # does it so many times


def calibrate(times: int) -> None:
    """Do what all the others are compared with: build and look up short strings."""
    seen: dict[str, int] = {}
    for number in range(times):
        name = f"file-{number & 255:03}"
        seen[name] = seen.get(name, 0) + len(name)


def _build_url(times: int) -> None:
    for _ in range(times):
        url("https://host.example.com/artifactory", repository="generic", group_id="a.b.c", name="db", version="1.0.0")


def _parse_file_url(times: int) -> None:
    for number in range(times):
        parse_item_url(f"{_FOLDER}/{number}")


def _parse_folder_url(times: int) -> None:
    for number in range(times):
        parse_item_url(f"{_FOLDER}/{number}/file.bin")


def _read_promise(times: int) -> None:
    request = build_download(parse_item_url(_ADDRESS))
    for _ in range(times):
        read_expected_content(request, [_HEADERS])


def _semver_key(times: int) -> None:
    for _ in range(times):
        semver_key("v1.12.3-rc.1-4-gdeadbee+build")


def _schedule(times: int) -> None:
    async def job(number: int) -> int:
        return number

    async def main() -> None:
        async with run_many(range(times), job, max_concurrency=16) as results:
            async for _ in results:
                pass

    asyncio.run(main())


def _hop(times: int) -> None:
    async def worker(hops: int) -> None:
        for _ in range(hops):
            await run_short(int)

    async def main() -> None:
        await asyncio.gather(*(worker(times // 16) for _ in range(16)))

    asyncio.run(main())


def _write(times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assembly = PartialFile(Staging(str(Path(folder, "target"))))
        assembly.hash_with(["sha256"])
        for number in range(max(1, times // 100)):
            assembly.store(number * _BATCH_SIZE, _BATCH)
        assembly.staging.discard()


FUNCTIONS: dict[str, Work] = {
    "build a URL": _build_url,
    "parse a URL, in the same folder": _parse_file_url,
    "parse a URL, in another folder": _parse_folder_url,
    "read what an answer promises": _read_promise,
    "key of a version": _semver_key,
    "schedule a job": _schedule,
    "hop to a thread and back": _hop,
    "write and hash 10 KiB, of batches of 1 MiB": _write,
}


def measure(rounds: int, times: int = _TURNS) -> dict[str, float]:
    """Cost of each function in turns of the calibrating loop; the best of the rounds, each round all in turn."""
    fastest: dict[Work, float] = {}
    for _ in range(rounds):
        for work in (calibrate, *FUNCTIONS.values()):
            fastest[work] = min(fastest.get(work, float("inf")), _cpu_seconds(work, times))
    return {name: round(fastest[work] / fastest[calibrate], 2) for name, work in FUNCTIONS.items()}


def _cpu_seconds(work: Work, times: int) -> float:
    started = time.process_time()
    work(times)
    return time.process_time() - started


def too_slow(costs: dict[str, float], baseline: dict[str, float]) -> list[str]:
    """Name the functions that cost more than the baseline allows; a new one has no bound yet."""
    return [name for name, cost in costs.items() if cost > baseline.get(name, cost) * TOLERANCE]


def table(costs: dict[str, float], baseline: dict[str, float]) -> str:
    """Show costs beside those of the baseline."""
    lines = ["| function | turns of the loop | baseline |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {cost:.2f} | {baseline.get(name, '')} |" for name, cost in costs.items()]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and compare; the exit code reports whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.micro")
    parser.add_argument("--quick", action="store_true", help="one short round, compared with nothing")
    parser.add_argument("--update", action="store_true", help="make these figures the baseline")
    options = parser.parse_args(arguments)
    baseline: dict[str, float] = json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}
    costs = measure(1, 100) if options.quick else measure(30)
    print(table(costs, baseline))
    if options.update:
        BASELINE.write_text(json.dumps(costs, indent=2) + "\n", "utf-8")
    slow = [] if options.quick or options.update else too_slow(costs, baseline)
    if slow:
        print(f"More than {TOLERANCE:g} times the baseline: {', '.join(slow)}", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
