"""Named profiles: options for one server each, in a TOML file of the user."""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import aioartifact

CONFIG_VARIABLE = "AIOARTIFACT_CONFIG"
PROFILE_VARIABLE = "AIOARTIFACT_PROFILE"
_TEXT, _SECONDS, _NUMBER, _SWITCH, _WORDS = (
    "a text",
    "a number above 0",
    "an integer",
    "true or false",
    "a list of texts",
)
_KEYS = {
    "server": _TEXT,
    "ca": _TEXT,
    "no-verify": _SWITCH,
    "cert": _TEXT,
    "key": _TEXT,
    "proxy": _TEXT,
    "timeout": _SECONDS,
    "stall": _SECONDS,
    "retries": _NUMBER,
    "user-agent": _TEXT,
    "credential-command": _WORDS,
    "credential-stdin": _TEXT,
    "keyring": "true or a user name",
}
_SECRETS = frozenset({"token", "access-token", "password", "api-key", "user", "username"})
_FILES = frozenset({"ca", "cert", "key"})


class Connection(TypedDict, total=False):
    """Options before the command that a profile may set."""

    ca: Path | None
    no_verify: bool | None
    cert: Path | None
    key: Path | None
    proxy: str | None
    timeout: float | None
    stall: float | None
    retries: int | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """
    Options for one server.

    Attributes:
        source: Its name and file, for messages.
        server: Base address, or None.
        connection: Options for connections.
        auth: Provider of credentials for the server; None looks them up.
        auth_source: What the provider is, for messages.
    """

    source: str
    server: str | None = None
    connection: Connection = field(default_factory=Connection)
    auth: "aioartifact.Command | aioartifact.Keyring | None" = None
    auth_source: str = ""


def config_path(environ: Mapping[str, str], home: Path, platform: str) -> Path:
    """Path of the file with profiles, by the rules of platformdirs."""
    if named := environ.get(CONFIG_VARIABLE, "").strip():
        return home.joinpath(*Path(named).parts[1:]) if Path(named).parts[:1] == ("~",) else Path(named)
    if folder := environ.get("XDG_CONFIG_HOME", "").strip():
        return Path(folder, "aioartifact", "config.toml")
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local", "aioartifact", "config.toml")
    folder_of_user = home / "Library" / "Application Support" if platform == "darwin" else home / ".config"
    return folder_of_user / "aioartifact" / "config.toml"


def read_profile(name: str | None) -> Profile | None:
    """
    Read the profile *name*; None for the one that the file names as its default, if there is one.

    Raises:
        ConfigurationError: If the profile does not exist or is not valid.
        LocalFileError: If the file cannot be read.
    """
    path = config_path(os.environ, _home(), sys.platform)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if name:
            raise _error(path, f"no profile {name!r}: the file does not exist") from None
        return None
    except UnicodeDecodeError:
        raise _error(path, "not UTF-8") from None
    except OSError as error:
        raise aioartifact.LocalFileError.from_os_error("read", str(path), error) from error
    return parse_profile(text, name, path)


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")  # a container may run as a user without a home folder


def parse_profile(text: str, name: str | None, path: Path) -> Profile | None:
    """
    Find a profile in the content of the file at *path*, see :func:`read_profile`.

    Raises:
        ConfigurationError: If it does not exist or is not valid. The message quotes no value.
    """
    content = _parse_toml(text, path)
    profiles = content.pop("profiles", {})
    default = content.pop("default", None)
    if content:
        raise _error(path, f"unknown key {min(content)!r}", "expected default and [profiles.NAME]")
    if not isinstance(profiles, dict) or not all(isinstance(profile, dict) for profile in profiles.values()):
        raise _error(path, "profiles is not a table of tables", "expected [profiles.NAME]")
    if default is not None and not isinstance(default, str):
        raise _error(path, "default is not the name of a profile")
    wanted = name or default
    if not wanted:
        return None
    if wanted not in profiles:
        known = ", ".join(map(repr, sorted(profiles)))
        raise _error(path, f"no profile {wanted!r}", f"expected one of {known}" if known else None)
    return _profile(profiles[wanted], wanted, path)


def _parse_toml(text: str, path: Path) -> dict[str, Any]:
    line: str | None = None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The message may quote a part of the file.
        line = str(error).rpartition("(at line ")[2].partition(",")[0]
    raise _error(path, f"line {line} is malformed" if line.isdigit() else "malformed", "expected TOML")


def _profile(values: dict[str, Any], name: str, path: Path) -> Profile:
    try:
        problem, hint = _problem(values)
        server = aioartifact.url(values["server"]) if not problem and "server" in values else None
        auth, auth_source = (None, "") if problem else _provider(values)
    except aioartifact.InvalidArgumentError as error:
        problem, hint = f": {error.message}", error.hint
    if problem:
        raise _error(path, f"profile {name!r}{problem}", hint)
    connection = {key: _file(value, path) if key in _FILES else value for key, value in values.items()}
    return Profile(f"profile {name} of {path}", server, _connection(connection), auth, auth_source)


def _problem(values: dict[str, Any]) -> tuple[str, str | None]:
    """Return what is wrong with a profile, and a hint; an empty text if nothing is."""
    for key, value in values.items():
        if key in _SECRETS:
            return f" has the key {key!r}, and a profile has no credentials", "set credential-command or keyring"
        if key not in _KEYS:
            return f" has the unknown key {key!r}", f"expected one of {', '.join(_KEYS)}"
        if not _fits(value, _KEYS[key]):
            return f": {key} is not {_KEYS[key]}", None
    if "credential-stdin" in values and "credential-command" not in values:
        return ": credential-stdin needs credential-command", None
    if "credential-command" in values and "keyring" in values:
        return ": credential-command and keyring exclude each other", None
    if not {"credential-command", "keyring"}.isdisjoint(values) and "server" not in values:
        return " has credentials, but no server to send them to", None
    if "key" in values and "cert" not in values:
        return ": key needs cert", None
    if "@" in values.get("proxy", ""):
        return ": proxy has a login", "set HTTPS_PROXY or HTTP_PROXY instead"
    return "", None


def _fits(value: object, expected: str) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match expected:
        case "a text":
            return isinstance(value, str) and bool(value)
        case "a number above 0":
            return is_number and isinstance(value, int | float) and 0 < value < float("inf")
        case "an integer":
            return is_number and isinstance(value, int) and value >= 0
        case "true or false":
            return isinstance(value, bool)
        case "a list of texts":
            return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)
        case _:
            return value is True or (isinstance(value, str) and bool(value))


def _provider(values: Mapping[str, Any]) -> "tuple[aioartifact.Command | aioartifact.Keyring | None, str]":
    if command := values.get("credential-command"):
        provider = aioartifact.Command(command, stdin=values.get("credential-stdin", "none"))
        return provider, f"command {Path(command[0]).name}"
    if keyring := values.get("keyring"):
        return aioartifact.Keyring(username=None if keyring is True else keyring), "keyring"
    return None, ""


def _file(value: str, path: Path) -> Path:
    """Return the path of a file that is named relative to the file with profiles."""
    return path.parent / os.path.expanduser(value)  # noqa: PTH111  # leaves an unknown user unchanged


def _connection(values: Mapping[str, Any]) -> Connection:
    return {
        "ca": values.get("ca"),
        "no_verify": values.get("no-verify"),
        "cert": values.get("cert"),
        "key": values.get("key"),
        "proxy": values.get("proxy"),
        "timeout": values.get("timeout"),
        "stall": values.get("stall"),
        "retries": values.get("retries"),
        "user_agent": values.get("user-agent"),
    }


def _error(path: Path, problem: str, hint: str | None = None) -> "aioartifact.ConfigurationError":
    return aioartifact.ConfigurationError(f"read {path}: {problem}", source=str(path), hint=hint)
