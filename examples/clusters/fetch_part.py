"""
What the programs of this folder share: list a folder, and download a part of it.

Any engine can send parts to its workers: they contain URLs, paths and checksums, but no
credentials. Each worker looks up its own.
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
    """List a folder, and divide its files into parts of about the same size."""

    async def listed() -> list[aioartifact.FileInfo]:
        return [file async for file in aioartifact.walk(url)]

    root = aioartifact.path(url)
    files = sorted(asyncio.run(listed()), key=lambda file: file.url)

    def item_of(file: aioartifact.FileInfo) -> tuple[str, str, aioartifact.Checksums]:
        relative = aioartifact.path(file.url).relative_to(root)
        return file.url, str(relative), file.checksums

    return [Part([item_of(file) for file in part]) for part in partition(files, number)]


def fetch_part(part: Part, destination: str) -> Result:
    """
    Download a part to storage that all workers share; runs in a worker process.

    Each file is verified and renamed onto its target when it is complete. If a part
    runs again, because its worker died, it downloads only the missing files.
    """

    async def fetch() -> aioartifact.Report:
        async with aioartifact.session() as session:
            return await aioartifact.download_many(
                part.files, destination, on_error="collect", session=session
            )

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
    downloaded = sum(each.downloaded for each in results)
    unchanged = sum(each.unchanged for each in results)
    counts = f"{downloaded} files downloaded, {unchanged} unchanged"
    errors = [error for each in results for error in each.errors]
    return "\n".join([f"{counts}, in {len(results)} parts", *errors])
