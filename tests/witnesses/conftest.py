"""
Clients of other projects, as published, against the embedded server.

What they ask and what they understand is the evidence; where one disagrees with the server, the description of
the server's HTTP decides, and the test says so. They have dependencies of their own: run ``tox -e witnesses``.
"""

import pytest

from aioartifact.testing import ThreadedArtifactoryServer


def pytest_configure(config):
    """Let witnesses leave files and sockets open, and use what is deprecated: that is not the server's doing."""
    config.addinivalue_line("filterwarnings", "default")


@pytest.fixture(params=["6.20", "7.x"])
def artifactory(request):
    """A server of each release, for the fixtures of the plugin that are made of it, too."""
    with ThreadedArtifactoryServer(profile=request.param) as server:
        yield server


@pytest.fixture
def make_file(tmp_path):
    """Write a local file and return its path."""

    def make_file(name="tool.bin", data=b"content"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return make_file


@pytest.fixture
def tree(artifactory):
    """Put a small tree on the server; the paths of its files below ``generic-local/tree``."""
    files = ["a.bin", "docs/read me.txt", "docs/deep/c++.h", "docs/deep/ünï.txt", "src/x.py"]
    for name in files:
        artifactory.put(f"generic-local/tree/{name}", f"content of {name}".encode())
    return files
