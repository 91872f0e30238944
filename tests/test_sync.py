"""plan_sync(), run_sync() and sync(): both directions, without losing content that the plan did not see."""

import asyncio
import gc
import os
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

import aioartifact
from aioartifact import Checksums, SyncAction, SyncFile, SyncPlan
from aioartifact._files import changes
from aioartifact.testing import ArtifactoryServer, Fault

TREE = {
    "a.bin": b"a",
    "d/b.bin": b"bb" * 1000,
    "d/e/c# x;y.bin": b"ccc" * 5000,
    "100%/ü+.bin": b"dddd",
    "empty": b"",
}
CREATE, REPLACE = b"only at the source", b"another content"


@pytest.fixture
def url(server):
    return f"{server.url}/generic-local/t"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "here"


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Ends:
    """A local folder and one of a server, of which one is the source."""

    def __init__(self, server, folder: Path, direction: str) -> None:
        self.server, self.folder, self.direction = server, folder, direction
        self.remote = f"{server.url}/generic-local/t"
        folder.mkdir()
        server.make_folder("generic-local/t")

    @property
    def source(self):
        return self.remote if self.direction == "download" else self.folder

    @property
    def destination(self):
        return self.folder if self.direction == "download" else self.remote

    def put(self, at_source: bool, path: str, content: bytes) -> None:
        if at_source == (self.direction == "download"):
            self.server.put(f"generic-local/t/{path}", content)
        else:
            write(self.folder, {path: content})

    def give(self, files: dict[str, bytes]) -> None:
        """Let the source have *files*."""
        for path, content in files.items():
            self.put(True, path, content)

    def have(self, files: dict[str, bytes]) -> None:
        """Let the destination have *files*."""
        for path, content in files.items():
            self.put(False, path, content)

    def remote_contents(self) -> dict[str, bytes]:
        found = {}
        for path in [*TREE, "old.bin", "sub/old.bin", "new.bin", "moved/new.bin", "kept.bin", "one", "two"]:
            if self.server.exists(f"generic-local/t/{path}"):
                found[path] = self.server.read(f"generic-local/t/{path}")
        return found

    def result(self) -> dict[str, bytes]:
        """What the destination has, as far as these tests put anything there."""
        return contents(self.folder) if self.direction == "download" else self.remote_contents()


@pytest.fixture(params=["download", "upload"])
def ends(request, server, folder):
    return Ends(server, folder, request.param)


def kinds(plan: SyncPlan) -> dict[str, str]:
    return {action.path: action.kind for action in plan.actions}


TRANSFER = {"download": "fetch", "upload": "send"}
TRANSFERRED = {"download": "downloaded", "upload": "deployed"}


async def test_empty_destination_becomes_like_the_source(ends, session):
    """Every file is transferred under its own name."""
    ends.give(TREE)
    report = await aioartifact.sync(ends.source, ends.destination, session=session)
    assert ends.result() == TREE
    assert {outcome.status for outcome in report} == {TRANSFERRED[ends.direction]}
    assert len(report) == len(TREE)


async def test_destination_that_does_not_exist_is_made(ends, server, session, tmp_path):
    """Neither a local folder nor one of a server need be there."""
    ends.give(TREE)
    fresh = tmp_path / "new/folder" if ends.direction == "download" else f"{server.url}/generic-local/new/folder"
    plan = await aioartifact.plan_sync(ends.source, fresh, delete=True, session=session)
    await aioartifact.run_sync(plan, session=session)
    again = await aioartifact.plan_sync(ends.source, fresh, delete=True, session=session)
    assert again.changes == ()
    assert len(again.of("keep")) == len(TREE)


async def test_plan_tells_all_and_changes_nothing(ends, server, session):
    """Kinds, sizes and bytes are known before anything moves; nothing is written anywhere."""
    ends.give({"a.bin": b"same", "new.bin": CREATE, "one": REPLACE, "moved/new.bin": b"moved content"})
    ends.have({"a.bin": b"same", "one": b"before", "old.bin": b"moved content", "two": b"not at the source"})
    before = ends.result()
    server.clear_log()
    plan = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    transfer = TRANSFER[ends.direction]
    assert kinds(plan) == {
        "a.bin": "keep",
        "moved/new.bin": "rename",
        "new.bin": transfer,
        "one": transfer,
        "two": "delete",
    }
    assert plan.direction == ends.direction
    assert plan.is_complete
    assert plan.method == "file-list"
    assert plan.bytes_to_transfer == len(CREATE) + len(REPLACE)
    assert ends.result() == before
    assert len(server.requests) == 1


async def test_run_does_what_the_plan_says(ends, session):
    """Afterwards the destination has what the source has, and the report has the result of each path."""
    files = {"a.bin": b"same", "new.bin": CREATE, "one": REPLACE, "moved/new.bin": b"moved content"}
    ends.give(files)
    ends.have({"a.bin": b"same", "one": b"before", "sub/old.bin": b"moved content", "two": b"not at the source"})
    plan = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    report = await aioartifact.run_sync(plan, session=session)
    assert ends.result() == files
    assert len(report.unchanged) == len(report.renamed) == len(report.deleted) == 1
    assert len(report.downloaded + report.deployed) == 2
    again = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    assert again.changes == ()


async def test_nothing_is_deleted_unless_asked(ends, session):
    """What the source does not have stays, and is no part of the plan; content that moved is copied."""
    ends.give({"new.bin": b"moved content"})
    ends.have({"old.bin": b"moved content", "two": b"not at the source"})
    report = await aioartifact.sync(ends.source, ends.destination, session=session)
    assert [outcome.status for outcome in report] == ["copied"]
    assert ends.result() == {
        "new.bin": b"moved content",
        "old.bin": b"moved content",
        "two": b"not at the source",
    }


@pytest.mark.parametrize("delete", [False, True])
async def test_unchanged_tree_costs_the_listing(ends, server, session, delete):
    """One request, and nothing else."""
    ends.give(TREE)
    ends.have(TREE)
    server.clear_log()
    report = await aioartifact.sync(ends.source, ends.destination, delete=delete, session=session)
    assert len(report.unchanged) == len(report) == len(TREE)
    assert len(server.requests) == 1


async def test_manifest_saves_reading(ends, server, session, tmp_path, monkeypatch):
    """With a manifest, local files that still look the same are not read; it may lie in the folder itself."""
    ends.give(TREE)
    manifest = ends.folder / "manifest.db"
    await aioartifact.sync(ends.source, ends.destination, delete=True, manifest=manifest, session=session)
    await aioartifact.sync(ends.source, ends.destination, delete=True, manifest=manifest, session=session)
    monkeypatch.setattr("aioartifact._api.sync_planning.hash_file", _unread)
    server.clear_log()
    report = await aioartifact.sync(ends.source, ends.destination, delete=True, manifest=manifest, session=session)
    assert len(report.unchanged) == len(report) == len(TREE)
    assert len(server.requests) == 1
    assert not server.exists("generic-local/t/manifest.db")


def _unread(path, _):
    raise AssertionError(f"{path} was read")


async def test_same_size_with_other_content_is_transferred(ends, session):
    """Sizes alone decide nothing."""
    ends.give({"a.bin": b"right"})
    ends.have({"a.bin": b"wrong"})
    await aioartifact.sync(ends.source, ends.destination, session=session)
    assert ends.result() == {"a.bin": b"right"}


async def test_patterns_bound_what_is_compared_and_deleted(ends, session):
    """What is not included, or is excluded, is neither transferred nor deleted."""
    ends.give({"d/b.bin": b"1", "a.bin": b"2", "d/e/c# x;y.bin": b"3"})
    ends.have({"one": b"kept", "d/e/c# x;y.bin": b"old"})
    await aioartifact.sync(
        ends.source, ends.destination, delete=True, include="**/*.bin", exclude=["d/e"], session=session
    )
    assert ends.result() == {"one": b"kept", "d/e/c# x;y.bin": b"old", "d/b.bin": b"1", "a.bin": b"2"}


async def test_folders_emptied_by_deletions_go(server, session, url, folder):
    """Local folders that a deletion or a rename leaves empty are removed; others, and the root, stay."""
    server.put("generic-local/t/kept/a", b"moved")
    write(folder, {"kept/old": b"x", "gone/deep/er/b": b"y", "from/here": b"moved"})
    (folder / "was-empty").mkdir()
    await aioartifact.sync(url, folder, delete=True, session=session)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == ["kept", "kept/a", "was-empty"]
    server.put("generic-local/u/x", b"1")
    await aioartifact.sync(f"{server.url}/generic-local/u", folder, delete=True, session=session)
    assert contents(folder) == {"x": b"1"}


async def test_staging_files_are_no_content(server, session, url, folder):
    """Parts of transfers that are under way are neither sent nor deleted."""
    part = ".big.bin.0123456789abcdef.part"
    write(folder, {part: b"half", "a": b"1"})
    await aioartifact.sync(folder, url, session=session)
    assert not server.exists(f"generic-local/t/{part}")
    server.put("generic-local/u/b", b"2")
    await aioartifact.sync(f"{server.url}/generic-local/u", folder, delete=True, session=session)
    assert contents(folder) == {part: b"half", "b": b"2"}


# What goes wrong.


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault.status(500), id="server-error"),
        pytest.param(Fault.status(403), id="forbidden"),
        pytest.param(Fault.reset(), id="cut"),
    ],
)
async def test_failed_transfer_keeps_what_would_be_deleted(ends, server, session, fault):
    """One failure is enough: nothing is renamed or deleted, the old file is as it was, the others are done."""
    ends.give({"new.bin": CREATE, "one": REPLACE, "moved/new.bin": b"moved content"})
    ends.have({"one": b"before", "sub/old.bin": b"moved content", "two": b"not at the source"})
    method = "GET" if ends.direction == "download" else "PUT"
    server.fail(method, "generic-local/t/one", times=None, fault=fault)
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.sync(ends.source, ends.destination, delete=True, session=session)
    assert [Path(outcome.path).name for outcome in caught.value.report.failed] == ["one"]
    assert ends.result() == {
        "new.bin": CREATE,
        "one": b"before",
        "sub/old.bin": b"moved content",
        "two": b"not at the source",
    }
    server.clear_faults()
    await aioartifact.sync(ends.source, ends.destination, delete=True, session=session)
    assert ends.result() == {"new.bin": CREATE, "one": REPLACE, "moved/new.bin": b"moved content"}


async def test_stop_at_the_first_failure_deletes_nothing(ends, server, session):
    """on_error='stop' ends a sync before anything is taken away."""
    ends.give({"one": REPLACE})
    ends.have({"two": b"not at the source"})
    server.fail("GET" if ends.direction == "download" else "PUT", "generic-local/t/one", fault=Fault.status(403))
    with pytest.raises(aioartifact.BatchError):
        await aioartifact.sync(ends.source, ends.destination, delete=True, on_error="stop", session=session)
    assert ends.result() == {"two": b"not at the source"}


async def test_stop_leaves_no_generator_to_the_garbage_collector(ends, server, session):
    """Left to it, a generator would run its last lines in a task of the event loop's, at any time."""
    ends.give({f"{number}.bin": REPLACE + bytes([number]) for number in range(64)})
    server.fail("GET" if ends.direction == "download" else "PUT", "generic-local/t/*", fault=Fault.status(403))
    hooks, collected = sys.get_asyncgen_hooks(), []
    sys.set_asyncgen_hooks(hooks.firstiter, collected.append)
    try:
        with pytest.raises(aioartifact.BatchError):
            await aioartifact.sync(ends.source, ends.destination, on_error="stop", max_concurrency=1, session=session)
        gc.collect()
    finally:
        sys.set_asyncgen_hooks(*hooks)
    assert collected == []


async def test_failures_are_collected_on_request(ends, server, session):
    """on_error='collect' returns the failure in the report, and deletes nothing either."""
    ends.give({"one": REPLACE, "new.bin": CREATE})
    ends.have({"two": b"not at the source"})
    server.fail("GET" if ends.direction == "download" else "PUT", "generic-local/t/one", fault=Fault.status(403))
    report = await aioartifact.sync(ends.source, ends.destination, delete=True, on_error="collect", session=session)
    assert [type(outcome.error) for outcome in report.failed] == [aioartifact.ForbiddenError]
    assert ends.result() == {"two": b"not at the source", "new.bin": CREATE}


async def test_cancelled_sync_deletes_nothing(ends, server, session):
    """A sync that is cancelled in a transfer leaves old files as they were, and no part behind."""
    ends.give({"one": REPLACE})
    ends.have({"one": b"before", "two": b"not at the source"})
    method = "GET" if ends.direction == "download" else "PUT"
    held = server.fail(method, "generic-local/t/one", fault=Fault.hold())
    task = asyncio.create_task(aioartifact.sync(ends.source, ends.destination, delete=True, session=session))
    with anyio.fail_after(30):
        await held.reached()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ends.result() == {"one": b"before", "two": b"not at the source"}


async def test_empty_folder_of_the_server_creates_a_local_one(server, session, url, tmp_path):
    """The plan shows it and creates nothing, in memory or from JSON; the sync does, once."""
    server.make_folder("generic-local/t/a")
    plan = await aioartifact.plan_sync(url, tmp_path / "new", session=session)
    assert f"create folder {tmp_path / 'new'}" in str(plan)
    assert not (tmp_path / "new").exists()
    restored = SyncPlan.from_json(plan.to_json())
    assert restored == plan
    assert len(await aioartifact.run_sync(restored, session=session)) == 0
    assert list((tmp_path / "new").iterdir()) == []
    assert "create folder" not in str(await aioartifact.plan_sync(url, tmp_path / "new", session=session))
    await aioartifact.sync(url, tmp_path / "other/new", delete=True, session=session)
    assert list((tmp_path / "other/new").iterdir()) == []


async def test_what_creates_no_folder(server, session, url, folder, tmp_path):
    """Patterns that match nothing, an empty local folder, and an empty folder of the server where one is here."""
    server.put("generic-local/t/a", b"1")
    plan = await aioartifact.plan_sync(url, tmp_path / "new", include="*.none", session=session)
    assert not plan.creates_folder
    await aioartifact.run_sync(plan, session=session)
    assert not (tmp_path / "new").exists()
    folder.mkdir()
    plan = await aioartifact.plan_sync(folder, f"{url}/up", session=session)
    assert not plan.creates_folder
    await aioartifact.run_sync(plan, session=session)
    assert not server.exists("generic-local/t/up")
    server.make_folder("generic-local/t/down")
    write(folder, {"mine": b"1"})
    plan = await aioartifact.plan_sync(f"{url}/down", folder, session=session)
    assert not plan.creates_folder
    await aioartifact.run_sync(plan, session=session)
    assert contents(folder) == {"mine": b"1"}


@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
async def test_name_that_no_url_of_a_user_may_contain(server, session, url, folder):
    """A server holds it, a local folder can, and it keeps no other file from being transferred."""
    content = {"a\nb": b"1", "c": b"2"}
    for name, data in content.items():
        server.put(f"generic-local/t/{name}", data)
    await aioartifact.sync(url, folder, session=session)
    assert contents(folder) == content


async def test_missing_source_is_not_an_empty_one(server, session, url, folder):
    """A source that is not there raises: deleting everything would be the worst of answers."""
    write(folder, {"a": b"1"})
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.sync(url, folder, delete=True, session=session)
    assert contents(folder) == {"a": b"1"}
    server.put("generic-local/t/a", b"1")
    with pytest.raises(aioartifact.LocalNotFoundError):
        await aioartifact.sync(folder / "none", url, delete=True, session=session)
    assert server.exists("generic-local/t/a")


@pytest.mark.parametrize("status", [401, 500])
async def test_refused_listing_deletes_nothing(ends, server, session, status):
    """No listing, no plan."""
    ends.give({"new.bin": CREATE})
    ends.have({"two": b"not at the source"})
    server.fail("*", "api/**", times=None, fault=Fault.status(status))
    with pytest.raises(aioartifact.ResponseError):
        await aioartifact.sync(ends.source, ends.destination, delete=True, session=session)
    assert ends.result() == {"two": b"not at the source"}


async def test_incomplete_listing_deletes_nothing(ends, session):
    """A plan that rests on half a listing is not run if it takes anything away."""
    ends.give({"new.bin": CREATE})
    ends.have({"two": b"not at the source"})
    plan = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    with pytest.raises(aioartifact.IncompleteListingError, match="make a new plan"):
        aioartifact.run_sync(replace(plan, is_complete=False), session=session)
    assert ends.result() == {"two": b"not at the source"}


async def test_listing_that_breaks_off_makes_no_plan(ends, server, session, monkeypatch):
    """A listing that no other way can go on with raises; nothing is deleted by what it had."""
    monkeypatch.setattr("aioartifact._listing.methods._MOST_SEEN", 0)
    server.fail("GET", "api/storage/**", times=None, fault=Fault.status(400))
    server.fail("POST", "api/search/aql", times=None, fault=Fault.truncate(after=700))
    for path in TREE:
        server.put(f"generic-local/t/{path}", b"1")
    write(ends.folder, {"two": b"not on the server"})
    with pytest.raises(aioartifact.ArtifactoryError):
        await aioartifact.sync(ends.source, ends.destination, delete=True, session=session)
    assert contents(ends.folder) == {"two": b"not on the server"}
    assert ends.remote_contents() == dict.fromkeys(TREE, b"1")


async def test_changes_since_the_plan_are_left_alone(ends, session):
    """A file that was changed or created at the destination after the plan is not replaced, renamed or deleted."""
    ends.give({"new.bin": CREATE, "one": REPLACE, "moved/new.bin": b"moved content"})
    ends.have({"one": b"before", "old.bin": b"moved content", "two": b"not at the source"})
    plan = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    ends.have({"one": b"theirs, later", "new.bin": b"theirs, too"})
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.run_sync(plan, session=session)
    assert {type(error) for error in caught.value.exceptions} == {aioartifact.ChangedError}
    assert len(caught.value.exceptions) == 2
    assert ends.result() == {
        "one": b"theirs, later",
        "new.bin": b"theirs, too",
        "old.bin": b"moved content",
        "two": b"not at the source",
    }


@pytest.mark.parametrize("path", ["old.bin", "two"])
async def test_what_changed_since_the_plan_is_not_taken_away(ends, session, path):
    """Of a file that is to be renamed or deleted, another content is left alone."""
    ends.give({"moved/new.bin": b"moved content"})
    ends.have({"old.bin": b"moved content", "two": b"not at the source"})
    plan = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    ends.have({path: b"theirs, much later"})
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.run_sync(plan, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.ChangedError]
    assert ends.result()[path] == b"theirs, much later"


@pytest.mark.parametrize("path", ["old.bin", "two"])
async def test_what_the_source_has_again_is_not_taken_away(ends, session, path):
    """The plan saw that the source did not have it; now it does."""
    ends.give({"moved/new.bin": b"moved content"})
    ends.have({"old.bin": b"moved content", "two": b"not at the source"})
    before = ends.result()
    plan = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    ends.give({path: b"here again"})
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.run_sync(plan, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.ChangedError]
    assert ends.result()[path] == before[path]


async def test_what_is_gone_already_is_deleted(ends, server, session):
    """Another client deleted it: that is what was wanted."""
    ends.give({"a.bin": b"1"})
    ends.have({"two": b"not at the source"})
    plan = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    if ends.direction == "download":
        (ends.folder / "two").unlink()
    else:
        await aioartifact.delete(f"{ends.remote}/two", session=session)
    report = await aioartifact.run_sync(plan, session=session)
    assert len(report.deleted) == 1
    assert ends.result() == {"a.bin": b"1"}


async def test_source_that_changed_since_the_plan_is_not_sent(server, session, url, folder):
    """A local file that is another one now fails: the plan knows nothing of it."""
    write(folder, {"a": b"1"})
    server.put("generic-local/t/b", b"2")
    plan = await aioartifact.plan_sync(folder, url, delete=True, session=session)
    write(folder, {"a": b"longer"})
    with pytest.raises(aioartifact.BatchError, match="another one than before"):
        await aioartifact.run_sync(plan, session=session)
    assert not server.exists("generic-local/t/a")
    assert server.exists("generic-local/t/b")


async def test_copy_of_a_file_that_changed_secretly_writes_nothing(server, session, url, folder):
    """The bytes of a local copy are checked as they are read, whatever the file looks like."""
    write(folder, {"old": b"content"})
    server.put("generic-local/t/new", b"content")
    plan = await aioartifact.plan_sync(url, folder, session=session)
    look = (folder / "old").stat()
    (folder / "old").write_bytes(b"CONTENT")
    os.utime(folder / "old", ns=(look.st_atime_ns, look.st_mtime_ns))
    with pytest.raises(aioartifact.BatchError, match="another content"):
        await aioartifact.run_sync(plan, session=session)
    assert contents(folder) == {"old": b"CONTENT"}


# What a file system can get in the way of.


@pytest.mark.parametrize(
    ("there", "wanted", "reason"),
    [
        pytest.param("d", "d/b.bin", "a file is in the way: d", id="file-for-folder"),
        pytest.param("d/b.bin", "d", "a folder of this name is in the way", id="folder-for-file"),
    ],
)
async def test_file_and_folder_of_one_name_are_a_conflict(server, session, folder, url, there, wanted, reason):
    """Neither gives way to the other; the rest is done, and nothing is deleted."""
    server.put(f"generic-local/t/{wanted}", b"1")
    server.put("generic-local/t/other", b"2")
    write(folder, {there: b"old", "extra": b"3"})
    plan = await aioartifact.plan_sync(url, folder, delete=True, session=session)
    assert [(action.path, action.reason) for action in plan.of("conflict")] == [(wanted, reason)]
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.run_sync(plan, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.AlreadyExistsError]
    assert contents(folder) == {there: b"old", "extra": b"3", "other": b"2"}


async def test_file_in_the_place_of_a_folder_on_the_server(server, session, folder, url):
    """The same in the other direction."""
    write(folder, {"d/b.bin": b"1"})
    server.put("generic-local/t/d", b"old")
    plan = await aioartifact.plan_sync(folder, url, delete=True, session=session)
    assert kinds(plan) == {"d/b.bin": "conflict", "d": "delete"}
    with pytest.raises(aioartifact.BatchError, match="in the way"):
        await aioartifact.run_sync(plan, session=session)
    assert server.read("generic-local/t/d") == b"old"


@pytest.fixture
def outside(tmp_path):
    write(tmp_path / "outside", {"x": b"precious"})
    return tmp_path / "outside"


async def test_links_at_the_destination_are_left_alone(server, session, folder, url, outside):
    """A link is neither deleted nor replaced; a file wanted behind one to a folder or to nothing is a conflict."""
    folder.mkdir()
    (folder / "linked").symlink_to(outside)
    (folder / "file").symlink_to(outside / "none")
    (folder / "extra").symlink_to(outside / "x")
    server.put("generic-local/t/linked/y", b"1")
    server.put("generic-local/t/file", b"2")
    plan = await aioartifact.plan_sync(url, folder, delete=True, session=session)
    assert kinds(plan) == {"linked/y": "conflict", "file": "conflict"}
    with pytest.raises(aioartifact.BatchError):
        await aioartifact.run_sync(plan, session=session)
    assert contents(outside) == {"x": b"precious"}
    assert {path.name for path in folder.iterdir() if path.is_symlink()} == {"linked", "file", "extra"}


async def test_folder_that_became_a_link_is_not_deleted_from(server, session, folder, url, outside):
    """A folder that was replaced by a link after the plan: what is behind it is not part of this tree."""
    server.put("generic-local/t/a", b"1")
    write(folder, {"sub/x": b"precious", "a": b"1"})
    plan = await aioartifact.plan_sync(url, folder, delete=True, session=session)
    (folder / "sub").rename(outside / "sub")
    (folder / "sub").symlink_to(outside / "sub")
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.run_sync(plan, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.UnsafePathError]
    assert (outside / "sub/x").read_bytes() == b"precious"


async def test_local_name_that_no_server_can_hold_is_deleted(server, session, folder, url):
    """The source has no file of such a name: it goes like any other that is not there."""
    server.put("generic-local/t/a", b"1")
    write(folder, {"a": b"1", "two\nlines": b"2"})
    report = await aioartifact.sync(url, folder, delete=True, session=session)
    assert [outcome.path for outcome in report.deleted] == [str(folder / "two\nlines")]
    assert contents(folder) == {"a": b"1"}


async def test_links_at_the_source_are_followed(server, session, folder, url, outside):
    """As deploy_folder() does; a link that leads nowhere is a conflict, and the others are sent."""
    write(folder, {"a": b"1"})
    (folder / "linked").symlink_to(outside)
    await aioartifact.sync(folder, url, session=session)
    assert server.read("generic-local/t/linked/x") == b"precious"
    (folder / "nowhere").symlink_to(folder / "none")
    with pytest.raises(aioartifact.BatchError, match="no regular file"):
        await aioartifact.sync(folder, url, session=session)


async def test_source_behind_a_link_that_leads_nowhere_is_not_taken_for_deleted(server, session, folder, url, outside):
    """A linked disk that is not there now: what the server has of it stays, though patterns do not mean the link."""
    folder.mkdir()
    (folder / "d").symlink_to(outside)
    write(folder, {"a.bin": b"1", "d/e/x.bin": b"precious"})
    await aioartifact.sync(folder, url, include="**/*.bin", session=session)
    outside.rename(outside.with_name("unplugged"))
    with pytest.raises(aioartifact.BatchError, match="leads nowhere"):
        await aioartifact.sync(folder, url, include="**/*.bin", delete=True, session=session)
    assert server.exists("generic-local/t/d/e/x.bin")
    (folder / "d").unlink()
    await aioartifact.sync(folder, url, include="**/*.bin", delete=True, session=session)
    assert not server.exists("generic-local/t/d/e/x.bin")


async def test_names_that_the_disk_takes_for_one_are_a_conflict(server, session, folder, url, monkeypatch):
    """On a disk that ignores case, one of two twins has no place; a file in another spelling is the file."""
    monkeypatch.setattr("aioartifact._api.sync_planning.folds_names", lambda _: True)
    server.put("generic-local/t/A.bin", b"1")
    server.put("generic-local/t/a.bin", b"2")
    server.put("generic-local/t/Same", b"3")
    write(folder, {"same": b"3"})
    plan = await aioartifact.plan_sync(url, folder, delete=True, session=session)
    assert plan.of("delete") == ()
    assert [action.path for action in plan.of("keep")] == ["Same"]
    assert {len(plan.of("fetch")), len(plan.of("conflict"))} == {1}
    assert "the file system treats it as" in plan.of("conflict")[0].reason


async def test_names_that_differ_in_case_are_two_where_the_disk_tells_them_apart(server, session, folder, url):
    """Here they are, so both are fetched."""
    server.put("generic-local/t/A.bin", b"1")
    server.put("generic-local/t/a.bin", b"2")
    await aioartifact.sync(url, folder, delete=True, session=session)
    assert contents(folder) == {"A.bin": b"1", "a.bin": b"2"}


async def test_name_that_the_server_cannot_hold_is_a_conflict(server, session, folder, url):
    """It is in the plan, and fails with the error of a malformed name."""
    write(folder, {"a\nb": b"1", "c": b"2"})
    plan = await aioartifact.plan_sync(folder, url, session=session)
    assert kinds(plan) == {"a\nb": "conflict", "c": "send"}
    assert "a\nb" not in str(plan)
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.run_sync(plan, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.InvalidURLError]


@pytest.fixture
async def anonymous():
    """A session without credentials, and a server that lets it read: neither File List nor AQL is for it."""
    async with ArtifactoryServer(anonymous=True) as running, aioartifact.session(running.url) as opened:
        running.grant("anonymous", "generic-local")
        yield running, opened


async def test_listing_without_checksums_asks_for_each_file(anonymous, folder):
    """If only folders can be listed, files are requested one by one; the result is the same."""
    server, session = anonymous
    for path, content in TREE.items():
        server.put(f"generic-local/t/{path}", content)
    write(folder, {"a.bin": TREE["a.bin"], "empty": b"not empty", "two": b"not at the source"})
    plan = await aioartifact.plan_sync(f"{server.url}/generic-local/t", folder, delete=True, session=session)
    assert plan.method == "folders"
    assert server.count("GET", "api/storage/**/a.bin") == 1
    assert all(action.source.checksums for action in plan.of("fetch"))
    await aioartifact.run_sync(plan, session=session)
    assert contents(folder) == TREE


async def test_file_that_goes_while_it_is_asked_for_is_not_there(anonymous, folder):
    """Between a listing without checksums and the request for one file, another client may delete it."""
    server, session = anonymous
    for path in ("a", "b"):
        server.put(f"generic-local/t/{path}", b"1")
    server.fail("GET", "api/storage/generic-local/t/a", times=None, fault=Fault.status(404))
    plan = await aioartifact.plan_sync(f"{server.url}/generic-local/t", folder, session=session)
    assert kinds(plan) == {"b": "fetch"}


async def test_refused_copy_on_the_server_keeps_its_origin(server, session, folder, url):
    """A rename there is a deployment by checksum, then a deletion; without the first there is no second."""
    write(folder, {"new": b"moved content"})
    server.put("generic-local/t/old", b"moved content")
    server.fail("PUT", "generic-local/t/new", times=None, fault=Fault.status(403))
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.sync(folder, url, delete=True, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.ForbiddenError]
    assert server.read("generic-local/t/old") == b"moved content"


async def test_rename_on_the_server_sends_no_bytes(server, session, folder, url):
    """Its checksums are enough, however small the file is."""
    write(folder, {"new": b"moved content"})
    server.put("generic-local/t/old", b"moved content")
    plan = await aioartifact.plan_sync(folder, url, delete=True, session=session)
    server.clear_log()
    await aioartifact.run_sync(plan, session=session)
    # The folder's names, the deployment, a look at the old file, and its deletion.
    server.assert_counts({"GET api/storage/**": 2, "PUT generic-local/t/new": 1, "DELETE generic-local/t/old": 1})
    assert [record.bytes_received for record in server.requests if record.method == "PUT"] == [0]


# Arguments.


async def test_plan_runs_later_from_its_json(ends, session):
    """What was written to a file does the same in another run."""
    ends.give(TREE)
    ends.have({"two": b"not at the source"})
    plan = await aioartifact.plan_sync(ends.source, ends.destination, delete=True, session=session)
    restored = SyncPlan.from_json(plan.to_json())
    assert restored == plan
    await aioartifact.run_sync(restored, session=session)
    assert ends.result() == TREE


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "d/../../outside", "a//b", ""])
async def test_paths_of_a_forged_plan_lead_nowhere_else(ends, session, path, tmp_path):
    """A plan may come from a file: nothing outside of its two folders is read, written or deleted."""
    write(tmp_path, {"outside": b"precious"})
    look = (tmp_path / "outside").stat()
    seen = SyncFile(path, look.st_size, Checksums(sha1="0" * 40), look.st_mtime_ns)
    ends.give({"a.bin": b"1"})
    plan = await aioartifact.plan_sync(ends.source, ends.destination, session=session)
    for action in (
        SyncAction("delete", path, target=seen),
        SyncAction("copy", "new.bin", source=seen, origin=seen),
        SyncAction("rename", "new.bin", source=seen, origin=seen),
        SyncAction(TRANSFER[ends.direction], path, source=seen),
    ):
        with pytest.raises((aioartifact.BatchError, aioartifact.InvalidURLError)):
            await aioartifact.run_sync(replace(plan, actions=(action,)), session=session)
    assert (tmp_path / "outside").read_bytes() == b"precious"
    assert ends.result() == {}


async def test_plan_that_contradicts_itself_is_refused(ends, session):
    """What is no plan, or does not fit its direction, is refused before any request."""
    plan = await aioartifact.plan_sync(ends.source, ends.destination, session=session)
    wrong = SyncAction(TRANSFER["upload" if ends.direction == "download" else "download"], "a")
    for forged in (replace(plan, actions=(wrong,)), replace(plan, source=plan.destination)):
        with pytest.raises(aioartifact.InvalidArgumentError, match=r"sync plan|URL"):
            aioartifact.run_sync(forged, session=session)
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected a SyncPlan"):
        aioartifact.run_sync(plan.to_json(), session=session)


@pytest.mark.parametrize("relative", ["here", "", "."])
async def test_plan_for_a_folder_that_depends_on_where_one_is(ends, session, tmp_path, monkeypatch, relative):
    """Run from elsewhere it would change, or send, another folder than was planned for."""
    plan = await aioartifact.plan_sync(ends.source, ends.destination, session=session)
    monkeypatch.chdir(tmp_path)
    end = "destination" if ends.direction == "download" else "source"
    for forged in (replace(plan, **{end: relative}), replace(plan, manifest="manifest")):
        with pytest.raises(aioartifact.InvalidArgumentError, match="not an absolute path"):
            aioartifact.run_sync(SyncPlan.from_json(forged.to_json()), session=session)


async def test_renames_that_empty_each_others_folders(server, session, url, folder, monkeypatch):
    """A folder that one rename leaves empty, and removes, is made again for the other."""
    write(folder, {"d/x": b"one file", "e/y": b"another file"})
    server.put("generic-local/t/e/new", b"one file")
    server.put("generic-local/t/d/new", b"another file")
    real, emptied = os.replace, []

    def late(origin, target):
        # Between the making of the folder and the rename, the other rename has gone by.
        if not emptied and origin.endswith("/x"):
            emptied.append(target)
            real(folder / "e/y", folder / "y")
            (folder / "e").rmdir()
        real(origin, target)

    plan = await aioartifact.plan_sync(url, folder, delete=True, session=session)
    first = replace(plan, actions=tuple(action for action in plan.actions if action.path == "e/new"))
    monkeypatch.setattr(changes.os, "replace", late)
    await aioartifact.run_sync(first, session=session)
    assert emptied
    assert contents(folder) == {"e/new": b"one file", "y": b"another file"}


async def test_progress_counts_what_is_transferred(ends, server, session):
    """Files and bytes that move, and a file that is refused before it does."""
    ends.give({"one": REPLACE, "new.bin": CREATE})
    plan = await aioartifact.plan_sync(ends.source, ends.destination, session=session)
    ends.have({"one": b"theirs"})
    progress = aioartifact.Progress()
    report = await aioartifact.run_sync(plan, on_error="collect", session=session, progress=progress)
    assert len(report.failed) == 1
    counted = progress.snapshot()
    assert (counted.files_done, counted.files_failed, counted.bytes_done) == (1, 1, len(CREATE))


@pytest.mark.parametrize(
    ("source", "destination", "options", "complaint"),
    [
        pytest.param("a", "b", {}, "neither is a URL", id="no-url"),
        pytest.param("https://h/artifactory/r/a", "https://h/artifactory/r/b", {}, "both are a URL", id="two-urls"),
        pytest.param(Path("a"), Path("b"), {}, "neither is a URL", id="two-paths"),
        pytest.param("https://h/artifactory/r/a", "", {}, "destination is empty", id="empty"),
        pytest.param("https://h/artifactory", "a", {}, "names no repository", id="no-repository"),
        pytest.param("https://h/artifactory/r/a", 3, {}, "destination is a int", id="number"),
        pytest.param("https://h/artifactory/r/a", "b", {"include": "/x"}, "pattern", id="pattern"),
        pytest.param("https://h/artifactory/r/a", "b", {"exclude": [3]}, "pattern", id="pattern-kind"),
        pytest.param("https://h/artifactory/r/a", "b", {"manifest": ""}, "manifest is empty", id="manifest"),
    ],
)
async def test_arguments_that_mean_nothing_are_refused(source, destination, options, complaint):
    """Before any request."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=complaint):
        await aioartifact.plan_sync(source, destination, **options)
    with pytest.raises(aioartifact.InvalidArgumentError, match=complaint):
        aioartifact.sync(source, destination, **options)
