"""Folders downloaded as archives."""

import asyncio
import io
import tarfile
import zipfile

import pytest

from aioartifact.testing import ArtifactoryServer, Fault

FILES = {"a": b"a", "lib/b ü": b"b" * 200_000, "lib/c/d": b""}


@pytest.fixture
async def server():
    """A server that lets folders be downloaded, and one to download."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.enable_folder_download(max_megabytes=1, max_files=3, max_parallel=1)
        for path, data in FILES.items():
            server.put(f"generic-local/f/{path}", data)
        server.make_folder("generic-local/f/empty")
        yield server


def unpacked(body, archive_type):
    if archive_type == "zip":
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            return {name: file.read(name) for name in file.namelist()}
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:" if archive_type == "tar" else "r:gz") as file:
        return {member.name: file.extractfile(member).read() for member in file}


async def get(ask, server, path, query="archiveType=zip", headers=None, method="GET"):
    return await ask(server, method, f"/api/archive/download/{path}?{query}", headers=headers)


@pytest.mark.parametrize("archive_type", ["zip", "tar", "tar.gz", "tgz"])
@pytest.mark.parametrize(("path", "prefix"), [("generic-local/f", ""), ("generic-local", "f/")])
async def test_folder(server, ask, archive_type, path, prefix):
    """Every file, by its path in the folder; sent chunked, without the headers of a file."""
    answer = await get(ask, server, path, f"archiveType={archive_type}")
    assert (answer.status, answer.headers["transfer-encoding"]) == (200, "chunked")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert not {"etag", "content-disposition", "content-length", "x-checksum-sha1"} & answer.headers.keys()
    assert unpacked(answer.body, archive_type) == {prefix + path: data for path, data in FILES.items()}


async def test_checksum_files(server, ask):
    """Those that a download would find come along."""
    server.put("generic-local/g/a", b"a")
    server.put("generic-local/g/b", b"b", original=False)
    answer = await get(ask, server, "generic-local/g", "archiveType=tar&includeChecksumFiles=true")
    sums = server.checksums("generic-local/g/a")
    assert unpacked(answer.body, "tar") == {
        "a": b"a",
        **{f"a.{name}": sums[name].encode() for name in ("sha1", "sha256", "md5")},
        "b": b"b",
    }


async def test_checksum_files_of_a_trusting_repository(server, ask):
    """There every file has them."""
    server.create_repository("trusting", checksum_policy="server")
    server.put("trusting/b", b"b", original=False)
    answer = await get(ask, server, "trusting", "archiveType=zip&includeChecksumFiles=true")
    assert len(unpacked(answer.body, "zip")) == 4


async def test_files_that_may_not_be_read(server, ask, basic):
    """They are left out; a folder with nothing for the user is forbidden."""
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", "r", "f/lib/**")
    answer = await get(ask, server, "generic-local/f", headers=basic("u", "pw"))
    assert sorted(unpacked(answer.body, "zip")) == ["lib/b ü", "lib/c/d"]
    server.put("generic-local/other/x", b"x")
    refused = await get(ask, server, "generic-local/other", headers=basic("u", "pw"))
    assert (refused.status, refused.message) == (
        403,
        "You don't have the required permissions to download generic-local/other.",
    )


@pytest.mark.parametrize(
    ("path", "query", "status", "message"),
    [
        ("generic-local/f", "archiveType=rar", 400, "Unknown archive type: 'rar'"),
        ("generic-local/f", "", 400, "Unknown archive type: ''"),
        ("unknown/f", "archiveType=zip", 404, "unknown is not a repository."),
        (
            "all/f",
            "archiveType=zip",
            404,
            "Downloading a folder or a repository's root is only available for local (or cache) repositories",
        ),
        (
            "generic-local/x",
            "archiveType=zip",
            404,
            "Path 'generic-local/x' does not exist, aborting folder download",
        ),
        (
            "generic-local/f/a",
            "archiveType=zip",
            400,
            "Path 'generic-local/f/a' is not a folder, aborting folder download",
        ),
    ],
)
async def test_what_is_no_folder(server, ask, path, query, status, message):
    """Wrong types, repositories and paths have different errors."""
    server.create_repository("all", kind="virtual", members=("generic-local",))
    answer = await get(ask, server, path, query)
    assert (answer.status, answer.message) == (status, message)


async def test_too_many_files(server, ask):
    """More files than allowed are refused before anything is sent."""
    server.put("generic-local/f/z", b"z")
    answer = await get(ask, server, "generic-local/f")
    assert (answer.status, answer.message) == (
        400,
        "Number of files under the path 'generic-local/f' (4) exceeds the max allowed file count for folder"
        " download (3).",
    )


async def test_too_many_bytes(server, ask):
    """So are too many bytes."""
    server.put_synthetic("generic-local/f/lib/b ü", 1_300_000)
    answer = await get(ask, server, "generic-local/f")
    assert (answer.status, answer.message) == (
        400,
        "Size of path 'generic-local/f' (1.24MB) exceeds the max allowed folder download size (1MB).",
    )


async def test_too_many_at_the_same_time(server, ask):
    """While one archive is under way another is refused; then it is not any more."""
    handle = server.fail("GET", "api/archive/**", fault=Fault.stall(after=10))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(get(ask, server, "generic-local/f"))
        await handle.reached()
        second = await get(ask, server, "generic-local/f")
        handle.release()
    assert (second.status, second.message) == (
        400,
        "There are too many folder download requests currently running. Try again later.",
    )
    assert unpacked(first.result().body, "zip") == FILES
    assert (await get(ask, server, "generic-local/f")).status == 200


async def test_archive_that_a_fault_replaces(server, ask):
    """An archive that is not sent does not count as running."""
    server.fail("GET", "api/archive/**", fault=Fault.replace(b"x"))
    assert (await get(ask, server, "generic-local/f")).body == b"x"
    assert (await get(ask, server, "generic-local/f")).status == 200


async def test_head_of_an_archive(server, ask):
    """It packs nothing."""
    answer = await get(ask, server, "generic-local/f", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("allowed", [True, False])
async def test_anonymous_downloads_of_folders(server, ask, allowed):
    """They need a switch of their own besides the right to read."""
    server.grant("anonymous", "generic-local")
    server.enable_folder_download(anonymous=allowed)
    answer = await get(ask, server, "generic-local/f", headers={})
    assert answer.status == (200 if allowed else 401)
    if not allowed:
        assert answer.message == "You must be logged in to download a folder or repository."
        assert "www-authenticate" in answer.headers


async def test_new_servers_refuse_to_pack_folders(ask):
    """It has to be enabled, and needs Pro."""
    async with ArtifactoryServer() as server:
        answer = await get(ask, server, "generic-local")
        assert (answer.status, answer.message) == (403, "Download Folder functionality is disabled.")
    async with ArtifactoryServer(edition="oss") as server:
        answer = await get(ask, server, "generic-local")
        assert answer.message.startswith("This REST API is available only in Artifactory Pro (see: ")
