"""Files that hold credentials: where they are, and what is said about those that cannot be read."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from .._address import ServerURL
from .._errors import CredentialsError
from .value import Found, Skipped

Read: TypeAlias = Callable[[Path], str | None]
Parser: TypeAlias = Callable[[str, ServerURL, str], Found]


def cfg_path(environ: Mapping[str, str], home: Path) -> Path:
    return _moved(environ.get("DOHQ_ARTIFACTORY_PYTHON_CFG"), home / ".artifactory_python.cfg", home)


def jfrog_cli_path(environ: Mapping[str, str], home: Path) -> Path:
    return _moved(environ.get("JFROG_CLI_HOME_DIR"), home / ".jfrog", home) / "jfrog-cli.conf.v6"


def netrc_path(environ: Mapping[str, str], home: Path) -> Path:
    return _moved(environ.get("NETRC"), home / ("_netrc" if os.name == "nt" else ".netrc"), home)


def _moved(variable: str | None, default: Path, home: Path) -> Path:
    if not variable:
        return default
    path = Path(variable)
    return home.joinpath(*path.parts[1:]) if path.parts[:1] == ("~",) else path


def from_file(parse: Parser, path: Path, *, server: ServerURL, read: Read, home: Path) -> Found:
    name = shown_path(path, home)
    text = read_text(path, name, read)
    return parse(text, server, name) if isinstance(text, str) else text


def read_text(path: Path, name: str, read: Read) -> str | Skipped | None:
    """Read a file; None if there is none. One that cannot be read is skipped: it may be about other servers."""
    try:
        return read(path)
    except OSError as error:
        return Skipped(f"file {name}", error.strerror or type(error).__name__)
    except UnicodeError:
        return Skipped(f"file {name}", "neither UTF-8 nor UTF-16")


def shown_path(path: Path, home: Path) -> str:
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def malformed(name: str, line: int, hint: str) -> CredentialsError:
    return CredentialsError(f"read {name}: line {line} is malformed", source=f"{name} line {line}", hint=hint)
