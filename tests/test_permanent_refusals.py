"""Refusals that Artifactory answers with 500 although no retry changes them: typed, and requested once."""

import gzip
import json

import aiohttp
import pytest
from raw_http import Close, raw_server, response

import aioartifact
from aioartifact.testing import Fault

pytestmark = pytest.mark.anyio

FILE_IS_FOLDER = "Expected a file but found a folder, at: r:d"
FOLDER_IS_FILE = "Expected a folder but found a file, at: r:d/f"
PARENT_IS_FILE = "Could not create file system item Parent d/f must be a folder"
BAD_CHARACTER = "Invalid path. '|' is not a valid name character: r:a|b"
LEADING_BLANK = "Path cannot have a space after a slash: r:d/ a"
FINAL_DOT = "Path element cannot end with a dot"
AMPERSAND = "Path cannot have single ampersand"
NOT_LOCAL = "Repository 'r' is not a local repository"
REFUSALS = [
    (FILE_IS_FOLDER, aioartifact.NotAFileError, "with a slash"),
    (FOLDER_IS_FILE, aioartifact.ConflictError, "a file has the name"),
    (PARENT_IS_FILE, aioartifact.ConflictError, "a file has the name"),
    (BAD_CHARACTER, aioartifact.InvalidURLError, "does not accept this name"),
    (LEADING_BLANK, aioartifact.InvalidURLError, "does not accept this name"),
    (FINAL_DOT, aioartifact.InvalidURLError, "does not accept this name"),
    (AMPERSAND, aioartifact.InvalidURLError, "does not accept this name"),
    (NOT_LOCAL, aioartifact.ServerError, "the local repository"),
]


def refusal(message, *, status=500):
    document = {"errors": [{"status": status, "message": message}]}
    return json.dumps(document, indent=2).encode()


def with_length(body):
    return response(body, status=500, headers={"Content-Type": "application/json;charset=ISO-8859-1"})


def chunked(body):
    head = response(status=500, headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, length=-1)
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"


def compressed(body):
    packed = gzip.compress(body)
    return response(packed, status=500, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


@pytest.fixture
def connect():
    """Opens a session that would try three times, without pauses."""

    def opened(url):
        return aioartifact.session(url, auth=("user", "secret"), retry=aioartifact.RetryPolicy(3, backoff_initial=0))

    return opened


@pytest.mark.parametrize(("message", "kind", "hint"), REFUSALS)
async def test_deploy(connect, tmp_path, message, kind, hint):
    """One request, one typed error with the server's words."""
    (tmp_path / "f").write_bytes(b"x" * 100)
    async with raw_server(lambda _: with_length(refusal(message))) as server, connect(server.url) as session:
        with pytest.raises(kind) as caught:
            await aioartifact.deploy(tmp_path / "f", f"{server.url}/r/d", session=session)
        assert type(caught.value) is kind
        assert message in str(caught.value)
        assert hint in caught.value.hint
        assert not caught.value.retryable
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda url, session: aioartifact.info(url, session=session),
        lambda url, session: aioartifact.read_bytes(url, session=session),
        lambda url, session: aioartifact.write_bytes(url, b"x", session=session),
        lambda url, session: aioartifact.set_properties(url, {"k": "v"}, session=session),
        lambda url, session: aioartifact.delete(url, session=session),
    ],
    ids=["info", "read_bytes", "write_bytes", "set_properties", "delete"],
)
async def test_every_kind_of_request(connect, call):
    """It is the text that decides, and not what was requested."""
    async with raw_server(lambda _: with_length(refusal(BAD_CHARACTER))) as server, connect(server.url) as session:
        with pytest.raises(aioartifact.InvalidURLError):
            await call(f"{server.url}/r/a", session)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(with_length(refusal("Could not process download request: timeout")), id="other-text"),
        pytest.param(with_length(BAD_CHARACTER.encode()), id="text-that-is-not-json"),
        pytest.param(with_length(json.dumps([BAD_CHARACTER]).encode()), id="other-json"),
        pytest.param(with_length(json.dumps({"errors": BAD_CHARACTER}).encode()), id="errors-as-text"),
        pytest.param(with_length(b'{"errors": true}'), id="errors-as-boolean"),
        pytest.param(with_length(json.dumps({"errors": {"message": BAD_CHARACTER}}).encode()), id="errors-as-object"),
        pytest.param(with_length(json.dumps({"message": BAD_CHARACTER}).encode()), id="json-of-something-else"),
        pytest.param(response(BAD_CHARACTER.encode(), status=500, headers={"Content-Type": "text/html"}), id="page"),
        pytest.param(
            response(refusal(BAD_CHARACTER), status=502, headers={"Content-Type": "application/json"}), id="502"
        ),
        pytest.param(Close(response(refusal(BAD_CHARACTER)[:-30], status=500, length=200)), id="cut-off"),
    ],
)
async def test_what_may_pass_is_repeated(connect, answer):
    """Anything but that text in Artifactory's own JSON is a failure of the server, as before."""

    def handler(_):
        if isinstance(answer, Close):
            raise answer
        return answer

    async with raw_server(handler) as server, connect(server.url) as session:
        with pytest.raises(aioartifact.ServerError) as caught:
            await aioartifact.info(f"{server.url}/r/a", session=session)
        assert caught.value.retryable
        assert (caught.value.attempts, len(server.requests)) == (3, 3)


@pytest.mark.parametrize("spelled", [chunked, compressed])
async def test_framing_of_the_body(connect, spelled):
    """Tomcat sends longer bodies in chunks, and proxies compress them."""
    async with raw_server(lambda _: spelled(refusal(BAD_CHARACTER))) as server, connect(server.url) as session:
        with pytest.raises(aioartifact.InvalidURLError, match="is not a valid name character"):
            await aioartifact.info(f"{server.url}/r/a", session=session)
        assert len(server.requests) == 1


async def test_requests_on_the_session_itself(connect):
    """Users' own requests on a session are not repeated either, and see the whole response."""
    body = refusal(FILE_IS_FOLDER)
    async with raw_server(lambda _: with_length(body)) as server, connect(server.url) as session:
        async with session.get(f"{server.url}/r/d") as answer:
            assert (answer.status, await answer.read()) == (500, body)
        assert len(server.requests) == 1


async def test_long_error_of_unknown_length_is_passed_on_whole(connect):
    """Looking into the text of a failure must not shorten what the user reads."""
    body = b"y" * 300_000
    async with raw_server(lambda _: chunked(body)) as server, connect(server.url) as session:
        async with session.get(f"{server.url}/r/d") as answer:
            assert (answer.status, await answer.read()) == (500, body)
        assert len(server.requests) == 3


async def test_embedded_server(server, session, tmp_path):
    """The embedded server refuses as real ones do; each call ends at once with the error that fits."""
    server.put("generic-local/d/f", b"file")
    (tmp_path / "f").write_bytes(b"new")
    cases = [
        ("d", aioartifact.NotAFileError),
        ("a%7Cb", aioartifact.InvalidURLError),
        ("d/%20a", aioartifact.InvalidURLError),
        ("a.", aioartifact.InvalidURLError),
        ("d/%26/a", aioartifact.InvalidURLError),
    ]
    for path, kind in cases:
        server.clear_log()
        with pytest.raises(kind):
            await aioartifact.deploy(tmp_path / "f", f"{server.url}/generic-local/{path}", session=session)
        assert server.count("PUT") <= 2, "the checksums, then the bytes"
    assert server.read("generic-local/d/f") == b"file"


async def test_folders(server, session):
    """A file in the way of a new folder is named as such; a virtual repository makes none, and is asked once."""
    server.put("generic-local/d/f", b"file")
    server.create_repository("all", kind="virtual", members=("generic-local",))
    with pytest.raises(aioartifact.NotAFolderError):
        await aioartifact.mkdir(f"{server.url}/generic-local/d/f", session=session)
    server.clear_log()
    with pytest.raises(aioartifact.ConflictError, match="Parent d/f must be a folder"):
        await aioartifact.mkdir(f"{server.url}/generic-local/d/f/g", session=session)
    assert server.count("PUT") == 1
    server.clear_log()
    with pytest.raises(aioartifact.ServerError, match="not a local repository"):
        await aioartifact.mkdir(f"{server.url}/all/e", session=session)
    assert server.count("PUT") == 1


async def test_bulk_reports_each_refusal(server, session, tmp_path):
    """One name that Artifactory refuses fails alone."""
    for name in ("a", "b|c", "d"):
        (tmp_path / name).write_bytes(name.encode())
    report = await aioartifact.deploy_folder(
        tmp_path, f"{server.url}/generic-local/x", on_error="collect", session=session
    )
    assert [type(outcome.error) for outcome in report.failed] == [aioartifact.InvalidURLError]
    assert server.read("generic-local/x/a") == b"a"
    assert server.read("generic-local/x/d") == b"d"


async def test_session_of_the_user(server, tmp_path):
    """A session from elsewhere gets the same errors."""
    server.make_folder("generic-local/d")
    async with aiohttp.ClientSession(headers={"X-JFrog-Art-Api": server.api_key}) as session:
        with pytest.raises(aioartifact.NotAFileError):
            await aioartifact.write_bytes(f"{server.url}/generic-local/d", b"x", session=session)


async def test_other_failures_of_the_embedded_server_are_repeated(server, session):
    """A plain 500 still counts as passing."""
    server.put("generic-local/f", b"x")
    server.fail("GET", "**", times=2, fault=Fault.status(500))
    assert await aioartifact.read_bytes(f"{server.url}/generic-local/f", session=session) == b"x"


async def test_messages_of_a_copy(connect):
    """Artifactory reports the failures of copies and moves under another key."""
    body = json.dumps({"messages": [{"level": "ERROR", "message": f"Could not copy: {BAD_CHARACTER}"}]}).encode()

    def handler(request):
        return with_length(body) if request.method == "POST" else response(status=404)

    async with raw_server(handler) as server, connect(server.url) as session:
        for dry_run in (True, False):
            with pytest.raises(aioartifact.InvalidURLError):
                await aioartifact.copy(f"{server.url}/r/a", f"{server.url}/r/b", dry_run=dry_run, session=session)
        assert [request.method for request in server.requests].count("POST") == 2


@pytest.mark.parametrize("secret", ["e", "file", "folder", "errors", "message", '"'])
async def test_password_that_occurs_in_the_text(secret):
    """It is masked in the message, and does not change what the refusal means."""
    async with (
        raw_server(lambda _: with_length(refusal(FILE_IS_FOLDER))) as server,
        aioartifact.session(server.url, auth=("user", secret)) as session,
    ):
        with pytest.raises(aioartifact.NotAFileError) as caught:
            await aioartifact.read_bytes(f"{server.url}/r/a", session=session)
        assert secret not in caught.value.message.partition("Internal Server Error: ")[2]


async def test_secret_that_is_escaped_in_the_body():
    """Words are masked as they are read, and not as they are spelled."""
    secret = 'pass"wörd<'
    async with (
        raw_server(lambda _: with_length(refusal(f"cannot read {secret}!"))) as server,
        aioartifact.session(server.url, auth=("user", secret), retry=aioartifact.RetryPolicy.none()) as session,
    ):
        with pytest.raises(aioartifact.ServerError, match=r"cannot read \*\*\*!"):
            await aioartifact.read_bytes(f"{server.url}/r/a", session=session)
