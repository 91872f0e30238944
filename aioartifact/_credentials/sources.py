"""Helpers of the sources: find and read files, and compare servers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from .._address import ServerURL, parse_server_url
from .._errors import InvalidURLError
from .value import Found, Skipped

Read: TypeAlias = Callable[[Path], str | None]
Parser: TypeAlias = Callable[[str, ServerURL, str], Found]


@dataclass(frozen=True, slots=True)
class FileSource:
    """
    A file that may hold credentials.

    Attributes:
        path: Path of the file.
        parse: Finds the credentials for a server in its text.
        servers: Returns the servers in its text; None if the text does not contain them.
        beside: Other files that are read with it.
    """

    path: Path
    parse: Parser
    servers: Callable[[str], Iterable[ServerURL]] | None = None
    beside: tuple[Path, ...] = ()


def moved_path(variable: str | None, default: Path, home: Path) -> Path:
    """Return the path in an environment variable, if it is set."""
    if not variable:
        return default
    path = Path(variable)
    return home.joinpath(*path.parts[1:]) if path.parts[:1] == ("~",) else path


def from_file(source: FileSource, *, server: ServerURL, read: Read, home: Path) -> Found:
    """Find the credentials for *server* in a file."""
    name = shown_path(source.path, home)
    text = read_text(source.path, name, read)
    return source.parse(text, server, name) if isinstance(text, str) else text


def servers_in_file(source: FileSource, *, read: Read, home: Path) -> Iterable[ServerURL]:
    """List the servers in a file; none if it cannot be read."""
    text = read_text(source.path, shown_path(source.path, home), read) if source.servers else None
    return source.servers(text) if source.servers and isinstance(text, str) else ()


def read_text(path: Path, name: str, read: Read) -> str | Skipped | None:
    """Read a file; None if it does not exist. An unreadable file is skipped: it may be for other servers."""
    try:
        return read(path)
    except OSError as error:
        return Skipped(f"file {name}", error.strerror or type(error).__name__)
    except UnicodeError:
        return Skipped(f"file {name}", "neither UTF-8 nor UTF-16")


def shown_path(path: Path, home: Path) -> str:
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def read_address(text: str) -> ServerURL | None:
    try:
        return parse_server_url(text)
    except InvalidURLError:
        return None


def serves(address: ServerURL, server: ServerURL) -> bool:
    """Return whether *address*, of a platform or of its Artifactory, is that of *server*."""
    return server in (address, _artifactory_below(address))


def over_tls(address: ServerURL) -> ServerURL:
    """Return *address* with https: the default port becomes that of https, any other port is kept."""
    return ServerURL("https", address.host, 443 if address.port == 80 else address.port, address.context_path)


def with_context_path(addresses: Iterable[ServerURL]) -> tuple[ServerURL, ...]:
    """
    Return the possible servers of an address whose context path is not ``/artifactory``: platform and Artifactory.

    Paths with a segment ``artifactory`` are left out, because their URLs show where the server ends.
    """
    hidden = [a for a in addresses if a.context_path and "artifactory" not in a.context_path]
    return tuple(dict.fromkeys(server for a in hidden for server in (a, _artifactory_below(a))))


def artifactory_of(address: ServerURL) -> ServerURL:
    """Return the Artifactory of a platform; an address that has a segment ``artifactory`` is one."""
    return address if "artifactory" in address.context_path else _artifactory_below(address)


def _artifactory_below(address: ServerURL) -> ServerURL:
    return ServerURL(address.scheme, address.host, address.port, (*address.context_path, "artifactory"))
