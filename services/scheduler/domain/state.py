"""All that the scheduler knows of one edition: what it was told, what it placed, and what it said of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from services.scheduler.domain.objective.goals import goals_served
from services.scheduler.domain.objective.priority import Demand, FillRate
from services.scheduler.domain.snapshots import (
    AppliedEdit,
    Arrangement,
    AttendanceSnapshot,
    OrganisationSnapshot,
    PairSnapshot,
    ParticipantSnapshot,
    PublishedAgenda,
    PublishedEncounter,
)
from services.scheduler.domain.timetable.board import Assignment, Board, Hours, Meeting
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
    Session,
    Status,
    WaitingReason,
    Zone,
)
from shared.contract.ids import encounter_id


class AgendaState(BaseModel):
    """One edition. Only `evolve` changes it; `board` and `links` are indexes over it, rebuilt when it is loaded.

    `untold_*` are what changed since it was last published, and why: what is left there is told in the next entry.
    `version` counts the inputs that bear on the agenda, `improved` is the version that was last improved. `attended`
    is how encounters went: one that was missed has no placement any more. `edits` are the last made by hand.
    `comes_after` are the pairs whose encounters a pair's has to come after.
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
    edits: tuple[AppliedEdit, ...] = ()
    announced: bool = False
    certificate: Certificate | None = None
    version: int = 0
    improved: int = 0

    @property
    def dirty(self) -> bool:
        """Whether inputs arrived since the agenda was last improved."""
        return self.version != self.improved

    @property
    def is_closed(self) -> bool:
        """Whether the edition's phase lets nothing change any more, or it is not known yet."""
        return self.edition is not None and self.edition.phase is Phase.CLOSED

    @property
    def awaits_announcement(self) -> bool:
        """Whether participants still wait to be told the agenda that was published."""
        return self.edition is not None and self.edition.phase in {Phase.PUBLISHED, Phase.LIVE} and not self.announced

    @cached_property
    def timeline(self) -> Timeline:
        """The edition's slots."""
        return Timeline(self.edition.slots if self.edition else ())

    @cached_property
    def board(self) -> Board:
        """Who and which table is taken when, as bitmasks."""
        return _board_of(self)

    @cached_property
    def stale_lines(self) -> dict[str, set[str]]:
        """Whose encounters may read differently than a participant's agenda last said; of who is missing, all may."""
        return {}

    @cached_property
    def links(self) -> Links:
        """Who and what belongs together."""
        return Links(self)

    def forget_indexes(self, *names: str) -> None:
        """Have these indexes built anew when next asked for."""
        for name in names:
            self.__dict__.pop(name, None)

    def furnish(self, zone_id: str) -> None:
        """Have the board know the zone's tables as the edition has them now."""
        assert self.edition is not None  # noqa: S101 - it is the edition that says so
        labels = next(zone.tables for zone in self.edition.zones if zone.zone_id == zone_id)
        board = self.board
        taken: dict[str, SlotSet] = {}
        for label in labels:
            if label not in board.tables[zone_id]:
                for pair_id in self.links.sittings.at(zone_id, label):
                    taken[label] = taken.get(label, 0) | board.placed[pair_id][1].slots
        board.set_tables(zone_id, labels, taken)

    def is_wanted(self, pair_id: str, people: tuple[str, ...] | None = None) -> bool:
        """Whether the pair is to have an encounter: all consent, nobody has cancelled, and it has not had it.

        With `people`, whether it would be if these met.
        """
        pair = self.pairs[pair_id]
        return (
            pair_id not in self.attended
            and consent_is_granted(pair.consent)
            and all_take_part(self._statuses(people or pair.people))
        )

    def takes_part(self, participant_id: str) -> bool:
        """Whether the participant has registered, and neither they nor their organisation has cancelled."""
        return participant_id in self.participants and all_take_part(self._statuses([participant_id]))

    def substitutes_of(self, participant_id: str) -> list[str]:
        """Who may meet instead of a participant whose organisation's representatives are interchangeable."""
        participant = self.participants.get(participant_id)
        organisation = self.organisations.get(participant.organisation_id) if participant else None
        if participant is None or organisation is None or not organisation.interchangeable:
            return []
        colleagues = sorted(self.links.people_of[participant.organisation_id] - {participant_id})
        return list(filter(self.takes_part, colleagues))

    def is_known(self, pair_id: str) -> bool:
        """Whether all who are to meet have registered here."""
        return all(participant in self.participants for participant in self.pairs[pair_id].people)

    def meeting(self, pair_id: str, people: tuple[str, ...] | None = None) -> Meeting:
        """The pair as the rules and the board want it; with `people`, as if these met."""
        people = people or self.pairs[pair_id].people
        return Meeting(pair_id, people, self.zones_by_kinds[tuple(map(self._kind, people))])

    def demand(self, pair_id: str) -> Demand:
        """How much the pair's encounter is wanted."""
        pair = self.pairs[pair_id]
        return Demand(pair.priority, bool(self.goals and self.goals_served(pair_id)), pair.score)

    def hours(self, participant: ParticipantSnapshot) -> Hours:
        """When the participant can meet. Sessions that the edition does not have take no time."""
        whole = self.timeline.all_slots
        available = self.timeline.within(participant.available) if participant.available else whole
        return Hours(available, whole & ~self.timeline.overlapping(self.sessions_of(participant)))

    def sessions_of(self, participant: ParticipantSnapshot) -> list[Session]:
        """The sessions of the edition that the participant attends."""
        return [self.sessions_by_id[session] for session in participant.session_ids if session in self.sessions_by_id]

    def assignment(self, place: Place) -> Assignment:
        """A place on the board: all the slots it overlaps, which is one unless the slots have changed since."""
        index = self.timeline.index_of(place)
        slots = self.timeline.overlapping([place]) if index is None else 1 << index
        return Assignment(slots, place.zone_id, place.table)

    def place(self, seat: Assignment) -> Place:
        """A seat of one slot, with its times."""
        assert self.edition is not None  # noqa: S101 - there are no seats in an unknown edition
        slot = self.edition.slots[seat.slots.bit_length() - 1]
        return Place(
            slot=slot.index, starts_at=slot.starts_at, ends_at=slot.ends_at, zone_id=seat.zone_id, table=seat.table
        )

    def numbered(self, place: Place) -> Place:
        """The place with the number that the edition's slots give it now; as it is, if it is in none of them."""
        index = self.timeline.index_of(place)
        return place if index in {None, place.slot} else place.model_copy(update={"slot": index})

    def open_slots(self, now: datetime) -> SlotSet:
        """The slots that may still be given: in a live edition, those that begin after the freeze horizon."""
        return self.timeline.all_slots & ~(self.timeline.begun_by(now + self._freeze) if self.is_live else 0)

    def slots_to_come(self, now: datetime) -> SlotSet:
        """The slots that have not begun; before an edition is live, all."""
        return self.timeline.all_slots & ~(self.timeline.begun_by(now) if self.is_live else 0)

    def slots_for(self, pair_id: str, now: datetime, people: tuple[str, ...] | None = None) -> SlotSet:
        """The slots the pair may still be given: the open ones, and once all are at the venue those not half over."""
        is_here = self.is_live and all(
            each in self.participants and self.participants[each].checked_in
            for each in people or self.pairs[pair_id].people
        )
        return self.timeline.not_half_over(now) if is_here else self.open_slots(now)

    def has_begun(self, pair_id: str, now: datetime) -> bool:
        """Whether the pair's encounter has begun or is over, so that it is not touched any more."""
        if pair_id not in self.placements:
            return False
        return pair_id in self.attended or (self.is_live and self.placements[pair_id].starts_at <= now)

    def is_history(self, pair_id: str, now: datetime) -> bool:
        """Whether nothing that comes in changes the pair's encounter any more: it has begun, was held or was missed."""
        return pair_id in self.attended or self.has_begun(pair_id, now)

    def stays(self, pair_id: str, now: datetime) -> bool:
        """Whether an encounter is not moved for the sake of others or of a better agenda."""
        return pair_id in self.placements and self.must_stay(pair_id, self.placements[pair_id], now)

    def must_stay(self, pair_id: str, place: Place, now: datetime) -> bool:
        """Whether at this place the pair's encounter is locked, frozen or begun."""
        return pair_id in self.locked or pair_id in self.attended or self.is_frozen(place, now)

    def is_frozen(self, place: Place, now: datetime) -> bool:
        """Whether an encounter there starts so soon, or has started, that it is not moved any more."""
        return self.is_live and place.starts_at <= now + self._freeze

    def encounter_id(self, pair_id: str) -> str:
        """The id of the pair's encounter: the same wherever it is, and whoever takes it over."""
        return encounter_id(self.edition_id, *self.pairs[pair_id].matched)

    def encounters_of(self, participant_id: str) -> Iterable[str]:
        """The pairs in which the participant meets or was to meet somebody: those placed, and those missed."""
        yield from self.board.assignments_of[participant_id]
        if self.attended:
            theirs = self.links.pairs_of[participant_id]
            yield from sorted(pair for pair in theirs if pair in self.attended and pair not in self.placements)

    def has_encounter(self, participant_id: str, pair_id: str) -> bool:
        """Whether the pair's is one of `encounters_of` the participant."""
        return participant_id in self.pairs[pair_id].people and (pair_id in self.placements or pair_id in self.attended)

    def arrangement(self, pair_id: str) -> Arrangement:
        """All that an edit can change of the pair's encounter, as it is now."""
        return Arrangement(
            place=self.placements.get(pair_id),
            reason=self.waiting.get(pair_id),
            is_locked=pair_id in self.locked,
            people=self.pairs[pair_id].people,
            comes_after=self.comes_after.get(pair_id, ()),
        )

    def ordered_with(self, pair_id: str) -> set[str]:
        """The pairs whose encounters the pair's has to come after, or before."""
        return {*self.comes_after.get(pair_id, ()), *self.links.followers.get(pair_id, ())}

    @property
    def is_live(self) -> bool:
        """Whether the edition is being held."""
        return self.edition is not None and self.edition.phase is Phase.LIVE

    @property
    def _freeze(self) -> timedelta:
        return timedelta(minutes=self.edition.freeze_minutes if self.edition else 0)

    @property
    def least(self) -> int | None:
        """How many encounters everybody should have at least, if as many are wanted."""
        return self.edition.quotas.min_encounters if self.edition else None

    def served(self, participant_id: str) -> FillRate:
        """How many encounters the participant has a place for, and how many are wanted."""
        pairs = self.links.pairs_of[participant_id]
        placed = sum(pair in self.placements for pair in pairs)
        return FillRate(placed, placed + sum(pair in self.waiting for pair in pairs))

    def below_least(self) -> dict[str, FillRate]:
        """Who has fewer encounters than everybody should have, and wants more, by id."""
        if not self.least:
            return {}
        waiting = sorted({each for pair in self.waiting for each in self.pairs[pair].people})
        served = ((each, self.served(each)) for each in waiting)
        return {each: theirs for each, theirs in served if theirs.shortfall(self.least)}

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The encounters that come before others of the same priority."""
        return self.edition.goals if self.edition else ()

    def goals_served(self, pair_id: str) -> tuple[Goal, ...]:
        """The edition's goals that the pair's encounter serves."""
        return goals_served(self.goals, *map(self._organisation, self.pairs[pair_id].people))

    def served_by_goal(self) -> dict[Goal, FillRate]:
        """Of the encounters that serve each goal, how many have a place, and how many are wanted."""
        placed = Counter(goal for pair in self.placements for goal in self.goals_served(pair))
        waiting = Counter(goal for pair in self.waiting for goal in self.goals_served(pair))
        return {goal: FillRate(placed[goal], placed[goal] + waiting[goal]) for goal in self.goals}

    @cached_property
    def sessions_by_id(self) -> dict[str, Session]:
        """The edition's sessions."""
        return {session.session_id: session for session in self.edition.sessions} if self.edition else {}

    @cached_property
    def pairs_by_encounter(self) -> dict[str, str]:
        """The pairs by the ids of their encounters."""
        return {encounter_id(self.edition_id, *pair.matched): pair_id for pair_id, pair in self.pairs.items()}

    @cached_property
    def zones_by_kinds(self) -> _ZonesByKinds:
        """The zones in which people may meet, by the kinds of their organisations."""
        return _ZonesByKinds(self.edition.zones if self.edition else ())

    def _kind(self, participant_id: str) -> OrganisationKind | None:
        organisation = self._organisation(participant_id)
        return organisation.kind if organisation else None

    def _organisation(self, participant_id: str) -> OrganisationSnapshot | None:
        participant = self.participants.get(participant_id)
        return self.organisations.get(participant.organisation_id) if participant else None

    def _statuses(self, participant_ids: Iterable[str]) -> Iterable[Status]:
        for participant in (self.participants[each] for each in participant_ids if each in self.participants):
            yield participant.status
            if participant.organisation_id in self.organisations:
                yield self.organisations[participant.organisation_id].status


class Links:
    """Who is in which pair, organisation and session, who sits at which table, and which pairs wait for one.

    `followers` are the pairs whose encounters have to come after a pair's.
    """

    def __init__(self, state: AgendaState) -> None:
        self.pairs_of: defaultdict[str, set[str]] = defaultdict(set)
        self.people_of: defaultdict[str, set[str]] = defaultdict(set)
        self.attending: defaultdict[str, set[str]] = defaultdict(set)
        self.sittings = TableOccupancy(state.placements)
        self.followers: defaultdict[str, set[str]] = defaultdict(set)
        self.waiting_for_table = {pair for pair, reason in state.waiting.items() if reason is WaitingReason.NO_TABLE}
        for pair_id, pair in state.pairs.items():
            for participant_id in pair.people:
                self.pairs_of[participant_id].add(pair_id)
        for participant_id, participant in state.participants.items():
            self.join(participant_id, participant)
        for pair_id, comes_after in state.comes_after.items():
            for each in comes_after:
                self.followers[each].add(pair_id)

    def join(self, participant_id: str, participant: ParticipantSnapshot) -> None:
        """Count a participant in with an organisation and with who attends its sessions."""
        self.people_of[participant.organisation_id].add(participant_id)
        for session_id in participant.session_ids:
            self.attending[session_id].add(participant_id)

    def leave(self, participant_id: str, participant: ParticipantSnapshot) -> None:
        """Undo `join`."""
        self.people_of[participant.organisation_id].discard(participant_id)
        for session_id in participant.session_ids:
            self.attending[session_id].discard(participant_id)


class _ZonesByKinds(dict[tuple[OrganisationKind | None, ...], tuple[str, ...]]):
    """`zones_for`, worked out once for all kinds that meet."""

    def __init__(self, zones: tuple[Zone, ...]) -> None:
        super().__init__()
        self._edition_zones = zones

    def __missing__(self, kinds: tuple[OrganisationKind | None, ...]) -> tuple[str, ...]:
        zones = self[kinds] = zones_for(kinds, self._edition_zones)
        return zones


def _board_of(state: AgendaState) -> Board:
    edition = state.edition
    tables = {zone.zone_id: zone.tables for zone in edition.zones} if edition else {}
    days = state.timeline.days(edition.timezone) if edition else ()
    board = Board(state.timeline.all_slots, tables, edition.quotas.max_encounters if edition else None, days)
    for participant_id, participant in state.participants.items():
        board.hours[participant_id] = state.hours(participant)
    for pair_id, place in sorted(state.placements.items(), key=lambda each: _precedence(state, *each)):
        board.place(state.meeting(pair_id), state.assignment(place))
        if state.timeline.index_of(place) is None:
            board.before_and_after[pair_id] = state.timeline.before_and_after(place)
    for pair_id, comes_after in state.comes_after.items():
        board.set_predecessors(pair_id, comes_after)
    board.pinned |= state.locked
    # Nobody is put aside for others while between the slots: they have begun, or are about to be looked at themselves.
    board.pinned.update(pair for pair, place in state.placements.items() if state.timeline.index_of(place) is None)
    return board


def _precedence(state: AgendaState, pair_id: str, place: Place) -> tuple[bool, datetime, str]:
    """Who is put on the board first: what lies between the slots, the earliest first.

    It may have begun before the slots were moved, and stays; who is in a slot that it overlaps gives way.
    """
    return state.timeline.index_of(place) is not None, place.starts_at, pair_id
