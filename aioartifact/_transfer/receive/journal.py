"""
The journal of a partial download: which of its bytes are on the disk, and to which content they belong.

It is written after the bytes that it lists are on the disk, so it is valid after a crash, too; bytes that it does not
list are never used. It contains no secret: the URL of an item has neither user nor query.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..._address import ItemURL
from ..._checksums import ALGORITHMS, Checksums
from ..._errors import IntegrityError, InvalidArgumentError, LocalFileError, NotFoundError, ProtocolError
from ..._protocol import ExpectedContent
from .content import Pin, Range, Ranges

_FORMAT = b"aioartifact journal 1"
# A smaller partial download would cost more to keep than to fetch again.
WORTH_KEEPING = 8 * 1024 * 1024

# An ETag is sent back to the server in a header field (RFC 9110 section 8.8.3).
_ETAG = re.compile(r"[\x20-\x7e\x80-\xff]{1,1024}")


@dataclass(frozen=True, slots=True)
class Journal:
    """
    The state of a partial download.

    Attributes:
        url: URL of the item.
        size: Bytes of the whole file.
        etag: ETag of this content, exactly as received.
        checksums: Checksums of the whole file; at least one.
        kept: The bytes that are on the disk, disjoint and ascending.
    """

    url: str
    size: int
    etag: str
    checksums: Checksums
    kept: tuple[Range, ...]

    @property
    def expected(self) -> ExpectedContent:
        """What the server said of this content."""
        return ExpectedContent(self.size, self.checksums, self.etag)


def can_outlive(expected: ExpectedContent) -> bool:
    """Whether the bytes of a file are worth keeping, and can be distinguished from those of other content."""
    return bool(expected.size and expected.size >= WORTH_KEEPING and expected.etag)


def is_worth_leaving(kept: int, error: BaseException) -> bool:
    """Whether a later run can make use of *kept* bytes of a file whose transfer ended with *error*."""
    lost = isinstance(error, IntegrityError | LocalFileError | NotFoundError | ProtocolError)
    return kept >= WORTH_KEEPING and not lost


def journal_of(item: ItemURL, expected: ExpectedContent, kept: Iterable[Range]) -> Journal | None:
    """The journal to write, or None where no later run could make sure that the bytes are right."""
    if expected.size is None or not expected.etag or not expected.checksums:
        return None
    return Journal(str(item), expected.size, expected.etag, expected.checksums, tuple(kept))


def encode(journal: Journal) -> bytes:
    """The journal as the content of a file."""
    record = {
        "url": journal.url,
        "size": journal.size,
        "etag": journal.etag,
        "checksums": {name: value for name in ALGORITHMS if (value := journal.checksums.get(name))},
        "kept": journal.kept,
    }
    body = json.dumps(record).encode("ascii")
    return b"%b %b\n%b\n" % (_FORMAT, _digest(body), body)


def decode(data: bytes) -> Journal | None:
    """Read a journal; None if *data* is incomplete, of another version, or not a journal."""
    head, _, body = data.partition(b"\n")
    body, end, rest = body.partition(b"\n")
    if head != b"%b %b" % (_FORMAT, _digest(body)) or not end or rest:
        return None
    try:
        return _journal(json.loads(body))
    except (ValueError, TypeError, KeyError, RecursionError, InvalidArgumentError):
        return None  # the digest is not a signature: another program may have written it


def adopt(journal: Journal | None, item: ItemURL, part_size: int, pin: Pin | None) -> Ranges | None:
    """
    Return which bytes of a partial download of *part_size* bytes may be used for *item*; None to start over.

    At least one byte is always left to request: the response shows whether the content is still the same.
    """
    if journal is None or journal.url != str(item):
        return None
    kept = Ranges(journal.kept)
    # The partial file was allocated at its full size; a later run must not extend it because a journal says so.
    if not kept.total or part_size < journal.size:
        return None
    if pin is not None and not _agrees(journal, pin):
        return None
    return kept if kept.total < journal.size else kept.without(journal.size - 1)


def _agrees(journal: Journal, pin: Pin) -> bool:
    same = (
        journal.checksums.get(name) == value
        for name in ALGORITHMS
        if (value := pin.checksums.get(name)) and journal.checksums.get(name)
    )
    return pin.size in (None, journal.size) and all(same)


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode("ascii")


def _journal(record: dict[str, Any]) -> Journal | None:
    kept = tuple(Range(*map(_whole, pair)) for pair in record["kept"])
    size, checksums = _whole(record["size"]), Checksums(**record["checksums"])
    bounds = [bound for pair in kept for bound in pair]
    if not (isinstance(record["url"], str) and record["url"] and _ETAG.fullmatch(record["etag"])):
        return None
    if bounds != sorted(set(bounds)) or (bounds and bounds[-1] > size) or not checksums:
        return None
    return Journal(record["url"], size, record["etag"], checksums, kept)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value
