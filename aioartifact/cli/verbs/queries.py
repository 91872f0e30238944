"""``search`` and ``aql``: search a whole server."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

import aioartifact

from .. import render
from ..arguments import FILE, MOMENT, as_json, one_value_each, parse_properties, with_properties, with_server
from ..errors import warn_of_gaps
from ..running import run
from ..settings import Settings


@click.command()
@with_server
@click.option("--name", metavar="NAME", help="File name, with * and ?.")
@click.option("--checksum", metavar="HEX", help="SHA-256, SHA-1 or MD5.")
@with_properties
@click.option("--group-id", metavar="ID", help="Group ID by the layout of the repository, with * and ?.")
@click.option("--artifact-id", metavar="ID", help="Artifact ID, with * and ?.")
@click.option("--version", metavar="VERSION", help="Version, with * and ?.")
@click.option("--classifier", metavar="NAME", help="Classifier, with * and ?.")
@click.option("--created-after", metavar="DATE", type=MOMENT, help="Deployed after: 2026-01-31, or 7d for a week ago.")
@click.option("--created-before", metavar="DATE", type=MOMENT, help="Deployed before.")
@click.option("--modified-after", metavar="DATE", type=MOMENT, help="Modified after.")
@click.option("--modified-before", metavar="DATE", type=MOMENT, help="Modified before.")
@click.option(
    "--repository", "repositories", metavar="KEY", multiple=True, help="Search only this repository; may be repeated."
)
@as_json
@click.pass_obj
def search(
    settings: Settings,
    server: str,
    name: str | None,
    checksum: str | None,
    properties: tuple[str, ...],
    group_id: str | None,
    artifact_id: str | None,
    version: str | None,
    classifier: str | None,
    created_after: datetime | None,
    created_before: datetime | None,
    modified_after: datetime | None,
    modified_before: datetime | None,
    repositories: tuple[str, ...],
    as_json: bool,
) -> None:
    """
    Find items on a server by one criterion; print their URLs.

    The criterion is a name, a checksum, properties, coordinates, or a date. find and aql combine conditions.
    """

    async def call() -> None:
        async with aioartifact.session(**settings.of(server)) as session:
            found = aioartifact.search(
                server,
                name=name,
                checksum=checksum,
                properties=one_value_each(parse_properties(properties)),
                group_id=group_id,
                artifact_id=artifact_id,
                version=version,
                classifier=classifier,
                created_after=created_after,
                created_before=created_before,
                modified_after=modified_after,
                modified_before=modified_before,
                repositories=repositories,
                session=session,
            )
            async with found:
                async for entry in found:
                    render.row(entry.url, render.describe(entry), as_json=as_json)
            warn_of_gaps(found)

    run(call)


@click.command()
@click.argument("words", metavar="[SERVER] [QUERY]", nargs=-1)
@click.option("-f", "--file", metavar="FILE", type=FILE, help="Read the query from a file.")
@as_json
@click.pass_obj
def aql(settings: Settings, words: tuple[str, ...], file: Path | None, as_json: bool) -> None:
    """
    Run a query in Artifactory Query Language.

    Example: 'items.find({"name": {"$match": "*.jar"}})'. QUERY - is read from stdin. Prints the fields of each row,
    separated by tabs.
    """
    if not (words or file):
        raise click.UsageError("expected either a query or --file")
    *servers, query = words if file is None else (*words, "")
    if len(servers) > 1 or (file is None and query.startswith(("http://", "https://"))):
        raise click.UsageError("expected either a query or --file")
    server = servers[0] if servers else settings.default_server().url
    text = file.read_text("utf-8") if file else sys.stdin.read() if query == "-" else query

    async def call() -> None:
        async with aioartifact.session(**settings.of(server)) as session:
            rows = aioartifact.aql(server, text.strip(), session=session)
            async with rows:
                async for row in rows:
                    render.row(_tabbed(row), row, as_json=as_json)
            warn_of_gaps(rows)

    run(call)


def _tabbed(row: Mapping[str, object]) -> str:
    return "\t".join(value if isinstance(value, str) else json.dumps(value) for value in row.values())
