"""AQL over HTTP, system calls, repositories."""

from dataclasses import replace

import pytest

from aioartifact.testing import PROFILES, ArtifactoryServer

TEXT = {"Content-Type": "text/plain"}
FIND = b'items.find({"repo":"generic-local"}).include("repo","path","name")'


async def query(ask, server, body, headers, **extra):
    return await ask(server, "POST", "/api/search/aql", headers=headers | extra, body=body)


async def test_aql_answers_with_exact_framing(server, ask, admin):
    """The body has the odd line breaks of the real server, and comes chunked."""
    server.put("generic-local/a/b.txt", b"x")
    answer = await query(ask, server, FIND, admin | TEXT)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.body == (
        b'\n{\n"results" : [ {\n  "repo" : "generic-local",\n  "path" : "a",\n  "name" : "b.txt"\n} ],\n'
        b'"range" : {\n  "start_pos" : 0,\n  "end_pos" : 1,\n  "total" : 1\n}\n}\n'
    )


async def test_aql_without_rows(server, ask, admin):
    """No match and no repository are an empty answer."""
    answer = await query(ask, server, b'items.find({"repo":"unknown"})', admin | TEXT)
    assert answer.body.startswith(b'\n{\n"results" : [  ],\n"range"')


@pytest.mark.parametrize(
    ("content_type", "status"),
    [({}, 200), ({"Content-Type": "text/plain;charset=utf-8"}, 200), ({"Content-Type": "application/json"}, 415)],
)
async def test_aql_media_type(server, ask, admin, content_type, status):
    """Plain text or no type at all; anything else is 415."""
    assert (await query(ask, server, FIND, admin | content_type)).status == status


async def test_aql_errors_are_bare_text(server, ask, admin):
    """A syntax error is text under the JSON media type, and no query at all is the standard error."""
    answer = await query(ask, server, b"items.find({", admin | TEXT)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert answer.body.startswith(b"Failed to parse query: items.find({, it looks like there is syntax error near")
    assert (await query(ask, server, b"", admin | TEXT)).message == "Bad Request"
    assert (await ask(server, "POST", f"/api/search/aql?query={FIND.decode()}", body=b"")).status == 200
    assert (await ask(server, "GET", "/api/search/aql")).status == 405


async def test_aql_errors_in_json(server, ask, admin):
    """Asked for plain text, or where a release is said to do so, the server wraps the same words."""
    answer = await query(ask, server, b"items.find({", admin | TEXT, Accept="text/plain")
    assert answer.message.startswith("Failed to parse query")
    profile = replace(PROFILES["7.x"], aql_json_errors=True)
    async with ArtifactoryServer(profile=profile) as wrapping:
        answer = await query(ask, wrapping, b"items.find({", admin | TEXT)
    assert answer.message.startswith("Failed to parse query")


async def test_aql_that_is_far_too_long(server, ask, admin):
    """A query beyond a mebibyte is not read to its end."""
    answer = await query(ask, server, b"x" * (1 << 20) + b"x", admin | TEXT)
    assert (answer.status, answer.message) == (413, "Request Entity Too Large")


async def test_aql_by_permission(ask, basic):
    """The anonymous are refused, users get what they may read and must ask for the path."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/open/a", b"x")
        server.put("generic-local/closed/b", b"x")
        server.grant("anonymous", "**")
        server.add_user("user", password="pw")
        server.grant("user", "generic-local", "r", "open/**")
        answer = await query(ask, server, FIND, basic("user", "pw") | TEXT)
        partial = await query(ask, server, b'items.find().include("name")', basic("user", "pw") | TEXT)
        assert [each["name"] for each in answer.json()["results"]] == ["a"]
        assert partial.body == b"For permissions reasons AQL demands the following fields: repo, path and name."
        assert (await query(ask, server, FIND, TEXT)).status == 401


async def test_aql_in_the_open_source_edition(ask, admin):
    """Sorting needs Pro."""
    async with ArtifactoryServer(edition="oss") as server:
        answer = await query(ask, server, b'items.find().sort({"$asc":["name"]})', admin | TEXT)
    assert (answer.status, answer.body) == (
        400,
        b"Sorting is not supported by AQL in the open source version\n",
    )


async def test_aql_with_many_rows(server, ask, admin):
    """A long answer is streamed and complete, and the download counts of a moment ago are in it."""
    for number in range(1_500):
        server.put(f"generic-local/many/{number:04}", b"")
    await ask(server, "GET", "/generic-local/many/0000")
    find = b'items.find({"path":"many"}).include("repo","path","name","stat.downloads").sort({"$asc":["name"]})'
    results = (await query(ask, server, find, admin | TEXT)).json()["results"]
    assert len(results) == 1_500
    assert {each["name"]: each["stats"] for each in results}["0000"] == [{"downloads": 1}]


async def test_ping_and_version(server, ask):
    """Ping is two letters, the version names the edition's add-ons and license."""
    ping = await ask(server, "GET", "/api/system/ping")
    version = (await ask(server, "GET", "/api/system/version")).json()
    assert (ping.headers["content-type"], ping.body) == ("text/plain", b"OK")
    assert version["version"] == "6.20.0"
    assert "rest" in version["addons"]
    assert "license" in version
    async with ArtifactoryServer(edition="oss") as oss:
        assert (await ask(oss, "GET", "/api/system/version")).json() == {
            "version": "6.20.0",
            "revision": "62000900",
            "addons": [],
        }


async def test_repositories(server, ask, basic):
    """The list holds what the user can read something in, filtered by type and package type."""
    server.create_repository("libs", package_type="maven", layout="maven-2-default", description="Libraries")
    server.add_user("user", password="pw")
    server.grant("user", "libs", "r", "org/**")
    everything = (await ask(server, "GET", "/api/repositories")).json()
    assert everything == [
        {
            "key": "generic-local",
            "type": "LOCAL",
            "url": f"{server.url}/generic-local",
            "packageType": "Generic",
        },
        {
            "key": "libs",
            "description": "Libraries",
            "type": "LOCAL",
            "url": f"{server.url}/libs",
            "packageType": "Maven",
        },
    ]
    for headers, parameters, expected in (
        (None, "?type=local", ["generic-local", "libs"]),
        (None, "?type=remote", []),
        (None, "?packageType=Maven", ["libs"]),
        (basic("user", "pw"), "", ["libs"]),
    ):
        listed = (await ask(server, "GET", f"/api/repositories{parameters}", headers=headers)).json()
        assert [each["key"] for each in listed] == expected


@pytest.mark.parametrize("path", ["/api/unknown", "/api", "/api/storagex", "/ui/x"])
async def test_unknown_endpoints_are_recorded(server, ask, path):
    """They answer as the container does, and stand in the log."""
    answer = await ask(server, "GET", path)
    assert (answer.status, answer.message) == (404, "Not Found")
    server.assert_requests([f"GET {path[1:]}"])


async def test_base_url_redirects_to_the_web_application(server, ask):
    """The bare base URL is for browsers."""
    for path in ("", "/"):
        answer = await ask(server, "GET", path)
        assert (answer.status, answer.headers["location"]) == (302, f"{server.url}/webapp/")
