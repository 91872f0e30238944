"""Options before the command: default server, profile, credentials, connections."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

import click

import aioartifact

from .profiles import Connection, Profile

_SERVER_VARIABLE = "AIOARTIFACT_SERVER"


class SessionOptions(TypedDict):
    """Keywords for `aioartifact.session`."""

    server: str | None
    auth: "aioartifact.Auth | Mapping[aioartifact.URLLike, aioartifact.Auth] | None"
    verify: bool | str
    cert: str | tuple[str, str] | None
    proxy: str | None
    retry: "aioartifact.RetryPolicy | None"
    timeouts: "aioartifact.Timeouts | None"
    user_agent: str | None


class ConnectionOptions(TypedDict):
    """Those of them that are the same for all servers."""

    verify: bool | str
    cert: str | tuple[str, str] | None
    proxy: str | None
    retry: "aioartifact.RetryPolicy | None"
    timeouts: "aioartifact.Timeouts | None"
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
        profile: The profile in use, or None.
        prefers_profile: Whether its server comes before that of the environment, as for ``--profile``.
    """

    quiet: bool
    server: str | None
    credentials: "aioartifact.Credentials | None"
    connection: ConnectionOptions
    profile: Profile | None = None
    prefers_profile: bool = False

    def default_server(self) -> "aioartifact.ConfiguredServer":
        """
        Return the server of URLs that name none, and where it was set.

        Raises:
            ConfigurationError: If none is set.
        """
        if self.server:
            return aioartifact.ConfiguredServer(self.server, "--server")
        if self.profile and self.profile.server and (self.prefers_profile or not os.environ.get(_SERVER_VARIABLE)):
            return aioartifact.ConfiguredServer(self.profile.server, self.profile.source)
        return aioartifact.resolve_server()

    def url(self, word: str) -> str:
        """
        Return the URL of an item: *word* itself, or below the default server if it names no server.

        Raises:
            InvalidURLError: If it names none, and there is no default server.
            ConfigurationError: If the default server is not valid.
        """
        if not is_relative(word):
            return word
        try:
            server = self.default_server().url
        except aioartifact.ConfigurationError as error:
            if error.source:
                raise
            message = f"{word}: expected an absolute URL, since there is no default server"
            raise aioartifact.InvalidURLError(message, hint=error.hint) from None
        return f"{server.rstrip('/')}/{word}"

    def at(self, url: str) -> SessionOptions:
        """Options of a session for items; its server is that of *url*, unless ``--server`` is set."""
        # With None, the library derives the server from each URL.
        return self.of(self.server or self._configured_above(url) or self._server_for_credentials(url))

    def _configured_above(self, url: str) -> str | None:
        """Return the default server if *url* is below it: its context path may be one that URLs do not show."""
        try:
            server = self.default_server().url.rstrip("/")
        except aioartifact.ConfigurationError:
            return None
        return server if url.startswith(f"{server}/") else None

    def _server_for_credentials(self, url: str) -> str | None:
        return aioartifact.path(url).server if self.credentials else None

    def of(self, server: str | None) -> SessionOptions:
        """Options of a session for *server*."""
        profile = self.profile
        auth: dict[aioartifact.URLLike, aioartifact.Auth] | None = None
        if profile and profile.server and profile.auth:
            auth = {profile.server: profile.auth}
        return {"server": server, "auth": self.credentials or auth, **self.connection}

    def provider_for(self, server: str) -> str | None:
        """Name the source of the credentials for *server* if that is a provider of the profile."""
        profile = self.profile
        if self.credentials or not (profile and profile.auth and profile.server):
            return None
        is_its_server = f"{server.rstrip('/')}/".startswith(f"{profile.server.rstrip('/')}/")
        return f"{profile.source}: {profile.auth_source}" if is_its_server else None


def is_relative(word: str) -> bool:
    """Whether *word* names an item without its server: it is not a URL, a local path, or a host with port or user."""
    first = word.partition("/")[0]
    return bool(first) and not first.startswith((".", "~", "-")) and not {":", "@", "\\"}.intersection(first)


def with_profile(profile: Profile | None, given: Connection) -> Connection:
    """Add the options of *profile* that the command line does not set; a certificate comes with its key."""
    if profile is None:
        return given
    set_by_profile = profile.connection.copy()
    if given.get("ca") or given.get("no_verify"):
        set_by_profile |= {"ca": None, "no_verify": None}
    if given.get("cert"):
        set_by_profile["key"] = None
    merged: dict[str, Any] = {**set_by_profile, **{name: value for name, value in given.items() if value is not None}}
    return cast("Connection", merged)


def connection_options(given: Connection) -> ConnectionOptions:
    """
    Make keywords for `aioartifact.session` of the options before the command.

    Raises:
        click.UsageError: If the options contradict each other, or one has a password.
    """
    ca, cert, key, proxy = given.get("ca"), given.get("cert"), given.get("key"), given.get("proxy")
    if ca and given.get("no_verify"):
        raise click.UsageError("--ca and --no-verify exclude each other")
    if key and not cert:
        raise click.UsageError("--key needs --cert")
    if proxy and "@" in proxy:
        raise click.UsageError("--proxy with a login: set HTTPS_PROXY or HTTP_PROXY; secrets are never arguments")
    limits = {"reply": given.get("timeout"), "stall": given.get("stall")}
    seconds = {name: value for name, value in limits.items() if value is not None}
    retries = given.get("retries")
    return {
        "verify": str(ca) if ca else not given.get("no_verify"),
        "cert": (str(cert), str(key)) if cert and key else str(cert) if cert else None,
        "proxy": proxy,
        "retry": None if retries is None else aioartifact.RetryPolicy(attempts=retries + 1),
        "timeouts": aioartifact.Timeouts(**seconds) if seconds else None,
        "user_agent": given.get("user_agent"),
    }


def read_credentials(user: str | None, *, password: bool, token: bool) -> "aioartifact.Credentials | None":
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
