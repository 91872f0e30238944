"""Who is let in, and the responses to all others."""

import base64
import re

import pytest

from aioartifact.testing import ArtifactoryServer

FILE = "/generic-local/a.bin"
CHALLENGE = 'Basic realm="Artifactory Realm"'
KEY, TOKEN = "AKCp8" + "x" * 68, "cmVmdGtuOj" + "y" * 54


@pytest.fixture
async def closed():
    """A server without anonymous access, one file, and a user with every kind of credentials."""
    async with ArtifactoryServer() as server:
        server.put("generic-local/a.bin", b"content")
        server.add_user("reader", password="pw", api_key=KEY, token=TOKEN)
        server.grant("reader", "generic-local", "r")
        yield server


def encoded(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(encoded("reader:pw"), id="password"),
        pytest.param(encoded(f"reader:{KEY}"), id="api key as password"),
        pytest.param(encoded(f":{KEY}"), id="api key without a name"),
        pytest.param(encoded(f"reader:{TOKEN}"), id="token as password"),
        pytest.param({"Authorization": f"Bearer {TOKEN}"}, id="bearer"),
        pytest.param({"X-JFrog-Art-Api": KEY}, id="api key header"),
        pytest.param({"X-Api-Key": KEY}, id="older api key header"),
        pytest.param({"X-JFrog-Art-Api": TOKEN}, id="token in the api key header"),
        pytest.param({"X-JFrog-Art-Api": KEY, **encoded("reader:wrong")}, id="api key header goes first"),
    ],
)
async def test_credentials_that_are_accepted(closed, ask, headers):
    """Every mechanism lets the same user in."""
    assert (await ask(closed, "GET", FILE, headers=headers)).status == 200


async def test_token_in_the_query(closed, ask):
    """A token that starts the query is a credential; elsewhere in the query it is not."""
    assert (await ask(closed, "GET", f"{FILE}?token={TOKEN}", headers={})).status == 200
    assert (await ask(closed, "GET", f"{FILE}?x=y&token={TOKEN}", headers={})).status == 401


@pytest.mark.parametrize("anonymous", [False, True], ids=["closed", "anonymous allowed"])
@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        pytest.param(encoded("reader:wrong"), 401, "Bad credentials", id="wrong password"),
        pytest.param(encoded("stranger:pw"), 401, "Bad credentials", id="unknown user"),
        pytest.param(encoded("anonymous:pw"), 401, "Bad credentials", id="anonymous by name"),
        pytest.param(encoded(f"other:{TOKEN}"), 401, "Token principal mismatch.", id="token of another"),
        pytest.param(encoded(f":{TOKEN}"), 401, "Token principal mismatch.", id="token without a name"),
        pytest.param(encoded(f"other:{KEY}"), 401, "Bad authentication Key", id="key of another"),
        pytest.param({"Authorization": "Basic %%"}, 401, "Failed to decode basic authentication token", id="no base64"),
        pytest.param(encoded("nocolon"), 401, "Invalid basic authentication token", id="no colon"),
        pytest.param({"Authorization": "Bearer x"}, 401, "Bad props auth token: basictoken=x", id="unknown bearer"),
        pytest.param({"X-JFrog-Art-Api": "x"}, 403, "Bad props auth token: apiKey=x", id="unknown api key"),
    ],
)
async def test_credentials_that_are_refused(ask, headers, status, message, anonymous):
    """Wrong credentials are an error with a challenge, also where no credentials would do."""
    async with ArtifactoryServer(anonymous=anonymous) as server:
        server.add_user("reader", password="pw", api_key=KEY, token=TOKEN)
        server.grant("anonymous", "**")
        answer = await ask(server, "GET", FILE, headers=headers)
    assert (answer.status, answer.message) == (status, message)
    assert answer.headers["www-authenticate"] == CHALLENGE


@pytest.mark.parametrize("headers", [{}, encoded(":"), {"Authorization": "bearer x"}, {"Authorization": "Digest x"}])
async def test_no_credentials_on_a_closed_server(closed, ask, headers):
    """Without usable credentials the answer is a challenge, whatever is asked for."""
    for path in (FILE, "/api/storage/generic-local", "/api/system/ping", "/nowhere/a"):
        answer = await ask(closed, "GET", path, headers=headers)
        assert (answer.status, answer.message) == (401, "Authentication is required")
        assert answer.headers["www-authenticate"] == CHALLENGE


READ, STORAGE, DEPLOY, OVERWRITE, DELETE = "read", "storage", "deploy", "overwrite", "delete"


async def attempt(ask, server, action, headers):
    method, path, body = {
        READ: ("GET", FILE, None),
        STORAGE: ("GET", "/api/storage" + FILE, None),
        DEPLOY: ("PUT", "/generic-local/new.bin", b"x"),
        OVERWRITE: ("PUT", FILE, b"other"),
        DELETE: ("DELETE", FILE, None),
    }[action]
    return await ask(server, method, path, headers=headers, body=body)


@pytest.mark.parametrize(
    ("action", "hidden", "known", "unknown"),
    [
        pytest.param(READ, False, 403, 401, id="read"),
        pytest.param(READ, True, 404, 404, id="read, hidden"),
        pytest.param(STORAGE, False, 403, 401, id="info"),
        pytest.param(STORAGE, True, 404, 404, id="info, hidden"),
        pytest.param(DEPLOY, False, 403, 401, id="deploy"),
        pytest.param(DEPLOY, True, 403, 401, id="deploy, hidden"),
        pytest.param(DELETE, False, 403, 403, id="delete"),
        pytest.param(DELETE, True, 404, 404, id="delete, hidden"),
    ],
)
async def test_missing_permission(ask, action, hidden, known, unknown):
    """A user gets 403, an anonymous request a challenge, and hiding turns both into 404."""
    async with ArtifactoryServer(anonymous=True, hide_unauthorized=hidden) as server:
        server.put("generic-local/a.bin", b"content")
        server.add_user("stranger", password="pw")
        as_user = await attempt(ask, server, action, encoded("stranger:pw"))
        as_anonymous = await attempt(ask, server, action, {})
    assert (as_user.status, as_anonymous.status) == (known, unknown)
    assert ("www-authenticate" in as_anonymous.headers) is (unknown == 401)


async def test_refusals_name_path_and_user(closed, ask):
    """The texts of 403 are those of the real server."""
    closed.add_user("stranger", password="pw")
    expected = {
        READ: "Download request for repo:path 'generic-local:a.bin' is forbidden for user: 'stranger'.",
        STORAGE: "Request for 'generic-local:a.bin' is forbidden for user: 'stranger'.",
        DEPLOY: "The user: 'stranger' is not permitted to deploy 'new.bin' into 'generic-local:new.bin'.",
        DELETE: "Not enough permissions to delete/overwrite artifact 'generic-local:a.bin'"
        " (user: 'stranger' needs DELETE permission).",
    }
    for action, message in expected.items():
        assert (await attempt(ask, closed, action, encoded("stranger:pw"))).message == message


@pytest.mark.parametrize("hidden", [False, True])
async def test_permission_is_checked_before_existence(ask, hidden):
    """Without read permission, a missing file and a forbidden one look the same."""
    async with ArtifactoryServer(hide_unauthorized=hidden) as server:
        server.put("generic-local/a.bin", b"content")
        server.add_user("stranger", password="pw")
        for prefix in ("", "/api/storage"):
            there = await ask(server, "GET", f"{prefix}/generic-local/a.bin", headers=encoded("stranger:pw"))
            missing = await ask(server, "GET", f"{prefix}/generic-local/b.bin", headers=encoded("stranger:pw"))
            assert there.status == missing.status
            assert there.message.replace("a.bin", "b.bin") == missing.message


async def test_anonymous_reads_what_is_granted(ask):
    """Anonymous access needs the setting and a grant."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/open/a.bin", b"content")
        server.put("generic-local/closed/a.bin", b"content")
        server.grant("anonymous", "generic-local", "r", "open/**")
        assert (await ask(server, "GET", "/generic-local/open/a.bin", headers={})).status == 200
        assert (await ask(server, "GET", "/generic-local/closed/a.bin", headers={})).status == 401
        assert (await ask(server, "GET", "/api/system/ping", headers={})).body == b"OK"


async def test_overwriting_needs_the_right_to_delete(closed, ask):
    """Deploy permission alone adds files; it replaces one only with announced identical content."""
    closed.grant("reader", "generic-local", "w")
    headers = encoded("reader:pw")
    refused = await ask(closed, "PUT", FILE, headers=headers, body=b"other")
    same = {"X-Checksum-Sha1": closed.checksums("generic-local/a.bin")["sha1"].upper()}
    assert refused.status == 403
    assert (await ask(closed, "PUT", "/generic-local/new", headers=headers, body=b"x")).status == 201
    assert (await ask(closed, "PUT", FILE, headers=headers | same, body=b"content")).status == 201
    assert closed.read("generic-local/a.bin") == b"content"


async def test_anonymous_upload_is_read_before_the_challenge(ask):
    """The body of a refused anonymous deploy is consumed first, as the real server does."""
    async with ArtifactoryServer(anonymous=True) as server:
        answer = await ask(server, "PUT", "/generic-local/new", headers={}, body=b"x" * 300_000)
        assert (answer.status, answer.message) == (401, "Unauthorized")
        assert server.requests[0].bytes_received == 300_000
        assert not server.exists("generic-local/new")


async def test_listings_leave_out_what_may_not_be_read(closed, ask):
    """Folder info and file list show readable files and the folders on the way to them."""
    closed.put("generic-local/open/x/a.bin", b"1")
    closed.put("generic-local/closed/b.bin", b"1")
    closed.add_user("partly", password="pw")
    closed.grant("partly", "generic-local", "r", "open/x/**")
    headers = encoded("partly:pw")
    root = (await ask(closed, "GET", "/api/storage/generic-local", headers=headers)).json()
    listed = (await ask(closed, "GET", "/api/storage/generic-local?list&deep=1", headers=headers)).json()
    assert root["children"] == [{"uri": "/open", "folder": True}]
    assert [each["uri"] for each in listed["files"]] == ["/open/x/a.bin"]
    assert (await ask(closed, "GET", "/api/storage/generic-local/closed", headers=headers)).status == 403


async def test_listings_of_what_nobody_may_read(ask, basic):
    """A user is refused the list of a forbidden folder; the anonymous are challenged by an index without entries."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/closed/a.bin", b"1")
        server.add_user("stranger", password="pw")
        server.grant("anonymous", "generic-local", "r", "closed")
        listed = await ask(server, "GET", "/api/storage/generic-local/closed?list", headers=basic("stranger", "pw"))
        index = await ask(server, "GET", "/generic-local/closed/", headers={})
    assert (listed.status, listed.message) == (
        403,
        "Request for 'generic-local:closed' is forbidden for user: 'stranger'.",
    )
    assert (index.status, index.headers["www-authenticate"]) == (401, CHALLENGE)


async def test_error_bodies_echo_characters_by_layer(closed, ask):
    """Servlet errors are Latin-1 with question marks for the rest, REST errors are UTF-8."""
    closed.add_user("stranger", password="pw")
    path = "/generic-local/%C3%BC%E6%97%A5"
    servlet = await ask(closed, "GET", path, headers=encoded("stranger:pw"))
    rest = await ask(closed, "GET", "/api/storage" + path, headers=encoded("stranger:pw"))
    assert servlet.headers["content-type"] == "application/json;charset=ISO-8859-1"
    assert "generic-local:ü?'" in servlet.body.decode("latin-1")
    assert rest.headers["content-type"] == "application/json"
    assert "'generic-local:ü日'" in rest.body.decode()


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("query", ["properties", "properties=team", "propertiesXml"])
async def test_properties_need_the_right_to_read(ask, hidden, query):
    """Without it an item with properties, one without, and none at all have the same answer, hidden or not."""
    async with ArtifactoryServer(hide_unauthorized=hidden) as server:
        server.put("generic-local/a.bin", b"content", properties={"team": "data"})
        server.put("generic-local/b.bin", b"content")
        server.make_folder("generic-local/folder", properties={"team": "data"})
        server.create_repository("all", kind="virtual", members=["generic-local"])
        server.add_user("user", password="pw")
        for path in ("generic-local/a.bin", "generic-local/b.bin", "generic-local/c.bin", "generic-local/folder"):
            for each in (path, path.replace("generic-local", "all"), path.replace("generic-local", "missing")):
                answer = await ask(server, "GET", f"/api/storage/{each}?{query}", headers=encoded("user:pw"))
                assert (answer.status, answer.message) == (404, "No properties could be found.")
        server.grant("user", "generic-local")
        for path in ("generic-local/a.bin", "all/a.bin", "generic-local/folder"):
            answer = await ask(server, "GET", f"/api/storage/{path}?{query}", headers=encoded("user:pw"))
            assert (answer.status, b"data" in answer.body) == (200, True)


@pytest.mark.parametrize(
    "call",
    [
        "GET /generic-local/{}",
        "HEAD /generic-local/{}",
        "GET /generic-local/{}/",
        "GET /generic-local/{}.sha1",
        "GET /generic-local/{}!/entry",
        "GET /generic-local/{}?trace",
        "PUT /generic-local/{}",
        "DELETE /generic-local/{}",
        "MKCOL /generic-local/{}",
        "PROPFIND /generic-local/{}",
        "MOVE /generic-local/{}",
        "GET /all/{}",
        "GET /api/storage/generic-local/{}",
        "GET /api/storage/generic-local/{}?stats",
        "GET /api/storage/generic-local/{}?list",
        "GET /api/storage/generic-local/{}?lastModified",
        "GET /api/storage/generic-local/{}?permissions",
        "PUT /api/storage/generic-local/{}?properties=a=b",
        "DELETE /api/storage/generic-local/{}?properties=a",
        "GET /api/storage/all/{}",
        "POST /api/copy/generic-local/{}?to=/generic-local/new",
        "POST /api/move/generic-local/{}?to=/generic-local/new",
        "GET /api/archive/download/generic-local/{}?archiveType=zip",
    ],
)
async def test_existence_is_hidden(ask, call):
    """Of a file, a folder and nothing the answers are the same for a user without rights, whatever is tried."""
    method, path = call.split(" ", 1)
    async with ArtifactoryServer(hide_unauthorized=True) as server:
        server.put("generic-local/1.zip", b"content", properties={"a": "b"})
        server.make_folder("generic-local/2.zip", properties={"a": "b"})
        server.create_repository("all", kind="virtual", members=["generic-local"])
        server.add_user("user", password="pw")
        server.enable_folder_download()
        headers = encoded("user:pw") | {"Destination": f"{server.url}/generic-local/new"}
        body = b"x" if method == "PUT" and "api" not in path else b"" if method in ("PUT", "POST") else None
        answers = [
            await ask(server, method, path.format(name), headers=headers, body=body)
            for name in ("1.zip", "2.zip", "3.zip")
        ]
    statuses = {answer.status for answer in answers}
    bodies = {re.sub(rb"[12]\.zip", b"3.zip", answer.body) for answer in answers}
    assert statuses in ({403}, {404})
    assert bodies == {answers[2].body}
