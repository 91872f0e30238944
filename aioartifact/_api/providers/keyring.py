"""Credentials from the keyring of the operating system."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import anyio.to_thread

from ..._address import ServerURL, URLLike
from ..._credentials import Credentials, SendToken
from ..._errors import ConfigurationError, CredentialsError
from ..._options import check_texts
from .standalone import StandaloneProvider

_TOKEN_USERS = ("__token__", "<token>")


class Keyring(StandaloneProvider):
    """
    Credentials from the keyring of the system: Keychain, Windows Credential Locker, Secret Service or KWallet.

    ::

        # $ keyring set https://artifactory.example.com/artifactory ada
        async with aioartifact.session(server, auth=aioartifact.Keyring(username="ada")) as session:
            ...

    Needs the extra ``keyring``. The keyring may show a dialog; ``Timeouts.credentials`` limits the wait for it. The
    password of the user ``__token__`` is used as an access token.

    Args:
        service: Service of the entry; None means the base address of the server, as with pip and twine.
        username: User of the entry; None means the only entry of the service, if the keyring supports that.
        server: Base address of the server, for calls of :meth:`credentials` without a session.

    Raises:
        InvalidArgumentError: If an argument is empty or not a str.
        ConfigurationError: If the package ``keyring`` is not installed.

    See: https://github.com/jaraco/keyring
    """

    def __init__(
        self, service: str | None = None, *, username: str | None = None, server: URLLike | None = None
    ) -> None:
        super().__init__(server)
        check_texts(service=service, username=username)
        if find_spec("keyring") is None:
            raise ConfigurationError("Keyring needs the package keyring", hint="pip install 'aioartifact[keyring]'")
        self._service = service
        self._username = username

    def __repr__(self) -> str:
        return f"Keyring({self._service!r}, username={self._username!r})"

    async def fetch(
        self, server: ServerURL, send: SendToken, current: Credentials | None, *, is_refused: bool
    ) -> Credentials:
        """Look up the entry, in a thread."""
        service = self._service or str(server)
        # A dialog may stay open for long; the thread ends with it.
        entry = await anyio.to_thread.run_sync(_entry, service, self._username, abandon_on_cancel=True)
        source = f"keyring service {service}"
        if isinstance(entry, str):
            raise CredentialsError(f"{source}: {entry}", source=source, hint=f"run `keyring set {service} USER`")
        username, password = entry
        if username in _TOKEN_USERS:
            return Credentials.bearer(password, source=source)
        return Credentials.basic(username, password, source=source)


def _entry(service: str, username: str | None) -> tuple[str, str] | str:
    """Return user and password of an entry, or the reason why there is no entry; blocks."""
    keyring: Any = import_module("keyring")
    try:
        found = keyring.get_credential(service, username)
    except keyring.errors.KeyringError as error:
        return f"{type(error).__name__}"
    if found is None or not found.password:
        return "no entry" if username is None else f"no entry of user {username!r}"
    return found.username or username or "", found.password
