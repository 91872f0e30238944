"""Content codings (RFC 9110 section 8.4), and their removal where they were added in transit."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

_PIECE = 256 * 1024
_ZLIB, _RAW, _GZIP = 15, -15, 31
_WINDOW_BITS = {"gzip": _GZIP, "deflate": _ZLIB}


def codings_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Content codings in the order they were applied; ``x-gzip`` is gzip (RFC 9110 section 8.4.1.3)."""
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
    """Up to *max_size* bytes of an encoded text that may break off; *content* itself if it is not encoded that way."""
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
    """Some servers send ``deflate`` without the zlib header, whose first four bits are 8."""
    return _RAW if window_bits == _ZLIB and data[0] & 0x0F != 8 else window_bits
