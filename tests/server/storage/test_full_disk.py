"""The disk of the data folder is full: an answer that is final, nothing left behind, and a way out by deleting."""

import asyncio
import io
import os
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from aioartifact.testing import ArtifactoryServer, ManualClock
from aioartifact.testing.storage.full_disk import RESERVE_SIZE

pytestmark = pytest.mark.anyio

SMALL, BIG = b"small" * 100, os.urandom(3 << 20)
MESSAGE = (
    "Datastore disk usage is too high. Contact your Artifactory administrator to add additional storage space"
    " or change the disk quota limits."
)


@pytest.fixture
def disk(mounted):
    """A disk of 8 MiB."""
    return mounted("size=8m")


@pytest.fixture
async def server(disk):
    async with ArtifactoryServer(disk / "data") as running:
        yield running


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill a disk to its last byte, or so that *leave* bytes are free."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
        if leave:
            file.truncate(file.tell() - leave)
    return filler


def blobs(disk: Path) -> list[bytes]:
    return sorted(blob.read_bytes() for blob in (disk / "data" / "blobs").glob("*/*"))


def staged(disk: Path) -> list[Path]:
    return list((disk / "data" / "uploads").iterdir())


@pytest.mark.parametrize("body", [pytest.param(SMALL, id="in memory"), pytest.param(BIG, id="by way of the disk")])
async def test_deploy_is_refused_and_leaves_nothing(server, disk, ask, body):
    server.put("generic-local/kept.bin", b"kept")
    fill(disk)
    answer = await ask(server, "PUT", "/generic-local/new.bin", body=body)
    assert (answer.status, answer.message) == (413, MESSAGE)
    assert (await ask(server, "GET", "/generic-local/new.bin")).status == 404
    assert (await ask(server, "GET", "/generic-local/kept.bin")).body == b"kept"
    assert (blobs(disk), staged(disk)) == ([b"kept"], [])


async def test_disk_that_fills_during_an_upload(server, disk, ask):
    """Some batches fit and the rest does not: their space is free again, and the old file stays."""
    server.put("generic-local/a.bin", b"old")
    answer = await ask(server, "PUT", "/generic-local/a.bin", body=BIG * 3)
    assert answer.status == 413
    assert (await ask(server, "GET", "/generic-local/a.bin")).body == b"old"
    assert (blobs(disk), staged(disk)) == ([b"old"], [])
    assert (await ask(server, "PUT", "/generic-local/a.bin", body=BIG)).status == 201
    assert blobs(disk) == [BIG]


async def test_archive_whose_entries_do_not_fit(server, disk, ask, admin):
    """Neither the archive nor the entries that fit are left."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"{number}.bin", bytes([number]) * (1 << 20))
    headers = {**admin, "X-Explode-Archive": "true"}
    answer = await ask(server, "PUT", "/generic-local/a/b.zip", headers=headers, body=buffer.getvalue())
    assert answer.status == 413
    assert (blobs(disk), staged(disk)) == ([], [])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("PUT", "/generic-local/folder{}/", id="folder"),
        pytest.param("PUT", "/api/storage/generic-local/a.bin?properties=k{}=" + "v" * 7000, id="properties"),
        pytest.param("POST", "/api/copy/generic-local/a.bin?to=/generic-local/{}/b.bin", id="copy"),
        pytest.param("POST", "/api/search/aql", id="query"),
    ],
)
async def test_database_that_cannot_grow(disk, ask, method, path):
    """What was acknowledged is there after a restart, what was refused is not; reading works meanwhile."""
    query = b'items.find({"name":"a.bin"}).include("stat")' if "aql" in path else None
    async with ArtifactoryServer(disk / "data") as server:
        server.put("generic-local/a.bin", b"content")
        fill(disk)
        answers = []
        while len(answers) < 2000 and (not answers or answers[-1].status != 413):
            answers.append(await ask(server, method, path.format(len(answers)), body=query))
            assert (await ask(server, "GET", "/generic-local/a.bin")).body == b"content"
            if query and len(answers) == 50:
                break
        if query:
            assert {answer.status for answer in answers} == {200}
        else:
            assert answers[-1].message == MESSAGE
        (disk / "filler").unlink()
        assert (await ask(server, "PUT", "/generic-local/later.bin", body=b"later")).status == 201
    done = len(answers) - (query is None)
    async with ArtifactoryServer(disk / "data") as server:
        assert (await ask(server, "GET", "/generic-local/later.bin")).body == b"later"
        if "copy" in path:
            listed = (await ask(server, "GET", "/api/storage/generic-local?list&deep=1")).json()["files"]
            assert len(listed) == 2 + done
        elif "properties" in path:
            properties = (await ask(server, "GET", "/api/storage/generic-local/a.bin?properties")).json()
            assert len(properties["properties"]) == done
        elif "folder" in path:
            children = (await ask(server, "GET", "/api/storage/generic-local")).json()["children"]
            assert len(children) == 2 + done


async def test_deleting_makes_space(server, disk, ask):
    """Also where nothing at all is free: some space is kept for that, and taken again afterwards."""
    for round_ in range(3):
        assert (await ask(server, "PUT", "/generic-local/big.bin", body=BIG)).status == 201
        filler = fill(disk)
        for number in range(1000):
            if (await ask(server, "PUT", f"/generic-local/f{number}/", body=b"")).status == 413:
                break
        assert (await ask(server, "DELETE", "/generic-local/big.bin")).status == 204
        assert blobs(disk) == []
        assert (await ask(server, "PUT", f"/generic-local/{round_}/small.bin", body=SMALL)).status == 201
        assert (disk / "data" / "reserve").stat().st_size == RESERVE_SIZE
        filler.unlink()
        assert (await ask(server, "DELETE", f"/generic-local/{round_}")).status == 204


async def test_server_starts_and_stops_over_a_full_disk(disk, ask):
    async with ArtifactoryServer(disk / "data") as server:
        server.put("generic-local/a.bin", b"content")
        server.put("generic-local/b.bin", b"other")
        fill(disk)
        assert (await ask(server, "GET", "/generic-local/a.bin")).body == b"content"  # a count that cannot be kept
    fill(disk)
    async with ArtifactoryServer(disk / "data") as server:
        assert (await ask(server, "GET", "/generic-local/a.bin")).body == b"content"
        assert (await ask(server, "DELETE", "/generic-local/b.bin")).status == 204
        assert blobs(disk) == [b"content"]


async def test_log_file_on_a_full_disk(disk, ask):
    """Requests are answered as before, several on one connection, and the server stops as usual."""
    fill(disk)
    async with ArtifactoryServer(log_file=disk / "log", clock=ManualClock()) as server:
        server.put("generic-local/a.bin", b"content")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.origin.rpartition(":")[2]))
        for _ in range(200):
            writer.write(b"GET /artifactory/api/system/ping HTTP/1.1\r\nHost: x\r\nX-JFrog-Art-Api: ")
            writer.write(server.api_key.encode() + b"\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(2) == b"OK"
        writer.close()
        await writer.wait_closed()


async def test_control_over_http_on_a_full_disk(disk, ask):
    async with ArtifactoryServer(disk / "data", control=True) as server:
        fill(disk)
        answer = await ask(
            server,
            "PUT",
            "/items/generic-local/a.bin",
            headers={"Authorization": f"Bearer {server.control_token}"},
            body=SMALL,
            origin=server.control_url,
        )
        assert (answer.status, answer.json()) == (507, {"error": "the disk of the server is full"})
        assert (blobs(disk), staged(disk)) == ([], [])


async def test_failed_commit_ends_its_transaction(server, disk, ask):
    """Later changes are transactions of their own: another process sees each as soon as it is acknowledged."""
    server.put("generic-local/a.bin", b"content")
    filler = fill(disk)
    for number in range(2000):
        answer = await ask(server, "PUT", f"/api/storage/generic-local/a.bin?properties=k{number}=" + "v" * 7000)
        if answer.status == 413:
            break
    assert answer.status == 413
    filler.unlink()
    assert (await ask(server, "PUT", "/generic-local/new/", body=b"")).status == 201
    with closing(sqlite3.connect(disk / "data" / "metadata.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM items WHERE name = 'new'").fetchone() == (1,)
