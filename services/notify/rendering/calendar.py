"""A participant's agenda as an iCalendar file (RFC 5545): exactly its lines, the same bytes each time."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone

from services.notify.domain.digest import Line, Said
from services.notify.rendering.page import Writer
from shared.events import EntryKind
from shared.ids import derived_id


class CalendarFile:
    """Makes the `agenda.ics` of participants of one edition.

    A session's UID is the participant's own, an encounter's is that of both who meet: neither ever changes.
    """

    def __init__(self, edition_id: str, participant_id: str, domain: str) -> None:
        self._edition_id = edition_id
        self._participant_id = participant_id
        self._domain = domain

    def write(self, said: Said, sequences: dict[str, int], issued_at: datetime, writer: Writer) -> str:
        """The file. `sequences` are the entries' SEQUENCE by id; `issued_at` is when the agenda was made."""
        moments = [line.starts_at for line in said.lines] or [issued_at]
        head, end = _frame(said.timezone, min(moments).year, max(moments).year)
        events = (self._event(line, sequences[line.entry_id], issued_at, said.timezone, writer) for line in said.lines)
        return "".join((head, *events, end))

    def uid(self, line: Line) -> str:
        """The UID of a line, as long as it lives."""
        if line.kind is EntryKind.ENCOUNTER:
            return f"{line.entry_id}@{self._domain}"
        return f"{derived_id('ses', self._edition_id, line.entry_id, self._participant_id)}@{self._domain}"

    def _event(self, line: Line, sequence: int, issued_at: datetime, timezone: str, writer: Writer) -> str:
        event = Event()
        event.add("UID", self.uid(line))
        event.add("SEQUENCE", sequence)
        event.add("DTSTAMP", issued_at)
        event.add("SUMMARY", writer.what(line))
        event.add("DTSTART", line.starts_at.astimezone(ZoneInfo(timezone)))
        event.add("DTEND", line.ends_at.astimezone(ZoneInfo(timezone)))
        event.add("LOCATION", writer.where(line))
        if who := writer.who(line):
            event.add("DESCRIPTION", who)
        event.add("STATUS", "CONFIRMED")
        return str(event.to_ical().decode())


@lru_cache(maxsize=64)
def _frame(timezone: str, first_year: int, last_year: int) -> tuple[str, str]:
    """What stands before and after the events. Made once: it costs more than the events do."""
    calendar = Calendar()
    calendar.add("PRODID", "-//Tertulia//notify//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "PUBLISH")
    first_day, last_day = date(first_year, 1, 1), date(last_year + 1, 1, 1)
    calendar.add_component(Timezone.from_tzinfo(ZoneInfo(timezone), timezone, first_day, last_day))
    head, end, _ = calendar.to_ical().decode().partition("END:VCALENDAR")
    return head, f"{end}\r\n"
