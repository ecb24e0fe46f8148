"""Metrics of the scheduler, each beside the behaviour that sets it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.improvement.problem import Problem, Solution
from services.scheduler.domain.timetable.verifier import AgendaBroken, Violation
from services.scheduler.service import Pace, Scheduler
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from services.scheduler.solver.pool import SolverFailed
from shared.contract.events import Event
from shared.messaging.inputs import Input, Position
from shared.runtime.metrics import (
    DECISION_SECONDS,
    ENCOUNTERS,
    IMPROVE_SECONDS,
    IMPROVEMENTS,
    VERIFIER_REJECTIONS,
)
from shared.storage.journal import Journal
from shared.storage.journal_store import InMemoryJournalStore
from tests.support.metrics import MetricDelta
from tests.support.scheduler_editions import HALL, NOW, affinity, edition, people, workspace


class DiscardingOutlet:
    """Sends no message anywhere."""

    def pack(self, message: Event) -> dict[str, Any]:
        return {"type": message.TYPE}

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        """Discard the messages."""


class InlineSolver:
    """Solves in the calling process; with `fails`, raises `SolverFailed`."""

    def __init__(self) -> None:
        self.fails = False

    @asynccontextmanager
    async def turn(self, within: float) -> AsyncIterator[None]:
        yield

    async def solve(self, problem: Problem, effort: Effort, within: float) -> Solution:
        if self.fails:
            raise SolverFailed("on purpose")
        return improve(problem, effort)


class MeasuredScheduler:
    """A scheduler whose clock is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.solver = InlineSolver()
        self.journal = Journal(AgendaAggregate(), InMemoryJournalStore(), DiscardingOutlet(), lambda: NOW)
        effort = Effort(rounds=1, round_effort=0.01, steps=200)
        pace = Pace(quiet_seconds=2, announce_seconds=10, change_budget=3, effort=effort)
        self.scheduler = Scheduler(self.journal, self.solver, pace, lambda: NOW, lambda: self.seconds)

    async def consume(self, *events: Event) -> None:
        inputs = [Input(event, Position("affinity.v1", 0, offset)) for offset, event in enumerate(events)]
        await self.scheduler.consume("ed", inputs)

    async def improve(self) -> None:
        self.seconds += 3
        await self.scheduler.improve_quiet_editions()


async def test_a_batch_is_one_decision_and_its_encounters_are_counted_by_state() -> None:
    decisions = MetricDelta(DECISION_SECONDS)
    scheduled, waiting = MetricDelta(ENCOUNTERS, state="scheduled"), MetricDelta(ENCOUNTERS, state="waiting")
    one_slot_one_table = edition(slots=1, zones=(workspace(1), HALL))
    await MeasuredScheduler().consume(
        one_slot_one_table, *people("a", "b", "c", "d"), affinity("a", "b"), affinity("c", "d")
    )
    assert decisions.value == 1
    assert (scheduled.value, waiting.value) == (1, 1)


@pytest.mark.parametrize(("fails", "outcome"), [(False, "kept"), (True, "failed")])
async def test_an_improvement_is_timed_and_counted_by_outcome(*, fails: bool, outcome: str) -> None:
    subject = MeasuredScheduler()
    subject.solver.fails = fails
    timed, counted = MetricDelta(IMPROVE_SECONDS), MetricDelta(IMPROVEMENTS, outcome=outcome)
    await subject.consume(edition(), *people("a", "b"), affinity("a", "b"))
    await subject.improve()
    assert (timed.value, counted.value) == (1, 1)


async def test_an_agenda_that_breaks_a_rule_is_counted_as_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = MeasuredScheduler()

    async def break_a_rule(edition_id: str, inputs: Sequence[Input]) -> None:
        raise AgendaBroken([Violation("person_twice", ("pair_1", "pair_2"))])

    monkeypatch.setattr(subject.journal, "decide", break_a_rule)
    rejections = MetricDelta(VERIFIER_REJECTIONS)
    with pytest.raises(AgendaBroken):
        await subject.consume(edition())
    assert rejections.value == 1
