"""Users and groups of the Access service."""

import json

import pytest

from aioartifact.testing import ArtifactoryServer

USERS, GROUPS = "/access/api/v2/users", "/access/api/v2/groups"
ANN = {"username": "ann", "email": "ann@example.com", "password": "pw"}


@pytest.fixture
async def platform():
    async with ArtifactoryServer(profile="7.x") as server:
        server.add_user("user", password="pw")
        yield server


@pytest.fixture
def call(ask, platform):
    """Call Access with a JSON body, as the administrator or *username*."""

    async def call(method, path, document=None, username="admin"):
        headers = {"Authorization": f"Bearer {platform.issue_token(username)}"}
        body = None if document is None else json.dumps(document).encode()
        return await ask(platform, method, path, headers=headers, body=body, origin=platform.origin)

    return call


async def test_life_of_a_user(call, ask, platform, basic):
    """Created, described, changed, removed; it logs in to Artifactory meanwhile."""
    assert (await call("GET", f"{USERS}/ann")).status == 404
    created = await call("POST", USERS, ANN | {"profile_updatable": False})
    assert created.status == 201
    assert created.json() == {
        "username": "ann",
        "email": "ann@example.com",
        "admin": False,
        "effective_admin": False,
        "profile_updatable": False,
        "disable_ui_access": False,
        "internal_password_disabled": False,
        "realm": "internal",
        "groups": [],
        "status": "enabled",
    }
    assert (await call("POST", USERS, ANN)).status == 409
    assert (await ask(platform, "GET", "/api/system/version", headers=basic("ann", "pw"))).status == 200
    changed = await call("PATCH", f"{USERS}/ann", {"disable_ui_access": True, "password": "new", "groups": ["x"]})
    assert (changed.status, changed.json()) == (200, created.json() | {"disable_ui_access": True})
    assert (await ask(platform, "GET", "/api/system/version", headers=basic("ann", "pw"))).status == 401
    assert (await ask(platform, "GET", "/api/system/version", headers=basic("ann", "new"))).status == 200
    assert (await call("GET", f"{USERS}/ann")).json() == changed.json()
    removed = await call("DELETE", f"{USERS}/ann")
    assert (removed.status, removed.body) == (204, b"")
    assert (await call("DELETE", f"{USERS}/ann")).status == 404


async def test_life_of_a_group(call):
    assert (await call("GET", f"{GROUPS}/team")).status == 404
    created = await call("POST", GROUPS, {"name": "team", "description": "us", "members": ["user"]})
    assert created.status == 201
    document = {
        "name": "team",
        "description": "us",
        "auto_join": False,
        "admin_privileges": False,
        "realm": "internal",
        "members": ["user"],
    }
    assert created.json() == document
    assert (await call("POST", GROUPS, {"name": "team"})).status == 409
    changed = await call("PATCH", f"{GROUPS}/team", {"name": "other", "description": "all", "members": []})
    assert (changed.status, changed.json()) == (200, document | {"description": "all"})
    members = await call("PATCH", f"{GROUPS}/team/members", {"add": ["admin", "user"], "remove": ["user"]})
    assert (members.status, members.json()) == (200, {"members": ["admin"]})
    assert (await call("GET", f"{GROUPS}/team")).json()["members"] == ["admin"]
    assert (await call("DELETE", f"{GROUPS}/team")).status == 204
    assert (await call("GET", f"{GROUPS}/team")).status == 404


async def test_groups_of_a_user(call, platform, ask, basic):
    """It has the rights of its groups; those that all new users join come on top."""
    await call("POST", GROUPS, {"name": "readers", "auto_join": True})
    await call("POST", GROUPS, {"name": "admins", "admin_privileges": True})
    await call("POST", GROUPS, {"name": "team"})
    created = await call("POST", USERS, ANN | {"groups": ["team"]})
    assert created.json()["groups"] == ["readers", "team"]
    platform.grant_group("readers", "generic-local")
    platform.put("generic-local/a", b"content")
    assert (await ask(platform, "GET", "/generic-local/a", headers=basic("ann", "pw"))).body == b"content"
    changed = await call("PATCH", f"{USERS}/ann/groups", {"add": ["admins"], "remove": ["readers"]})
    assert (changed.status, changed.json()) == (200, {"groups": ["admins", "team"]})
    assert (await call("GET", f"{USERS}/ann")).json()["effective_admin"] is True


async def test_lists_in_pages(call, platform):
    names = ["admin", "anonymous", "user"]
    listed = (await call("GET", USERS)).json()
    assert [each["username"] for each in listed["users"]] == names
    assert listed["users"][0] == {
        "username": "admin",
        "uri": f"{platform.origin}{USERS}/admin",
        "realm": "internal",
        "status": "enabled",
    }
    assert "cursor" not in listed
    seen, cursor = [], ""
    while cursor is not None:
        answer = (await call("GET", f"{USERS}?limit=1&cursor={cursor}")).json()
        seen += [each["username"] for each in answer["users"]]
        cursor = answer.get("cursor")
    assert seen == names
    await call("POST", GROUPS, {"name": "team"})
    assert (await call("GET", GROUPS)).json() == {
        "groups": [{"group_name": "team", "uri": f"{platform.origin}{GROUPS}/team"}]
    }
    assert (await call("GET", f"{USERS}?limit=many")).status == 400


@pytest.mark.parametrize(
    ("method", "path", "document", "status"),
    [
        ("POST", USERS, {"username": "ann"}, 400),
        ("POST", USERS, {"username": "ann", "email": "a@example.com"}, 400),
        ("POST", USERS, ANN | {"groups": ["missing"]}, 400),
        ("POST", USERS, ANN | {"admin": "yes"}, 400),
        ("POST", USERS, [], 400),
        ("PATCH", f"{USERS}/missing", {}, 404),
        ("PATCH", f"{USERS}/user/groups", {"add": ["missing"]}, 404),
        ("PATCH", f"{USERS}/user/groups", {"add": "team"}, 400),
        ("DELETE", f"{USERS}/anonymous", None, 400),
        ("POST", GROUPS, {}, 400),
        ("POST", GROUPS, {"name": "team", "members": ["missing"]}, 404),
        ("POST", GROUPS, {"name": "team", "auto_join": True, "admin_privileges": True}, 400),
        ("PATCH", f"{GROUPS}/missing/members", {"add": ["user"]}, 404),
        ("PATCH", f"{USERS}/user/other", {}, 404),
        ("PUT", f"{USERS}/user", {}, 404),
    ],
)
async def test_refusals(call, method, path, document, status):
    answer = await call(method, path, document)
    assert answer.status == status
    assert set(answer.json()["errors"][0]) == {"code", "message"}


@pytest.mark.parametrize("path", [USERS, f"{USERS}/user", GROUPS])
async def test_for_administrators_with_a_token_only(call, ask, platform, admin, path):
    assert (await call("GET", path, username="user")).status == 403
    assert (await ask(platform, "GET", path, headers=admin, origin=platform.origin)).status == 401
