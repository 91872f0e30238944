"""A server that draws a fault for each request; the same seed draws the same faults."""

import asyncio
import gzip
import hashlib
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from raw_http import Close, RawRequest, checksum_headers, response

REPOSITORY = "r"
_RIGHT = 0.4
_SMALL = 16 * 1024  # what one write puts into the socket: a stray response must not arrive late
_RANGE = re.compile(r"bytes=(\d+)-(\d*)\Z")
_WITHOUT_BODY = frozenset({101, 204, 304})


@dataclass
class Answer:
    """
    A response that faults can change before it is sent.

    Attributes:
        status: Its status.
        headers: Its fields, without those of its length.
        body: Its body, before chunks are made of it.
        is_chunked: Whether the body is sent in chunks.
        length: Content-Length, if not that of the body; negative for none.
        before: Bytes that precede it.
        after: Bytes that follow it.
        field_line: Line among its fields that is not a field.
        closes: Whether the connection is closed behind it.
        sent: How many of its bytes are sent, on a connection that stays open; None for all.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_chunked: bool = False
    length: int | None = None
    before: bytes = b""
    after: bytes = b""
    field_line: bytes = b""
    closes: bool = False
    sent: int | None = None

    @property
    def data(self) -> bytes:
        """All bytes of it."""
        if not self.is_chunked:
            length = -1 if self.status in _WITHOUT_BODY and self.length is None else self.length
            spelled = response(self.body, status=self.status, headers=self.headers, length=length)
        else:
            headers = self.headers | {"Transfer-Encoding": "chunked"}
            spelled = response(status=self.status, headers=headers, length=-1) + chunked(self.body)
        if self.field_line:
            spelled = spelled.replace(b"\r\n", b"\r\n" + self.field_line + b"\r\n", 1)
        return (self.before + spelled + self.after)[: self.sent]

    @property
    def head_size(self) -> int:
        """Bytes up to the body."""
        return self.data.index(b"\r\n\r\n", len(self.before)) + 4

    def end(self, data: bytes) -> None:
        """Send *data* in place of the response, and close the connection."""
        raise Close(data)


def chunked(body: bytes, size: int = 3000) -> bytes:
    """*body* in chunks."""
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def flipped(body: bytes, draw: random.Random) -> bytes:
    """*body* with one bit changed."""
    at = draw.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << draw.randrange(8)]) + body[at + 1 :]


Change = Callable[[Answer, random.Random], None]


# --- what a correct server may do ---


def plain(answer: Answer, draw: random.Random) -> None:
    """Change nothing."""


def in_chunks(answer: Answer, draw: random.Random) -> None:
    answer.is_chunked = answer.status not in _WITHOUT_BODY


def without_checksums(answer: Answer, draw: random.Random) -> None:
    for name in ("X-Checksum-Sha256", "X-Checksum-Sha1", "X-Checksum-Md5"):
        answer.headers.pop(name, None)


def with_sha1_only(answer: Answer, draw: random.Random) -> None:
    answer.headers.pop("X-Checksum-Sha256", None)
    answer.headers.pop("X-Checksum-Md5", None)


def without_etag(answer: Answer, draw: random.Random) -> None:
    answer.headers.pop("ETag", None)


def closing(answer: Answer, draw: random.Random) -> None:
    answer.headers["Connection"] = "close"
    answer.closes = True


def closing_without_notice(answer: Answer, draw: random.Random) -> None:
    answer.closes = True


def old_etag(answer: Answer, draw: random.Random) -> None:
    """What Artifactory sent before 5.8, with the range in the ETag."""
    found = re.match(r"bytes (\d+-\d+)/", answer.headers.get("Content-Range", ""))
    if found and "ETag" in answer.headers:
        answer.headers["ETag"] = f"{answer.headers['ETag']}-{found[1]}"


def encoded_in_transit(answer: Answer, draw: random.Random) -> None:
    if answer.status == 200:
        answer.body = gzip.compress(answer.body, 1)
        answer.headers["Content-Encoding"] = "gzip"


STYLES: dict[Change, int] = {
    plain: 12,
    in_chunks: 2,
    without_checksums: 2,
    with_sha1_only: 2,
    without_etag: 2,
    closing: 1,
    closing_without_notice: 1,
    old_etag: 1,
    encoded_in_transit: 1,
}
UPLOAD_STYLES: dict[Change, int] = {plain: 12, in_chunks: 2, closing: 1, closing_without_notice: 1}


# --- faults that leave the response as it is ---


def interim(answer: Answer, draw: random.Random) -> None:
    heads = ("100 Continue\r\n", "102 Processing\r\n", "103 Early Hints\r\nLink: </x>; rel=preload\r\n")
    drawn = draw.choices(heads, k=draw.randrange(1, 4))
    answer.before = b"".join(f"HTTP/1.1 {head}\r\n".encode() for head in drawn)


def stray(answer: Answer, draw: random.Random) -> None:
    """A response that no request waits for: the same again, or one that another request would accept."""
    other = b"another file"
    strays = (
        answer.data,
        response(status=201),
        response(other, headers=checksum_headers(other) | {"ETag": hashlib.sha1(other).hexdigest()}),
        response(status=304, length=-1),
        response(status=404),
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"\0\xff garbage\r\n\r\n",
    )
    answer.after = draw.choice(strays) * draw.randrange(1, 3)


def partial_head(answer: Answer, draw: random.Random) -> None:
    head = response(b"x" * 10, headers={"ETag": "x"})
    answer.after = head[: draw.randrange(1, len(head))]


def header_flood(answer: Answer, draw: random.Random) -> None:
    count, size = draw.choice(((200, 20), (200, 500), (1, 100 * 1024), (3000, 5)))
    answer.headers |= {f"X-Flood-{number}": "f" * size for number in range(count)}


# --- faults of framing: none of them can pass for a correct response ---


def length_too_long(answer: Answer, draw: random.Random) -> None:
    answer.is_chunked = False
    answer.length = len(answer.body) + draw.choice((1, draw.randrange(1, 5000), 2**40, 2**64))
    answer.closes = True


def cut_in_head(answer: Answer, draw: random.Random) -> None:
    answer.end(answer.data[: draw.randrange(answer.head_size)])


def cut_in_body(answer: Answer, draw: random.Random) -> None:
    data, start = answer.data, answer.head_size
    answer.end(data[: draw.randrange(start, len(data))] if start < len(data) else b"")


def garbage(answer: Answer, draw: random.Random) -> None:
    lines = (
        b"HTTP/1.1 abc OK",
        b"HTTP/9.9 200 OK",
        b"ICY 200 OK",
        b"\0\0\0\0",
        b"HTTP/1.1 20000 OK",
        b"HTTP/1.1 099 OK",
        b"",
    )
    answer.end(draw.choice((*lines, draw.randbytes(40))) + b"\r\nContent-Length: 3\r\n\r\nabc")


def broken_field(answer: Answer, draw: random.Random) -> None:
    fields = (
        b"Content-Length: -5",
        b"Content-Length: 1e3",
        b"No colon",
        b": no name",
        b"X: a\0b",
        b"Transfer-Encoding: x",
    )
    answer.field_line, answer.closes = draw.choice(fields), True


def chunks_cut(answer: Answer, draw: random.Random) -> None:
    answer.is_chunked = True
    data = answer.data
    answer.end(data[: draw.randrange(answer.head_size, len(data))])


def chunk_of_bad_size(answer: Answer, draw: random.Random) -> None:
    answer.is_chunked = True
    bad = draw.choice((b"zz\r\n", b"-5\r\n", b"ffffffffffffffffff\r\n", b"3\r\nabcdef\r\n", b"\r\n"))
    answer.end(answer.data[:-5] + bad)


def closed(answer: Answer, draw: random.Random) -> None:
    answer.end(b"")


# --- silence: the connection stays open, and nothing more is sent ---


def silent(answer: Answer, draw: random.Random) -> None:
    answer.sent = 0


def silent_after_interim(answer: Answer, draw: random.Random) -> None:
    interim(answer, draw)
    answer.sent = len(answer.before)


def silent_in_head(answer: Answer, draw: random.Random) -> None:
    answer.sent = draw.randrange(answer.head_size)


def silent_in_body(answer: Answer, draw: random.Random) -> None:
    answer.sent = draw.randrange(answer.head_size, len(answer.data))


def silent_in_chunks(answer: Answer, draw: random.Random) -> None:
    answer.is_chunked = True
    silent_in_body(answer, draw)


def silent_before_the_announced_end(answer: Answer, draw: random.Random) -> None:
    length_too_long(answer, draw)
    answer.closes = False


# --- refusals ---


def _refuse(answer: Answer, status: int, headers: dict[str, str], body: bytes) -> None:
    answer.status, answer.headers, answer.body, answer.is_chunked = status, headers, body, False


def _errors(status: int, message: str) -> bytes:
    return json.dumps({"errors": [{"status": status, "message": message}]}).encode()


def busy(answer: Answer, draw: random.Random) -> None:
    status = draw.choice((429, 503))
    _refuse(answer, status, {"Retry-After": "0"}, _errors(status, "busy"))


def error_500(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, 500, {"Content-Type": "application/json"}, _errors(500, "Could not process the request"))


def page_502(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, 502, {"Content-Type": "text/html"}, b"<html><title>502 Bad Gateway</title></html>")


def forbidden(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, 403, {"Content-Type": "application/json"}, _errors(403, "Not enough permissions"))


def redirect_loop(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, draw.choice((301, 302, 303, 307, 308)), {"Location": "/loop"}, b"")


def bad_redirect(answer: Answer, draw: random.Random) -> None:
    locations = ("http://127.0.0.1:99999/x", "ftp://127.0.0.1/x", "http://[broken", "", "//", "http://", "/\xff\xfe")
    _refuse(answer, draw.choice((302, 307)), {"Location": draw.choice(locations)}, b"")


def redirect_to_page(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, draw.choice((301, 302, 303, 307)), {"Location": "/login"}, b"")


def redirect_without_location(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, draw.choice((300, 302, 305)), {}, b"")


def empty_success(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, draw.choice((204, 205, 101)), {}, b"")


# --- faults of a file ---


def web_page(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, 200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><html><body>Sign in</body></html>")


def unrequested_304(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, 304, {}, b"")


def unrequested_206(answer: Answer, draw: random.Random) -> None:
    size = len(answer.body)
    start, stop = sorted((draw.randrange(size), draw.randrange(1, size + 1)))
    answer.body = answer.body[start:stop]
    answer.status, answer.headers["Content-Range"] = 206, f"bytes {start}-{max(start, stop - 1)}/{size}"


def unrequested_416(answer: Answer, draw: random.Random) -> None:
    """A 416 that contradicts itself: the size that it names is larger than the first byte requested."""
    size = answer.headers.get("Content-Range", f"/{len(answer.body)}").rpartition("/")[2]
    _refuse(answer, 416, {"Content-Range": f"bytes */{size}"}, b"")


def _change_range(answer: Answer, by: tuple[int, int, int]) -> None:
    found = re.match(r"bytes (\d+)-(\d+)/(\d+)", answer.headers["Content-Range"])
    start, last, size = (max(0, int(text) + more) for text, more in zip(found.groups(), by, strict=True))
    answer.headers["Content-Range"] = f"bytes {start}-{last}/{size}"


def other_start(answer: Answer, draw: random.Random) -> None:
    by = draw.choice((-1, 1, 4096))
    _change_range(answer, (by, by, 0))


def other_stop(answer: Answer, draw: random.Random) -> None:
    _change_range(answer, (0, draw.choice((-1, 1, 100)), 0))


def other_total(answer: Answer, draw: random.Random) -> None:
    _change_range(answer, (0, 0, draw.choice((1, 1000))))


def total_before_the_last_byte(answer: Answer, draw: random.Random) -> None:
    _change_range(answer, (0, 0, -1))


def more_than_the_file_has(answer: Answer, draw: random.Random) -> None:
    """What Artifactory 4 announces for a part that ends behind the end of the file; the rest never comes."""
    found = re.match(r"bytes \d+-(\d+)/(\d+)", answer.headers["Content-Range"])
    if int(found[1]) + 1 == int(found[2]):
        more = draw.choice((1, 1000, 2**40))
        answer.is_chunked = False
        answer.length = len(answer.body) + more
        _change_range(answer, (0, more, 0))


def without_content_range(answer: Answer, draw: random.Random) -> None:
    del answer.headers["Content-Range"]


def broken_content_range(answer: Answer, draw: random.Random) -> None:
    values = ("", "bytes", "bytes 0-", "bytes a-b/c", "items 0-1/2", "bytes 5-1/9", "bytes 0-1/2, bytes 3-4/5")
    answer.headers["Content-Range"] = draw.choice(values)


def multipart(answer: Answer, draw: random.Random) -> None:
    value = answer.headers.pop("Content-Range")
    answer.headers["Content-Type"] = "multipart/byteranges; boundary=b"
    answer.body = b"--b\r\nContent-Range: %s\r\n\r\n%s\r\n--b--" % (value.encode(), answer.body)


def wrong_label(answer: Answer, draw: random.Random) -> None:
    labels = ("gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip", "aws-chunked")
    answer.headers["Content-Encoding"] = draw.choice(labels)


def wrong_checksums(answer: Answer, draw: random.Random) -> None:
    answer.headers |= checksum_headers(b"another file")


# --- faults that only a checksum can reveal ---


def length_too_short(answer: Answer, draw: random.Random) -> None:
    answer.is_chunked = False
    answer.length = draw.randrange(len(answer.body))


def shortened(answer: Answer, draw: random.Random) -> None:
    answer.body = answer.body[: draw.randrange(len(answer.body))]


def lengthened(answer: Answer, draw: random.Random) -> None:
    answer.body += answer.body[: draw.randrange(1, len(answer.body) + 1)]


def flipped_bit(answer: Answer, draw: random.Random) -> None:
    answer.body = flipped(answer.body, draw)


def shifted(answer: Answer, draw: random.Random) -> None:
    answer.body = answer.body[1:] + b"\0"


def text_in_place_of_the_file(answer: Answer, draw: random.Random) -> None:
    _refuse(answer, 200, {"Content-Type": "text/plain"}, b"Sign in first.")


def other_file(answer: Answer, draw: random.Random) -> None:
    """Another file with its own checksums and ETag: what a confused cache sends."""
    other = draw.randbytes(draw.choice((len(answer.body), 100)))
    answer.headers |= checksum_headers(other) | {"ETag": hashlib.sha1(other).hexdigest()}
    answer.body = other


ATTACHED = (interim, stray, partial_head, header_flood)
FRAMING = (
    length_too_long,
    cut_in_head,
    cut_in_body,
    garbage,
    broken_field,
    chunks_cut,
    chunk_of_bad_size,
    closed,
)
SILENCES = (
    silent,
    silent_after_interim,
    silent_in_head,
    silent_in_body,
    silent_in_chunks,
    silent_before_the_announced_end,
)
REFUSALS = (
    busy,
    error_500,
    page_502,
    forbidden,
    redirect_loop,
    bad_redirect,
    redirect_to_page,
    redirect_without_location,
    empty_success,
)
OF_FILES = (web_page, unrequested_416, wrong_label, wrong_checksums)
OF_RANGES = (
    other_start,
    other_stop,
    more_than_the_file_has,
    without_content_range,
    broken_content_range,
    multipart,
)
UNANNOUNCED = (length_too_short, shortened, lengthened, flipped_bit, shifted, text_in_place_of_the_file)


# --- faults of an upload ---


def created_without_body(answer: Answer, draw: random.Random) -> None:
    answer.body = b""


def created_with(**values: object) -> Change:
    def change(answer: Answer, draw: random.Random) -> None:
        answer.body = json.dumps(json.loads(answer.body) | values).encode()

    return change


def created_as_page(answer: Answer, draw: random.Random) -> None:
    answer.headers, answer.body = {"Content-Type": "text/html"}, b"<html>Uploaded</html>"


def created_in_other_repository(answer: Answer, draw: random.Random) -> None:
    """Each time in another one: a client asks once whether a repository is where the one requested stores its files."""
    created_with(repo=f"elsewhere-{draw.randrange(2**32)}")(answer, draw)


OTHER_CHECKSUMS = created_with(checksums={"sha1": hashlib.sha1(b"another").hexdigest()})
OTHER_PATH = created_with(path="/up/elsewhere")
OTHER_CHECKSUMS.__name__, OTHER_PATH.__name__ = "created_with_other_checksums", "created_under_other_path"
NOT_STORED = (OTHER_CHECKSUMS, OTHER_PATH, created_in_other_repository)
OF_UPLOADS = (created_as_page, created_without_body, OTHER_CHECKSUMS, OTHER_PATH, created_in_other_repository)


class ChaosServer:
    """
    Files, uploads, and a fault for each request.

    The folder of a path decides about its faults: files in ``whole`` are read to their end, so that their checksums
    reveal every fault; those in ``part`` are read in parts, so that some faults cannot be noticed; clients know the
    checksums of those in ``pinned`` in advance; those in ``silent`` may arrive only in part, on a connection that stays
    open; ``up`` is for uploads, of which those in ``up/silent`` may get no response.

    Args:
        seed: Decides which faults are drawn, by path and number of the request.

    Attributes:
        contents: By path, what a file has held; the last is its content now.
        uploads: By path, what was received and stored.
        drawn: How often each fault was drawn.
        history: By path, the requests and what was drawn for each.
        is_calm: Whether no faults are drawn.
    """

    def __init__(self, seed: str) -> None:
        self.contents: dict[str, list[bytes]] = {}
        self.uploads: dict[str, bytes] = {}
        self.drawn: Counter[str] = Counter()
        self.history: defaultdict[str, list[list[str]]] = defaultdict(list)
        self.is_calm = False
        self._seed = seed
        self._count: Counter[str] = Counter()
        self._notes: list[str] = []

    def body_limit(self, method: str, target: str, size: int) -> int:
        """How much of a request body to read before the answer."""
        draw = random.Random(f"{self._seed}/{target}/{self._count[target]}/body")
        if self.is_calm or f"/{REPOSITORY}/" not in target or not size or draw.random() > 0.05:
            return size
        return draw.randrange(size)

    async def answer(self, request: RawRequest) -> bytes:
        """Return the response to a request, or raise Close."""
        target = urlsplit(request.target).path
        self._count[target] += 1
        self._notes = [f"{request.method} {target}", request.headers.get("range", "")]
        self.history[target[target.rfind(f"/{REPOSITORY}/") + 1 :]].append(self._notes)
        draw = random.Random(f"{self._seed}/{target}/{self._count[target]}")
        answer = self._answer(request, target.removeprefix("/artifactory"), draw)
        data = answer.data
        if not self.is_calm and len(data) > 2 and not draw.randrange(8):
            self._note("sent_in_two_pieces")
            at = draw.randrange(1, len(data) - len(answer.after))
            request.writer.write(data[:at])
            await asyncio.sleep(0)
            data = data[at:]
        if answer.closes:
            raise Close(data)
        return data

    def _answer(self, request: RawRequest, path: str, draw: random.Random) -> Answer:
        if path == "/loop":
            return Answer(302, {"Location": "/loop"})
        if path == "/login":
            return Answer(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><html><body>Sign in</body></html>")
        if request.method == "PUT" and path.startswith(f"/{REPOSITORY}/up/"):
            return self._put(request, path.removeprefix(f"/{REPOSITORY}/"), draw)
        if path.startswith("/api/storage/"):
            path = path.removeprefix(f"/api/storage/{REPOSITORY}/")
            answer = self._info(path)
            self._change(answer, draw, ATTACHED + FRAMING + _silences(path))
            return answer
        if path.startswith("/storage/"):
            sha1, path = path.removeprefix("/storage/").split("/", 1)
            return self._from_storage(request, path, sha1, draw)
        return self._get(request, path.removeprefix(f"/{REPOSITORY}/"), draw)

    def _change(self, answer: Answer, draw: random.Random, faults: Iterable[Change]) -> Change | None:
        """Change *answer* by one of *faults*, or not; return that fault."""
        if self.is_calm or draw.random() < _RIGHT:
            self._note("none")
            return None
        is_short = not answer.closes and not answer.is_chunked and len(answer.body) < _SMALL
        fault = draw.choice([each for each in faults if is_short or each not in (stray, partial_head)])
        self._note(fault.__name__)
        fault(answer, draw)
        return fault

    def _note(self, name: str) -> None:
        self.drawn[name] += 1
        self._notes.append(name)

    def _style(self, answer: Answer, draw: random.Random, styles: Mapping[Change, int]) -> None:
        if not self.is_calm:
            for style in dict.fromkeys(draw.choices(list(styles), list(styles.values()), k=2)):
                self._note(style.__name__)
                style(answer, draw)

    # --- files ---

    def _get(self, request: RawRequest, path: str, draw: random.Random) -> Answer:
        if path not in self.contents:
            return Answer(404, {"Content-Type": "application/json"}, _errors(404, "File not found."))
        if not path.startswith("pinned") and not self.is_calm and not draw.randrange(40):
            self._note("replaced")
            self.contents[path].append(draw.randbytes(len(self.contents[path][-1]) + draw.choice((0, 0, 50))))
        content = self.contents[path][-1]
        if not self.is_calm and not draw.randrange(10):
            checksums = draw.choice(({}, checksum_headers(content)))
            self._note("redirected_to_storage" if checksums else "redirected_without_checksums")
            return Answer(302, {"Location": f"/storage/{hashlib.sha1(content).hexdigest()}/{path}"} | checksums)
        return self._file(request, path, content, draw)

    def _from_storage(self, request: RawRequest, path: str, sha1: str, draw: random.Random) -> Answer:
        """What storage sends, where contents are named by their checksum, and other ETags identify them."""
        content = next(each for each in self.contents[path] if hashlib.sha1(each).hexdigest() == sha1)
        return self._file(request, path, content, draw, is_storage=True)

    def _file(
        self, request: RawRequest, path: str, content: bytes, draw: random.Random, *, is_storage: bool = False
    ) -> Answer:
        etag = hashlib.md5(content).hexdigest() if is_storage else hashlib.sha1(content).hexdigest()
        ignores_range = not self.is_calm and not draw.randrange(10)
        answer = file_answer(request, content, etag, ignores_range=ignores_range)
        if is_storage:
            without_checksums(answer, draw)
        self._style(answer, draw, STYLES)
        self._change(answer, draw, _faults_of(request, path.partition("/")[0], answer))
        return answer

    # --- uploads ---

    def _put(self, request: RawRequest, path: str, draw: random.Random) -> Answer:
        body = self._bytes_of(request, draw)
        if body is None:
            answer = Answer(404, {"Content-Type": "application/json"}, _errors(404, "No such bytes"))
            self._change(answer, draw, ATTACHED + FRAMING + _silences(path))
            return answer
        document = {"repo": REPOSITORY, "path": f"/{path}", "checksums": checksums_of(body)}
        answer = Answer(201, {"Content-Type": "application/json"}, json.dumps(document).encode())
        self._style(answer, draw, UPLOAD_STYLES)
        try:
            fault = self._change(answer, draw, ATTACHED + FRAMING + REFUSALS + OF_UPLOADS + _silences(path))
        except Close:
            if draw.randrange(2):  # stored, though the client cannot know it
                self.uploads[path] = body
            raise
        if 200 <= answer.status < 300 and fault not in NOT_STORED:
            self.uploads[path] = body
        return answer

    def _bytes_of(self, request: RawRequest, draw: random.Random) -> bytes | None:
        """The bytes that an upload brings or names by their checksum; None for unknown ones."""
        sha1 = request.headers["x-checksum-sha1"]
        if request.headers.get("x-checksum-deploy"):
            return next((body for body in self.uploads.values() if checksums_of(body)["sha1"] == sha1), None)
        if len(request.body) != int(request.headers["content-length"]):
            self._note("answered_before_the_end_of_the_body")
            early = Answer(draw.choice((403, 413, 500)), {}, draw.choice((b"", _errors(413, "Too large"))))
            raise Close(draw.choice((b"", early.data)))
        assert checksums_of(request.body)["sha1"] == sha1, "the client sent other bytes than it announced"
        return request.body

    def _info(self, path: str) -> Answer:
        content = self.uploads.get(path) if path.startswith("up/") else self.contents.get(path, [None])[-1]
        if content is None:
            return Answer(404, {"Content-Type": "application/json"}, _errors(404, "Unable to find item"))
        size, checksums = str(len(content)), checksums_of(content)
        document = {"repo": REPOSITORY, "path": f"/{path}", "size": size, "checksums": checksums}
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(document).encode())


def checksums_of(content: bytes) -> dict[str, str]:
    """Its checksums by algorithm."""
    return {name: hashlib.new(name, content).hexdigest() for name in ("sha256", "sha1", "md5")}


def _silences(path: str) -> tuple[Change, ...]:
    """Twice, as clients only learn of them after a while."""
    return SILENCES * 2 if path.removeprefix("up/").startswith("silent") else ()


def _is_last_requested(request: RawRequest, answer: Answer) -> bool:
    """Whether the last byte sent is the one requested, not the last of a file that ends earlier."""
    return re.sub(r".*-|/.*", "", answer.headers["Content-Range"]) == request.headers["range"].rpartition("-")[2]


def _faults_of(request: RawRequest, kind: str, answer: Answer) -> list[Change]:
    """The faults that a client can notice, or that leave the bytes as they are."""
    faults: list[Change] = [*ATTACHED, *FRAMING, *REFUSALS, *OF_FILES, *_silences(kind)]
    if answer.status == 206:
        faults += OF_RANGES
        if not _is_last_requested(request, answer):  # else it can be true, or is how servers before 5.8 answer
            faults += (other_total, total_before_the_last_byte)
    elif answer.body:
        faults.append(unrequested_206)
    if "if-none-match" not in request.headers:
        faults.append(unrequested_304)
    if kind in ("whole", "pinned") and answer.body:
        faults += UNANNOUNCED
    if kind == "pinned":
        faults.append(other_file)
    if not answer.body:
        of_bodies = {*FRAMING, *SILENCES} - {closed, garbage, cut_in_head, silent, silent_after_interim, silent_in_head}
        faults = [each for each in faults if each not in of_bodies]
    return faults


def file_answer(request: RawRequest, content: bytes, etag: str, *, ignores_range: bool) -> Answer:
    """The correct response of Artifactory to the request for a file."""
    headers = checksum_headers(content) | {"ETag": etag, "Accept-Ranges": "bytes"}
    if request.headers.get("if-none-match") == etag:
        return Answer(304, headers)
    asked = _RANGE.match(request.headers.get("range", ""))
    if asked is None or ignores_range or request.headers.get("if-range", etag) != etag:
        return Answer(200, headers, content)
    start, stop = int(asked[1]), min(int(asked[2] or len(content)) + 1, len(content))
    if start >= len(content):
        return Answer(416, {"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return Answer(206, headers, content[start:stop])
