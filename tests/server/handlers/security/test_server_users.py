"""``api/security/users``: users that are made by REST log in, belong to groups, and lose everything when removed."""

import pytest

from aioartifact.testing import ArtifactoryServer

USER = {"email": "ann@example.com", "password": "secret"}


async def test_life_of_a_user(server, send, basic):
    """Created, described, changed, removed: with the statuses of the real server, and with effect on logins."""
    ping = "system/ping"
    assert (await send(server, "GET", "security/users/ann")).status == 404
    assert (await send(server, "GET", ping, headers=basic("ann", "secret"))).status == 401
    created = await send(server, "PUT", "security/users/ann", USER | {"name": "ann"})
    assert (created.status, created.body) == (201, b"")
    assert (await send(server, "GET", ping, headers=basic("ann", "secret"))).status == 200
    found = await send(server, "GET", "security/users/ann")
    assert found.headers["content-type"] == "application/vnd.org.jfrog.artifactory.security.User+json"
    document = found.json()
    assert document.pop("lastLoggedIn")
    assert document.pop("lastLoggedInMillis") > 0
    assert document == {
        "name": "ann",
        "email": "ann@example.com",
        "admin": False,
        "profileUpdatable": True,
        "internalPasswordDisabled": False,
        "realm": "internal",
        "offlineMode": False,
        "disableUIAccess": False,
    }
    changed = await send(server, "POST", "security/users/ann", {"password": "new", "disableUIAccess": True})
    assert (changed.status, changed.body) == (200, b"")
    assert (await send(server, "GET", ping, headers=basic("ann", "secret"))).status == 401
    assert (await send(server, "GET", ping, headers=basic("ann", "new"))).status == 200
    now = (await send(server, "GET", "security/users/ann")).json()
    assert {key: now[key] for key in document} == document | {"disableUIAccess": True}
    removed = await send(server, "DELETE", "security/users/ann")
    assert (removed.status, removed.body) == (200, b"User 'ann' has been removed successfully.")
    assert (await send(server, "GET", ping, headers=basic("ann", "new"))).status == 401
    assert (await send(server, "DELETE", "security/users/ann")).status == 404


async def test_list_of_users(server, send):
    """Names, links and realms of all, with those that tests add."""
    answer = await send(server, "GET", "security/users")
    assert answer.headers["content-type"] == "application/vnd.org.jfrog.artifactory.security.Users+json"
    assert answer.json() == [
        {"name": name, "uri": f"{server.url}/api/security/users/{name}", "realm": "internal"}
        for name in ("admin", "anonymous", "user")
    ]


async def test_administrator_by_rest(server, send, basic):
    """A user becomes an administrator, and stops to be one."""
    headers = basic("user", "pw")
    for is_admin, status in ((True, 200), (False, 403)):
        await send(server, "POST", "security/users/user", {"admin": is_admin})
        assert (await send(server, "GET", "security/users", headers=headers)).status == status


async def test_replaced_user(server, send, basic):
    """A ``PUT`` resets what it does not name, and answers 200 where the user exists."""
    server.add_user("ann", password="pw", admin=True, groups=["team"], api_key="AKCpkey")
    assert (await send(server, "PUT", "security/users/ann", USER)).status == 200
    document = (await send(server, "GET", "security/users/ann")).json()
    assert (document["admin"], "groups" in document) == (False, False)
    assert (await send(server, "GET", "storage/generic-local", headers={"X-JFrog-Art-Api": "AKCpkey"})).status == 403


async def test_groups_of_a_new_user(server, send):
    """Groups that are joined automatically, unless the groups are given."""
    await send(server, "PUT", "security/groups/all", {"autoJoin": True})
    await send(server, "PUT", "security/groups/few", {})
    await send(server, "PUT", "security/users/ann", USER)
    await send(server, "PUT", "security/users/bob", USER | {"groups": ["few"]})
    groups = [(await send(server, "GET", f"security/users/{name}")).json()["groups"] for name in ("ann", "bob")]
    assert groups == [["all"], ["few"]]


async def test_user_without_password(server, send, basic):
    """With ``internalPasswordDisabled`` no password is needed, and none works."""
    assert (
        await send(server, "PUT", "security/users/ann", {"email": "a@b.c", "internalPasswordDisabled": True})
    ).status == 201
    await send(server, "POST", "security/users/ann", {"password": "secret"})
    assert (await send(server, "GET", "system/ping", headers=basic("ann", "secret"))).status == 401


@pytest.mark.parametrize(
    ("document", "status"),
    [
        pytest.param([], 400, id="no object"),
        pytest.param({"password": "pw"}, 400, id="no email"),
        pytest.param({"email": "a@b.c"}, 400, id="no password"),
        pytest.param(USER | {"name": "bob"}, 409, id="other name"),
        pytest.param(USER | {"groups": ["missing"]}, 400, id="missing group"),
        pytest.param(USER | {"groups": "team"}, 400, id="groups of another type"),
        pytest.param(USER | {"admin": "yes"}, 400, id="flag of another type"),
        pytest.param(USER | {"email": 1}, 400, id="text of another type"),
    ],
)
async def test_refused_user(server, send, document, status):
    """Nothing is stored of a user that is not accepted."""
    answer = await send(server, "PUT", "security/users/ann", document)
    assert (answer.status, bool(answer.message)) == (status, True)
    assert (await send(server, "GET", "security/users/ann")).status == 404


async def test_names_in_paths(server, send):
    """A plus sign is a blank, and a slash may be part of a name."""
    for path, name in (("a+b", "a b"), ("a%2Fb", "a/b"), ("%C3%BC@x", "\u00fc@x")):
        assert (await send(server, "PUT", f"security/users/{path}", USER | {"name": name})).status == 201
        assert (await send(server, "GET", f"security/users/{path}")).json()["name"] == name


@pytest.mark.parametrize("path", ["users", "groups", "permissions", "users/user", "groups/team", "permissions/target"])
async def test_only_administrators(ask, send, basic, path):
    """Others get 403 in both editions, the anonymous are challenged, and administrators need Pro."""
    for edition, status in (("pro", 200 if "/" not in path or path == "users/user" else 404), ("oss", 400)):
        async with ArtifactoryServer(edition=edition, anonymous=True) as server:
            server.add_user("user", password="pw")
            server.grant("anonymous", "**")
            assert (await send(server, "GET", f"security/{path}", headers=basic("user", "pw"))).status == 403
            assert (await send(server, "GET", f"security/{path}", headers={})).status == 401
            assert (await send(server, "GET", f"security/{path}")).status == status


async def test_locked_users(server, send, basic):
    """Locked users are listed, and unlocked one by one, several at a time, or all together."""
    headers = basic("user", "pw")
    for path, document in (
        ("unlockUsers/user", None),
        ("unlockUsers", ["user", "missing"]),
        ("unlockAllUsers", None),
    ):
        server.lock_user("user")
        assert (await send(server, "GET", "security/lockedUsers")).json() == ["user"]
        assert (await send(server, "GET", "storage/generic-local", headers=headers)).message.startswith(
            "User is Locked"
        )
        assert (await send(server, "POST", f"security/{path}", document)).status == 200
        assert (await send(server, "GET", "security/lockedUsers")).json() == []
    assert (await send(server, "POST", "security/unlockUsers", {})).status == 400
    assert (await send(server, "GET", "security/lockedUsers", headers=headers)).status == 403


async def test_rights_go_with_the_user(server, send, basic):
    """A new user of a removed one's name has none of its rights."""
    server.grant("user", "generic-local")
    target = {"repositories": ["generic-local"], "principals": {"users": {"user": ["r"]}}}
    await send(server, "PUT", "security/permissions/target", target)
    await send(server, "DELETE", "security/users/user")
    assert (await send(server, "GET", "security/permissions/target")).json()["principals"] == {}
    await send(server, "PUT", "security/users/user", USER)
    answer = await send(server, "GET", "storage/generic-local/open/a.bin", headers=basic("user", "secret"))
    assert answer.status == 403


async def test_new_password(server, send, basic):
    """With the old password, a user can set a new one; a refused request changes nothing."""
    path, headers = "security/users/authorization/changePassword", basic("user", "pw")
    change = {"userName": "user", "oldPassword": "pw", "newPassword1": "new", "newPassword2": "new"}
    for wrong, message in (
        ({"userName": "missing"}, "Old password is incorrect"),
        ({"oldPassword": "other"}, "Old password is incorrect"),
        ({"newPassword2": "other"}, "New passwords do not match"),
        ({"newPassword1": "pw", "newPassword2": "pw"}, "New password has to be different from the old one"),
        ({"newPassword1": "", "newPassword2": None}, "New passwords cannot be empty"),
    ):
        refused = await send(server, "POST", path, change | wrong, headers)
        assert (refused.status, refused.body.decode()) == (400, message)
    assert (await send(server, "POST", path, [], headers)).status == 400
    changed = await send(server, "POST", path, change, headers)
    assert (changed.status, changed.body) == (200, b"Password has been successfully changed")
    assert (await send(server, "GET", "system/ping", headers=headers)).status == 401
    assert (await send(server, "GET", "system/ping", headers=basic("user", "new"))).status == 200


async def test_wrong_old_passwords_lock_a_user(send):
    """They count as failed logins do."""
    async with ArtifactoryServer(lock_after=2) as server:
        server.add_user("user", password="pw")
        change = {"userName": "user", "oldPassword": "x", "newPassword1": "new", "newPassword2": "new"}
        for status in (400, 400, 403):
            answer = await send(server, "POST", "security/users/authorization/changePassword", change)
            assert answer.status == status
