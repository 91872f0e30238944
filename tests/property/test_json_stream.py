"""Reading JSON in pieces is reading it whole."""

import itertools
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aioartifact._json_stream import ArrayStream

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
# Objects that begin alike, and hold some that do.
ROWS = st.lists(st.fixed_dictionaries({"a": VALUES | st.just([{"a": 1}, {"a": 2}])}, optional={"b": VALUES}))
SCRAPS = st.sampled_from(
    [
        '{"a": 1}',
        '{"a": "},{"}',
        '{"a": [{"a": 2}, {"a": 3}]}',
        ",",
        ", ",
        "]",
        "}",
        "[",
        "{",
        '"',
        "\\",
        '{"a"',
        '"b": 5',
        "12",
        " ",
    ]
)
DOCUMENTS = st.dictionaries(st.text(), VALUES, max_size=4)


def fed(stream: ArrayStream, text: str, cuts: list[int]) -> list[object]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [each for start, end in itertools.pairwise(places) for each in stream.feed(text[start:end])]


@given(DOCUMENTS, st.lists(VALUES) | ROWS, DOCUMENTS, st.lists(st.integers(min_value=0)), st.sampled_from([None, 1]))
def test_any_document_in_any_pieces(before, elements, behind, cuts, indent):
    """The elements and the other members are those that json.loads finds, wherever the array stands."""
    document = {**before, "files": elements, **{k: v for k, v in behind.items() if k not in before}}
    text = json.dumps({**document, "files": elements}, indent=indent)
    stream = ArrayStream("files")
    assert fed(stream, text, cuts) == elements
    assert stream.is_complete
    assert stream.members == {key: value for key, value in document.items() if key != "files"}


@given(DOCUMENTS, st.lists(VALUES) | ROWS, st.lists(st.integers(min_value=0)), st.integers(min_value=0))
def test_part_of_a_document_is_never_complete(members, elements, cuts, length):
    """Whatever is missing at the end is noticed, and what was handed out before is right."""
    text = json.dumps({**members, "files": elements})
    stream = ArrayStream("files")
    got = fed(stream, text[: length % len(text)], cuts)
    assert not stream.is_complete
    assert got == elements[: len(got)]


@given(st.text(alphabet='{}[]:,"\\ 1eE.-+truefalsn', max_size=30), st.lists(st.integers(min_value=0)))
def test_what_json_refuses_is_never_complete(garbage, cuts):
    """Only what json.loads takes as an object, with each key once, is taken here."""
    stream = ArrayStream("files")
    try:
        fed(stream, garbage, cuts)
    except ValueError:
        return
    if stream.is_complete:
        assert isinstance(json.loads(garbage), dict)
    else:
        with pytest.raises(ValueError):  # noqa: PT011  # any of json's
            json.loads(garbage)


@given(ROWS, st.lists(SCRAPS, max_size=12), st.integers(min_value=0))
@example([{"a": 1}, {"a": 2}], ["12 "], 10)
def test_elements_taken_together_are_those_taken_one_by_one(rows, scraps, at):
    """Whatever stands in the array, well formed or not: how much of it comes at once decides nothing."""
    listed = json.dumps(rows)[1:-1]
    place = at % (len(listed) + 1)
    text = '{"files": [' + listed[:place] + "".join(scraps) + listed[place:] + "]}"

    assert outcome([text]) == outcome(text)


def outcome(pieces):
    stream = ArrayStream("files")
    try:
        elements = [each for piece in pieces for each in stream.feed(piece)]
    except ValueError:
        return "refused"
    return elements, stream.members, stream.is_complete
