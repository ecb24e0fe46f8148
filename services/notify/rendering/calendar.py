"""A participant's agenda as an iCalendar file (RFC 5545): exactly its lines, the same bytes each time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Timezone, vDDDTypes, vText
from icalendar.parser import Contentline

from services.notify.domain.digest import AgendaLine, MailContent
from services.notify.rendering.page import PageWriter
from shared.contract.events import EntryKind
from shared.contract.ids import derived_id

#: Longer lines are folded (RFC 5545, 3.1).
_OCTETS = 75


class CalendarFile:
    """Makes the `agenda.ics` of participants of one edition.

    A session's UID is the participant's own, an encounter's is that of all who meet: neither ever changes.
    """

    def __init__(self, edition_id: str, participant_id: str, domain: str) -> None:
        self._edition_id = edition_id
        self._participant_id = participant_id
        self._domain = domain

    def write(self, said: MailContent, sequences: dict[str, int], issued_at: datetime, writer: PageWriter) -> str:
        """The file. `sequences` are the entries' SEQUENCE by id; `issued_at` is when the agenda was made."""
        moments = [line.starts_at for line in said.lines] or [issued_at]
        head, end = _frame(said.timezone, min(moments).year, max(moments).year)
        events = (self._event(line, sequences[line.entry_id], issued_at, said.timezone, writer) for line in said.lines)
        return "".join((head, *events, end))

    def uid(self, line: AgendaLine) -> str:
        """The UID of a line, as long as it lives."""
        if line.kind is EntryKind.ENCOUNTER:
            return f"{line.entry_id}@{self._domain}"
        return f"{derived_id('ses', self._edition_id, line.entry_id, self._participant_id)}@{self._domain}"

    def _event(self, line: AgendaLine, sequence: int, issued_at: datetime, timezone: str, writer: PageWriter) -> str:
        """One VEVENT, in the order and form of the library's own, whose objects take ten times as long to make."""
        zone, parameters, suffix = _clock(timezone)
        starts_at, ends_at = (f"{each.astimezone(zone):%Y%m%dT%H%M%S}" for each in (line.starts_at, line.ends_at))
        who = writer.who(line)
        return "".join(
            f"{_folded(content)}\r\n"
            for content in (
                "BEGIN:VEVENT",
                f"SUMMARY:{_escaped(writer.what(line))}",
                f"DTSTART{parameters}:{starts_at}{suffix}",
                f"DTEND{parameters}:{ends_at}{suffix}",
                f"DTSTAMP:{issued_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
                f"UID:{_escaped(self.uid(line))}",
                f"SEQUENCE:{sequence}",
                *([f"DESCRIPTION:{_escaped(who)}"] if who else []),
                f"LOCATION:{_escaped(writer.where(line))}",
                "STATUS:CONFIRMED",
                "END:VEVENT",
            )
        )


def _folded(content: str) -> str:
    if len(content.encode()) <= _OCTETS:
        return content
    return str(Contentline(content).to_ical().decode())  # type: ignore[no-untyped-call] # the library's has no types


def _escaped(text: str) -> str:
    return vText(text).to_ical().decode()


@lru_cache(maxsize=64)
def _clock(timezone: str) -> tuple[ZoneInfo, str, str]:
    """A time zone, and what the library writes before and after a time in it."""
    zone = ZoneInfo(timezone)
    written = vDDDTypes(datetime(2000, 1, 1, tzinfo=zone))
    parameters = written.params.to_ical().decode()
    return zone, f";{parameters}" if parameters else "", "Z" if written.to_ical().endswith(b"Z") else ""


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
