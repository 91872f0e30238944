"""The two sources the ancestor knew: a pair of environment variables, and dohq-artifactory's file."""

import configparser
from collections.abc import Mapping

from .._address import ServerURL
from .._errors import CredentialsError
from .addresses import covers, read_address
from .files import malformed
from .value import Credentials


def from_ancestor_environment(environ: Mapping[str, str]) -> Credentials | None:
    """
    Read ``ARTIFACTORY_USERNAME`` and ``ARTIFACTORY_API_KEY``, which hold for every server.

    Both or neither count. Set but empty counts as set, as it did for the ancestor, whose users write
    ``anonymous`` and an empty key to ask for anonymous access.

    Args:
        environ: Environment variables.

    Raises:
        CredentialsError: They cannot be sent.
    """
    username, key = environ.get("ARTIFACTORY_USERNAME"), environ.get("ARTIFACTORY_API_KEY")
    if username is None or key is None:
        return None
    return Credentials.basic(username, key, source="environment ARTIFACTORY_USERNAME")


def from_cfg(text: str, server: ServerURL, name: str) -> Credentials | None:
    """
    Read ``~/.artifactory_python.cfg``, whose sections are named by servers.

    A section with a scheme is for that scheme only, one without for both. It holds for its address and
    everything below; of several the longest wins, and then the one with a scheme.

    Args:
        text: Content of the file.
        server: Server asked about.
        name: Name of the file in messages.

    Raises:
        CredentialsError: The file is malformed, or the section has no user name or no password. The message
            names file, and line or section; it quotes nothing else.

    See: https://github.com/devopshq/artifactory, "Global Configuration File"
    """
    parser = _parse_cfg(text, name)
    section = _section_for(server, parser.sections())
    if section is None:
        return None
    raw = not _interpolates(parser)
    username, password = (parser.get(section, key, raw=raw, fallback=None) for key in ("username", "password"))
    source = f"file {name} section [{section}]"
    if username is None or password is None:
        missing = "username" if username is None else "password"
        raise CredentialsError(f"read {name}: section [{section}] has no {missing}", source=source)
    return Credentials.basic(username, password, source=source)


def _parse_cfg(text: str, name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = _line_of(error)
    else:
        return parser
    raise malformed(name, line, "expected sections [host/artifactory] with a username and a password, each once")


def _line_of(error: configparser.Error) -> int:
    """Line of the first fault: some errors have the one they stopped at, others a list."""
    faults: list[tuple[int, str]] = getattr(error, "errors", [])
    line: int | None = getattr(error, "lineno", None)
    return line or min((number for number, _ in faults), default=1)


def _interpolates(parser: configparser.ConfigParser) -> bool:
    """
    Whether configparser's interpolation, which turns ``%%`` into ``%``, can read the file.

    dohq-artifactory reads every section with it. A file that it cannot read for a lone ``%`` was not written
    for it, and means its values as they stand.
    """
    try:
        for section in parser.sections():
            for key in ("username", "password", "verify", "cert"):
                parser.get(section, key, fallback=None)
    except configparser.InterpolationError:
        return False
    return True


def _section_for(server: ServerURL, names: list[str]) -> str | None:
    addresses = [(name, _address_of_section(name.strip(), server.scheme)) for name in names]
    matching = [(len(a.context_path), "://" in name, name) for name, a in addresses if a and covers(a, server)]
    return max(matching, key=lambda match: match[:2])[2] if matching else None


def _address_of_section(name: str, scheme: str) -> ServerURL | None:
    return read_address(name if "://" in name else f"{scheme}://{name}")
