"""How much happens at once and per second, over a real socket."""

import asyncio
import ssl

import aiohttp
import anyio
import pytest

import aioartifact
from aioartifact import _session
from aioartifact._address import parse_item_url, parse_server_url
from aioartifact._protocol import build_download
from aioartifact._session.limits import RequestQueue
from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

PATH = "generic-local/a.bin"
AT_FIRST = 4


@pytest.fixture
def url(server):
    server.put(PATH, b"bytes")
    return f"{server.url}/{PATH}"


def lane_of(session, server) -> RequestQueue:
    return _session.STATES[session].route(parse_server_url(server.url)).limits.queue


class SkippingClock:
    """A clock that skips what is waited for."""

    def __init__(self):
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def limited(server):
    """Opens a session with limits, on a clock of its own."""

    def opened(**limits):
        clock = SkippingClock()
        credentials = aioartifact.Credentials.basic(server.username, server.password)
        state = _session.SessionState(
            lambda _: credentials,
            limits=aioartifact.Limits(**limits),
            clock=_session.Clock(now=clock.now, sleep=clock.sleep),
        )
        return _session.new_session(state, verify=True, cert=None, proxy=None, user_agent=None), clock

    return opened


async def test_few_requests_at_first_and_more_with_every_answer(server, url, session):
    """The capacity of the server is unknown; the others wait in line, and all get responses."""
    assert await aioartifact.exists(url, session=session)
    lane = lane_of(session, server)
    assert (lane.limit.in_flight, lane.spare) == (0, AT_FIRST)
    handle = server.fail("GET", "api/storage/**", times=None, fault=Fault.hold())
    calls = asyncio.gather(*(aioartifact.exists(url, session=session) for _ in range(40)))
    await handle.reached()
    assert (lane.limit.in_flight, lane.spare) == (AT_FIRST, 0)
    handle.release()

    assert all(await calls)
    assert lane.limit.in_flight == 0
    assert AT_FIRST < lane.spare <= aioartifact.Limits().max_connections


async def test_bulk_call_asks_for_more_than_it_began_with(server, session, tmp_path):
    """Small files soon use all connections there are."""
    for number in range(60):
        server.put(f"generic-local/{number}.bin", b"bytes")
    urls = [f"{server.url}/generic-local/{number}.bin" for number in range(60)]
    report = await aioartifact.download_many(urls, tmp_path, session=session)

    assert len(report.downloaded) == 60
    assert lane_of(session, server).limit.in_flight == 0
    assert _session.spare_requests(session, parse_server_url(server.url)) > AT_FIRST


@pytest.mark.parametrize("status", [429, 503])
async def test_refusal_for_load_halves_what_is_in_flight(server, url, session, status):
    """Both statuses speak of the server and not of one request."""
    assert await aioartifact.exists(url, session=session)
    server.fail("GET", "api/storage/**", times=1, fault=Fault.status(status))
    assert await aioartifact.exists(url, session=session)

    assert lane_of(session, server).limit.current == AT_FIRST // 2


@pytest.mark.parametrize("fault", [Fault.status(404), Fault.reset(), Fault.flip()], ids=["refused", "reset", "damaged"])
async def test_failed_request_makes_room(server, url, session, tmp_path, fault):
    """However a request ends, it is not in flight any more."""
    server.fail("*", "**", times=None, fault=fault)
    with pytest.raises(aioartifact.ArtifactoryError):
        await aioartifact.download(url, tmp_path, session=session)

    assert lane_of(session, server).limit.in_flight == 0


async def test_response_dropped_before_the_end_of_its_block(server, url, session):
    """Its slot is given back once."""
    item = parse_item_url(url)
    async with _session.stream(session, build_download(item), _session.start_operation(session)) as reply:
        reply.drop()
        assert lane_of(session, server).limit.in_flight == 0

    assert lane_of(session, server).limit.in_flight == 0


async def test_body_that_is_not_read_to_its_end_is_not_held(server, url, session):
    """A session that lives long keeps nothing of the responses that it has had."""
    server.put(PATH, bytes(3_000_000))
    async with aioartifact.stream(url, session=session) as chunks:
        await anext(chunks)
        assert len(_session.STATES[session].watch._bodies) == 1

    assert not _session.STATES[session].watch._bodies


async def test_answer_lets_the_next_one_start(server, url, session, monkeypatch):
    """What a fast answer adds to the limit is used at once, not only when a body has ended."""
    monkeypatch.setattr("aioartifact._session.limits._PATIENCE", 600)
    server.put(PATH, bytes(3_000_000))
    assert await aioartifact.exists(url, session=session)  # the first request goes alone
    opened, all_opened = 0, anyio.Event()

    async def hold_open():
        nonlocal opened
        async with aioartifact.stream(url, session=session):
            opened += 1
            if opened == 2 * AT_FIRST:
                all_opened.set()
            await all_opened.wait()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for _ in range(2 * AT_FIRST):
                group.start_soon(hold_open)


async def test_cancelled_requests_leave_the_line(server, url, session):
    """Neither those in flight nor those that wait are counted once they are cancelled."""
    assert await aioartifact.exists(url, session=session)
    lane = lane_of(session, server)
    handle = server.fail("GET", "api/storage/**", times=None, fault=Fault.hold())
    async with anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(lambda: aioartifact.exists(url, session=session))
        await handle.reached()
        group.cancel_scope.cancel()
    handle.release()

    assert (lane.limit.in_flight, lane.awaited, lane.spare) == (0, 0, AT_FIRST)


async def test_first_in_line_is_first_served():
    """No request is overtaken, and one that is cancelled, even when it is due, occupies no slot."""
    lane, order = RequestQueue(1), []

    async def pass_by(number):
        await lane.enter()
        order.append(number)

    await lane.enter()
    tasks = [asyncio.ensure_future(pass_by(number)) for number in range(5)]
    await anyio.wait_all_tasks_blocked()
    tasks[1].cancel()
    lane.leave()
    tasks[0].cancel()  # it has been called, and does not know yet
    await anyio.wait_all_tasks_blocked()
    for _ in range(2):
        lane.leave()
        await anyio.wait_all_tasks_blocked()
    lane.leave()

    assert order == [2, 3, 4]
    assert lane.spare == 1


async def test_body_that_nobody_reads_keeps_nobody_out(server, url, session, monkeypatch):
    """A listing that is read as slowly as its files are fetched must not wait for them while they wait for it."""
    monkeypatch.setattr("aioartifact._session.limits._PATIENCE", 0.01)
    server.put(PATH, bytes(4 << 20))
    request = _session_request(url, server)
    async with _session.stream(session, request):
        lane_of(session, server).limit._go_back(1)
        assert lane_of(session, server).spare == 0
        assert await aioartifact.exists(url, session=session)

    assert lane_of(session, server).limit.in_flight == 0


def _session_request(url, server):
    from aioartifact._address import parse_item_url
    from aioartifact._protocol import build_download

    return build_download(parse_item_url(url, [parse_server_url(server.url)]))


async def test_session_of_the_users_own_is_not_paced(server, url):
    """Its limits are its owner's; nothing of it is handed to range requests either."""
    headers = {"Authorization": aiohttp.encode_basic_auth(server.username, server.password)}
    async with aiohttp.ClientSession(headers=headers) as own:
        handle = server.fail("GET", "api/storage/**", times=None, fault=Fault.hold())
        calls = asyncio.gather(*(aioartifact.exists(url, session=own) for _ in range(12)))
        await handle.reached()
        assert lane_of(own, server).awaited == 12
        handle.release()
        assert all(await calls)
        assert _session.spare_requests(own, parse_server_url(server.url)) == 0


async def test_requests_per_second(server, url, limited):
    """Requests of all tasks are spread over time."""
    opening, clock = limited(max_requests_per_second=10)
    async with await opening as session:
        await asyncio.gather(*(aioartifact.exists(url, session=session) for _ in range(21)))

    assert server.count("GET", "api/storage/**") == 21
    assert clock.time == pytest.approx(2.0)


async def test_bytes_per_second_of_downloads(server, limited, tmp_path):
    """Files in flight share one rate; what arrives is right."""
    contents = {f"{number}.bin": bytes([number]) * 300_000 for number in range(4)}
    for name, content in contents.items():
        server.put(f"generic-local/{name}", content)
    opening, clock = limited(max_bytes_per_second=100_000)
    async with await opening as session:
        urls = [f"{server.url}/generic-local/{name}" for name in contents]
        await aioartifact.download_many(urls, tmp_path, session=session)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == contents
    assert clock.time == pytest.approx(12.0, rel=0.05)


async def test_bytes_per_second_of_uploads(server, limited, tmp_path):
    """What is sent counts like what is received."""
    content = bytes(range(256)) * 2000
    (tmp_path / "local").write_bytes(content)
    opening, clock = limited(max_bytes_per_second=64_000)
    async with await opening as session:
        await aioartifact.deploy(tmp_path / "local", f"{server.url}/{PATH}", session=session)

    assert server.read(PATH) == content
    assert clock.time == pytest.approx(len(content) / 64_000, rel=0.05)


@pytest.mark.parametrize("direction", ["down", "up"])
async def test_own_limit_is_no_stall(server, tmp_path, direction):
    """A line that is slow because we want it so may be silent for longer than a server may."""
    content = bytes(300_000)
    server.put(PATH, content)
    # Every try begins at the first byte: one may end in a stall of this machine, but all would in one of our making.
    server.fail("GET", PATH, times=None, fault=Fault.drop_checksums())
    (tmp_path / "local").write_bytes(content)
    async with aioartifact.session(
        server.url,
        auth=(server.username, server.password),
        timeouts=aioartifact.Timeouts(stall=0.4, reply=0.4),
        limits=aioartifact.Limits(max_bytes_per_second=200_000),
        retry=aioartifact.RetryPolicy(attempts=10, backoff_initial=0),
    ) as session:
        if direction == "down":
            await aioartifact.download(f"{server.url}/{PATH}", tmp_path / "copy", session=session)
            assert (tmp_path / "copy").read_bytes() == content
        else:
            await aioartifact.deploy(tmp_path / "local", f"{server.url}/generic-local/new.bin", session=session)


@pytest.mark.parametrize("status", [401, 403, 410])
async def test_url_of_a_redirect_that_is_not_valid_any_more(redirecting_server, tmp_path, status):
    """Signed URLs live for minutes: Artifactory is asked for a fresh one, in the middle of a file as well."""
    server = redirecting_server
    content = bytes(range(256)) * 4096
    server.put(PATH, content)
    auth = (server.username, server.password)
    retry = aioartifact.RetryPolicy(attempts=2, backoff_initial=0)
    async with aioartifact.session(server.url, auth=auth, retry=retry) as session:
        server.fail("GET", "storage:**", times=1, fault=Fault.truncate(after=300_000))
        server.fail("GET", "storage:**", times=1, fault=Fault.status(status))
        await aioartifact.download(f"{server.url}/{PATH}", tmp_path / "copy", session=session)

    assert (tmp_path / "copy").read_bytes() == content
    assert [request.status for request in server.requests if request.origin == "storage"] == [200, status, 206]
    assert [request.status for request in server.requests].count(302) == 3


async def test_storage_that_really_refuses(redirecting_server, tmp_path):
    """Asked once more, and then it is a refusal."""
    server = redirecting_server
    server.put(PATH, b"bytes")
    handle = server.fail("GET", "storage:**", times=None, fault=Fault.status(403))
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
        with pytest.raises(aioartifact.ForbiddenError):
            await aioartifact.download(f"{server.url}/{PATH}", tmp_path, session=session)

    assert handle.hits == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param(
            {"proxy": "ftp://localhost:3128"}, r"proxy=.ftp://localhost:3128.: expected a URL", id="proxy-scheme"
        ),
        pytest.param({"proxy": "socks5://host:1"}, "expected a URL such as http", id="proxy-other-scheme"),
        pytest.param({"proxy": "http://user:s3cret@:80"}, r"proxy='http://\*\*\*@:80'", id="proxy-no-host"),
        pytest.param({"proxy": "http://host:port"}, "expected a URL such as http", id="proxy-bad-port"),
        pytest.param({"proxy": 3128}, "proxy is a int; expected a URL", id="proxy-number"),
        pytest.param({"user_agent": "a\r\nX-Own: b"}, "expected text without control characters", id="agent-newline"),
        pytest.param({"user_agent": ""}, "expected text without control characters", id="agent-empty"),
        pytest.param({"user_agent": b"x"}, "expected text without control characters", id="agent-bytes"),
    ],
)
async def test_option_of_a_session_that_cannot_work(options, complaint):
    """It is an error at the call, not at the first request, and without a password."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=complaint) as caught:
        async with aioartifact.session(**options):
            pytest.fail("was opened")
    assert "s3cret" not in str(caught.value)


async def test_certificate_is_not_loaded_into_a_context_of_the_users(tmp_path):
    """Their context may serve other connections, which must not show the certificate."""
    context = ssl.create_default_context()
    with pytest.raises(aioartifact.InvalidArgumentError, match="cert is given with an SSLContext") as caught:
        async with aioartifact.session(verify=context, cert=tmp_path / "client.pem"):
            pytest.fail("was opened")
    assert caught.value.hint == "load the certificate into the context: context.load_cert_chain(...)"


@pytest.mark.parametrize(
    ("entry", "is_direct"),
    [
        pytest.param("127.0.0.1", True, id="host"),
        pytest.param("127.0.0.1:{port}", True, id="host-and-port"),
        pytest.param("127.0.0.1:1", False, id="other-port"),
        pytest.param("example.com, 127.0.0.1:{port}", True, id="one-of-several"),
    ],
)
async def test_no_proxy_with_a_port(server, url, monkeypatch, entry, is_direct):
    """An entry with a port means that port only."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", entry.format(port=parse_server_url(server.url).port))
    auth = (server.username, server.password)
    async with aioartifact.session(server.url, auth=auth, retry=aioartifact.RetryPolicy.none()) as session:
        if is_direct:
            assert await aioartifact.exists(url, session=session)
        else:
            with pytest.raises(aioartifact.ConnectError):
                await aioartifact.exists(url, session=session)


async def test_slot_of_a_waiter_cancelled_at_its_turn_goes_to_the_next():
    """A request that is cancelled after it was called, but before it runs, leaves its slot to the next in line."""
    lane = RequestQueue(1)
    await lane.enter()
    called, next_in_line = [asyncio.ensure_future(lane.enter()) for _ in range(2)]
    await anyio.wait_all_tasks_blocked()
    lane.leave()  # calls the first
    called.cancel()
    with anyio.fail_after(30):
        await asyncio.wait([called])
        await next_in_line
    assert called.cancelled()
    assert lane.limit.in_flight == 1
    lane.leave()
    assert (lane.limit.in_flight, lane.spare) == (0, 1)
