"""State of an edition in the scheduler: inputs, placements, and published content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from services.scheduler.domain.objective.goals import goals_served
from services.scheduler.domain.objective.priority import Demand
from services.scheduler.domain.repair.unsettled_index import UnsettledIndex
from services.scheduler.domain.snapshots import (
    AppliedEdit,
    AttendanceSnapshot,
    OrganisationSnapshot,
    PairSnapshot,
    ParticipantSnapshot,
    PublishedAgenda,
    PublishedEncounter,
    SettledPlace,
)
from services.scheduler.domain.timetable.board import Assignment, Board, Meeting, ParticipantHours
from services.scheduler.domain.timetable.evidence import TableOccupancy
from services.scheduler.domain.timetable.rules import all_take_part, consent_is_granted, zones_for
from services.scheduler.domain.timetable.timeline import SlotSet, Timeline
from shared.contract.events import (
    Cause,
    Certificate,
    EditionChanged,
    Goal,
    OrganisationKind,
    Phase,
    Place,
    Remedy,
    Session,
    Status,
    WaitingReason,
)
from shared.contract.ids import encounter_id


class AgendaState(BaseModel):
    """An edition. Only `evolve` changes it. Cached properties are indexes, rebuilt after a load.

    - `operator_id`: the edition's operator; the operator of the first event while the edition is unknown.
    - `placements`, `waiting`: place of a pair's encounter, or reason to wait. `encounters`, `agendas`: last published.
    - `unpublished_pairs`, `unpublished_participants`: causes of the changes since then.
    - `comes_after`: by pair id, the pairs whose encounters come before.
    - `attended`: reports of attendance. A missed encounter has no placement any more.
    - `unsettled`: by pair id, the settled places of encounters that changes of facts have displaced, oldest first.
    - `edits`: the last edits by hand, oldest first.
    - `version`: number of the inputs that concern the agenda. `improved`: version of the last improvement.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    edition_id: str
    operator_id: str | None = None
    edition: EditionChanged | None = None
    organisations: dict[str, OrganisationSnapshot] = Field(default_factory=dict)
    participants: dict[str, ParticipantSnapshot] = Field(default_factory=dict)
    pairs: dict[str, PairSnapshot] = Field(default_factory=dict)
    placements: dict[str, Place] = Field(default_factory=dict)
    waiting: dict[str, WaitingReason] = Field(default_factory=dict)
    encounters: dict[str, PublishedEncounter] = Field(default_factory=dict)
    agendas: dict[str, PublishedAgenda] = Field(default_factory=dict)
    unpublished_pairs: dict[str, Cause] = Field(default_factory=dict, alias="untold_pairs")
    unpublished_participants: dict[str, tuple[Cause, ...]] = Field(default_factory=dict, alias="untold_participants")
    locked: set[str] = Field(default_factory=set)
    comes_after: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    attended: dict[str, AttendanceSnapshot] = Field(default_factory=dict)
    unsettled: dict[str, SettledPlace] = Field(default_factory=dict)
    edits: tuple[AppliedEdit, ...] = ()
    announced: bool = False
    certificate: Certificate | None = None
    version: int = 0
    improved: int = 0

    @property
    def has_new_inputs(self) -> bool:
        """Return whether inputs arrived since the last improvement."""
        return self.version != self.improved

    @property
    def is_closed(self) -> bool:
        """Return whether the edition's phase allows no change of the agenda any more."""
        return self.edition is not None and self.edition.phase is Phase.CLOSED

    @property
    def is_live(self) -> bool:
        """Return whether the edition is being held."""
        return self.edition is not None and self.edition.phase is Phase.LIVE

    @property
    def awaits_announcement(self) -> bool:
        """Return whether the edition is published but its agendas are still provisional."""
        return self.edition is not None and self.edition.phase in {Phase.PUBLISHED, Phase.LIVE} and not self.announced

    @property
    def min_encounters(self) -> int | None:
        """The number of encounters that a participant should have, if the participant wants as many."""
        return self.edition.quotas.min_encounters if self.edition else None

    @property
    def goals(self) -> tuple[Goal, ...]:
        """Goals of the edition. An encounter that serves a goal comes first among encounters of the same priority."""
        return self.edition.goals if self.edition else ()

    @cached_property
    def timeline(self) -> Timeline:
        """The edition's slots."""
        return Timeline(self.edition.slots if self.edition else ())

    @cached_property
    def board(self) -> Board:
        """Times taken of participants and tables, as bitmasks."""
        return _board_of(self)

    @cached_property
    def links(self) -> Links:
        """Pairs, participants, sessions and tables that belong together."""
        return Links(self)

    @cached_property
    def stale_lines(self) -> dict[str, set[str]]:
        """Pairs whose line in a participant's published agenda may be out of date; of an absent participant, all."""
        return {}

    @cached_property
    def sessions_by_id(self) -> dict[str, Session]:
        """The edition's sessions."""
        return {session.session_id: session for session in self.edition.sessions} if self.edition else {}

    @cached_property
    def pairs_by_encounter(self) -> dict[str, str]:
        """Pair ids by encounter id."""
        return {encounter_id(self.edition_id, *pair.matched): pair_id for pair_id, pair in self.pairs.items()}

    @cached_property
    def zones_by_kinds(self) -> dict[tuple[OrganisationKind | None, ...], tuple[str, ...]]:
        """Zones in which an encounter may be, by the kinds of the organisations that meet; `meeting` fills it."""
        return {}

    def forget_indexes(self, *names: str) -> None:
        """Drop indexes; the next use builds them anew."""
        for name in names:
            self.__dict__.pop(name, None)

    def is_wanted(self, pair_id: str, people: tuple[str, ...] | None = None) -> bool:
        """Return whether the pair is to have an encounter; with `people`, whether it would be if these met.

        All consent, none has cancelled, and the encounter was neither held nor missed.
        """
        pair = self.pairs[pair_id]
        return (
            pair_id not in self.attended
            and consent_is_granted(pair.consent)
            and all_take_part(self._statuses(people or pair.people))
        )

    def takes_part(self, participant_id: str) -> bool:
        """Return whether the participant is registered, and neither participant nor organisation has cancelled."""
        return participant_id in self.participants and all_take_part(self._statuses([participant_id]))

    def is_known(self, pair_id: str) -> bool:
        """Return whether the scheduler has the registrations of all participants of the pair's encounter."""
        return all(participant_id in self.participants for participant_id in self.pairs[pair_id].people)

    def meeting(self, pair_id: str, people: tuple[str, ...] | None = None) -> Meeting:
        """Return the pair's encounter as the board and the rules take it; with `people`, as if these met."""
        people = people or self.pairs[pair_id].people
        kinds = tuple(map(self._kind, people))
        if kinds not in self.zones_by_kinds:
            self.zones_by_kinds[kinds] = zones_for(kinds, self.edition.zones if self.edition else ())
        return Meeting(pair_id, people, self.zones_by_kinds[kinds])

    def demand(self, pair_id: str) -> Demand:
        """Return the priority, the goals and the score of the pair's encounter."""
        pair = self.pairs[pair_id]
        return Demand(pair.priority, bool(self.goals and self.goals_served(pair_id)), pair.score)

    def goals_served(self, pair_id: str) -> tuple[Goal, ...]:
        """List the edition's goals that the pair's encounter serves."""
        return goals_served(self.goals, *map(self._organisation, self.pairs[pair_id].people))

    def hours(self, participant: ParticipantSnapshot) -> ParticipantHours:
        """Return the slots in which the participant can meet. Unknown sessions take no time."""
        whole = self.timeline.all_slots
        available = self.timeline.within(participant.available) if participant.available else whole
        return ParticipantHours(available, whole & ~self.timeline.overlapping(self.sessions_of(participant)))

    def sessions_of(self, participant: ParticipantSnapshot) -> list[Session]:
        """List the edition's sessions that the participant attends."""
        return [self.sessions_by_id[session] for session in participant.session_ids if session in self.sessions_by_id]

    def assignment(self, place: Place) -> Assignment:
        """Return the assignment of a place: a single slot, or all overlapped slots if the slots have changed since."""
        index = self.timeline.index_of(place)
        slots = self.timeline.overlapping([place]) if index is None else 1 << index
        return Assignment(slots, place.zone_id, place.table)

    def place(self, assignment: Assignment) -> Place:
        """Return the place of an assignment of a single slot, with its times."""
        assert self.edition is not None  # noqa: S101 - an unknown edition has no assignments
        slot = self.edition.slots[assignment.slots.bit_length() - 1]
        return Place(
            slot=slot.index,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            zone_id=assignment.zone_id,
            table=assignment.table,
        )

    def numbered(self, place: Place) -> Place:
        """Return the place with the present number of its slot; unchanged if it is in no slot."""
        index = self.timeline.index_of(place)
        return place if index in {None, place.slot} else place.model_copy(update={"slot": index})

    def encounter_id(self, pair_id: str) -> str:
        """Return the id of the pair's encounter. It does not depend on the place or on substitutes."""
        return encounter_id(self.edition_id, *self.pairs[pair_id].matched)

    def ordered_with(self, pair_id: str) -> set[str]:
        """Return the pairs whose encounters have to come before or after the pair's."""
        return {*self.comes_after.get(pair_id, ()), *self.links.followers_of.get(pair_id, ())}

    def _kind(self, participant_id: str) -> OrganisationKind | None:
        organisation = self._organisation(participant_id)
        return organisation.kind if organisation else None

    def _organisation(self, participant_id: str) -> OrganisationSnapshot | None:
        participant = self.participants.get(participant_id)
        return self.organisations.get(participant.organisation_id) if participant else None

    def _statuses(self, participant_ids: Iterable[str]) -> Iterable[Status]:
        for participant_id in participant_ids:
            if (participant := self.participants.get(participant_id)) is None:
                continue
            yield participant.status
            if participant.organisation_id in self.organisations:
                yield self.organisations[participant.organisation_id].status


class Links:
    """Pairs, participants, sessions and tables that belong together.

    - `pairs_of`: pair ids by participant id, guests included.
    - `participants_of`: participant ids by organisation id.
    - `attendees_of`: participant ids by session id.
    - `followers_of`: by pair id, the pairs whose encounters have to come after the pair's.
    - `occupancy`: pairs by table and time.
    - `waiting_for_table`: pairs that wait with the reason `NO_TABLE`.
    - `remedies`: remedies found lately by waiting pair, with the reason at that time. They are lost with the process.
    - `unsettled`: unsettled pairs by the facts that concern them.
    """

    def __init__(self, state: AgendaState) -> None:
        self.pairs_of: defaultdict[str, set[str]] = defaultdict(set)
        self.participants_of: defaultdict[str, set[str]] = defaultdict(set)
        self.attendees_of: defaultdict[str, set[str]] = defaultdict(set)
        self.followers_of: defaultdict[str, set[str]] = defaultdict(set)
        self.occupancy = TableOccupancy(state.placements)
        self.remedies: dict[str, tuple[WaitingReason, Remedy]] = {}
        self.waiting_for_table = {
            pair_id for pair_id, reason in state.waiting.items() if reason is WaitingReason.NO_TABLE
        }
        self.unsettled = UnsettledIndex(state.unsettled)
        for pair_id, pair in state.pairs.items():
            for participant_id in pair.people:
                self.pairs_of[participant_id].add(pair_id)
        for participant_id, participant in state.participants.items():
            self.add_participant(participant_id, participant)
        for pair_id, earlier_pairs in state.comes_after.items():
            for earlier in earlier_pairs:
                self.followers_of[earlier].add(pair_id)

    def pairs_concerned(self, participant_ids: Iterable[str]) -> set[str]:
        """Return the pairs whose people include a participant, now or in their settled encounter."""
        return {
            pair_id
            for participant_id in participant_ids
            for pairs in (self.pairs_of[participant_id], self.unsettled.pairs_of(participant_id))
            for pair_id in pairs
        }

    def doubt_settled(self, participant_ids: Iterable[str]) -> None:
        """Have the unsettled pairs reviewed that a changed fact of these participants may concern."""
        self.unsettled.doubt(self.pairs_concerned(participant_ids))

    def add_participant(self, participant_id: str, participant: ParticipantSnapshot) -> None:
        """Link a participant with an organisation and with sessions."""
        self.participants_of[participant.organisation_id].add(participant_id)
        for session_id in participant.session_ids:
            self.attendees_of[session_id].add(participant_id)

    def remove_participant(self, participant_id: str, participant: ParticipantSnapshot) -> None:
        """Undo `add_participant`; it takes the same snapshot."""
        self.participants_of[participant.organisation_id].discard(participant_id)
        for session_id in participant.session_ids:
            self.attendees_of[session_id].discard(participant_id)


def refit_tables(state: AgendaState, zone_id: str) -> None:
    """Give the board the tables that the zone has in the edition now."""
    assert state.edition is not None  # noqa: S101 - the caller has just recorded the edition
    labels = next(zone.tables for zone in state.edition.zones if zone.zone_id == zone_id)
    board = state.board
    taken: dict[str, SlotSet] = {}
    for label in labels:
        if label not in board.tables[zone_id]:
            for pair_id in state.links.occupancy.at(zone_id, label):
                taken[label] = taken.get(label, 0) | board.placed[pair_id][1].slots
    board.set_tables(zone_id, labels, taken)


def _board_of(state: AgendaState) -> Board:
    edition = state.edition
    tables = {zone.zone_id: zone.tables for zone in edition.zones} if edition else {}
    days = state.timeline.days(edition.timezone) if edition else ()
    board = Board(state.timeline.all_slots, tables, edition.quotas.max_encounters if edition else None, days)
    for participant_id, participant in state.participants.items():
        board.hours[participant_id] = state.hours(participant)
    for pair_id, place in sorted(state.placements.items(), key=lambda item: _board_key(state, *item)):
        board.place(state.meeting(pair_id), state.assignment(place))
        if state.timeline.index_of(place) is None:
            board.before_and_after[pair_id] = state.timeline.before_and_after(place)
    for pair_id, comes_after in state.comes_after.items():
        board.set_predecessors(pair_id, comes_after)
    board.pinned |= state.locked
    # A meeting between the slots gives way to no other: it has begun, or the decision in progress looks at it itself.
    board.pinned.update(pair for pair, place in state.placements.items() if state.timeline.index_of(place) is None)
    return board


def _board_key(state: AgendaState, pair_id: str, place: Place) -> tuple[bool, datetime, str]:
    """Sort key in which meetings are put on the board: meetings between the slots first, then by start.

    A meeting between the slots may have begun before the slots were moved, and stays. A meeting in a slot that it
    overlaps gives way.
    """
    return state.timeline.index_of(place) is not None, place.starts_at, pair_id
