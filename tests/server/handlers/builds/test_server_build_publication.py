"""``PUT api/build`` and ``POST api/build/append``: what is stored, and what is refused."""

import json

import pytest

from aioartifact.testing import ArtifactoryServer

FILE = "artifactory-build-info/app/1-1717236000000.json"


async def test_document_is_a_file(server, ask, send, build):
    """Its path follows from name, number and start; jf looks there for the newest run."""
    await send(server, "PUT", "", build())
    assert json.loads(server.read(FILE))["name"] == "app"
    listed = (await send(server, "GET", "/api/repositories")).json()[-1]
    assert (listed["key"], listed["packageType"]) == ("artifactory-build-info", "BuildInfo")
    query = (
        b'items.find({"type": "file","repo": "artifactory-build-info","path": {"$match": "app"}})'
        b'.sort({"$desc":["created"]}).limit(1)'
    )
    found = (await ask(server, "POST", "/api/search/aql", body=query)).json()["results"]
    assert [each["name"] for each in found] == ["1-1717236000000.json"]


async def test_deleted_document(published, ask, send):
    """With its file, a run goes."""
    assert (await ask(published, "DELETE", f"/{FILE}")).status == 204
    assert [each["uri"] for each in (await send(published, "GET", "app")).json()["buildsNumbers"]] == ["/3", "/2"]


async def test_deployed_document(server, ask, send, build):
    """A document that is deployed to the repository becomes a build, at its own path."""
    await send(server, "PUT", "", build(2))
    answer = await ask(server, "PUT", "/artifactory-build-info/x.json", body=json.dumps(build(1)).encode())
    assert (answer.status, answer.json()["path"]) == (201, "/app/1-1717236000000.json")
    assert (await send(server, "GET", "app/1")).status == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("x.json", b"{", 400), ("x.json", b"[]", 400), ("x.json", b'{"name": "app"}', 400), ("x.txt", b"x", 409)],
)
async def test_files_that_are_not_build_info(server, ask, send, build, path, body, status):
    """The repository takes nothing else."""
    await send(server, "PUT", "", build())
    assert (await ask(server, "PUT", f"/artifactory-build-info/{path}", body=body)).status == status
    assert len((await send(server, "GET", "app")).json()["buildsNumbers"]) == 1


async def test_same_run_again(published, send, build):
    """Name, number and start are what identifies a run: it is replaced, and everything recorded for it."""
    assert (await send(published, "PUT", "", build(1, modules=[], properties={"new": "x"}))).status == 204
    shown = (await send(published, "GET", "app/1")).json()["buildInfo"]
    assert (shown["modules"], shown["properties"]) == ([], {"new": "x"})
    assert len((await send(published, "GET", "app")).json()["buildsNumbers"]) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "Build name, number or start date cannot be empty or null!"),
        ({"number": " "}, "Build name, number or start date cannot be empty or null!"),
        ({"started": ""}, "Build name, number or start date cannot be empty or null!"),
        ({"started": "2024-06-01"}, 'Invalid format: "2024-06-01"'),
        ({"started": "2024-13-01T12:00:00.000+0000"}, 'Invalid format: "2024-13-01T12:00:00.000+0000"'),
        ({"name": ".app"}, "Build name must not start with '.'"),
        ({"name": ["app"]}, "'name' is not text"),
        ({"modules": {}}, None),
        ({"modules": "m"}, "'modules' is not a list of objects"),
        ({"modules": [{"id": "m", "artifacts": [1]}]}, "'artifacts' is not a list of objects"),
        ({"modules": [{"id": "m", "dependencies": [{"scopes": "x"}]}]}, "'scopes' is not a list of text"),
        ({"properties": []}, None),
        ({"properties": "x"}, "'properties' is not an object"),
        ({"statuses": "x"}, "'statuses' is not a list of objects"),
        ({"statuses": [{"comment": {}}]}, "'comment' is not text"),
        ({"statuses": [{"timestampDate": [1]}]}, "[1] is not a time"),
        ({"url": ["x"]}, "'url' is not text"),
        ({"issues": "x"}, "'issues' is not an object"),
        ({"issues": {"affectedIssues": "x"}}, "'affectedIssues' is not a list of objects"),
        ({"buildRetention": {"count": "x"}}, "'count' is not a number"),
    ],
)
async def test_documents_that_are_refused(server, send, build, changes, message):
    """A document with a wrong part leaves nothing behind; empty parts are parts that are missing."""
    answer = await send(server, "PUT", "", build() | changes)
    assert answer.status == (204 if message is None else 400)
    if message:
        assert answer.message == message
        assert (await send(server, "GET")).status == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"[" * 100_000])
async def test_bodies_that_are_not_documents(server, ask, admin, body):
    """What is not a JSON object is refused."""
    answer = await ask(server, "PUT", "/api/build", headers=admin | {"Content-Type": "application/json"}, body=body)
    assert (answer.status, answer.message) == (400, "Error parsing json body")


async def test_missing_checksums(server, send, build, sha1):
    """Where the server has the content, it knows the others."""
    server.put("generic-local/a.bin", b"content")
    files = [{"name": "a", "sha1": sha1}, {"name": "b", "sha1": "0" * 40}, {"name": "c"}]
    await send(server, "PUT", "", build(modules=[{"id": "m", "artifacts": files}]))
    known, unknown, none = (await send(server, "GET", "app/1")).json()["buildInfo"]["modules"][0]["artifacts"]
    assert known == {"name": "a"} | server.checksums("generic-local/a.bin")
    assert (unknown, none) == (files[1], files[2])


async def test_issues_of_the_build_before(server, send, build):
    """They are taken over until a build has the final status."""
    first = {"affectedIssues": [{"key": "A-1", "summary": "old"}]}
    await send(server, "PUT", "", build(1, issues=first))
    asks = {"aggregateBuildIssues": True, "aggregationBuildStatus": "Released", "affectedIssues": [{"key": "A-2"}]}
    await send(server, "PUT", "", build(2, issues=asks))
    issues = (await send(server, "GET", "app/2")).json()["buildInfo"]["issues"]["affectedIssues"]
    assert issues == [{"key": "A-2"}, {"key": "A-1", "summary": "old", "aggregated": True}]
    await send(server, "POST", "promote/app/2", {"status": "released"})
    await send(server, "PUT", "", build(3, issues=asks))
    issues = (await send(server, "GET", "app/3")).json()["buildInfo"]["issues"]["affectedIssues"]
    assert issues == [{"key": "A-2"}]


async def test_appended_modules(published, send):
    """They come last, and one with the id of another is a module of its own."""
    added = [{"id": "org:app:1.0"}, {"id": "n", "artifacts": [{"name": "x", "sha1": None}]}]
    answer = await send(published, "POST", "append/app/1", added)
    assert (answer.status, answer.body) == (204, b"")
    modules = (await send(published, "GET", "app/1")).json()["buildInfo"]["modules"]
    assert [each["id"] for each in modules] == ["org:app:1.0", "org:app:1.0", "n"]
    assert modules[2]["artifacts"] == [{"name": "x"}]


@pytest.mark.parametrize(("path", "body", "status"), [("app/9", [], 404), ("app/1", {}, 400), ("app/1", [1], 400)])
async def test_modules_that_are_not_appended(published, send, path, body, status):
    """There must be a run, and a list of modules."""
    assert (await send(published, "POST", f"append/{path}", body)).status == status


async def test_builds_survive_a_restart(tmp_path, send, build):
    """They are kept in the data folder, with what they produced, as items are."""
    async with ArtifactoryServer(data=tmp_path / "data") as server:
        await send(server, "PUT", "", build())
        await send(server, "POST", "promote/app/1", {"status": "tested"})
    async with ArtifactoryServer(data=tmp_path / "data") as server:
        shown = (await send(server, "GET", "app/1")).json()["buildInfo"]
        assert [each["status"] for each in shown["statuses"]] == ["tested"]
        assert (await send(server, "POST", "retention/app", {"count": -1})).status == 204


async def test_reset_removes_builds(server, send, build):
    """A reset server is a new one."""
    await send(server, "PUT", "", build())
    server.reset()
    assert (await send(server, "GET")).status == 404


@pytest.mark.parametrize("verb", ["copy", "move"])
async def test_nothing_is_relocated_into_the_repository(published, send, verb):
    """Neither documents nor other files."""
    for source in ("generic-local/app/1/app.bin", FILE):
        answer = await send(published, "POST", f"/api/{verb}/{source}?to=/artifactory-build-info/x.json")
        assert answer.status == 400
    assert (await send(published, "GET", "app/1")).status == 200


async def test_repository_is_not_deleted(published, send):
    """It belongs to the server."""
    answer = await send(published, "DELETE", "/api/repositories/artifactory-build-info")
    message = "Deletion of Build Info repository artifactory-build-info is not allowed."
    assert (answer.status, answer.message) == (403, message)


async def test_document_that_a_test_stores(published, send, build):
    """``server.put`` records a build as a deploy does; elsewhere than at its path, a document is only a file."""
    text = json.dumps(build(4)).encode()
    published.put("artifactory-build-info/x.json", text)
    assert (await send(published, "GET", "app/4")).status == 404
    published.put("artifactory-build-info/app/4-1717495200000.json", text)
    assert (await send(published, "GET", "app/4")).status == 200
    with pytest.raises(ValueError, match="Error parsing json body"):
        published.put("artifactory-build-info/y.json", b"content")
    assert not published.exists("artifactory-build-info/y.json")
