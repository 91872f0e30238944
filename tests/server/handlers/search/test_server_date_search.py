"""Searches by date: what was made, changed or downloaded when."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aioartifact.testing import ArtifactoryServer

VENDOR = "application/vnd.org.jfrog.artifactory.search."
START = datetime(2024, 3, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def ms(number: int) -> int:
    return int(day(number).timestamp() * 1000)


@pytest.fixture
async def aged(ask):
    """Three files made on the days 1, 2 and 3, each changed ten days later; the first is downloaded on day 30."""
    async with ArtifactoryServer(clock=lambda: day(30).timestamp()) as server:
        for number in (1, 2, 3):
            server.put(f"generic-local/{number}", b"x", created=day(number), modified=day(number + 10))
        server.put("generic-local/maven-metadata.xml", b"x", created=day(1), modified=day(11))
        server.create_repository("other")
        server.put("other/4", b"x", created=day(4), modified=day(14))
        assert (await ask(server, "GET", "/generic-local/1")).status == 200
        yield server


@pytest.fixture
def search(ask):
    """Search, and return what was found by the name of the file."""

    async def search(server, call, media) -> dict[str, dict[str, object]]:
        answer = await ask(server, "GET", f"/api/search/{call}")
        assert (answer.status, answer.headers["content-type"]) == (200, f"{VENDOR}{media}+json"), answer.body
        return {each.pop("uri").removeprefix(f"{server.url}/api/storage/"): each for each in answer.json()["results"]}

    return search


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (f"from={ms(1)}&to={ms(3)}&dateFields=created", [2, 3]),
        (f"from={ms(1) - 1}&to={ms(3) - 1}&dateFields=created", [1, 2]),
        (f"from={ms(11)}&dateFields=lastModified&repos=generic-local", [2, 3]),
        (f"from={ms(2)}&to={ms(11)}&dateFields=created,lastModified&repos=generic-local", [1, 3]),
        (f"from={ms(20)}&dateFields=lastDownloaded", [1]),
        (f"from={ms(20)}&dateFields=created,lastDownloaded", [1]),
        ("from=2024-03-02T00:00:00.000Z&to=2024-03-04T00:00:00Z&dateFields=created", [2, 3]),
        ("from=2024-03-02T02:00:00.000%2B02:00&to=2024-03-04T00:00:00&dateFields=created", [2, 3]),
    ],
)
async def test_dates_in_a_range(aged, search, parameters, expected):
    """The start is excluded and the end included; any of the fields may lie in between."""
    found = await search(aged, f"dates?{parameters}", "ArtifactResult")
    assert sorted(found) == [f"generic-local/{number}" for number in expected]


async def test_dates_are_those_asked_for(aged, search):
    """Each result has the fields that were asked for; what was never downloaded has an empty date."""
    call = f"dates?from={ms(0)}&to={ms(2)}&dateFields=lastDownloaded,created"
    assert await search(aged, call, "ArtifactResult") == {
        "generic-local/1": {"created": "2024-03-02T00:00:00.000Z", "lastDownloaded": "2024-03-31T00:00:00.000Z"},
        "generic-local/2": {"created": "2024-03-03T00:00:00.000Z", "lastDownloaded": ""},
    }


async def test_creation_tells_the_date_in_the_range(aged, search):
    """A file counts as created when it was made or changed in between; the result has the date that matched."""
    by_creation = await search(aged, f"creation?from={ms(2)}&to={ms(3)}", "ArtifactCreationResult")
    by_change = await search(aged, f"creation?from={ms(12)}&repos=generic-local", "ArtifactCreationResult")
    assert by_creation == {"generic-local/3": {"created": "2024-03-04T00:00:00.000Z"}}
    assert by_change == {"generic-local/3": {"created": "2024-03-14T00:00:00.000Z"}}


async def test_usage_starts_with_the_longest_unused(aged, search):
    """Downloads before the time asked for count; what was never downloaded was so in 1970."""
    found = await search(aged, f"usage?notUsedSince={ms(40)}&repos=generic-local", "ArtifactUsageResult")
    never = "1970-01-01T00:00:00.000Z"
    unused = {"downloadCount": 0, "lastDownloaded": never, "remoteDownloadCount": 0, "remoteLastDownloaded": never}
    assert list(found) == [f"generic-local/{name}" for name in ("2", "3", "maven-metadata.xml", "1")]
    assert found["generic-local/2"] == unused
    assert found["generic-local/1"] == unused | {"downloadCount": 1, "lastDownloaded": "2024-03-31T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (f"notUsedSince={ms(30)}", ["2", "3", "maven-metadata.xml"]),
        (f"notUsedSince={ms(3)}", ["2", "maven-metadata.xml"]),
        (f"notUsedSince={ms(30)}&createdBefore={ms(2)}", ["maven-metadata.xml"]),
        (f"notUsedSince={ms(3)}&createdBefore={ms(40)}", ["2", "3", "maven-metadata.xml"]),
    ],
)
async def test_usage_looks_at_files_made_before(aged, search, parameters, expected):
    """Files must be older than a time of their own, or not used since another one."""
    found = await search(aged, f"usage?{parameters}&repos=generic-local", "ArtifactUsageResult")
    assert sorted(found) == [f"generic-local/{name}" for name in expected]


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        ("dates", 400, "'dateFields' parameter cannot be empty!"),
        ("dates?dateFields=created", 400, "'from' parameter cannot be empty!"),
        (
            "dates?from=0&dateFields=created,born",
            400,
            "Date field name 'born' unknown!, possible values are:"
            " [lastModified, created, lastDownloaded, remote_last_downloaded]",
        ),
        ("dates?from=soon&dateFields=created", 400, 'For input string: "soon"'),
        ("dates?from=9999999999999999999&dateFields=created", 400, 'For input string: "9999999999999999999"'),
        ("dates?from=To&dateFields=created", 400, 'Invalid format: "To"'),
        (f"dates?from={ms(99)}&dateFields=created", 404, "No results found."),
        ("creation", 400, "'from' parameter cannot be empty!"),
        ("creation?from=2024-03-02T00:00:00Z", 404, "Not Found"),
        (f"creation?from={ms(99)}", 404, "No results found."),
        ("usage", 404, "No results found."),
        ("usage?notUsedSince=soon", 404, "Not Found"),
        ("usage?notUsedSince=1", 404, "No results found."),
    ],
)
async def test_date_search_refuses(aged, ask, call, status, message):
    """Missing and unreadable parameters, and results that are none."""
    answer = await ask(aged, "GET", f"/api/search/{call}")
    assert (answer.status, answer.message) == (status, message)


@pytest.mark.parametrize(
    "call", ["dates?from=0&dateFields=created", "creation?from=0", "usage?notUsedSince=4102444800000"]
)
async def test_date_search_by_permission(ask, basic, call):
    """The anonymous are refused even where they may read; users find what they may read."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/open/a", b"x")
        server.put("generic-local/closed/b", b"x")
        server.grant("anonymous", "**")
        server.add_user("user", password="pw")
        server.grant("user", "generic-local", "r", "open/**")
        answer = await ask(server, "GET", f"/api/search/{call}", headers=basic("user", "pw"))
        refused = await ask(server, "GET", f"/api/search/{call}", headers={})
        assert [each["uri"].rpartition("/")[2] for each in answer.json()["results"]] == ["a"]
        assert (refused.status, refused.message) == (401, "Unauthorized")


async def test_dates_are_told_in_the_zone_of_the_server(ask):
    """Dates have the server's offset, and those without one are in its zone."""
    async with ArtifactoryServer(time_zone=timezone(timedelta(hours=2))) as server:
        server.put("generic-local/a", b"x", created=START, modified=START)
        call = "dates?from=2024-03-01T01:59:59&to=2024-03-01T02:00:00&dateFields=created"
        (result,) = (await ask(server, "GET", f"/api/search/{call}")).json()["results"]
        assert result["created"] == "2024-03-01T02:00:00.000+02:00"
