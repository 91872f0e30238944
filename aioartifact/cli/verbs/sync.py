"""``sync``: make one folder equal to another."""

import click

import aioartifact

from .. import render
from ..arguments import as_json, dry_run, with_patterns
from ..errors import DONE
from ..running import run
from ..settings import Settings, is_relative
from ..transfers import Failures, cache_of, cached, max_concurrency, on_error, show_outcomes, transfer


def _with_server(source: str, destination: str, settings: Settings) -> tuple[str, str, str]:
    """
    Add the default server to the side that is not local; return both sides, and the URL.

    Raises:
        click.UsageError: If both sides may be local.
    """
    if "://" in source:
        return source, destination, source
    if "://" in destination:
        return source, destination, destination
    if is_relative(source) is is_relative(destination):
        raise click.UsageError(
            "neither is a URL; below the default server, write ./FOLDER for the local one and REPOSITORY/PATH"
        )
    if is_relative(source):
        return (url := settings.url(source)), destination, url
    return source, (url := settings.url(destination)), url


@click.command()
@click.argument("source")
@click.argument("destination")
@click.option("--delete", is_flag=True, help="Delete files that the source does not have.")
@with_patterns
@click.option("--manifest", metavar="FILE", help="Record verified files in this file; they are not read next time.")
@on_error
@max_concurrency
@cached
@dry_run
@as_json
@click.pass_obj
def sync(
    settings: Settings,
    source: str,
    destination: str,
    delete: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    manifest: str | None,
    on_error: "aioartifact.OnError",
    max_concurrency: int | None,
    cache: bool,
    offline: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """
    Make a local folder equal to one on a server, or the reverse.

    Files that are missing or have other content are transferred. With --delete, files that the source does not have
    are deleted at the end, if nothing failed.
    """
    source, destination, url = _with_server(source, destination, settings)
    chosen = cache_of(cache=cache, offline=offline)

    async def plan() -> aioartifact.SyncPlan:
        async with aioartifact.session(**settings.at(url)) as session:
            return await aioartifact.plan_sync(
                source,
                destination,
                delete=delete,
                include=include,
                exclude=exclude,
                manifest=manifest,
                cache=chosen,
                session=session,
            )

    if dry_run:
        render.plan(run(plan), as_json=as_json)
        return DONE
    progress = aioartifact.Progress()

    async def call() -> Failures:
        async with aioartifact.session(**settings.at(url)) as session:
            batch = aioartifact.sync(
                source,
                destination,
                delete=delete,
                include=include,
                exclude=exclude,
                manifest=manifest,
                on_error=on_error,
                max_concurrency=max_concurrency,
                cache=chosen,
                session=session,
                progress=progress,
            )
            return await show_outcomes(batch, as_json=as_json, show=render.synced)

    return transfer(settings, progress, call, on_error=on_error, done="transferred")
