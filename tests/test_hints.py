"""Hints: what they suggest as input is accepted."""

import pytest

import aioartifact
from aioartifact import query
from aioartifact._address import parse_item_url
from aioartifact._credentials import parse_auth
from aioartifact._models import FolderInfo
from aioartifact._protocol import destination_of


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("abc", "for a token alone, give Credentials.bearer(token)"),
        (("abc",), "for a token alone, give Credentials.bearer(token)"),
        ("two words", None),
        ("", None),
        ("schlüssel", None),
    ],
)
def test_token_as_auth(value, hint):
    """A text that cannot be a token is not suggested as one."""
    with pytest.raises(aioartifact.InvalidArgumentError) as caught:
        parse_auth(value)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: aioartifact.Credentials.basic("u", "p\udce9"), "write them in UTF-8"),
        (lambda: aioartifact.Credentials.basic("u", "p\udce9\n"), None),
        (lambda: aioartifact.Credentials.basic("u:v\udce9", "p"), None),
        (lambda: aioartifact.Credentials.bearer("p\udce9"), None),
        (lambda: aioartifact.Credentials.api_key("p\udce9"), None),
    ],
)
def test_secret_in_another_encoding(make, hint):
    """In UTF-8, tokens are not accepted either."""
    with pytest.raises(aioartifact.CredentialsError) as caught:
        make()
    assert caught.value.hint == hint


@pytest.mark.parametrize(("name", "hint"), [("downloads", "field() takes those of other nouns"), ("Size!", None)])
def test_unknown_field(name, hint):
    """field() is suggested for names that it takes."""
    with pytest.raises(aioartifact.InvalidArgumentError) as caught:
        query.items(**{name: 1})
    assert caught.value.hint == hint


async def test_empty_path(tmp_path):
    """The current folder is suggested for a folder, and not for a file."""
    url = "http://127.0.0.1:1/artifactory/r/f"
    for call in (
        lambda: aioartifact.download(url, ""),
        lambda: aioartifact.deploy_folder("", url),
        lambda: aioartifact.sync("", url),
        lambda: aioartifact.remove_parts(""),
    ):
        with pytest.raises(aioartifact.InvalidArgumentError) as caught:
            await call()
        assert caught.value.hint == "write '.' for the current folder"
    for call in (
        lambda: aioartifact.deploy("", url),
        lambda: aioartifact.sync(tmp_path, url, manifest=""),
        lambda: aioartifact.checksum("", "sha1"),
    ):
        with pytest.raises(aioartifact.InvalidArgumentError) as caught:
            await call()
        assert caught.value.hint is None


async def test_property_without_value():
    """None is suggested where it deletes a property, and not where it is refused."""
    url = "http://127.0.0.1:1/artifactory/r/f"
    with pytest.raises(aioartifact.InvalidArgumentError) as caught:
        await aioartifact.update_properties(url, {"k": []})
    assert caught.value.hint == "give None to delete it, or an empty text"
    with pytest.raises(aioartifact.InvalidArgumentError) as caught:
        await aioartifact.set_properties(url, {"k": []})
    assert caught.value.hint == "leave it out, or give an empty text"


@pytest.mark.parametrize(
    ("source", "target", "hint"),
    [
        ("r/a/f", "r/b", "end the URL with a slash to put it into that folder"),
        ("r/a/f", "r/a", "it is there already"),
    ],
)
def test_relocation_onto_a_folder(source, target, hint):
    """A slash is not suggested if it made source and target the same."""
    base = "http://h/artifactory"
    there = FolderInfo(f"{base}/{target}", "r", target.partition("/")[2])
    with pytest.raises(aioartifact.AlreadyExistsError) as caught:
        destination_of(
            "move", parse_item_url(f"{base}/{source}"), parse_item_url(f"{base}/{target}"), there, overwrite=True
        )
    assert caught.value.hint == hint
