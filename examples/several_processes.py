"""
Download a folder of many small files in several processes.

    python several_processes.py FOLDER_URL -d data --processes 4

One event loop keeps one processor core busy. Here each process has an event loop and a
session of its own, and downloads its part of the files. Files that failed are listed on
stderr; the exit code is 1 if there are any. A second run skips the files that exist.
"""

import argparse
import asyncio
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import repeat
from multiprocessing import get_context, parent_process
from threading import Thread
from time import sleep

import aioartifact

Part = list[tuple[str, str, aioartifact.Checksums]]


async def list_parts(url: str, number: int) -> list[Part]:
    """List a folder, and divide its files into parts of about the same size."""
    async with aioartifact.session() as session:
        parse = partial(aioartifact.path, session=session)
        folder = parse(url)
        files = [file async for file in aioartifact.walk(folder, session=session)]
        files.sort(key=lambda file: file.size or 0, reverse=True)
        items = [
            (file.url, str(parse(file.url).relative_to(folder)), file.checksums)
            for file in files
        ]
    return [items[first::number] for first in range(number)]


def download_part(part: Part, destination: str, number: int) -> aioartifact.Report:
    """Download one part with a share of the default limits, in its own process."""

    async def download() -> aioartifact.Report:
        defaults = aioartifact.Limits()
        limits = aioartifact.Limits(
            max_concurrency=max(1, defaults.max_concurrency // number),
            max_connections=max(1, defaults.max_connections // number),
        )
        async with aioartifact.session(limits=limits) as session:
            return await aioartifact.download_many(
                part, destination, on_error="collect", session=session
            )

    return asyncio.run(download())


def end_with_parent() -> None:
    """End this process with its parent: a killed program leaves its pool running."""

    def wait() -> None:
        parent = parent_process()
        assert parent is not None
        parent.join()
        # asyncio.run() cancels the download, which removes its temporary files.
        os.kill(os.getpid(), signal.SIGINT)
        sleep(3)
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Download a folder of many small files in several processes."
    )
    parser.add_argument("url", help="URL of the folder")
    parser.add_argument("-d", "--destination", default="data")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    try:
        parts = asyncio.run(list_parts(options.url, options.processes))
        # "spawn", because a fork copies locks that other threads hold.
        with ProcessPoolExecutor(
            options.processes, get_context("spawn"), initializer=end_with_parent
        ) as pool:
            arguments = (parts, repeat(options.destination), repeat(options.processes))
            outcomes = [
                outcome
                for report in pool.map(download_part, *arguments)
                for outcome in report
            ]
    except aioartifact.ArtifactoryError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenProcessPool:
        print("a process died; a second run downloads what is missing", file=sys.stderr)
        return 1
    failures = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failures:
        print(f"{outcome.url}: {outcome.error}", file=sys.stderr)
    complete = len(outcomes) - len(failures)
    print(f"{complete} of {len(outcomes)} files are in {options.destination}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
