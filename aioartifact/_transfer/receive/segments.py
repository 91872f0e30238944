"""Who fetches which bytes of a file, and whether another connection is worth its while: arithmetic only."""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from .content import Range

# A smaller share would hardly pay for its request.
_LEAST = 4 * 1024 * 1024
# Another connection must save more time than a request takes: so many seconds, and so many first bytes.
_SAVES_SECONDS = 0.25
_SAVES_REPLIES = 10
_MOST_REPLY_SECONDS = 1.0
# A rate that was seen for a shorter time is chance.
_WINDOW = 0.2
# What bounds a transfer: above this share of the time it is not the network.
_BUSY = 0.6
# What further connections must bring, of what they would bring on an empty line.
_GAIN = 0.3
# A line that was full may have become emptier.
_FULL_SECONDS = 10.0


@dataclass(slots=True, eq=False)
class Segment:
    """
    What one connection fetches; its end comes nearer when another one takes a share.

    Attributes:
        position: Offset of the next byte.
        stop: Offset behind the last byte.
    """

    position: int
    stop: int

    @property
    def rest(self) -> int:
        """Bytes still to come."""
        return self.stop - self.position


class Segments:
    """
    The missing bytes of a file, divided among connections.

    Args:
        gaps: The missing bytes.
        size: Bytes of the whole file, or as many as there may be.
    """

    def __init__(self, gaps: Iterable[Range], size: int) -> None:
        self._gaps = sorted(gaps)
        self._size = size
        self.busy: list[Segment] = []

    def take(self) -> Segment | None:
        """The first bytes that are not being fetched; None if there are none."""
        if not self._gaps:
            return None
        segment = Segment(*self._gaps.pop(0))
        self.busy.append(segment)
        return segment

    def split(self, min_size: int) -> Segment | None:
        """Half of the largest range that is being fetched; None if that is less than *min_size* bytes."""
        largest = max(self.busy, key=self._rest_of, default=None)
        if largest is None or self._rest_of(largest) < 2 * min_size:
            return None
        stop = min(largest.stop, self._size)
        largest.stop = (largest.position + stop) // 2
        segment = Segment(largest.stop, stop)
        self.busy.append(segment)
        return segment

    def end(self, segment: Segment) -> None:
        """Take a share back; what is missing of it is for others."""
        self.busy.remove(segment)
        if self._rest_of(segment) > 0:
            insort(self._gaps, Range(segment.position, min(segment.stop, self._size)))

    def _rest_of(self, segment: Segment) -> int:
        return min(segment.stop, self._size) - segment.position


class TransferSample(NamedTuple):
    """
    What a transfer looks like at one moment; all but the first count from its beginning.

    Attributes:
        now: Seconds.
        size: Bytes that are here.
        working: Seconds that the event loop has worked, for this transfer or another.
        blocked: Seconds that connections have waited for the disk.
    """

    now: float
    size: int
    working: float
    blocked: float


class RangeScaler:
    """
    Decides how many more connections a file gets: twice as many, as long as more connections bring more bytes.

    Nothing is gained where the network is not what is slow: while event loop and disk are busy, one is enough.

    Args:
        sample: What the transfer looks like when its first bytes are here.
        reply_seconds: How long the first byte was waited for.
    """

    def __init__(self, sample: TransferSample, reply_seconds: float) -> None:
        self._last = sample
        # A reply that had to be waited for, or asked for again, says little about the next one.
        self._reply_seconds = min(reply_seconds, _MOST_REPLY_SECONDS)
        self._rate = 0.0
        self._connections = 1
        self._full_until = -inf

    @property
    def min_size(self) -> int:
        """How many bytes a share must have to be worth a request: it must take noticeably longer than the answer."""
        seconds = max(_SAVES_SECONDS, _SAVES_REPLIES * self._reply_seconds)
        return max(_LEAST, int(self._rate / self._connections * seconds))

    def more(self, sample: TransferSample, connections: int) -> int:
        """How many connections to add to those there are."""
        seconds = sample.now - self._last.now
        if seconds < max(_WINDOW, 2 * self._reply_seconds):
            return 0
        rate = (sample.size - self._last.size) / seconds
        # They take turns more than they overlap: with one batch in the thread, the next one waits for it.
        working = sample.working - self._last.working
        busy = (working + (sample.blocked - self._last.blocked) / connections) / seconds
        growth = connections / self._connections - 1
        if growth > 0 and rate < self._rate * (1 + _GAIN * growth):
            self._full_until = sample.now + _FULL_SECONDS
        self._last, self._rate, self._connections = sample, rate, connections
        return 0 if busy > _BUSY or sample.now < self._full_until else connections
