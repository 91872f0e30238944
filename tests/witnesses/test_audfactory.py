"""audfactory 1.0.15, the ancestor: one test for each of its functions, and for what its own tests pin."""

import zipfile

import artifactory as dohq_artifactory
import audfactory
import pytest

GROUP = "com.example.data"
FOLDER = "generic-local/com/example/data/db"


@pytest.fixture
def server(artifactory_env):
    return artifactory_env


@pytest.fixture
def base(server):
    """URL of the artifact's folder."""
    return audfactory.url(server.url, repository="generic-local", group_id=GROUP, name="db")


def test_deploy_makes_the_folder_and_sends_checksums(server, base, make_file):
    """Two questions about the folder, the folder, the file; the server verified three checksums."""
    assert audfactory.deploy(str(make_file()), f"{base}/1.0.0/db-1.0.0.bin") == f"{base}/1.0.0/db-1.0.0.bin"
    storage = f"api/storage/{FOLDER}/1.0.0"
    put = f"PUT {FOLDER}/1.0.0"
    server.assert_requests([f"GET {storage}", f"GET {storage}", put, f"{put}/db-1.0.0.bin"])
    assert server.read(f"{FOLDER}/1.0.0/db-1.0.0.bin") == b"content"
    assert {"x-checksum-md5", "x-checksum-sha1", "x-checksum-sha256"} <= server.requests[-1].headers.keys()


def test_deploy_with_parameters(server, base, make_file):
    """Parameters become properties, quoted as the client quotes them."""
    parameters = {"team": "data", "note": "a b+c;d", "os": ["linux", "win"]}
    audfactory.deploy(str(make_file()), f"{base}/1.0.0/db.bin", parameters=parameters)
    assert server.properties(f"{FOLDER}/1.0.0/db.bin") == {
        "team": ["data"],
        "note": ["a b+c;d"],
        "os": ["linux", "win"],
    }


def test_deploy_with_a_wrong_checksum(server, base, make_file):
    """The server refuses, and the client lifts its words into the error."""
    with pytest.raises(
        dohq_artifactory.ArtifactoryException, match="Checksum policy 'LocalRepoChecksumPolicy: CLIENT'"
    ):
        audfactory.deploy(str(make_file()), f"{base}/db.bin", sha1="0" * 40)
    assert not server.exists(f"{FOLDER}/db.bin")


def test_deploy_of_a_missing_file(server, base):
    """It is missed before anything is asked."""
    with pytest.raises(FileNotFoundError):
        audfactory.deploy("missing.bin", f"{base}/db.bin")
    server.assert_requests([])


def test_path_lists_children(server, base):
    """Children are full URLs, folders first."""
    server.put(f"{FOLDER}/1.0.0/db.zip", b"")
    server.put(f"{FOLDER}/readme.txt", b"")
    assert [str(each) for each in audfactory.path(base)] == [f"{base}/1.0.0", f"{base}/readme.txt"]


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_checksum_of_both_sides(server, base, make_file, kind):
    """The server's checksum and that of the local file are the same."""
    path = make_file("db.bin", b"some bytes")
    server.put(f"{FOLDER}/db.bin", path)
    assert audfactory.checksum(f"{base}/db.bin", type=kind) == audfactory.checksum(str(path), type=kind)


def test_checksum_of_a_missing_file(base):
    """404 with the words the client looks for."""
    with pytest.raises(RuntimeError, match="File not found:"):
        audfactory.checksum(f"{base}/missing.bin")


def test_versions(server):
    """One request; only what looks like a semantic version, in the client's order."""
    for name in ("1.0.0", "v1.9.0", "1.10.0", "1.2.0-rc1", "media", "1.2"):
        server.put(f"{FOLDER}/{name}/db.zip", b"")
    assert audfactory.versions(server.url, "generic-local", GROUP, "db") == [
        "1.0.0",
        "1.2.0-rc1",
        "v1.9.0",
        "1.10.0",
    ]
    server.assert_requests([f"GET api/storage/{FOLDER}"])


@pytest.mark.parametrize(("user", "statuses"), [("admin", [404]), ("stranger", [401])])
def test_versions_where_there_are_none(server, monkeypatch, user, statuses):
    """A missing folder and wrong credentials are both an empty list to this client, 404 and 401 to the server."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", user)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", "password")
    assert audfactory.versions(server.url, "generic-local", "no.such.group", "db") == []
    assert [each.status for each in server.requests] == statuses


def test_download_into_a_folder_and_to_a_name(server, base, tmp_path):
    """The size of File Info is what the client counts to; a target that is there needs no request if not forced."""
    server.put_synthetic(f"{FOLDER}/db.bin", 300_000)
    path = audfactory.download(f"{base}/db.bin", str(tmp_path))
    assert path == str(tmp_path / "db.bin")
    assert (tmp_path / "db.bin").read_bytes() == server.read(f"{FOLDER}/db.bin")
    server.assert_requests([*[f"GET api/storage/{FOLDER}/db.bin"] * 2, f"GET {FOLDER}/db.bin"])
    server.clear_log()
    assert audfactory.download(f"{base}/db.bin", path, force_download=False) == path
    server.assert_requests([])


def test_download_of_nothing(base, tmp_path):
    """A missing artifact is the client's RuntimeError, not a file."""
    with pytest.raises(RuntimeError, match="does not exist"):
        audfactory.download(f"{base}/missing.bin", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["a b.txt", "c++.txt", "c#.txt", "100%.txt", "x;y.txt", "ünï 日本.txt", "it's (1)&.txt"]
)
def test_names_that_need_quoting(server, base, make_file, name):
    """What one call deploys under a name the others find under it, and so does the server."""
    audfactory.deploy(str(make_file()), f"{base}/{name}")
    assert server.read(f"{FOLDER}/{name}") == b"content"
    assert [str(each) for each in audfactory.path(base)] == [f"{base}/{name}"]
    assert audfactory.path(f"{base}/{name}").exists()


def test_rest_api_get_of_an_archive_entry(server, base, make_file):
    """``archive.zip!/entry`` is the entry's bytes (the client's main use of the call)."""
    archive = make_file("db.zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("tables/db.csv", "file,age\na.wav,7\n")
    server.put(f"{FOLDER}/db.zip", archive)
    response = audfactory.rest_api_get(f"{base}/db.zip!/tables/db.csv")
    assert (response.status_code, response.text) == (200, "file,age\na.wav,7\n")
    assert audfactory.rest_api_get(f"{base}/db.zip!/missing").status_code == 404


def test_rest_api_get_of_the_version(server):
    """Any call of the API, with the client's credentials."""
    assert audfactory.rest_api_get(f"{server.url}/api/system/version").json()["version"]


def test_credentials_from_the_configuration_file(artifactory, home, monkeypatch):
    """User and password of the section for the server are sent as Basic credentials."""
    section = artifactory.url.removeprefix("http://")
    (home / ".artifactory_python.cfg").write_text(f"[{section}]\nusername = admin\npassword = password\n", "utf-8")
    monkeypatch.setattr(dohq_artifactory, "global_config", None)
    artifactory.put("generic-local/db/1.0.0/db.zip", b"")
    assert audfactory.versions(artifactory.url, "generic-local", "", "db") == ["1.0.0"]
    assert artifactory.requests[0].had_credentials
