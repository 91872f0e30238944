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
