"""Settled places: announced places that encounters keep while changes of facts move, seat or remove them.

After a change of facts has been undone, every encounter is back at its settled place, unless that has begun. Room from
another change moves no encounter. A place settles after `settle_minutes` (ADR 0050).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from services.scheduler.domain import timing
from services.scheduler.domain.changes import Displaced, Settled
from services.scheduler.domain.repair.unsettled_index import UnsettledIndex
from services.scheduler.domain.snapshots import SettledPlace
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.placement import is_allowed
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


def give_back(state: AgendaState, left: Collection[str], open_misplaced: Collection[str]) -> bool:
    """Return whether encounters that have left their places give room back; room of another kind moves no encounter.

    A change had given an encounter this place for a while, or its settled place is open (`open_misplaced`).
    """
    return bool(open_misplaced) or any(is_fresh(state, pair_id) for pair_id in left)


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
    """Result of a trial: assignments of the encounters that come home, and encounters that give way to them."""

    home: dict[str, Assignment]
    giving_way: dict[str, Assignment]


def homecoming(state: AgendaState, open_pairs: set[str], now: datetime) -> Homecoming:
    """Find the displaced encounters that can be at their settled places again; the board is left as it was.

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
    return Homecoming(home, giving_way)


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


def displacements(state: AgendaState, before: dict[str, Standing], now: datetime) -> list[Displaced | Settled]:
    """List the changes that record the encounters which a step has displaced, and which are home again."""
    return list(_displacements(state, before, now))


def _is_displaced(was: Standing, present: Standing) -> bool:
    """Return whether another place, or another circle of people at a place, was announced before."""
    return (was.place, was.people) != (present.place, present.people) and bool(was.place or present.place)


def _displacements(state: AgendaState, before: dict[str, Standing], now: datetime) -> Iterator[Displaced | Settled]:
    for pair_id, was in before.items():
        present, settled = standing(state, pair_id), state.unsettled.get(pair_id)
        if settled is not None:
            if (present.place, present.people) == (settled.place, settled.people) and (
                present.place or present.reason is settled.reason
            ):
                yield Settled(pair_id=pair_id)
        elif state.announced and _is_displaced(was, present):
            settled = SettledPlace(place=was.place, reason=was.reason, people=was.people, since=now)
            yield Displaced(pair_id=pair_id, settled=settled)
