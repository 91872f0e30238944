"""info(), exists(), checksum() and rest_api_get(): facts for one request each."""

import hashlib
from datetime import UTC

import pytest

import aioartifact
from aioartifact.testing import Fault

DATA = b"some bytes"


@pytest.fixture
def url(server):
    server.put("generic-local/a/b c.txt", DATA)
    return f"{server.url}/generic-local/a/b%20c.txt"


async def test_info_of_a_file(server, session, url):
    """Size as a number, dates with a zone, every checksum, and the URL that was asked for."""
    described = await aioartifact.info(url, session=session)
    assert isinstance(described, aioartifact.FileInfo)
    assert (described.url, described.repository, described.path) == (url, "generic-local", "a/b c.txt")
    assert (described.name, described.size, described.created_by) == ("b c.txt", len(DATA), "admin")
    assert described.checksums == aioartifact.Checksums(**server.checksums("generic-local/a/b c.txt"))
    assert described.created.utcoffset() == UTC.utcoffset(None)
    assert len(server.requests) == 1


async def test_info_of_a_folder_and_a_repository(server, session, url):
    """Children are raw names, one level deep."""
    folder = await aioartifact.info(f"{server.url}/generic-local/a/", session=session)
    assert folder.children == (aioartifact.Child("b c.txt", folder=False),)
    assert (folder.path, folder.name) == ("a", "a")
    repository = await aioartifact.info(f"{server.url}/generic-local", session=session)
    assert repository.children == (aioartifact.Child("a", folder=True),)
    assert (repository.path, repository.name) == ("", "generic-local")


async def test_exists(server, session, url):
    """Files, folders and repositories exist; one request each."""
    assert await aioartifact.exists(url, session=session)
    assert await aioartifact.exists(f"{server.url}/generic-local/a", session=session)
    assert not await aioartifact.exists(f"{url}x", session=session)
    assert not await aioartifact.exists(f"{server.url}/none/a", session=session)
    assert len(server.requests) == 4


async def test_exists_does_not_guess(server, session, url):
    """Refused or broken is neither yes nor no."""
    server.fail("GET", "api/storage/**", fault=Fault.status(403))
    with pytest.raises(aioartifact.ForbiddenError):
        await aioartifact.exists(url, session=session)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
async def test_checksum_there_and_here(server, session, url, tmp_path, algorithm):
    """The server's record and the local file agree; the remote one costs one request and no download."""
    expected = hashlib.new(algorithm, DATA).hexdigest()
    assert await aioartifact.checksum(url, algorithm, session=session) == expected
    server.assert_requests(["GET api/storage/generic-local/a/b c.txt"])
    local = tmp_path / "local"
    local.write_bytes(DATA)
    assert await aioartifact.checksum(local, algorithm) == expected
    assert await aioartifact.checksum(str(local), algorithm) == expected


async def test_checksum_is_md5_by_default(session, url):
    """As in the ancestor."""
    assert await aioartifact.checksum(url, session=session) == hashlib.md5(DATA).hexdigest()


@pytest.mark.parametrize("algorithm", ["sha512", "", "MD5"])
async def test_checksum_of_unknown_type(algorithm):
    """An unknown type is a ValueError that names the known ones."""
    with pytest.raises(ValueError, match="expected one of 'md5', 'sha1', 'sha256'"):
        await aioartifact.checksum("https://host.invalid/artifactory/r/a", algorithm)


async def test_checksum_of_missing_files(session, url, tmp_path):
    """There or here: FileNotFoundError, with the name in it."""
    with pytest.raises(FileNotFoundError, match=r"b%20c\.txtx"):
        await aioartifact.checksum(f"{url}x", session=session)
    with pytest.raises(FileNotFoundError, match="no-such-file"):
        await aioartifact.checksum(tmp_path / "no-such-file")


async def test_checksum_of_folders(server, session, url, tmp_path):
    """A folder has none, there or here."""
    with pytest.raises(IsADirectoryError):
        await aioartifact.checksum(f"{server.url}/generic-local/a", session=session)
    with pytest.raises(aioartifact.LocalFileError):
        await aioartifact.checksum(tmp_path)


async def test_checksum_that_is_not_recorded(server, session, url):
    """Old artifacts have no SHA-256; an empty answer would be a lie."""
    answer = b'{"repo":"r","path":"/a","size":"1","checksums":{"md5":"%s"}}' % hashlib.md5(b"").hexdigest().encode()
    server.fail("GET", "api/storage/**", fault=Fault.status(200, answer))
    with pytest.raises(aioartifact.IntegrityError, match="recorded no sha256"):
        await aioartifact.checksum(url, "sha256", session=session)


async def test_rest_api_get_reads_whatever_the_status(server, session, url):
    """The answer is read whole, and a refusal is an answer."""
    response = await aioartifact.rest_api_get(f"{server.url}/api/storage/generic-local/a?list&deep=1", session=session)
    assert response.status_code == 200
    assert [entry["uri"] for entry in response.json()["files"]] == ["/b c.txt"]
    assert "json" in response.headers["content-type"]
    missing = await aioartifact.rest_api_get(f"{url}x", session=session)
    assert (missing.status_code, missing.json()["errors"][0]["message"]) == (404, "File not found.")
    assert (await aioartifact.rest_api_get(url, session=session)).content == DATA
    assert (await aioartifact.rest_api_get(url, session=session)).text == DATA.decode()


async def test_rest_api_get_keeps_what_is_given(server, session):
    """Escapes, queries and matrix parameters go out as they are; a raw blank is encoded."""
    await aioartifact.rest_api_get(f"{server.url}/generic-local/a b%23;k=v?x=%2F&y=a+b", session=session)
    assert server.requests[0].raw_path.endswith("/generic-local/a%20b%23;k=v?x=%2F&y=a+b")


@pytest.mark.parametrize("body", ["text", "html"])
async def test_wrong_base_url_is_not_a_missing_item(server, session, url, body):
    """A 404 of a router or web server says nothing about the item, so it does not mean that it is missing."""
    server.fail("GET", "api/storage/**", times=None, fault=Fault.status(404, body, message="404 page not found"))
    for call in (
        aioartifact.info(url, session=session),
        aioartifact.exists(url, session=session),
        aioartifact.checksum(url, session=session),
        aioartifact.versions(server.url, "generic-local", "", "a", session=session),
    ):
        with pytest.raises(aioartifact.ResponseError) as caught:
            await call
        assert not isinstance(caught.value, aioartifact.NotFoundError)
        assert "base URL" in caught.value.hint
