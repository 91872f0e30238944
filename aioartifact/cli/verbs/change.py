"""``cp``, ``mv`` and ``mkdir``: copy, move, create folders."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypedDict

import click

import aioartifact

from .. import render
from ..arguments import URL, as_json, dry_run
from ..errors import DONE, say, show_all
from ..running import run
from ..settings import Settings
from ..transfers import Failures, show_outcomes

_no_clobber = click.option("-n", "--no-clobber", is_flag=True, help="Fail if the target exists.")
_sources = click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=URL)


@click.command()
@_sources
@click.argument("target", type=URL)
@_no_clobber
@dry_run
@as_json
@click.pass_obj
def cp(
    settings: Settings, sources: tuple[str, ...], target: str, no_clobber: bool, dry_run: bool, as_json: bool
) -> int:
    """
    Copy files or folders within one server, without transferring bytes.

    TARGET is the URL of the copy; with a final slash, it is the folder for the copies, as required for several sources.
    Prints the URLs of the copies.
    """
    one = partial(aioartifact.copy, overwrite=not no_clobber, dry_run=dry_run)
    many = partial(aioartifact.copy_many, overwrite=not no_clobber, dry_run=dry_run)
    return _relocate(settings, sources, target, one, many, as_json=as_json)


@click.command()
@_sources
@click.argument("target", type=URL)
@_no_clobber
@click.option("--whole-repository", is_flag=True, help="Allow a whole repository as a source.")
@dry_run
@as_json
@click.pass_obj
def mv(
    settings: Settings,
    sources: tuple[str, ...],
    target: str,
    no_clobber: bool,
    whole_repository: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """
    Move or rename files or folders within one server.

    TARGET is the new URL of the source; with a final slash, it is the new parent folder, as required for several
    sources. Prints the new URLs.
    """
    options: _MoveOptions = {
        "overwrite": not no_clobber,
        "dry_run": dry_run,
        "whole_repository": whole_repository,
    }
    one, many = partial(aioartifact.move, **options), partial(aioartifact.move_many, **options)
    return _relocate(settings, sources, target, one, many, as_json=as_json)


class _MoveOptions(TypedDict):
    overwrite: bool
    dry_run: bool
    whole_repository: bool


def _relocate(
    settings: Settings,
    sources: Sequence[str],
    target: str,
    one: Callable[..., Coroutine[Any, Any, aioartifact.Relocation]],
    many: Callable[..., "aioartifact.Batch"],
    *,
    as_json: bool,
) -> int:
    if len(sources) > 1:
        if not target.endswith("/"):
            raise click.UsageError(f"{target} cannot be the URL of {len(sources)} sources; end it with a slash")
        return _relocate_several(settings, [(source, target) for source in sources], many, as_json=as_json)
    [source] = sources

    async def call() -> aioartifact.Relocation:
        async with aioartifact.session(**settings.at(source)) as session:
            return await one(source, target, session=session)

    done = run(call)
    record = {"source": source, "url": done.url, "dry_run": done.dry_run, "messages": done.messages}
    render.emit(done.url, record, as_json=as_json)
    if done.dry_run and not settings.quiet:
        for message in done.messages:
            say(message)
    return DONE


def _relocate_several(
    settings: Settings, pairs: Sequence[tuple[str, str]], many: Callable[..., "aioartifact.Batch"], *, as_json: bool
) -> int:
    async def call() -> Failures:
        async with aioartifact.session(**settings.at(pairs[0][0])) as session:
            return await show_outcomes(many(pairs, session=session), as_json=as_json, show=render.relocated)

    return show_all(run(call), alone=False)


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True, type=URL)
@click.option("-p", "--parents", is_flag=True, help="Create missing parent folders; no error if it exists.")
@as_json
@click.pass_obj
def mkdir(settings: Settings, urls: tuple[str, ...], parents: bool, as_json: bool) -> None:
    """Create folders."""

    async def call() -> None:
        async with aioartifact.session(**settings.at(urls[0])) as session:
            for url in urls:
                await aioartifact.mkdir(url, parents=parents, exist_ok=parents, session=session)
                if as_json:
                    render.emit("", {"url": url}, as_json=True)

    run(call)
