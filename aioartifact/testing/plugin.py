"""
Fixtures of the pytest plugin ``aioartifact``: an Artifactory for any test, with or without a loop of its own.

They are ordinary functions, so they work beside anyio and pytest-asyncio alike. Nothing but pytest is imported
until a test asks for one.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .threaded import ThreadedArtifactoryServer


@pytest.fixture(scope="session")
def artifactory_server() -> "Iterator[ThreadedArtifactoryServer]":
    """One Artifactory for the whole session, in a thread; tests that share it must not share addresses."""
    from . import ThreadedArtifactoryServer

    with ThreadedArtifactoryServer() as server:
        yield server


@pytest.fixture
def artifactory() -> "Iterator[ThreadedArtifactoryServer]":
    """Give each test an empty Artifactory of its own, in a thread."""
    from . import ThreadedArtifactoryServer

    with ThreadedArtifactoryServer() as server:
        yield server


@pytest.fixture
def artifactory_env(
    artifactory: "ThreadedArtifactoryServer", monkeypatch: pytest.MonkeyPatch
) -> "ThreadedArtifactoryServer":
    """Point the environment's credentials at the test's Artifactory."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", artifactory.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", artifactory.api_key)
    monkeypatch.setenv("JF_URL", artifactory.origin)
    monkeypatch.setenv("JF_USER", artifactory.username)
    monkeypatch.setenv("JF_PASSWORD", artifactory.password)
    return artifactory
