"""Who may read, publish and delete builds: permissions on builds are permissions on their documents."""

import json

import pytest

from aioartifact.testing import ArtifactoryServer


@pytest.fixture
async def headers(published, basic):
    """A user without permissions."""
    published.add_user("user", password="pw")
    return basic("user", "pw")


async def permit(server, send, *actions, **patterns):
    section = {"repositories": ["artifactory-build-info"], "actions": {"users": {"user": list(actions)}}}
    document = {"build": section | {"include-patterns": ["**"]} | patterns}
    assert (await send(server, "PUT", "/api/v2/security/permissions/target", document)).status in (200, 201)


async def test_reading(published, send, build, headers):
    """Builds that may not be read are not listed; patterns are matched with decoded names."""
    for path in ("", "app", "app/1"):
        assert (await send(published, "GET", path, headers=headers)).status == (403 if "/" in path else 404)
    denied = await send(published, "GET", "app/1", headers=headers)
    message = "The user: 'user' is not authorized to access build info. Read permission is needed."
    assert denied.message == message
    await send(published, "PUT", "", build(name="team/x"))
    await permit(published, send, "read", **{"include-patterns": ["team/**"]})
    listed = (await send(published, "GET", headers=headers)).json()["builds"]
    assert [each["uri"] for each in listed] == ["/team%2Fx"]
    assert (await send(published, "GET", "team%2Fx/1", headers=headers)).status == 200
    assert (await send(published, "GET", "app/1", headers=headers)).status == 403


async def test_permissions_on_everything_else(published, send, headers):
    """``ANY`` repository does not mean builds."""
    published.grant("user", "ANY", "rwndm")
    assert (await send(published, "GET", headers=headers)).status == 404
    assert (await send(published, "GET", "/artifactory-build-info/app/", headers=headers)).status != 403
    file = await send(published, "GET", "/artifactory-build-info/app/1-1717236000000.json", headers=headers)
    assert file.status == 403


async def test_publishing(published, send, build, headers):
    """It takes the right to deploy, and replacing a run the right to delete."""
    denied = await send(published, "PUT", "", build(4), headers=headers)
    assert (denied.status, denied.message.split(" '")[:2]) == (403, ["The user:", "user' is not permitted to deploy"])
    await permit(published, send, "read", "write")
    assert (await send(published, "PUT", "", build(4), headers=headers)).status == 204
    assert (await send(published, "PUT", "", build(4), headers=headers)).status == 403
    assert (await send(published, "POST", "append/app/4", [], headers=headers)).status == 403
    await permit(published, send, "read", "write", "delete")
    assert (await send(published, "PUT", "", build(4), headers=headers)).status == 204
    assert (await send(published, "POST", "append/app/4", [], headers=headers)).status == 204
    assert (await send(published, "GET", "app/4")).json()["buildInfo"]["artifactoryPrincipal"] == "user"


async def test_deleting(published, send, headers):
    """It takes the right to delete, on artifacts as well; a retention leaves what it may not delete."""
    message = "The user: 'user' is not authorized to delete build info. Delete permission is needed."
    for method, path, document in (
        ("DELETE", "app?deleteAll=1", None),
        ("POST", "delete", {"buildName": "app", "buildNumbers": ["1"]}),
    ):
        denied = await send(published, method, path, document, headers=headers)
        assert (denied.status, denied.message) == (403, message)
    assert (await send(published, "POST", "retention/app", {"count": 1}, headers=headers)).status == 204
    assert len((await send(published, "GET", "app")).json()["buildsNumbers"]) == 3
    await permit(published, send, "read", "delete")
    published.grant("user", "generic-local", "r")
    denied = await send(published, "DELETE", "app?buildNumbers=1&artifacts=1", headers=headers)
    assert (denied.status, "generic-local:app/1/app.bin" in denied.message) == (403, True)
    assert (await send(published, "GET", "app/1")).status == 200
    assert (await send(published, "DELETE", "app?buildNumbers=1", headers=headers)).status == 200


async def test_renaming(published, send, headers):
    """All three are needed."""
    await permit(published, send, "read", "write")
    assert (await send(published, "POST", "rename/app?to=new", headers=headers)).status == 403
    await permit(published, send, "read", "write", "delete")
    assert (await send(published, "POST", "rename/app?to=new", headers=headers)).status == 200


async def test_anonymous(send, build):
    """Anonymous users need a permission to read, and change nothing."""
    async with ArtifactoryServer(anonymous=True) as server:
        await send(server, "PUT", "", build())
        anonymous = {}
        assert (await send(server, "GET", headers=anonymous)).status == 404
        assert (await send(server, "GET", "app/1", headers=anonymous)).status == 401
        for method, path, document in (
            ("PUT", "", build(2)),
            ("POST", "append/app/1", []),
            ("POST", "promote/app/1", {}),
            ("POST", "rename/app?to=x", None),
            ("POST", "retention/app", {"count": 1}),
            ("POST", "delete", {"buildName": "app", "deleteAll": True}),
            ("DELETE", "app?deleteAll=1", None),
        ):
            assert (await send(server, method, path, document, headers=anonymous)).status == 401, (method, path)
        server.grant("anonymous", "artifactory-build-info", "r")
        assert (await send(server, "GET", "app/1", headers=anonymous)).status == 200


async def test_artifacts_that_may_not_be_read(published, send, headers):
    """They are not found, so that no address is given away."""
    await permit(published, send, "read", "write")
    search = {"buildName": "app", "buildNumber": "1"}
    answer = await send(published, "POST", "/api/search/buildArtifacts", search, headers=headers)
    assert (answer.status, "generic-local" in json.dumps(answer.json())) == (404, False)
    published.create_repository("released")
    answer = await send(published, "POST", "promote/app/1", {"targetRepo": "released"}, headers=headers)
    assert (answer.status, "generic-local" in json.dumps(answer.json())) == (400, False)
