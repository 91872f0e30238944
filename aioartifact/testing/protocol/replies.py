"""What a handler answers, as a value: status, headers, body. ``wire.transmission`` puts it onto the connection."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from . import jackson

CHALLENGE = 'Basic realm="Artifactory Realm"'
VENDOR = "application/vnd.org.jfrog.artifactory."


@dataclass(frozen=True, slots=True)
class FilePart:
    """A body that lies in a file: the bytes from *start* up to *stop*."""

    path: Path
    start: int
    stop: int


Body = bytes | FilePart | AsyncGenerator[bytes, None]  # a generator is sent chunked


@dataclass(slots=True)
class Reply:
    """
    A response.

    Attributes:
        headers: Without ``Content-Length``, ``Transfer-Encoding``, ``Connection`` and ``Date``; values as they
            stand on the wire, text outside Latin-1 becomes ``?``.
        body: What follows; for HEAD only its length counts.
        close: Whether the connection ends with this response.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Body = b""
    close: bool = False


# Response of the router in front of 7.x to a path without a service.
PAGE_NOT_FOUND = Reply(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 page not found")


class RefusalError(Exception):
    """Raised anywhere in a handler to answer with *reply* instead of going on; *message* is what its error says."""

    def __init__(self, reply: Reply, message: str = "") -> None:
        super().__init__(reply.status)
        self.reply = reply
        self.message = message


def error(status: int, message: str, *, servlet: bool = False, challenge: bool = False) -> Reply:
    """
    Build the standard JSON error.

    Args:
        status: HTTP status, repeated in the body.
        message: Text for ``errors[0].message``.
        servlet: Written by the servlet layer (``/{repo}/...`` and credentials), whose bodies are Latin-1 with
            ``?`` for everything else; the REST API writes UTF-8.
        challenge: Ask for credentials.
    """
    text = jackson.dumps({"errors": [{"status": status, "message": message}]})
    headers = {"WWW-Authenticate": CHALLENGE} if challenge else {}
    if servlet:
        headers["Content-Type"] = "application/json;charset=ISO-8859-1"
        return Reply(status, headers, text.encode("latin-1", "replace"))
    headers["Content-Type"] = "application/json"
    return Reply(status, headers, text.encode())


def refuse(status: int, message: str, *, servlet: bool = False, challenge: bool = False) -> NoReturn:
    """
    Leave the handler with the standard JSON error.

    Raises:
        RefusalError: Always.
    """
    raise RefusalError(error(status, message, servlet=servlet, challenge=challenge), message)


def json_reply(
    value: jackson.JSON, content_type: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Reply:
    """Build a JSON response of the REST API (UTF-8)."""
    return Reply(status, {"Content-Type": content_type, **(headers or {})}, jackson.dumps(value).encode())
