"""Command lines of everyone who takes part."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .measure import Contender
from .task import Task

Command = Callable[[Task, Path], Sequence[str]]


def _child(client: str, loop: str, python: str = sys.executable) -> Command:
    def command(task: Task, folder: Path) -> Sequence[str]:
        task.save(folder / "task.json")
        return [python, "-m", "benchmarks.child", client, loop, str(folder / "task.json")]

    return command


def ours(job: str = "fetch", loop: str = "asyncio", name: str = "aioartifact") -> Contender:
    """Take part with this library."""
    title = name if loop == "asyncio" else f"{name}, {loop}"
    return Contender(title, _child(f"ours.{job}", loop), needs=(loop,), writes=job.startswith("fetch"))


def bare(job: str, name: str, loop: str = "asyncio") -> Contender:
    """Take part with aiohttp by itself."""
    title = name if loop == "asyncio" else f"{name}, {loop}"
    return Contender(title, _child(f"bare.{job}", loop), needs=(loop, "aiohttp"), writes=job == "naive")


def peer(name: str, python: str) -> Contender:
    """Take part with another client of Artifactory, run by the interpreter of its environment."""
    return Contender(name, _child(f"peers.{name.replace('-', '_')}", "asyncio", python))


def _curl(task: Task, _: Path) -> Sequence[str]:
    ((url, path, _group),) = task.items()
    return ["curl", *_curl_options(task), "--create-dirs", "-o", f"{task.destination}/{path}", url]


def _curl_then_openssl(task: Task, folder: Path) -> Sequence[str]:
    ((_url, path, group),) = task.items()
    script = f'curl "$@" && openssl dgst -sha256 -r "$0" | grep -q "^{group.sha256}"'
    return ["sh", "-c", script, f"{task.destination}/{path}", *_curl(task, folder)[1:]]


def _curl_parallel(task: Task, folder: Path) -> Sequence[str]:
    listed = folder / "curl.txt"
    lines = (f'url = "{url}"\noutput = "{task.destination}/{path}"\n' for url, path, _ in task.items())
    listed.write_text("".join(lines), "utf-8")
    parallel = ["-Z", "--parallel-max", str(task.connections), "--create-dirs"]
    return ["curl", *_curl_options(task), *parallel, "-K", str(listed)]


def _curl_options(task: Task) -> list[str]:
    return ["-q", "-sS", "--no-progress-meter", "--fail", *(["--cacert", task.authority] if task.authority else [])]


def _aria2c(streams: int) -> Command:
    def command(task: Task, folder: Path) -> Sequence[str]:
        listed = folder / "aria2.txt"
        with listed.open("w", encoding="utf-8") as file:
            for url, path, group in task.items():
                check = f"\n  checksum=sha-256={group.sha256}" if task.verified and task.count == 1 else ""
                file.write(f"{url}\n  out={path}{check}\n")
        authority = [f"--ca-certificate={task.authority}"] if task.authority else []
        many = [f"-j{task.connections}", f"-x{streams}", f"-s{streams}", "-k1M", "--file-allocation=none"]
        quiet = ["--no-conf", "--quiet", "--disable-ipv6", f"--dir={task.destination}", f"--input-file={listed}"]
        return ["aria2c", *quiet, *many, *authority]

    return command


def _curl_upload(task: Task, folder: Path) -> Sequence[str]:
    listed = folder / "curl.txt"
    lines = (f'upload-file = "{task.destination}/{path}"\nurl = "{url}"\n' for url, path, _ in task.items())
    listed.write_text("".join(lines), "utf-8")
    # Without a header field that has it ask the server first, before each body.
    parallel = ["-Z", "--parallel-max", str(task.connections), "-H", "Expect:", "-o", "/dev/null"]
    return ["curl", *_curl_options(task), *parallel, "-K", str(listed)]


OURS = ours()
OURS_UVLOOP = ours(loop="uvloop")
OURS_OWN_SESSION = ours("fetch_in_own_session", name="aioartifact, own session")
OURS_UPLOAD = ours("upload")
OURS_UPLOAD_UVLOOP = ours("upload", "uvloop")
BARE_UPLOAD = bare("upload", "floor: aiohttp, no checksums")
CURL_UPLOAD = Contender("curl -T", _curl_upload, ("curl",), reports=False, writes=False)
FLOOR = bare("floor", "floor: aiohttp, read and dropped")
FLOOR_UVLOOP = bare("floor", FLOOR.name, "uvloop")
NAIVE = bare("naive", "naive: aiohttp and aiofiles")
CURL = Contender("curl", _curl, ("curl",), reports=False)
CURL_OPENSSL = Contender("curl, then openssl dgst", _curl_then_openssl, ("curl", "openssl"), reports=False)
CURL_PARALLEL = Contender("curl -Z", _curl_parallel, ("curl",), reports=False)
ARIA2_FILES = Contender("aria2c -j32", _aria2c(1), ("aria2c",), reports=False)
ARIA2_RANGES = Contender("aria2c -x4", _aria2c(4), ("aria2c",), reports=False)
PEERS = ("audfactory", "dohq-artifactory", "pyartifactory", "aioartifactory")
