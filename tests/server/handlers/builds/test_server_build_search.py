"""``POST api/search/buildArtifacts`` and ``GET api/search/dependency``."""

import pytest

FILE = "generic-local/app/1/app.bin"
NONE = "Could not find any build artifacts for build"


@pytest.mark.parametrize(
    "search", [{"buildNumber": "1"}, {"buildStatus": "released"}, {"buildNumber": "1", "repos": ["generic-local"]}]
)
async def test_artifacts(published, send, search):
    """Of a run, or of the newest one with a status; links to the files."""
    await send(published, "POST", "promote/app/1", {"status": "released"})
    answer = await send(published, "POST", "/api/search/buildArtifacts", {"buildName": "app"} | search)
    kind = "search.BuildArtifactsSearchResult"
    assert answer.headers["content-type"] == f"application/vnd.org.jfrog.artifactory.{kind}+json"
    assert answer.json() == {"results": [{"downloadUri": f"{published.url}/{FILE}"}]}


async def test_newest_run(published, send):
    """``LATEST`` stands for the number of the newest run."""
    published.put("generic-local/3/app.bin", b"content", properties={"build.name": "app", "build.number": "3"})
    search = {"buildName": "app", "buildNumber": "LATEST"}
    answer = await send(published, "POST", "/api/search/buildArtifacts", search)
    assert answer.json()["results"] == [{"downloadUri": f"{published.url}/generic-local/3/app.bin"}]


async def test_same_content_twice(published, send, build, sha1):
    """Each artifact stands for one file, that with its name if there is one."""
    properties = {"build.name": "app", "build.number": "4"}
    for name in ("b.bin", "a.bin"):
        published.put(f"generic-local/{name}", b"content", properties=properties)
    files = [{"name": name, "sha1": sha1} for name in ("a.bin", "other.bin")]
    await send(published, "PUT", "", build(4, modules=[{"id": "m", "artifacts": files}]))
    search = {"buildName": "app", "buildNumber": "4"}
    found = (await send(published, "POST", "/api/search/buildArtifacts", search)).json()["results"]
    assert sorted(each["downloadUri"][-5:] for each in found) == ["a.bin", "b.bin"]


@pytest.mark.parametrize(
    ("search", "status", "message"),
    [
        ({}, 400, "Cannot search without build name."),
        ({"buildName": "app"}, 400, "Cannot search without build number or build status."),
        ({"buildName": "app", "buildNumber": "1", "buildStatus": "s"}, 400, "Cannot search with both"),
        (
            {"buildName": "app", "buildNumber": "2"},
            404,
            f"{NONE} 'app' number '2'",
        ),
        (
            {"buildName": "app", "buildStatus": "s"},
            404,
            f"{NONE} 'app' status 's'",
        ),
        ({"buildName": "x", "buildNumber": "1"}, 404, f"{NONE} 'x' number '1'"),
        (
            {"buildName": "app", "buildNumber": "1", "repos": ["x"]},
            404,
            f"{NONE} 'app' number '1'",
        ),
    ],
)
async def test_nothing_found(published, send, search, status, message):
    """Exactly one of number and status is needed."""
    answer = await send(published, "POST", "/api/search/buildArtifacts", search)
    assert answer.status == status
    assert answer.message.startswith(message)


async def test_dependents(published, send, build, basic):
    """Runs that used a file, by either checksum; only those that the user may read."""
    published.put("generic-local/lib.bin", b"library")
    checksums = published.checksums("generic-local/lib.bin")
    module = {"id": "m", "dependencies": [{"id": "lib", "sha1": checksums["sha1"]}] * 2}
    for number in (4, 5):
        await send(published, "PUT", "", build(number, "a/b", modules=[module]))
    links = [{"uri": f"{published.url}/api/build/a%2Fb/{number}"} for number in (4, 5)]
    for kind in ("sha1", "sha256"):
        answer = await send(published, "GET", f"/api/search/dependency?{kind}={checksums[kind]}")
        assert answer.json() == {"results": links}
    published.add_user("user", password="pw")
    query = f"/api/search/dependency?sha1={checksums['sha1']}"
    assert (await send(published, "GET", query, headers=basic("user", "pw"))).json() == {"results": []}
    assert (await send(published, "GET", f"/api/search/dependency?sha256={'0' * 64}")).json() == {"results": []}


@pytest.mark.parametrize("query", ["", "sha1=", "sha1=00", "sha256=00"])
async def test_dependents_of_nothing(published, send, query):
    """A checksum is needed."""
    assert (await send(published, "GET", f"/api/search/dependency?{query}")).status == 400
