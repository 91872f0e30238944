"""Endpoints that are not served, and how many requests there were to each."""

import re
import urllib.error
import urllib.request

import pytest

from aioartifact.testing import ArtifactoryServer, ThreadedArtifactoryServer

UNKNOWN = [
    ("GET", "/api/unknown", "GET api/unknown"),
    ("PATCH", "/api/storage/generic-local", "PATCH api/storage/generic-local"),
    ("GET", "/api/system/unknown", "GET api/system/unknown"),
]


@pytest.mark.parametrize(("method", "path", "line"), UNKNOWN)
async def test_unknown_endpoints_are_noted(server, ask, method, path, line):
    """Each stands in the list once, however often it was asked for."""
    for _ in range(2):
        assert (await ask(server, method, path)).status in (404, 405)
    assert server.unknown_endpoints == [line]
    assert [record.is_known for record in server.requests] == [False, False]


async def test_requests_beside_the_context_path_are_unknown(server, ask):
    """Paths outside of the context path are not served."""
    answer = await ask(server, "GET", "/other/generic-local/a", origin=server.origin)
    assert (answer.status, answer.body) == (404, b"404 page not found")
    assert server.unknown_endpoints == ["GET other/generic-local/a"]


@pytest.mark.parametrize("path", ["/generic-local/missing", "/unknown/a", "/api/storage/unknown", "/generic-local/%zz"])
async def test_refusals_are_not_unknown_endpoints(server, ask, path):
    """A served endpoint that refuses is served."""
    await ask(server, "GET", path)
    await ask(server, "POST", "/generic-local/a", body=b"")
    assert server.unknown_endpoints == []


async def use_strictly(ask, *paths, then=lambda: None):
    """Start a strict server, make requests, do something else, and leave."""
    async with ArtifactoryServer(strict=True) as server:
        for path in paths:
            await ask(server, "GET", path)
        then()


async def test_strict_server_fails_and_names_them(ask):
    """Leaving it raises, with every unknown endpoint in the message."""
    with pytest.raises(AssertionError, match=re.escape("the server does not serve\nGET api/one\nGET api/two")):
        await use_strictly(ask, "/api/one", "/api/two")


async def test_strict_server_passes_without(ask):
    """Known endpoints, whatever they answer, are no failure."""
    await use_strictly(ask, "/generic-local/missing")


async def test_strict_server_leaves_other_failures_alone(ask):
    """The error of the test is the one that is seen."""
    with pytest.raises(ZeroDivisionError):
        await use_strictly(ask, "/api/unknown", then=lambda: 1 // 0)


def use_in_a_thread(path):
    with ThreadedArtifactoryServer() as server:
        assert server.strict is False
        server.strict = True
        request = urllib.request.Request(f"{server.url}{path}", headers={"X-JFrog-Art-Api": server.api_key})
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            urllib.request.urlopen(request)
        caught.value.close()


def test_strictness_is_switched_on_later():
    """Also in a thread, and with a server that another process has started."""
    with pytest.raises(AssertionError, match="GET api/unknown"):
        use_in_a_thread("/api/unknown")


async def test_counts_are_compared_by_pattern(server, ask):
    """The first line that fits a request counts it, and each request needs one."""
    for path in ("/generic-local/a/x", "/generic-local/a/y", "/generic-local/b", "/api/storage/generic-local"):
        await ask(server, "GET", path)
    await ask(server, "PUT", "/generic-local/b", body=b"")
    server.assert_counts(
        {"GET generic-local/a/*": 2, "GET generic-local/**": 1, "GET api/storage/**": 1, "* **": 1},
    )


async def test_counts_that_differ_are_shown_as_a_diff(server, ask):
    """Too many, too few, and some unexpected ones."""
    for path in ("/generic-local/a", "/generic-local/a", "/api/system/ping"):
        await ask(server, "GET", path)
    with pytest.raises(AssertionError) as caught:
        server.assert_counts({"GET generic-local/**": 1, "POST api/search/aql": 1})
    assert str(caught.value).splitlines()[1:] == [
        "--- expected requests",
        "+++ seen requests",
        "@@ -1,3 +1,3 @@",
        "-     0  GET api/system/ping",
        "-     1  GET generic-local/**",
        "-     1  POST api/search/aql",
        "+     1  GET api/system/ping",
        "+     2  GET generic-local/**",
        "+     0  POST api/search/aql",
    ]
