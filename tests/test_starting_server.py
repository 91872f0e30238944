"""A server that is starting up: waited for within a limit of time, and named in the error."""

import asyncio

import anyio
import pytest
from raw_http import checksum_headers, raw_server, response

import aioartifact
from aioartifact._session import STATES, Clock

pytestmark = pytest.mark.anyio

HTML = {"Content-Type": "text/html;charset=UTF-8"}
START_PAGE = b"<html>\n<head>\n<title>Artifactory :: Starting Up...</title></head><body>Please wait</body></html>"
TOMCAT_7 = (
    b"<html><head><title>Apache Tomcat/7.0.56 - Error report</title></head><body><h1>HTTP Status %s - a &lt;b&gt;</h1>"
    b"<HR><p><b>type</b> Status report</p><p><b>message</b> <u>what &lt;went&gt; wrong</u></p><p><b>description</b> "
    b"<u>text</u></p><h3>Apache Tomcat/7.0.56</h3></body></html>"
)
TOMCAT_9 = (
    b'<!doctype html><html lang="en"><head><title>HTTP Status %s</title></head><body><h1>HTTP Status %s</h1>'
    b'<hr class="line" /><p><b>Type</b> Status Report</p><p><b>Message</b> what &lt;went&gt; wrong</p>'
    b"<p><b>Description</b> text.</p><h3>Apache Tomcat/9.0.41</h3></body></html>"
)
NGINX = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>nginx</body></html>"
STARTING = [
    pytest.param(response(START_PAGE, status=503, headers=HTML), id="page"),
    pytest.param(
        response(
            b"<title>Artifactory :: Starting Up...</title>".join([b"<html>", b"</html>"]), status=503, headers=HTML
        ),
        id="short-page",
    ),
    pytest.param(response(TOMCAT_7.replace(b"%s", b"503"), status=503, headers=HTML), id="tomcat-7"),
    pytest.param(response(TOMCAT_9.replace(b"%s", b"503"), status=503, headers=HTML), id="tomcat-9"),
    pytest.param(
        response(b'{"errors":[{"status":503,"message":"Artifactory is starting up"}]}', status=503), id="json"
    ),
]


def file_response(content=b"content"):
    return response(content, headers=checksum_headers(content))


class SkippingClock:
    """A clock on which waiting takes no time."""

    def __init__(self, draw=0.5):
        self.time, self.draw = 1000.0, draw

    def install(self, session):
        STATES[session].clock = Clock(now=lambda: self.time, sleep=self.sleep, draw=lambda: self.draw)

    async def sleep(self, seconds):
        self.time += seconds
        await anyio.lowlevel.checkpoint()


def connect(url, **policy):
    return aioartifact.session(url, auth=("user", "secret"), retry=aioartifact.RetryPolicy(**policy))


@pytest.mark.parametrize("page", STARTING)
@pytest.mark.parametrize("draw", [0.0, 0.999])
async def test_wait_for_the_start(page, draw):
    """A start of a minute uses up no attempts, with pauses of a few seconds whatever the back-off is."""
    clock = SkippingClock(draw)
    up = clock.time + 60

    def handler(_):
        return page if clock.time < up else file_response()

    async with raw_server(handler) as server, connect(server.url, attempts=2, backoff_initial=0) as session:
        clock.install(session)
        assert await aioartifact.read_bytes(f"{server.url}/r/a", session=session) == b"content"
        assert 12 <= len(server.requests) <= 62
        assert up <= clock.time <= up + 5


@pytest.mark.parametrize("limit", [0, 1, 40, 120])
async def test_limit_of_the_wait(limit):
    """After ``retry_after_max`` seconds in all, the error says that the server is starting, and for how long."""
    clock = SkippingClock()
    page = response(START_PAGE, status=503, headers=HTML)
    async with raw_server(lambda _: page) as server, connect(server.url, retry_after_max=limit) as session:
        clock.install(session)
        with pytest.raises(aioartifact.ServerError, match="503 Service Unavailable: Artifactory :: Start") as caught:
            await aioartifact.info(f"{server.url}/r/a", session=session)
        assert clock.time == pytest.approx(1000 + limit)
        what = f"still starting up after {limit} s" if limit else "starting up"
        assert caught.value.hint == f"Artifactory is {what}; try again later"
        assert caught.value.retryable


async def test_policy_that_tries_once():
    """Nothing is waited for then, and the error still names the cause."""
    page = response(START_PAGE, status=503, headers=HTML)
    async with (
        raw_server(lambda _: page) as server,
        aioartifact.session(server.url, auth=("user", "secret"), retry=aioartifact.RetryPolicy.none()) as session,
    ):
        with pytest.raises(aioartifact.ServerError, match="Artifactory is starting up; try again later"):
            await aioartifact.info(f"{server.url}/r/a", session=session)
        assert len(server.requests) == 1
        assert await aioartifact.ping(server.url, session=session) is False


async def test_retry_after_of_the_start():
    """A delay that the server names is kept, as long as it is within the limit."""
    clock = SkippingClock()
    pages = iter([response(START_PAGE, status=503, headers={**HTML, "Retry-After": each}) for each in ("17", "104")])
    async with raw_server(lambda _: next(pages)) as server, connect(server.url) as session:
        clock.install(session)
        with pytest.raises(aioartifact.ServerError):
            await aioartifact.info(f"{server.url}/r/a", session=session)
        assert len(server.requests) == 2
        assert clock.time == 1017


async def test_failures_after_the_start_have_all_attempts():
    """The attempts count from the end of the start; a second start has the whole limit again."""
    clock = SkippingClock()
    start, failure = response(START_PAGE, status=503, headers=HTML), response(b"no", status=502)
    pages = [*[start] * 20, failure, *[start] * 20, failure]
    async with (
        raw_server(lambda _: pages.pop(0) if pages else file_response()) as server,
        connect(server.url, attempts=3, backoff_initial=0, retry_after_max=80) as session,
    ):
        clock.install(session)
        assert await aioartifact.read_bytes(f"{server.url}/r/a", session=session) == b"content"


async def test_all_requests_wait_together():
    """Requests to a server that is starting up do not each poll it on their own."""
    clock = SkippingClock()
    up = clock.time + 30

    def handler(_):
        return response(START_PAGE, status=503, headers=HTML) if clock.time < up else file_response()

    async with raw_server(handler) as server, connect(server.url) as session:
        clock.install(session)
        urls = [f"{server.url}/r/f{number}" for number in range(10)]
        async with asyncio.timeout(60):
            results = await asyncio.gather(*(aioartifact.read_bytes(url, session=session) for url in urls))
        assert results == [b"content"] * 10
        assert clock.time < up + 60


async def test_proxy_is_not_waited_for():
    """A web page of anything else is repeated as often as the policy says."""
    clock = SkippingClock()
    page = response(NGINX, status=503, headers=HTML)
    async with raw_server(lambda _: page) as server, connect(server.url, attempts=3) as session:
        clock.install(session)
        with pytest.raises(aioartifact.ServerError, match="a proxy before Artifactory"):
            await aioartifact.info(f"{server.url}/r/a", session=session)
        assert len(server.requests) == 3


@pytest.mark.parametrize("page", [TOMCAT_7, TOMCAT_9], ids=["7", "9"])
@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (400, aioartifact.BadRequestError, "check the names and values"),
        (401, aioartifact.AuthenticationError, "check user and password"),
        (403, aioartifact.ForbiddenError, "ask for permission"),
        (404, aioartifact.ResponseError, "Tomcat, in which Artifactory runs, does not know this path"),
        (409, aioartifact.ConflictError, "conflict"),
        (500, aioartifact.ServerError, "try again later"),
        (504, aioartifact.ServerError, "try again later"),
    ],
)
async def test_error_page_of_tomcat(page, status, kind, hint):
    """Tomcat is a part of Artifactory: the hint is that of the status, the words are those of the message."""
    answer = response(page.replace(b"%s", str(status).encode()), status=status, headers=HTML)
    async with raw_server(lambda _: answer) as server, connect(server.url, attempts=1) as session:
        with pytest.raises(kind) as caught:
            await aioartifact.write_bytes(f"{server.url}/r/a", b"x", session=session)
        assert type(caught.value) is kind
        assert caught.value.server_message == "what <went> wrong"
        assert hint in caught.value.hint
        assert "proxy" not in caught.value.hint
