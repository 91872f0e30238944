"""What tests of the command line share: a server with a few files, and the command itself."""

import io
import json
import sys
from typing import NamedTuple

import pytest

from aioartifact.cli import main
from aioartifact.testing import ThreadedArtifactoryServer

FOLDER = "generic-local/emodb/db"


class Run(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def objects(self):
        """What --json has written."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def bare():
    """A server with three versions of emodb; the environment has no credentials."""
    with ThreadedArtifactoryServer() as server:
        for version in ("1.0.0", "1.10.0", "1.9.0"):
            for name in ("a.wav", "b.wav", "c.wav"):
                server.put(f"{FOLDER}/{version}/media/{name}", f"{name} of {version}".encode())
        yield server


@pytest.fixture
def server(bare, monkeypatch):
    """The same server; its administrator is in the environment."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", bare.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", bare.password)
    return bare


@pytest.fixture
def cli(capfd, monkeypatch):
    """Run the command line in this process."""

    def run(*words, stdin=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capfd.readouterr()
        return Run(main([str(word) for word in words]), *capfd.readouterr())

    return run


@pytest.fixture
def folder(server):
    """URL of the folder with the three versions."""
    return f"{server.url}/{FOLDER}"
