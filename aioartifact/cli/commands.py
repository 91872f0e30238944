"""The verbs."""

import sys
from collections.abc import Callable, Coroutine, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import click

import aioartifact

from . import progress as display
from . import render
from .errors import DONE, MISSING, say, show_all
from .fetch import fetch
from .settings import Settings, read_credentials

T = TypeVar("T")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PATH = click.Path(path_type=Path)
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function in an event loop of its own; Ctrl-C cancels it, and it cleans up."""
    import anyio

    return anyio.run(function, backend_options={"use_uvloop": find_spec("uvloop") is not None})


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aioartifact", message="%(prog)s %(version)s")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary; errors are still shown.")
@click.option("--server", metavar="URL", help="Base address, where it does not end in /artifactory.")
@click.option("--user", metavar="NAME", help="User name; its password comes from --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password or API key from the first line of stdin.")
@click.option("--token-stdin", is_flag=True, help="Read an access token from the first line of stdin.")
@click.option("--ca", metavar="FILE", type=_FILE, help="CA certificates to trust instead of the system's.")
@click.option("--no-verify", is_flag=True, help="Do not check TLS certificates.")
@click.pass_context
def program(
    context: click.Context,
    quiet: bool,
    server: str | None,
    user: str | None,
    password_stdin: bool,
    token_stdin: bool,
    ca: Path | None,
    no_verify: bool,
) -> None:
    """
    Versions, downloads and deploys of JFrog Artifactory, and a server to try them on.

    Without --user or --token-stdin, credentials come from the environment and the files other tools use. Results
    go to stdout, everything else to stderr.
    """
    if ca and no_verify:
        raise click.UsageError("--ca and --no-verify exclude each other")
    credentials = read_credentials(user, password=password_stdin, token=token_stdin)
    context.obj = Settings(quiet, server, credentials, str(ca) if ca else not no_verify)


@program.command()
@click.argument("server")
@click.argument("repository")
@click.argument("group_id")
@click.argument("name")
@click.option("--latest", is_flag=True, help="Only the newest; exit code 4 if there is none.")
@click.option("--method", type=click.Choice(["auto", "folder", "aql"]), default="auto", help="How to ask.")
@_as_json
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
        async with aioartifact.session(server, auth=settings.credentials, verify=settings.verify) as session:
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


@program.command()
@click.argument("url")
@_as_json
@click.pass_obj
def ls(settings: Settings, url: str, as_json: bool) -> None:
    """List a folder, one level deep, or describe a file."""

    async def call() -> aioartifact.FileInfo | aioartifact.FolderInfo:
        async with aioartifact.session(
            settings.server_of(url), auth=settings.credentials, verify=settings.verify
        ) as session:
            return await aioartifact.info(url, session=session)

    render.item(run(call), as_json=as_json)


@program.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("-d", "--destination", metavar="FOLDER", default=".", help="Where to; it is made. Default: here.")
@click.option("--folder", is_flag=True, help="The URL is a folder; saves the request that finds out.")
@click.option(
    "--overwrite",
    type=click.Choice(["changed", "always", "never"]),
    default="changed",
    help="Which local files to replace: those with other content (default), all, none.",
)
@click.option(
    "--on-error",
    type=click.Choice(["raise", "stop", "collect"]),
    default="raise",
    help="When a file fails: finish the rest, then exit 1 (default); cancel the rest; finish, exit 0.",
)
@click.option("--max-concurrency", metavar="N", type=click.IntRange(min=1), help="Files in flight.")
@_as_json
@click.pass_obj
def download(
    settings: Settings,
    urls: tuple[str, ...],
    destination: str,
    folder: bool,
    overwrite: Literal["changed", "always", "never"],
    on_error: Literal["raise", "stop", "collect"],
    max_concurrency: int | None,
    as_json: bool,
) -> int:
    """
    Download a file, all files below a folder, or several files.

    A URL "-" stands for those on stdin, one per line. Each file is verified; one that is already there with the
    right content is kept.
    """
    wanted = list(_with_stdin(urls))
    if folder and len(wanted) != 1:
        raise click.UsageError(f"--folder takes one URL, not {len(wanted)}")
    if not wanted:
        return DONE
    progress = aioartifact.Progress()

    async def call() -> list[aioartifact.ArtifactoryError]:
        return await fetch(
            wanted,
            destination,
            folder=folder,
            as_json=as_json,
            settings=settings,
            overwrite=overwrite,
            on_error=on_error,
            max_concurrency=max_concurrency,
            progress=progress,
        )

    with display.shown(progress, quiet=settings.quiet):
        failures = run(call)
    now = progress.snapshot()
    if not settings.quiet:
        say(display.summary(now))
    code = show_all(failures, alone=now.files_total == 1)
    return DONE if on_error == "collect" else code


def _with_stdin(urls: Iterable[str]) -> Iterable[str]:
    for url in urls:
        if url == "-":
            yield from filter(None, map(str.strip, sys.stdin))
        else:
            yield url


@program.command()
@click.argument("path", type=_FILE)
@click.argument("url")
@click.option("-p", "--property", "properties", metavar="KEY=VALUE", multiple=True, help="May be repeated.")
@_as_json
@click.pass_obj
def deploy(settings: Settings, path: Path, url: str, properties: tuple[str, ...], as_json: bool) -> None:
    """
    Deploy a local file.

    The file gets the URL, or its own name below a URL that ends in a slash.
    """
    target = url + quote(path.name, safe="") if url.endswith("/") else url
    parameters = _parameters(properties)
    progress = aioartifact.Progress()

    async def call() -> str:
        async with aioartifact.session(
            settings.server_of(url), auth=settings.credentials, verify=settings.verify
        ) as session:
            return await aioartifact.deploy(path, target, parameters=parameters, session=session, progress=progress)

    with display.shown(progress, quiet=settings.quiet):
        run(call)
    render.emit(target, {"path": str(path), "url": target}, as_json=as_json)


def _parameters(properties: Iterable[str]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for given in properties:
        key, equals, value = given.partition("=")
        if not equals:
            raise click.BadParameter(f"{given!r} has no '='", param_hint="--property")
        values.setdefault(key, []).append(value)
    return values


@program.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="0 for any free one.")
@click.option("--data", metavar="FOLDER", type=_PATH, help="Keep repositories and items there; default: temporary.")
@click.option("--edition", type=click.Choice(["pro", "oss"]), default="pro", show_default=True, help="What to offer.")
@click.option("--profile", type=click.Choice(["6.20", "7.x"]), default="6.20", show_default=True, help="What release.")
@click.option("--anonymous", is_flag=True, help="Let everybody read.")
@click.option("--tls-cert", metavar="FILE", type=_FILE, help="Serve HTTPS with this PEM certificate.")
@click.option("--tls-key", metavar="FILE", type=_FILE, help="Its key; default: in the same file.")
@click.option("--ready-file", metavar="FILE", type=_PATH, help="Write the URL there once it listens.")
def serve(
    host: str,
    port: int,
    data: Path | None,
    edition: Literal["pro", "oss"],
    profile: Literal["6.20", "7.x"],
    anonymous: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    ready_file: Path | None,
) -> None:
    """
    Run a server for tests until Ctrl-C.

    Once it listens it prints its URL, and user name and password of its administrator, one per line. It has a
    repository generic-local.
    """
    from aioartifact import testing

    if tls_key and not tls_cert:
        raise click.UsageError("--tls-key needs --tls-cert")
    testing.serve(
        data,
        host=host,
        port=port,
        edition=edition,
        profile=profile,
        anonymous=anonymous,
        certificate=tls_cert,
        private_key=tls_key,
        ready_file=ready_file,
        on_ready=lambda server: click.echo(f"{server.url}\n{server.username}\n{server.password}"),
    )


@program.command()
@click.option("--folder", metavar="FOLDER", type=_PATH, help="Where to put files; default: the temporary folder.")
@click.option("--quick", is_flag=True, help="Fewer and smaller files.")
@click.option("--keep", is_flag=True, help="Leave the files there at the end.")
@click.pass_obj
def demo(settings: Settings, folder: Path | None, quick: bool, keep: bool) -> None:
    """
    Deploy files of this machine to a server, and fetch them back.

    The server is its own and ends with it. Everything is checked; exit code 1 if something is not as it must be.
    """
    from .demo import run_demo

    run(lambda: run_demo(folder, quick=quick, keep=keep, quiet=settings.quiet))
