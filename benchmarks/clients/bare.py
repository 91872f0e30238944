"""aiohttp by itself: the least a client on it can do, and what most people write."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiofiles
import aiohttp

from ..task import Files, Task

CHUNK = 64 * 1024
Item = tuple[str, str, Files]


def _session(task: Task) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=task.authority) if task.authority else True
    connector = aiohttp.TCPConnector(limit=task.connections, ssl=context)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))


async def prepare(_: str) -> None:
    """Open a session, as the others do."""
    async with aiohttp.ClientSession():
        pass


async def _each(task: Task, work: Callable[[Item], Awaitable[None]]) -> dict[str, int]:
    """Let as many workers as there are connections take items from one iterator."""

    async def worker(items: Iterator[Item]) -> None:
        for item in items:
            await work(item)

    items = task.items()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(task.connections, task.count)):
            group.create_task(worker(items))
    return {"files": task.count}


async def floor(task: Task) -> dict[str, int]:
    """Read every body and drop it."""
    async with _session(task) as session:

        async def read(item: Item) -> None:
            async with session.get(item[0]) as response:
                response.raise_for_status()
                async for _ in response.content.iter_any():
                    pass

        return await _each(task, read)


async def upload(task: Task) -> dict[str, int]:
    """Send every file as it is, without a checksum: a small one in one piece, a large one as aiohttp reads it."""
    async with _session(task) as session:

        async def send(item: Item) -> None:
            url, path, _ = item
            file = Path(task.destination, path)
            with file.open("rb") as opened:  # noqa: ASYNC230  # as tutorials have it
                data = opened if task.count == 1 else opened.read()
                async with session.put(url, data=data) as response:
                    response.raise_for_status()
                    await response.read()

        return await _each(task, send)


async def naive(task: Task) -> dict[str, int]:
    """Use aiohttp and aiofiles as tutorials have it: 64 KiB at a time, hashed on the loop, under its final name."""
    async with _session(task) as session:

        async def fetch(item: Item) -> None:
            url, path, files = item
            target = Path(task.destination, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256()
            async with session.get(url) as response, aiofiles.open(target, "wb") as file:
                response.raise_for_status()
                async for chunk in response.content.iter_chunked(CHUNK):
                    if task.verified:
                        digest.update(chunk)
                    await file.write(chunk)
            if task.verified and digest.hexdigest() != files.sha256:
                raise ValueError(f"{url}: wrong content")

        return await _each(task, fetch)


async def list_folder(task: Task) -> dict[str, int]:
    """Ask for a folder and parse the answer, nothing more."""
    (group,) = task.files
    names: list[str] = []
    async with _session(task) as session:
        for _ in range(task.repeat):
            async with session.get(group.url) as response:
                response.raise_for_status()
                document = json.loads(await response.read())
            names = [child["uri"] for child in document["children"]]
    return {"files": len(names), "expected": group.count}
