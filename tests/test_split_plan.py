"""SyncPlan.split(): parts that run anywhere, and a last plan for what must follow them."""

import asyncio
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aioartifact
from aioartifact import Checksums, InvalidArgumentError, Outcome, Report, SyncAction, SyncFile, SyncPlan

OLD = {"kept": b"kept", "changed": b"before", "d/lost": b"lost", "old-name": b"the same bytes"}
NEW = {"kept": b"kept", "changed": b"afterwards", "new-name": b"the same bytes", "copy": b"kept"}
NEW |= {f"d/{number}.bin": bytes([number]) * 500 * number for number in range(12)}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def fetch(path: str, size: int) -> SyncAction:
    return SyncAction("fetch", path, SyncFile(path, size, Checksums(sha1="0" * 40)))


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(1, 5))
def test_each_transfer_is_in_one_part(sizes, n):
    """About the same bytes in each; the paths stay sorted, and a part can be stored."""
    actions = tuple(fetch(f"{number:02}", size) for number, size in enumerate(sizes))
    plan = SyncPlan("http://h/artifactory/r/t", "/d", "download", actions, manifest="/m", creates_folder=not actions)
    parts, last = plan.split(n)
    assert len(parts) == n
    assert sorted((action for part in parts for action in part.actions), key=lambda each: each.path) == [*actions]
    assert last.actions == ()
    assert (last.creates_folder, {part.creates_folder for part in parts}) == (not actions, {False})
    for part in parts:
        assert list(part.actions) == sorted(part.actions, key=lambda each: each.path)
        assert part.bytes_to_transfer <= sum(sizes) / n + max(sizes, default=0)
        assert SyncPlan.from_json(part.to_json()) == part


@pytest.mark.parametrize("n", [0, -1, True, 1.5, "2"])
def test_bad_number_of_parts(n):
    """An error at the call."""
    with pytest.raises(InvalidArgumentError):
        SyncPlan("http://h/artifactory/r/t", "/d", "download").split(n)


@pytest.mark.parametrize("direction", ["download", "upload"])
async def test_parts_and_the_last_do_what_the_plan_does(server, session, tmp_path, direction):
    """In both directions, with renames, copies, deletions and checksum files."""
    url, files = f"{server.url}/generic-local/t", {**NEW}
    if direction == "upload":
        files |= {"d/5.bin.sha1": b"%s" % (await sha1(server, session, NEW["d/5.bin"])).encode()}
        source, destination = write(tmp_path / "here", files), url
        remote = OLD
    else:
        source, destination = url, write(tmp_path / "here", OLD)
        remote = files
    for path, data in remote.items():
        server.put(f"generic-local/t/{path}", data)
    plan = await aioartifact.plan_sync(source, destination, delete=True, session=session)
    parts, last = plan.split(3)
    assert {action.kind for part in parts for action in part.actions} == {
        "fetch" if direction == "download" else "send"
    }
    reports = await asyncio.gather(
        *(aioartifact.run_sync(SyncPlan.from_json(part.to_json()), session=session) for part in parts)
    )
    report = Report.merged([*pickle.loads(pickle.dumps(reports)), await aioartifact.run_sync(last, session=session)])
    assert len(report) == len(plan.actions)
    assert not report.failed
    after = await aioartifact.plan_sync(source, destination, delete=True, session=session)
    assert after.changes == ()


async def sha1(server, session, data: bytes) -> str:
    server.put("generic-local/other", data)
    return await aioartifact.checksum(f"{server.url}/generic-local/other", "sha1", session=session)


def _run(text: str) -> Report:
    async def run() -> Report:
        return await aioartifact.run_sync(SyncPlan.from_json(text))

    return asyncio.run(run())


@pytest.mark.slow
async def test_parts_run_in_other_processes(server, session, tmp_path, monkeypatch):
    """Each finds the credentials itself; the reports come back."""
    monkeypatch.setenv("JF_URL", server.url)
    monkeypatch.setenv("JF_USER", server.username)
    monkeypatch.setenv("JF_PASSWORD", server.password)
    for path, data in NEW.items():
        server.put(f"generic-local/t/{path}", data)
    plan = await aioartifact.plan_sync(f"{server.url}/generic-local/t", tmp_path / "here", session=session)
    parts, last = plan.split(2)
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        reports = await asyncio.gather(*(loop.run_in_executor(pool, _run, part.to_json()) for part in parts))
    report = Report.merged([*reports, await aioartifact.run_sync(last, session=session)]).raise_for_failures()
    assert contents(tmp_path / "here") == NEW
    assert len(report.downloaded) == len(NEW)


def test_merged_reports():
    """Outcomes of all, one report after the other; the duration is the longest."""
    outcomes = [Outcome(f"http://h/{number}", None, "unchanged") for number in range(3)]
    merged = Report.merged(iter([Report((outcomes[0],), 2.0), Report((outcomes[1], outcomes[2]), 5.0)]))
    assert merged == Report(tuple(outcomes), 5.0)
    assert Report.merged([]) == Report()
