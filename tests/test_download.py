"""download(): one file, one request, and the target name only ever holds a complete file."""

import os
import socket
from pathlib import Path

import pytest

import aioartifact
from aioartifact.testing import Fault

DATA = os.urandom(3_000_000)


@pytest.fixture
def url(server):
    server.put("generic-local/a/data.bin", DATA)
    return f"{server.url}/generic-local/a/data.bin"


async def test_download_costs_one_request(server, session, url, tmp_path):
    """The whole of a download is one GET, without a HEAD or a look at the storage API before it."""
    path = await aioartifact.download(url, tmp_path, session=session)
    assert Path(path).read_bytes() == DATA
    server.assert_requests(["GET generic-local/a/data.bin"])


async def test_download_to_folder_keeps_the_name(session, url, tmp_path):
    """An existing folder as destination means: the file keeps its name there; the path is returned as str."""
    path = await aioartifact.download(url, tmp_path, session=session)
    assert path == str(tmp_path / "data.bin")
    assert os.listdir(tmp_path) == ["data.bin"]


async def test_download_to_new_name(session, url, tmp_path):
    """A destination that is no folder is the name of the file."""
    path = await aioartifact.download(url, tmp_path / "other.bin", session=session)
    assert Path(path).name == "other.bin"
    assert Path(path).read_bytes() == DATA


async def test_download_replaces_an_existing_file(session, url, tmp_path):
    """By default the server's file replaces the local one."""
    (tmp_path / "data.bin").write_bytes(b"old")
    await aioartifact.download(url, tmp_path, session=session)
    assert (tmp_path / "data.bin").read_bytes() == DATA


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("kind", ["pipe", "socket"])
async def test_download_in_the_place_of_no_file(server, session, url, tmp_path, kind, linked):
    """A rename over a pipe, a socket or a device (think of /dev/null) would destroy it: refused, without a request."""
    place = tmp_path / "place"
    with socket.socket(socket.AF_UNIX) as listening:
        os.mkfifo(place) if kind == "pipe" else listening.bind(str(place))
        (tmp_path / "link").symlink_to(place)
        before = place.lstat()
        with pytest.raises(aioartifact.LocalFileError, match="not a regular file"):
            await aioartifact.download(url, tmp_path / "link" if linked else place, session=session)
    assert os.path.samestat(place.lstat(), before)
    assert (tmp_path / "link").is_symlink()
    server.assert_requests([])


async def test_download_without_force_leaves_an_existing_file(server, session, url, tmp_path):
    """force_download=False returns an existing file untouched and sends nothing."""
    (tmp_path / "data.bin").write_bytes(b"old")
    path = await aioartifact.download(url, tmp_path, force_download=False, session=session)
    assert Path(path).read_bytes() == b"old"
    server.assert_requests([])


async def test_download_without_session_finds_credentials(server, url, tmp_path, monkeypatch):
    """Without a session the environment's credentials are looked up for this one call."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    path = await aioartifact.download(url, tmp_path)
    assert Path(path).read_bytes() == DATA


async def test_download_of_empty_file(server, session, tmp_path):
    """A file without bytes is a file."""
    server.put("generic-local/empty", b"")
    path = await aioartifact.download(f"{server.url}/generic-local/empty", tmp_path, session=session)
    assert Path(path).read_bytes() == b""


@pytest.mark.parametrize(
    "name", ["a b", "c++", "c#", "100%", "x;y", "ü", "日本", "a&b=c", "it's", "!bang", "[x]", "q?", "%41"]
)
async def test_download_of_every_name(server, session, tmp_path, name):
    """Every name that Artifactory accepts goes through url() and comes back as itself."""
    server.put(f"generic-local/{name}", name.encode())
    url = aioartifact.url(server.url, repository="generic-local", name=name)
    path = await aioartifact.download(url, tmp_path, session=session)
    assert Path(path).name == name
    assert Path(path).read_bytes() == name.encode()


async def test_download_behind_redirect_asks_for_checksums(redirecting_server, tmp_path):
    """Storage behind a redirect knows no checksums: Artifactory is asked for them, after the bytes have come."""
    server = redirecting_server
    server.put("generic-local/data.bin", DATA)
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
        path = await aioartifact.download(f"{server.url}/generic-local/data.bin", tmp_path, session=session)
    assert Path(path).read_bytes() == DATA
    server.assert_requests(
        ["GET generic-local/data.bin", "GET storage:generic-local/data.bin", "GET api/storage/generic-local/data.bin"]
    )


async def test_damage_behind_redirect_is_noticed(redirecting_server, tmp_path):
    """A byte that storage corrupts is detected by the checksum of Artifactory."""
    server = redirecting_server
    server.put("generic-local/data.bin", DATA)
    server.fail("GET", "storage:**", times=None, fault=Fault.flip(at=1_500_000))
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
        with pytest.raises(aioartifact.IntegrityError, match="sha256"):
            await aioartifact.download(f"{server.url}/generic-local/data.bin", tmp_path, session=session)
    assert os.listdir(tmp_path) == []


async def test_download_asks_for_stored_bytes(server, session, url, tmp_path):
    """Nothing on the way may compress: sizes and checksums are about the stored bytes."""
    await aioartifact.download(url, tmp_path, session=session)
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_download_counts_its_progress(session, url, tmp_path):
    """Progress ends at the size of the file."""
    progress = aioartifact.Progress()
    await aioartifact.download(url, tmp_path, session=session, progress=progress)
    seen = progress.snapshot()
    assert (seen.bytes_done, seen.bytes_total, seen.files_done) == (len(DATA), len(DATA), 1)


async def test_download_obeys_the_umask(session, url, tmp_path):
    """The file has the mode of any file the user writes."""
    old = os.umask(0o027)
    try:
        path = await aioartifact.download(url, tmp_path, session=session)
    finally:
        os.umask(old)
    assert Path(path).stat().st_mode & 0o777 == 0o640


async def test_download_with_a_session_of_the_users_own(server, url, tmp_path):
    """A plain aiohttp session works, with whatever auth it carries."""
    import aiohttp

    headers = {"Authorization": aiohttp.encode_basic_auth(server.username, server.password)}
    async with aiohttp.ClientSession(headers=headers) as own:
        path = await aioartifact.download(url, tmp_path, session=own)
    assert Path(path).read_bytes() == DATA
