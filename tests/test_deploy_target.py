"""Where a deployed file goes: URLs that end in a slash, and servers that store it under another path."""

import asyncio
import hashlib
import json
from contextlib import asynccontextmanager
from urllib.parse import unquote

import pytest

import aioartifact


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes 1.txt"
    path.write_bytes(b"hi")
    return path


async def paths(server, session):
    return [entry.path async for entry in aioartifact.walk(f"{server.url}/generic-local", session=session)]


@pytest.mark.parametrize(
    ("end", "stored"), [("d/e/", "d/e/notes 1.txt"), ("", "notes 1.txt"), ("d//", "d/notes 1.txt")]
)
async def test_deploy_into_a_folder(server, session, notes, end, stored):
    """A slash at the end of the URL: the file keeps its name, and its URL is returned."""
    url = await aioartifact.deploy(notes, f"{server.url}/generic-local/{end}", session=session)
    assert await paths(server, session) == [stored]
    assert await aioartifact.read_bytes(url, session=session) == b"hi"
    assert not url.endswith("/")


async def test_deploy_many_into_folders(server, session, notes):
    """Relative paths and URLs of items may name a folder, too."""
    base = f"{server.url}/generic-local"
    items = [(notes, "a/"), (notes, f"{base}/b/c/"), notes]
    report = await aioartifact.deploy_many(items, f"{base}/t/", session=session)
    assert sorted(await paths(server, session)) == ["b/c/notes 1.txt", "t/a/notes 1.txt", "t/notes 1.txt"]
    assert report.deployed[0].url.endswith("/notes%201.txt")


async def test_bytes_need_a_name(server, session):
    """Bytes have no name of their own: a URL of a folder is refused before any request."""
    url = f"{server.url}/generic-local/d/"
    with pytest.raises(aioartifact.InvalidURLError, match="names a folder"):
        await aioartifact.write_bytes(url, b"x", session=session)
    for path in (
        aioartifact.path(url, session=session),
        aioartifact.path(url).with_session(session),
        aioartifact.path(f"{server.url}/generic-local", session=session) / "d/",
    ):
        with pytest.raises(aioartifact.InvalidURLError):
            await path.write_bytes(b"x")
        with pytest.raises(aioartifact.InvalidURLError):
            await path.write_text("x")
        with pytest.raises(aioartifact.InvalidURLError):
            await path.touch()
    assert not server.count("PUT", "**")
    assert await (aioartifact.path(url, session=session) / "x").write_bytes(b"x") == 1


async def test_rename_into_a_folder(server, session):
    """Pathlib's verbs treat a target with a slash as the folder that the file goes into."""
    base = f"{server.url}/generic-local"
    server.put("generic-local/a.txt", b"1")
    path = aioartifact.path(f"{base}/a.txt", session=session)
    moved = await path.rename(f"{base}/d/")
    assert str(moved) == f"{base}/d/a.txt"
    moved = await moved.replace(aioartifact.path(f"{base}/e/"))
    assert str(moved) == f"{base}/e/a.txt"
    assert await paths(server, session) == ["e/a.txt"]


async def test_download_items_into_folders(server, session, tmp_path):
    """A local path that ends in a slash is a folder as well."""
    server.put("generic-local/x/f#1.bin", b"1")
    url = f"{server.url}/generic-local/x/f%231.bin"
    report = await aioartifact.download_many([(url, "sub/")], tmp_path / "out", session=session)
    assert report.downloaded[0].path == str(tmp_path / "out/sub/f#1.bin")
    assert (tmp_path / "out/sub/f#1.bin").read_bytes() == b"1"


# What a server stores a file as


@asynccontextmanager
async def storing_as(place, *, knows=False, encoding="utf-8"):
    """A server that stores what it is sent where *place* says, given the path; yields its URL and a session."""

    async def serve(reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split("\r\n", 1)[0].split(" ")
                length = next(
                    (int(line[15:]) for line in head.split("\r\n") if line.lower()[:15] == "content-length:"), 0
                )
                body = await reader.readexactly(length)
                repository, _, path = unquote(target).removeprefix("/artifactory/").partition("/")
                status, answer = "404 Not Found", {"errors": [{"status": 404, "message": "no"}]}
                if method == "PUT":
                    document = place(repository, path)
                    sums = {"sha256": hashlib.sha256(body).hexdigest()} if body else {}
                    status, answer = "201 Created", {"checksums": sums, **document}
                elif knows:
                    status, answer = "200 OK", {"repo": "r", "path": "/x", "size": "1", "checksums": {}}
                content = json.dumps(answer, ensure_ascii=False).encode(encoding, "replace")
                kind = f"application/json;charset={encoding}"
                fields = f"Content-Type: {kind}\r\nContent-Length: {len(content)}"
                writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/artifactory"
        async with aioartifact.session(url, auth=("u", "p")) as session:
            yield url, session


def cut(repository, path):
    """As Artifactory does it."""
    return {"repo": repository, "path": "/" + path.partition("!")[0].rstrip()}


@pytest.mark.parametrize("name", ["a!b", "a ", "sub!x/b.txt", "ä ", "日本!b"])
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
async def test_other_path_is_no_success(name, encoding, tmp_path):
    """The error says where the file went; with the bytes as well as by checksum, alone and in a batch."""
    (tmp_path / "f").write_bytes(b"x")
    async with storing_as(cut, encoding=encoding) as (url, session):
        target = aioartifact.url(url, repository="r", name=f"g/{name}")
        with pytest.raises(aioartifact.StoredElsewhereError) as caught:
            await aioartifact.deploy(tmp_path / "f", target, session=session)
        assert caught.value.expected == target
        assert caught.value.actual in str(caught.value)
        with pytest.raises(aioartifact.StoredElsewhereError):
            await aioartifact.write_bytes(target, b"x", session=session)
        report = await aioartifact.deploy_many(
            [(tmp_path / "f", target)],
            f"{url}/r",
            session=session,
            on_error="collect",
            overwrite="always",
            min_checksum_deploy=1,
        )
        assert isinstance(report.failed[0].error, aioartifact.StoredElsewhereError)


async def test_other_folder_is_no_success():
    """mkdir() says as well where the folder was made."""
    async with storing_as(lambda repository, path: cut(repository, f"{path}/")) as (url, session):
        with pytest.raises(aioartifact.StoredElsewhereError) as caught:
            await aioartifact.mkdir(f"{url}/r/a!b", session=session)
        assert caught.value.actual == f"{url}/r/a"
        await aioartifact.mkdir(f"{url}/r/a", session=session)


@pytest.mark.parametrize("name", ["a", "ä b", "日本", "a+b;c=d", "x/y"])
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
async def test_path_in_any_spelling_is_a_success(name, encoding):
    """Old servers write Latin-1, with question marks for what that lacks."""
    async with storing_as(cut, encoding=encoding) as (url, session):
        target = aioartifact.url(url, repository="r", name=name)
        assert await aioartifact.write_bytes(target, b"x", session=session) == 1


@pytest.mark.parametrize("knows", [True, False])
async def test_other_repository(knows):
    """A virtual repository stores in a local one; a file that is not found where it was sent to is no success."""
    async with storing_as(lambda _, path: {"repo": "other", "path": f"/{path}"}, knows=knows) as (url, session):
        target = f"{url}/r/a"
        if knows:
            assert await aioartifact.write_bytes(target, b"x", session=session) == 1
        else:
            with pytest.raises(aioartifact.StoredElsewhereError, match="/other/a"):
                await aioartifact.write_bytes(target, b"x", session=session)


@pytest.mark.parametrize(
    ("sent", "stored", "is_same"),
    [
        ("g/a-1.0-SNAPSHOT.jar", "g/a-1.0-20240102.030405-7.jar", True),
        ("g/a-1.0-20240102.030405-7.jar", "g/a-1.0-SNAPSHOT.jar", True),
        ("g/a-1.0-SNAPSHOT.jar", "g/b-1.0-20240102.030405-7.jar", False),
        ("1.0-SNAPSHOT/a.jar", "1.0-20240102.030405-7/a.jar", False),
    ],
)
async def test_snapshots(sent, stored, is_same):
    """A repository may give the files of snapshots timestamps."""
    async with storing_as(lambda repository, _: {"repo": repository, "path": f"/{stored}"}) as (url, session):
        call = aioartifact.write_bytes(f"{url}/r/{sent}", b"x", session=session)
        if is_same:
            assert await call == 1
        else:
            with pytest.raises(aioartifact.StoredElsewhereError):
                await call


async def test_virtual_repository_costs_one_request_more(server, session):
    """The deployment repository of a virtual one is looked up once."""
    server.create_repository("all", kind="virtual", members=("generic-local",), deploy_to="generic-local")
    for number in range(3):
        await aioartifact.write_bytes(f"{server.url}/all/f{number}", b"x", session=session)
    assert server.count("PUT", "all/**") == 3
    assert server.count("GET", "**") == 1
