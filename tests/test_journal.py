"""What is on the disk beside a part is believed only if it was written by us, whole, for just this file."""

import hashlib
import json

import pytest

from aioartifact._address import parse_item_url
from aioartifact._checksums import Checksums
from aioartifact._protocol import ExpectedContent
from aioartifact._transfer.receive.content import Pin, Range
from aioartifact._transfer.receive.journal import WORTH_KEEPING, Journal, adopt, can_outlive, decode, encode, journal_of

ITEM = parse_item_url("https://host/artifactory/r/a b.bin")
SHA256, SHA1 = "a" * 64, "b" * 40
SUMS = Checksums(SHA256, SHA1)
JOURNAL = Journal(str(ITEM), 100, SHA1, SUMS, (Range(0, 40), Range(60, 80)))


def written(**changes) -> bytes:
    """A journal as anybody could write it, with *changes* to its fields."""
    record = json.loads(encode(JOURNAL).split(b"\n")[1]) | changes
    body = json.dumps(record).encode()
    return b"aioartifact journal 1 %b\n%b\n" % (hashlib.sha256(body).hexdigest().encode(), body)


def test_journal_is_read_as_it_was_written():
    """Nothing is lost; it is one line of JSON and one that vouches for it."""
    assert decode(encode(JOURNAL)) == JOURNAL
    assert decode(written()) == JOURNAL
    assert encode(JOURNAL).count(b"\n") == 2


def test_torn_journal_is_none():
    """No beginning of a journal is a journal, nor is one with a changed bit, or with more behind it."""
    whole = encode(JOURNAL)
    assert all(decode(whole[:stop]) is None for stop in range(len(whole)))
    assert all(decode(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]) is None for at in range(len(whole)))
    assert decode(whole + b"x") is None
    assert decode(whole + whole) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0" * 4096, id="zeros-after-a-power-loss"),
        pytest.param(b"\xff\n\xfe\n", id="garbage"),
        pytest.param(encode(JOURNAL).replace(b"journal 1", b"journal 2"), id="other-version"),
        pytest.param(written(url=None), id="no-url"),
        pytest.param(written(url=""), id="empty-url"),
        pytest.param(written(etag=1), id="etag-is-a-number"),
        pytest.param(written(size=-1), id="negative-size"),
        pytest.param(written(size=True), id="size-is-a-bool"),
        pytest.param(written(size=79), id="kept-behind-the-end"),
        pytest.param(written(size="100"), id="size-is-text"),
        pytest.param(written(checksums={}), id="no-checksum"),
        pytest.param(written(checksums={"sha256": "x"}), id="checksum-is-none"),
        pytest.param(written(checksums={"crc": "x"}), id="unknown-checksum"),
        pytest.param(written(checksums=[]), id="checksums-are-a-list"),
        pytest.param(written(kept=[[0, 40], [20, 60]]), id="overlap"),
        pytest.param(written(kept=[[0, 40], [40, 60]]), id="touching"),
        pytest.param(written(kept=[[60, 80], [0, 40]]), id="descending"),
        pytest.param(written(kept=[[40, 40]]), id="nothing-between"),
        pytest.param(written(kept=[[-1, 40]]), id="before-the-beginning"),
        pytest.param(written(kept=[[0.0, 40]]), id="fraction"),
        pytest.param(written(kept=[[0]]), id="half-a-range"),
        pytest.param(written(kept=[[0, 1, 2]]), id="range-of-three"),
        pytest.param(written(kept=None), id="nothing"),
    ],
)
def test_what_is_no_journal(data):
    """A digest is not a signature: impossible values are rejected in any case."""
    assert decode(data) is None


def test_deep_json_is_no_journal():
    """A file that would exhaust the parser is as good as none."""
    body = b"[" * 200_000
    assert decode(b"aioartifact journal 1 %b\n%b\n" % (hashlib.sha256(body).hexdigest().encode(), body)) is None


def test_adopted_is_what_the_journal_says():
    """Of the right file, and of a part that is long enough."""
    assert list(adopt(JOURNAL, ITEM, 100, None)) == [(0, 40), (60, 80)]
    assert list(adopt(JOURNAL, ITEM, 120, None)) == [(0, 40), (60, 80)]


def test_one_byte_is_always_asked_for():
    """The response shows whether the content is still the same, even if all of it is here."""
    whole = Journal(str(ITEM), 100, SHA1, SUMS, (Range(0, 100),))
    assert list(adopt(whole, ITEM, 100, None)) == [(0, 99)]


@pytest.mark.parametrize(
    ("journal", "size", "listed"),
    [
        pytest.param(None, 100, None, id="no-journal"),
        pytest.param(JOURNAL, 99, None, id="part-too-short"),
        pytest.param(JOURNAL, 0, None, id="part-empty"),
        pytest.param(Journal("https://host/artifactory/r/b", 100, SHA1, SUMS, (Range(0, 4),)), 100, None, id="foreign"),
        pytest.param(Journal(str(ITEM), 100, SHA1, SUMS, ()), 100, None, id="nothing-kept"),
        pytest.param(JOURNAL, 100, (101, SUMS), id="other-size-listed"),
        pytest.param(JOURNAL, 100, (100, Checksums("c" * 64)), id="other-checksum-listed"),
        pytest.param(JOURNAL, 100, (None, Checksums(SHA256, "c" * 40)), id="one-of-two-differs"),
    ],
)
def test_what_is_not_adopted(journal, size, listed):
    """Any doubt starts over."""
    assert adopt(journal, ITEM, size, listed and Pin(*listed, is_binding=False)) is None


@pytest.mark.parametrize("listed", [(100, SUMS), (None, Checksums()), (100, Checksums(md5="c" * 32))])
def test_listing_that_says_nothing_else(listed):
    """What a listing does not say is no contradiction."""
    assert adopt(JOURNAL, ITEM, 100, Pin(*listed, is_binding=False)) is not None


@pytest.mark.parametrize(
    ("promise", "outlives"),
    [
        (ExpectedContent(WORTH_KEEPING, SUMS, SHA1), True),
        (ExpectedContent(WORTH_KEEPING, Checksums(), SHA1), True),  # the checksums may still be sent
        (ExpectedContent(WORTH_KEEPING - 1, SUMS, SHA1), False),
        (ExpectedContent(None, SUMS, SHA1), False),
        (ExpectedContent(WORTH_KEEPING, SUMS), False),
    ],
)
def test_what_may_outlive_its_run(promise, outlives):
    """A large file whose content can be named."""
    assert can_outlive(promise) is outlives


@pytest.mark.parametrize(
    "promise",
    [
        ExpectedContent(None, SUMS, SHA1),
        ExpectedContent(100, Checksums(), SHA1),
        ExpectedContent(100, SUMS),
        ExpectedContent(100, SUMS, ""),
    ],
)
def test_no_journal_without_proof(promise):
    """Bytes that cannot be verified later are not offered to a later run."""
    assert journal_of(ITEM, promise, (Range(0, 40),)) is None


def test_journal_of_a_promise():
    """What it takes from the promise is what a later run pins."""
    journal = journal_of(ITEM, ExpectedContent(100, SUMS, SHA1), JOURNAL.kept)
    assert journal == JOURNAL
    assert journal.expected == ExpectedContent(100, SUMS, SHA1)
