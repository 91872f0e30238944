"""JFrog's own sources: the environment variables of its CI actions, and the configuration of jfrog-cli."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .._address import ServerURL
from .jfrog_encryption import decrypted, master_key, security_path
from .sources import FileSource, Read, artifactory_of, moved_path, read_address, serves
from .validity import claims_of, number_in
from .value import Credentials, Found, Skipped

# jfrog-cli exchanges a password for tokens that live for an hour, and keeps both.
_EXCHANGED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class _Login:
    """The credentials of an entry; missing ones are empty."""

    token: str
    user: str
    password: str


def jfrog_cli_source(environ: Mapping[str, str], home: Path, *, read: Read, now: float) -> FileSource:
    """Return the configuration of jfrog-cli in ``~/.jfrog``, or in the folder ``JFROG_CLI_HOME_DIR``."""
    path = jfrog_cli_path(environ, home)
    key = partial(master_key, environ, folder=path.parent, read=read, home=home)
    parse = partial(from_jfrog_cli, now=now, server_id=environ.get("JFROG_CLI_SERVER_ID", ""), key=key)
    return FileSource(path, parse, servers_in_jfrog_cli, (security_path(path.parent),))


def jfrog_cli_path(environ: Mapping[str, str], home: Path) -> Path:
    """Path of the configuration of jfrog-cli."""
    return moved_path(environ.get("JFROG_CLI_HOME_DIR"), home / ".jfrog", home) / "jfrog-cli.conf.v6"


def from_jfrog_environment(environ: Mapping[str, str], server: ServerURL, *, now: float = 0.0) -> Found:
    """
    Read ``JF_ACCESS_TOKEN``, or ``JF_USER`` and ``JF_PASSWORD``, if ``JF_URL`` is this server.

    ``JF_URL`` may be the address of the platform, as for JFrog's own tools, or of its Artifactory. An empty variable
    counts as not set, because CI systems set missing secrets to empty values. Without a valid ``JF_URL``, the
    credentials are skipped, because they may be for any server. An expired token is not used if there are user and
    password.

    Args:
        environ: Environment variables.
        server: Requested server.
        now: Seconds since the epoch; with 0, no token has expired.

    Raises:
        CredentialsError: If they cannot be sent.

    See: https://github.com/jfrog/setup-jfrog-cli
    """
    token, user, password = (environ.get(f"JF_{name}", "") for name in ("ACCESS_TOKEN", "USER", "PASSWORD"))
    if token and user and password and _is_expired(token, now):
        token = ""
    source = "environment JF_ACCESS_TOKEN" if token else "environment JF_USER"
    if not (token or (user and password)):
        return None
    if not environ.get("JF_URL"):
        return Skipped(source, "JF_URL is not set")
    address = read_address(environ["JF_URL"])
    if address is None:
        return Skipped("environment JF_URL", "expected an absolute URL such as https://host, without credentials")
    return _credentials(_Login(token, user, password), source) if serves(address, server) else None


def servers_in_jfrog_environment(environ: Mapping[str, str]) -> Iterator[ServerURL]:
    """Return the server of ``JF_URL``."""
    if address := read_address(environ.get("JF_URL", "")):
        yield address


def _no_key() -> str | Skipped:
    return Skipped("environment", "no key")


def from_jfrog_cli(
    text: str,
    server: ServerURL,
    name: str,
    *,
    now: float = 0.0,
    server_id: str = "",
    key: Callable[[], str | Skipped] = _no_key,
) -> Found:
    """
    Read jfrog-cli's ``jfrog-cli.conf.v6``.

    Of several entries for this server, the one named *server_id* is used, otherwise the default one. A file that is
    empty, malformed, or encrypted with an unknown key is skipped, as are entries without token and password (client
    certificates, SSH keys). Refresh tokens are not used: that would log jfrog-cli out. If there are user and password,
    a token is not used if it has expired, or was issued for an hour: jfrog-cli requested that one with the password.

    Args:
        text: Content of the file.
        server: Requested server.
        name: Name of the file in messages.
        now: Seconds since the epoch; with 0, no token has expired.
        server_id: Value of ``JFROG_CLI_SERVER_ID``.
        key: Finds the key of an encrypted file.

    Raises:
        CredentialsError: If the credentials cannot be sent.

    See: https://github.com/jfrog/jfrog-cli-core/blob/master/utils/config/config.go
    """
    config = _parse_json(text)
    if isinstance(config, str):
        return Skipped(f"file {name}", config)
    entries = [entry for entry in _entries(config) if any(serves(a, server) for a in _addresses(entry))]
    if not entries:
        return None
    if config.get("enc"):
        opened = _decrypted(entries, key)
        if isinstance(opened, str):
            return Skipped(f"file {name}", f"encrypted by jfrog-cli; {opened}")
        entries = opened
    entries.sort(key=lambda entry: (_text(entry, "serverId") != server_id, not entry.get("isDefault")))
    sources = [f"file {name} server id {_text(entry, 'serverId')}" for entry in entries]
    found = (_credentials(_login(entry, now), source) for entry, source in zip(entries, sources, strict=True))
    return next(filter(None, found), None) or Skipped(sources[0], "no access token, and no user with a password")


def _decrypted(entries: list[dict[str, Any]], key: Callable[[], str | Skipped]) -> list[dict[str, Any]] | str:
    """Decrypt only the secrets that may be sent; return the reason if that fails."""
    found = key()
    if isinstance(found, Skipped):
        return str(found)
    opened: list[dict[str, Any]] = []
    try:
        for entry in entries:
            secrets = {name: decrypted(_text(entry, name), found) for name in ("accessToken", "password")}
            if None in secrets.values():
                return "with another key"
            opened.append({**entry, **secrets})
    except ImportError:
        return "reading it needs `pip install 'aioartifact[jfrog]'`"
    return opened


def servers_in_jfrog_cli(text: str) -> Iterator[ServerURL]:
    """Return the servers of the entries."""
    config = _parse_json(text)
    if not isinstance(config, str):
        for entry in _entries(config):
            yield from _addresses(entry)


def default_of_jfrog_cli(text: str, name: str, server_id: str = "") -> tuple[ServerURL, str] | Skipped | None:
    """
    Find the server that jfrog-cli uses if a command names none, and its source.

    That is the entry named *server_id*, else the default one, else the only one. Its Artifactory is at
    ``artifactoryUrl``, else at ``/artifactory`` below the address of the platform.

    Args:
        text: Content of the file.
        name: Name of the file in messages.
        server_id: Value of ``JFROG_CLI_SERVER_ID``.

    Returns:
        The server and its source; the reason if there are entries, but none can be used; None if there is no entry.
    """
    config = _parse_json(text)
    if isinstance(config, str):
        return Skipped(f"file {name}", config)
    entries = _entries(config)
    if not entries:
        return None
    if server_id:
        entries = [entry for entry in entries if _text(entry, "serverId") == server_id]
        missing = f"no server id {server_id}, which JFROG_CLI_SERVER_ID names"
    else:
        missing = f"none of {len(entries)} servers is the default"
        entries = [entry for entry in entries if entry.get("isDefault") is True or len(entries) == 1]
    if not entries:
        return Skipped(f"file {name}", missing)
    source, addresses = f"file {name} server id {_text(entries[0], 'serverId')}", _addresses(entries[0])
    return (artifactory_of(addresses[0]), source) if addresses else Skipped(source, "no URL")


def _parse_json(text: str) -> dict[str, Any] | str:
    """Parse the file; return what is wrong with it if it is malformed."""
    if not text.strip():
        return "empty"
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        # Only JSONDecodeError has the line; the errors for very long numbers and deep nesting do not.
        return _malformed(getattr(error, "lineno", 1))
    return config if isinstance(config, dict) else _malformed(1)


def _malformed(line: int) -> str:
    return f"line {line} is malformed; expected the JSON object that `jf config` writes"


def _entries(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    servers = config.get("servers")
    return [entry for entry in servers if isinstance(entry, dict)] if isinstance(servers, list) else []


def _addresses(entry: Mapping[str, Any]) -> list[ServerURL]:
    return [a for key in ("artifactoryUrl", "url") if (a := read_address(_text(entry, key)))]


def _login(entry: Mapping[str, Any], now: float) -> _Login:
    login = _Login(_text(entry, "accessToken"), _text(entry, "user"), _text(entry, "password"))
    if login.user and login.password and (_is_expired(login.token, now) or _is_exchanged(login.token)):
        return _Login("", login.user, login.password)
    return login


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _credentials(login: _Login, source: str) -> Credentials | None:
    """Choose as jfrog-cli does: a token before a password; an API key is not a token, in whichever field it is."""
    user, secret = login.user, login.token or login.password
    if secret.startswith("AKCp8") and len(secret) >= 73:
        return Credentials.basic(user, secret, source=source) if user else Credentials.api_key(secret, source=source)
    if login.token:
        return Credentials.bearer(login.token, source=source)
    return Credentials.basic(user, secret, source=source) if user and secret else None


def _is_expired(token: str, now: float) -> bool:
    expiry = number_in(claims_of(token), "exp")
    return expiry is not None and expiry <= now


def _is_exchanged(token: str) -> bool:
    claims = claims_of(token)
    issued, expiry = number_in(claims, "iat"), number_in(claims, "exp")
    return issued is not None and expiry is not None and expiry - issued <= _EXCHANGED_SECONDS
