"""JFrog's own sources: the environment variables of its CI actions, and the configuration of jfrog-cli."""

import json
from collections.abc import Mapping
from typing import Any

from .._address import ServerURL
from .._errors import CredentialsError
from .addresses import read_address, serves
from .files import malformed
from .value import Credentials


def from_jfrog_environment(environ: Mapping[str, str], server: ServerURL) -> Credentials | None:
    """
    Read ``JF_ACCESS_TOKEN``, or ``JF_USER`` and ``JF_PASSWORD``, if ``JF_URL`` is this server.

    ``JF_URL`` may be the address of the platform, as JFrog's own tools have it, or of its Artifactory. Empty
    counts as not set: that is what CI systems make of a secret they do not have.

    Args:
        environ: Environment variables.
        server: Server asked about.

    Raises:
        CredentialsError: They cannot be sent, or ``JF_URL`` is no URL, so that nobody knows whose they are.

    See: https://github.com/jfrog/setup-jfrog-cli
    """
    token, user, password = (environ.get(f"JF_{name}", "") for name in ("ACCESS_TOKEN", "USER", "PASSWORD"))
    source = "environment JF_ACCESS_TOKEN" if token else "environment JF_USER"
    if not environ.get("JF_URL") or not (token or (user and password)):
        return None
    address = read_address(environ["JF_URL"])
    if address is None:
        raise CredentialsError(
            "environment JF_URL: is no address of a server",
            source="environment JF_URL",
            hint="expected an absolute URL such as https://host, without credentials",
        )
    return _from_jfrog(token, user, password, source) if serves(address, server) else None


def from_jfrog_cli(text: str, server: ServerURL, name: str, *, server_id: str = "") -> Credentials | None:
    """
    Read jfrog-cli's ``jfrog-cli.conf.v6``.

    Of several entries for this server the one named *server_id* wins, else the default one. An encrypted file is
    passed over, and so are entries that hold nothing to send (client certificates, SSH keys). Refresh tokens are left
    alone: using one would log jfrog-cli out.

    Args:
        text: Content of the file.
        server: Server asked about.
        name: Name of the file in messages.
        server_id: Value of ``JFROG_CLI_SERVER_ID``.

    Raises:
        CredentialsError: The file is malformed. The message names file and line; it quotes nothing else.

    See: https://github.com/jfrog/jfrog-cli-core/blob/master/utils/config/config.go
    """
    config = _parse_json(text, name)
    servers = config.get("servers") or []
    if config.get("enc") or not isinstance(servers, list):
        return None
    entries = [entry for entry in servers if isinstance(entry, dict) and _entry_serves(entry, server)]
    entries.sort(key=lambda entry: (_text(entry, "serverId") != server_id, not entry.get("isDefault")))
    return next(filter(None, (_from_entry(entry, name) for entry in entries)), None)


def _parse_json(text: str, name: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        # Only JSONDecodeError knows the line; absurdly long numbers and deep nesting come without.
        line = getattr(error, "lineno", 1)
    else:
        if isinstance(config, dict):
            return config
        line = 1
    raise malformed(name, line, "expected the JSON object that `jf config` writes")


def _entry_serves(entry: Mapping[str, Any], server: ServerURL) -> bool:
    addresses = (read_address(_text(entry, key)) for key in ("artifactoryUrl", "url"))
    return any(serves(address, server) for address in addresses if address)


def _from_entry(entry: Mapping[str, Any], name: str) -> Credentials | None:
    source = f"file {name} server id {_text(entry, 'serverId')}"
    return _from_jfrog(_text(entry, "accessToken"), _text(entry, "user"), _text(entry, "password"), source)


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _from_jfrog(token: str, user: str, password: str, source: str) -> Credentials | None:
    """Decide as jfrog-cli does: a token before a password, and an API key in either place is no token."""
    secret = token or password
    if secret.startswith("AKCp8") and len(secret) >= 73:
        return Credentials.basic(user, secret, source=source) if user else Credentials.api_key(secret, source=source)
    if token:
        return Credentials.bearer(token, source=source)
    return Credentials.basic(user, password, source=source) if user and password else None
