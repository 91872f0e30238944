"""
netrc, read from text.

The standard library's reader opens the file itself, and returns the ``default`` entry for unknown hosts.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._address import ServerURL
from .sources import FileSource, moved_path
from .value import Credentials, Found, Skipped

# A quoted value ends on its line: a quote left open in one entry must not swallow the next ones.
_NETRC = re.compile(
    r"""
    \#[^\n]*
    | macdef\s.*?(?:\n[ \t]*\n|\Z)
    | (?P<default>default)(?!\S)
    | (?P<key>machine|login|user|account|password)\s+
      (?:"(?P<quoted>(?:\\[^\n]|[^"\\\n])*)"|(?P<plain>(?:\\.|[^\s\\])+))
    | \S+
    """,
    re.VERBOSE | re.DOTALL,
)


def netrc_source(environ: Mapping[str, str], home: Path) -> FileSource:
    """``~/.netrc``, or the file that ``NETRC`` names."""
    default = home / ("_netrc" if os.name == "nt" else ".netrc")
    return FileSource(moved_path(environ.get("NETRC"), default, home), from_netrc)


def from_netrc(text: str, server: ServerURL, name: str) -> Found:
    """
    Read netrc: the first entry for exactly this host that has a password.

    The ``default`` entry is ignored: the owner of the file did not name this server in it.

    Args:
        text: Content of the file.
        server: Requested server.
        name: Name of the file in messages.

    Raises:
        CredentialsError: If they cannot be sent.

    See: https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html
    """
    entries = [entry for entry in _netrc_entries(text) if entry.get("machine", "").lower() == server.host]
    source = f"file {name} machine {server.host}"
    for entry in entries:
        if "password" in entry:
            return Credentials.basic(entry.get("login", ""), entry["password"], source=source)
    return Skipped(source, "no password") if entries else None


def _netrc_entries(text: str) -> Iterator[dict[str, str]]:
    entry: dict[str, str] = {}
    for match in _NETRC.finditer(text):
        key = match["key"]
        if match["default"] or key == "machine":
            yield entry
            entry = {}
        if key:
            value = match["plain"] if match["quoted"] is None else match["quoted"]
            entry["login" if key == "user" else key] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
    yield entry
