from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.notify.deliveries import Finding, NoUnconfirmedMail, resolve, unconfirmed
from services.notify.domain.delivery import Delivery, DeliveryStep
from services.notify.ports import MailServerUnavailable, NotAccepted, Refused, RenderedMail
from shared.contract.events import NotificationRecorded, Status
from shared.runtime.health import NotReady
from tests.support.notify_stage import (
    Crash,
    Stage,
    agenda,
    encounter,
    everybody,
    participant,
)


async def test_a_mail_not_accepted_for_now_is_tried_again_later(stage: Stage) -> None:
    stage.mailer.plans = [NotAccepted("451"), NotAccepted("451")]
    await stage.consume(agenda(1, encounter(0, 1)))
    assert await stage.after(60) == []
    assert await stage.after(1) == []
    assert await stage.after(5) == []
    assert len(await stage.after(10)) == 1
    assert stage.states() == ["sent"]


async def test_a_refused_mail_fails_alone_and_the_next_version_is_tried(stage: Stage) -> None:
    stage.mailer.plans = [Refused("550")]
    await stage.consume(agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))
    assert len(await stage.after(60)) == 1
    assert sorted(stage.states()) == ["failed", "sent"]
    assert await stage.after(3600) == []
    failed = next(event.participant_id for event in stage.published if event.state == "failed")
    await stage.consume(agenda(2, encounter(5, 2), number=int(failed[-1])))
    assert len(await stage.after(60)) == 1


async def test_an_address_that_cannot_be_written_fails_alone(stage: Stage) -> None:
    await stage.consume(participant(0, 2, email="a@b.org\r\nBcc: victim@example.org"))
    await stage.consume(agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))
    (mail,) = await stage.after(60)
    assert mail["X-Tertulia-Participant"] == "prt_1"
    assert sorted(stage.states()) == ["failed", "sent"]


async def test_a_mail_without_an_answer_to_data_is_never_sent_again_by_itself(stage: Stage) -> None:
    stage.mailer.drop_after_data("accepted")
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    assert await stage.after(3600) == []
    assert stage.states() == ["in_doubt"]
    await stage.notify.measure()
    assert await stage.ledger.count() == (0, 1)


async def test_a_process_that_dies_within_data_leaves_an_unconfirmed_mail(stage: Stage) -> None:
    stage.mailer.plans = [("accepted", Crash())]
    await stage.consume(agenda(1, encounter(0, 1)))
    with pytest.raises(Crash):
        await stage.after(60)
    stage.restart()
    await stage.after(stage.settings.data_lease.total_seconds() - 1)
    assert stage.states() == []
    assert await stage.after(1) == []
    assert stage.states() == ["in_doubt"]


async def test_a_process_that_dies_before_data_leaves_the_mail_to_another(stage: Stage) -> None:
    stage.mailer.plans = [Crash()]
    await stage.consume(agenda(1, encounter(0, 1)))
    with pytest.raises(Crash):
        await stage.after(60)
    stage.restart()
    assert await stage.after(299) == []
    assert len(await stage.after(1)) == 1


async def test_after_an_unconfirmed_mail_the_next_version_is_always_mailed(
    stage: Stage,
) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    stage.mailer.drop_after_data("accepted")
    await stage.consume(agenda(2, encounter(1, 1)))
    await stage.after(60)
    await stage.consume(agenda(3, encounter(0, 1)))
    assert len(await stage.after(60)) == 1
    assert await stage.ledger.count() == (0, 0)


async def test_a_mail_found_accepted_by_an_operator_is_recorded_as_sent(stage: Stage) -> None:
    stage.mailer.drop_after_data("accepted")
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    assert [delivery.participant_id for delivery in await unconfirmed(stage.ledger)] == ["prt_0"]
    await resolve(stage.ledger, "edn_1", "prt_0", Finding.TAKEN, stage.time)
    assert await stage.after(3600) == []
    assert await unconfirmed(stage.ledger, "edn_1") == []
    stage.relay.soon("edn_1/prt_0")
    await stage.relay.drain()
    assert stage.states() == ["in_doubt", "sent"]
    with pytest.raises(NoUnconfirmedMail):
        await resolve(stage.ledger, "edn_1", "prt_0", Finding.TAKEN, stage.time)


async def test_a_mail_found_missing_by_an_operator_is_sent_under_the_same_id(stage: Stage) -> None:
    stage.mailer.drop_after_data("lost")
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    unconfirmed_mail = (await unconfirmed(stage.ledger))[0].unconfirmed
    await resolve(stage.ledger, "edn_1", "prt_0", Finding.NOT_TAKEN, stage.time)
    (mail,) = await stage.after(0)
    assert unconfirmed_mail
    assert mail["Message-ID"] == unconfirmed_mail.message_id


async def test_without_a_mail_server_nothing_is_claimed_and_notify_is_not_ready(stage: Stage) -> None:
    stage.mailer.away = True
    await stage.consume(agenda(1, encounter(0, 1)))
    with pytest.raises(MailServerUnavailable):
        await stage.after(60)
    with pytest.raises(NotReady, match="no mail could be handed over"):
        await stage.notify.check_mailer()
    stage.mailer.away = False
    assert len(await stage.after(0)) == 1
    await stage.notify.check_mailer()


async def test_a_mail_server_that_goes_away_leaves_the_mail_due(stage: Stage) -> None:
    stage.mailer.plans = [MailServerUnavailable("gone")]
    await stage.consume(agenda(1, encounter(0, 1)))
    with pytest.raises(MailServerUnavailable):
        await stage.after(60)
    assert len(await stage.after(10)) == 1


async def test_a_process_with_an_old_agenda_reads_the_edition_again(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    await stage.after(60)
    outdated = stage.notify
    stage.restart()
    await stage.consume(agenda(2, encounter(1, 1)))
    stage.notify = outdated
    (mail,) = await stage.after(60)
    assert mail["X-Tertulia-Agenda-Revision"] == "2"


async def test_a_change_while_a_mail_is_claimed_makes_another_mail(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))

    original = stage.mailer.send

    async def send(mail: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        await original(mail, before_data)
        stage.mailer.send = original  # type: ignore[method-assign]
        await stage.consume(agenda(2, encounter(1, 1)))

    stage.mailer.send = send  # type: ignore[method-assign]
    (mail,) = await stage.after(60)
    assert mail["X-Tertulia-Agenda-Revision"] == "1"
    (mail,) = await stage.after(60)
    assert mail["X-Tertulia-Agenda-Revision"] == "2"


async def test_a_short_database_outage_after_data_leaves_no_unconfirmed_mail(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    save, outages = stage.ledger.save, [ConnectionError("away"), ConnectionError("away")]

    async def flaky(delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        if records and outages:
            raise outages.pop()
        return await save(delivery, *records)

    stage.ledger.save = flaky  # type: ignore[method-assign]
    assert len(await stage.after(60)) == 1
    assert stage.states() == ["sent"]


async def test_a_stop_lets_the_claimed_mail_be_finished(stage: Stage) -> None:
    await stage.consume(agenda(1, encounter(0, 1)))
    within_data, go_on = asyncio.Event(), asyncio.Event()
    original = stage.mailer.send

    async def slow(mail: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        within_data.set()
        await go_on.wait()
        await original(mail, before_data)

    stage.mailer.send = slow  # type: ignore[method-assign]
    stage.time.advance(60)
    delivering = asyncio.create_task(stage.deliver_due())
    await within_data.wait()
    delivering.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    assert stage.states() == ["sent"]


async def test_a_worker_whose_lease_has_ended_hands_nothing_over(stage: Stage) -> None:
    await stage.consume(*everybody(), agenda(1, encounter(0, 1)))
    save = stage.ledger.save

    async def save_slowly(delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        written = await save(delivery, *records)
        if delivery.step is DeliveryStep.DATA_STARTED:
            stage.time.advance(stage.settings.lease_seconds)
        return written

    stage.ledger.save = save_slowly  # type: ignore[method-assign]
    assert await stage.after(60) == []
    stage.ledger.save = save  # type: ignore[method-assign]
    assert len(await stage.after(60)) == 1
    assert stage.states() == ["sent"]


async def test_a_person_replaced_while_a_mail_is_sent_gets_no_further_mail(stage: Stage) -> None:
    """The claimed mail goes to the former person. Afterwards their name and address are in the journal only."""
    await stage.consume(agenda(1, encounter(0, 1)))
    original = stage.mailer.send

    async def send(mail: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        stage.mailer.send = original  # type: ignore[method-assign]
        await stage.consume(participant(0, 2, name="-", email="nobody@tertulia.invalid", status=Status.CANCELLED))
        await original(mail, before_data)

    stage.mailer.send = send  # type: ignore[method-assign]
    (mail,) = await stage.after(60)
    assert "person0@example.org" in mail["To"]
    await stage.consume(agenda(2))
    assert not [mail for mail in await stage.after(600) if "person0" in str(mail)]
    stored = [*map(str, stage.published), str(await stage.ledger.find("edn_1", "prt_0"))]
    assert not [text for text in stored if "person0" in text or "Person 0" in text]
