"""Token buckets: the rate holds, and the promised wait is right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.registration.domain import limits
from services.registration.domain.limits import CallClass, Rate, RefusalPace, TokenBucket, TokenBuckets
from services.registration.settings import Settings

RATE = Rate(tokens_per_second=2, burst=5)
rates = st.builds(Rate, st.floats(0.01, 1_000), st.integers(1, 1_000))
calls = st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 20)), min_size=1, max_size=60)


def test_a_bucket_begins_full_and_refills_at_its_rate() -> None:
    bucket = TokenBucket(0.0)
    assert [bucket.take(RATE, 1, 0) for _ in range(6)] == [0, 0, 0, 0, 0, 0.5]
    assert bucket.take(RATE, 1, 0.49) > 0
    assert bucket.take(RATE, 1, 0.5) == 0


def test_a_call_dearer_than_the_bucket_takes_a_full_bucket() -> None:
    bucket = TokenBucket(0.0)
    assert bucket.take(RATE, 50, 0) == 0
    assert bucket.take(RATE, 50, 0) == 2.5
    assert bucket.take(RATE, 50, 2.5) == 0


@given(rates, calls)
def test_no_stretch_of_time_admits_more_than_burst_and_refill(rate: Rate, calls: list[tuple[float, float]]) -> None:
    bucket, now, taken = TokenBucket(0.0), 0.0, 0.0
    for pause, tokens in calls:
        now += pause
        if not bucket.take(rate, tokens, now):
            taken += min(tokens, rate.burst)
    assert taken <= rate.burst + now * rate.tokens_per_second + 1e-3


@given(rates, calls)
def test_a_call_succeeds_after_the_wait_and_not_much_sooner(rate: Rate, calls: list[tuple[float, float]]) -> None:
    bucket, now = TokenBucket(0.0), 0.0
    for pause, tokens in calls:
        now += pause
        if wait := bucket.take(rate, tokens, now):
            if wait > 0.01:
                assert bucket.take(rate, tokens, now + wait * 0.99) > 0
            now += wait
            assert bucket.take(rate, tokens, now) == 0


def test_full_buckets_are_forgotten_once_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MANY_BUCKETS", 3)
    buckets = TokenBuckets()
    for number in range(10):
        buckets.take(f"op{number}", CallClass.ORDINARY, RATE, 5, now=float(10 * number))
    buckets.take("op9", CallClass.ORDINARY, RATE, 5, now=90.0)
    assert len(buckets._buckets) <= 4
    assert buckets.take("op9", CallClass.ORDINARY, RATE, 1, now=90.0) > 0


def test_the_classes_of_an_operator_have_buckets_of_their_own() -> None:
    buckets = TokenBuckets()
    buckets.take("op", CallClass.DEAR, RATE, 5, now=0.0)
    assert buckets.take("op", CallClass.DEAR, RATE, 1, now=0.0) > 0
    assert buckets.take("op", CallClass.ORDINARY, RATE, 1, now=0.0) == 0


def test_own_limits_replace_those_of_the_settings() -> None:
    defaults = Settings().operator_limits
    changed = defaults.changed({"participants": 7, "dear_per_minute": 6, "of a later version": 1})
    assert changed.participants == 7
    assert changed.rate(CallClass.DEAR) == Rate(0.1, defaults.dear_burst)
    assert changed.editions == defaults.editions
    with pytest.raises(ValidationError):
        defaults.changed({"participants": -1})


def test_refusals_come_one_after_another_and_never_wait_long() -> None:
    pace = RefusalPace(per_second=10)
    delays = [pace.delay("op", now=0.0) for _ in range(60)]
    assert delays[:3] == pytest.approx([0, 0.1, 0.2])
    assert max(delays) == pytest.approx(5)
    assert delays[-1] == 0  # beyond the longest delay: it would fill the process
    assert pace.delay("op", now=60.0) == 0
    assert pace.delay("other", now=0.0) == 0


def test_a_look_at_a_bucket_takes_nothing() -> None:
    buckets = TokenBuckets()
    assert buckets.wait("op", CallClass.ORDINARY, RATE, 5, now=0.0) == 0
    buckets.take("op", CallClass.ORDINARY, RATE, 5, now=0.0)
    assert [buckets.wait("op", CallClass.ORDINARY, RATE, 1, now=0.0) for _ in range(2)] == [0.5, 0.5]
    assert buckets.wait("op", CallClass.ORDINARY, RATE, 1, now=0.5) == 0
