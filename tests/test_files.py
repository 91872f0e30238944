import asyncio
import errno
import hashlib
import os
import resource
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aioartifact._checksums import ALGORITHMS, Checksums
from aioartifact._errors import LocalFileError, LocalNotFoundError
from aioartifact._files import (
    Staging,
    check_target,
    file_size,
    hash_file,
    is_file,
    is_folder,
    make_folder,
    read_blocks,
    read_text_if_exists,
    resolve_folder,
)

MIB = 1024 * 1024
ABC = Checksums(hashlib.sha256(b"abc").hexdigest(), hashlib.sha1(b"abc").hexdigest(), hashlib.md5(b"abc").hexdigest())


@pytest.fixture
def umask():
    """A umask that differs from the usual one."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def staged(target, *chunks):
    staging = Staging(str(target), ALGORITHMS)
    staging.write(chunks)
    return staging


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# Staging


def test_committed_bytes_are_the_targets_content(tmp_path):
    """Until the commit there is no target; then there is nothing else."""
    target = tmp_path / "a.jar"
    staging = staged(target, b"a", b"")
    staging.write([memoryview(b"bc")])

    assert not target.exists()
    assert (staging.size, staging.checksums()) == (3, ABC)
    staging.commit()
    assert target.read_bytes() == b"abc"
    assert names(tmp_path) == ["a.jar"]


def test_file_without_bytes(tmp_path):
    """An empty file is a file."""
    staged(tmp_path / "empty").commit()

    assert (tmp_path / "empty").read_bytes() == b""


def test_discarded_bytes_leave_the_old_file(tmp_path):
    """What was there before is as it was, and nothing is beside it."""
    target = tmp_path / "a"
    target.write_bytes(b"old")
    staging = staged(target, b"new")
    staging.discard()

    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda target: Staging(str(target), ["md5"]), id="never-written"),
        pytest.param(lambda target: staged(target, b"abc"), id="written"),
    ],
)
def test_discard_can_be_repeated(tmp_path, prepare):
    """Cleaning up needs to know nothing of what came before."""
    staging = prepare(tmp_path / "a")
    staging.discard()
    staging.discard()

    assert names(tmp_path) == []


def test_discard_after_commit_keeps_the_target(tmp_path):
    """What is in its place stays there."""
    staging = staged(tmp_path / "a", b"abc")
    staging.commit()
    staging.discard()

    assert (tmp_path / "a").read_bytes() == b"abc"


def test_commit_replaces_an_old_file(tmp_path):
    """Whoever has the old file open keeps reading it."""
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        staged(target, b"abc").commit()

        assert reader.read() == b"old"
    assert target.read_bytes() == b"abc"


def test_two_stagings_of_one_target_do_not_meet(tmp_path):
    """Each has a file of its own beside the target; the last commit wins whole."""
    first, second = staged(tmp_path / "a", b"first"), staged(tmp_path / "a", b"second")

    assert first.path != second.path
    assert {Path(staging.path).parent for staging in (first, second)} == {tmp_path}
    second.commit()
    first.commit()
    assert (tmp_path / "a").read_bytes() == b"first"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("trap", ["file", "link"])
def test_staging_never_writes_to_what_is_there(tmp_path, trap, monkeypatch):
    """In a shared folder somebody may have guessed the staging file's name; what lies there is left alone."""
    victim, guessed = tmp_path / "victim", tmp_path / "guessed"
    victim.write_bytes(b"old")
    if trap == "link":
        guessed.symlink_to(victim)
    else:
        guessed.hardlink_to(victim)
    monkeypatch.setattr("aioartifact._files.staging._staging_path", lambda _: str(guessed))
    staging = Staging(str(tmp_path / "a"), ["md5"])

    with pytest.raises(LocalFileError) as caught:
        staging.write([b"abc"])
    staging.discard()

    assert caught.value.errno == errno.EEXIST
    assert victim.read_bytes() == b"old"
    assert names(tmp_path) == ["guessed", "victim"]


def test_link_at_the_target_is_replaced_not_followed(tmp_path):
    """The file a link points to belongs to somebody else."""
    elsewhere, target = tmp_path / "elsewhere", tmp_path / "a"
    elsewhere.write_bytes(b"old")
    target.symlink_to(elsewhere)
    staged(target, b"abc").commit()

    assert not target.is_symlink()
    assert (target.read_bytes(), elsewhere.read_bytes()) == (b"abc", b"old")


@pytest.mark.usefixtures("umask")
def test_mode_of_the_target_is_the_umasks(tmp_path):
    """A downloaded file is as readable as any file the user writes."""
    staged(tmp_path / "a", b"abc").commit()

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a" * 255, id="255-bytes"),
        pytest.param("ü" * 127 + "a", id="255-bytes-of-two"),
        pytest.param("a" + "日" * 84, id="253-bytes-of-three"),
        pytest.param("日本 #1%41;?*.jar", id="odd-characters"),
        pytest.param("u\u0308", id="decomposed"),
        pytest.param("-rf", id="dash"),
        pytest.param(".hidden", id="dot"),
        pytest.param("a\nb", id="newline"),
        pytest.param(os.fsdecode(b"\xff\xfe"), id="no-utf-8"),
        pytest.param(os.fsdecode(b"\xff" * 255), id="255-bytes-no-utf-8"),
    ],
)
def test_name_of_any_length_and_script(tmp_path, name):
    """The staging file's name is never longer than a file system allows, nor cut within a character."""
    staging = staged(tmp_path / name, b"abc")
    stem = os.fsencode(Path(staging.path).name)

    assert len(stem) <= 255
    assert stem.decode().startswith(".")
    staging.commit()
    assert names(tmp_path) == [name]


def test_name_that_is_too_long(tmp_path):
    """The disk's refusal names the target and says what to try; nothing is left."""
    staging = staged(tmp_path / ("a" * 256), b"abc")

    with pytest.raises(LocalFileError, match="— choose a shorter file name") as caught:
        staging.commit()
    staging.discard()

    assert (caught.value.errno, caught.value.filename) == (errno.ENAMETOOLONG, str(tmp_path / ("a" * 256)))
    assert names(tmp_path) == []


def test_folder_in_the_targets_place(tmp_path):
    """A folder is never replaced by a file."""
    target = tmp_path / "a"
    target.mkdir()
    staging = staged(target, b"abc")

    with pytest.raises(LocalFileError, match="a folder has that name") as caught:
        staging.commit()
    staging.discard()

    assert (caught.value.errno, caught.value.filename) == (errno.EISDIR, str(target))
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("place", "kind", "number"),
    [("missing/a", LocalNotFoundError, errno.ENOENT), ("file/a", LocalFileError, errno.ENOTDIR)],
)
def test_staging_where_no_folder_is(tmp_path, place, kind, number):
    """The error names the target, not the staging file nobody has heard of."""
    (tmp_path / "file").touch()
    staging = Staging(str(tmp_path / place), ["md5"])

    with pytest.raises(kind) as caught:
        staging.write([b"abc"])

    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / place))
    assert ".part" not in str(caught.value)


def test_full_disk(tmp_path):
    """The error says that the disk is full, and what to do; the staging file is gone after a discard."""
    staging = Staging(str(tmp_path / "a"), ["md5"])
    staging._descriptor = os.open("/dev/full", os.O_WRONLY)

    with pytest.raises(LocalFileError, match="No space left on device — free space") as caught:
        staging.write([b"abc"])
    staging.discard()

    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a"))
    assert names(tmp_path) == []


def test_write_after_one_that_failed_in_the_middle(tmp_path):
    """A chunk that did not fit counts in neither size nor checksums, and leaves no bytes between the others."""
    staging = Staging(str(tmp_path / "file"), ("sha1",))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12, limits[1]))
    try:
        with pytest.raises(LocalFileError):
            staging.write([b"12345678", b"90abcdef"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert staging.size == 8
    staging.write([b"90abcdef"])
    assert staging.checksums() == Checksums(sha1=hashlib.sha1(b"1234567890abcdef").hexdigest())
    staging.commit()
    assert (tmp_path / "file").read_bytes() == b"1234567890abcdef"


def test_descriptor_is_closed_at_every_end(tmp_path):
    """A batch of a million files opens each one only while it is written."""
    before = names("/dev/fd")
    staged(tmp_path / "a", b"abc").commit()
    staged(tmp_path / "a", b"abc").discard()
    lost = staged(tmp_path / "b", b"abc")
    Path(lost.path).unlink()
    with pytest.raises(LocalNotFoundError):
        lost.commit()

    assert names("/dev/fd") == before


# Reading


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 3 * MIB])
async def test_file_is_read_in_blocks(tmp_path, size):
    """Blocks of 1 MiB and a rest are the file, and hashing it sees the same bytes."""
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    (tmp_path / "a").write_bytes(content)
    blocks = [block async for block in read_blocks(str(tmp_path / "a"))]

    assert b"".join(blocks) == content
    assert all(len(block) == MIB for block in blocks[:-1])
    assert hash_file(str(tmp_path / "a"), ["sha256"]) == (
        size,
        Checksums(sha256=hashlib.sha256(content).hexdigest()),
    )


def test_file_is_hashed_for_all_algorithms(tmp_path):
    """One pass, all digests; without any there is still the size."""
    (tmp_path / "a").write_bytes(b"abc")

    assert hash_file(str(tmp_path / "a"), ALGORITHMS) == (3, ABC)
    assert hash_file(str(tmp_path / "a"), []) == (3, Checksums())
    assert file_size(str(tmp_path / "a")) == 3


async def read_all(path):
    return [block async for block in read_blocks(path)]


@pytest.mark.parametrize(
    ("place", "kind", "number"),
    [
        ("missing", LocalNotFoundError, errno.ENOENT),
        ("folder", LocalFileError, errno.EISDIR),
        ("file/a", LocalFileError, errno.ENOTDIR),
    ],
)
async def test_file_that_cannot_be_read(tmp_path, place, kind, number):
    """Every way of reading raises the same error, with path and number."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = str(tmp_path / place)

    for read in (file_size, lambda path: hash_file(path, ALGORITHMS)):
        with pytest.raises(kind) as caught:
            read(path)
        assert (caught.value.errno, caught.value.filename) == (number, path)
    with pytest.raises(kind) as caught:
        await read_all(path)
    assert (caught.value.errno, caught.value.filename) == (number, path)


class Taken(ThreadPoolExecutor):
    """Threads that somebody else needs."""

    def submit(self, *_args, **_options):
        raise AssertionError("these threads are not ours")


def test_reading_does_not_take_threads_of_others(tmp_path):
    """A user whose own jobs take all of asyncio's threads can still send files."""
    (tmp_path / "file").write_bytes(b"abc")

    async def read():
        asyncio.get_running_loop().set_default_executor(Taken(1))
        return [block async for block in read_blocks(str(tmp_path / "file"))]

    assert asyncio.run(read()) == [b"abc"]


async def test_reading_that_stops_early_closes_the_file(tmp_path):
    """A lost connection ends an upload in the middle of its file."""
    (tmp_path / "a").write_bytes(b"x" * (2 * MIB))
    before = names("/dev/fd")
    blocks = read_blocks(str(tmp_path / "a"))
    await anext(blocks)
    await blocks.aclose()

    assert names("/dev/fd") == before


def test_small_text_file(tmp_path):
    """No file is no error; a file in the place of a folder means there is none; other trouble is told."""
    (tmp_path / "a").write_text("ü", encoding="utf-8")
    (tmp_path / "b").write_bytes(b"\xff")

    assert read_text_if_exists(tmp_path / "a") == "ü"
    assert read_text_if_exists(tmp_path / "missing") is None
    assert read_text_if_exists(tmp_path / "a" / "b") is None
    with pytest.raises(UnicodeDecodeError):
        read_text_if_exists(tmp_path / "b")
    with pytest.raises(IsADirectoryError):
        read_text_if_exists(tmp_path)


# Folders and targets


def test_good_target(tmp_path, monkeypatch):
    """A new name or an old file, in a folder that exists; the current one needs no name."""
    (tmp_path / "old").touch()
    check_target(str(tmp_path / "new"))
    check_target(str(tmp_path / "old"))
    monkeypatch.chdir(tmp_path)
    check_target("new")


@pytest.mark.parametrize(
    ("place", "kind", "number", "hint"),
    [
        pytest.param("folder", LocalFileError, errno.EISDIR, "choose another file name", id="folder"),
        pytest.param("missing/a", LocalNotFoundError, errno.ENOENT, "create .*missing first", id="no-folder"),
        pytest.param("file/a", LocalNotFoundError, errno.ENOENT, "create .*file first", id="file-as-folder"),
    ],
)
def test_target_that_cannot_be_written(tmp_path, place, kind, number, hint):
    """Told before a request is sent."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(kind, match=hint) as caught:
        check_target(str(tmp_path / place))

    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / place))


def test_folder_is_made_with_its_parents(tmp_path):
    """Making it again is no error."""
    make_folder(str(tmp_path / "a" / "b"))
    make_folder(str(tmp_path / "a" / "b"))

    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("place", ["file", "file/a"])
def test_folder_where_a_file_is(tmp_path, place):
    """The file stays."""
    (tmp_path / "file").write_bytes(b"old")

    with pytest.raises(LocalFileError, match=r"^create folder "):
        make_folder(str(tmp_path / place))

    assert (tmp_path / "file").read_bytes() == b"old"


def test_what_is_there(tmp_path):
    """Links count as what they lead to, and folders are resolved through them."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    found = {name: (is_file(str(tmp_path / name)), is_folder(str(tmp_path / name))) for name in names(tmp_path)}

    assert found == {
        "file": (True, False),
        "folder": (False, True),
        "link": (False, True),
        "dangling": (False, False),
    }
    assert resolve_folder(str(tmp_path / "link")) == os.path.realpath(tmp_path / "folder")
