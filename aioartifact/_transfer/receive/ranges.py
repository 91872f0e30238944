"""Stretches of a file, as plain numbers: which bytes are there, and which are missing."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self


class Range(NamedTuple):
    """
    Bytes of a file.

    Attributes:
        start: Offset of the first one.
        stop: Offset behind the last one.
    """

    start: int
    stop: int


class Ranges:
    """Disjoint stretches of a file in ascending order; those that touch are one."""

    __slots__ = ("_starts", "_stops")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for start, stop in ranges:
            self.add(start, stop)

    def add(self, start: int, stop: int) -> None:
        """Take the bytes from *start* to *stop* in, whether or not some are there already."""
        if start >= stop:
            return
        first, last = bisect_left(self._stops, start), bisect_right(self._starts, stop)
        if first < last:
            start, stop = min(start, self._starts[first]), max(stop, self._stops[last - 1])
        self._starts[first:last] = [start]
        self._stops[first:last] = [stop]

    def missing(self, size: int) -> list[Range]:
        """The stretches of a file of *size* bytes that are not here, the first one first."""
        edges = zip([0, *self._stops], [*self._starts, size], strict=True)
        return [Range(start, min(stop, size)) for start, stop in edges if start < min(stop, size)]

    def reach(self, offset: int = 0) -> int:
        """Offset of the first byte from *offset* on that is not here."""
        index = bisect_right(self._starts, offset) - 1
        return max(offset, self._stops[index]) if index >= 0 else offset

    def without(self, offset: int) -> Self:
        """The same without the byte at *offset*."""
        pieces = ((min(r.start, offset), min(r.stop, offset)) for r in self)
        others = ((max(r.start, offset + 1), max(r.stop, offset + 1)) for r in self)
        return type(self)([*pieces, *others])

    @property
    def total(self) -> int:
        """How many bytes are here."""
        return sum(self._stops) - sum(self._starts)

    def __iter__(self) -> Iterator[Range]:
        return map(Range, self._starts, self._stops)
