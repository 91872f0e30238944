"""The storage options, checked when a file system is created; no serialized form contains credentials."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from fsspec.config import apply_config

import aioartifact

from .addresses import canonical_server
from .bases import FileSystemType

# Options of `aioartifact.session` that are passed on; none of them is secret.
SESSION_OPTIONS = ("retry", "timeouts", "limits", "verify", "cert", "trust_env")
# Options of fsspec itself.
_FSSPEC_OPTIONS = (
    "asynchronous",
    "batch_size",
    "listings_expiry_time",
    "loop",
    "max_paths",
    "skip_instance_cache",
    "use_listings_cache",
)
# The server of a full URL; `ArtifactoryFileSystem._get_kwargs_from_urls` returns it.
URL_SERVER = "url_server"
_KNOWN = {"base_url", "auth", URL_SERVER, *SESSION_OPTIONS, *_FSSPEC_OPTIONS}
# Values of these may be written as JSON.
JSON_OPTIONS = ("base_url", "trust_env", "batch_size", "listings_expiry_time", "max_paths", "use_listings_cache")
_KEY = secrets.token_bytes(32)


class HiddenAuth:
    """
    Credentials, or a provider, as a storage option.

    fsspec distinguishes cached file systems by the text of their options. For credentials, this text is a digest with a
    random key of the process: it differs for different credentials, but does not reveal them. Credentials cannot be
    pickled; a provider can, if it supports that.
    """

    def __init__(self, auth: aioartifact.Credentials | object) -> None:
        self.auth = auth

    def __repr__(self) -> str:
        if not isinstance(self.auth, aioartifact.Credentials):
            return f"<provider {id(self.auth)}>"
        parts = (self.auth.kind, self.auth.username, self.auth.secret)
        return f"<credentials {hmac.new(_KEY, repr(parts).encode(), hashlib.sha256).hexdigest()}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HiddenAuth) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __reduce__(self) -> tuple[type["HiddenAuth"], tuple[object]]:
        return HiddenAuth, (self.auth,)

    @classmethod
    def of(cls, auth: object) -> "HiddenAuth":
        """
        Hide a value of ``auth``.

        Raises:
            InvalidArgumentError: If it is neither credentials nor a provider. The message does not quote it.
            CredentialsError: If user name or secret cannot be sent.
        """
        match auth:
            case HiddenAuth():
                return auth
            case aioartifact.Credentials():
                return cls(auth)
            case (str() as username, str() as secret):
                return cls(aioartifact.Credentials.basic(username, secret))
        if isinstance(auth, type | str) or not (callable(auth) or isinstance(auth, aioartifact.CredentialsProvider)):
            raise aioartifact.InvalidArgumentError(
                f"auth is a {type(auth).__name__}; expected Credentials, (user name, secret) or a provider",
                hint="for a token alone, pass aioartifact.Credentials.bearer(token)",
            )
        return cls(auth)


class ConfiguredType(FileSystemType):
    """Checks the options before fsspec looks for a cached file system, and stores them for pickles."""

    def __call__(cls, *args: Any, **options: Any) -> Any:  # noqa: N805  # of a metaclass
        """Return a file system: a cached one, if the options are the same."""
        if len(args) > 1:
            raise TypeError(f"{cls.__name__}() takes one positional argument, base_url; {len(args)} were given")
        given = {**options, **dict(zip(("base_url",), args, strict=False))}
        return super().__call__(**checked_options(apply_config(cls, given)))


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the options with the resolved server, and with hidden credentials.

    Raises:
        InvalidArgumentError: If an option is unknown, *auth* is neither credentials nor a provider, or *base_url* is
            not the server of the URL.
        InvalidURLError: If *base_url* is not the address of a server.
        ConfigurationError: If there is no server in the options, and no default server.
    """
    if unknown := sorted(set(options) - _KNOWN):
        raise aioartifact.InvalidArgumentError(
            f"unknown storage option {unknown[0]!r}", hint="credentials are passed as auth=; see ArtifactoryFileSystem"
        )
    checked = {name: value for name, value in options.items() if value is not None}
    url_server, base_url = checked.pop(URL_SERVER, None), checked.get("base_url")
    if base_url is not None:
        base_url = canonical_server(base_url)
        if url_server not in (None, base_url):
            raise aioartifact.InvalidArgumentError(
                f"base_url={base_url!r}, but the server of the URL is {url_server}",
                hint="use artifactory://repository/path with base_url",
            )
    checked["base_url"] = base_url or url_server or aioartifact.resolve_server().url
    if (auth := checked.get("auth")) is not None:
        checked["auth"] = HiddenAuth.of(auth)
    return checked
