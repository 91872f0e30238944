"""deploy_many() and deploy_folder(): sent once, verified, and not at all where the server has the bytes."""

import asyncio
import hashlib
import itertools
import os
import threading
from pathlib import Path

import pytest

import aioartifact
from aioartifact._files import read_source
from aioartifact._files import source as upload_source
from aioartifact._threads import run
from aioartifact._transfer.send import file_upload
from aioartifact._transfer.send.file_upload import _Body
from aioartifact.testing import Fault

BIG = os.urandom(300_000)


@pytest.fixture
def tree(tmp_path):
    """Forty files on three levels, hostile names and an empty file among them."""
    contents = {f"d{n % 3}/sub/f{n}.bin": os.urandom(n * 100) for n in range(36)}
    contents |= {"c# x;y.bin": b"1", "100%/ü+.bin": b"2", "%41/[x]": b"3", "a.b/c": b"4"}
    folder = tmp_path / "tree"
    for path, content in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


@pytest.fixture
def url(server):
    return f"{server.url}/generic-local/t"


def contents(folder) -> dict[str, bytes]:
    folder = Path(folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stored(server, paths) -> dict[str, bytes]:
    return {path: server.read(f"generic-local/t/{path}") for path in paths}


async def test_tree_arrives_whole(server, session, tree, url):
    """Every file gets its own name below the target: one request for the listing, one per file."""
    report = await aioartifact.deploy_folder(tree, url, session=session)
    expected = contents(tree)
    assert stored(server, expected) == expected
    assert len(report.deployed) == len(report) == len(expected)
    assert server.count("PUT", "generic-local/**") == len(expected)
    assert len(server.requests) == 1 + len(expected)


async def test_tree_and_back(session, tree, url, tmp_path):
    """What went up comes down under the same names."""
    await aioartifact.deploy_folder(tree, url, session=session)
    await aioartifact.download_folder(url, tmp_path / "back", session=session)
    assert contents(tmp_path / "back") == contents(tree)


async def test_second_run_sends_what_changed(server, session, tree, url):
    """Files the server has with the same content cost nothing beyond the listing."""
    await aioartifact.deploy_folder(tree, url, session=session)
    (tree / "d0/sub/f3.bin").write_bytes(b"changed")
    (tree / "new.bin").write_bytes(b"new")
    server.clear_log()
    report = await aioartifact.deploy_folder(tree, url, session=session)
    assert sorted(Path(outcome.path).name for outcome in report.deployed) == ["f3.bin", "new.bin"]
    assert len(report.unchanged) == len(report) - 2
    assert len(server.requests) == 1 + 2
    assert server.read("generic-local/t/d0/sub/f3.bin") == b"changed"


async def test_first_run_without_listing_asks_once_per_folder(server, session, tree, url):
    """Files given one by one: a folder that is not there yet answers for all of its files."""
    items = [(path, path.relative_to(tree).as_posix()) for path in tree.rglob("*") if path.is_file()]
    await aioartifact.deploy_many(items, url, session=session)
    assert stored(server, contents(tree)) == contents(tree)
    folders = {Path(relative).parent for _, relative in items}
    assert server.count("GET", "api/storage/**") == len(folders)
    assert server.count("PUT", "generic-local/**") == len(items)


async def test_second_run_without_listing_asks_for_each_file(server, session, tree, url):
    """Then only the files that are there are looked at, and one that changed is sent."""
    names = [f"d0/sub/f{n}.bin" for n in (3, 6, 9)]
    items = [(tree / name, name) for name in names]
    await aioartifact.deploy_many(items, url, session=session)
    (tree / names[1]).write_bytes(b"changed")
    server.clear_log()
    report = await aioartifact.deploy_many(items, url, session=session)
    assert [Path(outcome.path).name for outcome in report.deployed] == ["f6.bin"]
    server.assert_counts({"GET api/storage/**": 1 + 3, "PUT generic-local/**": 1})


async def test_never_keeps_what_is_there(server, session, tree, url):
    """overwrite='never' asks once per folder and reads no file that is there; the others are sent."""
    server.put("generic-local/t/d0/sub/f3.bin", b"theirs")
    (tree / "d0/sub/f3.bin").chmod(0)
    report = await aioartifact.deploy_many(
        [(tree / f"d0/sub/f{n}.bin", f"d0/sub/f{n}.bin") for n in (3, 6)], url, overwrite="never", session=session
    )
    assert {Path(outcome.path).name: outcome.status for outcome in report} == {
        "f3.bin": "unchanged",
        "f6.bin": "deployed",
    }
    assert server.read("generic-local/t/d0/sub/f3.bin") == b"theirs"
    server.assert_counts({"GET api/storage/**": 1, "PUT generic-local/**": 1})


async def test_always_asks_nothing(server, session, tree, url):
    """overwrite='always' costs one request per file."""
    for _ in range(2):
        server.clear_log()
        report = await aioartifact.deploy_folder(tree, url, overwrite="always", session=session)
        assert len(server.requests) == len(report.deployed) == len(report)


async def test_pairs_paths_and_whole_urls(server, session, tree, url):
    """An item keeps its name, takes another below the target, or has an address of its own."""
    local = tree / "d0/sub/f3.bin"

    async def items():
        yield local
        yield str(local), "deep/er/ö#.bin"
        yield local, f"{server.url}/generic-local/else/where%23.bin"

    report = await aioartifact.deploy_many(items(), url, session=session)
    content = local.read_bytes()
    assert {outcome.url for outcome in report} == {
        f"{url}/f3.bin",
        f"{url}/deep/er/%C3%B6%23.bin",
        f"{server.url}/generic-local/else/where%23.bin",
    }
    for path in ("t/f3.bin", "t/deep/er/ö#.bin", "else/where#.bin"):
        assert server.read(f"generic-local/{path}") == content


async def test_properties_go_to_every_file(server, session, tree, url):
    """One set of properties for all."""
    await aioartifact.deploy_folder(tree, url, parameters={"build": ["7", "8"]}, session=session)
    assert all(sorted(server.properties(f"generic-local/t/{path}")["build"]) == ["7", "8"] for path in contents(tree))


@pytest.fixture
def big(tmp_path):
    path = tmp_path / "big.bin"
    path.write_bytes(BIG)
    return path


@pytest.mark.parametrize("many", [False, True], ids=["deploy", "deploy_many"])
async def test_bytes_the_server_has_are_not_sent(server, session, big, url, many):
    """A large file is offered by its checksums; the server makes the file of what it has under another name."""
    server.put("generic-local/other/name.bin", BIG)
    progress = aioartifact.Progress()
    options = {"min_checksum_deploy": 1000, "parameters": {"a": "b"}, "session": session, "progress": progress}
    if many:
        await aioartifact.deploy_many([big], url, overwrite="always", **options)
    else:
        await aioartifact.deploy(big, f"{url}/big.bin", **options)
    assert server.read("generic-local/t/big.bin") == BIG
    assert server.properties("generic-local/t/big.bin")["a"] == ["b"]
    assert [request.bytes_received for request in server.requests] == [0]
    seen = progress.snapshot()
    assert (seen.files_done, seen.files_total, seen.bytes_done, seen.bytes_total) == (1, 1, 0, 0)


@pytest.mark.parametrize("status", [404, 400], ids=["unknown-bytes", "no-such-feature"])
async def test_bytes_the_server_lacks_are_sent(server, session, big, url, status):
    """An offer that is not taken costs one small request, and then the file goes up with all its attempts."""
    if status == 400:
        server.fail("PUT", "generic-local/**", times=1, fault=Fault.status(400))
    await aioartifact.deploy(big, f"{url}/big.bin", min_checksum_deploy=1000, session=session)
    assert [(request.method, request.status) for request in server.requests] == [("PUT", status), ("PUT", 201)]
    assert server.read("generic-local/t/big.bin") == BIG


@pytest.mark.parametrize(("size", "least"), [(999, 1000), (0, 1), (5000, None)])
async def test_small_files_are_sent_at_once(server, session, tmp_path, url, size, least):
    """A question that costs as much as its answer is not asked."""
    (tmp_path / "small").write_bytes(bytes(size))
    await aioartifact.deploy(tmp_path / "small", f"{url}/small", min_checksum_deploy=least, session=session)
    server.assert_requests(["PUT generic-local/t/small"])


async def test_given_checksums_are_not_offered(server, session, big, url):
    """A wrong checksum that is some other file's must not make a file of that."""
    server.put("generic-local/other.bin", b"other")
    other = server.checksums("generic-local/other.bin")
    with pytest.raises(aioartifact.ConflictError):
        await aioartifact.deploy(big, f"{url}/big.bin", sha256=other["sha256"], min_checksum_deploy=1, session=session)
    assert not server.exists("generic-local/t/big.bin")


async def test_refused_offer_ends_the_deploy(server, big, url):
    """Without deploy permission, the error is raised before the bytes are sent."""
    server.add_user("reader", password="secret")
    server.grant("reader", "generic-local", "r")
    server.put("generic-local/other/name.bin", BIG)
    async with aioartifact.session(server.url, auth=("reader", "secret")) as session:
        with pytest.raises(aioartifact.ForbiddenError):
            await aioartifact.deploy(big, f"{url}/big.bin", min_checksum_deploy=1000, session=session)
    assert [request.bytes_received for request in server.requests] == [0]


async def test_user_who_may_not_read(server, tree, url):
    """Who may deploy but not look deploys everything; 'never' cannot be kept and says so."""
    server.add_user("ci", password="secret")
    server.grant("ci", "generic-local", "w")
    async with aioartifact.session(server.url, auth=("ci", "secret")) as session:
        report = await aioartifact.deploy_folder(tree, url, session=session)
        assert len(report.deployed) == len(report)
        refused = await aioartifact.deploy_folder(tree, url, overwrite="never", on_error="collect", session=session)
    assert {type(outcome.error) for outcome in refused} == {aioartifact.ForbiddenError}


async def test_one_bad_file_does_not_hide_the_others(server, session, tree, url):
    """The rest is finished, then one error with all failures and the whole report is raised."""
    server.fail("PUT", "generic-local/t/d0/sub/f3.bin", times=None, fault=Fault.status(409))
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.deploy_folder(tree, url, session=session)
    report = caught.value.report
    assert [type(outcome.error) for outcome in report.failed] == [aioartifact.ConflictError]
    assert len(report.deployed) == len(report) - 1
    assert not server.exists("generic-local/t/d0/sub/f3.bin")


async def test_stop_at_the_first_failure(server, session, tree, url):
    """on_error='stop' cancels what is left."""
    server.fail("PUT", "generic-local/**", times=None, fault=Fault.status(409))
    with pytest.raises(aioartifact.BatchError):
        await aioartifact.deploy_folder(tree, url, on_error="stop", max_concurrency=1, session=session)
    assert server.count("PUT", "generic-local/**") < 10


async def test_outcomes_as_they_finish(server, session, tree, url):
    """The other face: outcomes one by one; leaving the block cancels the rest."""
    async with aioartifact.deploy_folder(tree, url, max_concurrency=2, session=session) as outcomes:
        async for outcome in outcomes:
            assert outcome.status == "deployed"
            break
    assert 0 < server.count("PUT", "generic-local/**") < len(contents(tree))


@pytest.mark.parametrize(
    "fault",
    [Fault.status(503), Fault.reset(), Fault.reset(after=1000), Fault.retry_after(429, "0")],
    ids=["503", "reset", "reset-in-the-answer", "429"],
)
async def test_passing_trouble_adds_up(server, session, tree, url, fault):
    """An upload that broke is sent again from its first byte, and the progress is right at the end."""
    for number in range(1, 36, 7):  # not five times the next one: that might be one file, whose attempts are fewer
        server.fail("PUT", f"generic-local/t/d*/sub/f{number}.bin", fault=fault)
    progress = aioartifact.Progress()
    await aioartifact.deploy_folder(tree, url, session=session, progress=progress)
    expected = contents(tree)
    assert stored(server, expected) == expected
    seen, total = progress.snapshot(), sum(map(len, expected.values()))
    assert (seen.files_done, seen.files_total) == (len(expected), len(expected))
    assert (seen.bytes_done, seen.bytes_total, seen.active) == (total, total, ())


async def test_progress_with_failures_and_kept_files(server, session, tree, url):
    """Bytes of files that failed or were kept leave the total."""
    server.put("generic-local/t/d0/sub/f33.bin", (tree / "d0/sub/f33.bin").read_bytes())
    server.fail("PUT", "generic-local/t/d1/**", times=None, fault=Fault.status(409))
    progress = aioartifact.Progress()
    await aioartifact.deploy_folder(tree, url, on_error="collect", session=session, progress=progress)
    expected = contents(tree)
    sent = sum(len(data) for path, data in expected.items() if not path.startswith("d1") and "f33" not in path)
    seen = progress.snapshot()
    assert (seen.files_done, seen.files_skipped, seen.files_failed) == (len(expected) - 13, 1, 12)
    assert (seen.bytes_done, seen.bytes_total) == (sent, sent)


async def test_links_are_followed(server, session, tmp_path, url):
    """A link to a file is deployed as that file, a link to a folder as that folder, from outside the tree too."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.bin").write_bytes(b"a")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").symlink_to(outside / "a.bin")
    (folder / "below").symlink_to(outside)
    await aioartifact.deploy_folder(folder, url, session=session)
    assert stored(server, ["file", "below/a.bin"]) == {"file": b"a", "below/a.bin": b"a"}


async def test_loop_of_links(server, session, tree, url):
    """A link to a folder above it would never end; nothing is sent."""
    (tree / "d0/sub/up").symlink_to(tree / "d0")
    with pytest.raises(aioartifact.LocalFileError, match="remove the link"):
        await aioartifact.deploy_folder(tree, url, session=session)
    server.assert_requests([])


async def test_what_is_no_file_fails_alone(server, session, tree, url):
    """A pipe is not waited for, and a link that leads nowhere is named; the files are deployed."""
    os.mkfifo(tree / "pipe")
    (tree / "nowhere").symlink_to(tree / "not-there")
    report = await aioartifact.deploy_folder(tree, url, on_error="collect", session=session)
    assert {Path(outcome.path).name: str(outcome.error) for outcome in report.failed}.keys() == {"pipe", "nowhere"}
    assert all(isinstance(outcome.error, aioartifact.LocalFileError) for outcome in report.failed)
    assert len(report.deployed) == len(report) - 2


async def test_name_that_no_url_can_hold(session, tree, url):
    """A file name that is not UTF-8 fails alone."""
    Path(os.fsdecode(os.fsencode(tree) + b"/\xff.bin")).write_bytes(b"x")
    report = await aioartifact.deploy_folder(tree, url, on_error="collect", session=session)
    assert [type(outcome.error) for outcome in report.failed] == [aioartifact.InvalidURLError]


@pytest.mark.parametrize("what", ["missing", "file"])
async def test_folder_that_is_none(server, session, tmp_path, url, what):
    """A folder that is missing, or is a file, is an error before any request."""
    (tmp_path / "file").touch()
    with pytest.raises(aioartifact.LocalFileError, match=what):
        await aioartifact.deploy_folder(tmp_path / what, url, session=session)
    server.assert_requests([])


async def test_empty_folder(server, session, tmp_path, url):
    """Nothing to do is done without a request."""
    (tmp_path / "empty").mkdir()
    assert len(await aioartifact.deploy_folder(tmp_path / "empty", url, session=session)) == 0
    server.assert_requests([])


async def test_two_items_for_one_url(session, tree, url):
    """The second of two items with the same URL is refused instead of racing with the first."""
    report = await aioartifact.deploy_many(
        [tree / "d0/sub/f3.bin", (tree / "d0/sub/f6.bin", "f3.bin")], url, on_error="collect", session=session
    )
    assert len(report.deployed) == 1
    assert isinstance(report.failed[0].error, aioartifact.InvalidArgumentError)


@pytest.mark.parametrize(
    "item",
    [7, None, b"a", ("a",), ("a", 7), (7, "a"), ("a", "b", "c"), ("a", ""), ("a", "../x"), ("a", "/x"), "", "a/"],
)
async def test_item_that_is_none(server, session, url, item):
    """An item that cannot mean anything fails before a request, and ends no other."""
    report = await aioartifact.deploy_many([item], url, on_error="collect", session=session)
    assert isinstance(report.failed[0].error, aioartifact.InvalidArgumentError)
    server.assert_requests([])


@pytest.mark.parametrize(
    "options",
    [
        {"max_concurrency": 0},
        {"on_error": "ignore"},
        {"overwrite": "maybe"},
        {"min_checksum_deploy": 0},
        {"min_checksum_deploy": "1M"},
        {"parameters": [("a", "b")]},
        {"parameters": {"a b": "c"}},
    ],
)
@pytest.mark.parametrize("call", [aioartifact.deploy_many, aioartifact.deploy_folder])
def test_bad_options_are_told_at_the_call(call, options):
    """Options are checked before anything is awaited."""
    with pytest.raises(aioartifact.InvalidArgumentError):
        call([], "https://host/artifactory/r", **options)


@pytest.mark.parametrize("items", ["one.bin", Path("one.bin")])
def test_one_path_is_not_a_list(items):
    """A str is iterable, and never what was meant."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="deploy_folder"):
        aioartifact.deploy_many(items, "https://host/artifactory/r")


@pytest.mark.parametrize(("size", "is_kept"), [(0, True), (1000, True), (2**20, True), (2**20 + 1, False)])
def test_small_source_is_read_once(tmp_path, size, is_kept):
    """Its bytes are sent as they were hashed; a larger file is read again."""
    data = bytes(size)
    (tmp_path / "data").write_bytes(data)
    source = read_source(str(tmp_path / "data"), ("sha1",))
    assert (source.size, source.checksums.sha1) == (size, hashlib.sha1(data).hexdigest() if is_kept else None)
    assert source.content == (data if is_kept else None)


@pytest.mark.parametrize("size", [0, 1, 65_536, 1_000_000, 2_500_000])
async def test_slow_line_is_seen_to_move(tmp_path, size, monkeypatch):
    """A body goes out in parts that take a moment each, from memory and from disk."""
    clock = itertools.count()
    monkeypatch.setattr(file_upload, "monotonic", lambda: float(next(clock)))  # each part takes a second
    data = os.urandom(size)
    (tmp_path / "data").write_bytes(data)
    body = _Body(read_source(str(tmp_path / "data"), ()), aioartifact.Progress())
    parts = [bytes(part) async for part in body.blocks()]
    assert b"".join(parts) == data
    assert all(0 < len(part) <= 64 * 1024 for part in parts)


async def test_fast_line_takes_large_parts(tmp_path, monkeypatch):
    """The parts become larger as long as they take next to no time."""
    monkeypatch.setattr(file_upload, "monotonic", lambda: 0.0)
    (tmp_path / "data").write_bytes(bytes(4 * 2**20))
    body = _Body(read_source(str(tmp_path / "data"), ()), aioartifact.Progress())
    sizes = [len(part) // 1024 async for part in body.blocks()]
    assert sizes == [64, 128, 256, 512, 64, 1024, 1024, 1024]


async def turns_of_the_loop():
    """Let everything run that can; `wait_all_tasks_blocked` may find a task that wakes every 50 ms awake each time."""
    for _ in range(100):
        await asyncio.sleep(0)  # a turn of the loop, not a wait


async def test_cancelled_while_the_disk_is_slow(server, session, tmp_path, url, monkeypatch):
    """After a cancellation, control returns when no part of the deploy reads or writes any more."""
    reading, go_on = threading.Event(), threading.Event()

    async def slow(path):
        yield b"x" * 1000
        reading.set()
        await run(go_on.wait)
        yield b"never sent"

    monkeypatch.setattr(upload_source, "read_blocks", slow)
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(2_000_000))
    before = asyncio.all_tasks()
    deploying = asyncio.create_task(aioartifact.deploy(big, f"{url}/big.bin", session=session))
    await run(reading.wait)
    deploying.cancel()
    await turns_of_the_loop()
    assert not deploying.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await deploying
    ours = [task for task in asyncio.all_tasks() - before if "write_bytes" in str(task)]
    assert ours == []
    assert not server.exists("generic-local/t/big.bin")


async def test_repeated_while_the_disk_is_slow(server, session, tmp_path, url, monkeypatch):
    """A deploy that was refused and sent again ends when nothing of its first pass reads any more."""
    reading, go_on, real = threading.Event(), threading.Event(), upload_source.read_blocks

    async def slow_at_first(path):
        if not reading.is_set():
            reading.set()
            yield b"x" * 1000
            await run(go_on.wait, 60)
        async for block in real(path):
            yield block

    monkeypatch.setattr(upload_source, "read_blocks", slow_at_first)
    server.fail("PUT", "generic-local/t/big.bin", fault=Fault.status(503))
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(2_000_000))
    before = asyncio.all_tasks()
    deploying = asyncio.create_task(aioartifact.deploy(big, f"{url}/big.bin", session=session))
    async with asyncio.timeout(60):
        while not server.exists("generic-local/t/big.bin"):  # noqa: ASYNC110  # a fault that is over signals nothing
            await asyncio.sleep(0)  # a turn of the loop, not a wait
    await turns_of_the_loop()
    assert not deploying.done()
    go_on.set()
    await deploying
    assert [task for task in asyncio.all_tasks() - before if "write_bytes" in str(task)] == []


async def test_deploy_cut_at_any_await_leaves_nothing(server, session, tree, url):
    """A bulk call that is left at once, or after its first outcome, leaves no file that is not whole."""
    for enough in range(3):
        async with aioartifact.deploy_folder(tree, url, session=session) as outcomes:
            for _ in range(enough):
                await anext(outcomes)
    expected = contents(tree)
    assert all(
        server.read(f"generic-local/t/{path}") == content
        for path, content in expected.items()
        if server.exists(f"generic-local/t/{path}")
    )
