from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from icalendar import Calendar
from icalendar import Event as CalendarEvent

from demo.mails import agenda_lines, calendar_lines, find_faults, read_mails
from demo.observer import Observed
from shared.contract.events import AgendaChanged, AgendaEntry, EntryKind, ParticipantChanged


@pytest.fixture
def agenda(seen_small: Observed) -> AgendaChanged:
    fullest = max(seen_small.all(AgendaChanged).values(), key=lambda one: len(one.entries))
    session = AgendaEntry(
        kind=EntryKind.SESSION,
        entry_id="opening",
        sequence=1,
        zone_id="conference",
        starts_at=seen_small.edition.sessions[0].starts_at,
        ends_at=seen_small.edition.sessions[0].ends_at,
    )
    return fullest.model_copy(update={"entries": (*fullest.entries, session)})


@pytest.fixture
def people(seen_small: Observed) -> dict[str, ParticipantChanged]:
    return seen_small.all(ParticipantChanged)


def calendar_of(entries: Sequence[AgendaEntry]) -> bytes:
    calendar = Calendar()
    for entry in entries:
        event = CalendarEvent()
        event.add("uid", f"{entry.entry_id}@tertulia.example")
        event.add("dtstart", entry.starts_at)
        event.add("dtend", entry.ends_at)
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def post(
    folder: Path, name: str, recipient: str, agenda: AgendaChanged, calendar: bytes | None, message_id: str = ""
) -> None:
    message = EmailMessage(policy=SMTP)
    message["To"] = recipient
    message["X-Tertulia-Participant"] = agenda.participant_id
    message["Message-ID"] = f"<{message_id or name}@tertulia.example>"
    message["X-Tertulia-Agenda-Revision"] = str(agenda.revision)
    message.set_content("Su agenda")
    message.add_alternative("<p>Su agenda</p>", subtype="html")
    if calendar is not None:
        message.add_attachment(calendar, maintype="text", subtype="calendar", filename="agenda.ics")
    mailbox = folder / recipient
    mailbox.mkdir(exist_ok=True)
    (mailbox / f"{name}.eml").write_bytes(message.as_bytes())


def faults(folder: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged]) -> list[str]:
    return list(find_faults(read_mails(folder), {agenda.participant_id: agenda}, people))


def test_a_calendar_that_lists_the_agenda_is_right(
    tmp_path: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged]
) -> None:
    post(tmp_path, "1", people[agenda.participant_id].email, agenda, calendar_of(agenda.entries))
    assert calendar_lines(calendar_of(agenda.entries)) == agenda_lines(agenda)
    assert faults(tmp_path, agenda, people) == []
    [mail] = read_mails(tmp_path)
    assert mail.page == "<p>Su agenda</p>\n"
    assert (mail.participant_id, mail.revision) == (agenda.participant_id, agenda.revision)


def test_only_the_last_mail_counts(
    tmp_path: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged]
) -> None:
    address = people[agenda.participant_id].email
    post(tmp_path, "1", address, agenda, calendar_of(agenda.entries[:-1]))
    newer = agenda.model_copy(update={"revision": agenda.revision + 1})
    post(tmp_path, "2", address, newer, calendar_of(newer.entries))
    assert faults(tmp_path, newer, people) == []


@pytest.mark.parametrize("kept", [slice(1, None), slice(0, 0)])
def test_a_calendar_that_lists_less_is_a_fault(
    tmp_path: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged], kept: slice
) -> None:
    post(tmp_path, "1", people[agenda.participant_id].email, agenda, calendar_of(agenda.entries[kept]))
    [fault] = faults(tmp_path, agenda, people)
    assert "does not list the agenda" in fault


def test_a_mail_without_a_calendar_is_a_fault(
    tmp_path: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged]
) -> None:
    post(tmp_path, "1", people[agenda.participant_id].email, agenda, None)
    assert len(faults(tmp_path, agenda, people)) == 1


def test_no_mail_is_a_fault_but_for_an_empty_agenda(
    tmp_path: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged]
) -> None:
    assert "no mail" in faults(tmp_path, agenda, people)[0]
    assert faults(tmp_path, agenda.model_copy(update={"entries": ()}), people) == []


def test_a_mail_that_came_twice_is_a_fault(
    tmp_path: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged]
) -> None:
    for name in ("1", "2"):
        address = people[agenda.participant_id].email
        post(tmp_path, name, address, agenda, calendar_of(agenda.entries), message_id="same")
    assert "2 times" in faults(tmp_path, agenda, people)[0]


def test_of_two_mails_of_one_revision_the_last_counts(
    tmp_path: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged]
) -> None:
    address = people[agenda.participant_id].email
    post(tmp_path, "1", address, agenda, calendar_of(()))
    post(tmp_path, "2", address, agenda, calendar_of(agenda.entries))
    assert faults(tmp_path, agenda, people) == []


def test_a_successor_may_be_mailed_the_same_revision(
    tmp_path: Path, agenda: AgendaChanged, people: dict[str, ParticipantChanged]
) -> None:
    post(tmp_path, "1", "the.former@delegation.example", agenda, calendar_of(agenda.entries))
    post(tmp_path, "2", people[agenda.participant_id].email, agenda, calendar_of(agenda.entries))
    assert faults(tmp_path, agenda, people) == []
