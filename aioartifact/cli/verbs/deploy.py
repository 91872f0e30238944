"""``deploy``: upload files and folders."""

import os
from pathlib import Path
from typing import Any, Literal

import click

import aioartifact

from .. import render
from ..arguments import ItemURL, LocalPath, as_json, parse_properties, with_patterns, with_properties
from ..errors import DONE
from ..lists import read_files
from ..settings import Settings
from ..transfers import Failures, max_concurrency, on_error, show_outcomes, transfer


class _Target(ItemURL):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a local path, which is more likely one of the sources than the name of a repository."""
        if "://" not in value and os.path.lexists(value):
            self.fail(f"{value!r} is a local path; expected the URL of the target at the end", param, ctx)
        return super().convert(value, param, ctx)


@click.command()
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=LocalPath(exists=True, allow_dash=True, path_type=str)
)
@click.argument("url", type=_Target())
@with_patterns
@with_properties
@click.option(
    "--overwrite",
    type=click.Choice(["changed", "always", "never"]),
    help="Which files on the server to replace: those with other content, all, none. "
    "Default: a single file always, of several those that changed.",
)
@on_error
@max_concurrency
@as_json
@click.pass_obj
def deploy(
    settings: Settings,
    paths: tuple[str, ...],
    url: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    properties: tuple[str, ...],
    overwrite: Literal["changed", "always", "never"] | None,
    on_error: "aioartifact.OnError",
    max_concurrency: int | None,
    as_json: bool,
) -> int:
    """
    Upload a local file, a folder with its content, or several files.

    A single file or folder is stored under the URL, or under its own name below a URL that ends in a slash. Several
    files are stored under their names below the URL. The path "-" reads paths from stdin, one per line. Prints the
    URLs.
    """
    alone = Path(paths[0]) if len(paths) == 1 and paths[0] != "-" else None
    if (include or exclude) and not (alone and alone.is_dir()):
        raise click.UsageError("--include and --exclude need a single folder")
    # Also for a path such as "..".
    name = Path(os.path.normpath(Path.cwd() / alone)).name if alone and url.endswith("/") else ""
    files = [] if alone else read_files(paths)
    if not (alone or files):
        return DONE
    parameters = parse_properties(properties)
    progress = aioartifact.Progress()

    async def call() -> Failures:
        async with aioartifact.session(**settings.at(url)) as session:
            target = aioartifact.path(url, session=session) / name if name else url
            if alone and alone.is_dir():
                batch = aioartifact.deploy_folder(
                    alone,
                    target,
                    include=include,
                    exclude=exclude,
                    parameters=parameters,
                    overwrite=overwrite or "changed",
                    on_error=on_error,
                    max_concurrency=max_concurrency,
                    session=session,
                    progress=progress,
                )
            else:
                batch = aioartifact.deploy_many(
                    [(alone, target)] if alone else files,
                    target,
                    parameters=parameters,
                    overwrite=overwrite or ("always" if alone else "changed"),
                    on_error=on_error,
                    max_concurrency=max_concurrency,
                    session=session,
                    progress=progress,
                )
            return await show_outcomes(batch, as_json=as_json, show=render.deployed)

    return transfer(settings, progress, call, on_error=on_error, done="deployed")
