"""Look up credentials in the environment and the files of this machine."""

import os
import re
from functools import partial
from pathlib import Path

import anyio.to_thread

from .._address import ServerURL, URLLike, server_of, text_of_url
from .._credentials import (
    ConfiguredServer,
    Credentials,
    Provided,
    SendToken,
    configured_servers,
    credential_files,
    default_server,
    resolve,
    resolve_ancestor,
)
from .._files import read_text_if_exists

# The context path of most servers, which no configuration makes longer.
_NAMES_ARTIFACTORY = re.compile(r"[^:]+://[^/]+/artifactory(?:/|\Z)")
# "host", "host:8081/path", "[::1]/path"; with a scheme a slash follows the colon.
_HOST_FIRST = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?(?:/|\Z)")

# How often to check whether a file of credentials has changed, in a session that sends requests.
_CHECK_SECONDS = 5.0


def authentification(url: URLLike) -> tuple[str, str]:
    """
    Find user name and secret for a server: the environment, then the configuration file, then anonymous.

    First ``ARTIFACTORY_USERNAME`` and ``ARTIFACTORY_API_KEY``, if both are set, for every server. Then the
    section of ``~/.artifactory_python.cfg`` (``DOHQ_ARTIFACTORY_PYTHON_CFG`` moves it) that names the server,
    by host, port and whole path segments; one for http is also used for https. Reads small files, without a request;
    nothing is cached. A file that cannot be read is skipped.

    Sessions use :func:`resolve_credentials`, which has more sources.

    Args:
        url: Any URL on the server. Its path up to ``/artifactory``, or up to another context path that the user's
            configuration names, belongs to the address of the server. Without a scheme, such as
            ``host/artifactory``, it is read as https.

    Returns:
        User name, and password or API key; ``("anonymous", "")`` if nothing is configured.

    Raises:
        InvalidURLError: If it is not an http or https URL, or contains credentials.
        CredentialsError: If the section is malformed, has only a user name or a password, or a value that cannot be
            sent.

    See: https://github.com/devopshq/artifactory, "Global Configuration File"
    """
    server = server_of(_with_scheme(url), look_up_servers())
    found = resolve_ancestor(server, environ=os.environ, read=read_text_if_exists, home=_home())
    return found.username, found.secret


authentication = authentification


def _with_scheme(url: URLLike) -> URLLike:
    """The URL, with ``https://`` added if it begins with a host."""
    return f"https://{url}" if isinstance(url, str) and _HOST_FIRST.match(url) else url


def resolve_credentials(url: URLLike) -> Credentials:
    """
    Find the credentials that a session would use for a server, and their source.

    The first source that has some for the server is used, and no other: ``ARTIFACTORY_USERNAME`` with
    ``ARTIFACTORY_API_KEY``; ``JF_ACCESS_TOKEN``, or ``JF_USER`` with ``JF_PASSWORD``, where ``JF_URL`` is the server;
    ``~/.artifactory_python.cfg`` (``DOHQ_ARTIFACTORY_PYTHON_CFG`` moves it); jfrog-cli's configuration
    (``JFROG_CLI_HOME_DIR`` moves it, ``JFROG_CLI_SERVER_ID`` names the entry if there are several for one server; an
    encrypted one needs the extra ``jfrog``, and the key in ``JFROG_CLI_ENCRYPTION_KEY`` or in jfrog-cli's
    ``security.yaml``); ``~/.netrc`` (``NETRC`` moves it); anonymous. Reads small files, without a request; nothing is
    cached. A session reads them again when one of the files changes, and after a 401.

    A source that cannot be read, or has an error in the entry of another server, is skipped: ``skipped`` has the
    reasons.

    Args:
        url: Any URL on the server. Its path up to ``/artifactory``, or up to another context path that ``JF_URL``, a
            section of the cfg file or an entry of jfrog-cli names, belongs to the address of the server.

    Returns:
        The credentials, with their ``source``; their repr hides the secret.

    Raises:
        InvalidURLError: If it is not an absolute http or https URL, or contains credentials.
        CredentialsError: If the entry of the server is malformed, or has a value that cannot be sent.
    """
    return look_up(server_of(url, look_up_servers()))


def resolve_server() -> ConfiguredServer:
    """
    Find the default server of this machine, and its source.

    The first of ``AIOARTIFACT_SERVER``, ``JF_URL`` and the default server of jfrog-cli (``JFROG_CLI_SERVER_ID`` names
    another entry, ``JFROG_CLI_HOME_DIR`` moves the file) that is set. ``JF_URL`` and jfrog-cli may have the address of
    a platform: its Artifactory is at ``/artifactory`` below. Reads a small file, without a request; nothing is cached.
    The command line uses it for ``aioartifact ls generic-local/path``.

    Raises:
        ConfigurationError: If no server is configured, or a variable is not the URL of a server.
    """
    return default_server(environ=os.environ, read=read_text_if_exists, home=_home())


def look_up(server: ServerURL) -> Credentials:
    """Find the credentials for *server*, see :func:`resolve_credentials`."""
    return resolve(server, environ=os.environ, read=read_text_if_exists, home=_home())


def look_up_with_changes(server: ServerURL) -> Provided:
    """Look up the credentials for *server*, so that a session follows changes of the files they are in; blocks."""
    source = _ConfiguredCredentials(server)
    return Provided(
        "the configuration of this machine",
        source.fetch,
        may_change_user=True,
        interval=_CHECK_SECONDS,
        first=source.read(),
    )


class _ConfiguredCredentials:
    """Credentials of the environment and the files of this machine, read again once a file has changed."""

    def __init__(self, server: ServerURL) -> None:
        self._server = server
        self._files: object = None
        self._credentials: Credentials | None = None

    async def fetch(
        self, server: ServerURL, send: SendToken, current: Credentials | None, *, is_refused: bool
    ) -> Credentials:
        return await anyio.to_thread.run_sync(partial(self.read, force=is_refused))

    def read(self, *, force: bool = False) -> Credentials:
        """Look them up if *force*, or if a file has changed since the last time."""
        files = tuple(map(_version_of, credential_files(environ=os.environ, home=_home())))
        if force or self._credentials is None or files != self._files:
            found = look_up(self._server)
            # A file that has no credentials any more may be incomplete: another program writes it at this moment.
            if self._credentials is None or found.kind != "anonymous":
                self._credentials = found
            self._files = files
        return self._credentials


def _version_of(path: Path) -> tuple[int, int, int] | None:
    """Return what differs after a file was written or replaced; None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def servers_for(url: URLLike) -> tuple[ServerURL, ...]:
    """Find the configured servers that may matter for *url*; blocks."""
    return () if _NAMES_ARTIFACTORY.match(text_of_url(url)) else look_up_servers()


def look_up_servers() -> tuple[ServerURL, ...]:
    """Find the servers of the user's configuration whose context path cannot be seen in a URL; blocks."""
    return configured_servers(environ=os.environ, read=read_text_if_exists, home=_home())


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        # A container may run as a user that has no home, and so none of these files either.
        return Path("/nonexistent")
