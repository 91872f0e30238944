"""``cp``, ``mv`` and ``mkdir``: where items are."""

from collections.abc import Callable, Coroutine
from typing import Any

import click

import aioartifact

from .. import render
from ..arguments import as_json, dry_run
from ..errors import say
from ..running import run
from ..settings import Settings

_no_clobber = click.option("-n", "--no-clobber", is_flag=True, help="Fail if something has the target's URL.")


@click.command()
@click.argument("source")
@click.argument("target")
@_no_clobber
@dry_run
@as_json
@click.pass_obj
def cp(settings: Settings, source: str, target: str, no_clobber: bool, dry_run: bool, as_json: bool) -> None:
    """
    Copy a file, or a folder with all below it, inside one server; no bytes travel.

    TARGET is the URL that the copy gets, or with a slash at its end the folder that it goes into. Prints the URL of
    the copy.
    """

    async def call() -> aioartifact.Relocation:
        async with aioartifact.session(**settings.at(source)) as session:
            return await aioartifact.copy(source, target, overwrite=not no_clobber, dry_run=dry_run, session=session)

    _relocate(settings, source, call, as_json=as_json)


@click.command()
@click.argument("source")
@click.argument("target")
@_no_clobber
@click.option("--whole-repository", is_flag=True, help="SOURCE may be a repository, all of whose content goes.")
@dry_run
@as_json
@click.pass_obj
def mv(
    settings: Settings,
    source: str,
    target: str,
    no_clobber: bool,
    whole_repository: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Move or rename a file, or a folder with all below it, inside one server.

    TARGET is the URL that it gets, or with a slash at its end the folder that it goes into. Prints its new URL.
    """

    async def call() -> aioartifact.Relocation:
        async with aioartifact.session(**settings.at(source)) as session:
            return await aioartifact.move(
                source,
                target,
                overwrite=not no_clobber,
                dry_run=dry_run,
                whole_repository=whole_repository,
                session=session,
            )

    _relocate(settings, source, call, as_json=as_json)


def _relocate(
    settings: Settings, source: str, call: Callable[[], Coroutine[Any, Any, aioartifact.Relocation]], *, as_json: bool
) -> None:
    done = run(call)
    record = {"source": source, "url": done.url, "dry_run": done.dry_run, "messages": done.messages}
    render.emit(done.url, record, as_json=as_json)
    if done.dry_run and not settings.quiet:
        for message in done.messages:
            say(message)


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("-p", "--parents", is_flag=True, help="Make missing folders above, too; no error if it exists.")
@as_json
@click.pass_obj
def mkdir(settings: Settings, urls: tuple[str, ...], parents: bool, as_json: bool) -> None:
    """Make folders."""

    async def call() -> None:
        async with aioartifact.session(**settings.at(urls[0])) as session:
            for url in urls:
                await aioartifact.mkdir(url, parents=parents, exist_ok=parents, session=session)
                if as_json:
                    render.emit("", {"url": url}, as_json=True)

    run(call)
