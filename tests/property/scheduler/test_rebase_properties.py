"""Property: an improvement adopted after further events leaves a valid agenda that is no worse."""

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
from tests.support.scheduler_day import PAIRS, PEOPLE, QUICK, Step, apply_step, check_agenda, steps
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
#: Events during an improvement: any step except another improvement or the announcement.
meanwhile = st.lists(steps.filter(lambda step: step[0] not in {"improve", "announce"}), max_size=8)
wild_assignments = st.dictionaries(
    st.sampled_from([pair(*sides) for sides in PAIRS]),
    st.builds(lambda slot, table: Assignment(1 << slot, "work", f"W{table}"), st.integers(0, 4), st.integers(1, 3)),
    max_size=6,
)


def a_fair(tables: int, phase: str, levels: tuple[Level, ...]) -> Edition:
    """An edition with more demand than room, announced unless it is still open."""
    fields: dict[str, Any] = {"slots": 5, "zones": (workspace(tables), HALL), "levels": levels}
    subject = Edition(
        edition(**fields),
        *(organisation(organisation_id) for organisation_id in sorted(set(PEOPLE.values()))),
        *(participant(name, organisation_id=PEOPLE[name]) for name in PEOPLE),
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
    """Apply steps that keep the phase and the levels of the edition."""
    edition_ = subject.state.edition
    assert edition_ is not None
    kept = {"phase": edition_.phase, "levels": edition_.levels}
    for number, (kind, fields) in enumerate(rest, start=revision):
        apply_step(subject, kind, {**fields, **kept} if kind == "edition" else fields, number)


def assignments_of(state: AgendaState) -> dict[str, Assignment]:
    return {pair_id: assignment for pair_id, (_, assignment) in state.board.placed.items()}


def value_of(state: AgendaState) -> ObjectiveValue:
    return objective_value(state, assignments_of(state))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fairs, before, meanwhile, st.one_of(st.just({}), wild_assignments))
def test_a_late_improvement_is_valid_no_worse_and_within_its_budget(
    fair: dict[str, Any], first: list[Step], since: list[Step], wild: dict[str, Assignment]
) -> None:
    subject = a_fair(**fair)
    go_on(subject, first, 3)
    solution = improve(problem_of(subject.state, subject.now, _BUDGET), QUICK)
    go_on(subject, since, 3 + len(first))
    state, now = subject.state, subject.now
    assume(state.version != solution.version or not wild)
    solution = replace(solution, assignments={**solution.assignments, **wild})
    placed, has = assignments_of(state), value_of(state)
    stays = {pair_id: where for pair_id, where in placed.items() if timing.stays(state, pair_id, now)}
    again = AgendaState.model_validate_json(state.model_dump_json())
    if state.version != solution.version:
        assert rebased(again, solution, now) == rebased(state, solution, now)

    decision = subject.decision()
    adopt(decision, solution)
    assert value_of(state).ranks <= has.ranks
    adopted = assignments_of(state)
    assert stays.items() <= adopted.items()
    moved = {pair_id for pair_id, where in placed.items() if adopted.get(pair_id) != where}
    if state.announced:
        assert placed.keys() <= adopted.keys()
        assert len(moved) <= _BUDGET
        assert all(solution.moves(pair_id) for pair_id in moved)
    subject.finish(decision)
    check_agenda(subject)
