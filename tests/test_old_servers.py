"""What servers of release 4 do not know yet: asked for once, and done in another way that they know."""

import json

import pytest
from raw_http import raw_server, response

import aioartifact
from aioartifact import query

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}
ONLY_PRO = json.dumps(
    {"errors": [{"status": 400, "message": "This REST API is available only in Artifactory Pro."}]}
).encode()
SHA1 = "a" * 40


def rows(*paths):
    return [
        {
            "repo": "r",
            "path": path.rpartition("/")[0],
            "name": path.rpartition("/")[2],
            "type": "file",
            "size": 7,
            "actual_sha1": SHA1,
        }
        for path in paths
    ]


def results(found):
    document = {"results": found, "range": {"start_pos": 0, "end_pos": len(found), "total": len(found)}}
    return response(json.dumps(document).encode(), headers=JSON)


class OldServer:
    """Answers File List as the open-source edition does, and AQL as a release without the refused words does."""

    def __init__(self, *refused, wording="Fail to parse query: {}", found=("t/a", "t/d/b")):
        self.refused, self.wording, self.found = refused, wording, found
        self.queries = []

    def __call__(self, request):
        if request.method != "POST":
            return response(ONLY_PRO, status=400, headers=JSON)
        asked = request.body.decode()
        self.queries.append(asked)
        if any(word in asked for word in self.refused):
            return response(self.wording.format(asked).encode(), status=400)
        if ".sort(" in asked:
            return response(b"Sorting is not supported by AQL in the open source version", status=400)
        return results(rows(*self.found))


def connect(server):
    return aioartifact.session(server.url, auth=("user", "secret"), retry=aioartifact.RetryPolicy.none())


async def listed(server, session, folder="t"):
    listing = aioartifact.walk(f"{server.url}/r/{folder}", session=session)
    found = [(entry.path, entry.size, entry.checksums.sha1, entry.checksums.sha256) async for entry in listing]
    return listing.method, found


@pytest.mark.parametrize("wording", ["Fail to parse query: {}", "Failed to parse query: {}, it looks like there is …"])
async def test_listing_without_sha256(wording):
    """Refused once; then the rows come with sizes and the other checksums, and the session remembers it."""
    old = OldServer('"sha256"', wording=wording)
    expected = ("aql", [("t/a", 7, SHA1, None), ("t/d/b", 7, SHA1, None)])
    async with raw_server(old) as server, connect(server) as session:
        assert await listed(server, session) == expected
        assert ['"sha256"' in asked for asked in old.queries] == [True, False]
        assert await listed(server, session) == expected
        assert ['"sha256"' in asked for asked in old.queries] == [True, False, False]
    async with raw_server(old) as server, connect(server) as session:
        old.queries.clear()
        assert await listed(server, session) == expected
        assert len(old.queries) == 2, "another session finds out by itself"


async def test_each_server_is_remembered_on_its_own():
    """One session, two servers: only the old one is asked for less."""
    old, new = OldServer('"sha256"'), OldServer()
    async with raw_server(old) as first, raw_server(new) as second, connect(first) as session:
        for server in (first, second, first):
            await listed(server, session)
    assert ['"sha256"' in asked for asked in old.queries] == [True, False, False]
    assert ['"sha256"' in asked for asked in new.queries] == [True]


async def test_order_is_kept_where_only_sha256_is_refused():
    """The refusal quotes the query, ``sort`` included: that does not mean that the order is refused."""

    def handler(request):
        if request.method != "POST":
            return response(status=403)
        asked = request.body.decode()
        queries.append(asked)
        if '"sha256"' in asked:
            return response(f"Fail to parse query: {asked}".encode(), status=400)
        return results(rows("t/a"))

    queries = []
    async with raw_server(handler) as server, connect(server) as session:
        assert (await listed(server, session))[0] == "aql"
        assert (await listed(server, session))[0] == "aql"
    assert [".sort(" in asked for asked in queries] == [True, True, True]
    assert ['"sha256"' in asked for asked in queries] == [True, False, False]


async def test_query_that_is_refused_in_any_form():
    """Then nothing is learned about the server, and folders are listed one by one."""
    refused = True

    def handler(request):
        if request.method == "POST":
            queries.append(request.body.decode())
            if refused:
                return response(b"Fail to parse query: " + request.body, status=400)
            return results(rows("t/a"))
        if request.target.endswith("/t"):
            document = {"repo": "r", "path": "/t", "children": [{"uri": "/a", "folder": False}]}
            return response(json.dumps(document).encode(), headers=JSON)
        return response(status=403)

    queries = []
    async with raw_server(handler) as server, connect(server) as session:
        assert await listed(server, session) == ("folders", [("t/a", None, None, None)])
        assert len(queries) <= 3
        queries.clear()
        refused = False
        assert (await listed(server, session))[0] == "aql"
        assert len(queries) == 1
        assert '"sha256"' in queries[0]
        assert ".sort(" in queries[0]


async def test_other_refusal_of_a_query():
    """A 400 of another kind is not a matter of fields."""
    old = OldServer("items.find", wording="The user is not allowed to run AQL at this time of day")
    async with raw_server(old) as server, connect(server) as session:
        with pytest.raises(aioartifact.ArtifactoryError):
            await listed(server, session)
    assert len(old.queries) == 1


async def test_query_of_the_user_is_sent_as_it_is():
    """A caller who includes the field needs it: the refusal is passed on."""
    old = OldServer('"sha256"')
    async with raw_server(old) as server, connect(server) as session:
        asked = query.items(repo="r").include("sha256")
        with pytest.raises(aioartifact.BadRequestError, match="Fail to parse query"):
            _ = [row async for row in aioartifact.aql(server.url, asked, session=session)]
    assert all('"sha256"' in asked for asked in old.queries)


async def test_filtered_listing_of_an_old_server():
    """The second query, which makes sure that AQL knows the folder, leaves the field out as well."""
    old = OldServer('"sha256"', found=())
    wanted = aioartifact.Filter(min_size=10)
    async with raw_server(old) as server, connect(server) as session:
        listing = aioartifact.walk(f"{server.url}/r/t", where=wanted, session=session)
        with pytest.raises(aioartifact.ArtifactoryError):
            _ = [entry async for entry in listing]
    assert ['"sha256"' in asked for asked in old.queries].count(True) == 1
