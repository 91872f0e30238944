"""What a file must be: checksums that a caller requires, and listings that the server's response contradicts."""

import asyncio
import gzip
import hashlib
import io
import json
import zipfile

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
    """A folder with one file: what its listing, the response and the file's info say. An info may be a status."""

    def answer(request):
        path, _, query = request.target.partition("?")
        if "list" in query:
            sums = {"sha1": checksums(listed)["sha1"]} if lists_checksums else {}
            return json_response({"uri": "x", "files": [{"uri": "/f", "size": len(listed), "folder": False, **sums}]})
        if path.endswith("/api/storage/r/d/f") and isinstance(info, int):
            return json_response({"errors": [{"status": info, "message": "no"}]}, status=info)
        if path.endswith("/api/storage/r/d/f"):
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
@pytest.mark.parametrize("info", [OLD, b"a third content", 403, 404, 500], ids=["listed", "third", "403", "404", "500"])
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
    async with server_of(OLD, sent, 403, framing, lists_checksums=False) as server, opened(server) as session:
        report = await download_folder(f"{server.url}/r/d", tmp_path, session)
    assert isinstance(report.failed[0].error, aioartifact.IntegrityError)
    assert report.failed[0].error.algorithm == "size"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", [download_folder, sync])
async def test_file_of_a_remote_repository_that_was_replaced(tmp_path, call):
    """Its info is that of the old copy until the new one has been fetched completely."""
    new, copy = bytes(range(256)) * 12_000, OLD

    async def answer(request):
        nonlocal copy
        path, _, query = request.target.partition("?")
        if "list" in query:
            row = {"uri": "/f", "size": len(OLD), "folder": False, "sha1": checksums(OLD)["sha1"]}
            return json_response({"uri": "x", "files": [row]})
        if "/api/storage/" in path:
            return json_response({"repo": "r", "path": "/d/f", "size": str(len(copy)), "checksums": checksums(copy)})
        body = body_of(new, "checksums")
        request.writer.write(body[:2_000_000])
        for _ in range(1000):  # turns of the event loop, in which the info could be requested
            await asyncio.sleep(0)
        copy = new
        return body[2_000_000:]

    async with raw_server(answer) as server, opened(server) as session:
        report = await call(f"{server.url}/r/d", tmp_path, session)
    assert [(outcome.status, outcome.was_replaced) for outcome in report] == [("downloaded", True)]
    assert (tmp_path / "f").read_bytes() == new


@FRAMINGS
async def test_listing_that_is_right(tmp_path, framing):
    """No request is added."""
    async with server_of(OLD, OLD, OLD, framing) as server, opened(server) as session:
        report = await download_folder(f"{server.url}/r/d", tmp_path, session)
    assert [outcome.was_replaced for outcome in report] == [False]
    assert not report.replaced
    assert len(server.requests) == 2


@FRAMINGS
@pytest.mark.parametrize("info", [NEW, 403])
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
    async with server_of(OLD, NEW, 403, framing) as server, opened(server) as session:
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


def zipped(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("packed", [OLD, NEW, SAME_SIZE], ids=["listed", "other-size", "same-size"])
@pytest.mark.parametrize("info", [NEW, OLD, 403, 404], ids=["confirms", "denies", "403", "404"])
async def test_archive_of_a_folder_whose_file_was_replaced(tmp_path, packed, info):
    """Of the archive, only what the listing describes is used; the info decides about the rest, as without one."""

    def answer(request):
        path, _, query = request.target.partition("?")
        if "/api/archive/download/" in path:
            return response(zipped(f=packed, g=OLD), headers={"Content-Type": "application/zip"})
        if "list" in query:
            rows = [
                {"uri": uri, "size": len(OLD), "folder": False, "sha1": checksums(OLD)["sha1"]} for uri in ("/f", "/g")
            ]
            return json_response({"uri": "x", "files": rows})
        if "/api/storage/" in path and isinstance(info, bytes):
            return json_response({"repo": "r", "path": "/d/f", "size": str(len(info)), "checksums": checksums(info)})
        if "/api/" in path:
            return json_response({"errors": [{"status": info, "message": "no"}]}, status=info)
        return body_of(NEW, "checksums")

    async with raw_server(answer) as server, opened(server) as session:
        report = await aioartifact.download_folder(
            f"{server.url}/r/d", tmp_path, archive=True, on_error="collect", session=session
        )
    outcomes = {outcome.url[-1]: (outcome.status, outcome.was_replaced) for outcome in report}
    expected = "failed" if info != NEW and packed != OLD else "downloaded"
    assert outcomes == {"f": (expected, expected == "downloaded" and packed != OLD), "g": ("downloaded", False)}
    content = {"f": OLD if packed == OLD else NEW, "g": OLD}
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        name: content[name] for name, (status, _) in outcomes.items() if status == "downloaded"
    }
    assert all(isinstance(outcome.error, aioartifact.IntegrityError) for outcome in report.failed)


async def streamed(url, **options):
    async with aioartifact.stream(url, **options) as chunks:
        return b"".join([chunk async for chunk in chunks])


READERS = pytest.mark.parametrize("read", [aioartifact.read_bytes, streamed, aioartifact.download])


@FRAMINGS
@pytest.mark.parametrize("read", [aioartifact.read_bytes, streamed])
async def test_required_sha256_of_a_file_that_is_read(framing, read):
    """Bytes of another file end in an error, whatever the server says about them."""
    async with server_of(OLD, NEW, NEW, framing) as server, opened(server) as session:
        url = f"{server.url}/r/d/f"
        with pytest.raises(aioartifact.IntegrityError) as caught:
            await read(url, sha256=sha256(OLD), session=session)
        assert (caught.value.expected, caught.value.actual) == (sha256(OLD), sha256(NEW))
        assert await read(url, sha256=sha256(NEW).upper(), session=session) == NEW


@pytest.mark.parametrize("read", [aioartifact.read_bytes, streamed])
@pytest.mark.parametrize("states", ["plain", "encoded", "nothing"])
async def test_required_sha256_shows_a_coding_that_was_added(read, states):
    """It decides where the server states the checksum of the encoded bytes, or none."""
    body = gzip.compress(NEW)
    sums = {"plain": checksums(NEW), "encoded": checksums(body), "nothing": {}}[states]
    headers = {"Content-Encoding": "gzip", **{f"X-Checksum-{name}": sums[name] for name in sums if name == "sha1"}}
    async with raw_server(lambda _: response(body, headers=headers)) as server, opened(server) as session:
        assert await read(f"{server.url}/r/f", sha256=sha256(NEW), session=session) == NEW
        assert await read(f"{server.url}/r/f", sha256=sha256(body), session=session) == body


@pytest.mark.parametrize("span", [{"start": 1}, {"end": 5}, {"start": 0, "end": 0}, {"start": 3, "end": 5}])
@pytest.mark.parametrize("read", [aioartifact.read_bytes, streamed])
async def test_required_sha256_of_a_part(read, span):
    """It cannot be verified; no request is sent."""
    async with server_of(OLD, OLD, OLD, "sized") as server, opened(server) as session:
        with pytest.raises(aioartifact.InvalidArgumentError, match="sha256"):
            await read(f"{server.url}/r/d/f", sha256=sha256(OLD), session=session, **span)
        assert not server.requests


@READERS
@pytest.mark.parametrize("value", ["", "abc", "g" * 64, sha256(OLD)[:-1], 5, b"0" * 64])
async def test_sha256_that_is_malformed(read, value):
    """No request is sent."""
    async with server_of(OLD, OLD, OLD, "sized") as server, opened(server) as session:
        with pytest.raises(aioartifact.InvalidArgumentError, match="sha256"):
            await read(f"{server.url}/r/d/f", sha256=value, session=session)
        assert not server.requests


@pytest.mark.slow
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
