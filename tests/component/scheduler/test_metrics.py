"""Metrics of the scheduler, each beside the behaviour that sets it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.scheduler.domain.timetable.verifier import AgendaBroken, Violation
from shared.messaging.inputs import Input
from shared.runtime.metrics import (
    DECISION_SECONDS,
    ENCOUNTERS,
    GAP,
    IMPROVE_SECONDS,
    IMPROVEMENTS,
    REPEATS,
    VERIFIER_REJECTIONS,
)
from tests.support.metrics import MetricDelta
from tests.support.scheduler_editions import HALL, affinity, edition, people, workspace
from tests.support.scheduler_service import SchedulerHarness


async def test_a_batch_is_one_decision_and_its_encounters_are_counted_by_state_and_reason() -> None:
    decisions = MetricDelta(DECISION_SECONDS)
    scheduled = MetricDelta(ENCOUNTERS, state="scheduled", reason="")
    waiting = MetricDelta(ENCOUNTERS, state="waiting", reason="no_table")
    one_slot_one_table = edition(slots=1, zones=(workspace(1), HALL))
    await SchedulerHarness().consume(
        one_slot_one_table, *people("a", "b", "c", "d"), affinity("a", "b"), affinity("c", "d")
    )
    assert decisions.value == 1
    assert (scheduled.value, waiting.value) == (1, 1)


@pytest.mark.parametrize(("fails", "outcome"), [(False, "kept"), (True, "failed")])
async def test_an_improvement_is_timed_and_counted_by_outcome(*, fails: bool, outcome: str) -> None:
    subject = SchedulerHarness()
    subject.solver.fails = fails
    timed, counted = MetricDelta(IMPROVE_SECONDS), MetricDelta(IMPROVEMENTS, outcome=outcome)
    gaps = MetricDelta(GAP)
    await subject.consume(edition(), *people("a", "b"), affinity("a", "b"))
    await subject.later(3)
    assert (timed.value, counted.value, gaps.value) == (1, 1, 0 if fails else 1)


async def test_records_that_change_nothing_are_counted_as_repeats() -> None:
    subject, repeats = SchedulerHarness(), MetricDelta(REPEATS)
    await subject.consume(edition(), *people("a", "b"))
    assert repeats.value == 0
    await subject.consume(edition(), *people("a"))
    assert repeats.value == len([edition(), *people("a")])


async def test_an_agenda_that_breaks_a_rule_is_counted_as_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = SchedulerHarness()

    async def break_a_rule(edition_id: str, inputs: Sequence[Input]) -> None:
        raise AgendaBroken([Violation("person_twice", ("pair_1", "pair_2"))])

    monkeypatch.setattr(subject.journal, "decide", break_a_rule)
    rejections = MetricDelta(VERIFIER_REJECTIONS)
    with pytest.raises(AgendaBroken):
        await subject.consume(edition())
    assert rejections.value == 1
