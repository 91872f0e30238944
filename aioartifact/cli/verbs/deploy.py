"""``deploy``."""

from pathlib import Path
from urllib.parse import quote

import click

import aioartifact

from .. import progress as display
from .. import render
from ..arguments import FILE, as_json, parse_properties, with_properties
from ..running import run
from ..settings import Settings


@click.command()
@click.argument("path", type=FILE)
@click.argument("url")
@with_properties
@as_json
@click.pass_obj
def deploy(settings: Settings, path: Path, url: str, properties: tuple[str, ...], as_json: bool) -> None:
    """
    Deploy a local file.

    The file gets the URL, or its own name below a URL that ends in a slash.
    """
    target = url + quote(path.name, safe="") if url.endswith("/") else url
    parameters = parse_properties(properties)
    progress = aioartifact.Progress()

    async def call() -> str:
        async with aioartifact.session(**settings.at(url)) as session:
            return await aioartifact.deploy(path, target, parameters=parameters, session=session, progress=progress)

    with display.shown(progress, quiet=settings.quiet):
        run(call)
    render.emit(target, {"path": str(path), "url": target}, as_json=as_json)
