"""
aioartifactory 0.1.27: what it can do, with an API key, one call per object.

It crashes with tokens and without credentials, and in its own context manager from the second call on; that is
between it and its users.
"""

from contextlib import chdir
from importlib import import_module

import pytest


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The package; when imported it opens a log file in the current folder."""
    with chdir(tmp_path_factory.mktemp("logs")):
        return import_module("aioartifactory")


@pytest.fixture
def make_client(package, artifactory):
    """Make an object for one call."""
    return lambda: package.AIOArtifactory(api_key=artifactory.api_key)


@pytest.fixture
def remote(package, artifactory):
    """Make a path on the server."""
    return lambda path: package.RemotePath(f"{artifactory.url}/{path}", api_key=artifactory.api_key)


async def test_deploy_a_file_and_a_folder(make_client, artifactory, make_file, tmp_path):
    """Files arrive with verified checksums, properties from the address, and are named by ``downloadUri``."""
    for name in ("up/a.bin", "up/deep/b.bin"):
        make_file(name, name.encode())
    target = f"{artifactory.url}/generic-local/one"
    assert await make_client().deploy(str(tmp_path / "up/a.bin"), target, property={"os": "linux"}) == [
        f"{target}/a.bin"
    ]
    tree = f"{artifactory.url}/generic-local/tree"
    links = await make_client().deploy(str(tmp_path / "up"), tree, recursive=True)
    assert sorted(links) == [f"{tree}/a.bin", f"{tree}/deep/b.bin"]
    assert artifactory.read("generic-local/tree/deep/b.bin") == b"up/deep/b.bin"
    assert artifactory.properties("generic-local/one/a.bin") == {"os": ["linux"]}


async def test_retrieve_a_file_and_a_folder(make_client, artifactory, tree, tmp_path):
    """By the 400 of a File List for a file, the client distinguishes files from folders."""
    base = f"{artifactory.url}/generic-local/tree"
    (path,) = await make_client().retrieve(f"{base}/a.bin", str(tmp_path / "one"))
    assert path == str(tmp_path / "one/tree/a.bin")
    paths = await make_client().retrieve(base, str(tmp_path / "all"), recursive=True)
    assert sorted(paths) == sorted(str(tmp_path / "all/tree" / name) for name in tree)
    assert (tmp_path / "all/tree/docs/read me.txt").read_bytes() == b"content of docs/read me.txt"


async def test_delete(make_client, artifactory, tree):
    """Every file the File List names is deleted by a request of its own; folders stay."""
    deleted = await make_client().delete(f"{artifactory.url}/generic-local/tree/src", recursive=True)
    assert deleted == [f"{artifactory.url}/generic-local/tree/src/x.py"]
    assert not artifactory.exists("generic-local/tree/src/x.py")
    assert artifactory.exists("generic-local/tree/src")


async def test_remote_path(remote, artifactory, tree):
    """Existence, kind, checksums and items of a path."""
    file, folder = remote("generic-local/tree/a.bin"), remote("generic-local/tree")
    sums = artifactory.checksums("generic-local/tree/a.bin")
    assert [await file.exists(), await remote("generic-local/missing").exists()] == [True, False]
    assert [await file.folder, await folder.folder] == [False, True]
    assert {"md5": await file.md5, "sha1": await file.sha1, "sha256": await file.sha256} == sums
    assert sorted([item async for item in folder.item(recursive=True)]) == sorted(f"/{name}" for name in tree)
    assert {item async for item in folder.item(list_folder=True)} == {"/docs", "/src", "/a.bin"}


async def test_search_property(make_client, artifactory):
    """Storage links of what has the properties, in the repositories asked for."""
    artifactory.create_repository("other-local")
    artifactory.put("generic-local/a", b"", properties={"os": "linux", "team": "data"})
    artifactory.put("generic-local/b", b"", properties={"os": "linux"})
    artifactory.put("other-local/c", b"", properties={"os": "linux", "team": "data"})
    wanted = {"os": "linux", "team": "data"}
    search = make_client().search_property(artifactory.url, wanted, repository=["generic-local"])
    assert [link async for link in search] == [f"{artifactory.url}/api/storage/generic-local/a"]
    everywhere = [link async for link in make_client().search_property(artifactory.url, wanted)]
    assert len(everywhere) == 2
