"""``api/v2/security/permissions``: sections for items and builds, and managers of single targets."""

import pytest

from aioartifact.testing import ArtifactoryServer

TARGETS = "v2/security/permissions"
TARGET = f"{TARGETS}/target"
FILE = "storage/generic-local/open/a.bin"


def section_of(*actions, **fields):
    return {"repositories": ["generic-local"], "actions": {"users": {"user": list(actions)}}} | fields


BUILD = section_of("read", repositories=["artifactory-build-info"])


async def test_life_of_a_permission_target(server, send, basic):
    """Created once, described with names of actions, updated, removed: the answers of success are empty."""
    headers = basic("user", "pw")
    for method in ("GET", "HEAD", "DELETE"):
        assert (await send(server, method, TARGET)).status == 404
    document = {"name": "target", "repo": section_of("Read", "write")}
    created = await send(server, "POST", TARGET, document)
    assert (created.status, created.body) == (201, b"")
    again = await send(server, "POST", TARGET, document)
    assert (again.status, again.message) == (
        409,
        "Can't create permission target 'target' for type repo. It already exists.",
    )
    assert (await send(server, "GET", FILE, headers=headers)).status == 200
    assert (await send(server, "HEAD", TARGET)).status == 200
    found = await send(server, "GET", TARGET)
    assert found.headers["content-type"] == "application/json"
    shown = {"include-patterns": ["**"], "exclude-patterns": []} | section_of("read", "write")
    assert found.json() == {"name": "target", "repo": shown}
    update = {"repo": section_of("read", **{"include-patterns": ["secret/**"], "exclude-patterns": [""]})}
    updated = await send(server, "PUT", TARGET, update)
    assert (updated.status, updated.body) == (200, b"")
    assert (await send(server, "GET", FILE, headers=headers)).status == 403
    shown = {"include-patterns": ["secret/**"], "exclude-patterns": []} | section_of("read")
    assert (await send(server, "GET", TARGET)).json() == {"name": "target", "repo": shown}
    listed = await send(server, "GET", TARGETS)
    assert listed.json() == [{"name": "target", "uri": f"{server.url}/api/{TARGET}"}]
    removed = await send(server, "DELETE", TARGET)
    assert (removed.status, removed.body) == (200, b"")
    missing = await send(server, "DELETE", TARGET)
    assert (missing.status, missing.message) == (404, "No such permission target 'target'")


async def test_update_creates(server, send):
    """As the real server's does."""
    assert (await send(server, "PUT", TARGET, {"repo": section_of("read")})).status == 200
    assert (await send(server, "GET", TARGET)).status == 200


async def test_both_apis_show_the_same(server, send):
    """Letters here, names there; a target for builds alone is none of the first API."""
    await send(server, "POST", TARGET, {"repo": section_of("manage", "managedXrayMeta"), "build": BUILD})
    first = (await send(server, "GET", "security/permissions/target")).json()
    assert first["principals"] == {"users": {"user": ["m", "mxm"]}}
    await send(server, "DELETE", "security/permissions/target")
    assert (await send(server, "GET", "security/permissions")).json() == []
    assert "repo" not in (await send(server, "GET", TARGET)).json()
    assert (await send(server, "POST", TARGET, {"repo": section_of("read")})).status == 201
    assert sorted((await send(server, "GET", TARGET)).json()) == ["build", "name", "repo"]
    await send(server, "PUT", TARGET, {"repo": section_of("read")})
    assert sorted((await send(server, "GET", TARGET)).json()) == ["name", "repo"]


@pytest.mark.parametrize(
    ("document", "status", "message"),
    [
        pytest.param(
            {"name": "target"},
            400,
            "Permission target request missing repositories, builds and release bundles. Must have at least one.",
            id="no section",
        ),
        pytest.param(
            {"repo": {"actions": {}}}, 400, "Permission target request missing repositories.", id="no repositories"
        ),
        pytest.param({"repo": section_of("r")}, 400, "'r' is not a valid Artifactory permission.", id="letter"),
        pytest.param(
            {"repo": section_of("read", repositories=["missing"])},
            400,
            "Permission target contains a reference to a non-existing repository 'missing'.",
            id="missing repository",
        ),
        pytest.param(
            {"build": section_of("read")},
            400,
            "Build permission target repositories list must contain artifactory-build-info as the only repository key",
            id="repository of builds",
        ),
        pytest.param(
            {"build": BUILD | {"include-patterns": []}},
            400,
            "Permission target of type: build must contain at least one include or exclude pattern",
            id="builds without patterns",
        ),
        pytest.param(
            {"build": BUILD | {"actions": {"groups": {"team": ["read"]}}}},
            400,
            "Permission target contains a reference to a non-existing group 'team'.",
            id="missing group",
        ),
    ],
)
async def test_refused_permission_target(server, send, document, status, message):
    """The texts of the real server; nothing is stored, neither by a creation nor by an update."""
    for method in ("POST", "PUT"):
        answer = await send(server, method, TARGET, document)
        assert (answer.status, answer.message) == (status, message)
    other = await send(server, "POST", TARGET, {"name": "other", "repo": section_of("read")})
    bundles = await send(server, "POST", TARGET, {"releaseBundle": section_of("read")})
    assert (other.status, bundles.status) == (409, 400)
    assert (await send(server, "GET", TARGETS)).json() == []


@pytest.mark.parametrize("is_group", [False, True])
async def test_managers(server, send, basic, is_group):
    """Who has ``manage`` sees the target and changes its actions, but nothing else."""
    server.add_user("user", password="pw", groups=["team"])
    principals = {"groups": {"team": ["manage"]}} if is_group else {"users": {"user": ["manage"]}}
    section = section_of() | {"actions": principals, "include-patterns": ["**"], "exclude-patterns": []}
    await send(server, "POST", TARGET, {"repo": section})
    await send(server, "POST", f"{TARGETS}/other", {"repo": section_of("read")})
    headers = basic("user", "pw")
    assert [each["name"] for each in (await send(server, "GET", TARGETS, headers=headers)).json()] == ["target"]
    assert (await send(server, "GET", TARGET, headers=headers)).json() == {"name": "target", "repo": section}
    for change, message in (
        ({"repositories": ["ANY"]}, "Manager user cannot modify repositories in a permission target"),
        ({"include-patterns": ["a"]}, "Manager user cannot modify include patterns in a permission target"),
        ({"exclude-patterns": ["a"]}, "Manager user cannot modify exclude patterns in a permission target"),
    ):
        refused = await send(server, "PUT", TARGET, {"repo": section | change}, headers)
        assert (refused.status, refused.message) == (403, message)
    assert (await send(server, "PUT", TARGET, {"repo": section, "build": BUILD}, headers)).status == 403
    assert (await send(server, "DELETE", TARGET, headers=headers)).status == 403
    assert (await send(server, "POST", f"{TARGETS}/new", {"repo": section}, headers)).status == 403
    assert (await send(server, "PUT", f"{TARGETS}/new", {"repo": section}, headers)).status == 403
    kind, name = ("groups", "team") if is_group else ("users", "user")
    more = section | {"actions": {kind: {name: ["read", "manage"]}}}
    assert (await send(server, "PUT", TARGET, {"repo": more}, headers)).status == 200
    assert (await send(server, "GET", FILE, headers=headers)).status == 200


@pytest.mark.parametrize("hidden", [False, True])
async def test_targets_of_others(ask, send, basic, hidden):
    """Who does not manage a target is refused, or does not learn that it exists."""
    async with ArtifactoryServer(hide_unauthorized=hidden) as server:
        server.add_user("user", password="pw")
        await send(server, "POST", TARGET, {"repo": section_of("read"), "build": BUILD})
        for method, document in (("GET", None), ("PUT", {"repo": section_of("manage")})):
            answer = await send(server, method, TARGET, document, basic("user", "pw"))
            message = "" if hidden else "Accessing permission target 'target' of types: repo, build is forbidden."
            assert (answer.status, answer.message) == (404 if hidden else 403, message)


async def test_targets_of_a_principal(server, send):
    """A user is listed with what its groups may do, a group with its own."""
    server.add_user("user", groups=["team"])
    actions = {"users": {"user": ["read"]}, "groups": {"team": ["write"]}}
    await send(server, "POST", TARGET, {"repo": section_of() | {"actions": actions}})
    await send(server, "POST", f"{TARGETS}/other", {"build": BUILD})
    patterns = {"include-patterns": ["**"], "exclude-patterns": []}
    repo = patterns | {"repositories": ["generic-local"]}
    assert (await send(server, "GET", f"{TARGETS}/users/user")).json() == [
        {"name": "target", "repo": repo | {"actions": ["read", "write"]}},
        {"name": "other", "build": patterns | {"repositories": ["artifactory-build-info"], "actions": ["read"]}},
    ]
    assert (await send(server, "GET", f"{TARGETS}/groups/team")).json() == [
        {"name": "target", "repo": repo | {"actions": ["write"]}}
    ]
    for path in ("users/missing", "groups/missing"):
        assert (await send(server, "GET", f"{TARGETS}/{path}")).status == 404


async def test_second_api_needs_a_user_and_pro(ask, send, basic):
    """The anonymous are challenged; the open source edition refuses users, too."""
    async with ArtifactoryServer(edition="oss", anonymous=True) as server:
        server.add_user("user", password="pw")
        assert (await send(server, "GET", TARGETS, headers={})).status == 401
        assert (await send(server, "GET", TARGETS, headers=basic("user", "pw"))).status == 400
        assert (await send(server, "POST", TARGET, {}, basic("user", "pw"))).status == 403
        assert (await send(server, "POST", TARGET, {})).status == 400
