"""Projects of the Access service, and Access below the context path."""

import json

import pytest

from aioartifact.testing import ArtifactoryServer

PROJECTS = "/access/api/v1/projects"
PROJECT = {"project_key": "data", "display_name": "Data"}


@pytest.fixture
async def platform():
    """A server of 7.x with a user who has a token."""
    async with ArtifactoryServer(profile="7.x") as server:
        server.add_user("user", password="pw")
        yield server


@pytest.fixture(params=["beside", "below"])
def call(ask, platform, request):
    """Call Access with a JSON body, beside the context path and below it, as the administrator or *username*."""
    origin = platform.origin if request.param == "beside" else None

    async def call(method, path, document=None, username="admin"):
        headers = {"Authorization": f"Bearer {platform.issue_token(username)}"}
        body = None if document is None else json.dumps(document).encode()
        return await ask(platform, method, path, headers=headers, body=body, origin=origin)

    return call


async def test_life_of_a_project(call):
    """Created, described, changed, removed, with the documented statuses."""
    assert (await call("GET", f"{PROJECTS}/data")).status == 404
    created = await call("POST", PROJECTS, PROJECT | {"admin_privileges": {"manage_members": False}})
    document = created.json()
    assert created.status == 201
    assert document == PROJECT | {
        "description": "",
        "storage_quota_bytes": -1,
        "soft_limit": False,
        "storage_quota_email_notification": True,
        "admin_privileges": {
            "manage_members": False,
            "manage_resources": True,
            "index_resources": True,
            "manage_security_assets": True,
            "allow_ignore_rules": True,
        },
    }
    assert (await call("POST", PROJECTS, PROJECT)).status == 409
    changed = await call("PUT", f"{PROJECTS}/data", {"description": "All data", "project_key": "other"})
    assert (changed.status, changed.json()) == (200, document | {"description": "All data"})
    assert (await call("GET", PROJECTS)).json() == [changed.json()]
    assert (await call("GET", f"{PROJECTS}/data")).json() == changed.json()
    removed = await call("DELETE", f"{PROJECTS}/data")
    assert (removed.status, removed.body) == (204, b"")
    for method, body in (("DELETE", None), ("PUT", {})):
        assert (await call(method, f"{PROJECTS}/data", body)).status == 404


@pytest.mark.parametrize(
    "document",
    [
        pytest.param([], id="no object"),
        pytest.param({"project_key": "data"}, id="no name"),
        pytest.param({"display_name": "Data"}, id="no key"),
        pytest.param(PROJECT | {"project_key": "1data"}, id="digit first"),
        pytest.param(PROJECT | {"project_key": "Data"}, id="capital"),
        pytest.param(PROJECT | {"project_key": "d"}, id="short"),
        pytest.param(PROJECT | {"project_key": "d" * 33}, id="long"),
        pytest.param(PROJECT | {"admin_privileges": [1]}, id="privileges of another type"),
    ],
)
async def test_refused_project(call, document):
    """Nothing is stored of a project that is not accepted."""
    assert (await call("POST", PROJECTS, document)).status == 400
    assert (await call("GET", PROJECTS)).json() == []


async def test_projects_are_for_administrators(call):
    """Whatever the method."""
    for method, path in (("GET", PROJECTS), ("POST", PROJECTS), ("GET", f"{PROJECTS}/x"), ("DELETE", f"{PROJECTS}/x")):
        assert (await call(method, path, None if method != "POST" else PROJECT, username="user")).status == 403


async def test_tokens_on_both_paths(call, platform, ask):
    """A token is ordered, listed and revoked beside the context path and below it."""
    token = (
        await call("POST", "/access/api/v1/tokens", {"username": "user", "scope": "applied-permissions/user"})
    ).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert (await ask(platform, "GET", "/api/system/version", headers=headers)).status == 200
    listed = (await call("GET", "/access/api/v1/tokens")).json()["tokens"]
    assert token["token_id"] in [each["token_id"] for each in listed]
    revoked = await call("DELETE", "/access/api/v1/tokens/revoke", {"token": token["access_token"]})
    assert (revoked.status, revoked.json()) == (200, {"revoked-token-id": token["token_id"]})
    assert (await ask(platform, "GET", "/api/system/version", headers=headers)).status == 401


async def test_no_access_before_7(ask):
    """6.20 has no such service on either path."""
    async with ArtifactoryServer() as server:
        for origin in (server.origin, None):
            assert (await ask(server, "GET", PROJECTS, origin=origin)).status == 404
