"""Metrics of notify, each beside the behaviour that sets it."""

from __future__ import annotations

import pytest

from services.notify.ports import NotAccepted, Refused
from shared.runtime.metrics import (
    DELIVERIES,
    DELIVERIES_OLDEST_SECONDS,
    DELIVERIES_OVERDUE_SECONDS,
    DELIVERIES_UNCONFIRMED,
    DELIVERIES_WAITING,
    DELIVERY_DELAY_SECONDS,
    DELIVERY_ERRORS,
    DELIVERY_LATE_SECONDS,
)
from tests.support.metrics import MetricDelta, metric_value
from tests.support.notify_stage import Stage, agenda, encounter, everybody


@pytest.fixture
async def stage() -> Stage:
    stage = Stage()
    await stage.consume(*everybody())
    return stage


def late_of(seconds: float) -> float:
    """Return the number of mails that were at most so late."""
    [family] = DELIVERY_LATE_SECONDS.collect()
    [count] = [s.value for s in family.samples if s.name.endswith("_bucket") and float(s.labels["le"]) == seconds]
    return count


async def test_a_sent_mail_is_counted_with_its_delay(stage: Stage) -> None:
    sent, delayed = MetricDelta(DELIVERIES, state="sent", kind="agenda"), MetricDelta(DELIVERY_DELAY_SECONDS)
    in_time = late_of(0)
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    assert (sent.value, delayed.value) == (1, 1)
    assert late_of(0) - in_time == 1


async def test_a_mail_is_late_by_the_time_after_its_longest_window(stage: Stage) -> None:
    late, within_a_minute = MetricDelta(DELIVERY_LATE_SECONDS), late_of(60)
    await stage.consume(agenda(1, encounter(0, 1)))
    stage.time.advance(stage.settings.window.longest.total_seconds() + 61)
    await stage.notify.measure()
    assert metric_value(DELIVERIES_OVERDUE_SECONDS) == 61
    await stage.after(0)
    await stage.notify.measure()
    assert metric_value(DELIVERIES_OVERDUE_SECONDS) == 0
    assert (late.value, late_of(60) - within_a_minute) == (1, 0)


async def test_a_refused_mail_is_counted_as_failed_without_a_delay(stage: Stage) -> None:
    failed, delayed = MetricDelta(DELIVERIES, state="failed", kind="agenda"), MetricDelta(DELIVERY_DELAY_SECONDS)
    stage.mailer.plans.append(Refused("550 no such mailbox"))
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    assert (failed.value, delayed.value) == (1, 0)


async def test_waiting_and_unconfirmed_mails_are_measured(stage: Stage) -> None:
    unconfirmed = MetricDelta(DELIVERIES, state="in_doubt", kind="agenda")
    stage.mailer.drop_after_data("accepted")
    await stage.consume(agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))
    await stage.notify.measure()
    assert (metric_value(DELIVERIES_WAITING), metric_value(DELIVERIES_UNCONFIRMED)) == (2, 0)
    await stage.after(60)
    await stage.notify.measure()
    assert (metric_value(DELIVERIES_WAITING), metric_value(DELIVERIES_UNCONFIRMED)) == (0, 1)
    assert unconfirmed.value == 1


async def test_the_age_of_the_oldest_owed_mail_is_measured(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    stage.time.advance(30)
    await stage.notify.measure()
    assert metric_value(DELIVERIES_OLDEST_SECONDS) == 30
    await stage.after(60)
    await stage.notify.measure()
    assert metric_value(DELIVERIES_OLDEST_SECONDS) == 0


async def test_an_attempt_without_an_accepted_mail_is_counted_by_its_kind(stage: Stage) -> None:
    deferred, unconfirmed = (MetricDelta(DELIVERY_ERRORS, kind=kind) for kind in ("deferred", "unconfirmed"))
    stage.mailer.plans.append(NotAccepted("450 try again"))
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    assert (deferred.value, unconfirmed.value) == (1, 0)
    stage.mailer.drop_after_data("lost")
    await stage.after(600)
    assert (deferred.value, unconfirmed.value) == (1, 1)
