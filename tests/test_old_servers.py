"""What servers of release 4 do not know yet: asked for once, and done in another way that they know."""

import json

import pytest
from raw_http import raw_server, response

import aioartifact
from aioartifact import query
from aioartifact.testing import Fault

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


def without_patch(server, status):
    """Let the embedded server answer PATCH as one that does not know it."""
    server.fail("PATCH", "api/metadata/**", times=None, fault=Fault.status(status, message="Not Found"))


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_properties_without_merge(server, session, status):
    """The same result by two requests, and later calls of the session do not try to merge again."""
    server.put("generic-local/a/f", b"x", properties={"keep": "1", "change": "2", "drop": "3"})
    without_patch(server, status)
    url = f"{server.url}/generic-local/a/f"
    await aioartifact.update_properties(url, {"change": ["b;c", "d"], "drop": None}, session=session)
    assert server.properties("generic-local/a/f") == {"keep": ["1"], "change": ["b;c", "d"]}
    server.clear_log()
    await aioartifact.update_properties(url, {"new": "n"}, session=session)
    await aioartifact.update_properties(url, {"keep": None}, session=session)
    assert server.properties("generic-local/a/f") == {"new": ["n"], "change": ["b;c", "d"]}
    server.assert_requests(["PUT api/storage/generic-local/a/f", "DELETE api/storage/generic-local/a/f"])


@pytest.mark.parametrize("recursive", [False, True])
async def test_set_properties_without_merge(server, session, recursive):
    """Only with *recursive* do items below get them."""
    server.put("generic-local/a/f", b"x", properties={"own": "1"})
    await aioartifact.update_properties(f"{server.url}/generic-local/a", {"drop": "1"}, session=session)
    without_patch(server, 404)
    await aioartifact.set_properties(f"{server.url}/generic-local/a", {"k": "v"}, recursive=recursive, session=session)
    assert server.properties("generic-local/a") == {"k": ["v"]}
    assert server.properties("generic-local/a/f") == {"own": ["1"]} | ({"k": ["v"]} if recursive else {})


async def test_missing_item_without_merge(server, session):
    """The 404 of an item that does not exist is passed on, and nothing is learned from it."""
    without_patch(server, 404)
    with pytest.raises(aioartifact.NotFoundError) as caught:
        await aioartifact.update_properties(f"{server.url}/generic-local/a", {"k": "v"}, session=session)
    assert "PATCH" not in caught.value.hint
    server.clear_faults()
    server.put("generic-local/a", b"x")
    await aioartifact.update_properties(f"{server.url}/generic-local/a", {"k": "v"}, session=session)
    assert server.count("PATCH") == 2


@pytest.mark.parametrize("status", [404, 405, 414, 501])
async def test_properties_by_no_way(server, session, status):
    """A server that does not know the other way either gets a clear error, and is asked for both again."""
    server.put("generic-local/a", b"x")
    without_patch(server, 404)
    server.fail("PUT", "api/storage/**", times=1, fault=Fault.status(status))
    url = f"{server.url}/generic-local/a"
    with pytest.raises(aioartifact.ResponseError) as caught:
        await aioartifact.update_properties(url, {"k": "v"}, session=session)
    assert "does not support PATCH api/metadata" in caught.value.hint
    await aioartifact.update_properties(url, {"k": "v"}, session=session)
    assert server.properties("generic-local/a") == {"k": ["v"]}


async def test_value_that_only_a_merge_can_set(server, session):
    """A URL cannot hold each value that JSON can: an error, with nothing changed."""
    server.put("generic-local/a", b"x", properties={"old": "1"})
    without_patch(server, 404)
    with pytest.raises(aioartifact.InvalidArgumentError) as caught:
        await aioartifact.update_properties(f"{server.url}/generic-local/a", {"k": "a\\", "old": None}, session=session)
    assert "since 6.1" in caught.value.hint
    assert server.properties("generic-local/a") == {"old": ["1"]}


async def test_licence_and_permission_do_not_mean_an_old_server(server, session):
    """Other refusals of a merge are passed on as they are."""
    server.put("generic-local/a", b"x")
    for status, kind in ((400, aioartifact.BadRequestError), (403, aioartifact.ForbiddenError)):
        server.fail("PATCH", "api/metadata/**", fault=Fault.status(status, message="no"))
        with pytest.raises(kind):
            await aioartifact.update_properties(f"{server.url}/generic-local/a", {"k": "v"}, session=session)
    assert server.count("PUT") == 0


EMPTY = [b"", b'{"errors":[{"status":403,"message":""}]}', b'{"errors":[{"status":403}]}']


@pytest.mark.parametrize("body", EMPTY)
@pytest.mark.parametrize(
    "call",
    [
        lambda url, file, session: aioartifact.deploy(file, url, session=session),
        lambda url, file, session: aioartifact.write_bytes(url, b"x", session=session),
        lambda url, file, session: aioartifact.mkdir(url, session=session),
    ],
    ids=["deploy", "write_bytes", "mkdir"],
)
async def test_refused_deploy_without_a_reason(tmp_path, call, body):
    """An unknown repository is answered with 403 and no message: the hint names both possible causes."""
    (tmp_path / "f").write_bytes(b"x" * 100_000)
    answer = response(body, status=403, headers=JSON)
    async with raw_server(lambda _: answer) as server, connect(server) as session:
        with pytest.raises(aioartifact.ForbiddenError) as caught:
            await call(f"{server.url}/no-such/f", tmp_path / "f", session)
    assert "no such repository" in caught.value.hint
    assert "may not deploy" in caught.value.hint


async def test_refused_deploy_with_a_reason(tmp_path):
    """A message that names the permission leaves nothing to guess, nor does a refused download."""
    reason = b'{"errors":[{"status":403,"message":"The user: u is not permitted to deploy"}]}'
    answers = [response(reason, status=403, headers=JSON), response(status=403)]
    async with raw_server(lambda _: answers.pop(0)) as server, connect(server) as session:
        for call in (
            aioartifact.write_bytes(f"{server.url}/r/f", b"x", session=session),
            aioartifact.read_bytes(f"{server.url}/r/f", session=session),
        ):
            with pytest.raises(aioartifact.ForbiddenError) as caught:
                await call
            assert "no such repository" not in caught.value.hint
