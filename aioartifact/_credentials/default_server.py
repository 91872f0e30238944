"""The default server: from its own variable, ``JF_URL``, or the configuration of jfrog-cli."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .._address import ServerURL
from .._errors import ConfigurationError
from .jfrog import default_of_jfrog_cli, jfrog_cli_path
from .sources import Read, artifactory_of, read_address, read_text, shown_path

SERVER_VARIABLE = "AIOARTIFACT_SERVER"
_EXPECTED = "expected an absolute URL such as https://host/artifactory, without credentials"


@dataclass(frozen=True, slots=True)
class ConfiguredServer:
    """
    A server of the user's configuration.

    Attributes:
        url: Base address.
        source: Where it was found, for messages.
    """

    url: str
    source: str


def default_server(*, environ: Mapping[str, str], read: Read, home: Path) -> ConfiguredServer:
    """
    Find the default server: ``AIOARTIFACT_SERVER``, else ``JF_URL``, else the default server of jfrog-cli.

    ``JF_URL``, and an entry of jfrog-cli without the address of its Artifactory, are addresses of a platform: if the
    path has no segment ``artifactory``, it is appended. An empty variable counts as not set.

    Args:
        environ: Environment variables.
        read: Reads a text file; None if it does not exist.
        home: Home folder of the user.

    Raises:
        ConfigurationError: If no server is configured, or a variable is not the URL of a server. The message does not
            contain the value.
    """
    if environ.get(SERVER_VARIABLE):
        address = _of_variable(environ, SERVER_VARIABLE)
        return ConfiguredServer(str(address), f"environment {SERVER_VARIABLE}")
    if environ.get("JF_URL"):
        return ConfiguredServer(str(artifactory_of(_of_variable(environ, "JF_URL"))), "environment JF_URL")
    path = jfrog_cli_path(environ, home)
    name = shown_path(path, home)
    text = read_text(path, name, read)
    server_id = environ.get("JFROG_CLI_SERVER_ID", "")
    found = default_of_jfrog_cli(text, name, server_id) if isinstance(text, str) else text
    if isinstance(found, tuple):
        return ConfiguredServer(str(found[0]), found[1])
    hint = f"set {SERVER_VARIABLE} or JF_URL, or add a server to jfrog-cli with `jf config add`"
    skipped = f"; skipped: {found}" if found else ""
    raise ConfigurationError("find the default server: none is configured", hint=f"{hint}{skipped}")


def _of_variable(environ: Mapping[str, str], name: str) -> ServerURL:
    address = read_address(environ[name])
    if address is None:
        raise ConfigurationError(
            f"read the environment variable {name}: not the URL of a server",
            source=f"environment {name}",
            hint=_EXPECTED,
        )
    return address
