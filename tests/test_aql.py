import pytest

from aioartifact._aql import files_below, folders_in, string
from aioartifact._errors import InvalidArgumentError

FIELDS = '"repo","path","name","size","modified","sha256","actual_sha1","actual_md5"'


@pytest.mark.parametrize(
    "value",
    ["", "a", "a b ", "it's", "a\\b", "a\\", "*?", "%_", "{}[]:,$", "ü日本", "a\nb"],
)
def test_string_is_taken_literally(value):
    """AQL knows no escape: all characters but the quote stand for themselves."""
    assert string(value) == f'"{value}"'


@pytest.mark.parametrize("value", ['"', 'a"b', '"},"type":"any"', " a", "\ta", "\n", "\u2003a"])
def test_string_that_aql_cannot_say(value):
    """A quote would end the string and a leading blank is lost: no query is sent rather than another one."""
    with pytest.raises(InvalidArgumentError, match="AQL cannot express a double quote or a leading blank"):
        string(value)


@pytest.mark.parametrize(
    ("path", "criterion"),
    [
        pytest.param("com/acme", '"path":"com/acme"', id="folder"),
        pytest.param("", '"path":"."', id="repository"),
    ],
)
def test_query_for_folders(path, criterion):
    """The root of a repository is called "."; repo, path and name must be asked for."""
    assert folders_in("maven", path) == (
        f'items.find({{"repo":"maven",{criterion},"type":"folder"}}).include("repo","path","name")'
    )


def test_query_for_files_of_a_folder():
    """Files lie in the folder itself or in one whose path begins with it."""
    assert files_below("maven", "com/acme") == (
        'items.find({"repo":"maven","$or":[{"path":"com/acme"},{"path":{"$match":"com/acme/*"}}]})'
        f".include({FIELDS})"
    )


def test_query_for_files_of_a_repository():
    """All of a repository needs no criterion for the path."""
    assert files_below("maven", "") == f'items.find({{"repo":"maven"}}).include({FIELDS})'


@pytest.mark.parametrize("build", [folders_in, files_below])
@pytest.mark.parametrize("place", [('r"', "a"), ("r", 'a"b'), (" r", ""), ("r", " a")])
def test_query_for_what_aql_cannot_say(build, place):
    """Repository and path are both checked."""
    with pytest.raises(InvalidArgumentError):
        build(*place)
