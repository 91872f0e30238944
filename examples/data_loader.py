"""
Train while a dataset is downloaded: shuffled batches, several epochs, each file once.

    python data_loader.py FOLDER_URL --cache data

The first epoch starts with the first files, while the others are still downloaded. Each
file is verified and cached, so later epochs and runs need no request for it.
"""

import argparse
import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import aiohttp

import aioartifact
from aioartifact.data import prefetch, shuffled

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


def decode(contents: Sequence[bytes]) -> list[float]:
    """Decode a batch; this stand-in returns the mean byte of each file."""
    return [sum(content) / max(1, len(content)) for content in contents]


async def run_epoch(
    files: Sequence[aioartifact.FileInfo],
    cache: Path,
    epoch: int,
    *,
    batch_size: int,
    session: aiohttp.ClientSession,
) -> float:
    """Read all *files* in a random order, the same in each run; return their mean."""
    order = shuffled(files, seed=7, epoch=epoch)
    total = 0.0
    # At most 64 MiB are read ahead: a slow training step slows the download down.
    async with (
        prefetch(
            order, buffer_bytes=64 * 2**20, cache=cache, session=session
        ) as loaded,
        aclosing(batched(loaded, batch_size)) as batches,
    ):
        async for batch in batches:
            # In a thread, so that the download of the next files continues.
            values = await asyncio.to_thread(
                decode, [file.data for file in batch if file.data is not None]
            )
            total += sum(values)
    return total / max(1, len(files))


async def train(folder: str, cache: Path, *, epochs: int, batch_size: int) -> None:
    """Run some epochs over all files below *folder*."""
    async with aioartifact.session(aioartifact.path(folder).server) as session:
        async with aclosing(aioartifact.walk(folder, session=session)) as found:
            files = [file async for file in found]
        files.sort(key=lambda file: file.path)
        for epoch in range(epochs):
            mean = await run_epoch(
                files, cache, epoch, batch_size=batch_size, session=session
            )
            print(f"epoch {epoch}: {len(files)} files, mean {mean:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Train on a folder of Artifactory while it arrives."
    )
    parser.add_argument("folder", help="URL of the folder")
    parser.add_argument("--cache", type=Path, default=Path("data"))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=8)
    asyncio.run(train(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
