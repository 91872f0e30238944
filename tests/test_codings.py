"""Content codings: stored files keep theirs, and one that was added in transit is removed, however a file is read."""

import gzip
import hashlib
import json
import random
import re
import tempfile
import zlib
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from raw_http import Close, checksum_headers, raw_server, response

import aioartifact
from aioartifact import RetryPolicy
from aioartifact._bodies import can_decode, codings_of, decoded, decoded_beginning

pytestmark = pytest.mark.slow

TEXT = b"".join(b"line %d of a text that compresses well\n" % number for number in range(40_000))
NOISE = random.Random(9).randbytes(5_000_000)
BLOCK = 256 * 1024  # what an open file requests first


def raw_deflate(data):
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


@pytest.mark.parametrize(
    ("label", "codings"),
    [
        ("gzip", ("gzip",)),
        ("X-GZIP", ("gzip",)),
        ("identity", ()),
        ("", ()),
        ("deflate, x-gzip", ("deflate", "gzip")),
        ("zstd", ("zstd",)),
        ("gzip,, br", ("gzip", "br")),
    ],
)
def test_names_of_codings(label, codings):
    """Names are compared without case, and the old names mean the same."""
    assert codings_of({"Content-Encoding": label}) == codings


@pytest.mark.parametrize(("codings", "can"), [((), False), (("gzip", "deflate"), True), (("gzip", "zstd"), False)])
def test_codings_that_are_supported(codings, can):
    """Nothing is decoded in part."""
    assert can_decode(codings) is can


@pytest.mark.parametrize(
    ("codings", "encode"),
    [
        pytest.param(["gzip"], gzip.compress, id="gzip"),
        pytest.param(["deflate"], zlib.compress, id="deflate"),
        pytest.param(["deflate"], raw_deflate, id="deflate-without-header"),
        pytest.param(["deflate", "gzip"], lambda data: gzip.compress(zlib.compress(data)), id="both"),
        pytest.param(["gzip"], lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:]), id="members"),
    ],
)
@pytest.mark.parametrize("content", [b"", b"a", TEXT, bytes(3_000_000), NOISE[:300_000]])
@pytest.mark.parametrize("step", [1, 1000, 10_000_000])
def test_decoding(codings, encode, content, step):
    """All bytes come out, in pieces of a bounded size, however the encoded bytes arrive."""
    body = encode(content)
    step = max(step, len(body) // 1000)
    pieces = list(decoded([body[start : start + step] for start in range(0, len(body), step)], codings))
    assert b"".join(pieces) == content
    assert max(map(len, pieces), default=0) <= 256 * 1024


@pytest.mark.parametrize(
    "body", [b"", b"plain text", gzip.compress(TEXT)[:-1], gzip.compress(TEXT) + b"rest", gzip.compress(TEXT)[1:]]
)
def test_bytes_that_are_not_encoded_as_labelled(body):
    """They are an error, not fewer bytes."""
    with pytest.raises(ValueError, match=r"labelled|early"):
        list(decoded([body], ["gzip"]))


@pytest.mark.parametrize(
    ("body", "codings", "beginning"),
    [
        pytest.param(gzip.compress(TEXT), ["gzip"], TEXT[:1000], id="long"),
        pytest.param(gzip.compress(b"no"), ["gzip"], b"no", id="short"),
        pytest.param(gzip.compress(b"no")[:-4], ["gzip"], b"no", id="breaks-off"),
        pytest.param(b'{"errors": []}', ["gzip"], b'{"errors": []}', id="wrong-label"),
        pytest.param(b"(\xb5/\xfd", ["zstd"], b"(\xb5/\xfd", id="not-supported"),
        pytest.param(b"no", [], b"no", id="no-coding"),
    ],
)
def test_beginning_of_an_encoded_text(body, codings, beginning):
    """What can be read of an explanation is read."""
    assert decoded_beginning(body, codings, 1000) == beginning


def chunked(body, **headers):
    return response(
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), headers={**headers, "Transfer-Encoding": "chunked"}, length=-1
    )


def sized(body, **headers):
    return response(body, headers=headers)


@asynccontextmanager
async def serving(answer, **options):
    options = {"retry": RetryPolicy.none(), **options}
    async with (
        raw_server(answer) as server,
        aioartifact.session(server.url, auth=("u", "p"), **options) as session,
    ):
        yield f"{server.url}/r/f", session, server


def file_server(body, content, *, framing, label="gzip", info=None, has_checksums=True):
    """Serves *body* as the file with *content*, whose info has the size *info*, or is refused."""
    sums = {"X-Checksum-Sha256": hashlib.sha256(content).hexdigest()}

    def answer(request):
        if "/api/storage/" in request.target:
            if info is None:
                return response(b'{"errors":[{"status":403,"message":"no"}]}', status=403)
            document = {
                "repo": "r",
                "path": "/f",
                "size": str(info),
                "checksums": {"sha256": sums["X-Checksum-Sha256"]},
            }
            return response(json.dumps(document).encode(), headers={"Content-Type": "application/json"})
        headers = {"Content-Encoding": label, **(sums if has_checksums else {})}
        if found := re.match(r"bytes=(\d+)-(\d*)", request.headers.get("range", "") if framing == "ranges" else ""):
            start, stop = int(found[1]), min(int(found[2] or len(body)) + 1, len(body))
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
            return response(body[start:stop], status=206, headers={**headers, "ETag": "e"})
        return (chunked if framing == "chunked" else sized)(body, **headers)

    return answer


async def streamed(url, session, **span):
    async with aioartifact.stream(url, session=session, **span) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def opened(url, session, start=0, end=None):
    async with aioartifact.open(url, session=session) as file:
        await file.seek(start)
        return await file.read(-1 if end is None else end - start)


async def downloaded(url, session, start=0, end=None):
    with tempfile.TemporaryDirectory() as folder:
        path = await aioartifact.download(url, folder, session=session)
        content = Path(path).read_bytes()
        return content[start:end]


async def read(url, session, start=0, end=None):
    return await aioartifact.read_bytes(url, start=start, end=end, session=session)


READERS = pytest.mark.parametrize("reader", [downloaded, read, streamed, opened])
FRAMINGS = pytest.mark.parametrize("framing", ["sized", "chunked", "ranges"])
SPANS = pytest.mark.parametrize("span", [{}, {"start": 1000, "end": 700_000}], ids=["whole", "part"])


@READERS
@FRAMINGS
@SPANS
@pytest.mark.parametrize("knows_info", [True, False], ids=["info", "no-info"])
@pytest.mark.parametrize("content", [TEXT, NOISE], ids=["small", "large"])
async def test_coding_added_in_transit(reader, framing, span, knows_info, content):
    """The checksum is that of the decoded bytes."""
    info = len(content) if knows_info else None
    async with serving(file_server(gzip.compress(content), content, framing=framing, info=info)) as (url, session, _):
        assert await reader(url, session, **span) == content[span.get("start", 0) : span.get("end")]


@READERS
@FRAMINGS
@SPANS
@pytest.mark.parametrize("knows_info", [True, False], ids=["info", "no-info"])
@pytest.mark.parametrize("content", [TEXT, NOISE], ids=["small", "large"])
async def test_stored_file_with_a_label(reader, framing, span, knows_info, content):
    """The checksum is that of the bytes as received."""
    stored = gzip.compress(content)
    info = len(stored) if knows_info else None
    async with serving(file_server(stored, stored, framing=framing, info=info)) as (url, session, _):
        assert await reader(url, session, **span) == stored[span.get("start", 0) : span.get("end")]


@READERS
@FRAMINGS
async def test_label_without_checksums(reader, framing):
    """Nothing shows that the coding was added, so the bytes stay as received."""
    stored = gzip.compress(TEXT)
    answer = file_server(stored, stored, framing=framing, has_checksums=False)
    async with serving(answer) as (url, session, _):
        assert await reader(url, session) == stored


@pytest.mark.parametrize(
    ("reader", "span"),
    [
        *((reader, {}) for reader in (downloaded, read, streamed, opened)),
        *((reader, {"start": 10, "end": 20}) for reader in (read, streamed, opened)),
    ],
)
@FRAMINGS
@pytest.mark.parametrize("knows_info", [True, False], ids=["info", "no-info"])
@pytest.mark.parametrize("label", ["gzip", "zstd", "br", "gzip, br", "deflate"])
async def test_label_with_the_checksum_of_other_bytes(reader, span, framing, knows_info, label):
    """Neither the received nor the decoded bytes are the file: not even a part of them is read."""
    answer = file_server(
        gzip.compress(TEXT), b"other", framing=framing, label=label, info=len(b"other") if knows_info else None
    )
    async with serving(answer) as (url, session, _):
        with pytest.raises(aioartifact.IntegrityError, match="sha256"):
            await reader(url, session, **span)


def range_server(handlers):
    """A handler that answers the first, second, … request for the file by *handlers*, the last for all that follow."""
    requests = []

    def answer(request):
        if "/api/storage/" in request.target:
            return response(status=403)
        requests.append(request)
        return handlers[min(len(requests), len(handlers)) - 1](request)

    return answer


def part(start, stop, sent=None):
    """A 206 without a coding, of which only *sent* bytes arrive."""
    headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(TEXT)}", "ETag": "e"} | checksum_headers(TEXT)
    data = response(TEXT[start:stop], status=206, headers=headers)
    if sent is None:
        return lambda _: data

    def cut(_):
        raise Close(data[: len(data) - (stop - start) + sent])

    return cut


@pytest.mark.parametrize("sent", [0, 5000])
@pytest.mark.parametrize("spelled", [sized, chunked])
async def test_whole_file_is_encoded_but_not_its_part(spelled, sent):
    """No part consists of bytes of an encoded response, whether a plain one broke off early or late."""
    whole = spelled(gzip.compress(TEXT), **{"Content-Encoding": "gzip"} | checksum_headers(TEXT))
    retry = RetryPolicy(attempts=3, backoff_initial=0)
    handlers = [part(100, 60_000, sent=sent), lambda _: whole, part(100, 60_000)]
    async with serving(range_server(handlers), retry=retry) as (url, session, _):
        assert await aioartifact.read_bytes(url, start=100, end=60_000, session=session) == TEXT[100:60_000]
    async with serving(range_server(handlers), retry=retry) as (url, session, _):
        with pytest.raises(aioartifact.IntegrityError, match="changed"):
            await streamed(url, session, start=100, end=60_000)
    async with serving(range_server([part(0, BLOCK, sent=sent), lambda _: whole]), retry=retry) as (url, session, _):
        with pytest.raises(aioartifact.IntegrityError, match="changed"):
            await opened(url, session)


@pytest.mark.parametrize("spelled", [sized, chunked])
async def test_open_file_of_which_only_the_whole_is_encoded(spelled):
    """It is copied and decoded once more than the first block is read."""
    whole = spelled(gzip.compress(TEXT), **{"Content-Encoding": "gzip"} | checksum_headers(TEXT))
    async with (
        serving(range_server([part(0, BLOCK), lambda _: whole])) as (url, session, _),
        aioartifact.open(url, session=session) as file,
    ):
        assert file.size == len(TEXT)
        assert await file.read() == TEXT


async def test_requests_for_a_labelled_file():
    """A small file costs one request; of a large one, its info is requested instead of a temporary copy."""
    for content, count in ((TEXT, 1), (NOISE, 3)):
        stored = gzip.compress(content)
        answer = file_server(stored, stored, framing="sized", info=len(stored))
        async with serving(answer) as (url, session, server):
            assert await streamed(url, session) == stored
        assert len(server.requests) == count


@READERS
@pytest.mark.parametrize("framing", ["sized", "chunked"])
async def test_no_temporary_file_stays(reader, framing, monkeypatch, tmp_path):
    """A large body that had to be copied leaves nothing, nor does one that failed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for content in (NOISE, b"other"):
        async with serving(file_server(gzip.compress(NOISE), content, framing=framing)) as (url, session, _):
            try:
                await reader(url, session)
            except aioartifact.IntegrityError:
                assert content == b"other"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("reader", [read, streamed, opened])
@pytest.mark.parametrize("is_first", [True, False], ids=["at-once", "later"])
async def test_temporary_copy_is_closed_wherever_it_is_cancelled(reader, is_first, monkeypatch, cancel_at_every_await):
    """Also between the end of the thread that has written it and the return of the call."""
    files = []

    class Recorded(tempfile.SpooledTemporaryFile):
        def __init__(self, *args):
            super().__init__(*args)
            files.append(self)

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Recorded)
    whole = sized(gzip.compress(TEXT), **{"Content-Encoding": "gzip"} | checksum_headers(TEXT))

    def answer(request):
        if not is_first and request.headers.get("range") == f"bytes=0-{BLOCK - 1}":
            return part(0, BLOCK)(request)
        return whole

    def check(_):
        assert [file for file in files if not file.closed] == []

    async with serving(answer) as (url, session, _):
        await cancel_at_every_await(lambda: reader(url, session), check)
    assert len(files) > 5


async def test_full_disk_under_a_temporary_copy(monkeypatch, tmp_path):
    """It is an error of the library, with the folder in its message."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    async with serving(file_server(gzip.compress(NOISE), NOISE, framing="chunked")) as (url, session, _):
        with pytest.raises(aioartifact.LocalFileError, match="missing"):
            await streamed(url, session)


@READERS
@pytest.mark.parametrize("status", [400, 403, 404, 409, 500])
async def test_refusal_with_an_encoded_body(reader, status):
    """Its words are in the error."""
    body = json.dumps({"errors": [{"status": status, "message": "the words of the server"}]}).encode()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with serving(lambda _: response(gzip.compress(body), status=status, headers=headers)) as (url, session, _):
        with pytest.raises(aioartifact.ResponseError, match="the words of the server"):
            await reader(url, session)


async def test_request_to_wait_with_an_encoded_body():
    """A refusal that only its text distinguishes from a request to wait is retried, encoded or not."""
    text = "This request is blocked due to recurrent login failures, please try again in 0 seconds"
    body, seen = json.dumps({"errors": [{"status": 403, "message": text}]}).encode(), []

    def answer(request):
        seen.append(request)
        if len(seen) == 1:
            headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            return response(gzip.compress(body), status=403, headers=headers)
        return sized(b"x", **{"X-Checksum-Sha256": hashlib.sha256(b"x").hexdigest()})

    async with serving(answer, retry=RetryPolicy(attempts=2)) as (url, session, _):
        assert await read(url, session) == b"x"
