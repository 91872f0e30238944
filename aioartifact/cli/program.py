"""The program, its options, and its commands, which are imported when they are used."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Unpack

import click

from .arguments import LocalPath
from .errors import say
from .profiles import PROFILE_VARIABLE, Connection, read_profile
from .settings import Settings, connection_options, read_credentials, with_profile

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_SECONDS = click.FloatRange(min=0, min_open=True)
_FAMILIES = {
    "Browse": {"ls": "browse", "tree": "browse", "find": "find", "stat": "stat", "cat": "stat"},
    "Search": {"versions": "versions", "search": "queries", "aql": "queries"},
    "Change": {"props": "props", "cp": "change", "mv": "change", "rm": "rm", "mkdir": "change"},
    "Transfer": {"download": "download", "deploy": "deploy", "sync": "sync", "cleanup": "download", "cache": "cache"},
    "Servers": {"ping": "servers", "info": "servers", "repos": "servers", "auth": "servers", "doctor": "doctor"},
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
@click.option(
    "--server", metavar="URL", help="Base address for URLs without one, or that does not end in /artifactory."
)
@click.option("--profile", metavar="NAME", help="Profile of the configuration file; its options are the defaults.")
@click.option("--user", metavar="NAME", help="User name; needs --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password or API key from the first line of stdin.")
@click.option("--token-stdin", is_flag=True, help="Read an access token from the first line of stdin.")
@click.option(
    "--ca",
    metavar="FILE",
    type=LocalPath(exists=True, dir_okay=False, path_type=Path),
    help="CA certificates to trust instead of the system's.",
)
@click.option("--no-verify", is_flag=True, default=None, help="Do not verify TLS certificates.")
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
    help="Maximum wait for a response; default: 600.",
)
@click.option(
    "--stall",
    metavar="SECONDS",
    type=_SECONDS,
    help="Maximum wait for the next bytes of a file; default: 60.",
)
@click.option("--retries", metavar="N", type=click.IntRange(min=0), help="Retries of a transient failure; default: 4.")
@click.option("--user-agent", metavar="TEXT", help="User-Agent to send instead of the default.")
@click.pass_context
def program(
    context: click.Context,
    quiet: bool,
    verbose: int,
    server: str | None,
    profile: str | None,
    user: str | None,
    password_stdin: bool,
    token_stdin: bool,
    **given: Unpack[Connection],
) -> None:
    """
    List, download, upload and change items on JFrog Artifactory, and run a server for tests.

    A URL without a server, such as generic-local/path, is below the default server: that of --server, of the profile,
    of AIOARTIFACT_SERVER, of JF_URL, or of jfrog-cli. Without --user or --token-stdin, credentials come from the
    environment and the files of other tools. Results go to stdout, everything else to stderr.
    """
    if verbose:
        context.with_resource(shown_logs(verbose))
    options = read_profile(profile or os.environ.get(PROFILE_VARIABLE))
    connection = connection_options(with_profile(options, given))
    credentials = read_credentials(user, password=password_stdin, token=token_stdin)
    context.obj = Settings(quiet, server, credentials, connection, options, prefers_profile=bool(profile))


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
