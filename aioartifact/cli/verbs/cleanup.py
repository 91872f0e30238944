"""``cleanup``: what interrupted downloads have left."""

from functools import partial
from pathlib import Path

import click

import aioartifact

from .. import render
from ..arguments import DURATION, LocalPath, as_json
from ..running import run


@click.command()
@click.argument("folder", type=LocalPath(exists=True, file_okay=False, path_type=Path))
@click.option("--older-than", metavar="TIME", type=DURATION, help="Only what was last written to so long ago: 12h, 7d.")
@as_json
def cleanup(folder: Path, older_than: float | None, as_json: bool) -> None:
    """
    Remove what interrupted downloads have left in and below a local folder.

    What a download is at work on is not touched. Prints the paths of the files that were removed.
    """
    for path in run(partial(aioartifact.remove_parts, folder, older_than=older_than)):
        render.emit(path, {"path": path}, as_json=as_json)
