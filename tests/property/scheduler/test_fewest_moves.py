"""Property: a change of facts moves the fewest encounters, of all agendas that place the same encounters."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.timeline import SlotSet
from services.scheduler.solver.fewest_moves import Repair, fewest_moves
from shared.contract.events import Interval
from tests.support.scheduler_day import check_agenda
from tests.support.scheduler_facts import PAIRS, Change, Facts, changes

#: Hours in which an encounter has not moved, by pair.
Hours = Mapping[str, list[Interval]]


def hours_of(state: AgendaState) -> Hours:
    """Return the present and the settled hours of encounters. A newcomer that is not settled yet may move freely."""
    hours: dict[str, list[Interval]] = {pair_id: [place] for pair_id, place in state.placements.items()}
    for pair_id, settled in state.unsettled.items():
        if settled.place is None:
            hours.pop(pair_id, None)
        else:
            hours.setdefault(pair_id, []).append(settled.place)
    return hours


def proven(facts: Facts, hours: Hours) -> tuple[Repair, int]:
    """Return the repair with the fewest moves that places the same encounters, and the moves of the agenda."""
    state = facts.subject.state

    def slots(pair_id: str) -> SlotSet:
        found = (state.timeline.index_of(hour) for hour in hours[pair_id])
        return sum({1 << index for index in found if index is not None})

    before = {pair_id: slots(pair_id) for pair_id in hours}
    ours = {pair_id: assignment.slots for pair_id, (_, assignment) in state.board.placed.items()}
    problem = problem_of(state, facts.subject.now, change_budget=0).of_encounters(ours)
    moves = sum(not before.get(pair_id, slot) & slot for pair_id, slot in ours.items())
    return fewest_moves(problem, before, ours, effort=20), moves


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["published", "live"]),
    st.lists(st.sampled_from(PAIRS), unique=True, min_size=8, max_size=30),
    st.integers(3, 5),
    st.booleans(),
    changes,
)
def test_changes_of_facts_move_the_fewest_encounters(
    phase: str, pairs: list[tuple[str, str]], quota: int, substitutes: bool, drawn: list[Change]
) -> None:
    facts = Facts(phase, pairs, quota, substitutes=substitutes, now=-10)
    for change in drawn:
        hours = hours_of(facts.subject.state)
        facts.send(change)
        check_agenda(facts.subject)
        fewest, moves = proven(facts, hours)
        assert fewest.proven
        assert moves == fewest.moves
