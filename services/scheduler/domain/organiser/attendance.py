"""Attendance: encounters held or missed. Pairs that wait are offered the time and the table of a missed encounter."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.scheduler.domain.changes import AttendanceRecorded
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.organiser.errors import EditRejected, pair_of_encounter
from services.scheduler.domain.repair.agenda_repair import AgendaRepair
from services.scheduler.domain.snapshots import AttendanceSnapshot
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Cause, CauseCode, EncounterState, Phase
from shared.contract.ids import Id
from shared.internal_api.edit_errors import EditErrorCode
from shared.internal_api.edits import MOST_PEOPLE


class AttendanceReport(BaseModel):
    """A report from the venue: an encounter is held or missed, and these participants are absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal[EncounterState.HELD, EncounterState.MISSED]
    absent: tuple[Id, ...] = Field(default=(), max_length=MOST_PEOPLE)


class AttendanceEffects(BaseModel):
    """Effects of a report: participants no longer at the venue, and encounters given the time or the table."""

    model_config = ConfigDict(frozen=True)

    gone: tuple[str, ...] = ()
    refilled: tuple[str, ...] = ()


def record_attendance(decision: DecisionInProgress, encounter_id: str, report: AttendanceReport) -> AttendanceEffects:
    """Record a report. A repeated report changes nothing; a different report replaces the one before.

    Raises:
        EditRejected: the encounter does not exist or has not begun, or the report contradicts itself.
    """
    state = decision.state
    pair_id = pair_of_encounter(state, encounter_id)
    attended = _attended(state, pair_id, report, decision)
    running = not state.is_closed and decision.now < attended.place.ends_at
    gone = attended.absent_ids if running else ()
    if state.attended.get(pair_id) == attended:
        return AttendanceEffects(gone=gone)
    assignment = state.board.placed[pair_id][1] if pair_id in state.placements else None
    cause = Cause(code=CauseCode.ATTENDANCE_REPORTED, subject_id=encounter_id, actor=decision.actor)
    decision.record(AttendanceRecorded(pair_id=pair_id, attended=attended, gone_ids=gone, cause=cause))
    people, refilled = state.pairs[pair_id].people, tuple[str, ...]()
    if assignment is not None and pair_id not in state.placements and running:
        AgendaRepair(decision, cause).offer_missed(pair_id, assignment, set(people) - set(gone))
        refilled = tuple(state.encounter_id(pair) for pair in decision.before if pair in state.placements)
    elif assignment is None and pair_id in state.placements:
        # The encounter was held after all: the encounters given in its place may break the quota or an order.
        own_pairs = {pair for person_id in people for pair in state.links.pairs_of[person_id]}
        AgendaRepair(decision, cause).reconsider(own_pairs | state.ordered_with(pair_id))
    return AttendanceEffects(gone=gone, refilled=refilled)


def _attended(
    state: AgendaState, pair_id: str, report: AttendanceReport, decision: DecisionInProgress
) -> AttendanceSnapshot:
    absent, pair = report.absent, state.pairs[pair_id]
    known = state.attended.get(pair_id)
    place = known.place if known else state.placements.get(pair_id)
    if state.edition is None or state.edition.phase not in {Phase.LIVE, Phase.CLOSED}:
        raise EditRejected(
            EditErrorCode.NOT_LIVE, "attendance can be reported once the edition is live: change its phase first"
        )
    if place is None or place.starts_at > decision.now:
        raise EditRejected(
            EditErrorCode.NOT_BEGUN,
            "the encounter has not begun: report it once it has" if place else "the encounter has no place to begin at",
        )
    if not set(absent) <= set(pair.people) or len(set(absent)) < len(absent):
        raise EditRejected(EditErrorCode.NOT_THEIRS, f"`absent` may name, once each: {', '.join(pair.people)}")
    if set(absent).isdisjoint(pair.participant_ids) != (report.outcome is EncounterState.HELD):
        raise EditRejected(
            EditErrorCode.CONTRADICTION,
            f"a missed encounter needs {' or '.join(pair.participant_ids)} in `absent`, a held one guests alone",
        )
    return AttendanceSnapshot(outcome=report.outcome, absent_ids=tuple(sorted(absent)), place=place)
