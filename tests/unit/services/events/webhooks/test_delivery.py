"""The decision after a try, and the time of the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.events.webhooks.delivery import SCHEDULE, ReceiverAnswer, TryVerdict, asked_wait, next_try, verdict_of

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
LAST = len(SCHEDULE) - 1


@pytest.mark.parametrize(
    ("tries_before", "answer", "verdict"),
    [
        (0, ReceiverAnswer(0.1, 200), TryVerdict.DELIVERED),
        (0, ReceiverAnswer(0.1, 299), TryVerdict.DELIVERED),
        (LAST, ReceiverAnswer(0.1, 204), TryVerdict.DELIVERED),
        (0, ReceiverAnswer(0.1, 199), TryVerdict.RETRY),
        (0, ReceiverAnswer(0.1, 301), TryVerdict.RETRY),
        (0, ReceiverAnswer(0.1, 404), TryVerdict.RETRY),
        (0, ReceiverAnswer(0.1, 500), TryVerdict.RETRY),
        (0, ReceiverAnswer(8.0, error="no answer within 8 s"), TryVerdict.RETRY),
        (LAST - 1, ReceiverAnswer(0.1, 500), TryVerdict.RETRY),
        (LAST, ReceiverAnswer(0.1, 500), TryVerdict.FAILED),
        (LAST, ReceiverAnswer(8.0, error="no answer within 8 s"), TryVerdict.FAILED),
        (0, ReceiverAnswer(0.1, 410), TryVerdict.GONE),
        (LAST, ReceiverAnswer(0.1, 410), TryVerdict.GONE),
    ],
)
def test_verdicts(tries_before: int, answer: ReceiverAnswer, verdict: TryVerdict) -> None:
    assert verdict_of(tries_before, answer) is verdict


def test_waits_follow_the_schedule_with_a_jitter() -> None:
    refused = ReceiverAnswer(0.1, 500)
    assert [next_try(number, refused, NOW, 0.0) - NOW for number in range(1, len(SCHEDULE))] == list(SCHEDULE[1:])
    assert next_try(2, refused, NOW, 1.0) - NOW == timedelta(minutes=5.5)
    assert timedelta(days=3) < sum(SCHEDULE, timedelta(0)) < timedelta(days=3.3)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("999999999999999999999", 86400),
        ("Thu, 26 Nov 2026 09:10:00 GMT", 600),
        ("Thu, 26 Nov 2026 08:00:00 GMT", 0),
        ("Thu, 26 Nov 2099 08:00:00 GMT", 86400),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("\u0663", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_and_bounded(text: str, seconds: int) -> None:
    assert asked_wait(ReceiverAnswer(0.1, 503, retry_after=text), NOW) == timedelta(seconds=seconds)


def test_a_longer_wait_of_the_receiver_counts_and_a_shorter_one_does_not() -> None:
    assert next_try(1, ReceiverAnswer(0.1, 429, retry_after="60"), NOW, 0.0) == NOW + timedelta(seconds=60)
    assert next_try(2, ReceiverAnswer(0.1, 429, retry_after="60"), NOW, 0.0) == NOW + timedelta(minutes=5)
    assert asked_wait(ReceiverAnswer(0.1, 200, retry_after="60"), NOW) == timedelta(0)
