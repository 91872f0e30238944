import asyncio
import errno
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import anyio
import pytest

from aioartifact._checksums import ALGORITHMS, Checksums, Digests
from aioartifact._errors import LocalFileError, LocalNotFoundError, UnsafePathError
from aioartifact._files import (
    check_target,
    copy_file,
    file_size,
    hash_file,
    is_file,
    is_folder,
    make_folder,
    read_text_if_exists,
    rename_file,
    resolve_folder,
)
from aioartifact._files.source import read_blocks
from aioartifact._threads import run

MIB = 1024 * 1024
ABC = Checksums(hashlib.sha256(b"abc").hexdigest(), hashlib.sha1(b"abc").hexdigest(), hashlib.md5(b"abc").hexdigest())


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# Changes below a root


@pytest.mark.parametrize(
    "change", [pytest.param(partial(copy_file, expected=ABC), id="copy"), pytest.param(rename_file, id="rename")]
)
@pytest.mark.parametrize("linked", ["origin", "target"])
def test_no_change_goes_through_a_link(tmp_path, change, linked):
    """Neither end of it, though both names are below the root; nothing is read or written elsewhere."""
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    (root / "link").symlink_to(elsewhere)
    (root / "a").write_bytes(b"abc")
    (elsewhere / "a").write_bytes(b"abc")
    origin, target = ("link/a", "b") if linked == "origin" else ("a", "link/b")
    with pytest.raises(UnsafePathError, match="symbolic link"):
        change(str(root), str(root / origin), str(root / target))
    assert (names(root), names(elsewhere)) == (["a", "link"], ["a"])


def test_rename_whose_folder_is_removed_each_time(tmp_path, monkeypatch):
    """Another process may do so at any moment, but not forever: it ends, with an error."""
    (tmp_path / "a").write_bytes(b"abc")
    calls = []

    def gone(origin, target):
        calls.append(origin)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), target)

    monkeypatch.setattr(os, "replace", gone)
    with pytest.raises(LocalNotFoundError):
        rename_file(str(tmp_path), str(tmp_path / "a"), str(tmp_path / "b"))
    assert 1 < len(calls) < 10


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
    """Threads that other code needs."""

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
    path = tmp_path / "a"
    path.write_bytes(b"x" * (2 * MIB))
    blocks = read_blocks(str(path))
    await anext(blocks)
    assert is_open(path)
    await blocks.aclose()

    assert not is_open(path)


def is_open(path):
    """Whether a descriptor of this process leads to *path*; what others open and close does not matter."""
    return any(os.path.realpath(descriptor) == str(path) for descriptor in Path("/proc/self/fd").iterdir())


def test_small_text_file(tmp_path):
    """A missing file is not an error; a file in the place of a folder means it is missing; other errors are raised."""
    (tmp_path / "a").write_text("ü", encoding="utf-8")
    (tmp_path / "b").write_bytes(b"\xff\r\n\xe4")
    (tmp_path / "c").write_bytes("ü\r\n".encode("utf-16"))
    (tmp_path / "d").write_bytes(b"\xff\xfea")

    assert read_text_if_exists(tmp_path / "a") == "ü"
    assert read_text_if_exists(tmp_path / "missing") is None
    assert read_text_if_exists(tmp_path / "a" / "b") is None
    assert read_text_if_exists(tmp_path / "b") == "\udcff\n\udce4"
    assert read_text_if_exists(tmp_path / "c") == "ü\n"
    with pytest.raises(UnicodeDecodeError):
        read_text_if_exists(tmp_path / "d")
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
    """Raised before a request is sent."""
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


async def test_hashing_ends_when_its_caller_has_left(tmp_path, monkeypatch):
    """A cancelled call does not wait for the rest of a large file: it reads no further than the block it is at."""
    path, blocks, first = tmp_path / "a", [], threading.Event()
    with path.open("wb") as file:
        file.truncate(100 * MIB)

    class Watched(Digests):
        def update(self, data):
            blocks.append(len(data))
            first.set()
            may_go_on.wait(30)

    may_go_on = threading.Event()
    monkeypatch.setattr("aioartifact._files.source.Digests", Watched)
    async with anyio.create_task_group() as group:
        group.start_soon(run, hash_file, str(path), ["sha256"])
        await anyio.to_thread.run_sync(first.wait, 30)
        group.cancel_scope.cancel()
        asyncio.get_running_loop().call_soon(may_go_on.set)
    assert blocks == [MIB]
