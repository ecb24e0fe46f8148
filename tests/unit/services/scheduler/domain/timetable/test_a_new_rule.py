"""A rule nobody has thought of yet: it is said in one place, here, and all who make or check agendas keep it."""

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
    """Somebody has more than three encounters without a pause, this one among them."""
    places = evidence.places
    for person in evidence.inputs.pairs[pair_id].people:
        day = sorted(evidence.pairs_of_participant(person), key=lambda pair: places[pair].starts_at)
        for run in (tuple(day[first : first + MOST + 1]) for first in range(len(day) - MOST)):
            if pair_id in run and all(places[one].ends_at == places[other].starts_at for one, other in pairwise(run)):
                return run
    return ()


def few_in_a_row(board: Board, wanted: Meeting) -> SlotSet:
    """With one more encounter, nobody has more than three in a row."""

    def is_run(busy: SlotSet) -> SlotSet:
        return busy & busy >> 1 & busy >> 2 & busy >> 3

    busy = [board.busy[each] for each in wanted.participant_ids]
    return sum(slot for slot in bits(board.all_slots) if not any(is_run(each | slot) for each in busy))


RULE = Rule(too_many_in_a_row, few_in_a_row)


def full_day() -> Edition:
    """Everybody of six wants to meet everybody, in eight slots."""
    names = [f"p{number}" for number in range(6)]
    pairs = [affinity(one, other) for one in names for other in names if one < other]
    return Edition(edition(slots=8, zones=(workspace(6), HALL)), *people(*names), *pairs)


def broken(subject: Edition) -> set[str]:
    return {each.rule for each in verify(inputs_of(subject.state), subject.state.placements)}


@pytest.fixture
def with_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "RULES", (*rules.RULES, RULE))


def test_without_the_rule_there_are_four_in_a_row_and_with_it_the_verifier_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject = full_day()
    assert broken(subject) == set()
    monkeypatch.setattr(rules, "RULES", (*rules.RULES, RULE))
    assert broken(subject) == {"too_many_in_a_row"}


@pytest.mark.usefixtures("with_the_rule")
def test_insert_keeps_it_and_still_places_all() -> None:
    subject = full_day()
    assert broken(subject) == set()
    assert len(subject.state.placements) >= 13


@pytest.mark.usefixtures("with_the_rule")
def test_improve_keeps_it_and_places_no_fewer() -> None:
    subject = full_day()
    before = len(subject.state.placements)
    decision = subject.decision()
    adopt(
        decision, improve(problem_of(subject.state, NOW, change_budget=0), Effort(seed=7, rounds=3, round_effort=0.02))
    )
    subject.finish(decision)
    assert broken(subject) == set()
    assert len(subject.state.placements) >= before
