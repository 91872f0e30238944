"""What the library logs: requests at DEBUG, retries, pauses and resumes at INFO, nothing by default."""

import logging
import re

import pytest

import aioartifact
from aioartifact.testing import Fault


def lines(caplog, name, level):
    return [each.getMessage() for each in caplog.records if each.name == name and each.levelno == level]


async def test_each_request(server, session, caplog):
    """Method, URL, status, bytes and milliseconds; the URL without its query."""
    caplog.set_level(logging.DEBUG, "aioartifact")
    server.put("generic-local/a", b"12345")
    url = f"{server.url}/generic-local/a"
    await aioartifact.read_bytes(url, session=session)
    await aioartifact.exists(f"{url}b", session=session)
    await aioartifact.rest_api_get(f"{url}?token=S3cret", session=session)
    shown = [re.sub(r"\d+ ms", "N ms", line) for line in lines(caplog, "aioartifact.http", logging.DEBUG)]
    assert shown[0] == f"GET {url}: 200, 5 bytes, N ms"
    assert re.fullmatch(
        re.escape(f"GET {server.url}/api/storage/generic-local/ab: 404, ") + r"\d+ bytes, N ms", shown[1]
    )
    assert shown[2] == f"GET {url}?***: 200, 5 bytes, N ms"
    assert len(shown) == 3


async def test_redirect(redirecting_server, caplog):
    """Each hop is a request; a signature is not shown."""
    caplog.set_level(logging.DEBUG, "aioartifact")
    server = redirecting_server
    server.put("generic-local/a", b"12345")
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
        await aioartifact.read_bytes(f"{server.url}/generic-local/a", session=session)
    shown = lines(caplog, "aioartifact.http", logging.DEBUG)
    assert [re.search(r": (\d+), (\d+) bytes", line).groups() for line in shown[:2]] == [("302", "0"), ("200", "5")]
    assert "Signature" not in "".join(shown)


@pytest.mark.parametrize(
    ("fault", "reason"), [(Fault.status(500), "500"), (Fault.status(429), "429"), (Fault.status(503), "503")]
)
async def test_retry(server, session, caplog, fault, reason):
    """What failed, and the number of the next attempt."""
    caplog.set_level(logging.INFO, "aioartifact")
    server.put("generic-local/a", b"1")
    server.fail("GET", "api/storage/generic-local/a", fault=fault)
    url = f"{server.url}/api/storage/generic-local/a"
    await aioartifact.info(f"{server.url}/generic-local/a", session=session)
    retries = lines(caplog, "aioartifact.retry", logging.INFO)
    assert re.fullmatch(re.escape(f"GET {url}: ") + reason + r"; attempt 2 in \d+\.\d s", retries[0])
    pauses = [line for line in retries if "all requests to it pause for" in line]
    assert len(pauses) == (reason != "500")
    assert not lines(caplog, "aioartifact.http", logging.DEBUG)


async def test_resume(server, session, caplog):
    """A body that broke off is resumed."""
    caplog.set_level(logging.INFO, "aioartifact")
    server.put("generic-local/a", bytes(1_000_000))
    server.fail("GET", "generic-local/a", fault=Fault.truncate(after=300_000))
    await aioartifact.read_bytes(f"{server.url}/generic-local/a", session=session)
    (line,) = lines(caplog, "aioartifact.retry", logging.INFO)
    assert re.fullmatch(r"response broke off; resumed as attempt 2 in \d+\.\d s", line)


async def test_request_without_a_response(caplog):
    """The type of the error only: its text may quote what a server sent."""
    caplog.set_level(logging.DEBUG, "aioartifact")
    async with aioartifact.session(retry=aioartifact.RetryPolicy(attempts=2, backoff_initial=0)) as session:
        with pytest.raises(aioartifact.ConnectError):
            await aioartifact.info("http://127.0.0.1:9/artifactory/r/a", session=session)
    (line,) = lines(caplog, "aioartifact.http", logging.DEBUG)
    assert re.fullmatch(r"GET http://127\.0\.0\.1:9/artifactory/api/storage/r/a: Client\w+, \d+ ms", line)
    (line,) = lines(caplog, "aioartifact.retry", logging.INFO)
    assert re.fullmatch(r"GET http://127\.0\.0\.1:9/artifactory/api/storage/r/a: Client\w+; attempt 2 in 0\.0 s", line)


async def test_silence_by_default(server, session, capfd):
    """Without a configuration of logging, nothing reaches stderr."""
    server.put("generic-local/a", b"1")
    server.fail("GET", "api/storage/generic-local/a", fault=Fault.status(500))
    await aioartifact.info(f"{server.url}/generic-local/a", session=session)
    assert capfd.readouterr().err == ""
