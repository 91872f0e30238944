"""``download``, and ``cleanup`` of partial files."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal, TypedDict, Unpack

import click

import aioartifact

from .. import render
from ..arguments import DURATION, SIZE, LocalPath, as_json, with_patterns
from ..errors import DONE
from ..lists import Entry, folder_below, items_of, read_urls
from ..running import run
from ..settings import Settings, is_relative
from ..transfers import Failures, cache_of, cached, max_concurrency, on_error, show_outcomes, transfer


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option(
    "-d",
    "--destination",
    metavar="FOLDER",
    type=LocalPath(),
    default=".",
    help="Local folder, created if missing; default: the current one.",
)
@click.option("--tree", is_flag=True, help="Keep the path in the repository, below the destination.")
@click.option("--folder", is_flag=True, help="The URL is a folder; saves the request that checks this.")
@with_patterns
@click.option(
    "--overwrite",
    type=click.Choice(["changed", "always", "never"]),
    default="changed",
    help="Which local files to replace: those with other content (default), all, none.",
)
@on_error
@max_concurrency
@click.option("--limit-rate", metavar="SIZE", type=SIZE, help="Bytes per second, of all files together: 500K, 10M.")
@click.option("--manifest", metavar="FILE", help="Record verified files in this file; they are not read next time.")
@click.option("--durable", is_flag=True, help="Report files only when they would survive a power failure.")
@click.option("--archive", is_flag=True, help="With --folder: request one archive first, if the server offers that.")
@cached
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
    limit_rate: int | None,
    manifest: str | None,
    durable: bool,
    archive: bool,
    cache: bool,
    offline: bool,
    as_json: bool,
) -> int:
    """
    Download a file, all files below a folder, or several files.

    The URL "-" reads URLs from stdin, one per line; a local path may follow after a tab. Each file is verified; local
    files with the right content are kept. With --include or --exclude the URL must be a folder, as with --folder. With
    --offline, a folder needs --folder.
    """
    for word in urls:
        if not (word == "-" or word.startswith(("http://", "https://")) or _is_item(word, alone=len(urls) == 1)):
            raise click.BadParameter(
                f"{word!r} is not a URL; use --destination for the local folder", param_hint="URL..."
            )
    entries = read_urls(urls, settings.url)
    folder = folder or bool(include or exclude)
    if folder and len(entries) != 1:
        raise click.UsageError(f"a folder must be the only URL; got {len(entries)}")
    if folder and entries[0].path:
        raise entries[0].error("a folder takes no path after a tab", "use --destination for the local path")
    if not entries:
        return DONE
    if archive and not folder:
        raise click.UsageError("--archive needs --folder")
    chosen = cache_of(cache=cache, offline=offline)
    if archive and chosen:
        raise click.UsageError("--archive and --cache exclude each other")
    progress = aioartifact.Progress()
    limits = aioartifact.Limits(max_bytes_per_second=limit_rate)

    async def call() -> Failures:
        return await _fetch(
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
            cache=chosen,
            progress=progress,
        )

    return transfer(settings, progress, call, on_error=on_error, done="downloaded")


def _is_item(word: str, *, alone: bool) -> bool:
    """Whether *word* names an item of the default server; of several, a name without a folder is a local path."""
    return is_relative(word) and (alone or "/" in word.rstrip("/"))


class _Options(TypedDict):
    """Options for `aioartifact.download_many`."""

    overwrite: Literal["changed", "always", "never"]
    on_error: Literal["raise", "stop", "collect"]
    max_concurrency: int | None
    manifest: str | None
    durable: bool
    cache: "aioartifact.Cache | None"
    progress: aioartifact.Progress


async def _fetch(
    entries: Sequence[Entry],
    destination: str,
    *,
    tree: bool,
    folder: bool,
    include: Sequence[str],
    exclude: Sequence[str],
    archive: bool,
    limits: aioartifact.Limits,
    as_json: bool,
    settings: Settings,
    **options: Unpack[_Options],
) -> Failures:
    """Download *entries*, or everything below a single one if it is a folder; return the failures."""
    first = entries[0]
    async with aioartifact.session(**settings.at(first.text), limits=limits) as session:
        parse = partial(aioartifact.path, session=session)
        items = items_of(entries, destination, parse, tree=tree)
        is_offline = (cache := options["cache"]) is not None and cache.offline
        if len(items) == 1 and not folder and not first.path and not is_offline:
            # 404 proves nothing: a remote repository has no info of a file that is not in its cache. The info of a
            # cached file may be outdated, so it is not required of the download.
            with suppress(aioartifact.NotFoundError):
                folder = isinstance(await aioartifact.info(first.text, session=session), aioartifact.FolderInfo)
        if folder:
            url = parse(first.text)
            batch = aioartifact.download_folder(
                url,
                folder_below(destination, url) if tree else destination,
                include=include,
                exclude=exclude,
                archive=archive,
                session=session,
                **options,
            )
        else:
            batch = aioartifact.download_many(items, destination, session=session, **options)
        return await show_outcomes(batch, as_json=as_json)


@click.command()
@click.argument("folder", type=LocalPath(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--older-than", metavar="TIME", type=DURATION, help="Only files that were not written for this time: 12h, 7d."
)
@as_json
def cleanup(folder: Path, older_than: float | None, as_json: bool) -> None:
    """
    Remove partial files of interrupted downloads below a local folder.

    Files of running downloads are kept. Prints the paths of the removed files.
    """
    for path in run(partial(aioartifact.remove_parts, folder, older_than=older_than)):
        render.emit(path, {"path": path}, as_json=as_json)
