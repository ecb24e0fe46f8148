"""A person who leaves a seat gets a last mail, which takes the told entries out of the calendar."""

from __future__ import annotations

from email.message import EmailMessage

from icalendar import Calendar

from services.notify.ports import Unconfirmed
from shared.contract.events import Status
from tests.support.notify_stage import Stage, agenda, encounter, everybody, participant, session

FIRST = (encounter(0, 1), session(4))
SUCCESSOR = participant(0, 2, name="Ana Ruiz", email="ana@example.org")


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return " ".join(body.get_content().split())


def statuses(mail: EmailMessage) -> dict[str, str]:
    (attached,) = mail.iter_attachments()
    events = Calendar.from_ical(attached.get_content()).events
    return {str(event["UID"]).partition("@")[0]: str(event["STATUS"]) for event in events}


def sequences(mail: EmailMessage) -> list[int]:
    (attached,) = mail.iter_attachments()
    return [event.sequence for event in Calendar.from_ical(attached.get_content()).events]


async def started(stage: Stage) -> EmailMessage:
    await stage.consume(*everybody(), agenda(1, *FIRST))
    (mail,) = await stage.after(61)
    return mail


async def test_who_leaves_a_seat_gets_a_cancellation_and_the_successor_the_agenda() -> None:
    stage = Stage()
    first = await started(stage)
    await stage.consume(SUCCESSOR)
    mails = {str(mail["To"]): mail for mail in await stage.after(61)}
    last = mails.pop("Person 0 <person0@example.org>")
    assert str(last["Subject"]) == "You no longer take part in Encuentro B2B 2018"
    assert set(statuses(last).values()) == {"CANCELLED"}
    assert statuses(last).keys() == statuses(first).keys()
    assert all(after > before for after, before in zip(sequences(last), sequences(first), strict=True))
    (new,) = mails.values()
    assert (str(new["To"]), set(statuses(new).values())) == ("Ana Ruiz <ana@example.org>", {"CONFIRMED"})
    assert new["Message-ID"] != last["Message-ID"]
    assert "Ana Ruiz takes over from you at Encuentro B2B 2018." in text_of(last)
    assert "You take over from Person 0 at Encuentro B2B 2018." in text_of(new)


async def test_a_successor_reads_of_the_former_person_once() -> None:
    stage = Stage()
    await started(stage)
    await stage.consume(SUCCESSOR)
    await stage.after(61)
    await stage.consume(participant(0, 3, name="Ana Ruiz", email="ana.ruiz@example.org"))
    (mail,) = await stage.after(61)
    assert "take over" not in text_of(mail)


async def test_a_registration_that_ends_is_told_as_that_and_not_as_cancelled_sessions() -> None:
    stage = Stage()
    await started(stage)
    await stage.consume(participant(0, 2, status=Status.CANCELLED), agenda(2))
    (mail,) = await stage.after(61)
    assert str(mail["Subject"]) == "Your registration for Encuentro B2B 2018 has ended"
    assert set(statuses(mail).values()) == {"CANCELLED"}
    assert "Keynote" not in text_of(mail)


async def test_no_last_mail_goes_to_a_person_who_was_told_nothing() -> None:
    stage = Stage()
    await stage.consume(*everybody(), agenda(1, *FIRST), SUCCESSOR)
    assert [mail["To"] for mail in await stage.after(61)] == ["Ana Ruiz <ana@example.org>"]


async def test_a_person_who_is_back_within_the_window_hears_nothing() -> None:
    stage = Stage()
    await started(stage)
    await stage.consume(SUCCESSOR)
    await stage.consume(participant(0, 3))
    assert await stage.after(120) == []


async def test_a_person_who_is_back_later_sees_the_entries_again() -> None:
    stage = Stage()
    await started(stage)
    await stage.consume(SUCCESSOR)
    (last,) = [mail for mail in await stage.after(61) if "person0" in str(mail["To"])]
    await stage.consume(participant(0, 3))
    (again,) = [mail for mail in await stage.after(61) if "person0" in str(mail["To"])]
    assert set(statuses(again).values()) == {"CONFIRMED"}
    assert all(after > before for after, before in zip(sequences(again), sequences(last), strict=True))


async def test_a_corrected_name_is_the_same_person_and_gets_no_last_mail() -> None:
    stage = Stage()
    await started(stage)
    await stage.consume(participant(0, 2, name="Dr Person 0"))
    (mail,) = await stage.after(61)
    assert str(mail["To"]) == "Dr Person 0 <person0@example.org>"


async def test_an_emptied_agenda_reaches_a_person_under_a_corrected_name() -> None:
    stage = Stage()
    await started(stage)
    await stage.consume(participant(0, 2, name="Dr Person 0"), agenda(2))
    (mail,) = await stage.after(61)
    assert set(statuses(mail).values()) == {"CANCELLED"}


async def test_a_last_mail_in_doubt_is_neither_sent_again_nor_left_to_an_operator() -> None:
    stage = Stage(smtp_connections=1)
    await started(stage)
    await stage.consume(SUCCESSOR, agenda(2))
    stage.mailer.plans = [("lost", Unconfirmed("lost"))]
    await stage.after(61)
    assert await stage.after(4000) == []
    assert await stage.ledger.unconfirmed() == []


async def test_last_mails_are_on_no_topic() -> None:
    stage = Stage()
    await started(stage)
    await stage.consume(SUCCESSOR)
    await stage.after(61)
    assert stage.states() == ["sent", "sent"]


async def test_an_erased_person_gets_no_last_mail() -> None:
    stage = Stage()
    await started(stage)
    await stage.consume(SUCCESSOR)
    await stage.consume(participant(0, 3, name="-", email="nobody@tertulia.invalid", status=Status.CANCELLED))
    assert not [mail for mail in await stage.after(600) if "nobody" not in str(mail["To"])]
    assert not (await stage.journal.read("edn_1")).former_contacts
