"""JSON that is read while it arrives."""

import json

import pytest

from aioartifact._json_stream import ArrayStream


def test_elements_come_as_soon_as_they_are_whole():
    """An element is handed out once what follows it is there; a number might still go on."""
    stream = ArrayStream("files")
    assert stream.feed('{"uri": "x", "files": [{"a": 1}') == []
    assert stream.feed(", 1") == [{"a": 1}]
    assert stream.feed(".5") == []
    assert stream.feed("]") == [1.5]
    assert not stream.is_complete
    assert stream.feed(', "range": {"total": 2}}\n') == []
    assert stream.is_complete
    assert stream.members == {"uri": "x", "range": {"total": 2}}


def test_array_elsewhere_is_a_member_like_others():
    """Only the array of the object itself is taken apart, not one with the same name inside another."""
    stream = ArrayStream("files")
    assert stream.feed('{"other": {"files": [1]}, "file": [2]}') == []
    assert stream.members == {"other": {"files": [1]}, "file": [2]}
    assert stream.is_complete
    assert not stream.has_array


def test_key_without_array_is_a_member():
    """What is no array does not become one."""
    stream = ArrayStream("files")
    assert stream.feed('{"files": {"a": [1, 2]}}') == []
    assert stream.members == {"files": {"a": [1, 2]}}
    assert not stream.has_array


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[1, 2]", id="array"),
        pytest.param("<html>", id="page"),
        pytest.param("{1: 2}", id="number-as-key"),
        pytest.param('{"a": 1,}', id="comma-before-the-end"),
        pytest.param('{"files": []]', id="array-closed-twice"),
        pytest.param('{"files": [] "a": 1}', id="no-comma"),
        pytest.param('{"files": [], "files": []}', id="array-twice"),
        pytest.param('{"files": []} {', id="two-objects"),
        pytest.param('{"files": [' + "[" * 100_000, id="depth"),
    ],
)
def test_what_cannot_become_json(text):
    """What no further text could repair is refused at once."""
    with pytest.raises(ValueError):  # noqa: PT011  # the reader above says which answer it was
        ArrayStream("files").feed(text)


@pytest.mark.parametrize("text", ["", "{", '{"files"', '{"files": [1, 2', '{"files": [x]}', '{"files": [1 2]}'])
def test_what_is_not_complete(text):
    """What ends early, or has an element that is none, never counts as complete."""
    stream = ArrayStream("files")
    stream.feed(text)
    assert not stream.is_complete


def test_giant_element_is_refused():
    """Memory is bounded: one endless value ends in an error, wherever it stands."""
    stream = ArrayStream("files", limit=100)
    stream.feed('{"files": ["')
    with pytest.raises(ValueError, match="more than 100 characters"):
        stream.feed("x" * 100)


def test_buffer_keeps_no_more_than_the_open_element():
    """What was handed out is not kept."""
    stream = ArrayStream("files", limit=100)
    stream.feed('{"files": [')
    for number in range(1000):
        assert stream.feed(f"{json.dumps({'number': number})},") == [{"number": number}]


def feed_all(stream, text, size):
    """What comes out where *text* arrives in pieces of *size* characters."""
    return [each for start in range(0, len(text), size) for each in stream.feed(text[start : start + size])]


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        pytest.param('"' + "x" * 200_000 + '"', id="string"),
        pytest.param('"' + "\\\\" * 100_000 + '"', id="backslashes"),
        pytest.param('{"a": "' + '\\"}]' * 50_000 + '"}', id="marks-in-a-string"),
        pytest.param(json.dumps([{"a": [1, "]"]}] * 12_000), id="nested"),
        pytest.param("0." + "1" * 200_000, id="number"),
        pytest.param(" " * 200_000 + "null", id="blanks"),
    ],
)
@pytest.mark.parametrize("size", [1, 61])
def test_unfinished_value_is_scanned_once(monkeypatch, value, size):
    """However small the pieces of a large value, it is scanned a few times, not once for each."""
    scanned = []

    def counting(text, at):
        scanned.append(len(text) - at)
        return json.JSONDecoder().raw_decode(text, at)

    monkeypatch.setattr("aioartifact._json_stream._scan", counting)
    stream = ArrayStream("files")
    stream.feed('{"files": [')
    text = value + ', "end"]}'
    assert feed_all(stream, text, size) == [json.loads(value), "end"]
    assert stream.is_complete
    assert sum(scanned) < 4 * len(value)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_number_of_too_many_digits(size):
    """Python converts up to 4,300 digits; more are an error of their own, not an early end."""
    stream = ArrayStream("files")
    text = '{"files": [{"size": ' + "9" * 5000 + "}]}"
    with pytest.raises(ValueError, match="too many digits"):
        feed_all(stream, text, size)


def test_endless_blanks_are_refused():
    """Blanks between values are not kept, and end in an error."""
    stream = ArrayStream("files", limit=100)
    with pytest.raises(ValueError, match="more than 100 characters"):
        feed_all(stream, " " * 200, 2)


@pytest.mark.parametrize("text", ['{"files": [x]}', '{"files": [1 2]}', '{"files": [{"a": 1} {"b"', '{"a": ]'])
def test_invalid_value_is_not_scanned_again(monkeypatch, text):
    """What no further text repairs waits for the end of the answer, without more work."""
    stream = ArrayStream("files")
    stream.feed(text)
    monkeypatch.setattr("aioartifact._json_stream._scan", None)
    for _ in range(10):
        assert stream.feed("]}, ") == []
    assert not stream.is_complete
