"""The table of the README that compares clients: every "yes" and "no" is what happens here."""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import artifactory as dohq_artifactory
import audfactory
import pyartifactory
import pytest

import aioartifact
from aioartifact.testing import Fault

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
TABLE = README.partition("## Compared with other clients")[2].partition("\n## ")[0]
HEADER, *ROWS = (
    [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", TABLE, re.MULTILINE)
)
ANSWERS = {row[0]: dict(zip(HEADER[1:], row[1:], strict=True)) for row in ROWS[1:]}
CLIENTS = HEADER[1:]
ITEM = "generic-local/folder/file.bin"
SIZE = 16 << 20


@pytest.fixture(scope="module")
def aioartifactory(tmp_path_factory):
    """The package; when imported it opens a log file in the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("logs"))
        return importlib.import_module("aioartifactory")


@dataclass(frozen=True)
class Job:
    """
    The download of ``generic-local/folder/file.bin`` by one client.

    Attributes:
        local: Where the client stores the file.
        run: Downloads it; the argument is how often aioartifact retries.
    """

    local: Path
    run: Callable[[int], object]

    def succeeds(self, retries: int = 0) -> bool:
        """Run, and return whether the client reports success."""
        try:
            self.run(retries)
        except Exception:  # noqa: BLE001 - each client has errors of its own
            return False
        return True


@pytest.fixture
def job(client, artifactory_env, aioartifactory, tmp_path):
    """The job of *client*."""
    server, login = artifactory_env.url, (artifactory_env.username, artifactory_env.password)
    url, local = f"{server}/{ITEM}", tmp_path / "file.bin"

    async def by_aioartifact(retries):
        async with aioartifact.session(server, retry=aioartifact.RetryPolicy(attempts=1 + retries)) as session:
            await aioartifact.download(url, local, session=session)

    async def by_aioartifactory():
        await aioartifactory.AIOArtifactory(api_key=artifactory_env.api_key).retrieve(url, str(tmp_path))

    dohq, artifacts = dohq_artifactory.ArtifactoryPath(url, auth=login), pyartifactory.Artifactory(server, auth=login)
    jobs = {
        "aioartifact": Job(local, lambda retries: anyio.run(by_aioartifact, retries)),
        "audfactory": Job(local, lambda _: audfactory.download(url, str(local))),
        "dohq-artifactory": Job(local, lambda _: dohq.writeto(str(local))),
        "pyartifactory": Job(local, lambda _: artifacts.artifacts.download(ITEM, str(tmp_path))),
        "aioartifactory": Job(tmp_path / "folder/file.bin", lambda _: anyio.run(by_aioartifactory)),
    }
    return jobs[client]


def check(client: str, question: str, *, holds: bool) -> None:
    """Compare what happened with the cell of the table."""
    assert ANSWERS[question][client].startswith("yes" if holds else "no"), (client, question, holds)


pytestmark = pytest.mark.parametrize("client", CLIENTS)


def test_retry(client, job, artifactory_env):
    """One 503 for the file, then normal service."""
    artifactory_env.put(ITEM, b"content")
    artifactory_env.fail("GET", ITEM, times=1, fault=Fault.status(503))
    complete = job.succeeds(retries=1) and job.local.read_bytes() == b"content"
    check(client, "Retries after a 503", holds=complete)


def test_wrong_byte(client, job, artifactory_env):
    """One byte changes in transit, in every response."""
    artifactory_env.put(ITEM, b"content")
    artifactory_env.fail("GET", ITEM, times=None, fault=Fault.flip(at=3))
    check(client, "Detects a corrupted download", holds=not job.succeeds())


def test_old_file(client, job, artifactory_env):
    """The connection breaks in the middle of the file; a local file of that name exists."""
    job.local.parent.mkdir(exist_ok=True)
    job.local.write_bytes(b"old")
    artifactory_env.put(ITEM, b"content")
    artifactory_env.fail("GET", ITEM, times=None, fault=Fault.truncate(after=3))
    assert not job.succeeds()
    kept = job.local.exists() and job.local.read_bytes() == b"old"
    check(client, "Keeps the existing file if a download fails", holds=kept)


def test_resume(client, job, artifactory_env):
    """The connection breaks late in a large file; then the server works, and the client is called again."""
    artifactory_env.put_synthetic(ITEM, SIZE)
    artifactory_env.fail("GET", ITEM, times=None, fault=Fault.truncate(after=SIZE - 1000))
    assert not job.succeeds()
    artifactory_env.clear_faults()
    artifactory_env.clear_log()
    assert job.succeeds()
    requested = [each for each in artifactory_env.requests if each.line == f"GET {ITEM}"]
    resumed = all("range" in each.headers for each in requested)
    check(client, "Resumes an interrupted download in a later call", holds=resumed)
