"""The head of a plain response is read as aiohttp reads it, or left to aiohttp."""

import asyncio

import pytest
from aiohttp.http_parser import HttpResponseParser
from hypothesis import given
from hypothesis import strategies as st

from aioartifact._session.plain_head import (
    LARGEST_BODY,
    LARGEST_HEAD,
    header_fields,
    may_become_plain,
    read_plain_head,
)

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Checksum-Sha256: ab\r\n\r\n"

NAMES = st.sampled_from(
    ["Content-Length", "content-length", "Connection", "Transfer-Encoding", "Content-Encoding", "Upgrade", "ETag", "X"]
)
VALUES = st.sampled_from(
    ["5", "0", "05", "+5", "5, 5", "65536", "65537", "99999999999", "", "keep-alive", "Close", "chunked", "gzip", "h2c"]
) | st.text(st.characters(max_codepoint=255), max_size=8)
SPACES = st.sampled_from(["", " ", "  ", "\t", " \t"])
FIELDS = st.builds("{}{}:{}{}{}".format, NAMES, st.sampled_from(["", "", "", " "]), SPACES, VALUES, SPACES)
STATUS_LINES = st.sampled_from(
    ["HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200", "HTTP/1.0 200 OK", "HTTP/1.1 206 Partial", "http/1.1 200 OK"]
)
ENDS = st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r\n ", "\r"])
HEADS = st.builds(
    lambda status, fields, ends: (
        status + "\r\n" + "".join(map("".join, zip(fields, ends, strict=False))) + "\r\n"
    ).encode("latin-1"),
    STATUS_LINES,
    st.lists(FIELDS, max_size=5),
    st.lists(ENDS, min_size=5, max_size=5),
)


class _Connection:
    """What the parser of aiohttp needs of a connection."""

    _reading_paused = False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self, resume_parser: bool = True) -> None:
        pass


@given(HEADS)
def test_accepted_heads_are_those_of_aiohttp(head):
    """Whatever is accepted, aiohttp accepts, too, with the same fields, length and connection."""
    found = read_plain_head(head + b"12345")
    if found is None:
        return
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        parser = HttpResponseParser(_Connection(), loop, 2**16, read_until_eof=True, auto_decompress=False)
        messages, _, _ = parser.feed_data(head + b"x" * found.body_size + b"HTTP/1.1 200 OK\r\n\r\n")
    message, payload = messages[0]
    assert (message.version, message.code) == ((1, 1), 200)
    assert [*header_fields(found.fields).items()] == [*message.headers.items()]
    assert payload.is_eof()
    assert sum(len(chunk) for chunk in payload._buffer) == found.body_size
    assert found.keeps_alive is not message.should_close
    assert found.body_start == len(head)


def test_plain_head():
    head = read_plain_head(PLAIN + b"bytes")
    assert (head.body_start, head.body_size, head.keeps_alive) == (len(PLAIN), 5, True)
    assert header_fields(head.fields) == {"Content-Length": "5", "X-Checksum-Sha256": "ab"}


@pytest.mark.parametrize(
    "head",
    [
        PLAIN.replace(b"1.1 200", b"1.0 200"),
        PLAIN.replace(b"1.1 200", b"1.1 404"),
        PLAIN.replace(b" 5", b" 5, 5"),
        PLAIN.replace(b" 5", b" +5"),
        PLAIN.replace(b" 5", b" 0x5"),
        PLAIN.replace(b" 5", b" %d" % (LARGEST_BODY + 1)),
        PLAIN.replace(b"Content-Length: 5\r\n", b""),
        PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length: 6\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nTRANSFER-ENCODING:identity\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nUpgrade: h2c\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nName : value\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\n folded\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nno colon\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nName: \xff\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nName: \0\r\n\r\n"),
        PLAIN.replace(b"\r\n", b"\n"),
        b"garbage\r\n\r\n",
        b"\r\n" + PLAIN,
    ],
)
def test_unusual_head(head):
    """It is not plain, and waiting for more would not change that."""
    assert read_plain_head(head + b"bytes") is None
    assert not may_become_plain(head + b"bytes") or b"\r\n\r\n" not in head


@pytest.mark.parametrize("length", range(len(PLAIN)))
def test_incomplete_head(length):
    assert read_plain_head(PLAIN[:length]) is None
    assert may_become_plain(PLAIN[:length])


def test_head_that_never_ends():
    """It is passed on once it is larger than what aiohttp accepts; no matter how many fields, it takes little time."""
    head = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (LARGEST_HEAD // 6)
    assert read_plain_head(head) is None
    assert not may_become_plain(head)
