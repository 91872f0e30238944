"""TCP keep-alive: a dead connection is noticed within about a minute, however long a living server may work."""

import socket
from collections.abc import Callable
from contextlib import suppress
from math import inf

from aiohttp import AddrInfoType

from .._options import Timeouts

_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES = 30, 10, 3
_DEAD_SECONDS = _IDLE_SECONDS + _INTERVAL_SECONDS * _PROBES
# macOS has another name for the first one. What a platform lacks is left at its default, often two hours.
_OPTIONS = {
    "TCP_KEEPIDLE": _IDLE_SECONDS,
    "TCP_KEEPALIVE": _IDLE_SECONDS,
    "TCP_KEEPINTVL": _INTERVAL_SECONDS,
    "TCP_KEEPCNT": _PROBES,
}
_MAX_MILLISECONDS = 2**31 - 1


def socket_factory(timeouts: Timeouts) -> Callable[[AddrInfoType], socket.socket]:
    """Return what makes sockets that fail when the other side is gone, and *timeouts* would not have ended the wait."""
    # Linux counts this also while a server takes no more of an upload, which is allowed for `stall` seconds.
    longest = max(_DEAD_SECONDS, timeouts.stall, timeouts.connect)
    options = dict(_OPTIONS)
    if longest < inf:
        options["TCP_USER_TIMEOUT"] = min(int(longest * 1000), _MAX_MILLISECONDS)

    def make(address: AddrInfoType) -> socket.socket:
        made = socket.socket(*address[:3])
        with suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in options.items():
            if (option := getattr(socket, name, None)) is not None:
                with suppress(OSError):
                    made.setsockopt(socket.IPPROTO_TCP, option, value)
        return made

    return make
