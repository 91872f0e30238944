"""``rm``: check, ask for confirmation, delete."""

import sys
from collections.abc import Sequence

import click

import aioartifact

from .. import render, units
from ..arguments import URL, as_json, dry_run
from ..errors import say
from ..running import run
from ..settings import Settings


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True, type=URL)
@click.option("-r", "--recursive", is_flag=True, help="Delete folders with their content.")
@click.option("--missing-ok", is_flag=True, help="No error if an item does not exist.")
@click.option("--whole-repository", is_flag=True, help="Allow the URL of a whole repository.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@dry_run
@as_json
@click.pass_obj
def rm(
    settings: Settings,
    urls: tuple[str, ...],
    recursive: bool,
    missing_ok: bool,
    whole_repository: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Delete files, and with -r folders.

    On a terminal, shows how many files would be deleted and asks for confirmation. --dry-run prints their URLs.
    """
    asks = not (yes or dry_run) and sys.stdin.isatty()

    async def delete(*, only_look: bool) -> list[aioartifact.Deletion]:
        async with aioartifact.session(**settings.at(urls[0])) as session:
            deletions = []
            for url in urls:
                deletion = await aioartifact.delete(
                    url, missing_ok=missing_ok, dry_run=only_look, whole_repository=whole_repository, session=session
                )
                deletions.append(deletion)
                if only_look is dry_run:
                    _show(deletion, as_json=as_json)
            return deletions

    async def refuse_folders() -> None:
        async with aioartifact.session(**settings.at(urls[0])) as session:
            for url in urls:
                try:
                    entry = await aioartifact.info(url, session=session)
                except aioartifact.NotFoundError:
                    if missing_ok:
                        continue
                    raise
                if isinstance(entry, aioartifact.FolderInfo):
                    raise click.UsageError(f"{url} is a folder; --recursive deletes it with its content")

    if not recursive:
        run(refuse_folders)
    if asks:
        planned = run(lambda: delete(only_look=True))
        if not click.confirm(_question(urls, planned), err=True):
            say("nothing deleted")
            return
    run(lambda: delete(only_look=dry_run))


def _question(urls: Sequence[str], planned: Sequence[aioartifact.Deletion]) -> str:
    files = sum(len(each.files or ()) for each in planned)
    sizes = [each.size for each in planned]
    size = "" if None in sizes else f", {units.size(sum(size or 0 for size in sizes))}"
    where = urls[0] if len(urls) == 1 else f"{len(urls)} URLs"
    return f"Delete {units.printable(where)}: {units.files(files)}{size}?"


def _show(deletion: aioartifact.Deletion, *, as_json: bool) -> None:
    files = None if deletion.files is None else [file.url for file in deletion.files]
    if as_json:
        record = {"url": deletion.url, "dry_run": deletion.dry_run, "files": files, "size": deletion.size}
        render.emit("", record, as_json=True)
    else:
        for file in files or ():
            render.row(file, {}, as_json=False)
