"""The only function that changes an edition's state, so that replaying a journal gives the state that wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from services.scheduler.domain.changes import (
    AgendaTouched,
    Announced,
    AttendanceRecorded,
    Change,
    Edited,
    EditionRecorded,
    Improved,
    Locked,
    Ordered,
    OrganisationRecorded,
    PairRecorded,
    ParticipantRecorded,
    Placed,
    Published,
    Removed,
    TakenOver,
    Undone,
    Waits,
)
from services.scheduler.domain.edition_diff import diff_of
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Cause, CauseCode, EncounterState, Phase, Place, WaitingReason
from shared.contract.ids import encounter_id

#: Edits that can be taken back, one after the other.
_MOST_EDITS = 20
#: Causes kept for one agenda between two tellings: the reader wants the gist, the encounters have their own.
_MOST_CAUSES = 5


def evolve(state: AgendaState, change: Change) -> None:
    """Apply one change to the state and its indexes."""
    _apply(change, state)


@singledispatch
def _apply(change: object, state: AgendaState) -> None:  # noqa: ARG001 - the signature of its cases
    raise TypeError(f"not a change: {change!r}")


@_apply.register
def _evolve_edition_recorded(change: EditionRecorded, state: AgendaState) -> None:
    before, state.edition = state.edition, change.edition
    state.operator_id = change.edition.operator_id
    state.version += 1
    if change.edition.phase is Phase.OPEN:
        state.announced = False
    news = diff_of(before, change.edition)
    state.forget_indexes("sessions_by_id", "zones_by_kinds")
    if news.is_remade or "board" not in state.__dict__:
        state.forget_indexes("timeline", "board")
        _renumber(state)
        return
    for zone_id in news.zones:
        state.furnish(zone_id)
    for participant_id in {each for session in news.sessions for each in state.links.attending[session]}:
        state.board.hours[participant_id] = state.hours(state.participants[participant_id])


@_apply.register
def _evolve_organisation_recorded(change: OrganisationRecorded, state: AgendaState) -> None:
    before = state.organisations.get(change.organisation_id)
    state.organisations[change.organisation_id] = change.organisation
    if before is None or before.kind is not change.organisation.kind:
        _reseat(state, state.links.people_of[change.organisation_id])
    state.version += before is None or not before.is_judged_like(change.organisation)


@_apply.register
def _evolve_participant_recorded(change: ParticipantRecorded, state: AgendaState) -> None:
    before, after = state.participants.get(change.participant_id), change.participant
    state.participants[change.participant_id] = after
    if before is not None:
        state.links.leave(change.participant_id, before)
    state.links.join(change.participant_id, after)
    if before is None or before.organisation_id != after.organisation_id:
        _reseat(state, [change.participant_id])
        for pair_id in state.links.pairs_of[change.participant_id]:
            _outdate(state, pair_id)
    if "board" in state.__dict__:
        state.board.hours[change.participant_id] = state.hours(after)
    state.version += before is None or not before.is_placed_like(after)


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
    state.version += 1


@_apply.register
def _evolve_placed(change: Placed, state: AgendaState) -> None:
    if change.pair_id in state.placements:
        _lift(state, change.pair_id)
    _put(state, change.pair_id, change.place)
    state.waiting.pop(change.pair_id, None)
    state.links.waiting_for_table.discard(change.pair_id)
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _evolve_removed(change: Removed, state: AgendaState) -> None:
    _lift(state, change.pair_id)
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
    _tell_of(state, change.pair_id, CauseCode.ORGANISER_EDITED)


@_apply.register
def _evolve_ordered(change: Ordered, state: AgendaState) -> None:
    followers = state.links.followers
    for each in state.comes_after.pop(change.pair_id, ()):
        followers[each].discard(change.pair_id)
    for each in change.comes_after:
        followers[each].add(change.pair_id)
    if change.comes_after:
        state.comes_after[change.pair_id] = change.comes_after
    state.board.set_predecessors(change.pair_id, change.comes_after)
    _tell_of(state, change.pair_id, CauseCode.ORGANISER_EDITED)


@_apply.register
def _evolve_taken_over(change: TakenOver, state: AgendaState) -> None:
    pair = state.pairs[change.pair_id]
    seat = state.board.remove(change.pair_id)[1] if change.pair_id in state.placements else None
    _touch_pair(state, change.pair_id, change.cause)
    for participant_id in pair.people:
        state.links.pairs_of[participant_id].discard(change.pair_id)
    for participant_id in change.people:
        state.links.pairs_of[participant_id].add(change.pair_id)
    state.pairs[change.pair_id] = pair.with_people(change.people)
    if seat is not None:
        state.board.place(state.meeting(change.pair_id), seat)
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _evolve_attendance_recorded(change: AttendanceRecorded, state: AgendaState) -> None:
    pair_id, attended = change.pair_id, change.attended
    state.attended[pair_id] = attended
    if attended.outcome is EncounterState.MISSED and pair_id in state.placements:
        _lift(state, pair_id)
        state.version += 1
    elif attended.outcome is EncounterState.HELD and pair_id not in state.placements:
        _put_back(state, pair_id, attended.place)
    if state.timeline.index_of(attended.place) is None:
        # Of those that share a slot since the slots were moved, the first has it: who comes after this one has it now.
        state.forget_indexes("board")
    for participant_id in change.gone_ids:
        gone = state.participants[participant_id].model_copy(update={"checked_in": False})
        state.participants[participant_id] = gone
    state.unpublished_pairs[pair_id] = change.cause
    _outdate(state, pair_id)


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
    """Where a slot has kept its hours but not its number, have its encounters know, and have it told."""
    for pair_id, place in state.placements.items():
        if (now := state.numbered(place)) is not place:
            state.placements[pair_id] = now
            _tell_of(state, pair_id, CauseCode.EDITION_CHANGED)
    for pair_id, attended in state.attended.items():
        if (now := state.numbered(attended.place)) is not attended.place:
            state.attended[pair_id] = attended.model_copy(update={"place": now})
            _tell_of(state, pair_id, CauseCode.EDITION_CHANGED)


def _put(state: AgendaState, pair_id: str, place: Place) -> None:
    state.board.place(state.meeting(pair_id), state.assignment(place))
    if state.timeline.index_of(place) is None:
        state.board.before_and_after[pair_id] = state.timeline.before_and_after(place)
    state.placements[pair_id] = place
    state.links.sittings.add(pair_id, place)


def _lift(state: AgendaState, pair_id: str) -> None:
    state.board.remove(pair_id)
    state.board.before_and_after.pop(pair_id, None)
    place = state.placements.pop(pair_id)
    state.links.sittings.discard(pair_id, place)
    if pair_id not in state.locked:
        state.board.pinned.discard(pair_id)


def _put_back(state: AgendaState, pair_id: str, place: Place) -> None:
    """Count an encounter said to be missed as held after all, unless others have been given its time or table."""
    others = state.links.sittings.near(place).union(
        *(state.board.assignments_of[each] for each in state.meeting(pair_id).participant_ids)
    )
    if state.assignment(place).slots and not any(state.placements[other].overlaps(place) for other in others):
        _put(state, pair_id, place)


def _reseat(state: AgendaState, people: Iterable[str]) -> None:
    """Have the board know by which zones their encounters may be in, which follows from their organisations' kinds."""
    if "board" in state.__dict__:
        for pair_id in sorted({pair for each in people for pair in state.board.assignments_of[each]}):
            state.board.place(state.meeting(pair_id), state.board.remove(pair_id)[1])


def _tell_of(state: AgendaState, pair_id: str, code: CauseCode) -> None:
    """Have it told how an encounter is now, though no agenda reads differently."""
    state.unpublished_pairs.setdefault(pair_id, Cause(code=code, subject_id=state.edition_id))
    _outdate(state, pair_id)


def _touch_pair(state: AgendaState, pair_id: str, cause: Cause) -> None:
    state.unpublished_pairs[pair_id] = cause
    _outdate(state, pair_id)
    for participant_id in state.pairs[pair_id].people:
        _touch_agenda(state, participant_id, cause)


def _outdate(state: AgendaState, pair_id: str) -> None:
    """Have the line of the pair's encounter written anew in every agenda, when next one is told."""
    for participant_id in state.pairs[pair_id].people:
        if participant_id in state.stale_lines:
            state.stale_lines[participant_id].add(pair_id)


def _touch_agenda(state: AgendaState, participant_id: str, cause: Cause) -> None:
    causes = state.unpublished_participants.get(participant_id, ())
    if cause not in causes:
        state.unpublished_participants[participant_id] = (*causes, cause)[-_MOST_CAUSES:]
