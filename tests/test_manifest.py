"""A manifest: what was verified need not be read again, and nothing wrong is ever taken for right."""

import asyncio
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import aioartifact
from aioartifact._checksums import Checksums
from aioartifact._files import manifest
from aioartifact._files.manifest import Entry, Manifest, Stamp, is_trusted, settles_at
from aioartifact._transfer.many import fetcher
from aioartifact.testing import Fault

SECOND = 1_000_000_000
FINE, WHOLE = 1_700_000_000 * SECOND + 123_456_789, 1_700_000_000 * SECOND
SUMS = Checksums("a" * 64, "b" * 40)


def stamp(**changes) -> Stamp:
    return Stamp(10, FINE, FINE, 7)._replace(**changes)


@pytest.mark.parametrize(
    ("look", "settled"),
    [
        pytest.param(stamp(), FINE + 20_000_000, id="fine-clock"),
        pytest.param(stamp(mtime_ns=WHOLE, ctime_ns=WHOLE), WHOLE + 2 * SECOND, id="clock-of-whole-seconds"),
        pytest.param(stamp(mtime_ns=0), FINE + 20_000_000, id="old-content-new-name"),
        pytest.param(stamp(mtime_ns=FINE + SECOND), FINE + SECOND + 20_000_000, id="newer-content"),
    ],
)
def test_look_settles_a_tick_after_the_last_change(look, settled):
    """From then on a change must show."""
    assert settles_at(look) == settled


LATER = FINE + SECOND


@pytest.mark.parametrize(
    ("recorded", "found", "looked", "now", "trusted"),
    [
        pytest.param(stamp(), stamp(), LATER, LATER, True, id="same"),
        pytest.param(stamp(), stamp(size=11), LATER, LATER, False, id="other-size"),
        pytest.param(stamp(), stamp(mtime_ns=FINE + 1), LATER, LATER, False, id="written-since"),
        pytest.param(stamp(), stamp(ctime_ns=FINE + 1), LATER, LATER, False, id="written-and-mtime-set-back"),
        pytest.param(stamp(), stamp(inode=8), LATER, LATER, False, id="another-file-of-that-name"),
        pytest.param(stamp(), stamp(), FINE + 19_999_999, LATER, False, id="recorded-within-a-tick"),
        pytest.param(stamp(), stamp(), FINE - SECOND, LATER, False, id="times-in-the-future"),
        pytest.param(stamp(), stamp(), LATER, LATER - 1, False, id="recorded-in-the-future"),
    ],
)
def test_entry_is_trusted_only_for_a_file_that_must_be_the_same(recorded, found, looked, now, trusted):
    """Any difference, and any doubt about the clock, means that the file is read."""
    assert is_trusted(Entry(recorded, looked, SUMS), found, now) is trusted


@pytest.fixture
def tree(server):
    """Twenty files of two kilobytes, all of one size."""
    contents = {f"d{n % 3}/f{n}.bin": os.urandom(2048) for n in range(20)}
    for path, content in contents.items():
        server.put(f"generic-local/t/{path}", content)
    return contents


@pytest.fixture
def place(tmp_path) -> Path:
    return tmp_path / "tree"


@pytest.fixture
def sync(server, session, tmp_path, place):
    """Fetch the tree, and return how many files were fetched."""

    async def run(**options) -> int:
        server.clear_log()
        options = {"manifest": tmp_path / "manifest", "session": session} | options
        report = await aioartifact.download_folder(f"{server.url}/generic-local/t", place, **options)
        return len(report.downloaded)

    return run


@pytest.fixture
def read_files(monkeypatch) -> list[str]:
    """Names of the local files whose content is read from here on."""
    read = []

    def watched(path, algorithms):
        read.append(Path(path).name)
        return hash_file(path, algorithms)

    hash_file = fetcher.hash_file
    monkeypatch.setattr(fetcher, "hash_file", watched)
    return read


def content(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


async def test_second_run_reads_no_file(server, tree, place, sync, read_files):
    """Unchanged files cost the request for the listing, and not one byte read."""
    assert await sync() == 20
    assert await sync() == 0
    assert read_files == []
    assert len(server.requests) == 1
    assert content(place) == tree


async def test_files_that_were_there_are_read_once(tree, place, sync, read_files):
    """A manifest that comes later learns from the first run with it."""
    await sync(manifest=None)
    for path in place.rglob("*.bin"):
        os.utime(path, ns=(FINE, FINE))
    await asyncio.to_thread(manifest.time.sleep, 0.025)  # a tick of the file system's clock, which changes go by
    assert await sync() == 0
    assert len(read_files) == 20
    read_files.clear()
    assert await sync() == 0
    assert read_files == []


def rewrite(path: Path) -> None:
    path.write_bytes(os.urandom(2048))


def rewrite_and_hide(path: Path) -> None:
    before = path.stat()
    rewrite(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(os.urandom(2048))
    shutil.copystat(path, other)
    other.replace(path)


def swap(path: Path) -> None:
    other, aside = path.parent / "f0.bin", path.with_suffix(".aside")
    path.rename(aside)
    other.rename(path)
    aside.rename(other)


@pytest.mark.parametrize("change", [rewrite, rewrite_and_hide, replace, swap, Path.unlink])
async def test_changed_file_is_fetched_again(tree, place, sync, change):
    """Every way to change a file of the same size is noticed."""
    await sync()
    change(place / "d0/f3.bin")
    assert await sync() == (2 if change is swap else 1)
    assert content(place) == tree


async def test_touched_file_is_read_and_recorded(tree, place, sync, read_files):
    """A file that looks different but is the same costs one reading, not a transfer."""
    await sync()
    os.utime(place / "d0/f3.bin", ns=(FINE, FINE))
    await asyncio.to_thread(manifest.time.sleep, 0.025)
    assert await sync() == 0
    assert read_files == ["f3.bin"]
    assert await sync() == 0
    assert read_files == ["f3.bin"]


async def test_change_on_the_server_is_fetched(server, tree, place, sync, read_files):
    """The manifest has the local files, the listing those of the server."""
    await sync()
    server.put("generic-local/t/d0/f3.bin", bytes(2048))
    assert await sync() == 1
    assert read_files == []
    assert (place / "d0/f3.bin").read_bytes() == bytes(2048)


async def test_url_without_listing_is_asked_for_by_the_recorded_checksum(
    server, session, tree, tmp_path, place, read_files
):
    """One conditional request, without reading the file to make it."""
    options = {"manifest": tmp_path / "manifest", "session": session}
    urls = [f"{server.url}/generic-local/t/{path}" for path in tree]
    await aioartifact.download_many(urls, place, **options)
    server.clear_log()
    report = await aioartifact.download_many(urls, place, **options)
    assert len(report.unchanged) == 20
    assert {request.status for request in server.requests} == {304}
    assert read_files == []


async def test_failed_file_is_not_recorded(server, tree, place, sync, read_files):
    """Only what was verified is believed later."""
    (place / "d0").mkdir(parents=True)
    (place / "d0/f3.bin").write_bytes(bytes(2048))
    server.fail("GET", "generic-local/t/d0/f3.bin", times=None, fault=Fault.flip(at=5))
    with pytest.raises(aioartifact.BatchError):
        await sync()
    server.clear_faults()
    assert await sync() == 1
    assert content(place) == tree


async def test_cut_run_is_recorded_as_far_as_it_came(server, session, tree, tmp_path, place, sync, read_files):
    """If a loop ends early, what was verified is kept."""
    held = server.fail("GET", "generic-local/t/d1/f1.bin", fault=Fault.hold())
    items = [(f"{server.url}/generic-local/t/{path}", path) for path in ("d0/f0.bin", "d1/f1.bin")]
    options = {"manifest": tmp_path / "manifest", "session": session, "max_concurrency": 1}
    async with aioartifact.download_many(items, place, **options) as outcomes:
        assert (await anext(aiter(outcomes))).status == "downloaded"
        await held.reached()
    held.release()
    assert list(content(place)) == ["d0/f0.bin"]
    assert await sync() == 19
    assert read_files == []


async def test_two_runs_share_a_manifest(server, session, tree, tmp_path, place, read_files):
    """Neither waits for the other for long, and both are recorded."""
    url = f"{server.url}/generic-local/t"
    options = {"manifest": tmp_path / "manifest", "session": session}
    for _ in range(2):
        await asyncio.gather(*(aioartifact.download_folder(url, place / str(n), **options) for n in range(3)))
    assert read_files == []


@pytest.mark.parametrize("kind", ["text", "letter", "database", "cut"])
async def test_file_of_another_kind_is_refused_and_kept(server, tree, tmp_path, sync, kind):
    """A file that is no manifest is named before any request, and is not touched."""
    path = tmp_path / "manifest"
    if kind == "text":
        path.write_text("my thesis " * 1000)
    elif kind == "letter":
        path.write_text("I")
    elif kind == "database":
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE thesis (text)")
        database.close()
    else:
        Manifest(str(path)).close()
        path.write_bytes(path.read_bytes()[:50] + b"x" * 100)
    before = path.read_bytes()
    with pytest.raises(aioartifact.InvalidArgumentError, match=r"manifest .*/manifest: is not a manifest, or damaged"):
        await sync()
    assert path.read_bytes() == before
    server.assert_requests([])


@pytest.mark.parametrize(
    ("place_of", "message", "named"),
    [
        pytest.param(".", "unable to open", ".", id="a-folder"),
        pytest.param("file/manifest", "create folder", "file", id="below-a-file"),
    ],
)
async def test_manifest_that_cannot_be_opened(server, tree, tmp_path, sync, place_of, message, named):
    """What is in the way is a typed error that names it, and is left alone."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(aioartifact.LocalFileError, match=message) as caught:
        await sync(manifest=tmp_path / place_of)
    assert caught.value.filename == str(tmp_path / named)
    assert (tmp_path / "file").read_text() == "mine"
    server.assert_requests([])


async def test_manifest_in_a_folder_that_is_not_there_yet(tree, tmp_path, sync):
    """It is made, as the destination is."""
    assert [await sync(manifest=tmp_path / "kept" / "here" / "manifest") for _ in range(2)] == [20, 0]


async def test_locked_manifest(server, tree, tmp_path, sync, monkeypatch):
    """A manifest that another program holds is named, after some patience."""
    monkeypatch.setattr(manifest, "_LOCK_SECONDS", 0.01)
    await sync()
    with sqlite3.connect(tmp_path / "manifest") as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("DELETE FROM files_1")
        with pytest.raises(aioartifact.LocalFileError, match="locked"):
            await sync()
    other.close()


@pytest.mark.parametrize("at", [0.1, 0.4, 0.6, 0.9])
async def test_damaged_manifest_never_hides_a_change(tree, tmp_path, place, sync, at, caplog):
    """Whatever a disk makes of the manifest: it is refused, or ignored, and the files are right."""
    await sync()
    path = tmp_path / "manifest"
    data = bytearray(path.read_bytes())
    start = int(len(data) * at)
    data[start : start + 1500] = os.urandom(1500)
    path.write_bytes(data)
    rewrite(place / "d0/f3.bin")
    try:
        await sync()
    except aioartifact.InvalidArgumentError:
        path.unlink()
        await sync()
    assert content(place) == tree


@pytest.mark.parametrize(
    "damage",
    [
        "sha256 = x'00'",
        "sha256 = 'no bytes'",
        "inode = 'no number'",
        "looked_ns = 'no moment'",
        "looked_ns = x'00'",
        "looked_ns = 1e300",
    ],
)
async def test_manifest_that_fails_meanwhile_is_left_alone(damage, tree, tmp_path, place, sync, caplog):
    """A manifest that turns out damaged costs its use, not the run; it is said once."""
    await sync()
    with sqlite3.connect(tmp_path / "manifest") as database:
        database.execute(f"UPDATE files_1 SET {damage}")
    database.close()
    rewrite(place / "d0/f3.bin")
    assert await sync() == 1
    assert content(place) == tree
    assert len([record for record in caplog.records if "is not used any more" in record.message]) == 1


def test_entry_of_a_file_that_moves_on_is_not_written(tmp_path):
    """What was changed between its verification and its record is unknown."""
    path = tmp_path / "a"
    path.write_bytes(b"first")
    status = path.stat()
    book = Manifest(str(tmp_path / "manifest"))
    book.add_written(str(path), status, SUMS)
    path.write_bytes(b"other")
    os.utime(path, ns=(FINE, FINE))
    book.close()
    book = Manifest(str(tmp_path / "manifest"))
    assert book.find({str(path): Stamp.of(path.stat())}) == {}
    book.close()


def test_entry_that_has_not_settled_is_written_later(tmp_path, monkeypatch):
    """A flush within the tick of the last change keeps it for the next one."""
    path = tmp_path / "a"
    path.write_bytes(b"content")
    book = Manifest(str(tmp_path / "manifest"))
    book.add_written(str(path), path.stat(), SUMS)
    with monkeypatch.context() as early:
        early.setattr(manifest.time, "time_ns", lambda: path.stat().st_mtime_ns)
        book.flush()
    assert book.find({str(path): Stamp.of(path.stat())}) == {}
    book.close()
    book = Manifest(str(tmp_path / "manifest"))
    assert book.find({str(path): Stamp.of(path.stat())}) == {str(path): SUMS}
    book.close()


def test_manifest_that_cannot_be_written_any_more(tmp_path, caplog):
    """It is a help only: the call goes on without it."""
    path = tmp_path / "a"
    path.write_bytes(b"content")
    book = Manifest(str(tmp_path / "manifest"))
    with sqlite3.connect(tmp_path / "manifest") as other:
        other.execute("DROP TABLE files_1")
    other.close()
    book.add_written(str(path), path.stat(), SUMS)
    book.close()
    assert len([record for record in caplog.records if "is not used any more" in record.message]) == 1


@pytest.mark.parametrize("offset", [60, 3600])
def test_file_from_the_future_is_not_recorded(tmp_path, offset):
    """If the clock of a file system is ahead, it is unknown which files are older."""
    path = tmp_path / "a"
    path.write_bytes(b"first")
    ahead = manifest.time.time_ns() + offset * SECOND
    os.utime(path, ns=(ahead, ahead))
    book = Manifest(str(tmp_path / "manifest"))
    book.add_written(str(path), path.stat(), SUMS)
    book.close()
    with sqlite3.connect(tmp_path / "manifest") as database:
        assert database.execute("SELECT count(*) FROM files_1").fetchone() == (0,)
    database.close()


def test_manifest_that_several_threads_write_at_once(tmp_path):
    """A batch with many files finds it time to write while another thread still does; nothing is lost or fails."""
    paths = [tmp_path / str(number) for number in range(300)]
    for path in paths:
        path.write_bytes(b"content")
    book = Manifest(str(tmp_path / "manifest"))
    for path in paths:
        book.add_written(str(path), path.stat(), SUMS)
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(book.flush) for _ in range(64)]:
            done.result()
    book.close()
    book = Manifest(str(tmp_path / "manifest"))
    assert len(book.find({str(path): Stamp.of(path.stat()) for path in paths})) == 300
    book.close()
