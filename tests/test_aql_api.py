"""aql(): rows as they arrive, all of them."""

from dataclasses import replace

import pytest

import aioartifact
from aioartifact import query
from aioartifact.testing import ArtifactoryServer, Fault
from aioartifact.testing.profiles import PROFILES


@pytest.fixture
def files(server):
    """Ten files in two folders, with their size as property."""
    for n in range(10):
        server.put(f"generic-local/t/{n % 2}/{n}", bytes(n), properties={"n": [str(n), "all"]})


async def rows(server, asked, session):
    return [row async for row in aioartifact.aql(server.url, asked, session=session)]


async def test_rows_of_a_typed_query(server, session, files):
    """One request, sorted by repository, path and name where the query leaves that open."""
    asked = query.items(repo="generic-local", size=query.gt(6)).include("size")
    assert [(row["path"], row["name"], row["size"]) for row in await rows(server, asked, session)] == [
        ("t/0", "8", 8),
        ("t/1", "7", 7),
        ("t/1", "9", 9),
    ]
    server.assert_requests(["POST api/search/aql"])


async def test_rows_of_a_text(server, session, files):
    """What a user wrote is sent as it is."""
    asked = 'items.find({"repo":"generic-local"}).include("name","repo","path").sort({"$desc":["name"]}).limit(2)'
    results = aioartifact.aql(server.url, asked, session=session)
    assert [row["name"] async for row in results] == ["9", "8"]
    assert results.is_complete


async def test_limit_of_the_query_is_no_trimming(server, session, files):
    """Who asks for three gets three."""
    asked = query.items(repo="generic-local").sort("size", descending=True).offset(1).limit(3)
    assert [row["size"] for row in await rows(server, asked, session)] == [8, 7, 6]


async def test_nested_lists(server, session, files):
    """Other nouns come as lists inside the rows, one row for each item."""
    asked = query.items(query.has_property("n", "3")).include("property")
    (row,) = await rows(server, asked, session)
    assert {(each["key"], each["value"]) for each in row["properties"]} == {("n", "3"), ("n", "all")}


async def test_rows_of_one_item_are_joined(server, session):
    """A server that sends one row for each property is understood, across the pieces it arrives in."""
    answer = b",".join(
        b'{"repo":"r","path":".","name":"%d","properties":[{"key":"k","value":"%d"}]}' % (n // 2, n)
        for n in range(4000)
    )
    server.fail("POST", "api/search/aql", fault=Fault.status(200, b'{"results":[' + answer + b'],"range":{"total":1}}'))
    found = await rows(server, query.items().include("property"), session)
    assert [int(row["name"]) for row in found] == list(range(2000))
    assert all([int(each["value"]) // 2 for each in row["properties"]] == [int(row["name"])] * 2 for row in found)


@pytest.mark.parametrize("fault", [Fault.truncate(after=1000), Fault.cut(after=1000), Fault.reset(after=1000)])
async def test_broken_answer_goes_on_behind_the_last_row(server, session, files, fault):
    """No row is lost or comes twice; the second request asks for less."""
    server.fail("POST", "api/search/aql", fault=fault)
    found = await rows(server, query.items(repo="generic-local"), session)
    assert sorted(int(row["name"]) for row in found) == list(range(10))
    assert len(server.requests) == 2


async def test_broken_answer_without_an_order_is_an_error(server, session, files):
    """Without an order it is unknown which rows are missing."""
    server.fail("POST", "api/search/aql", fault=Fault.cut(after=2000))
    results = aioartifact.aql(server.url, 'items.find({"repo":"generic-local"})', session=session)
    with pytest.raises(aioartifact.TransportError):
        [row async for row in results]
    assert not results.is_complete


@pytest.mark.parametrize("hard_limit", [1, 3, 5])
async def test_trimmed_answers_are_continued(hard_limit):
    """All rows come, however few a server gives at a time."""
    async with ArtifactoryServer(profile=replace(PROFILES["7.x"], aql_rows=hard_limit)) as server:
        for n in range(10):
            server.put(f"generic-local/t/{n % 2}/{n}", b"1")
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            found = await rows(server, query.items(repo="generic-local"), session)
        assert sorted(int(row["name"]) for row in found) == list(range(10))
        # The last full answer cannot know that it is the last.
        assert len(server.requests) <= 10 // hard_limit + 1


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param('items.find({"repo":"generic-local"})', id="text"),
        pytest.param(query.items(repo="generic-local").sort("size"), id="order-of-its-own"),
        pytest.param(query.items(repo="generic-local").include("property"), id="nested"),
        pytest.param(query.items(repo="generic-local").limit(8), id="limit-of-its-own"),
    ],
)
async def test_trimmed_answer_is_never_the_whole(asked):
    """What cannot be continued is an error, after the rows that came."""
    async with ArtifactoryServer(profile=replace(PROFILES["7.x"], aql_rows=3)) as server:
        for n in range(10):
            server.put(f"generic-local/t/{n}", b"1", properties={"k": "v"})
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            results = aioartifact.aql(server.url, asked, session=session)
            with pytest.raises(aioartifact.IncompleteListingError, match="trimmed"):
                [row async for row in results]
            assert not results.is_complete


@pytest.mark.parametrize("profile", ["6.20", "7.x"])
@pytest.mark.parametrize("in_json", [False, True])
async def test_refusal_shows_the_place(profile, in_json):
    """The hint points into the query, whether the server says it in JSON or in bare text."""
    async with ArtifactoryServer(profile=replace(PROFILES[profile], aql_json_errors=in_json)) as server:
        auth = (server.username, server.password)
        async with aioartifact.session(server.url, auth=auth) as session:
            with pytest.raises(aioartifact.BadRequestError, match="Failed to parse query") as caught:
                await rows(server, 'items.find({"repo":"r","nam":"a.jar"})', session)
    line, caret = caught.value.hint.splitlines()
    assert line[caret.index("^") :].startswith(('nam"', '"nam"', ',"nam"'))


async def test_anonymous_user_may_not_query(server):
    """The refusal is the server's."""
    async with ArtifactoryServer(anonymous=True) as open_server, aioartifact.session(open_server.url) as session:
        with pytest.raises(aioartifact.AuthenticationError):
            await rows(open_server, query.items(), session)


@pytest.mark.parametrize(
    ("server_url", "asked"),
    [
        pytest.param("host", "items.find()", id="no-server"),
        pytest.param("https://host", "", id="empty"),
        pytest.param("https://host", "find", id="nonsense"),
        pytest.param("https://host", 'items.delete({"repo":"r"})', id="deletes"),
        pytest.param("https://host", 'properties.update({"repo":"r"}).keys("k")', id="updates"),
        pytest.param("https://host", {"repo": "r"}, id="mapping"),
        pytest.param("https://host", None, id="none"),
    ],
)
def test_what_is_no_query(server_url, asked):
    """Only queries that find something are sent, and mistakes are errors at the call."""
    with pytest.raises(aioartifact.InvalidArgumentError):
        aioartifact.aql(server_url, asked)


async def test_leaving_early_closes_the_connection(server, session, files):
    """A loop that ends early leaves neither a connection nor a task."""
    server.fail("POST", "api/search/aql", fault=Fault.stall(after=2000))
    async with aioartifact.aql(server.url, query.items(), session=session) as results:
        await anext(results)
    assert not session.connector._acquired
