"""dohq-artifactory: builds, their runs, documents, differences and promotions, as its integration tests use them."""

import pytest
import requests
from artifactory import ArtifactoryBuildManager, ArtifactoryException

FILE = "generic-local/app.bin"
NAME = "maven-demo/1 build"


@pytest.fixture
def publish(artifactory):
    """Publish two runs of a build; the artifact of the first is on the server."""

    def publish(name):
        artifactory.put(FILE, b"content", properties={"build.name": name, "build.number": "1"})
        auth = (artifactory.username, artifactory.password)
        for number in ("1", "2"):
            artifact = {"name": "app.bin", "type": "bin"} | artifactory.checksums(FILE)
            dependency = {"id": "lib", "type": "jar", "sha1": number * 40, "scopes": ["compile"]}
            module = {"id": "app", "artifacts": [artifact], "dependencies": [dependency]}
            document = {"name": name, "number": number, "started": f"2024-06-0{number}T12:00:00.000+0200"}
            document |= {"version": "1.0.1", "modules": [module], "properties": {"n": number}}
            requests.put(f"{artifactory.url}/api/build", json=document, auth=auth, timeout=10).raise_for_status()
        (build,) = ArtifactoryBuildManager(artifactory.url, auth=auth).builds
        assert (build.name, build.last_started[:10]) == (name, "2024-06-02")
        return build.runs

    return publish


@pytest.fixture
def runs(publish):
    """The runs of a build whose name has a slash, the newest first."""
    return publish(NAME)


def test_runs(runs):
    """Listed, and described as they were published."""
    assert [(run.run_number, run.started[:10]) for run in runs] == [("2", "2024-06-02"), ("1", "2024-06-01")]
    assert runs[0].info["buildInfo"]["number"] == "2"


def test_difference(runs):
    """Artifacts are unchanged, dependencies and properties updated."""
    found = runs[0].diff("1")
    assert [len(found["artifacts"][kind]) for kind in ("unchanged", "updated")] == [1, 0]
    assert [each["id"] for each in found["dependencies"]["updated"]] == ["lib"]
    assert found["properties"]["updated"] == [{"key": "n", "value": "2", "diffValue": "1"}]


def test_promotion(artifactory, publish):
    """Copied to another repository; the document has the status, at the time of the client."""
    runs = publish("app")
    artifactory.create_repository("released")
    runs[1].promote(
        ci_user="ci", properties={"stage": ["released"]}, status="released", target_repo="released", require_copy=True
    )
    assert artifactory.properties("released/app.bin")["stage"] == ["released"]
    assert artifactory.read(FILE) == b"content"
    (status,) = runs[1].info["buildInfo"]["statuses"]
    assert (status["status"], status["ciUser"], status["repository"]) == ("released", "ci", "released")


def test_promotion_of_an_encoded_name(runs):
    """The client encodes the name twice here, and the server decodes it once."""
    with pytest.raises(ArtifactoryException, match="Cannot find build by the name 'maven-demo%2F1%20build'"):
        runs[1].promote(ci_user="ci", properties={})


@pytest.mark.parametrize("artifactory", ["6.20"], indirect=True)
def test_projects_of_old_servers(artifactory, runs):
    """6.20 has no projects: builds of one are builds like all others."""
    auth = (artifactory.username, artifactory.password)
    manager = ArtifactoryBuildManager(artifactory.url, auth=auth, project="team")
    assert [build.name for build in manager.builds] == [NAME]


@pytest.mark.parametrize("artifactory", ["7.x"], indirect=True)
def test_projects(artifactory, runs):
    """In 7.x a project has builds of its own; without any, the answer is 404."""
    auth = (artifactory.username, artifactory.password)
    manager = ArtifactoryBuildManager(artifactory.url, auth=auth, project="team")
    with pytest.raises(ArtifactoryException, match="No builds were found"):
        _ = manager.builds
