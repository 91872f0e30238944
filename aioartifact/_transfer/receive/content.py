"""
Matches bytes with expected content, and finds missing ones, for downloads, streams, open files and archive members.

Checksums decide where both sides have one in common. Then an ETag decides. A response with neither cannot be matched
with any content: `Last-Modified` has a resolution of one second, and a file can change twice in one.

Content is an `ExpectedContent`: *pinned* is the one that all bytes must belong to, *described* the one that the header
fields of a response describe.
"""

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self, TypeAlias

from ..._address import ItemURL
from ..._bodies import can_decode, decoded
from ..._checksums import ALGORITHMS, NO_CHECKSUMS, Algorithm, Checksums, Digests
from ..._errors import IntegrityError, ProtocolError
from ..._models import FileInfo
from ..._protocol import ExpectedContent

Meaning: TypeAlias = Literal["body", "unchanged", "end", "refusal"]


class Range(NamedTuple):
    """
    Bytes of a file.

    Attributes:
        start: Offset of the first one.
        stop: Offset after the last one.
    """

    start: int
    stop: int


class Ranges:
    """Disjoint ranges of a file in ascending order; adjacent ones are merged."""

    __slots__ = ("_starts", "_stops")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for start, stop in ranges:
            self.add(start, stop)

    def add(self, start: int, stop: int) -> None:
        """Add the bytes from *start* to *stop*, whether or not some are included already."""
        if start >= stop:
            return
        first, last = bisect_left(self._stops, start), bisect_right(self._starts, stop)
        if first < last:
            start, stop = min(start, self._starts[first]), max(stop, self._stops[last - 1])
        self._starts[first:last] = [start]
        self._stops[first:last] = [stop]

    def missing(self, size: int) -> list[Range]:
        """The ranges of a file of *size* bytes that are not included, in ascending order."""
        edges = zip([0, *self._stops], [*self._starts, size], strict=True)
        return [Range(start, min(stop, size)) for start, stop in edges if start < min(stop, size)]

    def reach(self, offset: int = 0) -> int:
        """Offset of the first byte from *offset* on that is not included."""
        index = bisect_right(self._starts, offset) - 1
        return max(offset, self._stops[index]) if index >= 0 else offset

    def without(self, offset: int) -> Self:
        """The same without the byte at *offset*."""
        pieces = ((min(r.start, offset), min(r.stop, offset)) for r in self)
        others = ((max(r.start, offset + 1), max(r.stop, offset + 1)) for r in self)
        return type(self)([*pieces, *others])

    @property
    def total(self) -> int:
        """How many bytes are included."""
        return sum(self._stops) - sum(self._starts)

    def __iter__(self) -> Iterator[Range]:
        return map(Range, self._starts, self._stops)


WHOLE = Range(0, sys.maxsize)


def meaning_of(status: int, *, has_range: bool, is_conditional: bool = False) -> Meaning:
    """
    Decide what a status means for a download request.

    Returns:
        ``"body"``: bytes of the file follow. ``"unchanged"``: the local copy is current. ``"end"``: the requested
        range starts at or after the end of the file. ``"refusal"``: anything else, such as a 416 to a request
        without a range, or a 304 to one without a condition. A 206 to a request without a range is refused where
        its header fields are read.
    """
    if status in (200, 206):
        return "body"
    if status == 304 and is_conditional:
        return "unchanged"
    return "end" if status == 416 and has_range else "refusal"


def disagree(one: Checksums, other: Checksums) -> bool:
    """Whether two sets of checksums cannot belong to the same bytes: one that both have differs."""
    return any((mine := one.get(name)) and (theirs := other.get(name)) and mine != theirs for name in ALGORITHMS)


def is_same_content(pinned: ExpectedContent, described: ExpectedContent) -> bool:
    """Whether *described* is the *pinned* content. A response with neither a checksum nor an ETag never is."""
    if disagree(pinned.checksums, described.checksums):
        return False
    has_same_form = pinned.codings == described.codings  # else the size of one may be that of an encoded body
    if has_same_form and None not in (pinned.size, described.size) and pinned.size != described.size:
        return False
    if pinned.checksums.agree_with(described.checksums):
        return True
    return pinned.etag is not None and pinned.etag == described.etag


def has_identity(expected: ExpectedContent) -> bool:
    """Whether later responses can be matched with this content."""
    return bool(expected.checksums) or expected.etag is not None


def starts_at(described: ExpectedContent, position: int) -> bool:
    """Whether a stream can continue at *position*: a part must begin there; of a whole file, bytes are skipped."""
    return described.stop is None or described.start == position


def has_certain_end(described: ExpectedContent, size: int | None) -> bool:
    """Whether a response does not contradict itself about the end of the file, or states its known *size*."""
    return not described.is_contradictory or (size is not None and described.size == size)


def is_requested_part(pinned: ExpectedContent, requested: Range, described: ExpectedContent) -> bool:
    """
    Whether a response is exactly the *requested* part of the *pinned* content, in the same form.

    It must begin at the first requested byte, and end at the last one or at the end of the file. Files are put
    together from such parts. Streams, which are read in order, decide with `starts_at`, `has_certain_end` and
    `is_same_content`.
    """
    stop = min(requested.stop, pinned.size or described.size or requested.stop)
    has_its_bytes = described.start == requested.start and described.stop == stop
    has_its_form = has_certain_end(described, pinned.size) and pinned.codings == described.codings
    return has_its_bytes and has_its_form and is_same_content(pinned, described)


def first_missing(pinned: ExpectedContent, kept: Ranges) -> Range | None:
    """What to request next of a partially received file; None if it is complete."""
    if not (kept.total and pinned.etag):
        return WHOLE
    if pinned.size is None:
        return Range(kept.reach(), WHOLE.stop)
    return next(iter(kept.missing(pinned.size)), None)


def algorithms_for(expected: Checksums) -> Sequence[Algorithm]:
    """The digest to compute: that of the strongest expected checksum, or none."""
    strongest = expected.strongest()
    return (strongest[0],) if strongest else ()


@dataclass(frozen=True, slots=True)
class Pin:
    """
    What a caller or a listing says a file must be.

    Attributes:
        size: Bytes, or None.
        checksums: Checksums of the whole file.
        is_binding: Whether the caller requires it. The listing of a folder may be older than the file.
    """

    size: int | None
    checksums: Checksums
    is_binding: bool


def pin_of(listed: FileInfo | None, *, is_binding: bool) -> Pin | None:
    """The pin of a listed file or of a caller's item; None if there is nothing to compare with."""
    if listed is None or (listed.size is None and not listed.checksums):
        return None
    return Pin(listed.size, listed.checksums, is_binding)


def required_pin(checksums: Checksums) -> Pin | None:
    """The pin of a file that must have *checksums*; None if there are none."""
    return Pin(None, checksums, is_binding=True) if checksums else None


def contradicts(pin: Pin | None, described: ExpectedContent) -> bool:
    """Whether a response has another size or other checksums than the *pin*."""
    if pin is None:
        return False
    sizes_differ = None not in (pin.size, described.size) and pin.size != described.size and not described.codings
    return sizes_differ or disagree(pin.checksums, described.checksums)


def with_pin(described: ExpectedContent, pin: Pin | None) -> ExpectedContent:
    """
    Add what the *pin* knows to the content that a response describes.

    Nothing is added from the listing of other content.

    With a binding pin, its own strongest checksum is verified: a stronger one in a header says nothing about the
    content that the caller required.
    """
    if pin is None or (disagree(pin.checksums, described.checksums) and not pin.is_binding):
        return described
    size = pin.size if described.size is None and not described.codings else described.size
    if pin.is_binding and pin.checksums:
        return replace(described, size=size, checksums=pin.checksums)
    known = {name: described.checksums.get(name) or pin.checksums.get(name) for name in ALGORITHMS}
    return replace(described, size=size, checksums=Checksums(**known))


def pin_error(item: ItemURL, pin: Pin, described: ExpectedContent) -> IntegrityError:
    """The error for a response that contradicts a pin."""
    for name in ALGORITHMS:
        expected, actual = pin.checksums.get(name), described.checksums.get(name)
        if expected and actual and expected != actual:
            what: str = name
            break
    else:
        what, expected, actual = "size", str(pin.size), str(described.size)
    source = "requested" if pin.is_binding else "listed"
    return IntegrityError(
        f"GET {item}: {what} is {actual}, {source} was {expected}; nothing was written",
        algorithm=what,
        expected=expected or "",
        actual=actual or "",
        hint="the file was replaced, or the expected value is that of another file",
    )


def check_pin(item: ItemURL, pin: Pin | None, described: ExpectedContent) -> None:
    """
    Refuse a response that describes other content than the caller requires.

    Raises:
        IntegrityError: If it does.
    """
    if pin is not None and pin.is_binding and contradicts(pin, described):
        raise pin_error(item, pin, described)


def check_pinned_size(item: ItemURL, pin: Pin | None, size: int) -> None:
    """
    Compare the size of a verified file with what the caller requires: an encoded body does not state it.

    Raises:
        IntegrityError: If it differs.
    """
    if pin is not None and pin.is_binding and pin.size not in (None, size):
        raise pin_error(item, pin, ExpectedContent(size, NO_CHECKSUMS))


def check_is_file(item: ItemURL, expected: ExpectedContent, *, is_identified: bool) -> None:
    """
    Refuse a web page that a redirect led to, unless it is identified as the file.

    Raises:
        ProtocolError: If it is not.
    """
    if expected.is_page and not is_identified:
        raise ProtocolError(
            f"GET {item}: redirected to an HTML page; nothing was written",
            hint="a login page may have answered in place of the file; check the credentials",
        )


def check_received(item: ItemURL, expected: ExpectedContent, size: int, checksums: Checksums) -> None:
    """
    Compare the received bytes with the expected content.

    Raises:
        IntegrityError: If size or checksum differs.
        ProtocolError: If the body is a web page from a redirect that no checksum identifies as the file.
    """
    strongest = expected.checksums.strongest()
    check_is_file(item, expected, is_identified=bool(expected.checksums))
    if expected.size is not None and size != expected.size:
        raise IntegrityError(
            f"GET {item}: {size} bytes arrived of {expected.size}; nothing was written",
            algorithm="size",
            expected=str(expected.size),
            actual=str(size),
            hint="try again; a proxy may cut long answers",
        )
    if strongest is None:
        if expected.size is None and expected.is_open_ended:
            raise IntegrityError(
                f"GET {item}: {size} bytes arrived, and their end cannot be verified; nothing was written",
                algorithm="size",
                actual=str(size),
                hint="try again; the response has neither a length nor checksums, check the proxy",
            )
        return
    algorithm, wanted = strongest
    actual = checksums.get(algorithm) or ""
    if actual != wanted:
        hint = "try again; if it stays, a proxy changes the bytes or the stored file is damaged"
        raise IntegrityError(
            f"GET {item}: {algorithm} is {actual}, expected {wanted}; nothing was written",
            algorithm=algorithm,
            expected=wanted,
            actual=actual,
            hint="try again; a proxy encodes the file on the way: " + "+".join(expected.codings)
            if expected.codings
            else hint,
        )


def decoded_size(expected: ExpectedContent, chunks: Iterable[bytes]) -> int | None:
    """
    Bytes of the content of an encoded body, if its checksum shows that the coding was added in transit; else None.

    Blocks as long as it takes to decode *chunks*; the content itself is not kept.
    """
    algorithms = algorithms_for(expected.checksums)
    if not (algorithms and can_decode(expected.codings)):
        return None
    size, digests = 0, Digests(algorithms)
    try:
        for piece in decoded(chunks, expected.codings):
            digests.update(piece)
            size += len(piece)
    except ValueError:
        return None
    return size if digests.checksums().agree_with(expected.checksums) else None
