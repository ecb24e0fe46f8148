from __future__ import annotations

from datetime import timedelta

import pytest

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import MailContent, mail_content
from services.notify.domain.told_calendar import CalendarEntry, ToldCalendar, next_calendar
from shared.contract.events import AgendaEntry, Event, Language, Zone, ZoneKind
from tests.support.notify_stage import (
    NOW,
    agenda,
    audience,
    edition,
    encounter,
    everybody,
    organisation,
    participant,
    session,
)

NOTHING = ToldCalendar()
FIRST = (encounter(0, 1), session(4))


def told_by(
    *events: Event,
    entries: tuple[AgendaEntry, ...] = FIRST,
    after: ToldCalendar = NOTHING,
    version: int = 1,
) -> ToldCalendar:
    state = audience(*everybody(), *events, agenda(1, *entries))
    return next_calendar(state, "prt_0", mail_content(state, "prt_0"), after, version, NOW)


def entry_of(calendar: ToldCalendar, entry_id: str = "enc_1") -> CalendarEntry:
    return next(entry for entry in calendar.entries if entry.line.entry_id == entry_id)


def zones(name: str) -> Event:
    talk = Zone(zone_id="zn_talk", kind=ZoneKind.CONFERENCE, name="Auditorium")
    work = Zone(zone_id="zn_work", kind=ZoneKind.WORKSPACE, name=name, tables=("1", "2"))
    return edition(2, zones=(work, talk))


@pytest.mark.parametrize(
    ("events", "entries"),
    [
        ([], (encounter(1, 1), session(4))),
        ([], (encounter(0, 1, table="2"), session(4))),
        ([], (encounter(0, 1, 2), session(4))),
        ([zones("Hall")], FIRST),
        ([organisation(1, 2, name="Steel 1")], FIRST),
        ([participant(1, 2, name="Person 9", email="person9@example.org")], FIRST),
        ([participant(1, 2, name="Dr Person 1")], FIRST),
        ([participant(0, 2, languages=(Language.SPANISH,))], FIRST),
    ],
    ids=["time", "table", "guest", "zone", "organisation", "person", "name", "language"],
)
def test_a_sequence_rises_with_anything_that_an_entry_shows(
    events: list[Event], entries: tuple[AgendaEntry, ...]
) -> None:
    before = told_by()
    after = told_by(*events, entries=entries, after=before, version=2)
    assert entry_of(after).sequence > entry_of(before).sequence


def test_a_sequence_stands_while_an_entry_shows_the_same() -> None:
    before = told_by()
    after = told_by(entries=(encounter(0, 1, sequence=9), session(4), session(7)), after=before, version=5)
    assert entry_of(after).sequence == entry_of(before).sequence


def test_an_entry_told_and_gone_stays_cancelled_until_it_returns() -> None:
    calendars = [told_by()]
    for version, entries in ((2, (session(4),)), (3, (session(4),)), (4, FIRST)):
        calendars.append(told_by(entries=entries, after=calendars[-1], version=version))
    sequences = [entry_of(calendar).sequence for calendar in calendars]
    assert [entry_of(calendar).cancelled_at for calendar in calendars] == [None, NOW, NOW, None]
    assert sequences[0] < sequences[1] == sequences[2] < sequences[3]


def test_a_ledger_without_calendars_cancels_what_its_mails_told() -> None:
    state = audience(*everybody(), agenda(1, *FIRST))
    delivery = delivery_that_sent(mail_content(state, "prt_0"))
    calendar = told_by(entries=(session(4),), after=delivery.told_calendar, version=3)
    assert entry_of(calendar).cancelled_at == NOW
    assert entry_of(calendar, "ses_4").sequence == 1001


def test_a_successor_is_told_nothing_of_what_only_the_predecessor_knew() -> None:
    before = told_by(entries=(encounter(0, 1), encounter(1, 2)))
    successor = participant(0, 2, name="Ana Ruiz", email="ana@example.org")
    known = delivery_that_sent(None).model_copy(update={"calendar": before}).told_to("person_of_ana", NOW)
    after = told_by(successor, entries=(encounter(0, 1),), after=known, version=2)
    assert [entry.line.entry_id for entry in after.entries] == ["enc_1"]


def test_the_calendar_of_a_person_who_left_is_kept_for_the_last_mail() -> None:
    before = told_by()
    successor = participant(0, 2, name="Ana Ruiz", email="ana@example.org")
    after = told_by(successor, after=before, version=2)
    delivery = delivery_that_sent(None).model_copy(update={"calendar": before})
    mailing = Mailing(version=2, agenda_revision=1, message_id="<m>", content=content_of_first(), calendar=after)
    started = delivery.start(mailing)
    assert started.calendar == after
    assert started.former_calendars == (before,)
    assert Delivery.model_validate_json(started.model_dump_json()) == started


def test_a_calendar_with_every_entry_cancelled_keeps_no_confirmed_entry() -> None:
    cancelled = told_by().cancelled(NOW + timedelta(hours=1))
    assert cancelled.confirmed() == ()
    assert all(
        after.sequence > before.sequence for before, after in zip(told_by().entries, cancelled.entries, strict=True)
    )


def test_the_oldest_cancelled_entries_are_dropped_at_the_limit() -> None:
    entries = tuple(encounter(0, number) for number in range(400))
    gone = told_by(entries=(session(4),), after=told_by(entries=entries), version=2)
    assert len(gone.entries) == 301


def delivery_that_sent(content: MailContent | None) -> Delivery:
    return Delivery(operator_id="op_1", edition_id="edn_1", participant_id="prt_0", sent_content=content)


def content_of_first() -> MailContent:
    return mail_content(audience(*everybody(), agenda(1, *FIRST)), "prt_0")
