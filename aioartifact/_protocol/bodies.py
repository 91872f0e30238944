"""Detect what a body is before it is trusted: JSON, a web page, a file of an Artifactory."""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any

from .._models import Response, charset_of

# Control characters, halves of surrogate pairs, and what is not a character.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What no text has; in UTF-8, which random bytes are not, others are only odd.
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")
_BINARY_IF_NOT_UTF_8 = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# Text in a language that is written in Latin letters has fewer of the others; any bytes look like letters in Latin-1.
_MAX_NOT_ASCII = 1 / 3
_LATIN = frozenset({"iso8859-1", "iso8859-15", "cp1252"})


def parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python limits how many digits it converts
        raise ValueError("a number of too many digits") from None


def is_html(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").lower().startswith(("text/html", "application/xhtml+xml"))


def is_file(headers: Mapping[str, str]) -> bool:
    """Whether Artifactory says that a body is a file it holds; its own web pages come without these fields."""
    return "X-Artifactory-Filename" in headers or "X-Checksum-Sha1" in headers


def readable_text(response: Response) -> str:
    """
    The body as text that may be quoted; ``""`` if it is binary, whatever its Content-Type says.

    The end may be cut off, even within a character.
    """
    charset = charset_of(response.headers.get("Content-Type", ""))
    for encoding in dict.fromkeys((charset, "utf-8", "iso8859-1")):
        if encoding.startswith("utf-16") or (encoding in _LATIN and _is_mostly_not_ascii(response.content)):
            continue
        try:
            text = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)().decode(
                response.content
            )
        except UnicodeError:
            continue
        if not (_BINARY if encoding == "utf-8" else _BINARY_IF_NOT_UTF_8).search(text):
            return text.strip()
    return ""


def _is_mostly_not_ascii(content: bytes) -> bool:
    return len(_NOT_ASCII.findall(content)) > len(content) * _MAX_NOT_ASCII
