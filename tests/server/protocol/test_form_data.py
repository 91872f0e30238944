"""Bodies of forms, taken apart whatever the pieces they arrive in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.protocol.form_data import FormData, FormDataError, Part, boundary_of

BOUNDARY = b"xYz"


def encoded(fields):
    """A body as clients write it."""
    parts = []
    for name, file_name, data in fields:
        file = f'; filename="{file_name}"' if file_name else ""
        head = f'--xYz\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        parts.append(head + data + b"\r\n")
    return b"".join([*parts, b"--xYz--\r\n"])


def decoded(pieces):
    """Fields as they are found."""
    form, found = FormData(BOUNDARY), []
    for piece in pieces:
        for event in form.feed(piece):
            if isinstance(event, Part):
                found.append((event.name, event.file_name, b""))
            elif event is not None:
                name, file_name, data = found.pop()
                found.append((name, file_name, data + event))
    form.finish()
    return found


FIELDS = [
    (":action", None, b"file_upload"),
    ("content", "app-1.0.whl", b"PK\r\n--xYyz\r\n\x00\xff--xYz"),
    ("empty", None, b""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 4096])
def test_pieces_of_any_size(size):
    """Delimiters may be cut anywhere, and data may look like the start of one."""
    body = encoded(FIELDS)
    assert decoded(body[start : start + size] for start in range(0, len(body), size)) == FIELDS


@given(st.binary(max_size=200).filter(lambda data: b"--xYz" not in data), st.integers(1, 50))
def test_any_data(data, size):
    """What is between the delimiters comes out as it went in."""
    body = encoded([("content", "f", data)])
    assert decoded(body[start : start + size] for start in range(0, len(body), size)) == [("content", "f", data)]


def test_preamble_and_epilogue_are_left_out():
    """They belong to no part."""
    assert decoded([b"preamble\r\n" + encoded(FIELDS) + b"epilogue"]) == FIELDS


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "ends in the middle", id="empty"),
        pytest.param(encoded(FIELDS)[:-6], "ends in the middle", id="cut"),
        pytest.param(b"--xYz\r\nContent-Type: text/plain\r\n\r\nx\r\n--xYz--", "has no name", id="no-name"),
        pytest.param(b"--xYz\r\nX: " + b"x" * 20_000, "are too long", id="endless-headers"),
    ],
)
def test_broken_bodies(body, message):
    """They are refused, not guessed at."""
    with pytest.raises(FormDataError, match=message):
        decoded([body])


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_other_types(content_type):
    """Only a form with a boundary is one."""
    with pytest.raises(FormDataError, match="no multipart/form-data"):
        boundary_of(content_type)


def test_boundary():
    """Quotes are not a part of it."""
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
