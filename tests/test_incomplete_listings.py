"""A success that does not contain what a listing consists of: an error, never an empty or a shorter result."""

import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from raw_http import raw_server, response

import aioartifact
from aioartifact import query
from aioartifact.testing import ArtifactoryServer, Fault

pytestmark = pytest.mark.slow

STORAGE = "api/storage/generic-local/t"
FOLDER = {"repo": "generic-local", "path": "/t"}
ITEM = {"repo": "generic-local", "path": "t", "name": "a", "type": "file", "size": 1}
ERRORS = [{"status": 500, "message": "the index is being rebuilt"}]

Call = Callable[[ArtifactoryServer, aiohttp.ClientSession], Awaitable[object]]


def iterated(start: Callable[[str, aiohttp.ClientSession], "aioartifact.Results[object]"]) -> Call:
    async def call(server, session):
        return [each async for each in start(server.url, session)]

    return call


def awaited(start: Callable[[str, aiohttp.ClientSession], Awaitable[object]]) -> Call:
    async def call(server, session):
        return await start(server.url, session)

    return call


# What each reader of a list sends, and the member that its answers consist of.
READERS = {
    "aql-text": (
        "POST",
        "api/search/aql",
        "results",
        iterated(lambda u, s: aioartifact.aql(u, "items.find({})", session=s)),
    ),
    "aql-query": (
        "POST",
        "api/search/aql",
        "results",
        iterated(lambda u, s: aioartifact.aql(u, query.items(repo="r"), session=s)),
    ),
    "versions-aql": (
        "POST",
        "api/search/aql",
        "results",
        awaited(lambda u, s: aioartifact.versions(u, "generic-local", "t", "a", method="aql", session=s)),
    ),
    "versions-properties": (
        "POST",
        "api/search/aql",
        "results",
        awaited(lambda u, s: aioartifact.versions(u, "generic-local", "t", "a", method="properties", session=s)),
    ),
    "versions-folder": (
        "GET",
        "api/storage/**",
        "children",
        awaited(lambda u, s: aioartifact.versions(u, "generic-local", "t", "a", method="folder", session=s)),
    ),
    "search": (
        "GET",
        "api/search/artifact",
        "results",
        iterated(lambda u, s: aioartifact.search(u, name="*", session=s)),
    ),
    "search-properties": (
        "GET",
        "api/search/prop",
        "results",
        iterated(lambda u, s: aioartifact.search(u, properties={"a": "b"}, session=s)),
    ),
    "ls": ("GET", STORAGE, "children", iterated(lambda u, s: aioartifact.ls(f"{u}/generic-local/t", session=s))),
    "info": ("GET", STORAGE, "children", awaited(lambda u, s: aioartifact.info(f"{u}/generic-local/t", session=s))),
    "properties": (
        "GET",
        STORAGE,
        "properties",
        awaited(lambda u, s: aioartifact.properties(f"{u}/generic-local/t", session=s)),
    ),
    "repositories": ("GET", "api/repositories", "list", awaited(lambda u, s: aioartifact.repositories(u, session=s))),
    "copy": (
        "POST",
        "api/copy/**",
        "messages",
        awaited(lambda u, s: aioartifact.copy(f"{u}/generic-local/t", f"{u}/generic-local/u", session=s)),
    ),
}
BODIES = {
    "nothing": lambda _: {},
    "null": lambda key: FOLDER | {key: None},
    "missing": lambda _: FOLDER,
    "errors": lambda _: {"errors": ERRORS},
    "text": lambda key: FOLDER | {key: "a"},
    "object": lambda key: FOLDER | {key: {"0": {}}},
    "entry-null": lambda key: FOLDER | {key: [None]},
    "entry-list": lambda key: FOLDER | {key: [[]]},
    "entry-empty": lambda key: FOLDER | {key: [{}]},
    "list-of-numbers": lambda _: [1],
    "json-null": lambda _: None,
    "json-text": lambda _: "ok",
}
# An empty message says nothing, and what a copy did is not in it; a row of a query has the fields that are asked for.
ALLOWED = {("copy", "entry-empty"), ("aql-text", "entry-empty")}


def answer(document: object) -> Fault:
    return Fault.status(200, json.dumps(document).encode())


@pytest.fixture
def tree(server):
    server.put("generic-local/t/a", b"1")


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("reader", READERS)
async def test_success_without_its_list(server, session, tree, reader, body):
    """Each reader refuses each answer that lacks its list, with a typed error and without retries."""
    method, path, key, call = READERS[reader]
    server.fail(method, path, times=None, fault=answer(BODIES[body](key)))
    if (reader, body) in ALLOWED:
        await call(server, session)
        return
    with pytest.raises((aioartifact.ProtocolError, aioartifact.IncompleteListingError)):
        await call(server, session)


@pytest.mark.parametrize(
    "errors", [ERRORS, [{"message": ""}], ["stopped"], "stopped", {"message": "stopped"}], ids=repr
)
@pytest.mark.parametrize(
    ("reader", "entries"),
    [
        ("aql-text", [ITEM]),
        ("aql-query", [ITEM]),
        ("versions-aql", [ITEM]),
        ("versions-properties", [ITEM | {"properties": []}]),
        ("versions-folder", [{"uri": "/1.0.0", "folder": True}]),
        ("search", []),
        ("ls", [{"uri": "/a", "folder": False}]),
        ("info", [{"uri": "/a", "folder": False}]),
        ("properties", {"a": ["b"]}),
    ],
)
async def test_errors_beside_a_list(server, session, tree, reader, entries, errors):
    """What comes with errors may be a part only; the message repeats the server's words."""
    method, path, key, call = READERS[reader]
    server.fail(method, path, times=None, fault=answer(FOLDER | {key: entries, "errors": errors}))
    with pytest.raises((aioartifact.ProtocolError, aioartifact.IncompleteListingError), match="with errors") as caught:
        await call(server, session)
    assert "index is being rebuilt" in str(caught.value) or errors is not ERRORS


@pytest.mark.parametrize("errors", [None, [], ""], ids=repr)
async def test_no_errors_are_no_reason(server, session, tree, errors):
    """An empty list of errors reports none."""
    server.fail("POST", "api/search/aql", fault=answer({"results": [ITEM], "errors": errors}))
    assert await READERS["aql-text"][3](server, session) == [ITEM]


@pytest.mark.parametrize("reader", ["aql-text", "aql-query", "versions-aql", "versions-properties"])
async def test_fewer_rows_than_counted(server, session, reader):
    """Rows that are counted and not sent are lost, wherever they were."""
    row = ITEM | {"properties": []}
    shown = {"start_pos": 0, "end_pos": 3, "total": 3}
    server.fail("POST", "api/search/aql", times=None, fault=answer({"results": [row], "range": shown}))
    with pytest.raises(aioartifact.IncompleteListingError, match="answered with 1 rows, and counts 3"):
        await READERS[reader][3](server, session)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("items.find({})", {"start_pos": 0, "end_pos": 2, "total": 2}),
        ("items.find({})", {"start_pos": 0, "end_pos": 1, "total": 1}),
        ("items.find({})", {"total": None}),
        ("items.find({})", None),
        ("items.find({}).limit(2)", {"start_pos": 0, "end_pos": 2, "total": 2, "limit": 2}),
        ("items.find({}).limit(2)", {"start_pos": 0, "end_pos": 2, "total": 90, "limit": 2}),
        ("items.find({}).offset(5)", {"start_pos": 5, "end_pos": 7, "total": 7}),
    ],
)
async def test_all_rows_that_are_counted(server, session, asked, shown):
    """Servers that count all pages, print no range, or are asked for a page are complete."""
    rows = [ITEM, ITEM | {"name": "b"}]
    server.fail("POST", "api/search/aql", fault=answer({"results": rows, "range": shown}))
    results = aioartifact.aql(server.url, asked, session=session)
    assert [row async for row in results] == rows
    assert results.is_complete


@pytest.mark.parametrize(
    "lacking",
    [
        {},
        {"files": None},
        {"files": [{"uri": "/a"}]},
        {"files": [{"uri": "/a", "folder": None}]},
        {"files": [{"folder": False}]},
        {"files": [], "errors": ERRORS},
    ],
    ids=repr,
)
async def test_file_list_that_lacks_something(server, session, tree, lacking):
    """Another way of listing is used instead."""
    server.put("generic-local/t/d/b", b"22")
    server.fail("GET", STORAGE, fault=answer(lacking))
    listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
    assert sorted([entry.path async for entry in listing]) == ["t/a", "t/d/b"]
    assert listing.method == "aql"


@pytest.mark.parametrize(
    "lacking",
    [
        {},
        {"results": None},
        {"results": [ITEM], "range": {"total": 2}},
        {"results": [ITEM], "errors": ERRORS},
        {"results": [{key: value for key, value in ITEM.items() if key != "type"}]},
    ],
    ids=repr,
)
async def test_rows_of_a_tree_that_lack_something(server, session, tree, lacking):
    """Each entry comes once, by the last way of listing."""
    server.put("generic-local/t/d/b", b"22")
    server.fail("GET", STORAGE, fault=Fault.status(400, message="only in Artifactory Pro"))
    server.fail("POST", "api/search/aql", times=None, fault=answer(lacking))
    listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
    assert sorted([entry.path async for entry in listing]) == ["t/a", "t/d/b"]
    assert listing.method == "folders"


async def test_subfolder_without_children(server, session, tree):
    """A walk does not skip a folder that it cannot read."""
    server.put("generic-local/t/d/b", b"22")
    server.fail("GET", STORAGE, fault=Fault.status(400, message="only in Artifactory Pro"))
    server.fail("POST", "api/search/aql", times=None, fault=Fault.status(403))
    server.fail("GET", f"{STORAGE}/d", times=None, fault=answer(FOLDER | {"path": "/t/d"}))
    with pytest.raises(aioartifact.ProtocolError, match="without 'children'"):
        _ = [entry async for entry in aioartifact.walk(f"{server.url}/generic-local/t", session=session)]


async def test_upload_is_not_repeated_because_a_folder_cannot_be_read(server, session, tree, tmp_path):
    """A target folder whose description lacks its children is not an empty folder."""
    (tmp_path / "a").write_bytes(b"1")
    server.fail("GET", "api/storage/generic-local/t", times=None, fault=answer(FOLDER))
    server.fail("POST", "api/search/aql", times=None, fault=Fault.status(403))
    with pytest.raises((aioartifact.BatchError, aioartifact.ProtocolError)):
        await aioartifact.deploy_folder(tmp_path, f"{server.url}/generic-local/t", overwrite="changed", session=session)
    assert not [each for each in server.requests if each.method == "PUT"]


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    "change",
    [
        lambda url, session: aioartifact.write_bytes(f"{url}/f", b"x", session=session),
        lambda url, session: aioartifact.mkdir(f"{url}/d", session=session),
        lambda url, session: aioartifact.update_properties(f"{url}/a", {"k": "v"}, session=session),
        lambda url, session: aioartifact.delete(f"{url}/a", session=session),
    ],
    ids=["write", "mkdir", "properties", "delete"],
)
async def test_change_that_is_answered_with_errors(server, session, tree, change, status):
    """It has not been made."""
    url = f"{server.url}/generic-local/t"
    answers = Fault.status(status, json.dumps({"errors": ERRORS}).encode())
    for method in ("PUT", "PATCH", "DELETE"):
        server.fail(method, "**", times=None, fault=answers)
    with pytest.raises(aioartifact.ProtocolError, match=r"with errors: .*index is being rebuilt"):
        await change(url, session)


async def test_folders_that_contain_themselves():
    """A server that answers for each folder with the same one, twice: an error, not an endless walk."""
    folder = {"repo": "r", "path": "/", "children": [{"uri": "/" + "folder-of-itself" * 15, "folder": True}] * 2}

    def answer_all(request):
        if "/api/search/" in request.target or "?list" in request.target:
            return response(status=403)
        return response(json.dumps(folder).encode(), headers={"Content-Type": "application/json"})

    async with raw_server(answer_all) as raw, aioartifact.session(raw.url, auth=("user", "secret")) as session:
        with pytest.raises(aioartifact.ProtocolError, match="without end"):
            _ = [each async for each in aioartifact.walk(f"{raw.url}/r", session=session)]
    assert len(raw.requests) < 20
