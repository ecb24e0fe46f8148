"""Time limits of an edition: slots that can still be given, and encounters that stay in place.

A slot that has begun is given to no pair, in any phase. Encounters are frozen in a live edition only.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Place


def open_slots(state: AgendaState, now: datetime) -> SlotSet:
    """Return the slots that may still be given: slots that begin later, in a live edition after the freeze horizon."""
    return state.timeline.all_slots & ~state.timeline.begun_by(now + _freeze(state))


def slots_to_come(state: AgendaState, now: datetime) -> SlotSet:
    """Return the slots that have not begun."""
    return state.timeline.all_slots & ~state.timeline.begun_by(now)


def slots_by_hand(state: AgendaState, now: datetime) -> SlotSet:
    """Return the slots that an edit may use: slots to come, in a live edition all slots that are not half over."""
    return state.timeline.not_half_over(now) if state.is_live else slots_to_come(state, now)


def slots_for(state: AgendaState, pair_id: str, now: datetime, participant_ids: Iterable[str] | None = None) -> SlotSet:
    """Return the slots that a pair may still be given; with `participant_ids`, if these participants met.

    In a live edition, a pair whose participants are all checked in may have any slot that is not half over. Another
    pair may have an open slot.
    """
    participants = state.participants
    are_here = state.is_live and all(
        participant_id in participants and participants[participant_id].checked_in
        for participant_id in participant_ids or state.pairs[pair_id].people
    )
    return state.timeline.not_half_over(now) if are_here else open_slots(state, now)


def has_begun(state: AgendaState, pair_id: str, now: datetime) -> bool:
    """Return whether the pair's encounter has a place and has begun or is over.

    A provisional encounter does not begin: see `is_lapsed`.
    """
    if pair_id not in state.placements:
        return False
    place = state.placements[pair_id]
    return pair_id in state.attended or (place.starts_at <= now and not is_lapsed(state, place, now))


def is_lapsed(state: AgendaState, place: Place, now: datetime) -> bool:
    """Return whether the place of a provisional encounter has begun, so that the encounter needs another place.

    Agendas are provisional until they are announced or the edition is live.
    """
    return not (state.announced or state.is_live or state.is_closed) and place.starts_at <= now


def has_no_slot(state: AgendaState, place: Place, now: datetime) -> bool:
    """Return whether the place is in no slot of the edition any more, or has lapsed."""
    return state.timeline.index_of(place) is None or is_lapsed(state, place, now)


def is_history(state: AgendaState, pair_id: str, now: datetime) -> bool:
    """Return whether no event changes the pair's encounter any more: it has begun, was held or was missed."""
    return pair_id in state.attended or has_begun(state, pair_id, now)


def stays(state: AgendaState, pair_id: str, now: datetime) -> bool:
    """Return whether the pair's encounter keeps its place, however much another place would help."""
    return pair_id in state.placements and must_stay(state, pair_id, state.placements[pair_id], now)


def must_stay(state: AgendaState, pair_id: str, place: Place, now: datetime) -> bool:
    """Return whether the pair's encounter, if it is at this place, is locked, frozen or begun.

    An encounter at a lapsed place need not stay, even if it is locked.
    """
    if is_lapsed(state, place, now):
        return False
    return pair_id in state.locked or pair_id in state.attended or is_frozen(state, place, now)


def is_frozen(state: AgendaState, place: Place, now: datetime) -> bool:
    """Return whether an encounter at this place begins within the freeze horizon, or has begun."""
    return place.starts_at <= now + _freeze(state)


def may_return(state: AgendaState, place: Place, since: datetime, now: datetime) -> bool:
    """Return whether an encounter that was displaced at `since` may be at its former place again.

    The place has not begun. A frozen place is closed, unless it was frozen when the encounter was displaced.
    """
    return place.starts_at > now and (not is_frozen(state, place, now) or is_frozen(state, place, since))


def _freeze(state: AgendaState) -> timedelta:
    """Return the time before its start in which an encounter is frozen: none unless the edition is live."""
    return timedelta(minutes=state.edition.freeze_minutes if state.edition and state.is_live else 0)
