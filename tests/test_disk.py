"""A disk that refuses, fills up or is slow, under a batch: old files stay, the batch ends, errors are typed."""

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from pathlib import Path

import pytest

import aioartifact
from aioartifact import _threads
from aioartifact._transfer.many import destination
from aioartifact._transfer.many.destination import FolderSyncs
from aioartifact.testing import ThreadedArtifactoryServer

pytestmark = pytest.mark.slow

SIZE = 100_000


@pytest.fixture
def tree(server):
    """Thirty files of 100 kB in three folders."""
    contents = {f"d{n % 3}/f{n}.bin": os.urandom(SIZE) for n in range(30)}
    for path, content in contents.items():
        server.put(f"generic-local/t/{path}", content)
    return contents


@pytest.fixture
def url(server, tree):
    return f"{server.url}/generic-local/t"


def content(place) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in Path(place).rglob("*") if path.is_file()}


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)


async def test_batch_that_cannot_fit_is_told_before_the_first_file(server, session, tree, url, mounted):
    """The listing's sizes are compared with the free space; the error names both."""
    place = mounted("size=1m")
    with pytest.raises(aioartifact.LocalFileError, match=rf"{30 * SIZE} bytes are needed, \d+ are free") as caught:
        await aioartifact.download_folder(url, place, session=session)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(place / "d0")
    assert len(server.requests) == 1
    assert content(place) == {}


async def test_only_what_is_chosen_needs_space(server, session, tree, url, mounted):
    """Files that a pattern leaves out are not counted; those it chooses are."""
    place = mounted("size=1500k")
    with pytest.raises(aioartifact.LocalFileError, match=f"{20 * SIZE} bytes are needed"):
        await aioartifact.download_folder(url, place, exclude="d0", session=session)
    await aioartifact.download_folder(url, place, include="d0/*.bin", session=session)
    assert content(place) == {path: data for path, data in tree.items() if path.startswith("d0/")}


async def test_only_what_must_be_fetched_needs_space(server, session, tree, url, mounted):
    """Files that are there already, and those that are replaced, need none."""
    place = mounted("size=3500k")
    await aioartifact.download_folder(url, place, session=session)
    assert shutil.disk_usage(place).free < SIZE * 6
    (place / "d0/f0.bin").unlink()
    (place / "d0/f3.bin").write_bytes(bytes(SIZE - 10))
    report = await aioartifact.download_folder(url, place, session=session)
    assert len(report.downloaded) == 2
    assert content(place) == tree


async def test_full_disk_in_the_middle_of_a_batch(server, session, tree, url, mounted):
    """Where no sizes are known before, what fits is fetched and the rest fails; older files stay."""
    place = mounted("size=1m")
    (place / "f0.bin").write_bytes(b"old and good")
    urls = [f"{url}/{path}" for path in tree]
    report = await aioartifact.download_many(urls, place, on_error="collect", session=session)
    kept = {Path(path).name: data for path, data in tree.items()}
    assert len(report.outcomes) == 30
    assert {outcome.error.errno for outcome in report.failed} == {errno.ENOSPC}
    assert all(outcome.error.filename == outcome.path for outcome in report.failed)
    there = content(place)
    assert there.keys() == {"f0.bin"} | {Path(outcome.path).name for outcome in report.downloaded}
    assert all(data == kept[name] or (name, data) == ("f0.bin", b"old and good") for name, data in there.items())


@pytest.mark.parametrize(
    ("size", "listed", "additional"),
    [
        pytest.param(None, 10, 10, id="new"),
        pytest.param(4, 10, 6, id="larger"),
        pytest.param(14, 10, -4, id="smaller"),
        pytest.param(10, 10, 0, id="perhaps-the-same"),
        pytest.param(None, None, 0, id="size-not-listed"),
    ],
)
def test_space_for_one_file(size, listed, additional):
    """Only what certainly comes is counted."""
    checksums = aioartifact.Checksums(sha1="a" * 40)
    info = aioartifact.FileInfo("https://h/r/a", "r", "a", listed, checksums)
    assert destination.additional_bytes("changed", size, info) == additional
    assert destination.additional_bytes("never", size, info) == (additional if size is None else 0)


@pytest.mark.parametrize("disk", ["refuses", "has-no-size"])
async def test_disk_whose_free_space_is_unknown(server, session, tree, url, tmp_path, monkeypatch, disk):
    """Some network disks do not report it: what does not fit fails where it is written."""
    usage = shutil.disk_usage(tmp_path)

    def unknown(folder):
        if disk == "refuses":
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        return type(usage)(0, 0, 0)

    monkeypatch.setattr(shutil, "disk_usage", unknown)
    await aioartifact.download_folder(url, tmp_path, session=session)
    assert content(tmp_path) == tree


async def test_read_only_disk(server, session, tree, url, mounted):
    """Every file that would have to be written fails for itself; what is right already is kept."""
    place = mounted("size=5m")
    await aioartifact.download_folder(url, place, session=session)
    (place / "d0/f0.bin").write_bytes(bytes(SIZE))
    (place / "d1/f1.bin").unlink()
    before = content(place)
    remount(place, "ro")
    report = await aioartifact.download_folder(url, place, on_error="collect", session=session)
    assert len(report.unchanged) == 28
    assert {(outcome.path, outcome.error.errno) for outcome in report.failed} == {
        (str(place / "d0/f0.bin"), errno.EROFS),
        (str(place / "d1/f1.bin"), errno.EROFS),
    }
    assert all("read-only" in str(outcome.error) for outcome in report.failed)
    assert content(place) == before
    remount(place, "rw")


# Loads what the call needs, and then gives up rights or descriptors.
BATCH = """
import asyncio, json, os, resource, sys
import aioartifact, aiohttp.resolver, aiofiles, encodings.idna

async def main(url, place, limit):
    async with aioartifact.session(limits=aioartifact.Limits(max_concurrency=32)) as session:
        listed = await aioartifact.download_folder(url, place, overwrite="never", on_error="collect", session=session)
        limit()
        report = await aioartifact.download_folder(url, place, overwrite="always", on_error="collect", session=session)
    return [[o.path, o.status, getattr(o.error, "errno", None), str(o.error or "")] for o in report]

def no_descriptors():
    used = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used, used))
    while True:
        try:
            os.dup(0)
        except OSError:
            return

def no_rights():
    os.setegid(65534)
    os.seteuid(65534)

print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], globals()[sys.argv[3]]))))
"""


@pytest.fixture
def limited():
    """Runs a batch over files that are there, in a process that is limited after it has fetched them once."""
    contents = {f"f{n}.bin": os.urandom(SIZE) for n in range(30)}
    with ThreadedArtifactoryServer() as server, tempfile.TemporaryDirectory() as folder:
        for name, data in contents.items():
            server.put(f"generic-local/t/{name}", data)

        def run(limit: str) -> list[tuple]:
            environment = {"ARTIFACTORY_USERNAME": server.username, "ARTIFACTORY_API_KEY": server.password}
            url = f"{server.url}/generic-local/t"
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", BATCH, url, folder, limit],
                env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            return [tuple(row) for row in json.loads(done.stdout)]

        yield run
        assert content(folder) == contents


def test_folder_without_rights(limited):
    """Each file fails with the system's number, its path, and where to look; old files are there still."""
    rows = limited("no_rights")
    assert len(rows) == 30
    assert {(status, number) for _, status, number, _ in rows} == {("failed", errno.EACCES)}
    assert all(path in message and "check the permissions" in message for path, _, _, message in rows)


def test_process_without_descriptors(limited):
    """Files that find none fail as such; the batch ends, and every file is whole."""
    rows = limited("no_descriptors")
    assert len(rows) == 30
    failed = [(number, message) for _, status, number, message in rows if status == "failed"]
    assert failed
    assert {number for number, _ in failed} == {errno.EMFILE}


async def test_slow_disk_holds_up_nobody_else(server, session, tree, url, tmp_path):
    """While every disk thread is stuck the loop goes on; then all files arrive."""
    go_on = threading.Event()
    executor = _threads.executor()
    stuck = [executor.submit(go_on.wait, 60) for _ in range(_threads._THREADS)]
    batch = asyncio.create_task(aioartifact.download_folder(url, tmp_path, session=session))
    for path in list(tree)[:5]:
        assert await aioartifact.exists(f"{url}/{path}", session=session)
    assert not batch.done()
    assert not any(job.done() for job in stuck)
    go_on.set()
    assert len((await batch).downloaded) == 30
    assert content(tmp_path) == tree


@pytest.fixture
def synced(monkeypatch) -> dict[str, list[str]]:
    """What each file or folder of this process is asked to put on the disk itself: names, in order."""
    calls = defaultdict(list)
    sync, replace = os.fsync, os.replace

    def watched_sync(descriptor):
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        calls["sync"].append(path)
        calls["order"].append("folder" if Path(path).is_dir() else "file")
        sync(descriptor)

    def watched_replace(source, target):
        calls["order"].append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(os, "replace", watched_replace)
    return calls


async def test_durable_file_is_synced_before_and_after_its_rename(server, session, tree, url, tmp_path, synced):
    """First the bytes, then the name, then the folder that has the name."""
    await aioartifact.download(f"{url}/d0/f0.bin", tmp_path, durable=True, session=session)
    assert synced["order"] == ["file", "rename", "folder"]
    assert synced["sync"][1] == str(tmp_path)


async def test_file_is_not_synced_unless_asked_for(server, session, tree, url, tmp_path, synced):
    """Waiting for the disk is a choice."""
    await aioartifact.download(f"{url}/d0/f0.bin", tmp_path, session=session)
    await aioartifact.download_folder(url, tmp_path, session=session)
    assert synced["sync"] == []


async def test_durable_batch_syncs_folders_for_several_files_at_once(server, session, tree, url, tmp_path, synced):
    """Each file, each folder that has new names, and new folders in theirs; not a folder for each file."""
    place = tmp_path / "a/b"
    await aioartifact.download_folder(url, place, durable=True, max_concurrency=16, session=session)
    assert synced["order"].count("file") == 30
    folders = [path for path in synced["sync"] if Path(path).is_dir()]
    assert set(folders) == {str(tmp_path), str(tmp_path / "a"), str(place), *(str(place / f"d{n}") for n in range(3))}
    assert synced["order"][-1] == "folder"


async def test_sync_is_shared_by_those_who_wait_for_it(tmp_path, monkeypatch):
    """A running sync may miss what came after its begin, so those who come meanwhile share one more."""
    begun, go_on, calls = threading.Semaphore(0), threading.Semaphore(0), []

    def gated(path):
        calls.append(path)
        begun.release()
        go_on.acquire()

    monkeypatch.setattr(destination, "sync_folder", gated)
    syncs = FolderSyncs()
    first = asyncio.create_task(syncs.sync("here"))
    await asyncio.to_thread(begun.acquire)
    others = [asyncio.create_task(syncs.sync("here")) for _ in range(5)]
    await asyncio.wait(others, timeout=0)
    go_on.release(2)
    await asyncio.gather(first, *others)
    assert calls == ["here", "here"]
    assert syncs._folders == {}


async def test_sync_that_fails_keeps_the_old_file(server, session, tree, url, tmp_path, monkeypatch):
    """A disk that cannot keep the bytes says so before the old file is replaced."""

    def broken(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    (tmp_path / "f0.bin").write_bytes(b"old and good")
    with pytest.raises(aioartifact.LocalFileError, match=r"f0\.bin: Input/output error"):
        await aioartifact.download(f"{url}/d0/f0.bin", tmp_path, durable=True, session=session)
    assert content(tmp_path) == {"f0.bin": b"old and good"}
