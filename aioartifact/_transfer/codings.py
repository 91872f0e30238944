"""Removal of a content coding that was added in transit."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

_PIECE = 256 * 1024
_WINDOW_BITS = {"gzip": 31, "deflate": 15}


def can_decode(codings: Sequence[str]) -> bool:
    """Whether all *codings* are known here."""
    return bool(codings) and all(name in _WINDOW_BITS for name in codings)


def decoded(chunks: Iterable[bytes], codings: Sequence[str]) -> Iterator[bytes]:
    """
    Yield the content of *chunks* in pieces of at most 256 KiB, the last coding removed first.

    Raises:
        ValueError: If the bytes are not encoded that way, or end early.
    """
    for name in reversed(codings):
        chunks = _inflated(chunks, partial(zlib.decompressobj, _WINDOW_BITS[name]))
    yield from chunks


def _inflated(chunks: Iterable[bytes], new: Callable[[], "zlib._Decompress"]) -> Iterator[bytes]:
    inflater, is_complete = new(), False
    for chunk in chunks:
        data = chunk
        while data:
            if is_complete:
                inflater, is_complete = new(), False  # gzip may have several members
            try:
                piece = inflater.decompress(data, _PIECE)
            except zlib.error as error:
                raise ValueError("not encoded as labelled") from error
            if piece:
                yield piece
            is_complete = inflater.eof
            data = inflater.unused_data if is_complete else inflater.unconsumed_tail
    if not is_complete:
        raise ValueError("ends early")
