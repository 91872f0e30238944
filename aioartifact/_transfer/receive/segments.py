"""Which connection fetches which bytes of a file, and whether another one is worthwhile: arithmetic only."""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from .content import Range

# A smaller share would hardly be worth its request.
_LEAST = 4 * 1024 * 1024
# Another connection must save more time than a request takes: at least this many seconds, and this many times the
# seconds until a response begins.
_SAVES_SECONDS = 0.25
_SAVES_REPLIES = 10
_MOST_REPLY_SECONDS = 1.0
# A rate measured over a shorter time is chance.
_WINDOW = 0.2
# If event loop and disk are busy for more than this share of the time, the network is not the bottleneck.
_BUSY = 0.6
# The share of their gain on an idle line that further connections must achieve.
_GAIN = 0.3
# How long a line counts as full; after that, it may have become idle.
_FULL_SECONDS = 10.0


@dataclass(slots=True, eq=False)
class Segment:
    """
    The range that one connection fetches; it ends earlier when another one takes a share.

    Attributes:
        position: Offset of the next byte.
        stop: Offset after the last byte.
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
        size: Bytes of the whole file, or an upper limit.
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
        """Remove a segment that is not fetched any more; its missing bytes are left to others."""
        self.busy.remove(segment)
        if self._rest_of(segment) > 0:
            insort(self._gaps, Range(segment.position, min(segment.stop, self._size)))

    def _rest_of(self, segment: Segment) -> int:
        return min(segment.stop, self._size) - segment.position


class TransferSample(NamedTuple):
    """
    The state of a transfer at one moment; only the differences between two samples matter.

    Attributes:
        now: Seconds.
        size: Bytes received.
        working: CPU seconds of the event loop's thread, for this transfer or another.
        blocked: Seconds that connections have waited for the disk.
    """

    now: float
    size: int
    working: float
    blocked: float


class RangeScaler:
    """
    Decides how many more connections a file gets: twice as many, as long as more connections raise the throughput.

    None is added where the network is not the bottleneck, that is, while event loop and disk are busy.

    Args:
        sample: State of the transfer when its first bytes have arrived.
        reply_seconds: Seconds until the first response began.
    """

    def __init__(self, sample: TransferSample, reply_seconds: float) -> None:
        self._last = sample
        # A reply that was slow, or requested again, says little about the next one.
        self._reply_seconds = min(reply_seconds, _MOST_REPLY_SECONDS)
        self._rate = 0.0
        self._connections = 1
        self._full_until = -inf

    @property
    def min_size(self) -> int:
        """How many bytes a share must have to be worth a request: it must take much longer than waiting for a reply."""
        seconds = max(_SAVES_SECONDS, _SAVES_REPLIES * self._reply_seconds)
        return max(_LEAST, int(self._rate / self._connections * seconds))

    def more(self, sample: TransferSample, connections: int) -> int:
        """How many connections to add to those there are."""
        seconds = sample.now - self._last.now
        if seconds < max(_WINDOW, 2 * self._reply_seconds):
            return 0
        rate = (sample.size - self._last.size) / seconds
        # Event loop and disk alternate more than they overlap: with one batch in the thread, the next one waits for it.
        working = sample.working - self._last.working
        busy = (working + (sample.blocked - self._last.blocked) / connections) / seconds
        growth = connections / self._connections - 1
        if growth > 0 and rate < self._rate * (1 + _GAIN * growth):
            self._full_until = sample.now + _FULL_SECONDS
        self._last, self._rate, self._connections = sample, rate, connections
        return 0 if busy > _BUSY or sample.now < self._full_until else connections
