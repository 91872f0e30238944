"""What an earlier run has left of a large file is used by a later one, and only if it is of the same content."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest

import aioartifact
from aioartifact._files.part_files import record_of, shared_part
from aioartifact._transfer.receive import one_file
from aioartifact._transfer.receive.journal import decode, encode
from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
DATA = os.urandom(20 * MIB)
PATH = "generic-local/a/data.bin"
# One connection that breaks is the end: no retry, and no other one that could take over.
FRAGILE = {"retry": aioartifact.RetryPolicy.none(), "limits": aioartifact.Limits(max_concurrency=1)}

# Downloads once; says so when what it has is safe, and when it is done.
CLIENT = """
import sys, anyio, aioartifact
from pathlib import Path
from aioartifact._transfer.receive import one_file

one_file._SAVE_EVERY = 0.01
server, user, password, url, target, journal = sys.argv[1:]

async def tell(group):
    while not Path(journal).exists():
        await anyio.sleep(0.01)
    print("saved", flush=True)

async def main():
    options = {"auth": (user, password), "limits": aioartifact.Limits(max_concurrency=1)}
    async with aioartifact.session(server, **options) as session, anyio.create_task_group() as group:
        group.start_soon(tell, group)
        await aioartifact.download(url, target, session=session)
        print("done", flush=True)
        group.cancel_scope.cancel()

anyio.run(main)
"""


class Place:
    """Where the file goes, and what lies beside it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.target = folder, url, folder / "data.bin"
        self.part = Path(shared_part(str(self.target), url))
        self.journal = Path(record_of(str(self.part)))

    def names(self) -> list[str]:
        return sorted(os.listdir(self.folder))

    def settled(self) -> list[str]:
        """The names without that of a journal which is just being written, or whose writer was killed over it."""
        return [name for name in self.names() if not name.startswith(f".{self.journal.name}.")]

    def kept(self) -> int:
        """How many bytes the journal says are there, all of them from the beginning on."""
        ((start, stop),) = decode(self.journal.read_bytes()).kept
        assert start == 0
        return stop

    def assert_done(self, data: bytes = DATA) -> None:
        assert self.target.read_bytes() == data
        assert self.names() == ["data.bin"]

    async def assert_done_after_a_kill(self) -> None:
        """A process that is killed while it writes its journal leaves a draft of it, which is never used again."""
        assert self.settled() == ["data.bin"]
        await aioartifact.remove_parts(self.folder)
        self.assert_done()


@pytest.fixture
async def session(server):
    """One connection for each download: whether a slow machine makes it want more must not show in the log."""
    auth, retry = (server.username, server.password), aioartifact.RetryPolicy(attempts=3, backoff_initial=0)
    limits = aioartifact.Limits(max_concurrency=1)
    async with aioartifact.session(server.url, auth=auth, retry=retry, limits=limits) as opened:
        yield opened


@pytest.fixture
def place(server, tmp_path):
    server.put(PATH, DATA)
    return Place(tmp_path, f"{server.url}/{PATH}")


@pytest.fixture
async def begun(server, place):
    """A part with more than half of the file, left by a run whose connection broke for good."""
    server.fail("GET", PATH, times=1, fault=Fault.reset(after=12 * MIB))
    options = {"auth": (server.username, server.password)} | FRAGILE
    async with aioartifact.session(server.url, **options) as session:
        with pytest.raises(aioartifact.ConnectionLostError, match="at byte"):
            await aioartifact.download(place.url, place.folder, session=session)
    assert place.names() == sorted([place.part.name, place.journal.name])
    assert 8 * MIB <= place.kept() <= 12 * MIB
    server.clear_log()
    return place


def asked(server) -> list[str | None]:
    return [request.headers.get("range") for request in server.requests if request.path.endswith("data.bin")]


async def start_client(server, place):
    """A process that downloads the file."""
    arguments = [server.url, server.username, server.password, place.url, str(place.target), str(place.journal)]
    return await anyio.open_process([sys.executable, "-c", CLIENT, *arguments], stderr=None)


async def said(process) -> str:
    """The next line, however many writes it took."""
    line = b""
    while not line.endswith(b"\n"):
        line += await process.stdout.receive(1)
    return line.decode().strip()


async def test_later_call_asks_for_the_rest(server, session, begun):
    """One request, for just the bytes that are missing, if they are still of the same content."""
    kept = begun.kept()
    progress = aioartifact.Progress()
    await aioartifact.download(begun.url, begun.folder, session=session, progress=progress)
    begun.assert_done()
    assert asked(server) == [f"bytes={kept}-"]
    assert server.requests[0].headers["if-range"] == server.checksums(PATH)["sha1"]
    seen = progress.snapshot()
    assert (seen.bytes_done, seen.bytes_total) == (len(DATA) - kept, len(DATA) - kept)


async def test_batch_goes_on_too(server, session, begun):
    """Bulk calls have the same engine; files without a part cost no look for one."""
    kept = begun.kept()
    server.put("generic-local/a/other.bin", DATA[: 9 * MIB])
    report = await aioartifact.download_folder(
        f"{server.url}/generic-local/a", begun.folder, session=session, overwrite="always"
    )
    assert len(report.downloaded) == 2
    assert begun.target.read_bytes() == DATA
    assert begun.names() == ["data.bin", "other.bin"]
    assert asked(server) == [f"bytes={kept}-"]


async def test_cancelled_call_leaves_what_it_has(server, session, place):
    """A cancelled transfer of a large file can be taken up again; that of a smaller one leaves nothing."""
    server.put("generic-local/a/small.bin", DATA[: 8 * MIB - 1])
    handle = server.fail("GET", "generic-local/**", times=2, fault=Fault.stall(after=7 * MIB))
    for url in (place.url, f"{server.url}/generic-local/a/small.bin"):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_when_reached, handle, scope)
                await aioartifact.download(url, place.folder, session=session)
    assert place.names() == []
    handle.release()
    server.fail("GET", PATH, times=1, fault=Fault.truncate(after=10 * MIB))
    with anyio.move_on_after(0):
        await aioartifact.download(place.url, place.folder, session=session)
    assert place.names() == []


async def _cancel_when_reached(handle, scope):
    await handle.reached()
    scope.cancel()


@pytest.mark.parametrize("after", [9 * MIB, 13 * MIB + 1, 19 * MIB])
async def test_killed_process_loses_only_the_last_bytes(server, session, place, after):
    """After SIGKILL, what the journal records is used, and nothing else."""
    handle = server.fail("GET", PATH, times=1, fault=Fault.stall(after=after))
    async with await start_client(server, place) as process:
        assert await said(process) == "saved"
        process.kill()
        assert await process.wait() == -signal.SIGKILL
    handle.release()
    kept = place.kept()
    with place.part.open("r+b") as part:  # a power failure: what was not synced is anything
        part.seek(kept)
        part.write(os.urandom(len(DATA) - kept))
    server.clear_log()
    await aioartifact.download(place.url, place.folder, session=session)
    await place.assert_done_after_a_kill()
    assert asked(server) == [f"bytes={kept}-"]


class Disk:
    """
    What a power failure would take: bytes that were written to a file and not synced since.

    Attributes:
        journals: For each journal that got its name, whether it and the bytes that it lists were on the disk.
    """

    def __init__(self, place, monkeypatch) -> None:
        self.journals: list[bool] = []
        self._place = place
        self._lost: dict[int, list[tuple[int, int]]] = {}
        self._turn = threading.Lock()  # jobs write and sync at the same time
        self._system = {name: getattr(os, name) for name in ("pwritev", "fsync", "fdatasync", "replace")}
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, partial(self._sync, name))
        monkeypatch.setattr(os, "pwritev", self._write)
        monkeypatch.setattr(os, "replace", self._rename)

    def _write(self, descriptor, buffers, offset):
        with self._turn:
            count = self._system["pwritev"](descriptor, buffers, offset)
            self._lost.setdefault(os.fstat(descriptor).st_ino, []).append((offset, offset + count))
        return count

    def _sync(self, name, descriptor):
        with self._turn:
            self._system[name](descriptor)
            self._lost.pop(os.fstat(descriptor).st_ino, None)

    def _rename(self, source, target):
        with self._turn:
            if target == str(self._place.journal):
                lost = self._lost.get(self._place.part.stat().st_ino, [])
                kept = decode(Path(source).read_bytes()).kept
                is_whole = not any(start < stop_ and start_ < stop for start, stop in kept for start_, stop_ in lost)
                self.journals.append(is_whole and Path(source).stat().st_ino not in self._lost)
            self._system["replace"](source, target)


async def test_journal_lists_only_bytes_that_are_on_the_disk(server, session, place, monkeypatch):
    """Both are synced before the journal gets its name: a power failure may keep a rename and lose earlier writes."""
    monkeypatch.setattr(one_file, "_SAVE_EVERY", 0.01)
    disk = Disk(place, monkeypatch)
    server.fail("GET", PATH, times=1, fault=Fault.reset(after=12 * MIB))
    options = {"auth": (server.username, server.password)} | FRAGILE
    async with aioartifact.session(server.url, **options) as fragile:
        with pytest.raises(aioartifact.ConnectionLostError):
            await aioartifact.download(place.url, place.folder, session=fragile)
    assert disk.journals
    assert all(disk.journals)
    await aioartifact.download(place.url, place.folder, session=session)
    assert all(disk.journals)
    place.assert_done()


async def test_process_killed_again_and_again(server, session, place):
    """Each run goes on where the one before was killed."""
    for after in (2 * MIB, 3 * MIB, 4 * MIB):
        handle = server.fail("GET", PATH, times=1, fault=Fault.stall(after=after))
        before = place.journal.read_bytes() if place.journal.exists() else b""
        async with await start_client(server, place) as process:
            await handle.reached()
            assert await said(process) == "saved"
            while place.journal.read_bytes() == before:  # noqa: ASYNC110  # the process writes it
                await asyncio.sleep(0)
            process.kill()
        handle.release()
        assert decode(place.journal.read_bytes()).kept
    kept = place.kept()
    await aioartifact.download(place.url, place.folder, session=session)
    await place.assert_done_after_a_kill()
    assert asked(server)[-1] == f"bytes={kept}-"
    assert len(set(asked(server))) == 4


async def test_two_processes_fetch_one_target(server, session, place):
    """The second has a part of its own; both succeed, and neither touches what the other has."""
    handle = server.fail("GET", PATH, times=1, fault=Fault.stall(after=10 * MIB))
    async with await start_client(server, place) as process:
        assert await said(process) == "saved"
        assert await aioartifact.remove_parts(place.folder) == []
        await aioartifact.download(place.url, place.folder, session=session)
        assert place.target.read_bytes() == DATA
        assert place.settled() == sorted(["data.bin", place.part.name, place.journal.name])
        handle.release()
        assert await said(process) == "done"
        assert await process.wait() == 0
    place.assert_done()


async def test_two_calls_fetch_one_target(server, session, begun):
    """Within a process too: one goes on with the part, the other starts anew."""
    kept = begun.kept()
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(_download, begun, session)
    begun.assert_done()
    assert sorted(asked(server), key=str) == [None, f"bytes={kept}-"]


async def _download(place, session):
    await aioartifact.download(place.url, place.folder, session=session)


@pytest.mark.parametrize(("size", "requests"), [(len(DATA), 1), (9 * MIB, 2), (100, 2)])
async def test_content_that_changed_between_the_runs(server, session, begun, size, requests):
    """The server sends all of the new content, or says that the rest is not there; the old one is forgotten."""
    replacement = os.urandom(size)
    server.put(PATH, replacement)
    progress = aioartifact.Progress()
    await aioartifact.download(begun.url, begun.folder, session=session, progress=progress)
    begun.assert_done(replacement)
    assert len(asked(server)) == requests
    assert (progress.snapshot().bytes_done, progress.snapshot().bytes_total) == (size, size)


async def test_file_that_is_gone(server, session, begun):
    """The rest of it will never be requested."""
    await session.delete(begun.url)
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.download(begun.url, begun.folder, session=session)
    assert begun.names() == []


@pytest.mark.parametrize(
    "fault", [Fault.status(416, b""), Fault.wrong_etag(), Fault.ignore_range()], ids=["416", "etag", "200"]
)
async def test_answer_that_does_not_go_on(server, session, begun, fault):
    """From the first byte, then."""
    server.fail("GET", PATH, times=1, fault=fault)
    await aioartifact.download(begun.url, begun.folder, session=session)
    begun.assert_done()


async def test_refusal_keeps_the_part(server, session, begun):
    """A token that has expired is no reason to fetch everything again."""
    before = begun.journal.read_bytes()
    server.fail("GET", PATH, times=1, fault=Fault.expired_token())
    with pytest.raises(aioartifact.AuthenticationError):
        await aioartifact.download(begun.url, begun.folder, session=session)
    assert begun.journal.read_bytes() == before


async def test_kept_bytes_that_are_wrong(server, session, begun):
    """A disk may lie: the checksum covers what was kept, and then all is fetched once more."""
    with begun.part.open("r+b") as part:
        part.seek(5 * MIB)
        part.write(b"garbled")
    kept = begun.kept()
    await aioartifact.download(begun.url, begun.folder, session=session)
    begun.assert_done()
    assert asked(server) == [f"bytes={kept}-", None]


def _torn(place):
    place.journal.write_bytes(place.journal.read_bytes()[:-40])


def _garbage(place):
    place.journal.write_bytes(os.urandom(1000))


def _huge(place):
    with place.journal.open("wb") as file:
        file.truncate(1 << 40)


def _foreign(place):
    journal = decode(place.journal.read_bytes())
    place.journal.write_bytes(encode(replace(journal, url=f"{journal.url}.other")))


def _link(place):
    place.journal.rename(place.folder / "kept")
    place.journal.symlink_to(place.folder / "kept")


def _part_gone(place):
    place.part.unlink()


def _part_cut(place):
    os.truncate(place.part, place.kept() - 1)


def _rewritten(**changes):
    def spoil(place):
        place.journal.write_bytes(encode(replace(decode(place.journal.read_bytes()), **changes)))

    return spoil


FORGED = [
    pytest.param(_rewritten(size=10**30), id="longer than any file"),
    pytest.param(_rewritten(size=2**62), id="longer than the disk"),
    pytest.param(_rewritten(etag="a\r\nX-Forged: 1"), id="header fields in the etag"),
    pytest.param(_rewritten(etag="a\0"), id="etag of no text"),
    pytest.param(_rewritten(etag="a" * 100_000), id="endless etag"),
]


@pytest.mark.parametrize("spoil", [_torn, _garbage, _huge, _foreign, _link, _part_gone, _part_cut, *FORGED])
async def test_spoilt_leftovers(server, session, begun, spoil):
    """What cannot be trusted is not used: all is fetched, and the leftovers are cleared away."""
    spoil(begun)
    await aioartifact.download(begun.url, begun.folder, session=session)
    assert begun.target.read_bytes() == DATA
    assert asked(server) == [None]
    assert set(begun.names()) <= {"data.bin", "kept"}


async def test_all_is_there_but_the_name(server, session, begun):
    """A run that was killed before its last step: one byte is asked for, to see whether the content is the same."""
    journal = decode(begun.journal.read_bytes())
    begun.part.write_bytes(DATA)
    whole = encode(replace(journal, kept=((0, len(DATA)),)))
    begun.journal.write_bytes(whole)
    await aioartifact.download(begun.url, begun.folder, session=session)
    begun.assert_done()
    assert asked(server) == [f"bytes={len(DATA) - 1}-"]


async def test_holes_are_filled(server, session, begun):
    """What is missing is asked for piece by piece, the first one first."""
    journal = decode(begun.journal.read_bytes())
    kept = ((0, MIB), (2 * MIB, 3 * MIB), (5 * MIB, 20 * MIB))
    content = bytearray(len(DATA))
    for start, stop in kept:
        content[start:stop] = DATA[start:stop]
    begun.part.write_bytes(content)
    begun.journal.write_bytes(encode(replace(journal, kept=kept)))
    await aioartifact.download(begun.url, begun.folder, session=session)
    begun.assert_done()
    assert asked(server) == [f"bytes={MIB}-{2 * MIB - 1}", f"bytes={3 * MIB}-{5 * MIB - 1}"]


async def test_older_file_stays_until_the_end(server, session, begun):
    """Nothing of a resumed transfer shows under the target's name before all of it is there."""
    begun.target.write_bytes(b"old and good")
    server.fail("GET", PATH, times=None, fault=Fault.status(500))
    with pytest.raises(aioartifact.ServerError):
        await aioartifact.download(begun.url, begun.folder, session=session)
    assert begun.target.read_bytes() == b"old and good"
    assert begun.kept() >= 8 * MIB


@pytest.fixture
def disk(tmp_path_factory):
    """A file system of its own."""
    disk = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


async def test_read_only_folder(session, begun, disk):
    """A part that cannot be written to is a typed error, and stays as it is."""
    for path in (begun.part, begun.journal):
        (disk / path.name).write_bytes(path.read_bytes())
    await anyio.run_process(["mount", "-o", "remount,ro", disk])
    with pytest.raises(aioartifact.LocalFileError, match="read-only"):
        await aioartifact.download(begun.url, disk, session=session)
    assert len(os.listdir(disk)) == 2


async def test_journal_tells_no_secret(server, begun):
    """It names the item and its content, and nothing of who asked for it."""
    written = begun.journal.read_bytes()
    assert server.password.encode() not in written
    assert server.username.encode() not in written.replace(begun.url.encode(), b"")


async def test_storage_behind_a_redirect(redirecting_server, tmp_path):
    """The checksums come from Artifactory while the body arrives, so its part can be taken up, too."""
    server = redirecting_server
    server.put(PATH, DATA)
    place = Place(tmp_path, f"{server.url}/{PATH}")
    server.fail("GET", "storage:**", times=1, fault=Fault.reset(after=12 * MIB))
    options = {"auth": (server.username, server.password)} | FRAGILE
    async with aioartifact.session(server.url, **options) as session:
        with pytest.raises(aioartifact.ConnectionLostError):
            await aioartifact.download(place.url, place.folder, session=session)
        kept = place.kept()
        await aioartifact.download(place.url, place.folder, session=session)
    place.assert_done()
    stored = [request.headers.get("range") for request in server.requests if request.origin == "storage"]
    assert stored == [None, f"bytes={kept}-"]


async def test_parts_are_removed_on_request(begun):
    """A caller who will not resume removes partial files; other files stay."""
    begun.target.write_bytes(b"old and good")
    assert await aioartifact.remove_parts(begun.folder, older_than=3600) == []
    removed = await aioartifact.remove_parts(str(begun.folder))
    assert sorted(removed) == sorted([str(begun.part), str(begun.journal)])
    assert begun.names() == ["data.bin"]


@pytest.mark.parametrize("older_than", [-1, float("nan"), True])
async def test_removal_of_what_age(tmp_path, older_than):
    """An invalid age is an error."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="older_than"):
        await aioartifact.remove_parts(tmp_path, older_than=older_than)


async def test_removal_below_a_folder_that_is_not_there(tmp_path):
    """A misspelt folder is an error."""
    with pytest.raises(aioartifact.LocalNotFoundError):
        await aioartifact.remove_parts(tmp_path / "missing")
