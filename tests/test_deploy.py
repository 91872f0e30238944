"""deploy(): hashed, streamed, verified by the server and once more here."""

import hashlib
import os
import socket
from contextlib import nullcontext
from pathlib import Path

import pytest

import aioartifact
from aioartifact._files import source as upload_source
from aioartifact.testing import Fault

DATA = os.urandom(2_500_000)


@pytest.fixture
def local(tmp_path):
    path = tmp_path / "local.bin"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def url(server):
    return f"{server.url}/generic-local/com/acme/a.bin"


async def test_deploy_costs_one_request(server, session, local, url):
    """One PUT; the server has the bytes and the checksums, and made the folders. MD5 is slow, and not needed."""
    assert await aioartifact.deploy(local, url, session=session) == url
    assert server.read("generic-local/com/acme/a.bin") == DATA
    server.assert_requests(["PUT generic-local/com/acme/a.bin"])
    sent = server.requests[0].headers
    assert sent["x-checksum-sha256"] == hashlib.sha256(DATA).hexdigest()
    assert sent["x-checksum-sha1"] == hashlib.sha1(DATA).hexdigest()
    assert "x-checksum-md5" not in sent
    assert sent["content-length"] == str(len(DATA))


@pytest.mark.parametrize("size", [0, 1000, len(DATA)])
async def test_bytes_in_memory_are_sent_with_the_same_checksums(server, session, url, size):
    """write_bytes() sends what deploy() sends: SHA-256 and SHA-1, and no MD5."""
    assert await aioartifact.write_bytes(url, DATA[:size], session=session) == size
    assert server.read("generic-local/com/acme/a.bin") == DATA[:size]
    server.assert_requests(["PUT generic-local/com/acme/a.bin"])
    sent = server.requests[0].headers
    assert sent["x-checksum-sha256"] == hashlib.sha256(DATA[:size]).hexdigest()
    assert sent["x-checksum-sha1"] == hashlib.sha1(DATA[:size]).hexdigest()
    assert "x-checksum-md5" not in sent


async def test_deploy_and_download_round_trip(session, local, url, tmp_path):
    """What went up comes down."""
    await aioartifact.deploy(str(local), url, session=session)
    path = await aioartifact.download(url, tmp_path, session=session)
    assert Path(path).read_bytes() == DATA


async def test_deploy_of_empty_file(server, session, tmp_path, url):
    """A file without bytes is a file."""
    (tmp_path / "empty").touch()
    await aioartifact.deploy(tmp_path / "empty", url, session=session)
    assert server.read("generic-local/com/acme/a.bin") == b""


PROPERTIES = {
    "os": ["linux", "win"],
    "build.name": "a b;c=d,e|f\\g+h%20&i?j#k/l\"m'n",
    "empty": "",
    "unicode": "ü日本",
}


async def test_deploy_with_properties(server, session, local, url):
    """Property values survive whatever they hold; a list becomes several values."""
    await aioartifact.deploy(local, url, parameters=PROPERTIES, session=session)
    recorded = server.properties("generic-local/com/acme/a.bin")
    assert {key: sorted(values) for key, values in recorded.items()} == {
        "os": ["linux", "win"],
        "build.name": [PROPERTIES["build.name"]],
        "empty": [""],
        "unicode": ["ü日本"],
    }


@pytest.mark.parametrize(
    "parameters",
    [{"": "v"}, {"1a": "v"}, {"a b": "v"}, {"a;b": "v"}, {"ü": "v"}, {"a": "v\n"}, {"a": [1]}, {"a=b": "v"}],
)
async def test_property_that_no_url_can_carry(server, session, local, url, parameters):
    """A property that would become another one is refused before a request."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="property"):
        await aioartifact.deploy(local, url, parameters=parameters, session=session)
    server.assert_requests([])


async def test_deploy_to_the_url_of_a_repository(server, session, local):
    """A repository is not a file; what would be a confusing 500 of the server is an error before any request."""
    repository = f"{server.url}/generic-local"
    with pytest.raises(aioartifact.InvalidArgumentError, match="is a repository"):
        await aioartifact.deploy(local, repository, session=session)
    with pytest.raises(aioartifact.InvalidArgumentError, match="is a repository"):
        await aioartifact.write_bytes(repository, DATA, session=session)
    assert server.requests == []


async def test_deploy_of_missing_file(server, session, tmp_path, url):
    """A missing local file is an error before any request."""
    known = {"md5": "0" * 32, "sha1": "0" * 40, "sha256": "0" * 64}
    for checksums in ({}, known):
        with pytest.raises(FileNotFoundError, match="no-such-file"):
            await aioartifact.deploy(tmp_path / "no-such-file", url, session=session, **checksums)
    with pytest.raises(aioartifact.LocalFileError):
        await aioartifact.deploy(tmp_path, url, session=session)
    server.assert_requests([])


async def test_wrong_known_checksum_stores_nothing(server, session, local, url):
    """A checksum that is not the file's makes the server refuse it: 409, with its words."""
    with pytest.raises(aioartifact.ConflictError, match="rejected the artifact"):
        await aioartifact.deploy(local, url, sha256="0" * 64, session=session)
    assert not server.exists("generic-local/com/acme/a.bin")


@pytest.mark.parametrize("checksums", [{"md5": "short"}, {"sha1": "g" * 40}, {"sha256": ""}])
async def test_malformed_checksum(session, local, url, checksums):
    """A checksum must have the digits of its kind."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="hexadecimal digits"):
        await aioartifact.deploy(local, url, session=session, **checksums)


async def test_server_that_records_other_bytes(server, session, local, url):
    """A 201 is believed only if the recorded checksums are those that were sent."""
    answer = b'{"repo":"r","path":"/a","checksums":{"sha256":"%s"}}' % (b"0" * 64)
    server.fail("PUT", "generic-local/**", fault=Fault.status(201, answer))
    with pytest.raises(aioartifact.IntegrityError, match="server recorded 0000"):
        await aioartifact.deploy(local, url, session=session)


@pytest.mark.parametrize(
    "fault", [Fault.status(503), Fault.status(502, "html"), Fault.reset()], ids=["503", "502", "reset"]
)
async def test_passing_trouble_sends_the_file_again(server, session, local, url, fault):
    """A deploy may be repeated; it starts from the first byte, and progress adds up."""
    server.fail("PUT", "generic-local/**", times=2, fault=fault)
    progress = aioartifact.Progress()
    await aioartifact.deploy(local, url, session=session, progress=progress)
    assert server.read("generic-local/com/acme/a.bin") == DATA
    seen = progress.snapshot()
    assert (seen.bytes_done, seen.bytes_total, seen.files_done) == (len(DATA), len(DATA), 1)


@pytest.mark.parametrize("size", [1, len(DATA)])
@pytest.mark.parametrize("times", [2, None], ids=["passing", "final"])
async def test_progress_of_bytes_that_were_sent_for_nothing(server, session, local, url, times, size):
    """A pass that was sent to its end and then refused does not count, neither before a retry nor at the end."""
    local.write_bytes(DATA[:size])
    server.fail("PUT", "generic-local/**", times=times, fault=Fault.status(503))
    progress = aioartifact.Progress()
    with nullcontext() if times else pytest.raises(aioartifact.ServerError):
        await aioartifact.deploy(local, url, session=session, progress=progress)
    seen, arrived = progress.snapshot(), size if times else 0
    assert (seen.bytes_done, seen.bytes_total, seen.files_failed) == (arrived, arrived, 0 if times else 1)


@pytest.mark.parametrize("status", [400, 404, 405, 501])
async def test_checksum_deploy_that_the_server_does_not_know(server, session, local, url, status):
    """Then the bytes are sent, with all attempts of their own; old servers and proxies differ in what they answer."""
    server.put("generic-local/other", DATA)
    server.fail("PUT", "generic-local/**", times=1, fault=Fault.status(status))
    server.fail("PUT", "generic-local/**", times=2, fault=Fault.status(503))
    await aioartifact.deploy(local, url, min_checksum_deploy=1, session=session)
    offers = ["x-checksum-deploy" in each.headers for each in server.requests]
    assert offers == [True, False, False, False]
    assert server.read("generic-local/com/acme/a.bin") == DATA


@pytest.mark.parametrize("status", [405, 501])
async def test_checksum_deploy_of_many_that_the_server_does_not_know(server, session, tmp_path, status):
    """The same holds for each file of a bulk call."""
    for number in range(3):
        (tmp_path / f"f{number}").write_bytes(DATA + bytes([number]))
    server.fail("PUT", "generic-local/**", times=1, fault=Fault.status(status))
    report = await aioartifact.deploy_folder(
        tmp_path, f"{server.url}/generic-local/d", min_checksum_deploy=1, max_concurrency=1, session=session
    )
    assert len(report) == 3
    assert [server.read(f"generic-local/d/f{number}") for number in range(3)] == [DATA + bytes([n]) for n in range(3)]


@pytest.mark.parametrize("status", [401, 403, 409, 413, 507])
async def test_refused_checksum_deploy_sends_no_bytes(server, session, local, url, status):
    """What the server refuses for another reason, it would refuse with the bytes, too."""
    server.fail("PUT", "generic-local/**", times=None, fault=Fault.status(status))
    with pytest.raises(aioartifact.ResponseError):
        await aioartifact.deploy(local, url, min_checksum_deploy=1, session=session)
    assert all("x-checksum-deploy" in each.headers for each in server.requests)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, aioartifact.BadRequestError),
        (401, aioartifact.AuthenticationError),
        (403, aioartifact.ForbiddenError),
        (404, aioartifact.NotFoundError),
        (405, aioartifact.ResponseError),
        (409, aioartifact.ConflictError),
        (413, aioartifact.ResponseError),
        (500, aioartifact.ServerError),
        (302, aioartifact.ResponseError),
    ],
)
async def test_refused_deploy(server, session, local, url, status, expected):
    """Every refusal has its class; the older artifact is still there."""
    server.put("generic-local/com/acme/a.bin", b"old and good")
    server.fail("PUT", "generic-local/**", times=None, fault=Fault.status(status))
    with pytest.raises(expected) as caught:
        await aioartifact.deploy(local, url, session=session)
    assert caught.value.status == status
    assert server.read("generic-local/com/acme/a.bin") == b"old and good"


async def test_user_without_permission(server, local, url):
    """The server's table of permissions reaches the user as it is."""
    server.add_user("reader", password="secret")
    server.grant("reader", "generic-local", "r")
    async with aioartifact.session(server.url, auth=("reader", "secret")) as session:
        with pytest.raises(aioartifact.ForbiddenError, match="not permitted to deploy"):
            await aioartifact.deploy(local, url, session=session)


async def test_file_that_grows_while_it_is_sent(server, session, local, url, monkeypatch):
    """A file that changes under the upload never becomes an artifact."""
    real = upload_source.read_blocks

    async def growing(path):
        async for block in real(path):
            yield block
        yield b"more"

    monkeypatch.setattr(upload_source, "read_blocks", growing)
    with pytest.raises(aioartifact.IntegrityError, match="changed while it was sent"):
        await aioartifact.deploy(local, url, session=session)
    assert not server.exists("generic-local/com/acme/a.bin")


async def test_deploy_to_server_that_is_gone(server, local, url):
    """A closed port: a typed error."""
    await server.abort()
    async with aioartifact.session(retry=aioartifact.RetryPolicy.none()) as session:
        with pytest.raises(aioartifact.ConnectError):
            await aioartifact.deploy(local, url, session=session)


async def test_server_that_never_answers(server, local, url):
    """The bytes are there, and no answer comes: the limit for that is named, not that for silence."""
    handle = server.fail("PUT", fault=Fault.hold())
    timeouts = aioartifact.Timeouts(reply=0.2)
    auth = (server.username, server.password)
    retry = aioartifact.RetryPolicy.none()
    async with aioartifact.session(server.url, auth=auth, timeouts=timeouts, retry=retry) as session:
        with pytest.raises(aioartifact.TransportTimeoutError, match="no answer to the upload within") as caught:
            await aioartifact.deploy(local, url, session=session)
    handle.release()
    assert caught.value.hint.startswith("increase Timeouts.reply")


async def test_server_that_stops_reading(tmp_path):
    """An upload whose bytes are not accepted fails after the stall limit."""
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(256 * 1024 * 1024)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # connects, and never reads
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/artifactory"
        timeouts = aioartifact.Timeouts(stall=0.2)
        async with aioartifact.session(base, timeouts=timeouts) as session:
            deploying = aioartifact.deploy(big, f"{base}/r/big.bin", min_checksum_deploy=None, session=session)
            with pytest.raises(aioartifact.TransportTimeoutError, match="took no byte"):
                await deploying
