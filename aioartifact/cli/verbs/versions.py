"""``versions``."""

from typing import Literal

import click

import aioartifact

from .. import render
from ..arguments import as_json
from ..errors import DONE, MISSING, say
from ..running import run
from ..settings import Settings


@click.command()
@click.argument("server")
@click.argument("repository")
@click.argument("group_id")
@click.argument("name")
@click.option("--latest", is_flag=True, help="Only the newest; exit code 4 if there is none.")
@click.option("--method", type=click.Choice(["auto", "folder", "aql"]), default="auto", help="How to ask.")
@as_json
@click.pass_obj
def versions(
    settings: Settings,
    server: str,
    repository: str,
    group_id: str,
    name: str,
    latest: bool,
    method: Literal["auto", "folder", "aql"],
    as_json: bool,
) -> int:
    """List the versions of an artifact, oldest first."""

    async def call() -> list[str]:
        async with aioartifact.session(**settings.of(server)) as session:
            return await aioartifact.versions(
                server, repository, group_id, name, method=method, denied="raise", session=session
            )

    found = run(call)
    for version in found[-1:] if latest else found:
        render.version(version, as_json=as_json)
    if latest and not found:
        say(f"error: {repository}, {group_id}, {name}: there is no version")
        return MISSING
    return DONE
