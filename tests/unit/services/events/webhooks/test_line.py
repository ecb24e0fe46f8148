"""The order of an endpoint's open deliveries, and its pace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.events.webhooks.delivery import ReceiverAnswer
from services.events.webhooks.line import DeliveryLine, EndpointPace, OpenDelivery

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TAKEN, REFUSED = ReceiverAnswer(0.1, 200), ReceiverAnswer(0.1, 500)


def delivery(name: str, thing: str, due_at: datetime = NOW) -> OpenDelivery:
    return OpenDelivery(name, "edn_1", thing, due_at)


def test_only_the_oldest_of_a_thing_is_handed_out() -> None:
    line = DeliveryLine()
    first, second, other = delivery("1", "a"), delivery("2", "a"), delivery("3", "b")
    for entry in (first, second, other):
        line.add(entry)
    assert [line.take(NOW), line.take(NOW), line.take(NOW)] == [first, other, None]
    line.postpone(first, NOW + 5 * SECOND)
    assert line.take(NOW) is None
    assert line.take(NOW + 5 * SECOND) == first
    line.settle(first, NOW)
    assert line.take(NOW) == second
    assert (len(line), line.busy) == (2, 2)


def test_a_thing_of_another_edition_is_another_thing() -> None:
    line = DeliveryLine()
    line.add(delivery("1", "a"))
    line.add(OpenDelivery("2", "edn_2", "a", NOW))
    assert line.take(NOW)
    assert line.take(NOW)


def test_all_that_waits_is_due_once_the_endpoint_answers_again() -> None:
    line = DeliveryLine()
    line.add(delivery("1", "a", NOW + 3600 * SECOND))
    line.add(delivery("2", "b", NOW + 7200 * SECOND))
    assert line.take(NOW) is None
    line.hurry(NOW)
    assert line.take(NOW)
    assert line.take(NOW)


def test_an_endpoint_that_fails_gets_a_message_at_a_time_after_growing_pauses() -> None:
    pace, pauses = EndpointPace(4), []
    assert pace.room(1, NOW) == 3
    for _ in range(12):
        pace.note(REFUSED, NOW)
        pauses.append((pace.paused_until or NOW) - NOW)
    assert pauses[:5] == [0 * SECOND, 0 * SECOND, SECOND, 2 * SECOND, 4 * SECOND]
    assert pauses[-1] == 60 * SECOND
    assert (pace.room(0, NOW), pace.room(0, NOW + 60 * SECOND)) == (0, 1)
    assert pace.note(TAKEN, NOW)
    assert pace.room(0, NOW) == 4


def test_a_single_refused_message_among_taken_ones_does_not_slow_the_endpoint() -> None:
    pace = EndpointPace(4)
    for answer in (REFUSED, TAKEN, REFUSED, REFUSED, TAKEN):
        assert not pace.note(answer, NOW)
        assert pace.room(0, NOW) == 4


def test_a_slow_endpoint_gets_a_message_at_a_time_until_it_is_fast_again() -> None:
    pace = EndpointPace(4)
    pace.note(ReceiverAnswer(6.0, 200), NOW)
    assert pace.room(0, NOW) == 1
    pace.note(TAKEN, NOW)
    assert pace.room(0, NOW) == 4
