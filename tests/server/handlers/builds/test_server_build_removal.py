"""``DELETE api/build``, ``POST api/build/delete``, ``retention`` and ``rename``."""

import pytest

from aioartifact.testing import ArtifactoryServer

FILE = "generic-local/app/1/app.bin"


@pytest.fixture
def numbers(send):
    """Return the numbers of the runs that a build has, the newest first."""

    async def numbers(server, name="app"):
        answer = await send(server, "GET", name)
        return [each["uri"][1:] for each in answer.json()["buildsNumbers"]] if answer.status == 200 else []

    return numbers


def paths(server):
    return server.paths("generic-local")


async def test_runs_by_number(published, send, numbers):
    """Those that do not exist are named in a warning; the artifacts stay."""
    answer = await send(published, "DELETE", "app?buildNumbers=1,9,2")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    assert answer.body.decode() == (
        "The following builds have been deleted successfully: 'app#1', 'app#2'.\n"
        "Warning - the following builds could not be removed: '9'.\n"
    )
    assert await numbers(published) == ["3"]
    assert published.read(FILE) == b"content"


async def test_all_runs_with_artifacts(published, send, numbers):
    """Files of the build go with it, and the folders that are empty then; other files with the content stay."""
    published.put("generic-local/other/app.bin", b"content")
    answer = await send(published, "DELETE", "app?deleteAll=1&artifacts=1")
    assert answer.body == b"All builds 'app' under 'artifactory-build-info' have been deleted successfully"
    assert await numbers(published) == []
    children = (await send(published, "GET", "/api/storage/generic-local")).json()["children"]
    assert [each["uri"] for each in children] == ["/other"]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("other?deleteAll=1", 404, "Unable to find build 'other'"),
        ("app?buildNumbers=8,9", 404, "Unable to find the given build numbers"),
        ("app", 400, "Please provide at least one build number to delete"),
    ],
)
async def test_nothing_to_delete(published, send, numbers, path, status, message):
    """A build or a number that does not exist, and a request without numbers."""
    answer = await send(published, "DELETE", path)
    assert (answer.status, answer.message) == (status, message)
    assert len(await numbers(published)) == 3


async def test_runs_by_document(published, send, numbers, build):
    """Numbers may have any characters."""
    await send(published, "PUT", "", build("1,2/x", started="2024-06-05T00:00:00.000+0000"))
    answer = await send(published, "POST", "delete", {"buildName": "app", "buildNumbers": ["1,2/x", "1"]})
    assert answer.body == b"The following builds have been deleted successfully: 'app#1,2/x', 'app#1'.\n"
    answer = await send(published, "POST", "delete", {"buildName": "app", "deleteAll": True, "deleteArtifacts": True})
    assert (answer.status, await numbers(published)) == (200, [])
    assert (await send(published, "GET", f"/{FILE}")).status == 200, "it belongs to the run that was deleted before"


@pytest.mark.parametrize(
    ("document", "message"),
    [({}, "Missing build name"), ({"buildName": "app"}, "Missing build numbers")],
)
async def test_incomplete_documents(published, send, document, message):
    """Both a name and numbers are needed, or ``deleteAll``."""
    answer = await send(published, "POST", "delete", document)
    assert (answer.status, answer.message) == (400, message)


async def test_newest_of_several_runs_with_a_number(published, send, numbers, build):
    """A request deletes one run for each number."""
    await send(published, "PUT", "", build(1, started="2024-06-30T00:00:00.000+0000"))
    await send(published, "DELETE", "app?buildNumbers=1,1")
    assert await numbers(published) == ["3", "2", "1"]


async def test_count(published, send, numbers):
    """The newest stay, those that are named, and those that were promoted."""
    await send(published, "POST", "promote/app/1", {"status": "released"})
    answer = await send(published, "POST", "retention/app", {"count": 1})
    assert (answer.status, answer.body) == (204, b"")
    assert await numbers(published) == ["3", "1"]


async def test_numbers_that_are_kept(published, send, numbers):
    """They do not count."""
    await send(published, "POST", "retention/app", {"count": "1", "buildNumbersNotToBeDiscarded": ["1"]})
    assert await numbers(published) == ["3", "1"]


@pytest.mark.parametrize("date", ["2024-06-02T12:00:00.000+0200", 1_717_322_400_000])
async def test_age(published, send, numbers, date):
    """What started before a time goes, given as text or in milliseconds."""
    await send(published, "POST", "retention/app?async=true", {"minimumBuildDate": date})
    assert await numbers(published) == ["3", "2"]


async def test_retention_with_artifacts(published, send):
    """The files of the runs go with them."""
    await send(published, "POST", "retention/app", {"count": 1, "deleteBuildArtifacts": True})
    assert (await send(published, "GET", f"/{FILE}")).status == 404


async def test_retention_at_publication(published, send, numbers, build):
    """A document may carry the policy."""
    await send(published, "PUT", "", build(4, buildRetention={"count": 2}))
    assert await numbers(published) == ["4", "3"]


@pytest.mark.parametrize("document", [None, {"count": 0}])
async def test_retention_of_nothing(published, send, numbers, document):
    """As on the real server, the answer is a sentence, although its type is JSON."""
    answer = await send(published, "POST", "retention/app", document)
    assert (answer.status, answer.body) == (400, b"Max count retention needs to be a positive number")
    assert len(await numbers(published)) == 3


@pytest.mark.parametrize(
    "document", [{"count": "x"}, {"count": [1]}, {"minimumBuildDate": "x"}, {"buildNumbersNotToBeDiscarded": "1"}, [1]]
)
async def test_retention_that_is_not_understood(published, send, numbers, document):
    """Nothing is deleted."""
    assert (await send(published, "POST", "retention/app", document)).status == 400
    assert len(await numbers(published)) == 3


async def test_rename(published, send, numbers):
    """All runs get the name, in their documents as well."""
    answer = await send(published, "POST", "rename/app?to=new%20name")
    assert answer.body == b"Build renaming of 'app' to 'new name' was successfully started.\n"
    assert (await numbers(published), await numbers(published, "new%20name")) == ([], ["3", "2", "1"])
    assert (await send(published, "GET", "new%20name/1")).json()["buildInfo"]["name"] == "new name"


async def test_rename_to_the_same_name(published, send, numbers):
    """Nothing happens."""
    assert (await send(published, "POST", "rename/app?to=app")).status == 200
    assert await numbers(published) == ["3", "2", "1"]


@pytest.mark.parametrize(("path", "status"), [("app", 400), ("app?to=", 400), ("other?to=new", 404)])
async def test_rename_that_is_refused(published, send, path, status):
    """A name and a build are needed."""
    assert (await send(published, "POST", f"rename/{path}")).status == status


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("DELETE", "app?deleteAll=1", None),
        ("POST", "delete", {"buildName": "app", "deleteAll": True}),
        ("POST", "retention/app", {"count": 1}),
        ("POST", "rename/app?to=new", None),
        ("POST", "promote/app/1", {"status": "x"}),
        ("POST", "/api/search/buildArtifacts", {"buildName": "app", "buildNumber": "1"}),
    ],
)
async def test_open_source_edition(send, build, method, path, document):
    """It publishes, appends and reads; everything else needs Pro."""
    async with ArtifactoryServer(edition="oss") as server:
        await send(server, "PUT", "", build())
        assert (await send(server, "POST", "append/app/1", [])).status == 204
        answer = await send(server, method, path, document)
        assert answer.status == 400
        assert answer.message.startswith("This REST API is available only in Artifactory Pro")
        assert (await send(server, "GET", "app/1")).status == 200
