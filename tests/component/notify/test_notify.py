from __future__ import annotations

from email.message import EmailMessage

import pytest

from services.notify.domain.delivery import Delivery, DeliveryStep
from shared.contract.events import Language, NotificationRecorded, Phase, Status
from tests.support.notify_stage import (
    Stage,
    agenda,
    edition,
    encounter,
    everybody,
    organisation,
    participant,
    session,
)


async def test_an_announced_agenda_is_mailed_once_it_has_been_quiet(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1), session(2)))
    assert await stage.after(59) == []
    (mail,) = await stage.after(1)
    assert mail["To"] == "Person 0 <person0@example.org>"
    assert mail["X-Tertulia-Agenda-Revision"] == "1"
    assert await stage.after(3600) == []
    assert stage.states() == ["sent"]


async def test_a_mail_takes_three_writes_of_its_delivery(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    steps: list[DeliveryStep] = []
    save = stage.ledger.save

    async def recorded(delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        steps.append(delivery.step)
        return await save(delivery, *records)

    monkeypatch.setattr(stage.ledger, "save", recorded)
    await stage.after(60)
    assert steps == [DeliveryStep.CLAIMED, DeliveryStep.DATA_STARTED, DeliveryStep.IDLE]


async def test_a_provisional_agenda_is_not_mailed(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1), provisional=True))
    assert await stage.after(3600) == []
    await stage.consume(agenda(2, encounter(0, 1)))
    assert len(await stage.after(60)) == 1


async def test_changes_within_the_window_are_one_mail_with_the_newest_agenda(stage: Stage) -> None:
    for revision in range(1, 6):
        await stage.consume(agenda(revision, encounter(revision, 1)))
        assert await stage.after(30) == []
    (mail,) = await stage.after(30)
    assert mail["X-Tertulia-Agenda-Revision"] == "5"


async def test_steady_changes_hold_a_mail_back_no_longer_than_the_window(stage: Stage) -> None:
    mails = []
    for revision in range(1, 13):
        await stage.consume(agenda(revision, encounter(revision, 1)))
        mails += await stage.after(30)
    assert len(mails) == 1


async def test_an_agenda_that_returns_to_its_mailed_content_sends_nothing(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    await stage.consume(agenda(2, encounter(1, 1, sequence=2)))
    await stage.consume(agenda(3, encounter(0, 1, sequence=3)))
    assert await stage.after(60) == []
    assert stage.states() == ["sent", "skipped"]


async def test_a_mail_shows_the_differences_from_the_last_mail(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    await stage.consume(agenda(2, encounter(0, 1), encounter(1, 2)))
    await stage.consume(agenda(3, encounter(2, 1)))
    (mail,) = await stage.after(60)
    assert "1 moved" in mail["Subject"]
    assert "new" not in mail["Subject"]


async def test_repeated_and_older_events_send_nothing_again(stage: Stage) -> None:
    events = [*everybody(), agenda(2, encounter(0, 1))]
    await stage.consume(*events)
    await stage.after(60)
    stage.restart()
    await stage.consume(*events, agenda(1, encounter(3, 1)))
    assert await stage.after(3600) == []


async def test_an_agenda_waits_for_its_participant_and_its_edition() -> None:
    stage = Stage()
    await stage.consume(agenda(1, encounter(0, 1)))
    assert await stage.after(3600) == []
    await stage.consume(participant(0))
    assert await stage.after(3600) == []
    await stage.consume(edition(), organisation(1), participant(1))
    (mail,) = await stage.after(60)
    assert "Metal 1" in _text(mail)


async def test_a_partner_who_becomes_known_later_is_mailed() -> None:
    stage = Stage()
    await stage.consume(edition(), participant(0), agenda(1, encounter(0, 1)))
    (mail,) = await stage.after(60)
    assert "to be confirmed" in _text(mail)
    await stage.consume(organisation(1), participant(1))
    (mail,) = await stage.after(60)
    assert "Person 1" in _text(mail)


async def test_a_replacement_gets_the_whole_agenda_and_the_partners_a_change(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))
    await stage.after(60)
    await stage.consume(participant(0, 2, name="Newcomer", email="new@example.org", languages=(Language.SPANISH,)))
    last, *rest = sorted(await stage.after(60), key=lambda mail: "person0@" not in str(mail["To"]))
    assert last["Subject"].startswith("You no longer take part")
    mails = {mail["X-Tertulia-Participant"]: mail for mail in rest}
    assert mails["prt_0"]["To"] == "Newcomer <new@example.org>"
    assert mails["prt_0"]["Subject"].startswith("Su agenda de")
    assert "Changed" in _text(mails["prt_1"])
    assert "Newcomer" in _text(mails["prt_1"])


async def test_a_corrected_name_is_mailed_to_its_bearer_only(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))
    await stage.after(60)
    await stage.consume(participant(0, 2, name="Persona 0"), organisation(1, 2, name="Metal One"))
    assert [mail["X-Tertulia-Participant"] for mail in await stage.after(60)] == ["prt_0"]


async def test_a_corrected_address_gets_the_whole_agenda_and_the_partners_nothing(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))
    await stage.after(60)
    await stage.consume(participant(0, 2, email="person.0@example.org"))
    (mail,) = await stage.after(60)
    assert mail["To"] == "Person 0 <person.0@example.org>"
    assert mail["Subject"].startswith("Your agenda for")
    await stage.consume(participant(0, 3, email="Person.0@example.org"))
    assert await stage.after(60) == []


async def test_a_clearer_name_of_a_zone_is_mailed_to_nobody(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    zones = tuple(zone.model_copy(update={"name": f"{zone.name}, ground floor"}) for zone in edition().zones)
    await stage.consume(edition(2, zones=zones))
    assert await stage.after(60) == []
    assert stage.states() == ["sent"]
    await stage.consume(agenda(2, encounter(0, 1, table="2")))
    (mail,) = await stage.after(60)
    assert "1 at another table" in mail["Subject"]
    assert "moved" not in mail["Subject"]
    assert "Workspace, ground floor · table 2" in _text(mail)
    assert "(before: Workspace · table 1)" in _text(mail)


async def test_a_change_of_the_edition_that_no_mail_shows_sends_nothing(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    await stage.consume(edition(2, phase=Phase.LIVE))
    assert await stage.after(60) == []
    assert stage.states() == ["sent"]


async def test_another_time_zone_is_mailed(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    await stage.consume(edition(2, timezone="Atlantic/Canary"))
    (mail,) = await stage.after(60)
    assert "08:00-08:15" in _text(mail)


async def test_another_name_of_the_time_zone_or_another_spelling_of_a_title_is_not_mailed(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1), session(2, "Apertura")))
    await stage.after(60)
    await stage.consume(edition(2, timezone="Africa/Ceuta"), agenda(2, encounter(0, 1), session(2, "APERTURA.")))
    assert await stage.after(60) == []


async def test_a_cancelled_participant_gets_a_last_mail_once_the_agenda_is_empty(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    await stage.consume(participant(0, 2, status=Status.CANCELLED))
    assert await stage.after(60) == []
    await stage.consume(agenda(2))
    (mail,) = await stage.after(60)
    assert mail["Subject"].startswith("Your registration for Encuentro B2B 2018 has ended")
    await stage.consume(agenda(3))
    assert await stage.after(60) == []


async def test_a_reinstated_participant_is_mailed_the_agenda_again(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    await stage.consume(participant(0, 2, status=Status.CANCELLED), agenda(2))
    await stage.after(60)
    await stage.consume(participant(0, 3), agenda(3, encounter(0, 1)))
    (mail,) = await stage.after(60)
    assert (mail["To"], mail["X-Tertulia-Agenda-Revision"]) == ("Person 0 <person0@example.org>", "3")


async def test_a_slip_that_cancels_and_reinstates_sends_no_mail(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    await stage.consume(participant(0, 2, status=Status.CANCELLED), agenda(2))
    await stage.consume(participant(0, 3), agenda(3, encounter(0, 1)))
    assert await stage.after(3600) == []


async def test_an_empty_agenda_is_not_a_first_mail(stage: Stage) -> None:
    await stage.consume(agenda(1))
    assert await stage.after(60) == []
    assert stage.states() == ["skipped"]


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return str(body.get_content())
