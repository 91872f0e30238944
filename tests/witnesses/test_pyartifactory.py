"""pyartifactory 2.11.2: artifacts, properties, repositories, keys and tokens, read into its typed models."""

import pytest
from pyartifactory import Artifactory
from pyartifactory.exception import (
    ArtifactNotFoundError,
    ArtifactoryError,
    BadPropertiesError,
    PropertyNotFoundError,
    RepositoryNotFoundError,
)
from pyartifactory.models import LocalRepository

from aioartifact.testing import ThreadedArtifactoryServer


@pytest.fixture
def client(artifactory):
    return Artifactory(url=artifactory.url, auth=(artifactory.username, artifactory.password))


@pytest.fixture
def artifacts(client):
    return client.artifacts


def test_info(artifacts, artifactory, tree):
    """Folder Info and File Info fit the client's models."""
    folder = artifacts.info("generic-local/tree")
    file = artifacts.info("generic-local/tree/docs/read me.txt")
    assert [(each.uri, each.folder) for each in folder.children] == [("/docs", True), ("/src", True), ("/a.bin", False)]
    assert (file.path, file.size) == ("/tree/docs/read me.txt", len("content of docs/read me.txt"))
    assert file.checksums.model_dump() == artifactory.checksums("generic-local/tree/docs/read me.txt")
    assert file.created.tzinfo is not None
    with pytest.raises(ArtifactNotFoundError):
        artifacts.info("generic-local/missing")


def test_deploy_file(artifacts, artifactory, make_file):
    """The length of the MD5 in ``X-Checksum`` identifies it; raw matrix parameters become properties."""
    info = artifacts.deploy(make_file(), "generic-local/a/tool.bin", properties={"os": ["linux", "win"], "n": ["a b"]})
    assert info.originalChecksums.model_dump() == artifactory.checksums("generic-local/a/tool.bin")
    assert artifactory.properties("generic-local/a/tool.bin") == {"os": ["linux", "win"], "n": ["a b"]}


def test_deploy_folder_and_download_it_again(artifacts, artifactory, make_file, tmp_path):
    """A tree goes up and comes down the same; names with blanks, signs and umlauts too."""
    contents = {name: name.encode() for name in ("a.bin", "deep/read me.txt", "deep/c++ (1).txt", "ünï.txt")}
    for name, data in contents.items():
        make_file(f"up/{name}", data)
    artifacts.deploy(tmp_path / "up", "generic-local/tree")
    assert {name: artifactory.read(f"generic-local/tree/{name}") for name in contents} == contents
    target = tmp_path / "down"
    target.mkdir()
    folder = artifacts.download("generic-local/tree", str(target))
    assert folder == target / "tree"
    fetched = {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    assert fetched == contents


def test_deploy_by_checksum(artifacts, artifactory, make_file):
    """Content the server has is taken over; content it lacks is 404."""
    artifactory.put("generic-local/a.bin", b"content")
    artifacts.deploy(make_file(), "generic-local/b.bin", checksum_enabled=True)
    assert artifactory.read("generic-local/b.bin") == b"content"
    with pytest.raises(ArtifactNotFoundError):
        artifacts.deploy(make_file("other.bin", b"other"), "generic-local/c.bin", checksum_enabled=True)
    assert not artifactory.exists("generic-local/c.bin")


def test_list(artifacts, tree):
    """The File List fits the models: numbers for sizes, -1 for folders."""
    deep = artifacts.list("generic-local/tree")
    assert sorted(each.uri.lstrip("/") for each in deep.files if not each.folder) == sorted(tree)
    assert {each.size for each in deep.files if each.folder} == {-1}
    flat = artifacts.list("generic-local/tree", recursive=False, list_folders=False)
    assert [each.uri for each in flat.files] == ["/a.bin"]
    shallow = artifacts.list("generic-local/tree", depth=2, list_folders=False)
    assert sorted(each.uri for each in shallow.files) == ["/a.bin", "/docs/read me.txt", "/src/x.py"]
    with pytest.raises(ArtifactNotFoundError):
        artifacts.list("generic-local/missing")
    with pytest.raises(ArtifactoryError):
        artifacts.list("generic-local/tree/a.bin")


def test_stream_and_stats(artifacts, artifactory):
    """Chunks add up to the file; the download is counted."""
    artifactory.put_synthetic("generic-local/a.bin", 100_000)
    assert b"".join(artifacts.stream("generic-local/a.bin")) == artifactory.read("generic-local/a.bin")
    stats = artifacts.stats("generic-local/a.bin")
    assert (stats.downloadCount, stats.lastDownloadedBy) == (1, "admin")
    assert stats.uri == f"{artifactory.url}/generic-local/a.bin"


def test_properties(artifacts, artifactory):
    """Set in the query, updated by PATCH, some or all of them read."""
    artifactory.put("generic-local/a.bin", b"")
    with pytest.raises(PropertyNotFoundError):
        artifacts.properties("generic-local/a.bin")
    answer = artifacts.set_properties("generic-local/a.bin", {"os": ["linux", "win"], "team": ["data"]})
    assert answer.properties == {"os": ["linux", "win"], "team": ["data"]}
    assert artifacts.properties("generic-local/a.bin", ["team", "missing"]).properties == {"team": ["data"]}
    answer = artifacts.update_properties("generic-local/a.bin", {"os": ["mac"], "team": None})
    assert answer.properties == {"os": ["mac"]}


def test_properties_that_are_refused(artifacts, artifactory):
    """A key with a space is 400, a missing item 404, and the client distinguishes them."""
    artifactory.put("generic-local/a.bin", b"")
    with pytest.raises(BadPropertiesError):
        artifacts.set_properties("generic-local/a.bin", {"a key": ["x"]})
    with pytest.raises(ArtifactNotFoundError):
        artifacts.set_properties("generic-local/missing", {"key": ["x"]})


def test_copy_move_delete(artifacts, artifactory):
    """A file is copied, moved and deleted; a target without a slash in front is understood."""
    artifactory.put("generic-local/a.bin", b"content", properties={"os": "linux"})
    assert artifacts.copy("generic-local/a.bin", "generic-local/b/b.bin").size == 7
    assert artifactory.properties("generic-local/b/b.bin") == {"os": ["linux"]}
    assert artifacts.move("generic-local/a.bin", "generic-local/c.bin").path == "/c.bin"
    assert not artifactory.exists("generic-local/a.bin")
    artifacts.delete("generic-local/c.bin")
    assert not artifactory.exists("generic-local/c.bin")


def test_repositories(client, artifactory):
    """Made, read, changed, listed, deleted."""
    repositories = client.repositories
    made = repositories.create_repo(LocalRepository(key="libs", packageType="maven", description="Libraries"))
    assert (made.key, made.rclass.value, made.packageType.value) == ("libs", "local", "maven")
    changed = repositories.update_repo(LocalRepository(key="libs", packageType="maven", description="Other"))
    assert changed.description == "Other"
    assert [each.key for each in repositories.list()] == ["generic-local", "libs"]
    artifactory.put("libs/a", b"")
    repositories.delete("libs")
    with pytest.raises(RepositoryNotFoundError):
        repositories.get_repo("libs")


def test_api_key(client, artifactory):
    """Made, shown, made anew, revoked."""
    artifactory.add_user("ann", password="pw")
    security = Artifactory(url=artifactory.url, auth=("ann", "pw")).security
    first = security.create_api_key().apiKey.get_secret_value()
    assert security.get_api_key().apiKey.get_secret_value() == first
    assert security.regenerate_api_key().apiKey.get_secret_value() != first
    security.revoke_api_key()


def test_access_token():
    """A token of the Access service, below the platform's address, opens the server until it is revoked."""
    with ThreadedArtifactoryServer(profile="7.x") as server:
        server.put("generic-local/a.bin", b"content")
        platform = Artifactory(url=server.origin, access_token=server.token)
        token = platform.security.create_access_token("admin", expires_in=600)
        assert (token.token_type, token.expires_in) == ("Bearer", 600)
        client = Artifactory(url=server.url, access_token=token.access_token)
        assert client.artifacts.info("generic-local/a.bin").size == 7
        assert platform.security.revoke_access_token(token.access_token)
        with pytest.raises(ArtifactoryError) as caught:
            client.artifacts.info("generic-local/a.bin")
        assert caught.value.__cause__.response.status_code == 401
