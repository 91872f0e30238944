"""audbackend 2: its own tests of Artifactory, as published, run against the server."""

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version

import pytest

# Its tests name JFrog's cloud as their host; each test module reads it when it is imported, which comes after this.
PLUGIN = """
import os
import pytest

def pytest_collection(session):
    pytest.HOSTS["artifactory"] = os.environ["HOST_UNDER_TEST"]
"""


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """Folder of its source distribution, which holds its tests; skips where no registry has it."""
    folder = tmp_path_factory.mktemp("audbackend")
    release = version("audbackend")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    done = subprocess.run(
        [*command, f"audbackend=={release}", "--dest", str(folder)], capture_output=True, text=True, check=False
    )
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        pytest.skip(f"the source distribution of audbackend cannot be fetched: {done.stderr.strip()[-200:]}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"audbackend-{release}"


@pytest.mark.timeout(600)
def test_its_own_tests(artifactory, published, tmp_path):
    """All of them that are about Artifactory; what needs MinIO or another set of extras is left out."""
    (tmp_path / "host_under_test.py").write_text(PLUGIN, "utf-8")
    environment = os.environ | {
        "HOST_UNDER_TEST": artifactory.url,
        "ARTIFACTORY_USERNAME": artifactory.username,
        "ARTIFACTORY_API_KEY": artifactory.password,
        "PYTHONPATH": str(tmp_path),
    }
    left_out = ("tests/misc", "tests/test_backend_filesystem_only.py", "tests/test_backend_minio.py")
    command = [sys.executable, "-m", "pytest", "-p", "host_under_test", "-o", "addopts=", "-p", "no:cacheprovider"]
    command += ["-q", *(f"--ignore={path}" for path in left_out), "-k", "Artifactory and not Minio or artifactory"]
    done = subprocess.run(
        [*command, "tests"], capture_output=True, text=True, check=False, cwd=published, env=environment
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert int(done.stdout.rpartition(" passed")[0].split()[-1]) > 20
    assert artifactory.unknown_endpoints == []
