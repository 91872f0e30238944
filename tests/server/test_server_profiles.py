"""What differs between 6.20 and 7.x, and between the editions."""

import asyncio
import itertools
from dataclasses import replace

import pytest

from aioartifact.testing import PROFILES, ArtifactoryServer, Fault, ManualClock

pytestmark = pytest.mark.slow

TEXT = {"Content-Type": "text/plain"}
PRO = (
    "This REST API is available only in Artifactory Pro (see: jfrog.com/artifactory/features). If you are"
    " already running Artifactory Pro please make sure your server is activated with a valid license key.\n"
)
FIND = b'items.find({"repo":"generic-local"}).include("repo","path","name")'


@pytest.mark.parametrize(
    ("profile", "server_header", "jfrog_version", "version"),
    [
        ("6.20", "Artifactory/6.20.0", None, "6.20.0"),
        ("7.x", "Artifactory/7.90.8 79008900", "Artifactory/7.90.8 79008900", "7.90.8"),
    ],
)
async def test_release_names_itself(ask, profile, server_header, jfrog_version, version):
    """In headers, also of refusals, in the version call, and below listings."""
    async with ArtifactoryServer(profile=profile) as server:
        for headers in (None, {}):
            answer = await ask(server, "GET", "/generic-local/", headers=headers)
            assert answer.headers["server"] == server_header
            assert answer.headers.get("x-jfrog-version") == jfrog_version
            assert answer.headers["x-artifactory-id"]
            assert answer.headers["x-artifactory-node-id"] == "artifactory-primary-0"
        assert (await ask(server, "GET", "/api/system/version")).json()["version"] == version
        assert f"Artifactory/{version} Server".encode() in (await ask(server, "GET", "/generic-local/")).body


@pytest.mark.parametrize(("profile", "named"), [("6.20", False), ("7.x", True)])
async def test_node_of_the_open_source_edition(ask, profile, named):
    """A single node of 6.20 without Pro does not name itself."""
    async with ArtifactoryServer(profile=profile, edition="oss") as server:
        headers = (await ask(server, "GET", "/api/system/version")).headers
    assert ("x-artifactory-node-id" in headers) is named


@pytest.mark.parametrize(("profile", "status"), [("6.20", 403), ("7.x", 401)])
async def test_unknown_api_key(ask, profile, status):
    """The text is the same, the status is not."""
    async with ArtifactoryServer(profile=profile) as server:
        answer = await ask(server, "GET", "/generic-local/a", headers={"X-JFrog-Art-Api": "x"})
    assert (answer.status, answer.message) == (status, "Bad props auth token: apiKey=x")


async def test_ping_of_a_platform_looks_at_no_credentials(ask, basic):
    """Behind a router it answers without any, and with wrong ones; 6.20 does not."""
    for headers in ({}, basic("admin", "wrong")):
        async with ArtifactoryServer(profile="7.x") as server:
            assert (await ask(server, "GET", "/api/system/ping", headers=headers)).body == b"OK"
        async with ArtifactoryServer() as server:
            assert (await ask(server, "GET", "/api/system/ping", headers=headers)).status == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_unknown_repository(ask, method):
    """The router says so in plain text, Artifactory 6.20 in JSON; the REST API has its own words in both."""
    for profile, content_type in (
        ("7.x", "text/plain; charset=utf-8"),
        ("6.20", "application/json;charset=ISO-8859-1"),
    ):
        async with ArtifactoryServer(profile=profile) as server:
            answer = await ask(server, method, "/unknown/a", body=b"" if method == "PUT" else None)
            info = await ask(server, "GET", "/api/storage/unknown/a")
            assert (answer.status, answer.headers["content-type"]) == (404, content_type)
            assert (info.status, info.message) == (404, "Unable to find item")


async def test_base_url_leads_to_the_web_application(ask):
    """Browsers are sent to where the web application of the release is."""
    async with ArtifactoryServer(profile="7.x") as server:
        assert (await ask(server, "GET", "/")).headers["location"] == f"{server.origin}/ui/"


async def test_configured_base_url(ask):
    """Links start with it, under the scheme of the request; what a proxy says comes first."""
    async with ArtifactoryServer(base_url="https://repo.example/x") as server:
        server.put("generic-local/a", b"x")
        path = "/api/storage/generic-local/a"
        assert (await ask(server, "GET", path)).json()["uri"] == f"http://repo.example/x{path}"
        proxied = {"X-JFrog-Override-Base-Url": "https://other.example"}
        headers = {"X-JFrog-Art-Api": server.api_key} | proxied
        assert (await ask(server, "GET", path, headers=headers)).json()["uri"] == (
            f"https://other.example/artifactory{path}"
        )


async def query(ask, server, text):
    headers = {"X-JFrog-Art-Api": server.api_key} | TEXT
    return await ask(server, "POST", "/api/search/aql", headers=headers, body=text)


async def test_aql_rows_are_limited(ask):
    """An answer that is cut off says so; every answer of 7.x states the limit."""
    async with ArtifactoryServer(profile=replace(PROFILES["7.x"], aql_rows=3)) as server:
        for number in range(3):
            server.put(f"generic-local/{number}", b"")
        whole = (await query(ask, server, FIND)).json()
        server.put("generic-local/3", b"")
        cut = (await query(ask, server, FIND)).json()
    assert whole["range"] == {"start_pos": 0, "end_pos": 3, "total": 3, "limit": 3}
    assert len(cut["results"]) == 3
    assert cut["range"] == {
        "start_pos": 0,
        "end_pos": 3,
        "total": 3,
        "limit": 3,
        "notification": "AQL query reached the search hard limit, results are trimmed.",
    }


async def test_aql_length_is_limited(ask):
    """A longer query than the release takes is refused, one character less is answered."""
    async with ArtifactoryServer(profile="7.x") as server:
        assert (await query(ask, server, FIND.ljust(6_000))).status == 200
        refused = await query(ask, server, FIND.ljust(6_001))
    assert (refused.status, refused.body) == (400, b"The query has 6001 characters, which exceeds the limit of 6000")


@pytest.mark.parametrize(
    "text",
    [
        b"archives.find()",
        b"archive.entries.find()",
        b'items.find({"archive.entry.name":"x"})',
        b'items.find().include("archive")',
    ],
)
async def test_aql_without_archives(ask, text):
    """The domain of archives is gone from 7.x: to name it is a syntax error."""
    for profile, status in (("6.20", 200), ("7.x", 400)):
        async with ArtifactoryServer(profile=profile) as server:
            answer = await query(ask, server, text)
            assert (answer.status, b"syntax error near" in answer.body) == (status, status == 400)


async def test_aql_queries_at_the_same_time_are_limited(ask):
    """One too many waits for its turn; who waits in vain gets 429."""
    clock = ManualClock()
    profile = replace(PROFILES["7.x"], aql_parallel=1)
    async with ArtifactoryServer(profile=profile, clock=clock) as server:
        stall = server.fail("POST", "api/search/aql", fault=Fault.stall())
        first = asyncio.create_task(query(ask, server, FIND))
        await stall.reached()
        second = asyncio.create_task(query(ask, server, FIND))
        while len(server.requests) < 2:  # noqa: ASYNC110  # nothing signals that a query is waiting
            await asyncio.sleep(0)
        third = asyncio.create_task(query(ask, server, FIND))
        while clock.waiting != 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        clock.advance(9.9)
        stall.release()
        assert [each.status for each in await asyncio.gather(first, second, third)] == [200, 200, 200]
        stall = server.fail("POST", "api/search/aql", fault=Fault.stall())
        first = asyncio.create_task(query(ask, server, FIND))
        await stall.reached()
        second = asyncio.create_task(query(ask, server, FIND))
        while not clock.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
        clock.advance(10)
        refused = await second
        assert (refused.status, refused.message) == (429, "Too Many Requests")
        stall.release()
        assert (await first).status == 200


async def test_aql_time_is_limited(ask):
    """A query that takes longer than the release allows ends with 408."""
    seconds = itertools.count(1_700_000_000.0, 10)  # each look at the clock finds the time over
    profile = replace(PROFILES["7.x"], aql_seconds=2)
    async with ArtifactoryServer(profile=profile, clock=lambda: next(seconds)) as server:
        for number in range(4_000):
            server.put(f"generic-local/{number}", b"")
        refused = await query(ask, server, b'items.find({"name":{"$match":"*a*b*"}})')
        assert (refused.status, refused.message) == (408, "Request Timeout")


async def test_aql_that_runs_out_of_time_while_it_is_read(ask, talk):
    """With the status sent already, the answer is cut off."""
    now = [1_700_000_000.0]
    profile = replace(PROFILES["7.x"], aql_seconds=2)
    async with ArtifactoryServer(profile=profile, clock=lambda: now[0]) as server:
        for number in range(3_000):
            server.put(f"generic-local/{number}", b"")
        stall = server.fail("POST", "api/search/aql", fault=Fault.stall(after=10))
        head = f"POST /artifactory/api/search/aql HTTP/1.1\r\nHost: x\r\nX-JFrog-Art-Api: {server.api_key}\r\n"
        raw = f"{head}Content-Length: {len(FIND)}\r\n\r\n".encode() + FIND
        talking = asyncio.create_task(talk(server.origin, raw))
        await stall.reached()
        now[0] += 3
        stall.release()
        answer = await talking
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not answer.endswith(b"0\r\n\r\n")


PRO_CALLS = [
    ("GET", "/api/storage/generic-local?list"),
    ("PUT", "/api/storage/generic-local/a?properties=k=v"),
    ("DELETE", "/api/storage/generic-local/a?properties=k"),
    ("GET", "/api/storage/generic-local/a?lastModified"),
    ("GET", "/api/storage/generic-local/a?permissions"),
    ("PATCH", "/api/metadata/generic-local/a"),
    ("POST", "/api/copy/generic-local/a?to=/generic-local/b"),
    ("POST", "/api/move/generic-local/a?to=/generic-local/b"),
    ("GET", "/api/search/pattern?pattern=generic-local:*"),
    ("GET", "/api/search/checksum?md5=d41d8cd98f00b204e9800998ecf8427e"),
    ("GET", "/api/search/badChecksum?type=md5"),
    ("GET", "/api/search/versions?g=g&a=a"),
    ("GET", "/api/search/latestVersion?g=g&a=a"),
    ("GET", "/api/versions/generic-local/a"),
    ("GET", "/api/archive/download/generic-local?archiveType=zip"),
    ("GET", "/api/repositories/generic-local"),
    ("PUT", "/api/repositories/new"),
    ("POST", "/api/repositories/generic-local"),
    ("DELETE", "/api/repositories/generic-local"),
]
OPEN_CALLS = [
    ("GET", "/generic-local/a"),
    ("GET", "/api/storage/generic-local/a"),
    ("GET", "/api/storage/generic-local/a?stats"),
    ("GET", "/api/storage/generic-local/a?properties"),
    ("GET", "/api/search/artifact?name=a"),
    ("GET", "/api/search/gavc?g=a"),
    ("GET", "/api/search/prop?k=v"),
    ("GET", "/api/search/creation?from=0"),
    ("GET", "/api/repositories"),
    ("GET", "/api/system/ping"),
    ("GET", "/api/system/version"),
    ("GET", "/api/system"),
    ("GET", "/api/system/configuration"),
    ("GET", "/api/storageinfo"),
    ("GET", "/api/security/apiKey"),
    ("GET", "/api/security/token"),
]


@pytest.fixture
async def oss():
    async with ArtifactoryServer(edition="oss") as server:
        server.put("generic-local/a", b"", properties={"k": "v"})
        yield server


@pytest.mark.parametrize(("method", "path"), PRO_CALLS)
async def test_open_source_edition_refuses_pro_calls(oss, ask, method, path):
    """Each gets the same 400, and nothing changes."""
    answer = await ask(oss, method, path, body=None if method == "GET" else b"{}")
    assert (answer.status, answer.message) == (400, PRO)
    assert oss.properties("generic-local/a") == {"k": ["v"]}


@pytest.mark.parametrize(("method", "path"), OPEN_CALLS)
async def test_open_source_edition_serves_the_rest(oss, ask, method, path):
    """What needs no Pro is answered."""
    assert (await ask(oss, method, path)).status == 200
