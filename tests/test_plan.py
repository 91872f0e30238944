import asyncio
import os

import pytest

from aioartifact._address import parse_item_url
from aioartifact._checksums import Checksums
from aioartifact._errors import (
    AuthenticationError,
    ConnectionLostError,
    IntegrityError,
    LocalFileError,
    NotFoundError,
    ProtocolError,
    UnsafePathError,
)
from aioartifact._models import FileInfo
from aioartifact._protocol import ExpectedContent
from aioartifact._transfer.local_paths import check_inside, local_path, relative_path
from aioartifact._transfer.overwrite import decide
from aioartifact._transfer.receive.content import (
    WHOLE,
    Range,
    Ranges,
    algorithms_for,
    check_received,
    first_missing,
    is_requested_part,
    pin_of,
    starts_at,
    with_pin,
)
from aioartifact._transfer.receive.journal import WORTH_KEEPING, is_worth_leaving

ITEM = parse_item_url("https://h/artifactory/r/u")

SHA256, SHA1, MD5 = "a" * 64, "b" * 40, "c" * 32
ALL = Checksums(SHA256, SHA1, MD5)


def listed(size=None, checksums=ALL):
    return FileInfo("https://host/r/a", "r", "a", size, checksums)


@pytest.mark.parametrize("relative", ["a", "a/b", "a b/ü", "..a/b..", "...", "~", "-", "a\n", "%2e%2e", " "])
def test_local_path_of_a_name(relative):
    """Segments of the server's path are folders and a file below the root."""
    assert local_path("/data", relative) == f"/data/{relative}"


@pytest.mark.parametrize(
    "relative",
    [
        "",
        "/",
        "/etc/passwd",
        "//x",
        ".",
        "..",
        "../a",
        "a/..",
        "a/../b",
        "a/./b",
        "a//b",
        "a/",
        "a\0b",
        "\ud800",
        "a/\udfff",
    ],
)
def test_local_path_of_what_is_no_name(relative):
    """A listing cannot make us write elsewhere, nor under a name the disk cannot hold."""
    with pytest.raises(UnsafePathError, match="refused"):
        local_path("/data", relative)


@pytest.mark.parametrize(
    ("relative", "there"),
    [("a\\b", "a%5Cb"), ("..\\a", "..%5Ca"), ("C:a", "C%3Aa"), ("nul/b.", "%6Eul/b%2E"), ("a b/ü", "a b/ü")],
)
def test_local_path_on_windows(relative, there, monkeypatch):
    """There a backslash separates, and a colon names a drive or a stream; elsewhere both are characters."""
    assert local_path("/data", relative) == f"/data/{relative}"

    monkeypatch.setattr(os, "name", "nt")

    assert local_path("/data", relative) == f"/data/{there}"


@pytest.mark.parametrize(("root", "folder"), [("/data", "/data"), ("/data", "/data/a/b"), ("/", "/data")])
def test_folder_inside(root, folder):
    """The root itself, and all below it."""
    check_inside(root, folder)


@pytest.mark.parametrize(("root", "folder"), [("/data", "/"), ("/data", "/data2"), ("/data/a", "/data/b")])
def test_folder_outside(root, folder):
    """Whole names count, not their beginnings."""
    with pytest.raises(UnsafePathError, match="symbolic link"):
        check_inside(root, folder)


@pytest.mark.parametrize(
    ("base", "path", "relative"),
    [("", "a/b", "a/b"), ("a", "a/b", "b"), ("a/b", "a/b/c/d", "c/d"), ("a", "ab/c", "ab/c"), ("a", "a/a/b", "a/b")],
)
def test_path_below_the_listed_folder(base, path, relative):
    """The folder that was asked for is not made again below the destination."""
    assert relative_path(base, path) == relative


OTHER = Checksums("d" * 64, "e" * 40)


@pytest.mark.parametrize(
    ("overwrite", "size", "file", "known", "decision"),
    [
        pytest.param("changed", None, listed(3), Checksums(), "fetch", id="no-local-file"),
        pytest.param("never", None, listed(3), ALL, "fetch", id="never-but-absent"),
        pytest.param("never", 4, listed(3), OTHER, "keep", id="never-whatever-it-holds"),
        pytest.param("always", 3, listed(3), ALL, "fetch", id="always-though-same"),
        pytest.param("changed", 3, listed(3), Checksums(), "read", id="same-size"),
        pytest.param("changed", 0, listed(0), Checksums(), "read", id="both-empty"),
        pytest.param("changed", 4, listed(3), ALL, "fetch", id="other-size"),
        pytest.param("changed", 4, listed(None), Checksums(), "read", id="size-not-listed"),
        pytest.param("changed", 3, listed(3, Checksums()), Checksums(), "ask", id="nothing-to-compare"),
        pytest.param("changed", 4, listed(3, Checksums()), Checksums(), "fetch", id="nothing-but-another-size"),
        pytest.param("changed", 3, None, ALL, "ask", id="not-listed"),
        pytest.param("changed", 3, listed(3), ALL, "keep", id="known-and-same"),
        pytest.param("changed", 3, listed(3), OTHER, "fetch", id="known-and-other"),
        pytest.param("changed", 3, listed(3), Checksums(sha1=SHA1), "read", id="known-by-a-weaker-one"),
        pytest.param("changed", 3, listed(3, Checksums(sha1=SHA1)), ALL, "keep", id="listed-by-a-weaker-one"),
    ],
)
def test_decision_about_an_item(overwrite, size, file, known, decision):
    """A file is read only if nothing cheaper shows whether it is the same."""
    assert decide(overwrite, size, file, known) == decision


@pytest.mark.parametrize(
    ("promise", "algorithms"),
    [
        (ALL, ("sha256",)),
        (Checksums(sha1=SHA1, md5=MD5), ("sha1",)),
        (Checksums(md5=MD5), ("md5",)),
        (Checksums(), ()),
    ],
)
def test_digests_to_compute(promise, algorithms):
    """The strongest promised one; none where there is nothing to compare with."""
    assert algorithms_for(promise) == algorithms


@pytest.mark.parametrize(
    ("promise", "file", "completed"),
    [
        pytest.param(ExpectedContent(3, ALL), listed(4, Checksums(md5=MD5)), ExpectedContent(3, ALL), id="answer-wins"),
        pytest.param(ExpectedContent(None, ALL), listed(4), ExpectedContent(4, ALL), id="size-listed"),
        pytest.param(ExpectedContent(3, Checksums()), listed(4), ExpectedContent(3, ALL), id="checksums-listed"),
        pytest.param(ExpectedContent(None, Checksums()), listed(4), ExpectedContent(4, ALL), id="both-listed"),
        pytest.param(ExpectedContent(0, Checksums()), listed(4), ExpectedContent(0, ALL), id="empty-is-a-size"),
        pytest.param(ExpectedContent(3, Checksums()), None, ExpectedContent(3, Checksums()), id="not-listed"),
    ],
)
def test_promise_completed_from_listing(promise, file, completed):
    """The listing fills in only where the answer says nothing."""
    assert with_pin(promise, pin_of(file, is_binding=False)) == completed


@pytest.mark.parametrize(
    ("promise", "size", "checksums"),
    [
        pytest.param(ExpectedContent(3, ALL), 3, Checksums(sha256=SHA256), id="strongest-is-enough"),
        pytest.param(ExpectedContent(3, Checksums(md5=MD5)), 3, Checksums(md5=MD5), id="md5-only"),
        pytest.param(ExpectedContent(None, ALL), 3, ALL, id="size-unknown"),
        pytest.param(ExpectedContent(0, Checksums()), 0, ALL, id="empty"),
        pytest.param(ExpectedContent(None, Checksums()), 3, ALL, id="nothing-promised"),
    ],
)
def test_received_as_promised(promise, size, checksums):
    """What was promised came."""
    check_received(ITEM, promise, size, checksums)


@pytest.mark.parametrize(
    ("promise", "size", "checksums", "algorithm", "expected", "actual"),
    [
        pytest.param(ExpectedContent(3, ALL), 2, ALL, "size", "3", "2", id="too-short"),
        pytest.param(ExpectedContent(3, ALL), 4, ALL, "size", "3", "4", id="too-long"),
        pytest.param(ExpectedContent(0, Checksums()), 1, ALL, "size", "0", "1", id="not-empty"),
        pytest.param(
            ExpectedContent(None, Checksums(), is_open_ended=True), 3, ALL, "size", "", "3", id="perhaps-not-all"
        ),
        pytest.param(
            ExpectedContent(3, ALL), 3, Checksums("d" * 64, SHA1, MD5), "sha256", SHA256, "d" * 64, id="sha256"
        ),
        pytest.param(
            ExpectedContent(None, Checksums(sha1=SHA1)), 3, Checksums(sha1="d" * 40), "sha1", SHA1, "d" * 40, id="sha1"
        ),
        pytest.param(
            ExpectedContent(3, Checksums(md5=MD5)), 3, Checksums(md5="d" * 32), "md5", MD5, "d" * 32, id="md5"
        ),
        pytest.param(ExpectedContent(3, ALL), 3, Checksums(sha1=SHA1), "sha256", SHA256, "", id="not-computed"),
    ],
)
def test_received_otherwise(promise, size, checksums, algorithm, expected, actual):
    """The error names the request, what differs, and both values."""
    with pytest.raises(IntegrityError, match=rf"^GET {ITEM}: .*; nothing was written — try again") as caught:
        check_received(ITEM, promise, size, checksums)

    assert (caught.value.algorithm, caught.value.expected, caught.value.actual) == (algorithm, expected, actual)


SAME = Checksums(sha1=SHA1)
PINNED = ExpectedContent(10, SAME, SHA1)


@pytest.mark.parametrize(
    ("promise", "fits"),
    [
        pytest.param(ExpectedContent(10, SAME, SHA1, 4, 10), True, id="same"),
        pytest.param(ExpectedContent(None, Checksums(), SHA1, 4, 10), True, id="same-of-unknown-size"),
        pytest.param(ExpectedContent(10, SAME, SHA1, 5, 10), False, id="gap"),
        pytest.param(ExpectedContent(10, SAME, SHA1, 3, 10), False, id="overlap"),
        pytest.param(ExpectedContent(10, SAME, SHA1, 4, 9), False, id="too-short"),
        pytest.param(ExpectedContent(10, SAME, SHA1, 4, 11), False, id="too-long"),
        pytest.param(ExpectedContent(10, SAME, SHA1), False, id="whole"),
        pytest.param(ExpectedContent(11, SAME, SHA1, 4, 10), False, id="other-size"),
        pytest.param(ExpectedContent(10, Checksums(sha1="d" * 40), SHA1, 4, 10), False, id="other-checksum"),
        pytest.param(ExpectedContent(10, SAME, "d" * 40, 4, 10), True, id="same-checksum-of-another-etag"),
        pytest.param(ExpectedContent(10, SAME, None, 4, 10), True, id="same-checksum-without-etag"),
        pytest.param(ExpectedContent(10, Checksums(), None, 4, 10), False, id="nothing-to-compare"),
        pytest.param(ExpectedContent(10, Checksums(), "d" * 40, 4, 10), False, id="other-etag"),
    ],
)
@pytest.mark.parametrize("stop", [10, WHOLE.stop])
def test_continues_only_the_same_content_at_the_same_byte(stop, promise, fits):
    """What is kept may only be completed by just the bytes asked for, of the very same content."""
    assert is_requested_part(PINNED, Range(4, stop), promise) is fits


@pytest.mark.parametrize(
    ("described", "position", "fits"),
    [
        pytest.param(ExpectedContent(10, SAME, SHA1, 4, 10), 4, True, id="part-from-there"),
        pytest.param(ExpectedContent(10, SAME, SHA1, 4, 7), 4, True, id="shorter-part"),
        pytest.param(ExpectedContent(10, SAME, SHA1, 3, 10), 4, False, id="part-from-before"),
        pytest.param(ExpectedContent(10, SAME, SHA1, 5, 10), 4, False, id="part-from-after"),
        pytest.param(ExpectedContent(10, SAME, SHA1), 4, True, id="whole-file"),
    ],
)
def test_stream_reads_a_part_from_its_position_or_the_whole_file(described, position, fits):
    """A part that begins elsewhere would put bytes of another offset into the stream."""
    assert starts_at(described, position) is fits


@pytest.mark.parametrize(("first", "fits"), [(7, True), (8, False), (6, False)])
def test_part_in_the_middle_is_just_what_was_asked_for(first, fits):
    """An answer that stops elsewhere is no answer to this question."""
    assert is_requested_part(PINNED, Range(4, 7), ExpectedContent(10, SAME, SHA1, 4, first)) is fits


def test_part_of_a_file_of_unknown_size():
    """The first part whose response has the size ends there."""
    pinned = ExpectedContent(None, SAME, SHA1)
    assert is_requested_part(pinned, Range(4, WHOLE.stop), ExpectedContent(10, SAME, SHA1, 4, 10))
    assert not is_requested_part(pinned, Range(4, WHOLE.stop), ExpectedContent(10, SAME, SHA1, 4, 9))


@pytest.mark.parametrize(
    ("pinned", "kept", "missing"),
    [
        pytest.param(PINNED, [], WHOLE, id="nothing-kept"),
        pytest.param(PINNED, [(0, 4)], Range(4, 10), id="beginning-kept"),
        pytest.param(PINNED, [(0, 4), (6, 8)], Range(4, 6), id="hole"),
        pytest.param(PINNED, [(4, 10)], Range(0, 4), id="end-kept"),
        pytest.param(PINNED, [(0, 10)], None, id="all-kept"),
        pytest.param(ExpectedContent(10, SAME), [(0, 4)], WHOLE, id="nothing-to-pin-by"),
        pytest.param(ExpectedContent(None, SAME, SHA1), [(0, 4)], Range(4, WHOLE.stop), id="size-unknown"),
    ],
)
def test_what_to_ask_for_next(pinned, kept, missing):
    """The first bytes that are missing; all of them where nothing names the content."""
    assert first_missing(pinned, Ranges(kept)) == missing


@pytest.mark.parametrize(
    ("kept", "error", "worth"),
    [
        (WORTH_KEEPING, ConnectionLostError("lost"), True),
        (WORTH_KEEPING, asyncio.CancelledError(), True),
        (WORTH_KEEPING, AuthenticationError("who?"), True),
        (WORTH_KEEPING - 1, ConnectionLostError("lost"), False),
        (WORTH_KEEPING, IntegrityError("other bytes"), False),
        (WORTH_KEEPING, NotFoundError("gone"), False),
        (WORTH_KEEPING, LocalFileError("disk full"), False),
        (WORTH_KEEPING, ProtocolError("changed again"), False),
    ],
)
def test_what_is_left_to_a_later_run(kept, error, worth):
    """Much, of a file that is likely to be there next time; a full disk is not filled for later."""
    assert is_worth_leaving(kept, error) is worth
