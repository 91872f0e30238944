"""dohq-artifactory 1.0.2: its path objects used as one uses pathlib."""

import hashlib
import io
from datetime import UTC, datetime

import pytest
from artifactory import ArtifactoryException, ArtifactoryPath, walk


@pytest.fixture
def root(artifactory):
    """The repository ``generic-local``, as administrator."""
    auth = (artifactory.username, artifactory.password)
    return ArtifactoryPath(f"{artifactory.url}/generic-local", auth=auth)


def test_stat_of_a_file(root, artifactory):
    """Every field of File Info is found and parsed."""
    created, modified = datetime(2024, 3, 5, 10, 12, 31, tzinfo=UTC), datetime(2024, 3, 6, tzinfo=UTC)
    artifactory.put("generic-local/a/tool.jar", b"content", created=created, modified=modified)
    stat = (root / "a/tool.jar").stat()
    assert (stat.ctime, stat.mtime, stat.size, stat.is_dir) == (created, modified, 7, False)
    assert (stat.repo, stat.mime_type, stat.created_by) == ("generic-local", "application/java-archive", "admin")
    assert {name: getattr(stat, name) for name in ("sha1", "md5", "sha256")} == artifactory.checksums(
        "generic-local/a/tool.jar"
    )
    assert stat.children is None


def test_stat_of_a_folder(root, tree):
    """A folder has children, folders first, and no size."""
    stat = (root / "tree").stat()
    assert (stat.is_dir, stat.size, stat.children) == (True, 0, ["docs", "src", "a.bin"])


@pytest.mark.parametrize(
    ("path", "exists", "is_dir", "is_file"),
    [("tree", True, True, False), ("tree/a.bin", True, False, True), ("tree/b.bin", False, False, False)],
)
def test_questions(root, tree, path, exists, is_dir, is_file):
    """The 404 of the storage API is the one the client takes for absence."""
    path = root / path
    assert (path.exists(), path.is_dir(), path.is_file()) == (exists, is_dir, is_file)


def test_listing(root, tree):
    """Iterating, walking and globbing find the same tree."""
    top = root / "tree"
    assert [each.name for each in top] == ["docs", "src", "a.bin"]
    walked = [f"{folder}/{name}" for folder, _, names in walk(top) for name in names]
    assert sorted(walked) == sorted(str(top / name) for name in tree)
    assert sorted(map(str, top.glob("**/*.h"))) == [str(top / "docs/deep/c++.h")]
    assert sorted(each.name for each in top.rglob("*") if each.is_file()) == sorted(
        name.rpartition("/")[2] for name in tree
    )
    with pytest.raises(NotADirectoryError):
        list(top / "a.bin")


def test_content(root, artifactory):
    """Text, bytes and a stream go up and come down again."""
    path = root / "a/ünï.txt"
    path.write_text("grüße")
    assert artifactory.read("generic-local/a/ünï.txt") == "grüße".encode()
    assert path.read_bytes() == "grüße".encode()
    assert path.read_text(encoding="utf-8") == "grüße"
    with path.open() as stream:
        assert stream.read() == "grüße".encode()


def test_writeto_reports_the_size(root, artifactory):
    """``Content-Length`` is there for the progress to count to."""
    artifactory.put_synthetic("generic-local/big.bin", 2_500_000)
    target, seen = io.BytesIO(), []
    (root / "big.bin").writeto(target, chunk_size=1 << 20, progress_func=lambda *counts: seen.append(counts))
    assert target.getvalue() == artifactory.read("generic-local/big.bin")
    assert seen[-1] == (2_500_000, 2_500_000)


def test_folders_and_empty_files(root, artifactory):
    """Folders are made with their parents and removed with what is in them; touch makes an empty file once."""
    folder = root / "a/b/c"
    folder.mkdir()
    with pytest.raises(FileExistsError):
        folder.mkdir()
    folder.mkdir(exist_ok=True)
    (folder / "empty").touch()
    (folder / "empty").touch()
    assert artifactory.read("generic-local/a/b/c/empty") == b""
    (root / "a").rmdir()
    assert not artifactory.exists("generic-local/a")


def test_unlink(root, tree, artifactory):
    """Files and folders go; what is not there is missed before the request."""
    (root / "tree/a.bin").unlink()
    (root / "tree/docs").unlink()
    assert [each.name for each in root / "tree"] == ["src"]
    with pytest.raises(FileNotFoundError):
        (root / "tree/a.bin").unlink()
    (root / "tree/a.bin").unlink(missing_ok=True)
    assert artifactory.count("DELETE") == 2


def test_unlink_without_permission(artifactory):
    """The server refuses; the client keeps that to itself unless it is a 404."""
    artifactory.add_user("reader", password="pw")
    artifactory.grant("reader", "generic-local", "r")
    artifactory.put("generic-local/a", b"")
    ArtifactoryPath(f"{artifactory.url}/generic-local/a", auth=("reader", "pw")).unlink()
    assert [each.status for each in artifactory.requests] == [200, 403]
    assert artifactory.exists("generic-local/a")


def test_deploy_file(root, artifactory, make_file):
    """A file goes into a folder under its own name, with properties and verified checksums."""
    (root / "a").mkdir()
    (root / "a").deploy_file(make_file("tool.bin"), parameters={"os": ["linux", "win"], "team": "a b"})
    assert artifactory.read("generic-local/a/tool.bin") == b"content"
    assert artifactory.properties("generic-local/a/tool.bin") == {"os": ["linux", "win"], "team": ["a b"]}


def test_deploy_by_checksum(root, artifactory):
    """Known content needs no body; unknown content is 404 with the server's words."""
    artifactory.put("generic-local/a.bin", b"content")
    sums = artifactory.checksums("generic-local/a.bin")
    (root / "by-sha1.bin").deploy_by_checksum(sha1=sums["sha1"])
    (root / "by-sha256.bin").deploy_by_checksum(sha256=sums["sha256"])
    (root / "by-either.bin").deploy_by_checksum(checksum=sums["sha256"])
    assert artifactory.read("generic-local/by-either.bin") == b"content"
    unknown = hashlib.sha256(b"unknown").hexdigest()
    with pytest.raises(ArtifactoryException, match=f"No existing file with SHA-256: {unknown}"):
        (root / "unknown.bin").deploy_by_checksum(sha256=unknown)


def test_statistics_and_people(root, artifactory):
    """Downloads are counted with their time and user."""
    artifactory.put("generic-local/a.bin", b"content")
    path = root / "a.bin"
    assert path.download_stats().download_count == 0
    path.read_bytes()
    stats = path.download_stats()
    assert (stats.download_count, stats.last_downloaded_by) == (1, "admin")
    assert stats.last_downloaded.year >= 2024
    assert root._accessor.owner(path) == root._accessor.creator(path) == "admin"


def test_checksum_siblings(root, artifactory):
    """The sibling holds the digest, also one that was uploaded on its own."""
    artifactory.put("generic-local/a.bin", b"content", original=False)
    sha1 = artifactory.checksums("generic-local/a.bin")["sha1"]
    assert not (root / "a.bin.sha1").exists()
    (root / "a.bin.sha1").deploy(io.BytesIO(sha1.encode()))
    assert (root / "a.bin.sha1").read_text() == sha1


@pytest.mark.parametrize("hides", [False, True])
def test_missing_and_forbidden(hides):
    """Forbidden is an error with a reason; hidden, it is the same error with another."""
    from aioartifact.testing import ThreadedArtifactoryServer

    with ThreadedArtifactoryServer(hide_unauthorized=hides) as server:
        server.add_user("reader", password="pw")
        server.put("generic-local/a", b"")
        path = ArtifactoryPath(f"{server.url}/generic-local/a", auth=("reader", "pw"))
        with pytest.raises(ArtifactoryException, match="Resource not found" if hides else "is forbidden for user"):
            path.stat()
