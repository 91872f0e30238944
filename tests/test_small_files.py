"""Small files: whatever a server answers, the fast path gives what the usual way gives."""

import asyncio
import gzip
import hashlib
import json
import os
import random
import re
from collections import Counter
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import anyio
import pytest
from raw_http import Close, RawRequest, checksum_headers, raw_server
from raw_http import response as response_of

import aioartifact
from aioartifact import RetryPolicy
from aioartifact._address import parse_item_url
from aioartifact._session import BegunRequest, SmallResponse, prepare_small_files
from aioartifact._transfer.many import fetcher

ANSWERS = int(os.environ.get("AIOARTIFACT_DIFFERENTIAL_ANSWERS", "1500"))
SEED = os.environ.get("AIOARTIFACT_DIFFERENTIAL_SEED", "1")
MISBEHAVED = 2  # requests for one file that are answered badly; then the server behaves
RETRY = RetryPolicy(attempts=8, backoff_initial=0)  # enough, whatever a reused connection does meanwhile


SUCCESS: ContextVar[int] = ContextVar("SUCCESS", default=200)
"""Status of a response to the present request that is not an error."""


def response(body: bytes = b"", *, status: int | None = None, **options: Any) -> bytes:
    return response_of(body, status=SUCCESS.get() if status is None else status, **options)


class Answers:
    """Random answers, the same for each server with the same seed, path and number of the request."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.requests: Counter[str] = Counter()

    async def answer(self, request: RawRequest) -> bytes:
        self.requests[request.target] += 1
        number = self.requests[request.target]
        name, draw = self._style(request.target, number)
        content = deployed(request) if request.method == "PUT" else content_of(request.target)
        SUCCESS.set(201 if request.method == "PUT" else 200)
        if "/api/storage/" in request.target or request.target.endswith("-elsewhere"):
            return response(status=404)
        if number > MISBEHAVED or (number > 1 and self._style(request.target, number - 1)[0] in BREAKING):
            return response(content, headers=checksum_headers(content))
        if len(content) > 10_000 and name.startswith("surplus"):
            name = "plain"  # which bytes arrive together would be chance
        return await STYLES[name](request, draw, content)

    def _style(self, target: str, number: int) -> tuple[str, random.Random]:
        """The style of an answer, and the random numbers for its details."""
        draw = random.Random(f"{self.seed} {target} {number}")
        return draw.choice([*STYLES]), draw


def content_of(target: str) -> bytes:
    draw = random.Random(target)
    return draw.randbytes(draw.choice((0, 1, 100, 10_000, 40_000, 65_536, 65_537, 90_000)))


def deployed(request: RawRequest) -> bytes:
    """What Artifactory answers to an upload."""
    checksums = {name: hashlib.new(name, request.body).hexdigest() for name in ("sha256", "sha1", "md5")}
    path = request.target.removeprefix("/artifactory/r")
    return json.dumps({"repo": "r", "path": path, "size": str(len(request.body)), "checksums": checksums}).encode()


def fields_of(draw: random.Random, content: bytes) -> list[tuple[str, str]]:
    fields = [*checksum_headers(content).items(), ("ETag", hashlib.sha1(content).hexdigest())]
    fields += draw.sample(
        [("Server", "Artifactory/7"), ("Set-Cookie", "a=b"), ("X-Empty", ""), ("X-Long", "x" * 3000)], draw.randrange(4)
    )
    draw.shuffle(fields)
    return [(draw.choice((name, name.lower(), name.upper())), value) for name, value in fields]


async def in_pieces(request: RawRequest, draw: random.Random, data: bytes) -> bytes:
    """Send *data* in some pieces, each of which the client may see alone."""
    stops = sorted(draw.randrange(len(data) + 1) for _ in range(draw.randrange(4)))
    for start, stop in zip([0, *stops], [*stops, len(data)], strict=True):
        request.writer.write(data[start:stop])
        await request.writer.drain()
        await asyncio.sleep(0)
    return b""


async def plain(request, draw, content):
    return await in_pieces(request, draw, response(content, headers=fields_of(draw, content)))


async def closing(request, draw, content):
    raise Close(response(content, headers=[*fields_of(draw, content), ("Connection", "close")]))


async def without_checksums(request, draw, content):
    return response(content, headers={"ETag": "etag"})


async def with_sha1_only(request, draw, content):
    return response(content, headers={"X-Checksum-Sha1": hashlib.sha1(content).hexdigest()})


async def with_wrong_checksum(request, draw, content):
    return await in_pieces(request, draw, response(content, headers=checksum_headers(content + b"!")))


async def with_malformed_checksum(request, draw, content):
    return response(content, headers={"X-Checksum-Sha256": draw.choice(("no", "A" * 64, "0" * 63, ""))})


async def with_two_checksums(request, draw, content):
    both = [("X-Checksum-Sha256", hashlib.sha256(data).hexdigest()) for data in (content, content + b"!")]
    return response(content, headers=draw.sample(both, 2))


async def page(request, draw, content):
    return response(b"<html>", headers={"Content-Type": draw.choice(("text/html", "TEXT/HTML; charset=utf-8"))})


async def file_that_is_a_page(request, draw, content):
    return response(content, headers=[*fields_of(draw, content), ("Content-Type", "text/html")])


async def without_length(request, draw, content):
    raise Close(response(content, headers=fields_of(draw, content), length=-1))


async def with_two_lengths(request, draw, content):
    lengths = draw.choice(((len(content), len(content)), (len(content), len(content) + 1)))
    fields = [("Content-Length", str(length)) for length in lengths]
    raise Close(response(content, headers=[*fields_of(draw, content), *fields], length=-1))


async def with_odd_length(request, draw, content):
    odd = draw.choice(("+{}", "{}, {}", "0x{}", "-{}", "{}.0", "{} bytes")).replace("{}", str(len(content)))
    raise Close(response(content, headers=[*fields_of(draw, content), ("Content-Length", odd)], length=-1))


async def truncated(request, draw, content):
    data = response(content, headers=fields_of(draw, content))
    raise Close(data[: len(data) - draw.randrange(1, len(content) + 2)])


async def aborted(request, draw, content):
    data = response(content, headers=fields_of(draw, content))
    request.writer.write(data[: draw.randrange(len(data))])
    request.writer.transport.abort()
    raise Close


async def closed_without_an_answer(request, draw, content):
    raise Close


async def chunked(request, draw, content):
    head = response(headers=[*fields_of(draw, content), ("Transfer-Encoding", "chunked")], length=-1)
    chunks = b"%x\r\n%s\r\n" % (len(content), content) if content else b""
    return await in_pieces(request, draw, head + chunks + b"0\r\n\r\n")


async def chunked_with_length(request, draw, content):
    head = response(headers=[("Transfer-Encoding", "chunked")], length=len(content))
    raise Close(head + b"0\r\n\r\n")


async def malformed_chunks(request, draw, content):
    raise Close(response(headers=[*fields_of(draw, content), ("Transfer-Encoding", "chunked")], length=-1) + b"xyz\r\n")


async def encoded(request, draw, content):
    body = gzip.compress(content, mtime=0)
    return response(body, headers=[*fields_of(draw, content), ("Content-Encoding", "gzip")])


async def labelled_as_encoded(request, draw, content):
    return response(
        content, headers=[*fields_of(draw, content), ("Content-Encoding", draw.choice(("gzip", "identity")))]
    )


async def refused(request, draw, content):
    status = draw.choice((400, 403, 404, 409, 410, 416, 500, 502, 503, 504))
    body = draw.choice((b"", b'{"errors":[{"status":%d,"message":"no"}]}' % status, b"<html>no</html>"))
    return await in_pieces(request, draw, response(body, status=status, headers={"Retry-After": "0"}))


async def without_content(request, draw, content):
    raise Close(response(status=draw.choice((204, 205, 304)), length=-1))


async def part_that_was_not_asked_for(request, draw, content):
    return response(content, status=206, headers={"Content-Range": f"bytes 0-{len(content)}/{len(content) + 1}"})


async def redirected(request, draw, content):
    target = draw.choice(
        (f"{request.target}-elsewhere", request.target, "/", f"{request.target}/", "ftp://x/", "http://[")
    )
    return response(status=draw.choice((301, 302, 303, 307, 308)), headers={"Location": target})


async def after_interim_responses(request, draw, content):
    interim = draw.choice((b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"))
    data = interim * draw.randrange(1, 4) + response(content, headers=fields_of(draw, content))
    return await in_pieces(request, draw, data)


async def switched_protocols(request, draw, content):
    raise Close(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")


async def of_http_1_0(request, draw, content):
    raise Close(response(content, headers=fields_of(draw, content)).replace(b"HTTP/1.1", b"HTTP/1.0", 1))


async def malformed_head(request, draw, content):
    data = response(content, headers=fields_of(draw, content))
    old, new = draw.choice(
        (
            (b"HTTP/1.1 200", b"HTTP/1.1 2000"),
            (b"HTTP/1.1 200", b"HTTP/1.1"),
            (b"HTTP/1.1 200", b"SSH-2.0"),
            (b"HTTP/1.1 200", b"HTTP/1.1 999"),
            (b"OK\r\n", b"OK\r\nno colon\r\n"),
            (b"OK\r\n", b"OK\r\nName : space\r\n"),
            (b"OK\r\n", b"OK\r\nA: b\r\n folded\r\n"),
            (b"OK\r\n", b"OK\r\nA: \0\r\n"),
            (b"OK\r\n", b"OK\r\nA: \xff\xfe\r\n"),
            (b"OK\r\n", b"\xff\r\n"),
        )
    )
    raise Close(data.replace(old, new, 1))


async def large_head(request, draw, content):
    size = draw.choice((20_000, 60_000, 70_000, 200_000))
    raise Close(response(content, headers=[*fields_of(draw, content), ("X-Large", "x" * size)]))


async def many_fields(request, draw, content):
    many = [(f"X-{number}", "x") for number in range(draw.choice((100, 250, 260, 1000, 1100)))]
    raise Close(response(content, headers=[*fields_of(draw, content), *many]))


async def surplus_bytes(request, draw, content):
    raise Close(response(content, headers=fields_of(draw, content)) + draw.choice((b"x", b"\r\n", b"x" * 70_000)))


async def surplus_response(request, draw, content):
    other = b"other"
    raise Close(response(content, headers=fields_of(draw, content)) + response(other, headers=checksum_headers(other)))


STYLES = {
    style.__name__: style
    for style in (
        *(
            plain,
            plain,
            plain,
            closing,
            without_checksums,
            with_sha1_only,
            with_wrong_checksum,
            with_malformed_checksum,
        ),
        *(with_two_checksums, page, file_that_is_a_page, without_length, with_two_lengths, with_odd_length, truncated),
        *(aborted, closed_without_an_answer, chunked, chunked_with_length, malformed_chunks, encoded),
        *(labelled_as_encoded, refused, without_content, part_that_was_not_asked_for, redirected),
        *(after_interim_responses, switched_protocols, of_http_1_0, malformed_head, large_head, many_fields),
        *(surplus_bytes, surplus_response),
    )
}


# After these, it is chance whether the rest is requested or the whole, which unusual answers may depend on.
BREAKING = {"truncated", "aborted", "malformed_chunks", "without_length", "with_two_lengths", "with_odd_length"}


@dataclass
class Results:
    """What became of each file, without what differs from run to run."""

    outcomes: dict[str, tuple[object, ...]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def without_numbers(text: str, origin: str) -> str:
    # How far a body came before it broke off depends on how soon it was read. Where a server closes its connection
    # unannounced, it is chance whether the next request is sent on it.
    text = re.sub(r" \(\d+ attempts\)", "", text)
    return re.sub(r"\d+", "N", text.replace(origin, "ORIGIN")).replace(", at byte N of N", "")


def own_session(url: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": "Basic dTpzZWNyZXQ="})


def our_session(url: str) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    return aioartifact.session(url, auth=("u", "secret"), retry=RETRY)


async def results_of(folder, names, make_session, *, is_quick: bool) -> Results:
    answers, results = Answers(SEED), Results()
    async with raw_server(answers.answer) as server, make_session(server.url) as session:
        urls = [f"{server.url}/r/{name}" for name in names]
        report = await aioartifact.download_many(
            urls,
            folder,
            on_error="collect",
            max_concurrency=4,
            session=session,
            durable=not is_quick,  # then every request goes the usual way
        )
    for outcome in report:
        name = outcome.url.rpartition("/")[2]
        error = outcome.error and (type(outcome.error).__name__, without_numbers(str(outcome.error), server.origin))
        results.outcomes[name] = (outcome.status, outcome.size, outcome.sha256, error)
        assert "secret" not in repr(outcome)
    results.files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return results


@pytest.mark.slow
@pytest.mark.parametrize("make_session", [our_session, own_session])
async def test_random_answers_either_way(tmp_path, make_session):
    """Both ways end in the same outcomes, errors and files, and the files are right."""
    names = [f"{number}.bin" for number in range(ANSWERS)]
    quick, usual = tmp_path / "quick", tmp_path / "usual"
    one = await results_of(quick, names, make_session, is_quick=True)
    other = await results_of(usual, names, make_session, is_quick=False)
    different = {
        name: (one.outcomes[name], other.outcomes[name]) for name in names if one.outcomes[name] != other.outcomes[name]
    }
    assert different == {}
    assert one.files == other.files
    assert Counter(outcome[0] for outcome in one.outcomes.values())["downloaded"] > ANSWERS / 3


async def uploads_of(folder, *, is_quick: bool) -> Results:
    answers, results = Answers(SEED), Results()
    traces = [] if is_quick else [aiohttp.TraceConfig()]  # something of the user's: then aiohttp sends each request
    async with (
        raw_server(answers.answer) as server,
        aioartifact.session(server.url, auth=("u", "secret"), retry=RETRY, trace_configs=traces) as session,
    ):
        report = await aioartifact.deploy_many(
            sorted(folder.iterdir()), f"{server.url}/r/", on_error="collect", max_concurrency=4, session=session
        )
        for request in server.requests:
            if request.method == "PUT":
                results.files[request.target] = request.body
    for outcome in report:
        error = outcome.error and (type(outcome.error).__name__, without_numbers(str(outcome.error), server.origin))
        results.outcomes[outcome.path or ""] = (outcome.status, outcome.size, outcome.sha256, error)
        assert "secret" not in repr(outcome)
    return results


@pytest.mark.slow
async def test_random_answers_to_uploads_either_way(tmp_path, monkeypatch):
    """Both ways send the same bytes, and end in the same outcomes and errors; in groups as large as they can be."""
    monkeypatch.setattr("aioartifact._transfer.send.deployer._GROUP_SECONDS", 1e9)
    draw = random.Random(SEED)
    for number in range(ANSWERS // 3):
        size = draw.choice((0, 1, 100, 10_000, 65_536, 65_537, 200_000))
        (tmp_path / f"{number}.bin").write_bytes(draw.randbytes(size))
    one, other = await uploads_of(tmp_path, is_quick=True), await uploads_of(tmp_path, is_quick=False)
    different = {
        path: (one.outcomes[path], other.outcomes[path])
        for path in one.outcomes
        if one.outcomes[path] != other.outcomes[path]
    }
    assert different == {}
    assert one.files == other.files
    assert all(one.files[f"/artifactory/r/{path.name}"] == path.read_bytes() for path in tmp_path.iterdir())
    assert Counter(outcome[0] for outcome in one.outcomes.values())["deployed"] > len(one.outcomes) / 3


CONTENT = b"small" * 100


def plain_response(content: bytes = CONTENT, **headers: str) -> bytes:
    return response(content, headers={**checksum_headers(content), **headers})


@pytest.mark.parametrize(
    "answer",
    [
        plain_response(b"x" * 65_537),
        response(status=404),
        response(status=302, headers={"Location": "/artifactory/r/other"}),
        response(gzip.compress(CONTENT), headers={"Content-Encoding": "gzip"}),
        response(headers={"Transfer-Encoding": "chunked"}, length=-1) + b"0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + plain_response(),
        plain_response() + b"surplus",
    ],
    ids=["large", "refused", "redirected", "encoded", "chunked", "interim", "surplus"],
)
async def test_unusual_response_is_passed_on_with_its_slot(answer):
    """Until it is taken, it counts as a request in flight."""
    async with raw_server(lambda _: answer) as server, aioartifact.session(server.url, auth=("u", "p")) as session:
        item = parse_item_url(f"{server.url}/r/a")
        files = await prepare_small_files(session, item.server)
        responses: list[SmallResponse] = []
        begun = await files.get([item, item], responses)
        assert isinstance(begun, BegunRequest)
        assert responses == []
        assert begun.take_slot()
        begun.discard()
        assert len(server.requests) == 1


async def test_cancelled_while_a_body_arrives(monkeypatch):
    """A user's own session gets its connection back."""
    monkeypatch.setattr("aioartifact._session.small_files._BODY_SECONDS", 60.0)
    has_head = asyncio.Event()

    async def note_head(*_):
        has_head.set()

    async def answer(request):
        request.writer.write(plain_response()[:-1])
        await asyncio.Event().wait()

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note_head)
    async with raw_server(answer) as server, aiohttp.ClientSession(trace_configs=[trace]) as session:
        item = parse_item_url(f"{server.url}/r/a")
        files = await prepare_small_files(session, item.server)
        task = asyncio.create_task(files.get([item], []))
        await has_head.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not session.connector._acquired


async def test_plain_responses_share_a_connection():
    async with (
        raw_server(lambda _: plain_response()) as server,
        aioartifact.session(server.url, auth=("u", "p"), headers={"X-Own": "1"}) as session,
    ):
        item = parse_item_url(f"{server.url}/r/a")
        files = await prepare_small_files(session, item.server)
        responses: list[SmallResponse] = []
        for _ in range(2):
            assert await files.get([item] * (len(responses) + 3), responses) is None
        assert [each.body for each in responses] == [CONTENT] * 6
    assert len({id(request.writer) for request in server.requests}) == 1
    request = server.requests[0]
    assert request.headers["authorization"] == "Basic dTpw"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["x-own"] == "1"
    assert request.headers["user-agent"].startswith("aioartifact/")
    assert request.headers["host"] == server.origin.removeprefix("http://")


async def _passing(request, handler):
    return await handler(request)


@pytest.mark.parametrize(
    "options",
    [
        {"trace_configs": [aiohttp.TraceConfig()]},
        {"middlewares": [_passing]},
        {"proxy": "http://proxy.example.com:3128"},
        {"limits": aioartifact.Limits(max_bytes_per_second=1e6)},
    ],
    ids=["trace", "middleware", "proxy", "rate"],
)
async def test_usual_way_for_what_the_user_adds(options):
    server = parse_item_url("http://localhost:1/artifactory/r/a").server
    async with aioartifact.session(str(server), auth=("u", "p"), **options) as session:
        assert await prepare_small_files(session, server) is None


async def test_usual_way_through_a_replaced_method(monkeypatch):
    """As libraries for tests replace it."""
    server = parse_item_url("http://localhost:1/artifactory/r/a").server
    async with aioartifact.session(str(server), auth=("u", "p")) as session:
        assert await prepare_small_files(session, server) is not None

        async def replaced(self, *args, **options):
            raise NotImplementedError

        monkeypatch.setattr(aiohttp.ClientSession, "_request", replaced)
        assert await prepare_small_files(session, server) is None


async def test_unusual_responses_over_one_connection(tmp_path):
    """What goes the usual way, and asks for more, finds the only connection free."""

    def answer(request):
        if "/api/storage/" in request.target:
            return response(status=404)
        number = int(request.target.rpartition("/")[2])
        return [plain_response(), response(CONTENT), response(status=404), plain_response(b"x" * 70_000)][number % 4]

    limits = aioartifact.Limits(max_connections=1, max_concurrency=8)
    async with raw_server(answer) as server, aioartifact.session(server.url, auth=("u", "p"), limits=limits) as session:
        urls = [f"{server.url}/r/{number}" for number in range(80)]
        with anyio.fail_after(60):
            report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
    assert Counter(outcome.status for outcome in report) == {"downloaded": 60, "failed": 20}
    requests = Counter(request.target for request in server.requests if "/api/" not in request.target)
    assert {*requests.values()} == {1}


async def test_session_closed_in_the_middle(tmp_path):
    """Every file has an outcome, and no connection stays open."""
    closed = asyncio.Event()

    async def answer(request):
        if len(server.requests) == 20:
            closed.set()
            await asyncio.Event().wait()
        return plain_response()

    async with raw_server(answer) as server:
        session = await aioartifact.open_session(server.url, auth=("u", "p"))
        urls = [f"{server.url}/r/{number}" for number in range(40)]
        call = asyncio.ensure_future(
            aioartifact.download_many(urls, tmp_path, on_error="collect", max_concurrency=2, session=session)
        )
        await closed.wait()
        await session.close()
        with anyio.fail_after(30):
            report = await call
    failed = [outcome for outcome in report if outcome.error]
    assert failed
    assert {type(outcome.error) for outcome in failed} == {aioartifact.SessionError}
    assert len(report) == 40


async def test_clean_up_beside_a_download(server_of_many, tmp_path):
    """Parts of small files are not locked; one that a clean-up removes is written once more."""
    url, names = server_of_many
    done = asyncio.Event()

    async def clean_up():
        removed = 0
        while not done.is_set():
            removed += len(await aioartifact.remove_parts(tmp_path))
        return removed

    cleaning = asyncio.ensure_future(clean_up())
    try:
        await aioartifact.download_many([f"{url}/{name}" for name in names], tmp_path)
    finally:
        done.set()
        await cleaning
    assert {path.name for path in tmp_path.iterdir()} == set(names)


@pytest.fixture
async def server_of_many():
    names = [f"{number}.bin" for number in range(300)]
    async with raw_server(lambda _: plain_response()) as server:
        yield f"{server.url}/r", names


async def test_groups_after_an_unusual_response(tmp_path, monkeypatch):
    """One response that is not plain, of thousands, does not have the other files fetched one by one."""
    groups: list[int] = []
    place = fetcher.place_small

    def counted(files):
        groups.append(len(files))
        place(files)

    def answer(request):
        if request.target.endswith("/20"):
            fields = {"Transfer-Encoding": "chunked", **checksum_headers(b"small")}
            return response(headers=fields, length=-1) + b"5\r\nsmall\r\n0\r\n\r\n"
        return plain_response()

    monkeypatch.setattr(fetcher, "place_small", counted)
    monkeypatch.setattr(fetcher, "_GROUP_SECONDS", 1e9)  # groups as large as they can be
    async with raw_server(answer) as server, our_session(server.url) as session:
        urls = [f"{server.url}/r/{number}" for number in range(200)]
        report = await aioartifact.download_many(urls, tmp_path, max_concurrency=1, session=session)
    assert len(report) == 200
    assert max(groups[-5:]) > 1
