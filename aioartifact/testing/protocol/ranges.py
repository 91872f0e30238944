"""
Ranges as Artifactory 6.20 reads them, which is not quite as RFC 9110 says.

A suffix ``-n`` means ``0-n``, unless the server is configured otherwise, ``5`` means ``0-5``, the unit is not looked
at, and a header that is no ``unit=ranges`` is overlooked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from . import formats


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from *start* up to *stop*."""

    start: int
    stop: int

    def content_range(self, size: int) -> str:
        """Return the ``Content-Range`` of this part of *size* bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def select(header: str, size: int, *, suffixes: bool = False) -> list[Span] | None:
    """
    Return the parts a ``Range`` header asks for, sorted and merged.

    Args:
        header: Its value.
        size: Bytes of the file.
        suffixes: Whether ``-n`` means the last *n* bytes.

    Returns:
        None for a header that is overlooked; an empty list if no part of it lies in the file (416).
    """
    _, equals, ranges = header.partition("=")
    if not equals or "=" in ranges:
        return None
    return _merged(sorted(_spans(ranges, size, suffixes=suffixes), key=lambda span: span.start))


def _spans(ranges: str, size: int, *, suffixes: bool) -> Iterator[Span]:
    for text in ranges.split(","):
        first, dash, last = (part.strip() for part in text.partition("-"))
        if not dash:
            first, last = "0", first
        if (first or "0").isdecimal() and (last or "0").isdecimal():
            start, end = int(first or 0), min(int(last or size), size - 1)
            if suffixes and last and not first:
                start, end = max(size - int(last), 0), size - 1
            if start <= end:
                yield Span(start, end + 1)


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start <= merged[-1].stop:
            merged[-1] = Span(merged[-1].start, max(merged[-1].stop, span.stop))
        else:
            merged.append(span)
    return merged


def is_unchanged(if_range: str | None, sha1: str, modified: int) -> bool:
    """Return whether ``If-Range`` lets a range through: a date not before *modified* (ms), or a bare SHA-1."""
    if if_range is None:
        return True
    date = formats.parse_http(if_range)
    return if_range.startswith(sha1) if date is None else date // 1000 >= modified // 1000
