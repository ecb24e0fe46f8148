"""The scheduler's state: what it was told, and the encounters and agendas as it published them.

Not on the bus, so not rebuilt: the edits that could be taken back, what was journalled and not yet published.
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
from services.scheduler.domain.improvement.adopt import violations_of
from services.scheduler.domain.publication import MOST_AGENDAS
from services.scheduler.domain.snapshots import (
    Attended,
    OrganisationSnapshot,
    PairSnapshot,
    ParticipantSnapshot,
    PublishedAgenda,
    PublishedEncounter,
)
from services.scheduler.domain.state import AgendaState
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
from shared.messaging.topic_log import Said
from shared.runtime.clock import utc_now
from shared.storage.mongo import MongoDatabase
from shared.storage.rebuild import Made, Rebuilt, View, as_json, read_journal, write_journal

_AGGREGATE = AgendaAggregate()
_ENDED = frozenset({EncounterState.HELD, EncounterState.MISSED})


class SchedulerRebuilder:
    """See `core.Rebuilder`."""

    heard = (REGISTRATION, AFFINITY)
    said = (AGENDA, ENCOUNTER)

    def __init__(self) -> None:
        self.settings = Settings()

    async def write(self, database: MongoDatabase, edition_id: str, heard: Said, said: Said) -> Rebuilt:
        """Write an edition's journal, and say what the verifier finds in its agenda."""
        made = state_of(edition_id, heard, said)
        await write_journal(database, _AGGREGATE, made, heard)
        broken = violations_of(made.state, made.state.placements, utc_now()) if made.state.edition else []
        notes = [f"{each.broken}: {', '.join(each.pair_ids)}" for each in broken]
        return Rebuilt(len(made.state.agendas) + len(made.state.encounters), notes)

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """What readers of agendas and encounters see, and what the scheduler knows."""
        state = await read_journal(database, _AGGREGATE, edition_id)
        return view_of(state) if state else {}


def view_of(state: AgendaState) -> View:
    """All of a state but edits, the certificate and the count of its inputs."""
    return {
        "edition": as_json({state.edition_id: state.edition} if state.edition else {}),
        "organisations": as_json(state.organisations),
        "participants": as_json(state.participants),
        "pairs": as_json(state.pairs),
        "placements": as_json(state.placements),
        "waiting": dict(state.waiting),
        "locked": dict.fromkeys(sorted(state.locked), True),
        "comes_after": {pair: list(others) for pair, others in state.comes_after.items()},
        "encounters": as_json(state.encounters),
        "agendas": as_json(state.agendas),
        "attended": as_json(state.attended),
        "announced": {state.edition_id: state.announced},
    }


def state_of(edition_id: str, heard: Said, said: Said) -> Made[AgendaState, Change]:
    """The state that heard this and said that, with the changes that make it."""
    made = Made[AgendaState, Change](_AGGREGATE, edition_id)
    _learn(made, heard)
    encounters = _encounters_by_pair(made.state, said)
    _seat(made, encounters)
    _note_attendance(made, encounters, heard, said)
    _tell(made, encounters, said.newest(AgendaChanged))
    return made


def _learn(made: Made[AgendaState, Change], heard: Said) -> None:
    for organisation in heard.newest(OrganisationChanged):
        known = OrganisationSnapshot.of(organisation)
        made.make(OrganisationRecorded(organisation_id=organisation.organisation_id, organisation=known))
    for participant in heard.newest(ParticipantChanged):
        made.make(
            ParticipantRecorded(
                participant_id=participant.participant_id, participant=ParticipantSnapshot.of(participant)
            )
        )
    for edition in heard.newest(EditionChanged):
        made.make(EditionRecorded(edition=edition))
    for affinity in heard.newest(AffinityScored):
        if affinity.pair_id == pair_id(affinity.edition_id, *affinity.participant_ids):
            made.make(
                PairRecorded(operator_id=affinity.operator_id, pair_id=affinity.pair_id, pair=PairSnapshot.of(affinity))
            )


def _encounters_by_pair(state: AgendaState, said: Said) -> dict[str, EncounterChanged]:
    pairs = {encounter_id(state.edition_id, *pair.matched): pair_id for pair_id, pair in state.pairs.items()}
    return {pairs[one.encounter_id]: one for one in said.newest(EncounterChanged) if one.encounter_id in pairs}


def _seat(made: Made[AgendaState, Change], encounters: dict[str, EncounterChanged]) -> None:
    """Who meets, and where; or why not."""
    for pair, said in encounters.items():
        people = (*said.participant_ids, *(guest.participant_id for guest in said.guests))
        if people != made.state.pairs[pair].people:
            made.make(TakenOver(pair_id=pair, people=people, cause=said.cause))
        if said.waiting_reason is not None:
            made.make(Waits(pair_id=pair, reason=said.waiting_reason, cause=said.cause))
        elif said.place is not None and said.state not in _ENDED:
            made.make(Placed(pair_id=pair, place=_as_numbered_now(made.state, said.place), cause=said.cause))
        if said.is_locked:
            made.make(Locked(pair_id=pair, is_locked=True))
    by_encounter = made.state.pairs_by_encounter
    for pair, said in encounters.items():
        comes_after = tuple(sorted(by_encounter[each] for each in said.comes_after if each in by_encounter))
        if comes_after:
            made.make(Ordered(pair_id=pair, comes_after=comes_after))


def _as_numbered_now(state: AgendaState, place: Place) -> Place:
    """The place with the slot's number of today: slots may have been renumbered since it was told."""
    index = state.timeline.index_of(place)
    return place if index is None else place.model_copy(update={"slot": index})


def _note_attendance(
    made: Made[AgendaState, Change], encounters: dict[str, EncounterChanged], heard: Said, said: Said
) -> None:
    """How encounters went, and who was not at the venue: whoever was missed while one ran, until they checked in again.

    A report that was corrected since is known only until compaction takes it out.
    """
    known_at = {one.participant_id: one.occurred_at for one in heard.newest(ParticipantChanged)}
    gone: dict[str, set[str]] = {}
    for report in said.every(EncounterChanged):
        if report.place is not None and report.occurred_at < report.place.ends_at:
            absent = {one for one in report.absent_ids if known_at.get(one, report.occurred_at) <= report.occurred_at}
            gone.setdefault(report.encounter_id, set()).update(absent & made.state.participants.keys())
    ended = [(pair, last) for pair, last in encounters.items() if last.state in _ENDED]
    for pair, last in sorted(ended, key=lambda each: each[1].occurred_at):
        if last.place is not None:
            attended = Attended(outcome=last.state, absent_ids=last.absent_ids, place=last.place)
            gone_ids = tuple(sorted(gone.get(last.encounter_id, ())))
            made.make(AttendanceRecorded(pair_id=pair, attended=attended, gone_ids=gone_ids, cause=last.cause))


def _tell(made: Made[AgendaState, Change], said: dict[str, EncounterChanged], agendas: list[AgendaChanged]) -> None:
    """What is known to be told is told; and what was announced or improved is not done again."""
    state = made.state
    if any(not one.provisional for one in agendas) and state.edition and state.edition.phase is not Phase.OPEN:
        made.make(Announced(cause=Cause(code=CauseCode.EDITION_PUBLISHED, subject_id=state.edition_id)))
    newest = max((one for one in agendas if one.certificate), key=lambda one: one.occurred_at, default=None)
    if newest is not None:
        made.make(Improved(version=state.version, certificate=newest.certificate))
    pairs = list(said)
    for at in range(0, max(len(pairs), 1), MOST_AGENDAS):
        some = pairs[at : at + MOST_AGENDAS]
        told = {pair: _told_encounter(state, pair, said[pair]) for pair in some}
        made.make(Published(encounters=told, agendas={}, pairs=tuple(some), participants=()))
    for at in range(0, max(len(agendas), 1), MOST_AGENDAS):
        part = {
            one.participant_id: PublishedAgenda(revision=one.revision, provisional=one.provisional, entries=one.entries)
            for one in agendas[at : at + MOST_AGENDAS]
        }
        made.make(Published(encounters={}, agendas=part, pairs=(), participants=tuple(part)))
    made.make(
        Published(
            encounters={}, agendas={}, pairs=tuple(state.untold_pairs), participants=tuple(state.untold_participants)
        )
    )


def _told_encounter(state: AgendaState, pair: str, said: EncounterChanged) -> PublishedEncounter:
    return PublishedEncounter(
        revision=said.revision,
        state=said.state,
        place=said.place,
        reason=said.waiting_reason,
        people=state.pairs[pair].told_people,
        absent_ids=said.absent_ids,
        is_locked=said.is_locked,
        comes_after=state.comes_after.get(pair, ()),
    )
