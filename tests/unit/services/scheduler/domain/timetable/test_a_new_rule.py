"""A rule added in a single place is kept by placement and improvement, and checked by the verifier."""

from __future__ import annotations

from itertools import pairwise

import pytest

from services.scheduler.domain.improvement.adopt import adopt
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.timetable import rules
from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.evidence import Evidence
from services.scheduler.domain.timetable.rules import Culprits, Rule
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.domain.timetable.verifier import verify
from services.scheduler.domain.verification import inputs_of
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from tests.support.scheduler_editions import HALL, NOW, Edition, affinity, edition, people, workspace

MOST = 3


def too_many_in_a_row(evidence: Evidence, pair_id: str) -> Culprits:
    """A participant has more than three meetings without a pause, the given meeting among them."""
    places = evidence.places
    for person in evidence.inputs.pairs[pair_id].people:
        day = sorted(evidence.pairs_of_participant(person), key=lambda pair: places[pair].starts_at)
        for run in (tuple(day[first : first + MOST + 1]) for first in range(len(day) - MOST)):
            if pair_id in run and all(
                places[former].ends_at == places[latter].starts_at for former, latter in pairwise(run)
            ):
                return run
    return ()


def few_in_a_row(board: Board, meeting: Meeting) -> SlotSet:
    """Return the slots in which another meeting leaves no participant with more than three in a row."""

    def is_run(busy: SlotSet) -> SlotSet:
        return busy & busy >> 1 & busy >> 2 & busy >> 3

    busy = [board.busy[person] for person in meeting.participant_ids]
    return sum(slot for slot in bits(board.all_slots) if not any(is_run(taken | slot) for taken in busy))


RULE = Rule(too_many_in_a_row, few_in_a_row)


def full_day() -> Edition:
    """An edition in which all pairs of six participants want to meet in eight slots."""
    names = [f"p{number}" for number in range(6)]
    pairs = [affinity(first, second) for first in names for second in names if first < second]
    return Edition(edition(slots=8, zones=(workspace(6), HALL)), *people(*names), *pairs)


def broken(subject: Edition) -> set[str]:
    return {violation.rule for violation in verify(inputs_of(subject.state), subject.state.placements)}


@pytest.fixture
def with_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "RULES", (*rules.RULES, RULE))


def test_the_verifier_reports_violations_of_an_added_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject = full_day()
    assert broken(subject) == set()
    monkeypatch.setattr(rules, "RULES", (*rules.RULES, RULE))
    assert broken(subject) == {"too_many_in_a_row"}


@pytest.mark.usefixtures("with_the_rule")
def test_placement_keeps_an_added_rule() -> None:
    subject = full_day()
    assert broken(subject) == set()
    assert len(subject.state.placements) >= 13


@pytest.mark.usefixtures("with_the_rule")
def test_improvement_keeps_an_added_rule_and_places_no_fewer() -> None:
    subject = full_day()
    before = len(subject.state.placements)
    decision = subject.decision()
    adopt(
        decision, improve(problem_of(subject.state, NOW, change_budget=0), Effort(seed=7, rounds=3, round_effort=0.02))
    )
    subject.finish(decision)
    assert broken(subject) == set()
    assert len(subject.state.placements) >= before
