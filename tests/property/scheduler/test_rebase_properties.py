"""Whatever comes in while an agenda is improved, what is left of the improvement is right, and never a loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.scheduler.domain import timing
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.improvement.rebase import rebased
from services.scheduler.domain.objective.levels import ObjectiveValue, objective_value
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.solver.improve import improve
from shared.contract.events import Level
from tests.property.scheduler.test_day_properties import PAIRS, PEOPLE, QUICK, Step, check, perform, steps
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    organisation,
    pair,
    participant,
    workspace,
)

_BUDGET = 2
orders = st.one_of(st.just(tuple(Level)), st.permutations(list(Level)).map(tuple))
fairs = st.fixed_dictionaries(
    {
        "tables": st.integers(1, 3),
        "phase": st.sampled_from(["open", "published", "live"]),
        "levels": orders,
    }
)
before = st.lists(steps, max_size=12)
#: What may come in while an agenda is improved, if anything: no other improvement, and no announcement.
meanwhile = st.lists(steps.filter(lambda step: step[0] not in {"improve", "announce"}), max_size=8)
wild_seats = st.dictionaries(
    st.sampled_from([pair(*sides) for sides in PAIRS]),
    st.builds(lambda slot, table: Assignment(1 << slot, "work", f"W{table}"), st.integers(0, 4), st.integers(1, 3)),
    max_size=6,
)


def a_fair(tables: int, phase: str, levels: tuple[Level, ...]) -> Edition:
    """More wishes than room, and agendas announced unless the edition is still open."""
    fields: dict[str, Any] = {"slots": 5, "zones": (workspace(tables), HALL), "levels": levels}
    subject = Edition(
        edition(**fields),
        *(organisation(each) for each in sorted(set(PEOPLE.values()))),
        *(participant(each, organisation_id=PEOPLE[each]) for each in PEOPLE),
        *(affinity(*sides) for sides in PAIRS),
        now=at(-4),
    )
    subject.consume(edition(revision=2, phase=phase, **fields))
    if phase != "open":
        decision = subject.decision()
        announce(decision)
        subject.finish(decision)
    return subject


def go_on(subject: Edition, rest: list[Step], revision: int) -> None:
    """The same edition, whatever its tables and sessions, in its phase and with its order of levels."""
    edition_ = subject.state.edition
    assert edition_ is not None
    kept = {"phase": edition_.phase, "levels": edition_.levels}
    for number, (kind, fields) in enumerate(rest, start=revision):
        perform(subject, kind, {**fields, **kept} if kind == "edition" else fields, number)


def seats_of(state: AgendaState) -> dict[str, Assignment]:
    return {each: seat for each, (_, seat) in state.board.placed.items()}


def worth_of(state: AgendaState) -> ObjectiveValue:
    return objective_value(state, seats_of(state))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fairs, before, meanwhile, st.one_of(st.just({}), wild_seats))
def test_what_is_adopted_late_is_right_no_worse_and_moves_what_may_be_moved(
    fair: dict[str, Any], first: list[Step], since: list[Step], wild: dict[str, Assignment]
) -> None:
    subject = a_fair(**fair)
    go_on(subject, first, 3)
    solution = improve(problem_of(subject.state, subject.now, _BUDGET), QUICK)
    go_on(subject, since, 3 + len(first))
    state, now = subject.state, subject.now
    assume(state.version != solution.version or not wild)
    solution = replace(solution, assignments={**solution.assignments, **wild})
    placed, has = seats_of(state), worth_of(state)
    stays = {each: seat for each, seat in placed.items() if timing.stays(state, each, now)}
    again = AgendaState.model_validate_json(state.model_dump_json())
    if state.version != solution.version:
        assert rebased(again, solution, now) == rebased(state, solution, now)

    decision = subject.decision()
    adopt(decision, solution)
    assert worth_of(state).ranks <= has.ranks
    seats = seats_of(state)
    assert stays.items() <= seats.items()
    moved = {each for each, seat in placed.items() if seats.get(each) != seat}
    if state.announced:
        assert placed.keys() <= seats.keys()
        assert len(moved) <= _BUDGET
        assert all(solution.moves(each) for each in moved)
    subject.finish(decision)
    check(subject)
