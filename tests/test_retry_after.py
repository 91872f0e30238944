"""Retry-After: a delay or a date, which counts from the clock of the server that sent it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import pytest
from raw_http import checksum_headers, raw_server, response

import aioartifact
from aioartifact import query
from aioartifact._session import STATES, Clock

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 29, 11, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}


class SkippingClock:
    """A clock on which waiting takes no time, and back-off has no length."""

    def __init__(self, session):
        self.time = 0.0
        STATES[session].clock = Clock(
            now=lambda: self.time,
            wall=lambda: NOW + timedelta(seconds=self.time),
            sleep=self.sleep,
            draw=lambda: 0.0,
        )

    async def sleep(self, seconds):
        self.time += seconds
        await anyio.lowlevel.checkpoint()


def date(moment, spelling="imf"):
    match spelling:
        case "imf":
            return format_datetime(moment, usegmt=True)
        case "rfc850":
            return moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")
        case _:
            return moment.strftime("%a %b %d %H:%M:%S %Y")


async def read(url, session, _):
    await aioartifact.read_bytes(url, session=session)


async def downloaded(url, session, folder):
    await aioartifact.download(url, folder, session=session)


async def deployed(url, session, folder):
    (folder / "new").write_bytes(b"content")
    await aioartifact.deploy(folder / "new", url, session=session)


async def offered(url, session, folder):
    (folder / "new").write_bytes(b"content")
    await aioartifact.deploy(folder / "new", url, min_checksum_deploy=1, session=session)


async def written(url, session, _):
    await aioartifact.write_bytes(url, b"content", session=session)


async def deleted(url, session, _):
    await aioartifact.delete(url, session=session)


async def queried(url, session, _):
    async for _ in aioartifact.aql(url.rpartition("/r/")[0], query.items(repo="r"), session=session):
        pass


CALLS = [read, downloaded, deployed, offered, written, deleted, queried]


def success(request):
    match request.method:
        case "GET":
            return response(b"content", headers=checksum_headers(b"content"))
        case "POST":
            return response(b'{"results":[]}', headers=JSON)
        case _:
            return response(status={"PUT": 201, "DELETE": 204}[request.method])


def connect(server):
    return aioartifact.session(server.url, auth=("user", "secret"))


async def waited(headers, folder, *, status=429, call=read):
    """Seconds until the second request, of a call whose first is answered with *status* and *headers*."""

    def handler(request):
        return response(status=status, headers=headers) if len(server.requests) == 1 else success(request)

    async with raw_server(handler) as server, connect(server) as session:
        clock = SkippingClock(session)
        await call(f"{server.url}/r/f", session, folder)
        assert len(server.requests) == 2
        return clock.time


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [429, 503, 500])
async def test_every_kind_of_request_waits(call, status, tmp_path):
    """As long as the server asks, and no longer."""
    assert await waited({"Retry-After": "7"}, tmp_path, status=status, call=call) == 7


@pytest.mark.parametrize("skew", [-86400.0, -3.0, 0.0, 3.0, 86400.0])
@pytest.mark.parametrize("spelling", ["imf", "rfc850", "asctime"])
async def test_clock_of_the_server(skew, spelling, tmp_path):
    """The difference between the two dates of a response counts, wherever its clock stands."""
    sent = NOW + timedelta(seconds=skew)
    headers = {"Date": date(sent, spelling), "Retry-After": date(sent + timedelta(seconds=30), spelling)}
    assert await waited(headers, tmp_path) == 30


@pytest.mark.parametrize("sent", [None, "", "now", "Sun, 99 Nov 2026 11:00:00 GMT", "0"])
async def test_response_without_a_usable_date(sent, tmp_path):
    """Then our own clock counts."""
    headers = {"Retry-After": date(NOW + timedelta(seconds=30))} | ({} if sent is None else {"Date": sent})
    assert await waited(headers, tmp_path) == 30


@pytest.mark.parametrize("sent", [NOW, NOW + timedelta(days=1), NOW - timedelta(days=1)])
async def test_date_that_is_over(sent, tmp_path):
    """It asks for nothing."""
    headers = {"Date": date(sent), "Retry-After": date(sent - timedelta(seconds=30))}
    assert await waited(headers, tmp_path) == 0


@pytest.mark.parametrize("value", ["soon", "-5", "1.5"])
async def test_nonsense(value, tmp_path):
    """It asks for nothing."""
    assert await waited({"Retry-After": value}, tmp_path) == 0


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("by_date", [False, True])
async def test_longer_than_allowed(call, status, by_date, tmp_path):
    """One request; the error has the delay as a number and in its text."""
    sent = NOW - timedelta(days=3)
    value = date(sent + timedelta(seconds=5000)) if by_date else "5000"
    refusal = response(status=status, headers={"Date": date(sent), "Retry-After": value})
    async with raw_server(lambda _: refusal) as server, connect(server) as session:
        clock = SkippingClock(session)
        with pytest.raises(aioartifact.ResponseError) as caught:
            await call(f"{server.url}/r/f", session, tmp_path)
        assert (len(server.requests), clock.time) == (1, 0)
        assert caught.value.retry_after == 5000
        assert "the server asks to wait 5000 s" in str(caught.value)


@pytest.mark.parametrize(("status", "kind"), [(429, aioartifact.RateLimitedError), (503, aioartifact.ServerError)])
async def test_outcomes_of_a_bulk_call(status, kind, tmp_path):
    """The first error has the delay in its text; the others are not requested, since the server does not want them."""
    refusal = response(status=status, headers={"Retry-After": "5000"})
    async with raw_server(lambda _: refusal) as server, connect(server) as session:
        urls = [f"{server.url}/r/f{number}" for number in range(30)]
        report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
        assert (len(report.failed), len(server.requests)) == (30, 1)
        texts = sorted(str(outcome.error) for outcome in report.failed)
        assert sum("asks to wait 5000 s" in text for text in texts) == 1
        assert (
            sum(
                f"not requested: the server asked for a longer pause than allowed before ({status})" in text
                for text in texts
            )
            == 29
        )
        assert {type(outcome.error) for outcome in report.failed} == {kind}


async def test_call_after_a_demand_that_was_too_long():
    """A later call sends a request, and without the demand it succeeds."""

    def handler(request):
        refusal = response(status=429, headers={"Retry-After": "5000"})
        return refusal if len(server.requests) == 1 else success(request)

    async with raw_server(handler) as server, connect(server) as session:
        with pytest.raises(aioartifact.RateLimitedError):
            await read(f"{server.url}/r/f", session, None)
        await read(f"{server.url}/r/f", session, None)
        assert len(server.requests) == 2


async def test_listing_after_a_demand_that_is_too_long():
    """No other way of listing is tried."""
    refusal = response(status=503, headers={"Retry-After": "5000"})
    async with raw_server(lambda _: refusal) as server, connect(server) as session:
        with pytest.raises(aioartifact.ServerError, match="asks to wait 5000 s"):
            async for _ in aioartifact.walk(f"{server.url}/r/d", session=session):
                pass
        assert len(server.requests) == 1
