"""Rebuild of the scheduler's state from the topics: its inputs, and the encounters and agendas that it published.

Topics do not have the edits that could be undone, nor changes that were journalled and not published.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.changes import (
    Announced,
    AttendanceRecorded,
    Change,
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
from services.scheduler.domain.timetable.timeline import Timeline
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
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
    Phase,
    Place,
)
from shared.contract.ids import encounter_id, pair_id
from shared.contract.topics import AGENDA, ENCOUNTER, topics_of
from shared.messaging.topic_log import EditionEvents
from shared.runtime.clock import utc_now
from shared.runtime.settings import read_settings
from shared.storage.mongo import MongoDatabase
from shared.storage.rebuild import JournalDraft, Rebuilt, View, as_json, read_journal, write_journal

_AGGREGATE = AgendaAggregate()
_ENDED = frozenset({EncounterState.HELD, EncounterState.MISSED})


class SchedulerRebuilder:
    """Rebuilder of the scheduler: see `shared.storage.rebuild.Rebuilder`."""

    consumed = topics_of("scheduler")
    published = (AGENDA, ENCOUNTER)

    def __init__(self) -> None:
        self.settings = read_settings(Settings)

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
    if consumed.operator_id is not None:
        draft.record(OperatorRecorded(operator_id=consumed.operator_id))
    organisations: list[OrganisationChanged | OrganisationErased] = [
        *consumed.newest(OrganisationChanged),
        *consumed.newest(OrganisationErased),
    ]
    for organisation in organisations:
        snapshot = OrganisationSnapshot.of(organisation)
        draft.record(OrganisationRecorded(organisation_id=organisation.organisation_id, organisation=snapshot))
    participants: list[ParticipantChanged | ParticipantErased] = [
        *consumed.newest(ParticipantChanged),
        *consumed.newest(ParticipantErased),
    ]
    for participant in participants:
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
    reported: dict[str, tuple[EncounterState, tuple[str, ...]]] = {}
    for report in published.every(EncounterChanged):
        outcome = report.state, report.absent_ids
        if reported.get(report.encounter_id) == outcome:
            continue  # published again for another reason, such as a renumbered slot
        reported[report.encounter_id] = outcome
        if report.place is not None and report.occurred_at < report.place.ends_at:
            at = report.occurred_at
            absent = {person_id for person_id in report.absent_ids if changed_at.get(person_id, at) <= at}
            gone.setdefault(report.encounter_id, set()).update(absent & draft.state.participants.keys())
    ended = [(pair, last, last.place) for pair, last in encounters.items() if last.state in _ENDED and last.place]
    placed = _placed_encounters(consumed, published)
    for pair, last, place in ended:
        if last.encounter_id in placed:
            draft.record(Placed(pair_id=pair, place=_as_numbered_now(draft.state, place), cause=last.cause))
    for pair, last, place in ended:
        attended = AttendanceSnapshot(outcome=last.state, absent_ids=last.absent_ids, place=place)
        gone_ids = tuple(sorted(gone.get(last.encounter_id, ())))
        draft.record(AttendanceRecorded(pair_id=pair, attended=attended, gone_ids=gone_ids, cause=last.cause))
        if last.encounter_id not in placed and pair in draft.state.placements:
            draft.record(Removed(pair_id=pair, cause=last.cause))


def _placed_encounters(consumed: EditionEvents, published: EditionEvents) -> set[str]:
    """Return the encounters that have their place at the end of the topic. Missed encounters have none.

    An encounter that was held after all, although reported missed before, has its place again unless another encounter
    had taken the time or the table, or the edition had no slot at that time any more.
    """
    taken, revisions = _TakenPlaces(), dict[str, int]()
    for event in published.every(EncounterChanged):
        known = revisions.get(event.encounter_id, 0)
        if event.revision <= known:
            continue
        revisions[event.encounter_id] = event.revision
        if event.place is None or event.state is EncounterState.MISSED:
            taken.remove(event.encounter_id)
        elif event.state is not EncounterState.HELD:
            taken.add(event)
        elif event.encounter_id in taken.events or taken.clashing(event):
            continue
        # The first event of an encounter may be held, after compaction: then the encounter was probably never missed.
        elif not known or _has_slots_then(consumed, event, event.place):
            taken.add(event)
    return set(taken.events)


def _has_slots_then(consumed: EditionEvents, report: EncounterChanged, place: Place) -> bool:
    """Tell whether the edition had slots at the time of a place when the report was published, as far as is known."""
    editions = consumed.every(EditionChanged)
    before = [edition for edition in editions if edition.occurred_at <= report.occurred_at] or editions[-1:]
    return any(Timeline(edition.slots).overlapping([place]) for edition in before[-1:])


class _TakenPlaces:
    """The encounters that have places while the topic is read, indexed by participants and tables."""

    def __init__(self) -> None:
        self.events: dict[str, EncounterChanged] = {}
        self._by_resource: defaultdict[object, set[str]] = defaultdict(set)

    def add(self, event: EncounterChanged) -> None:
        """Add an encounter at its new place. A held encounter gives way: compaction hides that it came later."""
        self.remove(event.encounter_id)
        for encounter in self.clashing(event):
            if self.events[encounter].state is EncounterState.HELD:
                self.remove(encounter)
        self.events[event.encounter_id] = event
        for resource in _resources(event):
            self._by_resource[resource].add(event.encounter_id)

    def remove(self, encounter: str) -> None:
        """Remove an encounter if it has a place."""
        if (event := self.events.pop(encounter, None)) is not None:
            for resource in _resources(event):
                self._by_resource[resource].discard(encounter)

    def clashing(self, event: EncounterChanged) -> list[str]:
        """List the encounters that share a participant or the table at an overlapping time."""
        near = set[str]().union(*(self._by_resource[resource] for resource in _resources(event)))
        places = ((encounter, self.events[encounter].place) for encounter in sorted(near))
        return [
            encounter
            for encounter, place in places
            if place is not None and event.place and event.place.overlaps(place)
        ]


def _resources(event: EncounterChanged) -> Iterator[object]:
    """Yield the participants and the table that an encounter takes."""
    yield from event.participant_ids
    yield from (guest.participant_id for guest in event.guests)
    if event.place is not None:
        yield event.place.zone_id, event.place.table


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
