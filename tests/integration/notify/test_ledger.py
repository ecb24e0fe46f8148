from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.notify.domain.delivery import Delivery, DeliveryWanted, Mailing, Window
from services.notify.domain.digest import MailContent, mail_content
from services.notify.domain.publication import notification_of
from services.notify.ports import Ledger, Overtaken
from services.notify.store import COLLECTION, InMemoryLedger, LedgerOutlet, MongoLedger
from shared.contract.events import DeliveryState
from shared.runtime.settings import ConnectionSettings
from shared.storage.mongo import Mongo
from tests.support.in_memory.mongo import InMemoryMongo
from tests.support.notify_stage import NOW, Time, agenda, audience, encounter, everybody

WINDOW = Window(quiet=timedelta(seconds=60), longest=timedelta(seconds=300))


@pytest.fixture(params=["memory", "motor", "pymongo", "simulated"])
async def ledger(request: pytest.FixtureRequest, mongo_url: str, mongo_database: str) -> AsyncIterator[Ledger]:
    time = Time()
    time.advance(3600)
    if request.param == "memory":
        yield InMemoryLedger(time)
        return
    if request.param == "simulated":
        yield MongoLedger(InMemoryMongo().database("test"), time)
        return
    mongo = Mongo(ConnectionSettings(mongo_url=mongo_url, mongo_driver=request.param))
    ledger = MongoLedger(mongo.database(mongo_database), time)
    await ledger.prepare()
    yield ledger
    await mongo.close()


def wanted(number: int = 0, version: int = 1, seconds: float = 0) -> DeliveryWanted:
    return DeliveryWanted(
        operator_id="op_1",
        edition_id="edn_1",
        participant_id=f"prt_{number}",
        version=version,
        agenda_revision=version,
        wanted_at=NOW + timedelta(seconds=seconds),
    )


async def want(ledger: Ledger, *messages: DeliveryWanted) -> None:
    outlet = LedgerOutlet(ledger, WINDOW)
    await outlet.send([outlet.pack(message) for message in messages])


async def delivery_in(ledger: Ledger, number: int = 0) -> Delivery:
    delivery = await ledger.find("edn_1", f"prt_{number}")
    assert delivery
    return delivery


def mailing() -> Mailing:
    state = audience(*everybody(), agenda(1, encounter(0, 1)))
    return Mailing(version=1, agenda_revision=1, message_id="<m@example.org>", content=mail_content(state, "prt_0"))


async def test_a_new_ledger_is_empty(ledger: Ledger) -> None:
    assert await ledger.find("edn_1", "prt_0") is None
    assert await ledger.due(10) == []
    assert await ledger.count() == (0, 0)


async def test_a_repeated_message_wants_a_mail_once(ledger: Ledger) -> None:
    for _ in range(2):
        await want(ledger, wanted(0, 1), wanted(1, 1, seconds=30))
    assert [delivery.key for delivery in await ledger.due(10)] == ["edn_1/prt_0", "edn_1/prt_1"]
    assert [delivery.key for delivery in await ledger.due(1)] == ["edn_1/prt_0"]
    assert (await delivery_in(ledger)).edit == 1
    assert await ledger.count() == (2, 0)


async def test_a_mail_that_waits_is_not_due(ledger: Ledger) -> None:
    await want(ledger, wanted(seconds=3600 - 59))
    assert await ledger.due(10) == []
    assert await ledger.count() == (1, 0)


async def test_a_delivery_is_read_as_it_was_written(ledger: Ledger) -> None:
    await want(ledger, wanted())
    claimed = await ledger.save((await delivery_in(ledger)).claim_for("me", NOW, timedelta(seconds=9)))
    started = await ledger.save(claimed.start(mailing()))
    assert await delivery_in(ledger) == started
    settled = await ledger.save(started.settle(DeliveryState.SENT, mailing()))
    assert await delivery_in(ledger) == settled
    assert isinstance(settled.sent_content, MailContent)


async def test_a_write_on_an_older_delivery_is_refused(ledger: Ledger) -> None:
    await want(ledger, wanted())
    delivery = await delivery_in(ledger)
    await ledger.save(delivery.claim_for("first", NOW, timedelta(seconds=9)))
    with pytest.raises(Overtaken):
        await ledger.save(delivery.claim_for("second", NOW, timedelta(seconds=9)))
    with pytest.raises(Overtaken):
        await ledger.save(delivery.model_copy(update={"edit": 0}))


async def test_of_many_claims_at_once_one_is_written(ledger: Ledger) -> None:
    await want(ledger, wanted())
    delivery = await delivery_in(ledger)
    claims = [ledger.save(delivery.claim_for(f"claim_{n}", NOW, timedelta(seconds=9))) for n in range(8)]
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(outcome, Delivery) for outcome in outcomes) == 1


async def test_a_claimed_mail_is_due_again_when_its_lease_ends(ledger: Ledger) -> None:
    await want(ledger, wanted(0), wanted(1))
    delivery = await delivery_in(ledger)
    await ledger.save(delivery.claim_for("me", NOW, timedelta(seconds=3600)))
    assert [due.key for due in await ledger.due(10)] == ["edn_1/prt_1", "edn_1/prt_0"]
    second = await delivery_in(ledger, 1)
    await ledger.save(second.claim_for("me", NOW, timedelta(seconds=3601)))
    assert [due.key for due in await ledger.due(10)] == ["edn_1/prt_0"]


async def test_unconfirmed_mails_are_listed_and_counted_until_resolved(ledger: Ledger) -> None:
    await want(ledger, wanted())
    delivery = await delivery_in(ledger)
    unconfirmed = await ledger.save(delivery.settle(DeliveryState.IN_DOUBT, mailing()))
    assert [found.key for found in await ledger.unconfirmed()] == ["edn_1/prt_0"]
    assert await ledger.unconfirmed("edn_2") == []
    assert await ledger.count() == (0, 1)
    await ledger.save(unconfirmed.resolve(accepted=True, now=NOW))
    assert await ledger.unconfirmed("edn_1") == []
    assert await ledger.count() == (0, 0)


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_events_to_publish_wait_in_the_delivery_s_document(
    mongo_url: str, mongo_database: str, driver: Any
) -> None:
    mongo = Mongo(ConnectionSettings(mongo_url=mongo_url, mongo_driver=driver))
    ledger = MongoLedger(mongo.database(mongo_database), Time())
    await want(ledger, wanted())
    for version in (1, 2):
        delivery = await delivery_in(ledger)
        settled = delivery.settle(DeliveryState.SENT, mailing().model_copy(update={"version": version}))
        await ledger.save(settled, notification_of(settled, DeliveryState.SENT, mailing(), NOW))
    document = await mongo.database(mongo_database)[COLLECTION].find_one({"_id": "edn_1/prt_0"})
    assert [packed["revision"] for packed in document["outbox"]] == [1, 2]
    assert document["pending_since"] is not None
    assert document["step"] == "idle"
    await mongo.close()


async def test_a_page_holds_the_agendas_of_an_edition_by_participant(ledger: Ledger) -> None:
    await want(ledger, wanted(0), wanted(1), wanted(2))
    first = await ledger.page("edn_1", "", 2)
    assert [delivery.participant_id for delivery in first] == ["prt_0", "prt_1"]
    rest = await ledger.page("edn_1", "prt_1", 2)
    assert [delivery.participant_id for delivery in rest] == ["prt_2"]
    assert await ledger.page("edn", "", 2) == []
