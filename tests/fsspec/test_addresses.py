"""URLs and paths of the file system, as values."""

import pytest

import aioartifact
from aioartifact.fsspec.addresses import canonical_server, item_url, parent_of, path_in, server_in

SERVER = "https://host/artifactory"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("artifactory://repo/a/b.csv", "repo/a/b.csv"),
        ("aioartifact://repo", "repo"),
        ("artifactory://", ""),
        ("repo/a/", "repo/a"),
        ("/repo/a", "repo/a"),
        ("", ""),
        ("artifactory://repo/100%/a#b?c;d.csv", "repo/100%/a#b?c;d.csv"),
        ("artifactory://repo/a%20b", "repo/a%20b"),
        ("artifactory+https://host/artifactory/repo/a%20b/%23.csv", "repo/a b/#.csv"),
        ("artifactory+https://host/artifactory/repo/", "repo"),
        ("artifactory+https://host/artifactory", ""),
        ("artifactory+http://host:8081/artifactory/repo/*.csv", "repo/*.csv"),
    ],
)
def test_path_of_a_url(text, path):
    """Short URLs and paths are not percent-encoded; full URLs are."""
    assert path_in(text) == path


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("artifactory+https://host/artifactory/repo/a", SERVER),
        ("artifactory+https://HOST:443/artifactory", SERVER),
        ("artifactory+http://host:8081/x/artifactory/repo", "http://host:8081/x/artifactory"),
        ("artifactory://repo/a", None),
        ("repo/a", None),
    ],
)
def test_server_of_a_url(text, server):
    """Only a full URL names a server."""
    assert server_in(text) == server


def test_context_path_of_the_configuration(monkeypatch):
    """A server whose path does not end in /artifactory is known from the configuration."""
    monkeypatch.setenv("JF_URL", "https://host/store")
    assert server_in("artifactory+https://host/store/repo/a") == "https://host/store"


@pytest.mark.parametrize(
    "text",
    [
        "artifactory+https://user:secret@host/artifactory/repo",
        "artifactory+https://host/artifactory/repo/a?b",
        "artifactory+https://host/artifactory/repo/../a",
        "artifactory+https:///repo",
    ],
)
def test_invalid_full_url(text):
    """A full URL is checked like any other, and its credentials are in no message."""
    with pytest.raises(aioartifact.InvalidURLError) as caught:
        path_in(text)
    assert "secret" not in str(caught.value)


def test_full_url_of_another_server():
    """A file system does not read a path of another server from its own."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="is not on https://host/artifactory"):
        path_in("artifactory+https://other/artifactory/repo/a", SERVER)


def test_names_are_encoded_once():
    """Every name that Artifactory accepts is one in a path."""
    assert item_url(SERVER, "repo/100%/a b#?;.csv") == f"{SERVER}/repo/100%25/a%20b%23%3F%3B.csv"


@pytest.mark.parametrize("path", ["repo//a", "repo/../a", "repo/./a", "repo/a\0b"])
def test_path_that_is_no_item(path):
    """Names that servers would resolve to another path are errors, without a request."""
    with pytest.raises(aioartifact.InvalidURLError):
        item_url(SERVER, path)


def test_root_is_no_item():
    """The root has repositories, and no content."""
    with pytest.raises(IsADirectoryError, match="is the root"):
        item_url(SERVER, "")


@pytest.mark.parametrize(("path", "parent"), [("repo/a/b", "repo/a"), ("repo/a", "repo"), ("repo", ""), ("", "")])
def test_parent(path, parent):
    """The folder above a repository is the root."""
    assert parent_of(path) == parent


@pytest.mark.parametrize("server", ["https://HOST/artifactory/", "https://host:443/artifactory"])
def test_one_server_has_one_address(server):
    """Two spellings of a server are one file system."""
    assert canonical_server(server) == SERVER
