"""What a session has done."""

import aiohttp

from .._models import SessionStats
from .._session import state_of


def stats(session: aiohttp.ClientSession) -> SessionStats:
    """
    Return what a session has done since it was opened; no request.

    Numbers for the health endpoint or the log of a service. Each session of :func:`with_credentials` has its own,
    except for *in_flight*. For traces and metrics of all sessions, see :mod:`aioartifact.otel`.

    Args:
        session: An open session.

    Raises:
        SessionError: If *session* is closed, or belongs to another event loop or process.
        InvalidArgumentError: If *session* is not an aiohttp.ClientSession.
    """
    state = state_of(session)
    traffic = state.traffic
    return SessionStats(
        requests=traffic.requests,
        retries=traffic.retries,
        rate_limited=traffic.rate_limited,
        in_flight=sum(limits.queue.limit.in_flight for limits in state.server_limits.values()),
        bytes_received=traffic.bytes_received,
        bytes_sent=traffic.bytes_sent,
        bytes_resumed=traffic.bytes_resumed,
        cache_hits=traffic.cache_hits,
    )
