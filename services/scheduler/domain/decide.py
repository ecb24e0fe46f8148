"""Effects of events on an edition's agenda. An event of a known or an older revision has no effect."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from services.scheduler.domain import timing
from services.scheduler.domain.changes import (
    AgendaTouched,
    EditionRecorded,
    OrganisationRecorded,
    PairRecorded,
    ParticipantRecorded,
    TakenOver,
)
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.edition_diff import EditionDiff, diff_of
from services.scheduler.domain.repair.agenda_repair import AgendaRepair
from services.scheduler.domain.repair.inheritance import inherit_place
from services.scheduler.domain.snapshots import OrganisationSnapshot, PairSnapshot, ParticipantSnapshot
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verification import verify_step
from shared.contract.events import (
    AffinityScored,
    Cause,
    CauseCode,
    Consent,
    EditionChanged,
    Event,
    OrganisationChanged,
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
    Status,
)
from shared.contract.ids import pair_id, pair_of


class NotAPair(Exception):
    """The pair id of an affinity is not the id of its two participants, so that a pair could get two encounters."""


def apply_event(decision: DecisionInProgress, event: Event) -> None:
    """Apply an event, repair the agenda where the event breaks it, and verify the step.

    Raises:
        NotAPair: see there.
        AgendaBroken: the repair is wrong, a defect of the scheduler.
    """
    decision.record_settled_by_time()
    _apply(event, decision)
    decision.record_displacements(decision.state.version)
    verify_step(decision)


@singledispatch
def _apply(event: Event, decision: DecisionInProgress) -> None:
    """Ignore events that concern no agenda."""


@_apply.register
def _apply_edition_changed(event: EditionChanged, decision: DecisionInProgress) -> None:
    state = decision.state
    if state.edition is not None and event.revision <= state.edition.revision:
        return
    diff = diff_of(state.edition, event)
    cause = Cause(code=CauseCode.EDITION_CHANGED, subject_id=event.edition_id, actor=event.actor)
    decision.record(EditionRecorded(edition=event))
    attendees = sorted(
        {participant_id for session_id in diff.sessions for participant_id in state.links.attendees_of[session_id]}
    )
    for participant_id in attendees:
        decision.record(AgendaTouched(participant_id=participant_id, cause=cause))
    pairs = _concerned(state, diff, attendees)
    AgendaRepair(decision, cause).reconsider(pairs, new_tables=bool(diff.gained), raises_quota=diff.raises_quota)


def _concerned(state: AgendaState, diff: EditionDiff, attendees: Iterable[str]) -> set[str]:
    """Return the pairs whose meetings a change of the edition concerns.

    Their table is lost, they overlap a changed session that a participant attends, or they wait for such a participant.
    """
    if diff.is_remade:
        return set(state.pairs)
    pairs = {pair_id for table in diff.lost for pair_id in state.links.occupancy.at(*table)}
    sessions = [state.sessions_by_id[session_id] for session_id in diff.sessions if session_id in state.sessions_by_id]
    for pair in {pair for participant_id in attendees for pair in state.links.pairs_of[participant_id]}:
        place = state.placements.get(pair)
        if place is None or any(session.overlaps(place) for session in sessions):
            pairs.add(pair)
    return pairs


@_apply.register
def _apply_organisation_changed(event: OrganisationChanged | OrganisationErased, decision: DecisionInProgress) -> None:
    links = decision.state.links
    before = decision.state.organisations.get(event.organisation_id)
    if before is not None and event.revision <= before.revision:
        return
    after = OrganisationSnapshot.of(event)
    decision.record(OrganisationRecorded(organisation_id=event.organisation_id, organisation=after))
    if before is not None and (before.allows_same_places_as(after) or _is_erased_after_the_end(event)):
        return
    participants = sorted(links.participants_of[event.organisation_id])
    cause = Cause(code=CauseCode.ORGANISATION_CHANGED, subject_id=event.organisation_id, actor=event.actor)
    for participant_id in participants:
        decision.record(AgendaTouched(participant_id=participant_id, cause=cause))
    pairs = {pair_id for participant_id in participants for pair_id in links.pairs_of[participant_id]}
    if before is not None and before.status is Status.CANCELLED:
        pairs |= links.pairs_concerned(participants)
    if event.status is Status.CANCELLED:
        for participant_id in participants:
            _remove_from_pairs(decision, participant_id, cause)
    AgendaRepair(decision, cause).reconsider(pairs)


@_apply.register
def _apply_participant_changed(event: ParticipantChanged | ParticipantErased, decision: DecisionInProgress) -> None:
    state = decision.state
    before = state.participants.get(event.participant_id)
    if before is not None and event.revision <= before.revision:
        return
    after = ParticipantSnapshot.of(event)
    decision.record(ParticipantRecorded(participant_id=event.participant_id, participant=after))
    if _is_erased_after_the_end(event):
        return
    if before is not None and before.allows_same_agenda_as(after):
        if after.checked_in and not before.checked_in:
            cause = Cause(code=CauseCode.CHECKED_IN, subject_id=event.participant_id, actor=event.actor)
            AgendaRepair(decision, cause).reconsider(set(state.links.pairs_of[event.participant_id]))
        return
    cancelled = event.status is Status.CANCELLED
    code = CauseCode.PARTICIPANT_CANCELLED if cancelled else CauseCode.PARTICIPANT_CHANGED
    cause = Cause(code=code, subject_id=event.participant_id, actor=event.actor)
    decision.record(AgendaTouched(participant_id=event.participant_id, cause=cause))
    if before is not None and before.organisation_id != after.organisation_id:
        _touch_partners(decision, event.participant_id, cause)
    pairs = set(state.links.pairs_of[event.participant_id])
    if before is not None and before.status is Status.CANCELLED:
        pairs |= state.links.pairs_concerned([event.participant_id])
    if cancelled:
        _remove_from_pairs(decision, event.participant_id, cause)
    AgendaRepair(decision, cause).reconsider(pairs)
    if after.merged_into is not None:
        heirs = [
            pair_id for pair_id in sorted(state.links.pairs_of[after.merged_into]) if inherit_place(decision, pair_id)
        ]
        AgendaRepair(decision, cause).reconsider(heirs)


def _is_erased_after_the_end(event: Event) -> bool:
    """Return whether an erasure leaves the agendas of a closed edition as they were."""
    return isinstance(event, OrganisationErased | ParticipantErased) and event.status is Status.ACTIVE


@_apply.register
def _apply_affinity_scored(event: AffinityScored, decision: DecisionInProgress) -> None:
    first_id, second_id = event.participant_ids
    is_pair = first_id != second_id and (first_id, second_id) == pair_of(first_id, second_id)
    if not is_pair or event.pair_id != pair_id(event.edition_id, first_id, second_id):
        raise NotAPair(f"{event.pair_id} is not the id of the pair {first_id}, {second_id}")
    before = decision.state.pairs.get(event.pair_id)
    if before is not None and event.revision <= before.revision:
        return
    after = PairSnapshot.of(event)
    decision.record(PairRecorded(operator_id=event.operator_id, pair_id=event.pair_id, pair=after))
    granted = event.consent is Consent.GRANTED
    if granted:
        inherit_place(decision, event.pair_id)
    code = CauseCode.PAIR_GRANTED if granted else CauseCode.PAIR_REVOKED
    AgendaRepair(decision, Cause(code=code, subject_id=event.pair_id)).reconsider([event.pair_id])


def _remove_from_pairs(decision: DecisionInProgress, participant_id: str, cause: Cause) -> None:
    """Take a cancelled participant out of meetings as a guest or as a substitute.

    In place of a substitute, the participant that matching named meets again. The meeting loses its place if that
    participant is busy then. A meeting that stays in place keeps its people: it waits for the organiser.
    """
    state = decision.state
    for pair in sorted(state.links.pairs_of[participant_id]):
        people = state.pairs[pair].without(participant_id, state.participants)
        if people == state.pairs[pair].people or timing.is_history(state, pair, decision.now):
            continue
        returning = set(people) - set(state.pairs[pair].people)
        if returning and timing.stays(state, pair, decision.now):
            continue
        slots = state.board.placed[pair][1].slots if pair in state.placements else 0
        if any(state.board.busy[person_id] & slots for person_id in returning):
            decision.remove(pair, cause)
        decision.record(TakenOver(pair_id=pair, people=people, cause=cause))


def _touch_partners(decision: DecisionInProgress, participant_id: str, cause: Cause) -> None:
    board = decision.state.board
    for pair in sorted(board.assignments_of[participant_id]):
        for partner_id in sorted(set(decision.state.pairs[pair].people) - {participant_id}):
            decision.record(AgendaTouched(participant_id=partner_id, cause=cause))
