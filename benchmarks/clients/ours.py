"""This library, by its public names only."""

import asyncio
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from importlib import import_module
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import aiohttp

from aioartifact import Limits, deploy, deploy_many, download, download_folder, download_many, session, versions

from ..task import Task

MANIFEST = "manifest"
_PROCESSES = 2


def _session(task: Task) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    limits = Limits(max_concurrency=task.connections, max_connections=task.connections)
    auth = task.credentials and task.credentials[:2]
    return session(task.server, auth=auth, limits=limits, verify=task.authority or True)


async def prepare(_: str) -> None:
    """Import everything: some of it is imported when a session opens."""
    async with session():
        pass


async def fetch(task: Task) -> dict[str, int]:
    """Fetch the files: what the server promises is verified, and each file takes its name in one step."""
    async with _session(task) as opened:
        if task.count == 1:
            ((url, path, _),) = task.items()
            target = Path(task.destination, path)
            target.parent.mkdir(parents=True)
            await download(url, target, session=opened)
            return {"files": 1}
        report = await download_many(((url, path) for url, path, _ in task.items()), task.destination, session=opened)
    return {"files": len(report.downloaded)}


async def fetch_in_own_session(task: Task) -> dict[str, int]:
    """Fetch the files through a session of the user's own."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=task.connections)) as own:
        report = await download_many(
            ((url, path) for url, path, _ in task.items()),
            task.destination,
            session=own,
            max_concurrency=task.connections,
        )
    return {"files": len(report.downloaded)}


async def upload(task: Task) -> dict[str, int]:
    """Deploy the files with their checksums."""
    async with _session(task) as opened:
        if task.count == 1:
            ((url, path, _),) = task.items()
            await deploy(Path(task.destination, path), url, session=opened)
            return {"files": 1}
        items = ((Path(task.destination, path), url) for url, path, _ in task.items())
        report = await deploy_many(items, task.files[0].url, session=opened)
    return {"files": len(report.deployed)}


async def sync_folder(task: Task) -> dict[str, int]:
    """Fetch a folder that is already here, with a manifest; count how often a file of it is opened."""
    (group,) = task.files
    opened_files: Counter[str] = Counter()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(".bin"):
            opened_files["content"] += 1

    sys.addaudithook(watch)
    manifest = Path(task.destination).parent / MANIFEST
    async with _session(task) as opened:
        report = await download_folder(group.url, task.destination, manifest=manifest, session=opened)
    return {"files": len(report.unchanged), "opened": opened_files["content"]}


async def list_versions(task: Task) -> dict[str, int]:
    """List the versions of an artifact whose folder is named by the task."""
    (group,) = task.files
    names: list[str] = []
    async with _session(task) as opened:
        for _ in range(task.repeat):
            names = await versions(task.server, "generic", "org", "tool", session=opened)
    return {"files": len(names), "expected": group.count}


def fetch_part(task: Task, part: int, parts: int, uses_uvloop: bool) -> int:
    """Fetch every *parts*-th file, from number *part* on, in an event loop and a session of its own."""
    own = replace(task, connections=max(1, task.connections // parts))

    async def main() -> int:
        async with _session(own) as opened:
            items = ((url, path) for url, path, _ in islice(task.items(), part, None, parts))
            report = await download_many(items, task.destination, session=opened)
        return len(report.downloaded)

    factory = import_module("uvloop").new_event_loop if uses_uvloop else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())


async def fetch_in_processes(task: Task) -> dict[str, int]:
    """Fetch the files in two processes, as examples/several_processes.py does."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
        uses_uvloop = type(loop).__module__.startswith("uvloop")
        parts = [
            loop.run_in_executor(pool, fetch_part, task, part, _PROCESSES, uses_uvloop) for part in range(_PROCESSES)
        ]
        return {"files": sum(await asyncio.gather(*parts))}
