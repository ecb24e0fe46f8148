"""Settled places: announced places that encounters keep while changes of facts move, seat or remove them.

After a change of facts has been undone, every encounter is back at its settled place, unless that has begun. Room from
another change moves no encounter. A place settles after `settle_minutes` (ADR 0050).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from services.scheduler.domain import timing
from services.scheduler.domain.changes import Displaced, Settled
from services.scheduler.domain.repair.unsettled_index import UnsettledIndex
from services.scheduler.domain.snapshots import SettledPlace
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.placement import is_allowed
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.domain.timetable.trial import Trial
from shared.contract.events import Place, WaitingReason


class Standing(NamedTuple):
    """Place, reason to wait and people of an encounter before a step."""

    place: Place | None
    reason: WaitingReason | None
    people: tuple[str, ...]


def standing(state: AgendaState, pair_id: str) -> Standing:
    """Return the present standing of a pair."""
    return Standing(state.placements.get(pair_id), state.waiting.get(pair_id), state.pairs[pair_id].people)


def settled_by_time(state: AgendaState, now: datetime) -> list[Settled]:
    """List the changes that record the encounters which are settled by now, the earliest first.

    An encounter with a place settles after `settle_minutes`. An encounter that has lost its place keeps the first
    choice of it until it begins; without such a place it is settled at once.
    """
    return [Settled(pair_id=pair_id) for pair_id in _reviewed(state).due_by(now)]


def _reviewed(state: AgendaState) -> UnsettledIndex:
    """Return the index of unsettled pairs, after a review of the pairs that changes may have concerned."""
    index = state.links.unsettled
    for pair_id in sorted(index.doubted):
        settled = state.unsettled[pair_id]
        index.review(pair_id, is_open=_is_open(state, pair_id, settled), due_at=_due_at(state, pair_id, settled))
    return index


def _due_at(state: AgendaState, pair_id: str, settled: SettledPlace) -> datetime:
    begins_at = settled.place.starts_at if settled.place else None
    if pair_id not in state.placements and settled.people == state.pairs[pair_id].people:
        return begins_at or settled.since
    rested_at = settled.since + timedelta(minutes=state.edition.settle_minutes if state.edition else 0)
    return min(begins_at, rested_at) if begins_at else rested_at


def is_fresh(state: AgendaState, pair_id: str) -> bool:
    """Return whether a change of facts has given the pair a place that is not settled yet."""
    return pair_id in state.unsettled and pair_id not in state.links.unsettled.displaced


def assignments_of(state: AgendaState, pair_ids: Iterable[str]) -> dict[str, Assignment]:
    """Return the present assignments of the unsettled pairs among the given pairs."""
    placed = state.board.placed
    return {pair_id: placed[pair_id][1] for pair_id in pair_ids if pair_id in state.unsettled and pair_id in placed}


def settled_assignment(state: AgendaState, pair_id: str, now: datetime) -> Assignment | None:
    """Return the assignment of a displaced pair's settled place, unless it is in no slot now, frozen or begun."""
    settled = state.unsettled.get(pair_id)
    if settled is None or settled.place is None or state.timeline.index_of(settled.place) is None:
        return None
    return state.assignment(settled.place) if timing.may_return(state, settled.place, settled.since, now) else None


def open_places(state: AgendaState, now: datetime) -> set[str]:
    """Return the displaced pairs whose settled place the facts and the clock allow now, free or not."""
    return {pair_id for pair_id in _reviewed(state).open if _is_in_time(state, state.unsettled[pair_id], now)}


def _is_open(state: AgendaState, pair_id: str, settled: SettledPlace) -> bool:
    place = settled.place
    if place is None or not state.is_wanted(pair_id, settled.people) or not state.is_known(pair_id):
        return False
    if state.timeline.index_of(place) is None:
        return False
    slots, zone_id, table = state.assignment(place)
    meeting = state.meeting(pair_id, settled.people)
    is_table_in_service = zone_id in meeting.zone_ids and table in state.board.tables.get(zone_id, {})
    return is_table_in_service and all(
        state.board.possible_slots(participant_id) & slots for participant_id in settled.people
    )


def _is_in_time(state: AgendaState, settled: SettledPlace, now: datetime) -> bool:
    return settled.place is not None and timing.may_return(state, settled.place, settled.since, now)


class Homecoming(NamedTuple):
    """Result of a trial: encounters that were tried, assignments at home, and the assignments that these leave.

    The encounters of `giving_way` lose their assignments to encounters that come home.
    """

    tried: set[str]
    home: dict[str, Assignment]
    leaving: dict[str, Assignment]
    giving_way: dict[str, Assignment]


def homecoming(
    state: AgendaState, open_pairs: set[str], undone: set[str], left: Mapping[str, Assignment], now: datetime
) -> Homecoming:
    """Find the displaced encounters that can be at their settled places again; the board is left as it was.

    Undone are the steps that displaced an `undone` encounter, or an encounter whose settled place is free because an
    unsettled encounter has just `left` it. An encounter that gives way undoes its step too. No further encounter moves.
    """
    steps = {state.unsettled[pair_id].step for pair_id in undone.union(filter(partial(is_fresh, state), left))}
    coming, leaving = Homecoming(set(), {}, {}, {}), left
    while True:
        further = {*coming.giving_way, *_settled_at(state, open_pairs, leaving)}
        steps |= {state.unsettled[pair_id].step for pair_id in further}
        tried = {pair_id for pair_id in open_pairs if state.unsettled[pair_id].step in steps}
        if tried == coming.tried:
            return coming
        coming = _homecoming(state, tried, now)
        leaving = coming.leaving


def _settled_at(state: AgendaState, pair_ids: Iterable[str], places: Mapping[str, Assignment]) -> list[str]:
    """List the pairs whose settled place shares a participant or the table with a given place at the same time."""
    taken: set[tuple[SlotSet, str, str]] = set()
    for pair_id, assignment in places.items():
        taken.update(_claims(state.pairs[pair_id].people, assignment))
    if not taken:
        return []

    def is_taken(settled: SettledPlace) -> bool:
        assert settled.place is not None  # noqa: S101 - only displaced pairs have open places
        return not taken.isdisjoint(_claims(settled.people, state.assignment(settled.place)))

    return [pair_id for pair_id in pair_ids if is_taken(state.unsettled[pair_id])]


def _claims(people: Iterable[str], assignment: Assignment) -> Iterator[tuple[SlotSet, str, str]]:
    """Yield the times that an encounter takes of its table and of its participants."""
    for slot in bits(assignment.slots):
        yield slot, assignment.zone_id, assignment.table
        for participant_id in people:
            yield slot, participant_id, ""


def _homecoming(state: AgendaState, open_pairs: set[str], now: datetime) -> Homecoming:
    """Try these displaced encounters at their settled places.

    The unsettled encounters in their way leave the board. The encounters settled last come home first. The rest stays
    where it is, as far as there is room: places that are not settled give way.
    """
    lifted = {pair_id: state.board.placed[pair_id][1] for pair_id in _in_the_way(state, open_pairs, now)}
    home: dict[str, Assignment] = {}
    with Trial(state.board) as trial:
        for pair_id in lifted:
            trial.remove(pair_id)
        for pair_id in _latest_first(state, open_pairs):
            settled = state.unsettled[pair_id]
            assert settled.place is not None  # noqa: S101 - only displaced pairs have open places
            meeting, assignment = state.meeting(pair_id, settled.people), state.assignment(settled.place)
            if pair_id not in trial.board.placed and is_allowed(trial.board, meeting, assignment):
                trial.place(meeting, assignment)
                home[pair_id] = assignment
        giving_way = {}
        for pair_id, assignment in lifted.items():
            meeting = state.meeting(pair_id)
            if pair_id in home:
                continue
            if is_allowed(trial.board, meeting, assignment):
                trial.place(meeting, assignment)
            else:
                giving_way[pair_id] = assignment
    leaving = {pair_id: assignment for pair_id, assignment in lifted.items() if pair_id in home} | giving_way
    return Homecoming(open_pairs, home, leaving, giving_way)


def _in_the_way(state: AgendaState, open_pairs: set[str], now: datetime) -> list[str]:
    """List the unsettled pairs that may move and share a participant, a table or an order with an open pair."""
    near = set(open_pairs)
    for pair_id in open_pairs:
        settled = state.unsettled[pair_id]
        assert settled.place is not None  # noqa: S101 - only displaced pairs have open places
        near |= state.ordered_with(pair_id) | state.links.occupancy.near(settled.place)
        near.update(*(state.board.assignments_of[participant_id] for participant_id in settled.people))
    return [pair_id for pair_id in state.unsettled if pair_id in near and _may_move(state, pair_id, now)]


def _may_move(state: AgendaState, pair_id: str, now: datetime) -> bool:
    place = state.placements.get(pair_id)
    if place is None or timing.is_history(state, pair_id, now) or state.timeline.index_of(place) is None:
        return False
    return pair_id in state.locked or timing.may_return(state, place, state.unsettled[pair_id].since, now)


def _latest_first(state: AgendaState, pair_ids: set[str]) -> list[str]:
    """Sort pairs: the latest settled place first, because a later settlement may have taken the place of an earlier."""
    return sorted(sorted(pair_ids), key=lambda pair_id: state.unsettled[pair_id].since, reverse=True)


def answered_step(state: AgendaState) -> int:
    """Return the step that an improvement answers: the last that displaced encounters since the improvement before."""
    steps = (settled.step for settled in state.unsettled.values() if settled.step > state.improved)
    return max(steps, default=state.version)


def displacements(
    state: AgendaState, before: dict[str, Standing], step: int, now: datetime
) -> list[Displaced | Settled]:
    """List the changes that record the encounters which a step has displaced, and which are home again."""
    return list(_displacements(state, before, step, now))


def _is_displaced(was: Standing, present: Standing) -> bool:
    """Return whether another place, or another circle of people at a place, was announced before."""
    return (was.place, was.people) != (present.place, present.people) and bool(was.place or present.place)


def _displacements(
    state: AgendaState, before: dict[str, Standing], step: int, now: datetime
) -> Iterator[Displaced | Settled]:
    for pair_id, was in before.items():
        present, settled = standing(state, pair_id), state.unsettled.get(pair_id)
        if settled is not None:
            if (present.place, present.people) == (settled.place, settled.people) and (
                present.place or present.reason is settled.reason
            ):
                yield Settled(pair_id=pair_id)
        elif state.announced and _is_displaced(was, present):
            settled = SettledPlace(place=was.place, reason=was.reason, people=was.people, since=now, step=step)
            yield Displaced(pair_id=pair_id, settled=settled)
