"""pyartifactory: builds published, listed, described, promoted, renamed and deleted, in its typed models."""

import pytest
from pyartifactory import Artifactory
from pyartifactory.exception import ArtifactoryError, BuildNotFoundError
from pyartifactory.models.build import (
    Artifacts,
    BuildCreateRequest,
    BuildDeleteRequest,
    BuildPromotionRequest,
    BuildProperties,
    BuildSingleModule,
)
from pydantic import ValidationError

STARTED = "2024-06-0{}T12:00:00.000+0200"
FILE = "generic-local/app/app.bin"


@pytest.fixture
def builds(artifactory):
    """The client's functions for builds."""
    return Artifactory(url=artifactory.url, auth=(artifactory.username, artifactory.password)).builds


@pytest.fixture
def publish(artifactory, builds):
    """Publish a run; with an artifact, that is on the server."""

    def publish(number=1, *, artifact=False):
        artifactory.put(FILE, b"content", properties={"build.name": "app", "build.number": "1"})
        checksums = artifactory.checksums(FILE)
        file = Artifacts(name="app.bin", type="bin", sha1=checksums["sha1"], md5=checksums["md5"])
        request = BuildCreateRequest(
            name="app",
            number=str(number),
            started=STARTED.format(number),
            modules=[BuildSingleModule(id="app", artifacts=[file] if artifact else [])],
            properties={"n": str(number)},
        )
        builds.create_build(request)

    return publish


def test_lists(builds, publish):
    """Builds, and the runs of one, the newest first."""
    publish(1)
    publish(2)
    assert [(each.uri, each.lastStarted[:10]) for each in builds.list().builds] == [("/app", "2024-06-02")]
    assert [each.uri for each in builds.get_build_runs("app").buildsNumbers] == ["/2", "/1"]


def test_build_info(builds, publish):
    """What was published, also by its start."""
    publish()
    info = builds.get_build_info("app", "1", BuildProperties(started="2024-06-01T10:00:00.000Z")).buildInfo
    assert (info.name, info.number, info.started) == ("app", "1", STARTED.format(1))
    assert ([module.id for module in info.modules], info.artifactoryPrincipal) == (["app"], "admin")


def test_artifacts_without_path(builds, publish):
    """The client publishes artifacts without paths, and can only read those that have one."""
    publish(artifact=True)
    with pytest.raises(ValidationError, match=r"artifacts\.0\.path"):
        builds.get_build_info("app", "1")


def test_publishing_twice(publish):
    """The client asks before, and refuses to replace a run."""
    publish()
    with pytest.raises(ArtifactoryError, match="already exists"):
        publish()


def test_unknown_builds(builds):
    """404 is an error of its own."""
    for call in (
        lambda: builds.get_build_runs("app"),
        lambda: builds.get_build_info("app", "1"),
        lambda: builds.build_rename("app", "new"),
    ):
        with pytest.raises(BuildNotFoundError, match="No build was found"):
            call()


def test_promotion(artifactory, builds, publish):
    """It moves, since the client sends ``copyArtifact`` and no ``copy``."""
    publish(artifact=True)
    artifactory.create_repository("released")
    request = BuildPromotionRequest(
        status="released", sourceRepo="generic-local", targetRepo="released", copy=True, properties={"k": ["v"]}
    )
    assert builds.promote_build("app", "1", request).messages == []
    assert artifactory.read("released/app/app.bin") == b"content"
    assert artifactory.properties("released/app/app.bin")["k"] == ["v"]


def test_difference(builds, publish):
    """The model has texts where the server, as its sources say, has objects."""
    publish(1)
    publish(2)
    with pytest.raises(ValidationError, match="valid string"):
        builds.build_diff("app", "2", "1")


def test_rename_and_delete(builds, publish):
    """By number, and all."""
    publish(1)
    publish(2)
    builds.build_rename("app", "new")
    builds.delete(BuildDeleteRequest(buildName="new", buildNumbers=["1"]))
    assert [each.uri for each in builds.get_build_runs("new").buildsNumbers] == ["/2"]
    builds.delete(BuildDeleteRequest(buildName="new", deleteAll=True))
    with pytest.raises(BuildNotFoundError):
        builds.get_build_runs("new")
