"""What identifies runs of builds, where their documents are, and what is read from them."""

import itertools
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.layouts.names import path_problem
from aioartifact.testing.protocol.build_info import (
    BuildInfoError,
    Run,
    modules_of,
    order_of,
    parse_json,
    parse_started,
    statuses_of,
)

START = 1_717_243_200_123


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-01T12:00:00.123+0000", START),
        ("2024-06-01T12:00:00.123Z", START),
        ("2024-06-01T14:00:00.123+02:00", START),
        ("2024-06-01T05:30:00.123-0630", START),
        ("2024-06-01T12:00:00.123456789+0000", START),
        ("2024-06-01T12:00:00.1+0000", START - 23),
    ],
)
def test_start(text, expected):
    """As clients write it: any offset, more or fewer digits of the second."""
    assert parse_started(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "2024-06-01", "2024-06-01T12:00:00+0000", "2024-06-01T12:00:00.123", "2024-06-31T12:00:00.123Z"),
        *("2024-06-01T12:00:00.123+9999", "0001-01-01T00:00:00.000+1200x", "2024-06-01T12:00:00.123z"),
    ],
)
def test_start_that_is_not_understood(text):
    """Date, time, fraction and offset are needed."""
    with pytest.raises(BuildInfoError, match="Invalid format"):
        parse_started(text)


@pytest.mark.parametrize(
    ("name", "number", "path"),
    [
        ("app", "1", "app/1-5.json"),
        ("a b", "1 2", "a b/1 2-5.json"),
        ("a/b", "1/2", "a%2Fb/1%2F2-5.json"),
        ("a%2Fb", "100%", "a%252Fb/100%25-5.json"),
        ('a|*?":;\\', "1", "a%7C%2A%3F%22%3A%3B%5C/1-5.json"),
        (" a", " 1 ", "%20a/%201%20-5.json"),
        ("a /b", "1", "a%20%2Fb/1-5.json"),
        ("a/ b", "1", "a%2F%20b/1-5.json"),
        ("a/./b", "&", "a%2F%2E%2Fb/%26-5.json"),
        ("a\tb", "1", "a b/1-5.json"),
        ("größe", "1", "größe/1-5.json"),
    ],
)
def test_path(name, number, path):
    """As 6.20 and jf encode names and numbers."""
    assert Run(name, number, 5).path == path


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), st.text("a ./&%\\|", min_size=1))
def test_path_tells_name_and_number(name, number):
    """Decoding returns what was encoded, but for kinds of blanks; an item can have the path."""
    folder, slash, file = Run(name, number, 5).path.partition("/")
    assert (slash, file[-7:]) == ("/", "-5.json")
    spaced = ["".join(" " if each.isspace() else each for each in text) for text in (name, number)]
    assert [unquote(folder), unquote(file[:-7])] == spaced
    is_plain = not name.startswith(".") and name != "&" and not name.endswith((" ", "."))
    assert not is_plain or path_problem(f"{folder}/{file}", "x") == ""


@pytest.mark.parametrize("order", list(itertools.permutations(["9", "10", "10"])))
def test_order_of_numeric_numbers(order):
    """By value, and by start where they are equal."""
    runs = [Run("app", number, index) for index, number in enumerate(order)]
    ordered = order_of(runs)
    assert [run.number for run in ordered] == ["9", "10", "10"]
    assert ordered[1].started < ordered[2].started


def test_order_of_other_numbers():
    """One that is not numeric makes all of them text."""
    assert [run.number for run in order_of([Run("app", each, 0) for each in ("9", "10", "x")])] == ["10", "9", "x"]


def test_modules():
    """Numbers are read as text, checksums in lower case, and what is missing is empty."""
    file = {"name": "a", "sha1": "AB", "type": None}
    (module,) = modules_of({"modules": [{"id": 5, "properties": {"k": 1, "n": None}, "artifacts": [file]}]})
    assert (module.name, module.properties, module.dependencies) == ("5", {"k": "1"}, ())
    (artifact,) = module.artifacts
    assert (artifact.name, artifact.sha1, artifact.type, artifact.md5) == ("a", "ab", "", "")


def test_nulls_are_left_out():
    """On every level, but not in lists."""
    assert parse_json(b'{"a": null, "b": [{"c": null}, null], "d": {}}') == {"b": [{}, None], "d": {}}


def test_half_a_surrogate_pair():
    """It cannot be stored, and becomes a question mark."""
    assert parse_json(b'{"a\\ud800": "\\udc00b"}') == {"a?": "?b"}


@pytest.mark.parametrize("content", [b"", b"{", b"NaN", b'{"a": Infinity}', b"[" * 5000, b"\xff", b"1" * 5000])
def test_what_is_not_json(content):
    """Nor what only Python's parser takes."""
    with pytest.raises(BuildInfoError, match="Error parsing json body"):
        parse_json(content)


def test_statuses():
    """Their time in milliseconds, or as text."""
    first, second = statuses_of(
        {"statuses": [{"status": "a", "timestampDate": 5}, {"timestamp": "1970-01-01T00:00:00.007Z"}]}
    )
    assert (first.status, first.time, first.user, second.time) == ("a", 5, "", 7)
