"""What a file must be: checksums that a caller requires, and listings that the server's response contradicts."""

import asyncio
import hashlib
import json

import pytest
from raw_http import raw_server, response

import aioartifact
from aioartifact import Checksums, Limits, RetryPolicy

OLD, NEW = b"old content", b"the new content, which is longer"
SAME_SIZE = b"new_content"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def checksums(data):
    return {"sha1": hashlib.sha1(data).hexdigest(), "sha256": sha256(data)}


def json_response(document, status=200):
    return response(json.dumps(document).encode(), status=status, headers={"Content-Type": "application/json"})


def body_of(content, framing):
    if framing == "checksums":
        return response(content, headers={f"X-Checksum-{name}": value for name, value in checksums(content).items()})
    if framing == "sized":
        return response(content)
    body = (b"%x\r\n%b\r\n" % (len(content), content) if content else b"") + b"0\r\n\r\n"
    return response(body, headers={"Transfer-Encoding": "chunked"}, length=-1)


def server_of(listed, sent, info, framing, *, lists_checksums=True):
    """A folder with one file: what its listing, the response and the file's info say. No info: it is refused."""

    def answer(request):
        path, _, query = request.target.partition("?")
        if "list" in query:
            sums = {"sha1": checksums(listed)["sha1"]} if lists_checksums else {}
            return json_response({"uri": "x", "files": [{"uri": "/f", "size": len(listed), "folder": False, **sums}]})
        if path.endswith("/api/storage/r/d/f") and info is not None:
            return json_response({"repo": "r", "path": "/d/f", "size": str(len(info)), "checksums": checksums(info)})
        if "/api/" in path:
            return json_response({"errors": [{"status": 403, "message": "no"}]}, status=403)
        return body_of(sent, framing)

    return raw_server(answer)


def opened(server, **options):
    return aioartifact.session(server.url, auth=("u", "p"), **{"retry": RetryPolicy.none(), **options})


FRAMINGS = pytest.mark.parametrize("framing", ["checksums", "sized", "chunked"])


async def download_folder(url, folder, session):
    return await aioartifact.download_folder(url, folder, on_error="collect", session=session)


async def sync(url, folder, session):
    return await aioartifact.sync(url, str(folder), on_error="collect", session=session)


@FRAMINGS
@pytest.mark.parametrize("new", [NEW, SAME_SIZE], ids=["other-size", "same-size"])
@pytest.mark.parametrize("call", [download_folder, sync])
@pytest.mark.parametrize("options", [{}, {"limits": Limits(max_connections=1)}], ids=["", "one-connection"])
async def test_file_that_was_replaced_after_it_was_listed(tmp_path, framing, new, call, options):
    """Its info confirms the new content, which is accepted; the report says so."""
    (tmp_path / "f").write_bytes(b"something else")
    async with server_of(OLD, new, new, framing) as server, opened(server, **options) as session, asyncio.timeout(60):
        report = await call(f"{server.url}/r/d", tmp_path, session)
    assert not report.failed, report.failed
    assert [outcome.was_replaced for outcome in report.downloaded] == [True]
    assert report.replaced == report.downloaded
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("f", new)]


@FRAMINGS
@pytest.mark.parametrize("sent", [NEW, SAME_SIZE], ids=["other-size", "same-size"])
@pytest.mark.parametrize("info", [OLD, b"a third content", None], ids=["listed", "third", "refused"])
@pytest.mark.parametrize("call", [download_folder, sync])
async def test_response_that_nothing_confirms(tmp_path, framing, sent, info, call):
    """Bytes that neither the listing nor the info describes replace nothing."""
    (tmp_path / "f").write_bytes(b"something else")
    async with server_of(OLD, sent, info, framing) as server, opened(server) as session:
        report = await call(f"{server.url}/r/d", tmp_path, session)
    assert isinstance(report.failed[0].error, aioartifact.IntegrityError)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("f", b"something else")]


@pytest.mark.parametrize("framing", ["sized", "chunked"])
@pytest.mark.parametrize("sent", [OLD[:-1], OLD + b"x", b""])
async def test_size_of_a_listing(tmp_path, framing, sent):
    """It is verified even where no checksum is known."""
    async with server_of(OLD, sent, None, framing, lists_checksums=False) as server, opened(server) as session:
        report = await download_folder(f"{server.url}/r/d", tmp_path, session)
    assert isinstance(report.failed[0].error, aioartifact.IntegrityError)
    assert report.failed[0].error.algorithm == "size"
    assert not list(tmp_path.iterdir())


@FRAMINGS
async def test_listing_that_is_right(tmp_path, framing):
    """No request is added."""
    async with server_of(OLD, OLD, OLD, framing) as server, opened(server) as session:
        report = await download_folder(f"{server.url}/r/d", tmp_path, session)
    assert [outcome.was_replaced for outcome in report] == [False]
    assert not report.replaced
    assert len(server.requests) == 2


@FRAMINGS
@pytest.mark.parametrize("info", [NEW, None])
async def test_item_of_a_caller_is_not_rechecked(tmp_path, framing, info):
    """What the caller requires holds, whatever the server says about the file now."""
    async with server_of(OLD, NEW, info, framing) as server, opened(server) as session:
        item = aioartifact.FileInfo(f"{server.url}/r/d/f", "r", "d/f", len(OLD), Checksums(**checksums(OLD)))
        report = await aioartifact.download_many([item], tmp_path, on_error="collect", session=session)
    assert isinstance(report.failed[0].error, aioartifact.IntegrityError)
    assert not list(tmp_path.iterdir())


@FRAMINGS
@pytest.mark.parametrize("digits", [str, str.upper])
async def test_required_sha256(tmp_path, framing, digits):
    """Only a file that has it is written."""
    async with server_of(OLD, NEW, None, framing) as server, opened(server) as session:
        url = f"{server.url}/r/d/f"
        with pytest.raises(aioartifact.IntegrityError) as caught:
            await aioartifact.download(url, tmp_path, sha256=digits(sha256(OLD)), session=session)
        assert caught.value.expected == sha256(OLD)
        assert not list(tmp_path.iterdir())
        path = await aioartifact.download(url, tmp_path, sha256=digits(sha256(NEW)), session=session)
    assert path == str(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == NEW


async def test_required_sha256_of_an_existing_file(tmp_path):
    """With force_download=False, a file is kept only if it has the checksum."""
    async with server_of(NEW, NEW, NEW, "checksums") as server, opened(server) as session:
        for content, count in ((OLD, 1), (NEW, 0)):
            (tmp_path / "f").write_bytes(content)
            server.requests.clear()
            url = f"{server.url}/r/d/f"
            await aioartifact.download(url, tmp_path, force_download=False, sha256=sha256(NEW), session=session)
            assert (tmp_path / "f").read_bytes() == NEW
            assert len(server.requests) == count


@pytest.mark.parametrize("value", ["", "abc", "g" * 64, sha256(OLD)[:-1], 5, b"0" * 64])
async def test_sha256_that_is_malformed(tmp_path, value):
    """No request is sent."""
    async with server_of(OLD, OLD, OLD, "sized") as server, opened(server) as session:
        with pytest.raises(aioartifact.InvalidArgumentError, match="sha256"):
            await aioartifact.download(f"{server.url}/r/d/f", tmp_path, sha256=value, session=session)
        assert not server.requests


async def test_required_sha256_of_an_interrupted_download(tmp_path):
    """A part of an earlier run is verified against it, too: its record may lack this checksum."""
    content = bytes(range(256)) * 40_000
    sums = {"X-Checksum-Sha1": checksums(content)["sha1"], "ETag": "e"}
    served = []

    def answer(request):
        if "/api/" in request.target:
            return json_response({}, status=403)
        served.append(request.headers.get("range"))
        if len(served) == 1:
            return response(content[:9_000_000], headers=sums, length=len(content))
        start = int((served[-1] or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        part = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        return response(content[start:], status=206 if start else 200, headers={**sums, **part})

    async with raw_server(answer) as server:
        async with opened(server, timeouts=aioartifact.Timeouts(stall=2)) as session:
            with pytest.raises(aioartifact.TransportError):
                await aioartifact.download(f"{server.url}/r/f", tmp_path, session=session)
        for required in (sha256(OLD), sha256(content)):
            async with opened(server) as session:
                try:
                    await aioartifact.download(f"{server.url}/r/f", tmp_path, sha256=required, session=session)
                except aioartifact.IntegrityError:
                    assert required == sha256(OLD)
                    assert not list(tmp_path.iterdir())
    assert served[1] is not None, "the part was not used"
    assert (tmp_path / "f").read_bytes() == content
