"""``stat`` and ``cat``: show items and their content."""

import sys
from urllib.parse import unquote

import click

import aioartifact

from .. import render
from ..arguments import URL, as_json
from ..running import run
from ..settings import Settings

_INSIDE = "!/"  # between an archive and its member, as in Artifactory's own URLs


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True, type=URL)
@as_json
@click.pass_obj
def stat(settings: Settings, urls: tuple[str, ...], as_json: bool) -> None:
    """Show all that the server reports about files and folders."""

    async def call() -> None:
        async with aioartifact.session(**settings.at(urls[0])) as session:
            for url in urls:
                entry = await aioartifact.info(url, session=session)
                render.details(render.describe(entry), as_json=as_json)

    run(call)


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True, type=URL)
@click.pass_obj
def cat(settings: Settings, urls: tuple[str, ...]) -> None:
    """
    Write files to stdout, as they arrive.

    URL/of/some.zip!/path/inside is a file in a zip or tar archive, which is written as a whole. The checksum is
    verified at the end of each file: if it differs, the bytes were already written, and the exit code is 1.
    """

    async def call() -> None:
        async with aioartifact.session(**settings.at(urls[0])) as session:
            for url in urls:
                archive, inside, member = url.partition(_INSIDE)
                if inside:
                    _write(await aioartifact.read_archive_member(archive, unquote(member), session=session))
                else:
                    async with aioartifact.stream(url, session=session) as chunks:
                        async for chunk in chunks:
                            _write(chunk)

    run(call)


def _write(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
