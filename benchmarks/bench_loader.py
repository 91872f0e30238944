"""
Samples for a training job: files and tar shards, by this library and by WebDataset over ``curl``.

    python -m benchmarks.bench_loader [--samples N] [--size BYTES] [--rounds N] [--output FOLDER]

nginx is the server. Files and shards hold samples of the same size; each way of reading is a process of its own, which
counts samples, and decodes nothing. The median of the rounds is reported. Results go to ``loader.json`` and
``loader.md`` in the output folder. WebDataset takes part where it is installed.
"""

import argparse
import asyncio
import hashlib
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import aioartifact
from aioartifact.data import iter_in_thread, prefetch, tar_samples

from . import machine, nginx
from .tools import missing

PER_SHARD = 100


@dataclass(frozen=True)
class Plan:
    """
    What there is to read.

    Attributes:
        server: Base URL.
        samples: Number of samples.
        size: Bytes of each.
        sha256: Of a file.
        folder: Where files may be written.
    """

    server: str
    samples: int
    size: int
    sha256: str
    folder: str

    def files(self) -> list[aioartifact.FileInfo]:
        """The files, as a listing has them."""
        checksums = aioartifact.Checksums(sha256=self.sha256)
        paths = [f"d/{number:06}.jpg" for number in range(self.samples)]
        return [
            aioartifact.FileInfo(f"{self.server}/files/{path}", "files", path, self.size, checksums) for path in paths
        ]

    def shards(self) -> list[str]:
        """The URLs of the shards."""
        return [f"{self.server}/shards/{number:06}.tar" for number in range(self.samples // PER_SHARD)]


@dataclass(frozen=True)
class Result:
    """What one way of reading took, in seconds; the CPU is that of its child processes, too."""

    way: str
    samples: int
    seconds: float
    cpu_seconds: float


def by_folder(plan: Plan) -> int:
    """``download_folder()``, without a loop that uses the files."""
    folder = aioartifact.download_folder(f"{plan.server}/files/d", Path(plan.folder, "folder"))
    return len(asyncio.run(_awaited(folder)).downloaded)


async def _awaited(batch: aioartifact.Batch) -> aioartifact.Report:
    return await batch


def by_prefetch(plan: Plan) -> int:
    """``prefetch()``, bytes, in order."""
    return asyncio.run(_count(prefetch(plan.files())))


def by_prefetch_to_files(plan: Plan) -> int:
    """``prefetch(destination=…)``."""
    return asyncio.run(_count(prefetch(plan.files(), destination=Path(plan.folder, "prefetch"))))


def by_thread(plan: Plan) -> int:
    """``iter_in_thread()`` of the same: a loop without ``await``."""
    return _total(file.data or b"" for file in iter_in_thread(lambda: prefetch(plan.files())))


def by_tar_samples(plan: Plan) -> int:
    """``iter_in_thread()`` of ``tar_samples()``: verified shards."""
    return _total(sample["jpg"] for sample in iter_in_thread(lambda: tar_samples(plan.shards())))


def by_webdataset(plan: Plan) -> int:
    """WebDataset over ``pipe:curl``: nothing is verified."""
    webdataset = import_module("webdataset")
    urls = [f"pipe:curl -q -s -f {url}" for url in plan.shards()]
    return _total(sample["jpg"] for sample in webdataset.WebDataset(urls, shardshuffle=False))


async def _count(loaded: "aioartifact.data.Prefetch") -> int:
    async with loaded as files:
        return len([file.index async for file in files])


def _total(contents: Iterable[bytes]) -> int:
    return len([len(content) for content in contents])


WAYS: dict[str, Callable[[Plan], int]] = {
    "`download_folder()`": by_folder,
    "`prefetch(destination=…)`": by_prefetch_to_files,
    "`prefetch()`": by_prefetch,
    "`iter_in_thread()` of `prefetch()`": by_thread,
    "`iter_in_thread()` of `tar_samples()`": by_tar_samples,
    "WebDataset, `pipe:curl`": by_webdataset,
}


def consume(way: str, plan: Plan) -> Result:
    """Read everything in one way, and measure."""
    if way.startswith("WebDataset"):
        import_module("webdataset")  # which is no part of a transfer
    cpu, started = _cpu(), time.perf_counter()
    samples = WAYS[way](plan)
    assert samples == plan.samples, f"{way}: {samples} samples"
    return Result(way, samples, round(time.perf_counter() - started, 3), round(_cpu() - cpu, 3))


def _cpu() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def shard(size: int) -> bytes:
    """Make a tar file of samples: an image each, and its class."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(PER_SHARD):
            for extension, data in (("jpg", os.urandom(size)), ("cls", b"%d" % number)):
                member = tarfile.TarInfo(f"{number:06}.{extension}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def listing(samples: int, size: int, sha256: str) -> bytes:
    """Print the File List of the files."""
    entries = [{"uri": f"/{number:06}.jpg", "size": size, "folder": False, "sha2": sha256} for number in range(samples)]
    return json.dumps({"uri": "x", "files": entries}).encode()


def locations(folder: Path, samples: int, size: int) -> tuple[list[nginx.Location], str]:
    """Write what nginx serves; its locations, and the SHA-256 of each file."""
    contents = {"files": os.urandom(size), "shards": shard(size)}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    contents["api/storage/files"] = listing(samples, size, digests["files"])
    made = []
    for number, (name, data) in enumerate(contents.items()):
        (folder / f"{number}.bin").write_bytes(data)
        made.append(nginx.Location(name, f"{number}.bin", digests.get(name)))
    return made, digests["files"]


def measure(way: str, plan: Plan, home: Path) -> Result:
    """Let a process of its own read everything."""
    command = [sys.executable, "-m", "benchmarks.bench_loader", "--consume", way, json.dumps(asdict(plan))]
    with tempfile.TemporaryDirectory(dir=plan.folder) as folder:
        command[-1] = json.dumps({**asdict(plan), "folder": folder})
        environment = machine.python_environment(home)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return Result(**json.loads(done.stdout))


def medians(results: list[list[Result]]) -> list[Result]:
    """The median of each way, of several rounds."""
    return [
        Result(
            each[0].way,
            each[0].samples,
            round(statistics.median(result.seconds for result in each), 3),
            round(statistics.median(result.cpu_seconds for result in each), 3),
        )
        for each in zip(*results, strict=True)
    ]


def table(results: list[Result], size: int) -> str:
    """Print results as Markdown."""
    lines = ["| way | seconds | samples/s | MiB/s | CPU seconds |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {each.way} | {each.seconds:.2f} | {each.samples / each.seconds:,.0f} |"
        f" {each.samples * size / each.seconds / (1 << 20):,.0f} | {each.cpu_seconds:.2f} |"
        for each in results
    ]
    return "\n".join(lines)


def write(results: list[Result], size: int, facts: dict[str, str | int | float], rounds: int, output: Path) -> None:
    """Write JSON and Markdown, and print the latter."""
    document = {"machine": facts, "size": size, "results": [asdict(each) for each in results]}
    output.mkdir(parents=True, exist_ok=True)
    (output / "loader.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    listed = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    text = (
        f"# Samples for a training job\n\n`python -m benchmarks.bench_loader`, median of {rounds} rounds:"
        f" {results[0].samples:,} samples of {size:,} bytes, as files, and in tar shards"
        f" of {PER_SHARD}. All but WebDataset verify them.\n\n"
        f"{table(results, size)}\n\n{listed}\n"
    )
    (output / "loader.md").write_text(text, "utf-8")
    print(text)


def main() -> None:
    """Be a client, or run all of them."""
    parser = argparse.ArgumentParser(description="Read samples for a training job.")
    parser.add_argument("--samples", type=int, default=4_000, help=f"how many; a multiple of {PER_SHARD}")
    parser.add_argument("--size", type=int, default=100_000, help="bytes of each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="where files go")  # memory
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results", help="folder of the results")
    parser.add_argument("--consume", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.consume:
        way, plan = options.consume
        print(json.dumps(asdict(consume(way, Plan(**json.loads(plan))))))
        return
    if reason := missing(["nginx", "openssl"]):
        parser.exit(1, f"{reason}\n")
    ways = [way for way in WAYS if not way.startswith("WebDataset") or find_spec("webdataset")]
    facts = machine.facts()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        made, sha256 = locations(folder, options.samples, options.size)
        with nginx.serving(folder, made, nginx.Certificate.make(folder)) as server:
            plan = Plan(server.plain, options.samples, options.size, sha256, str(folder))
            rounds = [[measure(way, plan, folder) for way in ways] for _ in range(options.rounds)]
    write(medians(rounds), options.size, facts, options.rounds, options.output)


if __name__ == "__main__":
    main()
