"""include= and exclude= of download_folder() and deploy_folder(): the files that walk() and sync() mean by them."""

import random
from pathlib import Path

import pytest

import aioartifact
from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

TREE = {f"d{number % 3}/sub/f{number}.bin": bytes([number]) * number for number in range(1, 25)}
TREE |= {"c# x;y.txt": b"1", "100%/ü+.bin": b"22", "h/[x].txt": b"333", "top.txt": b"4444", ".hidden/a.bin": b"55555"}
BIN = {path for path in TREE if path.endswith(".bin")}
CHOICES = [
    pytest.param({}, set(TREE), id="everything"),
    pytest.param({"include": "**/*.bin"}, BIN, id="include"),
    pytest.param({"include": "*.txt"}, {"c# x;y.txt", "top.txt"}, id="not-below"),
    pytest.param({"include": ["d1/**", "top.*"]}, {p for p in TREE if p.startswith(("d1/", "top"))}, id="several"),
    pytest.param({"exclude": "d0"}, {p for p in TREE if not p.startswith("d0/")}, id="exclude-a-folder"),
    pytest.param({"exclude": ("**/*.bin", "h")}, {"c# x;y.txt", "top.txt"}, id="exclude-several"),
    pytest.param({"include": "**/*.bin", "exclude": "d*"}, BIN - {p for p in BIN if p[0] == "d"}, id="both"),
    pytest.param({"include": "h/[[]x].txt"}, {"h/[x].txt"}, id="hostile-name"),
]
BAD = [
    pytest.param("/x", id="slash"),
    pytest.param("a//b", id="empty-segment"),
    pytest.param("../x", id="dots"),
    pytest.param("", id="empty"),
    pytest.param([""], id="empty-of-several"),
    pytest.param([b"x"], id="bytes"),
    pytest.param(7, id="number"),
    pytest.param(None, id="none"),
]


@pytest.fixture
def url(server):
    for path, content in TREE.items():
        server.put(f"generic-local/t/{path}", content)
    return f"{server.url}/generic-local/t"


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    for path, content in TREE.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def local(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def listed(url: str, session, **patterns) -> set[str]:
    prefix = url.partition("/generic-local/")[2] + "/"
    return {entry.path.removeprefix(prefix) async for entry in aioartifact.walk(url, session=session, **patterns)}


def size_of(paths) -> int:
    return sum(len(TREE[path]) for path in paths)


@pytest.mark.parametrize(("patterns", "chosen"), CHOICES)
async def test_folder_brings_what_is_chosen(server, session, url, tmp_path, patterns, chosen):
    """Those files that walk() shows, for one request more than there are; progress counts no others."""
    assert await listed(url, session, **patterns) == chosen
    server.clear_log()
    progress = aioartifact.Progress()
    report = await aioartifact.download_folder(url, tmp_path, **patterns, session=session, progress=progress)
    assert local(tmp_path) == {path: TREE[path] for path in chosen}
    assert len(report.downloaded) == len(report) == len(chosen)
    assert len(server.requests) == 1 + len(chosen)
    counted = progress.snapshot()
    assert (counted.files_total, counted.files_done) == (len(chosen), len(chosen))
    assert (counted.bytes_total, counted.bytes_done) == (size_of(chosen), size_of(chosen))


@pytest.mark.parametrize(("patterns", "chosen"), CHOICES)
async def test_folder_sends_what_is_chosen(server, session, tree, patterns, chosen):
    """The same files, for a listing where there are more than a few; progress counts no others."""
    url, progress = f"{server.url}/generic-local/up", aioartifact.Progress()
    report = await aioartifact.deploy_folder(tree, url, **patterns, session=session, progress=progress)
    assert len(report.deployed) == len(report) == len(chosen)
    assert server.count("PUT") == len(chosen)
    assert len(server.requests) - len(chosen) <= max(1, len({Path(path).parent for path in chosen}))
    assert await listed(url, session) == chosen
    counted = progress.snapshot()
    assert (counted.files_total, counted.bytes_total) == (len(chosen), size_of(chosen))


@pytest.mark.parametrize(("patterns", "chosen"), CHOICES)
async def test_sync_means_the_same_files(session, url, tree, tmp_path, patterns, chosen):
    """Both ways a plan of sync() is about just these files."""
    down = await aioartifact.plan_sync(url, tmp_path / "new", **patterns, session=session)
    up = await aioartifact.plan_sync(tree, f"{url}-new", **patterns, session=session)
    assert {action.path for action in down.actions} == {action.path for action in up.actions} == chosen


async def test_second_run_costs_the_listing(server, session, url, tree, tmp_path):
    """What is there already is found in one request, as without patterns, either way."""
    patterns = {"include": "**/*.bin", "exclude": "d0"}
    for _ in range(2):
        server.clear_log()
        down = await aioartifact.download_folder(url, tmp_path / "new", **patterns, session=session)
    server.assert_requests(["GET api/storage/generic-local/t"])
    assert len(down.unchanged) == len(down)
    server.clear_log()
    up = await aioartifact.deploy_folder(tree, url, **patterns, session=session)
    server.assert_requests(["GET api/storage/generic-local/t"])
    assert {outcome.status for outcome in up} == {"unchanged"}
    assert len(up) == len(down)


@pytest.mark.parametrize("refused", [0, 1, 2], ids=["file-list", "aql", "folders"])
async def test_ways_of_the_listing_choose_the_same(server, session, url, tmp_path, refused):
    """Each way of listing leads to the same files; folders that are excluded are not asked for."""
    for method, path in [("GET", "api/storage/generic-local/t"), ("POST", "api/search/aql")][:refused]:
        server.fail(method, path, fault=Fault.status(403))
    await aioartifact.download_folder(
        url, tmp_path, include="**/*.bin", exclude=["d0", "*/sub/f?.bin"], session=session
    )
    expected = {
        p for p in BIN if not p.startswith("d0/") and not (p.startswith("d") and len(p) == len("d1/sub/f1.bin"))
    }
    assert set(local(tmp_path)) == expected
    asked = {request.path.rpartition("/")[2] for request in server.requests if "api/storage/" in request.path}
    assert ("d1" in asked) == (refused == 2)
    assert "d0" not in asked


async def test_listing_that_breaks_off_goes_on(server, session, url, tmp_path):
    """What was chosen of the first part of a listing is not listed twice, and nothing is missing."""
    server.fail("GET", "api/storage/generic-local/t", fault=Fault.reset(after=1500))
    report = await aioartifact.download_folder(url, tmp_path, include="**/*.bin", session=session)
    assert set(local(tmp_path)) == BIN
    assert len(report) == len(BIN)


async def test_nothing_that_matches_is_no_error(server, session, url, tree, tmp_path):
    """The report is empty and nothing is made, as by sync(); a folder that does not exist is an error as ever."""
    report = await aioartifact.download_folder(url, tmp_path / "new", include="*.none", session=session)
    assert len(report) == 0
    assert not (tmp_path / "new").exists()
    server.clear_log()
    assert len(await aioartifact.deploy_folder(tree, url, exclude="**", session=session)) == 0
    assert server.requests == []
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.download_folder(f"{url}/none", tmp_path, include="*.none", session=session)
    with pytest.raises(aioartifact.LocalNotFoundError):
        await aioartifact.deploy_folder(tmp_path / "none", url, include="*.none", session=session)


async def test_nothing_that_matches_costs_two_queries(server, session, url, tree, tmp_path):
    """Where AQL lists, it is asked once more whether it knows the folder, and no folder is asked for, either way."""
    server.fail("GET", "api/storage/**", fault=Fault.status(403), times=None)
    assert len(await aioartifact.download_folder(url, tmp_path / "new", include="*.none", session=session)) == 0
    server.assert_requests(["GET api/storage/generic-local/t", *["POST api/search/aql"] * 2])
    server.put("generic-local/up/there.txt", b"something else")
    server.clear_log()
    report = await aioartifact.deploy_folder(
        tree, f"{server.url}/generic-local/up", include="**/*.bin", session=session
    )
    assert len(report.deployed) == len(BIN)
    assert server.count("POST", "api/search/aql") == 2
    assert len(server.requests) == 1 + 2 + len(BIN)


async def test_patterns_are_read_at_the_call(session, url, tmp_path):
    """They may come from an iterator, and a list may be used for something else afterwards."""
    exclude = ["d*"]
    batch = aioartifact.download_folder(url, tmp_path, include=iter(["**/*.bin"]), exclude=exclude, session=session)
    exclude.clear()
    await batch
    assert set(local(tmp_path)) == {"100%/ü+.bin", ".hidden/a.bin"}


@pytest.mark.parametrize("wrong", BAD)
@pytest.mark.parametrize("name", ["include", "exclude"])
async def test_pattern_that_is_none_is_told_at_the_call(server, name, wrong):
    """In the words of sync(), and without a request."""
    url = f"{server.url}/generic-local/t"
    with pytest.raises(aioartifact.InvalidArgumentError) as expected:
        aioartifact.sync(url, "here", **{name: wrong})
    for call in (aioartifact.download_folder, aioartifact.deploy_folder):
        with pytest.raises(aioartifact.InvalidArgumentError) as caught:
            call(*((url, "here") if call is aioartifact.download_folder else ("here", url)), **{name: wrong})
        assert str(caught.value) == str(expected.value)
    assert server.requests == []


async def test_excluded_folder_is_not_looked_into(server, session, tree, tmp_path):
    """A circular link below it causes no failure, for a deploy and for a sync."""
    (tree / "h/up").symlink_to(tree)
    url = f"{server.url}/generic-local/up"
    with pytest.raises(aioartifact.LocalFileError):
        await aioartifact.deploy_folder(tree, url, session=session)
    await aioartifact.deploy_folder(tree, url, exclude="h", session=session)
    assert await listed(url, session) == {path for path in TREE if not path.startswith("h/")}
    report = await aioartifact.sync(tree, url, exclude="**/up", session=session)
    assert {Path(outcome.path).name for outcome in report.deployed} == {"[x].txt"}


async def test_one_bad_file_among_the_chosen(server, session, url, tmp_path):
    """Only failures of chosen files are reported, and the others arrive."""
    server.fail("GET", "generic-local/t/top.txt", times=None, fault=Fault.status(403))
    server.fail("GET", "generic-local/t/d0/**", times=None, fault=Fault.status(403))
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_folder(url, tmp_path, exclude="d0", session=session)
    assert [outcome.url for outcome in caught.value.report.failed] == [f"{url}/top.txt"]
    assert set(local(tmp_path)) == {path for path in TREE if not path.startswith("d0/")} - {"top.txt"}


ARCHIVE = "GET api/archive/download/generic-local/t"


async def test_archive_brings_what_is_chosen(server, session, url, tmp_path):
    """Of an archive, which always has the whole folder, only the chosen files are unpacked; progress counts them."""
    server.enable_folder_download()
    server.put("generic-local/t/d1/noise", random.Random(7).randbytes(4_000_000))
    server.put("generic-local/t/data", random.Random(8).randbytes(5_000_000))
    progress = aioartifact.Progress()
    report = await aioartifact.download_folder(
        url, tmp_path, exclude="d1", archive=True, session=session, progress=progress
    )
    chosen = {path for path in TREE if not path.startswith("d1/")} | {"data"}
    assert set(local(tmp_path)) == chosen
    assert len(report.downloaded) == len(report) == len(chosen)
    server.assert_requests(["GET api/storage/generic-local/t", ARCHIVE])
    assert progress.snapshot().files_total == progress.snapshot().files_done == len(chosen)


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        pytest.param({"include": "d1/**"}, {path for path in TREE if path.startswith("d1/")}, id="few-files"),
        pytest.param({"exclude": "huge"}, set(TREE), id="few-bytes"),
    ],
)
async def test_archive_of_mostly_other_files_is_not_asked_for(server, session, url, tmp_path, patterns, chosen):
    """Where the chosen files are few of the folder's, or have few of its bytes, they come one by one."""
    server.enable_folder_download()
    server.put("generic-local/t/huge", bytes(100_000))
    await aioartifact.download_folder(url, tmp_path, **patterns, archive=True, session=session)
    assert set(local(tmp_path)) == chosen
    assert server.count("GET", "api/archive/**") == 0
    assert len(server.requests) == 1 + len(chosen)


async def test_archive_that_does_not_come_leaves_the_choice(server, session, url, tmp_path):
    """File by file it is the same files."""
    server.fail("GET", "api/archive/**", fault=Fault.status(403))
    report = await aioartifact.download_folder(url, tmp_path, exclude="d1", archive=True, session=session)
    assert set(local(tmp_path)) == {path for path in TREE if not path.startswith("d1/")}
    assert len(report.downloaded) == len(report)
