"""Files that hold credentials: where they are, and what is said about those that cannot be read."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from .._address import ServerURL
from .._errors import CredentialsError
from .value import Credentials

Read: TypeAlias = Callable[[Path], str | None]
Parser: TypeAlias = Callable[[str, ServerURL, str], Credentials | None]


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


def from_file(parse: Parser, path: Path, *, server: ServerURL, read: Read, home: Path) -> Credentials | None:
    name = f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)
    text = _read(path, name, read)
    # Editors on Windows put a byte order mark first.
    return None if text is None else parse(text.removeprefix("\ufeff"), server, name)


def _read(path: Path, name: str, read: Read) -> str | None:
    try:
        return read(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CredentialsError(f"read {name}: {reason}", source=name, hint="check its permissions") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
    raise malformed(name, line, "save the file as UTF-8")


def malformed(name: str, line: int, hint: str) -> CredentialsError:
    return CredentialsError(f"read {name}: line {line} is malformed", source=f"{name} line {line}", hint=hint)
