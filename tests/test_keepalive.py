"""Connections that die without a word: TCP notices, as the time for a reply may be long."""

import math
import socket

import pytest
from raw_http import raw_server, response

import aioartifact

pytestmark = pytest.mark.anyio

OPTIONS = {"TCP_KEEPIDLE": 30, "TCP_KEEPALIVE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


async def tcp_options(*names, **timeouts):
    """The options, of those that the platform has, of a connection that is in use; and whether keep-alive is on."""
    async with (
        raw_server(lambda _: response(b"x", length=10)) as server,
        aioartifact.session(server.url, auth=("user", "secret"), timeouts=aioartifact.Timeouts(**timeouts)) as session,
        session.get(f"{server.url}/r/a") as answer,
    ):
        opened = answer.connection.transport.get_extra_info("socket")
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        known = {name: getattr(socket, name) for name in names if hasattr(socket, name)}
        return {name: opened.getsockopt(socket.IPPROTO_TCP, option) for name, option in known.items()}


@pytest.mark.parametrize("timeouts", [{}, {"reply": math.inf, "stall": math.inf}])
async def test_probes(timeouts):
    """Half a minute of silence starts three probes, ten seconds apart, whatever the limits of time are."""
    found = await tcp_options(*OPTIONS, **timeouts)
    assert found == {name: OPTIONS[name] for name in found}
    assert found


@pytest.mark.parametrize(
    ("timeouts", "milliseconds"),
    [
        ({}, 60_000),
        ({"stall": 0.1, "connect": 1.0}, 60_000),
        ({"stall": 300.0}, 300_000),
        ({"connect": 90.5}, 90_500),
        ({"stall": 1e12}, 2**31 - 1),
        ({"stall": math.inf}, 0),
    ],
)
async def test_limit_of_unacknowledged_data(timeouts, milliseconds):
    """About a minute, unless the caller allows longer pauses: a server that takes nothing for a while is alive."""
    found = await tcp_options("TCP_USER_TIMEOUT", **timeouts)
    assert found in ({}, {"TCP_USER_TIMEOUT": milliseconds})
