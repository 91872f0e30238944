"""The cases: who does what against which server, and what we aim at."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .aims import Aim, counted, faster, memory_within, slower_by, within
from .canned import Canned, Route
from .contenders import (
    ARIA2_FILES,
    ARIA2_RANGES,
    BARE_UPLOAD,
    CURL,
    CURL_OPENSSL,
    CURL_PARALLEL,
    CURL_UPLOAD,
    FLOOR,
    FLOOR_UVLOOP,
    NAIVE,
    OURS,
    OURS_OWN_SESSION,
    OURS_UPLOAD,
    OURS_UPLOAD_UVLOOP,
    OURS_UVLOOP,
    PEERS,
    bare,
    ours,
    peer,
)
from .lab import Lab, UnavailableError
from .makespan import Link, ideal_makespan, ideal_makespan_in_ranges
from .measure import Contender, run
from .task import Files, Task

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Bench:
    """
    A case that is set up.

    Attributes:
        task: What everyone has to do.
        contenders: Who takes part, with a task of their own where it differs.
        aims: What we aim at.
        rounds: How often at most; None for as often as asked.
        keeps: Whether files stay for the next run.
        requests: Returns how many requests the server has seen.
        server_cpu: Returns the CPU seconds that the server has used.
        ideal: Seconds in which it could be done, by what is known of the server, and what that rests on.
    """

    task: Task
    contenders: Sequence[Contender | tuple[Contender, Task]]
    aims: Sequence[Aim] = ()
    rounds: int | None = None
    keeps: bool = False
    requests: Callable[[], int] | None = None
    server_cpu: Callable[[], float] | None = None
    ideal: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """
    One line of the table.

    Attributes:
        key: Its name on the command line.
        title: What is done.
        prepare: Sets it up.
    """

    key: str
    title: str
    prepare: Callable[[Lab], Bench]


def _big(lab: Lab) -> Bench:
    task = lab.from_nginx("bare", 1, lab.scale.big)
    return Bench(
        task,
        [OURS, OURS_UVLOOP, FLOOR, NAIVE, CURL, ARIA2_RANGES],
        [faster("no slower than curl", OURS, CURL, 0.95)],
    )


def _big_verified(lab: Lab) -> Bench:
    return Bench(
        lab.from_nginx("promised", 1, lab.scale.big),
        [OURS, OURS_UVLOOP, NAIVE, CURL_OPENSSL, ARIA2_RANGES],
        [
            faster("faster than curl and then openssl", OURS, CURL_OPENSSL, 1.35),
            faster("faster than the naive loop with hashing", OURS, NAIVE, 2.5),
        ],
    )


def _big_tls(lab: Lab) -> Bench:
    task = lab.from_nginx("promised", 1, lab.scale.big, tls=True)
    single = ours(name="aioartifact, 1 connection")
    return Bench(
        task,
        [OURS, OURS_UVLOOP, (single, replace(task, connections=1)), FLOOR, CURL_OPENSSL, ARIA2_RANGES],
        [
            faster("on asyncio no slower than curl and then openssl", OURS, CURL_OPENSSL, 1.0),
            faster("on uvloop faster than curl and then openssl", OURS_UVLOOP, CURL_OPENSSL, 1.1),
            faster("several ranges no slower than one stream", OURS, single, 1.0),
        ],
    )


def _small(lab: Lab) -> Bench:
    return Bench(
        lab.from_nginx("promised", lab.scale.small_count, lab.scale.small),
        [OURS, OURS_UVLOOP, OURS_OWN_SESSION, FLOOR, FLOOR_UVLOOP, NAIVE, CURL_PARALLEL, ARIA2_FILES],
        [
            *_aims_for_small(),
            faster("in the user's own session, close to the floor", OURS_OWN_SESSION, FLOOR, 0.75),
        ],
    )


def _small_tls(lab: Lab) -> Bench:
    return Bench(
        lab.from_nginx("promised", lab.scale.small_count, lab.scale.small, tls=True),
        [OURS, OURS_UVLOOP, FLOOR, FLOOR_UVLOOP, NAIVE, CURL_PARALLEL, ARIA2_FILES],
        _aims_for_small(),
    )


def _aims_for_small() -> list[Aim]:
    return [
        faster("faster than the floor on asyncio", OURS, FLOOR, 1.1),
        faster("faster than the floor on uvloop", OURS_UVLOOP, FLOOR_UVLOOP, 1.1),
        faster("on asyncio faster than aria2c -j32", OURS, ARIA2_FILES, 1.15),
        faster("on uvloop faster than aria2c -j32", OURS_UVLOOP, ARIA2_FILES, 1.15),
        faster("on uvloop close to curl -Z", OURS_UVLOOP, CURL_PARALLEL, 0.6),
    ]


def _latency(lab: Lab) -> Bench:
    scale = lab.scale
    task, _ = _delayed(lab, [(scale.tiny_count, scale.tiny)])
    ideal = ideal_makespan([scale.tiny] * scale.tiny_count, Link(scale.connections, scale.latency))
    return Bench(
        task,
        [OURS, OURS_UVLOOP, FLOOR, NAIVE, CURL_PARALLEL, ARIA2_FILES],
        [within("close to the ideal", OURS, ideal, 1.15)],
        ideal={"files / connections x latency": ideal},
    )


def _mixed(lab: Lab) -> Bench:
    scale = lab.scale
    # The large ones come last: taken in this order, whole, they would begin when all others are done.
    groups = [(scale.mixed_small_count, scale.tiny), (scale.mixed_big_count, scale.mixed_big)]
    task, _ = _delayed(lab, groups, bandwidth=scale.bandwidth)
    sizes = [size for count, size in groups for _ in range(count)]
    link = Link(scale.connections, scale.latency, scale.bandwidth)
    ideal = ideal_makespan(sizes, link)
    return Bench(
        task,
        [OURS, OURS_UVLOOP, FLOOR, NAIVE, CURL_PARALLEL, ARIA2_FILES],
        [within("close to the ideal makespan of whole files", OURS, ideal, 1.2)],
        ideal={"whole files": ideal, "in ranges": ideal_makespan_in_ranges(sizes, link)},
    )


def _delayed(
    lab: Lab, groups: Sequence[tuple[int, int]], *, bandwidth: float | None = None, tls: bool = False
) -> tuple[Task, Canned]:
    """Task for groups of files, by number and size, on a server that takes its time; that server."""
    routes, files = [], []
    for count, size in groups:
        path, sha256 = lab.content(size)
        headers = {"X-Checksum-Sha256": sha256, "ETag": sha256[:40], "Accept-Ranges": "bytes"}
        routes.append(Route(f"/artifactory/generic/{size}/", str(path), headers, lab.scale.latency, bandwidth))
        files.append(Files(f"generic/{size}", count, size, sha256))
    server = lab.canned(routes, tls=tls)
    located = tuple(replace(group, url=f"{server.url}/{group.url}") for group in files)
    authority = str(lab.certificate.certificate) if tls else None
    return Task(server.url, located, lab.destination(), lab.scale.connections, authority=authority), server


def _manifest(lab: Lab) -> Bench:
    path, sha256 = lab.content(16)
    template = Files("", lab.scale.tree_count, 16, sha256)
    listing = lab.folder / "listing.json"
    entries = [{"uri": f"/{name}", "size": 16, "folder": False, "sha2": sha256} for name in template.names()]
    listing.write_text(json.dumps({"files": entries}), "utf-8")
    server = lab.canned([Route("/artifactory/api/storage/generic/tree", str(listing), JSON)])
    files = replace(template, url=f"{server.url}/generic/tree")
    task = Task(server.url, (files,), lab.destination(), lab.scale.connections)
    _write_tree(Path(task.destination), files, path.read_bytes())
    contender = ours("sync_folder", name="aioartifact, second run")
    first = run(contender, task, lab.folder, keeps=True)
    if first.error:
        raise UnavailableError(f"the first run failed: {first.error}")
    assert first.counts["opened"] == files.count, "the first run must read every file, or the count means nothing"
    return Bench(
        task,
        [contender],
        [
            counted("requests: the listing only", contender, "requests", 1),
            counted("local files opened", contender, "opened", 0),
            memory_within("memory above imports", contender, 96),
        ],
        rounds=3,
        keeps=True,
        requests=server.requests,
    )


def _write_tree(folder: Path, files: Files, content: bytes) -> None:
    for name in files.names():
        path = folder / name
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        path.write_bytes(content)
        os.utime(path, (1e9, 1e9))  # long ago: what was just written could still change within a tick of the clock


def _memory_file(lab: Lab) -> Bench:
    task = lab.from_nginx("promised", 1, lab.scale.big)
    return Bench(task, [OURS], [memory_within("memory above imports", OURS, 48)], rounds=3)


def _memory_batch(lab: Lab) -> Bench:
    task = lab.from_nginx("promised", lab.scale.tree_count, lab.scale.tiny)
    return Bench(task, [OURS], [memory_within("memory above imports, report included", OURS, 96)], rounds=1)


def _versions(lab: Lab) -> Bench:
    count = lab.scale.versions
    names = [f"{number // 100}.{number % 100 // 10}.{number % 10}" for number in range(count)]
    children = [{"uri": f"/{name}", "folder": True} for name in names]
    answer = lab.folder / "folder.json"
    answer.write_text(json.dumps({"repo": "generic", "path": "/org/tool", "children": children}), "utf-8")
    address = "api/storage/generic/org/tool"
    server = lab.canned([Route(f"/artifactory/{address}", str(answer), JSON)])
    files = Files(f"{server.url}/{address}", count, 0, "")
    task = Task(server.url, (files,), lab.destination(), 1, repeat=10)
    own, floor = ours("list_versions"), bare("list_folder", "floor: aiohttp GET and json.loads")
    return Bench(task, [own, floor], [slower_by("close to the floor", own, floor, 1.3)])


def _upload(lab: Lab, count: int, size: int, factor: float) -> Bench:
    path, sha256 = lab.content(size)
    files = Files(f"{lab.sink.url}/generic/tree", count, size, sha256)
    task = Task(lab.sink.url, (files,), lab.destination(), lab.scale.connections)
    for _, name, _ in task.items():
        local = Path(task.destination, name)
        local.parent.mkdir(parents=True, exist_ok=True)
        local.hardlink_to(path)
    return Bench(
        task,
        [OURS_UPLOAD, OURS_UPLOAD_UVLOOP, BARE_UPLOAD, CURL_UPLOAD],
        [faster("with checksums, close to the floor without", OURS_UPLOAD, BARE_UPLOAD, factor)],
        keeps=True,
        server_cpu=lab.sink.cpu_seconds,
    )


def _upload_big(lab: Lab) -> Bench:
    return _upload(lab, 1, lab.scale.upload_big, 0.8)


def _upload_small(lab: Lab) -> Bench:
    return _upload(lab, lab.scale.upload_count, lab.scale.small, 0.85)


def _processes(task: Task, server_cpu: Callable[[], float]) -> Bench:
    """One process beside two, on each event loop; the server shares the cores, so its CPU time is measured, too."""
    loops = [
        (OURS, ours("fetch_in_processes", name="aioartifact, 2 processes")),
        (OURS_UVLOOP, ours("fetch_in_processes", "uvloop", name="aioartifact, 2 processes")),
    ]
    return Bench(
        task,
        [contender for pair in loops for contender in pair],
        [faster(f"{several.name}, faster than one", several, one, 1.3) for one, several in loops],
        server_cpu=server_cpu,
    )


def _processes_small(lab: Lab) -> Bench:
    task = lab.from_nginx("promised", lab.scale.small_count, lab.scale.small, tls=True)
    return _processes(task, lab.nginx.cpu_seconds)


def _processes_latency(lab: Lab) -> Bench:
    scale = lab.scale
    task, server = _delayed(lab, [(scale.shared_tiny_count, scale.tiny)], tls=True)
    # Connections enough that the client is the limit, not the latency.
    return _processes(replace(task, connections=scale.shared_connections), server.cpu_seconds)


def _processes_big(lab: Lab) -> Bench:
    task = lab.from_nginx("promised", lab.scale.shared_big_count, lab.scale.shared_big, tls=True)
    return _processes(task, lab.nginx.cpu_seconds)


def _peers(lab: Lab, count: int, size: int, latency: float) -> Bench:
    python = lab.peers_python
    server = lab.embedded(count, size, latency)
    # The content of the embedded server's files is its own affair; our client and the server agree on checksums.
    files = Files(f"{server.url}/generic-local/tree", count, size, "")
    task = Task(server.url, (files,), lab.destination(), lab.scale.connections, credentials=server.credentials)
    return Bench(task, [OURS, *(peer(name, python) for name in PEERS)], rounds=1)  # no aim depends on them


def _peers_file(lab: Lab) -> Bench:
    return _peers(lab, 1, lab.scale.peer_big, 0.0)


def _peers_small(lab: Lab) -> Bench:
    return _peers(lab, lab.scale.peer_count, lab.scale.tiny, lab.scale.latency)


CASES = {
    case.key: case
    for case in (
        Case("big", "1 GiB, plain, the server promises no checksum", _big),
        Case("big-verified", "1 GiB, plain, SHA-256 verified", _big_verified),
        Case("big-tls", "1 GiB, TLS, SHA-256 verified", _big_tls),
        Case("small", "10,000 files of 10 KiB, plain, verified, atomic", _small),
        Case("small-tls", "the same over TLS", _small_tls),
        Case("upload-big", "512 MiB sent, with checksums", _upload_big),
        Case("upload-small", "2,000 files of 10 KiB sent, with checksums", _upload_small),
        Case("latency", "2,000 files of 1 KiB, 20 ms added to each response, 32 connections", _latency),
        Case("mixed", "1,000 files of 1 KiB and 5 of 64 MiB, 20 ms, 50 MB/s per connection, 32 of them", _mixed),
        Case("manifest", "second run over 100,000 unchanged files, with a manifest", _manifest),
        Case("memory-file", "memory for one file of 1 GiB", _memory_file),
        Case("memory-batch", "memory for 100,000 files of 1 KiB in one call", _memory_batch),
        Case("versions", "versions() of 10,000 folders, 10 times", _versions),
        Case("processes-small", "10,000 files of 10 KiB over TLS, in 1 process and in 2", _processes_small),
        Case(
            "processes-latency",
            "5,000 files of 1 KiB over TLS, 20 ms, 64 connections, in 1 process and in 2",
            _processes_latency,
        ),
        Case("processes-big", "4 files of 256 MiB over TLS, in 1 process and in 2", _processes_big),
        Case("peers-file", "other clients of Artifactory: 64 MiB from the embedded server", _peers_file),
        Case("peers-small", "other clients of Artifactory: 200 files of 1 KiB, 20 ms added", _peers_small),
    )
}
