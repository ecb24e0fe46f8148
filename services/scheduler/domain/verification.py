"""Verification of a decision before it is journalled: the meetings that it placed, or had to leave in place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache

from services.scheduler.domain import timing
from services.scheduler.domain.changes import (
    AttendanceRecorded,
    Change,
    Ordered,
    PairRecorded,
    ParticipantRecorded,
    Placed,
    TakenOver,
)
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.evidence import Evidence, Inputs
from services.scheduler.domain.timetable.verifier import AgendaBroken, Violation, verify, verify_kept, verify_meetings
from shared.contract.events import Place


def inputs_of(state: AgendaState) -> Inputs:
    """Return the inputs by which the verifier judges the state's agenda."""
    return Inputs(state.edition, state.organisations, state.participants, state.pairs, state.comes_after)


def violations_of(state: AgendaState, places: Mapping[str, Place], now: datetime) -> list[Violation]:
    """List the violations of a whole agenda, given by pair id. Meetings that have begun are history."""
    begun = {pair_id for pair_id in places if timing.has_begun(state, pair_id, now)}
    moved = {pair_id for pair_id, place in places.items() if state.placements.get(pair_id) != place}
    return verify(inputs_of(state), places, begun) + _in_the_past(state, places, moved, now)


def _in_the_past(
    state: AgendaState, places: Mapping[str, Place], moved: Iterable[str], now: datetime, by_hand: Collection[str] = ()
) -> list[Violation]:
    """List the moved meetings whose new place has begun.

    Meetings of a live edition may be placed until half of their time is over, if all participants are checked in or
    the organiser places the meeting. The places are compared with the clock without the slots of `timing`.
    """

    def is_late(pair_id: str) -> bool:
        place, people = places[pair_id], state.pairs[pair_id].people
        if not state.is_live or place.starts_at + (place.ends_at - place.starts_at) / 2 < now:
            return True
        participants = map(state.participants.get, people)
        return pair_id not in by_hand and not all(known is not None and known.checked_in for known in participants)

    return [
        Violation("in_the_past", (pair_id,))
        for pair_id in sorted(moved)
        if pair_id in places and places[pair_id].starts_at <= now and is_late(pair_id)
    ]


def evidence_of(state: AgendaState) -> Evidence:
    """Return evidence of the state's agenda with up-to-date look-ups, so that a few meetings are judged quickly.

    The look-ups are independent of the board, because the verifier has to find mistakes of the board. The evidence is
    valid until the state changes.
    """
    links, placed, comes_after = state.links, state.placements, state.comes_after
    return Evidence(
        inputs_of(state),
        placed,
        pairs_of_participant=cache(lambda participant_id: links.pairs_of[participant_id] & placed.keys()),
        pairs_near_table=links.occupancy.near,
        predecessors=lambda pair_id: [earlier for earlier in comes_after.get(pair_id, ()) if earlier in placed],
        successors=lambda pair_id: [later for later in links.followers_of.get(pair_id, ()) if later in placed],
    )


def verify_touched(decision: DecisionInProgress) -> None:
    """Raise `AgendaBroken` if a meeting that the decision placed, or that its inputs concern, breaks a rule."""
    verify_step(decision)
    state = decision.state
    touched = {
        pair_id for change in decision.changes for pair_id in _concerned(state, change)
    } & state.placements.keys()
    if state.is_closed or not touched:
        return

    def has_begun(pair_id: str) -> bool:
        return timing.has_begun(state, pair_id, decision.now)

    violations = verify_meetings(evidence_of(state), sorted(touched), has_begun)
    if violations:
        raise AgendaBroken(violations)


def verify_step(decision: DecisionInProgress) -> None:
    """Raise `AgendaBroken` if the last step moved a meeting that had to stay, or used a slot that has begun.

    Call it after every event: the next event may change which meetings have to stay.
    """
    state, now = decision.state, decision.now
    kept = {
        pair_id: before.place
        for pair_id, before in decision.before.items()
        if before.place is not None
        and pair_id not in decision.by_hand
        and pair_id not in decision.released
        and timing.must_stay(state, pair_id, before.place, now)
    }

    def began_before(pair_id: str) -> bool:
        """Tell whether a meeting that the step did not move has begun."""
        return pair_id not in moved and timing.has_begun(state, pair_id, now)

    moved = {pair_id for pair_id, before in decision.before.items() if state.placements.get(pair_id) != before.place}
    begun = [pair_id for pair_id in decision.before if timing.has_begun(state, pair_id, now)]
    past = _in_the_past(state, state.placements, moved, now, decision.by_hand)
    if past:
        raise AgendaBroken(past)
    if kept or begun:
        evidence = evidence_of(state)
        violations = verify_meetings(evidence, begun) + verify_kept(evidence, kept, began_before)
        if violations:
            raise AgendaBroken(violations)
    decision.end_step()


def _concerned(state: AgendaState, change: Change) -> Iterable[str]:
    """List the pairs whose meetings a change concerns."""
    if isinstance(change, Placed | PairRecorded | TakenOver | Ordered | AttendanceRecorded):
        return (change.pair_id,)
    return state.links.pairs_of[change.participant_id] if isinstance(change, ParticipantRecorded) else ()
