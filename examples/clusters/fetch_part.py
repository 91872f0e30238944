"""
What the programs of this folder share: list a folder, and download a part of it in a worker process.

The parts are lists of :class:`aioartifact.FileInfo`, which any engine can send: they have URLs, sizes and checksums,
and no credentials. Each worker looks up its own.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import aioartifact
from aioartifact.data import partition


@dataclass(frozen=True)
class Part:
    """A part of a folder: its files, and where each belongs below the destination."""

    files: list[tuple[str, str, aioartifact.Checksums]]


@dataclass(frozen=True)
class Result:
    """What a worker reports."""

    downloaded: int
    unchanged: int
    bytes: int
    errors: list[str]


def list_parts(url: str, number: int) -> list[Part]:
    """List a folder, one request, and divide its files into parts of about the same number of bytes."""

    async def listed() -> list[aioartifact.FileInfo]:
        return [file async for file in aioartifact.walk(url)]

    root = aioartifact.path(url)
    files = sorted(asyncio.run(listed()), key=lambda file: file.url)
    return [
        Part([(file.url, str(aioartifact.path(file.url).relative_to(root)), file.checksums) for file in part])
        for part in partition(files, number)
    ]


def fetch_part(part: Part, destination: str) -> Result:
    """
    Download a part to storage that all workers share; called in a worker process.

    One session, many files in flight. Every file is verified and renamed onto its target when it is complete, so a part
    that is run again, because its worker died, only downloads what is missing.
    """

    async def fetch() -> aioartifact.Report:
        async with aioartifact.session() as session:
            return await aioartifact.download_many(part.files, destination, on_error="collect", session=session)

    Path(destination).mkdir(parents=True, exist_ok=True)
    report = asyncio.run(fetch())
    return Result(
        len(report.downloaded),
        len(report.unchanged),
        sum(outcome.size for outcome in report.downloaded),
        [f"{outcome.url}: {outcome.error}" for outcome in report.failed],
    )


def summary(results: list[Result]) -> str:
    """One line for all parts, and one for each file that failed."""
    downloaded, unchanged = sum(each.downloaded for each in results), sum(each.unchanged for each in results)
    lines = [f"{downloaded} files downloaded, {unchanged} unchanged, in {len(results)} parts"]
    return "\n".join([*lines, *(error for each in results for error in each.errors)])
