"""Do these bytes belong to that content? The decisions as tables, and downloads from servers that get it wrong."""

import asyncio
import gzip
import hashlib
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from raw_http import Close, checksum_headers, raw_server, response

import aioartifact
from aioartifact import Checksums, RetryPolicy, Timeouts
from aioartifact._protocol import ExpectedContent
from aioartifact._transfer.receive.content import Pin, contradicts, is_same_content, meaning_of, with_pin

A, B = Checksums(sha1="a" * 40), Checksums(sha1="b" * 40)
DATA = b"0123456789" * 100


@pytest.mark.parametrize(
    ("status", "has_range", "is_conditional", "meaning"),
    [
        (200, False, False, "body"),
        (200, True, False, "body"),
        (206, True, False, "body"),
        (304, False, True, "unchanged"),
        (304, False, False, "refusal"),
        (416, True, False, "end"),
        (416, False, False, "refusal"),
        (404, True, True, "refusal"),
    ],
)
def test_meaning_of_a_status(status, has_range, is_conditional, meaning):
    """The same status means different things to different requests."""
    assert meaning_of(status, has_range=has_range, is_conditional=is_conditional) == meaning


@pytest.mark.parametrize(
    ("pinned", "answer", "same"),
    [
        pytest.param((9, A, "e"), (9, A, "e"), True, id="all"),
        pytest.param((9, A, "e"), (9, A, "f"), True, id="checksum-before-etag"),
        pytest.param((9, A, "e"), (9, B, "e"), False, id="other-checksum"),
        pytest.param((9, A, "e"), (8, A, "e"), False, id="other-size"),
        pytest.param((9, Checksums(), "e"), (9, Checksums(), "e"), True, id="etag"),
        pytest.param((9, Checksums(), "e"), (9, Checksums(), "f"), False, id="other-etag"),
        pytest.param((9, A, "e"), (9, Checksums(), "f"), False, id="other-etag-without-checksum"),
        pytest.param((9, Checksums(), "e"), (9, Checksums(), None), False, id="etag-missing"),
        pytest.param((9, Checksums(), None), (9, Checksums(), None), False, id="nothing-to-compare"),
        pytest.param((9, A, None), (9, Checksums(md5="c" * 32), None), False, id="no-algorithm-in-common"),
    ],
)
def test_same_content(pinned, answer, same):
    """Checksums decide, then the ETag; nothing in common is never the same."""
    assert is_same_content(ExpectedContent(*pinned), ExpectedContent(*answer)) is same


@pytest.mark.parametrize(
    ("pin", "answer", "contradiction"),
    [
        pytest.param((9, A), (9, A), False, id="same"),
        pytest.param((8, Checksums()), (9, A), True, id="size"),
        pytest.param((None, B), (9, A), True, id="checksum"),
        pytest.param((None, Checksums(md5="c" * 32)), (9, A), False, id="nothing-in-common"),
    ],
)
def test_contradiction_of_a_pin(pin, answer, contradiction):
    """Only what both sides state can differ."""
    assert contradicts(Pin(*pin, is_binding=True), ExpectedContent(*answer)) is contradiction


def test_binding_pin_is_what_is_verified():
    """A stronger checksum in a header does not replace the one that the caller requires."""
    answer = ExpectedContent(9, Checksums(sha256="d" * 64))
    assert with_pin(answer, Pin(None, A, is_binding=True)).checksums == A
    assert with_pin(answer, Pin(None, A, is_binding=False)).checksums == Checksums("d" * 64, "a" * 40)


def spelled(answer):
    """A handler of raw requests; *answer* gets target and header fields, and returns status, header fields and body."""

    def handle(request):
        status, headers, body = answer(request.target, request.headers)
        length = int(dict(headers).get("Content-Length", len(body)))
        rest = {name: value for name, value in headers.items() if name != "Content-Length"}
        spelled_out = response(body, status=status, headers=rest, length=length)
        if length > len(body):
            raise Close(spelled_out)  # the rest never comes
        return spelled_out

    return handle


@asynccontextmanager
async def serving(answer, **options):
    """A server and a session, and the URL of a file on it."""
    options = {"retry": RetryPolicy.none(), **options}
    async with (
        raw_server(spelled(answer)) as server,
        aioartifact.session(server.url, auth=("u", "p"), **options) as session,
    ):
        yield f"{server.url}/r/f", session, server


def sha1_of(data):
    return {"X-Checksum-Sha1": hashlib.sha1(data).hexdigest()}


def refuse_info(target):
    return (403, {"Content-Type": "application/json"}, b"{}") if "api/storage" in target else None


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 1-2/3",
        "bytes 11-20/1000",
        "bytes 20-10/1000",
        "bytes 10-19/5",
        "bytes 10-18/15",
        "bytes 10-18/18",
        "items 10-19/1000",
        "",
    ],
)
async def test_part_that_contradicts_the_request(content_range):
    """A 206 for other bytes than requested is an error, never a wrong byte."""
    headers = {"Content-Range": content_range} if content_range else {"Content-Type": "multipart/byteranges"}
    async with serving(lambda _, __: (206, headers, DATA[:10])) as (url, session, _):
        with pytest.raises(aioartifact.ArtifactoryError):
            await aioartifact.read_bytes(url, start=10, end=20, session=session)


async def test_416_to_a_whole_file_is_an_error():
    """Only the answer to a range can mean the end of the file."""
    async with serving(lambda _, __: (416, {"Content-Range": "bytes */0"}, b"")) as (url, session, _):
        with pytest.raises(aioartifact.ResponseError):
            await aioartifact.read_bytes(url, session=session)


@pytest.mark.parametrize("content", [b"", DATA])
async def test_416_that_does_not_state_the_size(content):
    """It does not show whether the file is empty or the server refuses ranges; the whole file does."""

    def answer(_, fields):
        return (416, {}, b"") if "range" in fields else (200, sha1_of(content), content)

    async with serving(answer) as (url, session, _):
        assert await aioartifact.read_bytes(url, end=5, session=session) == content[:5]
        async with aioartifact.open(url, session=session) as file:
            assert await file.read() == content


async def test_open_of_a_file_whose_size_is_not_stated():
    """It is known once the file has been copied."""
    body = b"3e8\r\n" + DATA + b"\r\n0\r\n\r\n"
    headers = {"Transfer-Encoding": "chunked", **sha1_of(DATA)}
    async with (
        raw_server(lambda _: response(body, headers=headers, length=-1)) as server,
        aioartifact.session(server.url, auth=("u", "p")) as session,
        aioartifact.open(f"{server.url}/r/f", session=session) as file,
    ):
        assert file.size == len(DATA)
        await file.seek(990)
        assert await file.read() == DATA[990:]


async def test_304_to_the_rest_of_a_file_is_an_error(tmp_path):
    """Only the first request had a condition; the bytes received belong to other content than the local file."""

    def answer(_, headers):
        if "range" in headers:
            return 304, {}, b""
        return 200, {**sha1_of(DATA), "ETag": "e", "Content-Length": str(len(DATA))}, DATA[: len(DATA) // 2]

    (tmp_path / "f").write_bytes(b"old")
    async with serving(answer, retry=RetryPolicy(attempts=3, backoff_initial=0)) as (url, session, server):
        report = await aioartifact.download_many([url], tmp_path, on_error="collect", session=session)
        assert [request.headers.get("if-none-match") is None for request in server.requests] == [False, True]
    assert [outcome.status for outcome in report] == ["failed"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"f": b"old"}


@pytest.mark.parametrize("label", ["gzip", "x-gzip", "zstd", "gzip, gzip"])
@pytest.mark.parametrize("has_checksum", [True, False])
async def test_stored_file_with_a_coding_label(tmp_path, label, has_checksum):
    """The stored bytes are kept where they match the checksum, or where there is none."""
    stored = gzip.compress(DATA)
    headers = {"Content-Encoding": label, **(sha1_of(stored) if has_checksum else {})}
    async with serving(lambda target, _: refuse_info(target) or (200, headers, stored)) as (url, session, _):
        await aioartifact.download(url, tmp_path, session=session)
        assert await aioartifact.read_bytes(url, session=session) == stored
    assert (tmp_path / "f").read_bytes() == stored


@pytest.mark.parametrize("label", ["gzip", "X-GZIP", "gzip, gzip"])
@pytest.mark.parametrize("plain", [DATA, b"large" * 1_000_000], ids=["small", "large"])
async def test_coding_added_in_transit(tmp_path, label, plain):
    """The coding is removed where only the decoded bytes match the checksum."""
    body = plain
    for _ in label.split(","):
        body = gzip.compress(body)
    async with serving(lambda _, __: (200, {"Content-Encoding": label, **sha1_of(plain)}, body)) as (url, session, _):
        await aioartifact.download(url, tmp_path, session=session)
        assert await aioartifact.read_bytes(url, session=session) == plain
    assert (tmp_path / "f").read_bytes() == plain
    assert [file.name for file in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("pin", [Checksums(sha256="0" * 64), Checksums(sha1="0" * 40), Checksums(md5="0" * 32)])
@pytest.mark.parametrize("headers", [{}, sha1_of(DATA)], ids=["no-checksums", "sha1"])
async def test_checksum_of_an_item_binds(tmp_path, pin, headers):
    """Bytes other than the caller requires never replace the existing file."""
    (tmp_path / "f").write_bytes(b"old")
    async with serving(lambda target, _: refuse_info(target) or (200, headers, DATA)) as (url, session, _):
        report = await aioartifact.download_many([(url, "f", pin)], tmp_path, on_error="collect", session=session)
    assert isinstance(report.failed[0].error, aioartifact.IntegrityError)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("f", b"old")]


async def test_login_page_behind_a_redirect(tmp_path):
    """A web page that no checksum identifies is not stored."""

    def answer(target, _):
        page = (200, {"Content-Type": "text/html"}, b"<html>Sign in")
        return refuse_info(target) or (page if target == "/login" else (302, {"Location": "/login"}, b""))

    async with serving(answer) as (url, session, _):
        with pytest.raises(aioartifact.ProtocolError, match="HTML"):
            await aioartifact.download(url, tmp_path, session=session)
        with pytest.raises(aioartifact.ProtocolError, match="HTML"):
            await aioartifact.read_bytes(url, session=session)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("checksums", [{}, checksum_headers(DATA)], ids=["", "with-checksums"])
@pytest.mark.parametrize(("start", "end"), [(0, 5), (10, 20), (10, None), (500, 1000)])
async def test_login_page_in_place_of_a_part(start, end, checksums):
    """No checksum, in the redirect or in the info, identifies a part; the size of the page is not that of the file."""
    info = {"repo": "r", "path": "/f", "size": str(len(DATA)), "checksums": {"sha1": hashlib.sha1(DATA).hexdigest()}}

    def answer(target, _):
        if "api/storage" in target:
            return 200, {"Content-Type": "application/json"}, json.dumps(info).encode()
        page = (200, {"Content-Type": "text/html"}, b"<html>Sign in")
        return page if target == "/login" else (302, {"Location": "/login"} | checksums, b"")

    async with serving(answer) as (url, session, _):
        with pytest.raises(aioartifact.ProtocolError, match="HTML"):
            await aioartifact.read_bytes(url, start=start, end=end, session=session)


@pytest.mark.parametrize("size", [len(DATA) * 1000, None], ids=["", "no-info"])
@pytest.mark.parametrize("checksums", [{}, checksum_headers(DATA * 1000)], ids=["", "with-checksums"])
@pytest.mark.parametrize("status", [200, 206])
async def test_part_of_a_web_page_that_is_the_file(status, checksums, size):
    """Storage knows its type only; its size or its range and the checksums in the redirect show that it is the file."""
    data = DATA * 1000
    info = {"repo": "r", "path": "/f", "size": str(size), "checksums": {"sha1": hashlib.sha1(data).hexdigest()}}

    def answer(target, _):
        if "api/storage" in target:
            return refuse_info(target) if size is None else (200, {}, json.dumps(info).encode())
        if target != "/storage":
            return 302, {"Location": "/storage"} | checksums, b""
        headers = {"Content-Type": "text/html"}
        if status == 200:
            return 200, headers, data
        return 206, headers | {"Content-Range": f"bytes 10-19/{len(data)}"}, data[10:20]

    limits = aioartifact.Limits(max_connections=1)  # the info must not wait for the page, which is read after it
    async with serving(answer, limits=limits) as (url, session, _), asyncio.timeout(60):
        reading = aioartifact.read_bytes(url, start=10, end=20, session=session)
        if size is not None or (status == 206 and checksums):
            assert await reading == data[10:20]
        else:
            with pytest.raises(aioartifact.ProtocolError, match="HTML"):
                await reading


@pytest.mark.parametrize(("start", "end"), [(0, 10**6), (10, 10**6), (990, 1001), (1000, 1001), (5000, 5001)])
async def test_part_that_reaches_beyond_the_end_of_a_file_in_chunks(start, end):
    """Where the server ignores ranges and names no length, the last chunk shows where the file ends."""
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(DATA), DATA)
    async with (
        raw_server(lambda _: response(headers={"Transfer-Encoding": "chunked"}, length=-1) + chunks) as server,
        aioartifact.session(server.url, auth=("u", "p"), retry=RetryPolicy.none()) as session,
    ):
        assert await aioartifact.read_bytes(f"{server.url}/r/f", start=start, end=end, session=session) == DATA[start:]


def replaced_file(old, new, *, cut_at):
    """
    A server without checksums that sends *old* for the first request and *new* for all later ones, whatever If-Range.

    Only the ETag differs. The first body breaks off after *cut_at* bytes, unless that is None.
    """
    requests = []

    def answer(request):
        if "/api/storage/" in request.target:
            return response(status=403)
        requests.append(request)
        content, etag = (old, "old") if len(requests) == 1 else (new, "new")
        headers, status = {"ETag": etag}, 200
        if found := re.match(r"bytes=(\d+)-(\d*)", request.headers.get("range", "")):
            start, stop = int(found[1]), min(int(found[2] or len(content)) + 1, len(content))
            status, headers["Content-Range"] = 206, f"bytes {start}-{stop - 1}/{len(content)}"
            content = content[start:stop]
        if len(requests) > 1 or cut_at is None:
            return response(content, status=status, headers=headers)
        raise Close(response(content[:cut_at], status=status, headers=headers, length=len(content)))

    return answer


@asynccontextmanager
async def serving_replaced_file(old, new, *, cut_at=None):
    async with (
        raw_server(replaced_file(old, new, cut_at=cut_at)) as server,
        aioartifact.session(server.url, retry=RetryPolicy(attempts=3, backoff_initial=0)) as session,
    ):
        yield f"{server.url}/r/f", session


OLD, NEW = bytes(2_000_000), bytes([1]) * 2_000_000  # large enough for two requests of an open file, and for progress


async def test_open_file_that_only_its_etag_shows_to_be_another():
    """Same size, no checksums, and a server that ignores If-Range: no byte of the new content is read."""
    async with (
        serving_replaced_file(OLD, NEW) as (url, session),
        aioartifact.open(url, session=session) as file,
    ):
        assert await file.read(100) == OLD[:100]
        await file.seek(1_000_000)
        with pytest.raises(aioartifact.IntegrityError, match="changed"):
            await file.read(100)


@pytest.mark.parametrize("size", [100, 300, 2_000_000])
async def test_open_file_that_is_replaced_before_its_first_byte(size):
    """The size of one content is never joined with bytes of another, though the first response broke off at once."""
    async with serving_replaced_file(b"old" * 100, bytes([2]) * size, cut_at=0) as (url, session):
        with pytest.raises(aioartifact.IntegrityError, match="changed"):
            async with aioartifact.open(url, session=session):
                pass


async def test_new_content_without_a_name_replaces_what_has_arrived(tmp_path):
    """Without ETag and checksums it is fetched from its start, into an empty file: nothing of a longer one is left."""
    requests = []

    def answer(request):
        if "/api/storage/" in request.target:
            return response(status=403)
        requests.append(request)
        if len(requests) == 1:
            raise Close(response(OLD[:-1], length=len(OLD)))
        return response(NEW[:1000])

    async with (
        raw_server(answer) as server,
        aioartifact.session(server.url, retry=RetryPolicy(attempts=3, backoff_initial=0)) as session,
    ):
        await aioartifact.download(f"{server.url}/r/f", tmp_path, session=session)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("f", NEW[:1000])]


@pytest.mark.slow
@pytest.mark.parametrize(
    "pin", [Checksums(sha1="a" * 40), aioartifact.FileInfo("https://h/r/f", "r", "f", 5, Checksums())]
)
async def test_pin_that_the_head_contradicts_ends_the_download(tmp_path, pin):
    """The body, which may be large, is not waited for."""
    head = response(headers=checksum_headers(DATA), length=len(DATA))
    async with (
        raw_server(lambda request: head if "/api/" not in request.target else response(status=403)) as server,
        aioartifact.session(server.url, retry=RetryPolicy.none(), timeouts=Timeouts(stall=600, reply=600)) as session,
        asyncio.timeout(60),
    ):
        url = f"{server.url}/r/f"
        item = (url, "f", pin) if isinstance(pin, Checksums) else replace(pin, url=url)
        report = await aioartifact.download_many([item], tmp_path, on_error="collect", session=session)
    assert isinstance(report.failed[0].error, aioartifact.IntegrityError)
    assert not list(tmp_path.iterdir())


async def test_resumed_file_that_only_its_etag_shows_to_be_another(tmp_path):
    """The rest of another content is never added to what has arrived: all of the new one, or an error."""
    async with serving_replaced_file(OLD, NEW, cut_at=1_500_000) as (url, session):
        await aioartifact.download(url, tmp_path / "f", session=session)
    assert (tmp_path / "f").read_bytes() == NEW
    for span in ({}, {"start": 10, "end": 1_900_000}):
        async with serving_replaced_file(OLD, NEW, cut_at=1_500_000) as (url, session):
            part = await aioartifact.read_bytes(url, session=session, **span)
            assert part == NEW[span.get("start", 0) : span.get("end")]
        async with (
            serving_replaced_file(OLD, NEW, cut_at=1_500_000) as (url, session),
            aioartifact.stream(url, session=session, **span) as chunks,
        ):
            with pytest.raises(aioartifact.IntegrityError, match="changed"):
                assert {*b"".join([chunk async for chunk in chunks])} == {0}


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1:65536/",
        "http://[::1/x",
        "http://user:secret@127.0.0.1:1/x",
        "//user@127.0.0.1:1/x",
        "http:///x",
        "http:x",
        "http://a..test/x",
        "http://xn--/x",
        f"http://{'a' * 64}.test/x",
    ],
)
async def test_redirect_to_an_impossible_address(tmp_path, location):
    """It is the failure of one file, also beside a header with credentials."""
    async with serving(lambda _, __: (302, {"Location": location}, b"")) as (url, session, _):
        session.headers["Authorization"] = "Bearer token"
        report = await aioartifact.download_many([url], tmp_path, on_error="collect", session=session)
    assert isinstance(report.failed[0].error, aioartifact.ProtocolError)


@pytest.mark.parametrize("length", [2**62, 2**64])
async def test_huge_content_length_leaves_no_part(tmp_path, length):
    """A length that no disk can hold is a typed error."""
    async with serving(lambda _, __: (200, {"Content-Length": str(length), "ETag": "e"}, DATA)) as (url, session, _):
        with pytest.raises(aioartifact.ArtifactoryError):
            async with asyncio.timeout(30):
                await aioartifact.download(url, tmp_path, session=session)
    assert not list(tmp_path.iterdir())


async def test_part_that_announces_more_than_the_file_has(tmp_path):
    """The rest of an interrupted download ends where the file ends, though the connection stays open."""
    served = []

    def answer(request):
        served.append(request.headers.get("range"))
        sums = {**sha1_of(content), "ETag": "e"}
        if len(served) == 1:
            raise Close(response(content[:200_000], headers=sums, length=len(content)))
        start = int(served[-1].removeprefix("bytes=").rstrip("-"))
        part = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}", **sums}
        return response(content[start:], status=206, headers=part, length=500_000)

    content = DATA * 300
    async with (
        raw_server(answer) as server,
        aioartifact.session(server.url, auth=("u", "p"), timeouts=Timeouts(stall=600)) as session,
        asyncio.timeout(60),
    ):
        await aioartifact.download(f"{server.url}/r/f", tmp_path, session=session)
    assert (tmp_path / "f").read_bytes() == content
    assert len(served) == 2


async def test_parts_that_announce_more_than_the_file_has():
    """Nothing behind the end is waited for, whichever part is read."""

    def answer(request):
        sums = {**sha1_of(DATA), "ETag": "e"}
        start, _, last = request.headers["range"].removeprefix("bytes=").partition("-")
        part = {"Content-Range": f"bytes {start}-{last}/{len(DATA)}", **sums}
        return response(DATA[int(start) : int(last) + 1], status=206, headers=part, length=int(last) + 1 - int(start))

    async with (
        raw_server(answer) as server,
        aioartifact.session(server.url, auth=("u", "p"), timeouts=Timeouts(stall=600)) as session,
        asyncio.timeout(60),
    ):
        for start in (0, 990, 999):
            content = await aioartifact.read_bytes(f"{server.url}/r/f", start=start, end=5000, session=session)
            assert content == DATA[start:]


async def part_streamed(url, start, end, session):
    async with aioartifact.stream(url, start=start, end=end, session=session) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def part_read(url, start, end, session):
    return await aioartifact.read_bytes(url, start=start, end=end, session=session)


async def part_of_an_open_file(url, start, end, session):
    async with aioartifact.open(url, session=session) as file:
        await file.seek(start)
        return await file.read(-1 if end is None else end - start)


@pytest.mark.parametrize("read", [part_streamed, part_read, part_of_an_open_file])
@pytest.mark.parametrize("last", [999, 1000, 65_535, 10**15])
@pytest.mark.parametrize("total", [999, 1000])
@pytest.mark.parametrize(("start", "end"), [(0, 400_000), (0, 5), (990, 400_000), (998, None)])
async def test_part_that_ends_behind_its_own_total(read, last, total, start, end):
    """Whether the total or the last byte is right, the whole file shows; no byte is waited for that never comes."""

    def answer(request):
        sums = {**sha1_of(DATA), "ETag": "e"}
        if "range" not in request.headers:
            return response(DATA, headers=sums)
        first = int(request.headers["range"].removeprefix("bytes=").partition("-")[0])
        part = {"Content-Range": f"bytes {first}-{last}/{total}", **sums}
        return response(DATA[first:], status=206, headers=part, length=last + 1 - first)

    async with (
        raw_server(answer) as server,
        aioartifact.session(server.url, auth=("u", "p"), timeouts=Timeouts(stall=600)) as session,
        asyncio.timeout(60),
    ):
        assert await read(f"{server.url}/r/f", start, end, session) == DATA[start:end]


@pytest.mark.parametrize("read", [part_streamed, part_read, part_of_an_open_file])
async def test_contradictory_part_of_a_file_that_cannot_be_read_whole(read):
    """Nothing shows where it ends."""

    def answer(_, fields):
        if "range" not in fields:
            return 403, {}, b""
        return 206, {"Content-Range": "bytes 0-65535/4", "ETag": "e"}, b"abcd"

    async with serving(answer) as (url, session, _):
        with pytest.raises(aioartifact.ForbiddenError):
            await read(url, 0, 400_000, session)


@pytest.mark.parametrize("total", [0, -1, 500])
async def test_rest_that_ends_behind_its_own_total(tmp_path, total):
    """The size that the first response has stated decides whether it is the rest of that content."""
    served, content = [], DATA * 300

    def answer(request):
        served.append(request.headers.get("range"))
        sums = {**sha1_of(content), "ETag": "e"}
        if len(served) == 1:
            raise Close(response(content[:200_000], headers=sums, length=len(content)))
        if served[-1] is None:
            return response(content, headers=sums)
        start = int(served[-1].removeprefix("bytes=").rstrip("-"))
        part = {"Content-Range": f"bytes {start}-{len(content) + 1000}/{len(content) + total}", **sums}
        return response(content[start:], status=206, headers=part, length=len(content) + 1001 - start)

    async with (
        raw_server(answer) as server,
        aioartifact.session(server.url, auth=("u", "p"), timeouts=Timeouts(stall=600)) as session,
        asyncio.timeout(60),
    ):
        await aioartifact.download(f"{server.url}/r/f", tmp_path, session=session)
    assert (tmp_path / "f").read_bytes() == content
    assert [each is None for each in served] == ([True, False] if total == 0 else [True, False, True])


@pytest.mark.parametrize(("etag", "status"), [({}, "unchanged"), ({"ETag": "e"}, "failed")], ids=["whole", "rest"])
async def test_304_after_an_interrupted_200(tmp_path, etag, status):
    """No part of the other content stays, whether the second request was conditional or for the rest."""
    served = []

    def answer(request):
        served.append(request.headers.get("if-none-match"))
        if len(served) == 1:
            raise Close(response(DATA[:500], headers={**sha1_of(DATA), **etag}, length=len(DATA)))
        return response(status=304, length=-1)

    (tmp_path / "f").write_bytes(b"current")
    async with raw_server(answer) as server, aioartifact.session(server.url, auth=("u", "p")) as session:
        report = await aioartifact.download_many([f"{server.url}/r/f"], tmp_path, on_error="collect", session=session)
    assert [outcome.status for outcome in report] == [status]
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("f", b"current")]
    assert not open_parts()


def open_parts():
    """Partial files that this process has open, where the system lists them."""
    descriptors = Path("/proc/self/fd")
    links = [link.readlink() for link in descriptors.iterdir() if link.is_symlink()] if descriptors.exists() else []
    return [link for link in links if ".part" in link.name]


@pytest.mark.parametrize("depth", [300, 3000])
async def test_listed_path_that_is_too_long(tmp_path, depth):
    """It fails alone, whichever limit it exceeds; the other files of the folder are downloaded."""
    deep = "/d" * depth + "/" + "f" * 300

    def answer(target, _):
        if "list" in target:
            files = [{"uri": uri, "size": len(DATA), "folder": False} for uri in ("/a", deep, "/b")]
            return (200, {"Content-Type": "application/json"}, json.dumps({"uri": "x", "files": files}).encode())
        return refuse_info(target) or (200, sha1_of(DATA), DATA)

    async with serving(answer) as (url, session, _):
        report = await aioartifact.download_folder(url, tmp_path, on_error="collect", session=session)
    assert (len(report.downloaded), len(report.failed)) == (2, 1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == DATA
    assert depth < 3000 or sorted(file.name for file in tmp_path.iterdir()) == ["a", "b"]
