"""A cache by content: what it saves, and that it never costs a right byte."""

import asyncio
import errno
import hashlib
import json
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest

import aioartifact
from aioartifact import Cache, Checksums, InvalidArgumentError, LocalFileError, NotCachedError, blocking
from aioartifact._cache.cache import default_folder, is_offline
from aioartifact._cache.entry_lock import EntryLock
from aioartifact.testing import ArtifactoryServer, Fault, ThreadedArtifactoryServer

FOLDER = "generic-local/data/1.0"
TREE = {f"d{number % 3}/f {number}.txt": f"content {number}".encode() for number in range(10)}
TREE |= {"empty": b"", "big.bin": random.Random(5).randbytes(3_000_000)}


@pytest.fixture
def tree(server) -> str:
    """The URL of a folder with the files of TREE."""
    return put(server, FOLDER, TREE)


def put(server: ArtifactoryServer | ThreadedArtifactoryServer, folder: str, tree: dict[str, bytes]) -> str:
    for path, data in tree.items():
        server.put(f"{folder}/{path}", data)
    return f"{server.url}/{folder}"


def local(folder: Path) -> dict[str, bytes]:
    """Every file below *folder*, by its path there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def downloads(server: ArtifactoryServer) -> list[str]:
    """Paths of the files whose bytes the server has sent."""
    return [each.path for each in server.requests if each.method == "GET" and each.status == 200 and is_file(each.path)]


def is_file(path: str) -> bool:
    return path.startswith("generic-local/")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry_path(cache: Cache, data: bytes) -> Path:
    [path] = Path(cache.folder).rglob(sha256(data))
    return path


@pytest.fixture
def cache(tmp_path) -> Cache:
    return Cache(tmp_path / "cache")


# What it saves


async def test_a_second_folder_costs_the_listing_alone(server, session, tree, tmp_path, cache):
    """Files that were downloaded once, by whichever call, are not downloaded again."""
    first = await aioartifact.download_folder(tree, tmp_path / "one", cache=cache, session=session)
    assert (len(first.downloaded), first.from_cache) == (len(TREE), ())
    server.clear_log()
    progress = aioartifact.Progress()
    second = await aioartifact.download_folder(tree, tmp_path / "two", cache=cache, session=session, progress=progress)
    server.assert_requests([f"GET api/storage/{FOLDER}"])
    assert len(second.from_cache) == len(second.downloaded) == len(TREE)
    assert local(tmp_path / "one") == local(tmp_path / "two") == TREE
    seen = progress.snapshot()
    assert (seen.files_done, seen.bytes_done, seen.bytes_total) == (len(TREE), *[sum(map(len, TREE.values()))] * 2)


@pytest.mark.slow
async def test_a_new_version_costs_what_has_changed(server, session, tmp_path, cache):
    """Of 500 files of which 5 are new, 5 are downloaded; one that was only renamed is not."""
    old = {f"{number:03}.bin": f"old {number}".encode() for number in range(500)}
    new = old | {f"{number:03}.bin": b"new %d" % number for number in range(5)}
    new["renamed"] = new.pop("499.bin")
    await aioartifact.download_folder(
        put(server, "generic-local/v1", old), tmp_path / "1", cache=cache, session=session
    )
    server.clear_log()
    url = put(server, "generic-local/v2", new)
    report = await aioartifact.download_folder(url, tmp_path / "2", cache=cache, session=session)
    assert local(tmp_path / "2") == new
    assert sorted(downloads(server)) == [f"generic-local/v2/{number:03}.bin" for number in range(5)]
    assert len(report.from_cache) == 495


@pytest.mark.parametrize("how", ["url", "pair", "download"])
async def test_a_url_without_checksums_costs_a_request_without_a_body(server, session, tree, tmp_path, cache, how):
    """The server says whether it still has what was downloaded from there."""
    url = f"{tree}/big.bin"

    async def fetch(folder: Path) -> None:
        folder.mkdir()
        if how == "download":
            await aioartifact.download(url, folder, cache=cache, session=session)
        else:
            item = url if how == "url" else (url, "big.bin")
            await aioartifact.download_many([item], folder, cache=cache, session=session)

    await fetch(tmp_path / "one")
    await fetch(tmp_path / "two")
    assert [(each.method, each.status) for each in server.requests] == [("GET", 200), ("GET", 304)]
    assert (tmp_path / "two/big.bin").read_bytes() == TREE["big.bin"]
    server.put(f"{FOLDER}/big.bin", b"another")
    await fetch(tmp_path / "three")
    assert (tmp_path / "three/big.bin").read_bytes() == b"another"
    server.clear_log()
    await fetch(tmp_path / "four")
    assert [each.status for each in server.requests] == [304]
    assert (tmp_path / "four/big.bin").read_bytes() == b"another"


async def test_a_known_sha256_costs_no_request(server, session, tree, tmp_path, cache):
    """Whatever the URL: the bytes are the same."""
    await aioartifact.download(f"{tree}/big.bin", tmp_path, cache=cache, session=session)
    server.clear_log()
    digest = sha256(TREE["big.bin"])
    other = f"{server.url}/generic-local/elsewhere.bin"
    await aioartifact.download(other, tmp_path, sha256=digest, cache=cache, session=session)
    report = await aioartifact.download_many(
        [(other, "triple", Checksums(sha256=digest))], tmp_path, cache=cache, session=session
    )
    assert server.requests == []
    assert len(report.from_cache) == 1
    assert local(tmp_path)["elsewhere.bin"] == local(tmp_path)["triple"] == TREE["big.bin"]


async def test_an_unchanged_local_file_stays(server, session, tree, tmp_path, cache):
    """What is at the destination already is neither read from the cache nor written."""
    await aioartifact.download_many([f"{tree}/big.bin"], tmp_path, cache=cache, session=session)
    before = (tmp_path / "big.bin").stat()
    report = await aioartifact.download_many([f"{tree}/big.bin"], tmp_path, cache=cache, session=session)
    assert len(report.unchanged) == 1
    assert (tmp_path / "big.bin").stat() == before
    server.put(f"{FOLDER}/big.bin", b"another")
    report = await aioartifact.download_many([f"{tree}/big.bin"], tmp_path, cache=cache, session=session)
    assert len(report.downloaded) == 1
    assert (tmp_path / "big.bin").read_bytes() == b"another"


async def test_a_sync_takes_files_from_the_cache(server, session, tree, tmp_path, cache):
    """So does a plan that is executed later."""
    await aioartifact.sync(tree, tmp_path / "one", cache=cache, session=session)
    server.clear_log()
    plan = await aioartifact.plan_sync(tree, tmp_path / "two", cache=cache, session=session)
    report = await aioartifact.run_sync(plan, cache=cache, session=session)
    assert downloads(server) == []
    assert len(report.from_cache) == len(TREE)
    assert local(tmp_path / "two") == TREE


async def test_listings_without_sha256(server, session, tree, tmp_path, cache):
    """A server that reports no SHA-256 in its listing: the record of the first download has it."""
    server.fail("GET", "api/storage/**", times=None, fault=Fault.status(403))
    server.fail("POST", "api/search/aql", times=None, fault=Fault.status(403))
    items = [(f"{tree}/{path}", path) for path in TREE]
    await aioartifact.download_many(items, tmp_path / "one", cache=cache, session=session)
    server.clear_log()
    sha1 = [(url, path, Checksums(sha1=hashlib.sha1(TREE[path]).hexdigest())) for url, path in items]
    report = await aioartifact.download_many(sha1, tmp_path / "two", cache=cache, session=session)
    assert server.requests == []
    assert len(report.from_cache) == len(TREE)
    assert local(tmp_path / "two") == TREE


# Offline


async def test_offline_sends_no_request(server, session, tree, tmp_path, cache):
    """A folder that was downloaded before is complete without a server, by every function and with patterns."""
    await aioartifact.download_folder(tree, tmp_path / "one", cache=cache, session=session)
    await aioartifact.download(f"{tree}/empty", tmp_path, cache=cache, session=session)
    server.clear_log()
    offline = Cache(cache.folder, offline=True)
    await aioartifact.download_folder(tree, tmp_path / "two", cache=offline, session=session)
    await aioartifact.download_folder(tree, tmp_path / "some", include="d1/*", cache=offline, session=session)
    await aioartifact.download(f"{tree}/empty", tmp_path, cache=offline, session=session)
    await aioartifact.download_many([f"{tree}/empty"], tmp_path, cache=offline, session=session)
    plan = await aioartifact.plan_sync(tree, tmp_path / "some", delete=True, cache=offline, session=session)
    assert plan.method == "cache"
    (tmp_path / "some/lost").write_bytes(b"lost")
    await aioartifact.sync(tree, tmp_path / "some", delete=True, cache=offline, session=session)
    assert server.requests == []
    assert local(tmp_path / "two") == local(tmp_path / "some") == TREE


async def test_offline_does_not_guess(server, session, tree, tmp_path, cache):
    """What the cache does not have is an error of its own, and is reported for each file."""
    await aioartifact.download_folder(tree, tmp_path / "one", include="d1/*", cache=cache, session=session)
    server.clear_log()
    offline = Cache(cache.folder, offline=True)
    with pytest.raises(NotCachedError, match="not in the cache, which is offline"):
        await aioartifact.download_folder(tree, tmp_path / "two", cache=offline, session=session)
    with pytest.raises(NotCachedError, match=r"big\.bin: not in the cache"):
        await aioartifact.download(f"{tree}/big.bin", tmp_path, cache=offline, session=session)
    with pytest.raises(NotCachedError):
        await aioartifact.plan_sync(tree, tmp_path / "two", cache=offline, session=session)
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_many([f"{tree}/big.bin"], tmp_path, cache=offline, session=session)
    assert [type(error) for error in caught.value.exceptions] == [NotCachedError]
    assert server.requests == []
    assert not (tmp_path / "two").exists()


async def test_a_damaged_record_is_no_record(session, tree, tmp_path, cache):
    """Neither does a record of another layout break a call, nor are its names trusted."""
    await aioartifact.download_folder(tree, tmp_path / "one", cache=cache, session=session)
    [record] = Path(cache.folder, "v1/listings").rglob("?" * 64)
    offline = Cache(cache.folder, offline=True)
    document = json.loads(record.read_bytes())
    for text in (b"", b"[]", b"{", b"\xff", json.dumps(document | {"files": [{"path": 5}]}).encode()):
        record.unlink()
        record.write_bytes(text)
        with pytest.raises(NotCachedError):
            await aioartifact.download_folder(tree, tmp_path / "two", cache=offline, session=session)
    document["files"][0]["path"] = "data/1.0/../../../evil"
    record.write_bytes(json.dumps(document).encode())
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_folder(tree, tmp_path / "two", cache=offline, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.UnsafePathError]


# Faults


@pytest.mark.parametrize("damage", ["flipped", "short", "folder", "link"])
@pytest.mark.parametrize("link_mode", ["reflink", "copy", "hardlink"])
async def test_a_damaged_entry_is_downloaded_again(server, session, tree, tmp_path, damage, link_mode):
    """The bytes that arrive are right, and so is the entry afterwards."""
    cache, data = Cache(tmp_path / "cache", link_mode=link_mode), TREE["big.bin"]
    await aioartifact.download(f"{tree}/big.bin", tmp_path / "first.bin", cache=cache, session=session)
    path = entry_path(cache, data)
    path.unlink()
    match damage:
        case "flipped":
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        case "short":
            path.write_bytes(data[:-1])
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(tmp_path / "first.bin")
    server.clear_log()
    (tmp_path / "two").mkdir()
    await aioartifact.download(f"{tree}/big.bin", tmp_path / "two", cache=cache, session=session)
    assert (tmp_path / "two/big.bin").read_bytes() == data
    assert downloads(server) == [f"{FOLDER}/big.bin"]
    if damage in ("flipped", "short"):
        assert path.read_bytes() == data


async def test_verify_removes_what_is_damaged(session, tree, tmp_path, cache):
    """Every entry is read; the others stay."""
    await aioartifact.download_folder(tree, tmp_path / "one", cache=cache, session=session)
    assert await cache.verify() == []
    path = entry_path(cache, TREE["big.bin"])
    path.write_bytes(b"damaged")
    [damaged] = await cache.verify()
    assert (damaged.sha256, damaged.size, damaged.path) == (sha256(TREE["big.bin"]), 7, str(path))
    assert {entry.sha256 for entry in await cache.entries()} == {
        sha256(data) for data in TREE.values() if data != TREE["big.bin"]
    }


async def test_a_full_cache_disk_does_not_lose_the_download(session, tree, tmp_path, mounted, caplog):
    """The file is at its destination; a warning says once why the cache does not grow."""
    disk = mounted("size=256k")
    report = await aioartifact.download_folder(tree, tmp_path / "one", cache=disk / "cache", session=session)
    assert local(tmp_path / "one") == TREE
    assert len(report.downloaded) == len(TREE)
    [record] = [record for record in caplog.records if record.name == "aioartifact.cache"]
    assert os.strerror(errno.ENOSPC) in record.getMessage()
    assert await Cache(disk / "cache").verify() == []
    assert not [path for path in disk.rglob("*") if ".part" in path.name]


async def test_a_cache_that_cannot_be_created_does_not_lose_the_download(session, tree, tmp_path, mounted, caplog):
    """As on a disk that is read-only."""
    disk = mounted("ro,size=1m")
    await aioartifact.download_folder(tree, tmp_path / "one", cache=disk / "cache", session=session)
    assert local(tmp_path / "one") == TREE
    assert os.strerror(errno.EROFS) in caplog.text


async def test_a_full_destination_is_an_error(session, tree, tmp_path, mounted, cache):
    """A hit does not hide that the disk of the destination failed, and the old file stays."""
    await aioartifact.download(f"{tree}/big.bin", tmp_path, cache=cache, session=session)
    disk = mounted("size=1m")
    (disk / "big.bin").write_bytes(b"old")
    with pytest.raises(LocalFileError, match="No space left"):
        await aioartifact.download(f"{tree}/big.bin", disk, cache=cache, session=session)
    assert local(disk) == {"big.bin": b"old"}


async def test_a_wrong_size_in_a_binding_item_is_an_error(session, tree, tmp_path, cache):
    """The cache does not hide that item and file contradict each other."""
    await aioartifact.download(f"{tree}/big.bin", tmp_path, cache=cache, session=session)
    info = await aioartifact.info(f"{tree}/big.bin", session=session)
    wrong = aioartifact.FileInfo(info.url, info.repository, info.path, 5, info.checksums)
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_many([wrong], tmp_path / "two", cache=cache, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.IntegrityError]


async def test_cancelled_at_any_moment(server, session, tree, tmp_path, cancel_at_every_await, cache):
    """No lock, staging file or wrong entry stays; a later call gets the right bytes."""
    data = random.Random(1).randbytes(100_000)
    runs = iter(range(10_000))
    url = put(server, "generic-local/c", {"a.bin": data})

    def check(was_cancelled: bool) -> None:
        names = [path.name for path in Path(cache.folder).rglob("*") if path.is_file()]
        assert [name for name in names if ".part" in name or len(name) != 64] in ([], ["CACHEDIR.TAG"])
        if not was_cancelled:
            assert local(tmp_path / f"run{next(runs) - 1}") == {"a.bin": data}

    async def call() -> None:
        number = next(runs)
        await aioartifact.download_folder(url, tmp_path / f"run{number}", cache=cache, session=session)

    assert await cancel_at_every_await(call, check) > 3
    assert await cache.verify() == []


async def test_a_partial_download_is_not_left(server, tmp_path, cache):
    """A file that was interrupted, and then came from the cache, needs no resuming."""
    data = random.Random(3).randbytes(20_000_000)
    url = f"{put(server, 'generic-local/p', {'big.bin': data})}/big.bin"
    auth, retry = (server.username, server.password), aioartifact.RetryPolicy.none()
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with aioartifact.session(server.url, auth=auth, retry=retry) as session:
        await aioartifact.download(url, tmp_path / "two", cache=cache, session=session)
        server.fail("GET", "**/big.bin", fault=Fault.reset(12_000_000))
        with pytest.raises(aioartifact.TransportError):
            await aioartifact.download(url, tmp_path / "one", session=session)
        assert any(path.name.endswith(".part") for path in (tmp_path / "one").iterdir())
        await aioartifact.download(url, tmp_path / "one", sha256=sha256(data), cache=cache, session=session)
    assert local(tmp_path / "one") == {"big.bin": data}


# Its files


@pytest.mark.parametrize("link_mode", ["reflink", "copy"])
async def test_an_edited_file_does_not_change_the_cache(session, tree, tmp_path, link_mode):
    """By default the files at destinations are the user's own."""
    cache = Cache(tmp_path / "cache", link_mode=link_mode)
    for place in ("one", "two"):
        await aioartifact.download_folder(tree, tmp_path / place, cache=cache, session=session)
        with (tmp_path / place / "big.bin").open("r+b") as file:
            file.write(b"mine")
    assert await cache.verify() == []
    await aioartifact.download_folder(tree, tmp_path / "three", cache=cache, session=session)
    assert local(tmp_path / "three") == TREE


async def test_hard_links_share_the_bytes(server, session, tree, tmp_path):
    """All are one read-only file; a file of another disk is a copy."""
    cache = Cache(tmp_path / "cache", link_mode="hardlink")
    for place in ("one", "two", "two"):
        await aioartifact.download_folder(tree, tmp_path / place, overwrite="always", cache=cache, session=session)
    stats = [(tmp_path / place / "big.bin").stat() for place in ("one", "two")]
    stats.append(entry_path(cache, TREE["big.bin"]).stat())
    assert {(each.st_ino, each.st_nlink, each.st_mode & 0o777) for each in stats} == {(stats[0].st_ino, 3, 0o444)}
    assert local(tmp_path / "one") == local(tmp_path / "two") == TREE
    assert len(downloads(server)) == len(TREE)


async def test_hard_links_need_one_disk(session, tree, tmp_path, mounted):
    """Elsewhere the files are copies that may be written to."""
    cache = Cache(mounted("size=16m") / "cache", link_mode="hardlink")
    for place in ("one", "two"):
        await aioartifact.download_folder(tree, tmp_path / place, cache=cache, session=session)
        assert local(tmp_path / place) == TREE
        assert (tmp_path / place / "big.bin").stat().st_mode & 0o200


async def test_a_limit_keeps_what_was_used_last(server, session, tmp_path):
    """The least recently used files are removed, records included; a file above the limit is not added."""
    cache = Cache(tmp_path / "cache", max_bytes=100_000)
    names = ["a", "b", "c", "d"]
    url = put(server, "generic-local/l", {name: name.encode() * 30_000 for name in names} | {"huge": b"h" * 100_001})
    for name in ["a", "b", "c", "huge"]:
        await aioartifact.download_many([f"{url}/{name}"], tmp_path / name, cache=cache, session=session)
    assert {entry.size for entry in await cache.entries()} == {30_000}
    await aioartifact.download_many([f"{url}/a"], tmp_path / "again", cache=cache, session=session)
    await aioartifact.download_many([f"{url}/d"], tmp_path / "d", cache=cache, session=session)
    kept = {entry.sha256 for entry in await cache.entries()}
    assert kept == {sha256(name.encode() * 30_000) for name in "acd"}


async def test_a_limit_holds_during_a_call(server, session, tmp_path):
    """A long call does not wait for its end."""
    cache, sizes = Cache(tmp_path / "cache", max_bytes=200_000), []
    url = put(server, "generic-local/l", {f"{number}": b"%2d" % number * 5_000 for number in range(60)})
    async with aioartifact.download_folder(url, tmp_path / "one", cache=cache, session=session) as outcomes:
        sizes.extend([sum(entry.size for entry in await cache.entries()) async for _ in outcomes])
    # A sixteenth, and what the files in flight add meanwhile.
    assert max(sizes) <= 200_000 + 200_000 // 16 + 24 * 10_000
    assert sum(entry.size for entry in await cache.entries()) <= 200_000


async def test_prune(session, tree, tmp_path, cache):
    """By size and by age; nothing at all where neither is given."""
    await aioartifact.download_folder(tree, tmp_path / "one", cache=cache, session=session)
    everything = await cache.entries()
    assert await cache.prune() == []
    assert await cache.prune(older_than=3600) == []
    os.utime(entry_path(cache, TREE["big.bin"]), (1_000_000_000, 1_000_000_000))
    [old] = await cache.prune(older_than=3600)
    assert (old.sha256, old.used.year) == (sha256(TREE["big.bin"]), 2001)
    assert len(await cache.prune(max_bytes=0)) == len(everything) - 1
    assert await cache.entries() == []
    await aioartifact.download_folder(tree, tmp_path / "two", cache=cache, session=session)
    assert local(tmp_path / "two") == TREE


async def test_the_folder_is_private_and_marked(session, tree, tmp_path, cache):
    """Backup tools leave a tagged folder out; files of others' repositories are not for every user."""
    await aioartifact.download(f"{tree}/empty", tmp_path, cache=cache, session=session)
    assert Path(cache.folder).stat().st_mode & 0o777 == 0o700
    assert Path(cache.folder, "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert list(Path(cache.folder, "v1/locks").iterdir()) == []


async def test_an_empty_or_missing_cache(cache):
    """Nothing is an error here, and nothing is created by looking."""
    assert await cache.entries() == await cache.verify() == await cache.prune(max_bytes=0) == []
    assert not Path(cache.folder).exists()


def test_a_lock_has_one_owner(tmp_path):
    """The next one gets it when the first has given it back, and its file is gone then."""
    first, second = (EntryLock(str(tmp_path / "locks/key")) for _ in range(2))
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_lock_that_cannot_be_created_keeps_nobody_waiting(tmp_path):
    """It saves requests, and right bytes do not depend on it."""
    (tmp_path / "file").write_bytes(b"")
    lock = EntryLock(str(tmp_path / "file/key"))
    assert lock.acquire()
    lock.release()


def test_a_cache_of_code_that_blocks(tmp_path):
    """Its methods return at once, and the functions of both modules accept it."""
    with (
        ThreadedArtifactoryServer() as server,
        blocking.session(server.url, auth=(server.username, server.password)) as session,
    ):
        url = put(server, FOLDER, TREE)
        cache = blocking.Cache(tmp_path / "cache")
        assert isinstance(cache, Cache)
        for place in ("one", "two"):
            report = blocking.download_folder(url, tmp_path / place, cache=cache, session=session)
    assert len(report.from_cache) == len(cache.entries()) == len(TREE)
    assert pickle.loads(pickle.dumps(cache)) == cache
    assert cache.verify() == []
    assert len(cache.prune(max_bytes=0)) == len(TREE)


def test_a_fork_does_not_keep_a_lock(tmp_path):
    """A lock ends with its process, whatever processes that one has started."""
    path, code = (
        str(tmp_path / "locks/key"),
        (
            "import os, sys; from aioartifact._cache.entry_lock import EntryLock\n"
            "lock = EntryLock(sys.argv[1]); assert lock.acquire()\n"
            "if not os.fork():\n    sys.stdin.read(); os._exit(0)\n"
            "print(flush=True); os.kill(os.getpid(), 9)"
        ),
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.wait() == -9
    lock = EntryLock(path)
    while not lock.acquire():  # until the fork has closed its copy; for ever if it does not
        pass
    lock.release()
    process.stdin.close()
    assert process.stdout
    process.stdout.close()


async def test_a_record_of_another_user_is_not_trusted(server, session, tree, tmp_path, cache):
    """A record that names the entry of another file: the SHA-1 that the server confirms is verified, too."""
    await aioartifact.download_folder(tree, tmp_path / "all", cache=cache, session=session)
    await aioartifact.download_many([f"{tree}/big.bin"], tmp_path / "one", cache=cache, session=session)
    [record] = Path(cache.folder, "v1/items").rglob("?" * 64)
    document = json.loads(record.read_bytes())
    record.write_bytes(json.dumps(document | {"sha256": sha256(b"content 1")}).encode())
    await aioartifact.download_many([f"{tree}/big.bin"], tmp_path / "two", cache=cache, session=session)
    assert local(tmp_path / "two") == {"big.bin": TREE["big.bin"]}


async def test_verify_is_no_use(session, tree, tmp_path, cache):
    """What was used last stays the same."""
    await aioartifact.download(f"{tree}/big.bin", tmp_path, cache=cache, session=session)
    os.utime(entry_path(cache, TREE["big.bin"]), (1_000_000_000, 1_000_000_000))
    assert await cache.verify() == []
    [entry] = await cache.entries()
    assert entry.used.year == 2001


# Arguments


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", "/home/u/.cache/aioartifact"),
        ({"XDG_CACHE_HOME": "/big"}, "linux", "/big/aioartifact"),
        ({"XDG_CACHE_HOME": "relative"}, "linux", "/home/u/.cache/aioartifact"),
        ({"XDG_CACHE_HOME": " "}, "freebsd14", "/home/u/.cache/aioartifact"),
        ({}, "darwin", "/home/u/Library/Caches/aioartifact"),
        ({"LOCALAPPDATA": "D:\\Local"}, "win32", "D:\\Local\\aioartifact\\Cache"),
        ({}, "win32", "/home/u\\AppData\\Local\\aioartifact\\Cache"),
        ({"AIOARTIFACT_CACHE": "/mine", "XDG_CACHE_HOME": "/big"}, "linux", "/mine"),
    ],
)
def test_default_folder(environ, platform, expected):
    """The rules of platformdirs."""
    assert default_folder(environ, platform, "/home/u") == expected


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("0", False), ("", False), ("No", False)])
def test_offline_of_the_environment(value, expected, monkeypatch):
    """The environment can forbid the network for a job; an argument of the program takes precedence."""
    monkeypatch.setenv("AIOARTIFACT_OFFLINE", value)
    assert is_offline(os.environ) is Cache().offline is expected
    assert Cache(offline=False).offline is False


def test_a_cache_is_a_value(home, monkeypatch, tmp_path):
    """It can be compared, sent to another process, and shown."""
    assert Cache().folder == str(home / ".cache/aioartifact")
    monkeypatch.setenv("AIOARTIFACT_CACHE", "~/other")
    assert Cache().folder == str(home / "other")
    cache = Cache(tmp_path, max_bytes=5, offline=True, link_mode="copy")
    assert (
        pickle.loads(pickle.dumps(cache)) == cache == Cache(str(tmp_path), max_bytes=5, offline=True, link_mode="copy")
    )
    assert repr(cache) == f"Cache(folder={str(tmp_path)!r}, max_bytes=5, offline=True, link_mode='copy')"


@pytest.mark.parametrize(
    "arguments",
    [
        {"folder": ""},
        {"folder": 5},
        {"folder": b"bytes"},
        {"max_bytes": -1},
        {"max_bytes": True},
        {"max_bytes": 1.5},
        {"offline": "yes"},
        {"link_mode": "symlink"},
    ],
)
def test_bad_arguments(arguments):
    """Each is an error at the call."""
    with pytest.raises(InvalidArgumentError):
        Cache(**arguments)


async def test_bad_cache_of_a_call(session, tree, tmp_path):
    """So is a cache that is none, one for an upload or an archive, and one whose folder is a file."""
    for bad in ("", 5, True):
        with pytest.raises(InvalidArgumentError):
            await aioartifact.download(tree, tmp_path, cache=bad, session=session)
        with pytest.raises(InvalidArgumentError):
            aioartifact.download_many([tree], tmp_path, cache=bad)
    with pytest.raises(InvalidArgumentError, match="exclude each other"):
        aioartifact.download_folder(tree, tmp_path, archive=True, cache=tmp_path)
    with pytest.raises(InvalidArgumentError, match="upload"):
        aioartifact.sync(tmp_path, tree, cache=tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LocalFileError):
        await aioartifact.download_folder(tree, tmp_path / "x", cache=tmp_path / "file", session=session)
    for bad in (-1, "1", True, float("nan")):
        with pytest.raises(InvalidArgumentError):
            await Cache(tmp_path).prune(older_than=bad)


# Several processes

_FETCH = """
import asyncio, sys, aioartifact
url, destination, cache = sys.argv[1:]
report = asyncio.run(aioartifact.download_folder(url, destination, cache=cache))
print(len(report.downloaded), len(report.from_cache))
"""


def log_in(server: ArtifactoryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes log in to the server."""
    monkeypatch.setenv("JF_URL", server.url)
    monkeypatch.setenv("JF_USER", server.username)
    monkeypatch.setenv("JF_PASSWORD", server.password)


async def run_python(code: str, *arguments: object) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *map(str, arguments), stdout=subprocess.PIPE, env=os.environ
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_two_tasks_download_a_file_once(server, session, tmp_path, cache):
    """Whether its checksum is known from a listing or not."""
    data = random.Random(1).randbytes(1_500_000)
    url = put(server, "generic-local/t", {"a.bin": data, "same.bin": data})
    await asyncio.gather(
        *(aioartifact.download_folder(url, tmp_path / f"{number}", cache=cache, session=session) for number in range(4))
    )
    assert len(downloads(server)) == 1
    server.clear_log()
    other = put(server, "generic-local/u", {"b.bin": data[::-1]})
    await asyncio.gather(
        *(
            aioartifact.download_many([f"{other}/b.bin"], tmp_path / f"b{number}", cache=cache, session=session)
            for number in range(4)
        )
    )
    assert sorted(each.status for each in server.requests) == [200, 304, 304, 304]


@pytest.mark.slow
async def test_processes_download_a_file_once(server, tmp_path, monkeypatch, cache):
    """Eight processes fetch the same 500 files into different folders: 500 downloads in all."""
    tree = {
        f"{number % 10}/{number}.bin": random.Random(number).randbytes(1_000 + number * 20) for number in range(500)
    }
    url = put(server, "generic-local/t", tree)
    log_in(server, monkeypatch)
    runs = await asyncio.gather(
        *(run_python(_FETCH, url, tmp_path / f"out{number}", cache.folder) for number in range(8))
    )
    assert {code for code, _ in runs} == {0}
    counts = [tuple(map(int, output.split())) for _, output in runs]
    assert sum(downloaded for downloaded, _ in counts) == 8 * 500
    assert sum(cached for _, cached in counts) == 7 * 500
    assert len(downloads(server)) == 500
    for number in range(8):
        assert local(tmp_path / f"out{number}") == tree
    assert await cache.verify() == []


# At the n-th event of the file system, the process kills itself: every moment can be reached, whatever the machine.
_KILLED = """
import asyncio, os, signal, sys, aioartifact
url, destination, folder, link_mode, *runs = sys.argv[1:]
import aioartifact._api.download, aioartifact._transfer.receive.parallel
EVENTS = ("open", "os.rename", "os.link", "os.remove", "os.truncate", "os.chmod", "os.utime", "os.mkdir", "os.scandir")

def run(version, moment):
    count = 0

    def hook(event, arguments):
        nonlocal count
        if event in EVENTS:
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    cache = aioartifact.Cache(folder, link_mode=link_mode, max_bytes=400_000)
    asyncio.run(aioartifact.download_folder(f"{url}{version}", f"{destination}{version}", cache=cache))
    return count

for text in runs:
    version, moment = map(int, text.split(":"))
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, b"%d" % run(version, moment))
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), os.read(read, 99).decode() or 0, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("link_mode", ["reflink", "hardlink"])
async def test_a_killed_process_leaves_right_entries(server, tmp_path, monkeypatch, link_mode):
    """SIGKILL at 50 random moments: every entry is what its name says, and the next run completes the download."""
    cache, rng = Cache(tmp_path / "cache", link_mode=link_mode), random.Random(7)
    log_in(server, monkeypatch)
    trees: list[dict[str, bytes]] = []

    async def run(moments: list[int]) -> list[tuple[int, int]]:
        """Download versions that share files with the last one, each killed at its moment, and check the cache."""
        runs = []
        for moment in moments:
            tree = {f"{number}.bin": rng.randbytes(20_000) for number in range(8)}
            if trees:
                tree |= {f"old{number}.bin": trees[-1][f"{number}.bin"] for number in range(4)}
            put(server, f"generic-local/v{len(trees)}", tree)
            runs.append(f"{len(trees)}:{moment}")
            trees.append(tree)
        return await fetch(runs)

    async def fetch(runs: list[str]) -> list[tuple[int, int]]:
        url = f"{server.url}/generic-local/v"
        _, output = await run_python(_KILLED, url, tmp_path / "out", cache.folder, link_mode, *runs)
        assert await cache.verify() == []
        return [(int(code), int(count)) for code, count in map(str.split, output.splitlines())]

    _, (code, events) = await run([0, 0])
    assert code == 0
    assert events > 100
    killed = 0
    while killed < 50:
        exits = await run([rng.randint(1, events) for _ in range(10)])
        assert {code for code, _ in exits} <= {0, -9}
        killed += sum(code == -9 for code, _ in exits)
    exits = await fetch([f"{version}:0" for version in range(len(trees))])
    assert [code for code, _ in exits] == [0] * len(trees)
    for version, tree in enumerate(trees):
        found = local(tmp_path / f"out{version}")
        assert {path: found[path] for path in tree} == tree
    await cache.prune()
    assert not list(Path(cache.folder).rglob("*.part"))
