"""Options before the command: credentials, certificates, verbosity."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import click

import aioartifact


class SessionOptions(TypedDict):
    """Keywords for `aioartifact.session`."""

    server: str | None
    auth: aioartifact.Credentials | None
    verify: bool | str
    cert: str | tuple[str, str] | None
    proxy: str | None
    retry: aioartifact.RetryPolicy | None
    timeouts: aioartifact.Timeouts | None
    user_agent: str | None


class ConnectionOptions(TypedDict):
    """Those of them that are the same for all servers."""

    verify: bool | str
    cert: str | tuple[str, str] | None
    proxy: str | None
    retry: aioartifact.RetryPolicy | None
    timeouts: aioartifact.Timeouts | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Options that all commands share.

    Attributes:
        quiet: Whether only errors are written to stderr.
        server: Base address from ``--server``, or None.
        credentials: For that server, or for the server of the first URL; None looks them up.
        connection: Other options of `aioartifact.session`.
    """

    quiet: bool
    server: str | None
    credentials: aioartifact.Credentials | None
    connection: ConnectionOptions

    def at(self, url: str) -> SessionOptions:
        """Options of a session for items; its server is that of *url*, unless ``--server`` is set."""
        # With None, the library derives the server from each URL.
        return self.of(self.server or (aioartifact.path(url).server if self.credentials else None))

    def of(self, server: str | None) -> SessionOptions:
        """Options of a session for *server*."""
        return {"server": server, "auth": self.credentials, **self.connection}


def connection_options(
    *,
    ca: Path | None,
    verify: bool,
    cert: Path | None,
    key: Path | None,
    proxy: str | None,
    timeout: float | None,
    stall: float | None,
    retries: int | None,
    user_agent: str | None,
) -> ConnectionOptions:
    """
    Make keywords for `aioartifact.session` of the options before the command.

    Raises:
        click.UsageError: If the options contradict each other, or one has a password.
    """
    if ca and not verify:
        raise click.UsageError("--ca and --no-verify exclude each other")
    if key and not cert:
        raise click.UsageError("--key needs --cert")
    if proxy and "@" in proxy:
        raise click.UsageError("--proxy with a login: set HTTPS_PROXY or HTTP_PROXY; secrets are never arguments")
    seconds = {name: value for name, value in (("reply", timeout), ("stall", stall)) if value is not None}
    return {
        "verify": str(ca) if ca else verify,
        "cert": (str(cert), str(key)) if cert and key else str(cert) if cert else None,
        "proxy": proxy,
        "retry": None if retries is None else aioartifact.RetryPolicy(attempts=retries + 1),
        "timeouts": aioartifact.Timeouts(**seconds) if seconds else None,
        "user_agent": user_agent,
    }


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
