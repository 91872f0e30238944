"""Control of a server over HTTP, by a client that shares nothing with it."""

import asyncio
import base64
import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from aioartifact.testing import ArtifactoryServer, Fault, ManualClock, ThreadedArtifactoryServer
from aioartifact.testing.clocks import AdjustableClock, wait_until
from aioartifact.testing.remote.fault_input import _FAULTS


class Client:
    """Sends requests with the standard library's client; answers are status and what the JSON holds."""

    def __init__(self, server):
        self.server = server

    def __call__(self, method, path, body=None, *, token=None):
        url = f"{self.server.control_url}/{path}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.server.control_token if token is None else token}")
        status, content = send(request)
        return status, json.loads(content) if content else None

    def get(self, path, auth=None):
        """Request something of Artifactory itself; the status and the body."""
        name, password = auth or (self.server.username, self.server.password)
        request = urllib.request.Request(f"{self.server.url}/{path}")
        credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {credentials}")
        return send(request)


def send(request):
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def controlled():
    """A server that may be controlled over HTTP."""
    with ThreadedArtifactoryServer(control=True) as server:
        yield server


@pytest.fixture
def control(controlled):
    """A client of it."""
    return Client(controlled)


# Access


def test_control_is_off_unless_requested(artifactory):
    """Without the option nothing listens for it, and no token exists."""
    assert (artifactory.control_url, artifactory.control_token) == ("", "")


def test_control_listens_on_loopback_whatever_the_host_is():
    """A server for the network is controlled from its machine only."""
    with ThreadedArtifactoryServer(host="0.0.0.0", password="secret", control=True) as server:
        assert urlsplit(server.control_url).hostname == "127.0.0.1"
        assert Client(server)("GET", "")[0] == 200


@pytest.mark.parametrize("token", ["", "wrong", "tökén"])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "reset"), ("GET", "unknown")])
def test_requests_without_the_token_are_refused(control, token, method, path):
    """Neither state nor the existence of a path is disclosed."""
    status, answer = control(method, path, token=token)
    assert (status, answer) == (401, {"error": "send the control token: Authorization: Bearer TOKEN"})


def test_credentials_of_artifactory_do_not_control_it(controlled, control):
    """The administrator's token is that of the server under test."""
    assert control("GET", "", token=controlled.token)[0] == 401


def test_control_is_not_in_the_log(controlled, control):
    """Requests to control the server are no requests to Artifactory, and the token is in no record."""
    control("PUT", "items/generic-local/a", b"x")
    control("GET", "requests")
    assert controlled.requests == []
    request = urllib.request.Request(f"{controlled.url}/generic-local/a")
    request.add_header("Authorization", f"Bearer {controlled.control_token}")
    assert send(request)[0] == 401
    _, answer = control("GET", "requests")
    assert len(answer["requests"]) == 1
    assert controlled.control_token not in json.dumps(answer)
    assert controlled.control_token not in repr(controlled.requests)


def test_tokens_are_new_for_each_server(controlled):
    """A token cannot be guessed from another one."""
    with ThreadedArtifactoryServer(control=True) as other:
        assert len({controlled.control_token, other.control_token}) == 2
        assert len(other.control_token) >= 32


def test_overview_has_no_secret(controlled, control):
    """It describes the server."""
    status, answer = control("GET", "")
    assert status == 200
    assert (answer["url"], answer["repositories"]) == (controlled.url, ["generic-local"])
    assert controlled.password not in json.dumps(answer)


# Faults


def test_fault_hits_as_often_as_requested(controlled, control):
    """It is listed with its hits, and the requests after it are served."""
    controlled.put("generic-local/a", b"content")
    body = {"path": "generic-local/*", "times": 2, "fault": {"status": {"status": 503, "message": "busy"}}}
    status, fault = control("POST", "faults", body)
    assert (status, fault["times_left"], fault["hits"]) == (200, 2, 0)
    statuses = [control.get("generic-local/a")[0] for _ in range(3)]
    assert statuses == [503, 503, 200]
    expected = {**fault, "times_left": 0, "hits": 2}
    assert control("GET", "faults") == (200, {"faults": [expected]})
    assert control("GET", f"faults/{fault['id']}") == (200, expected)
    assert expected["fault"] == body["fault"]


def test_faults_are_removed(controlled, control):
    """One by its number, or all; those of the test's own process are in the list, too."""
    controlled.put("generic-local/a", b"content")
    controlled.fail("PUT", "x/**", fault=Fault.status(500))
    numbers = [control("POST", "faults", {"times": None, "fault": "expired_token"})[1]["id"] for _ in range(2)]
    assert control("DELETE", f"faults/{numbers[0]}") == (204, None)
    assert control.get("generic-local/a")[0] == 401
    _, answer = control("GET", "faults")
    assert [(each["method"], each["path"], each["fault"]) for each in answer["faults"]] == [
        ("PUT", "x/**", None),
        ("GET", "**", "expired_token"),
    ]
    assert control("DELETE", "faults") == (204, None)
    assert control.get("generic-local/a") == (200, b"content")
    assert control("DELETE", f"faults/{numbers[1]}") == (404, {"error": f"no fault '{numbers[1]}'"})


def test_faults_combine(controlled, control):
    """The arguments stand for each of them."""
    controlled.put("generic-local/a", b"0123456789")
    fault = {"replace": {"data": {"base64": base64.b64encode(b"\xff\xfe\xfd").decode()}}, "cut": {"after": 2}}
    assert control("POST", "faults", {"fault": fault})[0] == 200
    assert control.get("generic-local/a") == (200, b"\xff\xfe")


def test_held_request_is_released(controlled, control):
    """A program sees that a request waits, does something meanwhile, and lets it go on."""
    controlled.put("generic-local/a", b"content")
    _, fault = control("POST", "faults", {"fault": "hold"})
    path = f"{urlsplit(controlled.url).path}/generic-local/a"
    with socket.create_connection(urlsplit(controlled.url).netloc.split(":"), timeout=60) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-JFrog-Art-Api: {controlled.api_key}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        while not control("GET", f"faults/{fault['id']}")[1]["is_reached"]:
            pass
        assert control("POST", f"faults/{fault['id']}/release")[0] == 200
        with connection.makefile("rb") as file:
            assert file.read().endswith(b"content")


ARGUMENTS = {
    "status": {"status": 418, "body": "text", "headers": {"X-A": "b"}, "message": "no"},
    "retry_after": {"status": 429, "value": "3"},
    "rate_limit": {"requests": 5, "per": 2},
    "expired_token": {},
    "redirect": {"location": "http://127.0.0.1:1/", "status": 307},
    "reset": {"after": 1},
    "lose": {},
    "truncate": {"after": 1},
    "cut": {"after": 1},
    "stall": {"after": 1},
    "hold": {},
    "slow": {"latency": 0.5, "bandwidth": 1000},
    "flip": {"at": 3},
    "replace": {"data": "other"},
    "overwrite": {"contents": ["one", "two"]},
    "drop_checksums": {},
    "wrong_etag": {"etag": "1" * 40},
    "ignore_range": {},
}


def test_every_fault_can_be_scripted(controlled, control):
    """What Python has, other languages have; arguments arrive as they are sent."""
    assert set(_FAULTS) == set(ARGUMENTS)
    makers = {name for name, made in vars(Fault).items() if isinstance(made, classmethod)}
    assert makers == set(ARGUMENTS)
    for name, arguments in ARGUMENTS.items():
        status, answer = control("POST", "faults", {"times": None, "fault": {name: arguments}})
        assert (status, answer.get("error")) == (200, None)
        python = {key: value.encode() if key == "data" else value for key, value in arguments.items()}
        expected = Fault.overwrite(b"one", b"two") if name == "overwrite" else getattr(Fault, name)(**python)
        assert controlled._runner.faults.all()[-1].fault == expected


BAD_FAULTS = [
    ({}, "the body needs 'fault'"),
    ({"fault": "boom"}, "no fault 'boom': one of status,"),
    ({"fault": {}}, "'fault' must be a name or an object of arguments by name, not {}"),
    ({"fault": 503}, "'fault' must be a name or an object of arguments by name, not 503"),
    ({"fault": {"status": 503}}, "fault 'status' must be a JSON object, not 503"),
    ({"fault": "status"}, "fault 'status' needs 'status'"),
    ({"fault": {"status": {"status": "503"}}}, "'status' of fault 'status' must be an integer of 200 to 599"),
    ({"fault": {"status": {"status": True}}}, "'status' of fault 'status' must be an integer of 200 to 599, not true"),
    ({"fault": {"status": {"status": 100}}}, "'status' of fault 'status' must be an integer of 200 to 599, not 100"),
    ({"fault": {"status": {"status": 500, "headers": {"A": "b\r\nC: d"}}}}, "must be a text in one line"),
    ({"fault": {"status": {"status": 500, "headers": {"A:B": "b"}}}}, "invalid header name, 'A:B'"),
    ({"fault": {"status": {"status": 500, "body": "xml"}}}, 'must be one of json, html, text, not "xml"'),
    ({"fault": {"status": {"status": 500, "body": {"base64": "?"}}}}, "is not valid base64"),
    ({"fault": {"redirect": {"location": "a\nb"}}}, "'location' of fault 'redirect' must be a text in one line"),
    ({"fault": {"cut": {"at": 1}}}, "fault 'cut' takes after, not 'at'"),
    ({"fault": {"cut": {"after": -1}}}, "'after' of fault 'cut' must be an integer of at least 0, not -1"),
    ({"fault": {"cut": {}, "reset": {}}}, "both faults set 'ending': 'cut' and 'reset'"),
    ({"fault": {"slow": {"bandwidth": 0}}}, "'bandwidth' of fault 'slow' must be a number above 0, not 0"),
    ({"fault": {"slow": {"latency": 1e300}}}, "'latency' of fault 'slow' must be a number of at least 0"),
    ({"fault": {"replace": {"data": 1}}}, "'data' of fault 'replace' must be a text or"),
    ({"fault": {"overwrite": {"contents": []}}}, "'contents' of fault 'overwrite' must be a list with at least one"),
    ({"fault": {"hold": {"after": 1}}}, "fault 'hold' takes nothing, not 'after'"),
    ({"fault": "hold", "times": 0}, "'times' of the body must be an integer of at least 1, not 0"),
    ({"fault": "hold", "count": 1}, "the body takes method, path, times, fault, not 'count'"),
    ({"fault": "hold", "method": ""}, "'method' of the body must be a text that is not empty, not \"\""),
]


@pytest.mark.parametrize(("body", "message"), BAD_FAULTS, ids=range(len(BAD_FAULTS)))
def test_bad_fault_is_refused(controlled, control, body, message):
    """The answer names what is wrong, and nothing is scripted."""
    status, answer = control("POST", "faults", body)
    assert status == 400
    assert message in answer["error"]
    assert controlled._runner.faults.all() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "the body is not JSON", id="empty"),
        pytest.param(b"{", "the body is not JSON", id="cut"),
        pytest.param(b"\xff", "the body is not JSON", id="not-utf-8"),
        pytest.param(b"[" * 200_000, "the body is not JSON", id="nested"),
        pytest.param(b'{"fault": {"slow": {"latency": NaN}}}', "NaN is not a number", id="nan"),
        pytest.param(b'{"fault": {"replace": {"data": "\\ud800"}}}', "the body is not JSON", id="half-a-pair"),
        pytest.param(b"[]", "the body must be a JSON object, not []", id="list"),
        pytest.param(b" " * (17 << 20), "the body has more than", id="huge"),
    ],
)
def test_bad_json_is_refused(control, body, message):
    """The server answers, and goes on serving."""
    status, answer = control("POST", "faults", body)
    assert status == 400
    assert message in answer["error"]
    assert control("GET", "faults") == (200, {"faults": []})


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "unknown", 404, "no call for the path '/unknown'"),
        ("GET", "faults/1/2", 404, "no call for the path"),
        ("PUT", "faults", 405, "/faults takes POST, GET, DELETE, not PUT"),
        ("GET", "faults/x", 404, "no fault 'x'"),
        ("DELETE", "users/none", 404, "no user 'none'"),
        ("DELETE", "users/admin", 409, "'admin' cannot be removed"),
        ("DELETE", "users/anonymous", 409, "'anonymous' cannot be removed"),
        ("GET", "requests?since=1", 400, "the query takes method, path, status, not 'since'"),
        ("GET", "items/generic-local/none", 404, "no item 'generic-local/none' on the server"),
        ("GET", "items/none/a", 404, "no repository 'none'"),
        ("GET", "items/generic-local", 400, "is not the address of an item"),
        ("PUT", "items/generic-local/../a", 400, "is not the address of an item"),
        ("PUT", "items/generic-local/%2E%2E/a", 400, "is not the address of an item"),
        ("PUT", "items/generic-local/a%2Fb", 400, "is not the address of an item"),
        ("PUT", "items/generic-local/%FF", 400, "is not percent-encoded UTF-8"),
        ("PUT", "items/none/a", 404, "no repository 'none'"),
        ("PUT", "items/generic-local/a?=b", 400, "a property needs a name"),
    ],
)
def test_calls_that_do_not_fit(control, method, path, status, message):
    """Each answer is JSON with a message."""
    got, answer = control(method, path)
    assert got == status
    assert message in answer["error"]


# Requests


def test_log_is_read_counted_and_cleared(controlled, control):
    """Filters are methods, patterns and statuses; secrets are masked."""
    controlled.put("generic-local/a", b"content")
    for path in ("generic-local/a", "generic-local/none", "api/unknown"):
        control.get(path)
    _, answer = control("GET", "requests")
    lines = ["GET generic-local/a", "GET generic-local/none", "GET api/unknown"]
    assert [each["line"] for each in answer["requests"]] == lines
    first = answer["requests"][0]
    assert (first["status"], first["bytes_sent"], first["headers"]["authorization"]) == (200, 7, "***")
    assert first["seconds"] >= 0
    _, missing = control("GET", "requests?status=404&path=generic-local/**&method=get")
    assert [each["line"] for each in missing["requests"]] == lines[1:2]
    _, counts = control("GET", "counts")
    assert (counts["total"], counts["lines"]) == (3, dict.fromkeys(lines, 1))
    assert (counts["connections"], counts["max_in_flight"]) == (3, 1)
    assert counts["unknown_endpoints"] == ["GET api/unknown"]
    assert control("GET", "counts?path=generic-local/*")[1]["total"] == 2
    assert control("DELETE", "requests") == (204, None)
    assert control("GET", "requests") == (200, {"requests": []})


# Accounts


def test_users_grants_and_tokens(controlled, control):
    """A user may do what it is granted, until it is locked or removed."""
    controlled.put("generic-local/a", b"content")
    user = ("ci", "secret")
    assert control.get("generic-local/a", user)[0] == 401
    status, made = control("POST", "users", {"name": "ci", "password": "secret", "groups": ["builders"]})
    assert (status, made["groups"]) == (200, ["builders"])
    assert control.get("generic-local/a", user)[0] == 403
    control("POST", "grants", {"group": "builders", "repository": "generic-local", "actions": "rw"})
    assert control.get("generic-local/a", user)[0] == 200
    assert control("GET", "grants")[1] == {
        "grants": [{"group": "builders", "repository": "generic-local", "actions": "rw", "path": "**"}]
    }
    assert control("POST", "users/ci/lock") == (204, None)
    assert control.get("generic-local/a", user)[0] == 403
    assert control("POST", "users/ci/unlock") == (204, None)
    assert control.get("generic-local/a", user)[0] == 200
    assert control("DELETE", "grants") == (204, None)
    assert control.get("generic-local/a", user)[0] == 403
    _, answer = control("GET", "users")
    assert [each["name"] for each in answer["users"]] == ["admin", "ci"]
    assert "secret" not in json.dumps(answer)
    assert control("DELETE", "users/ci") == (204, None)
    assert control.get("generic-local/a", user)[0] == 401


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("users", {"name": ""}, "'name' of the body must be a text that is not empty"),
        ("users", {"name": "anonymous"}, "'anonymous' stands for requests without credentials"),
        ("users", {"name": "a", "admin": 1}, "'admin' of the body must be true or false, not 1"),
        ("users", {"name": "a", "groups": "g"}, "'groups' of the body must be a list of texts"),
        ("grants", {"repository": "r"}, "the body needs either 'user' or 'group'"),
        ("grants", {"repository": "r", "user": "a", "group": "b"}, "the body needs either 'user' or 'group'"),
        ("grants", {"repository": "r", "user": "a", "actions": "rx"}, "must be letters of rwndm, not 'rx'"),
        ("tokens", {"username": "a", "expires_in": 0}, "'expires_in' of the body must be an integer of 1 to"),
        ("clock", {"advance": -1}, "'advance' of the body must be a number of at least 0, not -1"),
        ("clock", {"advance": "1"}, "'advance' of the body must be a number of at least 0"),
        ("clock", {"advance": 9e11}, "'advance' of the body"),
        ("clock", {"frozen": 1}, "'frozen' of the body must be true or false"),
        ("repositories", {"key": "a/b"}, "Invalid repository key: 'a/b'"),
        ("repositories", {"key": "a", "kind": "cache"}, "must be one of local, remote, virtual"),
        ("repositories", {"key": "a", "kind": "remote"}, "needs a url"),
        ("seed", {"folder": "relative", "path": "generic-local"}, "must be the absolute path of a folder"),
        ("seed", {"folder": "/", "path": ""}, "'path' of the body must be a text that is not empty"),
    ],
)
def test_bad_bodies_are_refused(control, path, body, message):
    """The answer says what is expected."""
    status, answer = control("POST", path, body)
    assert status == 400
    assert message in answer["error"]


# Clock


def test_clock_is_moved_and_frozen(controlled, control):
    """Tokens expire when the clock is moved; a frozen one stands still."""
    controlled.put("generic-local/a", b"content")
    _, issued = control("POST", "tokens", {"username": "admin", "expires_in": 3600})

    def status():
        request = urllib.request.Request(f"{controlled.url}/generic-local/a")
        request.add_header("Authorization", f"Bearer {issued['token']}")
        return send(request)[0]

    assert status() == 200
    _, frozen = control("POST", "clock", {"frozen": True})
    assert control("GET", "clock") == (200, frozen)
    _, moved = control("POST", "clock", {"advance": 3601})
    assert moved == {"now": frozen["now"] + 3601, "frozen": True}
    assert status() == 401
    _, running = control("POST", "clock", {"frozen": False})
    assert running["frozen"] is False
    assert running["now"] >= moved["now"]


def test_slow_response_comes_when_the_clock_moves(controlled, control):
    """Latency is that of the server's clock: a test need not wait for an hour."""
    controlled.put("generic-local/a", b"content")
    control("POST", "clock", {"frozen": True})
    _, fault = control("POST", "faults", {"fault": {"slow": {"latency": 3600}}})
    with socket.create_connection(urlsplit(controlled.url).netloc.split(":"), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while not control("GET", f"faults/{fault['id']}")[1]["is_reached"]:
            pass
        control("POST", "clock", {"advance": 3600})
        assert connection.recv(100).startswith(b"HTTP/1")


async def test_adjustable_clock_wakes_who_waits():
    """A wait ends early when the clock is moved, and lasts while it stands."""
    clock = AdjustableClock()
    waits = [asyncio.ensure_future(wait_until(clock, clock() + 3600)) for _ in range(2)]
    await asyncio.sleep(0)
    clock.freeze()
    stood = clock()
    await asyncio.sleep(0)
    assert clock() == stood
    clock.advance(1)
    clock.resume()
    assert not any(each.done() for each in waits)
    clock.advance(3600)
    await asyncio.gather(*waits)
    assert all(second >= first for first, second in pairwise(clock() for _ in range(3)))


def test_clock_of_the_test_is_moved_as_far_as_it_can_be():
    """A manual clock moves and does not run; a function cannot be moved."""
    with ThreadedArtifactoryServer(clock=ManualClock(1000.0), control=True) as server:
        control = Client(server)
        assert control("POST", "clock", {"advance": 5}) == (200, {"now": 1005.0, "frozen": True})
        assert control("POST", "clock", {"frozen": False})[0] == 409
    with ThreadedArtifactoryServer(clock=lambda: 1000.0, control=True) as server:
        assert Client(server)("POST", "clock", {"advance": 5})[0] == 409


# Content and reset


def test_items_are_stored_and_read(controlled, control):
    """Bytes go in and out as they are, with properties, and no request is recorded."""
    content = bytes(range(256)) * 10_000
    status, answer = control("PUT", "items/generic-local/%C3%A4%20b/c?os=linux&os=mac&a=", content)
    assert (status, answer["path"]) == (200, "generic-local/ä b/c")
    assert controlled.read("generic-local/ä b/c") == content
    assert answer["sha256"] == controlled.checksums("generic-local/ä b/c")["sha256"]
    assert controlled.properties("generic-local/ä b/c") == {"os": ["linux", "mac"], "a": [""]}
    request = urllib.request.Request(f"{controlled.control_url}/items/generic-local/%C3%A4%20b/c")
    request.add_header("Authorization", f"Bearer {controlled.control_token}")
    assert send(request) == (200, content)
    assert control("PUT", "items/generic-local/folder/") == (200, {"path": "generic-local/folder/"})
    assert controlled.exists("generic-local/folder")
    status, answer = control("PUT", "items/generic-local/folder", b"x")
    assert (status, answer["error"]) == (409, "Cannot deploy a file: generic-local:folder is a folder")
    assert controlled.requests == []


def test_upload_that_waits_for_permission(controlled):
    """Curl sends large bodies only after 100 Continue."""
    with socket.create_connection(urlsplit(controlled.control_url).netloc.split(":"), timeout=60) as connection:
        head = (
            "PUT /items/generic-local/a HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: 100-continue\r\n"
            f"Authorization: Bearer {controlled.control_token}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"content")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert controlled.read("generic-local/a") == b"content"


def test_folders_and_repositories(controlled, control, tmp_path):
    """A folder of this machine is stored in a repository that was created for it."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"a")
    assert control("POST", "repositories", {"key": "libs", "package_type": "maven"})[0] == 200
    assert control("POST", "repositories", {"key": "all", "kind": "virtual", "members": ["libs"]})[0] == 200
    assert control("POST", "seed", {"folder": str(tmp_path), "path": "libs/x"}) == (200, {"path": "libs/x"})
    assert control.get("all/x/sub/a") == (200, b"a")


def test_reset_returns_to_the_seed():
    """Items, repositories, accounts, faults, the log and the clock are those of the start."""

    def seed(server):
        server.put("generic-local/seeded", b"seed")
        server.add_user("reader", password="reader")
        server.grant("reader", "**")

    with ThreadedArtifactoryServer(control=True, seed=seed) as server:
        control = Client(server)
        reader = ("reader", "reader")
        assert control.get("generic-local/seeded", reader) == (200, b"seed")
        control("PUT", "items/generic-local/seeded", b"changed")
        control("PUT", "items/generic-local/new", b"new")
        control("POST", "repositories", {"key": "libs"})
        control("POST", "users", {"name": "ci", "password": "ci", "admin": True})
        control("POST", "users/reader/lock")
        control("DELETE", "grants")
        control("POST", "faults", {"times": None, "fault": {"status": {"status": 503}}})
        control("POST", "clock", {"frozen": True, "advance": 10**9})
        _, issued = control("POST", "tokens", {"username": "ci"})
        before, token = control("GET", "clock")[1]["now"], server.control_token
        assert control.get("generic-local/new", reader)[0] == 503
        assert control("POST", "reset") == (204, None)
        assert server.requests == []
        assert control.get("generic-local/seeded", reader) == (200, b"seed")
        assert control.get("generic-local/new")[0] == 404
        assert control.get("generic-local/seeded", ("ci", "ci"))[0] == 401
        assert server.count() == 3
        overview = control("GET", "")[1]
        assert (overview["repositories"], overview["users"], overview["faults"]) == (
            ["generic-local"],
            ["admin", "reader"],
            0,
        )
        clock = control("GET", "clock")[1]
        assert (clock["frozen"], clock["now"] < before, server.control_token) == (False, True, token)
        request = urllib.request.Request(f"{server.url}/generic-local/seeded")
        request.add_header("Authorization", f"Bearer {issued['token']}")
        assert send(request)[0] == 401


def test_reset_with_a_seed_that_fails():
    """The answer says so: a client must not mistake the server for a filled one."""
    contents = [b"seed"]
    with ThreadedArtifactoryServer(
        control=True, seed=lambda server: server.put("generic-local/a", contents.pop())
    ) as server:
        status, answer = Client(server)("POST", "reset")
        assert status == 409
        assert "its seed failed: pop from empty list" in answer["error"]
        assert not server.exists("generic-local/a")


def test_resets_at_the_same_time():
    """Each client finds the seed after its reset."""

    def seed(server):
        for number in range(20):
            server.put(f"generic-local/{number}", b"seed")

    with ThreadedArtifactoryServer(control=True, seed=seed) as server, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: Client(server)("POST", "reset"), range(8)))
        assert answers == [(204, None)] * 8
        assert server.exists("generic-local/19")


def test_reset_lets_go_what_waits(controlled, control):
    """A request that sits in a fault ends, so the client under test does, too."""
    _, fault = control("POST", "faults", {"fault": "hold"})
    with socket.create_connection(urlsplit(controlled.url).netloc.split(":"), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while not control("GET", f"faults/{fault['id']}")[1]["is_reached"]:
            pass
        control("POST", "reset")
        assert connection.recv(100).startswith(b"HTTP/1")


async def test_reset_from_python(ask):
    """The same without HTTP, in the loop of the test."""
    async with ArtifactoryServer(seed=lambda server: server.put("generic-local/a", b"seed")) as server:
        server.put("generic-local/a", b"changed")
        server.reset()
        assert (await ask(server, "GET", "/generic-local/a")).body == b"seed"


def test_data_folder_is_not_emptied(tmp_path):
    """What a folder keeps from run to run is not deleted by a reset."""
    with ThreadedArtifactoryServer(tmp_path / "data", control=True) as server:
        server.put("generic-local/a", b"content")
        status, answer = Client(server)("POST", "reset")
        assert status == 409
        assert "cannot be reset" in answer["error"]
        with pytest.raises(ValueError, match="cannot be reset"):
            server.reset()
        assert server.read("generic-local/a") == b"content"


def test_seed_that_fails_leaves_nothing_open(tmp_path):
    """The error is that of the seed; nothing listens after it."""

    def seed(server):
        server.put("unknown/a", b"x")

    with pytest.raises(LookupError, match="no repository 'unknown'"), ThreadedArtifactoryServer(seed=seed):
        pass


# Log file and latency


def test_log_file_has_a_line_for_each_request(tmp_path):
    """Lines are JSON, without secrets; a second server appends."""
    log = tmp_path / "log"
    for _ in range(2):
        with ThreadedArtifactoryServer(log_file=log) as server:
            assert Client(server).get("generic-local/none")[0] == 404
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [(each["line"], each["status"]) for each in lines] == [("GET generic-local/none", 404)] * 2
    assert {each["headers"]["authorization"] for each in lines} == {"***"}


async def test_latency_is_on_the_clock_of_the_server(ask):
    """Every response is later by it, on both origins, and faults do not replace it."""
    clock = ManualClock()
    async with ArtifactoryServer(clock=clock, latency=5) as server:
        server.put("generic-local/a", b"content")
        server.fail("GET", "**", fault=Fault.status(503))
        for expected in (503, 200):
            answer = asyncio.ensure_future(ask(server, "GET", "/generic-local/a"))
            while not clock.waiting:  # noqa: ASYNC110  # the clock signals nothing to the test
                await asyncio.sleep(0)
            clock.advance(4)
            assert clock.waiting == 1
            clock.advance(1)
            assert (await answer).status == expected


@pytest.mark.parametrize("latency", [-1, float("nan"), float("inf")])
def test_latency_that_is_no_time(latency):
    """A mistake is an error before anything listens."""
    with pytest.raises(ValueError, match="latency"):
        ThreadedArtifactoryServer(latency=latency)
