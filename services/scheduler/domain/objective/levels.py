"""The levels of the objective: how good an agenda is at each, whether one is better than another, and by how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.scheduler.domain.objective.priority import FillRate, demand_total
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.breaks import breaks_in
from shared.contract.events import Level, LevelResult

#: Where each bound comes from. That nobody moves, waits or changes table is the best there could be.
_ENGINES = {
    Level.PLACED: "b-matching LP",
    Level.FLOOR: "free slots and quota",
    Level.BREAKS: "dynamic programme a participant",
}
_AT_MOST = frozenset({Level.PLACED, Level.FLOOR})
#: How many others may be moved to make room for one encounter. As few as will do are, once agendas are out as before.
_MOST_MOVES = 3


class SearchPolicy(NamedTuple):
    """What an order of the levels asks of those who make agendas; the rest of it is judged alone (`objective_value`).

    Once agendas are announced others may be moved for one more to have a place (`moves_to_place`), and for fewer breaks
    (`moves_against_breaks`). Of agendas at hand that with the better floor is taken though it has fewer places
    (`is_fair_first`).
    """

    moves_to_place: bool
    moves_against_breaks: bool
    is_fair_first: bool


class ObjectiveValue(NamedTuple):
    """How good an agenda is, the less the better: level by level in the edition's order, each with its ties broken.

    Of as many placed, those of higher priority count, then those that serve a goal, then how many encounters people are
    short of the least they should have, then affinity; of the same floor, the next worst off (leximin); of as many
    breaks, the longest.
    """

    ranks: tuple[tuple[float, ...], ...]
    values: tuple[float, ...]


def levels_of(state: AgendaState) -> tuple[Level, ...]:
    """The edition's levels, the first first."""
    return state.edition.levels if state.edition else tuple(Level)


def search_policy_of(levels: Sequence[Level]) -> SearchPolicy:
    """What comes before what, as far as a search goes by it."""
    rank = levels.index
    return SearchPolicy(
        moves_to_place=rank(Level.PLACED) < rank(Level.MOVES),
        moves_against_breaks=rank(Level.BREAKS) < rank(Level.MOVES),
        is_fair_first=rank(Level.FLOOR) < rank(Level.PLACED),
    )


def most_moves(state: AgendaState) -> int:
    """How many others may be moved to make room for one encounter: none, once they were told, if that is not an aim."""
    return _MOST_MOVES if not state.announced or search_policy_of(levels_of(state)).moves_to_place else 0


def objective_value(state: AgendaState, seats: Mapping[str, Assignment]) -> ObjectiveValue:
    """How good it would be to have encounters at these seats (pair id -> seat)."""
    by_level = {
        Level.PLACED: _placed(state, seats),
        Level.FLOOR: _shares(state, seats),
        Level.MOVES: (float(_moves(state, seats)),),
        Level.BREAKS: _breaks(state, seats),
        Level.TABLE_CHANGES: (float(_table_changes(state, seats)),),
    }
    ranks = [by_level[level] for level in levels_of(state)]
    return ObjectiveValue(tuple(ranks), tuple(abs(rank[0]) if rank else 1.0 for rank in ranks))


def results(state: AgendaState, most_placed: int, fewest_breaks: int) -> tuple[LevelResult, ...]:
    """The levels of the agenda as it is, with their bounds."""
    seats = {pair: seat for pair, (_, seat) in state.board.placed.items()}
    bounds = {Level.PLACED: float(most_placed), Level.FLOOR: _most_floor(state), Level.BREAKS: float(fewest_breaks)}
    levels = zip(levels_of(state), objective_value(state, seats).values, strict=True)
    return tuple(_result(level, value, bounds.get(level, 0.0)) for level, value in levels)


def _result(level: Level, value: float, bound: float) -> LevelResult:
    bound = max(value, bound) if level in _AT_MOST else min(value, bound)
    larger = max(value, bound)
    gap = abs(value - bound) / larger if larger else 0.0
    return LevelResult(
        level=level, value=round(value, 4), bound=round(bound, 4), gap=round(gap, 4), engine=_ENGINES.get(level, "none")
    )


def _placed(state: AgendaState, seats: Collection[str]) -> tuple[float, ...]:
    wishes = [state.demand(pair) for pair in seats]
    score = round(sum(each.score for each in wishes), 6)
    return *(-float(each) for each in demand_total(wishes)), float(_missing(state, seats)), -score


def _missing(state: AgendaState, seats: Iterable[str]) -> int:
    """How many encounters participants are short of the least."""
    return sum(each.shortfall(state.least) for each in _served(state, seats)) if state.least else 0


def _shares(state: AgendaState, seats: Iterable[str]) -> tuple[float, ...]:
    """The share each participant has of the encounters wanted, the least first; negative, for more is better."""
    return tuple(-share for share in sorted(each.share for each in _served(state, seats)))


def _served(state: AgendaState, seats: Iterable[str]) -> Iterable[FillRate]:
    """How each of those who want encounters would be served."""
    has = _count(state, seats)
    return (FillRate(min(has.get(each, 0), wanted), wanted) for each, wanted in _wanted_by(state).items())


def _most_floor(state: AgendaState) -> float:
    """The least share of anybody's wishes for which there is time and quota at all."""
    quota = state.edition.quotas.max_encounters if state.edition else None
    most = {each: state.board.possible_slots(each).bit_count() for each in state.board.hours}
    reachable = (
        min(1.0, min(most.get(each, 0), quota if quota is not None else count) / count)
        for each, count in _wanted_by(state).items()
    )
    return min(reachable, default=1.0)


def _wanted_by(state: AgendaState) -> Mapping[str, int]:
    return _count(state, (*state.placements, *state.waiting))


def _count(state: AgendaState, pair_ids: Iterable[str]) -> Mapping[str, int]:
    count: defaultdict[str, int] = defaultdict(int)
    for pair in pair_ids:
        for participant_id in state.pairs[pair].people:
            count[participant_id] += 1
    return count


def _moves(state: AgendaState, seats: Mapping[str, Assignment]) -> int:
    """Encounters that are at another time than they were told to be; none before agendas are announced."""
    if not state.announced:
        return 0
    told = ((state.encounters[pair].place, seat) for pair, seat in seats.items() if pair in state.encounters)
    return sum(place is not None and state.assignment(place).slots != seat.slots for place, seat in told)


def _breaks(state: AgendaState, seats: Mapping[str, Assignment]) -> tuple[float, ...]:
    board = state.board
    by_people = {state.pairs[pair].people: seat for pair, seat in seats.items()}
    breaks = breaks_in(by_people, board.hours, board.all_slots, board.days)
    return float(breaks.number), float(breaks.longest), float(breaks.slots)


def _table_changes(state: AgendaState, seats: Mapping[str, Assignment]) -> int:
    """How often somebody goes straight from one encounter to the next at another table."""
    agendas: defaultdict[str, list[Assignment]] = defaultdict(list)
    for pair, seat in seats.items():
        for participant_id in state.pairs[pair].people:
            agendas[participant_id].append(seat)
    return sum(_changes(sorted(agenda)) for agenda in agendas.values())


def _changes(agenda: Sequence[Assignment]) -> int:
    return sum(
        one.slots << 1 == other.slots and (one.zone_id, one.table) != (other.zone_id, other.table)
        for one, other in pairwise(agenda)
    )
