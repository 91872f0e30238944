"""Versions of modules, by layout and by property."""

import pytest

from aioartifact.testing import ArtifactoryServer

NOTHING = "Unable to find artifact versions"
NO_RELEASE = "Latest release version not found"
NO_INTEGRATION = "Latest integration version not found"
MAVEN = [
    "1.0/app-1.0.jar",
    "1.0/app-1.0.pom",
    "1.0/app-1.0-sources.jar",
    "1.10/app-1.10.jar",
    "1.9/app-1.9.jar",
    "2.0-rc1/app-2.0-rc1.jar",
    "2.0-SNAPSHOT/app-2.0-SNAPSHOT.jar",
    "2.1-SNAPSHOT/app-2.1-20240305.101231-2.jar",
    "2.1-SNAPSHOT/app-2.1-20240305.101231-10.jar",
    "maven-metadata.xml",
    "1.0/other-3.0.jar",
]
NEWEST_FIRST = [
    ("2.1-20240305.101231-10", True),
    ("2.1-20240305.101231-2", True),
    ("2.0-rc1", False),
    ("2.0-SNAPSHOT", True),
    ("1.10", False),
    ("1.9", False),
    ("1.0", False),
]


@pytest.fixture
async def libs(server):
    """Repositories of the layouts that clients use most."""
    server.create_repository("libs", layout="maven-2-default")
    server.create_repository("npm", layout="npm-default")
    for path in MAVEN:
        server.put(f"libs/org/acme/app/{path}", b"x")
    for version in ("1.0.0", "1.0.1-rc.1", "1.0.1"):
        server.put(f"npm/scope/pkg/pkg-{version}.tgz", b"x")
    for version in ("1.2", "1.10", "1.3-SNAPSHOT"):
        server.put(f"generic-local/org/tool/tool-{version}.tar.gz", b"x")
    server.put("libs/org/acme/early/1.0-SNAPSHOT/early-1.0-SNAPSHOT.jar", b"x")
    return server


@pytest.fixture
def versions(ask):
    """Return the versions and whether each is an integration."""

    async def versions(server, parameters, **keywords) -> list[tuple[str, bool]]:
        answer = await ask(server, "GET", f"/api/search/versions?{parameters}", **keywords)
        assert answer.status == 200, answer.body
        media = "application/vnd.org.jfrog.artifactory.search.ArtifactVersionsResult+json"
        assert answer.headers["content-type"] == media
        return [(each["version"], each["integration"]) for each in answer.json()["results"]]

    return versions


async def test_versions_are_newest_first(libs, versions):
    """Every module counts once per version, whatever its files; the layout knows the integrations."""
    assert await versions(libs, "g=org.acme&a=app") == NEWEST_FIRST


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("g=org&a=tool", [("1.10", False), ("1.3-SNAPSHOT", False), ("1.2", False)]),
        ("g=scope&a=pkg", [("1.0.1", False), ("1.0.1-rc.1", True), ("1.0.0", False)]),
        ("g=org.acme&a=app&v=1.*", [("1.10", False), ("1.9", False), ("1.0", False)]),
        ("g=org.acme&a=app&v=1.?", [("1.9", False), ("1.0", False)]),
        ("g=org.acme&a=app&v=9*", []),
        ("g=org.acme&a=app&v=2.0-SNAPSHOT", [("2.0-SNAPSHOT", True)]),
        ("g=org.acme&a=app&v=2.1-SNAPSHOT", NEWEST_FIRST[:2]),
        ("g=org.acme&a=app&v=2.1", NEWEST_FIRST[:2]),
        ("g=org.acme&a=app&v=2.1-20240305.101231-2", NEWEST_FIRST[1:2]),
        ("g=org.acme&a=app&remote=1&repos=libs", NEWEST_FIRST),
    ],
)
async def test_versions_by_layout_and_version(libs, versions, parameters, expected):
    """Each repository reads its own layout; a version filters with wildcards, or asks for its integrations."""
    assert await versions(libs, parameters) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("g=org.acme&a=app", "2.0-rc1"),
        ("g=org.acme&a=app&v=1.*", "1.10"),
        ("g=org.acme&a=app&v=*-SNAPSHOT", "2.0-SNAPSHOT"),
        ("g=org.acme&a=app&v=2.0-SNAPSHOT", "2.0-SNAPSHOT"),
        ("g=org.acme&a=app&v=2.1-SNAPSHOT", "2.1-20240305.101231-10"),
        ("g=scope&a=pkg", "1.0.1"),
        ("g=org&a=tool", "1.10"),
    ],
)
async def test_latest_version_is_text(libs, ask, parameters, expected):
    """The latest release, or what the version asks for, and nothing around it."""
    answer = await ask(libs, "GET", f"/api/search/latestVersion?{parameters}")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    assert answer.body.decode() == expected


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        ("search/versions?g=org.acme&a=none", 404, NOTHING),
        ("search/versions?g=org.acme&a=app&repos=generic-local", 404, NOTHING),
        ("search/versions?g=org.acme&a=app&repos=unknown", 404, NOTHING),
        ("search/versions?g=org.acme&a=app&v=1.9", 404, NOTHING),
        ("search/versions?g=org.*&a=app", 404, NOTHING),
        ("search/versions?g=org.acme", 400, "Missing groupId or artifactId"),
        ("search/versions?a=app", 400, "Missing groupId or artifactId"),
        ("search/latestVersion?g=org.acme", 400, "Missing groupId or artifactId"),
        ("search/latestVersion?g=org.acme&a=none", 404, NOTHING),
        ("search/latestVersion?g=org.acme&a=early", 404, NO_RELEASE),
        ("search/latestVersion?g=org.acme&a=app&v=9*", 404, NO_INTEGRATION),
        ("search/latestVersion?g=org.acme&a=app&v=9", 404, NO_INTEGRATION),
        ("search/latestVersion?g=org.acme&a=app&v=*2.1-SNAPSHOT*", 404, NO_INTEGRATION),
        ("versions/libs/_any", 404, NOTHING),
    ],
)
async def test_versions_that_are_not_there(libs, ask, call, status, message):
    """Each way of finding nothing has its text; they are JSON also where success is text."""
    answer = await ask(libs, "GET", f"/api/{call}")
    assert (answer.status, answer.message) == (status, message)


async def test_versions_of_a_virtual_repository(libs, versions):
    """Members are read with their own layouts."""
    libs.create_repository("all", kind="virtual", layout="npm-default", members=("libs", "generic-local"))
    libs.put("generic-local/org/acme/app/app-3.0.zip", b"x")
    assert await versions(libs, "g=org.acme&a=app&repos=all") == [("3.0", False), *NEWEST_FIRST]
    assert await versions(libs, "g=org.acme&a=app&repos=libs") == NEWEST_FIRST


async def test_repository_with_an_unknown_layout_has_no_versions(libs, ask):
    """What cannot be read is no module."""
    libs.create_repository("odd", layout="mine")
    libs.put("odd/org/acme/odd/1.0/odd-1.0.jar", b"x")
    for call in ("versions?g=org.acme&a=odd", "latestVersion?g=org.acme&a=odd"):
        assert (await ask(libs, "GET", f"/api/search/{call}")).message == NOTHING
    assert (await ask(libs, "GET", "/api/search/gavc?a=odd")).json() == {"results": []}


async def test_versions_by_permission(ask, versions, basic):
    """Users and the anonymous see versions of what they may read."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/org/app/app-1.zip", b"x")
        server.put("generic-local/org/app/app-2.zip", b"x")
        server.add_user("user", password="pw")
        server.grant("user", "generic-local", "r", "org/app/app-1.zip")
        server.grant("anonymous", "generic-local", "r", "org/app/app-2.zip")
        assert await versions(server, "g=org&a=app", headers=basic("user", "pw")) == [("1", False)]
        assert await versions(server, "g=org&a=app", headers={}) == [("2", False)]
        latest = await ask(server, "GET", "/api/search/latestVersion?g=org&a=app", headers={})
        assert latest.body == b"2"


async def test_versions_are_limited_for_the_anonymous(versions):
    """They get to see a thousand files."""
    async with ArtifactoryServer(anonymous=True) as server:
        for number in range(1_005):
            server.put(f"generic-local/org/app/app-{number}.zip", b"")
        server.grant("anonymous", "**")
        assert len(await versions(server, "g=org&a=app", headers={})) == 1_000
        assert len(await versions(server, "g=org&a=app")) == 1_005


@pytest.fixture
async def marked(server):
    """Files with a version as property."""
    for path, version, system in (("a/x", "1.9", "win"), ("a/y", "1.10", "linux"), ("b/z", "2.0", "win")):
        server.put(f"generic-local/{path}", b"x", properties={"version": version, "os": system})
    server.create_repository("other")
    server.put("other/a/y", b"x", properties={"version": ["1.10", "0.1"]})
    server.put("other/a/later", b"x", properties={"Version": "9"})
    return server


@pytest.mark.parametrize(
    ("path", "version", "artifacts"),
    [
        ("_any/_any", "2.0", ["generic-local/b/z"]),
        ("_any", "2.0", ["generic-local/b/z"]),
        ("generic-local/a", "1.10", ["generic-local/a/y"]),
        ("_any/a", "1.10", ["generic-local/a/y", "other/a/y"]),
        ("_any/a/y", "1.10", ["generic-local/a/y", "other/a/y"]),
        ("other/_any", "1.10", ["other/a/y"]),
        ("both/a", "1.10", ["generic-local/a/y", "other/a/y"]),
    ],
)
async def test_latest_version_by_property(marked, ask, path, version, artifacts):
    """The highest value of the property below a path, with the files if asked for."""
    marked.create_repository("both", kind="virtual", members=("generic-local", "other"))
    brief = await ask(marked, "GET", f"/api/versions/{path}")
    full = await ask(marked, "GET", f"/api/versions/{path}?listFiles=1")
    assert (brief.status, brief.headers["content-type"]) == (200, "application/json")
    assert brief.json() == {"version": version, "artifacts": []}
    assert full.json()["version"] == version
    listed = sorted(each["uri"] for each in full.json()["artifacts"])
    assert listed == [f"{marked.url}/api/storage/{address}" for address in artifacts]


async def test_latest_version_among_files_with_properties(marked, ask):
    """Further parameters are properties the files must have."""
    assert (await ask(marked, "GET", "/api/versions/_any/_any?os=linux")).json()["version"] == "1.10"
    assert (await ask(marked, "GET", "/api/versions/_any/a?os=win&listFiles=0")).json()["version"] == "1.9"
    assert (await ask(marked, "GET", "/api/versions/_any/a?os=mac")).message == NOTHING
    assert (await ask(marked, "GET", "/api/versions/unknown/a")).message == NOTHING


async def test_latest_version_by_property_needs_credentials(ask, basic):
    """The anonymous are refused; users see what they may read."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/a/1", b"x", properties={"version": "1"})
        server.put("generic-local/b/2", b"x", properties={"version": "2"})
        server.grant("anonymous", "**")
        server.add_user("user", password="pw")
        server.grant("user", "generic-local", "r", "a/**")
        answer = await ask(server, "GET", "/api/versions/_any/_any", headers=basic("user", "pw"))
        refused = await ask(server, "GET", "/api/versions/_any/_any", headers={})
        assert answer.json()["version"] == "1"
        assert (refused.status, refused.message) == (401, "Unauthorized")
