"""Byte ranges, and the requests that return them; no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_GAP = 64 * 1024
# Above this size, two parallel requests are faster than one.
MAX_MERGED = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """
    Bytes *start* to *end* of a file, with fsspec's meaning of negative offsets.

    Attributes:
        start: Offset of the first byte; a negative one counts from the end of the file.
        end: Offset after the last byte; a negative one counts from the end, None is the end.
    """

    start: int
    end: int | None

    @classmethod
    def of(cls, start: int | None, end: int | None) -> "Span":
        """Return the span of two arguments of ``cat_file``."""
        return cls(0 if start is None else start, end)

    @property
    def request(self) -> tuple[int, int | None]:
        """Range to request: it contains the span, and can be expressed without the size of the file."""
        if self.start < 0 or self.end is None or self.end < 0:
            return self.start, None
        return self.start, max(self.start, self.end)

    @property
    def is_absolute(self) -> bool:
        """Return whether both ends are known without the size of the file."""
        return self.start >= 0 and self.end is not None and self.end >= 0

    def cut(self, received: bytes, size: int | None) -> bytes:
        """
        Return the bytes of the span from those of its request.

        Args:
            received: The bytes of the request.
            size: Size of the file in bytes; needed for a negative start with an *end* that is not negative.
        """
        if self.end is None or self.is_absolute:
            return received
        if self.end < 0:
            return received[: max(0, len(received) + self.end)]
        assert size is not None
        return received[: max(0, self.end - (size - len(received)))]


@dataclass(slots=True)
class Merged:
    """
    A span to request, and the spans that it contains.

    Attributes:
        span: The span.
        members: Position in the list of all spans, and the span, of each member.
    """

    span: Span
    members: list[tuple[int, Span]] = field(default_factory=list)

    def pieces(self, received: bytes) -> Iterable[tuple[int, bytes]]:
        """Yield the position of each member, and its bytes."""
        for index, member in self.members:
            if member is self.span:
                yield index, received
            else:
                assert member.end is not None
                start = member.start - self.span.start
                yield index, received[start : start + max(0, member.end - member.start)]


def merge(spans: Iterable[Span], max_gap: int = MAX_GAP, max_size: int = MAX_MERGED) -> list[Merged]:
    """
    Merge neighbouring spans of one file.

    Args:
        spans: The spans.
        max_gap: Maximum unused bytes between two spans.
        max_size: Maximum bytes of a merged span; a single span may be longer.
    """
    numbered = list(enumerate(spans))
    merged = [Merged(span, [(index, span)]) for index, span in numbered if not span.is_absolute]
    absolute = sorted((each for each in numbered if each[1].is_absolute), key=lambda each: each[1].request)
    current: Merged | None = None
    for index, span in absolute:
        start, end = span.request
        if current is not None:
            first, last = current.span.request
            assert last is not None
            assert end is not None
            if start <= last + max_gap and max(last, end) - first <= max_size:
                current.span = Span(first, max(last, end))
                current.members.append((index, span))
                continue
        current = Merged(span, [(index, span)])
        merged.append(current)
    return merged
