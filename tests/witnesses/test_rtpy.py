"""rtpy: the calls of its categories that the server serves."""

import pytest
import requests
from rtpy import Rtpy


@pytest.fixture
def client(artifactory):
    with requests.Session() as session:
        yield Rtpy(
            {
                "af_url": artifactory.url,
                "username": artifactory.username,
                "password": artifactory.password,
                "session": session,
            }
        )


@pytest.fixture
def deployed(client, make_file):
    """A file that it has deployed."""
    client.artifacts_and_storage.deploy_artifact("generic-local", str(make_file()), "a/tool.bin")
    return client.artifacts_and_storage


def test_system(client, artifactory):
    assert client.system_and_configuration.system_health_ping() == "OK"
    assert client.system_and_configuration.version_and_addons_information()["version"] in ("6.20.0", "7.90.8")
    assert artifactory.unknown_endpoints == []


def test_information(deployed, artifactory):
    """What it says of a file and of its folder."""
    assert deployed.file_info("generic-local", "a/tool.bin")["size"] == "7"
    assert [each["uri"] for each in deployed.folder_info("generic-local", "a")["children"]] == ["/tool.bin"]
    assert deployed.item_last_modified("generic-local", "a")["uri"].endswith("/a/tool.bin")
    assert deployed.file_statistics("generic-local", "a/tool.bin")["downloadCount"] == 0
    assert deployed.file_list("generic-local", "a")["files"][0]["uri"] == "/tool.bin"
    assert deployed.get_storage_summary_info()["repositoriesSummaryList"]
    assert artifactory.unknown_endpoints == []


def test_properties(deployed):
    deployed.set_item_properties("generic-local", "a/tool.bin", "os=linux,win;arch=x86")
    assert deployed.item_properties("generic-local", "a/tool.bin")["properties"] == {
        "arch": ["x86"],
        "os": ["linux", "win"],
    }
    deployed.delete_item_properties("generic-local", "a/tool.bin", "os")
    assert deployed.item_properties("generic-local", "a/tool.bin")["properties"] == {"arch": ["x86"]}


def test_content(deployed, artifactory):
    """Downloads, deploys by checksum (it writes ``True``), copies, moves, folders, deletions."""
    assert deployed.retrieve_artifact("generic-local", "a/tool.bin").content == b"content"
    sha1 = artifactory.checksums("generic-local/a/tool.bin")["sha1"]
    deployed.deploy_artifact_by_checksum("generic-local", "b.bin", "sha1", sha1)
    assert artifactory.read("generic-local/b.bin") == b"content"
    deployed.copy_item("generic-local", "a", "generic-local", "copied")
    deployed.move_item("generic-local", "b.bin", "generic-local", "moved.bin")
    deployed.create_directory("generic-local", "folder")
    found = {path: artifactory.exists(f"generic-local/{path}") for path in ("copied/tool.bin", "moved.bin", "b.bin")}
    assert found == {"copied/tool.bin": True, "moved.bin": True, "b.bin": False}
    deployed.delete_item("generic-local", "copied")
    assert not artifactory.exists("generic-local/copied")
    assert artifactory.exists("generic-local/folder")
    assert artifactory.unknown_endpoints == []


def test_archive_of_a_folder(deployed, artifactory):
    artifactory.enable_folder_download()
    answer = deployed.retrieve_folder_or_repository_archive("generic-local", "a", "zip")
    assert answer.content.startswith(b"PK")


def test_errors_are_its_own(client):
    with pytest.raises(client.artifacts_and_storage.AfApiError, match="404"):
        client.artifacts_and_storage.file_info("generic-local", "missing")


@pytest.mark.usefixtures("deployed")
def test_searches(client, artifactory):
    query = 'items.find({"name":"tool.bin"}).include("name")'
    assert client.searches.artifactory_query_language(query)["results"] == [{"name": "tool.bin"}]
    assert artifactory.unknown_endpoints == []


def test_repositories(client, artifactory):
    repositories = client.repositories
    repositories.create_repository({"key": "made-local", "rclass": "local", "packageType": "generic"})
    assert "made-local" in [each["key"] for each in repositories.get_repositories()]
    repositories.update_repository_configuration({"key": "made-local", "description": "changed"})
    assert repositories.repository_configuration("made-local")["description"] == "changed"
    repositories.delete_repository("made-local")
    assert not artifactory.has_repository("made-local")


def test_security(client, artifactory):
    """Users, groups and permission targets."""
    security = client.security
    security.create_or_replace_group({"group_name": "team", "description": "us"})
    assert security.get_group_details("team")["description"] == "us"
    user = {"name": "ann", "email": "ann@example.com", "password": "Pa55word!", "groups": ["team"]}
    security.create_or_replace_user(user)
    assert security.get_user_details("ann")["groups"] == ["team"]
    assert {"ann", "admin"} <= {each["name"] for each in security.get_users()}
    target = {
        "name": "target",
        "repositories": ["generic-local"],
        "principals": {"groups": {"team": ["r"]}},
    }
    security.create_or_replace_permission_target(target)
    assert security.get_permission_target_details("target")["principals"]["groups"] == {"team": ["r"]}
    artifactory.put("generic-local/a", b"content")
    url = f"{artifactory.url}/generic-local/a"
    assert requests.get(url, auth=("ann", "Pa55word!"), timeout=60).content == b"content"
    security.delete_permission_target("target")
    assert requests.get(url, auth=("ann", "Pa55word!"), timeout=60).status_code == 403
    security.delete_user("ann")
    security.delete_group("team")
    assert artifactory.unknown_endpoints == []
