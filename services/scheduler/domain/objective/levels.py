"""The levels of the objective: the value of an agenda at a level, its rank among agendas, and its bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.scheduler.domain.objective.priority import FillRate, demand_total
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.breaks import breaks_in
from shared.contract.events import Level, LevelResult, Place

#: The method that proves each bound. The other levels count moves and table changes: their bound is zero.
_ENGINES = {
    Level.PLACED: "b-matching LP",
    Level.FLOOR: "free slots and quota",
    Level.BREAKS: "dynamic programme a participant",
}
_AT_MOST = frozenset({Level.PLACED, Level.FLOOR})
#: The most meetings that may move to make room for another. Searches use as few moves as will do.
_MOST_MOVES = 3


class SearchPolicy(NamedTuple):
    """The permissions that an edition's order of the levels gives to searches.

    Searches follow these three; the full order is applied only when finished agendas are compared
    (`objective_value`).

    - `moves_to_place`: after the announcement, meetings may move so that another gets a place.
    - `moves_against_breaks`: after the announcement, meetings may move so that agendas have fewer breaks.
    - `is_fair_first`: among the agendas built, the better floor wins even if it places fewer meetings.
    """

    moves_to_place: bool
    moves_against_breaks: bool
    is_fair_first: bool


class ObjectiveValue(NamedTuple):
    """The value of an agenda: smaller ranks are better.

    `ranks` has an entry for each level, in the edition's order; an entry holds the level's value and its tie-breaks.
    `values` are the values as they are reported.

    Tie-breaks: the same number of placed meetings is followed by their priorities, their service to goals, the
    participants' shortfalls, and affinity. The same floor is followed by the next smallest share (leximin). The same
    number of breaks is followed by the longest break, then by their total length.
    """

    ranks: tuple[tuple[float, ...], ...]
    values: tuple[float, ...]


def levels_of(state: AgendaState) -> tuple[Level, ...]:
    """Objectives of the edition, most important first."""
    return state.edition.levels if state.edition else tuple(Level)


def search_policy_of(levels: Sequence[Level]) -> SearchPolicy:
    """Return the permissions that this order of the levels gives to searches."""
    rank = levels.index
    return SearchPolicy(
        moves_to_place=rank(Level.PLACED) < rank(Level.MOVES),
        moves_against_breaks=rank(Level.BREAKS) < rank(Level.MOVES),
        is_fair_first=rank(Level.FLOOR) < rank(Level.PLACED),
    )


def most_moves(state: AgendaState) -> int:
    """Return the most meetings that may move to make room for another.

    After the announcement it is zero, unless the edition's order of the levels permits such moves.
    """
    return _MOST_MOVES if not state.announced or search_policy_of(levels_of(state)).moves_to_place else 0


def objective_value(state: AgendaState, assignments: Mapping[str, Assignment]) -> ObjectiveValue:
    """Return the value of an agenda in which the meetings have these assignments (pair id -> assignment)."""
    by_level = {
        Level.PLACED: _placed(state, assignments),
        Level.FLOOR: _shares(state, assignments),
        Level.MOVES: (float(_moves(state, assignments)),),
        Level.BREAKS: _breaks(state, assignments),
        Level.TABLE_CHANGES: (float(_table_changes(state, assignments)),),
    }
    ranks = [by_level[level] for level in levels_of(state)]
    return ObjectiveValue(tuple(ranks), tuple(abs(rank[0]) if rank else 1.0 for rank in ranks))


def results(state: AgendaState, most_placed: int, fewest_breaks: int) -> tuple[LevelResult, ...]:
    """Return the levels of the present agenda with their bounds.

    `most_placed` and `fewest_breaks` are bounds that the solver has proved.
    """
    assignments = {pair_id: assignment for pair_id, (_, assignment) in state.board.placed.items()}
    bounds = {Level.PLACED: float(most_placed), Level.FLOOR: _most_floor(state), Level.BREAKS: float(fewest_breaks)}
    levels = zip(levels_of(state), objective_value(state, assignments).values, strict=True)
    return tuple(_result(level, value, bounds.get(level, 0.0)) for level, value in levels)


def _result(level: Level, value: float, bound: float) -> LevelResult:
    bound = max(value, bound) if level in _AT_MOST else min(value, bound)
    larger = max(value, bound)
    gap = abs(value - bound) / larger if larger else 0.0
    return LevelResult(
        level=level, value=round(value, 4), bound=round(bound, 4), gap=round(gap, 4), engine=_ENGINES.get(level, "none")
    )


def _placed(state: AgendaState, pair_ids: Collection[str]) -> tuple[float, ...]:
    demands = [state.demand(pair_id) for pair_id in pair_ids]
    score = round(sum(demand.score for demand in demands), 6)
    return *(-float(total) for total in demand_total(demands)), float(_shortfalls(state, pair_ids)), -score


def _shortfalls(state: AgendaState, pair_ids: Iterable[str]) -> int:
    """Sum the participants' shortfalls of the edition's minimum."""
    return (
        sum(rate.shortfall(state.min_encounters) for rate in _fill_rates(state, pair_ids))
        if state.min_encounters
        else 0
    )


def _shares(state: AgendaState, pair_ids: Iterable[str]) -> tuple[float, ...]:
    """List the participants' placed shares, the smallest first; negated, because more is better."""
    return tuple(-share for share in sorted(rate.share for rate in _fill_rates(state, pair_ids)))


def _fill_rates(state: AgendaState, pair_ids: Iterable[str]) -> Iterable[FillRate]:
    """Return the fill rates of participants with wanted meetings, if these pairs had a place."""
    placed = _count(state, pair_ids)
    wanted_by = _wanted_by(state).items()
    return (FillRate(min(placed.get(participant_id, 0), wanted), wanted) for participant_id, wanted in wanted_by)


def _most_floor(state: AgendaState) -> float:
    """Return an upper bound on the smallest placed share, from free time and quota alone."""
    quota = state.edition.quotas.max_encounters if state.edition else None
    slots = {person: state.board.possible_slots(person).bit_count() for person in state.board.hours}
    reachable = (
        min(1.0, min(slots.get(person, 0), quota if quota is not None else wanted) / wanted)
        for person, wanted in _wanted_by(state).items()
    )
    return min(reachable, default=1.0)


def _wanted_by(state: AgendaState) -> Mapping[str, int]:
    return _count(state, (*state.placements, *state.waiting))


def _count(state: AgendaState, pair_ids: Iterable[str]) -> Mapping[str, int]:
    count: defaultdict[str, int] = defaultdict(int)
    for pair_id in pair_ids:
        for participant_id in state.pairs[pair_id].people:
            count[participant_id] += 1
    return count


def _moves(state: AgendaState, assignments: Mapping[str, Assignment]) -> int:
    """Count the meetings at another time than settled, or than published. Before the announcement no move counts."""
    if not state.announced:
        return 0
    places = ((_settled_place(state, pair_id), assignment) for pair_id, assignment in assignments.items())
    return sum(place is not None and state.assignment(place).slots != assignment.slots for place, assignment in places)


def _settled_place(state: AgendaState, pair_id: str) -> Place | None:
    if pair_id in state.unsettled:
        return state.unsettled[pair_id].place
    return state.encounters[pair_id].place if pair_id in state.encounters else None


def _breaks(state: AgendaState, assignments: Mapping[str, Assignment]) -> tuple[float, ...]:
    board = state.board
    by_people = {state.pairs[pair_id].people: assignment for pair_id, assignment in assignments.items()}
    breaks = breaks_in(by_people, board.hours, board.all_slots, board.days)
    return float(breaks.number), float(breaks.longest), float(breaks.slots)


def _table_changes(state: AgendaState, assignments: Mapping[str, Assignment]) -> int:
    """Count the changes of table between consecutive meetings of a participant without a break."""
    agendas: defaultdict[str, list[Assignment]] = defaultdict(list)
    for pair_id, assignment in assignments.items():
        for participant_id in state.pairs[pair_id].people:
            agendas[participant_id].append(assignment)
    return sum(_changes(sorted(agenda)) for agenda in agendas.values())


def _changes(agenda: Sequence[Assignment]) -> int:
    return sum(
        former.slots << 1 == latter.slots and (former.zone_id, former.table) != (latter.zone_id, latter.table)
        for former, latter in pairwise(agenda)
    )
