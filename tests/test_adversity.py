"""What goes wrong on the way: one typed error, the old file intact, nothing left behind."""

import datetime as dt
import errno
import os
import socket
import subprocess
from email.utils import format_datetime

import anyio
import pytest
from raw_http import raw_server, response

import aioartifact
from aioartifact.testing import Fault

DATA = bytes(range(256)) * 20_000  # 5 MB: several write batches
MIDDLE = len(DATA) // 2
PATH = "generic-local/a/data.bin"


@pytest.fixture
def url(server):
    server.put(PATH, DATA)
    return f"{server.url}/{PATH}"


@pytest.fixture
def folder(tmp_path):
    """A destination that already holds an older good file."""
    folder = tmp_path / "destination"
    folder.mkdir()
    (folder / "data.bin").write_bytes(b"old and good")
    return folder


def assert_untouched(folder):
    """The older file is as it was, and nothing lies beside it."""
    assert os.listdir(folder) == ["data.bin"]
    assert (folder / "data.bin").read_bytes() == b"old and good"


FAULTS = [
    pytest.param(Fault.status(400), aioartifact.BadRequestError, id="400"),
    pytest.param(Fault.status(401, message="Bad credentials"), aioartifact.AuthenticationError, id="401"),
    pytest.param(Fault.status(403, message="forbidden for user"), aioartifact.ForbiddenError, id="403"),
    pytest.param(Fault.status(404, message="File not found."), aioartifact.NotFoundError, id="404"),
    pytest.param(Fault.status(404, "text", message="404 page not found"), aioartifact.ResponseError, id="404-router"),
    pytest.param(Fault.status(404, "html"), aioartifact.ResponseError, id="404-web-server"),
    pytest.param(Fault.status(409), aioartifact.ConflictError, id="409"),
    pytest.param(Fault.status(418), aioartifact.ResponseError, id="418"),
    pytest.param(Fault.retry_after(429, "0"), aioartifact.RateLimitedError, id="429"),
    pytest.param(Fault.status(500), aioartifact.ServerError, id="500"),
    pytest.param(Fault.status(502, "html"), aioartifact.ServerError, id="502-proxy"),
    pytest.param(Fault.status(503), aioartifact.ServerError, id="503"),
    pytest.param(Fault.reset(after=0), aioartifact.ConnectionLostError, id="reset-at-once"),
    pytest.param(Fault.truncate(after=0), aioartifact.ConnectionLostError, id="no-body-at-all"),
    pytest.param(Fault.cut(after=MIDDLE), aioartifact.IntegrityError, id="short-without-content-length"),
    pytest.param(Fault.flip(at=MIDDLE), aioartifact.IntegrityError, id="flipped-byte"),
    pytest.param(Fault.replace(b"other"), aioartifact.IntegrityError, id="other-content"),
    pytest.param(Fault.status(200, "text"), aioartifact.IntegrityError, id="200-of-wrong-content"),
    pytest.param(Fault.status(200, "html"), aioartifact.ProtocolError, id="200-web-page"),
    pytest.param(Fault.redirect("http://127.0.0.1:9/gone"), aioartifact.ConnectError, id="redirect-to-nowhere"),
    pytest.param(Fault.redirect("ftp://host/file"), aioartifact.ProtocolError, id="redirect-to-ftp"),
    pytest.param(Fault.redirect("http://[broken"), aioartifact.ProtocolError, id="redirect-to-no-url"),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS)
async def test_fault_keeps_the_old_file(server, session, url, folder, fault, expected):
    """Whatever the server does, the outcome is one typed error and the older file."""
    server.fail("*", PATH, times=None, fault=fault)
    with pytest.raises(expected) as caught:
        await aioartifact.download(url, folder, session=session)
    assert_untouched(folder)
    assert f"GET {url}" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
async def test_passing_trouble_is_tried_again(server, session, url, folder, status):
    """What may pass is tried again, as often as the policy says, and then succeeds."""
    server.fail("GET", PATH, times=2, fault=Fault.status(status))
    await aioartifact.download(url, folder, session=session)
    assert (folder / "data.bin").read_bytes() == DATA
    assert server.count("GET", PATH) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
async def test_refusal_is_not_tried_again(server, session, url, folder, status):
    """No means no: asking again would lock users out, and changes nothing."""
    server.fail("GET", PATH, times=1, fault=Fault.status(status))
    with pytest.raises(aioartifact.ResponseError):
        await aioartifact.download(url, folder, session=session)
    assert server.count("GET", PATH) == 1


async def test_error_tells_how_often_it_was_tried(server, session, url, folder):
    """The error knows its attempts and has the server's own words."""
    server.fail("GET", PATH, times=None, fault=Fault.status(503, message="Service is restarting"))
    with pytest.raises(aioartifact.ServerError, match="503 Service Unavailable: Service is restarting") as caught:
        await aioartifact.download(url, folder, session=session)
    assert (caught.value.attempts, caught.value.status, caught.value.retryable) == (3, 503, True)


LOSSES = [
    pytest.param(Fault.reset(after=MIDDLE), id="reset"),
    pytest.param(Fault.truncate(after=MIDDLE), id="short-of-content-length"),
]


@pytest.mark.parametrize("fault", LOSSES)
async def test_loss_in_the_body_without_retries(server, url, folder, fault):
    """Without retries, the loss is raised as it is, with the number of received bytes."""
    server.fail("GET", PATH, times=None, fault=fault)
    auth = (server.username, server.password)
    async with aioartifact.session(server.url, auth=auth, retry=aioartifact.RetryPolicy.none()) as session:
        with pytest.raises(aioartifact.ConnectionLostError, match=rf"at byte \d+ of {len(DATA)}"):
            await aioartifact.download(url, folder, session=session)
    assert_untouched(folder)


async def test_stalled_body_is_given_up(server, url, folder):
    """A body that stops arriving ends after the stall limit, however long the whole may take."""
    handle = server.fail("GET", PATH, times=None, fault=Fault.stall(after=0))
    options = {"timeouts": aioartifact.Timeouts(stall=0.1), "retry": aioartifact.RetryPolicy(2, backoff_initial=0)}
    async with aioartifact.session(server.url, auth=(server.username, server.password), **options) as session:
        with pytest.raises(aioartifact.TransportTimeoutError, match=r"no byte for 0\.1 s"):
            await aioartifact.download(url, folder, session=session)
    handle.release()
    assert_untouched(folder)


BEHIND_A_REDIRECT = [
    pytest.param(Fault.status(403, "text", message="Access Denied"), "403 Forbidden: Access Denied", id="refusal"),
    pytest.param(Fault.status(404, "html"), "404 Not Found", id="web-page"),
    pytest.param(Fault.status(500), "500 Internal Server Error", id="failure"),
    pytest.param(Fault.reset(after=0), "connection lost", id="reset"),
    pytest.param(Fault.reset(after=MIDDLE), "at byte", id="reset-in-the-body"),
]


@pytest.mark.parametrize(("fault", "what"), BEHIND_A_REDIRECT)
async def test_error_of_storage_names_its_host(redirecting_server, folder, fault, what):
    """The error has Artifactory's URL, and only the host that failed, since signed URLs are secrets."""
    server = redirecting_server
    server.put(PATH, DATA)
    server.fail("GET", "storage:**", times=None, fault=fault)
    options = {"auth": (server.username, server.password), "retry": aioartifact.RetryPolicy.none()}
    async with aioartifact.session(server.url, **options) as session:
        with pytest.raises(aioartifact.ArtifactoryError) as caught:
            await aioartifact.download(f"{server.url}/{PATH}", folder, session=session)
    [stored, *_] = [request for request in server.requests if request.origin == "storage"]
    message = str(caught.value)
    assert f"GET {server.url}/{PATH}, redirected to {stored.headers['host']}: " in message
    assert what in message
    assert "ignature" not in message
    assert "base URL" not in message
    assert_untouched(folder)


async def test_redirect_within_a_server_is_no_other_host(server, session, url, folder):
    """The hint names another origin; a path on the same one adds nothing."""
    server.fail("GET", PATH, fault=Fault.redirect("/artifactory/generic-local/gone.bin"))
    with pytest.raises(aioartifact.NotFoundError) as caught:
        await aioartifact.download(url, folder, session=session)
    assert str(caught.value).startswith(f"GET {url}: 404 Not Found")


async def test_server_killed_in_the_middle(server, session, url, folder):
    """A server that dies in the middle of a body, and does not come back, leaves the older file."""
    handle = server.fail("GET", PATH, fault=Fault.stall(after=MIDDLE))
    async with anyio.create_task_group() as group:
        group.start_soon(_abort_when_reached, server, handle)
        with pytest.raises(aioartifact.ConnectError):
            await aioartifact.download(url, folder, session=session)
    assert_untouched(folder)


async def _abort_when_reached(server, handle):
    await handle.reached()
    await server.abort()


async def test_connection_refused(folder):
    """A closed port: a connect error with a hint what to check."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/artifactory/r/data.bin"
        async with aioartifact.session(retry=aioartifact.RetryPolicy.none()) as session:
            with pytest.raises(aioartifact.ConnectError, match="cannot connect") as caught:
                await aioartifact.download(url, folder, session=session)
    assert caught.value.hint == "check the host name, the port, and whether a proxy is needed"
    assert_untouched(folder)


async def test_folder_instead_of_file(server, session, url, folder):
    """A folder where a file is needed is not reported as missing; the hint names the function for folders."""
    with pytest.raises(aioartifact.NotAFileError, match="use download_folder"):
        await aioartifact.download(f"{server.url}/generic-local/a", folder, session=session)
    with pytest.raises(aioartifact.NotAFileError):
        await aioartifact.download(f"{server.url}/generic-local", folder, session=session)


async def test_file_instead_of_folder(server, session, url, folder):
    """A file where a folder is needed is not reported as missing."""
    with pytest.raises(aioartifact.NotAFolderError):
        await aioartifact.download_folder(url, folder, session=session)
    with pytest.raises(aioartifact.NotAFolderError):
        await aioartifact.versions(server.url, "generic-local", "a", "data.bin", session=session)


async def test_missing_destination_folder_is_told_before_any_request(server, session, url, tmp_path):
    """Like the ancestor: folders are not made for a single download."""
    with pytest.raises(FileNotFoundError, match="its folder does not exist") as caught:
        await aioartifact.download(url, tmp_path / "no" / "data.bin", session=session)
    assert isinstance(caught.value, aioartifact.LocalNotFoundError)
    server.assert_requests([])


async def test_folder_in_place_of_the_target_is_told_before_any_request(server, session, url, tmp_path):
    """A folder that has the file's name is not replaced."""
    (tmp_path / "data.bin").mkdir()
    with pytest.raises(aioartifact.LocalFileError, match="a folder has that name"):
        await aioartifact.download(url, tmp_path, session=session)
    server.assert_requests([])


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one mebibyte."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


async def test_full_disk(session, url, small_disk):
    """A full disk is a typed error with the system's number, and the older file is still there."""
    (small_disk / "data.bin").write_bytes(b"old and good")
    with pytest.raises(aioartifact.LocalFileError, match="free space") as caught:
        await aioartifact.download(url, small_disk, session=session)
    assert caught.value.errno == errno.ENOSPC
    assert_untouched(small_disk)


async def test_html_page_of_something_else(folder):
    """A web page that is not Artifactory's is never saved as the artifact."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"
    async with _answering(page) as base, aioartifact.session(base) as session:
        with pytest.raises(aioartifact.ProtocolError, match="HTML page") as caught:
            await aioartifact.download(f"{base}/r/data.bin", folder, session=session)
        with pytest.raises(aioartifact.ProtocolError, match="HTML page"):
            await aioartifact.versions(base, "r", "g", "n", session=session)
    assert "base URL of an Artifactory" in caught.value.hint
    assert_untouched(folder)


async def test_body_without_length_and_checksums(server, session, url, folder):
    """Neither length nor checksum, and a connection that just ends: half a file would look the same."""
    server.fail("GET", "api/storage/**", times=None, fault=Fault.status(403))
    async with _answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf") as storage:
        server.fail("GET", PATH, times=None, fault=Fault.redirect(f"{storage}/x"))
        with pytest.raises(aioartifact.IntegrityError, match="their end cannot be verified"):
            await aioartifact.download(url, folder, session=session)
    assert_untouched(folder)


WRITES = [
    pytest.param(lambda url, session: aioartifact.write_bytes(url, b"new", session=session), id="write_bytes"),
    pytest.param(lambda url, session: aioartifact.deploy(__file__, url, session=session), id="deploy"),
    pytest.param(lambda url, session: aioartifact.delete(url, session=session), id="delete"),
    pytest.param(lambda url, session: aioartifact.mkdir(f"{url}.d", session=session), id="mkdir"),
    pytest.param(
        lambda url, session: aioartifact.set_properties(url, {"a": "b"}, session=session), id="set_properties"
    ),
    pytest.param(lambda url, session: aioartifact.delete_properties(url, "a", session=session), id="delete_properties"),
    pytest.param(
        lambda url, session: aioartifact.update_properties(url, {"a": "b"}, session=session), id="update_properties"
    ),
]


@pytest.mark.parametrize("write", WRITES)
async def test_web_page_is_no_success(server, session, url, write):
    """A login or a proxy that answers 200 with a page has changed nothing: that must not pass for done."""
    server.fail("*", "**", times=None, fault=Fault.status(200, "html"))
    with pytest.raises(aioartifact.ProtocolError, match="an HTML page"):
        await write(url, session)
    server.clear_faults()
    assert server.read(PATH) == DATA


async def test_answer_that_is_not_in_its_coding():
    """A body that cannot be decoded has not ended early: the message names the header."""
    async with (
        raw_server(lambda _: response(b"no gzip", headers={"Content-Encoding": "gzip"})) as server,
        aioartifact.session(server.url, retry=aioartifact.RetryPolicy.none()) as session,
    ):
        with pytest.raises(aioartifact.ConnectionLostError, match="not what its Content-Encoding says"):
            await aioartifact.info(f"{server.url}/r/a.bin", session=session)


@pytest.mark.slow
async def test_answer_that_is_not_http(folder):
    """Another protocol on the port is named as such."""
    async with _answering(b"SSH-2.0-OpenSSH_9.6\r\n") as base, aioartifact.session(base) as session:
        with pytest.raises(aioartifact.ProtocolError, match="not valid HTTP"):
            await aioartifact.download(f"{base}/r/data.bin", folder, session=session)
    assert_untouched(folder)


def _answering(answer: bytes):
    """Serve the same bytes to every client; yields a base URL."""
    from contextlib import asynccontextmanager

    async def serve(stream):
        async with stream:
            await stream.receive()
            await stream.send(answer)

    @asynccontextmanager
    async def serving():
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            port = listener.extra(anyio.abc.SocketAttribute.local_port)
            async with anyio.create_task_group() as group:
                group.start_soon(listener.serve, serve)
                yield f"http://127.0.0.1:{port}/artifactory"
                group.cancel_scope.cancel()

    return serving()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("", "absolute URL", id="empty"),
        pytest.param("host/artifactory/r/a", "absolute URL", id="no-scheme"),
        pytest.param("ftp://host/artifactory/r/a", "absolute URL", id="ftp"),
        pytest.param("https://host/artifactory", "names no repository", id="no-repository"),
        pytest.param("https://host/artifactory/r/../a", "another path", id="dots"),
        pytest.param("https://host/artifactory/r/a\x00", "control character", id="nul"),
        pytest.param("https://host/artifactory/r/a?b", "%3F", id="query"),
        pytest.param("https://host/artifactory/r/a#b", "%23", id="fragment"),
        pytest.param("https://host/artifactory/r/a;b", "%3B", id="matrix"),
        pytest.param("https://host/artifactory/api/storage/r/a", "rest_api_get", id="rest-url"),
    ],
)
async def test_bad_url_is_told_at_the_call(url, message):
    """A URL that cannot be meant is refused before a request, with what to write instead."""
    for call in (aioartifact.download, aioartifact.info, aioartifact.exists):
        with pytest.raises(aioartifact.InvalidURLError, match=message):
            await call(url)


SENT = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "delay"),
    [
        pytest.param({"Retry-After": "86400"}, "86400 s", id="seconds"),
        pytest.param(
            {
                "Date": format_datetime(SENT, usegmt=True),
                "Retry-After": format_datetime(SENT + dt.timedelta(hours=2), usegmt=True),
            },
            "7200 s",
            id="date-of-a-clock-that-is-behind",
        ),
    ],
)
async def test_error_names_the_delay_that_is_too_long(status, headers, delay):
    """A delay longer than the policy allows ends the call at once; when to return is in the text."""
    async with (
        raw_server(lambda _: response(b"busy", status=status, headers=headers)) as server,
        aioartifact.session(server.url, auth=("user", "secret")) as session,
    ):
        with pytest.raises(aioartifact.ResponseError, match=f"the server asks to wait {delay}") as caught:
            await aioartifact.exists(f"{server.url}/r/a", session=session)
        assert len(server.requests) == 1
        assert f"{caught.value.retry_after:.0f} s" == delay
