"""What a mail says: a participant's agenda, and what is new in it since the last mail said something else."""

from __future__ import annotations

from enum import StrEnum

from services.notify.domain.audience import Audience, Edition, Snapshot
from shared.contract.events import AgendaEntry, EntryKind, Instant, Party
from shared.contract.ids import Id, derived_id


class Line(Snapshot):
    """A line of an agenda as a mail says it. `person` stands for who is met, and changes when another comes."""

    entry_id: Id
    kind: EntryKind
    starts_at: Instant
    ends_at: Instant
    zone: str
    table: str | None = None
    title: str | None = None
    with_participant_id: Id | None = None
    with_organisation_id: Id | None = None
    others: tuple[Party, ...] = ()
    person: str | None = None

    @property
    def when_and_where(self) -> tuple[object, ...]:
        """What makes the participant be somewhere else."""
        return (self.starts_at, self.ends_at, self.zone, self.table)


class Said(Snapshot):
    """All that a mail says, without personal data: `addressee` stands for name, address and language."""

    addressee: str
    timezone: str
    lines: tuple[Line, ...]


class NewsKind(StrEnum):
    """What happened to a line since the last mail. `changed`: same time and place, another person or title."""

    ADDED = "added"
    MOVED = "moved"
    CHANGED = "changed"
    REMOVED = "removed"


class News(Snapshot):
    """A line that is not as the last mail said."""

    kind: NewsKind
    before: Line | None = None
    after: Line | None = None

    @property
    def line(self) -> Line:
        """The line as it is now, or as it was if it is gone."""
        line = self.after or self.before
        assert line is not None  # noqa: S101 - made by `news` alone, with one or both
        return line


def say(audience: Audience, participant_id: str) -> Said:
    """What a mail to a participant says now. Sequence numbers are no news: A -> B -> A says what A said.

    Raises:
        KeyError: unless `audience.can_tell(participant_id)`.
    """
    edition, contact = audience.edition, audience.contacts[participant_id]
    if edition is None:
        raise KeyError(audience.edition_id)
    entries = sorted(audience.agendas[participant_id].entries, key=lambda entry: (entry.starts_at, entry.entry_id))
    return Said(
        addressee=derived_id("addressee", contact.email, contact.name, contact.language),
        timezone=edition.timezone,
        lines=tuple(_line(audience, edition, entry) for entry in entries),
    )


def news(before: Said | None, now: Said) -> tuple[News, ...]:
    """What changed since the last mail, in time order; nothing for a first mail, or the first to this addressee."""
    if before is None or before.addressee != now.addressee:
        return ()
    was = {line.entry_id: line for line in before.lines}
    is_now = {line.entry_id: line for line in now.lines}
    changed = [_compare(was.get(entry_id), is_now.get(entry_id)) for entry_id in was | is_now]
    return tuple(sorted(filter(None, changed), key=lambda item: (item.line.starts_at, item.line.entry_id)))


def _compare(before: Line | None, after: Line | None) -> News | None:
    if before == after:
        return None
    if before is None:
        return News(kind=NewsKind.ADDED, after=after)
    if after is None:
        return News(kind=NewsKind.REMOVED, before=before)
    moved = before.when_and_where != after.when_and_where
    return News(kind=NewsKind.MOVED if moved else NewsKind.CHANGED, before=before, after=after)


def _line(audience: Audience, edition: Edition, entry: AgendaEntry) -> Line:
    return Line(
        entry_id=entry.entry_id,
        kind=entry.kind,
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        zone=edition.zones.get(entry.zone_id, entry.zone_id),
        table=entry.table,
        title=entry.title,
        with_participant_id=entry.with_participant_id,
        with_organisation_id=entry.with_organisation_id,
        others=entry.others,
        person=_person(audience, entry),
    )


def _person(audience: Audience, entry: AgendaEntry) -> str | None:
    """Stands for those met; `None` until all of them and their organisations are known."""
    said: list[str] = []
    for party in entry.parties:
        contact = audience.contacts.get(party.participant_id)
        if contact is None or (party.organisation_id and party.organisation_id not in audience.organisations):
            return None
        said += [party.participant_id, contact.email]
    return derived_id("person", *said) if said else None
