"""Rebuild of the scheduler's state from the topics: its inputs, and the encounters and agendas that it published.

Topics do not have the edits that could be undone, nor changes that were journalled and not published.
"""

from __future__ import annotations

from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.changes import (
    Announced,
    AttendanceRecorded,
    Change,
    EditionRecorded,
    Improved,
    Locked,
    Ordered,
    OrganisationRecorded,
    PairRecorded,
    ParticipantRecorded,
    Placed,
    Published,
    TakenOver,
    Waits,
)
from services.scheduler.domain.publication import MAX_AGENDAS
from services.scheduler.domain.snapshots import (
    AttendanceSnapshot,
    OrganisationSnapshot,
    PairSnapshot,
    ParticipantSnapshot,
    PublishedAgenda,
    PublishedEncounter,
)
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verification import violations_of
from services.scheduler.settings import Settings
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    Cause,
    CauseCode,
    EditionChanged,
    EncounterChanged,
    EncounterState,
    OrganisationChanged,
    ParticipantChanged,
    Phase,
    Place,
)
from shared.contract.ids import encounter_id, pair_id
from shared.contract.topics import AFFINITY, AGENDA, ENCOUNTER, REGISTRATION
from shared.messaging.topic_log import EditionEvents
from shared.runtime.clock import utc_now
from shared.storage.mongo import MongoDatabase
from shared.storage.rebuild import JournalDraft, Rebuilt, View, as_json, read_journal, write_journal

_AGGREGATE = AgendaAggregate()
_ENDED = frozenset({EncounterState.HELD, EncounterState.MISSED})


class SchedulerRebuilder:
    """Rebuilder of the scheduler: see `shared.storage.rebuild.Rebuilder`."""

    consumed = (REGISTRATION, AFFINITY)
    published = (AGENDA, ENCOUNTER)

    def __init__(self) -> None:
        self.settings = Settings()

    async def write(
        self, database: MongoDatabase, edition_id: str, consumed: EditionEvents, published: EditionEvents
    ) -> Rebuilt:
        """Write an edition's journal; the notes are the violations that the verifier finds."""
        draft = state_of(edition_id, consumed, published)
        await write_journal(database, _AGGREGATE, draft, consumed)
        broken = violations_of(draft.state, draft.state.placements, utc_now()) if draft.state.edition else []
        notes = [f"{violation.rule}: {', '.join(violation.pair_ids)}" for violation in broken]
        return Rebuilt(len(draft.state.agendas) + len(draft.state.encounters), notes)

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """Return the published agendas and encounters, and the inputs, for comparison."""
        state = await read_journal(database, _AGGREGATE, edition_id)
        return view_of(state) if state else {}


def view_of(state: AgendaState) -> View:
    """Return all of a state but edits, certificate and version."""
    return {
        "edition": as_json({state.edition_id: state.edition} if state.edition else {}),
        "organisations": as_json(state.organisations),
        "participants": as_json(state.participants),
        "pairs": as_json(state.pairs),
        "placements": as_json(state.placements),
        "waiting": dict(state.waiting),
        "locked": dict.fromkeys(sorted(state.locked), True),
        "comes_after": {pair: list(earlier) for pair, earlier in state.comes_after.items()},
        "encounters": as_json(state.encounters),
        "agendas": as_json(state.agendas),
        "attended": as_json(state.attended),
        "announced": {state.edition_id: state.announced},
    }


def state_of(edition_id: str, consumed: EditionEvents, published: EditionEvents) -> JournalDraft[AgendaState, Change]:
    """Return a draft of the state with these inputs and these published events."""
    draft = JournalDraft[AgendaState, Change](_AGGREGATE, edition_id)
    _record_inputs(draft, consumed)
    encounters = _encounters_by_pair(draft.state, published)
    _record_places(draft, encounters)
    _record_attendance(draft, encounters, consumed, published)
    _record_published(draft, encounters, published.newest(AgendaChanged))
    return draft


def _record_inputs(draft: JournalDraft[AgendaState, Change], consumed: EditionEvents) -> None:
    for organisation in consumed.newest(OrganisationChanged):
        snapshot = OrganisationSnapshot.of(organisation)
        draft.record(OrganisationRecorded(organisation_id=organisation.organisation_id, organisation=snapshot))
    for participant in consumed.newest(ParticipantChanged):
        draft.record(
            ParticipantRecorded(
                participant_id=participant.participant_id, participant=ParticipantSnapshot.of(participant)
            )
        )
    for edition in consumed.newest(EditionChanged):
        draft.record(EditionRecorded(edition=edition))
    for affinity in consumed.newest(AffinityScored):
        if affinity.pair_id == pair_id(affinity.edition_id, *affinity.participant_ids):
            draft.record(
                PairRecorded(operator_id=affinity.operator_id, pair_id=affinity.pair_id, pair=PairSnapshot.of(affinity))
            )


def _encounters_by_pair(state: AgendaState, published: EditionEvents) -> dict[str, EncounterChanged]:
    pairs = {encounter_id(state.edition_id, *pair.matched): pair_id for pair_id, pair in state.pairs.items()}
    newest = published.newest(EncounterChanged)
    return {pairs[event.encounter_id]: event for event in newest if event.encounter_id in pairs}


def _record_places(draft: JournalDraft[AgendaState, Change], encounters: dict[str, EncounterChanged]) -> None:
    """Record people and places of encounters, or reasons to wait; then locks and orders."""
    for pair, published in encounters.items():
        people = (*published.participant_ids, *(guest.participant_id for guest in published.guests))
        if people != draft.state.pairs[pair].people:
            draft.record(TakenOver(pair_id=pair, people=people, cause=published.cause))
        if published.waiting_reason is not None:
            draft.record(Waits(pair_id=pair, reason=published.waiting_reason, cause=published.cause))
        elif published.place is not None and published.state not in _ENDED:
            draft.record(
                Placed(pair_id=pair, place=_as_numbered_now(draft.state, published.place), cause=published.cause)
            )
        if published.is_locked:
            draft.record(Locked(pair_id=pair, is_locked=True))
    by_encounter = draft.state.pairs_by_encounter
    for pair, published in encounters.items():
        comes_after = tuple(
            sorted(by_encounter[earlier] for earlier in published.comes_after if earlier in by_encounter)
        )
        if comes_after:
            draft.record(Ordered(pair_id=pair, comes_after=comes_after))


def _as_numbered_now(state: AgendaState, place: Place) -> Place:
    """Return the place with the present number of its slot: slots may have been renumbered since the publication."""
    index = state.timeline.index_of(place)
    return place if index is None else place.model_copy(update={"slot": index})


def _record_attendance(
    draft: JournalDraft[AgendaState, Change],
    encounters: dict[str, EncounterChanged],
    consumed: EditionEvents,
    published: EditionEvents,
) -> None:
    """Record the outcome of encounters, and the participants reported absent from the venue.

    A participant is absent if reported so while an encounter ran, until the next check-in. A report that was
    replaced counts only until compaction removes it from the topic.
    """
    changed_at = {event.participant_id: event.occurred_at for event in consumed.newest(ParticipantChanged)}
    gone: dict[str, set[str]] = {}
    for report in published.every(EncounterChanged):
        if report.place is not None and report.occurred_at < report.place.ends_at:
            at = report.occurred_at
            absent = {person_id for person_id in report.absent_ids if changed_at.get(person_id, at) <= at}
            gone.setdefault(report.encounter_id, set()).update(absent & draft.state.participants.keys())
    ended = [(pair, last) for pair, last in encounters.items() if last.state in _ENDED]
    for pair, last in sorted(ended, key=lambda item: item[1].occurred_at):
        if last.place is not None:
            attended = AttendanceSnapshot(outcome=last.state, absent_ids=last.absent_ids, place=last.place)
            gone_ids = tuple(sorted(gone.get(last.encounter_id, ())))
            draft.record(AttendanceRecorded(pair_id=pair, attended=attended, gone_ids=gone_ids, cause=last.cause))


def _record_published(
    draft: JournalDraft[AgendaState, Change], published: dict[str, EncounterChanged], agendas: list[AgendaChanged]
) -> None:
    """Record published content as published, and the announcement and the improvement as done."""
    state = draft.state
    if any(not agenda.provisional for agenda in agendas) and state.edition and state.edition.phase is not Phase.OPEN:
        draft.record(Announced(cause=Cause(code=CauseCode.EDITION_PUBLISHED, subject_id=state.edition_id)))
    newest = max(
        (agenda for agenda in agendas if agenda.certificate), key=lambda agenda: agenda.occurred_at, default=None
    )
    if newest is not None:
        draft.record(Improved(version=state.version, certificate=newest.certificate))
    pairs = list(published)
    for at in range(0, max(len(pairs), 1), MAX_AGENDAS):
        some = pairs[at : at + MAX_AGENDAS]
        part = {pair: _published_encounter(state, pair, published[pair]) for pair in some}
        draft.record(Published(encounters=part, agendas={}, pairs=tuple(some), participants=()))
    for at in range(0, max(len(agendas), 1), MAX_AGENDAS):
        content = {
            agenda.participant_id: PublishedAgenda(
                revision=agenda.revision, provisional=agenda.provisional, entries=agenda.entries
            )
            for agenda in agendas[at : at + MAX_AGENDAS]
        }
        draft.record(Published(encounters={}, agendas=content, pairs=(), participants=tuple(content)))
    draft.record(
        Published(
            encounters={},
            agendas={},
            pairs=tuple(state.unpublished_pairs),
            participants=tuple(state.unpublished_participants),
        )
    )


def _published_encounter(state: AgendaState, pair: str, published: EncounterChanged) -> PublishedEncounter:
    return PublishedEncounter(
        revision=published.revision,
        state=published.state,
        place=published.place,
        reason=published.waiting_reason,
        people=state.pairs[pair].published_people,
        absent_ids=published.absent_ids,
        is_locked=published.is_locked,
        comes_after=state.comes_after.get(pair, ()),
    )
