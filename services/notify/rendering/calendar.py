"""A participant's agenda as an iCalendar file (RFC 5545). The same agenda gives the same bytes."""

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
    """Writes the `agenda.ics` of a participant.

    A UID never changes. The participants of an encounter share its UID; the UID of a session is the participant's own.
    """

    def __init__(self, edition_id: str, participant_id: str, domain: str) -> None:
        self._edition_id = edition_id
        self._participant_id = participant_id
        self._domain = domain

    def write(self, content: MailContent, sequences: dict[str, int], issued_at: datetime, writer: PageWriter) -> str:
        """Return the file. `sequences` maps an entry's id to its SEQUENCE; `issued_at` is the time of the agenda."""
        moments = [line.starts_at for line in content.lines] or [issued_at]
        head, end = _frame(content.timezone, min(moments).year, max(moments).year)
        events = (
            self._event(line, sequences[line.entry_id], issued_at, content.timezone, writer) for line in content.lines
        )
        return "".join((head, *events, end))

    def uid(self, line: AgendaLine) -> str:
        """Return the UID of a line, the same in every version of the agenda."""
        if line.kind is EntryKind.ENCOUNTER:
            return f"{line.entry_id}@{self._domain}"
        return f"{derived_id('ses', self._edition_id, line.entry_id, self._participant_id)}@{self._domain}"

    def _event(self, line: AgendaLine, sequence: int, issued_at: datetime, timezone: str, writer: PageWriter) -> str:
        """Write a VEVENT, as `icalendar` would: making its objects takes ten times as long."""
        zone, parameters, suffix = _clock(timezone)
        starts_at, ends_at = (f"{moment.astimezone(zone):%Y%m%dT%H%M%S}" for moment in (line.starts_at, line.ends_at))
        people = writer.people(line)
        return "".join(
            f"{_folded(text)}\r\n"
            for text in (
                "BEGIN:VEVENT",
                f"SUMMARY:{_escaped(writer.title(line))}",
                f"DTSTART{parameters}:{starts_at}{suffix}",
                f"DTEND{parameters}:{ends_at}{suffix}",
                f"DTSTAMP:{issued_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
                f"UID:{_escaped(self.uid(line))}",
                f"SEQUENCE:{sequence}",
                *([f"DESCRIPTION:{_escaped(people)}"] if people else []),
                f"LOCATION:{_escaped(writer.place(line))}",
                "STATUS:CONFIRMED",
                "END:VEVENT",
            )
        )


def _folded(text: str) -> str:
    if len(text.encode()) <= _OCTETS:
        return text
    return str(Contentline(text).to_ical().decode())  # type: ignore[no-untyped-call] # the library has no types


def _escaped(text: str) -> str:
    return vText(text).to_ical().decode()


@lru_cache(maxsize=64)
def _clock(timezone: str) -> tuple[ZoneInfo, str, str]:
    """Return a time zone, and the text that `icalendar` writes before and after a time in it."""
    zone = ZoneInfo(timezone)
    written = vDDDTypes(datetime(2000, 1, 1, tzinfo=zone))
    parameters = written.params.to_ical().decode()
    return zone, f";{parameters}" if parameters else "", "Z" if written.to_ical().endswith(b"Z") else ""


@lru_cache(maxsize=64)
def _frame(timezone: str, first_year: int, last_year: int) -> tuple[str, str]:
    """Return the text before and after the events. It is cached: making it takes longer than writing the events."""
    calendar = Calendar()
    calendar.add("PRODID", "-//Tertulia//notify//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "PUBLISH")
    first_day, last_day = date(first_year, 1, 1), date(last_year + 1, 1, 1)
    calendar.add_component(Timezone.from_tzinfo(ZoneInfo(timezone), timezone, first_day, last_day))
    head, end, _ = calendar.to_ical().decode().partition("END:VCALENDAR")
    return head, f"{end}\r\n"
