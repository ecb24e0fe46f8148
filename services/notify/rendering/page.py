"""What the templates show: a digest in one language and one time zone, every text ready to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name

from services.notify.domain.digest import AgendaLine, DiffKind, LineDiff, MailContent, diff_of
from services.notify.domain.phrases import PHRASES, Phrases
from services.notify.domain.reasons import WHY, why
from services.notify.domain.state import Audience
from services.notify.rendering.clean import clean
from shared.contract.events import EntryKind, Language


@dataclass(frozen=True)
class Row:
    """One line of the agenda. `who` is empty for a session; `why` says why the two meet, as far as is known."""

    time: str
    what: str
    who: str
    where: str
    why: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """The lines of one day."""

    date: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class ChangedRow:
    """One line that changed; `before` says when and where it was, if it moved."""

    kind: DiffKind
    label: str
    date: str
    row: Row
    before: str


@dataclass(frozen=True)
class Page:
    """A whole mail, for both templates."""

    language: Language
    phrases: Phrases
    subject: str
    greeting: str
    intro: str
    novelties: tuple[ChangedRow, ...]
    days: tuple[Day, ...]
    local_times: str
    tell_more: str
    footer: str


class PageWriter:
    """Writes what is said to one participant: in their language, in the edition's time zone."""

    def __init__(self, audience: Audience, participant_id: str, timezone: str) -> None:
        self._audience = audience
        self._participant_id = participant_id
        self._contact = audience.contacts[participant_id]
        self._phrases = PHRASES[self._contact.language]
        self._timezone = ZoneInfo(timezone)

    def page(self, before: MailContent | None, said: MailContent) -> Page:
        """The page for someone who was last told `before` and is now told `said`."""
        edition = clean(self._audience.edition.name if self._audience.edition else "")
        changed = diff_of(before, said)
        subject, intro = self._tidings(before, said, changed)
        return Page(
            language=self._contact.language,
            phrases=self._phrases,
            subject=subject.format(edition=edition, counts=self._counts(changed)),
            greeting=self._phrases.greeting.format(name=clean(self._contact.name)),
            intro=intro.format(edition=edition),
            novelties=tuple(map(self._novelty, changed)),
            days=self._days(said.lines),
            local_times=self._local_times(said.lines),
            tell_more=WHY[self._contact.language].tell_more if self._says_too_little() else "",
            footer=self._phrases.footer.format(edition=edition),
        )

    def _tidings(self, before: MailContent | None, said: MailContent, changed: Sequence[LineDiff]) -> tuple[str, str]:
        phrases = self._phrases
        if not said.lines:
            return phrases.subject_emptied, phrases.intro_emptied
        if before is None or before.addressee != said.addressee:
            return phrases.subject_whole, phrases.intro_whole
        if changed:
            return phrases.subject_changed, phrases.intro_changed
        return phrases.subject_details, phrases.intro_details

    def _counts(self, changed: Sequence[LineDiff]) -> str:
        numbers = {kind: sum(item.kind is kind for item in changed) for kind in DiffKind}
        return ", ".join(self._phrases.counts[kind].of(number) for kind, number in numbers.items() if number)

    def _novelty(self, item: LineDiff) -> ChangedRow:
        was = ""
        if item.kind is DiffKind.MOVED and item.before:
            was = f"{self._date(item.before.starts_at)}, {self._time(item.before)}, {self.where(item.before)}"
        return ChangedRow(
            kind=item.kind,
            label=self._phrases.kinds[item.kind],
            date=self._date(item.line.starts_at),
            row=self._row(item.line),
            before=was,
        )

    def _days(self, lines: Sequence[AgendaLine]) -> tuple[Day, ...]:
        by_date = groupby(lines, key=lambda line: self._date(line.starts_at))
        return tuple(Day(date=date, rows=tuple(map(self._row, of_day))) for date, of_day in by_date)

    def _row(self, line: AgendaLine) -> Row:
        return Row(
            time=self._time(line),
            what=self.what(line),
            who=self.who(line),
            where=self.where(line),
            why=self._why(line),
        )

    def _why(self, line: AgendaLine) -> tuple[str, ...]:
        met = line.with_participant_id or ""
        match, contact = self._audience.match_of(self._participant_id, met), self._audience.contacts.get(met)
        if match is None or contact is None:
            return ()
        return tuple(map(clean, why(match, self._participant_id, self._contact, contact)))

    def _says_too_little(self) -> bool:
        """Whether matching could not tell what the participant needs or offers."""
        entries = self._audience.agendas[self._participant_id].entries
        matches = (self._audience.match_of(self._participant_id, entry.with_participant_id or "") for entry in entries)
        return any(match is not None and self._participant_id in match.low_confidence for match in matches)

    def what(self, line: AgendaLine) -> str:
        """A session's title, or whom the encounter is with."""
        if line.kind is EntryKind.SESSION:
            return clean(line.title or line.entry_id)
        met = dict.fromkeys(self._party(*party) for party in _parties(line))
        return self._phrases.encounter.format(organisation=", ".join(met))

    def who(self, line: AgendaLine) -> str:
        """The names of the people met, or that they are still to be confirmed; nothing for a session."""
        if line.kind is EntryKind.SESSION:
            return ""
        return ", ".join(self._person(participant_id) for participant_id, _ in _parties(line))

    def _party(self, participant_id: str, organisation_id: str | None) -> str:
        organisation = self._audience.organisations.get(organisation_id or "")
        return clean(organisation.name) if organisation else self._person(participant_id)

    def _person(self, participant_id: str) -> str:
        contact = self._audience.contacts.get(participant_id)
        return clean(contact.name) if contact else self._phrases.to_be_confirmed

    def where(self, line: AgendaLine) -> str:
        """Zone and table."""
        table = self._phrases.table.format(table=clean(line.table)) if line.table else ""
        return " · ".join(filter(None, (clean(line.zone), table)))

    def _time(self, line: AgendaLine) -> str:
        starts, ends = (
            format_time(moment.astimezone(self._timezone), "HH:mm", locale=self._phrases.locale)
            for moment in (line.starts_at, line.ends_at)
        )
        return f"{starts}-{ends}"

    def _date(self, moment: datetime) -> str:
        return format_date(moment.astimezone(self._timezone).date(), "full", locale=self._phrases.locale)

    def _local_times(self, lines: Sequence[AgendaLine]) -> str:
        """The zone as people say it, and as machines do: `Central European Standard Time (Europe/Madrid, UTC+1)`."""
        if not lines:
            return ""
        moment = lines[0].starts_at.astimezone(self._timezone)
        name = get_timezone_name(moment, locale=self._phrases.locale)
        return self._phrases.local_times.format(zone=f"{name} ({self._timezone.key}, {_offset(moment)})")


def _parties(line: AgendaLine) -> list[tuple[str, str | None]]:
    """Who is met in an encounter: each participant and the organisation."""
    others = [(party.participant_id, party.organisation_id) for party in line.others]
    return [(line.with_participant_id or "", line.with_organisation_id), *others]


def _offset(moment: datetime) -> str:
    minutes = round((moment.utcoffset() or timedelta()) / timedelta(minutes=1))
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
