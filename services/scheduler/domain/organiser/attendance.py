"""How encounters went: held, or missed, and then who waits for the time and the table is offered them at once."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.scheduler.domain.changes import AttendanceRecorded
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.organiser.errors import EditRejected, pair_of_encounter
from services.scheduler.domain.snapshots import AttendanceSnapshot
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Cause, CauseCode, EncounterState, Phase
from shared.contract.ids import Id
from shared.internal_api.edit_errors import EditErrorCode
from shared.internal_api.edits import MOST_PEOPLE


class AttendanceReport(BaseModel):
    """What somebody at the venue reports of an encounter: that it is held, or missed; and who does not come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal[EncounterState.HELD, EncounterState.MISSED]
    absent: tuple[Id, ...] = Field(default=(), max_length=MOST_PEOPLE)


class AttendanceEffects(BaseModel):
    """What came of a report: who is not at the venue after all, and who was given the time or the table."""

    model_config = ConfigDict(frozen=True)

    gone: tuple[str, ...] = ()
    refilled: tuple[str, ...] = ()


def record_attendance(
    decision: DecisionInProgress, encounter_id: str, attendance: AttendanceReport
) -> AttendanceEffects:
    """Note a report; again is the same as once, and another one corrects it.

    Raises:
        NotPossible: there is no such encounter, it has not begun, or the report contradicts itself.
    """
    state = decision.state
    pair_id = pair_of_encounter(state, encounter_id)
    attended = _attended(state, pair_id, attendance, decision)
    running = not state.is_closed and decision.now < attended.place.ends_at
    gone = attended.absent_ids if running else ()
    if state.attended.get(pair_id) == attended:
        return AttendanceEffects(gone=gone)
    seat = state.board.placed[pair_id][1] if pair_id in state.placements else None
    cause = Cause(code=CauseCode.ATTENDANCE_REPORTED, subject_id=encounter_id)
    decision.record(AttendanceRecorded(pair_id=pair_id, attended=attended, gone_ids=gone, cause=cause))
    people, refilled = state.pairs[pair_id].people, tuple[str, ...]()
    if seat is not None and pair_id not in state.placements and running:
        decision.offer(pair_id, seat, set(people) - set(gone), cause)
        refilled = tuple(state.encounter_id(pair) for pair in decision.before if pair in state.placements)
    elif seat is None and pair_id in state.placements:
        # Held after all: who was given an encounter in its stead may have one too many, or one out of order.
        theirs = {pair for each in people for pair in state.links.pairs_of[each]}
        decision.reconsider(theirs | state.ordered_with(pair_id), cause)
    return AttendanceEffects(gone=gone, refilled=refilled)


def _attended(
    state: AgendaState, pair_id: str, attendance: AttendanceReport, decision: DecisionInProgress
) -> AttendanceSnapshot:
    absent, pair = attendance.absent, state.pairs[pair_id]
    known = state.attended.get(pair_id)
    place = known.place if known else state.placements.get(pair_id)
    if state.edition is None or state.edition.phase not in {Phase.LIVE, Phase.CLOSED}:
        raise EditRejected(EditErrorCode.NOT_LIVE, "attendance is noted once the edition is live")
    if place is None or place.starts_at > decision.now:
        raise EditRejected(EditErrorCode.NOT_BEGUN, "the encounter has not begun")
    if not set(absent) <= set(pair.people) or len(set(absent)) < len(absent):
        raise EditRejected(EditErrorCode.NOT_THEIRS, f"absent can be, each once: {', '.join(pair.people)}")
    if set(absent).isdisjoint(pair.participant_ids) != (attendance.outcome is EncounterState.HELD):
        raise EditRejected(
            EditErrorCode.CONTRADICTION, "it is missed if one of the two is absent, and say who; guests alone may be"
        )
    return AttendanceSnapshot(outcome=attendance.outcome, absent_ids=tuple(sorted(absent)), place=place)
