"""Transfers that break off again and again: bounded, unless each attempt brings a minimum of progress."""

import asyncio
import hashlib
import io
import json
import re
import zipfile
from contextlib import asynccontextmanager, suppress

import pytest
from raw_http import Close, checksum_headers, raw_server, response

import aioartifact
from aioartifact import query
from aioartifact._session import exchange
from aioartifact._transfer.receive import parallel, segments

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 2048
SHA1 = hashlib.sha1(CONTENT).hexdigest()


@asynccontextmanager
async def breaking_server(step: int):
    """A server that breaks each response off after *step* bytes of its body; yields URL, session and requests."""
    requests: list[str] = []

    async def serve(reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            requests.append(head.split("\r\n")[0])
            found = re.search(r"(?i)range: bytes=(\d+)-", head)
            start = int(found[1]) if found else 0
            last = len(CONTENT) - 1
            status = f"206 Partial Content\r\nContent-Range: bytes {start}-{last}/{len(CONTENT)}" if found else "200 OK"
            writer.write(
                f"HTTP/1.1 {status}\r\nETag: {SHA1}\r\nX-Checksum-Sha1: {SHA1}\r\n"
                f"Content-Length: {len(CONTENT) - start}\r\n\r\n".encode()
            )
            writer.write(CONTENT[start : start + step])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/artifactory"
    retry = aioartifact.RetryPolicy(attempts=3, backoff_initial=0)
    try:
        async with aioartifact.session(base, auth=("user", "pass"), retry=retry) as session:
            yield f"{base}/r/f", session, requests
    finally:
        server.close()


async def downloaded(url, session, folder):
    await aioartifact.download(url, folder, session=session)
    return (folder / "f").read_bytes()


async def read(url, session, _):
    return await aioartifact.read_bytes(url, session=session)


async def streamed(url, session, _):
    async with aioartifact.stream(url, session=session) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def opened(url, session, _):
    async with aioartifact.open(url, session=session) as file:
        return await file.read()


CALLS = [downloaded, read, streamed, opened]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("step", [1, 1000])
async def test_a_few_bytes_are_no_progress(call, step, tmp_path):
    """The attempts are used up although each brings new bytes."""
    async with breaking_server(step) as (url, session, requests):
        with pytest.raises(aioartifact.ArtifactoryError):
            await call(url, session, tmp_path)
        assert len(requests) <= 8


@pytest.mark.parametrize("call", CALLS)
async def test_progress_goes_on(call, tmp_path):
    """A server that brings enough each time is resumed to the end, however often it breaks off."""
    async with breaking_server(80_000) as (url, session, _):
        assert await call(url, session, tmp_path) == CONTENT


ATTEMPTS = 3
# No correct client comes near it: from here on, the raw server ends a call that would not end by itself.
TOO_MANY = 60
JSON = {"Content-Type": "application/json"}


def connect(server, **options):
    retry = aioartifact.RetryPolicy(ATTEMPTS, backoff_initial=0)
    return aioartifact.session(server.url, auth=("user", "secret"), retry=retry, **options)


def broken_off(document: str, entries: int):
    """A response that breaks off behind some entries of its array."""
    *begin, _ = document.split("},", entries)
    return Close(response("},".join([*begin, ""]).encode(), headers=JSON, length=len(document)))


class BreakingListing:
    """
    A server that sends *step* more entries in each response and then breaks it off, until all are sent.

    Args:
        step: How many more.
        total: How many there are.
        spell: Makes an entry of a number.
        key: Name of the array.
        resumes: Whether each response starts behind the last one, as AQL in an order does.
    """

    def __init__(self, step, total, spell, key, *, resumes=False):
        self.step, self.total, self.spell, self.key, self.resumes = step, total, spell, key, resumes
        self.count = 0

    def __call__(self, request):
        if not self._is_asked(request):
            return response(status=403)
        self.count += 1
        if self.count > TOO_MANY:
            return response(status=404)
        start = self.step * (self.count - 1) if self.resumes else 0
        stop = self.step * self.count
        entries = [self.spell(number) for number in range(start, min(stop, self.total) + 1)]
        document = json.dumps({"repo": "r", "path": "/t", self.key: entries}, separators=(",", ":"))
        if stop >= self.total:
            return response(document.encode(), headers=JSON)
        raise broken_off(document, stop - start)

    def _is_asked(self, request):
        is_query, is_file_list = request.method == "POST", "list" in request.target
        return {"files": is_file_list, "results": is_query, "children": not is_query and not is_file_list}[self.key]


def listed_file(number):
    return {"uri": f"/f{number:04}", "size": 1, "folder": False, "sha1": "a" * 40}


def row(number):
    return {"repo": "r", "path": "t", "name": f"f{number:04}", "type": "file", "size": 1, "actual_sha1": "a" * 40}


def child(number):
    return {"uri": f"/f{number:04}", "folder": False}


async def walked(server, session):
    return [entry.path async for entry in aioartifact.walk(f"{server.url}/r/t", session=session)]


async def one_level(server, session):
    return [entry.path async for entry in aioartifact.ls(f"{server.url}/r/t", session=session)]


async def queried(server, session):
    asked = query.items(repo="r")
    return [f"t/{found['name']}" async for found in aioartifact.aql(server.url, asked, session=session)]


LISTINGS = [
    pytest.param(walked, listed_file, "files", False, id="file-list"),
    pytest.param(walked, row, "results", True, id="aql"),
    pytest.param(queried, row, "results", True, id="query"),
    pytest.param(one_level, child, "children", False, id="folder"),
]


@pytest.mark.parametrize(("call", "spell", "key", "resumes"), LISTINGS)
@pytest.mark.parametrize("step", [1, 3])
async def test_a_few_entries_are_no_progress(call, spell, key, resumes, step):
    """One new entry for each connection does not reset the attempts, neither from the start nor behind the last row."""
    handler = BreakingListing(step, 1000, spell, key, resumes=resumes)
    async with raw_server(handler) as server, connect(server) as session:
        with pytest.raises(aioartifact.TransportError):
            await call(server, session)
        assert handler.count <= 10 // step + 1 + 2 * ATTEMPTS


@pytest.mark.parametrize(("call", "spell", "key", "resumes"), LISTINGS)
async def test_listing_that_makes_progress_ends(call, spell, key, resumes):
    """Ten new entries each time are enough, however often it breaks off, and each entry comes once."""
    handler = BreakingListing(10, 200, spell, key, resumes=resumes)
    async with raw_server(handler) as server, connect(server) as session:
        found = await call(server, session)
        assert found == [f"t/f{number:04}" for number in range(201)]
        assert handler.count == 20


@pytest.mark.parametrize(("call", "spell", "key", "resumes"), LISTINGS)
async def test_entries_of_several_responses_add_up(call, spell, key, resumes):
    """Ten new entries since the attempts last counted anew are enough, over however many responses they come."""
    handler = BreakingListing(5, 100, spell, key, resumes=resumes)
    async with raw_server(handler) as server, connect(server) as session:
        found = await call(server, session)
        assert found == [f"t/f{number:04}" for number in range(101)]
        assert handler.count == 20


async def test_folder_by_folder():
    """A folder whose response breaks off has its attempts, and no more for the entries that arrived."""
    handler = BreakingListing(5, 1000, child, "children")
    async with raw_server(handler) as server, connect(server) as session:
        with pytest.raises(aioartifact.TransportError):
            await aioartifact.versions(server.url, "r", "", "t", method="folder", session=session)
        assert handler.count == ATTEMPTS


ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, "w") as file:
    for number in range(3):
        file.writestr(f"m{number}", bytes(range(256)) * 2000)


async def archive_listed(server, session):
    return await aioartifact.list_archive(f"{server.url}/r/x.zip", session=session)


async def member_read(server, session):
    return await aioartifact.read_archive_member(f"{server.url}/r/x.zip", "m1", session=session)


@pytest.mark.parametrize("call", [archive_listed, member_read])
@pytest.mark.parametrize("step", [1, 1000, 80_000])
async def test_archive(call, step):
    """Members are read in ranges: each has its attempts, and the first that uses them up ends the call."""
    content = ARCHIVE.getvalue()

    def handler(request):
        if len(server.requests) > TOO_MANY or "!" in request.target:
            return response(status=404)
        raise Close(part_of(request, content, step))

    async with raw_server(handler) as server, connect(server) as session:
        if step >= 80_000:
            assert await call(server, session)
        else:
            with pytest.raises(aioartifact.ArtifactoryError):
                await call(server, session)
            assert len(server.requests) <= 2 + 2 * ATTEMPTS


def part_of(request, content, step):
    """The part of *content* that is requested, broken off after *step* bytes."""
    found = re.search(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    start, stop = (int(found[1]), int(found[2] or len(content) - 1) + 1) if found else (0, len(content))
    stop = min(stop, len(content))
    headers = {"ETag": "e", **checksum_headers(content)}
    if found:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return response(
        content[start : min(stop, start + step)], status=206 if found else 200, headers=headers, length=stop - start
    )


@pytest.mark.parametrize("received", [0, 1000, 300_000])
async def test_upload(received, tmp_path):
    """However much of the file the server has taken before it breaks the connection, the attempts count."""
    (tmp_path / "f").write_bytes(CONTENT * 2)
    connections = 0

    async def serve(reader, writer):
        nonlocal connections
        connections += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(received)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/artifactory"
    retry = aioartifact.RetryPolicy(ATTEMPTS, backoff_initial=0)
    async with server, aioartifact.session(base, auth=("user", "secret"), retry=retry) as session:
        with pytest.raises(aioartifact.ConnectionLostError):
            await aioartifact.deploy(tmp_path / "f", f"{base}/r/f", min_checksum_deploy=None, session=session)
    assert connections == ATTEMPTS


@pytest.fixture
def small_segments(monkeypatch):
    """Hundreds of kilobytes and hundredths of a second stand for gigabytes and minutes; bytes are taken one by one."""
    monkeypatch.setattr(exchange, "_BATCH_SECONDS", 0.0)
    for name, value in {"_LEAST": 64 * 1024, "_WINDOW": 0.01, "_SAVES_SECONDS": 0.0, "_SAVES_REPLIES": 0}.items():
        monkeypatch.setattr(segments, name, value)
    monkeypatch.setattr(segments, "_MOST_REPLY_SECONDS", 0.001)
    monkeypatch.setattr(segments, "_BUSY", 1000.0)
    monkeypatch.setattr(segments, "_FULL_SECONDS", 0.0)
    monkeypatch.setattr(parallel, "_LOOK_EVERY", 0.01)


class Overlapping:
    """A server whose connections each bring *step* bytes, and break off, or end, when the next one has begun."""

    def __init__(self, step, content, *, breaks):
        self.step, self.content, self.breaks = step, content, breaks
        self.began = [asyncio.Event() for _ in range(TOO_MANY + 2)]
        self.count = 0

    async def __call__(self, request):
        number, self.count = self.count, self.count + 1
        if number >= TOO_MANY:
            return response(status=404)
        self.began[number].set()
        head, blank, body = part_of(request, self.content, self.step).partition(b"\r\n\r\n")
        if number and not self.breaks:
            head = re.sub(rb"(?<=Content-Length: )\d+", b"%d" % self.step, head)
        request.writer.write(head + blank + body[:-1])
        with suppress(TimeoutError):
            async with asyncio.timeout(2):  # the last one is followed by none
                await self.began[number + 1].wait()
        raise Close(body[-1:])


@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize("breaks", [True, False])
async def test_connections_that_relieve_each_other(small_segments, step, breaks, tmp_path):
    """A file whose connections all end early, but never all at once, ends as one over a single connection does."""
    handler = Overlapping(step, CONTENT * 4, breaks=breaks)
    limits = aioartifact.Limits(max_concurrency=4)
    async with raw_server(handler) as server, connect(server, limits=limits) as session:
        with pytest.raises(aioartifact.TransportError):
            await aioartifact.download(f"{server.url}/r/f", tmp_path, session=session)
        # With each attempt, as many more as may run at once or fail in a row.
        assert handler.count <= ATTEMPTS * (1 + 4 + ATTEMPTS)
    assert list(tmp_path.iterdir()) == []


def cut_short(request, content, step):
    """A response that ends properly after *step* bytes, though it states more in Content-Range."""
    found = re.search(r"bytes=(\d+)-", request.headers.get("range", ""))
    headers = {"ETag": "e", **checksum_headers(content)}
    if not found:
        raise Close(response(content[:step], headers=headers, length=len(content)))
    start = int(found[1])
    headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return response(content[start : start + step], status=206, headers=headers)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("step", [1, 1000, 80_000])
async def test_parts_that_end_early(call, step, tmp_path):
    """A part that is shorter than stated, on a connection that does not break, counts like one that does."""

    def handler(request):
        if len(server.requests) > TOO_MANY:
            return response(status=404)
        return cut_short(request, CONTENT, step)

    async with raw_server(handler) as server, connect(server) as session:
        if call is downloaded and step == 80_000:
            assert await call(f"{server.url}/r/f", session, tmp_path) == CONTENT
        else:
            with pytest.raises(aioartifact.ArtifactoryError):
                await call(f"{server.url}/r/f", session, tmp_path)
            assert len(server.requests) <= 2 + 2 * ATTEMPTS


class Pages:
    """AQL results in pages of *size* rows, where the requests of the numbers *failing* fail."""

    def __init__(self, failing, failure, size=10, total=120):
        self.failing, self.failure, self.size, self.total = failing, failure, size, total
        self.count = 0

    def __call__(self, request):
        if request.method != "POST":
            return response(status=403)
        self.count += 1
        if self.count > TOO_MANY:
            return response(status=404)
        if self.count in self.failing:
            return self.failure()
        last = re.findall(r"f(\d{4})", request.body.decode())
        start = int(last[-1]) + 1 if last else 0
        rows = [row(number) for number in range(start, min(start + self.size, self.total))]
        bounds = {"start_pos": 0, "end_pos": len(rows), "total": len(rows)}
        if start + self.size < self.total:
            bounds["notification"] = "the result was trimmed"
        return response(json.dumps({"results": rows, "range": bounds}).encode(), headers=JSON)


def unavailable():
    return response(status=503)


def closed():
    raise Close


@pytest.mark.parametrize("failure", [unavailable, closed])
@pytest.mark.parametrize("size", [5, 10])
async def test_each_page_has_its_attempts(failure, size):
    """The pages of a result that have arrived use up no attempts of those that follow."""
    handler = Pages({8, 9, 11, 12}, failure, size)
    async with raw_server(handler) as server, connect(server) as session:
        assert len(await walked(server, session)) == 120
        assert handler.count == 120 // size + 4


async def test_page_that_fails_in_each_attempt():
    """The error has the number of the attempts of that page."""
    handler = Pages(range(8, TOO_MANY), unavailable)
    async with raw_server(handler) as server, connect(server) as session:
        with pytest.raises(aioartifact.ServerError) as caught:
            await walked(server, session)
        assert caught.value.attempts == ATTEMPTS
        assert handler.count == 7 + ATTEMPTS


async def test_simpler_query_has_its_attempts():
    """A query that the server does not understand is not an attempt of the one that replaces it."""
    refusal = json.dumps({"errors": [{"status": 400, "message": "Fail to parse query: sha256"}]}).encode()

    def handler(request):
        if request.method != "POST":
            return response(status=403)
        if b"sha256" in request.body:
            return response(refusal, status=400, headers=JSON)
        return pages(request)

    pages = Pages({1, 2}, unavailable)
    async with raw_server(handler) as server, connect(server) as session:
        assert len(await walked(server, session)) == 120


@pytest.mark.parametrize("step", [1, 1000, 80_000])
async def test_folder_as_an_archive(step, tmp_path):
    """The archive is requested once; the files, which follow one by one, have their attempts each."""
    members = {f"f{number}": bytes([number]) * 200_000 for number in range(3)}
    entries = [
        {"uri": f"/{name}", "size": len(data), "folder": False, "sha1": hashlib.sha1(data).hexdigest()}
        for name, data in members.items()
    ]

    def handler(request):
        target = request.target
        if len(server.requests) > TOO_MANY:
            return response(status=404)
        if "list" in target:
            return response(json.dumps({"files": entries}).encode(), headers=JSON)
        if "/api/archive/" in target:
            raise Close(response(ARCHIVE.getvalue()[:step], length=900_000))
        if "/api/" in target:
            return response(status=403)
        raise Close(part_of(request, members[target.rpartition("/")[2]], step))

    async with raw_server(handler) as server, connect(server) as session:
        arguments = (f"{server.url}/r/t", tmp_path)
        options = {"archive": True, "on_error": "collect", "session": session}
        report = await aioartifact.download_folder(*arguments, **options)
        assert len(report.failed) == (0 if step == 80_000 else 3)
        assert sum("/api/archive/" in request.target for request in server.requests) == 1
        assert len(server.requests) <= 3 + 3 * ATTEMPTS
