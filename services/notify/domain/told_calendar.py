"""The calendar of a mailbox: every entry that it was told, with the SEQUENCE of the newest state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import Field

from services.notify.domain.digest import AgendaLine, MailContent
from services.notify.domain.snapshots import FrozenModel
from services.notify.domain.state import Audience
from shared.contract.events import Instant
from shared.contract.ids import derived_id

#: SEQUENCE that no calendar told before the ledger kept them: it counts revisions of an encounter or an edition.
_UNRECORDED_SEQUENCE = 1_000
#: Most cancelled entries in a calendar; the entries cancelled longest ago are dropped.
_MOST_CANCELLED = 300


class CalendarEntry(FrozenModel):
    """An entry as a mailbox was last told.

    `shown` is a hash of all that a calendar program shows of the entry, with numbers in place of texts. `changed_at` is
    the time at which it changed last, unknown in older ledgers. A cancelled entry keeps its last line.
    """

    line: AgendaLine
    shown: str = ""
    sequence: int = Field(ge=0)
    changed_at: Instant | None = None
    cancelled_at: Instant | None = None

    def cancel(self, now: datetime, version: int = 0) -> CalendarEntry:
        """Return the entry as cancelled now, with a risen SEQUENCE; an entry that is cancelled already stays."""
        if self.cancelled_at:
            return self
        sequence = max(self.sequence + 1, version)
        return self.model_copy(update={"sequence": sequence, "changed_at": now, "cancelled_at": now, "shown": ""})


class ToldCalendar(FrozenModel):
    """Every entry that a person was told, in time order.

    `person` is the number of the person: the mailbox of a successor was told nothing yet. It is `None` for the
    calendars of older ledgers.
    """

    entries: tuple[CalendarEntry, ...] = ()
    person: str | None = None

    @classmethod
    def of_mails(cls, *contents: MailContent | None) -> ToldCalendar:
        """Return the calendar that mails have told, with a SEQUENCE above any that an older version has sent."""
        lines = {line.entry_id: line for content in contents if content for line in content.lines}
        return cls(entries=tuple(CalendarEntry(line=line, sequence=_UNRECORDED_SEQUENCE) for line in lines.values()))

    def cancelled(self, now: datetime, version: int = 0) -> ToldCalendar:
        """Return the calendar with every entry cancelled."""
        return self.model_copy(update={"entries": tuple(entry.cancel(now, version) for entry in self.entries)})

    def entry(self, entry_id: str) -> CalendarEntry | None:
        """Return an entry, or `None` if it was not told."""
        return next((entry for entry in self.entries if entry.line.entry_id == entry_id), None)

    def confirmed(self) -> tuple[CalendarEntry, ...]:
        """Return the entries that are not cancelled."""
        return tuple(entry for entry in self.entries if entry.cancelled_at is None)


def next_calendar(
    audience: Audience, participant_id: str, content: MailContent, told: ToldCalendar, version: int, now: datetime
) -> ToldCalendar:
    """Return the calendar that a mail of this content tells, after the calendar that its reader was told so far.

    SEQUENCE rises with anything that an entry shows. A told entry that is gone is cancelled. A risen SEQUENCE is the
    mail's version, which only rises: it exceeds any SEQUENCE told before, by whichever mail of the participant.
    """
    known = {entry.line.entry_id: entry for entry in told.entries}
    confirmed = [
        _confirmed(
            line,
            _shown(audience, participant_id, line),
            known.get(line.entry_id),
            version,
            now,
        )
        for line in content.lines
    ]
    entries = _in_time_order([*confirmed, *_gone(known, content, now, version)])
    return ToldCalendar(entries=entries, person=audience.contacts[participant_id].person_id)


def _confirmed(line: AgendaLine, shown: str, told: CalendarEntry | None, version: int, now: datetime) -> CalendarEntry:
    if told and told.shown == shown:
        return told.model_copy(update={"line": line})
    sequence = max(told.sequence + 1 if told else 0, version)
    return CalendarEntry(line=line, shown=shown, sequence=sequence, changed_at=now)


def _gone(
    known: Mapping[str, CalendarEntry], content: MailContent, now: datetime, version: int
) -> Iterator[CalendarEntry]:
    """Cancel the told entries that the content has no more, the latest cancelled first."""
    listed = {line.entry_id for line in content.lines}
    cancelled = [entry.cancel(now, version) for entry_id, entry in known.items() if entry_id not in listed]
    cancelled.sort(key=lambda entry: entry.cancelled_at or now, reverse=True)
    yield from cancelled[:_MOST_CANCELLED]


def _in_time_order(entries: list[CalendarEntry]) -> tuple[CalendarEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: (entry.line.starts_at, entry.line.entry_id)))


def _shown(audience: Audience, participant_id: str, line: AgendaLine) -> str:
    """Hash all that a reader sees of a line: times, place, title, people, organisations, reasons, and the language.

    People and organisations are hashed by the numbers of their texts.
    """
    reader = audience.contacts[participant_id]
    parts = [reader.language.value, line.starts_at.isoformat(), line.ends_at.isoformat(), line.zone]
    parts += [line.table or "", line.title or ""]
    if audience.edition and audience.edition.venue:
        parts += [audience.edition.venue]
    for person_id, organisation_id in line.parties():
        parts += [f"{shown.person}-{shown.shown}" if (shown := audience.contacts.get(person_id)) else ""]
        parts += [str(named.shown) if (named := audience.organisations.get(organisation_id or "")) else ""]
    if match := audience.match_of(participant_id, line.with_participant_id or ""):
        parts += [match.model_dump_json(exclude={"revision"}), str(reader.shown)]
    return derived_id("seen", *(part.replace("/", "//") for part in parts))
