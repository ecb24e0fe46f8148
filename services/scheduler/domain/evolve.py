"""`evolve`: the only function that changes an edition's state. Replaying a journal gives the state that wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from services.scheduler.domain.changes import (
    AgendaTouched,
    Announced,
    AttendanceRecorded,
    Change,
    Displaced,
    Edited,
    EditionRecorded,
    Improved,
    Locked,
    OperatorRecorded,
    Ordered,
    OrganisationRecorded,
    PairRecorded,
    ParticipantRecorded,
    Placed,
    Published,
    Removed,
    Settled,
    TakenOver,
    Undone,
    Waits,
)
from services.scheduler.domain.edition_diff import diff_of
from services.scheduler.domain.repair.unsettled_index import UnsettledIndex
from services.scheduler.domain.state import AgendaState, refit_tables
from shared.contract.events import Cause, CauseCode, EncounterState, Phase, Place, WaitingReason
from shared.contract.ids import encounter_id

#: Edits kept, which the organiser can undo, last first.
_MOST_EDITS = 20
#: Causes kept for one agenda until it is published. Each encounter keeps its own cause besides.
_MOST_CAUSES = 5


def evolve(state: AgendaState, change: Change) -> None:
    """Apply a change to the state and its indexes."""
    _apply(change, state)


@singledispatch
def _apply(change: object, state: AgendaState) -> None:  # noqa: ARG001 - the signature of its cases
    raise TypeError(f"not a change: {change!r}")


@_apply.register
def _evolve_operator_recorded(change: OperatorRecorded, state: AgendaState) -> None:
    """Forget the inputs of the operator before. The revisions of published things go on."""
    if state.operator_id is not None:
        kept = {"encounters": state.encounters, "agendas": state.agendas}
        empty = AgendaState(edition_id=state.edition_id)
        state.__dict__.clear()
        state.__dict__.update(empty.__dict__ | kept)
    state.operator_id = change.operator_id


@_apply.register
def _evolve_edition_recorded(change: EditionRecorded, state: AgendaState) -> None:
    before, state.edition = state.edition, change.edition
    state.operator_id = change.edition.operator_id  # an entry of an older version records no operator before
    state.version += 1
    if change.edition.phase is Phase.OPEN:
        state.announced = False
        state.unsettled.clear()
        state.links.unsettled = UnsettledIndex({})
    diff = diff_of(before, change.edition)
    is_remade = diff.is_remade or "board" not in state.__dict__
    if is_remade or before is None or before.settle_minutes != change.edition.settle_minutes:
        state.links.unsettled.doubt(state.unsettled)
    state.forget_indexes("sessions_by_id", "zones_by_kinds")
    if is_remade:
        state.forget_indexes("timeline", "board")
        _renumber(state)
        return
    for zone_id in diff.zones:
        refit_tables(state, zone_id)
    for table in diff.lost | diff.gained:
        state.links.unsettled.doubt(state.links.unsettled.pairs_at(*table))
    attendees = {person_id for session_id in diff.sessions for person_id in state.links.attendees_of[session_id]}
    for participant_id in attendees:
        state.board.hours[participant_id] = state.hours(state.participants[participant_id])
    state.links.doubt_settled(attendees)


@_apply.register
def _evolve_organisation_recorded(change: OrganisationRecorded, state: AgendaState) -> None:
    before = state.organisations.get(change.organisation_id)
    state.organisations[change.organisation_id] = change.organisation
    if before is None or before.kind is not change.organisation.kind:
        _refresh_zones(state, state.links.participants_of[change.organisation_id])
    state.links.doubt_settled(state.links.participants_of[change.organisation_id])
    state.version += before is None or not before.allows_same_agenda_as(change.organisation)


@_apply.register
def _evolve_participant_recorded(change: ParticipantRecorded, state: AgendaState) -> None:
    before, after = state.participants.get(change.participant_id), change.participant
    state.participants[change.participant_id] = after
    if before is not None:
        state.links.remove_participant(change.participant_id, before)
    state.links.add_participant(change.participant_id, after)
    if before is None or before.organisation_id != after.organisation_id:
        _refresh_zones(state, [change.participant_id])
        for pair_id in state.links.pairs_of[change.participant_id]:
            _outdate(state, pair_id)
    if "board" in state.__dict__:
        state.board.hours[change.participant_id] = state.hours(after)
    state.links.doubt_settled([change.participant_id])
    state.version += before is None or not before.allows_same_agenda_as(after)


@_apply.register
def _evolve_pair_recorded(change: PairRecorded, state: AgendaState) -> None:
    state.operator_id = change.operator_id
    known, pair = state.pairs.get(change.pair_id), change.pair
    if known is not None:
        pair = pair.with_people(known.people)
    state.pairs[change.pair_id] = pair
    if "pairs_by_encounter" in state.__dict__:
        state.pairs_by_encounter[encounter_id(state.edition_id, *pair.matched)] = change.pair_id
    for participant_id in pair.people:
        state.links.pairs_of[participant_id].add(change.pair_id)
    state.links.unsettled.doubt([change.pair_id])
    state.version += 1


@_apply.register
def _evolve_placed(change: Placed, state: AgendaState) -> None:
    if change.pair_id in state.placements:
        _remove(state, change.pair_id)
    _place(state, change.pair_id, change.place)
    state.waiting.pop(change.pair_id, None)
    state.links.waiting_for_table.discard(change.pair_id)
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _evolve_removed(change: Removed, state: AgendaState) -> None:
    _remove(state, change.pair_id)
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _evolve_waits(change: Waits, state: AgendaState) -> None:
    if change.reason is None:
        state.waiting.pop(change.pair_id, None)
    else:
        state.waiting[change.pair_id] = change.reason
    if change.reason is WaitingReason.NO_TABLE:
        state.links.waiting_for_table.add(change.pair_id)
    else:
        state.links.waiting_for_table.discard(change.pair_id)
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _evolve_locked(change: Locked, state: AgendaState) -> None:
    for pairs in (state.locked, state.board.pinned):
        if change.is_locked:
            pairs.add(change.pair_id)
        else:
            pairs.discard(change.pair_id)
    _republish(state, change.pair_id, CauseCode.ORGANISER_EDITED)


@_apply.register
def _evolve_ordered(change: Ordered, state: AgendaState) -> None:
    followers_of = state.links.followers_of
    for earlier in state.comes_after.pop(change.pair_id, ()):
        followers_of[earlier].discard(change.pair_id)
    for earlier in change.comes_after:
        followers_of[earlier].add(change.pair_id)
    if change.comes_after:
        state.comes_after[change.pair_id] = change.comes_after
    state.board.set_predecessors(change.pair_id, change.comes_after)
    _republish(state, change.pair_id, CauseCode.ORGANISER_EDITED)


@_apply.register
def _evolve_taken_over(change: TakenOver, state: AgendaState) -> None:
    pair = state.pairs[change.pair_id]
    assignment = state.board.remove(change.pair_id)[1] if change.pair_id in state.placements else None
    _touch_pair(state, change.pair_id, change.cause)
    for participant_id in pair.people:
        state.links.pairs_of[participant_id].discard(change.pair_id)
    for participant_id in change.people:
        state.links.pairs_of[participant_id].add(change.pair_id)
    state.pairs[change.pair_id] = pair.with_people(change.people)
    if assignment is not None:
        state.board.place(state.meeting(change.pair_id), assignment)
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _evolve_attendance_recorded(change: AttendanceRecorded, state: AgendaState) -> None:
    pair_id, attended = change.pair_id, change.attended
    state.attended[pair_id] = attended
    if attended.outcome is EncounterState.MISSED and pair_id in state.placements:
        _remove(state, pair_id)
        state.version += 1
    elif attended.outcome is EncounterState.HELD and pair_id not in state.placements:
        _restore(state, pair_id, attended.place)
        state.version += 1
    if state.timeline.index_of(attended.place) is None:
        # Meetings may share a slot since the slots were moved, and the first has it on the board. Without this
        # meeting, the next one has it.
        state.forget_indexes("board")
    for participant_id in change.gone_ids:
        gone = state.participants[participant_id].model_copy(update={"checked_in": False})
        state.participants[participant_id] = gone
    state.links.unsettled.doubt([pair_id])
    state.unpublished_pairs[pair_id] = change.cause
    _outdate(state, pair_id)


@_apply.register
def _evolve_displaced(change: Displaced, state: AgendaState) -> None:
    state.unsettled[change.pair_id] = change.settled
    state.links.unsettled.add(change.pair_id, change.settled)


@_apply.register
def _evolve_settled(change: Settled, state: AgendaState) -> None:
    state.links.unsettled.discard(change.pair_id, state.unsettled.pop(change.pair_id))


@_apply.register
def _evolve_edited(change: Edited, state: AgendaState) -> None:
    state.edits = (*state.edits, change.made)[-_MOST_EDITS:]
    state.version += 1


@_apply.register
def _evolve_undone(change: Undone, state: AgendaState) -> None:  # noqa: ARG001 - the signature of its siblings
    state.edits = state.edits[:-1]
    state.version += 1


@_apply.register
def _evolve_agenda_touched(change: AgendaTouched, state: AgendaState) -> None:
    _touch_agenda(state, change.participant_id, change.cause)


@_apply.register
def _evolve_announced(change: Announced, state: AgendaState) -> None:
    state.announced = True
    for participant_id in state.agendas:
        _touch_agenda(state, participant_id, change.cause)


@_apply.register
def _evolve_improved(change: Improved, state: AgendaState) -> None:
    state.improved = change.version
    state.certificate = change.certificate


@_apply.register
def _evolve_published(change: Published, state: AgendaState) -> None:
    state.encounters.update(change.encounters)
    state.agendas.update(change.agendas)
    for pair_id in change.pairs:
        state.unpublished_pairs.pop(pair_id, None)
    for participant_id in change.participants:
        state.unpublished_participants.pop(participant_id, None)
    for participant_id in change.agendas:
        state.stale_lines[participant_id] = set()


def _renumber(state: AgendaState) -> None:
    """Give places the present number of a slot that has kept its times, and publish the encounters again."""
    for pair_id, place in state.placements.items():
        if (renumbered := state.numbered(place)) is not place:
            state.placements[pair_id] = renumbered
            _republish(state, pair_id, CauseCode.EDITION_CHANGED)
    for pair_id, attended in state.attended.items():
        if (renumbered := state.numbered(attended.place)) is not attended.place:
            state.attended[pair_id] = attended.model_copy(update={"place": renumbered})
            _republish(state, pair_id, CauseCode.EDITION_CHANGED)


def _place(state: AgendaState, pair_id: str, place: Place) -> None:
    state.board.place(state.meeting(pair_id), state.assignment(place))
    if state.timeline.index_of(place) is None:
        state.board.before_and_after[pair_id] = state.timeline.before_and_after(place)
    state.placements[pair_id] = place
    state.links.occupancy.add(pair_id, place)


def _remove(state: AgendaState, pair_id: str) -> None:
    state.board.remove(pair_id)
    state.board.before_and_after.pop(pair_id, None)
    place = state.placements.pop(pair_id)
    state.links.occupancy.discard(pair_id, place)
    if pair_id not in state.locked:
        state.board.pinned.discard(pair_id)


def _restore(state: AgendaState, pair_id: str, place: Place) -> None:
    """Place a missed encounter again that was held after all, unless its time or table has been given away."""
    others = state.links.occupancy.near(place).union(
        *(state.board.assignments_of[person_id] for person_id in state.meeting(pair_id).participant_ids)
    )
    if state.assignment(place).slots and not any(state.placements[other].overlaps(place) for other in others):
        _place(state, pair_id, place)


def _refresh_zones(state: AgendaState, participant_ids: Iterable[str]) -> None:
    """Put the participants' meetings on the board again, with the zones that follow from the organisations' kinds."""
    if "board" in state.__dict__:
        for pair_id in sorted(
            {pair for person_id in participant_ids for pair in state.board.assignments_of[person_id]}
        ):
            state.board.place(state.meeting(pair_id), state.board.remove(pair_id)[1])


def _republish(state: AgendaState, pair_id: str, code: CauseCode) -> None:
    """Mark an encounter to be published again. No agenda changes by this."""
    state.unpublished_pairs.setdefault(pair_id, Cause(code=code, subject_id=state.edition_id))
    _outdate(state, pair_id)


def _touch_pair(state: AgendaState, pair_id: str, cause: Cause) -> None:
    state.unpublished_pairs[pair_id] = cause
    _outdate(state, pair_id)
    state.links.unsettled.doubt([pair_id])
    for participant_id in state.pairs[pair_id].people:
        _touch_agenda(state, participant_id, cause)


def _outdate(state: AgendaState, pair_id: str) -> None:
    """Mark the line of the pair's encounter as stale in the agendas that have it."""
    for participant_id in state.pairs[pair_id].people:
        if participant_id in state.stale_lines:
            state.stale_lines[participant_id].add(pair_id)


def _touch_agenda(state: AgendaState, participant_id: str, cause: Cause) -> None:
    causes = state.unpublished_participants.get(participant_id, ())
    if cause not in causes:
        state.unpublished_participants[participant_id] = (*causes, cause)[-_MOST_CAUSES:]
