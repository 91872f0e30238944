"""dohq-artifactory: AQL, properties, copies, moves, archives, and the list of repositories."""

import io
import tarfile
import zipfile

import pytest
from artifactory import ArtifactoryException, ArtifactoryPath

from aioartifact.testing import ThreadedArtifactoryServer


@pytest.fixture
def top(artifactory):
    """The server itself, as administrator."""
    return ArtifactoryPath(artifactory.url, auth=(artifactory.username, artifactory.password))


@pytest.fixture
def root(top):
    """The repository ``generic-local``."""
    return top / "generic-local"


def test_aql(top, tree):
    """A query of parts, sorted and limited, and paths made of its rows."""
    rows = top.aql(
        "items.find",
        {"repo": "generic-local", "path": {"$match": "tree*"}, "name": {"$match": "*.*"}},
        ".include",
        ["repo", "path", "name", "type", "size"],
        ".sort",
        {"$asc": ["path", "name"]},
        ".limit",
        4,
    )
    assert [f"{row['path']}/{row['name']}" for row in rows] == [
        "tree/a.bin",
        "tree/docs/read me.txt",
        "tree/docs/deep/c++.h",
        "tree/docs/deep/ünï.txt",
    ]
    assert top.from_aql(rows[0]).read_bytes() == b"content of a.bin"


def test_aql_by_property(top, artifactory):
    """Properties select, and come along when included."""
    artifactory.put("generic-local/a", b"", properties={"os": ["linux", "win"]})
    artifactory.put("generic-local/b", b"", properties={"os": "mac"})
    (row,) = top.aql("items.find", {"@os": "win"}, ".include", ["name", "repo", "path", "property"])
    assert row["properties"] == [{"key": "os", "value": "linux"}, {"key": "os", "value": "win"}]


def test_aql_that_does_not_parse(top):
    """The bare text of the refusal leaves the client with the status alone, as its users report."""
    with pytest.raises(ArtifactoryException, match="400 Client Error"):
        top.aql("items.find", {"size": {"$gt": 1, "$lt": 2}})


def test_properties(root, artifactory):
    """Read, set, replaced, deleted, one by one and all together."""
    artifactory.put("generic-local/a.bin", b"")
    path = root / "a.bin"
    assert path.properties == {}
    path.set_properties({"os": ["linux", "win"], "note": "a=b,c;d|e\\f"})
    assert artifactory.properties("generic-local/a.bin") == {"os": ["linux", "win"], "note": ["a=b,c;d|e\\f"]}
    path.update_properties({"os": "mac", "note": None})
    assert path.properties == {"os": ["mac"]}
    path.properties = {"team": ["data"]}
    assert path.properties == {"team": ["data"]}
    path.del_properties("team")
    del path.properties
    assert path.properties == {}


def test_properties_by_the_address(root, artifactory):
    """The older calls that carry properties in the query, with every character that needs a backslash."""
    artifactory.put("generic-local/a.bin", b"")
    path, accessor = root / "a.bin", root._accessor
    accessor.set_properties(path, {"os": ["linux", "win"], "note": "a=b,c|d", "empty": ""}, recursive=False)
    assert path.properties == {"os": ["linux", "win"], "note": ["a=b,c|d"], "empty": [""]}
    accessor.del_properties(path, ["note", "empty", "missing"], recursive=False)
    assert path.properties == {"os": ["linux", "win"]}


def test_properties_of_a_folder(root, tree, artifactory):
    """Recursive ones reach everything below, others stay."""
    (root / "tree/docs").set_properties({"kind": "doc"})
    (root / "tree").set_properties({"top": "yes"}, recursive=False)
    assert artifactory.properties("generic-local/tree/docs/deep/c++.h") == {"kind": ["doc"]}
    assert artifactory.properties("generic-local/tree") == {"top": ["yes"]}
    assert artifactory.properties("generic-local/tree/a.bin") == {}


@pytest.mark.parametrize("verb", ["copy", "move"])
def test_copy_and_move(root, tree, artifactory, verb):
    """A file to a name, a folder into a folder, and nothing in a dry run."""
    artifactory.create_repository("other-local")
    other = ArtifactoryPath(f"{artifactory.url}/other-local", session=root.session)
    act = getattr(ArtifactoryPath, verb)
    assert act(root / "tree/a.bin", other / "b.bin", dry_run=True)["messages"]
    assert not artifactory.exists("other-local/b.bin")
    act(root / "tree/a.bin", other / "b.bin")
    assert artifactory.read("other-local/b.bin") == b"content of a.bin"
    act(root / "tree/docs", other / "docs", suppress_layouts=True)
    assert artifactory.read("other-local/docs/deep/ünï.txt") == b"content of docs/deep/\xc3\xbcn\xc3\xaf.txt"
    assert artifactory.exists("generic-local/tree/docs") == (verb == "copy")
    assert artifactory.exists("generic-local/tree/a.bin") == (verb == "copy")


def test_copy_of_nothing(root):
    """The server's answer becomes an error."""
    with pytest.raises(ArtifactoryException):
        (root / "missing").copy(root / "new")


def test_copy_to_another_server(root, artifactory, make_file):
    """The client pipes the stream of one into a deploy on the other, with checksums."""
    artifactory.put_synthetic("generic-local/a.bin", 200_000)
    with ThreadedArtifactoryServer() as other:
        target = ArtifactoryPath(f"{other.url}/generic-local/b.bin", auth=(other.username, other.password))
        (root / "a.bin").copy(target)
        assert other.read("generic-local/b.bin") == artifactory.read("generic-local/a.bin")


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tgz"])
def test_folder_as_archive(root, tree, kind, artifactory):
    """Where that is switched on, the archive holds the files below the folder."""
    artifactory.enable_folder_download()
    content = io.BytesIO((root / "tree").download_folder_archive(kind).read())
    if kind == "zip":
        with zipfile.ZipFile(content) as archive:
            names = archive.namelist()
    else:
        with tarfile.open(fileobj=content) as archive:
            names = [each.name for each in archive if each.isfile()]
    assert sorted(name for name in names if not name.endswith("/")) == sorted(tree)


def test_folder_as_archive_where_that_is_switched_off(root, tree):
    """As on a new server: the refusal's words are the error's."""
    with pytest.raises(ArtifactoryException, match="Download Folder functionality is disabled"):
        (root / "tree").download_folder_archive()


def test_explode_archive(root, artifactory, make_file):
    """The entries are deployed beside each other, the archive is not."""
    path = make_file("all.zip")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "one")
        file.writestr("deep/b.txt", "two")
    (root / "exploded/all.zip").deploy_file(path, explode_archive=True)
    assert artifactory.read("generic-local/exploded/deep/b.txt") == b"two"
    assert not artifactory.exists("generic-local/exploded/all.zip")


def test_repositories(top, artifactory):
    """The list, and the settings of one."""
    artifactory.create_repository("libs", package_type="maven", layout="maven-2-default", description="Libraries")
    assert [each.name for each in top.get_repositories(lazy=True)] == ["generic-local", "libs"]
    libs = top.find_repository_local("libs")
    assert (libs.package_type, libs.description, libs.repo_layout_ref) == ("maven", "Libraries", "maven-2-default")
    assert top.find_repository_local("missing") is None


def test_virtual_and_remote_repositories(top, artifactory):
    """A virtual repository answers under its own key, with what its members have or can fetch; it takes deploys."""
    with ThreadedArtifactoryServer() as upstream:
        upstream.put("generic-local/far.bin", b"from afar")
        artifactory.create_repository(
            "mirror",
            kind="remote",
            url=f"{upstream.url}/generic-local",
            username=upstream.username,
            password=upstream.password,
        )
        artifactory.create_repository(
            "all", kind="virtual", members=("generic-local", "mirror"), deploy_to="generic-local"
        )
        everything = top / "all"
        (everything / "near.bin").write_bytes(b"from here")
        assert artifactory.read("generic-local/near.bin") == b"from here"
        assert not (everything / "far.bin").exists()  # storage info knows caches, not what could be fetched
        assert (everything / "far.bin").read_bytes() == b"from afar"
        assert (everything / "far.bin").stat().repo == "all"
        assert (top / "mirror/far.bin").stat().repo == "mirror-cache"
        assert sorted(each.name for each in everything) == ["far.bin", "near.bin"]
        virtual = top.find_repository_virtual("all")
        assert [each.name for each in virtual.repositories] == ["generic-local", "mirror"]
        assert virtual.default_deployment_repo_name == "generic-local"
        assert top.find_repository_remote("mirror").url == f"{upstream.url}/generic-local"
