"""dohq-artifactory: users, groups, permission targets and projects, as its own integration tests use them."""

import pytest
from artifactory import ArtifactoryException, ArtifactoryPath
from dohq_artifactory import Group, PermissionTarget, User
from dohq_artifactory.admin import Project

from aioartifact.testing import ThreadedArtifactoryServer


@pytest.fixture(autouse=True)
def no_delay(monkeypatch):
    """Leave out the half second that the client waits after each change for slow servers."""
    monkeypatch.setattr("dohq_artifactory.admin.rest_delay", lambda: None)


@pytest.fixture
def top(artifactory):
    """The server itself, as administrator."""
    return ArtifactoryPath(artifactory.url, auth=(artifactory.username, artifactory.password))


def make_user(top, name):
    user = User(artifactory=top, name=name, email=f"{name}@example.com", password="oldPa55w@rd")
    user.create()
    return user


def test_user(top, artifactory):
    """Created, found, listed; a new password changes the encrypted one and works; removed."""
    assert top.find_user("ann") is None
    make_user(top, "ann")
    user = top.find_user("ann")
    assert (user.email, user.admin, user.realm) == ("ann@example.com", False, "internal")
    assert "ann" in [each.name for each in top.get_users()]
    user.password = "oldPa55w@rd"
    before = user.encrypted_password
    user.password = "newPa55w@rd"
    user.update()
    assert user.encrypted_password != before
    assert top.find_user("ann").last_logged_in is not None
    artifactory.grant("ann", "generic-local")
    artifactory.put("generic-local/a", b"content")
    path = ArtifactoryPath(f"{artifactory.url}/generic-local/a", auth=("ann", user.encrypted_password))
    assert path.read_bytes() == b"content"
    user.delete()
    assert top.find_user("ann") is None


def test_group(top):
    """Created with users, joined by another, listed, removed."""
    group = Group(artifactory=top, name="team")
    group.users = ["admin"]
    group.create()
    user = make_user(top, "ann")
    user.add_to_group(group)
    user.update()
    assert user.raw["groups"] == ["team"]
    assert [each.name for each in user.groups] == ["team"]
    assert [each.name for each in top.get_groups(lazy=True)] == ["team"]
    group.delete()
    assert top.find_group("team") is None


def test_permission_target(top, artifactory):
    """It permits what its principals are given, on the repositories that are added."""
    artifactory.create_repository("other-local")
    artifactory.put("other-local/a", b"content")
    user, group = make_user(top, "ann"), Group(artifactory=top, name="team")
    group.create()
    permission = PermissionTarget(artifactory=top, name="target")
    permission.create()
    permission.add_repository("generic-local", "other-local")
    permission.add_user(user, PermissionTarget.ROLE_DEPLOY)
    permission.add_group(group, PermissionTarget.READ)
    permission.update()
    assert permission.raw["repositories"] == ["generic-local", "other-local"]
    assert sorted(permission.raw["principals"]["users"]["ann"]) == sorted(PermissionTarget.ROLE_DEPLOY)
    assert [each.name for each in top.get_permissions()] == ["target"]
    path = ArtifactoryPath(f"{artifactory.url}/other-local/a", auth=("ann", "oldPa55w@rd"))
    assert path.read_bytes() == b"content"
    permission.delete()
    assert top.find_permission_target("target") is None
    with pytest.raises(ArtifactoryException, match="is forbidden for user: 'ann'"):
        path.read_bytes()


def test_project():
    """The service beside the context path takes the projects, with a token."""
    with ThreadedArtifactoryServer(profile="7.x") as server:
        top = ArtifactoryPath(server.url, token=server.token)
        Project(artifactory=top, project_key="t1k1", display_name="Tests").create()
        project = top.find_project("t1k1")
        project.description = "Changed"
        project.update()
        assert [each.description for each in top.get_projects()] == ["Changed"]
        project.delete()
        assert top.find_project("t1k1") is None
