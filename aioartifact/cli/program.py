"""The program, its options, and its commands, which are imported when they are used."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import click

from .arguments import LocalPath
from .errors import say
from .settings import Settings, connection_options, read_credentials

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_SECONDS = click.FloatRange(min=0, min_open=True)
_FAMILIES = {
    "Browse": {"ls": "browse", "tree": "browse", "find": "find", "stat": "stat", "cat": "stat"},
    "Search": {"versions": "versions", "search": "queries", "aql": "queries"},
    "Change": {"props": "props", "cp": "change", "mv": "change", "rm": "rm", "mkdir": "change"},
    "Transfer": {"download": "download", "deploy": "deploy", "sync": "sync", "cleanup": "download"},
    "Servers": {"ping": "servers", "info": "servers", "repos": "servers", "auth": "servers"},
    "Try": {"serve": "local", "demo": "local"},
}
_MODULES = {verb: module for family in _FAMILIES.values() for verb, module in family.items()}


class Verbs(click.Group):
    """A group that imports only the command that is used, and lists commands by family."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the commands in the order of their families."""
        return list(_MODULES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the command *name*."""
        if name not in _MODULES:
            return None
        command: click.Command = getattr(import_module(f".verbs.{_MODULES[name]}", __package__), name)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Show a section for each family."""
        for family, verbs in _FAMILIES.items():
            commands = [command for verb in verbs if (command := self.get_command(context, verb))]
            with formatter.section(family):
                formatter.write_dl([(command.name or "", command.get_short_help_str(80)) for command in commands])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aioartifact", message="%(prog)s %(version)s")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary; errors are still shown.")
@click.option("-v", "--verbose", count=True, help="Show retries and pauses on stderr; -vv shows each request.")
@click.option("--server", metavar="URL", help="Base address, if it does not end in /artifactory.")
@click.option("--user", metavar="NAME", help="User name; needs --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password or API key from the first line of stdin.")
@click.option("--token-stdin", is_flag=True, help="Read an access token from the first line of stdin.")
@click.option(
    "--ca",
    metavar="FILE",
    type=LocalPath(exists=True, dir_okay=False, path_type=Path),
    help="CA certificates to trust instead of the system's.",
)
@click.option("--no-verify", is_flag=True, help="Do not verify TLS certificates.")
@click.option(
    "--cert",
    metavar="FILE",
    type=LocalPath(exists=True, dir_okay=False, path_type=Path),
    help="Client certificate (PEM), with its key unless --key names it.",
)
@click.option(
    "--key",
    metavar="FILE",
    type=LocalPath(exists=True, dir_okay=False, path_type=Path),
    help="Private key of the client certificate (PEM).",
)
@click.option("--proxy", metavar="URL", help="Proxy for all requests; default: that of the environment.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=_SECONDS,
    help="Wait for a response at most so long; default: 600.",
)
@click.option(
    "--stall",
    metavar="SECONDS",
    type=_SECONDS,
    help="Wait for the next byte of a file at most so long; default: 60.",
)
@click.option("--retries", metavar="N", type=click.IntRange(min=0), help="Retries of a transient failure; default: 4.")
@click.option("--user-agent", metavar="TEXT", help="User-Agent to send instead of the default.")
@click.pass_context
def program(
    context: click.Context,
    quiet: bool,
    verbose: int,
    server: str | None,
    user: str | None,
    password_stdin: bool,
    token_stdin: bool,
    ca: Path | None,
    no_verify: bool,
    cert: Path | None,
    key: Path | None,
    proxy: str | None,
    timeout: float | None,
    stall: float | None,
    retries: int | None,
    user_agent: str | None,
) -> None:
    """
    List, download, upload and change items on JFrog Artifactory, and run a server for tests.

    Without --user or --token-stdin, credentials come from the environment and the files of other tools. Results
    go to stdout, everything else to stderr.
    """
    connection = connection_options(
        ca=ca,
        verify=not no_verify,
        cert=cert,
        key=key,
        proxy=proxy,
        timeout=timeout,
        stall=stall,
        retries=retries,
        user_agent=user_agent,
    )
    if verbose:
        context.with_resource(shown_logs(verbose))
    credentials = read_credentials(user, password=password_stdin, token=token_stdin)
    context.obj = Settings(quiet, server, credentials, connection)


class _Stderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


@contextmanager
def shown_logs(verbosity: int) -> Iterator[None]:
    """Show log messages: with 1 retries and pauses, with 2 each request, too."""
    logger = logging.getLogger("aioartifact")
    before, handler = logger.level, _Stderr()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(_LEVELS[min(verbosity, len(_LEVELS) - 1)])
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
