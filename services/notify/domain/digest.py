"""The content of a mail: a participant's agenda, and its differences from the last mail."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.notify.domain.snapshots import EditionSnapshot, FrozenModel
from services.notify.domain.state import Audience
from shared.contract.events import AgendaEntry, EntryKind, Instant, Party
from shared.contract.ids import Id
from shared.contract.spelling import is_spelt_alike


class AgendaLine(FrozenModel):
    """A line of an agenda in a mail.

    `person` has the numbers of the persons in the partners' places, so another person at a partner's place changes it.
    It is `None` for a session, and until all partners are known. `zone_id` is missing while the zone has no name,
    and in lines of older mails.
    """

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
    zone_id: Id | None = None

    def is_like(self, line: AgendaLine) -> bool:
        """Compare every field. Another name of the zone, and another spelling of the title, are no difference."""
        ignored = {"zone": line.zone, "zone_id": line.zone_id}
        if is_spelt_alike(self.title, line.title):
            ignored["title"] = line.title
        return self._is_in_zone_of(line) and self.model_copy(update=ignored) == line

    def is_moved(self, line: AgendaLine) -> bool:
        """Return whether start, end or zone differ."""
        return (self.starts_at, self.ends_at) != (line.starts_at, line.ends_at) or not self._is_in_zone_of(line)

    def parties(self) -> list[tuple[str, str | None]]:
        """List the partners of an encounter as (participant id, organisation id); empty for a session."""
        if self.with_participant_id is None:
            return []
        others = [(party.participant_id, party.organisation_id) for party in self.others]
        return [(self.with_participant_id, self.with_organisation_id), *others]

    def at_table(self, table: str | None) -> AgendaLine:
        """Return the line at another table."""
        return self.model_copy(update={"table": table})

    def _is_in_zone_of(self, line: AgendaLine) -> bool:
        if self.zone_id is None or line.zone_id is None:
            return self.zone == line.zone
        return self.zone_id == line.zone_id


class MailContent(FrozenModel):
    """The content of a mail without personal data.

    `addressee` is the number of the addressee: the name in any spelling, the address in any case, the language.
    Contents of older mails have hashes there and in `reader`: see `services.notify.old_hashes`. `venue` is the place
    of the edition; an agenda without lines has none.
    """

    addressee: str
    timezone: str
    lines: tuple[AgendaLine, ...]
    reader: str | None = None
    venue: str = ""

    def ahead_of(self, now: datetime) -> MailContent:
        """Return the content without lines that are over."""
        return self.model_copy(update={"lines": tuple(line for line in self.lines if line.ends_at > now)})

    def has_addressee_of(self, content: MailContent) -> bool:
        """Return whether both are for the same person, at the same address in any case."""
        return self.addressee == content.addressee

    def is_like(self, content: MailContent) -> bool:
        """Return whether both tell the same person the same agenda."""
        return (
            self.has_addressee_of(content)
            and len(self.lines) == len(content.lines)
            and all(map(AgendaLine.is_like, self.lines, content.lines))
            and self._has_hours_of(content)
            and is_spelt_alike(self.venue, content.venue)
        )

    def _has_hours_of(self, content: MailContent) -> bool:
        """Tell whether the lines have the same local times in both time zones, as under a clearer name of the zone."""
        if self.timezone == content.timezone:
            return True
        zones = ZoneInfo(self.timezone), ZoneInfo(content.timezone)
        moments = [moment for line in self.lines for moment in (line.starts_at, line.ends_at)]
        return all(len({moment.astimezone(zone).utcoffset() for zone in zones}) == 1 for moment in moments)


class DiffKind(StrEnum):
    """Kind of difference from the last mail.

    `moved`: another time or zone. `table`: another table and no other difference. `changed`: another partner or title
    at the same time.
    """

    ADDED = "added"
    MOVED = "moved"
    TABLE = "table"
    CHANGED = "changed"
    REMOVED = "removed"


class LineDiff(FrozenModel):
    """A line that differs from the last mail."""

    kind: DiffKind
    before: AgendaLine | None = None
    after: AgendaLine | None = None

    def is_over_at(self, now: datetime) -> bool:
        """Return whether the line is over, both as it was and as it is."""
        return all(line.ends_at <= now for line in (self.before, self.after) if line)

    @property
    def line(self) -> AgendaLine:
        """The line as it is now, or as it was if it is gone."""
        line = self.after or self.before
        assert line is not None  # noqa: S101 - `diff_of` gives at least one of the two
        return line


def mail_content(audience: Audience, participant_id: str) -> MailContent:
    """Return the content of a mail sent to a participant now.

    Sequence numbers are left out: an agenda that returns to its last mailed content has equal content.

    Raises:
        KeyError: unless `audience.can_write_to(participant_id)`.
    """
    edition, contact = audience.edition, audience.contacts[participant_id]
    if edition is None:
        raise KeyError(audience.edition_id)
    entries = sorted(audience.agendas[participant_id].entries, key=lambda entry: (entry.starts_at, entry.entry_id))
    return MailContent(
        addressee=f"reader-{contact.addressed}",
        timezone=edition.timezone,
        lines=tuple(_line(audience, edition, entry) for entry in entries),
        venue=edition.venue if entries else "",
    )


def reason_too_late(
    sent: MailContent | None, unconfirmed: MailContent | None, content: MailContent, now: datetime
) -> str:
    """Return why a mail of this content comes too late, or an empty text: a mail needs something that is not over.

    `sent` is the content of the last mail, `unconfirmed` that of a mail after it that may have been accepted.
    """
    ahead, told = content.ahead_of(now), [known.ahead_of(now) for known in (sent, unconfirmed) if known]
    if not ahead.lines and not any(known.lines for known in told):
        return "all of the agenda is over"
    is_told = sent is not None and unconfirmed is None and ahead.is_like(told[0])
    return "all that has changed is over" if is_told else ""


def diff_of(before: MailContent | None, now: MailContent, written_at: datetime | None = None) -> tuple[LineDiff, ...]:
    """List the lines that differ from the last mail, in time order, without lines that are over at `written_at`.

    The list is empty for a first mail, and for the first mail to another addressee.
    """
    if before is None or not before.has_addressee_of(now):
        return ()
    was = {line.entry_id: line for line in before.lines}
    is_now = {line.entry_id: line for line in now.lines}
    changed = [_compare(was.get(entry_id), is_now.get(entry_id)) for entry_id in was | is_now]
    diffs = [diff for diff in changed if diff and not (written_at and diff.is_over_at(written_at))]
    return tuple(sorted(diffs, key=lambda diff: (diff.line.starts_at, diff.line.entry_id)))


def _compare(before: AgendaLine | None, after: AgendaLine | None) -> LineDiff | None:
    if before is None:
        return LineDiff(kind=DiffKind.ADDED, after=after)
    if after is None:
        return LineDiff(kind=DiffKind.REMOVED, before=before)
    if before.is_like(after):
        return None
    return LineDiff(kind=_kind(before, after), before=before, after=after)


def _kind(before: AgendaLine, after: AgendaLine) -> DiffKind:
    if before.is_moved(after):
        return DiffKind.MOVED
    return DiffKind.TABLE if before.at_table(after.table).is_like(after) else DiffKind.CHANGED


def _line(audience: Audience, edition: EditionSnapshot, entry: AgendaEntry) -> AgendaLine:
    return AgendaLine(
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
        zone_id=entry.zone_id if entry.zone_id in edition.zones else None,
    )


def _person(audience: Audience, entry: AgendaEntry) -> str | None:
    """Return the numbers of the persons in the partners' places; `None` until partners and organisations are known."""
    persons: list[str] = []
    for party in entry.parties:
        contact = audience.contacts.get(party.participant_id)
        if contact is None or (party.organisation_id and party.organisation_id not in audience.organisations):
            return None
        persons.append(str(contact.person))
    return f"person-{'-'.join(persons)}" if persons else None
