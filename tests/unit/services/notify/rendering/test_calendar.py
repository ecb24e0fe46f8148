from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from services.notify.domain.digest import AgendaLine, mail_content
from services.notify.domain.told_calendar import ToldCalendar, next_calendar
from services.notify.rendering.calendar import CalendarFile, CalendarUser
from services.notify.rendering.page import PageWriter
from shared.contract.events import AgendaEntry, EntryKind, Event, Language
from tests.support.notify_stage import (
    NOW,
    OPENING,
    agenda,
    audience,
    edition,
    encounter,
    everybody,
    organisation,
    participant,
    session,
)
from tests.support.outside import checked

SENDER = CalendarUser('Encuentro "B2B"', "agenda@tertulia.example")
NOTHING = ToldCalendar()


def written(
    *events: Event, entries: tuple[AgendaEntry, ...], told: ToldCalendar = NOTHING, alarm_minutes: int = 0
) -> str:
    state = audience(*everybody(), *events, agenda(1, *entries))
    content = mail_content(state, "prt_0")
    calendar = next_calendar(state, "prt_0", content, told, 1, NOW)
    return calendar_file(*events, alarm_minutes=alarm_minutes).write(calendar.entries, NOW).decode()


def told_of(*entries: AgendaEntry) -> ToldCalendar:
    state = audience(*everybody(), agenda(1, *entries))
    return next_calendar(state, "prt_0", mail_content(state, "prt_0"), NOTHING, 1, NOW)


def calendar_file(*events: Event, number: int = 0, alarm_minutes: int = 0) -> CalendarFile:
    participant_id = f"prt_{number}"
    writer = PageWriter(audience(*everybody(), *events), participant_id, "Europe/Madrid")
    alarm = timedelta(minutes=alarm_minutes)
    return CalendarFile("edn_1", participant_id, "tertulia.example", SENDER, writer, alarm)


def parsed(text: str) -> Calendar:
    calendar = Calendar.from_ical(text)
    assert isinstance(calendar, Calendar)
    return calendar


def moment(value: date | None) -> datetime:
    assert isinstance(value, datetime)
    return value


def test_the_calendar_has_title_place_and_time() -> None:
    calendar = parsed(written(entries=(encounter(0, 1, table="7", sequence=3), session(4))))
    assert calendar["METHOD"] == "PUBLISH"
    meeting, keynote = calendar.events
    assert meeting["UID"] == "enc_1@tertulia.example"
    assert meeting["SUMMARY"] == "Encounter with Metal 1"
    assert meeting["DESCRIPTION"] == "Person 1"
    assert meeting["LOCATION"] == "Workspace · table 7"
    assert meeting["STATUS"] == "CONFIRMED"
    assert moment(meeting.start) == moment(meeting.start).astimezone(UTC) == OPENING
    assert moment(meeting.stamp) == NOW
    assert keynote["SUMMARY"] == "Keynote"
    assert keynote["LOCATION"] == "Auditorium"


def test_every_event_names_the_sender_as_its_organizer() -> None:
    for event in parsed(written(entries=(encounter(0, 1), session(4)))).events:
        assert event["ORGANIZER"] == "mailto:agenda@tertulia.example"
        assert event.organizer
        assert event.organizer.params["CN"] == "Encuentro 'B2B'"


def test_a_told_entry_that_is_gone_is_cancelled_under_a_risen_sequence() -> None:
    told = told_of(encounter(0, 1), encounter(1, 2))
    before = {str(event.uid): event for event in parsed(written(entries=(encounter(0, 1), encounter(1, 2)))).events}
    kept, gone = parsed(written(entries=(encounter(0, 1),), told=told)).events
    assert (kept["STATUS"], gone["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert kept.sequence == before[str(kept.uid)].sequence
    assert gone.sequence > before[str(gone.uid)].sequence
    assert (gone["SUMMARY"], gone.start) == ("Cancelled: Encounter with Metal 2", before[str(gone.uid)].start)


def test_every_event_is_dated_by_its_last_change() -> None:
    told = told_of(encounter(0, 1), encounter(1, 2))
    later = NOW + timedelta(hours=1)
    state = audience(*everybody(), agenda(1, encounter(0, 1), encounter(3, 2)))
    calendar = next_calendar(state, "prt_0", mail_content(state, "prt_0"), told, 2, later)
    mailed = parsed(calendar_file().write(calendar.entries, later).decode()).events
    fed = parsed(calendar_file().feed(calendar.entries, "B2B", "Europe/Madrid", later).decode()).events
    assert [event.last_modified for event in mailed] == [NOW, later]
    assert [moment(event.stamp) for event in mailed] == [later, later]
    assert [moment(event.stamp) for event in fed] == [NOW, later]


def test_a_reminder_is_there_by_choice_and_not_on_cancelled_entries() -> None:
    assert "VALARM" not in written(entries=(encounter(0, 1),))
    with_alarm = written(entries=(encounter(0, 1),), alarm_minutes=10)
    assert "BEGIN:VALARM" in with_alarm
    assert "TRIGGER:-PT10M" in with_alarm


@pytest.mark.parametrize("begins", ["2026-10-25T00:45:00+00:00", "2026-10-25T01:00:00+00:00"])
def test_the_repeated_hour_of_october_keeps_its_order(begins: str) -> None:
    start = datetime.fromisoformat(begins)
    entry = session(0).model_copy(update={"starts_at": start, "ends_at": start + timedelta(minutes=30)})
    (event,) = parsed(written(entries=(entry,))).events
    assert moment(event.start) == start
    assert moment(event.end) - moment(event.start) == timedelta(minutes=30)


def test_the_same_agenda_gives_the_same_bytes() -> None:
    assert written(entries=(encounter(0, 1),)) == written(entries=(encounter(0, 1),))


def test_a_uid_survives_a_move_and_a_session_has_one_per_participant() -> None:
    before, after = (parsed(written(entries=(encounter(slot, 1), session(slot + 4)))) for slot in (0, 1))
    assert before.events[0]["UID"] == after.events[0]["UID"]
    state = audience(*everybody(), agenda(1, session(0)), agenda(1, session(0), number=1))
    line = mail_content(state, "prt_0").lines[0]
    assert calendar_file().uid(line) != calendar_file(number=1).uid(line)


def test_lines_are_folded_at_75_octets_and_end_in_crlf() -> None:
    text = written(organisation(1, 2, name="Ñandú 机械 🏭 " * 18), entries=(encounter(0, 1),))
    lines = text.encode().split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert [line.decode() for line in lines]  # no character is cut in two
    assert text.endswith("END:VCALENDAR\r\n")


def test_a_name_cannot_add_lines() -> None:
    name = "Evil\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:x"
    assert len(parsed(written(organisation(1, 2, name=name), entries=(encounter(0, 1),))).events) == 1


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
    read = {
        (event["UID"], moment(event.start), moment(event.end), event["SEQUENCE"], str(event["SUMMARY"]))
        for event in events
    }
    lines = mail_content(audience(*everybody(), edition(2, timezone=zone), agenda(1, *entries)), "prt_0").lines
    file = calendar_file()
    assert read == {(file.uid(line), line.starts_at, line.ends_at, 1, shown_title(line)) for line in lines}
    assert len(events) == len(entries)


def shown_title(line: AgendaLine) -> str:
    return PageWriter(audience(*everybody()), "prt_0", "UTC").title(line)


def test_ical4j_reads_the_same_events(tmp_path: Path) -> None:
    text = written(entries=(encounter(0, 1, sequence=3), session(4)))
    file = tmp_path / "agenda.ics"
    file.write_text(text, encoding="utf-8", newline="")
    (line,) = checked("calendars", str(file)).splitlines()
    read = [
        (event["uid"], event["sequence"], *(datetime.fromisoformat(event[name]) for name in ("starts_at", "ends_at")))
        for event in json.loads(line)["events"]
    ]
    assert read == [
        (event.uid, event.sequence, moment(event.start), moment(event.end)) for event in parsed(text).events
    ]


SITUATIONS = {
    "first": written(entries=(encounter(0, 1, 2, table="7"), session(4))),
    "cancelled": written(entries=(session(4),), told=told_of(encounter(0, 1), encounter(1, 2))),
    "emptied": written(entries=(), told=told_of(encounter(0, 1))),
    "reminding": written(entries=(encounter(0, 1),), told=told_of(encounter(1, 2)), alarm_minutes=15),
    **{
        f"cancelled, in {language.value}": written(
            participant(0, 2, languages=(language,)), entries=(session(4),), told=told_of(encounter(0, 1))
        )
        for language in Language
    },
    "hostile": written(
        organisation(1, 2, name='a,b;c\\d "e": =?utf-8?q?x?= \u202e\x00 机械 🏭 ' * 3),
        entries=(encounter(0, 1, table="a;b,c"), session(4, "BEGIN:VEVENT\r\nUID:x")),
    ),
}


@pytest.mark.parametrize("validator", [("calendars", "--validate"), ("libical",)], ids=["ical4j", "libical"])
def test_validators_by_others_find_nothing(validator: tuple[str, ...], tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.ics" for name in SITUATIONS}
    for name, file in files.items():
        file.write_text(SITUATIONS[name], encoding="utf-8", newline="")
    assert checked(*validator, *map(str, files.values()), allowed=(0, 1)) == ""
