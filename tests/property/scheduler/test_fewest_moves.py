"""Property: a change of facts moves the fewest encounters, of all agendas that place the same encounters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, Self

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.timeline import SlotSet
from services.scheduler.solver.fewest_moves import Repair, fewest_moves
from shared.contract.events import Place
from tests.support.scheduler_day import check_agenda
from tests.support.scheduler_facts import PAIRS, Change, Facts, changes


class Before(NamedTuple):
    """Places of encounters before a change, by pair: the present places and the settled places."""

    present: Mapping[str, Place]
    settled: Mapping[str, Place]
    newcomers: Collection[str]

    @classmethod
    def of(cls, state: AgendaState) -> Self:
        settled = {pair_id: settled.place for pair_id, settled in state.unsettled.items() if settled.place}
        return cls(dict(state.placements), settled, state.unsettled.keys() - settled.keys())

    def hours(self, state: AgendaState) -> dict[str, SlotSet]:
        """Return the slots of these places: the hours in which an encounter has not moved."""
        hours: dict[str, SlotSet] = dict.fromkeys(self.present.keys() | self.settled.keys(), 0)
        for pair_id, place in chain(self.present.items(), self.settled.items()):
            index = state.timeline.index_of(place)
            hours[pair_id] |= 0 if index is None else 1 << index
        return hours

    def came_home(self, state: AgendaState) -> set[str]:
        """Return the pairs that the change has brought to their settled places."""
        return {
            pair_id
            for pair_id, place in self.settled.items()
            if state.placements.get(pair_id) == place != self.present.get(pair_id)
        }

    def gave_way(self, state: AgendaState) -> set[str]:
        """Return the newcomers whose table or participants an encounter that came home has taken."""
        return {
            newcomer
            for newcomer in self.newcomers & self.present.keys() & state.placements.keys()
            for pair_id in self.came_home(state)
            if self._is_taken(state, newcomer, pair_id)
        }

    def _is_taken(self, state: AgendaState, newcomer: str, pair_id: str) -> bool:
        was, taken = self.present[newcomer], state.placements[pair_id]
        meets = not set(state.pairs[newcomer].people).isdisjoint(state.pairs[pair_id].people)
        is_at_table = (was.zone_id, was.table) == (taken.zone_id, taken.table)
        return was.starts_at == taken.starts_at and (meets or is_at_table)


def proven(facts: Facts, before: Before) -> tuple[Repair, int]:
    """Return the repair with the fewest moves that places the same encounters, and the moves of the agenda.

    Encounters that came home stay: they come before moves. Newcomers that gave way to these move freely.
    """
    state = facts.subject.state
    free = before.gave_way(state)
    hours = {pair_id: slots for pair_id, slots in before.hours(state).items() if pair_id not in free}
    ours = {pair_id: assignment.slots for pair_id, (_, assignment) in state.board.placed.items()}
    problem = problem_of(state, facts.subject.now, change_budget=0)
    at_home = {pair_id: state.board.placed[pair_id] for pair_id in before.came_home(state)}
    fixed = replace(problem, fixed=problem.fixed | at_home).of_encounters(ours.keys() - at_home)
    moves = sum(not hours.get(pair_id, slot) & slot for pair_id, slot in ours.items())
    return fewest_moves(fixed, hours, ours, effort=20), moves


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["published", "live"]),
    st.lists(st.sampled_from(PAIRS), unique=True, min_size=8, max_size=30),
    st.integers(3, 5),
    st.booleans(),
    changes,
    st.lists(st.sampled_from(PAIRS), unique=True, max_size=3),
)
def test_changes_of_facts_move_the_fewest_encounters(
    phase: str,
    pairs: list[tuple[str, str]],
    quota: int,
    substitutes: bool,
    drawn: list[Change],
    requested: list[tuple[str, str]],
) -> None:
    facts = Facts(phase, pairs, quota, substitutes=substitutes, now=-10)
    # Newcomers were told their hours too, although these are not settled yet.
    for sides in requested:
        if sides not in pairs:
            facts.request(sides, is_made=True)
    for change in drawn:
        before = Before.of(facts.subject.state)
        facts.send(change)
        check_agenda(facts.subject)
        fewest, moves = proven(facts, before)
        assert fewest.proven
        assert moves == fewest.moves
