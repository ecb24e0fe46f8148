"""What each event does to an edition's agenda. A revision already known, or older, does nothing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

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
from services.scheduler.domain.improvement.adopt import verify_step
from services.scheduler.domain.snapshots import OrganisationSnapshot, PairSnapshot, ParticipantSnapshot
from services.scheduler.domain.state import AgendaState
from shared.contract.events import (
    AffinityScored,
    Cause,
    CauseCode,
    Consent,
    EditionChanged,
    Event,
    OrganisationChanged,
    ParticipantChanged,
    Status,
)
from shared.contract.ids import pair_id, pair_of


class NotAPair(Exception):
    """An affinity's pair id is not the id of its two participants, so one pair could get two encounters."""


def apply_event(decision: DecisionInProgress, event: Event) -> None:
    """Apply one event to the batch's state, repairing the agenda where it has to. Raises as `verify_step`."""
    _take(event, decision)
    verify_step(decision)


@singledispatch
def _take(event: Event, decision: DecisionInProgress) -> None:
    """What bears on no agenda changes none."""


@_take.register
def _apply_edition_changed(event: EditionChanged, decision: DecisionInProgress) -> None:
    state = decision.state
    if state.edition is not None and event.revision <= state.edition.revision:
        return
    news = diff_of(state.edition, event)
    cause = Cause(code=CauseCode.EDITION_CHANGED, subject_id=event.edition_id)
    decision.record(EditionRecorded(edition=event))
    attending = sorted({each for session in news.sessions for each in state.links.attending[session]})
    for participant_id in attending:
        decision.record(AgendaTouched(participant_id=participant_id, cause=cause))
    decision.reconsider(_concerned(state, news, attending), cause, new_tables=bool(news.gained))


def _concerned(state: AgendaState, news: EditionDiff, attending: Iterable[str]) -> set[str]:
    """The pairs whose encounters the news of the edition may befall: out of place, or waiting for whom it frees."""
    if news.is_remade:
        return set(state.pairs)
    pairs = {pair for table in news.lost for pair in state.links.sittings.at(*table)}
    taken = [state.sessions_by_id[each] for each in news.sessions if each in state.sessions_by_id]
    for pair in {pair for each in attending for pair in state.links.pairs_of[each]}:
        place = state.placements.get(pair)
        if place is None or any(session.overlaps(place) for session in taken):
            pairs.add(pair)
    return pairs


@_take.register
def _apply_organisation_changed(event: OrganisationChanged, decision: DecisionInProgress) -> None:
    links = decision.state.links
    known = decision.state.organisations.get(event.organisation_id)
    if known is not None and event.revision <= known.revision:
        return
    taken = OrganisationSnapshot.of(event)
    decision.record(OrganisationRecorded(organisation_id=event.organisation_id, organisation=taken))
    if known is not None and known.is_placed_like(taken):
        return
    people = sorted(links.people_of[event.organisation_id])
    cause = Cause(code=CauseCode.ORGANISATION_CHANGED, subject_id=event.organisation_id)
    for participant_id in people:
        decision.record(AgendaTouched(participant_id=participant_id, cause=cause))
    pairs = {pair for each in people for pair in links.pairs_of[each]}
    if event.status is Status.CANCELLED:
        for participant_id in people:
            _leave(decision, participant_id, cause)
    decision.reconsider(pairs, cause)


@_take.register
def _apply_participant_changed(event: ParticipantChanged, decision: DecisionInProgress) -> None:
    state = decision.state
    known = state.participants.get(event.participant_id)
    if known is not None and event.revision <= known.revision:
        return
    taken = ParticipantSnapshot.of(event)
    decision.record(ParticipantRecorded(participant_id=event.participant_id, participant=taken))
    if known is not None and known.is_placed_like(taken):
        if taken.checked_in and not known.checked_in:
            cause = Cause(code=CauseCode.CHECKED_IN, subject_id=event.participant_id)
            decision.reconsider(set(state.links.pairs_of[event.participant_id]), cause)
        return
    cancelled = event.status is Status.CANCELLED
    code = CauseCode.PARTICIPANT_CANCELLED if cancelled else CauseCode.PARTICIPANT_CHANGED
    cause = Cause(code=code, subject_id=event.participant_id)
    decision.record(AgendaTouched(participant_id=event.participant_id, cause=cause))
    if known is not None and known.organisation_id != taken.organisation_id:
        _touch_partners(decision, event.participant_id, cause)
    pairs = set(state.links.pairs_of[event.participant_id])
    if cancelled:
        _leave(decision, event.participant_id, cause)
    decision.reconsider(pairs, cause)


@_take.register
def _apply_affinity_scored(event: AffinityScored, decision: DecisionInProgress) -> None:
    one, other = event.participant_ids
    if (one, other) != pair_of(one, other) or one == other or event.pair_id != pair_id(event.edition_id, one, other):
        raise NotAPair(f"{event.pair_id} is not the id of the pair {one}, {other}")
    known = decision.state.pairs.get(event.pair_id)
    if known is not None and event.revision <= known.revision:
        return
    taken = PairSnapshot.of(event)
    decision.record(PairRecorded(operator_id=event.operator_id, pair_id=event.pair_id, pair=taken))
    granted = event.consent is Consent.GRANTED
    code = CauseCode.PAIR_GRANTED if granted else CauseCode.PAIR_REVOKED
    decision.reconsider([event.pair_id], Cause(code=code, subject_id=event.pair_id))


def _leave(decision: DecisionInProgress, participant_id: str, cause: Cause) -> None:
    """Have the two meet without a guest who has cancelled; and whoever was asked for again, if it is the stand-in."""
    state = decision.state
    for pair in sorted(state.links.pairs_of[participant_id]):
        people = state.pairs[pair].without(participant_id, state.participants)
        if people == state.pairs[pair].people or state.is_history(pair, decision.now):
            continue
        back = set(people) - set(state.pairs[pair].people)
        if back and state.stays(pair, decision.now):
            continue  # it is locked or about to begin, and was arranged for the one who cancels
        slots = state.board.placed[pair][1].slots if pair in state.placements else 0
        if any(state.board.busy[each] & slots for each in back):
            decision.lift(pair, cause)
        decision.record(TakenOver(pair_id=pair, people=people, cause=cause))


def _touch_partners(decision: DecisionInProgress, participant_id: str, cause: Cause) -> None:
    board = decision.state.board
    for pair in sorted(board.assignments_of[participant_id]):
        for partner_id in sorted(set(decision.state.pairs[pair].people) - {participant_id}):
            decision.record(AgendaTouched(participant_id=partner_id, cause=cause))
