"""properties() and what changes them: every text arrives as it was given, in as few requests as there can be."""

import asyncio
import string
from contextlib import AsyncExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault, ThreadedArtifactoryServer

FILE = "generic-local/a/b c.txt"
PRINTABLE = string.printable.translate(dict.fromkeys(map(ord, string.whitespace))) + " "
HOSTILE = ["", " ", " a ", ",", "a,b", ";", "|", "=", "a=b=c", "\\,", "\\\\;", "100%", "%2C", "a+b", "&#?", "ü", "日本"]
HOSTILE += ["\u202e", "\U0001f600", "\u00a0", "e\u0301", "\u2028", '"', "'", "<a>", "null", PRINTABLE]


@pytest.fixture
def url(server):
    server.put(FILE, b"data", properties={"os": ["linux", "win"], "tag": "x"})
    return f"{server.url}/generic-local/a/b%20c.txt"


@pytest.fixture
def folder(server, url):
    return f"{server.url}/generic-local/a"


async def test_properties_cost_one_request(server, session, url):
    """Values are lists, whatever their number."""
    assert await aioartifact.properties(url, session=session) == {"os": ["linux", "win"], "tag": ["x"]}
    server.assert_requests([f"GET api/storage/{FILE}"])


async def test_properties_of_an_item_without_any(server, session, folder):
    """The server responds with 404; the check that follows distinguishes this from a missing item."""
    assert await aioartifact.properties(folder, session=session) == {}
    server.assert_requests(["GET api/storage/generic-local/a"] * 2)


async def test_properties_of_a_missing_item(session, url):
    """No item is no empty answer."""
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.properties(f"{url}x", session=session)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="no-properties"),
        pytest.param(b'{"properties":[]}', id="list"),
        pytest.param(b'{"properties":{"a":"b"}}', id="text-for-list"),
        pytest.param(b'{"properties":{"a":[1]}}', id="number"),
        pytest.param(b"<html></html>", id="html"),
    ],
)
async def test_properties_that_are_none(server, session, url, body):
    """What is no answer of the storage API is never taken for properties."""
    server.fail("GET", "api/storage/**", fault=Fault.status(200, body))
    with pytest.raises(aioartifact.ProtocolError):
        await aioartifact.properties(url, session=session)


async def test_set_properties_replaces_all(server, session, url):
    """Those that are not named are gone, in one step after one look."""
    await aioartifact.set_properties(url, {"tag": ["y", "z"], "new": "1"}, session=session)
    assert server.properties(FILE) == {"new": ["1"], "tag": ["y", "z"]}
    server.assert_requests([f"GET api/storage/{FILE}", f"PATCH api/metadata/{FILE}"])


async def test_set_properties_of_an_item_without_any(server, session, folder):
    """Three requests: the second shows that the item exists; items below keep their own."""
    await aioartifact.set_properties(folder, {"tag": "new"}, session=session)
    assert server.properties("generic-local/a") == {"tag": ["new"]}
    assert server.properties(FILE)["tag"] == ["x"]
    assert [request.method for request in server.requests] == ["GET", "GET", "PATCH"]


async def test_set_properties_to_none_deletes_all(server, session, url):
    """An empty mapping is a wish like any other."""
    await aioartifact.set_properties(url, {}, session=session)
    assert server.properties(FILE) == {}


async def test_set_no_properties_where_there_are_none(server, session, folder):
    """There is nothing to change, so nothing is asked to change."""
    await aioartifact.set_properties(folder, {}, session=session)
    assert [request.method for request in server.requests] == ["GET", "GET"]


async def test_set_properties_recursively(server, session, folder):
    """All below gets the same values, and keeps what only it has."""
    await aioartifact.set_properties(folder, {"tag": "new"}, recursive=True, session=session)
    assert server.properties(FILE) == {"os": ["linux", "win"], "tag": ["new"]}


async def test_update_properties_merges(server, session, url):
    """One request sets, adds and deletes; what is not named stays."""
    await aioartifact.update_properties(url, {"tag": None, "new": ["1", "2"]}, session=session)
    assert server.properties(FILE) == {"new": ["1", "2"], "os": ["linux", "win"]}
    server.assert_requests([f"PATCH api/metadata/{FILE}"])


async def test_update_properties_of_a_folder_leaves_the_rest_alone(server, session, folder):
    """Not recursive unless asked for, although that is the server's default."""
    await aioartifact.update_properties(folder, {"tag": "new"}, session=session)
    assert server.properties(FILE)["tag"] == ["x"]


async def test_update_properties_recursively(server, session, folder):
    """Only what is named goes down, not all that the folder has: one request to set, one to delete."""
    await aioartifact.update_properties(folder, {"own": "1"}, session=session)
    server.clear_log()
    await aioartifact.update_properties(folder, {"tag": None, "new": "1"}, recursive=True, session=session)
    assert server.properties("generic-local/a") == {"new": ["1"], "own": ["1"]}
    assert server.properties(FILE) == {"new": ["1"], "os": ["linux", "win"]}
    server.assert_requests(["PUT api/storage/generic-local/a", "DELETE api/storage/generic-local/a"])


async def test_update_nothing_asks_nothing(server, session, url):
    """No change is no request."""
    await aioartifact.update_properties(url, {}, session=session)
    await aioartifact.update_properties(url, {}, recursive=True, session=session)
    server.assert_requests([])


async def test_delete_properties(server, session, url):
    """One name or several, one request; those that are not there do not matter."""
    await aioartifact.delete_properties(url, "tag", session=session)
    assert server.properties(FILE) == {"os": ["linux", "win"]}
    await aioartifact.delete_properties(url, ["os", "none"], session=session)
    assert server.properties(FILE) == {}
    server.assert_requests([f"DELETE api/storage/{FILE}"] * 2)


async def test_delete_properties_recursively(server, session, folder):
    """All below loses them only where that is asked for."""
    await aioartifact.delete_properties(folder, "tag", session=session)
    assert "tag" in server.properties(FILE)
    await aioartifact.delete_properties(folder, "tag", recursive=True, session=session)
    assert "tag" not in server.properties(FILE)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda url, s: aioartifact.set_properties(url, {"a": "b"}, session=s), id="set"),
        pytest.param(lambda url, s: aioartifact.update_properties(url, {"a": "b"}, session=s), id="update"),
        pytest.param(
            lambda url, s: aioartifact.update_properties(url, {"a": "b"}, recursive=True, session=s), id="spread"
        ),
        pytest.param(lambda url, s: aioartifact.delete_properties(url, "a", session=s), id="delete"),
    ],
)
class TestRefusals:
    """Every way to change properties, where it cannot be."""

    async def test_missing_item(self, session, url, change):
        """Artifactory 6 answers 400 to a merge; for us a missing item is a missing item."""
        with pytest.raises(aioartifact.NotFoundError):
            await change(f"{url}x", session)

    async def test_forbidden(self, server, url, change):
        """A user who may only read gets the error of his status."""
        server.add_user("reader", password="secret")
        server.grant("reader", "generic-local", "r")
        async with aioartifact.session(server.url, auth=("reader", "secret")) as session:
            with pytest.raises(aioartifact.ForbiddenError):
                await change(url, session)

    async def test_without_a_licence(self, change):
        """The open source edition says what it lacks."""
        async with ArtifactoryServer(edition="oss") as server:
            server.put("generic-local/a", b"", properties={"k": "v"})
            async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
                with pytest.raises(aioartifact.BadRequestError, match="Artifactory Pro"):
                    await change(f"{server.url}/generic-local/a", session)

    async def test_lost_answer(self, server, session, url, change):
        """Setting the same twice is setting it once, so it is tried again."""
        lost = [server.fail(method, fault=Fault.lose()) for method in ("PATCH", "PUT", "DELETE")]
        await change(url, session)
        assert sum(fault.hits for fault in lost) == 1


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        pytest.param({"1a": "x"}, "expected a letter", id="digit-first"),
        pytest.param({"": "x"}, "expected a letter", id="empty-name"),
        pytest.param({"a b": "x"}, "expected a letter", id="blank-in-name"),
        pytest.param({"a=b": "x"}, "expected a letter", id="separator-in-name"),
        pytest.param({"a\n": "x"}, "expected a letter", id="newline-in-name"),
        pytest.param({"a\udc80": "x"}, "expected a letter", id="surrogate-in-name"),
        pytest.param({1: "x"}, "expected a letter", id="number-for-name"),
        pytest.param({"a": 1}, "is not text", id="number"),
        pytest.param({"a": b"x"}, "is not text", id="bytes"),
        pytest.param({"a": ["x", None]}, "is not text", id="none-in-list"),
        pytest.param({"a": "x\0"}, "is not text", id="nul"),
        pytest.param({"a": "\udc80"}, "is not text", id="surrogate"),
        pytest.param({"a": []}, "has no value", id="no-value"),
        pytest.param([("a", "b")], "expected a mapping", id="list"),
    ],
)
async def test_bad_properties_are_refused_before_any_request(server, session, url, values, complaint):
    """What the server cannot hold is said at the call."""
    for change in (aioartifact.set_properties, aioartifact.update_properties):
        with pytest.raises(aioartifact.InvalidArgumentError, match=complaint):
            await change(url, values, session=session)
    server.assert_requests([])


async def test_bad_calls_are_refused_before_any_request(server, session, url):
    """What each function alone cannot take."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="use update_properties"):
        await aioartifact.set_properties(url, {"a": None}, session=session)
    with pytest.raises(aioartifact.InvalidArgumentError, match="ends in a backslash"):
        await aioartifact.update_properties(url, {"a": "x\\"}, recursive=True, session=session)
    with pytest.raises(aioartifact.InvalidArgumentError, match="a URL can hold"):
        await aioartifact.update_properties(url, {"a": "x\n"}, recursive=True, session=session)
    with pytest.raises(aioartifact.InvalidArgumentError, match="no property is named"):
        await aioartifact.delete_properties(url, [], session=session)
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected a letter"):
        await aioartifact.delete_properties(url, ["a", "b,c"], session=session)
    server.assert_requests([])


class Desk:
    """One server and one session for many examples, from outside any event loop."""

    def __init__(self, runner, server, session):
        self.run = runner.run
        self.server = server
        self.session = session

    def read(self, name):
        """Properties as the server reports them."""
        return self.run(aioartifact.properties(f"{self.server.url}/generic-local/{name}", session=self.session))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Keep what hypothesis tries apart from the loop of the other tests."""
    with ThreadedArtifactoryServer() as server, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opening = aioartifact.session(server.url, auth=(server.username, server.password))
        yield Desk(runner, server, runner.run(stack.enter_async_context(opening)))
        runner.run(stack.aclose())


def texts(**kwargs):
    """Any text that UTF-8 can express, with those more often that are known to hurt."""
    characters = st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from(PRINTABLE)
    return st.sampled_from(HOSTILE) | st.text(characters, **kwargs)


NAMES = st.from_regex(r"\A[a-zA-Z][\w.:'|\"?-]{0,8}\Z")
VALUES = st.lists(texts(max_size=12), min_size=1, max_size=4, unique=True)


def same(found, given):
    """The order of values means nothing."""
    return {name: sorted(values) for name, values in found.items()} == {
        name: sorted(values) for name, values in given.items()
    }


@pytest.mark.slow
@settings(max_examples=60)
@given(properties=st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_round_trip_as_json(desk, properties):
    """What is set comes back, whatever characters it has."""
    desk.server.put("generic-local/json", b"")
    desk.run(aioartifact.set_properties(f"{desk.server.url}/generic-local/json", properties, session=desk.session))
    assert same(desk.read("json"), properties)


@pytest.mark.slow
@settings(max_examples=60)
@given(properties=st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_round_trip_in_a_query(desk, properties):
    """The list in the query loses nothing either, except for what it refuses."""
    sent = {name: [value.rstrip("\\") for value in values] for name, values in properties.items()}
    sent = {name: list(dict.fromkeys(values)) for name, values in sent.items()}
    desk.server.put("generic-local/query", b"")
    url = f"{desk.server.url}/generic-local/query"
    desk.run(aioartifact.delete_properties(url, list(sent), session=desk.session))
    desk.run(aioartifact.update_properties(url, sent, recursive=True, session=desk.session))
    found = desk.read("query")
    assert same({name: found[name] for name in sent}, sent)
    desk.run(aioartifact.delete_properties(url, list(found), session=desk.session))
    assert desk.read("query") == {}


@settings(max_examples=30)
@given(properties=st.dictionaries(st.from_regex(r"\A[a-zA-Z][a-zA-Z0-9.:'-]{0,8}\Z"), VALUES, min_size=1, max_size=4))
def test_round_trip_in_a_matrix(desk, properties, tmp_path_factory):
    """So do matrix parameters, whose names are the fewest."""
    path = tmp_path_factory.mktemp("matrix") / "a"
    path.write_bytes(repr(properties).encode())
    url = f"{desk.server.url}/generic-local/matrix"
    desk.run(aioartifact.deploy(path, url, parameters=properties, session=desk.session))
    assert same(desk.read("matrix"), properties)


@pytest.mark.parametrize("value", ["a\nb", "\t", "\x01", "ends in \\"])
def test_what_only_json_can_hold(desk, value):
    """Control characters and a backslash at the end have one way in."""
    desk.server.put("generic-local/json", b"")
    desk.run(aioartifact.set_properties(f"{desk.server.url}/generic-local/json", {"a": value}, session=desk.session))
    assert desk.read("json") == {"a": [value]}
