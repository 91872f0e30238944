"""Parse the head of a plain response with a small body; all other heads are left to aiohttp."""

import re
from typing import NamedTuple

from multidict import CIMultiDict

LARGEST_HEAD = 64 * 1024
"""Bytes of a head, with the empty line at its end."""

LARGEST_BODY = 64 * 1024
"""Bytes of a small body."""

# RFC 9112, sections 4 and 5, without obsolete syntax, and limited to ASCII.
_HEAD = re.compile(
    rb"HTTP/1\.1 (?P<status>20[01]) [\t\x20-\x7e]*+\r\n"
    rb"(?P<fields>(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e]*+\r\n){1,256}+)\r\n"
)
# Fields that determine how to read the body; a plain head has only the first two of them.
_FRAMING = re.compile(
    rb"\r\n(content-length|connection|transfer-encoding|content-encoding|upgrade):[\t ]*+([^\r\n]*)", re.IGNORECASE
)
_FIELD = re.compile(r"([^:\r\n]+):[\t ]*+([^\r\n]*?)[\t ]*\r\n")
_DIGITS = re.compile(rb"[0-9]{1,9}")
_BEGINNING = b"HTTP/1.1 20"


class PlainHead(NamedTuple):
    """
    Head of a plain response.

    Attributes:
        status: HTTP status code, 200 or 201.
        fields: The lines of its header fields.
        body_start: Offset of the first byte of the body.
        body_size: Bytes of the body.
        keeps_alive: Whether the connection can be used again.
    """

    status: int
    fields: bytes
    body_start: int
    body_size: int
    keeps_alive: bool


def header_fields(lines: bytes) -> CIMultiDict[str]:
    """Parse the lines of the header fields of a plain head."""
    return CIMultiDict(_FIELD.findall(lines.decode("ascii")))


def may_become_plain(data: bytes) -> bool:
    """Whether the response that begins with *data*, a head without its end, may turn out to be plain."""
    return len(data) < LARGEST_HEAD and data[: len(_BEGINNING)] == _BEGINNING[: len(data)] and b"\r\n\r\n" not in data


def read_plain_head(data: bytes) -> PlainHead | None:
    """
    Read the head of a plain response, which *data* begins with.

    Returns:
        None if the head is incomplete, or anything in it is out of the ordinary: it is not a 200 or 201 of HTTP/1.1, a
        line is malformed or not ASCII, the length of the body is not stated exactly once, in digits, or exceeds 64 KiB,
        or the body has a coding.
    """
    match = _HEAD.match(data, 0, LARGEST_HEAD)
    if match is None:
        return None
    size, keeps_alive = None, None
    for name, value in _FRAMING.findall(data, 0, match.end()):
        value = value.rstrip(b"\t ")
        if name.lower() == b"content-length" and size is None and _DIGITS.fullmatch(value):
            size = int(value)
        elif name.lower() == b"connection" and keeps_alive is None and value.lower() in (b"keep-alive", b"close"):
            keeps_alive = value.lower() == b"keep-alive"
        else:
            return None
    if size is None or size > LARGEST_BODY:
        return None
    return PlainHead(int(match["status"]), match["fields"], match.end(), size, keeps_alive is not False)
