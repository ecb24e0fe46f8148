"""Synthetic editions with heavy-tailed popularity, absences and sessions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from shared.contract.events import (
    AffinityScored,
    Consent,
    EditionChanged,
    Event,
    Interval,
    OrganisationChanged,
    OrganisationKind,
    Origin,
    ParticipantChanged,
    Phase,
    Session,
    SessionKind,
    Slot,
    Status,
    Zone,
    ZoneKind,
)
from shared.contract.ids import pair_id, pair_of

EDITION, OPERATOR = "bench", "op"
WHEN = datetime(2026, 11, 1, tzinfo=UTC)
_NINE = datetime(2026, 11, 19, 9, tzinfo=UTC)
_MINUTES = 15
#: Share of participants who are present all the time, and share of participants in a session.
_ALL_DAY, _ATTENDING = 0.8, 0.1
_KINDS = (OrganisationKind.SME,) * 8 + (OrganisationKind.LARGE_COMPANY, OrganisationKind.RESEARCH_GROUP)


@dataclass(frozen=True)
class Size:
    """Size of an edition. `slots` counts the slots of a day; a tenth of the tables is in Innova+."""

    name: str
    organisations: int
    people: int
    encounters: int
    slots: int
    tables: int
    days: int = 1
    sessions: int = 4


#: 590 encounters fill 81 % of 28 x 26; the largest is 10,000 people with 100,000 requests on three days.
ITECAM = Size("itecam", 210, 350, 590, 28, 26)
THOUSAND = Size("1,000", 600, 1_000, 3_000, 28, 134)
TEN_THOUSAND = Size("10,000", 6_000, 10_000, 100_000, 40, 2_000, days=3, sessions=12)


@dataclass
class SyntheticEdition:
    """An edition as its newest events, from which a stream of changes continues. `revision` is the highest so far."""

    size: Size
    random: Random
    edition: EditionChanged
    organisations: list[OrganisationChanged] = field(default_factory=list)
    participants: dict[str, ParticipantChanged] = field(default_factory=dict)
    pairs: dict[str, AffinityScored] = field(default_factory=dict)
    revision: int = 1
    names: list[str] = field(default_factory=list)
    _fame: list[float] = field(default_factory=list)
    _promised: Counter[str] = field(default_factory=Counter)

    @property
    def events(self) -> list[Event]:
        """All events of the edition, in a possible order of arrival."""
        return [self.edition, *self.organisations, *self.participants.values(), *self.pairs.values()]

    def next_revision(self) -> int:
        """Return a revision above all revisions so far."""
        self.revision += 1
        return self.revision

    def draw_pair(self) -> AffinityScored | None:
        """Draw and grant a new pair of two participants with time left.

        Return None if a hundred draws find no such pair.
        """
        for _ in range(100):
            first, second = self.random.choices(self.names, cum_weights=self._fame, k=2)
            people = self.participants[first], self.participants[second]
            if people[0].organisation_id == people[1].organisation_id or pair_id(EDITION, first, second) in self.pairs:
                continue
            if max(self._promised[first], self._promised[second]) < self.size.slots * self.size.days // 2:
                return self.grant(first, second)
        return None

    def grant(self, first: str, second: str) -> AffinityScored:
        """Grant the pair of two participants."""
        self._promised.update((first, second))
        pair = AffinityScored(
            **_base(self.next_revision()),
            pair_id=pair_id(EDITION, first, second),
            participant_ids=pair_of(first, second),
            request_ids=("req",),
            origin=Origin.REQUESTED,
            consent=Consent.GRANTED,
            score=round(self.random.random(), 3),
            priority=self.random.randint(1, 3),
        )
        self.pairs[pair.pair_id] = pair
        return pair

    def withdraw(self, pair: AffinityScored) -> AffinityScored:
        """Withdraw the consent of a pair."""
        self._promised.subtract(pair.participant_ids)
        update = {"revision": self.next_revision(), "consent": Consent.REFUSED}
        self.pairs[pair.pair_id] = refused = pair.model_copy(update=update)
        return refused

    def draw_hours(self) -> tuple[Interval, ...]:
        """Draw the hours of a participant: mostly the whole edition, else without some hours at an end of a day."""
        if self.random.random() < _ALL_DAY:
            return ()
        day = self.random.randrange(self.size.days)
        first, last = _span(self.size, 0)[0], _span(self.size, self.size.days - 1)[1]
        opens, closes = _span(self.size, day)
        away = timedelta(minutes=_MINUTES * self.random.randint(2, self.size.slots // 2))
        gone = (opens, opens + away) if self.random.choice((True, False)) else (closes - away, closes)
        spans = ((first, gone[0]), (gone[1], last))
        return tuple(Interval(starts_at=starts, ends_at=ends) for starts, ends in spans if starts < ends)

    def draw_sessions(self) -> tuple[str, ...]:
        """Draw the sessions of a participant, a session with probability 0.1."""
        return tuple(session.session_id for session in self.edition.sessions if self.random.random() < _ATTENDING)


def synthetic(size: Size, seed: int) -> SyntheticEdition:
    """Make an edition of a size. All its requests are granted."""
    random = Random(f"{size.name}-{seed}")
    instance = SyntheticEdition(size, random, _edition(size, random))
    for number in range(size.organisations):
        instance.organisations.append(_organisation(number, random))
    total = 0.0
    for number in range(size.people):
        instance.names.append(f"p{number}")
        instance.participants[f"p{number}"] = _participant(instance, number)
        total += min(random.paretovariate(1.3), 12.0)
        instance._fame.append(total)  # noqa: SLF001 - its maker
    for _ in range(size.encounters):
        instance.draw_pair()
    return instance


def _base(revision: int) -> dict[str, object]:
    return {"operator_id": OPERATOR, "edition_id": EDITION, "occurred_at": WHEN, "revision": revision}


def _span(size: Size, day: int) -> tuple[datetime, datetime]:
    opens = _NINE + timedelta(days=day)
    return opens, opens + timedelta(minutes=_MINUTES * size.slots)


def _edition(size: Size, random: Random) -> EditionChanged:
    starts = [
        _span(size, day)[0] + timedelta(minutes=_MINUTES * slot)
        for day in range(size.days)
        for slot in range(size.slots)
    ]
    length = timedelta(minutes=_MINUTES)
    innova = size.tables // 10
    return EditionChanged(
        **_base(1),
        name="Bench",
        timezone="Europe/Madrid",
        phase=Phase.OPEN,
        slots=tuple(Slot(index=index, starts_at=at, ends_at=at + length) for index, at in enumerate(starts)),
        zones=(
            Zone(zone_id="work", kind=ZoneKind.WORKSPACE, name="Work", tables=_labels("W", size.tables - innova)),
            Zone(zone_id="innova", kind=ZoneKind.INNOVA, name="Innova+", tables=_labels("I", innova)),
            Zone(zone_id="hall", kind=ZoneKind.CONFERENCE, name="Hall"),
        ),
        sessions=tuple(
            Session(
                session_id=f"s{number}",
                kind=SessionKind.KEYNOTE,
                title="Keynote",
                zone_id="hall",
                starts_at=(at := random.choice(starts)),
                ends_at=at + 2 * length,
            )
            for number in range(size.sessions)
        ),
    )


def _labels(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number:04}" for number in range(count))


def _organisation(number: int, random: Random) -> OrganisationChanged:
    kind = random.choice(_KINDS)
    return OrganisationChanged(**_base(1), organisation_id=f"o{number}", name="Org", kind=kind, country="ES")


def _participant(instance: SyntheticEdition, number: int) -> ParticipantChanged:
    return ParticipantChanged(
        **_base(1),
        participant_id=f"p{number}",
        organisation_id=f"o{number % instance.size.organisations}",
        name="Somebody",
        email="somebody@example.invalid",
        languages=("es",),
        available=instance.draw_hours(),
        session_ids=instance.draw_sessions(),
        status=Status.ACTIVE,
    )
