"""repositories(), server_info() and ping(): one request each, and an answer of something else is none."""

import socket

import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault


async def test_repositories(server, session):
    """Their URLs are those of this server, also where they mirror another."""
    server.create_repository("libs", package_type="maven", description="Ours")
    server.create_repository("mirror", kind="remote", url="https://upstream.invalid/x")
    found = {each.key: each for each in await aioartifact.repositories(server.url, session=session)}
    libs = aioartifact.Repository("libs", "local", "maven", f"{server.url}/libs", "Ours")
    assert found["libs"] == libs
    assert (found["mirror"].kind, found["mirror"].url) == ("remote", f"{server.url}/mirror")
    assert found["mirror"].upstream == "https://upstream.invalid/x"
    server.assert_requests(["GET api/repositories"])
    assert await aioartifact.repositories(server.url, package_type="maven", session=session) == [libs]
    remote = await aioartifact.repositories(server.url, kind="remote", session=session)
    assert [each.key for each in remote] == ["mirror"]
    assert server.requests[-1].raw_path.endswith("/api/repositories?type=remote")


async def test_repositories_of_somebody_who_sees_none(server):
    """An empty list is an answer."""
    server.add_user("stranger", password="secret")
    async with aioartifact.session(server.url, auth=("stranger", "secret")) as session:
        assert await aioartifact.repositories(server.url, session=session) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="object"),
        pytest.param(b"[1]", id="numbers"),
        pytest.param(b"[{}]", id="no-key"),
        pytest.param(b"nothing", id="text"),
    ],
)
async def test_repositories_that_are_none(server, session, body):
    """What is not a list of repositories is never taken for one."""
    server.fail("GET", fault=Fault.status(200, body))
    with pytest.raises(aioartifact.ProtocolError):
        await aioartifact.repositories(server.url, session=session)


@pytest.mark.parametrize("wanted", [{"kind": ""}, {"kind": "x"}, {"package_type": ""}, {"package_type": 7}])
async def test_repositories_of_no_kind(server, session, wanted):
    """An empty name, which the server would treat as all, and an unknown one are errors at the call."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=r"expected (a text|one of)"):
        await aioartifact.repositories(server.url, **wanted, session=session)
    server.assert_requests([])


@pytest.mark.parametrize(
    ("edition", "has", "lacks"),
    [
        pytest.param("pro", {"aql", "copy-move", "merge-properties", "sha256"}, set(), id="pro"),
        pytest.param("oss", {"aql", "sha256"}, {"copy-move", "file-list"}, id="oss"),
    ],
)
async def test_server_info(edition, has, lacks):
    """Edition and capabilities follow from licence and release."""
    async with (
        ArtifactoryServer(edition=edition) as server,
        aioartifact.session(server.url, auth=(server.username, server.password)) as session,
    ):
        found = await aioartifact.server_info(server.url, session=session)
    assert (found.url, found.edition) == (server.url, edition)
    assert found.capabilities >= has
    assert not found.capabilities & lacks
    server.assert_requests(["GET api/system/version"])


@pytest.mark.parametrize(
    ("version", "has"),
    [
        pytest.param("5.4.6", set(), id="before-sha256"),
        pytest.param("5.5.0", {"sha256"}, id="sha256"),
        pytest.param("6.1", {"sha256", "merge-properties"}, id="merge"),
        pytest.param("7.104.2-SNAPSHOT", {"sha256", "merge-properties"}, id="suffix"),
        pytest.param("dev", set(), id="no-number"),
    ],
)
async def test_server_info_by_release(server, session, version, has):
    """Releases differ; one without a number is taken for the oldest."""
    answer = f'{{"version":"{version}","license":"x","addons":["b",1,"a"]}}'.encode()
    server.fail("GET", fault=Fault.status(200, answer))
    found = await aioartifact.server_info(server.url, session=session)
    assert found.capabilities & {"sha256", "merge-properties"} == has
    assert (found.version, found.addons, found.revision) == (version, ("a", "b"), None)


async def test_server_info_of_something_else(server, session):
    """A web page is no Artifactory."""
    server.fail("GET", times=2, fault=Fault.status(200, b"{}"))
    with pytest.raises(aioartifact.ProtocolError, match="without a version"):
        await aioartifact.server_info(server.url, session=session)


async def test_ping(server, session):
    """One request, also where the server is not well: the answer is about this moment."""
    assert await aioartifact.ping(server.url, session=session)
    server.fail("GET", fault=Fault.status(503))
    assert not await aioartifact.ping(server.url, session=session)
    server.fail("GET", fault=Fault.reset())
    assert not await aioartifact.ping(server.url, session=session)
    assert len(server.requests) == 3


async def test_ping_of_nobody():
    """Where no server listens, none is up."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # without listen(); a port that was closed may be another server's by now
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/artifactory"
        async with aioartifact.session(url, retry=aioartifact.RetryPolicy.none()) as session:
            assert not await aioartifact.ping(url, session=session)


async def test_ping_that_tells_nothing(server, session):
    """Refused, or answered by something else, is neither yes nor no."""
    server.fail("GET", fault=Fault.status(403))
    with pytest.raises(aioartifact.ForbiddenError):
        await aioartifact.ping(server.url, session=session)
    server.fail("GET", fault=Fault.status(200, b"<html>Welcome</html>"))
    with pytest.raises(aioartifact.ProtocolError, match="OK"):
        await aioartifact.ping(server.url, session=session)


@pytest.mark.parametrize("ask", [aioartifact.repositories, aioartifact.server_info, aioartifact.ping])
async def test_server_address_that_is_none(ask):
    """What is no base address is refused at the call."""
    with pytest.raises(aioartifact.InvalidURLError):
        await ask("localhost/artifactory")
