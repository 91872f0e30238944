"""The order in which sources are asked."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from .._address import ServerURL
from .ancestor import from_ancestor_environment, from_cfg
from .files import Read, cfg_path, from_file, jfrog_cli_path, netrc_path
from .jfrog import from_jfrog_cli, from_jfrog_environment
from .netrc import from_netrc
from .value import Credentials


def resolve(server: ServerURL, *, environ: Mapping[str, str], read: Read, home: Path) -> Credentials:
    """
    Find the credentials for *server*; the first source that knows it wins whole.

    In this order: ``ARTIFACTORY_USERNAME`` with ``ARTIFACTORY_API_KEY``; ``JF_ACCESS_TOKEN``, or ``JF_USER``
    with ``JF_PASSWORD``, where ``JF_URL`` is this server; ``~/.artifactory_python.cfg``
    (``DOHQ_ARTIFACTORY_PYTHON_CFG`` moves it); jfrog-cli's configuration (``JFROG_CLI_HOME_DIR`` moves it,
    ``JFROG_CLI_SERVER_ID`` chooses among entries for one server);
    ``~/.netrc`` (``NETRC`` moves it); anonymous.

    Args:
        server: Server asked about.
        environ: Environment variables.
        read: Reads a text file; None where there is none.
        home: Home folder of the user.

    Raises:
        CredentialsError: A source cannot be read, is malformed, or holds what cannot be sent.
    """
    look = partial(from_file, server=server, read=read, home=home)
    from_cli = partial(from_jfrog_cli, server_id=environ.get("JFROG_CLI_SERVER_ID", ""))
    return (
        from_ancestor_environment(environ)
        or from_jfrog_environment(environ, server)
        or look(from_cfg, cfg_path(environ, home))
        or look(from_cli, jfrog_cli_path(environ, home))
        or look(from_netrc, netrc_path(environ, home))
        or Credentials.anonymous(source="no source that knows the server")
    )


def resolve_ancestor(server: ServerURL, *, environ: Mapping[str, str], read: Read, home: Path) -> Credentials:
    """
    Find the credentials for *server* where the ancestor looked: its two variables, its file, anonymous.

    Args:
        server: Server asked about.
        environ: Environment variables.
        read: Reads a text file; None where there is none.
        home: Home folder of the user.

    Raises:
        CredentialsError: See :func:`resolve`.
    """
    return (
        from_ancestor_environment(environ)
        or from_file(from_cfg, cfg_path(environ, home), server=server, read=read, home=home)
        or Credentials.anonymous(source="no source that knows the server")
    )
