"""Checksum files beside the files they belong to, and properties of files that the server has already."""

import hashlib
import os

import anyio
import pytest

import aioartifact


@pytest.fixture
def tree(tmp_path):
    """Like a Maven repository on disk."""
    folder = tmp_path / "m2"
    for name in ("lib.jar", "deep/x y.pom", "a.sha1x"):
        content = os.urandom(200_000)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        for algorithm in ("sha1", "md5", "sha256"):
            digest = hashlib.new(algorithm, content).hexdigest()
            path.with_name(f"{path.name}.{algorithm}").write_text(f"{digest}  {path.name}\n")
    return folder


@pytest.fixture
def url(server):
    return f"{server.url}/generic-local/m2"


def order(server):
    """Paths in the order in which they were sent."""
    return [request.path for request in server.requests if request.method == "PUT"]


async def test_checksum_files_follow_their_files(server, session, tree, url):
    """All arrive, and a second run sends nothing."""
    report = await aioartifact.deploy_folder(tree, url, session=session)
    assert len(report.deployed) == 12
    sent = order(server)
    for path in sent:
        main = path.rpartition(".")[0]
        assert main not in sent or sent.index(main) < sent.index(path)
    server.clear_log()
    report = await aioartifact.deploy_folder(tree, url, session=session)
    assert len(report.unchanged) == 12
    assert order(server) == []


@pytest.mark.parametrize("kind", [list, iter])
async def test_any_order_of_items(server, session, tree, url, kind):
    """A list or an iterator may name a checksum file before its file, even under another path."""
    items = [
        (tree / "lib.jar.md5", "x/y.jar.md5"),
        tree / "lib.jar.sha1",
        tree / "lib.jar",
        (tree / "lib.jar", "x/y.jar"),
    ]
    report = await aioartifact.deploy_many(kind(items), url, session=session, max_concurrency=1)
    assert len(report.deployed) == 4


async def test_endless_items_are_not_held_back(session, tree, url):
    """A checksum file is sent soon after its file, not at the end of the input."""
    more = anyio.Event()

    async def items():
        yield tree / "lib.jar.sha1"
        yield tree / "lib.jar"
        await more.wait()

    seen = []
    async with aioartifact.deploy_many(items(), url, session=session) as outcomes:
        async for outcome in outcomes:
            seen.append(outcome.status)
            if len(seen) == 2:
                more.set()
    assert seen == ["deployed", "deployed"]


async def test_file_that_failed_takes_its_checksum_with_it(server, session, tree, url):
    """The new checksum is not set on the old file."""
    await aioartifact.deploy_folder(tree, url, session=session)
    (tree / "lib.jar").unlink()
    (tree / "lib.jar").symlink_to("nowhere")
    (tree / "lib.jar.sha1").write_text("0" * 40)
    server.clear_log()
    report = await aioartifact.deploy_folder(tree, url, session=session, on_error="collect")
    assert "generic-local/m2/lib.jar.sha1" not in order(server)
    assert len(report.failed) == 4


@pytest.mark.parametrize("name", ["graph.md5", "deep/a.b.sha256", "x.sha1"])
async def test_lone_checksum_file_has_a_hint(session, tmp_path, url, name):
    """The server's 404 is explained."""
    path = tmp_path / "doc" / name
    path.parent.mkdir(parents=True)
    path.write_text("0" * 32)
    report = await aioartifact.deploy_folder(tmp_path / "doc", url, session=session, on_error="collect")
    assert "checksum of" in report.failed[0].error.hint
    with pytest.raises(aioartifact.NotFoundError, match="checksum of"):
        await aioartifact.deploy(path, f"{url}/{name}", session=session)


async def test_wrong_checksum_has_a_hint(session, tree, url):
    """A stale checksum file is refused by the server, every time."""
    (tree / "lib.jar.md5").write_text("0" * 32)
    for _ in range(2):
        report = await aioartifact.deploy_folder(tree, url, session=session, on_error="collect")
        assert isinstance(report.failed[0].error, aioartifact.ConflictError)
        assert "checksum of" in report.failed[0].error.hint


async def test_sync_sends_checksum_files_once(server, session, tree, url):
    """After their files, also where those were renamed; and never again."""
    await aioartifact.sync(tree, url, session=session, delete=True)
    plan = await aioartifact.plan_sync(tree, url, session=session, delete=True)
    assert plan.changes == ()
    for path in tree.glob("lib.jar*"):
        path.rename(tree / path.name.replace("lib", "new"))
    server.clear_log()
    report = await aioartifact.sync(tree, url, session=session, delete=True)
    assert not report.failed
    sent = order(server)
    assert sent[0] == "generic-local/m2/new.jar"
    assert len(sent) == 4
    assert (await aioartifact.plan_sync(tree, url, session=session, delete=True)).changes == ()


@pytest.mark.parametrize("edition", ["pro", "oss"])
@pytest.mark.parametrize("size", [0, 5, 200_000])
async def test_unchanged_files_get_properties(tmp_path, edition, size):
    """As deploy() does it: without the bytes, whatever the edition; other properties stay as after deploy()."""
    (tmp_path / "f").write_bytes(os.urandom(size))
    async with aioartifact.testing.ArtifactoryServer(edition=edition) as server:
        url = f"{server.url}/generic-local/t"
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            await aioartifact.deploy_many([tmp_path / "f"], url, session=session)
            for value in ("1", "2"):
                report = await aioartifact.deploy_many(
                    [tmp_path / "f"], url, session=session, parameters={"k": value, "l": ["a", "b"]}
                )
                assert [outcome.status for outcome in report] == ["unchanged"]
                found = await aioartifact.properties(f"{url}/f", session=session)
                assert found == {"k": [value], "l": ["a", "b"]}
            await aioartifact.deploy_many(
                [tmp_path / "f"], url, session=session, parameters={"k": "3"}, overwrite="never"
            )
            assert (await aioartifact.properties(f"{url}/f", session=session))["k"] == ["2"]
