"""The freeze horizon: meetings that begin soon keep their place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.registration.domain.slots import Day, slots_of
from services.scheduler.domain.improvement.adopt import adopt
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.timetable.verifier import AgendaBroken
from services.scheduler.domain.verification import verify_step
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import Cause, CauseCode
from tests.support.scheduler_editions import (
    HALL,
    affinity,
    at,
    edition,
    pair,
    participant,
    people,
    session,
    workspace,
)
from tests.support.scheduler_live_edition import MINUTE, live


@pytest.mark.parametrize(("minutes", "slot"), [(-31, 0), (-30, 1), (-16, 1), (-15, 2), (0, 3), (14, 3), (15, None)])
def test_no_meeting_is_placed_within_the_freeze_horizon(minutes: int, slot: int | None) -> None:
    subject = live(*people("a", "b"))
    subject.now = at(0) + minutes * MINUTE
    subject.consume(affinity("a", "b"))
    assert subject.slot("a", "b") == slot


def test_the_freeze_horizon_counts_real_minutes_when_clocks_change() -> None:
    day = Day.model_validate({"date": "2026-10-25", "starts": "01:30", "ends": "04:00"})
    slots = slots_of([day], 30, "Europe/Madrid")
    assert len(slots) == 7  # two and a half hours by the clock, and the hour that comes twice
    subject = live(*people("a", "b"), freeze_minutes=60)
    fields: dict[str, Any] = {"freeze_minutes": 60, "phase": "live", "timezone": "Europe/Madrid"}
    subject.consume(edition(revision=3, **fields).model_copy(update={"slots": slots}))
    subject.now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, for the first time
    subject.consume(affinity("a", "b"))
    place = subject.state.placements[pair("a", "b")]
    assert place.starts_at == datetime(2026, 10, 25, 2, 0, tzinfo=UTC)  # 03:00: not an hour but an hour and a half on
    subject.now -= timedelta(minutes=1)
    subject.consume(
        participant("a", revision=2, available=({"starts_at": slots[0].starts_at, "ends_at": place.starts_at},))
    )
    assert subject.state.placements[pair("a", "b")].starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_frozen_meeting_is_moved_by_no_insert_and_no_improvement() -> None:
    subject = live(*people("a", "b", "c"), affinity("a", "b"), slots=3)
    subject.now = at(0) - 20 * MINUTE
    assert subject.slot("a", "b") == 0
    first = ({"starts_at": at(0), "ends_at": at(1)},)
    subject.consume(
        participant("c", revision=2, available=first, checked_in=True), participant("a", revision=2, checked_in=True)
    )
    subject.consume(affinity("a", "c", priority=3))
    assert (subject.slot("a", "b"), subject.slot("a", "c")) == (0, None)
    problem = problem_of(subject.state, subject.now, 6)
    assert set(problem.fixed) == {pair("a", "b")}
    decision = subject.decision()
    adopt(decision, improve(problem, Effort(rounds=1, round_effort=0.01, steps=100)))
    subject.finish(decision)
    assert subject.slot("a", "b") == 0


def test_an_older_solution_does_not_move_a_frozen_meeting() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"), slots=3)
    subject.now = at(0) - 31 * MINUTE
    solution = improve(problem_of(subject.state, subject.now, 6), Effort(rounds=1, round_effort=0.01, steps=100))
    seat = subject.state.board.placed[pair("a", "b")][1]
    moved = replace(solution, assignments={pair("a", "b"): seat._replace(slots=4)})
    subject.now += 2 * MINUTE
    for late in (moved, solution):
        decision = subject.decision()
        assert not adopt(decision, late)
        subject.finish(decision)
    assert subject.slot("a", "b") == 0


def test_a_participant_may_cancel_within_the_freeze_horizon() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0) - MINUTE
    subject.consume(participant("a", revision=2, status="cancelled"))
    assert subject.slot("a", "b") is None


def test_a_frozen_meeting_that_loses_its_table_keeps_its_time() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0) - MINUTE
    table = subject.table("a", "b")
    left = tuple(each for each in ("W1", "W2") if each != table)
    zones = (workspace().model_copy(update={"tables": left}), HALL)
    subject.consume(edition(revision=3, phase="live", freeze_minutes=30, zones=zones))
    assert (subject.slot("a", "b"), subject.table("a", "b")) == (0, left[0])


@pytest.mark.parametrize("wrong", ["moved", "lifted"])
def test_the_verifier_finds_a_moved_frozen_meeting(wrong: str) -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0) - MINUTE
    decision = subject.decision()
    cause = Cause(code=CauseCode.IMPROVED, subject_id="ed")
    if wrong == "moved":
        seat = subject.state.board.placed[pair("a", "b")][1]
        decision.place_all({pair("a", "b"): seat._replace(slots=4)}, cause)
    else:
        decision.remove(pair("a", "b"), cause)
    with pytest.raises(AgendaBroken, match="not_kept"):
        verify_step(decision)


def test_a_batch_may_forbid_a_place_and_allow_it_again() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0) - MINUTE
    away = ({"starts_at": at(3), "ends_at": at(4)},)
    subject.consume(participant("a", revision=2, available=away), participant("a", revision=3))
    assert subject.slot("a", "b") == 0


def test_a_session_moved_onto_a_frozen_encounter_moves_it() -> None:
    subject = live(*people("b"), participant("a", session_ids=("k",)), affinity("a", "b"), slots=6)
    subject.now = at(0) - MINUTE
    sessions = (session("k", 0, 1),)
    subject.consume(edition(revision=3, slots=6, phase="live", freeze_minutes=30, sessions=sessions))
    assert subject.slot("a", "b") == 2  # the first beyond the horizon
