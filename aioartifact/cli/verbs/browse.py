"""``ls``: look around."""

import click

import aioartifact

from .. import render
from ..arguments import as_json
from ..running import run
from ..settings import Settings


@click.command()
@click.argument("url")
@as_json
@click.pass_obj
def ls(settings: Settings, url: str, as_json: bool) -> None:
    """List a folder, one level deep, or describe a file."""

    async def call() -> aioartifact.FileInfo | aioartifact.FolderInfo:
        async with aioartifact.session(**settings.at(url)) as session:
            return await aioartifact.info(url, session=session)

    render.item(run(call), as_json=as_json)
