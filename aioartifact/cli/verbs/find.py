"""``find``: find items by pattern and conditions."""

from datetime import datetime

import click

import aioartifact

from .. import render
from ..arguments import MOMENT, SIZE, URL, as_json, one_value_each, parse_properties, with_properties
from ..errors import warn_of_gaps
from ..running import run
from ..settings import Settings

_CLASSES: dict[str, type | tuple[type, ...]] = {
    "file": aioartifact.FileInfo,
    "folder": aioartifact.FolderInfo,
    "any": (aioartifact.FileInfo, aioartifact.FolderInfo),
}


@click.command()
@click.argument("url", type=URL)
@click.argument("pattern", default="**")
@click.option("--exclude", metavar="PATTERN", multiple=True, help="Leave out items that match; may be repeated.")
@click.option("--type", "kind", type=click.Choice([*_CLASSES]), default="file", show_default=True, help="What to find.")
@click.option("--min-size", metavar="SIZE", type=SIZE, help="Minimum size in bytes: 1500, 64K, 1.5MiB.")
@click.option("--max-size", metavar="SIZE", type=SIZE, help="Maximum size in bytes.")
@click.option("--newer-than", metavar="DATE", type=MOMENT, help="Modified after: 2026-01-31, or 7d for a week ago.")
@click.option("--older-than", metavar="DATE", type=MOMENT, help="Modified before.")
@with_properties
@as_json
@click.pass_obj
def find(
    settings: Settings,
    url: str,
    pattern: str,
    exclude: tuple[str, ...],
    kind: str,
    min_size: int | None,
    max_size: int | None,
    newer_than: datetime | None,
    older_than: datetime | None,
    properties: tuple[str, ...],
    as_json: bool,
) -> None:
    """
    Find items below a folder by path, size, date or property.

    Prints URLs. In PATTERN, * matches within a segment of the path, ** matches any number of segments. Quote it, or
    the shell expands it. Without a pattern, everything matches.
    """
    where = aioartifact.Filter(
        min_size=min_size,
        max_size=max_size,
        modified_after=newer_than,
        modified_before=older_than,
        properties=one_value_each(parse_properties(properties)),
    )

    async def call() -> None:
        async with aioartifact.session(**settings.at(url)) as session:
            listing = aioartifact.glob(
                url, pattern, folders=kind != "file", exclude=exclude, where=where, session=session
            )
            async with listing:
                async for entry in listing:
                    if isinstance(entry, _CLASSES[kind]):
                        render.row(entry.url, render.describe(entry), as_json=as_json)
            warn_of_gaps(listing)

    run(call)
