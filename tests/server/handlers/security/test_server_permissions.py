"""``api/security/permissions``: permission targets decide who reads, deploys, annotates and deletes."""

import pytest

from aioartifact.testing import ArtifactoryServer

TARGET = "security/permissions/target"
OPEN, SECRET = "generic-local/open/a.bin", "generic-local/secret/b.bin"


def target_of(actions, **fields):
    return {"repositories": ["generic-local"], "principals": {"users": {"user": list(actions)}}} | fields


async def test_life_of_a_permission_target(server, send):
    """Created, described, listed, replaced, removed; a ``POST`` is refused as by a real server."""
    assert (await send(server, "GET", TARGET)).status == 404
    created = await send(server, "PUT", TARGET, target_of("wr", name="target"))
    assert (created.status, created.body) == (201, b"")
    found = await send(server, "GET", TARGET)
    assert found.headers["content-type"] == "application/vnd.org.jfrog.artifactory.security.PermissionTarget+json"
    document = {
        "name": "target",
        "includesPattern": "**",
        "excludesPattern": "",
        "repositories": ["generic-local"],
        "principals": {"users": {"user": ["r", "w"]}},
    }
    assert found.json() == document
    listed = await send(server, "GET", "security/permissions")
    assert listed.json() == [{"name": "target", "uri": f"{server.url}/api/{TARGET}"}]
    replaced = {"repositories": ["ANY"], "includesPattern": "a/**, b/**", "excludesPattern": "a/b/**"}
    assert (await send(server, "PUT", TARGET, replaced)).status == 200
    assert (await send(server, "GET", TARGET)).json() == {
        "name": "target",
        "includesPattern": "a/**,b/**",
        "excludesPattern": "a/b/**",
        "repositories": ["ANY"],
        "principals": {},
    }
    assert (await send(server, "POST", TARGET, replaced)).status == 405
    removed = await send(server, "DELETE", TARGET)
    assert (removed.status, removed.body) == (200, b"Permission Target 'target' has been removed successfully.")
    assert (await send(server, "DELETE", TARGET)).status == 404


@pytest.mark.parametrize(
    ("actions", "statuses"),
    [
        pytest.param("", (403, 403, 403, 403), id="nothing"),
        pytest.param("r", (200, 403, 403, 403), id="read"),
        pytest.param("w", (403, 201, 403, 403), id="deploy"),
        pytest.param("rn", (200, 403, 204, 403), id="annotate"),
        pytest.param("d", (403, 403, 403, 204), id="delete"),
        pytest.param("rwnd", (200, 201, 204, 204), id="all"),
        pytest.param(["m", "mxm"], (403, 403, 403, 403), id="manage"),
    ],
)
@pytest.mark.parametrize("is_group", [False, True])
async def test_actions(server, ask, send, basic, actions, statuses, is_group):
    """Each action permits what its name says, to a user and to a group; taking the target away ends that."""
    server.add_user("user", password="pw", groups=["team"])
    principals = {"groups": {"team": list(actions)}} if is_group else {"users": {"user": list(actions)}}
    await send(server, "PUT", TARGET, {"repositories": ["generic-local"], "principals": principals})
    headers = basic("user", "pw")

    async def attempt():
        calls = (
            ("GET", f"/{OPEN}", None),
            ("PUT", "/generic-local/open/new.bin", b"new"),
            ("PUT", f"/api/storage/{OPEN}?properties=a=b", b""),
            ("DELETE", f"/{OPEN}", None),
        )
        return tuple(
            [(await ask(server, method, path, headers=headers, body=body)).status for method, path, body in calls]
        )

    assert await attempt() == statuses
    server.put(OPEN, b"content")
    await send(server, "DELETE", TARGET)
    assert await attempt() == (403, 403, 403, 403)


async def test_patterns(server, ask, send, basic):
    """Only what an include matches and no exclude, for single items, listings and searches."""
    server.put("generic-local/open/c.txt", b"text")
    document = target_of("r", includesPattern="open/**,other/**", excludesPattern="**/*.txt")
    await send(server, "PUT", TARGET, document)
    headers = basic("user", "pw")
    statuses = [
        (await ask(server, "GET", f"/{path}", headers=headers)).status
        for path in (OPEN, "generic-local/open/c.txt", SECRET)
    ]
    assert statuses == [200, 403, 403]
    listed = (await send(server, "GET", "storage/generic-local?list&deep=1", headers=headers)).json()
    assert [each["uri"] for each in listed["files"]] == ["/open/a.bin"]
    root = (await send(server, "GET", "storage/generic-local", headers=headers)).json()
    assert [child["uri"] for child in root["children"]] == ["/open"]
    found = await ask(server, "POST", "/api/search/aql", headers=headers, body=b'items.find({"repo": "generic-local"})')
    assert [each["name"] for each in found.json()["results"]] == ["a.bin"]


async def test_excluded_folder(server, send, basic):
    """A folder whose content is excluded is not shown on the way down."""
    await send(server, "PUT", TARGET, target_of("r", excludesPattern="secret/**"))
    root = (await send(server, "GET", "storage/generic-local", headers=basic("user", "pw"))).json()
    assert [child["uri"] for child in root["children"]] == ["/open"]


@pytest.mark.parametrize(
    ("key", "readable"),
    [
        pytest.param("ANY", {"generic-local", "mirror"}, id="any"),
        pytest.param("ANY LOCAL", {"generic-local"}, id="any local"),
        pytest.param("ANY REMOTE", {"mirror"}, id="any remote"),
        pytest.param("mirror", {"mirror"}, id="remote"),
        pytest.param("mirror-cache", {"mirror"}, id="cache"),
        pytest.param("ANY DISTRIBUTION", set(), id="any distribution"),
    ],
)
async def test_kinds_of_repositories(server, ask, send, basic, key, readable):
    """Names for all repositories, all local ones and all remote ones; a cache stands for its remote repository."""
    async with ArtifactoryServer() as upstream:
        upstream.put("generic-local/open/a.bin", b"content")
        server.create_repository(
            "mirror",
            kind="remote",
            url=f"{upstream.url}/generic-local",
            username=upstream.username,
            password=upstream.password,
        )
        await send(server, "PUT", TARGET, target_of("r", repositories=[key]))
        statuses = {
            repository: (await ask(server, "GET", f"/{repository}/open/a.bin", headers=basic("user", "pw"))).status
            for repository in ("generic-local", "mirror")
        }
    assert {repository for repository, status in statuses.items() if status == 200} == readable


async def test_permissions_of_an_item(server, send):
    """The storage API names the principals of targets and of other grants together."""
    server.add_user("other", groups=["team"])
    server.grant("other", "generic-local", "r")
    document = target_of("rw", includesPattern="open/**")
    document["principals"] |= {"groups": {"team": ["d", "x"], "none": []}}
    assert (await send(server, "PUT", TARGET, document)).status == 201
    principals = (await send(server, "GET", f"storage/{OPEN}?permissions")).json()["principals"]
    assert principals == {"users": {"other": ["r"], "user": ["r", "w"]}, "groups": {"team": ["d"]}}
    assert (await send(server, "GET", f"storage/{SECRET}?permissions")).json()["principals"]["groups"] == {}


@pytest.mark.parametrize(
    ("document", "status", "message"),
    [
        pytest.param([], 400, "Error parsing json body", id="no object"),
        pytest.param({}, 400, "Permission target request missing repositories.", id="no repositories"),
        pytest.param(
            target_of("r", repositories=["missing"]),
            400,
            "Permission target contains a reference to a non-existing repository 'missing'.",
            id="missing repository",
        ),
        pytest.param(
            target_of("r", principals={"users": {"ann": ["r"]}}),
            400,
            "Permission target contains a reference to a non-existing user 'ann'.",
            id="missing user",
        ),
        pytest.param(
            target_of("r", principals={"groups": {"team": ["r"]}}),
            400,
            "Permission target contains a reference to a non-existing group 'team'.",
            id="missing group",
        ),
        pytest.param(
            target_of("r", principals={"users": {"admin": ["r"]}}),
            400,
            "The user: 'admin'' has admin privileges, and cannot be added to a Permission Target.",
            id="administrator",
        ),
        pytest.param(target_of("q"), 400, "'q' is not a valid Artifactory permission.", id="action"),
        pytest.param(
            target_of("r", repositories=["artifactory-build-info"]),
            400,
            "Setting repository permissions on Build Info Repository is not allowed.",
            id="builds",
        ),
        pytest.param(
            target_of("r", name="other"),
            409,
            "The permission target name that was provided in the request path does not match the permission name in"
            " the provided permission configuration object.",
            id="other name",
        ),
    ],
)
async def test_refused_permission_target(server, send, document, status, message):
    """The texts of the real server; nothing is stored."""
    answer = await send(server, "PUT", TARGET, document)
    assert (answer.status, answer.message) == (status, message)
    assert (await send(server, "GET", TARGET)).status == 404


async def test_administrator_stays_in_a_target(server, send):
    """A user who became an administrator does not keep the target from being changed, nor does a group."""
    server.add_user("other", groups=["team"])
    document = target_of("r")
    document["principals"]["groups"] = {"team": ["r"]}
    await send(server, "PUT", TARGET, document)
    await send(server, "POST", "security/users/user", {"admin": True})
    await send(server, "POST", "security/groups/team", {"adminPrivileges": True})
    assert (await send(server, "PUT", TARGET, document)).status == 200
    other = await send(
        server, "PUT", "security/permissions/other", {"repositories": [], "principals": {"groups": {"team": ["r"]}}}
    )
    assert other.message == "Group 'team' has admin privileges, and cannot be added to a Permission Target."
