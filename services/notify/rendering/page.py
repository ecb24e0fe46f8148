"""The data of the mail templates: an agenda as texts ready to print, in a language and a time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name

from services.notify.domain.digest import AgendaLine, DiffKind, LineDiff, MailContent, diff_of
from services.notify.domain.phrases import PHRASES
from services.notify.domain.phrases.forms import Phrases
from services.notify.domain.snapshots import ContactSnapshot
from services.notify.domain.state import Audience
from services.notify.domain.told_calendar import CalendarEntry
from services.notify.rendering.changes import ChangeTexts
from services.notify.rendering.clean import clean
from shared.contract.events import EntryKind, Language, WaitingEncounter
from shared.contract.reason_phrases import REASON_PHRASES
from shared.contract.reason_sentences import reason_line
from shared.contract.waiting_phrases import WAITING_PHRASES
from shared.contract.waiting_sentences import WaitingWords
from shared.contract.waiting_sentences import sentences_of as sentences_on_wait


@dataclass(frozen=True)
class AgendaRow:
    """A line of the agenda. `people` is empty for a session, `reasons` if no reason for the encounter is known."""

    time: str
    title: str
    people: str
    place: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class AgendaDay:
    """The lines of a day."""

    date: str
    rows: tuple[AgendaRow, ...]


@dataclass(frozen=True)
class ChangedRow:
    """A line that differs from the last mail.

    `before` has the former time, place, title and people, as far as they differ. `cause` is a sentence, empty if the
    cause is not sure.
    """

    kind: DiffKind
    label: str
    date: str
    row: AgendaRow
    before: str
    cause: str


@dataclass(frozen=True)
class WaitingRow:
    """An encounter that waits for a place: its title, its people, and the reason with its remedy."""

    title: str
    people: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class MailPage:
    """A whole mail, for both templates."""

    language: Language
    phrases: Phrases
    subject: str
    greeting: str
    intro: str
    changed_rows: tuple[ChangedRow, ...]
    days: tuple[AgendaDay, ...]
    waiting_heading: str
    waiting_rows: tuple[WaitingRow, ...]
    local_times: str
    waits: str
    venue: str
    questions: str
    tell_more: str
    footer: str


class PageWriter:
    """Writes the page of a participant in their language and in the edition's time zone.

    Changes of lines that are over at `written_at` are left out.
    """

    def __init__(
        self, audience: Audience, participant_id: str, timezone: str, written_at: datetime | None = None
    ) -> None:
        self._written_at = written_at
        self._audience = audience
        self._participant_id = participant_id
        self._contact = audience.contacts[participant_id]
        self._phrases = PHRASES[self._contact.language]
        self._timezone = ZoneInfo(timezone)
        self._changes = ChangeTexts(audience, participant_id)

    def page(
        self, before: MailContent | None, content: MailContent, *, has_left: bool = False, former: str = ""
    ) -> MailPage:
        """Return the page of this content, with its differences from `before`, the content of the last mail.

        With `has_left`, the reader has left the edition, and this is the last mail to them. `former` is the person
        whose place the reader takes over, in the first mail to the reader.
        """
        edition = clean(self._audience.edition.name if self._audience.edition else "")
        has_ended = not has_left and not content.lines and not self._contact.active
        diffs = () if has_ended else diff_of(before, content, self._written_at)
        subject, intro = _subject_and_intro(self._phrases, before, content, diffs)
        if former:
            intro = self._phrases.intro_successor
        if has_left:
            subject, intro = self._phrases.subject_left, self._phrases.intro_left
        if has_ended:
            subject, intro = self._phrases.subject_ended, self._phrases.intro_ended
        return MailPage(
            language=self._contact.language,
            phrases=self._phrases,
            subject=subject.format(edition=edition, counts=self._counts(diffs)),
            greeting=self._phrases.greeting.format(name=clean(self._contact.name)),
            intro=intro.format(edition=edition, successor=self._successor(), former=clean(former)),
            changed_rows=tuple(map(self._changed_row, diffs)),
            days=self._days(content.lines),
            waiting_heading=self._waiting_heading(),
            waiting_rows=() if has_left else tuple(map(self._waiting_row, self._waiting())),
            local_times=_local_times(content.lines, self._timezone, self._phrases),
            waits="" if has_left else _waits_of(self._audience, self._contact, self._phrases),
            venue=_venue_of(self._audience) if content.lines else "",
            questions=_help_of(self._audience),
            tell_more=REASON_PHRASES[self._contact.language].tell_more if self._has_low_confidence() else "",
            footer=(self._phrases.footer_left if has_left or has_ended else self._phrases.footer).format(
                edition=edition
            ),
        )

    def invitation(self, entry: CalendarEntry, content: MailContent) -> MailPage:
        """Return the page of an invitation to an entry, or of its cancellation."""
        line, phrases = entry.line, self._phrases
        is_cancelled = entry.cancelled_at is not None
        page = self.page(content.model_copy(update={"lines": (line,)}) if is_cancelled else None, content)
        title = self.cancelled(self.title(line)) if is_cancelled else self.title(line)
        return replace(
            page,
            phrases=replace(phrases, calendar_hint=""),
            subject=f"{title}, {self.when(line)}",
            intro=phrases.intro_cancellation if is_cancelled else phrases.intro_invitation,
        )

    def _successor(self) -> str:
        """Return the name of the person who has the place now, in the last mail to a person who left."""
        others = self._audience.former_contacts.get(self._participant_id)
        return clean(others[0].name) if others else self._phrases.to_be_confirmed

    def _counts(self, diffs: Sequence[LineDiff]) -> str:
        numbers = {kind: sum(diff.kind is kind for diff in diffs) for kind in DiffKind}
        return ", ".join(self._phrases.counts[kind].of(number) for kind, number in numbers.items() if number)

    def _changed_row(self, diff: LineDiff) -> ChangedRow:
        return ChangedRow(
            kind=diff.kind,
            label=self._changes.label(diff),
            date=self._date(diff.line.starts_at),
            row=self._row(diff.line),
            before=self._changes.before(diff, self),
            cause=self._changes.cause(diff.line),
        )

    def _days(self, lines: Sequence[AgendaLine]) -> tuple[AgendaDay, ...]:
        by_date = groupby(lines, key=lambda line: self._date(line.starts_at))
        return tuple(AgendaDay(date=date, rows=tuple(map(self._row, of_day))) for date, of_day in by_date)

    def _row(self, line: AgendaLine) -> AgendaRow:
        return AgendaRow(
            time=self._time(line),
            title=self.title(line),
            people=self.people(line),
            place=self.place(line),
            reasons=self._reasons(line),
        )

    def _waiting(self) -> list[WaitingEncounter]:
        """List the waiting encounters of the agenda without those of participants who have cancelled since."""
        agenda, contacts = self._audience.agendas.get(self._participant_id), self._audience.contacts
        cancelled = {participant_id for participant_id, contact in contacts.items() if not contact.active}
        return [
            waiting
            for waiting in (agenda.waiting if agenda else ())
            if cancelled.isdisjoint(party.participant_id for party in waiting.parties)
        ]

    def _waiting_heading(self) -> str:
        agenda = self._audience.agendas.get(self._participant_id)
        heading = WAITING_PHRASES[self._contact.language].heading
        return heading.format(as_of=self._day_and_time(agenda.issued_at)) if agenda else ""

    def _waiting_row(self, waiting: WaitingEncounter) -> WaitingRow:
        """Return the encounter with its reason and its remedy; the agenda's event names both."""
        parties = [(party.participant_id, party.organisation_id) for party in waiting.parties]
        edition = self._audience.edition
        words = WaitingWords(
            person=self._person,
            zone=lambda zone_id: clean(edition.zones.get(zone_id, zone_id) if edition else zone_id),
            time=self._day_and_time,
        )
        return WaitingRow(
            title=self._phrases.encounter.format(organisation=", ".join(self._party(*party) for party in parties)),
            people=", ".join(self._person(participant_id) for participant_id, _ in parties),
            sentences=sentences_on_wait(waiting.reason, waiting.remedy, WAITING_PHRASES[self._contact.language], words),
        )

    def _reasons(self, line: AgendaLine) -> tuple[str, ...]:
        partner_id = line.with_participant_id or ""
        match = self._audience.match_of(self._participant_id, partner_id)
        contact = self._audience.contacts.get(partner_id)
        if match is None or contact is None:
            return ()
        sides = self._contact.side(self._participant_id), contact.side(partner_id)
        return tuple(filter(None, [clean(reason_line(match.grounds, *sides))]))

    def _has_low_confidence(self) -> bool:
        """Return whether matching found too little in the participant's profile for any of their encounters."""
        entries = self._audience.agendas[self._participant_id].entries
        matches = (self._audience.match_of(self._participant_id, entry.with_participant_id or "") for entry in entries)
        return any(match is not None and self._participant_id in match.low_confidence for match in matches)

    def title(self, line: AgendaLine) -> str:
        """Return a session's title, or the organisations that an encounter is with."""
        if line.kind is EntryKind.SESSION:
            return clean(line.title or line.entry_id)
        organisations = dict.fromkeys(self._party(*party) for party in line.parties())
        return self._phrases.encounter.format(organisation=", ".join(organisations))

    def people(self, line: AgendaLine) -> str:
        """Return the partners' names, with "to be confirmed" for an unknown name; an empty text for a session."""
        if line.kind is EntryKind.SESSION:
            return ""
        return ", ".join(self._person(participant_id) for participant_id, _ in line.parties())

    def cancelled(self, title: str) -> str:
        """Return the title of a cancelled entry."""
        return f"{self._phrases.kinds[DiffKind.REMOVED]}{self._phrases.colon} {title}"

    def details(self, line: AgendaLine) -> str:
        """Return the partners' names and the reasons to meet, a line for each; an empty text for a session."""
        return "\n".join(filter(None, (self.people(line), *self._reasons(line))))

    def _party(self, participant_id: str, organisation_id: str | None) -> str:
        organisation = self._audience.organisations.get(organisation_id or "")
        return clean(organisation.name) if organisation and not organisation.erased else self._person(participant_id)

    def _person(self, participant_id: str) -> str:
        if contact := self._audience.contacts.get(participant_id):
            return self._phrases.erased_person if contact.erased else clean(contact.name)
        return self._phrases.to_be_confirmed

    def place(self, line: AgendaLine) -> str:
        """Return zone and table."""
        table = self._phrases.table.format(table=clean(line.table)) if line.table else ""
        return " · ".join(filter(None, (clean(line.zone), table)))

    def location(self, line: AgendaLine) -> str:
        """Return zone and table with the place of the edition, as a calendar shows them."""
        return ", ".join(filter(None, (self.place(line), _venue_of(self._audience))))

    def when(self, line: AgendaLine) -> str:
        """Return the date and the time of a line."""
        return f"{self._date(line.starts_at)}, {self._time(line)}"

    def _time(self, line: AgendaLine) -> str:
        return f"{self._moment(line.starts_at)}-{self._moment(line.ends_at)}"

    def _day_and_time(self, moment: datetime) -> str:
        return f"{self._date(moment)}, {self._moment(moment)}"

    def _moment(self, moment: datetime) -> str:
        return format_time(moment.astimezone(self._timezone), "HH:mm", locale=self._phrases.locale)

    def _date(self, moment: datetime) -> str:
        return format_date(moment.astimezone(self._timezone).date(), "full", locale=self._phrases.locale)


def _subject_and_intro(
    phrases: Phrases, before: MailContent | None, content: MailContent, diffs: Sequence[LineDiff]
) -> tuple[str, str]:
    if not content.lines:
        return phrases.subject_emptied, phrases.intro_emptied
    if before is None or not before.has_addressee_of(content):
        return phrases.subject_whole, phrases.intro_whole
    if diffs:
        return phrases.subject_changed, phrases.intro_changed
    return phrases.subject_details, phrases.intro_details


def _waits_of(audience: Audience, contact: ContactSnapshot, phrases: Phrases) -> str:
    """Return the sentence about the sessions in whose lines the participant waits; an empty text without any."""
    titles = audience.edition.sessions if audience.edition else {}
    sessions = [clean(titles[session_id]) for session_id in contact.waits_for if session_id in titles]
    return phrases.waits.format(sessions=", ".join(sessions)) if sessions else ""


def _venue_of(audience: Audience) -> str:
    return clean(audience.edition.venue) if audience.edition else ""


def _help_of(audience: Audience) -> str:
    """Return the address and the phone number of the organiser; an empty text without either."""
    edition = audience.edition
    return ", ".join(map(clean, filter(None, (edition.help_email, edition.help_phone)))) if edition else ""


def _local_times(lines: Sequence[AgendaLine], timezone: ZoneInfo, phrases: Phrases) -> str:
    """Return the time zone's name and id, as in `Central European Standard Time (Europe/Madrid, UTC+1)`."""
    if not lines:
        return ""
    moment = lines[0].starts_at.astimezone(timezone)
    name = get_timezone_name(moment, locale=phrases.locale)
    return phrases.local_times.format(zone=f"{name} ({timezone.key}, {_offset(moment)})")


def _offset(moment: datetime) -> str:
    minutes = round((moment.utcoffset() or timedelta()) / timedelta(minutes=1))
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
