"""Refused credentials: the first 401 ends the remaining work for its server, so that no account gets locked."""

import asyncio

import aiohttp
import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault

COUNT = 40


@pytest.fixture
def urls(server):
    for number in range(COUNT):
        server.put(f"generic-local/g/{number}", b"x")
    server.clear_log()
    return [f"{server.url}/generic-local/g/{number}" for number in range(COUNT)]


@pytest.fixture
async def wrong(server):
    """A session with a wrong password."""
    async with aioartifact.session(server.url, auth=(server.username, "wrong")) as opened:
        yield opened


def assert_refused(report) -> None:
    """All failed with the same type of error; all but the first say that they were not requested."""
    assert {type(outcome.error) for outcome in report.failed} == {aioartifact.AuthenticationError}
    assert len(report.failed) == COUNT
    unsent = [
        outcome for outcome in report.failed if "not requested: the credentials were refused" in str(outcome.error)
    ]
    assert len(unsent) == COUNT - 1


async def test_downloads(server, wrong, urls, tmp_path):
    """One failing login for all files of a batch."""
    report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=wrong)
    assert_refused(report)
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overwrite", ["always", "never", "changed"])
async def test_uploads(server, wrong, urls, tmp_path, overwrite):
    """The same for uploads, however the server's files are looked up."""
    for number in range(COUNT):
        (tmp_path / str(number)).write_bytes(b"x")
    report = await aioartifact.deploy_many(
        sorted(tmp_path.iterdir()),
        f"{server.url}/generic-local/new",
        overwrite=overwrite,
        on_error="collect",
        session=wrong,
    )
    assert_refused(report)
    assert len(server.requests) == 1


async def test_separate_calls_at_once(server, wrong, urls):
    """Calls that the caller runs at once share the refusal as well."""
    calls = (aioartifact.info(url, session=wrong) for url in urls)
    errors = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(error) for error in errors} == {aioartifact.AuthenticationError}
    assert len(server.requests) == 1


async def test_globbing(server, wrong, urls):
    """A pattern below several folders ends with the first refusal."""
    with pytest.raises(aioartifact.AuthenticationError):
        [found async for found in aioartifact.path(f"{server.url}/generic-local", session=wrong).glob("**/*")]
    assert len(server.requests) == 1


async def test_session_from_elsewhere(server, urls, tmp_path):
    """What a user's own session carries is refused once, too: only what was in flight by then was sent."""
    headers = {"Authorization": aiohttp.encode_basic_auth(server.username, "wrong")}
    async with aiohttp.ClientSession(headers=headers) as session:
        report = await aioartifact.download_many(urls, tmp_path, max_concurrency=1, on_error="collect", session=session)
    assert {type(outcome.error) for outcome in report.failed} == {aioartifact.AuthenticationError}
    assert len(report.failed) == COUNT
    assert len(server.requests) == 1


async def test_later_call_tries_again(server, wrong, urls, tmp_path):
    """The refusal belongs to the calls that ran: a later one may succeed, as after a repaired account."""
    for calls in (1, 2):
        await aioartifact.download_many(urls, tmp_path, on_error="collect", session=wrong)
        assert len(server.requests) == calls


async def test_token_that_ends_meanwhile(server, session, urls, tmp_path):
    """One 401 in the middle of a batch ends the rest; what came before stays."""
    server.fail("GET", "generic-local/g/20", fault=Fault.expired_token())
    report = await aioartifact.download_many(urls, tmp_path, max_concurrency=1, on_error="collect", session=session)
    assert report.downloaded
    assert report.failed
    assert len(server.requests) == len(report.downloaded) + 1
    report = await aioartifact.download_many(urls, tmp_path, session=session)
    assert not report.failed


async def test_no_permission_for_one_file(server, session, urls, tmp_path):
    """403 is about one path, and ends nothing else."""
    server.fail("GET", "generic-local/g/20", times=None, fault=Fault.status(403))
    report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
    assert len(report.failed) == 1
    assert len(report.downloaded) == COUNT - 1


async def test_anonymous(tmp_path):
    """Without credentials, a 401 only says that this repository is not public."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.create_repository("private-local")
        server.grant("anonymous", "generic-local")
        for number in range(10):
            server.put(f"generic-local/{number}", b"x")
            server.put(f"private-local/p{number}", b"x")
        server.fail("GET", "private-local/**", times=None, fault=Fault.status(401))
        urls = [f"{server.url}/{path}" for n in range(10) for path in (f"private-local/p{n}", f"generic-local/{n}")]
        async with aioartifact.session(server.url, auth=aioartifact.Credentials.anonymous()) as session:
            report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
        assert len(report.downloaded) == len(report.failed) == 10
        assert server.count("GET", "private-local/**") == 10


async def test_other_server_goes_on(server, urls, tmp_path):
    """Only the server that refused its credentials is left out."""
    async with ArtifactoryServer() as other:
        for number in range(10):
            other.put(f"generic-local/o{number}", b"x")
        more = [f"{other.url}/generic-local/o{number}" for number in range(10)]
        auth = {server.url: (server.username, "wrong"), other.url: (other.username, other.password)}
        async with aioartifact.session(auth=auth) as session:
            report = await aioartifact.download_many(urls + more, tmp_path, on_error="collect", session=session)
        assert len(report.downloaded) == 10
        assert len(server.requests) == 1


async def test_requests_of_the_user(server, wrong, urls):
    """Requests made on the session itself are the user's own: they are sent, and end no call."""
    for _ in range(3):
        async with wrong.get(urls[0]) as response:
            assert response.status == 401
    with pytest.raises(aioartifact.AuthenticationError, match="401"):
        await aioartifact.info(urls[0], session=wrong)
    assert len(server.requests) == 4
