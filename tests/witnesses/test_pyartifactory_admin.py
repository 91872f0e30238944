"""pyartifactory: users, groups, permissions by both APIs, and tokens below the context path, in its typed models."""

import pytest
from pyartifactory import Artifactory
from pyartifactory.exception import GroupNotFoundError, PermissionNotFoundError, UserNotFoundError
from pyartifactory.models import Group, NewUser, Permission, PermissionV2, User

from aioartifact.testing import ThreadedArtifactoryServer

ANN = {"name": "ann", "email": "ann@example.com"}


@pytest.fixture(params=[1, 2])
def version(request):
    """Version of the API of permissions."""
    return request.param


@pytest.fixture
def client(artifactory, version):
    """A client with the administrator's password."""
    return Artifactory(url=artifactory.url, auth=(artifactory.username, artifactory.password), api_version=version)


def test_user(client, artifactory):
    """Created, changed, unlocked, removed."""
    created = client.users.create(NewUser(**ANN, password="pw"))
    assert (created.email, created.realm, created.admin) == ("ann@example.com", "internal", False)
    assert client.users.update(User(**ANN, admin=True)).admin
    assert "ann" in [each.name for each in client.users.list()]
    artifactory.lock_user("ann")
    client.users.unlock("ann")
    own = Artifactory(url=artifactory.url, auth=("ann", "pw"))
    assert own.users.get("ann").lastLoggedIn is not None
    client.users.delete("ann")
    with pytest.raises(UserNotFoundError):
        client.users.get("ann")


def test_group(client):
    """Created with a user, changed, removed."""
    client.users.create(NewUser(**ANN, password="pw"))
    assert client.groups.create(Group(name="team", userNames=["ann"])).userNames == ["ann"]
    assert client.groups.update(Group(name="team", description="The team")).description == "The team"
    assert client.users.get("ann").groups == ["team"]
    assert [each.name for each in client.groups.list()] == ["team"]
    client.groups.delete("team")
    with pytest.raises(GroupNotFoundError):
        client.groups.get("team")


def test_permission(client, artifactory, version):
    """Created, in force, changed, removed, with letters and with names of actions."""
    client.users.create(NewUser(**ANN, password="pw"))
    artifactory.put("generic-local/a", b"content")
    if version == 1:
        model = Permission(name="p", repositories=["generic-local"], principals={"users": {"ann": ["r"]}})
    else:
        repo = {"repositories": ["generic-local"], "actions": {"users": {"ann": ["read"]}}}
        model = PermissionV2(name="p", repo=repo)
    client.permissions.create(model)
    own = Artifactory(url=artifactory.url, auth=("ann", "pw"))
    assert own.artifacts.info("generic-local/a").size == 7
    assert client.permissions.update(model).name == "p"
    assert [each.name for each in client.permissions.list()] == ["p"]
    client.permissions.delete("p")
    with pytest.raises(PermissionNotFoundError):
        client.permissions.get("p")


def test_access_token_below_the_context_path():
    """The address of Artifactory is enough for tokens."""
    with ThreadedArtifactoryServer(profile="7.x") as server:
        client = Artifactory(url=server.url, access_token=server.token)
        token = client.security.create_access_token("admin", expires_in=600)
        assert Artifactory(url=server.url, access_token=token.access_token).users.list()
        assert client.security.revoke_access_token(token.access_token)
