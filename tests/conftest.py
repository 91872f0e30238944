"""What every test shares: the event loop, and an environment without anyone's credentials."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The machine decides how long an example takes, not the code under test.
settings.register_profile("aioartifact", deadline=None, derandomize=True, database=None)
settings.load_profile("aioartifact")

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
