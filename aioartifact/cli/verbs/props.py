"""``props``: properties of files and folders."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import click

import aioartifact

from .. import render
from ..arguments import URL, as_json, parse_properties
from ..errors import DONE, MISSING, say
from ..render import CYAN
from ..running import run
from ..settings import Settings

Changes: TypeAlias = Mapping[str, Sequence[str] | None]

_recursive = click.option("-r", "--recursive", is_flag=True, help="Also change everything below a folder.")


@click.group()
def props() -> None:
    """Get, set, update or delete properties."""


@props.command()
@click.argument("url", type=URL)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@as_json
@click.pass_obj
def get(settings: Settings, url: str, names: tuple[str, ...], as_json: bool) -> int:
    """Show the properties of an item: all, or those named. Exit code 4 if one of these is missing."""

    async def call() -> dict[str, list[str]]:
        async with aioartifact.session(**settings.at(url)) as session:
            return await aioartifact.properties(url, session=session)

    found = run(call)
    for name in names or found:
        if name in found:
            if as_json:
                render.emit("", {"name": name, "values": found[name]}, as_json=True)
                continue
            for value in found[name]:
                render.coloured("", name, CYAN, f"={value}", record={}, as_json=False)
    if missing := [name for name in names if name not in found]:
        say(f"error: {url}: has no property {', '.join(missing)}")
    return MISSING if missing else DONE


@props.command("set")
@click.argument("url", type=URL)
@click.argument("properties", metavar="[KEY=VALUE]...", nargs=-1)
@_recursive
@as_json
@click.pass_obj
def set_(settings: Settings, url: str, properties: tuple[str, ...], recursive: bool, as_json: bool) -> None:
    """Set the properties of an item, and remove all others."""
    values = parse_properties(properties, "KEY=VALUE")
    _change(settings, url, aioartifact.set_properties, values, values, recursive=recursive, as_json=as_json)


@props.command()
@click.argument("url", type=URL)
@click.argument("properties", metavar="KEY=VALUE...", nargs=-1, required=True)
@_recursive
@as_json
@click.pass_obj
def update(settings: Settings, url: str, properties: tuple[str, ...], recursive: bool, as_json: bool) -> None:
    """Set properties of an item, and leave the others."""
    values = parse_properties(properties, "KEY=VALUE")
    _change(settings, url, aioartifact.update_properties, values, values, recursive=recursive, as_json=as_json)


@props.command()
@click.argument("url", type=URL)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@_recursive
@as_json
@click.pass_obj
def delete(settings: Settings, url: str, names: tuple[str, ...], recursive: bool, as_json: bool) -> None:
    """Delete properties of an item; missing ones are ignored."""
    gone: Changes = dict.fromkeys(names)
    _change(settings, url, aioartifact.delete_properties, names, gone, recursive=recursive, as_json=as_json)


def _change(
    settings: Settings,
    url: str,
    function: Callable[..., Awaitable[None]],
    given: Any,
    changes: Changes,
    *,
    recursive: bool,
    as_json: bool,
) -> None:
    """Call *function*; with --json, print the *changes*."""

    async def call() -> None:
        async with aioartifact.session(**settings.at(url)) as session:
            await function(url, given, recursive=recursive, session=session)

    run(call)
    if as_json:
        render.emit("", {"url": url, "changes": changes, "recursive": recursive}, as_json=True)
