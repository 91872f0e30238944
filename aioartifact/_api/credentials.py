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
    RegisteredProvider,
    SendToken,
    configured_servers,
    credential_files,
    default_server,
    resolve,
    resolve_ancestor,
)
from .._files import read_text_if_exists

# The usual context path; no configured one is longer.
_NAMES_ARTIFACTORY = re.compile(r"[^:]+://[^/]+/artifactory(?:/|\Z)")
# "host", "host:8081/path", "[::1]/path"; with a scheme a slash follows the colon.
_HOST_FIRST = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?(?:/|\Z)")

# How often to check whether a file of credentials has changed, in a session that sends requests.
_CHECK_SECONDS = 5.0


def authentification(url: URLLike) -> tuple[str, str]:
    """
    Find user name and secret for a server in two sources, as audfactory does; no request.

    The first source is ``ARTIFACTORY_USERNAME`` with ``ARTIFACTORY_API_KEY``, which are used for every server. The
    second is the section for the server in ``~/.artifactory_python.cfg`` (``DOHQ_ARTIFACTORY_PYTHON_CFG`` names another
    file): host, port and path segments must match; a section for http is used for https, too. Nothing is cached, and a
    file that cannot be read is skipped.

    Sessions use :func:`resolve_credentials`, which has more sources.

    Args:
        url: Any URL on the server. The base address ends at ``/artifactory``, or at another context path in the user's
            configuration. A URL without a scheme, such as ``host/artifactory``, is read as https.

    Returns:
        User name, and password or API key; ``("anonymous", "")`` if nothing is configured.

    Raises:
        InvalidURLError: If *url* is not an http or https URL, or contains credentials.
        CredentialsError: If the section is malformed, has only a user name or only a password, or has a value that
            cannot be sent.

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

    The first source with an entry for the server is used:

    - ``ARTIFACTORY_USERNAME`` with ``ARTIFACTORY_API_KEY``, for every server
    - ``JF_ACCESS_TOKEN``, or ``JF_USER`` with ``JF_PASSWORD``, for the server ``JF_URL``
    - ``~/.artifactory_python.cfg``, or the file that ``DOHQ_ARTIFACTORY_PYTHON_CFG`` names
    - the configuration of jfrog-cli, in the folder ``JFROG_CLI_HOME_DIR`` if set; ``JFROG_CLI_SERVER_ID`` selects one
      of several entries for a server. An encrypted one needs the extra ``jfrog``, and the key in
      ``JFROG_CLI_ENCRYPTION_KEY`` or in jfrog-cli's ``security.yaml``
    - ``~/.netrc``, or the file that ``NETRC`` names
    - anonymous

    A source that cannot be read, or has an error in the entry of another server, is skipped: ``skipped`` has the
    reasons. No request is sent, and nothing is cached. A session looks credentials up again when one of the files
    changes, and after a 401.

    Args:
        url: Any URL on the server. The base address ends at ``/artifactory``, or at another context path in ``JF_URL``,
            ``~/.artifactory_python.cfg`` or the configuration of jfrog-cli.

    Returns:
        The credentials, with their ``source``; their repr hides the secret.

    Raises:
        InvalidURLError: If *url* is not an absolute http or https URL, or contains credentials.
        CredentialsError: If the entry for the server is malformed, or has a value that cannot be sent.
    """
    return look_up(server_of(url, look_up_servers()))


def resolve_server() -> ConfiguredServer:
    """
    Find the default server of this machine, and its source.

    It is the first that is set of ``AIOARTIFACT_SERVER``, ``JF_URL`` and the default server of jfrog-cli (in the folder
    ``JFROG_CLI_HOME_DIR`` if set; ``JFROG_CLI_SERVER_ID`` selects another entry). If ``JF_URL`` or jfrog-cli has the
    address of a platform, ``/artifactory`` is appended. No request is sent, and nothing is cached. The command line
    uses this server for paths such as ``generic-local/path``.

    Raises:
        ConfigurationError: If no server is configured, or a variable is not the URL of a server.
    """
    return default_server(environ=os.environ, read=read_text_if_exists, home=_home())


def look_up(server: ServerURL) -> Credentials:
    """Find the credentials for *server*, see :func:`resolve_credentials`."""
    return resolve(server, environ=os.environ, read=read_text_if_exists, home=_home())


def look_up_with_changes(server: ServerURL) -> RegisteredProvider:
    """Look up the credentials for *server*, and follow later changes of their files; blocks."""
    source = _ConfiguredCredentials(server)
    return RegisteredProvider(
        "the configuration of this machine",
        source.fetch,
        may_change_user=True,
        interval=_CHECK_SECONDS,
        first=source.read(),
    )


class _ConfiguredCredentials:
    """Credentials of the environment and the files of this machine; read again when a file changes."""

    def __init__(self, server: ServerURL) -> None:
        self._server = server
        self._files: object = None
        self._credentials: Credentials | None = None

    async def fetch(
        self, server: ServerURL, send: SendToken, current: Credentials | None, *, is_refused: bool
    ) -> Credentials:
        return await anyio.to_thread.run_sync(partial(self.read, force=is_refused))

    def read(self, *, force: bool = False) -> Credentials:
        """Look the credentials up again if *force*, or if a file has changed."""
        files = tuple(map(_version_of, credential_files(environ=os.environ, home=_home())))
        if force or self._credentials is None or files != self._files:
            found = look_up(self._server)
            # A file without credentials may be incomplete, because another program is writing it.
            if self._credentials is None or found.kind != "anonymous":
                self._credentials = found
            self._files = files
        return self._credentials


def _version_of(path: Path) -> tuple[int, int, int] | None:
    """Return values that change when a file is written or replaced; None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def servers_for(url: URLLike) -> tuple[ServerURL, ...]:
    """Find the configured servers that *url* may belong to; blocks."""
    return () if _NAMES_ARTIFACTORY.match(text_of_url(url)) else look_up_servers()


def look_up_servers() -> tuple[ServerURL, ...]:
    """Find the configured servers whose context path is not ``/artifactory``; blocks."""
    return configured_servers(environ=os.environ, read=read_text_if_exists, home=_home())


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        # A container may run as a user without a home folder, so without these files.
        return Path("/nonexistent")
