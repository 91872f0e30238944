"""The order in which sources are searched."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from .._address import ServerURL
from .ancestor import from_ancestor_environment, from_cfg, servers_in_cfg
from .jfrog import from_jfrog_cli, from_jfrog_environment, servers_in_jfrog_cli, servers_in_jfrog_environment
from .jfrog_encryption import master_key, security_path
from .netrc import from_netrc
from .sources import Read, cfg_path, from_file, jfrog_cli_path, netrc_path, read_text, shown_path, with_context_path
from .value import NONE_FOUND, Credentials, Found, Skipped


def resolve(
    server: ServerURL,
    *,
    environ: Mapping[str, str],
    read: Read,
    home: Path,
    clock: Callable[[], float] = time.time,
) -> Credentials:
    """
    Find the credentials for *server*; the first source that knows it wins whole.

    In this order: ``ARTIFACTORY_USERNAME`` with ``ARTIFACTORY_API_KEY``; ``JF_ACCESS_TOKEN``, or ``JF_USER``
    with ``JF_PASSWORD``, where ``JF_URL`` is this server; ``~/.artifactory_python.cfg``
    (``DOHQ_ARTIFACTORY_PYTHON_CFG`` moves it); jfrog-cli's configuration (``JFROG_CLI_HOME_DIR`` moves it,
    ``JFROG_CLI_SERVER_ID`` chooses among entries for one server, ``JFROG_CLI_ENCRYPTION_KEY`` or
    ``security/security.yaml`` has the key of an encrypted one); ``~/.netrc`` (``NETRC`` moves it); anonymous. A source
    that cannot be read is skipped.

    Args:
        server: Requested server.
        environ: Environment variables.
        read: Reads a text file; None where there is none.
        home: Home folder of the user.
        clock: Returns the seconds since the epoch.

    Raises:
        CredentialsError: The entry of *server* is malformed, or holds what cannot be sent.
    """
    now = clock()
    cfg, cli, netrc = cfg_path(environ, home), jfrog_cli_path(environ, home), netrc_path(environ, home)
    key = partial(master_key, environ, folder=cli.parent, read=read, home=home)
    from_cli = partial(from_jfrog_cli, now=now, server_id=environ.get("JFROG_CLI_SERVER_ID", ""), key=key)
    look = partial(from_file, server=server, read=read, home=home)
    sources: list[Callable[[], Found]] = [
        lambda: from_ancestor_environment(environ),
        lambda: from_jfrog_environment(environ, server, now=now),
        lambda: look(from_cfg, cfg),
        lambda: look(from_cli, cli),
        lambda: look(from_netrc, netrc),
    ]
    return _first(sources, [shown_path(path, home) for path in (cfg, cli, netrc)])


def credential_files(*, environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Name the files that :func:`resolve` reads."""
    cli = jfrog_cli_path(environ, home)
    return cfg_path(environ, home), cli, security_path(cli.parent), netrc_path(environ, home)


def resolve_ancestor(server: ServerURL, *, environ: Mapping[str, str], read: Read, home: Path) -> Credentials:
    """
    Find the credentials for *server* where the ancestor looked: its two variables, its file, anonymous.

    Args:
        server: Requested server.
        environ: Environment variables.
        read: Reads a text file; None where there is none.
        home: Home folder of the user.

    Raises:
        CredentialsError: See :func:`resolve`.
    """
    cfg = cfg_path(environ, home)
    sources: list[Callable[[], Found]] = [
        lambda: from_ancestor_environment(environ),
        lambda: from_file(from_cfg, cfg, server=server, read=read, home=home),
    ]
    return _first(sources, [shown_path(cfg, home)])


def _first(sources: Iterable[Callable[[], Found]], files: list[str]) -> Credentials:
    skipped: list[str] = []
    for search in sources:
        found = search()
        if isinstance(found, Credentials):
            return replace(found, skipped=tuple(skipped))
        if isinstance(found, Skipped):
            skipped.append(str(found))
    *others, last = ["the environment", *files]
    source = f"{NONE_FOUND} in {', '.join(others)} and {last}"
    return replace(Credentials.anonymous(source=source), skipped=tuple(skipped))


def configured_servers(*, environ: Mapping[str, str], read: Read, home: Path) -> tuple[ServerURL, ...]:
    """
    Name the servers of the user's configuration whose context path cannot be seen in a URL.

    They come from ``JF_URL``, the sections of ``~/.artifactory_python.cfg`` and the entries of jfrog-cli.

    Args:
        environ: Environment variables.
        read: Reads a text file; None where there is none.
        home: Home folder of the user.
    """
    cfg, cli = cfg_path(environ, home), jfrog_cli_path(environ, home)
    found = [*servers_in_jfrog_environment(environ)]
    for path, parse in ((cfg, servers_in_cfg), (cli, servers_in_jfrog_cli)):
        text = read_text(path, shown_path(path, home), read)
        found += parse(text) if isinstance(text, str) else []
    return with_context_path(found)
