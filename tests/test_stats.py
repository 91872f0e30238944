"""stats(): what a session has done, as a value."""

import aioartifact
from aioartifact import SessionStats
from aioartifact.testing import Fault


async def test_new_session_has_done_nothing(server, session):
    """All numbers begin at 0."""
    assert aioartifact.stats(session) == SessionStats()


async def test_requests_and_bytes(server, session, tmp_path):
    """Bytes are those of bodies, in both directions."""
    server.put("generic-local/a.bin", bytes(1000))
    await aioartifact.download(f"{server.url}/generic-local/a.bin", tmp_path, session=session)
    (tmp_path / "b.bin").write_bytes(bytes(500))
    await aioartifact.deploy(tmp_path / "b.bin", f"{server.url}/generic-local/b.bin", session=session)
    stats = aioartifact.stats(session)
    assert (stats.requests, stats.bytes_sent, stats.in_flight, stats.retries) == (len(server.requests), 500, 0, 0)
    assert stats.bytes_received >= 1000


async def test_retries_and_rate_limits(server, session, tmp_path):
    """A response 429 counts as such, and the attempt after it as a retry."""
    server.put("generic-local/a.bin", b"a")
    server.fail("GET", "generic-local/a.bin", fault=Fault.status(429))
    server.fail("GET", "generic-local/a.bin", fault=Fault.status(503))
    await aioartifact.read_bytes(f"{server.url}/generic-local/a.bin", session=session)
    stats = aioartifact.stats(session)
    assert (stats.requests, stats.retries, stats.rate_limited) == (3, 2, 1)


async def test_resumed_bytes(server, session, tmp_path):
    """Bytes that a broken download need not transfer again."""
    server.put("generic-local/a.bin", bytes(3_000_000))
    server.fail("GET", "generic-local/a.bin", fault=Fault.truncate(after=2_000_000))
    await aioartifact.download(f"{server.url}/generic-local/a.bin", tmp_path, session=session)
    stats = aioartifact.stats(session)
    assert 0 < stats.bytes_resumed <= 2_000_000
    assert 3_000_000 <= stats.bytes_received < 5_000_000


async def test_requests_in_flight(server, session):
    """A response that has not been read to its end is in flight."""
    server.put("generic-local/a.bin", bytes(3_000_000))
    async with aioartifact.stream(f"{server.url}/generic-local/a.bin", session=session) as body:
        await anext(body)
        assert aioartifact.stats(session).in_flight == 1
    assert aioartifact.stats(session).in_flight == 0


async def test_cache_hits(server, session, tmp_path):
    """Downloads that need no bytes of the server."""
    server.put("generic-local/a/a.bin", bytes(1000))
    for target in ("one", "two"):
        await aioartifact.download_folder(
            f"{server.url}/generic-local/a", tmp_path / target, session=session, cache=tmp_path / "cache"
        )
    assert aioartifact.stats(session).cache_hits == 1


async def test_tenants_are_counted_apart(server, session):
    """A session with other credentials counts its own requests."""
    async with aioartifact.with_credentials(session, (server.username, server.password)) as tenant:
        await aioartifact.ping(server.url, session=tenant)
        assert aioartifact.stats(tenant).requests == 1
    assert aioartifact.stats(session).requests == 0
