"""Servers whose context path no URL shows: the user's configuration says where they end."""

import json

import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer


@pytest.fixture
async def acme():
    """A server below /acme, with one file."""
    async with ArtifactoryServer(context_path="/acme") as server:
        server.put("generic-local/g/a.txt", b"x")
        yield server


def write_cfg(home, server):
    section = server.url.partition("://")[2]
    (home / ".artifactory_python.cfg").write_text(
        f"[{section}]\nusername = {server.username}\npassword = {server.password}\n", encoding="utf-8"
    )


def write_jfrog_cli(home, server):
    entry = {"artifactoryUrl": f"{server.url}/", "user": server.username, "password": server.password}
    (home / ".jfrog").mkdir()
    (home / ".jfrog" / "jfrog-cli.conf.v6").write_text(json.dumps({"servers": [entry]}), encoding="utf-8")


@pytest.fixture(params=["cfg", "jfrog-cli", "environment"])
def configured(request, acme, home, monkeypatch):
    """The same server, which the user's configuration names in one of the ways."""
    if request.param == "environment":
        for name, value in (("URL", acme.url), ("USER", acme.username), ("PASSWORD", acme.password)):
            monkeypatch.setenv(f"JF_{name}", value)
    else:
        {"cfg": write_cfg, "jfrog-cli": write_jfrog_cli}[request.param](home, acme)
    return acme


async def test_calls_without_a_session(configured, tmp_path):
    """Each function reads URLs with the configured context path."""
    url = f"{configured.url}/generic-local/g"
    (tmp_path / "b.txt").write_bytes(b"y")

    assert (await aioartifact.info(f"{url}/a.txt")).size == 1
    assert await aioartifact.download(f"{url}/a.txt", tmp_path / "a.txt") == str(tmp_path / "a.txt")
    await aioartifact.deploy(tmp_path / "b.txt", f"{url}/")
    await aioartifact.deploy_many([(tmp_path / "b.txt", f"{url}/c.txt")], f"{url}/")
    report = await aioartifact.download_many([f"{url}/b.txt", f"{url}/c.txt"], tmp_path / "many")
    assert len(report.downloaded) == 2
    assert sorted([entry.name async for entry in aioartifact.ls(url)]) == ["a.txt", "b.txt", "c.txt"]
    assert (await aioartifact.rest_api_get(f"{configured.url}/api/system/version")).ok
    assert aioartifact.path(f"{url}/a.txt").server == configured.url
    assert aioartifact.path(f"{url}/a.txt").repository == "generic-local"


async def test_server_of_the_session_takes_precedence(home):
    """Where a session names the server, a section below it is only a repository with credentials of its own."""
    async with ArtifactoryServer(context_path="") as server:
        server.put("generic-local/g/a.txt", b"x")
        section = f"{server.url}/generic-local".partition("://")[2]
        (home / ".artifactory_python.cfg").write_text(f"[{section}]\nverify = true\n", encoding="utf-8")
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            path = aioartifact.path(f"{server.url}/generic-local/g/a.txt", session=session)
            assert path.server == server.url
            assert await path.exists()


async def test_other_servers_stay_as_they_are(configured, home):
    """The configuration of one server says nothing about another one, or about another path of its host."""
    other = configured.url.replace("/acme", "/acme-evil")
    assert aioartifact.path(f"{other}/generic-local/f").repository == "acme-evil"
    async with aioartifact.session() as session:
        for url in (f"{other}/generic-local/f", "https://h.example/acme/r/f"):
            assert aioartifact.path(url, session=session).server == url.partition("/acme")[0]
        usual = "https://h.example/artifactory"
        assert aioartifact.path(f"{usual}/acme/f", session=session).server == usual
