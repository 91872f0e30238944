from hypothesis import given
from hypothesis import strategies as st

from aioartifact._pacing import AdaptiveLimit, TokenBucket

SECONDS = st.floats(0, 1000)
STEPS = st.lists(
    st.tuples(st.sampled_from(["start", "answer", "refuse", "fail"]), SECONDS, st.integers(0, 2**40)), max_size=300
)


@given(maximum=st.integers(1, 300), steps=STEPS)
def test_limit_is_always_between_one_and_the_maximum(maximum, steps):
    """Whatever the server does, and however long it takes, at least one request may be sent, and never too many."""
    limit, now, sent = AdaptiveLimit(maximum), 0.0, []
    for step, seconds, size in steps:
        now += seconds
        if step == "start":
            limit.start()
            sent.append(now)
        elif sent:
            began = sent.pop(len(sent) // 2)
            if step == "answer":
                limit.answered(began, now)
                limit.add_bytes(size)
            elif step == "refuse":
                limit.refused(began, now)
            limit.finish()
        assert 1 <= limit.current <= maximum
        assert limit.in_flight == len(sent)
        assert 0 <= limit.spare <= maximum


@given(
    rate=st.floats(0.001, 1e9),
    burst=st.floats(0.1, 1e6),
    takes=st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 100)), min_size=1, max_size=100),
)
def test_bucket_gives_no_more_than_its_rate(rate, burst, takes):
    """Over any time no more is let through than was in it at first and came in since."""
    bucket, now, taken = TokenBucket.full(rate, burst), 0.0, 0.0
    for amount, pause in takes:
        now += pause
        bucket = bucket.take(amount, now)
        taken += amount
        assert bucket.delay >= 0
        assert taken <= (burst + (now + bucket.delay) * rate) * (1 + 1e-6) + 1e-6
        assert bucket.level <= burst
