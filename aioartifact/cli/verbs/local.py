"""``serve`` and ``demo``: an embedded server."""

from pathlib import Path
from typing import Literal

import click

from .. import render
from ..arguments import FILE, PATH
from ..running import run
from ..settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--password-file",
    metavar="FILE",
    type=FILE,
    help="First line: administrator's password; required unless the host is loopback.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="0 for any free port.")
@click.option(
    "--data", metavar="FOLDER", type=PATH, help="Keep repositories and items in this folder; default: temporary."
)
@click.option(
    "--edition", type=click.Choice(["pro", "oss"]), default="pro", show_default=True, help="Edition to emulate."
)
@click.option(
    "--profile", type=click.Choice(["6.20", "7.x"]), default="6.20", show_default=True, help="Release to emulate."
)
@click.option("--anonymous", is_flag=True, help="Allow reading without credentials.")
@click.option(
    "--repository", "repositories", metavar="KEY", multiple=True, help="Create a local repository; may be repeated."
)
@click.option(
    "--user",
    "users",
    metavar="NAME:PASSWORD",
    multiple=True,
    help="Add a user with all rights on items; may be repeated.",
)
@click.option("--seed", metavar="FOLDER", type=PATH, help="Store each subfolder as a repository.")
@click.option("--example-data", is_flag=True, help="Store the data that the examples of the documentation use.")
@click.option("--log", metavar="FILE", type=PATH, help="Append each request as a line of JSON.")
@click.option("--latency", metavar="MS", type=click.IntRange(min=0), default=0, help="Delay each response.")
@click.option("--strict", is_flag=True, help="Exit code 1 if unknown endpoints were requested.")
@click.option("--control", is_flag=True, help="Let programs on this machine control the server over HTTP.")
@click.option("--tls-cert", metavar="FILE", type=FILE, help="Serve HTTPS with this PEM certificate.")
@click.option("--tls-key", metavar="FILE", type=FILE, help="Key of the certificate; default: in the same file.")
@click.option("--ready-file", metavar="FILE", type=PATH, help="Write the URL to this file once the server listens.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "env", "json"]),
    help="Format of the printed text and of the ready file.",
)
def serve(
    host: str,
    password_file: Path | None,
    port: int,
    data: Path | None,
    edition: Literal["pro", "oss"],
    profile: Literal["6.20", "7.x"],
    anonymous: bool,
    repositories: tuple[str, ...],
    users: tuple[str, ...],
    seed: Path | None,
    example_data: bool,
    log: Path | None,
    latency: int,
    strict: bool,
    control: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    ready_file: Path | None,
    form: Literal["text", "env", "json"] | None,
) -> None:
    """
    Run a server for tests until Ctrl-C.

    Once it listens, it prints its URL, and user name and password of its administrator, one per line; with --control
    also the URL and the token of the control interface. It has one repository, generic-local.
    """
    from aioartifact import testing

    if tls_key and not tls_cert:
        raise click.UsageError("--tls-key needs --tls-cert")
    password = password_file.read_text("utf-8").partition("\n")[0] if password_file else None
    try:
        testing.serve(
            data,
            host=host,
            password=password,
            port=port,
            edition=edition,
            profile=profile,
            anonymous=anonymous,
            repositories=repositories,
            users=dict(map(_name_and_password, users)),
            seed=seed,
            example_data=example_data,
            log_file=log,
            latency=latency / 1000,
            strict=strict,
            control=control,
            certificate=tls_cert,
            private_key=tls_key,
            ready_file=ready_file,
            ready_form=form,
            on_ready=lambda server: _show(server.describe(form or "text")),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except AssertionError as error:
        raise click.ClickException(str(error)) from error


def _name_and_password(text: str) -> tuple[str, str]:
    name, _, password = text.partition(":")
    if not name or not password:
        raise click.UsageError("--user needs NAME:PASSWORD")
    return name, password


def _show(lines: str) -> None:
    for line in lines.splitlines():
        render.emit(line, {}, as_json=False)


@click.command()
@click.option("--folder", metavar="FOLDER", type=PATH, help="Where to store files; default: the temporary folder.")
@click.option("--quick", is_flag=True, help="Use fewer and smaller files.")
@click.option("--keep", is_flag=True, help="Keep the files at the end.")
@click.pass_obj
def demo(settings: Settings, folder: Path | None, quick: bool, keep: bool) -> None:
    """
    Upload files of this machine to a server, and download them again.

    The server belongs to the demo and ends with it. Exit code 1 if any result is wrong.
    """
    from ..demo import run_demo

    run(lambda: run_demo(folder, quick=quick, keep=keep, quiet=settings.quiet))
