"""Properties of a body: its size, content codings and text, and whether it is a web page or a stored file."""

import codecs
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# No file is larger: this is the largest offset of operating systems.
_LARGEST = 2**63 - 1
# Only charsets: Python would also accept names of other codecs.
_CHARSET = re.compile(r"charset=\"?(utf-?8|utf-?16|iso-8859-\d+|us-ascii|windows-125\d)\b", re.IGNORECASE)
# Characters that no text contains. Others are unusual in UTF-8, but allowed: random bytes are hardly ever valid UTF-8.
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")
_BINARY_IF_NOT_UTF_8 = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# Text in a language with Latin letters has fewer non-ASCII characters; in Latin-1, any bytes look like letters.
_MAX_NOT_ASCII = 1 / 3
_LATIN = frozenset({"iso8859-1", "iso8859-15", "cp1252"})
_PIECE = 256 * 1024
_ZLIB, _RAW, _GZIP = 15, -15, 31
_WINDOW_BITS = {"gzip": _GZIP, "deflate": _ZLIB}


def size_of(value: object) -> int | None:
    """Read a size: text in File Info, a number in File List and AQL, -1 for folders; None if it is not a size."""
    try:
        size = int(str(value))
    except ValueError:
        return None
    return size if 0 <= size <= _LARGEST else None


def is_html(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").lower().startswith(("text/html", "application/xhtml+xml"))


def is_file(headers: Mapping[str, str]) -> bool:
    """Whether the header fields mark a body as a file of Artifactory; its own web pages do not have these fields."""
    return "X-Artifactory-Filename" in headers or "X-Checksum-Sha1" in headers


def parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python limits how many digits it converts
        raise ValueError("a number of too many digits") from None


def decode_text(content: bytes, content_type: str) -> str:
    """
    Decode a body by the charset of its Content-Type, else UTF-8, else Latin-1.

    Artifactory's servlet layer sends Latin-1 with a charset; its REST layer sends UTF-8, often without one.
    """
    for charset in (charset_of(content_type), "utf-8"):
        try:
            return content.decode(charset)
        except UnicodeError:
            continue
    return content.decode("latin-1")


def charset_of(content_type: str) -> str:
    """Return the charset in a Content-Type if Python supports it, else UTF-8."""
    match = _CHARSET.search(content_type)
    try:
        return codecs.lookup(match[1] if match else "utf-8").name
    except LookupError:
        return "utf-8"


def readable_text(content: bytes, headers: Mapping[str, str]) -> str:
    """
    Return a body as text that may be quoted; ``""`` if it is binary, whatever its Content-Type says.

    The end may be cut off, even within a character.
    """
    charset = charset_of(headers.get("Content-Type", ""))
    for encoding in dict.fromkeys((charset, "utf-8", "iso8859-1")):
        if encoding.startswith("utf-16") or (encoding in _LATIN and _is_mostly_not_ascii(content)):
            continue
        try:
            text = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)().decode(content)
        except UnicodeError:
            continue
        if not (_BINARY if encoding == "utf-8" else _BINARY_IF_NOT_UTF_8).search(text):
            return text.strip()
    return ""


def _is_mostly_not_ascii(content: bytes) -> bool:
    return len(_NOT_ASCII.findall(content)) > len(content) * _MAX_NOT_ASCII


def codings_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the content codings in the order they were applied; ``x-gzip`` is gzip (RFC 9110 section 8.4.1.3)."""
    names = (name.strip().lower().removeprefix("x-") for name in headers.get("Content-Encoding", "").split(","))
    return tuple(name for name in names if name not in ("", "identity"))


def can_decode(codings: Sequence[str]) -> bool:
    """Whether all *codings* are supported, and there are any."""
    return bool(codings) and all(name in _WINDOW_BITS for name in codings)


def decoded(chunks: Iterable[bytes], codings: Sequence[str]) -> Iterator[bytes]:
    """
    Yield the content of *chunks* in pieces of at most 256 KiB, the last coding removed first.

    Raises:
        ValueError: If the bytes are not encoded that way, or end early.
    """
    for name in reversed(codings):
        chunks = _inflated(chunks, _WINDOW_BITS[name])
    yield from chunks


def decoded_beginning(content: bytes, codings: Sequence[str], max_size: int) -> bytes:
    """Decode up to *max_size* bytes of a text that may break off; return *content* if it is not encoded that way."""
    if not can_decode(codings):
        return content
    beginning = bytearray()
    try:
        for piece in decoded([content], codings):
            beginning += piece
            if len(beginning) >= max_size:
                break
    except ValueError:
        if not beginning:
            return content
    return bytes(beginning[:max_size])


def _inflated(chunks: Iterable[bytes], window_bits: int) -> Iterator[bytes]:
    inflater = None
    for chunk in chunks:
        data, is_cut = chunk, False
        while data or is_cut:
            if inflater is None or inflater.eof:  # gzip may have several members
                inflater = zlib.decompressobj(_window_bits_for(data, window_bits))
            try:
                piece = inflater.decompress(data, _PIECE)
            except zlib.error as error:
                raise ValueError("not encoded as labelled") from error
            if piece:
                yield piece
            is_cut = len(piece) == _PIECE and not inflater.eof
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if inflater is None or not inflater.eof:
        raise ValueError("ends early")


def _window_bits_for(data: bytes, window_bits: int) -> int:
    """Return the format to decode: some servers send ``deflate`` without the zlib header, whose low four bits are 8."""
    return _RAW if window_bits == _ZLIB and data[0] & 0x0F != 8 else window_bits
