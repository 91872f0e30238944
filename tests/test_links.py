"""Symbolic links: in a tree that is sent, and in the place of a file that is downloaded."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import aioartifact
from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
OLD, NEW = b"old", b"new bytes"


# Trees that are sent


def loop(place: Path, tree: Path) -> None:
    place.symlink_to(place.name)


def pair(place: Path, tree: Path) -> None:
    place.symlink_to(f"{place.name}.other")
    place.with_name(f"{place.name}.other").symlink_to(place.name)


def above(place: Path, tree: Path) -> None:
    place.symlink_to(tree)


def dangling(place: Path, tree: Path) -> None:
    place.symlink_to("not-there")


def below_a_file(place: Path, tree: Path) -> None:
    place.symlink_to("../top.txt/x")


def long_name(place: Path, tree: Path) -> None:
    """No file system has the name that this link leads to: ENAMETOOLONG."""
    place.symlink_to("n" * 300)


def too_deep(place: Path, tree: Path) -> None:
    """A folder that cannot be listed by its path, not even by root, to whom permissions do not apply."""
    place.mkdir()
    above = os.open(place, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=above)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    os.close(above)


BAD = [loop, pair, above, dangling, below_a_file, long_name, too_deep]
# What a tree with such an entry sends without it.
GOOD = {"top.txt": b"1", "sub/a.bin": b"2"}


@pytest.fixture
def url(server):
    server.make_folder("generic-local/t")
    return f"{server.url}/generic-local/t"


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    for path, content in GOOD.items():
        (folder / path).write_bytes(content)
    yield folder
    shutil.rmtree(folder)  # pytest would keep what is too deep for other programs


def stored(server) -> dict[str, bytes]:
    paths = [*GOOD, "sub/bad", "sub/bad.other", "sub/bad/top.txt"]
    places = {path: f"generic-local/t/{path}" for path in paths}
    return {path: server.read(place) for path, place in places.items() if server.exists(place)}


SENDERS = [aioartifact.deploy_folder, aioartifact.sync]


@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize("exclude", ["sub/bad*", "**/bad*", ["sub/bad/**", "sub/bad*"], "sub/b*"])
@pytest.mark.parametrize("make", BAD)
async def test_what_is_excluded_fails_no_upload(server, session, tree, url, make, exclude, send):
    """Whatever an excluded entry is, it is not needed: all others are sent."""
    make(tree / "sub/bad", tree)
    report = await send(tree, url, exclude=exclude, session=session)
    assert len(report.deployed) == len(report) == len(GOOD)
    assert stored(server) == GOOD


@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize("make", BAD)
async def test_what_is_not_included_fails_no_upload(server, session, tree, url, make, send):
    """The same for entries that no pattern includes."""
    make(tree / "sub/bad", tree)
    await send(tree, url, include=["top.txt", "sub/a.bin"], session=session)
    assert stored(server) == GOOD


@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize("exclude", ["sub/bad/**", "sub/bad/*", "**/bad/**", "sub/bad/**/*", "**/bad/*"])
async def test_folder_whose_content_is_excluded_is_not_listed(server, session, tree, url, exclude, send):
    """A pattern for all that is in a folder excludes as much as one for the folder."""
    above(tree / "sub/bad", tree)
    await send(tree, url, exclude=exclude, session=session)
    assert stored(server) == GOOD


@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize("make", [loop, pair, dangling, below_a_file, long_name])
async def test_link_to_nothing_fails_alone(server, session, tree, url, make, send):
    """Where it is wanted, it is an error of its own, and the other files are sent."""
    make(tree / "sub/bad", tree)
    report = await send(tree, url, on_error="collect", session=session)
    assert {Path(outcome.path).name.removesuffix(".other") for outcome in report.failed} == {"bad"}
    assert stored(server) == GOOD


@pytest.mark.parametrize("make", [loop, dangling, below_a_file, long_name])
async def test_nothing_is_deleted_for_a_link_to_nothing(server, session, tree, url, make):
    """What the server has of a folder that cannot be reached now is not taken for deleted."""
    server.put("generic-local/t/sub/bad/top.txt", b"precious")
    make(tree / "sub/bad", tree)
    with pytest.raises(aioartifact.BatchError):
        await aioartifact.sync(tree, url, include="**/*.*", delete=True, session=session)
    assert server.exists("generic-local/t/sub/bad/top.txt")


@pytest.mark.parametrize("make", [above, too_deep])
async def test_folder_that_cannot_be_listed(server, session, tree, url, make):
    """If it is needed, nothing is sent: it is not known what is missing."""
    make(tree / "sub/bad", tree)
    for send in SENDERS:
        with pytest.raises(aioartifact.LocalFileError):
            await send(tree, url, session=session)
    assert stored(server) == {}


async def test_excluded_folder_of_the_destination_need_not_be_readable(server, session, tree, url):
    """A sync into a folder looks at excluded parts of it, too, but does not need them."""
    server.put("generic-local/t/new.bin", NEW)
    too_deep(tree / "sub/bad", tree)
    await aioartifact.sync(url, tree, exclude="sub/bad", session=session)
    assert (tree / "new.bin").read_bytes() == NEW
    with pytest.raises(aioartifact.LocalFileError):
        await aioartifact.sync(url, tree, session=session)


# Downloads onto links


async def by_download(url, folder, session):
    return [await aioartifact.download(f"{url}/a.bin", folder / "a.bin", session=session)]


async def by_download_durable(url, folder, session):
    return [await aioartifact.download(f"{url}/a.bin", folder, durable=True, session=session)]


async def by_download_many(url, folder, session):
    return paths(await aioartifact.download_many([f"{url}/a.bin"], folder, session=session))


async def by_download_folder(url, folder, session):
    return paths(await aioartifact.download_folder(url, folder, durable=True, session=session))


async def by_archive(url, folder, session):
    return paths(await aioartifact.download_folder(url, folder, archive=True, durable=True, session=session))


async def by_sync(url, folder, session):
    return paths(await aioartifact.sync(url, folder, session=session))


def paths(report) -> list[str]:
    return [outcome.path for outcome in report]


FAILURES = (aioartifact.ArtifactoryError, aioartifact.BatchError)
CALLS = [by_download, by_download_durable, by_download_many, by_download_folder, by_archive, by_sync]


@pytest.fixture
def served(server, url):
    server.put("generic-local/t/a.bin", NEW)
    server.put("generic-local/t/b.bin", b"B")
    server.enable_folder_download()
    return url


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def outside(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/big.bin").write_bytes(OLD)
    return tmp_path / "outside/big.bin"


def names(folder: Path) -> set[str]:
    return set(os.listdir(folder))


def first_error(caught) -> BaseException:
    error = caught.value
    return error.exceptions[0] if isinstance(error, aioartifact.BatchError) else error


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", ["absolute", "relative", "chain"])
async def test_link_stays_and_its_file_is_replaced(session, served, folder, outside, call, kind):
    """Programs that read either name see the new bytes; nothing else is left in either folder."""
    link = folder / "a.bin"
    if kind == "chain":
        (outside.parent / "second").symlink_to("big.bin")
        link.symlink_to(outside.parent / "second")
    else:
        link.symlink_to(outside if kind == "absolute" else "../outside/big.bin")
    before, there = link.readlink(), names(outside.parent)
    assert str(link) in await call(served, folder, session)
    assert link.readlink() == before
    assert not outside.is_symlink()
    assert outside.read_bytes() == link.read_bytes() == NEW
    assert names(outside.parent) == there
    assert names(folder) <= {"a.bin", "b.bin"}


@pytest.mark.parametrize("call", CALLS)
async def test_link_to_another_file_of_the_destination(session, served, folder, call):
    """A file that no item goes to."""
    (folder / "data").mkdir()
    (folder / "data/real").write_bytes(OLD)
    (folder / "a.bin").symlink_to("data/real")
    await call(served, folder, session)
    assert (folder / "a.bin").is_symlink()
    assert (folder / "data/real").read_bytes() == NEW


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", ["dangling", "loop", "below a file"])
async def test_link_to_nothing_is_refused(session, served, folder, outside, call, kind):
    """It may lead to a disk that is not there now: the link stays, and nothing is made behind it."""
    target = {"dangling": outside.parent / "none", "loop": folder / "a.bin", "below a file": outside / "x"}[kind]
    (folder / "a.bin").symlink_to(target)
    with pytest.raises(FAILURES) as caught:
        await call(served, folder, session)
    error = first_error(caught)
    assert isinstance(error, aioartifact.AlreadyExistsError if call is by_sync else aioartifact.LocalFileError)
    assert not isinstance(error, FileNotFoundError)
    assert "link" in str(error)
    assert (folder / "a.bin").readlink() == target
    assert names(outside.parent) == {"big.bin"}


@pytest.mark.parametrize("call", CALLS)
async def test_link_to_a_read_only_file_is_refused(session, served, folder, outside, call):
    """A rename would replace the file in a store that others share, whatever its permissions."""
    outside.chmod(0o444)
    (folder / "a.bin").symlink_to(outside)
    with pytest.raises(FAILURES) as caught:
        await call(served, folder, session)
    assert isinstance(first_error(caught), aioartifact.LocalFileError)
    assert "read-only" in str(first_error(caught))
    assert outside.read_bytes() == OLD
    assert (folder / "a.bin").is_symlink()
    assert names(outside.parent) == {"big.bin"}


async def test_read_only_file_without_a_link_is_replaced(session, served, folder):
    """As ever: permissions of a file say nothing of its folder."""
    (folder / "a.bin").write_bytes(OLD)
    (folder / "a.bin").chmod(0o444)
    await aioartifact.download(f"{served}/a.bin", folder, session=session)
    assert (folder / "a.bin").read_bytes() == NEW


@pytest.mark.parametrize("call", [by_download_many, by_download_folder, by_archive, by_sync])
async def test_file_behind_a_link_that_has_the_content_is_kept(server, session, served, folder, outside, call):
    """No byte is fetched, and so a read-only file is not in the way."""
    outside.write_bytes(NEW)
    outside.chmod(0o444)
    before = outside.stat()
    (folder / "a.bin").symlink_to(outside)
    (folder / "b.bin").write_bytes(b"B")
    await call(served, folder, session)
    assert os.path.samestat(outside.stat(), before)
    assert (folder / "a.bin").is_symlink()
    assert not [request for request in server.requests if "archive" in request.path]


async def test_existing_file_behind_a_link_without_force(server, session, served, folder, outside):
    """force_download=False and overwrite="never" count a link to a file as the file."""
    outside.chmod(0o444)
    (folder / "a.bin").symlink_to(outside)
    link = str(folder / "a.bin")
    assert await aioartifact.download(f"{served}/a.bin", folder, force_download=False, session=session) == link
    await aioartifact.download_many([f"{served}/a.bin"], folder, overwrite="never", session=session)
    assert outside.read_bytes() == OLD
    server.assert_requests([])


@pytest.mark.parametrize("call", [by_download, by_download_many, by_download_folder, by_sync])
async def test_failure_leaves_the_file_behind_a_link(server, session, served, folder, outside, call):
    """Link and old file are as they were, and no part is left beside either."""
    (folder / "a.bin").symlink_to(outside)
    server.fail("GET", "generic-local/t/a.bin", times=None, fault=Fault.status(403))
    with pytest.raises(FAILURES):
        await call(served, folder, session)
    assert (folder / "a.bin").is_symlink()
    assert outside.read_bytes() == OLD
    assert names(outside.parent) == {"big.bin"}
    assert names(folder) <= {"a.bin", "b.bin"}


async def test_interrupted_download_through_a_link_is_resumed(server, url, folder, outside):
    """What is kept of a large file lies beside the file that is written, where a later call finds it."""
    data = os.urandom(12 * MIB)
    server.put("generic-local/t/a.bin", data)
    (folder / "a.bin").symlink_to(outside)
    server.fail("GET", "generic-local/t/a.bin", times=1, fault=Fault.truncate(after=10 * MIB))
    options = {"retry": aioartifact.RetryPolicy.none(), "limits": aioartifact.Limits(max_concurrency=1)}
    async with aioartifact.session(server.url, auth=(server.username, server.password), **options) as session:
        with pytest.raises(aioartifact.BatchError):
            await aioartifact.download_many([f"{url}/a.bin"], folder, session=session)
        assert {path.suffix for path in outside.parent.iterdir()} == {".bin", ".part", ".journal"}
        assert outside.read_bytes() == OLD
        server.clear_log()
        await aioartifact.download_many([f"{url}/a.bin"], folder, session=session)
    assert outside.read_bytes() == data
    assert (folder / "a.bin").is_symlink()
    assert names(outside.parent) == {"big.bin"}
    assert names(folder) == {"a.bin"}
    assert [request.headers.get("range") for request in server.requests] == [f"bytes={10 * MIB}-"]


# Several names for one file


async def test_two_items_for_one_file_behind_links(session, served, folder, outside):
    """The second would replace what the first has brought: refused."""
    (folder / "a.bin").symlink_to(outside)
    (folder / "b.bin").symlink_to(outside)
    urls = [f"{served}/a.bin", f"{served}/b.bin"]
    report = await aioartifact.download_many(urls, folder, on_error="collect", session=session)
    assert [len(report.downloaded), len(report.failed)] == [1, 1]
    assert isinstance(report.failed[0].error, aioartifact.InvalidArgumentError)
    assert outside.read_bytes() == NEW


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("linked", [("a.bin", "b.bin"), ("b.bin", "a.bin")])
@pytest.mark.parametrize("content", [OLD, NEW, b"B"])
async def test_link_to_the_place_of_another_item(session, served, folder, archive, linked, content):
    """No file is reported that has another one's bytes, even if it had the right ones before."""
    link, real = linked
    (folder / real).write_bytes(content)
    (folder / link).symlink_to(real)
    report = await aioartifact.download_folder(served, folder, archive=archive, on_error="collect", session=session)
    assert len(report.failed) == 1
    expected = {"a.bin": NEW, "b.bin": b"B"}
    for outcome in report:
        if not outcome.error:
            assert Path(outcome.path).read_bytes() == expected[Path(outcome.path).name]


async def test_archive_into_folders_that_are_one(server, session, url, folder):
    """The same by way of a link to a folder inside the destination."""
    server.enable_folder_download()
    for name in ("d/x", "e/x", "d/y"):
        server.put(f"generic-local/t/{name}", name.encode())
    (folder / "d").mkdir()
    (folder / "e").symlink_to("d")
    report = await aioartifact.download_folder(url, folder, archive=True, on_error="collect", session=session)
    assert len(report.failed) == 1
    assert all(Path(each.path).read_bytes().decode() in str(each.url) for each in report if not each.error)


@pytest.mark.parametrize("linked", [("a.bin", "b.bin"), ("b.bin", "a.bin")])
@pytest.mark.parametrize("content", [OLD, NEW, b"B"])
async def test_sync_with_a_link_to_the_place_of_another_file(session, served, folder, linked, content):
    """A conflict, and the other file gets its content."""
    link, real = linked
    (folder / real).write_bytes(content)
    (folder / link).symlink_to(real)
    report = await aioartifact.sync(served, folder, on_error="collect", session=session)
    assert [Path(outcome.path).name for outcome in report.failed] == [link]
    assert (folder / real).read_bytes() == {"a.bin": NEW, "b.bin": b"B"}[real]
    assert (folder / link).is_symlink()


async def test_sync_with_two_links_to_one_file(session, served, folder, outside):
    """Neither is written to: the other would change with it, even one that is right now."""
    outside.write_bytes(NEW)
    (folder / "a.bin").symlink_to(outside)
    (folder / "b.bin").symlink_to(outside)
    report = await aioartifact.sync(served, folder, on_error="collect", session=session)
    assert len(report.failed) == 2
    assert outside.read_bytes() == NEW


@pytest.mark.parametrize("content", [OLD, NEW])
async def test_sync_does_not_delete_what_a_wanted_link_leads_to(session, served, folder, content):
    """The link would lead nowhere, and its content be lost."""
    (folder / "v1.bin").write_bytes(content)
    (folder / "a.bin").symlink_to("v1.bin")
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.sync(served, folder, delete=True, session=session)
    assert isinstance(first_error(caught), aioartifact.AlreadyExistsError)
    assert (folder / "a.bin").read_bytes() == content


@pytest.mark.parametrize("delete", [False, True])
async def test_sync_does_not_replace_a_link_by_a_copy(session, served, folder, outside, delete):
    """Where a copy or a rename would save a transfer, it would also take the link away."""
    (folder / "moved.bin").write_bytes(NEW)
    (folder / "a.bin").symlink_to(outside)
    plan = await aioartifact.plan_sync(served, folder, delete=delete, session=session)
    assert {action.path for action in plan.of("fetch")} == {"a.bin", "b.bin"}
    await aioartifact.run_sync(plan, session=session)
    assert (folder / "a.bin").is_symlink()
    assert outside.read_bytes() == NEW


@pytest.mark.parametrize("kind", ["copy", "rename", "delete"])
async def test_plan_of_another_origin_does_not_replace_a_link(session, served, folder, outside, kind):
    """A plan from a file may ask for anything."""
    (folder / "moved.bin").write_bytes(NEW)
    plan = await aioartifact.plan_sync(served, folder, delete=kind != "copy", session=session)
    (folder / "a.bin").symlink_to(outside)
    status = outside.stat()
    seen = aioartifact.SyncFile("a.bin", status.st_size, modified_ns=status.st_mtime_ns)
    (action,) = (action for action in plan.actions if action.path == "a.bin")
    asked = replace(action, kind=kind, target=seen, **({"source": None, "origin": None} if kind == "delete" else {}))
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.run_sync(replace(plan, actions=(asked,)), session=session)
    assert isinstance(first_error(caught), aioartifact.ChangedError)
    assert (folder / "a.bin").is_symlink()
    assert outside.read_bytes() == OLD


async def test_sync_with_a_file_behind_a_link_that_has_changed(session, served, folder, outside):
    """What the plan has not seen is left alone behind a link, too."""
    (folder / "a.bin").symlink_to(outside)
    plan = await aioartifact.plan_sync(served, folder, session=session)
    outside.write_bytes(b"precious work")
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.run_sync(plan, session=session)
    assert isinstance(first_error(caught), aioartifact.ChangedError)
    assert outside.read_bytes() == b"precious work"


@pytest.mark.parametrize("wanted", ["extra/x", "other"])
async def test_sync_leaves_links_alone_that_are_not_wanted(server, session, url, folder, outside, wanted):
    """They are not deleted, and a file that is wanted below one is a conflict."""
    server.put(f"generic-local/t/{wanted}", NEW)
    (folder / "extra").symlink_to(outside)
    report = await aioartifact.sync(url, folder, delete=True, on_error="collect", session=session)
    assert len(report.failed) == (wanted == "extra/x")
    assert (folder / "extra").is_symlink()
    assert outside.read_bytes() == OLD


@pytest.mark.parametrize("call", [aioartifact.download_folder, aioartifact.sync])
async def test_manifest_knows_the_file_behind_a_link(session, served, folder, outside, tmp_path, call):
    """A second run finds it unchanged; one after a change finds that, too."""
    (folder / "a.bin").symlink_to(outside)
    manifest = tmp_path / "manifest"
    await call(served, folder, manifest=manifest, session=session)
    report = await call(served, folder, manifest=manifest, session=session)
    assert len(report.unchanged) == 2
    outside.write_bytes(OLD)
    report = await call(served, folder, manifest=manifest, session=session)
    assert paths(report.downloaded) == [str(folder / "a.bin")]
    assert outside.read_bytes() == NEW


# Absolute paths of items


@pytest.mark.parametrize("of", [str, Path])
@pytest.mark.parametrize("path", ["x.bin", "new/sub/x.bin"])
async def test_absolute_path_inside_the_destination(session, served, folder, path, of):
    """It is the same file as the relative path."""
    report = await aioartifact.download_many([(f"{served}/a.bin", of(folder / path))], folder, session=session)
    assert paths(report) == [str(folder / path)]
    assert (folder / path).read_bytes() == NEW


async def test_absolute_folder_inside_the_destination(session, served, folder):
    """With a slash at its end it is the folder that the file goes into, the destination itself as well."""
    items = [(f"{served}/a.bin", f"{folder}/"), (f"{served}/b.bin", f"{folder}/new/")]
    await aioartifact.download_many(items, folder, session=session)
    assert (folder / "a.bin").read_bytes() == NEW
    assert (folder / "new/b.bin").read_bytes() == b"B"


async def test_absolute_path_below_a_relative_destination(session, served, folder, monkeypatch):
    """The destination counts as the folder that it is now."""
    monkeypatch.chdir(folder.parent)
    await aioartifact.download_many([(f"{served}/a.bin", folder / "x")], "here", session=session)
    assert (folder / "x").read_bytes() == NEW


@pytest.mark.parametrize("destination", ["here", "link"])
async def test_absolute_path_below_a_linked_destination(session, served, folder, tmp_path, destination):
    """Its real name and the one that it is given by are accepted."""
    (tmp_path / "link").symlink_to(folder)
    items = [(f"{served}/a.bin", folder / "x"), (f"{served}/a.bin", tmp_path / destination / "y")]
    await aioartifact.download_many(items, tmp_path / destination, session=session)
    assert names(folder) == {"x", "y"}


@pytest.mark.parametrize("path", ["", "2/x", "/../x", "/a/../../x", "/./x", "//x", "/\0"])
async def test_absolute_path_outside_the_destination(session, served, folder, path):
    """Neither a folder whose name begins alike nor one by way of dots is inside; nor is the destination a file."""
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_many([(f"{served}/a.bin", f"{folder}{path}")], folder, session=session)
    assert isinstance(first_error(caught), aioartifact.UnsafePathError)
    assert names(folder.parent) == {"here"}
    assert names(folder) == set()
