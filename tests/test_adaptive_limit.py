import heapq
from collections import deque
from itertools import count

import pytest

from aioartifact._pacing import AdaptiveLimit


class SimulatedServer:
    """
    A server that works on *capacity* requests at a time, each for *service* seconds, behind a line of *delay* seconds.

    More than that wait; above *most_per_second* requests it refuses. One client sends whatever its limit allows.
    """

    def __init__(self, limit, *, capacity=1000, service=0.01, delay=0.02, most_per_second=None, size=0):
        self.limit = limit
        self.capacity, self.service, self.delay, self.size = capacity, service, delay, size
        self.most_per_second = most_per_second
        self.now = 0.0
        self.limits = []
        self.answers = self.refusals = 0
        self._free_at = [0.0] * capacity
        self._recent = deque()
        self._events = []
        self._numbers = count()

    def run(self, requests):
        """Let the client send so many, and return the seconds it took."""
        began = self.now
        while requests or self._events:
            while requests and self.limit.spare:
                self._send()
                requests -= 1
            self.now, _, sent, is_refused = heapq.heappop(self._events)
            self._hear(sent, is_refused=is_refused)
        return self.now - began

    def _send(self):
        self.limit.start()
        is_refused = self._refuses()
        arrives, done = self.now + self.delay / 2, self.now + self.delay
        if not is_refused:
            begins = max(arrives, heapq.heappop(self._free_at))
            heapq.heappush(self._free_at, begins + self.service)
            done = begins + self.service + self.delay / 2
        heapq.heappush(self._events, (done, next(self._numbers), self.now, is_refused))

    def _refuses(self):
        if self.most_per_second is None:
            return False
        while self._recent and self._recent[0] <= self.now - 1:
            self._recent.popleft()
        self._recent.append(self.now)
        return len(self._recent) > self.most_per_second

    def _hear(self, sent, *, is_refused):
        if is_refused:
            self.refusals += 1
            self.limit.refused(sent, self.now)
        else:
            self.answers += 1
            self.limit.answered(sent, self.now)
            self.limit.add_bytes(self.size)
        self.limit.finish()
        self.limits.append(self.limit.current)


def test_far_server_is_soon_asked_for_all():
    """Where only the line is long, the slow start costs less than 15 % of 2,000 small files."""
    server = SimulatedServer(AdaptiveLimit(32), service=0.0, delay=0.02)
    assert server.run(2000) <= 1.15 * 2000 / 32 * 0.02


@pytest.mark.parametrize("size", [0, 10_000], ids=["answers", "bytes"])
@pytest.mark.parametrize("capacity", [4, 8, 20, 64])
def test_pace_stays_near_what_the_server_can_do(capacity, size):
    """It is kept busy, and its queue stays short, whatever the client would be allowed."""
    server = SimulatedServer(AdaptiveLimit(256), capacity=capacity, service=0.05, delay=0.005, size=size)
    server.run(1000)
    server.limits.clear()
    seconds = server.run(10_000)

    assert seconds <= 1.1 * 10_000 / capacity * 0.05
    assert capacity / 2 <= sum(server.limits) / len(server.limits) <= 3 * capacity


@pytest.mark.parametrize("capacity", [1, 2, 8, 64])
def test_no_more_than_the_maximum_are_in_flight(capacity):
    """The user's limit holds, and a server that could do more is asked for all of it."""
    server = SimulatedServer(AdaptiveLimit(8), capacity=capacity, service=0.05)
    server.run(2000)

    assert max(server.limits) <= 8
    assert capacity < 8 or set(server.limits[-500:]) == {8}


def test_refusals_make_it_slower_and_never_stop_it():
    """A server that counts requests is asked about as often as it allows."""
    server = SimulatedServer(AdaptiveLimit(256), most_per_second=400)
    server.run(1000)
    server.answers = server.refusals = 0
    seconds = server.run(10_000)

    assert server.answers / seconds >= 0.6 * 400
    assert server.refusals <= 0.2 * 10_000


def test_refusals_of_one_round_trip_count_once():
    """Requests that were under way when the first was refused say nothing new."""
    limit = AdaptiveLimit(64)
    for _ in range(60):  # each answer of a slow start allows one more
        limit.start()
        limit.in_flight = max(limit.in_flight, limit.current)
        limit.answered(0.0, 0.01)
    before = limit.current
    for now in (1.0, 1.01, 1.02):
        limit.refused(0.9, now)
    assert limit.current == before // 2
    limit.refused(1.03, 1.1)
    assert limit.current == before // 4


def test_client_that_is_itself_slow_keeps_several_requests():
    """What takes its turn in the client's own loop comes late as well; one at a time would leave the line idle."""
    server = SimulatedServer(AdaptiveLimit(32), capacity=1, service=0.0002, delay=0.0)
    server.run(5000)

    assert min(server.limits) >= 4


def test_client_that_asks_for_little_learns_nothing():
    """Two at a time say nothing about thirty."""
    limit = AdaptiveLimit(32)
    for number in range(500):
        limit.start()
        limit.answered(number, number + 0.01)
        limit.finish()

    assert limit.current == 4


def test_spare_is_what_may_start_at_once():
    """It never becomes less than none, even where the limit was lowered below what is in flight."""
    limit = AdaptiveLimit(32)
    assert (limit.current, limit.spare) == (4, 4)
    for _ in range(4):
        limit.start()
    limit.refused(0.0, 1.0)
    assert (limit.current, limit.spare) == (2, 0)
    for _ in range(3):
        limit.finish()
    assert limit.spare == 1
