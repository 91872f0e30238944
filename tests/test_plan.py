import os

import pytest

from aioartifact._address import parse_item_url
from aioartifact._checksums import ALGORITHMS, Checksums
from aioartifact._errors import IntegrityError, UnsafePathError
from aioartifact._models import FileInfo
from aioartifact._protocol import Promise
from aioartifact._transfer.plan import (
    algorithms_for,
    check_inside,
    check_received,
    complete_promise,
    continues,
    decide,
    local_path,
    relative_path,
)

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
        pytest.param("changed", 3, None, ALL, "ask", id="not-listed"),
        pytest.param("changed", 3, listed(3), ALL, "keep", id="known-and-same"),
        pytest.param("changed", 3, listed(3), OTHER, "fetch", id="known-and-other"),
        pytest.param("changed", 3, listed(3), Checksums(sha1=SHA1), "read", id="known-by-a-weaker-one"),
        pytest.param("changed", 3, listed(3, Checksums(sha1=SHA1)), ALL, "keep", id="listed-by-a-weaker-one"),
    ],
)
def test_decision_about_an_item(overwrite, size, file, known, decision):
    """A file is read only where nothing cheaper tells whether it is the same."""
    assert decide(overwrite, size, file, known) == decision


@pytest.mark.parametrize(
    ("promise", "algorithms"),
    [
        (ALL, ("sha256",)),
        (Checksums(sha1=SHA1, md5=MD5), ("sha1",)),
        (Checksums(md5=MD5), ("md5",)),
        (Checksums(), ALGORITHMS),
    ],
)
def test_digests_to_compute(promise, algorithms):
    """The strongest promised one; all while a later answer may promise any."""
    assert algorithms_for(promise) == algorithms


@pytest.mark.parametrize(
    ("promise", "file", "completed"),
    [
        pytest.param(Promise(3, ALL), listed(4, Checksums(md5=MD5)), Promise(3, ALL), id="answer-wins"),
        pytest.param(Promise(None, ALL), listed(4), Promise(None, ALL), id="size-of-another-time"),
        pytest.param(Promise(3, Checksums()), listed(4), Promise(3, ALL), id="checksums-listed"),
        pytest.param(Promise(None, Checksums()), listed(4), Promise(4, ALL), id="both-listed"),
        pytest.param(Promise(0, Checksums()), listed(4), Promise(0, ALL), id="empty-is-a-size"),
        pytest.param(Promise(3, Checksums()), None, Promise(3, Checksums()), id="not-listed"),
    ],
)
def test_promise_completed_from_listing(promise, file, completed):
    """The listing fills in only where the answer says nothing."""
    assert complete_promise(promise, file) == completed


@pytest.mark.parametrize(
    ("promise", "size", "checksums"),
    [
        pytest.param(Promise(3, ALL), 3, Checksums(sha256=SHA256), id="strongest-is-enough"),
        pytest.param(Promise(3, Checksums(md5=MD5)), 3, Checksums(md5=MD5), id="md5-only"),
        pytest.param(Promise(None, ALL), 3, ALL, id="size-unknown"),
        pytest.param(Promise(0, Checksums()), 0, ALL, id="empty"),
        pytest.param(Promise(None, Checksums()), 3, ALL, id="nothing-promised"),
    ],
)
def test_received_as_promised(promise, size, checksums):
    """What was promised came."""
    check_received(ITEM, promise, size, checksums)


@pytest.mark.parametrize(
    ("promise", "size", "checksums", "algorithm", "expected", "actual"),
    [
        pytest.param(Promise(3, ALL), 2, ALL, "size", "3", "2", id="too-short"),
        pytest.param(Promise(3, ALL), 4, ALL, "size", "3", "4", id="too-long"),
        pytest.param(Promise(0, Checksums()), 1, ALL, "size", "0", "1", id="not-empty"),
        pytest.param(Promise(None, Checksums(), is_open_ended=True), 3, ALL, "size", "", "3", id="perhaps-not-all"),
        pytest.param(Promise(3, ALL), 3, Checksums("d" * 64, SHA1, MD5), "sha256", SHA256, "d" * 64, id="sha256"),
        pytest.param(
            Promise(None, Checksums(sha1=SHA1)), 3, Checksums(sha1="d" * 40), "sha1", SHA1, "d" * 40, id="sha1"
        ),
        pytest.param(Promise(3, Checksums(md5=MD5)), 3, Checksums(md5="d" * 32), "md5", MD5, "d" * 32, id="md5"),
        pytest.param(Promise(3, ALL), 3, Checksums(sha1=SHA1), "sha256", SHA256, "", id="not-computed"),
    ],
)
def test_received_otherwise(promise, size, checksums, algorithm, expected, actual):
    """The error names the request, what differs, and both values."""
    with pytest.raises(IntegrityError, match=rf"^GET {ITEM}: .*; nothing was written — try again") as caught:
        check_received(ITEM, promise, size, checksums)

    assert (caught.value.algorithm, caught.value.expected, caught.value.actual) == (algorithm, expected, actual)


PINNED = Promise(10, Checksums(sha1="a" * 40), "a" * 40)


@pytest.mark.parametrize(
    ("promise", "fits"),
    [
        pytest.param(Promise(10, Checksums(sha1="a" * 40), "a" * 40, 4), True, id="same"),
        pytest.param(Promise(None, Checksums(), "a" * 40, 4), True, id="same-of-unknown-size"),
        pytest.param(Promise(10, Checksums(sha1="a" * 40), "a" * 40, 5), False, id="gap"),
        pytest.param(Promise(10, Checksums(sha1="a" * 40), "a" * 40, 3), False, id="overlap"),
        pytest.param(Promise(10, Checksums(sha1="a" * 40), "a" * 40, 0), False, id="whole"),
        pytest.param(Promise(11, Checksums(sha1="a" * 40), "a" * 40, 4), False, id="other-size"),
        pytest.param(Promise(10, Checksums(sha1="b" * 40), "a" * 40, 4), False, id="other-checksum"),
        pytest.param(Promise(10, Checksums(sha1="a" * 40), "b" * 40, 4), False, id="other-etag"),
        pytest.param(Promise(10, Checksums(sha1="a" * 40), None, 4), False, id="no-etag"),
    ],
)
def test_continues_only_the_same_content_at_the_same_byte(promise, fits):
    """What is kept may only be followed by the next byte of the very same content."""
    assert continues(PINNED, 4, promise) is fits
