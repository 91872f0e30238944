"""Fixtures for tests of the file system: a server in a thread, and file systems that are closed at the end."""

import fsspec
import pytest

from aioartifact.fsspec import ArtifactoryFileSystem
from aioartifact.testing import ThreadedArtifactoryServer


@pytest.fixture(scope="module")
def module_server():
    """A server for the tests of a module."""
    with ThreadedArtifactoryServer() as running:
        yield running


@pytest.fixture
def server(module_server, monkeypatch):
    """An empty server, whose credentials are in the environment; tests call it from several loops and threads."""
    module_server.reset()
    module_server.create_repository("data")
    monkeypatch.setenv("JF_URL", module_server.url)
    monkeypatch.setenv("JF_USER", module_server.username)
    monkeypatch.setenv("JF_PASSWORD", module_server.password)
    return module_server


@pytest.fixture
def new_fs(server):
    """Creates file systems, with options; their sessions are closed at the end."""
    made = []

    def make(**options):
        made.append(
            fsspec.filesystem("artifactory", **{"base_url": server.url, "listings_expiry_time": None, **options})
        )
        return made[-1]

    yield make
    for each in made:
        if not each.asynchronous:
            each.close()
    ArtifactoryFileSystem.clear_instance_cache()


@pytest.fixture
def fs(new_fs):
    """A file system for calls from threads, whose listings do not expire: no test depends on the clock."""
    return new_fs()
