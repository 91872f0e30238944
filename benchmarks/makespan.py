"""The least time in which a set of transfers can be done; nothing is measured here."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """
    What lies between client and server.

    Attributes:
        connections: How many may be open at once.
        latency: Seconds from request to answer.
        bandwidth: Bytes per second of each connection.
    """

    connections: int
    latency: float
    bandwidth: float = float("inf")

    def seconds(self, size: int) -> float:
        """Time that one connection is busy with a file."""
        return self.latency + size / self.bandwidth


def ideal_makespan(sizes: Sequence[int], link: Link) -> float:
    """
    Lower bound for a client that requests each file once.

    All connections are busy to the end, or the longest file is on its way all the time, whichever takes longer.
    """
    busy = [link.seconds(size) for size in sizes]
    return max(max(busy), sum(busy) / link.connections)


def ideal_makespan_in_ranges(sizes: Sequence[int], link: Link) -> float:
    """Bound for those who may ask for parts of a file: connections are never idle, and more requests cost nothing."""
    return max(link.latency, sum(map(link.seconds, sizes)) / link.connections)
