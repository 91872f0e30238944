"""``versions``: list the versions of an artifact."""

from contextlib import suppress
from typing import Literal

import click

import aioartifact

from .. import render
from ..arguments import as_json
from ..errors import DONE, MISSING, say
from ..running import run
from ..settings import Settings

_Method = Literal["auto", "folder", "aql", "properties", "maven-metadata"]
_METHODS: tuple[_Method, ...] = ("auto", "folder", "aql", "properties", "maven-metadata")
_Scheme = Literal["semver", "maven", "pep440", "natural"]
_SCHEMES: tuple[_Scheme, ...] = ("semver", "maven", "pep440", "natural")


@click.command()
@click.argument("words", metavar="[SERVER] REPOSITORY GROUP_ID NAME", nargs=-1)
@click.option("--latest", is_flag=True, help="Only the newest; exit code 4 if there is none.")
@click.option("--scheme", type=click.Choice(_SCHEMES), default="semver", show_default=True, help="Version scheme.")
@click.option("--spec", metavar="SPEC", help="Only those that match, such as '>=1.2,<2' or '~=1.4'.")
@click.option("--prerelease/--no-prerelease", default=None, help="Only pre-releases, or none.")
@click.option("--match", "where", metavar="REGEX", help="Only names that match as a whole.")
@click.option("--method", type=click.Choice(_METHODS), default="auto", show_default=True, help="How to find versions.")
@click.option("--property-name", metavar="NAME", default="version", show_default=True, help="For --method properties.")
@as_json
@click.pass_obj
def versions(
    settings: Settings,
    words: tuple[str, ...],
    latest: bool,
    scheme: _Scheme,
    spec: str | None,
    prerelease: bool | None,
    where: str | None,
    method: _Method,
    property_name: str,
    as_json: bool,
) -> int:
    """List the versions of an artifact, oldest first."""
    if len(words) not in (3, 4):
        raise click.UsageError(f"expected [SERVER] REPOSITORY GROUP_ID NAME, got {len(words)} arguments")
    server = words[0] if len(words) == 4 else settings.default_server().url
    repository, group_id, name = words[-3:]

    async def call() -> list[str]:
        async with aioartifact.session(**settings.of(server)) as session:
            listing = aioartifact.latest_version if latest else aioartifact.versions
            found = await listing(
                server,
                repository,
                group_id,
                name,
                scheme=scheme,
                spec=spec,
                prerelease=prerelease,
                where=where,
                method=method,
                property_name=property_name,
                denied="raise",
                session=session,
            )
            if not found:
                # Raises NotFoundError if the repository does not exist.
                with suppress(aioartifact.ForbiddenError):
                    await aioartifact.info(aioartifact.url(server, repository=repository), session=session)
            return [found] if isinstance(found, str) else found or []

    found = run(call)
    for version in found:
        render.version(version, as_json=as_json)
    if latest and not found:
        say(f"error: {repository}, {group_id}, {name}: there is no version")
        return MISSING
    return DONE
