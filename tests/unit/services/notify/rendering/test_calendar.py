from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from services.notify.domain.digest import mail_content
from services.notify.rendering.calendar import CalendarFile
from services.notify.rendering.page import PageWriter
from shared.contract.events import AgendaEntry, EntryKind, Event
from tests.support.notify_stage import NOW, agenda, audience, edition, encounter, everybody, organisation, session
from tests.support.outside import checked

FILE = CalendarFile("edn_1", "prt_0", "tertulia.example")


def written(*events: Event, entries: tuple[AgendaEntry, ...]) -> str:
    state = audience(*everybody(), *events, agenda(1, *entries))
    content = mail_content(state, "prt_0")
    sequences = {entry.entry_id: entry.sequence for entry in entries}
    return FILE.write(content, sequences, NOW, PageWriter(state, "prt_0", content.timezone))


def parsed(text: str) -> Calendar:
    calendar = Calendar.from_ical(text)
    assert isinstance(calendar, Calendar)
    return calendar


def moment(value: date) -> datetime:
    assert isinstance(value, datetime)
    return value


def test_the_calendar_has_title_place_and_time() -> None:
    calendar = parsed(written(entries=(encounter(0, 1, table="7", sequence=3), session(4))))
    assert calendar["METHOD"] == "PUBLISH"
    meeting, keynote = calendar.events
    assert meeting["UID"] == "enc_1@tertulia.example"
    assert meeting["SEQUENCE"] == 3
    assert meeting["SUMMARY"] == "Encounter with Metal 1"
    assert meeting["DESCRIPTION"] == "Person 1"
    assert meeting["LOCATION"] == "Workspace · table 7"
    assert meeting["DTSTART"].params["TZID"] == "Europe/Madrid"
    assert keynote["SUMMARY"] == "Keynote"
    assert keynote["LOCATION"] == "Auditorium"


def test_the_same_agenda_gives_the_same_bytes() -> None:
    assert written(entries=(encounter(0, 1),)) == written(entries=(encounter(0, 1),))


def test_a_uid_survives_a_move_and_a_session_has_one_per_participant() -> None:
    before, after = (parsed(written(entries=(encounter(slot, 1), session(slot + 4)))) for slot in (0, 1))
    assert before.events[0]["UID"] == after.events[0]["UID"]
    state = audience(*everybody(), agenda(1, session(0)), agenda(1, session(0), number=1))
    line = mail_content(state, "prt_0").lines[0]
    assert CalendarFile("edn_1", "prt_0", "x").uid(line) != CalendarFile("edn_1", "prt_1", "x").uid(line)


def test_an_empty_agenda_is_a_calendar_without_events() -> None:
    calendar = parsed(written(entries=()))
    assert calendar.events == []
    assert [timezone.tz_name for timezone in calendar.timezones] == ["Europe/Madrid"]


def test_lines_are_folded_at_75_octets_and_end_in_crlf() -> None:
    text = written(organisation(1, 2, name="Ñandú 机械 🏭 " * 18), entries=(encounter(0, 1),))
    lines = text.encode().split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert [line.decode() for line in lines]  # no character is cut in two
    assert text.endswith("END:VCALENDAR\r\n")


def test_a_name_cannot_add_lines() -> None:
    name = "Evil\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:x"
    assert len(parsed(written(organisation(1, 2, name=name), entries=(encounter(0, 1),))).events) == 1


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/Lima", "UTC", "Etc/UTC", "Etc/GMT+5", "Europe/London"])
@pytest.mark.parametrize(
    "name", ["Metal", "a,b;c\\d", "Ñandú 机械 🏭 " * 12, "BEGIN:VEVENT", '"quoted": yes', "=?utf-8?q?x?="]
)
def test_the_library_would_write_the_same(zone: str, name: str) -> None:
    entries = (encounter(0, 1, table="7", sequence=3), session(4))
    text = written(organisation(1, 2, name=name), edition(2, timezone=zone), entries=entries)
    assert parsed(text).to_ical() == text.encode()


names = st.text(min_size=1, max_size=200)
minutes = st.integers(0, 60 * 24 * 300)
zones = st.sampled_from(["Europe/Madrid", "Atlantic/Canary", "America/Lima", "America/Santiago", "Asia/Kolkata", "UTC"])


@settings(max_examples=60, deadline=None)
@given(zones, st.dictionaries(st.integers(1, 30), st.tuples(minutes, names, st.integers(0, 99)), max_size=8))
def test_read_back_it_lists_exactly_the_agenda(zone: str, drawn: dict[int, tuple[int, str, int]]) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    entries = tuple(
        AgendaEntry(
            kind=EntryKind.SESSION,
            entry_id=f"ses_{number}",
            sequence=sequence,
            zone_id="zn_talk",
            title=title,
            starts_at=begin + timedelta(minutes=minute),
            ends_at=begin + timedelta(minutes=minute + 15),
        )
        for number, (minute, title, sequence) in drawn.items()
    )
    events = parsed(written(edition(2, timezone=zone), entries=entries)).events
    starts = {event["UID"]: moment(event.start) for event in events}
    read = {
        (event["UID"], starts[event["UID"]].astimezone(UTC), moment(event.end).astimezone(UTC), event["SEQUENCE"])
        for event in events
    }
    lines = mail_content(audience(*everybody(), edition(2, timezone=zone), agenda(1, *entries)), "prt_0").lines
    assert read == {(FILE.uid(line), line.starts_at, line.ends_at, drawn[int(line.entry_id[4:])][2]) for line in lines}
    assert len(events) == len(entries)
    assert all(start.utcoffset() == start.astimezone(ZoneInfo(zone)).utcoffset() for start in starts.values())


def test_ical4j_reads_the_same_events(tmp_path: Path) -> None:
    text = written(entries=(encounter(0, 1, sequence=3), session(4)))
    file = tmp_path / "agenda.ics"
    file.write_text(text, encoding="utf-8", newline="")
    lines = [line.split() for line in checked("calendars", str(file)).splitlines()]
    read = [
        (uid, int(sequence), datetime.fromisoformat(start), datetime.fromisoformat(end))
        for uid, sequence, start, end in lines
    ]
    assert read == [
        (
            event["UID"],
            event["SEQUENCE"],
            moment(event.start).replace(tzinfo=None),
            moment(event.end).replace(tzinfo=None),
        )
        for event in parsed(text).events
    ]
