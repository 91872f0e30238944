"""``download``."""

from typing import Literal

import click

import aioartifact

from .. import progress as display
from ..arguments import as_json, with_stdin
from ..errors import DONE, say, show_all
from ..fetch import fetch
from ..running import run
from ..settings import Settings


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("-d", "--destination", metavar="FOLDER", default=".", help="Where to; it is made. Default: here.")
@click.option("--folder", is_flag=True, help="The URL is a folder; saves the request that finds out.")
@click.option(
    "--overwrite",
    type=click.Choice(["changed", "always", "never"]),
    default="changed",
    help="Which local files to replace: those with other content (default), all, none.",
)
@click.option(
    "--on-error",
    type=click.Choice(["raise", "stop", "collect"]),
    default="raise",
    help="When a file fails: finish the rest, then exit 1 (default); cancel the rest; finish, exit 0.",
)
@click.option("--max-concurrency", metavar="N", type=click.IntRange(min=1), help="Files in flight.")
@as_json
@click.pass_obj
def download(
    settings: Settings,
    urls: tuple[str, ...],
    destination: str,
    folder: bool,
    overwrite: Literal["changed", "always", "never"],
    on_error: Literal["raise", "stop", "collect"],
    max_concurrency: int | None,
    as_json: bool,
) -> int:
    """
    Download a file, all files below a folder, or several files.

    A URL "-" stands for those on stdin, one per line. Each file is verified; one that is already there with the
    right content is kept.
    """
    wanted = list(with_stdin(urls))
    if folder and len(wanted) != 1:
        raise click.UsageError(f"--folder takes one URL, not {len(wanted)}")
    if not wanted:
        return DONE
    progress = aioartifact.Progress()

    async def call() -> list[aioartifact.ArtifactoryError]:
        return await fetch(
            wanted,
            destination,
            folder=folder,
            as_json=as_json,
            settings=settings,
            overwrite=overwrite,
            on_error=on_error,
            max_concurrency=max_concurrency,
            progress=progress,
        )

    with display.shown(progress, quiet=settings.quiet):
        failures = run(call)
    now = progress.snapshot()
    if not settings.quiet:
        say(display.summary(now))
    code = show_all(failures, alone=now.files_total == 1)
    return DONE if on_error == "collect" else code
