"""A participant's agenda as an iCalendar file (RFC 5545, 5546, 7986), written by the library `icalendar`.

Times are UTC: readers differ on the repeated hour of October and on `VTIMEZONE`, and agree on UTC (ADR 0057).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from icalendar import Alarm, Calendar, Event, vCalAddress

from services.notify.domain.digest import AgendaLine
from services.notify.domain.told_calendar import CalendarEntry
from services.notify.rendering.page import PageWriter
from shared.contract.events import EntryKind
from shared.contract.ids import derived_id

#: Time after which a calendar program is asked to fetch a feed again.
_REFRESH = timedelta(minutes=15)


class Method(StrEnum):
    """The method of a calendar file in a mail (RFC 5546)."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class CalendarUser:
    """The organizer of an edition's entries, or an attendee."""

    name: str
    email: str


class CalendarFile:
    """Writes the calendar files of a participant.

    A UID never changes. The participants of an encounter share its UID; the UID of a session is the participant's own.
    `alarm` is the time from a reminder to an entry's start, zero for no reminder. `page` is the address of the
    participant's page, if there is one.
    """

    def __init__(
        self,
        edition_id: str,
        participant_id: str,
        domain: str,
        organizer: CalendarUser,
        writer: PageWriter,
        alarm: timedelta = timedelta(0),
        page: str = "",
    ) -> None:
        self._edition_id = edition_id
        self._participant_id = participant_id
        self._domain = domain
        self._organizer = organizer
        self._writer = writer
        self._alarm = alarm
        self._page = page

    def write(self, entries: tuple[CalendarEntry, ...], written_at: datetime) -> bytes:
        """Return the whole calendar as the file of a mail that is written at this time."""
        calendar = _calendar()
        calendar.add("METHOD", Method.PUBLISH.value)
        for entry in entries:
            calendar.add_component(self._event(entry, written_at))
        return bytes(calendar.to_ical())

    def invite(self, entry: CalendarEntry, attendee: CalendarUser, written_at: datetime) -> tuple[bytes, Method]:
        """Return the file of an invitation or of its cancellation, and its method (RFC 5546, 3.2.2 and 3.2.5)."""
        method = Method.CANCEL if entry.cancelled_at else Method.REQUEST
        calendar, event = _calendar(), self._event(entry, written_at)
        calendar.add("METHOD", method.value)
        address = _address_of(attendee)
        address.params["CUTYPE"], address.params["ROLE"] = "INDIVIDUAL", "REQ-PARTICIPANT"
        address.params["PARTSTAT"], address.params["RSVP"] = "ACCEPTED", "FALSE"  # both sides have agreed to meet
        event.add("ATTENDEE", address)
        calendar.add_component(event)
        return bytes(calendar.to_ical()), method

    def feed(self, entries: tuple[CalendarEntry, ...], name: str, timezone: str, changed_at: datetime) -> bytes:
        """Return the file of a feed, last changed at this time. It has no method: a program fetches it as a whole.

        Without a method, the `DTSTAMP` of an entry is the time of its last change (RFC 5545, 3.8.7.2).
        """
        calendar = _calendar()
        calendar.add("NAME", name)
        calendar.add("X-WR-CALNAME", name)
        calendar.add("X-WR-TIMEZONE", timezone)
        calendar.add("REFRESH-INTERVAL", _REFRESH, parameters={"VALUE": "DURATION"})
        calendar.add("X-PUBLISHED-TTL", f"PT{_REFRESH // timedelta(minutes=1)}M")
        calendar.add("LAST-MODIFIED", changed_at.astimezone(UTC))
        for entry in entries:
            calendar.add_component(self._event(entry, entry.changed_at or changed_at))
        return bytes(calendar.to_ical())

    def uid(self, line: AgendaLine) -> str:
        """Return the UID of a line, the same in every version of the agenda."""
        return uid_of(self._edition_id, self._participant_id, line.kind, line.entry_id, self._domain)

    def _event(self, entry: CalendarEntry, stamp: datetime) -> Event:
        line, writer = entry.line, self._writer
        is_cancelled = entry.cancelled_at is not None
        title = writer.title(line)
        event = Event()
        event.add("UID", self.uid(line))
        event.add("DTSTAMP", stamp.astimezone(UTC))
        if entry.changed_at:
            event.add("LAST-MODIFIED", entry.changed_at.astimezone(UTC))
        event.add("SEQUENCE", entry.sequence)
        event.add("STATUS", "CANCELLED" if is_cancelled else "CONFIRMED")
        event.add("DTSTART", line.starts_at.astimezone(UTC))
        event.add("DTEND", line.ends_at.astimezone(UTC))
        event.add("SUMMARY", writer.cancelled(title) if is_cancelled else title)
        if location := writer.location(line):
            event.add("LOCATION", location)
        if details := "\n".join(filter(None, (writer.details(line), self._page))):
            event.add("DESCRIPTION", details)
        event.add("ORGANIZER", _address_of(self._organizer))
        if self._alarm and not is_cancelled:
            event.add_component(_alarm(title, self._alarm))
        return event


def uid_of(edition_id: str, participant_id: str, kind: EntryKind, entry_id: str, domain: str) -> str:
    """Return the UID of an entry in the calendar of a participant."""
    if kind is EntryKind.ENCOUNTER:
        return f"{entry_id}@{domain}"
    return f"{derived_id('ses', edition_id, entry_id, participant_id)}@{domain}"


def _address_of(user: CalendarUser) -> vCalAddress:
    address = vCalAddress(f"mailto:{user.email}")
    # A parameter cannot hold a double quote (RFC 5545, 3.2).
    address.params["CN"] = user.name.replace('"', "'")
    return address


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("PRODID", "-//Tertulia//notify//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    return calendar


def _alarm(title: str, before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", title)
    alarm.add("TRIGGER", -before)
    return alarm
