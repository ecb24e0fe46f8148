"""An edition as notify sees it, and random changes of it; a share of the changes is undone by a later change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from shared.contract.events import (
    AgendaChanged,
    AgendaEntry,
    EditionChanged,
    EntryKind,
    Event,
    Language,
    OrganisationChanged,
    OrganisationKind,
    ParticipantChanged,
    Phase,
    Zone,
    ZoneKind,
)

EDITION, OPERATOR = "edn_churn", "op_churn"
OPENING = datetime(2027, 11, 25, 8, tzinfo=UTC)
_QUARTER = timedelta(minutes=15)
_SLOTS, _TABLES, _SESSIONS = 28, 30, 4
_LANGUAGES = (Language.SPANISH, Language.ENGLISH, Language.PORTUGUESE)
#: Share of changes that a later change undoes.
_UNDONE = 1 / 3
#: Most changes between a change and its undoing.
_LATEST_UNDOING = 6


@dataclass(frozen=True)
class PlacedPair:
    """An encounter of two people, by number. A slot of `None`: it is cancelled."""

    people: tuple[int, int]
    slot: int | None
    table: int
    revision: int = 1


@dataclass(frozen=True)
class SeatHolder:
    """The person at a participant's place, and their language."""

    name: str
    email: str
    language: Language


@dataclass
class ChurnEdition:
    """The facts of an edition, the events that publish them, and random changes of them."""

    people_count: int
    random: Random
    now: datetime
    meetings: dict[str, PlacedPair] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    zone: str = "Workspace"
    people: list[SeatHolder] = field(default_factory=list)
    organisations: list[str] = field(default_factory=list)
    _revisions: dict[str, int] = field(default_factory=dict)
    _undoings: list[tuple[int, Callable[[], list[Event]]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        count, draw = self.people_count, self.random
        self.sessions = {f"ses_{number}": number * 7 for number in range(_SESSIONS)}
        self.people = [
            SeatHolder(f"Person {number}", f"person{number}@example.org", draw.choice(_LANGUAGES))
            for number in range(count)
        ]
        self.organisations = [f"Company {number}" for number in range(count // 2 + 1)]
        for number in range(round(1.7 * count)):
            people = sorted(draw.sample(range(count), 2))
            self.meetings[f"enc_{number}"] = PlacedPair(
                (people[0], people[1]), draw.randrange(_SLOTS), draw.randrange(_TABLES)
            )

    def publication(self) -> list[Event]:
        """Return the events that announce the edition."""
        organisations = map(self._organisation, range(len(self.organisations)))
        people = map(self._participant, range(self.people_count))
        return [self._edition(), *organisations, *people, *self._announced(range(self.people_count))]

    def change(self, number: int) -> list[Event]:
        """Return the events of change `number`: the undoing that is due, or a new random change."""
        if self._undoings and self._undoings[0][0] <= number:
            return self._undoings.pop(0)[1]()
        kind = self.random.choices(list(_CHANGES), weights=list(_CHANGES.values()))[0]
        events, undo = getattr(self, f"_{kind}")()
        if self.random.random() < _UNDONE:
            self._undoings.append((number + self.random.randint(1, _LATEST_UNDOING), undo))
        return list(events)

    def agenda(self, person: int) -> list[AgendaEntry]:
        """Return a participant's entries in time order."""
        met = [self._entry(key, meeting, person) for key, meeting in self.meetings.items() if person in meeting.people]
        attended = [
            _session(key, slot, self._revisions["edition"])
            for key, slot in self.sessions.items()
            if person % _SESSIONS == slot // 7
        ]
        return sorted(filter(None, (*met, *attended)), key=lambda entry: (entry.starts_at, entry.entry_id))

    def _slot(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        return self._change_meeting(lambda meeting: replace(meeting, slot=self.random.randrange(_SLOTS)))

    def _table(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        return self._change_meeting(lambda meeting: replace(meeting, table=self.random.randrange(_TABLES)))

    def _cancellation(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        return self._change_meeting(lambda meeting: replace(meeting, slot=None))

    def _change_meeting(
        self, step: Callable[[PlacedPair], PlacedPair]
    ) -> tuple[list[Event], Callable[[], list[Event]]]:
        key = self.random.choice(list(self.meetings))
        before = self.meetings[key]
        return self._put(key, step(before)), lambda: self._put(key, before)

    def _put(self, key: str, meeting: PlacedPair) -> list[Event]:
        self.meetings[key] = replace(meeting, revision=self.meetings[key].revision + 1)
        return list(self._announced(meeting.people))

    def _session_moved(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        key = self.random.choice(list(self.sessions))
        before = self.sessions[key]

        def put(slot: int) -> list[Event]:
            self.sessions[key] = slot
            concerned = [person for person in range(self.people_count) if person % _SESSIONS == slot // 7]
            return [self._edition(), *self._announced(concerned)]

        return put(before // 7 * 7 + self.random.randrange(7)), lambda: put(before)

    def _zone_renamed(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        before = self.zone

        def put(name: str) -> list[Event]:
            self.zone = name
            return [self._edition()]

        return put(f"Hall {self.random.randrange(100)}"), lambda: put(before)

    def _organisation_renamed(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        number = self.random.randrange(len(self.organisations))
        before = self.organisations[number]

        def put(name: str) -> list[Event]:
            self.organisations[number] = name
            return [self._organisation(number)]

        return put(f"{before} Renamed"), lambda: put(before)

    def _corrected(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        return self._change_person(lambda person: replace(person, name=f"Dr {person.name}"))

    def _replaced(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        number = self.random.randrange(10**9)
        return self._change_person(
            lambda person: SeatHolder(f"Successor {number}", f"successor{number}@example.org", person.language)
        )

    def _speaks(self) -> tuple[list[Event], Callable[[], list[Event]]]:
        return self._change_person(lambda person: replace(person, language=self.random.choice(_LANGUAGES)))

    def _change_person(self, step: Callable[[SeatHolder], SeatHolder]) -> tuple[list[Event], Callable[[], list[Event]]]:
        number = self.random.randrange(self.people_count)
        before = self.people[number]

        def put(person: SeatHolder) -> list[Event]:
            self.people[number] = person
            return [self._participant(number)]

        return put(step(before)), lambda: put(before)

    def _announced(self, people: Iterable[int]) -> Iterator[Event]:
        for person in people:
            key = f"prt_{person}"
            common = {"operator_id": OPERATOR, "edition_id": EDITION, "occurred_at": self.now}
            entries = tuple(self.agenda(person))
            yield AgendaChanged(
                **common, revision=self._next(f"agenda {key}"), participant_id=key, provisional=False, entries=entries
            )

    def _entry(self, key: str, meeting: PlacedPair, person: int) -> AgendaEntry | None:
        if meeting.slot is None:
            return None
        partner = meeting.people[0] if meeting.people[1] == person else meeting.people[1]
        return AgendaEntry(
            kind=EntryKind.ENCOUNTER,
            entry_id=key,
            sequence=meeting.revision,
            zone_id="zn_work",
            table=str(meeting.table),
            with_participant_id=f"prt_{partner}",
            with_organisation_id=f"org_{partner // 2}",
            starts_at=OPENING + meeting.slot * _QUARTER,
            ends_at=OPENING + (meeting.slot + 1) * _QUARTER,
        )

    def _edition(self) -> EditionChanged:
        zones = (
            Zone(zone_id="zn_work", kind=ZoneKind.WORKSPACE, name=self.zone, tables=tuple(map(str, range(_TABLES)))),
            Zone(zone_id="zn_talk", kind=ZoneKind.CONFERENCE, name="Auditorium"),
        )
        return EditionChanged(
            operator_id=OPERATOR,
            edition_id=EDITION,
            occurred_at=self.now,
            revision=self._next("edition"),
            name="Encuentro B2B",
            timezone="Europe/Madrid",
            phase=Phase.PUBLISHED,
            slots=(),
            zones=zones,
        )

    def _organisation(self, number: int) -> OrganisationChanged:
        key = f"org_{number}"
        return OrganisationChanged(
            operator_id=OPERATOR,
            edition_id=EDITION,
            occurred_at=self.now,
            revision=self._next(key),
            organisation_id=key,
            name=self.organisations[number],
            kind=OrganisationKind.SME,
            country="ES",
        )

    def _participant(self, number: int) -> ParticipantChanged:
        key, person = f"prt_{number}", self.people[number]
        return ParticipantChanged(
            operator_id=OPERATOR,
            edition_id=EDITION,
            occurred_at=self.now,
            revision=self._next(key),
            participant_id=key,
            organisation_id=f"org_{number // 2}",
            name=person.name,
            email=person.email,
            languages=(person.language,),
        )

    def _next(self, key: str) -> int:
        self._revisions[key] = self._revisions.get(key, 0) + 1
        return self._revisions[key]


def _session(key: str, slot: int, revision: int) -> AgendaEntry:
    return AgendaEntry(
        kind=EntryKind.SESSION,
        entry_id=key,
        sequence=revision,
        zone_id="zn_talk",
        title=f"Keynote {key}",
        starts_at=OPENING + slot * _QUARTER + timedelta(minutes=1),
        ends_at=OPENING + (slot + 2) * _QUARTER,
    )


#: Kinds of change with their weights; each is a method of `ChurnEdition`.
_CHANGES = {
    "slot": 40,
    "table": 15,
    "cancellation": 15,
    "session_moved": 2,
    "zone_renamed": 2,
    "organisation_renamed": 6,
    "corrected": 5,
    "replaced": 10,
    "speaks": 5,
}
