"""The order in which sources are searched."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from .._address import ServerURL
from .ancestor import cfg_source, from_ancestor_environment
from .jfrog import from_jfrog_environment, jfrog_cli_source, servers_in_jfrog_environment
from .netrc import netrc_source
from .sources import FileSource, Read, from_file, servers_in_file, shown_path, with_context_path
from .value import NONE_FOUND, Credentials, Found, Skipped


def _file_sources(environ: Mapping[str, str], home: Path, *, read: Read, now: float = 0.0) -> tuple[FileSource, ...]:
    """List the files that are searched, in order."""
    return (
        cfg_source(environ, home),
        jfrog_cli_source(environ, home, read=read, now=now),
        netrc_source(environ, home),
    )


def resolve(
    server: ServerURL,
    *,
    environ: Mapping[str, str],
    read: Read,
    home: Path,
    clock: Callable[[], float] = time.time,
) -> Credentials:
    """
    Find the credentials for *server* in the first source that has an entry for it.

    The order is environment, files, anonymous; `aioartifact.resolve_credentials` documents all sources. A source that
    cannot be read is skipped.

    Args:
        server: Requested server.
        environ: Environment variables.
        read: Reads a text file; None if it does not exist.
        home: Home folder of the user.
        clock: Returns the seconds since the epoch.

    Raises:
        CredentialsError: If the entry of *server* is malformed, or cannot be sent.
    """
    now = clock()
    variables = [
        lambda: from_ancestor_environment(environ),
        lambda: from_jfrog_environment(environ, server, now=now),
    ]
    files = _file_sources(environ, home, read=read, now=now)
    return _first(variables, files, server=server, read=read, home=home)


def credential_files(*, environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """List the files that :func:`resolve` reads."""
    sources = _file_sources(environ, home, read=lambda _: None)
    return tuple(path for source in sources for path in (source.path, *source.beside))


def resolve_ancestor(server: ServerURL, *, environ: Mapping[str, str], read: Read, home: Path) -> Credentials:
    """
    Find the credentials for *server* in the sources of audfactory: two variables, a file, anonymous.

    Args:
        server: Requested server.
        environ: Environment variables.
        read: Reads a text file; None if it does not exist.
        home: Home folder of the user.

    Raises:
        CredentialsError: See :func:`resolve`.
    """
    variables = [lambda: from_ancestor_environment(environ)]
    return _first(variables, [cfg_source(environ, home)], server=server, read=read, home=home)


def _first(
    variables: Iterable[Callable[[], Found]], files: Sequence[FileSource], *, server: ServerURL, read: Read, home: Path
) -> Credentials:
    look = partial(from_file, server=server, read=read, home=home)
    searches: list[Callable[[], Found]] = [*variables, *(partial(look, source) for source in files)]
    skipped: list[str] = []
    for search in searches:
        found = search()
        if isinstance(found, Credentials):
            return replace(found, skipped=tuple(skipped))
        if isinstance(found, Skipped):
            skipped.append(str(found))
    *others, last = ["the environment", *(shown_path(source.path, home) for source in files)]
    source = f"{NONE_FOUND} in {', '.join(others)} and {last}"
    return replace(Credentials.anonymous(source=source), skipped=tuple(skipped))


def configured_servers(*, environ: Mapping[str, str], read: Read, home: Path) -> tuple[ServerURL, ...]:
    """
    List the configured servers whose context path is not ``/artifactory``.

    They come from ``JF_URL``, the sections of ``~/.artifactory_python.cfg`` and the entries of jfrog-cli.

    Args:
        environ: Environment variables.
        read: Reads a text file; None if it does not exist.
        home: Home folder of the user.
    """
    found = [*servers_in_jfrog_environment(environ)]
    for source in _file_sources(environ, home, read=read):
        found += servers_in_file(source, read=read, home=home)
    return with_context_path(found)
