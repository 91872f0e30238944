"""``POST api/build/promote``: status, files, properties, and what is reported."""

import pytest

FILE = "generic-local/app/1/app.bin"
TARGET = "released/app/1/app.bin"


@pytest.fixture
async def ready(published):
    """A repository for what is promoted."""
    published.create_repository("released")
    return published


@pytest.fixture
def statuses(send):
    async def statuses(server, run="app/1"):
        return (await send(server, "GET", run)).json()["buildInfo"].get("statuses", [])

    return statuses


async def test_move(ready, send, statuses):
    """Files are moved unless a copy is asked for; the status says where they are."""
    answer = await send(ready, "POST", "promote/app/1", {"status": "released", "targetRepo": "released"})
    assert answer.headers["content-type"] == "application/vnd.org.jfrog.artifactory.build.PromotionResult+json"
    assert (answer.status, answer.json()) == (200, {"messages": []})
    assert ready.read(TARGET) == b"content"
    assert (await send(ready, "GET", f"/{FILE}")).status == 404
    (status,) = await statuses(ready)
    assert status.keys() == {"status", "repository", "timestamp", "timestampDate", "user"}
    assert (status["status"], status["repository"], status["user"]) == ("released", "released", "admin")


async def test_copy_with_properties(ready, send, statuses):
    """The copies get the properties; those of the source stay as they are."""
    promotion = {"status": "s", "comment": "c", "ciUser": "ci", "targetRepo": "released", "copy": True}
    promotion |= {"properties": {"stage": ["a", "b"]}, "timestamp": "2024-07-01T00:00:00.000Z"}
    assert (await send(ready, "POST", "promote/app/1", promotion)).status == 200
    own = {"build.name": ["app"], "build.number": ["1"]}
    assert ready.properties(TARGET) == own | {"stage": ["a", "b"]}
    assert ready.properties(FILE) == own
    (status,) = await statuses(ready)
    assert (status["comment"], status["ciUser"], status["timestampDate"]) == ("c", "ci", 1_719_792_000_000)


async def test_status_alone(ready, send, statuses):
    """Nothing moves, and a history grows; without a status there is none."""
    for status in ("tested", "staged", None):
        answer = await send(ready, "POST", "promote/app/2", {"status": status})
        assert answer.status == 200
    skipped = "Skipping build item relocation: no target repository selected."
    assert answer.json()["messages"] == [
        {"level": "INFO", "message": skipped},
        {"level": "INFO", "message": "Skipping promotion status update: no status received."},
    ]
    assert [each["status"] for each in await statuses(ready, "app/2")] == ["tested", "staged"]


async def test_properties_alone(ready, send):
    """Without a target, the files where they are get them."""
    assert (await send(ready, "POST", "promote/app/1", {"properties": {"k": ["v"]}})).status == 200
    assert ready.properties(FILE)["k"] == ["v"]


async def test_dry_run(ready, send, statuses):
    """Everything is checked, and nothing changes."""
    promotion = {"status": "s", "targetRepo": "released", "dryRun": True, "properties": {"k": ["v"]}}
    answer = await send(ready, "POST", "promote/app/1", promotion)
    assert (answer.status, answer.json()) == (200, {"messages": []})
    assert ready.read(FILE) == b"content"
    assert (await send(ready, "GET", f"/{TARGET}")).status == 404
    assert await statuses(ready) == []


async def test_missing_artifact(ready, send, statuses):
    """It ends a promotion that fails fast, with an error; else the rest is done, and the answer reports it."""
    promotion = {"status": "s", "targetRepo": "released"}
    answer = await send(ready, "POST", "promote/app/2", promotion)
    assert (answer.status, answer.message) == (400, "Unable to find artifacts of build 'app' #2: aborting promotion.")
    assert await statuses(ready, "app/2") == []
    answer = await send(ready, "POST", "promote/app/2", promotion | {"failFast": False})
    message = "Unable to find artifact 'app.bin' of build 'app' #2"
    assert (answer.status, answer.json()["messages"]) == (200, [{"level": "ERROR", "message": message}])
    assert len(await statuses(ready, "app/2")) == 1


async def test_dependencies(ready, send, build, sha1):
    """They are found by their content, wherever they are, and selected by scope; the name decides between files."""
    for name in ("other.bin", "lib-2.0.bin"):
        ready.put(f"generic-local/deps/{name}", b"content")
    dependencies = [
        {"id": "lib-2.0.bin", "sha1": sha1, "scopes": ["compile"]},
        {"id": "gone", "sha1": "0" * 40, "scopes": ["test"]},
    ]
    await send(ready, "PUT", "", build(4, modules=[{"id": "m", "dependencies": dependencies}]))
    promotion = {"targetRepo": "released", "copy": True, "dependencies": True, "failFast": False, "scopes": ["compile"]}
    answer = await send(ready, "POST", "promote/app/4", promotion)
    assert answer.json()["messages"][0]["message"] == "Unable to find dependency 'gone' of build 'app' #4"
    listed = (await send(ready, "GET", "/api/storage/released?list&deep=1")).json()["files"]
    assert [each["uri"] for each in listed] == ["/deps/lib-2.0.bin"]


async def test_source_repository(ready, send):
    """Files elsewhere do not count."""
    properties = {"build.name": "app", "build.number": "1"}
    ready.create_repository("elsewhere")
    ready.put("elsewhere/app.bin", b"content", properties=properties)
    promotion = {"sourceRepo": "elsewhere", "targetRepo": "released", "copy": True}
    assert (await send(ready, "POST", "promote/app/1", promotion)).status == 200
    assert ready.read("released/app.bin") == b"content"
    assert (await send(ready, "GET", f"/{TARGET}")).status == 404


async def test_virtual_target(ready, send):
    """Its local repository for deploys gets the files."""
    ready.create_repository("all", kind="virtual", members=("released",), deploy_to="released")
    assert (await send(ready, "POST", "promote/app/1", {"targetRepo": "all"})).status == 200
    assert ready.read(TARGET) == b"content"


@pytest.mark.parametrize(
    ("path", "promotion", "status", "message"),
    [
        ("app/9", {}, 404, "Cannot find build by the name 'app' and the number '9' which started on null."),
        ("app/1", {"targetRepo": "x"}, 404, "Cannot find target repository by the key 'x'."),
        ("app/1", {"copy": "yes"}, 400, "Invalid value of the field 'copy'"),
        (
            "app/1",
            {"mappings": [], "targetRepo": "released"},
            400,
            "The use of both 'sourceRepo' or 'targetRepo' and 'mappings' fields is forbidden",
        ),
        ("app/1", {"mappings": []}, 400, "'mappings' are not served"),
    ],
)
async def test_promotions_that_are_refused(ready, send, statuses, path, promotion, status, message):
    """A run and a repository that do not exist, and documents that are not promotions."""
    answer = await send(ready, "POST", f"promote/{path}", {"status": "s"} | promotion)
    assert (answer.status, answer.message) == (status, message)
    assert await statuses(ready) == []


async def test_wrong_timestamp(ready, send, statuses):
    """The files are promoted before it is looked at."""
    promotion = {"status": "s", "targetRepo": "released", "timestamp": "now"}
    answer = await send(ready, "POST", "promote/app/1", promotion)
    message = "Skipping promotion status update: invalid\\unparsable timestamp now."
    assert (answer.status, answer.json()["messages"]) == (400, [{"level": "ERROR", "message": message}])
    assert ready.read(TARGET) == b"content"
    assert await statuses(ready) == []


async def test_rights(ready, send, basic, statuses):
    """The right to publish the build, and those on the files; what is denied is reported."""
    ready.add_user("user", password="pw")
    headers = basic("user", "pw")
    promotion = {"status": "s", "targetRepo": "released", "copy": True, "properties": {"k": ["v"]}}
    denied = await send(ready, "POST", "promote/app/1", promotion, headers=headers)
    message = "The user: 'user' is not authorized to upload build info. Upload permission is needed."
    assert (denied.status, denied.message) == (403, message)
    ready.grant("user", "artifactory-build-info", "rw")
    ready.grant("user", "generic-local", "r")
    denied = await send(ready, "POST", "promote/app/1", promotion, headers=headers)
    assert (denied.status, denied.json()["messages"][0]["level"]) == (400, "ERROR")
    assert "'released:app/1/app.bin'. Needs write permissions." in denied.json()["messages"][0]["message"]
    ready.grant("user", "released", "rw")
    denied = await send(ready, "POST", "promote/app/1", promotion, headers=headers)
    message = "User doesn't have permissions to annotate 'released:app/1/app.bin'"
    assert denied.json()["messages"][0] == {"level": "WARNING", "message": message}
    assert await statuses(ready) == []
    ready.grant("user", "released", "rwnd")
    assert (await send(ready, "POST", "promote/app/1", promotion, headers=headers)).status == 200
    assert [each["user"] for each in await statuses(ready)] == ["user"]


async def test_recorded_paths(send, build):
    """7.x clients record where they deployed an artifact; then it needs no properties."""
    from aioartifact.testing import ArtifactoryServer

    async with ArtifactoryServer(profile="7.x") as server:
        server.create_repository("released")
        server.put("generic-local/a/app.bin", b"content")
        document = build()
        document["modules"][0]["artifacts"][0] |= {"originalDeploymentRepo": "generic-local", "path": "a/app.bin"}
        await send(server, "PUT", "", document)
        assert (await send(server, "POST", "promote/app/1", {"targetRepo": "released"})).status == 200
        assert server.read("released/a/app.bin") == b"content"
        listed = await send(server, "GET", "/api/builds/buildArtifacts/app/1/artifactory-build-info")
        assert (listed.status, listed.json()) == (200, [])
