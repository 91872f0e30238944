"""``GET api/build``: lists, documents, differences."""

from datetime import timedelta, timezone

import pytest

from aioartifact.testing import ArtifactoryServer


async def test_builds(server, send, build):
    """The newest run of each build, the build that ran last at the end; links and names are encoded."""
    for name, number in (("later", 5), ("app/x y", 1), ("app/x y", 2)):
        await send(server, "PUT", "", build(number, name))
    answer = await send(server, "GET")
    assert answer.headers["content-type"] == "application/vnd.org.jfrog.build.Builds+json"
    assert answer.json() == {
        "uri": f"{server.url}/api/build",
        "builds": [
            {"uri": "/app%2Fx%20y", "lastStarted": "2024-06-02T10:00:00.000+0000"},
            {"uri": "/later", "lastStarted": "2024-06-05T10:00:00.000+0000"},
        ],
    }


async def test_no_builds(server, send):
    """A server without builds answers 404, and has no repository for them yet."""
    answer = await send(server, "GET")
    assert (answer.status, answer.message) == (404, "No builds were found")
    keys = [each["key"] for each in (await send(server, "GET", "/api/repositories")).json()]
    assert "artifactory-build-info" not in keys


async def test_runs(published, send, build):
    """The newest first, and each of several with the same number."""
    await send(published, "PUT", "", build(1, started="2024-06-30T00:00:00.000Z"))
    answer = await send(published, "GET", "app")
    assert answer.headers["content-type"] == "application/vnd.org.jfrog.build.BuildsByName+json"
    assert answer.json()["uri"] == f"{published.url}/api/build/app"
    runs = [(each["uri"], each["started"][:10]) for each in answer.json()["buildsNumbers"]]
    assert runs == [("/1", "2024-06-30"), ("/3", "2024-06-03"), ("/2", "2024-06-02"), ("/1", "2024-06-01")]


@pytest.mark.parametrize("path", ["other", "other/1", "app%2F1"])
async def test_unknown_build(published, send, path):
    """Neither a list nor a document: an encoded slash belongs to the name."""
    answer = await send(published, "GET", path)
    name = "app/1" if "%2F" in path else "other"
    assert answer.status == 404
    assert answer.message.startswith(f"No build was found for build name: {name}")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "promote/app", 404),
        ("POST", "append/app", 404),
        ("POST", "rename", 404),
        ("PUT", "app", 405),
        ("POST", "", 405),
        ("POST", "app", 405),
    ],
)
async def test_incomplete_paths(published, send, method, path, status):
    """A name, and a number where a run is meant; nothing is published below the path."""
    assert (await send(published, method, path, {})).status == status


@pytest.mark.parametrize("name", ["promote", "delete", "retention"])
async def test_builds_that_are_called_like_a_verb(server, send, build, name):
    """They are published, read and deleted like others."""
    await send(server, "PUT", "", build(name=name))
    assert (await send(server, "GET", f"{name}/1")).json()["buildInfo"]["name"] == name
    assert (await send(server, "POST", f"promote/{name}/1", {"status": "s"})).status == 200
    assert (await send(server, "DELETE", f"{name}?buildNumbers=1")).status == 200


async def test_document(published, send, build, sha1):
    """What was published, with the start as it was written, and with what the server adds."""
    answer = await send(published, "GET", "app/1")
    assert answer.headers["content-type"] == "application/vnd.org.jfrog.build.BuildInfo+json"
    shown = answer.json()["buildInfo"]
    assert answer.json()["uri"] == f"{published.url}/api/build/app/1"
    assert shown["modules"][0]["artifacts"][0]["sha1"] == sha1
    assert {key: shown[key] for key in ("name", "number", "started")} == {
        key: build(1)[key] for key in ("name", "number", "started")
    }
    assert (shown["artifactoryPrincipal"], shown["durationMillis"]) == ("admin", 0)


@pytest.mark.parametrize(
    ("started", "status"),
    [
        ("2024-06-01T12:00:00.000%2B0200", 200),
        ("2024-06-01T10:00:00.000Z", 200),
        ("2024-06-02T12:00:00.000%2B0200", 404),
        ("yesterday", 400),
    ],
)
async def test_document_by_start(published, send, started, status):
    """The start selects among runs with the same number, in any time zone."""
    assert (await send(published, "GET", f"app/1?started={started}")).status == status


async def test_newest_run_of_a_number(published, send, build):
    """Without a start, the run that started last counts."""
    await send(published, "PUT", "", build(1, started="2024-06-30T00:00:00.000+0000"))
    assert (await send(published, "GET", "app/1")).json()["buildInfo"]["started"][:10] == "2024-06-30"


async def test_difference(server, send, build):
    """Artifacts by name and content, dependencies, properties."""
    artifact = build()["modules"][0]["artifacts"][0]
    changed = artifact | {"name": "lib.bin", "sha1": "1" * 40}
    module = {"id": "m", "artifacts": [artifact, changed | {"sha1": "2" * 40}, artifact | {"name": "gone"}]}
    await send(server, "PUT", "", build(1, modules=[module], properties={"a": "1", "b": "1", "d": "1"}))
    module = {"id": "m", "artifacts": [artifact, changed, artifact | {"name": "come"}]}
    await send(server, "PUT", "", build(2, modules=[module], properties={"a": "1", "b": "2", "c": "1"}))
    answer = await send(server, "GET", "app/2?diff=1")
    assert answer.headers["content-type"] == "application/vnd.org.jfrog.build.BuildsDiff+json"
    found = answer.json()
    artifacts = found["artifacts"].items()
    names = {kind: [each.get("name", each.get("diffName")) for each in files] for kind, files in artifacts}
    assert names == {"new": ["come"], "updated": ["lib.bin"], "unchanged": ["app.bin"], "removed": ["gone"]}
    keys = {kind: [each["key"] for each in properties] for kind, properties in found["properties"].items()}
    assert keys == {"new": ["c"], "updated": ["b"], "unchanged": ["a"], "removed": ["d"]}
    assert found["properties"]["updated"] == [{"key": "b", "value": "2", "diffValue": "1"}]


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("app/1?diff=3", 400, "Build number should be greater than the build number to compare against."),
        ("app/3?diff=null", 400, "Parameter 'diff' must contain a value, if specified."),
        ("app/3?diff=9", 404, "No build was found for build name: app , build number: 9 "),
    ],
)
async def test_difference_that_is_refused(published, send, query, status, message):
    """Only a newer run is compared with an older one."""
    answer = await send(published, "GET", query)
    assert (answer.status, answer.message) == (status, message)


async def test_difference_in_the_open_source_edition(send, build):
    """It reads builds, and compares none."""
    async with ArtifactoryServer(edition="oss") as server:
        for number in (1, 2):
            assert (await send(server, "PUT", "", build(number))).status == 204
        assert (await send(server, "GET", "app/2")).status == 200
        assert (await send(server, "GET", "app/2?diff=1")).status == 400


async def test_builds_of_projects(send, build):
    """In 7.x each project has a repository of its own for them."""
    async with ArtifactoryServer(profile="7.x") as server:
        published = await send(server, "PUT", "?project=team", build())
        assert (published.status, len(published.headers["x-checksum-sha256"])) == (204, 64)
        assert (await send(server, "GET", "app")).status == 404
        found = (await send(server, "GET", "app?project=team")).json()
        assert found["uri"] == f"{server.url}/api/build/app?buildRepo=team-build-info"
        assert (await send(server, "GET", "app/1?buildRepo=team-build-info")).status == 200
        deleted = await send(server, "POST", "delete", {"buildName": "app", "deleteAll": True, "project": "team"})
        assert deleted.status == 200


@pytest.mark.parametrize(
    "query", ["buildRepo=x", "buildRepo=generic-local", "buildRepo=../x-build-info", "project=a/b"]
)
async def test_repositories_that_are_not_for_builds(send, build, query):
    """They are not created, and take no builds."""
    async with ArtifactoryServer(profile="7.x") as server:
        answer = await send(server, "PUT", f"?{query}", build())
        assert answer.status == 400
        assert answer.message.endswith("does not exist")
        assert [each["key"] for each in (await send(server, "GET", "/api/repositories")).json()] == ["generic-local"]


async def test_dates_in_the_zone_of_the_server(send, build):
    """Lists show the start as the server's clock had it."""
    async with ArtifactoryServer(time_zone=timezone(timedelta(hours=3))) as server:
        await send(server, "PUT", "", build())
        (run,) = (await send(server, "GET", "app")).json()["buildsNumbers"]
        assert run["started"] == "2024-06-01T13:00:00.000+0300"
