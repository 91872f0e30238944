"""``download``."""

from typing import Literal

import click

import aioartifact

from ..arguments import SIZE, LocalPath, as_json, with_patterns
from ..errors import DONE
from ..fetch import fetch
from ..lists import read_urls
from ..settings import Settings
from ..transfers import Failures, max_concurrency, on_error, transfer


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option(
    "-d", "--destination", metavar="FOLDER", type=LocalPath(), default=".", help="Where to; it is made. Default: here."
)
@click.option("--tree", is_flag=True, help="Files keep their path in the repository, below the destination.")
@click.option("--folder", is_flag=True, help="The URL is a folder; saves the request that finds out.")
@with_patterns
@click.option(
    "--overwrite",
    type=click.Choice(["changed", "always", "never"]),
    default="changed",
    help="Which local files to replace: those with other content (default), all, none.",
)
@on_error
@max_concurrency
@click.option("--processes", metavar="N", type=click.IntRange(min=1), help="Share the files out to so many processes.")
@click.option("--limit-rate", metavar="SIZE", type=SIZE, help="Bytes a second, of all files together: 500K, 10M.")
@click.option("--manifest", metavar="FILE", help="Record what is verified there, so that it is not read next time.")
@click.option("--durable", is_flag=True, help="Report files only when they would survive a crash of the machine.")
@click.option("--archive", is_flag=True, help="With --folder: ask for one archive first, where the server makes it.")
@as_json
@click.pass_obj
def download(
    settings: Settings,
    urls: tuple[str, ...],
    destination: str,
    tree: bool,
    folder: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    overwrite: Literal["changed", "always", "never"],
    on_error: "aioartifact.OnError",
    max_concurrency: int | None,
    processes: int | None,
    limit_rate: int | None,
    manifest: str | None,
    durable: bool,
    archive: bool,
    as_json: bool,
) -> int:
    """
    Download a file, all files below a folder, or several files.

    A URL "-" stands for those on stdin, one per line; a local path may follow after a tab. Each file is verified; one
    that is already there with the right content is kept. With --include or --exclude the URL is a folder, as with
    --folder.
    """
    for word in urls:
        if word != "-" and not word.startswith(("http://", "https://")):
            raise click.BadParameter(f"{word!r} is no URL; --destination says where files go", param_hint="URL...")
    entries = read_urls(urls)
    folder = folder or bool(include or exclude)
    if folder and len(entries) != 1:
        raise click.UsageError(f"a folder is downloaded alone; {len(entries)} URLs are given")
    if folder and entries[0].path:
        raise entries[0].error("a folder takes no path after a tab", "--destination says where it goes")
    if not entries:
        return DONE
    if archive and not folder:
        raise click.UsageError("--archive needs --folder")
    progress = aioartifact.Progress()
    limits = aioartifact.Limits(max_bytes_per_second=limit_rate)

    async def call() -> Failures:
        return await fetch(
            entries,
            destination,
            tree=tree,
            folder=folder,
            include=include,
            exclude=exclude,
            archive=archive,
            limits=limits,
            as_json=as_json,
            settings=settings,
            overwrite=overwrite,
            on_error=on_error,
            max_concurrency=max_concurrency,
            manifest=manifest,
            durable=durable,
            processes=processes,
            progress=progress,
        )

    return transfer(settings, progress, call, on_error=on_error, done="downloaded")
