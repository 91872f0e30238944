"""
Maven deploys to the server and resolves from it: releases, ranges, snapshots.

It fetches its own plugins from Maven's central repository, so it needs Java, Maven and that repository.
"""

import shutil
import subprocess
from xml.sax.saxutils import escape

import pytest

from aioartifact.testing import ThreadedArtifactoryServer

DEPLOY = "org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy-file"
GET = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get"
SETTINGS = """\
<settings>
  <servers><server><id>local</id><username>{}</username><password>{}</password></server></servers>
</settings>
"""

pytestmark = [
    pytest.mark.skipif(not shutil.which("mvn"), reason="Maven is not installed"),
    pytest.mark.timeout(1800),  # it fetches a hundred files, on the first run
]


@pytest.fixture(scope="session")
def plugins(tmp_path_factory):
    """One local repository for all tests, so that Maven fetches its plugins once; skips where it cannot."""
    folder = tmp_path_factory.mktemp("m2")
    for goal in (DEPLOY, GET):
        plugin_help = goal.rpartition(":")[0] + ":help"
        command = ["mvn", "--batch-mode", "--no-transfer-progress", plugin_help, f"-Dmaven.repo.local={folder}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if "could not be resolved" in done.stdout:
            pytest.skip("Maven's plugins cannot be fetched from its central repository")
    return folder


@pytest.fixture(params=["oss", "pro"])
def libs(request):
    """A server with a repository for releases and snapshots, in both editions."""
    with ThreadedArtifactoryServer(edition=request.param) as server:
        server.create_repository("releases", package_type="maven", handle_snapshots=False)
        server.create_repository("snapshots", package_type="maven", handle_releases=False)
        server.create_repository("libs", kind="virtual", package_type="maven", members=("releases", "snapshots"))
        yield server


@pytest.fixture
def maven(libs, plugins, tmp_path):
    """Run a goal of Maven; gives its output."""
    settings = tmp_path / "settings.xml"
    settings.write_text(SETTINGS.format(escape(libs.username), escape(libs.password)), "utf-8")

    def maven(goal, **options):
        command = ["mvn", "--batch-mode", "--no-transfer-progress", "--settings", str(settings)]
        command += [goal, f"-Dmaven.repo.local={plugins}", *(f"-D{name}={value}" for name, value in options.items())]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    return maven


@pytest.fixture
def deploy(libs, maven, make_file):
    """Deploy a jar and the pom that Maven makes for it."""

    def deploy(version, data):
        repository = "snapshots" if version.endswith("-SNAPSHOT") else "releases"
        maven(
            DEPLOY,
            file=make_file("app.jar", data),
            url=f"{libs.url}/{repository}",
            repositoryId="local",
            groupId="org.acme",
            artifactId="app",
            version=version,
            packaging="jar",
        )

    return deploy


@pytest.fixture
def resolve(libs, maven, plugins):
    """Resolve a version; gives the jar's content, and leaves nothing of it in Maven's local repository."""

    def resolve(version):
        shutil.rmtree(plugins / "org/acme", ignore_errors=True)
        remote = f"local::::{libs.url}/libs"
        maven(GET, artifact=f"org.acme:app:{version}", remoteRepositories=remote)
        (jar,) = (each for each in (plugins / "org/acme/app").glob("*/*.jar") if "-SNAPSHOT.jar" not in each.name)
        return jar.read_bytes()

    return resolve


def test_releases(deploy, resolve):
    """A version, and a range whose highest version is in the metadata."""
    deploy("1.0", b"one")
    deploy("1.1", b"two")
    assert resolve("1.0") == b"one"
    assert resolve("[1.0,2.0)") == b"two"


def test_snapshots(libs, deploy, resolve):
    """The second deploy is the second build, and the one that is resolved."""
    deploy("2.0-SNAPSHOT", b"first")
    assert resolve("2.0-SNAPSHOT") == b"first"
    deploy("2.0-SNAPSHOT", b"second")
    assert resolve("2.0-SNAPSHOT") == b"second"
    metadata = libs.read("snapshots/org/acme/app/2.0-SNAPSHOT/maven-metadata.xml")
    assert b"<buildNumber>2</buildNumber>" in metadata
