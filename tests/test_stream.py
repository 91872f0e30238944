"""Streams that know what they carry: size, type, ETag, range and condition."""

import hashlib

import pytest
from raw_http import raw_server, response

import aioartifact
from aioartifact.testing import Fault

DATA = bytes(range(256)) * 4096  # 1 MiB
PATH = "generic-local/a/data.json"
SHA1 = hashlib.sha1(DATA).hexdigest()


@pytest.fixture
def url(server):
    server.put(PATH, DATA)
    return f"{server.url}/{PATH}"


async def read(body):
    return b"".join([chunk async for chunk in body])


async def test_whole_file(server, session, url):
    """What the header fields of the one response say."""
    async with aioartifact.stream(url, session=session) as body:
        info = await aioartifact.info(url, session=session)
        assert (body.status, body.content_length, body.content_range, body.etag) == (200, len(DATA), None, SHA1)
        assert body.info == aioartifact.FileInfo(
            url,
            "generic-local",
            "a/data.json",
            len(DATA),
            info.checksums,
            modified=info.modified.replace(microsecond=0),
            mime_type="application/json",
        )
        assert repr(body) == f"FileStream({url!r}, status=200, content_length={len(DATA)})"
        assert await read(body) == DATA
        assert await read(body) == b""


@pytest.mark.parametrize(
    ("span", "content_range", "part"),
    [
        pytest.param({"start": 5}, f"bytes 5-{len(DATA) - 1}/{len(DATA)}", DATA[5:], id="from"),
        pytest.param({"end": 1}, f"bytes 0-0/{len(DATA)}", DATA[:1], id="first"),
        pytest.param({"start": 10, "end": 20}, f"bytes 10-19/{len(DATA)}", DATA[10:20], id="middle"),
        pytest.param(
            {"start": len(DATA) - 2, "end": len(DATA) + 9},
            f"bytes {len(DATA) - 2}-{len(DATA) - 1}/{len(DATA)}",
            DATA[-2:],
            id="beyond-the-end",
        ),
        pytest.param({"start": -3}, f"bytes {len(DATA) - 3}-{len(DATA) - 1}/{len(DATA)}", DATA[-3:], id="last"),
    ],
)
@pytest.mark.parametrize("ignores_ranges", [False, True])
async def test_part(server, session, url, span, content_range, part, ignores_ranges):
    """The same from a server that answers each request with the whole file."""
    if ignores_ranges:
        server.fail("GET", PATH, times=None, fault=Fault.ignore_range())
    async with aioartifact.stream(url, session=session, **span) as body:
        assert (body.status, body.content_range, body.content_length) == (206, content_range, len(part))
        assert body.info.size == len(DATA)
        assert await read(body) == part


@pytest.mark.parametrize("start", [-len(DATA), -len(DATA) - 5])
async def test_last_bytes_are_all(session, url, start):
    """More than there are: from the first byte on."""
    async with aioartifact.stream(url, start=start, session=session) as body:
        assert body.content_length == len(DATA)
        assert await read(body) == DATA


async def test_part_behind_the_end(session, url):
    """No byte follows, and the size is known."""
    async with aioartifact.stream(url, start=len(DATA), session=session) as body:
        assert (body.status, body.content_range, body.content_length) == (416, f"bytes */{len(DATA)}", 0)
        assert await read(body) == b""


async def test_empty_part_sends_no_request(server, session, url):
    """Nothing is known of the file but its address."""
    async with aioartifact.stream(url, start=3, end=3, session=session) as body:
        assert (body.status, body.content_range, body.content_length, body.info.size) == (206, None, 0, None)
        assert await read(body) == b""
    server.assert_requests([])


@pytest.mark.parametrize("etag", [SHA1, f'"{SHA1}"', f'W/"{SHA1}"'], ids=["bare", "quoted", "weak"])
@pytest.mark.parametrize("span", [{}, {"start": 5, "end": 9}], ids=["whole", "part"])
async def test_unchanged(server, session, url, etag, span):
    """One request without a body; browsers and caches send the ETag back in quotes."""
    async with aioartifact.stream(url, if_none_match=etag, session=session, **span) as body:
        assert (body.status, body.content_length, body.content_range, body.etag) == (304, 0, None, SHA1)
        assert await read(body) == b""
    assert [request.status for request in server.requests] == [304]


async def test_changed(session, url):
    """Another ETag brings the bytes."""
    async with aioartifact.stream(url, if_none_match="0" * 40, session=session) as body:
        assert (body.status, body.etag) == (200, SHA1)
        assert await read(body) == DATA


async def test_condition_is_not_repeated_when_resuming(server, session, url):
    """The rest belongs to the content that has begun to arrive; a condition would drop it."""
    server.fail("GET", PATH, times=1, fault=Fault.reset(after=len(DATA) // 2))
    async with aioartifact.stream(url, if_none_match="0" * 40, session=session) as body:
        assert await read(body) == DATA
    conditions = [request.headers.get("if-none-match") for request in server.requests]
    assert conditions == ["0" * 40, None]


async def test_304_that_nothing_asked_for():
    """Without a condition it is a refusal."""
    async with (
        raw_server(lambda _: response(status=304)) as server,
        aioartifact.session(server.url, retry=aioartifact.RetryPolicy.none()) as session,
    ):
        with pytest.raises(aioartifact.ResponseError):
            async with aioartifact.stream(f"{server.url}/r/a", session=session):
                pass


async def test_header_fields_that_say_nothing():
    """What is unknown is None."""
    async with (
        raw_server(lambda _: response(b"abc", headers={"Last-Modified": "yesterday"})) as server,
        aioartifact.session(server.url, retry=aioartifact.RetryPolicy.none()) as session,
        aioartifact.stream(f"{server.url}/r/a%20b", end=2, session=session) as body,
    ):
        assert body.info == aioartifact.FileInfo(f"{server.url}/r/a%20b", "r", "a b", 3)
        assert (body.etag, body.content_range) == (None, "bytes 0-1/3")
        assert await read(body) == b"ab"


async def test_file_changes_before_its_last_bytes_are_read(server, session, url):
    """The size that the offset was computed from must hold."""
    server.fail("GET", PATH, times=1, fault=Fault.overwrite(DATA + b"more"))
    with pytest.raises(aioartifact.IntegrityError):
        async with aioartifact.stream(url, start=-3, session=session) as body:
            await read(body)


@pytest.mark.parametrize("value", ["", "a\nb", "ü", b"etag", 5])
async def test_bad_condition(server, session, url, value):
    """What cannot be a header field is refused at the call."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="if_none_match"):
        async with aioartifact.stream(url, if_none_match=value, session=session):
            pass
    server.assert_requests([])


async def test_closing_early_releases_the_connection(session, url):
    """After `aclose` the iteration is over."""
    async with aioartifact.stream(url, session=session) as body:
        await anext(body)
        await body.aclose()
        assert await read(body) == b""


@pytest.mark.parametrize("ignores_ranges", [False, True])
async def test_open_file_knows_the_same(server, session, url, ignores_ranges):
    """The first block brings what there is to know, and so does a copy."""
    if ignores_ranges:
        server.fail("GET", PATH, times=None, fault=Fault.ignore_range())
    async with aioartifact.stream(url, session=session) as body, aioartifact.open(url, session=session) as file:
        assert file.info == body.info
        assert file.etag == body.etag == SHA1


async def test_empty_file(server, session):
    """Its size is known, and it has no bytes."""
    server.put("generic-local/empty", b"")
    url = f"{server.url}/generic-local/empty"
    async with aioartifact.open(url, session=session) as file:
        assert (file.info.path, file.info.size, await file.read()) == ("empty", 0, b"")
    async with aioartifact.stream(url, session=session) as body:
        assert (body.status, body.content_length, await read(body)) == (200, 0, b"")
