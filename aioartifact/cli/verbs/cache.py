"""``cache``: look after the cache of downloaded files."""

from collections.abc import Sequence
from pathlib import Path

import click

import aioartifact

from .. import render, units
from ..arguments import DURATION, SIZE, LocalPath, as_json
from ..errors import DONE, FAILED, say
from ..running import run
from ..settings import Settings

_FOLDER = click.option(
    "--folder",
    metavar="FOLDER",
    type=LocalPath(file_okay=False, path_type=Path),
    help="Folder of the cache; default: AIOARTIFACT_CACHE, or that of the operating system.",
)


@click.group()
def cache() -> None:
    """List, prune or verify the cache that download --cache fills."""


@cache.command()
@_FOLDER
@as_json
@click.pass_obj
def ls(settings: Settings, folder: Path | None, as_json: bool) -> None:
    """List the files in the cache: SHA-256, size, and when it was last used."""
    _show(settings, run(aioartifact.Cache(folder).entries), "in the cache", as_json=as_json)


@cache.command()
@_FOLDER
@click.option("--max-size", metavar="SIZE", type=SIZE, help="Maximum total size of the remaining files: 500M, 20G.")
@click.option(
    "--older-than", metavar="TIME", type=DURATION, help="Remove files that were not used for this time: 12h, 7d."
)
@as_json
@click.pass_obj
def prune(
    settings: Settings, folder: Path | None, max_size: int | None, older_than: float | None, as_json: bool
) -> None:
    """
    Remove the least recently used files, and leftovers of killed processes.

    With --max-size 0, all files are removed. Running downloads continue.
    """
    chosen = aioartifact.Cache(folder)
    removed = run(lambda: chosen.prune(max_bytes=max_size, older_than=older_than))
    _show(settings, removed, "removed", as_json=as_json)


@cache.command()
@_FOLDER
@as_json
@click.pass_obj
def verify(settings: Settings, folder: Path | None, as_json: bool) -> int:
    """Hash all files in the cache, and remove damaged ones; exit code 1 if there were any."""
    damaged = run(aioartifact.Cache(folder).verify)
    _show(settings, damaged, "damaged", as_json=as_json)
    return FAILED if damaged else DONE


def _show(settings: Settings, entries: "Sequence[aioartifact.CacheEntry]", what: str, *, as_json: bool) -> None:
    for entry in entries:
        record = {"sha256": entry.sha256, "size": entry.size, "used": entry.used, "path": entry.path}
        render.row(f"{entry.sha256}\t{entry.size}\t{entry.used.isoformat()}", record, as_json=as_json)
    if not settings.quiet:
        say(f"{units.files(len(entries))} {what}: {units.size(sum(entry.size for entry in entries))}")
