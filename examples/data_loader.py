"""
Train while the data arrives: batches of a shuffled dataset, several epochs, files fetched only once.

    python data_loader.py https://artifactory.example.com/artifactory/data-public/emodb/db/1.1.1 --cache data

The first epoch begins with the first files that are there, while the others are on their way. A file gets its name when
it is complete and verified, so that later epochs, and later runs, take it from the cache without a request.
"""

import argparse
import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import aiohttp

import aioartifact

T = TypeVar("T")


async def batched(items: AsyncIterable[T], size: int) -> AsyncGenerator[list[T], None]:
    """Group *items* into lists of *size*; the last one may be shorter."""
    batch: list[T] = []
    async for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def decode(paths: Sequence[str]) -> list[float]:
    """Stand for what reads and decodes a batch: the mean byte of each file."""
    contents = [Path(path).read_bytes() for path in paths]
    return [sum(content) / max(1, len(content)) for content in contents]


async def run_epoch(
    files: Sequence[aioartifact.FileInfo], cache: Path, *, batch_size: int, session: aiohttp.ClientSession
) -> float:
    """Go through all *files* in a random order; return the mean of what they hold."""
    items = [(file.url, file.path) for file in random.sample(files, len(files))]
    total = 0.0
    # At most so many files are ahead of the training: a slow step slows the download, and memory stays as it is.
    fetching = aioartifact.download_many(items, cache, max_concurrency=16, overwrite="never", session=session)
    async with fetching as arriving, aclosing(batched(arriving, batch_size)) as batches:
        async for batch in batches:
            # In a thread, so that the next files arrive meanwhile.
            values = await asyncio.to_thread(decode, [outcome.path for outcome in batch if outcome.path])
            total += sum(values)
    return total / max(1, len(files))


async def train(folder: str, cache: Path, *, epochs: int, batch_size: int) -> None:
    """Run some epochs over all files below *folder*."""
    async with aioartifact.session(aioartifact.path(folder).server) as session:
        async with aclosing(aioartifact.walk(folder, session=session)) as found:
            files = [file async for file in found]
        for epoch in range(epochs):
            mean = await run_epoch(files, cache, batch_size=batch_size, session=session)
            print(f"epoch {epoch}: {len(files)} files, mean {mean:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train on a folder of Artifactory while it arrives.")
    parser.add_argument("folder", help="URL of the folder")
    parser.add_argument("--cache", type=Path, default=Path("data"))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=8)
    asyncio.run(train(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
