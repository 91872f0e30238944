"""Files in flight: private ones that no other process finds, and parts that a later run adopts."""

import asyncio
import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import pytest

from aioartifact._errors import LocalFileError, LocalNotFoundError
from aioartifact._files import Staging, remove_left_behind
from aioartifact._files.part_files import is_left_behind, part_of, private_part, record_of, shared_part
from aioartifact._files.staging import write_at
from aioartifact._threads import run

KEY = "https://host/artifactory/r/a"


@pytest.fixture
def umask():
    """A umask that differs from the usual one."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def staged(target, *chunks):
    staging = Staging(str(target))
    staging.write(0, chunks)
    return staging


def shared(folder, *chunks):
    """The part of a target in *folder* that all runs share."""
    staging = Staging.shared(str(folder / "a"), KEY)
    if staging and chunks:
        staging.write(0, chunks)
    return staging


# Private


def test_committed_bytes_are_the_targets_content(tmp_path):
    """Until the commit there is no target; then there is nothing else."""
    target = tmp_path / "a.jar"
    staging = staged(target, b"a", b"")
    staging.write(1, [memoryview(b"bc")])

    assert not target.exists()
    assert staging.size() == 3
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
        pytest.param(lambda target: Staging(str(target)), id="never-written"),
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
    """A process that has the old file open keeps reading it."""
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
    """In a shared folder another user may guess the staging file's name; an existing file is not touched."""
    victim, guessed = tmp_path / "victim", tmp_path / "guessed"
    victim.write_bytes(b"old")
    if trap == "link":
        guessed.symlink_to(victim)
    else:
        guessed.hardlink_to(victim)
    monkeypatch.setattr("aioartifact._files.staging.private_part", lambda _: str(guessed))
    staging = Staging(str(tmp_path / "a"))

    with pytest.raises(LocalFileError) as caught:
        staging.write(0, [b"abc"])
    staging.discard()

    assert caught.value.errno == errno.EEXIST
    assert victim.read_bytes() == b"old"
    assert names(tmp_path) == ["guessed", "victim"]


def test_link_at_the_target_is_replaced_not_followed(tmp_path):
    """The file that a link points to belongs to another user."""
    elsewhere, target = tmp_path / "elsewhere", tmp_path / "a"
    elsewhere.write_bytes(b"old")
    target.symlink_to(elsewhere)
    staged(target, b"abc").commit()

    assert not target.is_symlink()
    assert (target.read_bytes(), elsewhere.read_bytes()) == (b"abc", b"old")


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("is_shared", [False, True])
def test_mode_of_the_target_is_the_umasks(tmp_path, is_shared):
    """A downloaded file is as readable as any file the user writes, also one that a later run can resume."""
    (shared(tmp_path, b"abc") if is_shared else staged(tmp_path / "a", b"abc")).commit()

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
    """The error has the target, not the name of the staging file."""
    (tmp_path / "file").touch()
    staging = Staging(str(tmp_path / place))

    with pytest.raises(kind) as caught:
        staging.write(0, [b"abc"])

    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / place))
    assert ".part" not in str(caught.value)


def test_full_disk(tmp_path):
    """The error says that the disk is full, and what to do; the staging file is gone after a discard."""
    staging = Staging(str(tmp_path / "a"))
    staging._descriptor = os.open("/dev/full", os.O_WRONLY)

    with pytest.raises(LocalFileError, match="No space left on device — free space") as caught:
        staging.write(0, [b"abc"])
    staging.discard()

    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a"))
    assert names(tmp_path) == []


def test_write_after_one_that_failed_in_the_middle(tmp_path):
    """Bytes that did not fit cause no later failure: the same place can be written again."""
    staging = Staging(str(tmp_path / "file"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12, limits[1]))
    try:
        with pytest.raises(LocalFileError):
            staging.write(0, [b"12345678", b"90abcdef"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    staging.write(8, [b"90abcdef"])
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
    lost.discard()

    assert names("/dev/fd") == before


def test_bytes_at_any_place(tmp_path):
    """What is written behind a hole is there when the hole is filled, whatever the order."""
    staging = Staging(str(tmp_path / "a"))
    staging.allocate(8)
    staging.write(6, [b"gh"])
    staging.write(0, [b"ab", b"", b"c"])
    staging.write(3, [b"def"])
    buffer = bytearray(5)

    assert staging.read_into(2, memoryview(buffer)) == 5
    assert bytes(buffer) == b"cdefg"
    staging.commit()
    assert (tmp_path / "a").read_bytes() == b"abcdefgh"


def test_more_buffers_than_one_call_takes(tmp_path):
    """A body that trickled in is thousands of chunks; a pipe takes only some of them at a time."""
    chunks = [bytes([number % 251]) * (number % 7) for number in range(5000)]
    staged(tmp_path / "a", *chunks).commit()

    assert (tmp_path / "a").read_bytes() == b"".join(chunks)


@pytest.mark.parametrize("taken", [1, 2, 3, 1000])
def test_disk_that_takes_little_at_a_time(tmp_path, taken, monkeypatch):
    """A call may write less than it was given; the rest follows, from the right byte."""
    whole = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda fd, views, at: whole(fd, [b"".join(views)[:taken]], at))
    descriptor = os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    write_at(descriptor, 3, [b"abc", b"", b"d", b"efgh"])
    os.close(descriptor)

    assert (tmp_path / "a").read_bytes() == b"\0\0\0abcdefgh"


def test_reading_back_what_is_not_there(tmp_path):
    """A part that another process has truncated is an error of the disk, not an endless loop."""
    staging = staged(tmp_path / "a", b"abc")

    with pytest.raises(LocalFileError, match=r"^read "):
        staging.read_into(3, memoryview(bytearray(1)))
    staging.discard()


# Shared


def test_part_is_found_again(tmp_path):
    """What one run leaves, the next one takes over with its record."""
    first = shared(tmp_path, b"abc")
    first.save(b"record")
    first.leave()
    second = shared(tmp_path)

    assert names(tmp_path) == sorted([Path(second.path).name, Path(record_of(second.path)).name])
    assert Staging.has_record(str(tmp_path / "a"), KEY)
    assert (second.size(), second.record()) == (3, b"record")
    second.write(3, [b"d"])
    second.commit()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"abcd"


@pytest.mark.parametrize(
    ("left", "others", "expected"),
    [
        pytest.param(False, 0, False, id="empty"),
        pytest.param(False, 3, False, id="other-files"),
        pytest.param(True, 3, True, id="a-record"),
        pytest.param(True, 1100, True, id="a-record-in-a-crowd"),
        pytest.param(False, 1100, True, id="a-crowd"),
    ],
)
def test_folder_tells_whether_it_may_have_records(tmp_path, left, others, expected):
    """A short look never overlooks a record: what is too long to read may hold one."""
    for number in range(others):
        (tmp_path / str(number)).touch()
    if left:
        part = shared(tmp_path, b"abc")
        part.save(b"record")
        part.leave()

    assert Staging.may_have_records(str(tmp_path)) is expected


def test_folder_that_cannot_be_listed_may_have_records(tmp_path):
    """If the folder cannot be listed, each name is tried."""
    assert Staging.may_have_records(str(tmp_path / "missing"))


def test_part_has_one_owner(tmp_path):
    """A task of the same process is as foreign as another process."""
    first = shared(tmp_path, b"abc")

    assert shared(tmp_path) is None
    first.leave()
    assert shared(tmp_path) is not None


def test_part_of_another_process(tmp_path):
    """The lock is the system's: it goes with the process that had it, however that ended."""
    code = (
        "import sys; from aioartifact._files import Staging\n"
        "part = Staging.shared(sys.argv[1], sys.argv[2]); part.write(0, [b'abc'])\n"
        "print(part.path, flush=True); sys.stdin.read()"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "a"), KEY]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline().decode().strip().endswith(".part")
        assert shared(tmp_path) is None
        assert remove_left_behind(str(tmp_path), None) == []
        other.kill()
    assert shared(tmp_path).size() == 3


@pytest.mark.parametrize("end", ["commit", "discard"])
def test_part_that_is_gone_when_it_is_locked(tmp_path, end, monkeypatch):
    """Between opening and locking, its owner may have ended it: then the lock is on a file without a name."""
    from aioartifact._files import staging as module

    owner, lock = shared(tmp_path, b"old"), module.lock
    owner.save(b"record")

    def lock_late(descriptor):
        monkeypatch.setattr(module, "lock", lock)
        getattr(owner, end)()
        return lock(descriptor)

    monkeypatch.setattr(module, "lock", lock_late)
    mine = shared(tmp_path, b"new")
    mine.commit()

    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "fifo", "hardlink", "locked-forever"])
def test_what_is_no_part_of_ours_is_left_alone(tmp_path, kind, monkeypatch):
    """The name of a part can be known beforehand; who lays something else there gains nothing."""
    path, victim = Path(shared_part(str(tmp_path / "a"), KEY)), tmp_path / "victim"
    victim.write_bytes(b"old")
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "dangling":
        path.symlink_to(tmp_path / "missing")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "hardlink":
        path.hardlink_to(victim)
    else:
        monkeypatch.setattr("aioartifact._files.staging.is_still", lambda *_: False)
    before = names("/dev/fd")

    assert shared(tmp_path) is None
    assert victim.read_bytes() == b"old"
    assert not (tmp_path / "missing").exists()
    assert names("/dev/fd") == before


def test_part_of_another_user(tmp_path, monkeypatch):
    """A file that another process wrote is not continued."""
    shared(tmp_path, b"abc").leave()
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    assert shared(tmp_path) is None


def test_file_system_without_locks(tmp_path, monkeypatch):
    """Without locks there are no parts to share, and only private ones are made."""

    def refuse(_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("aioartifact._files.staging.lock", refuse)

    assert shared(tmp_path) is None
    staged(tmp_path / "a", b"abc").commit()
    assert (tmp_path / "a").read_bytes() == b"abc"


@pytest.mark.parametrize("kind", ["missing", "link", "folder", "fifo", "hardlink"])
def test_record_that_is_none(tmp_path, kind):
    """A record that is not a file of ours says nothing."""
    part = shared(tmp_path, b"abc")
    path, victim = Path(record_of(part.path)), tmp_path / "victim"
    victim.write_bytes(b"record")
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "hardlink":
        path.hardlink_to(victim)

    assert part.record() == b""
    assert victim.read_bytes() == b"record"


def test_record_of_any_length(tmp_path):
    """No more is read of a record than one of ours can have."""
    part = shared(tmp_path, b"abc")
    with Path(record_of(part.path)).open("wb") as file:
        file.truncate(1 << 40)

    assert len(part.record()) == 1 << 20


def test_record_that_cannot_be_saved(tmp_path):
    """The earlier record holds, and no draft of the new one is left."""
    part = shared(tmp_path, b"abc")
    part.save(b"first")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(LocalFileError):
            part.save(b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert part.record() == b"first"
    assert len(names(tmp_path)) == 2


def test_emptied_part_has_no_record(tmp_path):
    """A record never speaks of bytes that are gone."""
    part = shared(tmp_path, b"abc")
    part.save(b"record")
    part.empty()

    assert (part.size(), part.record()) == (0, b"")


def test_discarded_part_is_gone(tmp_path):
    """With its record; discarding it again finds nothing, not even what another run has made meanwhile."""
    part = shared(tmp_path, b"abc")
    part.save(b"record")
    part.discard()
    assert names(tmp_path) == []

    other = shared(tmp_path, b"abc")
    part.discard()
    assert names(tmp_path) == [Path(other.path).name]


# Names


@pytest.mark.parametrize("name", ["a", "a" * 255, "ü" * 127, ".part", "a.part", "a\nb", os.fsdecode(b"\xff" * 255)])
def test_names_beside_a_target(name):
    """Every name is of a length that a disk takes, leads from record to part, and is known again."""
    target = f"/data/{name}"
    for part in (shared_part(target, KEY), private_part(target)):
        for path in (part, record_of(part)):
            folder, last = os.path.split(path)
            assert folder == "/data"
            assert len(os.fsencode(last)) <= 255
        assert part_of(record_of(part)) == part == part_of(part)
        assert is_left_behind(Path(part).name)
    assert is_left_behind(Path(record_of(shared_part(target, KEY))).name)
    assert shared_part(target, KEY) == shared_part(target, KEY)


def test_names_tell_apart_what_differs():
    """Another file of the server, or another target, is another part, even where a name is cut."""
    long = "/data/" + "a" * 254
    paths = {shared_part(target, key) for target in (long + "b", long + "c", "/data/a") for key in ("x", "y")}

    assert len(paths) == 6


@pytest.mark.parametrize(
    "name",
    ["a", ".a.part", "a.0123456789abcdef.part", ".a.0123456789abcdeg.part", ".a.0123456789abcdef.part.bak", ".journal"],
)
def test_names_of_other_programs(name):
    """Nothing that a user or another program might have named is taken for ours."""
    assert not is_left_behind(name)


# Removal


@pytest.fixture
def leftovers(tmp_path):
    """A tree with a part, its record, a private part and a record without part, all left; and files of the user."""
    (tmp_path / "sub").mkdir()
    first = shared(tmp_path, b"abc")
    first.save(b"record")
    first.leave()
    staged(tmp_path / "sub" / "b", b"abc").leave()
    Path(record_of(shared_part(str(tmp_path / "sub" / "c"), KEY))).touch()
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "sub" / ".b.part").write_bytes(b"user's own")
    (tmp_path / "elsewhere").symlink_to(tmp_path)
    return tmp_path


def test_all_that_is_left_is_removed(leftovers):
    """Parts and records, in the folder and below it; nothing else, and nothing through a link."""
    removed = remove_left_behind(str(leftovers), None)

    assert len(removed) == len(set(removed)) == 4
    assert names(leftovers) == ["a", "elsewhere", "sub"]
    assert names(leftovers / "sub") == [".b.part"]
    assert remove_left_behind(str(leftovers), None) == []


async def test_removal_ends_when_it_is_cancelled(tmp_path, monkeypatch):
    """A tree can be large: the rest of it is not searched."""
    reached, cancelled, later = threading.Event(), threading.Event(), []

    def walk(folder, **_):
        reached.set()
        cancelled.wait()
        for number in range(100):
            later.append(number)
            yield folder, [], []

    monkeypatch.setattr(os, "walk", walk)
    removal = asyncio.ensure_future(run(remove_left_behind, str(tmp_path), None))
    await asyncio.to_thread(reached.wait)
    removal.cancel()
    await anyio.wait_all_tasks_blocked()
    cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await removal

    assert len(later) == 1


def test_what_is_in_use_is_not_removed(tmp_path):
    """Neither a part that is locked, nor a private one, nor their records."""
    part, private = shared(tmp_path, b"abc"), staged(tmp_path / "b", b"abc")
    part.save(b"record")

    assert remove_left_behind(str(tmp_path), None) == []
    part.commit()
    private.commit()
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("moment", ["removed", "about-to-be"])
def test_what_is_cleared_up_before_it_is_locked_is_made_anew(tmp_path, moment, monkeypatch):
    """Between creating and locking a file, another process may treat it as abandoned."""
    from aioartifact._files import staging as module

    lock = module.lock

    def lock_late(descriptor):
        monkeypatch.setattr(module, "lock", lock)
        if moment == "removed":
            assert len(remove_left_behind(str(tmp_path), None)) == 1
            return lock(descriptor)
        (path,) = tmp_path.iterdir()
        with path.open("rb") as found:
            assert lock(found.fileno())
            return lock(descriptor)

    monkeypatch.setattr(module, "lock", lock_late)
    staging = staged(tmp_path / "a", b"abc")
    assert remove_left_behind(str(tmp_path), None) == []
    staging.commit()

    assert (tmp_path / "a").read_bytes() == b"abc"
    assert names(tmp_path) == ["a"]


SAVING = """
import os, signal, sys
from aioartifact._files import Staging

part = Staging.shared(*sys.argv[1:])
part.write(0, [b"abc"])
part.save(b"first")
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
part.save(b"second")
"""


def test_process_killed_over_its_record(tmp_path):
    """A later run has the part with the earlier record; the draft of the new one is removed by a clean-up."""
    command = [sys.executable, "-c", SAVING, str(tmp_path / "a"), KEY]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 3

    part = shared(tmp_path)
    assert part.record() == b"first"
    part.commit()
    assert len(remove_left_behind(str(tmp_path), None)) == 1
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"abc"


def test_record_that_is_being_saved_is_not_removed(tmp_path, monkeypatch):
    """A clean-up at that moment keeps the record, as the part that it is about."""
    target, seen = tmp_path / "file.bin", []

    def look(descriptor):
        seen.append(remove_left_behind(str(tmp_path), None))
        assert len(names(tmp_path)) == 2

    staging = Staging.shared(str(target), "key")
    staging.write(0, [b"bytes"])
    monkeypatch.setattr("aioartifact._files.staging.os.fsync", look)
    staging.save(b"record")
    assert seen == [[]]
    assert staging.record() == b"record"
    staging.discard()
    assert names(tmp_path) == []


def test_what_is_young_is_not_removed(leftovers):
    """Age is that of the last write."""
    for path in leftovers.rglob("*.part"):
        os.utime(path, (0, 0))

    assert {Path(path).suffix for path in remove_left_behind(str(leftovers), 3600)} == {".part", ".journal"}
    assert len(list(leftovers.rglob("*.journal"))) == 1


@pytest.mark.parametrize(("older_than", "left"), [(None, 1), (0, 0)])
def test_removal_without_locks(tmp_path, older_than, left, monkeypatch):
    """It is unknown which files are in use: only age counts."""

    def refuse(_):
        raise OSError(errno.ENOLCK, "No locks available")

    staged(tmp_path / "a", b"abc").leave()
    monkeypatch.setattr("aioartifact._files.part_files.lock", refuse)
    remove_left_behind(str(tmp_path), older_than)

    assert len(names(tmp_path)) == left


def test_removal_where_no_folder_is(tmp_path):
    """A folder that is not there was misspelt."""
    with pytest.raises(LocalNotFoundError) as caught:
        remove_left_behind(str(tmp_path / "missing"), None)

    assert caught.value.filename == str(tmp_path / "missing")
