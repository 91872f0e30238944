"""Blobs are deleted with their last item, and never while a request uses them."""

import asyncio
import hashlib
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from aioartifact.testing import ArtifactoryServer, Fault
from aioartifact.testing.storage.data_folder import DataFolder
from aioartifact.testing.storage.store import Checksums, Deployment, Store

pytestmark = pytest.mark.anyio

BIG = bytes(range(256)) * 4096  # 1 MiB, by way of the disk
POM = b"<project><artifactId>app</artifactId></project>"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
async def server(data):
    async with ArtifactoryServer(data, profile="7.x") as running:
        yield running


def blobs(data: Path) -> list[bytes]:
    return sorted(blob.read_bytes() for blob in (data / "blobs").glob("*/*"))


async def removed(data: Path) -> None:
    """Wait until the server has noticed that a response was read."""
    while blobs(data):  # noqa: ASYNC110  # nothing reports it
        await asyncio.sleep(0)


@pytest.mark.parametrize("content", [b"", b"small", BIG])
async def test_last_item_takes_the_blob_along(server, data, ask, content):
    for name in "ab":
        assert (await ask(server, "PUT", f"/generic-local/{name}", body=content)).status == 201
    assert blobs(data) == [content]
    assert (await ask(server, "DELETE", "/generic-local/a")).status == 204
    assert (await ask(server, "GET", "/generic-local/b")).body == content
    assert (await ask(server, "DELETE", "/generic-local/b")).status == 204
    assert blobs(data) == []


async def test_overwriting(server, data, ask):
    """With the same bytes, with others, and with those of before."""
    for content in (b"1", b"1", BIG, b"1"):
        assert (await ask(server, "PUT", "/generic-local/a", body=content)).status == 201
        assert blobs(data) == [content]
        assert (await ask(server, "GET", "/generic-local/a")).body == content


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        pytest.param(["DELETE /generic-local/d"], [b"c"], id="folder"),
        pytest.param(["DELETE /generic-local"], [], id="all of a repository"),
        pytest.param(["DELETE /api/repositories/generic-local"], [], id="repository"),
        pytest.param(["POST /api/copy/generic-local/d?to=/generic-local/e"], [b"a", b"b", b"c"], id="copy"),
        pytest.param(
            ["POST /api/copy/generic-local/d?to=/generic-local/e", "DELETE /generic-local/d"],
            [b"a", b"b", b"c"],
            id="source of a copy",
        ),
        pytest.param(["POST /api/move/generic-local/d?to=/generic-local/e"], [b"a", b"b", b"c"], id="move"),
        pytest.param(["POST /api/copy/generic-local/d/a?to=/generic-local/c"], [b"a", b"b"], id="copy over a file"),
        pytest.param(["POST /api/move/generic-local/d/a?to=/generic-local/c"], [b"a", b"b"], id="move over a file"),
        pytest.param(["POST /api/move/generic-local/d/a?to=/generic-local/c&dry=1"], [b"a", b"b", b"c"], id="dry run"),
        pytest.param(
            ["POST /api/copy/generic-local/d/a?to=/generic-local/d/b", "DELETE /generic-local/d/a"],
            [b"a", b"c"],
            id="copy over one and delete the source",
        ),
    ],
)
async def test_what_other_calls_remove(server, data, ask, requests, expected):
    for path, content in {"d/a": b"a", "d/b": b"b", "c": b"c"}.items():
        server.put(f"generic-local/{path}", content)
    for request in requests:
        method, _, path = request.partition(" ")
        assert (await ask(server, method, path)).status in (200, 204)
    assert blobs(data) == expected


async def test_webdav_move(server, data, ask, admin):
    server.put("generic-local/a", b"a")
    server.put("generic-local/b", b"b")
    headers = {**admin, "Destination": f"{server.url}/generic-local/b"}
    assert (await ask(server, "MOVE", "/generic-local/a", headers=headers)).status == 200
    assert blobs(data) == [b"a"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        pytest.param("/generic-local/a", {"X-Checksum-Sha1": "0" * 40}, 409, id="checksum"),
        pytest.param("/generic-local/there/", {}, 201, id="folder"),
        pytest.param("/generic-local/file/below", {}, 400, id="below a file"),
        pytest.param("/generic-local/folder", {}, 500, id="folder is there"),
        pytest.param("/generic-local/b.zip", {"X-Explode-Archive": "true"}, 400, id="invalid archive"),
    ],
)
@pytest.mark.parametrize("content", [b"refused", BIG])
async def test_refused_uploads_leave_nothing(server, data, ask, admin, path, headers, status, content):
    server.put("generic-local/file", b"file")
    server.put("generic-local/folder/inside", b"inside")
    assert (await ask(server, "PUT", path, headers=admin | headers, body=content)).status == status
    assert blobs(data) == [b"file", b"inside"]
    assert list((data / "uploads").iterdir()) == []


async def test_exploded_archive_is_not_kept(server, data, ask, admin):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"a")
        archive.writestr("b", b"b")
    headers = admin | {"X-Explode-Archive": "true"}
    answer = await ask(server, "PUT", "/generic-local/c.zip", headers=headers, body=buffer.getvalue())
    assert answer.status == 200
    assert blobs(data) == [b"a", b"b"]


async def test_computed_metadata(server, data, ask):
    """What is merged for one response, and what was computed before, is not kept."""
    for key in ("libs", "more"):
        server.create_repository(key, package_type="maven")
    server.create_repository("all", kind="virtual", package_type="maven", members=("libs", "more"))
    for path in ("libs/org/app/1.0/app-1.0.pom", "libs/org/app/1.1/app-1.1.pom", "more/org/app/1.2/app-1.2.pom"):
        assert (await ask(server, "PUT", f"/{path}", body=POM)).status == 201
    stored = blobs(data)
    assert len(stored) == 3  # the pom, and the metadata of each repository
    assert b"<version>1.2<" in (await ask(server, "GET", "/all/org/app/maven-metadata.xml")).body
    assert blobs(data) == stored
    assert (await ask(server, "DELETE", "/libs/org")).status == 204
    assert len(blobs(data)) == 2


async def test_remote_repository_without_cache(server, data, ask):
    async with ArtifactoryServer() as upstream:
        upstream.put("generic-local/a", BIG)
        credentials = {"username": upstream.username, "password": upstream.password}
        url = f"{upstream.url}/generic-local"
        server.create_repository("far", kind="remote", url=url, store_locally=False, **credentials)
        answer = await ask(server, "GET", "/far/a")
        assert (answer.status, answer.body) == (200, BIG)
    assert blobs(data) == []


@pytest.mark.parametrize("end", ["abort", "deploy", "wrong"])
async def test_uploads_in_parts(server, data, ask, admin, end):
    """Parts are kept until they are joined, the whole until it is deployed; then it is the item's."""
    parts = (b"1" * 100_000, b"2" * 100_000)
    sha1 = hashlib.sha1(b"".join(parts)).hexdigest()
    query = "repoKey=generic-local&repoPath=a.bin&partSizeMB=20"
    created = await ask(server, "POST", f"/api/v1/uploads/create?{query}", headers=admin, body=b"")
    headers = {"Authorization": f"Bearer {created.json()['token']}"}

    async def post(step: str):
        return await ask(server, "POST", f"/api/v1/uploads/{step}", headers=headers, body=b"")

    for number, part in enumerate(parts, 1):
        url = (await post(f"urlPart?partNumber={number}")).json()["url"].removeprefix(server.storage_origin)
        assert (await ask(server, "PUT", url, headers={}, body=part, origin=server.storage_origin)).status == 200
    assert blobs(data) == list(parts)
    if end == "abort":
        assert (await post("abort")).status == 204
        assert blobs(data) == []
        return
    await post(f"complete?sha1={'0' * 40 if end == 'wrong' else sha1}")
    states = [(await post("status")).json() for _ in range(2)]
    if end == "wrong":
        assert states[-1]["status"] == "NON_RETRYABLE_ERROR"
        assert (await post("abort")).status == 204
        assert blobs(data) == []
        return
    assert blobs(data) == [b"".join(parts)]
    deploy = admin | {
        "X-Checksum-Deploy": "true",
        "X-Checksum-Sha1": sha1,
        "X-Checksum-Deploy-Token": states[-1]["checksumToken"],
    }
    for _ in range(2):  # the client repeats it when the response is lost
        assert (await ask(server, "PUT", "/generic-local/a.bin", headers=deploy, body=b"")).status == 201
    assert blobs(data) == [b"".join(parts)]
    assert (await ask(server, "DELETE", "/generic-local/a.bin")).status == 204
    assert blobs(data) == []
    assert (await ask(server, "PUT", "/generic-local/a.bin", headers=deploy, body=b"")).status == 404


async def test_download_survives_the_deletion(server, data, ask):
    """A response that has begun ends with the right bytes; then the blob goes."""
    server.put("generic-local/a", BIG)
    stall = server.fail("GET", "**/a", fault=Fault.stall(0))
    download = asyncio.create_task(ask(server, "GET", "/generic-local/a"))
    await stall.reached()
    assert (await ask(server, "DELETE", "/generic-local/a")).status == 204
    assert (await ask(server, "GET", "/generic-local/a")).status == 404
    assert blobs(data) == [BIG]
    stall.release()
    assert (await download).body == BIG
    await removed(data)


async def test_folder_download_survives_the_deletion(server, data, ask):
    server.enable_folder_download()
    contents = {f"{number}": bytes([number]) * 100_000 for number in range(50)}
    for name, content in contents.items():
        server.put(f"generic-local/d/{name}", content)
    stall = server.fail("GET", "**/archive/**", fault=Fault.stall(10))
    download = asyncio.create_task(ask(server, "GET", "/api/archive/download/generic-local/d?archiveType=tar"))
    await stall.reached()
    assert (await ask(server, "DELETE", "/generic-local/d")).status == 204
    stall.release()
    with tarfile.open(fileobj=io.BytesIO((await download).body)) as archive:
        assert {each.name: archive.extractfile(each).read() for each in archive} == contents
    await removed(data)


async def test_deploy_of_what_is_being_deleted(server, data, ask, admin):
    """Requests at the same time for few contents and paths: each listed file has its bytes, and no blob is left."""
    contents = [b"small %d" % number for number in range(3)] + [BIG[number:] for number in range(3)]
    chance = random.Random(5)

    async def work(paths: list[str]) -> None:
        for path in paths:
            content = chance.choice(contents)
            kind = chance.randrange(5)
            if kind == 0:
                assert (await ask(server, "DELETE", f"/generic-local/{path}")).status in (204, 404)
            elif kind == 1:
                answer = await ask(server, "GET", f"/generic-local/{path}")
                assert answer.status == 404 or answer.body in contents
            elif kind == 2:
                target = f"to=/generic-local/{chance.randrange(4)}"
                assert (await ask(server, "POST", f"/api/copy/generic-local/{path}?{target}")).status in (200, 404, 409)
            elif kind == 3:
                sha1 = hashlib.sha1(content).hexdigest()
                headers = admin | {"X-Checksum-Deploy": "true", "X-Checksum-Sha1": sha1}
                answer = await ask(server, "PUT", f"/generic-local/{path}", headers=headers, body=b"")
                assert answer.status in (201, 404)
            else:
                assert (await ask(server, "PUT", f"/generic-local/{path}", body=content)).status == 201

    await asyncio.gather(*(work([str(chance.randrange(4)) for _ in range(40)]) for _ in range(8)))
    listed = set()
    for number in range(4):
        answer = await ask(server, "GET", f"/generic-local/{number}")
        if answer.status == 200:
            assert answer.body in contents
            listed.add(answer.body)
    assert blobs(data) == sorted(listed)


@pytest.fixture
def store(data):
    with DataFolder(data) as folder:
        store = Store(folder.path)
        yield store
        store.close()


def deployment() -> Deployment:
    return Deployment(by="", now=0, original=Checksums())


def test_lease_keeps_what_was_stored_but_not_listed_yet(store, data):
    """Another request deletes the only item with the same bytes in between."""
    with store.lease():
        store.put("r", "a", store.blobs.add(b"x"), deployment())
    with store.lease():
        content = store.blobs.add(b"x")
        with store.lease():
            store.delete(store.get("r", "a"))
        assert blobs(data) == [b"x"]
        store.put("r", "b", content, deployment())
    assert blobs(data) == [b"x"]
    with store.lease():
        store.delete(store.get("r", "b"))
    assert blobs(data) == []


def test_transaction_that_is_undone_deletes_nothing(store, data):
    with store.lease():
        store.put("r", "a", store.blobs.add(b"x"), deployment())
    with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012  # the last statement raises
        with store.lease():
            store.delete(store.get("r", "a"))
        raise ZeroDivisionError
    assert store.get("r", "a").content.size == 1
    assert blobs(data) == [b"x"]


def test_lease_of_another_server_keeps_nothing(store, tmp_path, data):
    with DataFolder(tmp_path / "other") as folder:
        other = Store(folder.path)
        with other.lease():
            store.put("r", "a", store.blobs.add(b"x"), deployment())
            store.delete(store.get("r", "a"))
            assert blobs(data) == []
        other.close()
