"""Credentials: a value that hides its secret in repr, messages and pickles, and hints for refused credentials."""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NoReturn, TypeAlias

from .._address import expect_text
from .._errors import CredentialsError, InvalidArgumentError

# RFC 7617 forbids control characters; lone surrogates (bytes of an environment variable that are not text) cannot be
# encoded.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_TOKEN = re.compile(r"[\x21-\x7e]+")
# Beginning of the source of credentials that are anonymous because no source has any.
NONE_FOUND = "none found"
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# For a session that this library did not open, and whose credentials it does not know.
FOREIGN_HINT = "check the credentials of this session; aioartifact adds none to a session that it has not opened"
# For a session of this library to which the user has added credentials as header fields.
HEADERS_HINT = "check the credentials in the headers of the session, which replace all others"


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    Credentials for a server. The secret never occurs in a repr or message, and they cannot be pickled.

    Attributes:
        kind: ``"basic"`` (user and password, API key or token), ``"bearer"`` (access token), ``"api_key"``
            (API key without a user) or ``"anonymous"``.
        username: User name; ``"anonymous"`` without credentials, empty for tokens and API keys.
        secret: Password, API key or token; empty for anonymous.
        source: Where they were found, for messages; not compared.
        skipped: Sources that were skipped, with the reasons, for messages; not compared.
        expires_at: When they expire, as an aware ``datetime``; not compared. None if they do not expire, or if they are
            a JSON Web Token with its own expiry.

    Raises:
        CredentialsError: If the user name or secret cannot be sent. The message does not contain them.
        InvalidArgumentError: If one of them is not a str, or *expires_at* is not an aware ``datetime``.

    See: https://jfrog.com/help/r/jfrog-rest-apis/introduction-to-the-artifactory-rest-apis
    """

    kind: Literal["basic", "bearer", "api_key", "anonymous"]
    username: str
    secret: str
    source: str = field(default="argument", compare=False)
    skipped: tuple[str, ...] = field(default=(), compare=False)
    expires_at: datetime | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.expires_at is not None:
            _check_expiry(self.expires_at)
        for what, value in (("user name", self.username), ("secret", self.secret)):
            expect_text(what, value)
        if fault := _fault(self):
            hint = "write them in UTF-8" if _is_only_of_another_encoding(self) else None
            raise CredentialsError(f"credentials from {self.source}: {fault}", source=self.source, hint=hint)

    @classmethod
    def basic(
        cls, username: str, secret: str, *, source: str = "argument", expires_at: datetime | None = None
    ) -> "Credentials":
        """
        Return credentials with a user name and a password, API key or token.

        ``("anonymous", "")`` and ``("", "")`` mean anonymous, as for the server.

        Args:
            username: User name; may be empty with an API key.
            secret: Password, API key or token.
            source: Where they were found.
            expires_at: When they expire, an aware ``datetime``; None for never.

        Raises:
            CredentialsError: If one of them contains a control character, or the user name contains a colon (RFC 7617).
            InvalidArgumentError: If one of them is not a str.
        """
        if not secret and username in ("", "anonymous"):
            return cls.anonymous(source=source)
        return cls("basic", username, secret, source, expires_at=expires_at)

    @classmethod
    def bearer(cls, token: str, *, source: str = "argument", expires_at: datetime | None = None) -> "Credentials":
        """
        Return credentials with an access token (RFC 6750).

        Args:
            token: Access token or reference token.
            source: Where it was found.
            expires_at: When it expires, an aware ``datetime``; None for never, or for a JSON Web Token with its own
                expiry.

        Raises:
            CredentialsError: If the token is empty, or contains a space or a character that is not printable ASCII.
            InvalidArgumentError: If it is not a str.
        """
        return cls("bearer", "", token, source, expires_at=expires_at)

    @classmethod
    def api_key(cls, key: str, *, source: str = "argument", expires_at: datetime | None = None) -> "Credentials":
        """
        Return credentials with an API key without a user name, sent as ``X-JFrog-Art-Api``.

        Args:
            key: API key or reference token.
            source: Where it was found.
            expires_at: When it expires, an aware ``datetime``; None for never, or for a JSON Web Token with its own
                expiry.

        Raises:
            CredentialsError: If the key is empty, or contains a space or a character that is not printable ASCII.
            InvalidArgumentError: If it is not a str.
        """
        return cls("api_key", "", key, source, expires_at=expires_at)

    @classmethod
    def anonymous(cls, *, source: str = "argument") -> "Credentials":
        """
        Return credentials for anonymous access.

        Args:
            source: Why access is anonymous, for messages.
        """
        return cls("anonymous", "anonymous", "", source)

    def headers(self) -> dict[str, str]:
        """Header fields to send; none for anonymous."""
        match self.kind:
            case "basic":
                pair = f"{self.username}:{self.secret}".encode()
                return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
            case "bearer":
                return {"Authorization": f"Bearer {self.secret}"}
            case "api_key":
                return {"X-JFrog-Art-Api": self.secret}
            case _:
                return {}

    def __repr__(self) -> str:
        secret = "***" if self.secret else ""
        expiry = "" if self.expires_at is None else f", expires_at={self.expires_at.isoformat()!r}"
        return f"Credentials({self.kind!r}, {self.username!r}, {secret!r}, source={self.source!r}{expiry})"

    def __copy__(self) -> "Credentials":
        return self

    def __deepcopy__(self, memo: object) -> "Credentials":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled, so that secrets reach no file; resolve them in each process")


@dataclass(frozen=True, slots=True)
class Skipped:
    """
    A source that was skipped, although it may have credentials.

    Attributes:
        source: Name of the source.
        reason: The reason, without content of the source.
    """

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


Found: TypeAlias = Credentials | Skipped | None
"""The credentials of a source for a server; None if it has none."""


def _fault(credentials: Credentials) -> str:
    """Return why credentials cannot be sent, without their content; empty if they can."""
    match credentials.kind:
        case "bearer":
            return _token_fault("token", credentials.secret)
        case "api_key":
            return _token_fault("API key", credentials.secret)
        case _:
            return _basic_fault(credentials.username, credentials.secret)


def _is_only_of_another_encoding(credentials: Credentials) -> bool:
    """Return whether basic credentials could be sent if their bytes were UTF-8."""
    username, secret = (_SURROGATES.sub("é", text) for text in (credentials.username, credentials.secret))
    return credentials.kind == "basic" and not _basic_fault(username, secret)


def _token_fault(what: str, token: str) -> str:
    if not token:
        return f"the {what} is empty"
    return "" if _TOKEN.fullmatch(token) else f"the {what} contains a space, a line break or a non-ASCII character"


def _basic_fault(username: str, secret: str) -> str:
    if _UNUSABLE.search(username) or _UNUSABLE.search(secret):
        return "the user name or the secret contains a control character, or bytes that are not text"
    return (
        "the user name contains a colon, which basic authentication does not allow (RFC 7617)"
        if ":" in username
        else ""
    )


def _check_expiry(value: object) -> None:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidArgumentError(
            f"expires_at={value!r}: expected a datetime with a time zone", hint="such as datetime.now(UTC) + lifetime"
        )


def parse_credentials(value: object) -> Credentials:
    """
    Validate explicit credentials.

    Args:
        value: Credentials, or a pair of user name and password, API key or token.

    Raises:
        InvalidArgumentError: If it is neither. The message does not contain it.
        CredentialsError: See :meth:`Credentials.basic`.
    """
    match value:
        case Credentials():
            return value
        case (str() as username, str() as secret):
            return Credentials.basic(username, secret)
    is_no_token = isinstance(value, str) and not _TOKEN.fullmatch(value)
    raise InvalidArgumentError(
        f"auth is a {type(value).__name__}; expected Credentials, (user name, secret) or a provider of Credentials",
        hint=None if is_no_token else "for a token alone, give Credentials.bearer(token)",
    )


def login_hint(credentials: Credentials) -> str:
    """Return which credentials were sent, their source, and which sources were skipped and why."""
    skipped = f"; skipped: {'; '.join(credentials.skipped)}" if credentials.skipped else ""
    return _sent(credentials) + skipped


def _sent(credentials: Credentials) -> str:
    source = "the argument auth" if credentials.source == "argument" else credentials.source
    match credentials.kind:
        case "basic":
            user = f"sent as user {credentials.username!r}" if credentials.username else "sent without a user name"
            return f"check user and password, API key or token: {user}, from {source}"
        case "bearer":
            return f"check the access token, which may have expired: from {source}"
        case "api_key":
            return f"check the API key: from {source}"
    if source.startswith(NONE_FOUND):
        return f"requested anonymously; credentials: {source}"
    return f"requested anonymously, because of {source}"
