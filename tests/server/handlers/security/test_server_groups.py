"""``api/security/groups``: groups pass rights and privileges on to their users."""

import pytest

from aioartifact.testing import ArtifactoryServer


async def test_life_of_a_group(server, send):
    """Created, described, changed, removed, with the statuses of the real server."""
    assert (await send(server, "GET", "security/groups/team")).status == 404
    assert (await send(server, "POST", "security/groups/team", {})).status == 404
    created = await send(server, "PUT", "security/groups/team", {"name": "team", "description": "The team"})
    assert (created.status, created.body) == (201, b"")
    found = await send(server, "GET", "security/groups/team")
    assert found.headers["content-type"] == "application/vnd.org.jfrog.artifactory.security.Group+json"
    document = {
        "name": "team",
        "description": "The team",
        "autoJoin": False,
        "realm": "internal",
        "adminPrivileges": False,
    }
    assert found.json() == document
    assert (await send(server, "POST", "security/groups/team", {"autoJoin": True, "realm": "ldap"})).status == 200
    assert (await send(server, "GET", "security/groups/team")).json() == document | {"autoJoin": True, "realm": "ldap"}
    assert (await send(server, "PUT", "security/groups/team", {})).status == 200
    assert "description" not in (await send(server, "GET", "security/groups/team")).json()
    listed = await send(server, "GET", "security/groups")
    assert listed.json() == [{"name": "team", "uri": f"{server.url}/api/security/groups/team"}]
    removed = await send(server, "DELETE", "security/groups/team")
    assert (removed.status, removed.body) == (200, b"Group 'team' has been removed successfully.")
    assert (await send(server, "DELETE", "security/groups/team")).status == 404


async def test_users_of_a_group(server, send):
    """A ``PUT`` replaces the users, a ``POST`` adds some, and without a list they stay; unknown names are ignored."""
    server.add_user("other", groups=["team"])

    async def users():
        return (await send(server, "GET", "security/groups/team?includeUsers=true")).json()["userNames"]

    assert await users() == ["other"]
    await send(server, "POST", "security/groups/team", {"userNames": ["user", "missing"]})
    assert await users() == ["other", "user"]
    for method, names in (("POST", []), ("POST", None), ("PUT", None)):
        await send(server, method, "security/groups/team", {"userNames": names})
        assert await users() == ["other", "user"]
    await send(server, "PUT", "security/groups/team", {"userNames": ["user", "missing"]})
    assert await users() == ["user"]
    assert (await send(server, "GET", "security/users/user")).json()["groups"] == ["team"]
    await send(server, "DELETE", "security/groups/team")
    assert "groups" not in (await send(server, "GET", "security/users/user")).json()


@pytest.mark.parametrize(
    ("profile", "query", "is_shown"),
    [
        ("6.20", "", False),
        ("6.20", "?includeUsers=true", True),
        ("7.x", "", True),
        ("7.x", "?includeUsers=false", False),
    ],
)
async def test_whether_users_are_shown(send, profile, query, is_shown):
    """In 6.20 on request only, in 7.x unless the request says otherwise."""
    async with ArtifactoryServer(profile=profile) as server:
        server.add_user("user", groups=["team"])
        assert ("userNames" in (await send(server, "GET", f"security/groups/team{query}")).json()) is is_shown


async def test_administrators_by_group(server, send, basic):
    """A member of a group with privileges is an administrator, as long as it is a member."""
    headers = basic("user", "pw")
    await send(server, "PUT", "security/groups/admins", {"adminPrivileges": True, "userNames": ["user"]})
    assert (await send(server, "GET", "security/users", headers=headers)).status == 200
    assert (await send(server, "GET", "security/users/user")).json()["admin"] is False
    await send(server, "PUT", "security/groups/admins", {"adminPrivileges": True, "userNames": []})
    assert (await send(server, "GET", "security/users", headers=headers)).status == 403


@pytest.mark.parametrize(
    ("document", "status"),
    [
        pytest.param("team", 400, id="no object"),
        pytest.param({"name": "other"}, 409, id="other name"),
        pytest.param({"adminPrivileges": True, "autoJoin": True}, 400, id="everyone an administrator"),
        pytest.param({"userNames": [1]}, 400, id="users of another type"),
    ],
)
async def test_refused_group(server, send, document, status):
    """Nothing is stored of a group that is not accepted."""
    assert (await send(server, "PUT", "security/groups/team", document)).status == status
    assert (await send(server, "GET", "security/groups")).json() == []


async def test_rights_go_with_the_group(server, send, basic):
    """A new group of a removed one's name has none of its rights."""
    server.add_user("member", password="pw", groups=["team"])
    server.grant_group("team", "generic-local")
    target = {"repositories": ["generic-local"], "principals": {"groups": {"team": ["r"]}}}
    await send(server, "PUT", "security/permissions/target", target)
    path, headers = "storage/generic-local/open/a.bin", basic("member", "pw")
    assert (await send(server, "GET", path, headers=headers)).status == 200
    await send(server, "DELETE", "security/groups/team")
    await send(server, "PUT", "security/groups/team", {"userNames": ["member"]})
    assert (await send(server, "GET", path, headers=headers)).status == 403
