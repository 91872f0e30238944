"""Scripted trouble, as a client sees it on the socket."""

import asyncio
import contextlib
import hashlib
import re
from pathlib import Path

import pytest

from aioartifact.testing import ArtifactoryServer, Fault

DATA = bytes(range(256)) * 4
FILE = "/generic-local/a.bin"


@pytest.fixture
def stored(server):
    server.put("generic-local/a.bin", DATA)
    return server


async def connect(server):
    host, _, port = server.origin.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


def request(admin, method="GET", path=FILE, extra="", body=b"") -> bytes:
    head = f"{method} /artifactory{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {admin['Authorization']}\r\n{extra}\r\n"
    return head.encode() + body


async def close(writer):
    writer.close()
    with contextlib.suppress(ConnectionError):  # a reset is what some of these tests are about
        await writer.wait_closed()


async def read_head(reader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "body"),
    [
        pytest.param(
            Fault.status(500, message="boom"),
            500,
            "application/json",
            b'{\n  "errors" : [ {\n    "status" : 500,\n    "message" : "boom"\n  } ]\n}',
            id="json",
        ),
        pytest.param(
            Fault.status(502, "html", message="Bad Gateway"),
            502,
            "text/html",
            b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>"
            b"</center>\r\n</body>\r\n</html>\r\n",
            id="html",
        ),
        pytest.param(Fault.status(404, "text", message="404 page not found"), 404, "text/plain", b"404 page not found"),
        pytest.param(Fault.status(400, b"\x00\xff"), 400, "application/octet-stream", b"\x00\xff", id="bytes"),
    ],
)
async def test_status(stored, ask, fault, status, content_type, body):
    """The answer is replaced by an error of any shape, once, for every method."""
    stored.fail("*", "**", fault=fault)
    answer = await ask(stored, "GET", FILE)
    assert (answer.status, answer.headers["content-type"], answer.body) == (status, content_type, body)
    assert (await ask(stored, "GET", FILE)).body == DATA


async def test_retry_after(stored, ask):
    """The header is sent as given."""
    stored.fail(fault=Fault.retry_after(429, "Wed, 01 Jan 2031 00:00:00 GMT"))
    answer = await ask(stored, "GET", FILE)
    assert (answer.status, answer.headers["retry-after"]) == (429, "Wed, 01 Jan 2031 00:00:00 GMT")


async def test_redirect(stored, ask):
    """The client is sent elsewhere."""
    stored.fail(fault=Fault.redirect("http://elsewhere.invalid/x", 307))
    answer = await ask(stored, "GET", FILE)
    assert (answer.status, answer.headers["location"]) == (307, "http://elsewhere.invalid/x")


async def test_truncate_promises_more_than_it_sends(stored, ask):
    """The length is the whole file's, the connection closes in order after n bytes."""
    stored.fail(fault=Fault.truncate(after=100))
    answer = await ask(stored, "GET", FILE, headers=admin_keep_alive())
    assert (answer.headers["content-length"], answer.headers["connection"]) == ("1024", "close")
    assert answer.body == DATA[:100]
    assert stored.requests[0].bytes_sent == 100


def admin_keep_alive():
    return {"Authorization": "Basic YWRtaW46cGFzc3dvcmQ="}


async def test_cut_looks_complete(stored, ask):
    """No length and no chunks: the end of the connection is the end of the body."""
    stored.fail(fault=Fault.cut(after=100))
    answer = await ask(stored, "GET", FILE)
    assert "content-length" not in answer.headers
    assert "transfer-encoding" not in answer.headers
    assert (answer.status, answer.body, answer.headers["connection"]) == (200, DATA[:100], "close")


@pytest.mark.parametrize("after", [0, 100, 1_000_000, 5_000_000])
async def test_reset_delivers_its_bytes_first(server, admin, after):
    """The client gets exactly n bytes of the body, and then a reset, not an end."""
    server.put_synthetic("generic-local/a.bin", 6_000_000)
    server.fail(fault=Fault.reset(after=after))
    reader, writer = await connect(server)
    writer.write(request(admin))
    assert b"Content-Length: 6000000\r\n" in await read_head(reader)
    assert await reader.readexactly(after) == server.read("generic-local/a.bin")[:after]
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    await close(writer)


async def test_lost_answer_of_work_that_was_done(stored, admin):
    """The request is carried out, and not a byte of the answer comes."""
    stored.fail("DELETE", fault=Fault.lose())
    reader, writer = await connect(stored)
    writer.write(request(admin, method="DELETE"))
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    await close(writer)
    assert not stored.exists(FILE.lstrip("/"))


async def test_stall_goes_on_when_released(stored, admin):
    """N bytes come, nothing more until the release, then the rest on the same connection."""
    handle = stored.fail(fault=Fault.stall(after=100))
    reader, writer = await connect(stored)
    writer.write(request(admin))
    await read_head(reader)
    assert await reader.readexactly(100) == DATA[:100]
    await handle.reached()
    rest = asyncio.create_task(reader.readexactly(924))
    writer.write(request(admin))
    await asyncio.wait({rest}, timeout=0)
    assert not rest.done()
    handle.release()
    assert await rest == DATA[100:]
    assert (await read_head(reader)).startswith(b"HTTP/1.1 200 ")
    await close(writer)
    assert handle.hits == 1


@pytest.mark.parametrize(
    ("method", "condition", "after"),
    [
        ("HEAD", "", 5),
        ("GET", f"If-None-Match: {hashlib.sha1(DATA).hexdigest()}\r\n", 5),
        ("GET", "", len(DATA)),
        ("GET", "Range: bytes=0-4\r\n", 5),
    ],
    ids=["head", "not-modified", "whole", "range"],
)
async def test_stall_behind_the_end_of_a_response(stored, admin, method, condition, after):
    """A client that sees a complete response does not send its next request into the stall."""
    stored.fail(method, fault=Fault.stall(after=after))
    reader, writer = await connect(stored)
    writer.write(request(admin, method=method, extra=condition))
    assert b"\r\nConnection: close\r\n" in await read_head(reader)
    await close(writer)


async def test_stalled_request_ends_with_its_client(stored, admin):
    """A client that gives up takes the request with it: nothing stays in flight."""
    handle = stored.fail(fault=Fault.stall(after=0))
    reader, writer = await connect(stored)
    writer.write(request(admin))
    await read_head(reader)
    await handle.reached()
    await close(writer)
    stored.clear_log()
    reader, writer = await connect(stored)
    writer.write(request(admin))
    await read_head(reader)
    await close(writer)
    assert stored.max_in_flight == 1


async def test_hold_answers_nothing_until_released(stored, admin):
    """Not even the head comes before the release."""
    handle = stored.fail(fault=Fault.hold())
    reader, writer = await connect(stored)
    writer.write(request(admin))
    await handle.reached()
    head = asyncio.create_task(read_head(reader))
    await asyncio.wait({head}, timeout=0)
    assert not head.done()
    assert stored.requests[0].status == 0
    handle.release()
    assert (await head).startswith(b"HTTP/1.1 200 ")
    await close(writer)


async def test_flip_changes_one_byte(stored, ask):
    """Length and checksum headers are those of the real content."""
    stored.fail(fault=Fault.flip(at=3))
    answer = await ask(stored, "GET", FILE)
    assert answer.body == DATA[:3] + bytes([DATA[3] ^ 0xFF]) + DATA[4:]
    assert answer.headers["etag"] == stored.checksums("generic-local/a.bin")["sha1"]


async def test_flip_in_a_later_batch(server, ask):
    """The offset counts over the whole body, however it is sent."""
    server.put_synthetic("generic-local/a.bin", 5_000_000)
    server.fail(fault=Fault.flip(at=4_999_999))
    expected = bytearray(server.read("generic-local/a.bin"))
    expected[-1] ^= 0xFF
    assert (await ask(server, "GET", FILE)).body == expected


async def test_headers_that_lie(stored, ask, admin):
    """Ranges overlooked, other ETags, other content, no checksums."""
    ranged = admin | {"Range": "bytes=0-3"}
    stored.fail(fault=Fault.ignore_range())
    assert ((await ask(stored, "GET", FILE, headers=ranged)).status, stored.requests[-1].bytes_sent) == (
        200,
        1024,
    )
    stored.fail(fault=Fault.wrong_etag("abc"))
    answer = await ask(stored, "GET", FILE)
    assert (answer.headers["etag"], answer.headers["x-checksum-sha1"], answer.body) == ("abc", "abc", DATA)
    stored.fail(fault=Fault.replace(b"other"))
    answer = await ask(stored, "GET", FILE)
    assert (answer.body, answer.headers["content-length"]) == (b"other", "5")
    assert answer.headers["etag"] == stored.checksums("generic-local/a.bin")["sha1"]
    stored.fail(fault=Fault.drop_checksums())
    answer = await ask(stored, "GET", FILE)
    assert answer.body == DATA
    assert not [name for name in answer.headers if name == "etag" or name.startswith("x-checksum")]


async def test_upload_is_reset_in_the_middle(server, admin):
    """For a PUT the bytes are those of the request's body, and nothing is stored."""
    server.fail("PUT", fault=Fault.reset(after=1000))
    reader, writer = await connect(server)
    writer.write(request(admin, "PUT", extra="Content-Length: 5000\r\n", body=b"x" * 1000))
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    await close(writer)
    assert not server.exists("generic-local/a.bin")


async def test_upload_is_stored_and_the_answer_lost(server, admin):
    """A reset beyond the end of the upload strikes in place of the response."""
    server.fail("PUT", fault=Fault.reset(after=10_000))
    reader, writer = await connect(server)
    writer.write(request(admin, "PUT", extra="Content-Length: 4\r\n", body=b"data"))
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    await close(writer)
    assert server.read("generic-local/a.bin") == b"data"


async def test_upload_is_stalled(server, admin):
    """The server stops reading until the release."""
    handle = server.fail("PUT", fault=Fault.stall(after=4))
    reader, writer = await connect(server)
    writer.write(request(admin, "PUT", extra="Content-Length: 8\r\n", body=b"data"))
    await handle.reached()
    assert not server.exists("generic-local/a.bin")
    writer.write(b"more")
    handle.release()
    assert (await read_head(reader)).startswith(b"HTTP/1.1 201 ")
    await close(writer)
    assert server.read("generic-local/a.bin") == b"datamore"


async def test_streamed_answers_break_too(server, ask, talk, admin):
    """A file list is cut between chunks, or looks complete, or goes on after a stall."""
    server.put("generic-local/a", b"x")
    path = "/api/storage/generic-local?list"
    start = b'{\n  "uri" '
    server.fail("GET", "api/storage/**", fault=Fault.truncate(after=10))
    raw = await talk(server.origin, request(admin, path=path))
    assert b"Transfer-Encoding: chunked\r\n" in raw
    assert raw.endswith(b"\r\n\r\na\r\n" + start + b"\r\n")
    server.fail("GET", "api/storage/**", fault=Fault.cut(after=10))
    assert (await ask(server, "GET", path)).body == start
    handle = server.fail("GET", "api/storage/**", fault=Fault.stall(after=10))
    handle.release()
    assert len((await ask(server, "GET", path)).json()["files"]) == 1
    server.fail("POST", "api/search/aql", fault=Fault.replace(b"{}"))
    assert (await ask(server, "POST", "/api/search/aql", body=b"items.find()")).body == b"{}"


async def test_script_order_times_and_patterns(stored, ask):
    """The first matching fault with times left hits; others wait for their turn."""
    stored.put("generic-local/b.bin", DATA)
    never = stored.fail("PUT", "**", fault=Fault.status(500))
    twice = stored.fail("GET", "generic-local/*.bin", times=2, fault=Fault.status(501))
    always = stored.fail("GET", "generic-local/a.*", times=None, fault=Fault.status(502))
    statuses = [(await ask(stored, "GET", f"/generic-local/{name}.bin")).status for name in "abaab"]
    assert statuses == [501, 501, 502, 502, 200]
    assert (never.hits, twice.hits, always.hits) == (0, 2, 2)
    stored.clear_faults()
    assert (await ask(stored, "GET", FILE)).status == 200


async def test_faults_strike_before_credentials_are_looked_at(stored, ask):
    """What sits in front of the server fails for everyone."""
    stored.fail(fault=Fault.status(503, "html"))
    assert (await ask(stored, "GET", FILE, headers={})).status == 503


async def test_second_origin_serves_signed_urls(ask, admin):
    """Big files redirect; the other origin honours the signature and nothing else."""
    now = [1_000.0]
    async with ArtifactoryServer(redirect_over=100, clock=lambda: now[0]) as server:
        server.put("generic-local/a b.bin", DATA)
        server.put("generic-local/small", b"x")
        path = "/generic-local/a%20b.bin"
        answer = await ask(server, "GET", path)
        location = answer.headers["location"]
        assert (answer.status, answer.body, "etag" in answer.headers) == (302, b"", False)
        assert location.startswith(f"{server.storage_origin}/generic-local/a%20b.bin?")
        target = location.removeprefix(server.storage_origin)
        for headers in ({}, {"Range": "bytes=-4"}, {"Range": "bytes=1020-"}):
            signed = await ask(server, "GET", target, headers=headers, origin=server.storage_origin)
            assert signed.body == (DATA[-4:] if headers else DATA)
        assert not [name for name in signed.headers if name.startswith(("x-checksum", "x-artifactory"))]
        for refused in (admin, {"X-JFrog-Art-Api": "k"}, {"Cookie": "a=b"}):
            both = await ask(server, "GET", target, headers=refused, origin=server.storage_origin)
            assert both.status == 400
            assert b"Only one auth mechanism allowed" in both.body
        for spoiled in (target.replace("a%20b", "other"), target[:-1] + "x", "/generic-local/small"):
            assert (await ask(server, "GET", spoiled, headers={}, origin=server.storage_origin)).status == 403
        now[0] += 31
        late = await ask(server, "GET", target, headers={}, origin=server.storage_origin)
        assert (late.status, b"Request has expired" in late.body) == (403, True)
        for stays in ("?artifactory.disableRedirect=true",):
            assert (await ask(server, "GET", path + stays)).body == DATA
        assert (await ask(server, "GET", path, headers=admin | {"X-JFrog-Download-Redirect-To": "None"})).body == DATA
        assert (await ask(server, "GET", "/generic-local/small")).status == 200
        assert (await ask(server, "HEAD", path)).status == 200


@pytest.mark.parametrize(
    ("method", "headers", "status", "expected"),
    [
        pytest.param("GET", {"Range": "bytes=0-3"}, 206, DATA[:4], id="range"),
        pytest.param("GET", {"Range": "bytes=-4"}, 206, DATA[-4:], id="suffix"),
        pytest.param("GET", {"Range": "bytes=-"}, 200, DATA, id="no range"),
        pytest.param("GET", {"Range": "bytes=0-3", "If-Range": '"other"'}, 200, DATA, id="changed"),
        pytest.param("GET", {"Range": "bytes=1024-"}, 416, b"", id="beyond"),
        pytest.param("HEAD", {}, 200, b"", id="head"),
        pytest.param("PUT", {}, 405, b"", id="upload"),
    ],
)
async def test_second_origin_follows_the_rfc(ask, method, headers, status, expected):
    """Ranges there are those of RFC 9110, the ETag is quoted, and errors are XML."""
    async with ArtifactoryServer(redirect_over=0) as server:
        server.put("generic-local/a.bin", DATA)
        location = (await ask(server, "GET", FILE)).headers["location"]
        target = location.removeprefix(server.storage_origin)
        answer = await ask(server, method, target, headers=headers, origin=server.storage_origin)
    assert answer.status == status
    if status >= 400:
        assert answer.headers["content-type"] == "application/xml"
        assert b"<Error><Code>" in answer.body
        assert answer.headers.get("content-range") == ("bytes */1024" if status == 416 else None)
    else:
        assert answer.body == expected
        assert answer.headers["etag"] == f'"{hashlib.md5(DATA).hexdigest()}"'


async def test_signed_url_of_a_deleted_file(ask):
    """The signature outlives the file."""
    async with ArtifactoryServer(redirect_over=0) as server:
        server.put("generic-local/a.bin", DATA)
        location = (await ask(server, "GET", FILE)).headers["location"]
        await ask(server, "DELETE", FILE)
        target = location.removeprefix(server.storage_origin)
        answer = await ask(server, "GET", target, headers={}, origin=server.storage_origin)
    assert (answer.status, b"<Code>NoSuchKey</Code>" in answer.body) == (404, True)


async def test_faults_and_log_on_the_second_origin(ask):
    """Patterns with ``storage:`` reach the other origin, and the log says which origin it was."""
    async with ArtifactoryServer(redirect_over=0) as server:
        server.put("generic-local/a.bin", DATA)
        server.fail("GET", "storage:**", fault=Fault.truncate(after=10))
        location = (await ask(server, "GET", FILE)).headers["location"]
        target = location.removeprefix(server.storage_origin)
        answer = await ask(server, "GET", target, headers={}, origin=server.storage_origin)
        assert (answer.headers["content-length"], answer.body) == ("1024", DATA[:10])
        server.assert_requests(["GET generic-local/a.bin", "GET storage:generic-local/a.bin"])
        assert [each.origin for each in server.requests] == ["main", "storage"]
        assert [each.had_credentials for each in server.requests] == [True, False]
        assert server.count(pattern="storage:**") == 1


async def test_abort_resets_everything(stored, admin):
    """Idle and busy connections are reset at once, and the port is closed."""
    handle = stored.fail(fault=Fault.stall(after=5))
    busy_reader, busy_writer = await connect(stored)
    idle_reader, idle_writer = await connect(stored)
    idle_writer.write(request(admin, "HEAD"))
    await read_head(idle_reader)
    busy_writer.write(request(admin))
    await read_head(busy_reader)
    await handle.reached()
    await busy_reader.readexactly(5)
    await stored.abort()
    for reader, writer in ((busy_reader, busy_writer), (idle_reader, idle_writer)):
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        await close(writer)
    with pytest.raises(ConnectionRefusedError):
        await connect(stored)


async def test_dates_are_those_of_the_moment(stored, ask):
    """Every head carries a date of the HTTP form."""
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", (await ask(stored, "GET", FILE)).headers["date"])


async def test_faults_combine(server, ask, admin):
    """Range is ignored and the body is cut: ten bytes of the beginning, where others were requested."""
    server.put("generic-local/a", bytes(range(100)))
    server.fail("GET", "generic-local/a", fault=Fault.ignore_range() | Fault.cut(after=10) | Fault.wrong_etag("x"))
    answer = await ask(server, "GET", "/generic-local/a", headers=admin | {"Range": "bytes=50-"})
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, bytes(range(10)), "x")
    answer = await ask(server, "GET", "/generic-local/a", headers=admin | {"Range": "bytes=50-"})
    assert (answer.status, answer.body) == (206, bytes(range(50, 100)))


def test_faults_that_contradict_each_other():
    """The same setting twice is refused unless it is the same; an empty fault changes nothing."""
    with pytest.raises(ValueError, match="both faults set 'ending': 'cut' and 'reset'"):
        Fault.cut() | Fault.reset()
    assert Fault.flip(3) | Fault.flip(3) == Fault.flip(3)
    assert Fault() | Fault.flip(3) == Fault.flip(3)


def test_every_fault_is_documented():
    """A fault that is missing in the guide or in the reference fails here."""
    names = {name for name, value in vars(Fault).items() if isinstance(value, classmethod)}
    docs = Path(__file__).parents[3] / "docs"
    guide = set(re.findall(r"^\| `Fault\.(\w+)\(", docs.joinpath("howto/testing.md").read_text("utf-8"), re.MULTILINE))
    reference = docs.joinpath("reference/api/testing.md").read_text("utf-8").partition("aioartifact.testing.Fault()")[2]
    members = re.search(r":members:(.*?)\n\.\.", reference, re.DOTALL)
    assert guide == names
    assert set(re.findall(r"\w+", members[1])) == names
