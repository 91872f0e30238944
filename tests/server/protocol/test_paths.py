"""Request paths: what a target on the wire means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.protocol.paths import BadPathError, parse_target, split_target


@pytest.mark.parametrize(
    ("raw", "repository", "path"),
    [
        pytest.param("/repo/a/b.jar", "repo", "a/b.jar", id="plain"),
        pytest.param("/repo", "repo", "", id="root"),
        pytest.param("", "", "", id="nothing"),
        pytest.param("/repo/a%20b", "repo", "a b", id="space"),
        pytest.param("/repo/c++", "repo", "c++", id="raw plus is a plus"),
        pytest.param("/repo/c%2B%2b", "repo", "c++", id="encoded plus"),
        pytest.param("/repo/c%252B", "repo", "c+", id="twice encoded plus is a plus too"),
        pytest.param("/repo/c%23", "repo", "c#", id="hash"),
        pytest.param("/repo/x%3By", "repo", "x;y", id="encoded semicolon stays in the name"),
        pytest.param("/repo/100%25", "repo", "100%", id="percent"),
        pytest.param("/repo/%25%34%31", "repo", "%41", id="decoded once"),
        pytest.param("/repo/a%2Fb", "repo", "a/b", id="encoded slash separates"),
        pytest.param("/repo//a///b", "repo", "a/b", id="empty segments vanish"),
        pytest.param("/repo/./a/./b/.", "repo", "a/b", id="dots collapse"),
        pytest.param("/repo/%C3%BC/%E6%97%A5", "repo", "ü/日", id="utf-8"),
        pytest.param("/repo/ü", "repo", "ü", id="raw utf-8"),
        pytest.param("/repo/%FF", "repo", "\ufffd", id="not utf-8"),
        pytest.param("/repo/\udcff", "repo", "\ufffd", id="raw bytes that are not utf-8"),
        pytest.param("/repo/[x]/!$&'()*,=:@~", "repo", "[x]/!$&'()*,=:@~", id="raw punctuation"),
    ],
)
def test_target_names_an_item(raw, repository, path):
    """The path splits before it is decoded, and is decoded once."""
    target = parse_target(raw, "")
    assert (target.repository, target.item_path) == (repository, path)


@pytest.mark.parametrize(
    ("raw", "path", "matrix"),
    [
        pytest.param("/repo/a;k=v", "a", (("k", "v"),), id="one"),
        pytest.param("/repo/a;k=v;k=w", "a", (("k", "v"), ("k", "w")), id="repeated"),
        pytest.param("/repo/a;k", "a", (("k", ""),), id="no value"),
        pytest.param("/repo/a;k=", "a", (("k", ""),), id="empty value"),
        pytest.param("/repo/a;k=a+b%2Bc%3Bd", "a", (("k", "a b+c;d"),), id="form rules in values"),
        pytest.param("/repo/a;k%20=v", "a", (("k%20", "v"),), id="keys are not decoded"),
        pytest.param("/repo/a;k=a,b", "a", (("k", "a,b"),), id="comma is no separator"),
        pytest.param("/repo/a;k=v/b.jar", "a", (("k", "v/b.jar"),), id="the rest of the path is the value"),
        pytest.param("/repo/a;k+=v", "a", (("k+", "v"),), id="mandatory"),
        pytest.param("/repo;k=v/a", "a", (("k", "v"),), id="at the repository key"),
        pytest.param("/repo/a/;k=v", "a", (("k", "v"),), id="folder"),
    ],
)
def test_matrix_parameters_are_split_off(raw, path, matrix):
    """Matrix parameters start at the first raw semicolon below the repository key, or inside it."""
    target = parse_target(raw, "")
    assert (target.item_path, target.matrix) == (path, matrix)


@pytest.mark.parametrize(
    "raw", ["/repo/a%", "/repo/a%zz", "/repo/a b", '/repo/"', "/repo/a|b", "/r/../a", "/r/%2E%2E/a"]
)
def test_target_that_tomcat_refuses(raw):
    """Stray percent signs, raw characters outside the grammar and parent references are errors."""
    with pytest.raises(BadPathError):
        parse_target(raw, "")


@pytest.mark.parametrize(
    ("raw", "is_folder"), [("/repo/a/", True), ("/repo/a", False), ("/repo/a%2F", True), ("/repo/", True)]
)
def test_trailing_slash_makes_a_folder(raw, is_folder):
    """A slash at the end, raw or encoded, asks for a folder."""
    assert parse_target(raw, "").is_folder is is_folder


@pytest.mark.parametrize(
    ("target", "context", "expected"),
    [
        pytest.param("/artifactory/repo/a?list", "/artifactory", ("/repo/a", "list"), id="inside"),
        pytest.param("/artifactory", "/artifactory", ("", ""), id="the context itself"),
        pytest.param("/artifactoryx/a", "/artifactory", None, id="longer name"),
        pytest.param("/repo/a", "/artifactory", None, id="outside"),
        pytest.param("/repo/a", "", ("/repo/a", ""), id="no context"),
    ],
)
def test_context_path_is_whole_segments(target, context, expected):
    """Only what lies below the context path, segment by segment, belongs to the server."""
    assert split_target(target, context) == expected


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_encoded_segments_come_back(segments):
    """Whatever a client percent-encodes whole arrives as it was, save the names that mean something to a path."""
    segments = [each.replace("/", "_").replace("%2B", "_") for each in segments]
    segments = [each for each in segments if each not in (".", "..")]
    encoded = "/".join("".join(f"%{byte:02X}" for byte in each.encode()) for each in segments)
    assert parse_target(f"/repo/{encoded}", "").item_path == "/".join(segments)
