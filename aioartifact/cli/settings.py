"""Options before the command: credentials, certificates, verbosity."""

import sys
from dataclasses import dataclass
from typing import TypedDict

import click

import aioartifact


class SessionOptions(TypedDict):
    """Keywords for `aioartifact.session`."""

    server: str | None
    auth: aioartifact.Credentials | None
    verify: bool | str


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Options that all commands share.

    Attributes:
        quiet: Whether only errors are written to stderr.
        server: Base address from ``--server``, or None.
        credentials: For that server, or for the server of the first URL; None looks them up.
        verify: As `aioartifact.session` takes it.
    """

    quiet: bool
    server: str | None
    credentials: aioartifact.Credentials | None
    verify: bool | str

    def at(self, url: str) -> SessionOptions:
        """Options of a session for items; its server is that of *url*, unless ``--server`` is set."""
        # With None, the library derives the server from each URL.
        return self.of(self.server or (aioartifact.path(url).server if self.credentials else None))

    def of(self, server: str | None) -> SessionOptions:
        """Options of a session for *server*."""
        return {"server": server, "auth": self.credentials, "verify": self.verify}


def read_credentials(user: str | None, *, password: bool, token: bool) -> aioartifact.Credentials | None:
    """
    Read the secret from the first line of stdin, if an option requests that.

    Raises:
        click.UsageError: If the options contradict each other.
    """
    if token:
        if user or password:
            raise click.UsageError("--token-stdin excludes --user and --password-stdin")
        return aioartifact.Credentials.bearer(_first_line(), source="--token-stdin")
    if bool(user) != password:
        raise click.UsageError("--user and --password-stdin need each other; secrets are never arguments")
    return aioartifact.Credentials.basic(user, _first_line(), source="--password-stdin") if user else None


def _first_line() -> str:
    return sys.stdin.readline().rstrip("\r\n")
