"""A participant's agenda, as pages show it: days of entries with the people, the place, and the last change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from services.portal.domain.people import ShownPerson, shown_person
from services.portal.domain.picture import EditionPicture
from shared.contract.events import AgendaChange, AgendaChanged, AgendaEntry, ChangeKind, EntryKind, WaitingEncounter


@dataclass(frozen=True)
class ShownEntry:
    """An entry of an agenda. `change` is that of the newest revision, `before` the entry as it was if it moved."""

    entry_id: str
    kind: EntryKind
    starts_at: datetime
    ends_at: datetime
    zone: str
    table: str
    title: str
    people: tuple[ShownPerson, ...]
    change: ChangeKind | None
    before: AgendaEntry | None

    @property
    def partner_ids(self) -> tuple[str, ...]:
        """The participants whom an encounter is with."""
        return tuple(person.participant_id for person in self.people)

    def is_over(self, now: datetime) -> bool:
        """Tell whether the entry has ended."""
        return self.ends_at <= now

    def is_on(self, now: datetime) -> bool:
        """Tell whether the entry has begun and has not ended."""
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True)
class ShownDay:
    """The entries of a local day."""

    day: date
    entries: tuple[ShownEntry, ...]


@dataclass(frozen=True)
class ShownWaiting:
    """An encounter that waits for a place: its people, and the event's reason and remedy."""

    encounter: WaitingEncounter
    people: tuple[ShownPerson, ...]


@dataclass(frozen=True)
class ShownAgenda:
    """A participant's agenda. `is_announced` is false until the edition's agendas are published."""

    is_announced: bool
    revision: int
    as_of: datetime | None
    days: tuple[ShownDay, ...]
    removed: tuple[ShownEntry, ...]
    waiting: tuple[ShownWaiting, ...]


def shown_agenda(picture: EditionPicture, participant_id: str) -> ShownAgenda:
    """Return the agenda of a participant, in the time zone of the edition; an empty agenda before the first event."""
    agenda = picture.agendas.get(participant_id)
    if agenda is None or picture.edition is None:
        return ShownAgenda(False, 0, None, (), (), ())
    zone = ZoneInfo(picture.edition.timezone)
    changes = {change.entry_id: change for change in agenda.changes}
    entries = [_shown(picture, entry, changes.get(entry.entry_id)) for entry in agenda.entries]
    days = groupby(entries, key=lambda entry: entry.starts_at.astimezone(zone).date())
    removed = [
        _shown(picture, change.before, change)
        for change in agenda.changes
        if change.kind is ChangeKind.REMOVED and change.before
    ]
    return ShownAgenda(
        is_announced=not agenda.provisional,
        revision=agenda.revision,
        as_of=agenda.occurred_at,
        days=tuple(ShownDay(day, tuple(of_day)) for day, of_day in days),
        removed=tuple(removed),
        waiting=_waiting(picture, agenda),
    )


def current_and_next(entries: Sequence[ShownEntry], now: datetime) -> tuple[ShownEntry | None, ShownEntry | None]:
    """Return the entry that is on, and the first entry that is still to come."""
    on = next((entry for entry in entries if entry.is_on(now)), None)
    return on, next((entry for entry in entries if entry.starts_at > now), None)


def _shown(picture: EditionPicture, entry: AgendaEntry, change: AgendaChange | None) -> ShownEntry:
    return ShownEntry(
        entry_id=entry.entry_id,
        kind=entry.kind,
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        zone=picture.zone_name(entry.zone_id),
        table=entry.table or "",
        title=entry.title or "",
        people=tuple(shown_person(picture, party.participant_id, party.organisation_id) for party in entry.parties),
        change=change.kind if change else None,
        before=change.before if change else None,
    )


def _waiting(picture: EditionPicture, agenda: AgendaChanged) -> tuple[ShownWaiting, ...]:
    return tuple(
        ShownWaiting(
            waiting,
            tuple(shown_person(picture, party.participant_id, party.organisation_id) for party in waiting.parties),
        )
        for waiting in agenda.waiting
    )
