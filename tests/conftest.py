"""What every test shares: the event loop, and an environment without anyone's credentials."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import settings

# The machine decides how long an example takes, not the code under test.
settings.register_profile("aioartifact", deadline=None, derandomize=True, database=None)
settings.load_profile("aioartifact")

collect_ignore = ["witnesses", "migrating/test_peers.py"]  # other people's clients: tox -e witnesses

_CONFIGURING = ("ARTIFACTORY_", "DOHQ_ARTIFACTORY_", "JF_", "JFROG_", "SSL_CERT_")
_CONFIGURING_NAMES = {"NETRC", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"}


@pytest.fixture(scope="session")
def anyio_backend():
    """Aiohttp needs asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch) -> Path:
    """Empty home folder, and no variable that configures a client: a developer's own must not matter."""
    for name in list(os.environ):
        if name.upper().startswith(_CONFIGURING) or name.upper() in _CONFIGURING_NAMES:
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.fixture
async def server():
    """An embedded server of its own for each test, in the test's loop."""
    from aioartifact.testing import ArtifactoryServer

    before = asyncio.all_tasks()
    async with ArtifactoryServer() as running:
        yield running
    left = {str(task) for task in asyncio.all_tasks() - before if "_call_in_runner_task" not in str(task)}
    assert left == set(), "the test left tasks running"


@pytest.fixture
async def redirecting_server():
    """A server that sends every download to its second origin, as one with cloud storage does."""
    from aioartifact.testing import ArtifactoryServer

    async with ArtifactoryServer(redirect_over=0) as running:
        yield running


@pytest.fixture
async def session(server):
    """A session that is the server's admin and never waits before it tries again."""
    import aioartifact

    auth = (server.username, server.password)
    retry = aioartifact.RetryPolicy(attempts=3, backoff_initial=0)
    async with aioartifact.session(server.url, auth=auth, retry=retry) as opened:
        yield opened
