"""The output of helper programs: credentials in one of the formats of git, docker, kubectl and OAuth."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from .._address import ServerURL
from .._errors import CredentialsError, InvalidArgumentError
from .value import Credentials

_TOKEN = re.compile(r"[A-Za-z0-9._~+/:=-]+")  # RFC 6750, and a colon

HelperInput: TypeAlias = Literal["none", "url", "git"]
"""Input of a helper program: nothing, the address of the server as for docker's helpers, or the lines of git."""


def helper_input(server: ServerURL, form: HelperInput) -> bytes:
    """Return the standard input of a helper program."""
    match form:
        case "url":
            return f"{server}\n".encode()
        case "git":
            host = server.origin.partition("://")[2]
            return f"protocol={server.scheme}\nhost={host}\npath={'/'.join(server.context_path)}\n\n".encode()
        case _:
            return b""


def read_helper_output(output: bytes, source: str, now: float) -> Credentials:
    """
    Read the output of a helper program.

    Args:
        output: Its standard output.
        source: Name of the program in messages.
        now: Epoch seconds.

    Raises:
        CredentialsError: If its format is unknown, or the credentials cannot be sent. The message does not contain the
            output.
    """
    fields: Mapping[str, Any] | None = None
    try:
        text = output.decode("utf-8-sig").strip()
        fields = _fields_of(text)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError keep what they cannot read
        text = ""
    if fields is None:
        if _TOKEN.fullmatch(text):
            return Credentials.bearer(text, source=source)
        raise CredentialsError(
            f"{source} printed no credentials",
            source=source,
            hint="expected a token, a JSON object with `token` or `username` and `password`, or such lines as git's",
        )
    return _credentials(fields, source, now)


def _fields_of(text: str) -> Mapping[str, Any] | None:
    if text.startswith("{"):
        document = json.loads(text)
        status = document.get("status")  # of kubectl's ExecCredential
        return status if isinstance(status, dict) else document if isinstance(document, dict) else None
    lines = text.splitlines()
    pairs = [line.partition("=") for line in lines]
    known = {name for name, equals, _ in pairs if equals} & {"password", "username"}
    return {name: value for name, _, value in pairs} if known else None


def _credentials(fields: Mapping[str, Any], source: str, now: float) -> Credentials:
    token = _text(fields, "token", "access_token")
    username, password = _text(fields, "username", "Username"), _text(fields, "password", "Secret")
    expires_at = _expiry(fields, now)
    if not token and username in ("<token>", "__token__"):  # docker's and PyPI's name for a token without a user
        token = password
    if token:
        return Credentials.bearer(token, source=source, expires_at=expires_at)
    if not username or not password:
        raise CredentialsError(f"{source} printed neither a token nor user name and password", source=source)
    return Credentials.basic(username, password, source=source, expires_at=expires_at)


def _text(fields: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str) and value), "")


def _expiry(fields: Mapping[str, Any], now: float) -> datetime | None:
    """Return the expiry: seconds from now, epoch seconds as git prints them, or an RFC 3339 time as kubectl's."""
    try:
        if seconds := fields.get("expires_in"):
            return datetime.fromtimestamp(now + float(seconds), UTC)
        if epoch := fields.get("password_expiry_utc"):
            return datetime.fromtimestamp(float(epoch), UTC)
        if moment := fields.get("expirationTimestamp") or fields.get("expires_at"):
            found = datetime.fromisoformat(moment)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError, OSError, InvalidArgumentError):
        return None  # used until the server refuses them
    return None
