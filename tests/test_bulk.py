"""download_many() and download_folder(): bounded, verified, and no failure hides another."""

import asyncio
import errno
import json
import os
import tracemalloc
from pathlib import Path

import pytest

import aioartifact
from aioartifact._transfer.many import destination
from aioartifact.testing import Fault


@pytest.fixture
def tree(server):
    """Sixty files on three levels, hostile names among them."""
    contents = {f"t/d{n % 3}/sub/f{n}.bin": os.urandom(n * 100) for n in range(57)}
    contents |= {"t/c# x;y.bin": b"1", "t/100%/ü+.bin": b"2", "t/%41/[x]": b"3"}
    for path, content in contents.items():
        server.put(f"generic-local/{path}", content)
    return {path.removeprefix("t/"): content for path, content in contents.items()}


def found(folder) -> dict[str, bytes]:
    folder = Path(folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_folder_arrives_whole(server, session, tree, tmp_path):
    """Every file of a tree arrives under its own name, with one request for the list and one per file."""
    report = await aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, session=session)
    assert found(tmp_path) == tree
    assert len(report.downloaded) == len(tree)
    assert len(server.requests) == 1 + len(tree)
    assert report.bytes_downloaded == sum(map(len, tree.values()))


async def test_whole_repository(server, session, tree, tmp_path):
    """A repository is a folder."""
    await aioartifact.download_folder(f"{server.url}/generic-local", tmp_path, session=session)
    assert found(tmp_path / "t") == tree


@pytest.mark.parametrize("refused", [0, 1, 2], ids=["file-list", "aql", "folders"])
@pytest.mark.parametrize("options", [{}, {"archive": True}, {"durable": True}], ids=str)
async def test_empty_folder_is_created(server, session, tmp_path, options, refused):
    """An empty remote folder creates a local folder, however it is listed; a second call finds it."""
    server.make_folder("generic-local/t/none")
    server.enable_folder_download()
    for method, path in [("GET", "api/storage/generic-local/t/none"), ("POST", "api/search/aql")][:refused]:
        server.fail(method, path, fault=Fault.status(403))
    url = f"{server.url}/generic-local/t/none"
    for _ in range(2):
        assert len(await aioartifact.download_folder(url, tmp_path / "new/none", session=session, **options)) == 0
        assert list((tmp_path / "new/none").iterdir()) == []


@pytest.mark.parametrize("archive", [False, True])
async def test_empty_folders_below_are_not_created(server, session, tmp_path, archive):
    """Files make folders; an empty folder below is left out, as jf and aws do, and the folder itself is created."""
    server.make_folder("generic-local/t/a/b")
    url = f"{server.url}/generic-local/t"
    await aioartifact.download_folder(url, tmp_path / "one", archive=archive, session=session)
    assert list((tmp_path / "one").iterdir()) == []
    server.put("generic-local/t/c/file", b"1")
    await aioartifact.download_folder(url, tmp_path / "two", archive=archive, session=session)
    assert sorted(path.name for path in (tmp_path / "two").rglob("*")) == ["c", "file"]
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.download_folder(f"{url}/missing", tmp_path / "three", archive=archive, session=session)
    assert not (tmp_path / "three").exists()


async def test_empty_folder_that_cannot_be_created(server, session, tmp_path):
    """An error of the disk is raised, also if failures are collected: no outcome could report it."""
    server.make_folder("generic-local/t")
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(aioartifact.LocalFileError, match="create folder"):
        await aioartifact.download_folder(
            f"{server.url}/generic-local/t", tmp_path / "file/below", on_error="collect", session=session
        )
    assert (tmp_path / "file").read_bytes() == b"mine"


async def test_second_run_transfers_only_what_changed(server, session, tree, tmp_path):
    """Files with the right content cost no request; a missing and a damaged one are fetched again."""
    url = f"{server.url}/generic-local/t"
    await aioartifact.download_folder(url, tmp_path, session=session)
    (tmp_path / "d0/sub/f3.bin").unlink()
    damaged = tmp_path / "d1/sub/f4.bin"
    damaged.write_bytes(bytes(len(damaged.read_bytes())))
    server.clear_log()
    report = await aioartifact.download_folder(url, tmp_path, session=session)
    assert found(tmp_path) == tree
    assert {Path(outcome.path).name for outcome in report.downloaded} == {"f3.bin", "f4.bin"}
    assert len(report.unchanged) == len(tree) - 2
    assert len(server.requests) == 1 + 2


async def test_ways_of_the_listing_agree(server, session, tree, tmp_path):
    """File List, AQL and the walk over folders lead to the same files."""
    refused = Fault.status(400, message="This REST API is available only in Artifactory Pro")
    url = f"{server.url}/generic-local/t"
    await aioartifact.download_folder(url, tmp_path / "list", session=session)
    server.fail("GET", "api/storage/generic-local/t", fault=refused, times=1)
    await aioartifact.download_folder(url, tmp_path / "aql", session=session)
    assert server.count("POST", "api/search/aql") == 1
    server.fail("POST", "api/search/aql", fault=Fault.status(403), times=1)
    await aioartifact.download_folder(url, tmp_path / "walk", session=session)
    assert found(tmp_path / "list") == found(tmp_path / "aql") == found(tmp_path / "walk") == tree


async def test_trimmed_query_is_never_the_whole(server, session, tree, tmp_path):
    """A server that trims its answer makes the walk over folders take over."""
    trimmed = b'{"results":[],"range":{"start_pos":0,"end_pos":0,"total":0,"notification":"results are trimmed"}}'
    server.fail("GET", "api/storage/generic-local/t", fault=Fault.status(400), times=1)
    server.fail("POST", "api/search/aql", fault=Fault.status(200, trimmed), times=1)
    await aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, session=session)
    assert found(tmp_path) == tree


async def test_refused_password_is_not_tried_on_every_rung(server, tree, tmp_path):
    """A wrong password is refused once, not once per way of listing: servers lock users out."""
    async with aioartifact.session(server.url, auth=("admin", "wrong")) as session:
        with pytest.raises(aioartifact.AuthenticationError):
            await aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, session=session)
    assert len(server.requests) == 1


@pytest.mark.slow
async def test_two_thousand_small_files(server, session, tmp_path):
    """Many files share few connections and little memory."""
    for number in range(2000):
        server.put(f"generic-local/many/{number % 20}/{number}.bin", number.to_bytes(4) * 128)
    limits = aioartifact.Limits(max_concurrency=8, max_connections=8)
    async with aioartifact.session(server.url, auth=(server.username, server.password), limits=limits) as few:
        tracemalloc.start()
        try:
            report = await aioartifact.download_folder(f"{server.url}/generic-local/many", tmp_path, session=few)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(report.downloaded) == 2000
    assert all((tmp_path / str(n % 20) / f"{n}.bin").read_bytes() == n.to_bytes(4) * 128 for n in range(2000))
    assert server.connections <= 8
    assert server.max_in_flight <= 8
    # Listing, outcomes and eight transfers; the embedded server in this process is counted, too.
    assert peak < 16 * 1024 * 1024


async def test_one_bad_file_does_not_hide_the_others(server, session, tree, tmp_path):
    """The rest is finished, then one error with all failures and the whole report is raised."""
    server.fail("GET", "generic-local/t/d0/sub/f3.bin", times=None, fault=Fault.status(403))
    server.fail("GET", "generic-local/t/d0/sub/f6.bin", times=None, fault=Fault.flip(at=5))
    with pytest.raises(aioartifact.BatchError, match="2 files failed") as caught:
        await aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, session=session)
    report = caught.value.report
    assert {type(outcome.error) for outcome in report.failed} == {
        aioartifact.ForbiddenError,
        aioartifact.IntegrityError,
    }
    assert len(report.downloaded) == len(tree) - 2
    assert found(tmp_path).keys() == tree.keys() - {"d0/sub/f3.bin", "d0/sub/f6.bin"}


async def test_collect_reports_failures_without_raising(server, session, tree, tmp_path):
    """on_error='collect' leaves it to the caller."""
    urls = [f"{server.url}/generic-local/t/d0/sub/f3.bin", f"{server.url}/generic-local/none"]
    report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
    assert [len(report.downloaded), len(report.failed)] == [1, 1]
    assert isinstance(report.failed[0].error, aioartifact.NotFoundError)


async def test_stop_ends_at_the_first_failure(server, session, tmp_path):
    """on_error='stop' takes no further item, even of an endless input."""
    pulled = []

    def endless():
        while True:
            pulled.append(f"{server.url}/generic-local/none{len(pulled)}")
            yield pulled[-1]

    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_many(endless(), tmp_path, max_concurrency=4, on_error="stop", session=session)
    assert len(caught.value.report.failed) == 1
    # Six workers, each with a result that waits to be read and one in its hand: 12, pulled as 1, 2, 4 and 8.
    assert len(pulled) <= 15


async def test_outcomes_arrive_as_they_finish(server, session, tmp_path):
    """A held file does not hold back the others."""
    for name in "abc":
        server.put(f"generic-local/{name}", name.encode())
    handle = server.fail("GET", "generic-local/a", fault=Fault.hold())
    urls = [f"{server.url}/generic-local/{name}" for name in "cab"]
    assert await aioartifact.exists(urls[0], session=session)  # a session's first request goes alone
    order = []
    async with aioartifact.download_many(urls, tmp_path, max_concurrency=2, session=session) as outcomes:
        async for outcome in outcomes:
            order.append(Path(outcome.path).name)
            if len(order) == 2:
                handle.release()
    assert sorted(order[:2]) == ["b", "c"]
    assert order[2:] == ["a"]


async def test_failures_seen_one_by_one_still_raise_at_the_end(server, session, tmp_path):
    """A caller that ignores the outcomes cannot miss a failure."""
    urls = [f"{server.url}/generic-local/none"]

    async def ignore_all():
        async with aioartifact.download_many(urls, tmp_path, session=session) as outcomes:
            async for _ in outcomes:
                pass

    with pytest.raises(aioartifact.BatchError):
        await ignore_all()


async def test_error_of_the_caller_arrives_as_itself(server, session, tree, tmp_path):
    """What the caller raises inside the block is not wrapped into a group."""
    with pytest.raises(KeyError, match="mine"):
        async with aioartifact.download_many([f"{server.url}/generic-local/t/%25%34%31"], tmp_path, session=session):
            raise KeyError("mine")


async def test_input_that_raises(server, session, tmp_path):
    """An error of the input ends the call and arrives as itself."""

    async def broken():
        yield f"{server.url}/generic-local/none"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        await aioartifact.download_many(broken(), tmp_path, on_error="collect", session=session)


async def test_pairs_and_infos(server, session, tree, tmp_path):
    """Items may be URLs, pairs with a path below the destination, or infos that came from elsewhere."""
    url = f"{server.url}/generic-local/t/d1/sub/f4.bin"
    described = await aioartifact.info(f"{server.url}/generic-local/t/d2/sub/f5.bin", session=session)
    items = [url, (url, "deep/er/other.bin"), described]
    await aioartifact.download_many(items, tmp_path, session=session)
    assert found(tmp_path) == {
        "f4.bin": tree["d1/sub/f4.bin"],
        "deep/er/other.bin": tree["d1/sub/f4.bin"],
        "f5.bin": tree["d2/sub/f5.bin"],
    }


async def test_unchanged_file_without_listing_costs_no_body(server, session, tree, tmp_path):
    """A URL says nothing of its content: the local SHA-1 is sent along, and the server answers 304."""
    url = f"{server.url}/generic-local/t/d0/sub/f54.bin"
    await aioartifact.download_many([url], tmp_path, session=session)
    server.clear_log()
    report = await aioartifact.download_many([url], tmp_path, session=session)
    assert len(report.unchanged) == 1
    assert [(request.status, request.bytes_sent) for request in server.requests] == [(304, 0)]


async def test_never_and_always(server, session, tree, tmp_path):
    """overwrite='never' keeps what is there without a request, 'always' replaces it."""
    url = f"{server.url}/generic-local/t/d0/sub/f54.bin"
    (tmp_path / "f54.bin").write_bytes(b"mine")
    await aioartifact.download_many([url], tmp_path, overwrite="never", session=session)
    assert found(tmp_path) == {"f54.bin": b"mine"}
    server.assert_requests([])
    await aioartifact.download_many([url], tmp_path, overwrite="always", session=session)
    assert found(tmp_path) == {"f54.bin": tree["d0/sub/f54.bin"]}


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/etc/out", "a//b", "", ".", "a/./b", "nul\0"])
async def test_nothing_leaves_the_destination(server, session, tree, tmp_path, path):
    """A path that would lead out of the destination is refused, the others are fetched."""
    url = f"{server.url}/generic-local/t/d0/sub/f3.bin"
    destination = tmp_path / "inside"
    report = await aioartifact.download_many([(url, path), url], destination, on_error="collect", session=session)
    assert isinstance(report.failed[0].error, aioartifact.UnsafePathError)
    assert found(tmp_path).keys() == {"inside/f3.bin"}


async def test_listing_with_hostile_names_cannot_leave_the_destination(server, session, tmp_path):
    """A server that lists '../' writes nothing outside."""
    names = ["/../../evil", "/a/../../evil", "/./evil"]
    listing = json.dumps({"files": [{"uri": name, "size": 1, "folder": False} for name in names]}).encode()
    server.fail("GET", "api/storage/generic-local", fault=Fault.status(200, listing))
    url = f"{server.url}/generic-local"
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_folder(url, tmp_path / "a/b/c", session=session)
    assert all(isinstance(error, aioartifact.UnsafePathError) for error in caught.value.exceptions)
    assert found(tmp_path) == {}
    assert len(server.requests) == 1


async def test_symbolic_link_does_not_lead_out(server, session, tree, tmp_path):
    """A link below the destination that points outside is not followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    destination = tmp_path / "inside"
    destination.mkdir()
    (destination / "link").symlink_to(outside)
    url = f"{server.url}/generic-local/t/d0/sub/f3.bin"
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_many([(url, "link/f3.bin")], destination, session=session)
    assert isinstance(caught.value.exceptions[0], aioartifact.UnsafePathError)
    assert os.listdir(outside) == []


async def test_two_items_for_one_target(server, session, tree, tmp_path):
    """The second of two items with the same target is refused instead of racing with the first."""
    urls = [f"{server.url}/generic-local/t/d0/sub/f3.bin"] * 2
    report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
    assert len(report.downloaded) == 1
    assert "(url, path) pairs" in str(report.failed[0].error)


async def test_two_ways_to_one_target(server, session, tree, tmp_path):
    """A symbolic link inside the destination leads to a file that another item has already."""
    url = f"{server.url}/generic-local/t/d0/sub/f3.bin"
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    pairs = [(url, "real/a"), (url, "link/a"), (url, "link/b")]
    report = await aioartifact.download_many(pairs, tmp_path, on_error="collect", session=session)
    assert [len(report.downloaded), len(report.failed)] == [2, 1]
    assert "another item of this call goes to" in str(report.failed[0].error)


TWINS = [("README", "readme"), ("Dir/a", "dir/a"), ("caf\u00e9", "cafe\u0301")]


@pytest.mark.parametrize("twins", TWINS)
async def test_twins_where_names_differ_by_case(server, session, tree, tmp_path, twins):
    """Names that this file system distinguishes are two files, however similar; and each may be used once."""
    url = f"{server.url}/generic-local/t/d0/sub/f3.bin"
    pairs = [(url, name) for name in (*twins, *twins)]
    report = await aioartifact.download_many(pairs, tmp_path, on_error="collect", session=session)
    assert found(tmp_path).keys() == set(twins)
    assert [len(report.downloaded), len(report.failed)] == [2, 2]


@pytest.mark.parametrize("twins", TWINS)
async def test_twins_where_case_does_not_count(server, session, tree, tmp_path, twins, monkeypatch):
    """On a file system that takes two names for one, the second item is refused: it would replace the first."""
    # No disk of this machine folds names, so the answer to the question is made up.
    monkeypatch.setattr(destination, "folds_names", lambda folder: True)
    url = f"{server.url}/generic-local/t/d0/sub/f3.bin"
    report = await aioartifact.download_many(
        [(url, name) for name in twins], tmp_path, on_error="collect", session=session
    )
    assert found(tmp_path).keys() == {twins[0]}
    assert isinstance(report.failed[0].error, aioartifact.InvalidArgumentError)


async def test_more_folders_than_are_remembered(server, session, tree, tmp_path, monkeypatch):
    """Folders beyond the bound are entered again, and targets stay taken."""
    monkeypatch.setattr(destination, "_MAX_FOLDERS", 2)
    url = f"{server.url}/generic-local/t/d0/sub/f3.bin"
    pairs = [(url, f"{n % 5}/{n // 10}") for n in range(20)]
    report = await aioartifact.download_many(pairs, tmp_path, on_error="collect", session=session)
    assert [len(report.downloaded), len(report.failed)] == [10, 10]


async def test_folder_in_the_place_of_a_file(server, session, tree, tmp_path):
    """A folder with the name of a file is reported before the file is requested; the others are fetched."""
    (tmp_path / "f3.bin").mkdir()
    urls = [f"{server.url}/generic-local/t/d0/sub/{name}" for name in ("f3.bin", "f6.bin")]
    report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
    assert isinstance(report.failed[0].error, aioartifact.LocalFileError)
    assert report.failed[0].error.errno == errno.EISDIR
    assert [request.path for request in server.requests] == ["generic-local/t/d0/sub/f6.bin"]


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("overwrite", ["changed", "always"])
async def test_pipe_in_the_place_of_a_file(server, session, tree, tmp_path, overwrite, archive):
    """A pipe or a device is no older file: it is not replaced, nor waited for, and the other files come."""
    for folder in ("d0/sub", "d1/sub"):
        (tmp_path / folder).mkdir(parents=True)
    pipe, link = tmp_path / "d0/sub/f0.bin", tmp_path / "d1/sub/f1.bin"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    url, options = f"{server.url}/generic-local/t", {"overwrite": overwrite, "archive": archive}
    report = await aioartifact.download_folder(url, tmp_path, on_error="collect", session=session, **options)
    assert {outcome.path for outcome in report.failed} == {str(pipe), str(link)}
    assert all("not a regular file" in str(outcome.error) for outcome in report.failed)
    assert len(report.downloaded) == len(tree) - 2
    assert pipe.is_fifo()
    assert link.is_symlink()


async def test_file_in_the_place_of_the_destination(server, session, tree, tmp_path):
    """A file where the folder should be is reported before any request."""
    (tmp_path / "file").touch()
    with pytest.raises(aioartifact.LocalFileError, match=r"write below .*/file: Not a directory"):
        await aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path / "file", session=session)
    server.assert_requests([])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("a\0b", "NUL", id="nul"),
        pytest.param(b"a", "is a bytes", id="bytes"),
        pytest.param(None, "is a NoneType", id="none"),
        pytest.param(7, "is a int", id="number"),
    ],
)
async def test_destination_that_is_no_path(session, value, message):
    """A path that cannot be a folder is an error at the call."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=f"destination.* {message}"):
        aioartifact.download_many([], value)
    with pytest.raises(aioartifact.InvalidArgumentError, match=f"destination.* {message}"):
        aioartifact.download_folder(URL, value)
    with pytest.raises(aioartifact.InvalidArgumentError, match=f"destination.* {message}"):
        await aioartifact.download(URL, value, session=session)


URL = "https://h/artifactory/r/a"


@pytest.mark.parametrize(
    "item", [7, None, ("a",), URL.encode(), ("a", "b", "c"), (URL, 7), (URL, None), (URL, b"a"), (7, "a")]
)
async def test_item_that_is_none(session, tmp_path, item):
    """An item of a wrong type is named in its outcome, and ends no other."""
    report = await aioartifact.download_many([item], tmp_path, on_error="collect", session=session)
    assert isinstance(report.failed[0].error, aioartifact.InvalidArgumentError)


async def test_failures_keep_no_frames(server, session, tree, tmp_path):
    """A report of many failures is small: neither an error nor its cause holds the bytes that were on their way."""
    (tmp_path / "file").touch()
    pair = (f"{server.url}/generic-local/t/d0/sub/f54.bin", "file/f54.bin")
    report = await aioartifact.download_many([pair], tmp_path, on_error="collect", session=session)
    error = report.failed[0].error
    assert isinstance(error, aioartifact.LocalFileError)
    assert isinstance(error.__cause__, OSError)
    assert (error.__traceback__, error.__cause__.__traceback__) == (None, None)


@pytest.mark.parametrize(
    "options", [{"max_concurrency": 0}, {"max_concurrency": True}, {"on_error": "ignore"}, {"overwrite": "maybe"}]
)
def test_bad_options_are_told_at_the_call(options):
    """Options are checked before anything is awaited."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=next(iter(options))):
        aioartifact.download_many([], **options)


def test_one_url_is_not_a_list_of_letters():
    """A str is iterable, and never what was meant."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="use download"):
        aioartifact.download_many("https://host/artifactory/r/a")


def test_forgotten_await_warns():
    """Like a coroutine: a call that is neither awaited nor opened says so."""
    with pytest.warns(RuntimeWarning, match="neither awaited nor opened"):
        aioartifact.download_many([])


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(asyncio.create_task, id="create_task"),
        pytest.param(asyncio.ensure_future, id="ensure_future"),
        pytest.param(lambda batch: asyncio.wait_for(batch, 60), id="wait_for"),
        pytest.param(lambda batch: asyncio.shield(batch), id="shield"),
    ],
)
async def test_batch_is_taken_for_a_coroutine(server, session, tree, tmp_path, start):
    """What starts a coroutine starts a bulk call."""
    report = await start(aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, session=session))
    assert len(report.downloaded) == len(tree)
    assert found(tmp_path) == tree


async def test_batches_side_by_side(server, session, tree, tmp_path):
    """Several bulk calls run at once, gathered or in a task group."""
    url = f"{server.url}/generic-local/t"
    calls = [aioartifact.download_folder(url, tmp_path / str(n), session=session) for n in range(4)]
    reports = await asyncio.gather(*calls[:2])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(call) for call in calls[2:]]
    assert [len(report.downloaded) for report in (*reports, *(task.result() for task in tasks))] == [len(tree)] * 4


async def test_cancelled_task_of_a_batch(server, session, tmp_path):
    """A bulk call in a task is cancelled with it, before its first step and in the middle of a body."""
    server.put("generic-local/a", bytes(100_000))
    handle = server.fail("GET", "generic-local/a", fault=Fault.stall(after=10))
    urls = [f"{server.url}/generic-local/a"]
    early = asyncio.create_task(aioartifact.download_many(urls, tmp_path, session=session))
    early.cancel()
    late = asyncio.create_task(aioartifact.download_many(urls, tmp_path, session=session))
    await handle.reached()
    late.cancel()
    ended = await asyncio.gather(early, late, return_exceptions=True)
    assert [type(error) for error in ended] == [asyncio.CancelledError] * 2
    assert found(tmp_path) == {}


async def test_batch_runs_once(session):
    """A bulk call that has run is distinguished from one that found nothing."""
    batch = aioartifact.download_many([], session=session)
    assert len(await batch) == 0
    with pytest.raises(aioartifact.InvalidArgumentError, match="already run"):
        await batch


def test_closed_batch_does_not_warn():
    """Like a coroutine: a call that is closed was not forgotten."""
    aioartifact.download_many([]).close()


async def test_progress_of_a_batch_adds_up(server, session, tree, tmp_path):
    """Files and bytes add up, failures and unchanged files included."""
    server.fail("GET", "generic-local/t/d0/sub/f54.bin", times=None, fault=Fault.flip(at=0))
    url = f"{server.url}/generic-local/t"
    total = sum(map(len, tree.values()))
    failed = len(tree["d0/sub/f54.bin"])
    first = aioartifact.Progress()
    await aioartifact.download_folder(url, tmp_path, on_error="collect", session=session, progress=first)
    seen = first.snapshot()
    assert (seen.files_done, seen.files_failed, seen.files_total) == (len(tree) - 1, 1, len(tree))
    assert (seen.bytes_done, seen.bytes_total, seen.active) == (total - failed, total - failed, ())
    server.clear_faults()
    second = aioartifact.Progress()
    await aioartifact.download_folder(url, tmp_path, session=session, progress=second)
    seen = second.snapshot()
    assert (seen.files_done, seen.files_skipped, seen.bytes_done, seen.bytes_total) == (
        1,
        len(tree) - 1,
        failed,
        failed,
    )
