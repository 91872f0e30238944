"""The two sources of audfactory: a pair of environment variables, and dohq-artifactory's file."""

import configparser
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from .._address import ServerURL
from .._errors import CredentialsError
from .sources import FileSource, moved_path, over_tls, read_address
from .value import Credentials, Found, Skipped

_EXPECTED = "expected sections [host/artifactory] with a username and a password, each once"
_DEFAULT = configparser.DEFAULTSECT

_Lines: TypeAlias = Sequence[tuple[str | None, str]]
"""The lines of a file, each with the name of the section it belongs to; None before the first one."""


def cfg_source(environ: Mapping[str, str], home: Path) -> FileSource:
    """``~/.artifactory_python.cfg``, or the file that ``DOHQ_ARTIFACTORY_PYTHON_CFG`` names."""
    path = moved_path(environ.get("DOHQ_ARTIFACTORY_PYTHON_CFG"), home / ".artifactory_python.cfg", home)
    return FileSource(path, from_cfg, servers_in_cfg)


def from_ancestor_environment(environ: Mapping[str, str]) -> Found:
    """
    Read ``ARTIFACTORY_USERNAME`` and ``ARTIFACTORY_API_KEY``, which are used for every server.

    They are used only if both are set. An empty value counts as set, as in audfactory, whose users set ``anonymous``
    and an empty key for anonymous access.

    Args:
        environ: Environment variables.

    Raises:
        CredentialsError: If they cannot be sent.
    """
    username, key = environ.get("ARTIFACTORY_USERNAME"), environ.get("ARTIFACTORY_API_KEY")
    if username is not None and key is not None:
        return Credentials.basic(username, key, source="environment ARTIFACTORY_USERNAME")
    if username is None and key is None:
        return None
    present, missing = ("ARTIFACTORY_USERNAME", "ARTIFACTORY_API_KEY")[:: 1 if key is None else -1]
    return Skipped(f"environment {present}", f"{missing} is not set")


def from_cfg(text: str, server: ServerURL, name: str) -> Found:
    """
    Read ``~/.artifactory_python.cfg``, whose sections are named after servers.

    A section without a scheme is for http and https; one with http is for https, too, but not the reverse. It applies
    to its address and everything below. The longest matching section is used, then the one with the scheme of *server*.
    Sections of other servers are not parsed, so their errors are ignored. A section without user name and password is
    skipped.

    Args:
        text: Content of the file.
        server: Requested server.
        name: Name of the file in messages.

    Raises:
        CredentialsError: If the section of *server* is malformed, or has only a user name or only a password. The
            message contains file, and line or section, and nothing else.

    See: https://github.com/devopshq/artifactory, "Global Configuration File"
    """
    lines = _split(text)
    sections = _sections_for(server, lines)
    for section in sections:
        if credentials := _from_section(section, lines, name):
            return credentials
    if sections:
        return Skipped(f"file {name} section [{sections[0]}]", "no username and no password")
    return _misunderstood(text, name)


def servers_in_cfg(text: str) -> Iterator[ServerURL]:
    """Return the servers of the sections."""
    for section in _names(_split(text)):
        for scheme in ("http", "https"):
            if address := _address_of_section(section, scheme):
                yield address


def _split(text: str) -> _Lines:
    """
    Find the section of each line.

    Indented lines continue a value, as in configparser. A header without a closing bracket starts a section without a
    name.
    """
    section: str | None = None
    indent = sys.maxsize  # of the latest option: lines that are indented further continue its value
    lines: list[tuple[str | None, str]] = []
    for line in text.split("\n"):
        content = line.strip()
        if content and content[0] not in "#;" and (depth := len(line) - len(line.lstrip())) <= indent:
            indent = depth
            if content.startswith("["):
                header = configparser.ConfigParser.SECTCRE.match(content)
                section, indent = header["header"] if header else "", sys.maxsize
        lines.append((section, line))
    return lines


def _names(lines: _Lines) -> Sequence[str]:
    return [section for section in dict.fromkeys(owner for owner, _ in lines) if section and section != _DEFAULT]


def _sections_for(server: ServerURL, lines: _Lines) -> list[str]:
    """Return the sections for *server*, the most specific one first."""
    addresses = [(name, _address_of_section(name, server.scheme)) for name in _names(lines)]
    matching = [(len(a.context_path), _fit(name, server), name) for name, a in addresses if a and server.is_below(a)]
    return [name for *_, name in sorted(matching, key=lambda match: match[:2], reverse=True)]


def _fit(name: str, server: ServerURL) -> int:
    """Rank a section by its scheme: that of *server*, none, another one."""
    scheme, separator, _ = name.strip().lower().partition("://")
    return 1 if not separator else 2 if scheme == server.scheme else 0


def _address_of_section(name: str, scheme: str) -> ServerURL | None:
    """Return the address of a section with *scheme*; None if it does not apply to that."""
    text = name.strip()
    address = read_address(text if "://" in text else f"{scheme}://{text}")
    if address is None or address.scheme == scheme:
        return address
    return over_tls(address) if scheme == "https" else None


def _from_section(section: str, lines: _Lines, name: str) -> Credentials | None:
    parser = _parse_section(lines, section)
    if isinstance(parser, int):
        raise _malformed(name, parser, _EXPECTED)
    keys = ("username", "password")
    username, password = (parser.get(section, key, raw=True, fallback=None) for key in keys)
    if username is None and password is None:
        return None
    source = f"file {name} section [{section}]"
    if username is None or password is None:
        missing = "username" if username is None else "password"
        raise CredentialsError(f"read {name}: section [{section}] has no {missing}", source=source)
    if "%" in username + password and _interpolates(lines):
        username, password = (parser.get(section, key) for key in keys)
    return Credentials.basic(username, password, source=source)


def _parse_section(lines: _Lines, section: str) -> configparser.ConfigParser | int:
    """Parse one section and [DEFAULT]; return the number of the first malformed line if there is one."""
    # Other lines become comments, which keeps the numbers of the lines.
    return _parse("\n".join(line if owner in (section, _DEFAULT) else "#" for owner, line in lines))


def _parse(text: str) -> configparser.ConfigParser | int:
    parser = configparser.ConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        return _line_of(error)
    return parser


def _line_of(error: configparser.Error) -> int:
    """Return the line of the first error: some exceptions have one line, others a list."""
    faults: list[tuple[int, str]] = getattr(error, "errors", [])
    line: int | None = getattr(error, "lineno", None)
    return line or min((number for number, _ in faults), default=1)


def _misunderstood(text: str, name: str) -> Skipped | None:
    """Report a malformed line if there is no section for the server: it may be its header."""
    parser = _parse(text)
    return Skipped(f"file {name}", f"line {parser} is malformed; {_EXPECTED}") if isinstance(parser, int) else None


def _interpolates(lines: _Lines) -> bool:
    """
    Return whether configparser's interpolation, which turns ``%%`` into ``%``, can read the file.

    dohq-artifactory uses it for every section. A file with a single ``%``, which it cannot read, was not written for
    it, so its values are literal.
    """
    try:
        for section in _names(lines):
            parser = _parse_section(lines, section)
            for key in ("username", "password", "verify", "cert"):
                if not isinstance(parser, int):
                    parser.get(section, key, fallback=None)
    except configparser.InterpolationError:
        return False
    return True


def _malformed(name: str, line: int, hint: str) -> CredentialsError:
    return CredentialsError(f"read {name}: line {line} is malformed", source=f"{name} line {line}", hint=hint)
