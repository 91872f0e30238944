"""``ping``, ``info``, ``repos`` and ``auth``: query a server."""

import sys
from dataclasses import asdict

import click

import aioartifact

from .. import render
from ..arguments import as_json, with_server
from ..errors import DONE, FAILED
from ..render import DIM
from ..running import run
from ..settings import Settings


@click.command()
@with_server
@as_json
@click.pass_obj
def ping(settings: Settings, server: str, as_json: bool) -> int:
    """Check whether a server is up: exit code 0, otherwise 1."""

    async def call() -> bool:
        async with aioartifact.session(**settings.of(server)) as session:
            return await aioartifact.ping(server, session=session)

    up = run(call)
    render.emit("up" if up else "down", {"server": server, "up": up}, as_json=as_json)
    return DONE if up else FAILED


@click.command()
@with_server
@as_json
@click.pass_obj
def info(settings: Settings, server: str, as_json: bool) -> None:
    """Show a server's version, edition and expected capabilities."""

    async def call() -> aioartifact.ServerInfo:
        async with aioartifact.session(**settings.of(server)) as session:
            return await aioartifact.server_info(server, session=session)

    known = asdict(run(call))
    render.details({**known, "capabilities": sorted(known["capabilities"])}, as_json=as_json)


@click.command()
@with_server
@click.option("--kind", metavar="KIND", help="Only this kind: local, remote, virtual or federated.")
@click.option("--package-type", metavar="TYPE", help="Only this package type: generic, maven, docker, ...")
@as_json
@click.pass_obj
def repos(settings: Settings, server: str, kind: str | None, package_type: str | None, as_json: bool) -> None:
    """List the repositories that you may read."""

    async def call() -> list[aioartifact.Repository]:
        async with aioartifact.session(**settings.of(server)) as session:
            return await aioartifact.repositories(server, kind=kind, package_type=package_type, session=session)

    found = run(call)
    width = max((len(repository.key) for repository in found), default=0)
    for repository in found:
        if sys.stdout.isatty() and not as_json:
            what = f"{repository.kind:<9}  {repository.package_type}".rstrip()
            render.styled([(f"{repository.key:<{width}}  ", ""), (what, DIM)])
        else:
            render.emit(repository.key, asdict(repository), as_json=as_json)


@click.command()
@click.argument("server", required=False)
@as_json
@click.pass_obj
def auth(settings: Settings, server: str | None, as_json: bool) -> None:
    """Show the server and the source of its credentials, but not the secret."""
    server_source = None
    if server is None:
        default = settings.default_server()
        server, server_source = default.url, default.source
    address = aioartifact.url(server)  # refuses a URL with a secret in it
    known: dict[str, object]
    if provider := settings.provider_for(address):
        known = {"kind": "provider", "user": None, "source": provider, "skipped": [] if as_json else None}
    else:
        found = settings.credentials or aioartifact.resolve_credentials(address)
        user = found.username if found.kind == "basic" else None
        skipped = list(found.skipped) if as_json else "; ".join(found.skipped) or None
        known = {"kind": found.kind, "user": user, "source": found.source, "skipped": skipped}
    render.details({"server": address, "server_source": server_source, **known}, as_json=as_json)
