"""``api/repositories``: the list, and configurations as JSON."""

import json

import pytest

from aioartifact.testing import ArtifactoryServer

VENDOR = "application/vnd.org.jfrog.artifactory.repositories."
REMOTE = {"rclass": "remote", "packageType": "Maven", "url": "http://upstream/repo"}


@pytest.fixture
def send(ask):
    """Send a configuration."""

    async def send(server, method, key, document, **more):
        return await ask(server, method, f"/api/repositories/{key}", body=json.dumps(document).encode(), **more)

    return send


@pytest.fixture
async def server():
    """One repository of each kind."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.create_repository("far", kind="remote", url="http://upstream/repo", package_type="npm")
        server.create_repository("v", kind="virtual", members=("generic-local", "far"), description="all")
        server.add_user("ann", password="pw")
        yield server


async def test_list(server, ask):
    """Every repository but caches, in the order of their creation; a remote one with its upstream."""
    answer = await ask(server, "GET", "/api/repositories")
    assert answer.headers["content-type"] == VENDOR + "RepositoryDetailsList+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == [
        {"key": "generic-local", "type": "LOCAL", "url": f"{server.url}/generic-local", "packageType": "Generic"},
        {
            "key": "far",
            "type": "REMOTE",
            "url": "http://upstream/repo",
            "configuration": f"{server.url}/api/repositories/far/configuration",
            "packageType": "Npm",
        },
        {"key": "v", "description": "all", "type": "VIRTUAL", "url": f"{server.url}/v", "packageType": "Generic"},
    ]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("type=local", ["generic-local"]),
        ("type=REMOTE", ["far"]),
        ("type=virtual", ["v"]),
        ("packageType=npm", ["far"]),
        ("type=local&packageType=npm", []),
        ("type=unknown", []),
    ],
)
async def test_list_by_type(server, ask, query, keys):
    """The list is narrowed by kind and package type; an unknown kind has none."""
    assert [each["key"] for each in (await ask(server, "GET", f"/api/repositories?{query}")).json()] == keys


async def test_list_by_permission(server, ask, basic):
    """Users see where they can read something; a virtual repository, if they can in one of its members."""
    server.grant("ann", "far", path="org/**")
    listed = (await ask(server, "GET", "/api/repositories", headers=basic("ann", "pw"))).json()
    assert [each["key"] for each in listed] == ["far", "v"]
    assert (await ask(server, "GET", "/api/repositories", headers={})).json() == []


async def test_configuration_of_a_local_repository(server, ask):
    """A configuration has the documented fields."""
    answer = await ask(server, "GET", "/api/repositories/generic-local")
    assert answer.headers["content-type"] == VENDOR + "LocalRepositoryConfiguration+json"
    document = answer.json()
    supports = {name: document.pop(name) for name in list(document) if name.endswith("Support")}
    assert supports["enableDebianSupport"] is False
    assert document == {
        "key": "generic-local",
        "rclass": "local",
        "packageType": "generic",
        "description": "",
        "notes": "",
        "includesPattern": "**/*",
        "excludesPattern": "",
        "repoLayoutRef": "simple-default",
        "handleReleases": True,
        "handleSnapshots": True,
        "blackedOut": False,
        "archiveBrowsingEnabled": False,
        "downloadRedirect": True,
        "snapshotVersionBehavior": "unique",
        "checksumPolicyType": "client-checksums",
        "maxUniqueSnapshots": 0,
        "propertySets": [],
    }


async def test_configuration_of_other_kinds(server, ask):
    """Remote and virtual repositories have fields of their own; secrets are masked."""
    server.create_repository("far", kind="remote", url="http://upstream/repo", username="u", password="secret")
    remote = await ask(server, "GET", "/api/repositories/far")
    assert remote.headers["content-type"] == VENDOR + "RemoteRepositoryConfiguration+json"
    assert b"secret" not in remote.body
    expected = {
        "rclass": "remote",
        "url": "http://upstream/repo",
        "username": "u",
        "storeArtifactsLocally": True,
        "offline": False,
        "missedRetrievalCachePeriodSecs": 1800,
        "assumedOfflinePeriodSecs": 300,
        "remoteRepoChecksumPolicyType": "generate-if-absent",
    }
    assert expected.items() <= remote.json().items()
    virtual = await ask(server, "GET", "/api/repositories/v")
    assert virtual.headers["content-type"] == VENDOR + "VirtualRepositoryConfiguration+json"
    expected = {
        "repositories": ["generic-local", "far"],
        "defaultDeploymentRepo": "",
        "artifactoryRequestsCanRetrieveRemoteArtifacts": False,
    }
    assert expected.items() <= virtual.json().items()
    assert "blackedOut" not in virtual.json()


async def test_configuration_for_others(server, ask, basic):
    """Users who may read something get the outlines, others nothing."""
    ann = basic("ann", "pw")
    assert (await ask(server, "GET", "/api/repositories/v", headers=ann)).status == 403
    server.grant("ann", "generic-local")
    assert (await ask(server, "GET", "/api/repositories/v", headers=ann)).json() == {
        "key": "v",
        "rclass": "virtual",
        "packageType": "generic",
        "description": "all",
    }
    assert (await ask(server, "GET", "/api/repositories/v", headers={})).status == 401


@pytest.mark.parametrize("key", ["unknown", "far-cache"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_unknown_repository(server, ask, method, key):
    """A key without a configuration is a bad request."""
    answer = await ask(server, method, f"/api/repositories/{key}", body=b"{}")
    assert (answer.status, answer.message) == (400, "Bad Request")


async def test_create(server, ask, send):
    """A repository is created with what is sent and the defaults of its kind and package type."""
    answer = await send(server, "PUT", "new", REMOTE | {"key": "new", "hardFail": True, "unheardOf": 1})
    assert (answer.status, answer.body) == (200, b"Successfully created repository 'new' \n")
    assert answer.headers["content-type"] == "text/plain"
    made = (await ask(server, "GET", "/api/repositories/new")).json()
    assert (made["packageType"], made["repoLayoutRef"], made["hardFail"]) == ("maven", "maven-2-default", True)
    local = {"rclass": "local", "checksumPolicyType": "server-generated-checksums"}
    await send(server, "PUT", "new-local", local)
    assert (await ask(server, "PUT", "/new-local/a", body=b"x")).status == 201
    made = (await ask(server, "GET", "/api/repositories/new-local")).json()
    assert made["checksumPolicyType"] == "server-generated-checksums"


async def test_update(server, ask, send):
    """Fields that are sent change, others and the content stay; a masked password is no new one."""
    server.put("generic-local/a", b"x")
    answer = await send(server, "POST", "generic-local", {"description": "ours", "blackedOut": True})
    assert (answer.status, answer.body) == (200, b"Repository generic-local update successfully.\n")
    changed = (await ask(server, "GET", "/api/repositories/generic-local")).json()
    assert (changed["description"], changed["blackedOut"], changed["handleReleases"]) == ("ours", True, True)
    assert server.exists("generic-local/a")
    server.create_repository("far", kind="remote", url="http://upstream", username="u", password="secret")
    shown = (await ask(server, "GET", "/api/repositories/far")).json()
    assert (await send(server, "POST", "far", shown)).status == 200
    assert server._instance.repositories["far"].password == "secret"
    assert (await send(server, "POST", "v", {"repositories": ["far"]})).status == 200
    assert (await ask(server, "GET", "/api/repositories/v")).json()["repositories"] == ["far"]


async def test_delete(server, ask):
    """A repository goes with its content, and out of the virtual ones."""
    server.create_repository("v", kind="virtual", members=("generic-local", "far"), deploy_to="generic-local")
    server.put("generic-local/a/b", b"x")
    answer = await ask(server, "DELETE", "/api/repositories/generic-local")
    text = b"Repository generic-local and all its content have been removed successfully.\n"
    assert (answer.status, answer.body) == (200, text)
    assert (await ask(server, "GET", "/generic-local/a/b")).message == "Not Found"
    left = (await ask(server, "GET", "/api/repositories/v")).json()
    assert (left["repositories"], left["defaultDeploymentRepo"]) == (["far"], "")
    server.create_repository("generic-local")
    assert not server.exists("generic-local/a")


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, "'None' is not a repository class: use local, remote, virtual"),
        ({"rclass": "federated"}, "'federated' is not a repository class: use local, remote, virtual"),
        ({"rclass": "remote"}, "Remote repository 'new' needs a url"),
        ({"rclass": "local", "key": "other"}, "The field 'key' cannot be changed from 'new' to 'other'"),
        ({"rclass": "local", "packageType": 1}, "Unexpected value of the field 'packageType'"),
        ({"rclass": "local", "blackedOut": "yes"}, "Unexpected value of the field 'blackedOut'"),
        ({"rclass": "virtual", "repositories": "v"}, "Unexpected value of the field 'repositories'"),
        (
            {"rclass": "virtual", "repositories": ["gone"]},
            "Virtual repository 'new' names an unknown member: 'gone'",
        ),
        (
            {"rclass": "local", "snapshotVersionBehavior": "odd"},
            "'odd' is not a value of the field 'snapshotVersionBehavior': use unique, non-unique, deployer",
        ),
    ],
)
async def test_configurations_that_are_refused(server, send, document, text):
    """What cannot be is a bad request that says why."""
    answer = await send(server, "PUT", "new", document)
    assert (answer.status, answer.message) == (400, text)


async def test_requests_that_are_refused(server, ask, send):
    """Existing keys, documents that are none, another class, and no key at all."""
    exists = await send(server, "PUT", "v", {"rclass": "virtual"})
    assert exists.message == "Case insensitive repository key already exists: 'v'"
    for body in (b"{", b"[]", b""):
        answer = await ask(server, "PUT", "/api/repositories/new", body=body)
        assert (answer.status, answer.message) == (400, "Error parsing json body")
    changed = await send(server, "POST", "v", {"rclass": "local"})
    assert changed.message == "The field 'rclass' cannot be changed from 'virtual' to 'local'"
    assert (await ask(server, "DELETE", "/api/repositories")).status == 405


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_only_administrators_change_repositories(server, send, basic, method):
    """Others are refused, the anonymous asked for credentials."""
    server.grant("ann", "**", "rwndm")
    assert (await send(server, method, "v", REMOTE, headers=basic("ann", "pw"))).status == 403
    assert (await send(server, method, "v", REMOTE, headers={})).status == 401


async def test_open_source_edition(ask, send):
    """Configurations are for Pro, the list is not."""
    async with ArtifactoryServer(edition="oss") as server:
        assert (await ask(server, "GET", "/api/repositories")).status == 200
        for method in ("GET", "PUT", "POST", "DELETE"):
            answer = await send(server, method, "generic-local", REMOTE)
            assert (answer.status, "available only in Artifactory Pro" in answer.message) == (400, True)


async def test_settings_survive_the_server(tmp_path, ask):
    """Every setting is there after a restart."""
    options = {"kind": "virtual", "members": ("generic-local",), "deploy_to": "generic-local", "excludes": "a/**"}
    async with ArtifactoryServer(tmp_path) as server:
        server.create_repository("v", **options)
        before = (await ask(server, "GET", "/api/repositories/v")).json()
    async with ArtifactoryServer(tmp_path) as server:
        assert (await ask(server, "GET", "/api/repositories/v")).json() == before


async def test_create_repository_says_what_is_wrong(server):
    """Tests that configure nonsense hear of it at once."""
    with pytest.raises(ValueError, match="names an unknown member: 'gone'"):
        server.create_repository("w", kind="virtual", members=("gone",))
