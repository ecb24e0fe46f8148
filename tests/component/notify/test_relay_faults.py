"""Faults of the mail server that concern everybody, and mails that would come too late."""

from __future__ import annotations

import contextlib
from email.message import EmailMessage

import pytest

from services.notify.deliveries import refused, resend
from services.notify.ports import MailServerUnavailable, NotAccepted, RefusedByServer
from shared.contract.events import Event
from shared.runtime.health import NotReady
from tests.support.notify_stage import OPENING, Stage, agenda, encounter, everybody, participant, read

PEOPLE = 12
DAY = 86_400.0
BAD = "person3@example.org"
ALL = {f"person{number}@example.org" for number in range(PEOPLE)}


def agendas(revision: int = 1, slot: int = 0) -> list[Event]:
    return [agenda(revision, encounter(slot, (number + 1) % PEOPLE), number=number) for number in range(PEOPLE)]


@pytest.fixture
async def stage() -> Stage:
    stage = Stage(smtp_connections=1)
    await stage.consume(*everybody(PEOPLE))
    return stage


async def over(stage: Stage, seconds: float) -> list[EmailMessage]:
    """Let time pass; a server that takes no mails ends the round."""
    before = len(stage.mailer.accepted)
    with contextlib.suppress(MailServerUnavailable):
        await stage.after(seconds)
    return [*map(read, stage.mailer.accepted[before:])]


def accept(_recipient: str) -> None:
    return None


def refuse(_recipient: str) -> Exception:
    return RefusedByServer("the mail server answered 550", is_address=True)


def refuse_bad(recipient: str) -> Exception | None:
    return refuse(recipient) if recipient == BAD else None


def defer(_recipient: str) -> Exception:
    return NotAccepted("the mail server answered 451")


async def test_a_server_that_refuses_everybody_makes_no_address_bad(stage: Stage) -> None:
    stage.mailer.answer = refuse
    await stage.consume(*agendas())
    for seconds in (60, 5, 10, 60, 900, 900):
        assert await over(stage, seconds) == []
    assert stage.states() == []
    with pytest.raises(NotReady):
        await stage.notify.check_mailer()
    stage.mailer.answer = accept
    for seconds in (900, 900):
        await over(stage, seconds)
    assert sorted(mail.recipient for mail in stage.mailer.accepted) == sorted(ALL)
    assert stage.states() == ["sent"] * PEOPLE
    await stage.notify.check_mailer()


async def test_a_bad_address_fails_once_others_are_accepted_and_is_not_tried_at_each_change(stage: Stage) -> None:
    stage.mailer.answer = refuse_bad
    await stage.consume(*agendas())
    await over(stage, 60)
    await over(stage, 10)
    assert sorted(stage.states()) == ["failed", *["sent"] * (PEOPLE - 1)]
    tried = stage.mailer.tried.count(BAD)
    await stage.consume(*agendas(2, slot=2))
    await over(stage, 60)
    assert (tried, stage.mailer.tried.count(BAD)) == (2, 2)
    assert [delivery.participant_id for delivery in await refused(stage.ledger, "edn_1")] == ["prt_3"]
    await stage.consume(participant(3, 2, email="corrected@example.org"))
    (mail,) = await over(stage, 60)
    assert "corrected@example.org" in str(mail["To"])
    assert await refused(stage.ledger, "edn_1") == []


async def test_refused_mails_are_sent_again_on_demand(stage: Stage) -> None:
    stage.mailer.answer = refuse_bad
    await stage.consume(*agendas())
    await over(stage, 60)
    await over(stage, 10)
    stage.mailer.answer = accept
    assert await resend(stage.ledger, "edn_1", ["prt_3", "prt_unknown"], stage.time) == ["prt_3"]
    (mail,) = await over(stage, 0)
    assert BAD in str(mail["To"])
    assert await resend(stage.ledger, "edn_1", ["prt_3"], stage.time) == ["prt_3"]
    assert await over(stage, 0) == []


async def test_a_server_that_throttles_is_left_alone_until_it_takes_mails_again(stage: Stage) -> None:
    stage.mailer.answer = defer
    await stage.consume(*agendas())
    await over(stage, 60)
    assert len(stage.mailer.tried) == 5
    await over(stage, 0)
    assert len(stage.mailer.tried) == 6
    stage.mailer.answer = accept
    await over(stage, 900)
    assert {mail.recipient for mail in stage.mailer.accepted} == ALL
    assert len(stage.mailer.accepted) == PEOPLE


async def test_two_connections_allowed_of_four_deliver_all_and_keep_the_service_ready() -> None:
    stage = Stage(smtp_connections=4)
    stage.mailer.most_connections = 2
    await stage.consume(*everybody(PEOPLE), *agendas())
    assert len(await stage.after(60)) == PEOPLE
    await stage.notify.check_mailer()


async def test_readiness_returns_when_another_process_has_sent_all(stage: Stage) -> None:
    stage.mailer.away = True
    await stage.consume(*agendas())
    await over(stage, 60)
    with pytest.raises(NotReady):
        await stage.notify.check_mailer()
    stage.mailer.away = False
    other = Stage(smtp_connections=1)
    other.servers, other.mailer, other.time = stage.servers, stage.mailer, stage.time
    other.restart()
    assert len(await other.after(0)) == PEOPLE
    await stage.notify.measure()
    await stage.notify.check_mailer()


async def test_nothing_is_mailed_for_what_is_over(stage: Stage) -> None:
    stage.mailer.answer = defer
    await stage.consume(*agendas())
    await over(stage, 60)
    for _ in range(30):
        await over(stage, DAY)
    assert stage.time.now > OPENING
    stage.mailer.answer = accept
    await over(stage, DAY)
    assert stage.mailer.accepted == []
    assert {event.reason for event in stage.published} == {"all of the agenda is over"}


async def test_a_change_of_lines_that_are_over_is_not_mailed(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1), encounter(20, 2)))
    await over(stage, 60)
    stage.time.now = OPENING
    stage.time.advance(3600)
    await stage.consume(agenda(2, encounter(20, 2)))
    assert await over(stage, 60) == []
    assert stage.published[-1].reason == "all that has changed is over"
    await stage.consume(agenda(3, encounter(21, 2)))
    (mail,) = await over(stage, 60)
    assert str(mail["Subject"]).startswith("Your agenda has changed (1 moved)")
