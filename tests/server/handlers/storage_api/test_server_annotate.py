"""Changing properties: ``PUT`` and ``DELETE api/storage``, ``PATCH`` and ``DELETE api/metadata``."""

import json
from urllib.parse import quote

import pytest

from aioartifact.testing import ArtifactoryServer

FORBIDDEN = "Request for 'generic-local:f' is forbidden for user: 'u', You must have annotate permission on this path"


@pytest.fixture
def partly_annotatable(server):
    """A folder whose half *u* may annotate."""
    server.put("generic-local/f/mine/a", b"x", properties={"old": "o"})
    server.put("generic-local/f/theirs/b", b"x", properties={"old": "o"})
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", "r")
    server.grant("u", "generic-local", "n", "f")
    server.grant("u", "generic-local", "n", "f/mine/**")
    return server


async def change(ask, server, path, document, headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return await ask(server, "PATCH", f"/api/metadata/{path}", headers=headers, body=body)


@pytest.mark.parametrize("encode", [quote, lambda text: quote(text, safe="=;|,")])
async def test_separators_may_be_encoded(server, ask, encode):
    """The query is decoded before the list is read, so only backslashes escape."""
    server.put("generic-local/a", b"x")
    text = r"k=1,2;l=a\,b c|m=100%+#&"
    await ask(server, "PUT", f"/api/storage/generic-local/a?properties={encode(text)}", body=b"")
    assert server.properties("generic-local/a") == {"k": ["1", "2"], "l": ["a,b c"], "m": ["100%+#&"]}


async def test_recursion_leaves_out_what_may_not_be_annotated(partly_annotatable, ask, basic):
    """Setting and deleting below a folder change what the user may change and succeed."""
    path = "/api/storage/generic-local/f?properties="
    headers = basic("u", "pw")
    assert (await ask(partly_annotatable, "PUT", f"{path}k=v", headers=headers, body=b"")).status == 204
    assert (await ask(partly_annotatable, "DELETE", f"{path}old", headers=headers)).status == 204
    assert partly_annotatable.properties("generic-local/f") == {"k": ["v"]}
    assert partly_annotatable.properties("generic-local/f/mine/a") == {"k": ["v"]}
    assert partly_annotatable.properties("generic-local/f/theirs/b") == {"old": ["o"]}


async def test_invalid_key_in_a_list(server, ask):
    """Nothing is stored; the error is the REST API's, in UTF-8."""
    server.put("generic-local/a", b"x")
    answer = await ask(server, "PUT", "/api/storage/generic-local/a?properties=k=v;" + quote("日=v"), body=b"")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert answer.message.startswith("Property key: 日 is invalid due to ")
    assert server.properties("generic-local/a") == {}


@pytest.mark.parametrize(
    ("props", "expected"),
    [
        pytest.param({"k": "v"}, {"a": ["1", "2"], "b": ["3"], "k": ["v"]}, id="add"),
        pytest.param({"a": ["x", "y"]}, {"a": ["x", "y"], "b": ["3"]}, id="replace"),
        pytest.param({"a": None}, {"b": ["3"]}, id="remove"),
        pytest.param({"a": []}, {"b": ["3"]}, id="no values"),
        pytest.param({"a": "", "missing": None}, {"a": [""], "b": ["3"]}, id="empty value"),
        pytest.param({}, {"a": ["1", "2"], "b": ["3"]}, id="nothing"),
    ],
)
async def test_patching_properties(server, ask, admin, props, expected):
    """Text and lists replace, null removes, other keys stay."""
    server.put("generic-local/a", b"x", properties={"a": ["1", "2"], "b": "3"})
    answer = await change(ask, server, "generic-local/a", {"props": props}, admin)
    assert (answer.status, answer.body) == (204, b"")
    assert server.properties("generic-local/a") == expected


async def test_patching_a_folder(server, ask, admin):
    """Everything below gets the folder's merged properties, and loses those the folder lost; its others stay."""
    server.make_folder("generic-local/f", properties={"kept": "1", "dropped": "2"})
    server.put("generic-local/f/g/a", b"x", properties={"dropped": "x", "own": "y"})
    await change(ask, server, "generic-local/f?recursiveProperties=0", {"props": {"only": "here"}}, admin)
    assert server.properties("generic-local/f/g/a") == {"dropped": ["x"], "own": ["y"]}
    await change(ask, server, "generic-local/f", {"props": {"dropped": None, "new": "n"}}, admin)
    merged = {"kept": ["1"], "only": ["here"], "new": ["n"]}
    assert server.properties("generic-local/f") == merged
    assert server.properties("generic-local/f/g") == merged
    assert server.properties("generic-local/f/g/a") == merged | {"own": ["y"]}


async def test_patching_leaves_out_what_may_not_be_annotated(partly_annotatable, ask, basic):
    """Below a folder, too, only what the user may annotate changes."""
    await change(ask, partly_annotatable, "generic-local/f", {"props": {"k": "v"}}, basic("u", "pw"))
    assert partly_annotatable.properties("generic-local/f/mine/a") == {"k": ["v"], "old": ["o"]}
    assert partly_annotatable.properties("generic-local/f/theirs/b") == {"old": ["o"]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "props or stats fields required"),
        ([], "props or stats fields required"),
        ({"props": "k=v"}, "props or stats fields required"),
        ({"props": {"k": 1}}, "Value:1 is not valid, please use string or array of string"),
        ({"props": {"k": True}}, "Value:true is not valid, please use string or array of string"),
        ({"props": {"k": {"l": "v"}}}, 'Value:{"l": "v"} is not valid, please use string or array of string'),
        ({"props": {"k": ["v", 1]}}, 'Value:["v", 1] is not valid, please use string or array of string'),
        (b"{", "Error parsing json body"),
        (b"\xff", "Error parsing json body"),
    ],
)
async def test_patches_that_say_nothing(server, ask, admin, document, message):
    """A body without ``props``, with other values than text, and one that is no JSON are 400."""
    server.put("generic-local/a", b"x", properties={"k": "v"})
    answer = await change(ask, server, "generic-local/a", document, admin)
    assert (answer.status, answer.message) == (400, message)
    assert server.properties("generic-local/a") == {"k": ["v"]}


async def test_patches_that_are_refused(server, ask, admin, basic):
    """Rights come before everything, a missing item is 400 here, and so is the open source edition."""
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", "rwd")
    server.make_folder("generic-local/f")
    refused = await change(ask, server, "generic-local/f", b"{", basic("u", "pw"))
    assert (refused.status, refused.message) == (403, FORBIDDEN)
    missing = await change(ask, server, "generic-local/b", {"props": {"k": "v"}}, admin)
    assert (missing.status, missing.message) == (400, "Failed to set properties on generic-local:b")
    bad_key = await change(ask, server, "generic-local/f", {"props": {"1k": "v"}}, admin)
    assert (bad_key.status, server.properties("generic-local/f")) == (400, {})
    async with ArtifactoryServer(edition="oss") as oss:
        for method in ("PATCH", "DELETE"):
            answer = await ask(oss, method, "/api/metadata/generic-local", body=b"{}")
            assert answer.message.startswith("This REST API is available only in Artifactory Pro")


async def test_patch_that_is_too_long(server, ask, admin):
    """The body is not read without end."""
    answer = await change(ask, server, "generic-local/f", b" " * ((1 << 20) + 1), admin)
    assert (answer.status, answer.message) == (413, "Request Entity Too Large")


@pytest.mark.parametrize(("query", "left"), [("", {}), ("?recursive=1", {}), ("?recursive=0", {"l": ["w"]})])
async def test_deleting_all_properties(server, ask, query, left):
    """DELETE removes every key, by default also below a folder."""
    server.make_folder("generic-local/f", properties={"k": "v"})
    server.put("generic-local/f/a", b"x", properties={"l": "w"})
    answer = await ask(server, "DELETE", f"/api/metadata/generic-local/f{query}")
    assert (answer.status, answer.body) == (204, b"")
    assert (server.properties("generic-local/f"), server.properties("generic-local/f/a")) == ({}, left)


async def test_numbers_are_numbers(server, ask):
    """A parameter that should be a number and is not is 400."""
    server.put("generic-local/a", b"x")
    answer = await ask(server, "PUT", "/api/storage/generic-local/a?properties=k=v&recursive=no", body=b"")
    assert (answer.status, answer.message) == (400, 'For input string: "no"')
