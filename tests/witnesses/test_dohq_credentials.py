"""dohq-artifactory: every way it knows of showing who it is, on a server with and without cloud storage."""

import pytest
import requests
from artifactory import ArtifactoryException, ArtifactoryPath
from dohq_artifactory.admin import Token, User

from aioartifact.testing import ThreadedArtifactoryServer


def credentials(server, kind):
    """Arguments of a path for *kind* of credentials."""
    session = requests.Session()
    session.auth = (server.username, server.password)
    return {
        "password": {"auth": (server.username, server.password)},
        "key as password": {"auth": (server.username, server.api_key)},
        "token as password": {"auth": (server.username, server.token)},
        "key": {"apikey": server.api_key},
        "token": {"token": server.token},
        "session": {"session": session},
    }[kind]


KINDS = ["password", "key as password", "token as password", "key", "token", "session"]


@pytest.mark.parametrize("kind", KINDS)
def test_credentials_are_accepted(artifactory, kind):
    """A file is read and another written."""
    artifactory.put("generic-local/a.bin", b"content")
    path = ArtifactoryPath(f"{artifactory.url}/generic-local/a.bin", **credentials(artifactory, kind))
    assert path.read_bytes() == b"content"
    (path.parent / "b.bin").write_bytes(b"more")
    assert artifactory.read("generic-local/b.bin") == b"more"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"auth": ("admin", "wrong")}, "Bad credentials"),
        ({"auth": ("stranger", "wrong")}, "Bad credentials"),
        ({"token": "wrong"}, "Bad props auth token: basictoken=wrong"),
        ({"apikey": "wrong"}, "Bad props auth token: apiKey=wrong"),
        ({}, "Authentication is required"),
    ],
    ids=str,
)
def test_wrong_credentials(artifactory, wrong, message):
    """The server's words are the error's."""
    path = ArtifactoryPath(f"{artifactory.url}/generic-local", **wrong)
    with pytest.raises(ArtifactoryException, match=message):
        path.stat()


def test_anonymous_reads_what_it_may():
    """Without credentials a server that lets anonymous users in shows what was granted."""
    with ThreadedArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/open/a", b"content")
        server.put("generic-local/closed/b", b"content")
        server.grant("anonymous", "generic-local", "r", "open/**")
        root = ArtifactoryPath(f"{server.url}/generic-local")
        assert [str(each) for each in root] == [f"{root}/open"]
        assert (root / "open/a").read_bytes() == b"content"
        with pytest.raises(ArtifactoryException, match="Unauthorized"):
            (root / "closed/b").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_redirect_to_cloud_storage(kind):
    """The client drops ``Authorization`` for another host; the API key's header it keeps, and storage refuses that."""
    with ThreadedArtifactoryServer(redirect_over=0) as server:
        server.put("generic-local/a.bin", b"content")
        path = ArtifactoryPath(f"{server.url}/generic-local/a.bin", **credentials(server, kind))
        if kind == "key":
            with pytest.raises(ArtifactoryException, match="400 Client Error"):
                path.read_bytes()
        else:
            assert path.read_bytes() == b"content"
        assert server.requests[-1].had_credentials == (kind == "key")


def test_life_of_an_api_key(artifactory):
    """Made, shown, made anew, revoked; each step sees the one before."""
    artifactory.add_user("ann", password="pw")
    root = ArtifactoryPath(artifactory.url, auth=("ann", "pw"))
    key = User(root, "ann", password="pw").api_key
    assert key.get() == ""
    first = key.create()
    assert key.get() == first
    with pytest.raises(ArtifactoryException):
        key.create()
    second = key.regenerate()
    assert second not in ("", first)
    key.revoke()
    assert key.get() == ""


def test_life_of_a_token(artifactory):
    """Made, used, listed, revoked, refused; the client reads the identifier out of the JWT."""
    artifactory.put("generic-local/a.bin", b"content")
    root = ArtifactoryPath(artifactory.url, auth=(artifactory.username, artifactory.password))
    token = Token(root, username="admin", scope="member-of-groups:*", expires_in=600)
    token.create()
    path = ArtifactoryPath(f"{artifactory.url}/generic-local/a.bin", token=token.jwt_token)
    assert path.read_bytes() == b"content"
    token.read()
    assert token.tokens[token.token_id]["subject"].endswith("/users/admin")
    token.delete()
    with pytest.raises(ArtifactoryException, match="Token failed verification"):
        path.read_bytes()


def test_user_is_found(artifactory):
    """Users are served by REST; test_dohq_admin.py does the rest."""
    root = ArtifactoryPath(artifactory.url, auth=(artifactory.username, artifactory.password))
    assert root.find_user(artifactory.username).name == artifactory.username
